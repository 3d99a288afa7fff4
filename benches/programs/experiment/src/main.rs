//! Nothing: the program is C. `build.rs` says which sources it has.

#![no_main]

// What SQLite is linked with.
extern crate libsqlite3_sys as _;
