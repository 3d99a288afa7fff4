//! The tables, and the database on files.

use std::error::Error;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, MAIN_DB, Result, params};

/// Title, year, pages.
const BOOKS: [(&str, i64, Option<f64>); 6] = [
    ("Volume 10: Gates", 1974, Some(310.0)),
    ("Volume 9: Windows", 1971, Some(250.5)),
    ("volume 9: keys", 1972, None),
    ("Ärgernisse", 1999, Some(96.0)),
    ("", 2001, Some(0.25)),
    ("Volume 2: Lends", 1969, Some(512.0)),
];

/// Creates the tables and fills them, each row with bound parameters.
pub fn create(database: &mut Connection) -> Result<()> {
    database.execute_batch(
        "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, year INTEGER, pages REAL);
         CREATE TABLE scan (id INTEGER PRIMARY KEY, content BLOB);",
    )?;
    let transaction = database.transaction()?;
    {
        let insert = "INSERT INTO book (title, year, pages) VALUES (?1, ?2, ?3)";
        let mut insert = transaction.prepare(insert)?;
        for (title, year, pages) in BOOKS {
            insert.execute(params![title, year, pages])?;
        }
    }
    transaction.commit()
}

/// Copies the database into a file, goes on there in WAL mode through two
/// connections, and works on a blob in pieces.
pub fn on_files(database: &Connection, folder: &Path) -> std::result::Result<(), Box<dyn Error>> {
    let path = folder.join("catalogue.db");
    let mut file = Connection::open(&path)?;
    {
        let backup = Backup::new(database, &mut file)?;
        let mut steps = 1;
        while backup.step(1)? == StepResult::More {
            steps += 1;
        }
        println!("copied in {steps} steps");
    }
    let mode: String =
        file.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    println!("journal mode {mode}");

    // What one connection has committed, the other one reads; what it has not, not.
    let reader = Connection::open(&path)?;
    reader.busy_timeout(Duration::from_millis(50))?;
    let count = || reader.query_row("SELECT count(*) FROM book", [], |row| row.get::<_, i64>(0));
    let transaction = file.transaction()?;
    for number in 0..500 {
        let title = format!("Volume {}: and so on", number + 11);
        let insert = "INSERT INTO book (title, year) VALUES (?1, ?2)";
        transaction
            .prepare_cached(insert)?
            .execute(params![title, 2000 + number % 25])?;
    }
    let before = count()?;
    let refused = reader.execute("DELETE FROM book", []);
    transaction.commit()?;
    println!("{before} books while writing, {} then", count()?);
    println!(
        "meanwhile: {}",
        refused
            .err()
            .map_or("no error".into(), |error| error.to_string())
    );

    file.execute(
        "INSERT INTO scan (content) VALUES (zeroblob(?1))",
        [100_000],
    )?;
    let mut blob = file.blob_open(MAIN_DB, "scan", "content", 1, false)?;
    let page: Vec<u8> = (0..40_000_u32).map(|number| (number % 251) as u8).collect();
    blob.seek(SeekFrom::Start(50_000))?;
    blob.write_all(&page)?;
    let mut back = Vec::new();
    blob.seek(SeekFrom::Start(49_999))?;
    blob.read_to_end(&mut back)?;
    let length = blob.len();
    blob.close()?;
    let same = back[0] == 0 && back[1..=page.len()] == page;
    println!("a blob of {length} bytes, written in the middle: {same}");

    drop(reader);
    file.close().map_err(|(_, error)| error)?;
    let wal = folder.join("catalogue.db-wal").exists();
    let years: i64 =
        Connection::open(&path)?.query_row("SELECT count(DISTINCT year) FROM book", [], |row| {
            row.get(0)
        })?;
    println!("closed: {years} years, log left: {wal}");
    Ok(())
}
