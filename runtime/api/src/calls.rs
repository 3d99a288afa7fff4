//! The calls themselves: system calls with numbers of our own, which the monitor
//! answers. The numbers are those of `runtime/abi/src/calls.rs`, errors those of
//! `cubicle.h`. Without `cfg(cubicle)` nothing is called and everything succeeds.

use crate::Error;

/// `call!(NUMBER, Result; arguments)`: at most three, as words.
macro_rules! call {
    ($number:expr; $($argument:expr),*) => {{
        #[cfg(cubicle)]
        // SAFETY: the monitor touches no memory that the arguments name, except to
        // read a name as long as it says.
        let result = unsafe { answered(monitor_call!($number; $($argument),*)) };
        #[cfg(not(cubicle))]
        let result = {
            $(let _ = $argument;)*
            Ok(0)
        };
        result
    }};
}

/// The number stands right before the instruction, where the tool finds it.
#[cfg(cubicle)]
macro_rules! monitor_call {
    ($number:expr; $first:expr, $second:expr, $third:expr) => {{
        let result: i64;
        core::arch::asm!(
            "mov eax, {number}",
            "syscall",
            number = const $number,
            lateout("rax") result,
            in("rdi") $first,
            in("rsi") $second,
            in("rdx") $third,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        result
    }};
}

#[cfg(cubicle)]
fn answered(result: i64) -> Result<i64, Error> {
    // A library that was compiled for a partitioned program may end up in a plain
    // one of the same build, where the kernel knows no such call.
    const ENOSYS: i32 = 38;
    if result >= 0 {
        return Ok(result);
    }
    Err(match (-result) as i32 {
        ENOSYS => return Ok(0),
        1 => Error::NotOwned,
        2 | 3 => Error::NotFound,
        13 => Error::Stack,
        14 => Error::NotMapped,
        17 => Error::AlreadyAdded,
        22 => Error::Itself,
        12 | 24 | 28 => Error::Exhausted,
        number => Error::Other(number),
    })
}

pub fn find(name: &str) -> Result<i32, Error> {
    call!(0x4355_0010; name.as_ptr(), name.len(), 0).map(|number: i64| number as i32)
}

pub fn init() -> Result<i32, Error> {
    call!(0x4355_0020; 0, 0, 0).map(|number: i64| number as i32)
}

pub fn add(window: i32, memory: *const u8, size: usize) -> Result<(), Error> {
    if size == 0 {
        return Err(Error::Empty);
    }
    call!(0x4355_0021; window, memory, size).map(|_: i64| ())
}

pub fn open(window: i32, cubicle: i32, access: u64) -> Result<(), Error> {
    call!(0x4355_0023; window, cubicle, access).map(|_: i64| ())
}

pub fn close(window: i32, cubicle: i32) -> Result<(), Error> {
    call!(0x4355_0024; window, cubicle, 0).map(|_: i64| ())
}

pub fn close_all(window: i32) -> Result<(), Error> {
    call!(0x4355_0025; window, 0, 0).map(|_: i64| ())
}

pub fn revoke(window: i32, cubicle: i32) -> Result<(), Error> {
    call!(0x4355_0026; window, cubicle, 0).map(|_: i64| ())
}

pub fn destroy(window: i32) -> Result<(), Error> {
    call!(0x4355_0027; window, 0, 0).map(|_: i64| ())
}

pub fn faults(window: i32) -> Result<u32, Error> {
    call!(0x4355_0028; window, 0, 0).map(|number: i64| number as u32)
}

/// An address; 0 in a plain program.
pub fn allocate(window: i32, size: usize) -> Result<usize, Error> {
    call!(0x4355_0030; window, size, 0).map(|address: i64| address as usize)
}

pub fn free(window: i32, memory: *mut u8, size: usize) -> Result<(), Error> {
    call!(0x4355_0031; window, memory, size).map(|_: i64| ())
}
