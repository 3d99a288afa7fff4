//! The monitor's image, which the tool carries.

use cubicle_abi::defences::Defences;
use cubicle_abi::layout::{MONITOR_BASE, MONITOR_END};
use cubicle_abi::plan::Entries;

use crate::gates::MonitorEntries;
use crate::images::{Image, ImageError, Segment, Symbol};

/// The image, linked at its address when the tool was built.
const IMAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/monitor"));

/// The monitor, taken apart.
#[derive(Debug)]
pub struct Monitor {
    pub bytes: &'static [u8],
    pub entry: u64,
    pub segments: Vec<Segment>,
    pub symbols: Vec<Symbol>,
    pub entries: MonitorEntries,
    /// The same and more, as the plan says it.
    pub planned_entries: Entries,
}

/// The monitor in this tool is not usable: a defect of the tool's build.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    #[error("the monitor in this tool cannot be read")]
    Image(#[from] ImageError),
    #[error("the monitor in this tool has no `{0}`")]
    Missing(&'static str),
}

impl Monitor {
    /// Reads the embedded image.
    ///
    /// # Errors
    /// If it was not built as the tool expects.
    pub fn embedded() -> Result<Monitor, MonitorError> {
        let image = Image::read("monitor", IMAGE.to_vec(), MONITOR_BASE..MONITOR_END, &[])?;
        let address =
            |name: &'static str| image.address_of(name).ok_or(MonitorError::Missing(name));
        let entries = MonitorEntries {
            switch_pages: address("cubicle_switch_pages")?,
            system_call: address("cubicle_system_call")?,
            gate_enter: address("cubicle_gate_enter")?,
            gate_leave: address("cubicle_gate_leave")?,
            without: Defences::NONE,
        };
        let planned_entries = Entries {
            switch_pages: entries.switch_pages,
            system_call: entries.system_call,
            gate_enter: entries.gate_enter,
            gate_leave: entries.gate_leave,
            signal: address("cubicle_signal_entry_keys")?,
            raise_first: address("cubicle_raise_first")?,
            call_as: address("cubicle_call_as_keys")?,
        };
        Ok(Monitor {
            bytes: IMAGE,
            entry: image.entry,
            segments: image.segments,
            symbols: image.symbols,
            entries,
            planned_entries,
        })
    }
}
