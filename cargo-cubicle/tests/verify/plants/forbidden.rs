//! Bytes that change rights.

use super::*;

pub fn forbidden<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
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
