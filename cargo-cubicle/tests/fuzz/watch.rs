//! Watches over an input while it is tried: how much it allocates, and how long it takes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex, Once};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// The most that one allocation may take for an input of a few kilobytes, bytes.
const MOST: usize = 64 << 20;

/// Only a hang takes that long.
const LONGEST: Duration = Duration::from_secs(120);

/// Bytes of an input's name, in a place that can be read while nothing can be allocated.
const NAME: usize = 100;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
    static CURRENT: Cell<[u8; NAME]> = const { Cell::new([b' '; NAME]) };
}

struct Watched;

#[global_allocator]
static ALLOCATOR: Watched = Watched;

// SAFETY: what it answers is the system's; more than `MOST` is refused, as a machine with
// little memory would.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match admits(layout.size()) {
            // SAFETY: as the caller's.
            true => unsafe { System.alloc(layout) },
            false => std::ptr::null_mut(),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match admits(layout.size()) {
            // SAFETY: as the caller's.
            true => unsafe { System.alloc_zeroed(layout) },
            false => std::ptr::null_mut(),
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match admits(size) {
            // SAFETY: as the caller's.
            true => unsafe { System.realloc(pointer, layout, size) },
            false => std::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Who asks for more and does not mind a refusal (`try_reserve`) does no harm; everybody else
/// ends the process, behind a line that says which input it was.
fn admits(size: usize) -> bool {
    LARGEST.set(LARGEST.get().max(size));
    if size > MOST {
        let name = CURRENT.get();
        // SAFETY: the array is this function's.
        unsafe { libc::write(2, name.as_ptr().cast(), NAME) };
    }
    size <= MOST
}

static UNDER_WAY: LazyLock<Mutex<HashMap<ThreadId, (Instant, String)>>> =
    LazyLock::new(Mutex::default);
static WATCHER: Once = Once::new();

/// Tries an input. If it fails, `name` is said of it, and it is kept.
pub fn over(name: String, input: &[u8], body: fn(&[u8])) {
    WATCHER.call_once(|| drop(std::thread::spawn(look)));
    let thread = std::thread::current().id();
    LARGEST.set(0);
    let mut current = [b' '; NAME];
    let shown = name.len().min(NAME - 1);
    current[..shown].copy_from_slice(&name.as_bytes()[..shown]);
    current[NAME - 1] = b'\n';
    CURRENT.set(current);
    let before = (Instant::now(), name.clone());
    UNDER_WAY.lock().unwrap().insert(thread, before);
    let done = std::panic::catch_unwind(|| body(input));
    UNDER_WAY.lock().unwrap().remove(&thread);
    let largest = LARGEST.get();
    if done.is_ok() && largest <= MOST {
        return;
    }
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-failure");
    std::fs::write(&kept, input).unwrap();
    let kept = kept.display();
    panic!("{name}, kept as {kept}, fails or allocates too much: {largest} bytes at once");
}

fn look() {
    loop {
        std::thread::sleep(Duration::from_secs(1));
        for (since, name) in UNDER_WAY.lock().unwrap().values() {
            if since.elapsed() > LONGEST {
                eprintln!("{name} does not end");
                std::process::abort();
            }
        }
    }
}
