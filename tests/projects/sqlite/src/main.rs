//! Fills a table in memory and reads it back.

use std::ffi::CStr;
use std::ptr;

use libsqlite3_sys as ffi;

const STATEMENTS: [&str; 3] = [
    "CREATE TABLE t (a INTEGER, b TEXT)\0",
    "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (40, 'forty')\0",
    "SELECT sum(a), group_concat(b, ' ') FROM t\0",
];

fn main() {
    // SAFETY: what SQLite is given is as long as it is told and ends in a zero
    // byte; statements are used between their preparation and their end.
    unsafe {
        let mut database = ptr::null_mut();
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;
        let status =
            ffi::sqlite3_open_v2(c":memory:".as_ptr(), &mut database, flags, ptr::null());
        assert_eq!(status, ffi::SQLITE_OK);
        for text in STATEMENTS {
            let mut statement = ptr::null_mut();
            let status = ffi::sqlite3_prepare_v2(
                database,
                text.as_ptr().cast(),
                text.len() as i32,
                &mut statement,
                ptr::null_mut(),
            );
            assert_eq!(status, ffi::SQLITE_OK, "{text}");
            while ffi::sqlite3_step(statement) == ffi::SQLITE_ROW {
                let columns = ffi::sqlite3_column_count(statement);
                let sum = ffi::sqlite3_column_int64(statement, 0);
                let names = CStr::from_ptr(ffi::sqlite3_column_text(statement, 1).cast());
                println!("{columns} {sum} {}", names.to_str().expect("ASCII"));
            }
            assert_eq!(ffi::sqlite3_finalize(statement), ffi::SQLITE_OK);
        }
        assert_eq!(ffi::sqlite3_close(database), ffi::SQLITE_OK);
    }
}
