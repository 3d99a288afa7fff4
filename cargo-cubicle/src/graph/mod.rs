//! What the objects and images of a program say about themselves: the
//! signatures of functions (from DWARF or from a C declaration), how the
//! System V calling convention carries them, source positions, and what a
//! function can reach.

pub mod declaration;
pub mod dwarf;
pub mod lines;
pub mod reach;
pub mod shape;
pub mod signature;
