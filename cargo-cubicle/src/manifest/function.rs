//! What a manifest says about one function and about its arguments.

use std::collections::BTreeMap;

use super::extent::{ArgumentPath, Extent};
use super::located::Located;
use super::words::{GateKind, Negative};

/// What an interface file says.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// Structs and their typedefs by name, arguments that point to which are
    /// handles.
    pub handles: Vec<Located<String>>,
    /// The library's functions, by symbol name.
    pub functions: BTreeMap<String, Function>,
}

/// One `[cubicle.NAME.function.SYMBOL]` table.
#[derive(Clone, Debug)]
pub struct Function {
    /// The symbol's name.
    pub name: Located<String>,
    /// A C declaration, for functions that DWARF does not describe. Only its
    /// outer form has been checked.
    pub signature: Option<Located<String>>,
    /// The kind of its gates, where it differs from the cubicle's.
    pub gate: Option<Located<GateKind>>,
    /// Its pointer arguments by their path as written.
    pub args: BTreeMap<String, Argument>,
    /// What is known about the returned pointer.
    pub result: Option<ResultRule>,
    /// Present and true if the callee's errno is copied to the caller's libc.
    pub errno: Option<Located<bool>>,
    /// What a pending call returns when the cubicle is restarted.
    pub fault: Option<Fault>,
    /// Present and true if `longjmp` may pass over a call of it.
    pub may_unwind: Option<Located<bool>>,
}

/// One entry of `arg`.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Which argument, or what inside it.
    pub path: Located<ArgumentPath>,
    /// How it crosses.
    pub rule: ArgumentRule,
}

/// How an argument crosses a gate.
#[derive(Clone, Debug)]
pub enum ArgumentRule {
    /// A pointer whose target the callee may touch during the call.
    Lend(Box<Lend>),
    /// `lend = "handle"`: passed through and never touched.
    Handle,
    /// The callee sees this value instead.
    Value(Located<i64>),
    /// A function pointer, which gets an entry.
    Callback(Callback),
}

/// The direction of a lend, as the callee sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The callee reads.
    In,
    /// The callee writes.
    Out,
    /// The callee reads and writes.
    InOut,
}

/// What an extent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `bytes`, and the default.
    Bytes,
    /// `count`: elements of the pointer's target type, whose size DWARF tells.
    Elements,
}

/// Memory of the caller that is borrowed for the call.
#[derive(Clone, Debug)]
pub struct Lend {
    /// Who reads and who writes.
    pub direction: Located<Direction>,
    /// How much is lent. Without `bytes` and `count` it is [`Extent::SizeOf`],
    /// at the place of `lend`.
    pub extent: Located<Extent>,
    /// What `extent` and `used` count.
    pub unit: Unit,
    /// How much of an out or inout range was written, after the call.
    pub used: Option<Located<Extent>>,
    /// What a negative length means.
    pub negative: Option<Located<Negative>>,
    /// It stays lent until this function is called with it.
    pub keep: Option<Located<String>>,
}

/// The arguments and the result of a function that the callee calls back.
#[derive(Clone, Debug)]
pub struct Callback {
    /// The place of `callback = true`.
    pub declared: Located<()>,
    /// A C declaration, where the type of the pointer does not say what is
    /// called. Only its outer form has been checked.
    pub signature: Option<Located<String>>,
    /// Its arguments: here `in` is what the callee hands out.
    pub args: BTreeMap<String, Argument>,
    /// Its result.
    pub result: Option<Box<ResultRule>>,
}

/// The `result` table.
#[derive(Clone, Debug)]
pub struct ResultRule {
    /// The place of the key.
    pub declared: Located<()>,
    /// What is returned.
    pub rule: ResultKind,
}

/// What a returned pointer is.
#[derive(Clone, Debug)]
pub enum ResultKind {
    /// It points into this argument.
    Within(Located<ArgumentPath>),
    /// Described like an argument.
    Like(ArgumentRule),
}

/// What a call returns whose callee was restarted.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The returned value; `null` is 0.
    pub returns: Located<i64>,
    /// The name of the errno value, such as `EIO`.
    pub errno: Option<Located<String>>,
}
