//! `cargo cubicle`: from a manifest to one partitioned binary. One module per
//! phase, in the order in which a build passes through them.

pub mod diagnostics;
pub mod manifest;
pub mod capture;
pub mod gates;
pub mod graph;
pub mod plan;
pub mod symbolize;
pub mod vm;
