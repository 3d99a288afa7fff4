//! Pages that are opened for one instruction, or until the next switch, and text
//! that is closed while somebody else runs.

use super::memory::{Memory, OpenPage};
use super::noting;
use crate::machine::kernel::{self, PROT_EXEC, PROT_READ, number};
use crate::machine::rights::effective;
use cubicle_abi::layout::PAGE;
use cubicle_abi::rights::{Rights, cubicle_key};

/// Opens a page of `owner` as its own mapping has it.
pub fn open(page: u64, protection: u32) {
    protect(page, page + PAGE, protection);
}

/// Closes the pages of the instruction that was stepped over.
pub fn close_stepped(memory: &mut Memory, rights: Rights) {
    for open in memory.stepped.all() {
        close(open, rights);
    }
    memory.stepped.length = 0;
}

fn close(open: &OpenPage, rights: Rights) {
    let key = cubicle_key(open.owner as usize);
    let protection = effective(rights, key, open.protection);
    protect(open.page, open.page + PAGE, protection);
}

/// The rights that the page tables stand for change.
pub fn switch(old: Rights, new: Rights) {
    noting(|memory| {
        close_stepped(memory, new);
        for open in memory.left.all() {
            close(open, new);
        }
        memory.left.length = 0;
    });
    let Some(plan) = super::on().then(crate::process::plan).flatten() else {
        return;
    };
    for (index, cubicle) in plan.cubicles().iter().enumerate() {
        let runs = |rights: Rights| rights.0 == cubicle.rights;
        if runs(old) != runs(new) {
            text(index, runs(new));
        }
    }
}

/// Makes the text of a cubicle executable, or only readable.
pub fn text(index: usize, executable: bool) {
    let Some(plan) = crate::process::plan() else {
        return;
    };
    let Some(cubicle) = plan.cubicles().get(index) else {
        return;
    };
    let segments = plan.segments(cubicle).iter();
    for segment in segments.filter(|segment| segment.protection & PROT_EXEC != 0) {
        let protection = if executable {
            segment.protection
        } else {
            PROT_READ
        };
        protect(segment.start, segment.end, protection);
    }
}

pub fn protect(start: u64, end: u64, protection: u32) {
    // SAFETY: the range is part of a mapping of a cubicle's, and an audit protects
    // nothing.
    let result = unsafe {
        kernel::call(
            number::MPROTECT,
            [start, end - start, protection.into(), 0, 0, 0],
        )
    };
    if result < 0 {
        crate::violation::fatal("the kernel refused to change a page protection");
    }
}
