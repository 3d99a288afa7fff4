//! The resume stub: what each of its two entries keeps and clears, and that it
//! lets nobody run without a token.

use super::*;
use cargo_cubicle::gates::system_call;
use cubicle_abi::frame::{Context, RESUME};
use cubicle_abi::layout::{resume_again, resume_stub};
use cubicle_abi::rights::cubicle_rights;
use cubicle_abi::thread_block::SELECTOR_BLOCK;

/// Carry, sign and direction, as in the middle of a `std; rep movsb`.
const LIVE_FLAGS: u64 = 0x683;

/// Places the stub of the caller's cubicle, whose frame says where to run on.
/// Answers with the place of its trap.
fn prepare(world: &mut World, mechanism: Mechanism, token: u64) -> u64 {
    let monitor = world.monitor();
    let code = system_call::emit_resume(CALLER, cubicle_rights(CALLER), mechanism, &monitor)
        .expect("a stub");
    assert!(code.ends_with(&[0x0f, 0x0b]), "a stub ends with its trap");
    world::write(resume_stub(CALLER), &code);
    let mut word = 0x5e1f_0000_u64;
    let mut next = || {
        word += 1;
        word
    };
    // Far enough from the end for the words that the probe reads above it.
    let stack = world.stack_end(3) - 4096 - 8;
    world.frames[CALLER].resume = Context {
        rax: next(),
        rbx: next(),
        rcx: next(),
        rdx: next(),
        rsi: next(),
        rdi: next(),
        rbp: next(),
        r8: next(),
        r9: next(),
        r10: next(),
        r11: next(),
        r12: next(),
        r13: next(),
        r14: next(),
        r15: next(),
        flags: LIVE_FLAGS,
        stack,
        instruction: 0,
        fs: 0,
    };
    world.frames[CALLER].token = token;
    world.block.resume_target = probe::gate_test_record as *const () as u64;
    world.block.rights = 0;
    // SAFETY: both lie in this world's own stack: where the probe returns to, and
    // the red zone below it, but for the word that the probe itself pushes.
    unsafe {
        *(stack as *mut u64) = probe::gate_test_recover as *const () as u64;
        for place in 2..16 {
            *((stack - 8 * place) as *mut u64) = red_zone(place);
        }
        BEFORE.set_x87(0x0a7f, 0x1800, 0xff);
        BEFORE.set_mxcsr(0x7f80);
    }
    resume_stub(CALLER) + code.len() as u64 - 2
}

fn red_zone(place: u64) -> u64 {
    0x4ed0 + place
}

fn run(world: &mut World, mechanism: Mechanism, entry: u64) {
    prepare(world, mechanism, RESUME);
    // SAFETY: the stub ends at the probe, which returns behind the call.
    unsafe {
        probe::GATE = entry;
        probe::gate_test_invoke();
    }
    let frame = &world.frames[CALLER];
    let (_, entry, _, _) = states();
    let wanted = &frame.resume;
    assert_eq!(
        entry.general,
        [
            wanted.rax, wanted.rbx, wanted.rcx, wanted.rdx, wanted.rsi, wanted.rdi, wanted.rbp,
            wanted.r8, wanted.r9, wanted.r10, wanted.r11, wanted.r12, wanted.r13, wanted.r14,
            wanted.r15
        ]
    );
    assert_eq!(entry.stack, wanted.stack);
    assert_eq!(entry.flags & 0xcd5, LIVE_FLAGS & 0xcd5);
    assert_eq!(frame.token, 0);
    assert_eq!(world.block.selector, SELECTOR_BLOCK);
    assert_eq!(world.block.rights, cubicle_rights(CALLER).0);
    for place in 2..16 {
        // SAFETY: as in `prepare`.
        let found = unsafe { *((wanted.stack - 8 * place) as *const u64) };
        assert_eq!(found, red_zone(place), "the red zone");
    }
}

#[test]
fn who_starts_over_keeps_everything() {
    for mechanism in MECHANISMS {
        let mut world = World::new();
        run(&mut world, mechanism, resume_again(CALLER));
        let (before, entry, _, _) = states();
        for number in 0..32 {
            assert_eq!(entry.vector(number), before.vector(number), "{number}");
        }
        assert_eq!(entry.masks(), before.masks());
        assert_eq!(entry.mxcsr(), before.mxcsr());
        assert_eq!(entry.x87(), before.x87());
        assert_eq!(entry.x87_registers(), before.x87_registers());
    }
}

#[test]
fn who_is_started_finds_nothing_of_others() {
    for mechanism in MECHANISMS {
        let mut world = World::new();
        run(&mut world, mechanism, resume_stub(CALLER));
        let (before, entry, _, _) = states();
        only_vectors(before, entry, 0);
        assert_eq!(entry.mxcsr(), 0x1f80);
        assert_eq!((entry.x87().0, entry.x87().2), (0x037f, 0));
        for (left, found) in before.x87_registers().iter().zip(entry.x87_registers()) {
            assert_ne!(*left, found);
        }
    }
}

#[test]
fn nobody_runs_on_without_a_token() {
    for mechanism in MECHANISMS {
        for token in [0, 1, RESUME + 1, cubicle_abi::frame::ticket(0, 1)] {
            for entry in [resume_stub(CALLER), resume_again(CALLER)] {
                let mut world = World::new();
                let trap = prepare(&mut world, mechanism, token);
                assert_eq!(
                    trap::run(&world, entry),
                    End::Signal(libc::SIGILL, trap),
                    "{token}"
                );
            }
        }
    }
}
