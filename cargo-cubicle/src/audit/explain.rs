//! Adds to a recording what the program's files say about its addresses.

use super::record::{Position, Record, Touched};
use super::recording::Recording;
use crate::symbolize::{Access, Address, Binary, Place, readable};
use cubicle_abi::calls;

impl Recording {
    /// Adds functions, source lines, widths of instructions, and names of variables
    /// and system calls. What `binary` does not know stays unknown.
    pub fn explain(&mut self, binary: &Binary) {
        for record in &mut self.records {
            explain(record, binary);
        }
    }
}

fn explain(record: &mut Record, binary: &Binary) {
    match record {
        Record::Access(access) => {
            let at = access.instruction.0;
            access.width = binary.width(at, access.access);
            access.position = position(binary, &access.cubicle, at);
            if access.place == Place::Data {
                let symbol = binary.symbol_at(access.address.0);
                access.variable = symbol.map(|symbol| readable(&symbol.name));
            }
        }
        Record::Call(call) => {
            for value in &mut call.values {
                widen(value.read.as_mut(), binary, Access::Read);
                widen(value.written.as_mut(), binary, Access::Write);
            }
        }
        Record::Callback(callback) => {
            let at = callback.called.0;
            callback.function = binary.symbol_at(at).map(|symbol| readable(&symbol.name));
            // A return address belongs to the instruction after the call.
            let site = callback.instruction.0.wrapping_sub(1);
            callback.position = position(binary, &callback.cubicle, site);
        }
        Record::Misuse(misuse) => {
            misuse.name = window_call(misuse.number).map(str::to_owned);
            let site = misuse.instruction.0.wrapping_sub(1);
            misuse.position = position(binary, &misuse.cubicle, site);
        }
        Record::SystemCall(call) => {
            let number = usize::try_from(call.number).ok();
            let known = number.and_then(syscalls::Sysno::new);
            call.name = known.map(|known| known.name().to_owned());
        }
        _ => {}
    }
}

/// What `cubicle.h` calls it.
fn window_call(number: u64) -> Option<&'static str> {
    Some(match number {
        calls::WINDOW_INIT => "cubicle_window_init",
        calls::WINDOW_ADD => "cubicle_window_add",
        calls::WINDOW_REMOVE => "cubicle_window_remove",
        calls::WINDOW_OPEN => "cubicle_window_open",
        calls::WINDOW_CLOSE => "cubicle_window_close",
        calls::WINDOW_CLOSE_ALL => "cubicle_window_close_all",
        calls::WINDOW_REVOKE => "cubicle_window_revoke",
        calls::WINDOW_DESTROY => "cubicle_window_destroy",
        calls::WINDOW_FAULTS => "cubicle_window_faults",
        calls::KEYED_ALLOC => "cubicle_window_alloc",
        calls::KEYED_FREE => "cubicle_window_free",
        _ => return None,
    })
}

fn widen(touched: Option<&mut Touched>, binary: &Binary, access: Access) {
    if let Some(touched) = touched
        && touched.instruction != Address(0)
    {
        touched.width = binary.width(touched.instruction.0, access);
    }
}

fn position(binary: &Binary, cubicle: &str, at: u64) -> Option<Position> {
    let found = binary.position(cubicle, at)?;
    let known = found.function.is_some() || found.file.is_some();
    known.then(|| Position {
        function: found.function,
        file: found.file.map(|path| path.into_string()),
        line: found.line,
    })
}
