//! Phase 4: what the objects and images of a program say about themselves: who
//! defines and who refers to which symbol, the signatures of functions (from
//! DWARF or from a C declaration), how the System V calling convention carries
//! them, source positions, and what a function can reach.

pub mod contents;
pub mod declaration;
pub mod dwarf;
pub mod edges;
pub mod flow;
pub mod lines;
pub mod reach;
pub mod shape;
pub mod signature;
pub mod signatures;
pub mod symbols;
