//! The entry: which call it is, and who answers it.

use super::sets::{REFUSED, is_granted};
use super::{denied, granted, threads};
use crate::audit;
use crate::defences::off;
use crate::machine::assembly::NOT_MADE;
use crate::machine::context::Registers;
use crate::machine::kernel::{self, error, number};
use crate::memory_calls;
use crate::process::{self, children, exit, virtual_threads};
use crate::restart;
use crate::signals::{self, NotMade};
use crate::threads::{end, futex};
use crate::windows;
use core::sync::atomic::Ordering;
use cubicle_abi::calls;
use cubicle_abi::defences::Defence;
use cubicle_abi::plan::{CUBICLE_ANY_DESCRIPTOR, WINDOW_PREFIX};

/// Answers the call that `registers` show, of `cubicle`.
///
/// # Safety
/// Called by a system-call gate only, which has proven who calls.
pub unsafe extern "C" fn dispatch(registers: &mut Registers, cubicle: u32) -> i64 {
    let cubicle = cubicle as usize;
    // SAFETY: this thread's state.
    let serving = unsafe { &(*crate::machine::thread::state()).serving };
    let outer = serving.load(Ordering::Relaxed);
    serving.store(cubicle as u32 + 1, Ordering::Relaxed);
    let result = answer(registers, cubicle);
    serving.store(outer, Ordering::Relaxed);
    if restart::is_lost(cubicle) {
        restart::contain::fail(cubicle)
    }
    if result == NOT_MADE {
        signals::own().again = Some(NotMade {
            cubicle,
            number: registers.number,
            instruction: registers.instruction,
        });
    }
    signals::step::look_again();
    result
}

fn answer(registers: &mut Registers, cubicle: usize) -> i64 {
    let arguments = registers.arguments();
    let [a, b, c, ..] = arguments;
    let Some(policy) = process::plan().and_then(|plan| plan.cubicles().get(cubicle)) else {
        crate::violation::fatal("a system call of a cubicle that is not in the plan");
    };
    let files = policy.flags & CUBICLE_ANY_DESCRIPTOR != 0;
    match registers.number {
        calls::PARK => virtual_threads::park(cubicle, registers),
        calls::PARK_THREAD => virtual_threads::park_thread(cubicle, registers),
        calls::ATTACH => virtual_threads::attach(cubicle, a),
        calls::STACK_SIZE => policy.stack as i64,
        calls::GONE => restart::contain::call_gone(cubicle),
        calls::FIND => find(cubicle, a, b),
        calls::WINDOW_FIRST..calls::END => {
            let number = registers.number;
            let answer = match number {
                ..calls::KEYED_FIRST => windows::call(cubicle, number, arguments),
                _ => flat(windows::keyed::call(cubicle, number, arguments)),
            };
            audit::misuse::noted(cubicle, number, registers.instruction, answer)
        }
        number::MMAP => memory(registers, memory_calls::map(cubicle, arguments, files)),
        number::MUNMAP => memory(registers, memory_calls::unmap(cubicle, a, b)),
        number::MPROTECT => memory(registers, memory_calls::protect(cubicle, a, b, c)),
        number::MREMAP => memory(registers, memory_calls::remap(cubicle, arguments)),
        number::MADVISE => flat(memory_calls::advise(cubicle, a, b, c)),
        number::BRK => memory_calls::set_break(cubicle, a) as i64,
        calls::ENDING => exit::ending(cubicle),
        number::CLONE => virtual_threads::clone(cubicle, policy, registers),
        number::FORK | number::VFORK => children::fork(cubicle, policy, registers.number),
        number::CLONE3 | number::RSEQ => -error::ENOSYS,
        number::SET_TID_ADDRESS => threads::set_clear_id(cubicle, a),
        number::SET_ROBUST_LIST => threads::set_robust_list(cubicle, a),
        number::GETTID if is_granted(&policy.granted, number::GETTID) => {
            threads::thread_id(cubicle)
        }
        number::ARCH_PRCTL => threads::set_thread_pointer(cubicle, a, b),
        number::EXIT_GROUP => exit::exit_group(cubicle, a),
        number::EXIT => end::exit(cubicle),
        number::FUTEX => futex::call(cubicle, arguments),
        wanted if signals::calls::answers(wanted, &arguments) => {
            signals::calls::answer(cubicle, wanted, arguments)
        }
        wanted if is_granted(&REFUSED, wanted) && !off(Defence::Refused) => {
            denied::call(cubicle, policy, wanted, "whatever the manifest says")
        }
        wanted if !is_granted(&policy.granted, wanted) && !off(Defence::Grants) => {
            denied::call(cubicle, policy, wanted, "it is not granted")
        }
        wanted => granted::granted(cubicle, policy, wanted, arguments),
    }
}

/// The number of the cubicle or keyed window whose name has `length` bytes at
/// `name`. No two have the same.
fn find(cubicle: usize, name: u64, length: u64) -> i64 {
    const LONGEST_NAME: usize = 256;
    let mut bytes = [0; LONGEST_NAME];
    let Some(wanted) = bytes.get_mut(..length as usize) else {
        return -error::ENOENT;
    };
    if !memory_calls::read(cubicle, name, wanted) {
        return -error::EFAULT;
    }
    let found = process::plan().and_then(|plan| {
        (0..process::region_count()).find(|index| {
            let name = plan.name(*index);
            match plan.window(*index) {
                Some(_) => name.strip_prefix(WINDOW_PREFIX.as_bytes()) == Some(&*wanted),
                None => name == wanted,
            }
        })
    });
    found.map_or(-error::ENOENT, |index| index as i64)
}

/// The result of a memory call. Without that defence, what the monitor refuses is
/// done as it was asked for.
fn memory(registers: &Registers, result: Result<u64, i64>) -> i64 {
    match result {
        Err(error)
            if (error == -error::EPERM || error == -error::EACCES) && off(Defence::MemoryCalls) =>
        {
            // SAFETY: none: the test wants to see what the kernel does.
            unsafe { kernel::call(registers.number, registers.arguments()) }
        }
        result => flat(result),
    }
}

fn flat(result: Result<u64, i64>) -> i64 {
    match result {
        Ok(value) => value as i64,
        Err(error) => error,
    }
}
