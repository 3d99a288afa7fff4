//! The flags every crate of a partitioned program is compiled with, and what
//! the user's own flags wished for instead.
//!
//! The tool's flags are appended, so the user's stay where they were. Three
//! wishes are remembered for the last phase instead of being passed on: an
//! image is linked with its relocations kept and its full debug information,
//! and both are dropped only when the images are composed.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::error::CaptureError;
use super::rustc_call::RustcCall;

/// What the user wished to have stripped from the finished file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strip {
    #[default]
    None,
    DebugInfo,
    Symbols,
}

/// How the program's own crate was optimised across crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lto {
    #[default]
    Off,
    Thin,
    Fat,
    /// `-C linker-plugin-lto`: the link line holds bitcode.
    LinkerPlugin,
}

/// The profile as far as it shows in rustc's arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// The directory cargo uses for it: `debug`, `release`, or its own name.
    pub directory_name: String,
    pub opt_level: String,
    /// What the user asked for (`0`, `1`, `2`, `line-tables-only`, …). The
    /// crates were compiled with `2` all the same.
    pub debuginfo: String,
    pub split_debuginfo: Option<String>,
    pub strip: Strip,
    pub panic: Option<String>,
}

impl Profile {
    pub fn of(call: &RustcCall, directory_name: &str) -> Profile {
        Profile {
            directory_name: directory_name.to_owned(),
            opt_level: call.codegen("opt-level").unwrap_or("0").to_owned(),
            debuginfo: call.codegen("debuginfo").unwrap_or("0").to_owned(),
            split_debuginfo: call.codegen("split-debuginfo").map(str::to_owned),
            strip: match call.codegen("strip") {
                Some("debuginfo") => Strip::DebugInfo,
                Some("symbols" | "yes") => Strip::Symbols,
                _ => Strip::None,
            },
            panic: call.codegen("panic").map(str::to_owned),
        }
    }
}

impl Lto {
    pub fn of(call: &RustcCall) -> Lto {
        match (call.codegen("linker-plugin-lto"), call.codegen("lto")) {
            (Some(value), _) if !is_no(value) => Lto::LinkerPlugin,
            (_, Some("thin")) => Lto::Thin,
            (_, Some(value)) if !is_no(value) => Lto::Fat,
            _ => Lto::Off,
        }
    }
}

/// Flags for every crate that may become part of a partitioned program.
pub const CRATE_FLAGS: [&str; 16] = [
    "-C",
    "target-feature=+crt-static",
    "-C",
    "relocation-model=static",
    "-C",
    "symbol-mangling-version=v0",
    "-C",
    "debuginfo=2",
    "-C",
    "split-debuginfo=off",
    "-C",
    "strip=none",
    // What the crate `cubicle` is compiled by; others may ask for it, too.
    "--cfg",
    "cubicle",
    "--check-cfg",
    "cfg(cubicle)",
];

/// Flags that keep the names of folders out of a program: its messages name
/// source files, and the same sources in another folder are to be the same program.
/// Debug information keeps them, for debuggers and for this tool.
pub fn renaming(renamed: &[(Utf8PathBuf, String)]) -> impl Iterator<Item = String> {
    let scope = (!renamed.is_empty()).then(|| "--remap-path-scope=macro".to_owned());
    let prefixes = renamed
        .iter()
        .map(|(folder, name)| format!("--remap-path-prefix={folder}={name}"));
    scope.into_iter().chain(prefixes)
}

/// More of them where programs are only judged. What an optimiser removes would be
/// missing from the lock file, and be there again in another profile.
pub const LINT_FLAGS: [&str; 6] = [
    "-C",
    "opt-level=0",
    "-C",
    "lto=off",
    "-C",
    "linker-plugin-lto=no",
];

/// Flags for the questions cargo asks on behalf of build scripts and dependencies:
/// the C library is linked statically, and `cfg(cubicle)` holds.
pub const QUERY_FLAGS: [&str; 4] = ["-C", "target-feature=+crt-static", "--cfg", "cubicle"];

