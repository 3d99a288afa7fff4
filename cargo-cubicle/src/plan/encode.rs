//! The plan as the monitor reads it: plain data, at its fixed address.

use cubicle_abi::layout::{PLAN_BASE, PLAN_END};
use cubicle_abi::plan::{
    Cubicle, Entries, FILES_WRITE, FilePlace, GATE_CALLEE_SEES, GATE_CALLER_SEES, GATE_ERRNO,
    GATE_FAST, GATE_FS, GATE_LENDING, GATE_SCRUBS, GATE_UNION, GATE_VARIADIC, GATE_X87, Gate,
    Header, ISOLATION_AUDIT, KeyedWindow, Lend, MAGIC, PLAN_DUMPS, PLAN_MEASURED, Probe, Registers,
    Segment, Slice, Text, VERSION, WINDOW_PREFIX,
};

use std::ops::Range;

use super::Plan;
use crate::gates::{GateKind, GateSpec};
use crate::images::{Image, SPARE_FUNCTION};

/// A piece of executable text and where it goes.
#[derive(Debug)]
pub struct TextPiece {
    pub mechanism: u32,
    pub address: u64,
    pub bytes: Vec<u8>,
}

/// The plan does not fit its range of addresses.
#[derive(Debug, thiserror::Error)]
#[error("the plan takes {size} bytes; there is room for {room}")]
pub struct PlanTooLarge {
    pub size: u64,
    pub room: u64,
}

/// What may be written as it lies in memory.
///
/// # Safety
/// No padding and no pointers.
unsafe trait Plain {}
// SAFETY: structures of fixed-size integers that leave no gaps; the tests of
// this module check their sizes.
unsafe impl Plain for Header {}
// SAFETY: as above.
unsafe impl Plain for Cubicle {}
// SAFETY: as above.
unsafe impl Plain for FilePlace {}
// SAFETY: as above.
unsafe impl Plain for KeyedWindow {}
// SAFETY: as above.
unsafe impl Plain for Gate {}
// SAFETY: as above.
unsafe impl Plain for Lend {}
// SAFETY: as above.
unsafe impl Plain for Probe {}
// SAFETY: as above.
unsafe impl Plain for Segment {}
// SAFETY: as above.
unsafe impl Plain for Text {}

fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: `Plain` says that every byte is initialised.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    fn raw(&mut self, bytes: &[u8]) -> Slice {
        self.align();
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        Slice {
            offset,
            count: bytes.len() as u32,
        }
    }

    fn all<T: Plain>(&mut self, values: &[T]) -> Slice {
        self.align();
        let offset = self.bytes.len() as u32;
        for value in values {
            self.bytes.extend_from_slice(bytes_of(value));
        }
        Slice {
            offset,
            count: values.len() as u32,
        }
    }
}

