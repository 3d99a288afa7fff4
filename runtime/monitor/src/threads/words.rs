//! What would happen if a thread's words were written as the kernel would write them:
//! with the rights of whoever ends the thread, which is the monitor (rule 19).

use crate::defences::off;
use crate::machine::assembly::cubicle_exchange;
use crate::machine::rights::open;
use cubicle_abi::defences::Defence;
use cubicle_abi::rights::Rights;

/// In a program that goes without the defence, writes `new` to the word at `at`; if
/// `wanted` says so, only where that stands. Answers whether it did.
pub fn exchange_undefended(at: u64, wanted: Option<u32>, new: u32) -> bool {
    if !off(Defence::ThreadWords) {
        return false;
    }
    open(Rights::ALL, Rights::ALL);
    // SAFETY: it is not, and that is the point: anybody's word is written, and a fault
    // is answered.
    unsafe {
        let found = wanted.unwrap_or_else(|| core::ptr::read_volatile(at as *const u32));
        cubicle_exchange(at, found, new) == 0
    }
}
