//! A window that closes when it goes.

use core::marker::PhantomData;

use crate::{Cubicle, Error, calls};

/// What a cubicle may do with the memory in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    Read,
    ReadWrite,
}

/// Memory that is borrowed for as long as others may touch it. Dropping it closes
/// and destroys the window.
#[derive(Debug)]
pub struct Window<'a> {
    number: i32,
    /// Some of the memory was borrowed for reading only.
    read_only: bool,
    /// It was opened for writing to somebody.
    writable: bool,
    memory: PhantomData<&'a mut [u8]>,
}

impl<'a> Window<'a> {
    /// A window without memory, open to nobody.
    ///
    /// # Errors
    /// [`Error::Exhausted`]: a cubicle can have 256.
    pub fn new() -> Result<Window<'a>, Error> {
        Ok(Window {
            number: calls::init()?,
            read_only: false,
            writable: false,
            memory: PhantomData,
        })
    }

    /// Puts memory into the window. The result is what to pass to those it is open
    /// to: the slice itself is borrowed until the window is dropped.
    ///
    /// # Errors
    /// [`Error::NotOwned`], [`Error::Stack`], [`Error::NotMapped`],
    /// [`Error::AlreadyAdded`], [`Error::Empty`], [`Error::Exhausted`].
    pub fn add(&mut self, memory: &'a mut [u8]) -> Result<*mut u8, Error> {
        let pointer = memory.as_mut_ptr();
        calls::add(self.number, pointer, memory.len())?;
        Ok(pointer)
    }

    /// The same for memory that nobody writes meanwhile: such a window can be opened
    /// for reading only.
    ///
    /// # Errors
    /// As [`Window::add`]; [`Error::ReadOnly`]: it is open for writing already.
    pub fn add_read_only(&mut self, memory: &'a [u8]) -> Result<*const u8, Error> {
        if self.writable {
            return Err(Error::ReadOnly);
        }
        calls::add(self.number, memory.as_ptr(), memory.len())?;
        self.read_only = true;
        Ok(memory.as_ptr())
    }

    /// Opens the window to a cubicle.
    ///
    /// # Errors
    /// [`Error::Itself`]; [`Error::ReadOnly`]: not for writing.
    pub fn open(&mut self, cubicle: Cubicle, access: Access) -> Result<(), Error> {
        let access = match access {
            Access::Read => 1,
            Access::ReadWrite if self.read_only => return Err(Error::ReadOnly),
            Access::ReadWrite => 3,
        };
        calls::open(self.number, cubicle.0, access)?;
        self.writable |= access == 3;
        Ok(())
    }

    /// Closes the window to a cubicle: it gets no further page, and loses each that
    /// it has when the owner touches it.
    ///
    /// # Errors
    /// [`Error::NotFound`]: it was not open to it. Never in a plain build.
    pub fn close(&mut self, cubicle: Cubicle) -> Result<(), Error> {
        calls::close(self.number, cubicle.0)
    }

    /// Closes the window to everybody.
    ///
    /// # Errors
    /// None that this type permits.
    pub fn close_all(&mut self) -> Result<(), Error> {
        calls::close_all(self.number)
    }

    /// Closes the window to a cubicle and takes back at once whatever it has of it.
    ///
    /// # Errors
    /// [`Error::Itself`].
    pub fn revoke(&mut self, cubicle: Cubicle) -> Result<(), Error> {
        calls::revoke(self.number, cubicle.0)
    }

    /// How often somebody's touch has moved a page of this window: what a window
    /// costs is a page fault each time. 0 in a plain build.
    #[must_use]
    pub fn faults(&self) -> u32 {
        // A window that exists can be asked.
        calls::faults(self.number).unwrap_or(0)
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        // A window that exists can be destroyed.
        let _ = calls::destroy(self.number);
    }
}
