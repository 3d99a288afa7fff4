//! From types and names alone.

use super::types::Data;

/// How a pointer probably crosses. `numbers` are the integer arguments of the
/// function, in order, with their places behind the pointer's own first.
pub fn lend(path: &str, data: &Data<'_>, numbers: &[String]) -> String {
    let word = if data.is_const() { "in" } else { "inout" };
    if data.is_character() && data.is_const() {
        // Only a number that is called after it says more than that it is a string.
        return match named_after(path, numbers) {
            Some(number) => format!("{{ lend = \"in\", bytes = \"{number}\" }}"),
            None => "{ lend = \"in\", bytes = \"cstr\" }".to_owned(),
        };
    }
    if data.is_opaque() || data.is_character() {
        return match length(path, numbers) {
            Some(number) => format!("{{ lend = \"{word}\", bytes = \"{number}\" }}"),
            None => "{ lend = \"handle\" }".to_owned(),
        };
    }
    if data.is_pointer() && !data.is_const() {
        return "{ lend = \"out\" }".to_owned();
    }
    format!("{{ lend = \"{word}\" }}")
}

/// The argument that counts what a pointer leads to, by its name.
fn length(path: &str, numbers: &[String]) -> Option<String> {
    let counts = |number: &&String| {
        let lower = number.to_lowercase();
        ["len", "size", "bytes"]
            .iter()
            .any(|word| lower.contains(word))
    };
    named_after(path, numbers).or_else(|| numbers.iter().find(counts).cloned())
}

fn named_after(path: &str, numbers: &[String]) -> Option<String> {
    let path = path.to_lowercase();
    let is_it = |number: &&String| {
        let lower = number.to_lowercase();
        lower.starts_with(&path) && lower != path
    };
    numbers.iter().find(is_it).cloned()
}
