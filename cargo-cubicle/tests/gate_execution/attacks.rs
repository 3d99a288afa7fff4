//! What a gate must not let anybody do, and what it must survive.

use super::*;

/// Each trap: a signal at the gate's last instruction.
fn must_trap(world: &mut World, spec: &GateSpec, why: &str) {
    must_trap_from(world::entry(spec), world, spec, why);
}

fn must_trap_from(address: u64, world: &mut World, spec: &GateSpec, why: &str) {
    for mechanism in MECHANISMS {
        let (_, trap) = world.place(spec, mechanism);
        let end = trap::run(world, address);
        assert_eq!(
            end,
            End::Signal(libc::SIGILL, trap),
            "{why}, {:?}",
            spec.kind
        );
    }
}

#[test]
fn hostile_flags_trap_in_both_directions() {
    for flag in [DF, NT, AC] {
        for kind in KINDS {
            let mut world = World::new();
            unsafe { world::WORDS_TO_COPY = 0 };
            let spec = to_probe(&mut world, kind);
            unsafe { EXIT.flags = 0x202 | flag };
            must_trap(&mut world, &spec, "the callee's flags");
            unsafe {
                EXIT.flags = 0x202;
                BEFORE.flags = 0x202 | flag;
            }
            must_trap(&mut world, &spec, "the caller's flags");
        }
    }
}

#[test]
fn pending_x87_exceptions_trap_in_both_directions() {
    // Zero divide, unmasked, pending.
    for kind in [GateKind::Fast, GateKind::Union] {
        let mut world = World::new();
        let mut spec = to_probe(&mut world, kind);
        spec.callee_uses_x87 = true;
        unsafe { EXIT.set_x87(0x037b, 0x8084, 0) };
        must_trap(&mut world, &spec, "the callee's exception");
        unsafe {
            EXIT.set_x87(0x037f, 0, 0);
            BEFORE.set_x87(0x037b, 0x8084, 0);
        }
        must_trap(&mut world, &spec, "the caller's exception");
    }
}

#[test]
fn strangers_trap() {
    for (kind, by) in kinds() {
        let mut world = World::new();
        let spec = to_probe_by(by, &mut world, kind);
        world.block.rights = world::strange_rights().0;
        must_trap(&mut world, &spec, "a third cubicle's rights");
        world.block.rights = 0;
        must_trap(&mut world, &spec, "the monitor's rights");
        world.block.rights = spec.rights_from.union(spec.rights_to).0;
        if ![spec.rights_from.0, spec.rights_to.0].contains(&world.block.rights) {
            must_trap(&mut world, &spec, "both sides' rights");
        }
    }
}

#[test]
fn the_owner_needs_no_gate() {
    for (kind, by) in kinds() {
        for mechanism in MECHANISMS {
            let mut world = World::new();
            let mut spec = to_probe_by(by, &mut world, kind);
            spec.shape.variadic = true;
            world.place(&spec, mechanism);
            world.block.rights = spec.rights_to.0;
            unsafe {
                probe::GATE = world::entry(&spec);
                probe::gate_test_invoke();
            }
            let (before, entry, exit, after) = states();
            assert_eq!(unsafe { ENTERED }, 1);
            for register in ARGUMENTS {
                assert_eq!(entry.general[register], before.general[register]);
            }
            for number in 0..8 {
                assert_eq!(entry.vector(number), before.vector(number));
            }
            assert_eq!(entry.words, before.words);
            assert_eq!(entry.stack, before.stack - 8);
            assert_eq!(after.general, exit.general);
            assert_eq!(world.frames[CALLER].awaiting, OLDER_AWAITING);
            assert_eq!(world.block.rights, spec.rights_to.0);
        }
    }
}

/// What an attacker in the callee, or one whom it called, does to a frame.
static mut FORGE: fn(&mut Frame) = |_| {};
static mut VICTIM: *mut Frame = std::ptr::null_mut();

extern "C" fn forge() {
    // SAFETY: the test points to a frame of its world.
    unsafe { FORGE(&mut *VICTIM) };
}

