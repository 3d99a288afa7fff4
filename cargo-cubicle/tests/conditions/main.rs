//! What can befall a build or a program from outside: a full disk, a signal, another build in
//! the same place, a kernel that lacks something. A build either succeeds or says why not, and
//! the program that was there before stays whole; a program either runs or says why not.

mod at_once;
mod disk;
mod kernels;
mod killed;
#[path = "../common/outside.rs"]
mod outside;
mod project;
