//! All locks of the monitor at once: what is copied while they are held is as it
//! should be, and the only thread of the copy holds them, too.

use crate::lock::Guard;
use crate::mappings::Mappings;
use crate::process::cubicles;
use crate::process::lends::kept::KeptObjects;
use cubicle_abi::layout::MAXIMUM_CUBICLES;

/// In the order in which they are taken everywhere; given back in the same.
pub struct Everything {
    _lives: crate::restart::AllLives,
    _pages: crate::machine::pages::Unchanged,
    _windows: crate::windows::touch::Held,
    _kept: Guard<'static, KeptObjects>,
    _callbacks: crate::process::callbacks::Unchanged,
    _mappings: [Guard<'static, Mappings>; MAXIMUM_CUBICLES],
    _threads: crate::threads::pool::Unchanged,
    _parked: [crate::process::parked::Unchanged<'static>; MAXIMUM_CUBICLES],
    _actions: crate::signals::actions::Unchanged,
    _handed: crate::signals::handed::Unchanged,
}

impl Everything {
    pub fn hold() -> Everything {
        Everything {
            _lives: crate::restart::hold_all(),
            _pages: crate::machine::pages::hold(),
            _windows: crate::windows::touch::held(),
            _kept: crate::process::lends::hold(),
            _callbacks: crate::process::callbacks::hold(),
            _mappings: core::array::from_fn(|index| cubicles()[index].mappings.lock()),
            _threads: crate::threads::pool::hold(),
            _parked: core::array::from_fn(|index| cubicles()[index].parked_main.hold()),
            _actions: crate::signals::actions::hold(),
            _handed: crate::signals::handed::hold(),
        }
    }
}
