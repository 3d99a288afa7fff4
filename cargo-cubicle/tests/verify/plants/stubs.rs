//! Stubs, and the gates of system calls.

use super::*;

pub fn stubs<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
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
