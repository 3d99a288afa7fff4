//! The parked `main` of a cubicle: whoever needs a virtual thread takes it, and
//! puts it back.

use crate::lock::{Guard, Lock, wait_while, wake};
use core::sync::atomic::{AtomicU32, Ordering};
use cubicle_abi::frame::Context;

pub enum Place {
    /// The cubicle has ended, or has none.
    Empty,
    /// A thread runs it at the moment.
    Taken,
    Parked(Context),
}

/// While it lives, the parked `main` stays where it is.
pub type Unchanged<'a> = Guard<'a, Place>;

/// Where a parked `main` is.
pub struct ParkedMain {
    place: Lock<Place>,
    /// How often it was put back.
    returns: AtomicU32,
}

impl Default for ParkedMain {
    fn default() -> Self {
        Self::new()
    }
}

impl ParkedMain {
    pub const fn new() -> ParkedMain {
        ParkedMain {
            place: Lock::new(Place::Empty),
            returns: AtomicU32::new(0),
        }
    }

    /// It will be put there: whoever wants it waits.
    pub fn expect(&self) {
        *self.place.lock() = Place::Taken;
    }

    /// Puts it there, for the next one.
    pub fn put(&self, context: Context) {
        *self.place.lock() = Place::Parked(context);
        self.returns.fetch_add(1, Ordering::Release);
        wake(&self.returns, u32::MAX >> 1);
    }

    /// Whoever starts the cubicle anew has it, until it is put there.
    pub fn begin(&self) {
        *self.place.lock() = Place::Taken;
    }

    /// There is none any longer, and nobody waits for it.
    pub fn forget(&self) {
        *self.place.lock() = Place::Empty;
        self.returns.fetch_add(1, Ordering::Release);
        wake(&self.returns, u32::MAX >> 1);
    }

    /// Waits until no other thread has it, and takes it. `None`: there is none.
    pub fn take(&self) -> Option<Context> {
        self.exchange(Place::Taken)
    }

    /// The same for good: the cubicle ends.
    pub fn end(&self) -> Option<Context> {
        self.exchange(Place::Empty)
    }

    /// Nobody takes it or puts it back while the answer lives.
    pub fn hold(&self) -> Unchanged<'_> {
        self.place.lock()
    }

    /// In a child: a thread that has it is nowhere, and it is lost with it.
    pub fn forget_if_taken(&self) {
        let mut place = self.place.lock();
        if let Place::Taken = *place {
            *place = Place::Empty;
        }
    }

    fn exchange(&self, new: Place) -> Option<Context> {
        loop {
            let returns = self.returns.load(Ordering::Acquire);
            let mut place = self.place.lock();
            match *place {
                Place::Empty => return None,
                Place::Parked(context) => {
                    *place = new;
                    return Some(context);
                }
                Place::Taken => {}
            }
            drop(place);
            wait_while(&self.returns, returns);
        }
    }
}
