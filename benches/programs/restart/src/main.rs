//! Nothing: the program is C. `Cubicle.toml` lists its sources.

#![no_main]
