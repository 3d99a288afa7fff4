//! Judging a partition without building it: `cargo cubicle lint`.
//!
//! Each program's link line goes through the phases as far as the plan; what they
//! found and what the plan grants is a [`Report`], which takes the program's place in
//! a target directory of the lint's own. The command reads the reports, compares what
//! is granted with `Cubicle.lock`, and shows all of it in one of several [`format`]s.

pub mod exceptions;
pub mod fix;
pub mod format;
pub mod levels;
pub mod locked;
pub mod position;
pub mod report;
pub mod results;
pub mod rules;

pub use report::Report;
