//! Violations, planted in a good program one at a time. Each must be noticed by the rule
//! that it breaks.

use std::collections::BTreeSet;
use std::mem::offset_of;

use cargo_cubicle::verify::{Place, PlaceKind, Rule, verify};
use cubicle_abi::layout::{
    GATE_STRIDE, MONITOR_BASE, PLAN_BASE, SLOT_SIZE, gate, slot, system_call_gate,
};
use cubicle_abi::plan::{
    Cubicle, GATE_CALLER_SEES, GATE_FAST, GATE_FS, GATE_LENDING, GATE_UNION, Gate, Header,
    ISOLATION_AUDIT, ISOLATION_STAND_IN, KeyedWindow, MECHANISM_PAGETABLE, MECHANISM_PKU, Segment,
    Text,
};
use cubicle_abi::rights::Rights;
use cubicle_abi::thread_block::frame_at;
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};
use object::elf::{PT_GNU_STACK, PT_LOAD};

use crate::good::{CUBICLES, Edited, GATES, Good, TEXTS, WINDOWS};

/// A violation: the rule that notices, words of its message, and how to plant it.
type Plant<'a> = (
    Rule,
    &'static str,
    Box<dyn Fn(&mut Edited) + Send + Sync + 'a>,
);

/// Numbers of cubicles: they are ordered by name.
const AGAIN: usize = 0;
const APP: usize = 1;
const BOTH: usize = 2;
const LENDER: usize = 3;

const LOAD: u32 = PT_LOAD.0;
const STACK: u32 = PT_GNU_STACK.0;
/// Offsets of fields of a program header.
const TYPE: usize = 0;
const FLAGS: usize = 4;
const ADDRESS: usize = 16;
const FILE_SIZE: usize = 32;
const MEMORY_SIZE: usize = 40;

pub fn rules(good: &Good) -> BTreeSet<Rule> {
    all(good).into_iter().map(|(rule, _, _)| rule).collect()
}

/// Plants all of them, on all processors.
pub fn try_all(good: &Good) {
    let plants = all(good);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let missed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while let Some((rule, words, plant)) =
                    plants.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    if let Some(found) = not_noticed(good, *rule, words, plant) {
                        let text = format!("{rule}: {words:?} is not among {found:#?}");
                        missed.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    println!("{} violations noticed", plants.len());
}

/// What was found instead.
fn not_noticed(
    good: &Good,
    rule: Rule,
    words: &str,
    plant: &dyn Fn(&mut Edited),
) -> Option<Vec<String>> {
    let mut edited = good.edit();
    plant(&mut edited);
    assert!(edited.bytes != good.bytes, "{words}: nothing was changed");
    let report = verify(&edited.bytes, None).unwrap_or_else(|error| panic!("{words}: {error}"));
    let noticed = |finding: &cargo_cubicle::verify::Finding| {
        finding.rule == rule && finding.to_string().contains(words)
    };
    match report.findings.iter().any(noticed) {
        true => None,
        false => Some(
            report
                .findings
                .iter()
                .take(5)
                .map(ToString::to_string)
                .collect(),
        ),
    }
}

fn all(good: &Good) -> Vec<Plant<'_>> {
    let mut plants = Vec::new();
    segments(good, &mut plants);
    rights(&mut plants);
    forbidden(good, &mut plants);
    gates(good, &mut plants);
    stubs(good, &mut plants);
    monitor(good, &mut plants);
    references(good, &mut plants);
    plan(&mut plants);
    plants
}

fn add<'a>(
    plants: &mut Vec<Plant<'a>>,
    rule: Rule,
    words: &'static str,
    plant: impl Fn(&mut Edited) + Send + Sync + 'a,
) {
    plants.push((rule, words, Box::new(plant)));
}

/// Start of the first segment of a cubicle that is as described.
fn segment(good: &Good, cubicle: usize, writable: bool, executable: bool) -> u64 {
    let file = good.file();
    let range = slot(cubicle)..slot(cubicle) + SLOT_SIZE;
    let mut segments = file
        .segments
        .iter()
        .filter(|one| range.contains(&one.address));
    let found = segments.find(|one| (one.writable, one.executable) == (writable, executable));
    found.expect("every image has one").address
}

