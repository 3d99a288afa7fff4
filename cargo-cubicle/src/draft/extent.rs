//! How much is lent: by numbers of the same call that were never less than what was
//! touched.

use super::Confidence;
use super::evidence::Sample;
use super::types::{self, Data};
use crate::audit::{Touched, Value};
use crate::graph::signature::{Signature, TypeKind};

/// Instructions this wide may read beyond the end of what they work on, within one
/// page, as those in string functions do.
const VECTOR: usize = 16;
/// And so far at most, bytes.
const OVERREAD: u64 = 64;
/// No length is larger.
const MOST: u64 = 1 << 40;

/// What one call did behind a pointer.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub sample: &'a Sample,
    pub value: &'a Value,
}

impl Seen<'_> {
    /// Bytes that were touched, and how much less it may have been.
    fn touched(&self) -> Option<(u64, u64)> {
        let sides = [&self.value.read, &self.value.written];
        let end = sides
            .iter()
            .filter_map(|side| side.as_ref())
            .map(Touched::end)
            .max()?;
        let wide = self
            .value
            .read
            .as_ref()
            .and_then(|read| read.width)
            .is_some_and(|width| width >= VECTOR);
        let only_read = self.value.written.is_none();
        let slack = if wide && only_read { OVERREAD } else { 0 };
        Some((u64::try_from(end).unwrap_or(0), slack))
    }
}

/// An extent, as the manifest writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// `bytes = …` or `count = …`, or nothing for the size of the type.
    pub text: String,
    /// `negative = "cstr"`.
    pub negative: bool,
    /// It was all touched, in each call.
    pub exact: bool,
    pub why: String,
    pub confidence: Confidence,
}

