//! Runs one of cargo's commands with this tool in its configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::arguments::{CargoOptions, MachineOptions, cargo_flags};
use super::cargo_config::CargoConfig;
use super::foreground::{self, Ending};
use super::runner::RUNNER_WORD;
use super::status::BUILD_FAILED;
use super::workspace::Workspace;
use super::{UsageError, emulated, message};
use crate::capture::session::*;
use crate::capture::{CaptureError, Purpose, linker};

/// cargo with this tool in its configuration, about to be started.
pub struct Prepared {
    pub command: Command,
    pub workspace: Workspace,
    /// `None`: nothing of it has a manifest, and all of it is built plainly.
    pub session: Option<Session>,
    /// What the session's processes leave for this one.
    _directory: Option<TempDir>,
}

/// Runs `cargo SUBCOMMAND` partitioned, its programs in the emulated machine if
/// that is asked for, and returns how the tool is to end.
pub fn cargo(
    subcommand: &str,
    options: CargoOptions,
    machine: &MachineOptions,
    audit: bool,
) -> anyhow::Result<Ending> {
    let start = std::time::Instant::now();
    let purpose = match (audit, options.benchmark_stand_in) {
        (true, _) => Purpose::Audit,
        (_, true) => Purpose::StandIn,
        _ => Purpose::Use,
    };
    let mut prepared = prepare(subcommand, &options, machine, purpose)?;
    let Some(session) = &prepared.session else {
        let without = [
            ("--vm", machine.vm),
            ("--audit", audit),
            ("--variant", options.variant.is_some()),
            ("--benchmark-stand-in", options.benchmark_stand_in),
        ];
        let root = &prepared.workspace.root;
        if let Some((flag, _)) = without.iter().find(|(_, given)| *given) {
            return Err(UsageError(format!(
                "`{flag}` is for partitioned programs, and there is no {MANIFEST_NAME} in {root} or beside a package's Cargo.toml\n  \
                 = help: write one there, or name one with `--cubicle-manifest PATH`"
            ))
            .into());
        }
        message::note(&format!(
            "there is no {MANIFEST_NAME} in {root} or beside a package's Cargo.toml, so this is a plain build"
        ));
        return foreground::run(&mut prepared.command);
    };

    let ending = foreground::run(&mut prepared.command)?;
    if options.timings {
        anstream::eprint!("{}", session.timings());
        anstream::eprintln!(
            "     Timings cargo {subcommand}: {:.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    note_shared_libraries(ending, &prepared.workspace);
    Ok(better(ending, session))
}

/// Explains a build that has failed because a library is a shared one.
pub fn note_shared_libraries(ending: Ending, workspace: &Workspace) {
    if ending == Ending::Status(BUILD_FAILED) && !workspace.shared_libraries.is_empty() {
        message::note(&format!(
            "a shared library cannot be built for a static program: leave it out with --exclude {}",
            workspace.shared_libraries.join(" --exclude ")
        ));
    }
}

/// cargo only knows that something failed; the session's processes know what.
pub fn better(ending: Ending, session: &Session) -> Ending {
    match (ending, session.status()) {
        (Ending::Status(status), Some(better)) if status != 0 => Ending::Status(better),
        _ => ending,
    }
}

/// Makes ready what [`cargo`] runs.
pub fn prepare(
    subcommand: &str,
    options: &CargoOptions,
    machine: &MachineOptions,
    purpose: Purpose,
) -> anyhow::Result<Prepared> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let (flags, rest) = options
        .cargo
        .split_at(cargo_flags(subcommand, &options.cargo));
    let colour = message::choose_colour(flags);
    let flags = without_target(flags)?;

    let workspace = Workspace::find(&program, &flags.choosing_workspace)?;
    let manifests = workspace.manifests();
    let manifest = options
        .cubicle_manifest
        .as_deref()
        .map(absolute_manifest)
        .transpose()?;
    let mut command = Command::new(&program);
    command.args([subcommand, "--target", TARGET]);

    if manifest.is_none() && manifests.is_empty() {
        command.args(&flags.words).args(rest);
        return Ok(Prepared {
            command,
            workspace,
            session: None,
            _directory: None,
        });
    }

    let machine = emulated::decide(subcommand, machine)?;
    let temporary = tempfile::Builder::new()
        .prefix("cargo-cubicle-")
        .tempdir()?;
    let directory = Utf8Path::from_path(temporary.path())
        .ok_or_else(|| CaptureError::NotUtf8(temporary.path().as_os_str().to_owned()))?;
    let config = CargoConfig::load(&linker::current_directory()?, &flags.configuration)?;
    let tool = own_path()?;
    let home = cargo_home();
    let mut environment = original_environment();
    let session = Session {
        driver: config.linker(),
        chained_wrapper: config.rustc_wrapper(),
        chained_runner: config.runner(),
        rustdoc: config.rustdoc(),
        workspace_root: workspace.root.clone(),
        members: workspace.members.clone(),
        timings: options.timings,
        machine,
        colour,
        purpose,
        locked: purpose != Purpose::Lint && flags.words.iter().any(|word| word == "--locked"),
        renamed: renamed(&workspace, home.as_deref()),
        directory: directory.to_owned(),
        original_environment: environment.clone(),
        manifest,
        variant: options.variant.clone(),
        tool,
    };

    // Later arguments are stronger, so these come behind the user's own.
    command.args(&flags.words);
    for (name, value) in [
        (
            "build.rustc-wrapper".to_owned(),
            quoted(session.tool.as_str()),
        ),
        ("build.rustdoc".to_owned(), quoted(session.tool.as_str())),
        (
            format!("target.{TARGET}.linker"),
            quoted(session.tool.as_str()),
        ),
        (
            format!("target.{TARGET}.runner"),
            runner(&session.tool, config.runner_is_string())?,
        ),
    ] {
        command.arg("--config").arg(format!("{name}={value}"));
    }
    command.args(rest);

    // A variable would beat `--config`.
    command.env_remove("RUSTC_WRAPPER").env_remove("RUSTDOC");
    add_compiler_flags(&mut environment, purpose, &session.renamed);
    for (name, value) in environment
        .iter()
        .filter(|(name, _)| name.contains("FLAGS"))
    {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let list: Vec<&str> = manifests.iter().map(|path| path.as_str()).collect();
    command
        .env(SESSION_VARIABLE, serde_json::to_string(&session)?)
        .env(TOOL_VARIABLE, tool_identity(&session)?)
        .env(MANIFESTS_VARIABLE, list.join(";"))
        .env(FLAGS_VARIABLE, FLAGS_REVISION);
    match &session.manifest {
        Some(manifest) => command.env(MANIFEST_VARIABLE, manifest),
        None => command.env_remove(MANIFEST_VARIABLE),
    };
    // An audit looks at one thread only.
    if purpose == Purpose::Audit
        && subcommand == "test"
        && std::env::var_os("RUST_TEST_THREADS").is_none()
    {
        command.env("RUST_TEST_THREADS", "1");
    }
    Ok(Prepared {
        command,
        workspace,
        session: Some(session),
        _directory: Some(temporary),
    })
}

/// cargo's flags, as far as this tool must know them.
struct Flags {
    /// All of them, without `--target`.
    words: Vec<OsString>,
    /// The values of `--config`.
    configuration: Vec<String>,
    /// Those that `cargo metadata` must be given too.
    choosing_workspace: Vec<String>,
}

/// Takes out `--target`, which may only name the one target there is.
fn without_target(words: &[OsString]) -> Result<Flags, UsageError> {
    let mut flags = Flags {
        words: Vec::new(),
        configuration: Vec::new(),
        choosing_workspace: Vec::new(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (text, None),
        };
        let known = [
            "--target",
            "--config",
            "--manifest-path",
            "-Z",
            "--lockfile-path",
        ]
        .contains(&name);
        if !known {
            if ["--locked", "--offline", "--frozen"].contains(&name) {
                flags.choosing_workspace.push(name.to_owned());
            }
            flags.words.push(word.clone());
            continue;
        }
        let value = match attached {
            Some(value) => value,
            None => match words.next() {
                Some(value) => value.to_str().unwrap_or_default().to_owned(),
                None => return Err(UsageError(format!("`{name}` needs a value"))),
            },
        };
        if name == "--target" {
            if value != TARGET {
                return Err(UsageError(format!(
                    "`--target {value}` cannot be partitioned: {TARGET} is the only target there is"
                )));
            }
            continue;
        }
        if name == "--config" {
            flags.configuration.push(value.clone());
        }
        flags
            .choosing_workspace
            .extend([name.to_owned(), value.clone()]);
        flags
            .words
            .extend([OsString::from(name), OsString::from(value)]);
    }
    Ok(flags)
}

/// The folders that are called differently on every machine: `file!()` and `__FILE__`
/// are not to say how.
fn renamed(workspace: &Workspace, home: Option<&Utf8Path>) -> Vec<(Utf8PathBuf, String)> {
    let mut renamed = vec![
        (workspace.root.clone(), "/workspace".to_owned()),
        (workspace.target_directory.clone(), "/target".to_owned()),
    ];
    renamed.extend(home.map(|home| (home.to_owned(), "/cargo".to_owned())));
    renamed
}

/// Where cargo keeps the sources of crates.
fn cargo_home() -> Option<Utf8PathBuf> {
    let home = std::env::var("CARGO_HOME")
        .ok()
        .filter(|home| !home.is_empty());
    let home = home.map(Utf8PathBuf::from).or_else(|| {
        let user = std::env::var("HOME").ok().filter(|home| !home.is_empty())?;
        Some(Utf8PathBuf::from(user).join(".cargo"))
    })?;
    home.canonicalize_utf8().ok()
}

fn absolute_manifest(path: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    match path.canonicalize_utf8() {
        Ok(path) if path.is_file() => Ok(path),
        Ok(_) => Err(UsageError(format!("`--cubicle-manifest {path}` is not a file")).into()),
        Err(error) => Err(UsageError(format!("`--cubicle-manifest {path}`: {error}")).into()),
    }
}

fn own_path() -> anyhow::Result<Utf8PathBuf> {
    let path = std::env::current_exe()?;
    Ok(Utf8PathBuf::from_path_buf(path).map_err(|path| CaptureError::NotUtf8(path.into()))?)
}

/// Differs between builds of this tool, also where an installer sets file times,
/// and between the flags that change what it makes of a program.
fn tool_identity(session: &Session) -> std::io::Result<String> {
    let file = session.tool.metadata()?;
    let version = env!("CARGO_PKG_VERSION");
    let purpose = session.purpose.name();
    let locked = if session.locked { "-locked" } else { "" };
    let variant = session.variant.iter();
    let variant: String = variant.map(|name| format!("-variant-{name}")).collect();
    Ok(format!(
        "{version}-{:x}-{:x}.{:x}-{purpose}{locked}{variant}",
        file.len(),
        file.mtime(),
        file.mtime_nsec()
    ))
}

fn runner(tool: &Utf8Path, as_string: bool) -> Result<String, UsageError> {
    if !as_string {
        return Ok(format!(
            "[{}, {}]",
            quoted(tool.as_str()),
            quoted(RUNNER_WORD)
        ));
    }
    if tool.as_str().contains(char::is_whitespace) {
        return Err(UsageError(format!(
            "a runner is configured as one string, which cannot be combined with the white space in `{tool}`: write it as an array in .cargo/config.toml"
        )));
    }
    Ok(quoted(&format!("{tool} {RUNNER_WORD}")))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Where the `cc` crate looks for flags, most specific first.
const COMPILER_FLAGS: [[&str; 5]; 2] = [
    [
        "CFLAGS_x86_64-unknown-linux-gnu",
        "CFLAGS_x86_64_unknown_linux_gnu",
        "HOST_CFLAGS",
        "TARGET_CFLAGS",
        "CFLAGS",
    ],
    [
        "CXXFLAGS_x86_64-unknown-linux-gnu",
        "CXXFLAGS_x86_64_unknown_linux_gnu",
        "HOST_CXXFLAGS",
        "TARGET_CXXFLAGS",
        "CXXFLAGS",
    ],
];

/// The variables this tool may change, as they are.
fn original_environment() -> BTreeMap<String, Option<String>> {
    let names = ["RUSTC_WRAPPER", "RUSTDOC"]
        .into_iter()
        .chain(COMPILER_FLAGS.into_iter().flatten());
    names
        .map(|name| (name.to_owned(), std::env::var(name).ok()))
        .collect()
}

/// Signatures of C functions come from debug information, which release profiles
/// do not ask for. It changes no code. The variable that the `cc` crate would
/// have used is extended, so that none of the user's flags is overridden.
///
/// Where programs are only judged, nothing is optimised, in whatever profile: the same
/// is judged in all of them. And `__FILE__` does not name folders of this machine, unless
/// there is white space in them, at which the `cc` crate divides the variable.
fn add_compiler_flags(
    environment: &mut BTreeMap<String, Option<String>>,
    purpose: Purpose,
    renamed: &[(Utf8PathBuf, String)],
) {
    let mut added = vec!["-g".to_owned()];
    if purpose == Purpose::Lint {
        added.push("-O0".to_owned());
    }
    let whole = |folder: &&(Utf8PathBuf, String)| !folder.0.as_str().contains(char::is_whitespace);
    for (folder, name) in renamed.iter().filter(whole) {
        added.push(format!("-fmacro-prefix-map={folder}={name}"));
    }
    let added = added.join(" ");
    for names in COMPILER_FLAGS {
        let is_set = |name: &&str| environment.get(*name).is_some_and(Option::is_some);
        let name = names.into_iter().find(is_set).unwrap_or(names[1]);
        let value = environment.entry(name.to_owned()).or_default();
        *value = Some(match value {
            Some(flags) => format!("{flags} {added}"),
            None => added.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_one_target_is_taken_out_and_others_refused() {
        let flags = without_target(&words(
            "-p a --target x86_64-unknown-linux-gnu --manifest-path=m/Cargo.toml --locked --config a.b=1",
        ))
        .unwrap();
        assert_eq!(
            flags.words,
            words("-p a --manifest-path m/Cargo.toml --locked --config a.b=1")
        );
        assert_eq!(
            flags.choosing_workspace,
            [
                "--manifest-path",
                "m/Cargo.toml",
                "--locked",
                "--config",
                "a.b=1"
            ]
        );
        assert_eq!(flags.configuration, ["a.b=1"]);
        assert!(without_target(&words("--target=wasm32-wasip1")).is_err());
        assert!(without_target(&words("--target")).is_err());
    }

    #[test]
    fn debug_information_is_added_to_the_flags_in_use() {
        let mut environment = original_environment();
        for value in environment.values_mut() {
            *value = None;
        }
        environment.insert("CFLAGS".to_owned(), Some("-O1".to_owned()));
        add_compiler_flags(&mut environment, Purpose::Use, &[]);
        assert_eq!(environment["CFLAGS"].as_deref(), Some("-O1 -g"));
        assert_eq!(environment["CFLAGS_x86_64_unknown_linux_gnu"], None);
        assert_eq!(
            environment["CXXFLAGS_x86_64_unknown_linux_gnu"].as_deref(),
            Some("-g")
        );
    }
}
