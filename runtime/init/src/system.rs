//! What the first process asks of the kernel that std has no name for.

use std::ffi::{CString, c_char, c_int, c_short, c_ulong, c_void};
use std::fs::{self, File};
use std::io::Error;
use std::os::fd::AsRawFd;
use std::ptr;

unsafe extern "C" {
    fn mount(
        source: *const c_char,
        target: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        data: *const c_void,
    ) -> c_int;
    fn umount2(target: *const c_char, flags: c_int) -> c_int;
    fn reboot(command: c_int) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn ioctl(descriptor: c_int, request: c_ulong, ...) -> c_int;
    fn close(descriptor: c_int) -> c_int;
    fn tcgetattr(descriptor: c_int, settings: *mut Termios) -> c_int;
    fn tcsetattr(descriptor: c_int, actions: c_int, settings: *const Termios) -> c_int;
    fn cfmakeraw(settings: *mut Termios);
    fn tcdrain(descriptor: c_int) -> c_int;
}

/// glibc's `struct termios` (60 bytes), of which nothing is read here.
type Termios = [u32; 15];

const RB_POWER_OFF: c_int = 0x4321_fedc;
const MNT_DETACH: c_int = 2;
const SIGKILL: c_int = 9;
const AF_INET: c_int = 2;
const SOCK_DGRAM: c_int = 2;
const SIOCSIFFLAGS: c_ulong = 0x8914;
const IFF_UP: c_short = 1;

/// Mounted anew for every job, so that none sees what another left.
const FRESH: [&str; 3] = ["/tmp", "/dev/shm", crate::wire::DIRECTORY];

/// Mounts `kind` at `target`, which is created if need be.
fn mount_one(kind: &str, target: &str) -> Result<(), String> {
    fs::create_dir_all(target).map_err(|error| format!("{target}: {error}"))?;
    let [kind_text, target_text] =
        [kind, target].map(|text| CString::new(text).unwrap_or_default());
    // SAFETY: the strings end in NUL and outlive the call; these file systems take no data.
    let failed = unsafe {
        mount(
            kind_text.as_ptr(),
            target_text.as_ptr(),
            kind_text.as_ptr(),
            0,
            ptr::null(),
        )
    };
    if failed != 0 {
        return Err(format!(
            "mounting {kind} at {target}: {}",
            Error::last_os_error()
        ));
    }
    Ok(())
}

pub fn mount_all() -> Result<(), String> {
    mount_one("proc", "/proc")?;
    mount_one("sysfs", "/sys")?;
    mount_one("devtmpfs", "/dev")
}

/// Empties the directories that a job may write to.
pub fn refresh_directories() -> Result<(), String> {
    for target in FRESH {
        let text = CString::new(target).unwrap_or_default();
        // SAFETY: the string ends in NUL and outlives the call. It fails before the
        // first job, when nothing is mounted there yet.
        unsafe { umount2(text.as_ptr(), MNT_DETACH) };
        mount_one("tmpfs", target)?;
    }
    Ok(())
}

/// Brings up the loopback interface: there is no other network, and a project's
/// tests may talk to themselves. A kernel without it is none of our business.
pub fn raise_loopback() {
    #[repr(C)]
    struct Request {
        name: [u8; 16],
        flags: c_short,
        rest: [u8; 22],
    }
    let mut request = Request {
        name: [0; 16],
        flags: IFF_UP,
        rest: [0; 22],
    };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: the structure has the size and layout of the kernel's `struct ifreq`
    // (40 bytes), and the descriptor is closed by whoever opened it.
    unsafe {
        let descriptor = socket(AF_INET, SOCK_DGRAM, 0);
        if descriptor >= 0 {
            ioctl(descriptor, SIOCSIFFLAGS, &raw mut request);
            close(descriptor);
        }
    }
}

/// Kills everything but this process.
pub fn kill_everything() {
    // SAFETY: the call touches no memory; for process 1, `-1` is every other process.
    unsafe { kill(-1, SIGKILL) };
}

/// Waits until every other process is gone; call it after killing them.
pub fn reap_everything() {
    // SAFETY: with a null pointer the call writes nothing.
    while unsafe { waitpid(-1, ptr::null_mut(), 0) } > 0 {}
}

/// Ends the machine.
pub fn power_off() -> ! {
    // SAFETY: the kernel does not return from this, unless it refuses.
    unsafe { reboot(RB_POWER_OFF) };
    // A first process that ends panics the kernel, which also ends the machine.
    std::process::exit(1)
}

/// Makes a serial line carry bytes as they are, instead of text for people.
pub fn make_raw(line: &File) -> Result<(), Error> {
    let mut settings: Termios = [0; 15];
    let descriptor = line.as_raw_fd();
    // SAFETY: the buffer is a whole `struct termios`, and the descriptor is open.
    let failed = unsafe {
        tcgetattr(descriptor, &raw mut settings) != 0 || {
            cfmakeraw(&raw mut settings);
            tcsetattr(descriptor, 0, &raw const settings) != 0
        }
    };
    if failed {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Waits until everything written to the serial line has left it.
pub fn drain(line: &File) {
    // SAFETY: the descriptor is open. It fails for what is no serial line, which has nothing to wait for.
    unsafe { tcdrain(line.as_raw_fd()) };
}
