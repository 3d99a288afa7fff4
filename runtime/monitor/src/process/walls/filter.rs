//! A seccomp filter: it lets through what cubicles are granted and what the monitor
//! makes itself, with arguments as the monitor passes them.
//!
//! The filter knows numbers only, not who calls: dispatch comes first, so all it
//! ever sees are calls of the monitor. It is the same for all threads.

use crate::system_calls::sets::{OF_PATH_CALLS, OF_THE_MONITOR, is_granted};

/// `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instruction {
    code: u16,
    /// Instructions to pass over if a condition holds, and if not.
    yes: u8,
    no: u8,
    value: u32,
}

/// Loads a word of `struct seccomp_data`.
const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0000 | 1; // EPERM
const KILL: u32 = 0x8000_0000;

const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const X86_64: u32 = 0xc000_003e;

/// Where the low half of argument `index` stands.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// None of these bits is set in its low half.
    Without(u32),
    /// Its low half is one of these.
    OneOf(&'static [u32]),
    /// It is zero, both halves.
    Zero,
    /// Its low half is `must` if that of argument `argument` is `is`.
    When { argument: u32, is: u32, must: u32 },
}

/// Calls that are let through for some arguments only: number, argument, condition. All that are about a number
/// must hold.
pub const CONDITIONS: [(u64, u32, Condition); 10] = [
    // mmap, mprotect and pkey_mprotect: nothing becomes executable.
    (9, 2, Condition::Without(4)),
    (10, 2, Condition::Without(4)),
    (329, 2, Condition::Without(4)),
    // ioctl and fcntl: what `descriptors.rs` lets through.
    (
        16,
        1,
        Condition::OneOf(&[0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451]),
    ),
    (72, 1, Condition::OneOf(&[0, 1, 2, 3, 4, 5, 6, 7, 1030])),
    // clone: no namespaces.
    (56, 0, Condition::Without(0x7e02_0000)),
    // prctl: dispatch for new threads, and names.
    (157, 0, Condition::OneOf(&[15, 16, 59])),
    // Dispatch is switched on, never off.
    (
        157,
        1,
        Condition::When {
            argument: 0,
            is: 59,
            must: 1,
        },
    ),
    // arch_prctl: segment bases.
    (158, 0, Condition::OneOf(&[0x1001, 0x1002, 0x1003, 0x1004])),
    // prlimit64: no new limit.
    (302, 2, Condition::Zero),
];

/// As many instructions as a filter of ours takes at most.
pub const MOST: usize = 2048;

/// A filter in the making.
pub struct Filter {
    instructions: [Instruction; MOST],
    count: usize,
}

/// What happens to a range of numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    Refuse,
    /// The conditions of this number.
    If(u64),
}

