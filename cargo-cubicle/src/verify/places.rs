//! The pieces of which the texts in the plan are made. Every byte of a text belongs to
//! exactly one.

use std::collections::BTreeSet;

use cubicle_abi::layout::{
    CALLBACK_BASE, CALLBACK_SLOTS, CALLBACK_STRIDE, CLEAR_STRIDE, ENTRY_BASE, ENTRY_STRIDE,
    GATE_BASE, GATE_STRIDE, SITE_BASE, SITE_STRIDE, STUB_BASE,
};

use super::cursor::Cursor;
use super::file::File;
use super::plan::Text;
use super::report::{Finding, Rule};
use super::switch::Version;
use super::{entry, forbidden, gate, stubs};

/// A place in a text, and what must stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: PlaceKind,
    /// As the text's: a mechanism, or for register clearing a level.
    pub mechanism: u32,
    /// Where it is in the process.
    pub address: u64,
    /// Where it is in the plan, bytes.
    pub offset: usize,
    pub size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    Clear {
        kept: usize,
    },
    SystemCallGate(usize),
    ResumeStub(usize),
    Site(usize),
    CallbackStub {
        callback: usize,
        slot: usize,
    },
    Gate(usize),
    /// Nobody's: only INT3.
    Unused,
}

/// What decoding a place has brought.
#[derive(Debug, Default)]
pub struct Decoded {
    pub finding: Option<Finding>,
    pub instructions: usize,
    pub switches: usize,
    /// Addresses of forbidden bytes that belong there.
    pub intended: BTreeSet<u64>,
}

/// All places of all texts that stand where texts may.
pub fn all(file: &File<'_>) -> Vec<Place> {
    file.plan
        .texts
        .iter()
        .flat_map(|text| of(file, text))
        .collect()
}

/// The places of one text.
pub fn of(file: &File<'_>, text: &Text<'_>) -> Vec<Place> {
    let mut cutter = Cutter {
        text,
        at: 0,
        places: Vec::new(),
    };
    match text.address {
        STUB_BASE => {
            for kept in 0..stubs::ROUTINES {
                cutter.cut(CLEAR_STRIDE, PlaceKind::Clear { kept });
            }
        }
        ENTRY_BASE => {
            for cubicle in 0..file.plan.cubicles.len() {
                cutter.cut(ENTRY_STRIDE / 2, PlaceKind::SystemCallGate(cubicle));
                cutter.cut(ENTRY_STRIDE / 2, PlaceKind::ResumeStub(cubicle));
            }
        }
        SITE_BASE => {
            while !cutter.rest().is_empty() {
                let number = cutter.at / SITE_STRIDE as usize;
                let places = stubs::site_places(cutter.rest()) as u64;
                cutter.cut(places * SITE_STRIDE, PlaceKind::Site(number));
            }
        }
        CALLBACK_BASE => {
            for callback in 0..file.plan.callbacks.len() {
                for slot in 0..CALLBACK_SLOTS {
                    cutter.cut(CALLBACK_STRIDE, PlaceKind::CallbackStub { callback, slot });
                }
            }
        }
        GATE_BASE => {
            for (number, gate) in file.plan.gates.iter().enumerate() {
                let kind = match gate {
                    Some(_) => PlaceKind::Gate(number),
                    None => PlaceKind::Unused,
                };
                cutter.cut(GATE_STRIDE, kind);
            }
        }
        _ => {}
    }
    cutter.cut(u64::MAX, PlaceKind::Unused);
    cutter.places
}

struct Cutter<'a> {
    text: &'a Text<'a>,
    at: usize,
    places: Vec<Place>,
}

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.bytes[self.at..]
    }

    /// The next `size` bytes, or what is left.
    fn cut(&mut self, size: u64, kind: PlaceKind) {
        let size = self.rest().len().min(size as usize);
        if size == 0 {
            return;
        }
        self.places.push(Place {
            kind,
            mechanism: self.text.mechanism,
            address: self.text.address + self.at as u64,
            offset: self.text.offset + self.at,
            size,
        });
        self.at += size;
    }
}