fn segments<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    let rule = Rule::Segments;
    let text = segment(good, APP, false, true);
    let data = segment(good, APP, true, false);
    add(plants, rule, "it is writable and executable", move |file| {
        file.header_u32((LOAD, text), FLAGS, |flags| flags | 2);
    });
    add(plants, rule, "it is writable and executable", move |file| {
        file.header_u32((LOAD, data), FLAGS, |flags| flags | 1);
    });
    add(plants, rule, "it asks for an executable stack", |file| {
        file.header_u32((STACK, 0), FLAGS, |flags| flags | 1);
    });
    add(plants, rule, "a program header of kind 0x3", |file| {
        file.header_u32((STACK, 0), TYPE, |_| 3);
    });
    add(
        plants,
        rule,
        "it does not say once that its stack",
        |file| {
            file.header_u32((STACK, 0), TYPE, |_| 3);
        },
    );
    add(plants, rule, "the plan does not list it", move |file| {
        file.header_u64((LOAD, data), ADDRESS, |address| address + SLOT_SIZE);
    });
    add(
        plants,
        rule,
        "the plan lists a segment that is not loaded",
        move |file| {
            file.header_u64((LOAD, data), ADDRESS, |address| address + SLOT_SIZE);
        },
    );
    add(plants, rule, "it is nobody's", move |file| {
        file.header_u64((LOAD, data), ADDRESS, |address| {
            0x0350_0000 + address % 4096
        });
    });
    add(
        plants,
        rule,
        "the file does not say what all of it is",
        move |file| {
            file.header_u64((LOAD, text), MEMORY_SIZE, |size| size + 8192);
        },
    );
    add(
        plants,
        rule,
        "it shares a page with the segment before it",
        move |file| {
            file.header_u64((LOAD, text), FILE_SIZE, |size| size + (1 << 20));
            file.header_u64((LOAD, text), MEMORY_SIZE, |size| size + (1 << 20));
        },
    );
    let planned = move |file: &Edited, wanted: u32| {
        let cubicle = file.element::<Cubicle>(CUBICLES, APP);
        let list = file.slice(cubicle + offset_of!(Cubicle, segments));
        (0..list.count as usize)
            .map(|number| list.offset as usize + number * size_of::<Segment>())
            .find(|at| {
                file.u32(PLAN_BASE + (at + offset_of!(Segment, protection)) as u64) & 6 == wanted
            })
            .expect("such a segment")
    };
    add(
        plants,
        rule,
        "the plan lists it with another protection",
        move |file| {
            let at = planned(file, 2);
            file.plan_u32(at + offset_of!(Segment, protection), |protection| {
                protection | 4
            });
        },
    );
    add(
        plants,
        rule,
        "it is to have key 3, and the plan gives it 1",
        move |file| {
            let at = planned(file, 2);
            file.plan_u32(at + offset_of!(Segment, key), |_| 1);
        },
    );
    add(
        plants,
        rule,
        "it is to have key 1, and the plan gives it 4",
        move |file| {
            let at = planned(file, 4);
            file.plan_u32(at + offset_of!(Segment, key), |_| 4);
        },
    );
    add(plants, rule, "its entry is not code of `app`", |file| {
        let at = file.element::<Cubicle>(CUBICLES, APP) + offset_of!(Cubicle, entry);
        file.plan_u64(at, |entry| entry + SLOT_SIZE);
    });
    add(plants, rule, "its `exit` is not code of `both`", |file| {
        let at = file.element::<Cubicle>(CUBICLES, BOTH) + offset_of!(Cubicle, exit);
        file.plan_u64(at, |exit| exit - SLOT_SIZE);
    });
    add(
        plants,
        rule,
        "the program headers of `app` are not in it",
        |file| {
            let at = file.element::<Cubicle>(CUBICLES, APP) + offset_of!(Cubicle, program_headers);
            file.plan_u64(at, |address| address + SLOT_SIZE);
        },
    );
}

