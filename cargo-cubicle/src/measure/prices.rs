//! What calls through gates, and starts of cubicles, take on this machine: measured once with a small
//! program of its own, and kept in the tool's cache.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::run::median;
use crate::capture::TARGET;
use crate::files::{self, Kind as FileKind};
use crate::picture::Kind;
use crate::vm::host_has_keys;

/// The program: one call through each kind of gate. The benchmark runs it, too.
const PROGRAM: [(&str, &str); 13] = {
    macro_rules! files {
        ($($name:literal),* $(,)?) => {
            [$(($name, include_str!(concat!("../../../benches/programs/", $name)))),*]
        };
    }
    files![
        "calls/Cargo.toml",
        "calls/Cargo.lock",
        "calls/Cubicle.toml",
        "calls/src/main.rs",
        "calls/c/main.c",
        "calls/c/own.c",
        "calls/c/calls.h",
        "calls/c/define.h",
        "calls/c/peer.c",
        "calls/c/seen.c",
        "calls/c/seeing.c",
        "calls/c/unscrubbed.c",
        "common/measure.h",
    ]
};

/// Its cubicles.
const CUBICLES: f64 = 5.0;
/// How often it is run, so that a slow moment does not count.
const ROUNDS: usize = 5;
/// How often it is only started: plainly and partitioned.
const STARTS: usize = 21;

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// A stand-in was in the place of WRPKRU: this machine has no keys.
    pub stand_in: bool,
    /// Nanoseconds that a call takes beyond a plain one, by kind of gate: where FS is left alone,
    /// and where it is switched.
    pub calls: BTreeMap<String, [f64; 2]>,
    /// Nanoseconds that each cubicle adds to a program's start.
    pub start: f64,
}

impl Prices {
    /// What was measured before on this machine by this very tool.
    pub fn known() -> Option<Prices> {
        let text = fs::read_to_string(file().ok()?).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The same, measured now if it was not. Takes a quarter of a minute then; `announce` is called before.
    ///
    /// # Errors
    /// If the program cannot be built or run.
    pub fn get(announce: impl FnOnce()) -> anyhow::Result<Prices> {
        if let Some(prices) = Prices::known() {
            return Ok(prices);
        }
        announce();
        let prices = measure()?;
        let path = file()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create `{folder}`"))?;
        }
        let text = serde_json::to_string(&prices)?;
        files::replace(&path, text.as_bytes(), FileKind::Data)?;
        Ok(prices)
    }

    /// A call through a gate of this kind, nanoseconds. Without an answer about FS it is taken for
    /// switched, and what cannot cross yet for lending.
    pub fn call(&self, kind: Kind, switches_fs: Option<bool>) -> f64 {
        let name = match kind {
            Kind::Window => return 0.0,
            Kind::Forbidden => Kind::Lending.name(),
            kind => kind.name(),
        };
        let fs = usize::from(switches_fs.unwrap_or(true));
        self.calls.get(name).map_or(f64::NAN, |prices| prices[fs])
    }
}

/// Where prices of this tool on this processor are kept.
fn file() -> anyhow::Result<Utf8PathBuf> {
    let tool = std::env::current_exe()?.metadata()?;
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let processor: String = processor
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = format!(
        "{}-{:x}-{:x}.{:x}-{processor}.json",
        env!("CARGO_PKG_VERSION"),
        tool.len(),
        tool.mtime(),
        tool.mtime_nsec()
    );
    let cache = files::cache();
    let cache = cache.context("there is no folder for a cache: set HOME or XDG_CACHE_HOME")?;
    Ok(cache.join("prices").join(name))
}

fn measure() -> anyhow::Result<Prices> {
    let stand_in = !host_has_keys();
    let folder = tempfile::Builder::new()
        .prefix("cargo-cubicle-")
        .tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a temporary folder without a name")?;
    for (name, text) in PROGRAM {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, text).with_context(|| format!("cannot write `{path}`"))?;
    }
    let project = folder.join("calls");
    let target = folder.join("target");
    let mut build = Command::new(std::env::current_exe()?);
    build
        .args([
            "cubicle",
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--target-dir",
        ])
        .arg(&target)
        .args(stand_in.then_some("--benchmark-stand-in"))
        .current_dir(&project);
    output(&mut build)?;
    let partitioned = target.join(TARGET).join("release/calls");
    let plain = folder.join("plain");
    let mut compile = Command::new("cc");
    let sources = PROGRAM.iter().map(|(name, _)| folder.join(name));
    compile
        .args(["-O2", "-static", "-no-pie", "-fno-pic", "-o"])
        .arg(&plain)
        .args(sources.filter(|path| path.extension() == Some("c")));
    output(&mut compile)?;

    let mut samples: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for line in output(&mut Command::new(&partitioned))?.lines() {
            let measured = line.rsplit_once(' ');
            let (name, value) = measured.with_context(|| format!("`{line}` is no measurement"))?;
            samples
                .entry(name.to_owned())
                .or_default()
                .push(value.parse()?);
        }
    }
    let of = |name: &str| samples.get(name).map_or(f64::NAN, |values| median(values));
    let own = of("plain");
    let kinds = [
        Kind::Fast,
        Kind::Union,
        Kind::CallerSees,
        Kind::CalleeSees,
        Kind::Lending,
    ];
    let price = |name: &str| (of(name) - own).max(0.0);
    let calls = kinds.map(Kind::name).map(|name| {
        let prices = [price(name), price(&format!("{name} FS"))];
        (name.to_owned(), prices)
    });
    let mut starts = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        for (program, starts) in [&plain, &partitioned].into_iter().zip(&mut starts) {
            let start = Instant::now();
            output(Command::new(program).arg("only-start"))?;
            starts.push(start.elapsed().as_nanos() as f64);
        }
    }
    let [plain, partitioned] = starts.map(|starts| median(&starts));
    Ok(Prices {
        stand_in,
        calls: BTreeMap::from(calls),
        start: ((partitioned - plain) / CUBICLES).max(0.0),
    })
}

/// Runs a command that must succeed and returns what it printed.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run `{program}`"))?;
    if !output.status.success() {
        bail!(
            "gates cannot be measured on this machine: `{program}` failed ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
