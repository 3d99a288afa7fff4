//! `cargo cubicle`: from a manifest to one partitioned binary. One module per
//! phase, in the order in which a build passes through them.

pub mod capture;
pub mod cli;
pub mod diagnostics;
pub mod graph;
pub mod manifest;
pub mod vm;