fn rights(plants: &mut Vec<Plant<'_>>) {
    let rule = Rule::Rights;
    let pkru = |file: &mut Edited, cubicle: usize, change: &dyn Fn(Rights) -> Rights| {
        let at = file.element::<Cubicle>(CUBICLES, cubicle) + offset_of!(Cubicle, rights);
        file.plan_u32(at, |rights| change(Rights(rights)).0);
    };
    add(
        plants,
        rule,
        "`app` has the same, and so they are one",
        move |file| {
            let at = file.element::<Cubicle>(CUBICLES, APP) + offset_of!(Cubicle, rights);
            let apps = file.u32(PLAN_BASE + at as u64);
            pkru(file, BOTH, &|_| Rights(apps));
        },
    );
    add(plants, rule, "it opens key 0, the monitor's", move |file| {
        pkru(file, BOTH, &|rights| rights.writing(0));
    });
    add(plants, rule, "it opens key 0, the monitor's", move |file| {
        pkru(file, LENDER, &|rights| rights.reading(0));
    });
    add(
        plants,
        rule,
        "it can write key 1, which all trust",
        move |file| {
            pkru(file, BOTH, &|rights| rights.writing(1));
        },
    );
    add(
        plants,
        rule,
        "it opens key 15, which is nobody's",
        move |file| {
            pkru(file, BOTH, &|rights| rights.writing(15));
        },
    );
    add(
        plants,
        rule,
        "it cannot write its own memory",
        move |file| {
            pkru(file, BOTH, &|rights| {
                Rights(rights.0 | 1 << (2 * (2 + BOTH)))
            });
        },
    );
    add(
        plants,
        rule,
        "it closes writing where it closes access",
        move |file| {
            pkru(file, BOTH, &|rights| Rights(rights.0 | 2));
        },
    );
    add(
        plants,
        rule,
        "it owns `window board` and cannot write it",
        move |file| {
            // Eight cubicles, so the window has key 10.
            pkru(file, APP, &|rights| Rights(rights.0 | 1 << 20));
        },
    );
    add(
        plants,
        rule,
        "it has key 7; by its number it is 4",
        |file| {
            let at = file.element::<Cubicle>(CUBICLES, BOTH) + offset_of!(Cubicle, key);
            file.plan_u32(at, |_| 7);
        },
    );
    add(
        plants,
        rule,
        "it has key 2; by its number it is 10",
        |file| {
            let at = file.element::<KeyedWindow>(WINDOWS, 0) + offset_of!(KeyedWindow, key);
            file.plan_u32(at, |_| 2);
        },
    );
}

fn forbidden<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    let rule = Rule::Forbidden;
    let main = good.function("app::main");
    let patterns: [(&'static str, &[u8]); 14] = [
        ("these bytes are WRPKRU", &[0x0f, 0x01, 0xef]),
        // In a constant, in a displacement, and over two instructions.
        ("these bytes are WRPKRU", &[0xb8, 0x0f, 0x01, 0xef, 0x00]),
        (
            "these bytes are WRPKRU",
            &[0x8b, 0x80, 0x00, 0x0f, 0x01, 0xef],
        ),
        ("these bytes are WRPKRU", &[0x04, 0x0f, 0x01, 0xef]),
        ("these bytes are WRPKRU", &[0xd5, 0x80, 0x01, 0xef]),
        ("these bytes are XRSTOR", &[0x0f, 0xae, 0x28]),
        ("these bytes are XRSTOR", &[0x48, 0x0f, 0xae, 0x6d, 0x00]),
        ("these bytes are XRSTOR", &[0xd5, 0xff, 0xae, 0x28]),
        ("these bytes are XRSTORS", &[0x0f, 0xc7, 0x18]),
        ("these bytes are WRFSBASE", &[0xf3, 0x48, 0x0f, 0xae, 0xd0]),
        ("these bytes are WRFSBASE", &[0xf3, 0x66, 0x0f, 0xae, 0xd7]),
        ("these bytes are WRFSBASE", &[0xf3, 0xd5, 0x90, 0xae, 0xd0]),
        ("these bytes are WRGSBASE", &[0xf3, 0x0f, 0xae, 0xd8]),
        ("these bytes are WRGSBASE", &[0xf3, 0xd5, 0x80, 0xae, 0xdf]),
    ];
    for (words, bytes) in patterns {
        add(plants, rule, words, move |file| file.put(main, bytes));
    }
    // In the pages of the text, outside of the segment.
    let wrpkru = &[0x0f, 0x01, 0xef];
    let file = good.file();
    let text = *file.segment_at(main).expect("text");
    if text.address >= text.start() + 3 {
        add(plants, rule, "these bytes are WRPKRU", move |file| {
            file.put(text.start(), wrpkru);
        });
    }
    let behind = text.address + text.memory_size;
    assert!(behind + 3 <= text.end(), "there is room behind it");
    add(plants, rule, "these bytes are WRPKRU", move |file| {
        file.put(behind, wrpkru)
    });
    add(plants, rule, "these bytes are WRPKRU", move |file| {
        file.put(text.end() - 3, wrpkru)
    });
    // One page follows the other, and both are executable.
    let constants = file
        .segments
        .iter()
        .rev()
        .find(|one| one.end() == text.start());
    if let Some(constants) = constants.copied() {
        let border = text.start();
        add(
            plants,
            rule,
            "over the border to the next pages",
            move |file| {
                file.header_u32((LOAD, constants.address), FLAGS, |flags| flags | 1);
                file.put(border - 1, &[0x0f]);
                file.put(border, &[0x01, 0xef]);
            },
        );
    }
    add(plants, rule, "WRPKRU: whoever jumps there", |file| {
        // Where its headers are, before its first instruction; and in compiled code.
        let text = monitor_text(good) + 64;
        file.put(text, wrpkru);
    });
    // Between gates, and a system call in one.
    let end = place_of_gate(good, "both_six", MECHANISM_PKU).end();
    add(plants, rule, "WRPKRU, and nobody meant", move |file| {
        file.put(end - 3, wrpkru);
    });
    add(plants, rule, "SYSCALL, and nobody meant", move |file| {
        file.put(end - 2, &[0x0f, 0x05]);
    });
}

