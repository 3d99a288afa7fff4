//! Statements, functions, an aggregate and a collation of its own, in memory and in a
//! file.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::{Connection, Result, params};

struct Longest;
impl Aggregate<String, String> for Longest {
    fn init(&self, _: &mut Context<'_>) -> Result<String> {
        Ok(String::new())
    }
    fn step(&self, context: &mut Context<'_>, longest: &mut String) -> Result<()> {
        let word: String = context.get(0)?;
        if word.len() > longest.len() {
            *longest = word;
        }
        Ok(())
    }
    fn finalize(&self, _: &mut Context<'_>, longest: Option<String>) -> Result<String> {
        Ok(longest.unwrap_or_default())
    }
}

fn main() -> Result<()> {
    let path = std::env::temp_dir().join("audit_rusqlite.db");
    let _ = std::fs::remove_file(&path);
    for db in [Connection::open_in_memory()?, Connection::open(&path)?] {
        work(db)?;
    }
    let _ = std::fs::remove_file(&path);
    Ok(())
}

fn work(db: Connection) -> Result<()> {
    db.execute_batch(
        "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL, weight REAL, data BLOB);",
    )?;
    {
        let mut insert = db.prepare("INSERT INTO word (text, weight, data) VALUES (?1, ?2, ?3)")?;
        for (number, word) in "so much depends upon a red wheel barrow"
            .split(' ')
            .enumerate()
        {
            insert.execute(params![word, number as f64 / 2.0, word.as_bytes()])?;
        }
        insert.execute(params!["", None::<f64>, &b""[..]])?;
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("shout", 1, flags, |context| {
        Ok(context.get::<String>(0)?.to_uppercase())
    })?;
    db.create_aggregate_function("longest", 1, flags, Longest)?;
    db.create_collation("backwards", |a, b| b.cmp(a))?;
    let mut query = db.prepare("SELECT id, text, weight, data, shout(text) FROM word WHERE id > ?1 ORDER BY text COLLATE backwards")?;
    let mut rows = query.query([2])?;
    while let Some(row) = rows.next()? {
        let (id, text, weight, data, loud): (i64, String, Option<f64>, Vec<u8>, String) = (
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        );
        println!("{id} {text} {weight:?} {} {loud}", data.len());
    }
    let longest: String = db.query_row("SELECT longest(text) FROM word", [], |row| row.get(0))?;
    println!("longest: {longest}");
    let error = db.prepare("SELEC nothing").unwrap_err();
    println!("error: {error}");
    println!(
        "changed: {}",
        db.execute("UPDATE word SET weight = 1 WHERE text LIKE 'r%'", [])?
    );
    println!("last: {}", db.last_insert_rowid());
    Ok(())
}
