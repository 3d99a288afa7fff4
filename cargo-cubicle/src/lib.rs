//! `cargo cubicle`: from a manifest to one partitioned binary. One module per
//! phase, in the order in which a build passes through them.

pub mod cli;
pub mod diagnostics;

pub mod manifest;
pub mod capture;
pub mod assign;
pub mod graph;
pub mod plan;
pub mod images;
pub mod gates;
pub mod compose;
pub mod pipeline;

pub mod symbolize;
pub mod vm;
