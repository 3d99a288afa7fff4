//! From types and names alone.

use super::extent::{Seen, kinship};
use super::types::Data;

/// An integer argument, or what a pointer to one leads to.
#[derive(Debug)]
pub struct Number {
    pub name: String,
    /// It stands right behind the pointer.
    pub follows: bool,
    /// There are as many of its kind as buffers, and it has the pointer's place among them.
    pub paired: bool,
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
        return match best(path, data, numbers, seen) {
            // The callee says how much it wrote where the caller said how much there is room for.
            Some(number) if number.name.starts_with('*') && word != "in" => {
                let name = &number.name;
                format!("{{ lend = \"out\", bytes = \"{name}\", used = \"{name}\" }}")
            }
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
    let one = data.is_struct() || is_length(path);
    match best(path, data, numbers, seen).filter(|_| !one) {
        Some(number) => format!("{{ lend = \"{word}\", count = \"{}\" }}", number.name),
        None => format!("{{ lend = \"{word}\" }}"),
    }
}

/// The number that counts what a pointer leads to, by its name and place. Of text only one
/// that is called after it or stands behind it does.
fn best<'a>(
    path: &str,
    data: &Data<'_>,
    numbers: &'a [Number],
    seen: &[Seen<'_>],
) -> Option<&'a Number> {
    let rank = |number: &Number| {
        let kinship = kinship(path, &number.name);
        (kinship > 2, number.paired, kinship, number.follows)
    };
    let counts = |number: &&Number| {
        let (is_kin, paired, kinship, follows) = rank(number);
        is_kin || paired || kinship == 2 && (follows || !data.is_character())
    };
    // Of equals the first.
    let fitting = numbers.iter().rev().filter(counts);
    fitting
        .filter(|number| number.name.trim_start_matches('*') != path && may_count(number, seen))
        .max_by_key(|number| rank(number))
}

/// Whether a name says that it is of a number that counts something.
pub fn is_length(name: &str) -> bool {
    kinship("", name) >= 2
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