/// Encodes the plan with what the images turned out to be. `targets` has the
/// address of each gate's function, `specs` what the gates that exist are emitted
/// from, in order of their numbers.
///
/// # Errors
/// If it does not fit.
pub fn encode(
    plan: &Plan,
    images: &[Image],
    targets: &[u64],
    specs: &[GateSpec],
    texts: &[TextPiece],
    entries: Entries,
) -> Result<Vec<u8>, PlanTooLarge> {
    let mut writer = Writer {
        bytes: vec![0; size_of::<Header>()],
    };
    let name = writer.raw(plan.name.as_bytes());
    let mut cubicles = Vec::new();
    for (cubicle, image) in plan.cubicles.iter().zip(images) {
        let name = writer.raw(cubicle.name.as_bytes());
        let segments = writer.all(&segments_in(
            &(cubicle.base..cubicle.end),
            image,
            cubicle.key,
        ));
        let files: Vec<FilePlace> = cubicle
            .narrowing
            .places
            .iter()
            .flatten()
            .map(|place| FilePlace {
                path: writer.raw(place.path.as_bytes()),
                flags: if place.writable { FILES_WRITE } else { 0 },
                reserved: 0,
            })
            .collect();
        let files = writer.all(&files);
        cubicles.push(Cubicle {
            name,
            rights: cubicle.rights.0,
            key: cubicle.key,
            entry: image.entry,
            program_headers: image.program_headers,
            program_header_count: image.program_header_count,
            exit: image.address_of("exit").unwrap_or(0),
            spare: image.address_of(SPARE_FUNCTION).unwrap_or(0),
            memory: cubicle.memory,
            stack: cubicle.stack,
            segments,
            granted: cubicle.grants.bits(),
            flags: cubicle.grants.flags() | cubicle.narrowing.flags(),
            files,
            restarts: cubicle.restarts,
            reserved: 0,
        });
    }
    let mut windows = Vec::new();
    for window in &plan.windows {
        let name = writer.raw(format!("{WINDOW_PREFIX}{}", window.name).as_bytes());
        let range = window.base..window.end;
        let segments = writer.all(&segments_in(&range, &images[window.owner], window.key));
        windows.push(KeyedWindow {
            name,
            segments,
            owner: window.owner as u32,
            key: window.key,
            memory: window.memory,
        });
    }
    let mut gates = Vec::new();
    let mut specs = specs.iter();
    for (gate, target) in plan.gates.iter().zip(targets) {
        gates.push(match gate {
            Some(gate) => {
                let name = writer.raw(gate.symbol.as_bytes());
                let lends = writer.all(&gate.lends);
                let probes = probes(&mut writer, &gate.probes);
                let spec = specs.next().expect("each gate has a specification");
                Gate {
                    name,
                    from: gate.from as u32,
                    to: gate.to as u32,
                    target: *target,
                    lends,
                    stack_words: gate.shape.stack_words as u32,
                    callback: gate.callback.map_or(0, |number| number as u32 + 1),
                    probes,
                    fault_value: gate.fault.value,
                    fault_errno: gate.fault.errno,
                    kind: kind(spec.kind),
                    registers: Registers {
                        integers: spec.shape.integers as u8,
                        vectors: spec.shape.vectors as u8,
                        result_integers: spec.shape.result.integers as u8,
                        result_vectors: spec.shape.result.vectors as u8,
                        reserved: 0,
                    },
                    flags: flags(spec),
                    errno_callee: spec.errno.map_or(0, |errno| errno.callee),
                    errno_caller: spec.errno.map_or(0, |errno| errno.caller),
                }
            }
            // Nobody's: it must not look like an edge.
            None => Gate {
                name: Slice::default(),
                from: u32::MAX,
                to: u32::MAX,
                target: 0,
                lends: Slice::default(),
                stack_words: 0,
                callback: 0,
                probes: Slice::default(),
                fault_value: 0,
                fault_errno: 0,
                kind: GATE_FAST,
                registers: Registers::default(),
                flags: 0,
                errno_callee: 0,
                errno_caller: 0,
            },
        });
    }
    let texts: Vec<Text> = texts
        .iter()
        .map(|text| Text {
            mechanism: text.mechanism,
            reserved: 0,
            address: text.address,
            bytes: writer.raw(&text.bytes),
        })
        .collect();
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        isolation: plan.isolation,
        name,
        cubicles: writer.all(&cubicles),
        gates: writer.all(&gates),
        texts: writer.all(&texts),
        main: plan.main as u32,
        flags: if plan.dumps { PLAN_DUMPS } else { 0 }
            | if plan.measured { PLAN_MEASURED } else { 0 },
        windows: writer.all(&windows),
        build: match plan.isolation {
            ISOLATION_AUDIT => identity(&writer.bytes, images),
            _ => 0,
        },
        size: 0,
        without: plan.without,
        entries,
    };
    let header = Header {
        size: writer.bytes.len() as u64,
        ..header
    };
    writer.bytes[..size_of::<Header>()].copy_from_slice(bytes_of(&header));
    let (size, room) = (writer.bytes.len() as u64, PLAN_END - PLAN_BASE);
    if size > room {
        return Err(PlanTooLarge { size, room });
    }
    Ok(writer.bytes)
}

