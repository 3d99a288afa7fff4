//! Who claims what, as the manifest says it.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::{ImageInputs, unused};
use crate::capture::{ArchiveKind, CrateRecord, LinkItem, LinkLine, Lto, Purpose};
use crate::diagnostics::{Code, Finding, Findings, Place};
use crate::manifest::{CSources, Cubicle, Policy};

/// Packages and libraries, by the cubicle that claims them.
pub struct Claims<'a> {
    packages: BTreeMap<&'a str, &'a str>,
    libraries: BTreeMap<&'a str, &'a str>,
}

impl<'a> Claims<'a> {
    pub fn of(policy: &'a Policy) -> Claims<'a> {
        let mut claims = Claims {
            packages: BTreeMap::new(),
            libraries: BTreeMap::new(),
        };
        for (name, cubicle) in &policy.cubicles {
            for package in &cubicle.crates {
                claims.packages.insert(&package.value, name);
            }
            for library in &cubicle.libs {
                claims.libraries.insert(&library.value, name);
            }
        }
        claims
    }

    /// The cubicle that claims a package.
    pub fn of_package(&self, package: &str) -> Option<&'a str> {
        self.packages.get(package).copied()
    }

    /// The cubicle that claims a native library: by name, or because the build
    /// script of a package it claims names it. Compilers' own runtime libraries
    /// are nobody's: each image takes what it needs.
    pub fn of_library(&self, library: &str, line: &LinkLine) -> Option<&'a str> {
        if let Some(cubicle) = self.libraries.get(library) {
            return Some(cubicle);
        }
        if RUNTIME_LIBRARIES.contains(&library) {
            return None;
        }
        line.items.iter().find_map(|item| match item {
            LinkItem::Archive(archive) if archive.kind == ArchiveKind::Rlib => {
                let record = archive.record.as_ref()?;
                let cubicle = self.of_package(&record.package)?;
                record
                    .native_names()
                    .any(|name| name == library)
                    .then_some(cubicle)
            }
            _ => None,
        })
    }
}

const RUNTIME_LIBRARIES: [&str; 12] = [
    "c", "m", "pthread", "dl", "rt", "util", "gcc", "gcc_eh", "gcc_s", "stdc++", "c++", "unwind",
];

/// What of the manifest matched something.
#[derive(Default)]
pub struct Used {
    packages: BTreeSet<String>,
    libraries: BTreeSet<String>,
}

impl Used {
    pub fn package(&mut self, name: &str) {
        self.packages.insert(name.to_owned());
    }

    pub fn library(&mut self, name: &str) {
        self.libraries.insert(name.to_owned());
    }

    /// CUB013 for what a cubicle claims and the link line does not have; CUB018
    /// for a crate that is not there because the optimiser dissolved it.
    pub fn report_unused(
        &self,
        cubicle: &Cubicle,
        policy: &Policy,
        line: &LinkLine,
        findings: &mut Findings,
    ) {
        for package in &cubicle.crates {
            if self.packages.contains(&package.value) {
                continue;
            }
            if line.lto != Lto::Off && was_compiled(&package.value, line) {
                findings.push(dissolved(
                    &package.value,
                    policy.place(&package.span, "claimed here"),
                    line,
                ));
                continue;
            }
            {
                let place = policy.place(&package.span, "no crate of it is linked");
                let message = format!(
                    "package `{}` brings nothing into this program",
                    package.value
                );
                findings.push(unused(place, &message).help("check the name against `cargo tree`"));
            }
        }
        for library in &cubicle.libs {
            if !self.libraries.contains(&library.value) {
                let place = policy.place(&library.span, "not on the link line");
                let message = format!(
                    "library `{}` is not linked into this program",
                    library.value
                );
                findings.push(unused(place, &message));
            }
        }
    }
}

