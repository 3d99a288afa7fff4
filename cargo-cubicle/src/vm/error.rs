//! What can keep the emulated machine from doing its work.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

/// Why there is no machine, or no result. What a *program* does wrong in the
/// machine is an [`super::Outcome`], not an error.
#[derive(Debug, Error)]
pub enum VmError {
    #[error("the emulated machine needs QEMU (qemu-system-x86_64)\n{remedy}")]
    NoQemu { remedy: String },

    #[error(
        "the emulated machine needs a Linux kernel to boot\n{remedy}\n\
         or name one with CUBICLE_VM_KERNEL=/path/to/vmlinuz \
         (6.12 or later, with virtio-console built in)"
    )]
    NoKernel { remedy: String },

    #[error("cannot read the kernel that CUBICLE_VM_KERNEL names, {path}: {source}")]
    NamedKernel {
        path: Utf8PathBuf,
        source: io::Error,
    },

    #[error("`{command}` failed ({status}): {said}")]
    Command {
        command: String,
        status: String,
        said: String,
    },

    #[error("{path}: {source}")]
    Io {
        path: Utf8PathBuf,
        source: io::Error,
    },

    #[error("there is no directory for the kernel: neither XDG_CACHE_HOME nor HOME is set")]
    NoCache,

    #[error("{path} is larger than the 4 GiB that the emulated machine can be given")]
    TooLarge { path: Utf8PathBuf },

    /// `job` is the index of the one that was running.
    #[error("the emulated machine stopped before its work was done{}; the guest's kernel said:\n{console}", during(.job))]
    Died { job: Option<usize>, console: String },

    /// The whole machine, which has its own limit beyond those of its jobs.
    #[error("the emulated machine did nothing for too long and was ended{}; the guest's kernel said:\n{console}", during(.job))]
    Stuck { job: Option<usize>, console: String },

    #[error("inside the emulated machine: {said}{}", during(.job))]
    Guest { job: Option<usize>, said: String },

    #[error("the emulated machine's answer is damaged {offset} bytes in")]
    Damaged { offset: usize },
}

fn during(job: &Option<usize>) -> String {
    job.map_or(String::new(), |job| format!(" (while job {job} ran)"))
}

/// Puts the path beside an error of the system.
pub(super) fn at(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> VmError {
    let path = path.into();
    move |source| VmError::Io { path, source }
}
