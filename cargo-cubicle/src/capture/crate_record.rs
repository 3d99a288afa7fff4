//! What cargo told rustc about each crate, kept beside the artifacts.
//!
//! A link line names rlibs by crate and hash. Manifests speak of packages, and
//! of the libraries that a package's build script names. Only the wrapper sees
//! both, so it leaves a record for every library it compiles. cargo keeps the
//! rlib as long as the record, so a fresh crate still has its record.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::error::{CaptureError, file_error};
use super::rustc_call::RustcCall;

/// One crate as cargo compiled it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateRecord {
    pub crate_name: String,
    pub package: String,
    pub version: String,
    /// The `links` key of the package: a `-sys` crate has one.
    pub links: Option<String>,
    /// Where the package's `Cargo.toml` is.
    pub directory: Utf8PathBuf,
    /// Native libraries that the package's build script names, as rustc was
    /// given them (`static=z`, `dylib=ssl`, `m`).
    pub native_libraries: Vec<String>,
}

impl CrateRecord {
    /// The record of the crate being compiled, from cargo's environment.
    pub fn of(call: &RustcCall) -> CrateRecord {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let directory = Utf8PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        CrateRecord {
            crate_name: call.crate_name.clone().unwrap_or_default(),
            package: variable("CARGO_PKG_NAME"),
            version: variable("CARGO_PKG_VERSION"),
            links: links_key(&directory),
            directory,
            native_libraries: call.native_libraries.clone(),
        }
    }

    /// The kept record of an rlib, found by the rlib's name alone: link-time
    /// optimisation hands the linker a temporary copy in another directory.
    pub fn load(profile_directory: &Utf8Path, rlib: &Utf8Path) -> Option<CrateRecord> {
        let path = record_path(profile_directory, rlib.file_stem()?.strip_prefix("lib")?);
        serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
    }

    /// Keeps the record of a library crate.
    pub fn save(&self, profile_directory: &Utf8Path, stem: &str) -> Result<(), CaptureError> {
        let path = record_path(profile_directory, stem);
        let parent = path.parent().expect("it was joined to a directory");
        std::fs::create_dir_all(parent).map_err(file_error("create", parent))?;
        let text = serde_json::to_string_pretty(self).expect("its keys are strings");
        std::fs::write(&path, text).map_err(file_error("write", path))
    }

    /// The names after `-l` in [`CrateRecord::native_libraries`], without kinds,
    /// modifiers and renamings.
    pub fn native_names(&self) -> impl Iterator<Item = &str> {
        self.native_libraries.iter().map(|library| {
            let name = library
                .rsplit_once('=')
                .map_or(library.as_str(), |(_, name)| name);
            name.split_once(':').map_or(name, |(name, _)| name)
        })
    }
}

/// The `links` key of a package, which cargo tells build scripts but not rustc.
fn links_key(package: &Utf8Path) -> Option<String> {
    let text = std::fs::read_to_string(package.join("Cargo.toml")).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let links = table.get("package")?.get("links")?.as_str()?;
    Some(links.to_owned())
}

fn record_path(profile_directory: &Utf8Path, stem: &str) -> Utf8PathBuf {
    profile_directory
        .join("cubicle/crates")
        .join(format!("{stem}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_kind_and_modifiers() {
        let record = CrateRecord {
            crate_name: String::new(),
            package: String::new(),
            version: String::new(),
            links: None,
            directory: Utf8PathBuf::new(),
            native_libraries: ["static:+whole-archive=z", "m", "dylib=ssl:ssl3"]
                .map(str::to_owned)
                .to_vec(),
        };
        assert_eq!(record.native_names().collect::<Vec<_>>(), ["z", "m", "ssl"]);
    }
}