fn monitor_text(good: &Good) -> u64 {
    let file = good.file();
    let mut segments = file.segments.iter();
    let text = segments.find(|one| one.executable && one.address < MONITOR_BASE * 2);
    text.expect("the monitor has text").address
}

/// The code of a place.
#[derive(Clone)]
struct Code {
    place: Place,
    instructions: Vec<Instruction>,
}

impl Code {
    /// Where in memory, that is in the plan, what stands at `address` of the text is.
    fn at(&self, address: u64) -> u64 {
        PLAN_BASE + self.place.offset as u64 + (address - self.place.address)
    }

    fn end(&self) -> u64 {
        PLAN_BASE + (self.place.offset + self.place.size) as u64
    }

    /// Number of the instruction after `from` that is one of these.
    fn find(&self, from: usize, mnemonic: Mnemonic) -> usize {
        let mut rest = self.instructions.iter().skip(from);
        from + rest
            .position(|one| one.mnemonic() == mnemonic)
            .expect("such an instruction")
    }

    /// NOPs instead of an instruction.
    fn drop(&self, file: &mut Edited, number: usize) {
        let one = &self.instructions[number];
        file.put(self.at(one.ip()), &vec![0x90; one.len()]);
    }

    /// Other last bytes of an instruction.
    fn end_with(&self, file: &mut Edited, number: usize, bytes: &[u8]) {
        let one = &self.instructions[number];
        file.put(self.at(one.next_ip()) - bytes.len() as u64, bytes);
    }

    /// Another target of a jump or call.
    fn lead_to(&self, file: &mut Edited, number: usize, target: u64) {
        let distance = target.wrapping_sub(self.instructions[number].next_ip()) as u32;
        self.end_with(file, number, &distance.to_le_bytes());
    }
}

fn place_of(good: &Good, mechanism: u32, wanted: impl Fn(PlaceKind) -> bool) -> Code {
    let mut places = good.places().into_iter();
    let place = places.find(|one| one.mechanism == mechanism && wanted(one.kind));
    let place = place.expect("such a place");
    let code = good
        .edit()
        .at(PLAN_BASE + place.offset as u64, place.size)
        .to_vec();
    let decoder = Decoder::with_ip(64, &code, place.address, DecoderOptions::NONE);
    Code {
        place,
        instructions: decoder.into_iter().collect(),
    }
}

fn number_of_gate(good: &Good, name: &str) -> usize {
    let file = good.file();
    let mut gates = file.plan.gates.iter().flatten();
    gates
        .find(|gate| gate.name == name)
        .expect("such a gate")
        .number
}

fn place_of_gate(good: &Good, name: &str, mechanism: u32) -> Code {
    let number = number_of_gate(good, name);
    place_of(good, mechanism, |kind| kind == PlaceKind::Gate(number))
}

