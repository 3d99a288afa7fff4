//! Gates, for keys and for page tables.

use super::*;

pub fn gates<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
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