fn kind(kind: GateKind) -> u32 {
    match kind {
        GateKind::Fast => GATE_FAST,
        GateKind::Union => GATE_UNION,
        GateKind::CallerSees => GATE_CALLER_SEES,
        GateKind::CalleeSees => GATE_CALLEE_SEES,
        GateKind::Lending => GATE_LENDING,
    }
}

fn flags(spec: &GateSpec) -> u16 {
    [
        (spec.switch_fs, GATE_FS),
        (spec.callee_uses_x87, GATE_X87),
        (spec.scrub_vectors, GATE_SCRUBS),
        (spec.shape.variadic, GATE_VARIADIC),
        (spec.errno.is_some(), GATE_ERRNO),
    ]
    .into_iter()
    .filter_map(|(set, flag)| set.then_some(flag))
    .sum()
}

/// Which audit build an encoded plan is of.
pub fn build_of(plan: &[u8]) -> Option<u64> {
    let at = std::mem::offset_of!(Header, build);
    let bytes = plan.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes)).filter(|build| *build != 0)
}

/// What tells one audit build from another: FNV-1a of all that was linked.
fn identity(plan: &[u8], images: &[Image]) -> u64 {
    let images = images.iter().flat_map(|image| &image.bytes);
    plan.iter()
        .chain(images)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

fn probes(writer: &mut Writer, probes: &[super::probes::Probe]) -> Slice {
    let encoded: Vec<Probe> = probes
        .iter()
        .map(|probe| Probe {
            path: writer.raw(probe.path.as_bytes()),
            place: probe.place,
            flags: probe.flags,
            size: probe.size,
        })
        .collect();
    writer.all(&encoded)
}

/// Whole pages of what an image has in a slot, with their keys: what cannot be
/// written is public.
fn segments_in(slot: &Range<u64>, image: &Image, key: u32) -> Vec<Segment> {
    use cubicle_abi::layout::{page_down, page_up};
    use cubicle_abi::rights::KEY_PUBLIC;
    image
        .segments
        .iter()
        .filter(|segment| slot.contains(&segment.address))
        .map(|segment| Segment {
            start: page_down(segment.address),
            end: page_up(segment.address + segment.memory_size),
            protection: u32::from(segment.readable)
                | u32::from(segment.writable) << 1
                | u32::from(segment.executable) << 2,
            key: if segment.writable { key } else { KEY_PUBLIC },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_no_padding() {
        assert_eq!(
            size_of::<Header>(),
            8 + 2 * 4 + 4 * 8 + 2 * 4 + 4 * 8 + 8 + 7 * 8
        );
        assert_eq!(
            size_of::<Cubicle>(),
            8 + 2 * 4 + 7 * 8 + 8 + 8 * 8 + 8 + 8 + 2 * 4
        );
        assert_eq!(size_of::<FilePlace>(), 8 + 2 * 4);
        assert_eq!(
            size_of::<Gate>(),
            8 + 2 * 4 + 8 + 8 + 2 * 4 + 8 + 8 + 2 * 4 + 6 + 2 + 2 * 4
        );
        assert_eq!(size_of::<Probe>(), 8 + 16 + 2 * 4);
        assert_eq!(size_of::<KeyedWindow>(), 2 * 8 + 2 * 4 + 8);
        assert_eq!(size_of::<Lend>(), 16 + 2 * (16 + 2 * 24) + 2 * 8 + 2 * 4);
        assert_eq!(size_of::<Segment>(), 2 * 8 + 2 * 4);
        assert_eq!(size_of::<Text>(), 2 * 4 + 8 + 8);
    }
}
