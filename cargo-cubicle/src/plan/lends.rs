//! From what the manifest says about a function's arguments to the lends of its
//! gates.
//!
//! The manifest speaks of names and types, the monitor of places and bytes. What
//! lies between is the signature (which argument, how large is what it points
//! to) and the shape of the call (where it travels). Every mistake is a finding
//! at its place in the manifest; a lend with a mistake is left out.

mod arguments;
mod extents;
mod unlent;

use cubicle_abi::plan::{EXTENT_CONSTANT, Extent, LEND_IN, LEND_OUT, LEND_RESULT, Lend, Operand};

use crate::diagnostics::{Finding, Findings};
use crate::graph::shape::{CallShape, ResultPlace};
use crate::graph::signature::{Signature, TypeKind};
use crate::manifest::{self, ArgumentRule, Direction, Function, Located, Policy};

use arguments::{Arguments, Known};

pub use unlent::{Unlent, UnlentKind, is_handle, unlent_pointers};

/// As many lends as one gate can have: the monitor keeps the integers among
/// them in a table of this size while it prepares a call.
pub const MOST_LENDS: usize = 16;

/// What a gate lends.
#[derive(Clone, Debug, Default)]
pub struct ResolvedLends {
    /// A hidden result pointer first, then in the order of the parameters. At
    /// most [`MOST_LENDS`].
    pub lends: Vec<Lend>,
    /// Whether the callee's errno goes to the caller's libc after the call.
    pub errno: bool,
}

/// The function whose lends are resolved.
struct Subject<'a> {
    policy: &'a Policy,
    cubicle: &'a str,
    function: &'a str,
    arguments: Arguments<'a>,
}

impl Subject<'_> {
    /// An error at something in the manifest.
    fn error<T>(
        &self,
        at: &Located<T>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Finding {
        Finding::error(message).at(self.policy.place(&at.span, label))
    }

    /// The function as messages call it.
    fn title(&self) -> String {
        format!("`{}` of `{}`", self.function, self.cubicle)
    }
}

/// Resolves the lends of the gates into `function_name` of the cubicle
/// `cubicle_name`. `function` is what the manifest says about it, if anything;
/// `shape` is that of `signature`.
///
/// What [`Policy::unsupported`] refuses is refused here too.
pub fn resolve(
    policy: &Policy,
    cubicle_name: &str,
    function_name: &str,
    function: Option<&Function>,
    signature: &Signature,
    shape: &CallShape,
) -> (ResolvedLends, Findings) {
    let subject = Subject {
        policy,
        cubicle: cubicle_name,
        function: function_name,
        arguments: Arguments::of(signature, shape),
    };
    let mut resolved = ResolvedLends::default();
    let mut findings = Findings::new();
    resolved.lends.extend(hidden_result(shape));
    let Some(function) = function else {
        return (resolved, findings);
    };
    resolved.errno = function.errno.as_ref().is_some_and(|errno| errno.value);
    let described = arguments::described(&subject, function, &mut findings);
    for (index, argument) in &described {
        let known = subject.arguments.get(*index);
        let lend = match &argument.rule {
            ArgumentRule::Lend(lend) => lend,
            ArgumentRule::Handle => {
                findings.extend(check_handle(&subject, &argument.path, known));
                continue;
            }
            ArgumentRule::Value(value) => {
                findings.push(missing(&subject, value, "`value`"));
                continue;
            }
            ArgumentRule::Callback(callback) => {
                findings.push(missing(&subject, &callback.declared, "`callback`"));
                continue;
            }
        };
        if resolved.lends.len() == MOST_LENDS {
            let message = format!("{} lends too many arguments", subject.title());
            let finding = subject.error(&argument.path, message, "");
            findings.push(finding.help(format!("a gate can lend {MOST_LENDS}")));
            break;
        }
        match resolve_one(&subject, &described, &argument.path, known, lend) {
            Ok((lend, warnings)) => {
                resolved.lends.push(lend);
                findings.extend(warnings);
            }
            Err(mistakes) => findings.extend(mistakes),
        }
    }
    findings.sort_by_place();
    (resolved, findings)
}

/// The place that the caller provides for a result in memory.
fn hidden_result(shape: &CallShape) -> Option<Lend> {
    let ResultPlace::Memory { bytes } = shape.result else {
        return None;
    };
    Some(Lend {
        pointer: 0,
        direction: LEND_RESULT | LEND_OUT,
        extent: constant(bytes),
        used: Extent::default(),
    })
}

fn constant(bytes: u64) -> Extent {
    Extent {
        kind: EXTENT_CONSTANT,
        count: 0,
        scale: bytes,
        operands: [Operand::default(); 2],
    }
}

