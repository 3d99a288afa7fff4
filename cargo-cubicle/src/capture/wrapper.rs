//! This program in the place of cargo's compiler wrapper.
//!
//! Crates for the target get the tool's flags. For a program with a manifest,
//! rustc runs with this program as its linker, which captures the line; when
//! rustc is done the program is linked here.

use std::ffi::OsString;
use std::process::{Command, ExitStatus};

use camino::{Utf8Path, Utf8PathBuf};

use super::After;
use super::crate_record::CrateRecord;
use super::dep_info;
use super::error::CaptureError;
use super::flags::{self, Lto, Profile, Strip};
use super::libraries;
use super::link_line::{ArchiveKind, LinkItem, LinkLine};
use super::linker::{self, LinkerCall};
use super::purpose::Purpose;
use super::rustc_call::RustcCall;
use super::session::*;
use super::words;

/// Runs the compiler. `arguments` begin with its path, which cargo puts first,
/// or with a workspace wrapper and then its path.
///
/// Returns the compiler's status. Where that is success, everything else was
/// successful too; an error is a failure of the tool's own work.
pub fn run(
    session: &Session,
    arguments: Vec<OsString>,
    after: After,
) -> anyhow::Result<ExitStatus> {
    let words = to_strings(&arguments)?;
    let call = RustcCall::parse(words.iter().skip(1).map(String::as_str));
    let arguments = without_shared_library(arguments, &call);
    let mut command = compiler(session, &arguments);
    if !call.is_for_target() {
        return Ok(start(&mut command)?);
    }
    if call.query {
        command.args(flags::QUERY_FLAGS);
        return Ok(start(&mut command)?);
    }
    // Build scripts call the compiler too, to try out what it can do, or build
    // something of their own with it. Only the cargo this tool runs names it.
    if !call.names_linker(session.tool.as_str()) {
        return Ok(start(&mut command)?);
    }
    let (Some(out_dir), Some(stem)) = (call.out_dir.clone(), call.stem()) else {
        return Ok(start(&mut command)?);
    };
    let out_dir = linker::current_directory()?.join(out_dir);
    let Some(profile_directory) = out_dir.parent().map(Utf8Path::to_owned) else {
        return Ok(start(&mut command)?);
    };

    if call.json_messages {
        super::diagnostic::write_json();
    }
    flags::check(&call)?;
    let dependency_file = out_dir.join(format!("{stem}.d"));
    let record = CrateRecord::of(&call);
    if !call.is_program() {
        command.args(crate_flags(session, &words));
        let status = start(&mut command)?;
        if status.success() {
            record.save(&profile_directory, &stem)?;
            dep_info::append(&dependency_file, &[], &flag_dependencies())?;
        }
        return Ok(status);
    }
    let Some(manifest) = session.manifest_of(&record.directory) else {
        command.args(flags::PLAIN_PROGRAM_FLAGS);
        let status = start(&mut command)?;
        if status.success() {
            dep_info::append(&dependency_file, &[], &program_dependencies())?;
        }
        return Ok(status);
    };

    let directory = profile_directory.join("cubicle").join(&stem);
    let driver = driver(session, &call)?;
    linker::take(&directory)?;
    command
        .args(crate_flags(session, &words))
        .arg(format!("-Clinker={}", session.tool))
        .env(CAPTURE_VARIABLE, &directory);
    let status = super::timings::phase("rustc", || start(&mut command))?;
    if !status.success() {
        return Ok(status);
    }
    let captured =
        linker::take(&directory)?.ok_or_else(|| CaptureError::NeverLinked(stem.clone()))?;
    let line = super::timings::phase("capture", || {
        let mut line = classify(captured, &call, record, &profile_directory);
        line.driver = driver;
        line.manifest = manifest;
        line.variant.clone_from(&session.variant);
        line.purpose = session.purpose;
        line.locked = session.locked;
        line.directory = directory;
        line.save()?;
        libraries::resolve(&mut line)?;
        line.save()?;
        Ok::<_, CaptureError>(line)
    })?;
    super::timings::phase("link", || (after.link)(&line))?;
    let mut files = vec![line.manifest.clone()];
    files.extend(super::extra_dependencies(&line));
    files.extend((after.sources)(&line));
    dep_info::append(&dependency_file, &files, &program_dependencies())?;
    if session.timings {
        session.leave_timings(&super::timings::summary(line.stem()));
    }
    Ok(status)
}

/// The tool's flags behind `given`. Who renames folders himself knows what for: a scope
/// would hold for that as well.
fn crate_flags(session: &Session, given: &[String]) -> Vec<String> {
    let more = match session.purpose {
        Purpose::Lint => &flags::LINT_FLAGS[..],
        _ => &[],
    };
    let mut words: Vec<String> = flags::CRATE_FLAGS
        .iter()
        .chain(more)
        .map(|word| (*word).to_owned())
        .collect();
    if !given.iter().any(|word| word.starts_with("--remap-path-")) {
        words.extend(flags::renaming(&session.renamed));
    }
    words
}

