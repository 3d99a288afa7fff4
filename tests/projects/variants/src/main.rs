//! Nothing: the program is C, and `Cubicle.toml` lists its sources.

#![no_main]