fn resolve_one(
    subject: &Subject,
    described: &arguments::Described,
    path: &Located<manifest::ArgumentPath>,
    known: &Known,
    lend: &manifest::Lend,
) -> Result<(Lend, Findings), Findings> {
    let mut findings = Findings::new();
    if let Some(keep) = &lend.keep {
        findings.push(missing(subject, keep, "`keep`"));
    }
    if let Some(negative) = &lend.negative {
        findings.push(missing(subject, negative, "`negative`"));
    }
    let (pointer, place) = match pointer(subject, path, known) {
        Ok(found) => found,
        Err(finding) => {
            findings.push(finding);
            return Err(findings);
        }
    };
    let direction = match lend.direction.value {
        Direction::In => LEND_IN,
        Direction::Out => LEND_OUT,
        Direction::InOut => LEND_IN | LEND_OUT,
    };
    let context = extents::Context {
        subject,
        described,
        known,
        pointer,
        unit: lend.unit,
    };
    let extent = context.lent(&lend.extent);
    let used = match &lend.used {
        None => Ok(Extent::default()),
        Some(used) if lend.direction.value == Direction::In => Err(subject
            .error(
                used,
                "`used` says how much of an \"out\" or \"inout\" range was written",
                "this one is lent \"in\"",
            )
            .help("remove it, or lend \"out\" or \"inout\"")),
        Some(used) => context.written(used),
    };
    match (extent, used) {
        (Ok(extent), Ok(used)) if !findings.has_denied() => {
            findings.extend(written_constant(subject, known, lend, pointer));
            let lend = Lend {
                pointer: place,
                direction,
                extent,
                used,
            };
            Ok((lend, findings))
        }
        (extent, used) => {
            findings.extend(extent.err());
            findings.extend(used.err());
            Err(findings)
        }
    }
}

/// The pointer that is lent, and where it travels.
fn pointer<'a>(
    subject: &Subject,
    path: &Located<manifest::ArgumentPath>,
    known: &Known<'a>,
) -> Result<(&'a crate::graph::signature::Pointer, u32), Finding> {
    let name = &known.label;
    let title = subject.title();
    let pointer = match &known.type_.kind {
        TypeKind::Pointer(pointer) => pointer,
        TypeKind::Aggregate(aggregate) if aggregate.by_reference => {
            let message = format!("`{name}` of {title} cannot be lent");
            let label = "a C++ object that must not be copied byte by byte";
            let help = "give the function a pointer to plain data instead";
            return Err(subject.error(path, message, label).help(help));
        }
        _ => {
            let message = format!("`{name}` of {title} is not a pointer");
            return Err(subject
                .error(path, message, "")
                .help("only pointers are lent; values cross as they are: remove this line"));
        }
    };
    if pointer.to.as_ref().is_some_and(|to| to.is_function) {
        let message = format!("`{name}` of {title} is a pointer to a function");
        return Err(subject
            .error(path, message, "")
            .help("a function is not lent: it would need `callback`, which is not supported yet"));
    }
    match known.word() {
        Some(place) => Ok((pointer, place)),
        // Pointers are of class INTEGER (psABI 3.2.3): one register or word.
        None => Err(subject.error(
            path,
            format!("`{name}` of {title} does not travel in one integer register or stack word"),
            "",
        )),
    }
}

/// A callee that writes through `const` is rare; a wrong word in the manifest is
/// not.
fn written_constant(
    subject: &Subject,
    known: &Known,
    lend: &manifest::Lend,
    pointer: &crate::graph::signature::Pointer,
) -> Option<Finding> {
    let is_const = pointer.to.as_ref().is_some_and(|to| to.is_const);
    if !is_const || lend.direction.value == Direction::In {
        return None;
    }
    let message = format!(
        "`{}` of {} points to `const`, and is lent for writing",
        known.label,
        subject.title()
    );
    let place = subject.policy.place(&lend.direction.span, "");
    Some(
        Finding::warning(message)
            .at(place)
            .help("say `lend = \"in\"` if the function only reads it"),
    )
}

/// A handle is something that holds an address.
fn check_handle(
    subject: &Subject,
    path: &Located<manifest::ArgumentPath>,
    known: &Known,
) -> Option<Finding> {
    if matches!(
        known.type_.kind,
        TypeKind::Pointer(_) | TypeKind::Aggregate(_)
    ) {
        return None;
    }
    let message = format!("`{}` of {} is not a pointer", known.label, subject.title());
    Some(
        subject
            .error(path, message, "")
            .help("values cross as they are: remove this line"),
    )
}

/// What the grammar has and this version does not build.
fn missing<T>(subject: &Subject, at: &Located<T>, what: &str) -> Finding {
    subject
        .error(at, format!("{what} is not supported yet"), "")
        .help("this version of the tool reads it but does not build it")
}

#[cfg(test)]
mod tests;
