//! Threads: each with a connection of its own, to memory and to one file, and all
//! of them with the same connection, which SQLite then locks by itself.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, Result, params};

const THREADS: i64 = 8;
const ROWS: i64 = 200;

pub fn show(folder: &Path) -> Result<()> {
    let sums = all(|own| in_memory(own).expect("a database in memory"));
    println!("each its own: {sums:?}");
    let file = folder.join("threads.db");
    in_file(&file)?;
    shared()
}

/// What `work` answers on each thread, in order. Where there can be no further thread,
/// as in an audit, this one does the work.
fn all<T: Send>(work: impl Fn(i64) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|own| {
                let thread = thread::Builder::new();
                (own, thread.spawn_scoped(scope, move || work(own)))
            })
            .collect();
        threads
            .into_iter()
            .map(|(own, thread)| match thread {
                Ok(thread) => thread.join().expect("the thread ends"),
                Err(_) => work(own),
            })
            .collect()
    })
}

/// SQLite calls this thread's function for each row.
fn in_memory(own: i64) -> Result<i64> {
    let mut database = Connection::open_in_memory()?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    database.create_scalar_function("mine", 1, flags, move |call| {
        Ok(call.get::<i64>(0)? * (own + 1))
    })?;
    database.execute_batch("CREATE TABLE number (value INTEGER, text TEXT)")?;
    let rows = database.transaction()?;
    for value in 0..ROWS {
        rows.execute(
            "INSERT INTO number VALUES (?1, ?2)",
            params![value, format!("{own}:{value}")],
        )?;
    }
    rows.commit()?;
    let mut mine = database.prepare("SELECT mine(value), text FROM number ORDER BY value DESC")?;
    let sum = mine
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?
        .map(|row| {
            row.map(|(value, text)| {
                assert_eq!(text, format!("{own}:{}", value / (own + 1)));
                value
            })
        })
        .sum();
    sum
}

/// Writers of one file wait for each other.
fn in_file(file: &Path) -> Result<()> {
    let database = Connection::open(file)?;
    database.execute_batch("CREATE TABLE entry (thread INTEGER, number INTEGER)")?;
    all(|own| {
        let write = || -> Result<()> {
            let mut database = Connection::open(file)?;
            database.busy_timeout(Duration::from_secs(60))?;
            for number in 0..5 {
                let rows =
                    database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                rows.execute("INSERT INTO entry VALUES (?1, ?2)", params![own, number])?;
                rows.commit()?;
            }
            Ok(())
        };
        write().expect("a row in the file");
    });
    let (rows, sum): (i64, i64) = database.query_row(
        "SELECT count(*), sum(thread * number) FROM entry",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    println!("in one file: {rows} rows, {sum}");
    Ok(())
}

/// One connection for all.
fn shared() -> Result<()> {
    struct Handle(*mut rusqlite::ffi::sqlite3);
    // SAFETY: the connection is opened in serialized mode.
    unsafe impl Sync for Handle {}

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_FULL_MUTEX;
    let database = Connection::open_with_flags(":memory:", flags)?;
    database.execute_batch("CREATE TABLE entry (thread INTEGER, number INTEGER)")?;
    // SAFETY: the handle is not closed before the threads have ended.
    let handle = Handle(unsafe { database.handle() });
    let handle = &handle;
    all(|own| {
        let write = || -> Result<()> {
            // SAFETY: as above; what is made from a handle does not close it.
            let database = unsafe { Connection::from_handle(handle.0) }?;
            for number in 0..ROWS {
                database.execute("INSERT INTO entry VALUES (?1, ?2)", params![own, number])?;
                let least: i64 = database.query_row(
                    "SELECT count(*) FROM entry WHERE thread = ?1",
                    [own],
                    |row| row.get(0),
                )?;
                assert_eq!(least, number + 1);
            }
            Ok(())
        };
        write().expect("a row in the shared database");
    });
    let (rows, sum): (i64, i64) = database.query_row(
        "SELECT count(*), sum(thread * number) FROM entry",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    println!("one for all: {rows} rows, {sum}");
    Ok(())
}
