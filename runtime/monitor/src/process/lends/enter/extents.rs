//! How much is lent.

use super::super::call::{Number, number};
use super::{LONGEST_STRING, Preparing};
use crate::defences::off;
use crate::machine::assembly::cubicle_string;
use crate::machine::kernel::PROT_READ;
use crate::process::accessible;
use cubicle_abi::defences::Defence;
use cubicle_abi::layout::PAGE;
use cubicle_abi::plan::{
    EXTENT_CONSTANT, EXTENT_PRODUCT_OR_STRING, EXTENT_STRING, Extent, Operand, PLACE_ARGUMENT,
    PLACE_FIELD,
};

impl Preparing<'_> {
    fn operand(&mut self, operand: &Operand) -> Number {
        let value = match operand.place.kind {
            PLACE_ARGUMENT => self.original(operand.place.index),
            PLACE_FIELD => self
                .field(&operand.place, operand.size.clamp(1, 8).into())
                .unwrap_or(0),
            _ => 0,
        };
        number(value, operand)
    }

    /// An argument as the caller passed it.
    fn original(&mut self, place: u32) -> u64 {
        let replaced = self.pending[self.first..*self.count].iter().find(|one| {
            let pointer = self.call.lends[one.lend as usize].pointer;
            pointer.kind == PLACE_ARGUMENT && pointer.index == place
        });
        match replaced {
            Some(one) => one.caller,
            None => self.argument(place),
        }
    }

    /// How many bytes, and whether they end with the zero byte of a string.
    pub(super) fn extent(&mut self, extent: &Extent, pointer: u64) -> (u64, bool) {
        match extent.kind {
            EXTENT_CONSTANT => (extent.scale, false),
            EXTENT_STRING => self.string(pointer),
            _ => {
                let mut product = extent.scale;
                for operand in extent.operands.iter().take(extent.count as usize) {
                    let number = self.operand(operand);
                    if number.negative && extent.kind == EXTENT_PRODUCT_OR_STRING {
                        return self.string(pointer);
                    }
                    product = product.saturating_mul(number.value);
                }
                (product, false)
            }
        }
    }

    /// The length of a string, its zero byte included: at least 1. Its end is where
    /// it was found, whatever is there when it is copied.
    fn string(&self, pointer: u64) -> (u64, bool) {
        // As far as the caller may read from there; a page at a time.
        let mut length = 0;
        while length < LONGEST_STRING {
            let at = pointer.wrapping_add(length);
            let room = PAGE - at % PAGE;
            if !accessible(self.call.rights, at, room, PROT_READ) {
                break;
            }
            // SAFETY: a fault is expected and answered.
            let found = unsafe { cubicle_string(at, room) };
            if found <= room {
                return (length + found, !off(Defence::ReadOnce));
            }
            length += room;
        }
        self.call.refuse(pointer, length + 1, "read");
    }
}
