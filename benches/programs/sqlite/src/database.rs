//! A thin layer over SQLite's C functions that makes the calls that rusqlite 0.37
//! makes: a column's value is asked for with `column_count`, `column_type` and the
//! function of its type.

use std::ffi::{c_char, c_int};
use std::ptr;

use libsqlite3_sys as ffi;

pub struct Database(*mut ffi::sqlite3);

pub struct Statement(*mut ffi::sqlite3_stmt);

impl Database {
    pub fn open() -> Database {
        let mut database = ptr::null_mut();
        let flags =
            ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: the name ends in a zero byte; the result goes to a variable.
        let status = unsafe {
            ffi::sqlite3_open_v2(c":memory:".as_ptr(), &mut database, flags, ptr::null())
        };
        assert_eq!(status, ffi::SQLITE_OK);
        Database(database)
    }

    pub fn prepare(&self, text: &str) -> Statement {
        let text = format!("{text}\0");
        let mut statement = ptr::null_mut();
        // SAFETY: the text is as long as SQLite is told, its zero byte included.
        let status = unsafe {
            ffi::sqlite3_prepare_v2(
                self.0,
                text.as_ptr().cast::<c_char>(),
                text.len() as c_int,
                &mut statement,
                ptr::null_mut(),
            )
        };
        assert_eq!(status, ffi::SQLITE_OK, "{text}");
        Statement(statement)
    }

    /// Runs a statement without rows.
    pub fn run(&self, text: &str) {
        let statement = self.prepare(text);
        assert!(!statement.step());
    }

    pub fn changes(&self) -> i64 {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_changes64(self.0) }
    }
}

// SAFETY, for every call below: the statement was prepared and not yet finalized,
// and indices are those of its text.
impl Statement {
    /// Whether there is a row.
    pub fn step(&self) -> bool {
        let status = unsafe { ffi::sqlite3_step(self.0) };
        assert!(status == ffi::SQLITE_ROW || status == ffi::SQLITE_DONE);
        status == ffi::SQLITE_ROW
    }

    pub fn reset(&self) {
        unsafe { ffi::sqlite3_reset(self.0) };
    }

    pub fn parameters(&self) -> c_int {
        unsafe { ffi::sqlite3_bind_parameter_count(self.0) }
    }

    pub fn bind_integer(&self, index: c_int, value: i64) {
        let status = unsafe { ffi::sqlite3_bind_int64(self.0, index, value) };
        assert_eq!(status, ffi::SQLITE_OK);
    }

    pub fn bind_real(&self, index: c_int, value: f64) {
        let status = unsafe { ffi::sqlite3_bind_double(self.0, index, value) };
        assert_eq!(status, ffi::SQLITE_OK);
    }

    pub fn bind_text(&self, index: c_int, text: &str) {
        let status = unsafe {
            ffi::sqlite3_bind_text(
                self.0,
                index,
                text.as_ptr().cast::<c_char>(),
                text.len() as c_int,
                ffi::SQLITE_TRANSIENT(),
            )
        };
        assert_eq!(status, ffi::SQLITE_OK);
    }

    pub fn columns(&self) -> c_int {
        unsafe { ffi::sqlite3_column_count(self.0) }
    }

    pub fn type_of(&self, column: c_int) -> c_int {
        unsafe { ffi::sqlite3_column_type(self.0, column) }
    }

    fn check(&self, column: c_int, type_: c_int) {
        assert!(column < self.columns());
        assert_eq!(self.type_of(column), type_);
    }

    pub fn integer(&self, column: c_int) -> i64 {
        self.check(column, ffi::SQLITE_INTEGER);
        self.integer_unchecked(column)
    }

    pub fn integer_unchecked(&self, column: c_int) -> i64 {
        unsafe { ffi::sqlite3_column_int64(self.0, column) }
    }

    pub fn real(&self, column: c_int) -> f64 {
        self.check(column, ffi::SQLITE_FLOAT);
        self.real_unchecked(column)
    }

    pub fn real_unchecked(&self, column: c_int) -> f64 {
        unsafe { ffi::sqlite3_column_double(self.0, column) }
    }

    pub fn text(&self, column: c_int) -> &str {
        self.check(column, ffi::SQLITE_TEXT);
        self.text_unchecked(column)
    }

    /// Two calls. Valid until the next step or reset.
    pub fn text_unchecked(&self, column: c_int) -> &str {
        let bytes = unsafe {
            let text = ffi::sqlite3_column_text(self.0, column);
            let length = ffi::sqlite3_column_bytes(self.0, column);
            std::slice::from_raw_parts(text, length as usize)
        };
        std::str::from_utf8(bytes).expect("SQLite was given UTF-8")
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        unsafe { ffi::sqlite3_finalize(self.0) };
    }
}
