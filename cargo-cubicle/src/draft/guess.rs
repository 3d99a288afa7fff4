//! From types and names alone.

use super::extent::{Seen, kinship};
use super::types::Data;

/// An integer argument.
pub struct Number {
    pub name: String,
    /// It stands right behind the pointer.
    pub follows: bool,
    pub signed: bool,
}

/// How a pointer probably crosses. `seen` are calls in which nobody saw whether it was
/// touched.
pub fn lend(path: &str, data: &Data<'_>, numbers: &[Number], seen: &[Seen<'_>]) -> String {
    // Constants are not written, whatever the type says.
    let constant = seen.iter().any(|seen| seen.value.constant);
    let word = match data.is_const() || constant {
        true => "in",
        false => "inout",
    };
    if data.is_character() || data.is_opaque() {
        let fits = |number: &&Number| counts(path, number, data) && may_count(number, seen);
        return match numbers.iter().find(fits) {
            Some(number) if number.signed && data.is_character() => {
                let name = &number.name;
                format!("{{ lend = \"{word}\", bytes = \"{name}\", negative = \"cstr\" }}")
            }
            Some(number) => format!("{{ lend = \"{word}\", bytes = \"{}\" }}", number.name),
            None if data.is_character() && data.is_const() => {
                "{ lend = \"in\", bytes = \"cstr\" }".to_owned()
            }
            None => "{ lend = \"handle\" }".to_owned(),
        };
    }
    if data.is_pointer() && !data.is_const() {
        return "{ lend = \"out\" }".to_owned();
    }
    let mut numbers = numbers.iter();
    match numbers.find(|number| !data.is_struct() && counts(path, number, data)) {
        Some(number) => format!("{{ lend = \"{word}\", count = \"{}\" }}", number.name),
        None => format!("{{ lend = \"{word}\" }}"),
    }
}

/// Whether a number counts what a pointer leads to, by its name and place. Of text
/// only one that is called after it or stands behind it does.
fn counts(path: &str, number: &Number, data: &Data<'_>) -> bool {
    let kinship = kinship(path, &number.name);
    kinship > 2 || kinship == 2 && (number.follows || !data.is_character())
}

/// Whether the text was never shorter than the number says.
fn may_count(number: &Number, seen: &[Seen<'_>]) -> bool {
    seen.iter().all(|seen| {
        let value = seen.sample.values.get(&number.name);
        match (value, seen.value.string) {
            (Some(value), Some(string)) => (value.before.0 as i32) < 0 || value.before.0 <= string,
            _ => true,
        }
    })
}
