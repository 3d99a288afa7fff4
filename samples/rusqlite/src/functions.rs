//! Functions, aggregates and collations in Rust, called by SQLite.

use std::cmp::Ordering;

use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

/// Adds all of them to a connection and runs statements that use them.
pub fn show(database: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    database.create_scalar_function("initials", 1, pure, initials)?;
    database.create_scalar_function("careless", 1, pure, careless)?;
    database.create_aggregate_function("median", 1, pure, Median)?;
    database.create_window_function("running", 1, pure, Running)?;
    database.create_collation("by_number", by_number)?;

    list(
        database,
        "SELECT title, initials(title) FROM book ORDER BY title COLLATE by_number",
    )?;
    list(
        database,
        "SELECT year / 10, median(pages) FROM book GROUP BY year / 10",
    )?;
    list(
        database,
        "SELECT year, running(pages) OVER (ORDER BY year ROWS 1 PRECEDING) FROM book ORDER BY year",
    )?;
    list(
        database,
        "SELECT 'none', median(pages) FROM book WHERE year > 3000",
    )?;

    // A panic ends in SQLite as an error of the statement, and here as one too.
    std::panic::set_hook(Box::new(|panic| {
        println!("panic: {}", panic.payload_as_str().unwrap_or_default());
    }));
    list(
        database,
        "SELECT title, careless(pages) FROM book WHERE pages > 1",
    )?;
    match list(database, "SELECT title, careless(pages) FROM book") {
        Err(error) => println!("careless: {error}"),
        Ok(()) => println!("careless: no error"),
    }
    drop(std::panic::take_hook());
    let refused = database.query_row("SELECT initials(12)", [], |_| Ok(()));
    println!("initials(12): {}", refused.expect_err("12 is no text"));
    database.remove_function("initials", 1)?;
    let gone = database.query_row("SELECT initials('a b')", [], |_| Ok(()));
    println!("removed: {}", gone.expect_err("there is no such function"));
    Ok(())
}

/// Prints the rows of a statement with two columns.
pub fn list(database: &Connection, statement: &str) -> Result<()> {
    let mut statement = database.prepare(statement)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (first, second) = (row.get_ref(0)?, row.get_ref(1)?);
        let show = |value: ValueRef| match value {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Null => "-".to_owned(),
            ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
        };
        println!("{:<20}{}", show(first), show(second));
    }
    Ok(())
}

fn initials(context: &Context<'_>) -> Result<String> {
    let text: String = context.get(0)?;
    Ok(text
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .collect())
}

/// Divides by zero for the thin book.
fn careless(context: &Context<'_>) -> Result<i64> {
    let pages: Option<f64> = context.get(0)?;
    Ok(pages.map_or(0, |pages| 1000 / pages as i64))
}

struct Median;

impl Aggregate<Vec<f64>, Option<f64>> for Median {
    fn init(&self, _: &mut Context<'_>) -> Result<Vec<f64>> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, values: &mut Vec<f64>) -> Result<()> {
        values.extend(context.get::<Option<f64>>(0)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, values: Option<Vec<f64>>) -> Result<Option<f64>> {
        let mut values = values.unwrap_or_default();
        values.sort_by(f64::total_cmp);
        Ok(values.get(values.len() / 2).copied())
    }
}

/// A sum over a window that moves.
struct Running;

impl Aggregate<f64, f64> for Running {
    fn init(&self, _: &mut Context<'_>) -> Result<f64> {
        Ok(0.0)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut f64) -> Result<()> {
        *sum += context.get::<Option<f64>>(0)?.unwrap_or_default();
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<f64>) -> Result<f64> {
        sum.ok_or(Error::InvalidQuery)
    }
}

impl WindowAggregate<f64, f64> for Running {
    fn value(&self, sum: Option<&mut f64>) -> Result<f64> {
        sum.copied().ok_or(Error::InvalidQuery)
    }

    fn inverse(&self, context: &mut Context<'_>, sum: &mut f64) -> Result<()> {
        *sum -= context.get::<Option<f64>>(0)?.unwrap_or_default();
        Ok(())
    }
}

/// Without regard to case, and numbers by their value: 9 before 10.
fn by_number(left: &str, right: &str) -> Ordering {
    let parts = |text: &str| {
        let mut parts = vec![(0_u64, String::new())];
        for letter in text.to_lowercase().chars() {
            let last = parts.last_mut().expect("it begins with one");
            match letter.to_digit(10) {
                Some(digit) if last.1.is_empty() => last.0 = last.0 * 10 + u64::from(digit),
                Some(digit) => parts.push((u64::from(digit), String::new())),
                None => last.1.push(letter),
            }
        }
        parts
    };
    parts(left).cmp(&parts(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(by_number("Volume 9", "volume 10"), Ordering::Less);
        assert_eq!(by_number("volume 9", "Volume 9"), Ordering::Equal);
        assert_eq!(by_number("", "a"), Ordering::Less);
    }
}
