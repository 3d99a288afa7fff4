//! The emulated machine: a stock kernel under QEMU's own emulation of a
//! processor, which enforces protection keys on a computer that has none. It
//! boots in about two seconds, runs a list of static programs, and says of each
//! what it printed and how it ended.
//!
//! ```text
//!  jobs ──bundle──► initramfs ──boot──► QEMU: kernel, /init, one program after the other
//!                                         │ port: framed results    │ console
//!  outcomes ◄──────outcome────────────────┘                         └─► only for errors
//! ```
//!
//! The emulator is there for correctness: nothing about time can be learnt from it.

mod boot;
mod bundle;
mod cpio;
mod error;
mod find;
mod install;
mod keys;
mod outcome;
// Each side uses its own half of the protocol.
#[allow(dead_code)]
#[path = "../../../runtime/init/src/wire.rs"]
mod wire;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

pub use error::VmError;
pub use keys::host_has_keys;
pub use outcome::{Outcome, Status};

/// Names another kernel to boot: the path of a `vmlinuz`.
pub const KERNEL_VARIABLE: &str = "CUBICLE_VM_KERNEL";

/// Time for the kernel to boot and the machine to power off, on a busy host.
const OVERHEAD: Duration = Duration::from_secs(120);

/// A series of kernels, such as 6.1: its two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series(pub u64, pub u64);

/// How to get a machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// The kernel to boot. Without it: the one that [`KERNEL_VARIABLE`] names, else
    /// one in the cache, else one in `/boot`, else one from the distribution.
    pub kernel: Option<Utf8PathBuf>,
    /// Boot a kernel of this series instead, whatever [`KERNEL_VARIABLE`] says.
    pub series: Option<Series>,
    /// Whether missing packages may be installed (QEMU) or downloaded (a kernel).
    pub install: bool,
    /// Memory of the machine in MiB; more if the programs need it.
    pub memory: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            kernel: None,
            series: None,
            install: false,
            memory: 1024,
        }
    }
}

/// One program to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// A static x86-64 program of this machine; its path is also its `argv[0]`.
    pub program: Utf8PathBuf,
    /// What follows `argv[0]`.
    pub arguments: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// Where in the guest which files of this machine are to lie; a directory
    /// stands for all that is in it. Relative paths start in the program's working
    /// directory, which is otherwise empty.
    pub files: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// Standard input; without it, `/dev/null`.
    pub stdin: Option<Vec<u8>>,
    /// Files of the guest to bring back when the program has ended.
    pub collect: Vec<Utf8PathBuf>,
    /// How long the program may run, in the guest's time.
    pub timeout: Duration,
}

impl Job {
    /// A program without arguments, environment, files and input.
    pub fn new(program: impl Into<Utf8PathBuf>, timeout: Duration) -> Job {
        Job {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            files: Vec::new(),
            stdin: None,
            collect: Vec::new(),
            timeout,
        }
    }
}

/// A machine that can be booted any number of times.
#[derive(Debug, Clone)]
pub struct Machine {
    qemu: Utf8PathBuf,
    kernel: Utf8PathBuf,
    memory: u32,
}

impl Machine {
    /// Finds QEMU and a kernel, or gets them where that is allowed. The errors
    /// [`VmError::NoQemu`] and [`VmError::NoKernel`] say what to install.
    pub fn prepare(options: &Options) -> Result<Machine, VmError> {
        let host = install::Host::look();
        let qemu = match find::qemu() {
            Some(path) => path,
            None => host.get_qemu(options.install)?,
        };
        let series = options.series;
        let variable = std::env::var(KERNEL_VARIABLE).ok();
        let named = variable.filter(|path| !path.is_empty() && series.is_none());
        let kernel = match (options.kernel.clone(), named.map(Utf8PathBuf::from)) {
            (Some(path), _) => path,
            (None, Some(path)) => match std::fs::File::open(&path) {
                Ok(_) => path,
                Err(source) => return Err(VmError::NamedKernel { path, source }),
            },
            (None, None) => {
                let cache = find::cache()?;
                let boot = Utf8Path::new("/boot");
                match find::kernel_in(&cache, series).or_else(|| find::kernel_in(boot, series)) {
                    Some(path) => path,
                    None => host.get_kernel(series, options.install, &cache)?,
                }
            }
        };
        std::fs::File::open(&kernel).map_err(error::at(&kernel))?;
        Ok(Machine {
            qemu,
            kernel,
            memory: options.memory,
        })
    }

    /// The kernel that it boots.
    pub fn kernel(&self) -> &Utf8Path {
        &self.kernel
    }

    /// Boots, runs the jobs in order, and powers off. `work` is an existing directory
    /// for the machine's files, among them its console; one boot at a time uses it.
    pub fn run(&self, jobs: &[Job], work: &Utf8Path) -> Result<Vec<Outcome>, VmError> {
        let archive = bundle::pack(jobs)?;
        let limit = jobs
            .iter()
            .map(|job| job.timeout)
            .fold(OVERHEAD, Duration::saturating_add);
        let run = boot::boot(self, &archive, work, limit)?;
        let collects: Vec<usize> = jobs.iter().map(|job| job.collect.len()).collect();
        let answer = outcome::read(&run.answer, &collects)?;
        let (job, console) = (answer.running, run.console);
        match (answer.done, run.stuck) {
            (true, _) => Ok(answer.outcomes),
            (false, true) => Err(VmError::Stuck { job, console }),
            (false, false) => Err(VmError::Died { job, console }),
        }
    }
}
