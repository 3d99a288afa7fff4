//! Phase 9: the finished file, read again by code that did not build it.
//!
//! All this knows is the file, the plan in it, and the contract in `runtime/abi`.
//! It uses nothing of `gates/`, `compose/` and `images/`: what those should have
//! written is described here a second time, as what must be found.
//! `docs/VERIFY.md` lists the rules, and says what they cannot see.

mod branches;
mod cursor;
mod entry;
mod file;
mod forbidden;
mod gate;
mod monitor;
mod places;
mod plan;
mod pointers;
mod report;
mod rights;
mod segments;
mod step;
mod stubs;
mod switch;
mod texts;
mod thread_locals;

use cubicle_abi::plan::Entries;

pub use file::{File, Unreadable};
pub use places::{Place, PlaceKind, all as places, check as check_place};
pub use plan::{Cubicle, Gate, Plan, Text};
pub use report::{Finding, Report, Rule};

/// A monitor that a file's can be compared with: its image, and where it is entered.
#[derive(Clone, Copy, Debug)]
pub struct Monitor<'a> {
    pub image: &'a [u8],
    pub entries: Entries,
}

/// Verifies the bytes of a finished file. Most of its monitor must be believed, unless it is
/// this `monitor`.
///
/// # Errors
/// If it is not one that this version of the tool makes. What is wrong with one that
/// is stands in the report.
pub fn verify(bytes: &[u8], monitor: Option<Monitor<'_>>) -> Result<Report, Unreadable> {
    let file = File::read(bytes)?;
    let mut report = Report::of(&file);
    report.own_monitor =
        monitor.is_some_and(|own| monitor::is_same(&file, own.image, &own.entries));
    segments::check(&file, &mut report);
    rights::check(&file, &mut report);
    let intended = texts::check(&file, &mut report);
    thread_locals::check(&file, &mut report);
    monitor::check(&file, &mut report);
    forbidden::check(&file, &intended, &mut report);
    branches::check(&file, &mut report);
    pointers::check(&file, &mut report);
    report.finish();
    Ok(report)
}
