//! What is left of the lends of a gate whose callee sees its caller.

use cubicle_abi::plan::{LEND_CALLBACK, LEND_POINTER, LEND_VALUE, Lend, PLACE_FIELD, Place};

use super::ResolvedLends;

impl ResolvedLends {
    /// Leaves out what sight makes unnecessary: the caller's pointers work as they
    /// are. What crosses as something else, a function or a replaced value, still
    /// does, and with it the structs it lies in.
    pub fn keep_what_sight_does_not_replace(&mut self) {
        let mut kept: Vec<bool> = self
            .lends
            .iter()
            .map(|lend| lend.flags & (LEND_CALLBACK | LEND_VALUE) != 0)
            .collect();
        // What a lend needs comes before it in the list.
        for index in (0..self.lends.len()).rev() {
            if kept[index] {
                for place in places(&mut self.lends[index].clone()) {
                    kept[place.index as usize] = true;
                }
            }
        }
        // What the callee leaves in such a struct may lead into its copy.
        for (index, lend) in self.lends.iter().enumerate() {
            let inside = lend.flags == LEND_POINTER && lend.pointer.kind == PLACE_FIELD;
            kept[index] |= inside && kept[lend.pointer.index as usize];
        }
        let before = |index: usize| kept[..index].iter().filter(|kept| **kept).count();
        for lend in &mut self.lends {
            for place in places(lend) {
                place.index = before(place.index as usize) as u32;
            }
        }
        for callback in &mut self.callbacks {
            callback.lend = before(callback.lend);
        }
        let mut kept = kept.iter();
        self.lends.retain(|_| kept.next() == Some(&true));
    }
}

/// The places of a lend that are fields of others.
fn places(lend: &mut Lend) -> impl Iterator<Item = &mut Place> {
    let operands = lend.extent.operands.iter_mut();
    let operands = operands.chain(&mut lend.used.operands);
    std::iter::once(&mut lend.pointer)
        .chain(operands.map(|operand| &mut operand.place))
        .filter(|place| place.kind == PLACE_FIELD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cubicle_abi::plan::{LEND_IN, LEND_STAGED, PLACE_ARGUMENT};

    fn lend(kind: u32, index: u32, flags: u32) -> Lend {
        Lend {
            pointer: Place {
                kind,
                index,
                offset: 8,
            },
            flags,
            ..Lend::default()
        }
    }

    #[test]
    fn callbacks_stay_with_the_structs_they_lie_in() {
        let mut resolved = ResolvedLends {
            lends: vec![
                lend(PLACE_ARGUMENT, 0, LEND_IN),
                lend(PLACE_ARGUMENT, 1, LEND_IN | LEND_STAGED),
                lend(PLACE_FIELD, 1, LEND_IN),
                lend(PLACE_FIELD, 1, LEND_IN | LEND_STAGED),
                lend(PLACE_FIELD, 3, LEND_IN | LEND_CALLBACK),
                lend(PLACE_ARGUMENT, 2, LEND_VALUE),
                lend(PLACE_FIELD, 2, LEND_POINTER),
                lend(PLACE_FIELD, 3, LEND_POINTER),
            ],
            ..ResolvedLends::default()
        };
        resolved.keep_what_sight_does_not_replace();
        let left: Vec<_> = resolved.lends.iter().map(|lend| lend.pointer).collect();
        let place = |kind, index| lend(kind, index, 0).pointer;
        let expected = [
            place(PLACE_ARGUMENT, 1),
            place(PLACE_FIELD, 0),
            place(PLACE_FIELD, 1),
            place(PLACE_ARGUMENT, 2),
            place(PLACE_FIELD, 1),
        ];
        assert_eq!(left, expected);
    }

    #[test]
    fn nothing_stays_where_nothing_crosses_as_something_else() {
        let mut resolved = ResolvedLends {
            lends: vec![lend(PLACE_ARGUMENT, 0, LEND_IN)],
            ..ResolvedLends::default()
        };
        resolved.keep_what_sight_does_not_replace();
        assert!(resolved.lends.is_empty());
    }
}