impl Filter {
    /// The filter for cubicles with these grants. `paths`: the monitor opens what
    /// they name.
    pub fn of(granted: &[u64; 8], paths: bool) -> Filter {
        let mut made = [0; 8];
        for (index, word) in made.iter_mut().enumerate() {
            let of_paths = if paths { OF_PATH_CALLS[index] } else { 0 };
            *word = granted[index] | OF_THE_MONITOR[index] | of_paths;
        }
        let mut filter = Filter {
            instructions: [Instruction::default(); MOST],
            count: 0,
        };
        filter.put(LOAD, 0, 0, ARCHITECTURE);
        filter.put(IF_EQUAL, 1, 0, X86_64);
        filter.put(RETURN, 0, 0, KILL);
        filter.put(LOAD, 0, 0, NUMBER);
        filter.search(&made, 0, 512, true);
        filter
    }

    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions[..self.count]
    }

    fn put(&mut self, code: u16, yes: u8, no: u8, value: u32) {
        self.instructions[self.count] = Instruction {
            code,
            yes,
            no,
            value,
        };
        self.count += 1;
    }

    /// Decides for the numbers `start..end`; for `open`, also for all above.
    fn search(&mut self, made: &[u64; 8], start: u64, end: u64, open: bool) {
        let first = verdict(made, start);
        let same = (start..end).all(|number| verdict(made, number) == first);
        if same && (!open || first == Verdict::Refuse) {
            return self.end(first);
        }
        if end - start == 1 {
            // Only above 511 is left to be told apart.
            self.put(IF_AT_LEAST, 0, 1, end as u32);
            self.put(RETURN, 0, 0, REFUSE);
            return self.end(first);
        }
        let middle = start + (end - start) / 2;
        self.put(IF_AT_LEAST, 0, 1, middle as u32);
        let jump = self.count;
        self.put(JUMP, 0, 0, 0);
        self.search(made, start, middle, false);
        self.instructions[jump].value = (self.count - jump - 1) as u32;
        self.search(made, middle, end, open);
    }

    fn end(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Allow => self.put(RETURN, 0, 0, ALLOW),
            Verdict::Refuse => self.put(RETURN, 0, 0, REFUSE),
            Verdict::If(number) => {
                for (_, place, condition) in CONDITIONS.iter().filter(|(of, ..)| *of == number) {
                    self.condition(*place, *condition);
                }
                self.put(RETURN, 0, 0, ALLOW);
            }
        }
    }

    /// Goes on behind itself if the condition holds.
    fn condition(&mut self, place: u32, condition: Condition) {
        if let Condition::When {
            argument: of, is, ..
        } = condition
        {
            self.put(LOAD, 0, 0, argument(of));
            self.put(IF_EQUAL, 0, 3, is);
        }
        self.put(LOAD, 0, 0, argument(place));
        match condition {
            Condition::When { must, .. } => {
                self.put(IF_EQUAL, 1, 0, must);
                self.put(RETURN, 0, 0, REFUSE);
            }
            Condition::Without(bits) => {
                self.put(IF_ANY_BIT, 0, 1, bits);
                self.put(RETURN, 0, 0, REFUSE);
            }
            Condition::OneOf(values) => {
                for (index, value) in values.iter().enumerate() {
                    // Behind the end that refuses.
                    self.put(IF_EQUAL, (values.len() - index) as u8, 0, *value);
                }
                self.put(RETURN, 0, 0, REFUSE);
            }
            Condition::Zero => {
                self.put(IF_EQUAL, 1, 0, 0);
                self.put(RETURN, 0, 0, REFUSE);
                self.put(LOAD, 0, 0, argument(place) + 4);
                self.put(IF_EQUAL, 1, 0, 0);
                self.put(RETURN, 0, 0, REFUSE);
            }
        }
    }
}

fn verdict(made: &[u64; 8], number: u64) -> Verdict {
    let conditional = CONDITIONS.iter().any(|(of, ..)| *of == number);
    match (is_granted(made, number), conditional) {
        (false, _) => Verdict::Refuse,
        (true, false) => Verdict::Allow,
        (true, true) => Verdict::If(number),
    }
}

