//! Nothing: the program is C. `build.rs` lists its own sources, and `Cubicle.toml` those of the library OS.

#![no_main]

// What SQLite is linked with.
extern crate libsqlite3_sys as _;
