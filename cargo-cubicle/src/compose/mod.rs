//! Phase 8: one ELF executable out of the monitor, the plan and all images.
//!
//! Its header is written fresh. Each loadable segment of each part becomes one
//! of the file, at the same address. The symbol table says `cubicle::symbol`,
//! and the images' debug information comes along if the profile keeps it.

mod debug;
mod elf;
pub mod gdb;
mod monitor;

pub use monitor::{Monitor, MonitorError};

use std::borrow::Cow;
use std::mem::offset_of;

use cubicle_abi::layout::{GATE_BASE, PLAN_BASE, STUB_BASE};
use cubicle_abi::plan::WINDOW_PREFIX;
use object::Endianness;
use object::elf::FileHeader64;

use crate::capture::Strip;
use crate::images::{Image, Segment};
use crate::plan::Plan;
use elf::{Builder, LoadSegment};

/// The section that says under which name the images lie beside the binary.
pub const NAME_SECTION: &str = ".cubicle.name";
/// The section that holds the plan.
pub const PLAN_SECTION: &str = ".cubicle.plan";

/// What is composed.
#[derive(Debug)]
pub struct Parts<'a> {
    pub monitor: &'a Monitor,
    pub plan: &'a Plan,
    pub encoded_plan: &'a [u8],
    pub images: &'a [Image],
    pub strip: Strip,
}

/// The bytes of the finished file.
///
/// # Errors
/// If an image's debug sections cannot be read.
pub fn compose(parts: &Parts<'_>) -> Result<Vec<u8>, object::Error> {
    let mut builder = Builder::new(parts.monitor.entry);
    for segment in &parts.monitor.segments {
        builder.load(LoadSegment {
            name: format!(
                ".cubicle.monitor.{}",
                suffix(segment.executable, segment.writable)
            ),
            address: segment.address,
            memory_size: segment.memory_size,
            bytes: parts.monitor.bytes[segment.file_offset as usize..]
                [..segment.file_size as usize]
                .into(),
            writable: segment.writable,
            executable: segment.executable,
        });
    }
    builder.load(LoadSegment {
        name: PLAN_SECTION.to_owned(),
        address: PLAN_BASE,
        memory_size: parts.encoded_plan.len() as u64,
        bytes: parts.encoded_plan.into(),
        writable: false,
        executable: false,
    });
    for (cubicle, image) in parts.plan.cubicles.iter().zip(parts.images) {
        for (index, segment) in image.segments.iter().enumerate() {
            builder.load(LoadSegment {
                name: format!(
                    ".{}.{}{index}",
                    cubicle.name,
                    suffix(segment.executable, segment.writable)
                ),
                address: segment.address,
                memory_size: segment.memory_size,
                bytes: without_sections(image, segment),
                writable: segment.writable,
                executable: segment.executable,
            });
        }
    }
    builder.note(NAME_SECTION, parts.plan.name.as_bytes().to_vec());
    if parts.strip != Strip::Symbols {
        symbols(parts, &mut builder);
    }
    if parts.strip == Strip::None {
        for (name, bytes) in debug::merge(parts.images)? {
            builder.note(&name, bytes);
        }
    }
    Ok(builder.finish())
}

/// What is loaded of an image. Its ELF header is part of that, and says where the
/// image's own file has section headers: there are none of those here, and their place
/// depends on how long the names of folders in its debug information are.
fn without_sections<'a>(image: &'a Image, segment: &Segment) -> Cow<'a, [u8]> {
    let bytes = &image.bytes[segment.file_offset as usize..][..segment.file_size as usize];
    if segment.file_offset != 0 || bytes.len() < size_of::<FileHeader64<Endianness>>() {
        return bytes.into();
    }
    let mut bytes = bytes.to_vec();
    for field in [
        offset_of!(FileHeader64<Endianness>, e_shoff)
            ..offset_of!(FileHeader64<Endianness>, e_flags),
        offset_of!(FileHeader64<Endianness>, e_shnum)..size_of::<FileHeader64<Endianness>>(),
    ] {
        bytes[field].fill(0);
    }
    bytes.into()
}

fn suffix(executable: bool, writable: bool) -> &'static str {
    match (executable, writable) {
        (true, _) => "text",
        (false, true) => "data",
        (false, false) => "constants",
    }
}

/// A name without what LLVM adds when it makes a module's own symbol known to others:
/// a hash of that module, in which the names of folders are.
fn without_module(name: &str) -> &str {
    match name.rsplit_once(".llvm.") {
        Some((name, hash)) if hash.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// `cubicle::symbol` for everything in the images, and the names of gates.
fn symbols(parts: &Parts<'_>, builder: &mut Builder<'_>) {
    for symbol in &parts.monitor.symbols {
        builder.symbol(
            format_args!("cubicle::{}", symbol.name),
            symbol.address,
            symbol.size,
            symbol.function,
        );
    }
    for (cubicle, image) in parts.plan.cubicles.iter().zip(parts.images) {
        for symbol in &image.symbols {
            // Addresses of gates stand for others' functions; they are named
            // below.
            let own = (cubicle.base..cubicle.end).contains(&symbol.address);
            let window = parts
                .plan
                .windows
                .iter()
                .find(|window| (window.base..window.end).contains(&symbol.address));
            if let Some(window) = window
                && window.globals.contains_key(&symbol.name)
                && symbol.size > 0
            {
                builder.symbol(
                    format_args!("{WINDOW_PREFIX}{}::{}", window.name, symbol.name),
                    symbol.address,
                    symbol.size,
                    false,
                );
            }
            if own && !symbol.thread_local && (symbol.size > 0 || symbol.global) {
                builder.symbol(
                    format_args!("{}::{}", cubicle.name, without_module(&symbol.name)),
                    symbol.address,
                    symbol.size,
                    symbol.function,
                );
            }
        }
    }
    for (index, gate) in parts.plan.gates.iter().enumerate() {
        let Some(gate) = gate else {
            continue;
        };
        builder.symbol(
            format_args!(
                "gate::{}->{}::{}",
                parts.plan.cubicles[gate.from].name, parts.plan.cubicles[gate.to].name, gate.symbol
            ),
            GATE_BASE + index as u64 * cubicle_abi::layout::GATE_STRIDE,
            cubicle_abi::layout::GATE_STRIDE,
            true,
        );
    }
    builder.symbol(format_args!("cubicle::stubs"), STUB_BASE, 0, true);
}
