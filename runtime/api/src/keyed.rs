//! Memory in keyed windows.

use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

use crate::{Error, calls};

/// Windows hold whole pages.
const PAGE: usize = 4096;

/// A window that the manifest declares: memory with a protection key of its own, which
/// its owner and guests use without ever taking a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyedWindow(i32);

impl KeyedWindow {
    /// The window that the manifest calls `name`.
    ///
    /// # Errors
    /// [`Error::NotFound`]. Never in a plain build.
    pub fn find(name: &str) -> Result<KeyedWindow, Error> {
        calls::find(name).map(KeyedWindow)
    }

    /// Whole pages of zeroes in the window. In a plain build they come from the heap.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::NotOwned`]: this cubicle may not write in it;
    /// [`Error::Exhausted`].
    pub fn allocate(self, size: usize) -> Result<SharedMemory, Error> {
        if size == 0 {
            return Err(Error::Empty);
        }
        let address = calls::allocate(self.0, size)?;
        let (memory, heap) = match address as *mut u8 {
            in_window if !in_window.is_null() => (in_window, None),
            _ => {
                let layout = Layout::from_size_align(size, PAGE).map_err(|_| Error::Exhausted)?;
                // SAFETY: the size is not 0.
                (unsafe { alloc_zeroed(layout) }, Some(layout))
            }
        };
        Ok(SharedMemory {
            memory: NonNull::new(memory).ok_or(Error::Exhausted)?,
            size,
            window: self,
            heap,
        })
    }
}

/// Memory in a keyed window, given back when it is dropped. Others may read and
/// write it at any time: it is reached through raw pointers only.
#[derive(Debug)]
pub struct SharedMemory {
    memory: NonNull<u8>,
    size: usize,
    window: KeyedWindow,
    /// How it was allocated, if it is not in a window at all.
    heap: Option<Layout>,
}

// SAFETY: an address and a size, which any thread may use and give back.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Its first byte; aligned to a page.
    pub fn as_ptr(&self) -> *mut u8 {
        self.memory.as_ptr()
    }

    /// As many bytes as were asked for.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        match self.heap {
            // SAFETY: allocated with this layout, and given back once.
            Some(layout) => unsafe { dealloc(self.memory.as_ptr(), layout) },
            // Who could allocate it may give it back.
            None => drop(calls::free(self.window.0, self.memory.as_ptr(), self.size)),
        }
    }
}
