//! Runs QEMU once, from power on to power off.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::error::at;
use super::{Machine, VmError, wire};

/// Lines of the guest's console that go into an error.
const CONSOLE_LINES: usize = 50;

/// What a machine leaves behind.
pub struct Run {
    /// What came through the port.
    pub answer: Vec<u8>,
    /// The last lines of the console, or of QEMU itself if it has no console.
    pub console: String,
    /// Whether it was still running at the end of its time.
    pub stuck: bool,
}

/// Boots `archive`, keeping all files in `work`, and waits at most `limit`.
pub fn boot(
    machine: &Machine,
    archive: &[u8],
    work: &Utf8Path,
    limit: Duration,
) -> Result<Run, VmError> {
    let file = |name: &str| work.join(name);
    let [initrd, port, serial, console, errors] =
        ["initramfs.cpio", "port", "serial", "console", "qemu.stderr"].map(file);
    fs::write(&initrd, archive).map_err(at(&initrd))?;
    let mut command = Command::new(&machine.qemu);
    command
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-net",
            "none",
        ])
        // One thread: with several, Debian's 6.12 kernel panics under QEMU 7.2.
        // Without SMAP the emulator need not switch its view of memory in the kernel.
        .args([
            "-accel",
            "tcg,thread=single",
            "-cpu",
            "max,-smap",
            "-smp",
            "1",
        ])
        .args(["-m", &memory(machine.memory, archive.len()).to_string()])
        .args([
            "-kernel",
            machine.kernel.as_str(),
            "-initrd",
            initrd.as_str(),
        ])
        .args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"])
        .args(["-serial", &format!("file:{}", option(&console))])
        .args(["-serial", &format!("file:{}", option(&serial))])
        .args(["-chardev", &format!("file,id=port,path={}", option(&port))])
        .args(["-device", "virtio-serial-pci"])
        .args([
            "-device",
            &format!("virtserialport,chardev=port,name={}", wire::PORT),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&errors).map_err(at(&errors))?);
    end_with_this_thread(&mut command);
    let mut child = Running(command.spawn().map_err(at(&machine.qemu))?);
    let stuck = !child.wait(limit).map_err(at(&machine.qemu))?;
    drop(child);
    // The guest uses one of the two, as its kernel permits.
    let mut answer = fs::read(&port).unwrap_or_default();
    if answer.is_empty() {
        answer = fs::read(&serial).unwrap_or_default();
    }
    let text =
        |path: &Utf8Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let said = [text(&console), text(&errors)].concat();
    Ok(Run {
        answer,
        console: tail(&said),
        stuck,
    })
}

/// Has the kernel end the machine if this thread is gone before it: a killed
/// process drops nothing.
fn end_with_this_thread(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: the closure makes only system calls, which are permitted between
    // fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() as u32 != parent {
                libc::raise(libc::SIGKILL);
            }
            Ok(())
        });
    }
}

/// MiB for the guest: its first file system lies in memory twice while it is unpacked,
/// and may take half of what there is.
fn memory(wanted: u32, archive: usize) -> u32 {
    let archive = u32::try_from(archive >> 20).unwrap_or(u32::MAX);
    wanted.max(archive.saturating_mul(3).saturating_add(512))
}

/// QEMU takes a comma for the end of an option, unless there are two.
fn option(path: &Utf8Path) -> String {
    path.as_str().replace(',', ",,")
}

/// The last lines, without what only a terminal understands.
fn tail(said: &str) -> String {
    let plain: String = said
        .chars()
        .filter(|character| *character == '\n' || !character.is_control())
        .collect();
    let lines: Vec<&str> = plain
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return "  (nothing)".to_owned();
    }
    let last = &lines[lines.len().saturating_sub(CONSOLE_LINES)..];
    last.iter()
        .map(|line| format!("  {}", line.trim_end()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A child that does not outlive its owner.
struct Running(Child);

impl Running {
    /// Whether it ended in time.
    fn wait(&mut self, limit: Duration) -> std::io::Result<bool> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if self.0.try_wait()?.is_some() {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail for a child that has ended, which is what we want.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_of_the_console() {
        let said: String = (0..70).map(|line| format!("line {line}\r\n\n")).collect();
        let kept = tail(&format!("\u{1b}c{said}"));
        assert!(
            kept.starts_with("  line 20\n") && kept.ends_with("  line 69"),
            "{kept}"
        );
        assert_eq!(tail("\n"), "  (nothing)");
    }

    #[test]
    fn memory_grows_with_what_is_packed() {
        assert_eq!(memory(1024, 5 << 20), 1024);
        assert_eq!(memory(1024, 400 << 20), 1712);
    }
}
