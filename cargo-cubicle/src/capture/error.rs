//! What can go wrong between cargo and the captured link line.

use camino::Utf8PathBuf;

/// A failure of this phase. Every message names what to change.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error("the environment variable CUBICLE_SESSION is not what this version of the tool writes")]
    Session(#[source] serde_json::Error),
    #[error("an argument is not valid UTF-8: {0:?}")]
    NotUtf8(std::ffi::OsString),
    #[error("could not {doing} `{path}`")]
    File {
        doing: &'static str,
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("could not start `{program}`")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("`{path}` is not what this version of the tool writes; build again")]
    Stale {
        path: Utf8PathBuf,
        source: serde_json::Error,
    },
    #[error("{setting}\n  = help: {remedy}")]
    Setting { setting: String, remedy: String },
    /// One explanation for each library that cannot be linked statically.
    #[error("{}", .0.join("\n"))]
    Libraries(Vec<String>),
    #[error("linking `{output}` with `{driver}` failed ({status})")]
    LinkFailed {
        driver: String,
        output: Utf8PathBuf,
        status: std::process::ExitStatus,
    },
    #[error(
        "rustc ended well but never called its linker for `{0}`; is there a `-C linker` in a compiler wrapper?"
    )]
    NeverLinked(String),
}

impl CaptureError {
    /// The exit status that `cargo cubicle` ends with: 1 for something found in
    /// the program, 2 for something the user set, 101 for a failed build.
    pub fn status(&self) -> u8 {
        match self {
            CaptureError::Libraries(_) => 1,
            CaptureError::Setting { .. } => 2,
            _ => 101,
        }
    }
}

/// An error whose explanation was already printed: only the status is left.
/// Later phases return it from [`super::After::link`] when they rendered findings (1)
/// or mistakes in the manifest (2) themselves.
#[derive(Debug, thiserror::Error)]
#[error("explained above")]
pub struct Reported {
    pub status: u8,
}

/// Adds the path and the verb to an input or output error.
pub(crate) fn file_error(
    doing: &'static str,
    path: impl Into<Utf8PathBuf>,
) -> impl FnOnce(std::io::Error) -> CaptureError {
    let path = path.into();
    move |source| CaptureError::File {
        doing,
        path,
        source,
    }
}
