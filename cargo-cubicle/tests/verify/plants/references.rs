//! What images refer to.

use super::*;

pub fn references<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
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
    let mut sites = good
        .places()
        .into_iter()
        .filter(|one| matches!(one.kind, PlaceKind::Site(_)));
    let site = sites.next_back().expect("a site").address;
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