/// Installs the filter for all cubicles of the plan.
///
/// # Errors
/// The kernel's error number, negative.
#[cfg(monitor_image)]
pub fn install(plan: crate::plan::Plan) -> Result<(), i64> {
    use crate::machine::kernel::{self, number};
    use crate::system_calls::paths::names_paths;
    const SET_MODE_FILTER: u64 = 1;
    const SPEC_ALLOW: u64 = 4;
    let mut granted = [0; 8];
    for cubicle in plan.cubicles() {
        for (all, own) in granted.iter_mut().zip(&cubicle.granted) {
            *all |= own;
        }
    }
    let paths = plan.cubicles().iter().any(names_paths);
    let filter = Filter::of(&granted, paths);
    // struct sock_fprog: a length and a pointer.
    let program = [
        filter.instructions().len() as u64,
        filter.instructions().as_ptr() as u64,
    ];
    // SAFETY: the program is the monitor's; the kernel copies it.
    let result = unsafe {
        let at = program.as_ptr() as u64;
        kernel::call(number::SECCOMP, [SET_MODE_FILTER, SPEC_ALLOW, at, 0, 0, 0])
    };
    if result < 0 { Err(result) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system_calls::sets::set;

    /// What the kernel would do with a call: the instructions one by one.
    fn run(filter: &Filter, architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let word = |offset: u32| match offset {
            NUMBER => number,
            ARCHITECTURE => architecture,
            _ => {
                let value = arguments[(offset as usize - 16) / 8];
                (value >> (8 * (offset % 8))) as u32
            }
        };
        let (mut at, mut register) = (0, 0);
        loop {
            let instruction = filter.instructions()[at];
            let Instruction {
                code,
                yes,
                no,
                value,
            } = instruction;
            at += 1;
            let holds = match code {
                LOAD => {
                    register = word(value);
                    continue;
                }
                JUMP => {
                    at += value as usize;
                    continue;
                }
                RETURN => return value,
                IF_EQUAL => register == value,
                IF_AT_LEAST => register >= value,
                IF_ANY_BIT => register & value != 0,
                _ => panic!("{instruction:?}"),
            };
            at += usize::from(if holds { yes } else { no });
        }
    }

    fn plain(filter: &Filter, number: u32) -> u32 {
        run(filter, X86_64, number, [0; 6])
    }

    #[test]
    fn every_number_has_its_verdict() {
        // socket, ptrace's neighbour, the highest.
        let granted = set(&[41, 102, 511]);
        let filter = Filter::of(&granted, false);
        for number in 0..600u32 {
            let mut made = OF_THE_MONITOR;
            made.iter_mut()
                .zip(&granted)
                .for_each(|(made, granted)| *made |= granted);
            let expected = match verdict(&made, number.into()) {
                _ if number > 511 => REFUSE,
                Verdict::Refuse => REFUSE,
                Verdict::Allow => ALLOW,
                // With zeroes: those that want a value refuse it.
                Verdict::If(number) => {
                    let mut conditions = CONDITIONS.iter().filter(|(of, ..)| *of == number);
                    let refuses = conditions.any(|(.., condition)| {
                        matches!(condition, Condition::OneOf(values) if !values.contains(&0))
                    });
                    if refuses { REFUSE } else { ALLOW }
                }
            };
            assert_eq!(plain(&filter, number), expected, "{number}");
        }
        assert_eq!(plain(&filter, u32::MAX), REFUSE);
        assert_eq!(plain(&filter, 0x4000_0000 + 41), REFUSE);
        assert_eq!(plain(&filter, 511), ALLOW);
    }

    #[test]
    fn other_architectures_end_the_process() {
        let filter = Filter::of(&[0; 8], false);
        assert_eq!(run(&filter, 0x4000_0003, 1, [0; 6]), KILL);
    }

    #[test]
    fn conditions_look_at_arguments() {
        let filter = Filter::of(&set(&[16, 302]), false);
        let call = |number, place: usize, value| {
            let mut arguments = [0; 6];
            arguments[place] = value;
            run(&filter, X86_64, number, arguments)
        };
        for number in [9, 10, 329] {
            assert_eq!(call(number, 2, 3), ALLOW);
            assert_eq!(call(number, 2, 7), REFUSE);
            assert_eq!(call(number, 2, 0x100_0000_0004), REFUSE);
        }
        assert_eq!(call(16, 1, 0x5413), ALLOW);
        assert_eq!(call(16, 1, 0x5412), REFUSE);
        assert_eq!(call(302, 2, 0), ALLOW);
        assert_eq!(call(302, 2, 1), REFUSE);
        assert_eq!(call(302, 2, 1 << 32), REFUSE);
        let prctl = |option, first| run(&filter, X86_64, 157, [option, first, 0, 0, 0, 0]);
        assert_eq!(prctl(59, 1), ALLOW);
        assert_eq!(prctl(59, 0), REFUSE);
        assert_eq!(prctl(15, 0x7000_0000), ALLOW);
        assert_eq!(call(157, 0, 35), REFUSE);
    }

    #[test]
    fn the_longest_filter_has_room() {
        // Every other number.
        let filter = Filter::of(&[0x5555_5555_5555_5555; 8], true);
        assert!(filter.instructions().len() < MOST);
    }

    #[test]
    fn refused_calls_stay_refused() {
        use crate::system_calls::sets::REFUSED;
        let filter = Filter::of(&[0; 8], false);
        // What the monitor itself makes: rt_sigreturn, pkey_mprotect, signals with a
        // value, and what the kernel makes of a call that a signal interrupted,
        // restart_syscall.
        for number in (0..512).filter(|number| is_granted(&REFUSED, *number)) {
            let own = [15, 129, 219, 297, 329].contains(&number);
            assert_eq!(plain(&filter, number as u32) == ALLOW, own, "{number}");
        }
    }
}
