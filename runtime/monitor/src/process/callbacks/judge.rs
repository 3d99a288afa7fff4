//! Whether a pointer may cross as a function, and as what.

use cubicle_abi::layout::{callback_at, gate, gate_at};
use cubicle_abi::plan::Gate;

/// Below it nothing is mapped, and above its negative nothing can be: values
/// there are no functions but words, such as NULL, SIG_ERR or
/// SQLITE_TRANSIENT (which is -1).
const SMALLEST_ADDRESS: u64 = 64 << 10;

/// Why a pointer does not cross (rule 26: it would run any instruction of its
/// alleged owner).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Neither code of who passes it nor the start of a gate or stub.
    NoFunction,
    /// A gate or stub that only others may call.
    NotItsOwn,
    /// A stub for which nobody has passed a function.
    EmptySlot,
    /// As many different functions as there are slots have crossed already.
    Full,
}

impl Refused {
    /// What is wrong with the pointer, as a report says it.
    pub fn reason(self) -> &'static str {
        match self {
            Refused::NoFunction => "not the address of a function of the cubicle that passes it",
            Refused::NotItsOwn => "a function that the cubicle that passes it may not call itself",
            Refused::EmptySlot => "a callback for which no function was ever passed",
            Refused::Full => "one function more than can ever be passed there: each takes a slot",
        }
    }
}

/// As what a pointer crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// As this value.
    As(u64),
    /// As the stub of a slot with this function.
    Slot(u64),
}

/// What the judgement rests on.
pub(super) struct Known<'a> {
    pub gates: &'a [Gate],
    /// The number of the first callback gate: all behind it are callbacks.
    pub first: usize,
    /// Is there code of this cubicle at this address?
    pub is_code: &'a dyn Fn(usize, u64) -> bool,
    /// What stands in a slot of a callback; 0: nothing.
    pub slot: &'a dyn Fn(usize, usize) -> u64,
    /// Do two gates lend the same? Then a function needs neither more nor less
    /// care behind the one than behind the other.
    pub alike: &'a dyn Fn(&Gate, &Gate) -> bool,
}

/// A way into another cubicle: the start of a gate, or a stub.
struct Door<'a> {
    from: u32,
    to: u32,
    gate: &'a Gate,
    /// What the cubicle it leads to calls this function.
    function: u64,
}

impl Known<'_> {
    /// Judges a pointer that crosses as `callback`: from the cubicle whose
    /// functions it calls to the one that will call it.
    pub fn judge(&self, callback: &Gate, pointer: u64) -> Result<Crossing, Refused> {
        let (sender, receiver) = (callback.to, callback.from);
        let mut function = pointer;
        // A stub of the sender's own may stand for a function it was given
        // itself; that one is another's, so it ends here.
        for _ in 0..2 {
            if function.wrapping_add(SMALLEST_ADDRESS) < 2 * SMALLEST_ADDRESS {
                return Ok(Crossing::As(function));
            }
            match self.door(function)? {
                None if (self.is_code)(sender as usize, function) => {
                    return Ok(Crossing::Slot(function));
                }
                None => return Err(Refused::NoFunction),
                // Its own function, as others know it.
                Some(door) if door.to == sender => function = door.function,
                // It comes home, as what it left as. As something else it is called
                // through the sender: the receiver would hand its own function what
                // the gate to that function would have refused the sender.
                Some(door)
                    if door.from == sender
                        && door.to == receiver
                        && (self.alike)(door.gate, callback) =>
                {
                    return Ok(Crossing::As(door.function));
                }
                // It passes on what it may call: the call goes through it.
                Some(door) if door.from == sender => return Ok(Crossing::Slot(function)),
                Some(_) => return Err(Refused::NotItsOwn),
            }
        }
        Err(Refused::NotItsOwn)
    }

    fn door(&self, address: u64) -> Result<Option<Door<'_>>, Refused> {
        if let Some((callback, slot)) = callback_at(address)
            && let Some(gate) = self.gates.get(self.first + callback)
        {
            return match (self.slot)(callback, slot) {
                0 => Err(Refused::EmptySlot),
                function => Ok(Some(door(gate, function))),
            };
        }
        Ok(gate_at(address)
            .filter(|number| gate(*number) == address)
            .and_then(|number| self.gates.get(number))
            // The gate of a callback says nothing without a slot; one whose
            // reference died with unused code is nobody's.
            .filter(|gate| gate.callback == 0 && gate.target != 0)
            .map(|gate| door(gate, gate.target)))
    }
}

fn door(gate: &Gate, function: u64) -> Door<'_> {
    Door {
        from: gate.from,
        to: gate.to,
        gate,
        function,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