fn gates<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    let rule = Rule::Gate;
    let wrong = "must stand here";
    for name in [
        "both_six",
        "quick_add",
        "seen_number",
        "seer_number",
        "lender_text",
        "again_text",
    ] {
        let code = place_of_gate(good, name, MECHANISM_PKU);
        let switch = code.find(0, Mnemonic::Wrpkru);
        let last = code
            .instructions
            .iter()
            .rposition(|one| one.mnemonic() == Mnemonic::Wrpkru);
        let last = last.expect("a switch");
        // Other rights, consistently: all of them; the monitor's are a cubicle's instead.
        let all = code.clone();
        add(plants, rule, wrong, move |file| {
            let compare = &all.instructions[switch + 1];
            if compare.immediate(1) == 0 {
                return all.end_with(file, switch - 3, &0x5555_5554_u32.to_le_bytes());
            }
            assert_eq!(compare.len(), 5, "an opcode and four bytes");
            all.end_with(file, switch - 3, &[0; 4]);
            all.end_with(file, switch + 1, &[0; 4]);
        });
        // No comparison behind the first switch, no proof of 64-bit mode behind the last, nothing
        // required there.
        let proof = code.find(last + 3, Mnemonic::Jne);
        for at in [switch + 2, last + 3, proof] {
            let code = code.clone();
            add(plants, rule, wrong, move |file| code.drop(file, at));
        }
        // Flags are not tested.
        let flags = code.find(switch, Mnemonic::Pushfq);
        let untested = code.clone();
        add(plants, rule, wrong, move |file| {
            untested.drop(file, flags + 2)
        });
        // Something else than the function is called.
        let call = code.find(switch, Mnemonic::Pushfq);
        let mut calls = code.instructions.iter().enumerate().skip(call);
        let target = good.file().plan.gates[number_of_gate(good, name)]
            .as_ref()
            .expect("a gate")
            .target;
        let call = calls.find(|(_, one)| {
            one.mnemonic() == Mnemonic::Call && one.near_branch_target() == target
        });
        let call = call.expect("it calls its function").0;
        let other = code.clone();
        add(plants, rule, wrong, move |file| {
            other.lead_to(file, call, target + 1)
        });
        // The frame of a third cubicle.
        let frame = code.find(switch, Mnemonic::Wrpkru) + 4;
        if code.instructions[frame].mnemonic() == Mnemonic::Mov {
            let third = code.clone();
            add(plants, rule, wrong, move |file| {
                third.end_with(file, frame, &(frame_at(7) as u32).to_le_bytes());
            });
        }
    }
    // The ticket of another gate, left and required.
    let code = place_of_gate(good, "both_six", MECHANISM_PKU);
    let ticket = code.find(0, Mnemonic::Stmxcsr) + 6;
    add(plants, rule, wrong, move |file| {
        code.end_with(file, ticket, &[0x7d, 0, 0, 0])
    });
    // An address in r8 that the callee is not to know.
    let code = place_of_gate(good, "both_none", MECHANISM_PKU);
    let call = code.find(0, Mnemonic::Wrfsbase);
    let cleared = code.find(call, Mnemonic::Xor) + 4;
    add(plants, rule, wrong, move |file| code.drop(file, cleared));
    // The version for page tables is looked at, too.
    let code = place_of_gate(good, "both_six", MECHANISM_PAGETABLE);
    let compare = code.find(code.find(0, Mnemonic::Lea), Mnemonic::Jne);
    add(plants, rule, wrong, move |file| code.drop(file, compare));
    // Where a callee that is restarted makes it go on.
    let code = place_of_gate(good, "again_number", MECHANISM_PKU);
    add(
        plants,
        rule,
        "the tail for a callee that does not return",
        move |file| {
            file.put(code.end() - 4, &[0, 0, 0, 0]);
        },
    );
    let number = number_of_gate(good, "both_six");
    let field = move |file: &Edited, field: usize| file.element::<Gate>(GATES, number) + field;
    for kind in [GATE_FAST, GATE_LENDING] {
        add(plants, rule, wrong, move |file| {
            let at = field(file, offset_of!(Gate, kind));
            file.plan_u32(at, |_| kind);
        });
    }
    // Gate and plan agree on what is not the function.
    let code = place_of_gate(good, "both_six", MECHANISM_PKU);
    add(
        plants,
        rule,
        "does not begin where it calls it",
        move |file| {
            let at = field(file, offset_of!(Gate, target));
            file.plan_u64(at, |target| target + 1);
        },
    );
    add(
        plants,
        rule,
        "is not code of the cubicle that it calls",
        move |file| {
            let at = field(file, offset_of!(Gate, target));
            file.plan_u64(at, |target| target - SLOT_SIZE);
        },
    );
    // One gate in the place of another.
    add(plants, rule, wrong, move |file| {
        let from = code.at(code.place.address);
        let bytes = file.at(from, GATE_STRIDE as usize).to_vec();
        file.put(from + GATE_STRIDE, &bytes);
    });
}

