//! Calls that the manifest grants.

use super::denied;
use super::descriptors::{
    is_deferred, is_harmless_fcntl, is_harmless_ioctl, replaces, uses_standard_descriptors,
};
use super::paths::answer::answer;
use super::paths::held::is_held;
use super::paths::judge::Caller;
use super::sets::{WITHOUT_POINTERS, is_granted};
use crate::defences::off;
use crate::machine::kernel::{self, error, number};
use crate::machine::rights::call_as;
use crate::signals::wait;
use crate::{process, windows};
use cubicle_abi::defences::Defence;
use cubicle_abi::layout::PAGE;
use cubicle_abi::plan::{CUBICLE_ANY_DESCRIPTOR, Cubicle};

/// A call the manifest grants. Some need a second look at their arguments.
pub fn granted(cubicle: usize, policy: &'static Cubicle, wanted: u64, arguments: [u64; 6]) -> i64 {
    let [a, b, c, d, ..] = arguments;
    let files = policy.flags & CUBICLE_ANY_DESCRIPTOR != 0;
    let denied = |why| denied::call(cubicle, policy, wanted, why);
    let closed = !files && !uses_standard_descriptors(wanted, &arguments);
    if closed && !off(Defence::Descriptors) {
        return denied("of a descriptor other than 0, 1 and 2");
    }
    if is_deferred(wanted, &arguments) {
        return denied("its memory would be used later");
    }
    match wanted {
        // Of an open descriptor only: the path would be the caller's.
        number::NEWFSTATAT if !files => {
            const AT_EMPTY_PATH: u64 = 0x1000;
            if d & AT_EMPTY_PATH == 0 {
                return denied("of a path");
            }
            return perform(cubicle, number::FSTAT, [a, c, 0, 0, 0, 0]);
        }
        _ if off(Defence::Options) => {}
        number::IOCTL if !is_harmless_ioctl(b as u32) => return denied("this request"),
        number::FCNTL if !is_harmless_fcntl(b as u32) => return denied("this command"),
        number::PRCTL if !matches!(a, 15 | 16) => return denied("this option"),
        number::PRLIMIT64 if c != 0 || a != 0 => return denied("a new limit, or another process"),
        _ if replaces(wanted, &arguments).is_some_and(is_held)
            && !off(Defence::HeldDescriptors) =>
        {
            return -error::EBADF;
        }
        _ if wait::takes_mask(wanted) => {
            return wait::masked(cubicle, wanted, arguments, perform);
        }
        _ => {}
    }
    if is_granted(&WITHOUT_POINTERS, wanted) {
        // SAFETY: none of these takes a pointer.
        return unsafe { kernel::call(wanted, arguments) };
    }
    let caller = Caller {
        index: cubicle,
        policy,
        number: wanted,
    };
    answer(caller, arguments).unwrap_or_else(|| perform(cubicle, wanted, arguments))
}

/// Performs a call of `cubicle` with its own rights. What it points to in
/// windows changes hands first; a structure without a length may cross into
/// one more page, which is tried once the kernel has found it closed.
pub fn perform(cubicle: usize, number: u64, arguments: [u64; 6]) -> i64 {
    let rights = process::rights(cubicle);
    windows::arguments::admit(cubicle, number, &arguments, 1);
    let result = call_as(rights, number, arguments);
    if result != -error::EFAULT {
        return result;
    }
    windows::arguments::admit(cubicle, number, &arguments, PAGE);
    match call_as(rights, number, arguments) {
        result if result == -error::EFAULT && crate::audit::on() => {
            crate::audit::system_calls::again(rights, number, arguments)
        }
        result => result,
    }
}
