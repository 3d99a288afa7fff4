//! The plan as the file has it. Nothing is believed to lie within bounds.

use cubicle_abi::layout::{
    CALLBACK_SLOTS, MAXIMUM_CALLBACKS, MAXIMUM_CUBICLES, MAXIMUM_GATES, PLAN_BASE,
};
use cubicle_abi::plan as abi;
use cubicle_abi::plan::{
    GATE_CALLEE_SEES, GATE_CALLER_SEES, GATE_ERRNO, GATE_FAST, GATE_FS, GATE_LENDING, MAGIC, Slice,
    VERSION,
};
use cubicle_abi::rights::Rights;

use super::file::Unreadable;
use super::report::{Finding, Rule};
use super::rights::KEYS;

/// What may be read from any bytes.
///
/// # Safety
/// Integers only, so that every pattern of bits is a value.
unsafe trait Plain: Copy {}
// SAFETY: all of these are made of integers.
unsafe impl Plain for abi::Header {}
// SAFETY: as above.
unsafe impl Plain for abi::Cubicle {}
// SAFETY: as above.
unsafe impl Plain for abi::KeyedWindow {}
// SAFETY: as above.
unsafe impl Plain for abi::Segment {}
// SAFETY: as above.
unsafe impl Plain for abi::Gate {}
// SAFETY: as above.
unsafe impl Plain for abi::Text {}

fn read<T: Plain>(bytes: &[u8], offset: usize) -> Option<T> {
    let part = bytes.get(offset..offset.checked_add(size_of::<T>())?)?;
    // SAFETY: the bytes are there, and `Plain` says that they make a value.
    Some(unsafe { part.as_ptr().cast::<T>().read_unaligned() })
}

/// A plan.
#[derive(Debug)]
pub struct Plan<'a> {
    pub header: abi::Header,
    pub cubicles: Vec<Cubicle>,
    pub windows: Vec<Window>,
    /// By number; `None` for one that no call goes through.
    pub gates: Vec<Option<Gate>>,
    /// For each callback the number of its gate.
    pub callbacks: Vec<usize>,
    pub texts: Vec<Text<'a>>,
    /// What does not agree in it.
    pub problems: Vec<Finding>,
}

#[derive(Debug)]
pub struct Cubicle {
    pub name: String,
    pub rights: Rights,
    pub key: u32,
    pub segments: Vec<abi::Segment>,
    pub restarts: bool,
    /// Addresses of code: where it starts, and what the monitor calls; 0 for none.
    pub code: [u64; 3],
    pub program_headers: (u64, u64),
}

#[derive(Debug)]
pub struct Window {
    pub name: String,
    pub owner: usize,
    pub key: u32,
    pub segments: Vec<abi::Segment>,
}

#[derive(Clone, Debug)]
pub struct Gate {
    pub name: String,
    pub number: usize,
    pub from: usize,
    pub to: usize,
    pub target: u64,
    pub callback: Option<usize>,
    pub kind: u32,
    pub flags: u16,
    pub registers: abi::Registers,
    pub stack_words: usize,
    pub errno_callee: i32,
    pub errno_caller: i32,
    /// Whether the callee can be restarted, and what the caller then gets.
    pub restarts: bool,
    pub fault_value: u64,
    pub fault_errno: u32,
}

impl Gate {
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// A piece of executable text that the monitor copies into place.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// One of the `MECHANISM_` constants; for register clearing the level of vector
    /// registers.
    pub mechanism: u32,
    pub address: u64,
    pub bytes: &'a [u8],
    /// Where they start in the plan.
    pub offset: usize,
}

