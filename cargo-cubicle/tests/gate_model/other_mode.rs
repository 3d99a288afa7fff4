//! What the model leaves out, because it can be read off the text: 32-bit mode,
//! and where else rights could change.

use cargo_cubicle::compose::Monitor;
use cargo_cubicle::gates::unintended;
use iced_x86::{Code, Decoder, DecoderOptions, Mnemonic};

use super::*;
use crate::text::ASSEMBLY;

/// Rule 2: anybody can far-return into 32-bit mode, and execute a WRPKRU there with
/// rights of its choice. Two instructions later it has trapped, whichever way the
/// jump between them goes.
#[test]
fn behind_every_wrpkru_32_bit_code_ends() {
    let mut count = 0;
    for kind in CHECKED.into_iter().chain([GateKind::Fast]) {
        let world = World::new(kind, &[]);
        for (one, piece) in world.text.all() {
            if one.mnemonic() != Mnemonic::Wrpkru {
                continue;
            }
            count += 1;
            let bytes = |address: u64| world.text.bytes(address);
            let start = one.next_ip();
            let code = bytes(start);
            let mut decoder = Decoder::with_ip(32, &code, start, DecoderOptions::NONE);
            let comparison = decoder.decode();
            assert!(
                matches!(comparison.mnemonic(), Mnemonic::Cmp | Mnemonic::Test),
                "{piece}"
            );
            let jump = decoder.decode();
            assert!(jump.is_jcc_short_or_near(), "{piece}: {jump}");
            let next = decoder.decode();
            assert_eq!(next.code(), Code::INVALID, "{piece}: {next}");
            let other = bytes(jump.near_branch_target());
            let mut decoder =
                Decoder::with_ip(32, &other, jump.near_branch_target(), DecoderOptions::NONE);
            assert_eq!(decoder.decode().mnemonic(), Mnemonic::Ud2, "{piece}");
        }
    }
    assert!(count > 100, "{count} switches");
}

/// Of the monitor, the model knows all that could change rights.
#[test]
fn rights_change_only_where_the_model_looks() {
    let monitor = Monitor::embedded().expect("the monitor");
    let world = World::new(GateKind::Union, &[]);
    let mut count = 0;
    for segment in monitor.segments.iter().filter(|one| one.executable) {
        let start = segment.file_offset as usize;
        let code = &monitor.bytes[start..start + segment.file_size as usize];
        for offset in unintended::all(code) {
            let address = segment.address + offset as u64;
            let piece = world.text.piece(address);
            assert!(ASSEMBLY.contains(&piece), "{address:#x}");
            count += 1;
        }
    }
    assert!(count >= 4, "{count} in the monitor");
}