/// Flags for a program without a manifest in the same build: its dependencies
/// are compiled for a fixed address, so it cannot be position-independent.
pub const PLAIN_PROGRAM_FLAGS: [&str; 2] = ["-C", "relocation-model=static"];

/// Refuses flags of the user that contradict what the tool must add.
pub fn check(call: &RustcCall) -> Result<(), CaptureError> {
    let crt_static = call
        .codegen
        .iter()
        .filter(|(name, _)| name == "target-feature")
        .filter_map(|(_, value)| value.as_deref())
        .flat_map(|value| value.split(','))
        .rfind(|feature| feature.trim_start_matches(['+', '-']) == "crt-static");
    if crt_static == Some("-crt-static") {
        return Err(conflict(
            "`-C target-feature=-crt-static` asks for a dynamically linked program, but every cubicle is linked statically",
            "remove it from RUSTFLAGS or from `rustflags` in .cargo/config.toml",
        ));
    }
    if let Some(model) = call.codegen("relocation-model")
        && model != "static"
    {
        return Err(conflict(
            format!(
                "`-C relocation-model={model}` contradicts the fixed addresses that cubicles are linked at"
            ),
            "remove it from RUSTFLAGS or from `rustflags` in .cargo/config.toml",
        ));
    }
    if call
        .codegen("prefer-dynamic")
        .is_some_and(|value| !is_no(value))
    {
        return Err(conflict(
            "`-C prefer-dynamic` asks for the shared standard library, but every cubicle has a static one of its own",
            "remove it from RUSTFLAGS or from `rustflags` in .cargo/config.toml",
        ));
    }
    if let Some(flavor) = call.codegen("linker-flavor")
        && flavor != "gcc"
    {
        return Err(conflict(
            format!(
                "`-C linker-flavor={flavor}` makes rustc talk to a linker directly, but images are linked through a C compiler"
            ),
            "remove it, or use `-C linker-flavor=gcc`",
        ));
    }
    Ok(())
}

fn conflict(setting: impl Into<String>, remedy: impl Into<String>) -> CaptureError {
    CaptureError::Setting {
        setting: setting.into(),
        remedy: remedy.into(),
    }
}

fn is_no(value: &str) -> bool {
    matches!(value, "no" | "n" | "off" | "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradicting_flags_are_named() {
        for (flag, named) in [
            ("target-feature=+avx2,-crt-static", "-crt-static"),
            ("relocation-model=pic", "relocation-model=pic"),
            ("prefer-dynamic", "prefer-dynamic"),
            ("linker-flavor=ld.lld", "linker-flavor=ld.lld"),
        ] {
            let error = check(&RustcCall::parse(["-C", flag])).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
            assert_eq!(error.status(), 2);
        }
    }

    #[test]
    fn agreeing_flags_pass() {
        let flags = [
            "-C",
            "target-feature=-crt-static",
            "-C",
            "target-feature=+crt-static",
        ];
        assert!(check(&RustcCall::parse(flags)).is_ok());
        assert!(
            check(&RustcCall::parse([
                "-C",
                "relocation-model=static",
                "-Cprefer-dynamic=no"
            ]))
            .is_ok()
        );
    }

    #[test]
    fn wishes_are_remembered() {
        let call = RustcCall::parse(["-C", "strip=symbols", "-C", "lto=thin", "-C", "opt-level=s"]);
        let profile = Profile::of(&call, "release");
        assert_eq!(
            (profile.strip, profile.opt_level.as_str()),
            (Strip::Symbols, "s")
        );
        assert_eq!(Lto::of(&call), Lto::Thin);
        assert_eq!(Lto::of(&RustcCall::parse(["-C", "lto=off"])), Lto::Off);
        assert_eq!(Lto::of(&RustcCall::parse(["-C", "lto"])), Lto::Fat);
    }
}