fn stubs<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    let rule = Rule::Stub;
    let wrong = "must stand";
    for mechanism in [MECHANISM_PKU, MECHANISM_PAGETABLE] {
        // It says that it is another cubicle.
        let code = place_of(good, mechanism, |kind| {
            kind == PlaceKind::SystemCallGate(BOTH)
        });
        let pushed = code.find(0, Mnemonic::Pushfq);
        let identity = code.find(pushed, Mnemonic::Mov) + 1;
        add(plants, rule, wrong, move |file| {
            code.end_with(file, identity, &[APP as u8, 0, 0, 0])
        });
        // Not the caller's proof, not the monitor's.
        let code = place_of(good, mechanism, |kind| {
            kind == PlaceKind::SystemCallGate(APP)
        });
        let jumps: Vec<usize> = code
            .instructions
            .iter()
            .enumerate()
            .filter(|(_, one)| one.mnemonic() == Mnemonic::Jne)
            .map(|(number, _)| number)
            .collect();
        assert_eq!(jumps.len(), 5, "two switches, two proofs, flags");
        for jump in jumps {
            let code = code.clone();
            add(plants, rule, wrong, move |file| code.drop(file, jump));
        }
        let code = place_of(good, mechanism, |kind| kind == PlaceKind::ResumeStub(BOTH));
        let token = code.find(code.find(0, Mnemonic::Rdgsbase), Mnemonic::Jne);
        let unproven = code.clone();
        add(plants, rule, wrong, move |file| unproven.drop(file, token));
        // System calls stay let through.
        let selector = code.find(code.find(0, Mnemonic::Ldmxcsr), Mnemonic::Mov);
        add(plants, rule, wrong, move |file| {
            code.end_with(file, selector, &[0])
        });
    }
    // A register that keeps what was in it, for each level.
    for level in 0..4 {
        let code = place_of(good, level, |kind| kind == PlaceKind::Clear { kept: 2 });
        let last = code.find(0, Mnemonic::Ret) - 1;
        add(plants, rule, wrong, move |file| code.drop(file, last));
    }
    // A callback's slot, and its gate.
    let stub = PlaceKind::CallbackStub {
        callback: 1,
        slot: 5,
    };
    let code = place_of(good, MECHANISM_PKU, |kind| kind == stub);
    let slot_code = code.clone();
    add(plants, rule, wrong, move |file| {
        slot_code.end_with(file, 0, &[6, 0, 0, 0])
    });
    let jump = code.find(0, Mnemonic::Jmp);
    add(plants, rule, wrong, move |file| {
        code.lead_to(file, jump, gate(0))
    });
    // A system call through another's gate, and one that goes on elsewhere.
    let code = place_of(good, MECHANISM_PKU, |kind| {
        matches!(kind, PlaceKind::Site(_))
    });
    let jump = code.find(0, Mnemonic::Jmp);
    let others = code.clone();
    add(plants, rule, "outside of the cubicle's code", move |file| {
        let own = others.instructions[jump].near_branch_target();
        let other = if own == system_call_gate(AGAIN) {
            APP
        } else {
            AGAIN
        };
        others.lead_to(file, jump, system_call_gate(other));
    });
    let sites = good.places().into_iter();
    let mut sites = sites.filter(|one| matches!(one.kind, PlaceKind::Site(_)) && one.size == 16);
    let number_site = sites.next().expect("a site of that form");
    add(
        plants,
        rule,
        "does not go on behind a system call",
        move |file| {
            let at = PLAN_BASE + number_site.offset as u64 + 1;
            let resume = file.u32(at);
            file.put(at, &(resume + 1).to_le_bytes());
        },
    );
}

