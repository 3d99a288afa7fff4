//! Calls that the manifest grants.

use super::descriptors::{
    is_deferred, is_harmless_fcntl, is_harmless_ioctl, uses_standard_descriptors,
};
use super::files::opened;
use super::sets::{WITHOUT_POINTERS, is_granted};
use crate::defences::off;
use crate::machine::kernel::{self, error, number};
use crate::machine::rights::call_as;
use crate::signals::wait;
use crate::{process, windows};
use cubicle_abi::defences::Defence;
use cubicle_abi::layout::PAGE;

/// A call the manifest grants. Some need a second look at their arguments.
pub fn granted(cubicle: usize, files: bool, wanted: u64, arguments: [u64; 6]) -> i64 {
    let [a, b, c, d, e, f] = arguments;
    let closed = !files && !uses_standard_descriptors(wanted, &arguments);
    if closed && !off(Defence::Descriptors) || is_deferred(wanted, &arguments) {
        return -error::EPERM;
    }
    match wanted {
        // Of an open descriptor only: the path would be the caller's.
        number::NEWFSTATAT if !files => {
            const AT_EMPTY_PATH: u64 = 0x1000;
            if d & AT_EMPTY_PATH == 0 {
                return -error::EPERM;
            }
            perform(cubicle, number::FSTAT, [a, c, 0, 0, 0, 0])
        }
        number::IOCTL if !is_harmless_ioctl(b as u32) => -error::EPERM,
        number::FCNTL if !is_harmless_fcntl(b as u32) => -error::EPERM,
        number::PRCTL if !matches!(a, 15 | 16) => -error::EPERM,
        number::PRLIMIT64 if c != 0 || a != 0 => -error::EPERM,
        number::OPEN | number::OPENAT | number::CREAT | number::OPENAT2 => {
            opened(perform(cubicle, wanted, arguments))
        }
        _ if wait::takes_mask(wanted) => wait::masked(cubicle, wanted, arguments, perform),
        _ if is_granted(&WITHOUT_POINTERS, wanted) => {
            // SAFETY: none of these takes a pointer.
            unsafe { kernel::call(wanted, [a, b, c, d, e, f]) }
        }
        _ => perform(cubicle, wanted, arguments),
    }
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
