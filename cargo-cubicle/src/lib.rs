//! `cargo cubicle`: from a manifest to one partitioned binary. One module per
//! phase, in the order in which a build passes through them.

pub mod cli;
pub mod diagnostics;

pub mod assign;
pub mod audit;
pub mod authority;
pub mod capture;
pub mod compose;
pub mod draft;
pub mod gates;
pub mod graph;
pub mod images;
pub mod lint;
pub mod manifest;
pub mod measure;
pub mod picture;
pub mod pipeline;
pub mod plan;

pub mod symbolize;
pub mod verify;
pub mod vm;

mod files;
mod similar;
