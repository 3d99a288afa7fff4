//! Calls of the monitor: system-call numbers of our own, far above the
//! kernel's, on the same path as every other system call.

/// The first number.
pub const FIRST: u64 = 0x4355_0000;

/// `park(gone) -> command`: a cubicle without a `main` of its own is ready and
/// waits. The result is one of the commands below. `gone` is its function that makes
/// the call [`GONE`].
pub const PARK: u64 = FIRST;
/// `park_thread()`: a new virtual thread is ready and waits to end.
pub const PARK_THREAD: u64 = FIRST + 1;
/// `attach(cubicle)`: make this thread's virtual thread in `cubicle`. Gates
/// only: the caller needs a gate into it.
pub const ATTACH: u64 = FIRST + 2;
/// `stack_size() -> bytes`: of a virtual thread of the caller.
pub const STACK_SIZE: u64 = FIRST + 3;
/// `gone()`: a function of the caller's was called that it passed before it started
/// anew. Does not return.
pub const GONE: u64 = FIRST + 4;
/// `ending()`: the libc of the caller runs what it has to run at the end.
pub const ENDING: u64 = FIRST + 5;
/// `deliver()`: a signal found the caller, and its handler is another cubicle's.
/// The monitor makes the caller ask, from wherever it was.
pub const DELIVER: u64 = FIRST + 6;

/// `cubicle_find(name) -> number`: the number of a cubicle or keyed window.
pub const FIND: u64 = FIRST + 16;
/// Calls about windows begin here; runtime/api/cubicle.h has their C form.
pub const WINDOW_FIRST: u64 = FIRST + 32;
/// `init() -> window`: a window without memory, open to nobody.
pub const WINDOW_INIT: u64 = WINDOW_FIRST;
/// `add(window, address, bytes)`: every page that holds a byte of it.
pub const WINDOW_ADD: u64 = WINDOW_FIRST + 1;
/// `remove(window, address)`: what was added at this address.
pub const WINDOW_REMOVE: u64 = WINDOW_FIRST + 2;
/// `open(window, cubicle, access)`: one of the `ACCESS_` constants.
pub const WINDOW_OPEN: u64 = WINDOW_FIRST + 3;
/// `close(window, cubicle)`: no page changes hands before somebody touches it.
pub const WINDOW_CLOSE: u64 = WINDOW_FIRST + 4;
/// `close_all(window)`.
pub const WINDOW_CLOSE_ALL: u64 = WINDOW_FIRST + 5;
/// `revoke(window, cubicle)`: closes, and takes back all pages at once.
pub const WINDOW_REVOKE: u64 = WINDOW_FIRST + 6;
/// `destroy(window)`.
pub const WINDOW_DESTROY: u64 = WINDOW_FIRST + 7;
/// `faults(window) -> number`: how often a touch moved one of its pages.
pub const WINDOW_FAULTS: u64 = WINDOW_FIRST + 8;
/// Calls about keyed windows begin here.
pub const KEYED_FIRST: u64 = FIRST + 48;
/// `alloc(window, bytes) -> address`: whole pages in a keyed window.
pub const KEYED_ALLOC: u64 = KEYED_FIRST;
/// `free(window, address, bytes)`: gives such pages back.
pub const KEYED_FREE: u64 = KEYED_FIRST + 1;
/// The first number behind all of these.
pub const END: u64 = FIRST + 64;

/// A guest may read.
pub const ACCESS_READ: u64 = 1;
/// A guest may read and write.
pub const ACCESS_READ_WRITE: u64 = 3;

/// Command of [`PARK`]: create a thread that calls [`PARK_THREAD`].
pub const COMMAND_ATTACH: u64 = 1;
/// Command of [`PARK`]: return from `main`, so that libc shuts down.
pub const COMMAND_EXIT: u64 = 2;

#[cfg(test)]
mod tests {
    /// Name and value of each call; the first of a group stands for its first call.
    fn calls() -> impl Iterator<Item = (&'static str, &'static str)> {
        let lines = include_str!("calls.rs").lines();
        lines.filter_map(|line| {
            let call = line.strip_prefix("pub const ")?;
            let (name, value) = call.split_once(": u64 = ")?;
            (value.contains("FIRST + ") && !name.ends_with("FIRST")).then_some((name, value))
        })
    }

    #[test]
    fn no_two_calls_have_the_same_number() {
        assert!(calls().count() > 10);
        for (index, (name, value)) in calls().enumerate() {
            for (other, same) in calls().skip(index + 1) {
                assert_ne!(value, same, "{name} and {other}");
            }
        }
    }
}
