//! Which way memory is lent, and how much of it was written.

use super::evidence::Sample;
use super::extent::Seen;
use super::types::Data;
use crate::audit::Value;
use crate::symbolize::Access;

/// What happened behind one pointer, in all calls.
#[derive(Debug, Default)]
pub struct Use {
    pub reads: bool,
    pub writes: bool,
    /// Whatever was read had been written first.
    pub writes_first: bool,
}

impl Use {
    pub fn of(values: &[&Value]) -> Use {
        let touched = |value: &&&Value| value.read.is_some() || value.written.is_some();
        let mut touched = values.iter().filter(touched).peekable();
        let any = touched.peek().is_some();
        let writes_first = touched.all(|value| {
            let end = |side: &Option<crate::audit::Touched>| {
                side.as_ref().map_or(i64::MIN, crate::audit::Touched::end)
            };
            value.first == Some(Access::Write) && end(&value.read) <= end(&value.written)
        });
        Use {
            reads: values.iter().any(|value| value.read.is_some()),
            writes: values.iter().any(|value| value.written.is_some()),
            writes_first: any && writes_first,
        }
    }

    pub fn words(&self) -> &'static str {
        match (self.reads, self.writes) {
            (true, true) => "read and written",
            (false, true) => "written",
            (true, false) => "read",
            (false, false) => "not touched",
        }
    }
}

/// `in`, `out` or `inout`. `known` says that how much was written is known, or that
/// all of it was.
pub fn direction(used: &Use, data: &Data<'_>, known: bool) -> &'static str {
    let small = data.size().is_some_and(|size| size <= 8) && !data.is_struct();
    match (used.reads, used.writes) {
        (true, false) if data.is_struct() && !data.is_const() => "inout",
        (_, false) => "in",
        (false, true) if small => "out",
        (_, true) if used.writes_first && known && !data.is_struct() => "out",
        _ => "inout",
    }
}

/// How much was written, as something that is known after the call says.
pub fn used(path: &str, seen: &[Seen<'_>]) -> Option<String> {
    let written: Vec<(&Sample, &Value, u64)> = seen
        .iter()
        .filter(|seen| !seen.value.truncated)
        .filter_map(|seen| {
            let end = seen.value.written.as_ref()?.end();
            Some((seen.sample, seen.value, u64::try_from(end).ok()?))
        })
        .collect();
    if written.is_empty() {
        return None;
    }
    if path.contains('.') && agrees(&written, |_, value| Some(moved(value))) {
        return Some("moved".to_owned());
    }
    let result = |sample: &Sample, _: &Value| Some(sample.values.get("result")?.after.0);
    if agrees(&written, result) {
        return Some("result".to_owned());
    }
    let numbers = written[0]
        .0
        .values
        .keys()
        .filter(|key| key.starts_with('*'));
    for number in numbers {
        let after = |sample: &Sample, _: &Value| Some(sample.values.get(number)?.after.0);
        if number[1..] != *path && agrees(&written, after) {
            return Some(number.clone());
        }
    }
    let string = |_: &Sample, value: &Value| value.string_after;
    agrees(&written, string).then(|| "cstr".to_owned())
}

fn moved(value: &Value) -> u64 {
    value.after.0.wrapping_sub(value.before.0)
}

/// Whether a number is never less than what was written, and sometimes just that.
fn agrees(
    written: &[(&Sample, &Value, u64)],
    number: impl Fn(&Sample, &Value) -> Option<u64>,
) -> bool {
    const MOST: u64 = 1 << 40;
    let mut exact = 0;
    for (sample, value, end) in written {
        match number(sample, value) {
            Some(number) if number == *end => exact += 1,
            Some(number) if number > *end && number < MOST => {}
            _ => return false,
        }
    }
    exact > 0 && exact * 2 >= written.len()
}
