//! Nothing: the program is C, has its own `main`, and is compiled by its Makefile.
//! `Cubicle.toml` says which of its objects belong to which cubicle.

#![no_main]
