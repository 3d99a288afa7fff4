//! Code as people read it: for golden tests, `explain`, and the documentation.

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter, Mnemonic};

/// How all of it is written.
pub fn formatter() -> IntelFormatter {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_branch_leading_zeros(false);
    formatter
}

/// The instructions of `code` at `address`, one to a line, and their number.
pub fn listing(code: &[u8], address: u64) -> (String, usize) {
    let mut formatter = formatter();
    let mut text = String::new();
    let mut count = 0;
    for instruction in Decoder::with_ip(64, code, address, DecoderOptions::NONE) {
        // It only fills up a place.
        if instruction.mnemonic() == Mnemonic::Int3 {
            continue;
        }
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        text.push_str(&format!("{:5x}  {line}\n", instruction.ip() - address));
        count += 1;
    }
    (text, count)
}