#[test]
fn a_forged_frame_traps() {
    type Forgery = (&'static str, fn(&mut Frame));
    let forgeries: [Forgery; 4] = [
        ("cleared", |frame| frame.awaiting = 0),
        ("another gate's", |frame| frame.awaiting += 4),
        ("another phase", |frame| frame.awaiting ^= 3),
        ("the last phase", |frame| frame.awaiting |= 3),
    ];
    for kind in KINDS {
        for (name, forgery) in forgeries {
            let mut world = World::new();
            let spec = to_probe(&mut world, kind);
            unsafe {
                world::WORDS_TO_COPY = 0;
                FORGE = forgery;
                VICTIM = &raw mut **world.frames[CALLER];
                HOOK = forge as *const () as u64;
            }
            must_trap(&mut world, &spec, name);
        }
    }
}

/// Where an attacker jumps: behind each instruction that sets the rights, or
/// to the one that does. In the stand-in that is the store.
fn switches(code: &[u8], address: u64) -> Vec<u64> {
    let mut decoder = iced_x86::Decoder::with_ip(64, code, address, 0);
    let mut found = Vec::new();
    for instruction in &mut decoder {
        let store = instruction.mnemonic() == iced_x86::Mnemonic::Mov
            && instruction.op0_kind() == iced_x86::OpKind::Memory
            && instruction.memory_segment() == iced_x86::Register::GS;
        if store {
            found.push(instruction.ip());
        }
    }
    found
}

/// Rule 1: whoever jumps to a switch of a checked gate, with the value it
/// wants in rax, finds the next requirement unmet.
#[test]
fn no_switch_can_be_used_out_of_turn() {
    for (kind, by) in kinds() {
        let mut world = World::new();
        let spec = to_probe_by(by, &mut world, kind);
        let (address, trap) = world.place(&spec, Mechanism::StandIn);
        let code =
            unsafe { std::slice::from_raw_parts(address as *const u8, (trap - address) as usize) };
        let places = switches(code, address);
        let rights: Vec<u32> = match kind {
            GateKind::Union => {
                let both = spec.rights_from.union(spec.rights_to).0;
                vec![both, spec.rights_to.0, both, spec.rights_from.0]
            }
            GateKind::Lending => vec![0, spec.rights_to.0, 0, spec.rights_from.0],
            _ => vec![spec.rights_to.0, spec.rights_from.0],
        };
        assert_eq!(places.len(), rights.len());
        world.block.rights = world::strange_rights().0;
        for (number, place) in places.into_iter().enumerate() {
            // The entry of a fast gate proves nothing: that is what it is.
            if kind == GateKind::Fast && number == 0 {
                continue;
            }
            for value in [rights[number], 0] {
                unsafe { BEFORE.general[probe::RAX] = value.into() };
                let end = trap::run(&world, place);
                assert_eq!(end, End::Signal(libc::SIGILL, trap), "{kind:?} {number}");
            }
        }
    }
}

/// Stands at the place of the caller's system-call gate: attaches, and leaves
/// the floating point as a hostile callee's start would.
static mut ATTACH: [u64; 6] = [0; 6];
static mut ATTACHED: u64 = 0;
static mut HOSTILE: [u32; 2] = [0xe040, 0x0c7f];

#[unsafe(naked)]
extern "C" fn attach() {
    std::arch::naked_asm!(
        "mov [rip + {seen}], rax",
        "mov [rip + {seen} + 8], rdi",
        "mov rax, [rip + {frame}]",
        "mov gs:[{place}], rax",
        "inc qword ptr [rip + {seen} + 16]",
        "mov rax, gs:[{caller}]",
        "mov r11, [rax + {awaiting}]",
        "mov [rip + {seen} + 24], r11",
        "mov r11, [rax + {stack}]",
        "mov [rip + {seen} + 32], r11",
        "mov [rip + {seen} + 40], rsp",
        "ldmxcsr [rip + {hostile}]",
        "fldcw [rip + {hostile} + 4]",
        "xor eax, eax",
        "xor r11d, r11d",
        "jmp rcx",
        seen = sym ATTACH,
        frame = sym ATTACHED,
        hostile = sym HOSTILE,
        place = const cubicle_abi::thread_block::frame_at(CALLEE),
        caller = const cubicle_abi::thread_block::frame_at(CALLER),
        awaiting = const std::mem::offset_of!(Frame, awaiting),
        stack = const std::mem::offset_of!(Frame, stack),
    );
}

#[test]
fn the_first_call_attaches_and_starts_over() {
    for (kind, by) in kinds() {
        let mut world = World::new();
        let mut spec = to_probe_by(by, &mut world, kind);
        spec.shape = shape(6, 8, 5);
        let stand_in = world.thunk(attach as *const () as u64);
        let jump = (stand_in as i64 - layout::system_call_gate(CALLER) as i64 - 5) as i32;
        let mut code = vec![0xe9];
        code.extend(jump.to_le_bytes());
        world::write(layout::system_call_gate(CALLER), &code);
        unsafe {
            world::WORDS_TO_COPY = 5;
            ATTACH = [0; 6];
            ATTACHED = world.block.virtual_threads[CALLEE].frame;
        }
        world.block.virtual_threads[CALLEE].frame = 0;
        world.call(&spec, Mechanism::StandIn);
        let [number, cubicle, times, awaiting, next_entry, stack] = unsafe { ATTACH };
        assert_eq!([number, cubicle, times], [calls::ATTACH, CALLEE as u64, 1]);
        // Who is called back meanwhile starts below what is in use, and no
        // older call can be made to return.
        assert_eq!(
            (awaiting, next_entry),
            (cubicle_abi::frame::ATTACHING, stack)
        );
        check(&world, &spec);
        let (_, _, _, after) = states();
        assert_eq!(after.x87().0, 0x037f);
    }
}

/// Each kind, for a function and for a callback.
fn kinds() -> impl Iterator<Item = (GateKind, By)> {
    let of = |kind| BOTH.map(|by| (kind, by));
    KINDS.into_iter().flat_map(of)
}

fn gains(kind: GateKind, attacker: Attacker, situation: Situation, expected: &[Gain]) {
    for by in BOTH {
        let mut world = World::new();
        let spec = to_probe_by(by, &mut world, kind);
        let (found, runs) = explore::explore(&mut world, &spec, attacker, situation);
        assert!(runs > 500, "{runs} attacks");
        let mut gains: Vec<Gain> = found.iter().map(|found| found.gain).collect();
        gains.sort();
        gains.dedup();
        assert_eq!(
            gains, expected,
            "{kind:?} by {by:?}, {attacker:?} {situation:?}: {found:?}"
        );
    }
}

/// Slots nobody filled, and numbers that are none. Behind the table comes the
/// next one, which has a function at its start.
#[test]
fn a_slot_without_a_function_traps() {
    for kind in KINDS {
        let mut world = World::new();
        unsafe { world::WORDS_TO_COPY = 0 };
        let spec = to_probe_by(By::Slot, &mut world, kind);
        world::fill(
            layout::CALLBACK_SLOTS,
            probe::gate_test_record as *const () as u64,
        );
        let stubs = [0, 1, layout::CALLBACK_SLOTS - 1].map(|slot| layout::callback_stub(0, slot));
        for rights in [spec.rights_from, spec.rights_to] {
            world.block.rights = rights.0;
            for stub in stubs {
                must_trap_from(stub, &mut world, &spec, "an empty slot");
            }
            for slot in [256, 257, 0x1_0003, 0x8000_0003, 0xffff_ffff_u64] {
                unsafe { BEFORE.general[probe::RAX] = slot };
                let gate = layout::gate(spec.index);
                must_trap_from(gate, &mut world, &spec, "a slot beyond the table");
            }
        }
    }
}

#[test]
fn no_instruction_helps_a_third_cubicle() {
    for kind in KINDS {
        for situation in [Situation::Idle, Situation::Pending] {
            // A fast gate proves nothing, and this finds it.
            let expected: &[Gain] = match (kind, situation) {
                (GateKind::Fast, Situation::Pending) => &[Gain::Entered, Gain::Escaped],
                (GateKind::Fast, _) => &[Gain::Entered],
                _ => &[],
            };
            gains(kind, Attacker::Third, situation, expected);
        }
    }
}

#[test]
fn no_instruction_helps_a_callee_that_was_not_called() {
    for kind in KINDS {
        // A callee that sees its caller has authority over it.
        if kind != GateKind::CalleeSees {
            gains(kind, Attacker::Callee, Situation::Elsewhere, &[]);
        }
    }
}

#[test]
fn a_caller_can_call_and_nothing_else() {
    for kind in KINDS {
        let expected = match kind {
            GateKind::Lending => Gain::Monitor,
            _ => Gain::Entered,
        };
        gains(kind, Attacker::Caller, Situation::Idle, &[expected]);
    }
}
