//! CUB014: memory that one cubicle's libc allocated and another one's frees.
//!
//! Only what the finished images show is reported, never what a name suggests:
//! what came through a gate and goes into the caller's own `free`, and what a
//! callee frees although it is its caller's.

use std::collections::{BTreeMap, BTreeSet};

use cubicle_abi::layout;
use cubicle_abi::plan::{EXTENT_CONSTANT, LEND_IN, LEND_OUT, PLACE_ARGUMENT};
use object::{Object, ObjectSection};

use super::call_sites::CallSites;
use super::cubicles::sees;
use super::{Gate, Plan};
use crate::diagnostics::{Code, Finding, Findings};
use crate::graph::flow::{self, Flow, Flows, Landmarks, REGISTERS, Source};
use crate::images::{Image, Reference};
use crate::manifest::{ArgumentRule, Policy, ResultKind};

/// What frees or moves its first argument, in the libraries of an image.
const FREES: [&str; 12] = [
    "free",
    "cfree",
    "__libc_free",
    "realloc",
    "__libc_realloc",
    "reallocarray",
    // C++'s `delete` and `delete[]`, with and without a size.
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "__rust_dealloc",
    "__rust_realloc",
];

/// What returns new memory.
const ALLOCATES: [&str; 19] = [
    "malloc",
    "__libc_malloc",
    "calloc",
    "__libc_calloc",
    "realloc",
    "__libc_realloc",
    "reallocarray",
    "aligned_alloc",
    "memalign",
    "__libc_memalign",
    "valloc",
    "strdup",
    "__strdup",
    "strndup",
    "__strndup",
    "_Znwm",
    "_Znam",
    "__rust_alloc",
    "__rust_alloc_zeroed",
];

/// Reports what crosses and is then freed on the wrong side.
///
/// # Errors
/// If an image cannot be read.
pub fn check(
    plan: &Plan,
    images: &[Image],
    policy: &Policy,
    findings: &mut Findings,
) -> Result<(), object::Error> {
    let mut flows = Vec::new();
    for (cubicle, image) in images.iter().enumerate() {
        let part = |gate: &Gate| gate.from == cubicle || gate.to == cubicle;
        flows.push(match plan.gates.iter().flatten().any(part) {
            true => analyse(plan, cubicle, image)?,
            false => Flows::default(),
        });
    }
    let subject = Subject {
        plan,
        images,
        policy,
        flows: &flows,
    };
    let mut sites = CallSites::new(images);
    for (index, gate) in plan.gates.iter().enumerate() {
        // Nobody calls the gate of a callback by its address.
        if let Some(gate) = gate.as_ref().filter(|gate| !gate.is_callback()) {
            let address = layout::gate(index);
            findings.extend(subject.freed_by_caller(gate, address, &mut sites));
            findings.extend(subject.freed_by_callee(gate, address, &mut sites));
        }
    }
    Ok(())
}

fn analyse(plan: &Plan, cubicle: usize, image: &Image) -> Result<Flows, object::Error> {
    let mut landmarks = Landmarks::default();
    let calls = |gate: &&Gate| gate.from == cubicle && !gate.is_callback();
    for (index, gate) in plan.gates.iter().enumerate() {
        if let Some(gate) = gate.as_ref().filter(calls) {
            let known = flow::Gate {
                fills: fills(gate),
                callee_sees: sees(plan.cubicles[gate.to].rights, &plan.cubicles[gate.from]),
            };
            landmarks.gates.insert(layout::gate(index), known);
        }
    }
    for symbol in &image.symbols {
        // Rust's are mangled: `_RNvCs…_7___rustc14___rust_dealloc`.
        let is = |name: &str| {
            symbol.name == *name
                || name.starts_with("__rust") && {
                    symbol.name.starts_with("_R") && symbol.name.ends_with(&format!("_{name}"))
                }
        };
        if FREES.iter().any(|name| is(name)) {
            landmarks.frees.insert(symbol.address);
        }
        if ALLOCATES.iter().any(|name| is(name)) {
            landmarks.allocates.insert(symbol.address);
        }
    }
    let functions: BTreeMap<u64, u64> = image
        .symbols
        .iter()
        .filter(|symbol| symbol.function && symbol.size > 0)
        .map(|symbol| (symbol.address, symbol.size))
        .collect();
    let functions: Vec<flow::Function<'_>> = functions
        .into_iter()
        .filter_map(|(start, size)| {
            let code = image.at(start)?.get(..usize::try_from(size).ok()?)?;
            Some(flow::Function { start, code })
        })
        .collect();
    let file = object::File::parse(&*image.bytes)?;
    let got = match file.section_by_name(".got") {
        Some(section) => Some((section.address(), section.data()?)),
        None => None,
    };
    let slot = |address: u64| {
        let (start, bytes) = got?;
        let offset = usize::try_from(address.checked_sub(start)?).ok()?;
        let slot = bytes.get(offset..offset.checked_add(8)?)?;
        Some(u64::from_le_bytes(slot.try_into().ok()?))
    };
    Ok(flow::analyse(&functions, &landmarks, &slot))
}

/// Which integer registers hold the address of eight bytes that the callee alone
/// fills: after the call they are its own.
fn fills(gate: &Gate) -> [bool; REGISTERS] {
    lent(gate, |lend| {
        lend.flags & (LEND_IN | LEND_OUT) == LEND_OUT
            && lend.extent.kind == EXTENT_CONSTANT
            && lend.extent.scale == 8
    })
}