/// Did cargo compile a library crate of this package for this profile?
fn was_compiled(package: &str, line: &LinkLine) -> bool {
    let records = line.directory.with_file_name("crates");
    let Ok(entries) = records.read_dir_utf8() else {
        return false;
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
        .filter_map(|text| serde_json::from_str::<CrateRecord>(&text).ok())
        .any(|record| record.package == package)
}

fn dissolved(package: &str, place: Place, line: &LinkLine) -> Finding {
    let kind = match line.lto {
        Lto::Thin => "thin",
        _ => "fat",
    };
    Finding::of_rule(
        Code::CUB018,
        format!("link-time optimisation dissolved the crate of package `{package}` into the program"),
    )
    .at(place)
    .help(format!(
        "this profile has `lto = \"{kind}\"`; set `lto = \"off\"` or `false` in `[profile.{}]`, or `CARGO_PROFILE_{}_LTO=off`",
        profile_name(line),
        profile_name(line).to_uppercase().replace('-', "_"),
    ))
    .help("native code of `-sys` crates is not affected and can stay claimed")
}

/// The profile as Cargo.toml calls it.
fn profile_name(line: &LinkLine) -> &str {
    match line.profile.directory_name.as_str() {
        "debug" => "dev",
        other => other,
    }
}

/// Compiles one table of a cubicle's own C and C++ sources.
pub fn compile(
    (name, number): (&str, usize),
    sources: &CSources,
    policy: &Policy,
    line: &LinkLine,
    inputs: &mut ImageInputs,
    findings: &mut Findings,
) {
    let (files, problems) = policy.resolve(&sources.files);
    findings.extend(problems);
    let mut output = line.directory.join("assigned").join(name);
    if number > 0 {
        output.push(number.to_string());
    }
    let (plus, plain): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_cpp(file));
    for (files, cpp) in [(plain, false), (plus, true)] {
        if files.is_empty() {
            continue;
        }
        let problem = match build(&files, cpp, sources, policy, line, &output) {
            Ok(objects) => {
                inputs.objects.extend(objects);
                continue;
            }
            Err(CompileError::Failed { file, messages }) => Finding::error(format!(
                "`{file}` of cubicle `{name}` does not compile:\n{}",
                messages.trim_end()
            ))
            .help("`flags`, `include` and `define` beside `files` say how it is compiled"),
            Err(error) => Finding::error(format!(
                "the sources of cubicle `{name}` cannot be compiled: {error}"
            ))
            .help("they need a C compiler: `cc` of Debian's and Ubuntu's build-essential, or what CC and CXX name"),
        };
        let place = sources.files.first().map_or(0..0, |file| file.span.clone());
        findings.push(problem.at(policy.place(&place, "these sources")));
    }
}

/// Why there are no objects.
#[derive(Debug, thiserror::Error)]
enum CompileError {
    #[error("{0}")]
    NoCompiler(#[from] cc::Error),
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("`{file}` does not compile")]
    Failed { file: Utf8PathBuf, messages: String },
}

/// What a cubicle's sources may include without further ado.
const HEADER: &str = include_str!("../../../runtime/api/cubicle.h");

/// The folder with `cubicle.h`, beside the images.
fn own_headers(line: &LinkLine) -> Result<Utf8PathBuf, std::io::Error> {
    let folder = line.directory.join("include");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("cubicle.h");
    // A header that changes only its time would have everything compiled again.
    if std::fs::read_to_string(&file).ok().as_deref() != Some(HEADER) {
        std::fs::write(&file, HEADER)?;
    }
    Ok(folder)
}

fn is_cpp(file: &Utf8Path) -> bool {
    matches!(file.extension(), Some("cc" | "cpp" | "cxx" | "C"))
}

fn build(
    files: &[Utf8PathBuf],
    cpp: bool,
    sources: &CSources,
    policy: &Policy,
    line: &LinkLine,
    output: &Utf8Path,
) -> Result<Vec<Utf8PathBuf>, CompileError> {
    let optimisation = match line.profile.opt_level.as_str() {
        // The same is judged in all profiles.
        _ if line.purpose == Purpose::Lint => "0".to_owned(),
        "1" | "2" | "3" | "s" => line.profile.opt_level.clone(),
        "z" => "s".to_owned(),
        _ => "0".to_owned(),
    };
    let mut build = cc::Build::new();
    build
        .files(files)
        .cpp(cpp)
        .target(crate::capture::TARGET)
        .host(crate::capture::TARGET)
        .out_dir(output)
        .opt_level_str(&optimisation)
        .debug(true)
        .pic(false)
        .cargo_metadata(false)
        .cargo_warnings(false);
    for include in &sources.include {
        build.include(policy.folder().join(&include.value));
    }
    build.include(own_headers(line)?);
    for (name, value) in &sources.define {
        build.define(name, Some(value.value.as_str()));
    }
    for flag in &sources.flags {
        build.flag(&flag.value);
    }
    let compiler = build.try_get_compiler()?;
    std::fs::create_dir_all(output)?;
    let kind = if cpp { "cpp" } else { "c" };
    let mut objects = Vec::new();
    for (number, file) in files.iter().enumerate() {
        // Two sources in different folders may have one name.
        let stem = file.file_stem().unwrap_or_default();
        let object = output.join(format!("{kind}{number:03}-{stem}.o"));
        let result = compiler
            .to_command()
            .args(["-c", "-o", object.as_str(), file.as_str()])
            .output()?;
        if !result.status.success() {
            return Err(CompileError::Failed {
                file: file.clone(),
                messages: String::from_utf8_lossy(&result.stderr).into_owned(),
            });
        }
        objects.push(object);
    }
    Ok(objects)
}