/// Decodes what stands at a place: `code`, which need not be the file's.
pub fn decode(file: &File<'_>, place: &Place, code: &[u8]) -> Decoded {
    let plan = &file.plan;
    let mut cursor = Cursor::new(code, place.address);
    let version = Version {
        mechanism: place.mechanism,
        switch_pages: plan.header.entries.switch_pages,
    };
    let entries = &plan.header.entries;
    let of_cubicle = |cubicle: usize| entry::Template {
        cubicle,
        version,
        entries,
        rights: plan.cubicles[cubicle].rights,
    };
    let result = match place.kind {
        PlaceKind::Clear { kept } => stubs::clear(&mut cursor, place.mechanism, kept),
        PlaceKind::SystemCallGate(cubicle) => of_cubicle(cubicle).gate(&mut cursor),
        PlaceKind::ResumeStub(cubicle) => of_cubicle(cubicle).resume(&mut cursor),
        PlaceKind::Site(number) => stubs::patched(&mut cursor, file, number),
        PlaceKind::CallbackStub { callback, slot } => match plan.callbacks.get(callback) {
            Some(gate) => stubs::callback(&mut cursor, slot, *gate),
            None => cursor.end(),
        },
        PlaceKind::Gate(number) => match &plan.gates[number] {
            Some(gate) => gate::Template {
                gate,
                version,
                entries,
                rights_from: plan.cubicles[gate.from].rights,
                rights_to: plan.cubicles[gate.to].rights,
            }
            .read(&mut cursor),
            None => cursor.end(),
        },
        PlaceKind::Unused => cursor.end(),
    };
    let finding = result.err().map(|mismatch| {
        let rule = match place.kind {
            PlaceKind::Gate(_) => Rule::Gate,
            _ => Rule::Stub,
        };
        let message = format!("{}: {}", mismatch.step, mismatch.message);
        Finding::new(rule, mismatch.address, name(file, place), message)
            .showing(cursor.bytes_at(mismatch.address))
    });
    Decoded {
        finding,
        instructions: cursor.count,
        switches: cursor.switches,
        intended: cursor.intended,
    }
}

/// All that is wrong with `code` at a place, by itself.
pub fn check(file: &File<'_>, place: &Place, code: &[u8]) -> Vec<Finding> {
    let decoded = decode(file, place, code);
    let mut findings: Vec<Finding> = decoded.finding.into_iter().collect();
    let name = name(file, place);
    findings.extend(forbidden::in_text(
        code,
        place.address,
        &name,
        &decoded.intended,
    ));
    findings
}

/// What people call a place.
pub fn name(file: &File<'_>, place: &Place) -> String {
    let plan = &file.plan;
    let version = match (place.kind, place.mechanism) {
        (PlaceKind::Clear { .. }, level) => format!(" (vector level {level})"),
        (_, cubicle_abi::plan::MECHANISM_PKU) => " (keys)".to_owned(),
        (_, cubicle_abi::plan::MECHANISM_PAGETABLE) => " (page tables)".to_owned(),
        _ => String::new(),
    };
    let what = match place.kind {
        PlaceKind::Clear { kept } => format!("the routine that keeps {kept} vector registers"),
        PlaceKind::SystemCallGate(cubicle) => {
            format!("the system-call gate of {}", plan.name(cubicle))
        }
        PlaceKind::ResumeStub(cubicle) => format!("the resume stub of {}", plan.name(cubicle)),
        PlaceKind::Site(number) => format!("the stub of system call {number}"),
        PlaceKind::CallbackStub { callback, slot } => {
            format!("the stub of slot {slot} of callback {callback}")
        }
        PlaceKind::Gate(number) => match &plan.gates[number] {
            Some(gate) => format!(
                "the gate from {} to {}, `{}`",
                plan.name(gate.from),
                plan.name(gate.to),
                gate.name
            ),
            None => format!("the place of gate {number}"),
        },
        PlaceKind::Unused => "a place without code".to_owned(),
    };
    what + &version
}