/// The compiler behind the wrapper that was configured before, if any.
fn compiler(session: &Session, arguments: &[OsString]) -> Command {
    match &session.chained_wrapper {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command.args(arguments);
            command
        }
        None => {
            let mut command = Command::new(&arguments[0]);
            command.args(&arguments[1..]);
            command
        }
    }
}

/// A library that is also built as a shared one is built without it, which is
/// what rustc does for a static program anyway, but with a warning.
fn without_shared_library(arguments: Vec<OsString>, call: &RustcCall) -> Vec<OsString> {
    let is_shared = |kind: &str| matches!(kind, "cdylib" | "dylib");
    let also_shared = call.crate_types.iter().any(|kind| is_shared(kind))
        && !call.crate_types.iter().all(|kind| is_shared(kind));
    if call.query || !call.is_for_target() || !also_shared {
        return arguments;
    }
    let mut kept: Vec<OsString> = Vec::new();
    for word in arguments {
        let follows = kept.last().is_some_and(|last| last == "--crate-type");
        if follows && word.to_str().is_some_and(is_shared) {
            kept.pop();
        } else {
            kept.push(word);
        }
    }
    kept
}

fn start(command: &mut Command) -> Result<ExitStatus, CaptureError> {
    command.status().map_err(|source| CaptureError::Start {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

/// The user's own linker: one in the rustflags beats the configured one, which
/// the command line already looked up.
fn driver(session: &Session, call: &RustcCall) -> Result<String, CaptureError> {
    let driver = match call.codegen("linker") {
        Some(linker) if linker != session.tool.as_str() => linker.to_owned(),
        _ => session.driver.clone(),
    };
    let stem = Utf8Path::new(&driver).file_stem().unwrap_or_default();
    if matches!(stem, "ld" | "ld.lld" | "rust-lld" | "lld" | "mold" | "wild")
        || stem.ends_with("-ld")
    {
        return Err(CaptureError::Setting {
            setting: format!(
                "the configured linker `{driver}` is called directly, but images are linked through a C compiler"
            ),
            remedy: "configure `cc`, and choose the linker with `-C link-arg=-fuse-ld=…`"
                .to_owned(),
        });
    }
    Ok(driver)
}

/// Turns the captured words into the link line, with all that is known about
/// each crate.
fn classify(
    captured: LinkerCall,
    call: &RustcCall,
    program: CrateRecord,
    profile_directory: &Utf8Path,
) -> LinkLine {
    let mut parsed = words::parse(&captured.arguments, &captured.working_directory);
    let beside = format!("/rustlib/{TARGET}/lib");
    let toolchain: Vec<Utf8PathBuf> = parsed
        .items
        .iter()
        .filter_map(|item| match item {
            LinkItem::SearchPath(path) if path.as_str().ends_with(&beside) => Some(path.clone()),
            _ => None,
        })
        .collect();
    for item in &mut parsed.items {
        let LinkItem::Archive(archive) = item else {
            continue;
        };
        if archive.kind != ArchiveKind::Rlib {
            continue;
        }
        archive.record = CrateRecord::load(profile_directory, &archive.path);
        if archive.record.is_none() && is_of_toolchain(&archive.path, &toolchain) {
            archive.kind = ArchiveKind::Toolchain;
        }
    }
    let mut profile = Profile::of(call, profile_directory.file_name().unwrap_or_default());
    if profile.strip == Strip::None {
        profile.strip = parsed.strip;
    }
    LinkLine {
        driver: String::new(),
        output: parsed.output.unwrap_or_else(|| "a.out".into()),
        items: parsed.items,
        program,
        binary_name: std::env::var("CARGO_BIN_NAME").ok(),
        test: call.test,
        profile,
        lto: Lto::of(call),
        manifest: Utf8PathBuf::new(),
        variant: None,
        purpose: Purpose::Use,
        locked: false,
        directory: Utf8PathBuf::new(),
        working_directory: captured.working_directory,
        environment: captured.environment,
    }
}

/// Whether the rlib is in a directory of the toolchain, which rustc names with
/// `-L`, or is a copy of one there that link-time optimisation made.
fn is_of_toolchain(rlib: &Utf8Path, toolchain: &[Utf8PathBuf]) -> bool {
    let Some(name) = rlib.file_name() else {
        return false;
    };
    toolchain
        .iter()
        .any(|directory| directory.join(name).is_file())
}

fn flag_dependencies() -> [(&'static str, Option<String>); 1] {
    [(FLAGS_VARIABLE, std::env::var(FLAGS_VARIABLE).ok())]
}

fn program_dependencies() -> Vec<(&'static str, Option<String>)> {
    [
        FLAGS_VARIABLE,
        TOOL_VARIABLE,
        MANIFEST_VARIABLE,
        MANIFESTS_VARIABLE,
    ]
    .map(|name| (name, std::env::var(name).ok()))
    .to_vec()
}

fn to_strings(arguments: &[OsString]) -> Result<Vec<String>, CaptureError> {
    let convert = |argument: &OsString| {
        argument
            .clone()
            .into_string()
            .map_err(CaptureError::NotUtf8)
    };
    arguments.iter().map(convert).collect()
}
