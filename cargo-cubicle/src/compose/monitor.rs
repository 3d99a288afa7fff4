//! The monitor's image, which the tool carries.

use cubicle_abi::defences::Defences;
use cubicle_abi::layout::{MONITOR_BASE, MONITOR_END};

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
        Ok(Monitor {
            bytes: IMAGE,
            entry: image.entry,
            segments: image.segments,
            symbols: image.symbols,
            entries,
        })
    }
}
