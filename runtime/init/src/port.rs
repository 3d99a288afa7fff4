//! The way back to the tool.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::{system, wire};

/// Shared by the threads that read a job's output, one frame at a time.
pub struct Port(Mutex<File>);

impl Port {
    /// A virtio port where the kernel has such things built in: it moves whole
    /// buffers. Else the second serial line, which every kernel for PCs has.
    pub fn open() -> Result<Port, String> {
        let virtio = virtio();
        let device = virtio.as_deref().unwrap_or(Path::new(wire::SERIAL));
        let open = || {
            let file = OpenOptions::new()
                .write(true)
                .read(virtio.is_none())
                .open(device)?;
            if virtio.is_none() {
                system::make_raw(&file)?;
            }
            Ok(Port(Mutex::new(file)))
        };
        open().map_err(|error: std::io::Error| format!("{}: {error}", device.display()))
    }

    /// Sends one frame; returns when the kernel has taken it.
    pub fn send(&self, kind: u8, job: u32, payload: &[u8]) -> Result<(), String> {
        let mut text = wire::header(kind, job, payload.len()).to_vec();
        text.extend_from_slice(payload);
        let mut file = self.0.lock().map_err(|_| "a thread died while sending")?;
        file.write_all(&text)
            .map_err(|error| format!("the port: {error}"))
    }

    /// Waits until the tool's side has everything.
    pub fn finish(&self) {
        if let Ok(file) = self.0.lock() {
            system::drain(&file);
        }
    }
}

/// Finds the port by its name: its number depends on what else the machine has.
fn virtio() -> Option<PathBuf> {
    let entries = fs::read_dir("/sys/class/virtio-ports").ok()?;
    entries.flatten().find_map(|entry| {
        let name = fs::read_to_string(entry.path().join("name")).ok()?;
        (name.trim_end() == wire::PORT).then(|| Path::new("/dev").join(entry.file_name()))
    })
}
