//! The plan itself, and what a program is for.

use super::*;

pub fn plan(plants: &mut Vec<Plant<'_>>) {
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