/// The integer registers whose pointers are lent so.
fn lent(gate: &Gate, so: impl Fn(&cubicle_abi::plan::Lend) -> bool) -> [bool; REGISTERS] {
    let mut registers = [false; REGISTERS];
    let arguments = gate
        .lends
        .iter()
        .filter(|lend| lend.pointer.kind == PLACE_ARGUMENT);
    for lend in arguments.filter(|lend| so(lend)) {
        if let Some(register) = registers.get_mut(lend.pointer.index as usize) {
            *register = true;
        }
    }
    registers
}

struct Subject<'a> {
    plan: &'a Plan,
    images: &'a [Image],
    policy: &'a Policy,
    flows: &'a [Flows],
}

impl Subject<'_> {
    fn name(&self, cubicle: usize) -> &str {
        &self.plan.cubicles[cubicle].name
    }

    fn freed_by_caller(
        &self,
        gate: &Gate,
        address: u64,
        sites: &mut CallSites<'_>,
    ) -> Option<Finding> {
        let (mut places, mut returned, mut filled) = (BTreeSet::new(), false, false);
        for flow in &self.flows[gate.from].flows {
            match flow {
                Flow::Freed {
                    source: Source::Result(source),
                    place,
                } if *source == address && !self.is_own(gate) => {
                    returned = true;
                    places.insert(*place);
                }
                Flow::Freed {
                    source: Source::Filled(source, _),
                    place,
                } if *source == address => {
                    filled = true;
                    places.insert(*place);
                }
                _ => {}
            }
        }
        let how = match (returned, filled) {
            (true, _) => "returned",
            (false, true) => "stored for it",
            (false, false) => return None,
        };
        let (from, to) = (self.name(gate.from), self.name(gate.to));
        let allocated = match self.summary(gate) {
            Some(summary) if returned && summary.allocates => {
                format!(", memory that `{to}` allocated")
            }
            _ => String::new(),
        };
        let message = format!(
            "cubicle `{from}` frees what `{}` of cubicle `{to}` {how}{allocated}",
            gate.symbol
        );
        let finding = self.finding(gate, message, places, gate.from, sites);
        let finding = finding.help(format!(
            "each cubicle has a heap of its own: call a function of `{to}` that frees it, or bring the buffer along and lend it \"out\""
        ));
        Some(match returned {
            true => finding.help(format!(
                "if it is a pointer of `{from}`'s own that comes back: `result = {{ lend = \"handle\" }}` in `[cubicle.{to}.function.{}]`",
                gate.symbol
            )),
            false => finding,
        })
    }

    /// Whether the manifest says that the result is the caller's own pointer.
    fn is_own(&self, gate: &Gate) -> bool {
        let callee = &self.policy.cubicles[self.name(gate.to)];
        let function = callee.functions.get(&gate.symbol);
        let result = function.and_then(|function| function.result.as_ref());
        matches!(
            result.map(|result| &result.rule),
            Some(ResultKind::Within(_) | ResultKind::Like(ArgumentRule::Handle))
        )
    }

    fn freed_by_callee(
        &self,
        gate: &Gate,
        address: u64,
        sites: &mut CallSites<'_>,
    ) -> Option<Finding> {
        let frees = self.summary(gate)?.frees;
        let copies = lent(gate, |lend| lend.flags & (LEND_IN | LEND_OUT) != 0);
        let (from, to) = (self.name(gate.from), self.name(gate.to));
        let mut places = BTreeSet::new();
        for flow in &self.flows[gate.from].flows {
            if let Flow::Given {
                gate,
                register,
                place,
            } = flow
                && *gate == address
                && frees[usize::from(*register)]
            {
                places.insert(*place);
            }
        }
        let lends = frees.iter().zip(copies).any(|(freed, lent)| *freed && lent);
        let what = match (places.is_empty(), lends) {
            (_, true) => format!("what `{from}` lends it"),
            (false, false) => format!("memory that `{from}` allocated"),
            (true, false) => return None,
        };
        let message = format!("`{}` of cubicle `{to}` frees {what}", gate.symbol);
        Some(self.finding(gate, message, places, gate.from, sites).help(format!(
            "each cubicle has a heap of its own: let `{from}` free it after the call, or let `{to}` allocate it in the first place"
        )))
    }

    fn summary(&self, gate: &Gate) -> Option<flow::Summary> {
        let target = self.images[gate.to].address_of(&gate.symbol)?;
        self.flows[gate.to].summaries.get(&target).copied()
    }

    fn finding(
        &self,
        gate: &Gate,
        message: String,
        places: BTreeSet<u64>,
        cubicle: usize,
        sites: &mut CallSites<'_>,
    ) -> Finding {
        let places: Vec<Reference> = places
            .into_iter()
            .map(|place| Reference { place, text: true })
            .collect();
        let mut finding = Finding::of_rule(Code::CUB014, message);
        finding.places.extend(sites.of(cubicle, &places));
        let callee = &self.policy.cubicles[self.name(gate.to)];
        let place = match callee.functions.get(&gate.symbol) {
            Some(function) => self.policy.place(&function.name.span, "described here"),
            None => self
                .policy
                .place(&callee.name.span, "the cubicle it belongs to"),
        };
        finding.at(place)
    }
}
