//! A finished program as a seed, and damage where it decides what the rest means.

use std::fs;
use std::ops::Range;

use object::{Object, ObjectSection};

use crate::mutate::{Random, mutate};

#[allow(dead_code, reason = "the conditions of builds use all of it")]
#[path = "../conditions/project.rs"]
mod project;

/// A small program of two cubicles.
pub fn build() -> Vec<u8> {
    let project = project::Project::new(0);
    project.write("lib.c", "int number(void) { return 1; }\n");
    let mut command = project.build();
    let output = command.env("CARGO_PROFILE_DEV_STRIP", "symbols").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", project::text(&output));
    fs::read(project.program()).unwrap()
}

/// Damages the headers, the table of sections or the plan.
pub fn damage(program: &mut [u8], random: &mut Random) {
    let parts = parts(program);
    let part = parts[random.below(parts.len())].clone();
    let mut bytes = program[part.clone()].to_vec();
    let other = bytes.clone();
    mutate(&mut bytes, &other, random);
    // What lies behind it stays where it is.
    bytes.resize(part.len(), 0);
    program[part].copy_from_slice(&bytes);
}

fn parts(program: &[u8]) -> Vec<Range<usize>> {
    let file = object::File::parse(program).unwrap();
    let plan = file.section_by_name(".cubicle.plan").unwrap();
    let (start, size) = plan.file_range().unwrap();
    let plan = start as usize..(start + size) as usize;
    // ELF's header and the program headers; the plan's own header and tables; all of it.
    vec![
        0..0x600,
        program.len() - 0x800..program.len(),
        plan.start..plan.start + 0x400,
        plan,
    ]
}
