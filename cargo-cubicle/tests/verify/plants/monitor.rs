//! The monitor's own ways to other rights.

use super::*;

pub fn monitor<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
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
