//! This program in the place of the linker.
//!
//! It links nothing. It keeps what rustc is about to delete, notes the line,
//! and returns; the wrapper, which outlives rustc, then does the work and can
//! speak to the user directly instead of through rustc's "linking failed".

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::error::{CaptureError, file_error};
use super::words;

/// What the linker was asked, with temporary files already replaced by copies.
#[derive(Debug, Serialize, Deserialize)]
pub struct LinkerCall {
    pub arguments: Vec<String>,
    pub working_directory: Utf8PathBuf,
    pub environment: BTreeMap<String, String>,
}

const CALL_FILE: &str = "linker-call.json";

/// Variables that gcc and clang, or the linkers behind them, take notice of.
const DRIVER_VARIABLES: [&str; 11] = [
    "PATH",
    "LC_ALL",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "GCC_ROOT",
    "TMPDIR",
    "SOURCE_DATE_EPOCH",
    "CCC_OVERRIDE_OPTIONS",
    "CCACHE_DISABLE",
    "LD_LIBRARY_PATH",
];

/// Captures one call into `directory` (`<profile>/cubicle/<stem>`).
pub fn capture(arguments: Vec<String>, directory: &Utf8Path) -> Result<(), CaptureError> {
    let working_directory = current_directory()?;
    let arguments = words::expand(arguments, &working_directory)?;
    let output = words::parse(&arguments, &working_directory).output;
    let objects = directory.join("objects");
    if objects.exists() {
        std::fs::remove_dir_all(&objects).map_err(file_error("remove", &objects))?;
    }
    std::fs::create_dir_all(&objects).map_err(file_error("create", &objects))?;

    let output_directory = output.as_deref().and_then(Utf8Path::parent);
    let arguments = arguments
        .into_iter()
        .map(|argument| keep(argument, &working_directory, output_directory, &objects))
        .collect::<Result<_, _>>()?;
    let environment = DRIVER_VARIABLES
        .iter()
        .filter_map(|name| Some((name.to_string(), std::env::var(name).ok()?)))
        .collect();
    let call = LinkerCall {
        arguments,
        working_directory,
        environment,
    };
    let path = directory.join(CALL_FILE);
    let text = serde_json::to_string(&call).expect("its keys are strings");
    std::fs::write(&path, text).map_err(file_error("write", path))
}

/// Takes what [`capture`] left, so that no later build mistakes it for its own.
/// `None`: rustc never called the linker.
pub fn take(directory: &Utf8Path) -> Result<Option<LinkerCall>, CaptureError> {
    let path = directory.join(CALL_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", path)(error)),
    };
    let call = serde_json::from_str(&text).map_err(|source| CaptureError::Stale {
        path: path.clone(),
        source,
    })?;
    std::fs::remove_file(&path).map_err(file_error("remove", path))?;
    Ok(Some(call))
}

/// The command that does what a call outside of a capture wanted: programs
/// without a manifest, documentation tests, a build script's experiments.
pub fn plain(driver: &str, arguments: &[std::ffi::OsString]) -> Command {
    let mut command = Command::new(driver);
    command.args(arguments);
    command
}

/// Copies the file an argument names, if rustc will delete it, and returns the
/// argument with the copy's path. The file may stand behind an `=`, as in
/// `-Wl,--dynamic-list=FILE`.
fn keep(
    argument: String,
    working_directory: &Utf8Path,
    output_directory: Option<&Utf8Path>,
    objects: &Utf8Path,
) -> Result<String, CaptureError> {
    let (option, name) = match argument.rsplit_once('=') {
        Some((option, name)) if option.starts_with('-') => (option, name),
        _ => ("", argument.as_str()),
    };
    let path = working_directory.join(name);
    if !is_temporary(&path, output_directory) || !path.is_file() {
        return Ok(argument);
    }
    let copy = free_name(objects, path.file_name().unwrap_or("object"));
    std::fs::copy(&path, &copy).map_err(file_error("copy", &path))?;
    Ok(if option.is_empty() {
        copy.to_string()
    } else {
        format!("{option}={copy}")
    })
}

/// rustc makes a directory `rustcXXXXXX` for each link, and writes objects
/// beside the output.
fn is_temporary(path: &Utf8Path, output_directory: Option<&Utf8Path>) -> bool {
    let in_rustc_directory = path.components().any(|component| {
        component
            .as_str()
            .strip_prefix("rustc")
            .is_some_and(|rest| {
                rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    });
    in_rustc_directory || (path.extension() == Some("o") && path.parent() == output_directory)
}

/// Two temporary files may have one name in different directories.
fn free_name(directory: &Utf8Path, name: &str) -> Utf8PathBuf {
    let mut path = directory.join(name);
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = directory.join(format!("{number}-{name}"));
    }
    path
}

/// The working directory, which must be valid UTF-8 as all of cargo's paths.
pub fn current_directory() -> Result<Utf8PathBuf, CaptureError> {
    let path = std::env::current_dir().map_err(file_error("find the working directory of", "."))?;
    Utf8PathBuf::from_path_buf(path).map_err(|path| CaptureError::NotUtf8(path.into_os_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_are_copied_and_others_left() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let (deps, objects) = (root.join("deps"), root.join("objects"));
        let temporary = deps.join("rustcAb12Cd");
        std::fs::create_dir_all(&temporary).unwrap();
        std::fs::create_dir_all(&objects).unwrap();
        for (path, text) in [
            (temporary.join("symbols.o"), "1"),
            (deps.join("symbols.o"), "2"),
            (deps.join("libx-1.rlib"), "3"),
            (temporary.join("list"), "4"),
        ] {
            std::fs::write(path, text).unwrap();
        }
        let keep = |word: String| keep(word, root, Some(&deps), &objects).unwrap();
        let first = keep(temporary.join("symbols.o").to_string());
        let second = keep("deps/symbols.o".to_owned());
        let list = keep(format!("-Wl,--dynamic-list={temporary}/list"));
        let rlib = deps.join("libx-1.rlib").to_string();
        assert_eq!(keep(rlib.clone()), rlib);
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "1");
        assert_eq!(std::fs::read_to_string(&second).unwrap(), "2");
        assert_ne!(first, second);
        assert_eq!(list, format!("-Wl,--dynamic-list={objects}/list"));
        assert_eq!(keep("-Wl,--gc-sections".to_owned()), "-Wl,--gc-sections");
    }
}
