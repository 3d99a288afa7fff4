//! SQLite in memory, with the calls that rusqlite makes for the same work, and
//! what single calls cost. Prints "NAME NANOSECONDS" for each row or call.

mod database;
mod measure;

use std::hint::black_box;

use database::{Database, Statement};
use libsqlite3_sys as ffi;
use measure::measure;

/// So few that a round is shorter than a time slice.
const ROWS: i64 = 500;
const TEXT: &str = "a text of about thirty bytes..";

fn main() {
    let database = Database::open();
    database.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b REAL, c TEXT)");
    let insert = database.prepare("INSERT INTO t VALUES (?, ?, ?)");
    measure("insert", ROWS, || {
        database.run("DELETE FROM t");
        database.run("BEGIN");
        for row in 0..ROWS {
            insert_row(&database, &insert, row);
        }
        database.run("COMMIT");
    });

    let aggregate = database.prepare("SELECT sum(a), avg(b), max(length(c)) FROM t");
    measure("aggregate", ROWS, || {
        let mut rows = 0;
        while aggregate.step() {
            assert_eq!(aggregate.integer(0), ROWS * (ROWS - 1) / 2);
            rows += 1;
        }
        aggregate.reset();
        assert_eq!(rows, 1);
    });

    let all = database.prepare("SELECT a, b, c FROM t");
    measure("rows", ROWS, || {
        let (mut sum, mut bytes) = (0, 0);
        while all.step() {
            sum += all.integer(0) + all.real(1) as i64;
            bytes += all.text(2).len();
        }
        all.reset();
        assert_eq!(sum, ROWS * (ROWS - 1));
        assert_eq!(bytes, ROWS as usize * TEXT.len());
    });

    assert!(all.step());
    gates(&all);
    all.reset();

    let point = database.prepare("SELECT b, c FROM t WHERE a = ?");
    measure("points", ROWS, || {
        for row in 0..ROWS {
            // A fixed walk through all rows.
            let key = row * 247 % ROWS;
            assert_eq!(point.parameters(), 1);
            point.bind_integer(1, key);
            assert!(point.step());
            assert_eq!(point.real(0) as i64, key);
            assert_eq!(point.text(1).len(), TEXT.len());
            point.reset();
        }
    });
}

/// What single calls cost, through each kind of gate that is used for rows:
/// without and with a switch of FS, and with an argument that is lent.
fn gates(row: &Statement) {
    const TURNS: i64 = 1_000;
    measure("gate", TURNS, || {
        for _ in 0..TURNS {
            assert_eq!(black_box(row).columns(), 3);
        }
    });
    measure("gate-fs", TURNS * 8, || {
        for _ in 0..TURNS {
            let row = black_box(row);
            black_box((row.type_of(0), row.integer_unchecked(0)));
            black_box((row.type_of(1), row.real_unchecked(1)));
            black_box((row.type_of(2), row.text_unchecked(2)));
            black_box(row.type_of(0));
        }
    });
    measure("gate-lending", TURNS, || {
        for _ in 0..TURNS {
            // SAFETY: a string with its zero byte.
            black_box(unsafe { ffi::sqlite3_complete(c"".as_ptr()) });
        }
    });
}

fn insert_row(database: &Database, insert: &Statement, row: i64) {
    assert_eq!(insert.parameters(), 3);
    insert.bind_integer(1, row);
    insert.bind_real(2, row as f64);
    insert.bind_text(3, TEXT);
    assert!(!insert.step());
    insert.reset();
    assert_eq!(database.changes(), 1);
}