fn monitor<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    use cubicle_abi::plan::Entries;
    let rule = Rule::Monitor;
    let entries = good.file().plan.header.entries;
    // The comparison behind each raise, and the proof.
    for (entry, jumps) in [
        (entries.signal, 5),
        (entries.raise_first, 2),
        (entries.call_as, 4),
    ] {
        let code = good.edit().at(entry, 512).to_vec();
        let mut decoder = Decoder::with_ip(64, &code, entry, DecoderOptions::NONE).into_iter();
        for _ in 0..jumps {
            let jump = decoder
                .find(|one| matches!(one.mnemonic(), Mnemonic::Jne | Mnemonic::Je))
                .expect("as many jumps");
            add(plants, rule, "must stand here", move |file| {
                file.put(jump.ip(), &vec![0x90; jump.len()]);
            });
        }
    }
    for field in [offset_of!(Entries, signal), offset_of!(Entries, call_as)] {
        add(plants, rule, "must stand here", move |file| {
            file.plan_u64(offset_of!(Header, entries) + field, |entry| entry + 1);
        });
    }
    add(plants, rule, "this is not code of the monitor", |file| {
        let at = offset_of!(Header, entries) + offset_of!(Entries, system_call);
        file.plan_u64(at, |_| slot(APP) + 0x2000);
    });
}

fn references<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    let rule = Rule::Branch;
    let main = good.function("app::main");
    let call = |from: u64, target: u64| {
        let mut bytes = vec![0xe8];
        bytes.extend((target.wrapping_sub(from + 5) as u32).to_le_bytes());
        bytes
    };
    let own = number_of_gate(good, "both_six");
    let back = {
        let file = good.file();
        let mut gates = file.plan.gates.iter().flatten();
        gates
            .find(|gate| gate.from != APP)
            .expect("a callback")
            .number
    };
    for (words, target) in [
        (
            "it leads into another cubicle's text:",
            good.function("both::both_six"),
        ),
        ("it leads into the middle of a gate:", gate(own) + 5),
        ("it leads to a gate of others:", gate(back)),
        ("it leads into the monitor:", monitor_text(good) + 16),
    ] {
        add(plants, rule, words, move |file| {
            file.put(main, &call(main, target))
        });
    }
    // A jump that depends on a condition, and one to another's system-call stub.
    let target = good.function("both::both_six");
    add(
        plants,
        rule,
        "it leads into another cubicle's text:",
        move |file| {
            let mut bytes = vec![0x0f, 0x85];
            bytes.extend((target.wrapping_sub(main + 6) as u32).to_le_bytes());
            file.put(main, &bytes);
        },
    );
    let sites = good
        .places()
        .into_iter()
        .filter(|one| matches!(one.kind, PlaceKind::Site(_)));
    let site = sites.last().expect("a site").address;
    add(
        plants,
        rule,
        "it leads to the stub of another's system call:",
        move |file| {
            file.put(main, &call(main, site));
        },
    );
    // mov rax, [rip + …] of another's data, and mov eax, [address].
    let data = segment(good, BOTH, true, false);
    add(
        plants,
        rule,
        "an operand is in another cubicle's image:",
        move |file| {
            let mut bytes = vec![0x48, 0x8b, 0x05];
            bytes.extend((data.wrapping_sub(main + 7) as u32).to_le_bytes());
            file.put(main, &bytes);
        },
    );
    add(
        plants,
        rule,
        "an operand is in another cubicle's image:",
        move |file| {
            let mut bytes = vec![0x8b, 0x04, 0x25];
            bytes.extend((data as u32).to_le_bytes());
            file.put(main, &bytes);
        },
    );
    let own_data = segment(good, APP, true, false).next_multiple_of(8);
    let own_constants = segment(good, APP, false, false).next_multiple_of(8) + 1024;
    for place in [own_data, own_constants] {
        add(
            plants,
            Rule::Pointer,
            "it is the address of `both_six` in `both`",
            move |file| {
                file.put(place, &target.to_le_bytes());
            },
        );
    }
}