/// The extent behind the pointer at `path`.
pub fn infer(
    path: &str,
    data: &Data<'_>,
    seen: &[Seen<'_>],
    signature: &Signature,
) -> Option<Extent> {
    let touched: Vec<(&Seen<'_>, u64, u64)> = seen
        .iter()
        .filter_map(|seen| {
            let (end, slack) = seen.touched()?;
            Some((seen, end, slack))
        })
        .collect();
    let most = touched.iter().map(|(_, end, _)| *end).max()?;
    if let Some(size) = data.size()
        && !data.is_character()
        && most <= size
    {
        return Some(Extent {
            text: String::new(),
            negative: false,
            exact: touched.iter().all(|(_, end, _)| *end == size),
            why: format!("never beyond byte {most} of the {size} that its type has"),
            confidence: Confidence::Sure,
        });
    }
    let mut best = counted(path, data, &touched, signature);
    let string = string(data, &touched);
    if let Some(string) = string {
        let weaker = best.as_ref().is_none_or(|best| best.rank < string.rank);
        if weaker {
            best = Some(string);
        }
    }
    Some(best.map_or_else(|| constant(most, &touched), |best| best.extent))
}

/// What is compared.
struct Candidate {
    extent: Extent,
    /// The better, the higher.
    rank: (u64, u64, u64),
}

type AllTouched<'a> = [(&'a Seen<'a>, u64, u64)];

fn counted(
    path: &str,
    data: &Data<'_>,
    touched: &AllTouched<'_>,
    signature: &Signature,
) -> Option<Candidate> {
    let is_number = |path: &str| {
        let type_ = types::at(signature, path);
        type_.is_some_and(|type_| matches!(type_.kind, TypeKind::Integer { .. }))
    };
    let numbers = touched[0].0.sample.values.keys();
    let units = [1].into_iter().chain(data.size().filter(|size| *size > 1));
    let units: Vec<u64> = units.collect();
    numbers
        .filter(|number| *number != path && *number != "result" && is_number(number))
        .flat_map(|number| units.iter().map(move |unit| (number, *unit)))
        .filter_map(|(number, unit)| count(path, number, unit, touched))
        .max_by(|one, other| one.rank.cmp(&other.rank))
}

/// A number as a length: never less than what was touched.
fn count(path: &str, number: &str, unit: u64, touched: &AllTouched<'_>) -> Option<Candidate> {
    let (mut exact, mut near, mut negative, mut surplus) = (0, 0, false, 0);
    for (seen, end, slack) in touched {
        let value = seen.sample.values.get(number)?;
        let value = value.before.0;
        if is_negative(value) && seen.value.string.is_some() {
            negative = true;
            continue;
        }
        let length = value.checked_mul(unit).filter(|length| *length < MOST)?;
        let enough = length >= *end || *slack > 0 && end - length < *slack;
        if !enough {
            return None;
        }
        if !seen.value.truncated {
            exact += u64::from(length == *end);
            near += u64::from(end.abs_diff(length) < (*slack).max(1));
            surplus = surplus.max(length.saturating_sub(*end));
        }
    }
    let calls = measured(touched);
    let kinship = kinship(path, number);
    // One call proves little, and nearness less, unless the names agree.
    let proven =
        exact * 2 >= calls && (exact > 1 || kinship > 0) || near * 2 >= calls && kinship > 1;
    if !proven && kinship < 2 {
        return None;
    }
    let key = if unit == 1 { "bytes" } else { "count" };
    Some(Candidate {
        extent: Extent {
            text: format!("{key} = \"{number}\""),
            negative,
            exact: exact == calls,
            why: match exact {
                0 => format!("never more than `{number}` says"),
                _ => format!(
                    "never more than `{number}` says, and just that in {exact} of {calls} calls"
                ),
            },
            confidence: if proven {
                Confidence::Sure
            } else {
                Confidence::Likely
            },
        },
        rank: (exact, kinship, MOST - surplus),
    })
}

/// In how many calls all that was touched was seen.
fn measured(touched: &AllTouched<'_>) -> u64 {
    let whole = touched.iter().filter(|(seen, ..)| !seen.value.truncated);
    whole.count().max(1) as u64
}

/// As a signed number of 32 or 64 bits.
fn is_negative(value: u64) -> bool {
    (value as i64) < 0 || value >> 32 == 0 && (value as i32) < 0
}

/// How much the name of a number says that it counts what a pointer leads to.
pub fn kinship(path: &str, number: &str) -> u64 {
    const LENGTHS: [&str; 11] = [
        "len", "size", "count", "avail", "bytes", "nbyte", "cap", "max", "num", "limit", "amount",
    ];
    let (holder, name) = path.rsplit_once('.').unwrap_or(("", path));
    let plain = number.trim_start_matches('*');
    let (other_holder, other) = plain.rsplit_once('.').unwrap_or(("", plain));
    let lower = other.to_lowercase();
    let counts = LENGTHS.iter().any(|word| lower.contains(word))
        || lower == "n"
        || lower.starts_with("n_")
        || other.starts_with('n') && other.chars().nth(1).is_some_and(char::is_uppercase);
    let tail = |name: &str| name.rsplit('_').next().unwrap_or_default().to_owned();
    let shares_tail = tail(name) == tail(other) && name != other;
    let contains = !name.is_empty() && lower.contains(&name.to_lowercase())
        || stem(name).is_some_and(|own| stem(other) == Some(own));
    let beside = u64::from(holder == other_holder);
    match (counts, shares_tail || contains) {
        (true, true) => 3 + beside,
        (true, false) => 1 + beside,
        (false, true) => 1,
        (false, false) => 0,
    }
}

/// What follows the letter that some put before a name to say what it is: `zData`.
fn stem(name: &str) -> Option<&str> {
    let rest = name.get(1..)?;
    rest.starts_with(char::is_uppercase).then_some(rest)
}

fn string(data: &Data<'_>, touched: &AllTouched<'_>) -> Option<Candidate> {
    if !data.is_character() && !data.is_opaque() {
        return None;
    }
    let mut exact = 0;
    for (seen, end, slack) in touched {
        let length = seen.value.string.filter(|_| seen.value.written.is_none())?;
        if *end > length + slack {
            return None;
        }
        exact += u64::from(*end >= length && !seen.value.truncated);
    }
    let calls = measured(touched);
    (exact * 2 >= calls && exact > 0).then(|| Candidate {
        extent: Extent {
            text: "bytes = \"cstr\"".to_owned(),
            negative: false,
            exact: exact == calls,
            why: format!("read to the end of the string in {exact} of {calls} calls"),
            confidence: Confidence::Sure,
        },
        rank: (exact, u64::from(data.is_const()), MOST - 1),
    })
}

fn constant(most: u64, touched: &AllTouched<'_>) -> Extent {
    let same = touched.iter().all(|(_, end, _)| *end == most);
    Extent {
        text: format!("bytes = {most}"),
        negative: false,
        exact: same,
        why: match (same, touched.len()) {
            (true, calls) if calls > 1 => format!("{most} bytes in each of {calls} calls"),
            _ => format!(
                "{most} bytes at most, and no number of the call says how many: check this one"
            ),
        },
        confidence: match same && touched.len() > 1 {
            true => Confidence::Likely,
            false => Confidence::Guess,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::kinship;

    #[test]
    fn names_say_what_counts_what() {
        for (path, number) in [
            ("strm.next_in", "strm.avail_in"),
            ("dest", "*destLen"),
            ("source", "sourceLen"),
            ("zData", "nData"),
            ("buffer", "buffer_size"),
        ] {
            assert!(kinship(path, number) >= 3, "{path} {number}");
        }
        for (path, number) in [
            ("strm.next_in", "strm.adler"),
            ("version", "level"),
            ("name", "flags"),
        ] {
            assert!(kinship(path, number) < 2, "{path} {number}");
        }
        assert!(
            kinship("strm.next_in", "strm.avail_in") > kinship("strm.next_in", "strm.avail_out")
        );
    }
}