impl<'a> Plan<'a> {
    /// Reads a plan from the bytes that are loaded at its address.
    pub fn read(bytes: &'a [u8]) -> Result<Plan<'a>, Unreadable> {
        let header: abi::Header = read(bytes, 0).ok_or(Unreadable::NoPlan)?;
        if header.magic != MAGIC {
            return Err(Unreadable::NoPlan);
        }
        if header.version != VERSION {
            return Err(Unreadable::Version {
                found: header.version,
                own: VERSION,
            });
        }
        let mut reader = Reader {
            bytes,
            problems: Vec::new(),
        };
        if header.size != bytes.len() as u64 {
            reader.problem(format!(
                "it is {} bytes long and says {}",
                bytes.len(),
                header.size
            ));
        }
        let cubicles = reader.cubicles(header.cubicles);
        let windows = reader.windows(header.windows, cubicles.len());
        let (gates, callbacks) = reader.gates(header.gates, &cubicles);
        let texts = reader.texts(header.texts);
        if header.main as usize >= cubicles.len() {
            reader.problem("its main cubicle does not exist");
        }
        Ok(Plan {
            header,
            cubicles,
            windows,
            gates,
            callbacks,
            texts,
            problems: reader.problems,
        })
    }

    /// The name of the cubicle or keyed window with this number.
    pub fn name(&self, number: usize) -> String {
        let window = number.checked_sub(self.cubicles.len());
        match (self.cubicles.get(number), window) {
            (Some(cubicle), _) => format!("`{}`", cubicle.name),
            (None, Some(window)) if window < self.windows.len() => {
                format!("`{}`", self.windows[window].name)
            }
            _ => format!("slot {number}"),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    problems: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, message: impl Into<String>) {
        let finding = Finding::new(Rule::Plan, PLAN_BASE, "the plan", message);
        self.problems.push(finding);
    }

    fn all<T: Plain>(&mut self, slice: Slice, what: &str) -> Vec<T> {
        let (start, count) = (slice.offset as usize, slice.count as usize);
        let end = count
            .checked_mul(size_of::<T>())
            .and_then(|size| size.checked_add(start));
        if end.is_none_or(|end| end > self.bytes.len()) {
            self.problem(format!("its list of {what} ends outside of it"));
            return Vec::new();
        }
        (0..count)
            .map_while(|index| read(self.bytes, start + index * size_of::<T>()))
            .collect()
    }

    fn raw(&mut self, slice: Slice, what: &str) -> &'a [u8] {
        let start = slice.offset as usize;
        let end = start.saturating_add(slice.count as usize);
        match self.bytes.get(start..end) {
            Some(bytes) => bytes,
            None => {
                self.problem(format!("{what} ends outside of it"));
                &[]
            }
        }
    }

    /// Does a list lie within the plan? Nobody needs its elements.
    fn holds<T>(&mut self, slice: Slice, what: &str) {
        let size = u64::from(slice.count) * size_of::<T>() as u64;
        if u64::from(slice.offset) + size > self.bytes.len() as u64 {
            self.problem(format!("its list of {what} ends outside of it"));
        }
    }

    fn name(&mut self, slice: Slice) -> String {
        /// Longer than any that Rust or C++ mangles in practice, bytes.
        const LONGEST: u32 = 16 << 10;
        if slice.count > LONGEST {
            self.problem("a name is longer than any");
            return String::new();
        }
        let bytes = self.raw(slice, "a name");
        // Names are for people; a terminal must not obey them.
        String::from_utf8_lossy(bytes)
            .chars()
            .map(|one| if one.is_control() { '\u{fffd}' } else { one })
            .collect()
    }

    fn cubicles(&mut self, slice: Slice) -> Vec<Cubicle> {
        let mut all: Vec<abi::Cubicle> = self.all(slice, "cubicles");
        if all.is_empty() {
            self.problem("it has no cubicle");
        }
        if all.len() > MAXIMUM_CUBICLES {
            self.problem("it has more cubicles than there are keys");
            all.truncate(MAXIMUM_CUBICLES);
        }
        all.into_iter()
            .map(|one| Cubicle {
                name: self.name(one.name),
                rights: Rights(one.rights),
                key: self.key(one.key),
                segments: self.all(one.segments, "segments"),
                restarts: one.restarts > 0,
                code: [one.entry, one.exit, one.spare],
                program_headers: (one.program_headers, one.program_header_count),
            })
            .collect()
    }

    /// A key that there is: PKRU has two bits for each of 16.
    fn key(&mut self, key: u32) -> u32 {
        if key < KEYS {
            return key;
        }
        self.problem(format!(
            "it names protection key {key}, and there are {KEYS}"
        ));
        0
    }

    fn windows(&mut self, slice: Slice, cubicles: usize) -> Vec<Window> {
        let mut all: Vec<abi::KeyedWindow> = self.all(slice, "windows");
        if all.len() > MAXIMUM_CUBICLES - cubicles {
            self.problem("it has more cubicles and windows than there are keys");
            all.truncate(MAXIMUM_CUBICLES - cubicles);
        }
        all.into_iter()
            .map(|one| {
                if one.owner as usize >= cubicles {
                    self.problem("a window's owner does not exist");
                }
                Window {
                    name: self.name(one.name),
                    owner: one.owner as usize,
                    key: self.key(one.key),
                    segments: self.all(one.segments, "segments"),
                }
            })
            .collect()
    }

    fn gates(&mut self, slice: Slice, cubicles: &[Cubicle]) -> (Vec<Option<Gate>>, Vec<usize>) {
        let mut all: Vec<abi::Gate> = self.all(slice, "gates");
        if all.len() as u64 > MAXIMUM_GATES {
            self.problem("it has more gates than there is room for");
            all.truncate(MAXIMUM_GATES as usize);
        }
        let mut callbacks = Vec::new();
        let gates = all
            .iter()
            .enumerate()
            .map(|(number, raw)| {
                if raw.from == u32::MAX && raw.to == u32::MAX {
                    return None;
                }
                let gate = self.gate(number, raw, cubicles)?;
                if let Some(callback) = gate.callback {
                    // They are numbered as they come.
                    if callback != callbacks.len() {
                        self.problem(format!("callback {callback} is out of order"));
                    }
                    callbacks.push(number);
                }
                Some(gate)
            })
            .collect();
        if callbacks.len() > MAXIMUM_CALLBACKS {
            let most = MAXIMUM_CALLBACKS * CALLBACK_SLOTS;
            self.problem(format!("its callbacks have more than {most} slots"));
            callbacks.truncate(MAXIMUM_CALLBACKS);
        }
        (gates, callbacks)
    }

    fn gate(&mut self, number: usize, raw: &abi::Gate, cubicles: &[Cubicle]) -> Option<Gate> {
        let (from, to) = (raw.from as usize, raw.to as usize);
        let name = self.name(raw.name);
        self.holds::<abi::Lend>(raw.lends, "lends");
        self.holds::<abi::Probe>(raw.probes, "probes");
        let (Some(caller), Some(callee)) = (cubicles.get(from), cubicles.get(to)) else {
            self.problem(format!(
                "gate {number} is between cubicles that do not exist"
            ));
            return None;
        };
        let gate = Gate {
            name,
            number,
            from,
            to,
            target: raw.target,
            callback: (raw.callback as usize).checked_sub(1),
            kind: raw.kind,
            flags: raw.flags,
            registers: raw.registers,
            stack_words: raw.stack_words as usize,
            errno_callee: raw.errno_callee,
            errno_caller: raw.errno_caller,
            restarts: callee.restarts,
            fault_value: raw.fault_value,
            fault_errno: raw.fault_errno,
        };
        let registers = gate.registers;
        // Six callee-saved registers, one of which has a callback's slot, and two words in each of
        // eight vector registers, which follow those.
        let most_words = if gate.callback.is_some() { 5 } else { 22 };
        let wrong = [
            (from == to, "leads back to its caller"),
            (gate.kind > GATE_LENDING, "is of no kind that exists"),
            (
                gate.kind == GATE_CALLER_SEES && !caller.rights.writes(callee.key),
                "rests on its caller seeing the callee, which it does not",
            ),
            (
                gate.kind == GATE_CALLEE_SEES && !callee.rights.writes(caller.key),
                "rests on its callee seeing the caller, which it does not",
            ),
            (
                gate.kind == GATE_FAST && gate.callback.is_some(),
                "proves nothing and calls functions that cross",
            ),
            (
                gate.kind != GATE_LENDING && raw.lends.count > 0,
                "has something to lend and does not ask the monitor",
            ),
            (
                !gate.has(GATE_FS) && (gate.has(GATE_ERRNO) || callee.rights.reads(caller.key)),
                "leaves FS alone, through which its callee could use the caller's thread-locals",
            ),
            (
                !gate.has(GATE_FS) && gate.callback.is_some(),
                "leaves FS alone for functions that are not known",
            ),
            (
                registers.integers > 6
                    || registers.vectors > 8
                    || registers.result_integers > 2
                    || registers.result_vectors > 2,
                "passes more registers than the calling convention has",
            ),
            (
                gate.kind != GATE_LENDING && gate.stack_words > most_words,
                "passes more of the stack than registers hold",
            ),
            (
                gate.callback.is_some() != (gate.target == 0),
                "has both or neither of a function and a callback",
            ),
        ];
        for (_, why) in wrong.into_iter().filter(|(is_wrong, _)| *is_wrong) {
            self.problem(format!("gate {number} to `{}` {why}", gate.name));
        }
        Some(gate)
    }

    fn texts(&mut self, slice: Slice) -> Vec<Text<'a>> {
        /// More than there are addresses and mechanisms.
        const MOST: usize = 16;
        let mut all: Vec<abi::Text> = self.all(slice, "texts");
        if all.len() > MOST {
            self.problem("it has more texts than there is use for");
            all.truncate(MOST);
        }
        all.into_iter()
            .map(|one| Text {
                mechanism: one.mechanism,
                address: one.address,
                bytes: self.raw(one.bytes, "a text"),
                offset: one.bytes.offset as usize,
            })
            .collect()
    }
}