fn plan(plants: &mut Vec<Plant<'_>>) {
    let rule = Rule::Plan;
    add(
        plants,
        rule,
        "its list of gates ends outside of it",
        |file| {
            file.plan_u32(GATES + 4, |count| count + (1 << 20));
        },
    );
    add(
        plants,
        rule,
        "its list of cubicles ends outside of it",
        |file| {
            file.plan_u32(CUBICLES, |_| u32::MAX);
        },
    );
    add(plants, rule, "bytes long and says", |file| {
        file.plan_u64(offset_of!(Header, size), |size| size + 8);
    });
    add(plants, rule, "its main cubicle does not exist", |file| {
        file.plan_u32(offset_of!(Header, main), |_| 9);
    });
    add(plants, rule, "no text of", |file| {
        file.plan_u32(TEXTS + 4, |count| count - 1);
    });
    add(
        plants,
        rule,
        "there is a second text for this address",
        |file| {
            let [first, second] = [0, 1].map(|number| file.element::<Text>(TEXTS, number));
            let address = PLAN_BASE + first as u64;
            let bytes = file.at(address, size_of::<Text>()).to_vec();
            file.put(PLAN_BASE + second as u64, &bytes);
        },
    );
    add(plants, rule, "that belongs to nothing", |file| {
        let at = file.element::<Text>(TEXTS, 0) + offset_of!(Text, address);
        file.plan_u64(at, |address| address + 4096);
    });
    add(
        plants,
        rule,
        "is between cubicles that do not exist",
        |file| {
            let at = file.element::<Gate>(GATES, 0) + offset_of!(Gate, to);
            file.plan_u32(at, |_| 40);
        },
    );
    add(plants, rule, "leads back to its caller", |file| {
        let at = file.element::<Gate>(GATES, 0) + offset_of!(Gate, to);
        file.plan_u32(at, |_| APP as u32);
    });
    add(
        plants,
        rule,
        "rests on its caller seeing the callee",
        |file| {
            let gates = file.slice(GATES).count as usize;
            for number in 0..gates {
                let at = file.element::<Gate>(GATES, number) + offset_of!(Gate, kind);
                file.plan_u32(at, |kind| {
                    if kind == GATE_UNION {
                        GATE_CALLER_SEES
                    } else {
                        kind
                    }
                });
            }
        },
    );
    add(plants, rule, "leaves FS alone", |file| {
        let gates = file.slice(GATES).count as usize;
        for number in 0..gates {
            let at = file.element::<Gate>(GATES, number) + offset_of!(Gate, flags) - 2;
            // The flags are the upper half of these four bytes.
            file.plan_u32(at, |word| word & !(u32::from(GATE_FS) << 16));
        }
    });
    add(plants, rule, "does not ask the monitor", |file| {
        let gates = file.slice(GATES).count as usize;
        for number in 0..gates {
            let at = file.element::<Gate>(GATES, number) + offset_of!(Gate, lends) + 4;
            file.plan_u32(at, |count| count.max(1));
        }
    });
    add(
        plants,
        rule,
        "passes more of the stack than registers hold",
        |file| {
            let gates = file.slice(GATES).count as usize;
            for number in 0..gates {
                let at = file.element::<Gate>(GATES, number) + offset_of!(Gate, stack_words);
                file.plan_u32(at, |words| if words > 6 { 23 } else { words });
            }
        },
    );
    for (field, offset) in [
        (offset_of!(Gate, errno_caller), 0x28),
        (offset_of!(Gate, errno_callee), -1 << 20),
        (offset_of!(Gate, errno_caller), -2),
    ] {
        add(plants, rule, "is not a thread-local", move |file| {
            let gates = file.slice(GATES).count as usize;
            for number in 0..gates {
                let at = file.element::<Gate>(GATES, number) + field;
                file.plan_u32(at, |errno| if errno == 0 { 0 } else { offset as u32 });
            }
        });
    }
    for (isolation, words) in [
        (ISOLATION_AUDIT, "it is an audit build"),
        (ISOLATION_STAND_IN, "it is a benchmark build"),
        (77, "an isolation that does not exist"),
    ] {
        add(plants, Rule::Protects, words, move |file| {
            file.plan_u32(offset_of!(Header, isolation), |_| isolation);
        });
    }
    add(
        plants,
        Rule::Protects,
        "defences are left out: grants, gate-proofs",
        |file| {
            use cubicle_abi::defences::{Defence, Defences};
            let without = Defences::NONE
                .with(Defence::Grants)
                .with(Defence::GateProofs);
            file.plan_u64(offset_of!(Header, without), |_| without.0[0]);
        },
    );
}
