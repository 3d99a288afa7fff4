//! Running the programs: what they take, what is counted, what the monitor says at the end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use camino::Utf8Path;
use serde::Deserialize;

use super::{Built, counters};
use crate::capture::session::REPORT_VARIABLE;
use crate::files;

/// The variable that names the file with the counters.
const COUNTS_VARIABLE: &str = "CUBICLE_COUNTS";

/// One run of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    pub end: End,
    /// Processor time of all its threads, nanoseconds.
    pub processor: f64,
    /// From its start to its end, nanoseconds.
    pub wall: f64,
}

/// How a program ended, as wait(2) has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End(pub i32);

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match libc::WIFEXITED(self.0) {
            true => write!(f, "status {}", libc::WEXITSTATUS(self.0)),
            false => write!(f, "signal {}", libc::WTERMSIG(self.0)),
        }
    }
}

/// What all runs are given.
#[derive(Debug)]
pub struct Job<'a> {
    pub arguments: &'a [OsString],
    /// A regular file; it is read from its start each time.
    pub input: Option<&'a File>,
}

impl Job<'_> {
    /// Runs the plain program.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn plain(&self, built: &Built) -> anyhow::Result<Run> {
        self.run(&mut Command::new(built.plain()), &built.plain())
    }

    /// Runs the counting program; answers with one count for each of [`Built::calls`], too.
    ///
    /// # Errors
    /// If it cannot be started, or its counters not be read.
    pub fn counted(&self, built: &Built) -> anyhow::Result<(Run, Vec<u64>)> {
        let path = built.folder.join("counts");
        let file = File::create(&path).with_context(|| format!("cannot write `{path}`"))?;
        file.set_len(counters::size(built.calls.len()))?;
        let mut command = Command::new(built.counted());
        command.env(COUNTS_VARIABLE, &path);
        let run = self.run(&mut command, &built.counted())?;
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read `{path}`"))?;
        let counts = bytes.as_chunks::<8>().0.iter();
        let counts = counts.map(|bytes| u64::from_le_bytes(*bytes));
        Ok((run, counts.take(built.calls.len()).collect()))
    }

    /// Runs the partitioned program; answers with what each cubicle took, too.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn partitioned(&self, built: &Built) -> anyhow::Result<(Run, BTreeMap<String, Taken>)> {
        let mut report = tempfile::tempfile()?;
        let mut command = Command::new(built.partitioned());
        files::hand_down(&report, &mut command, REPORT_VARIABLE);
        let run = self.run(&mut command, &built.partitioned())?;
        let mut text = String::new();
        report.rewind()?;
        report.read_to_string(&mut text)?;
        let records = text.lines();
        let records = records.filter_map(|line| serde_json::from_str::<Record>(line).ok());
        let mut taken: BTreeMap<String, Taken> = BTreeMap::new();
        for record in records.filter(|record| record.cubicle_measured == 1) {
            // Children that it forked say so, too.
            let of = taken.entry(record.cubicle).or_default();
            of.start = of.start.max(record.start);
            of.memory = of.memory.max(record.memory);
        }
        Ok((run, taken))
    }

    fn run(&self, command: &mut Command, program: &Utf8Path) -> anyhow::Result<Run> {
        command.args(self.arguments);
        command.stdin(match self.input {
            // Opened anew, so that it has a position of its own.
            Some(file) => File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?.into(),
            None => Stdio::null(),
        });
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot run `{program}`"))?;
        let mut status = 0;
        // SAFETY: all zeroes are a usage; the kernel fills both in. Nobody else waits for this child.
        let (waited, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            let id = child.id() as libc::pid_t;
            (libc::wait4(id, &raw mut status, 0, &raw mut usage), usage)
        };
        if waited < 0 {
            bail!(
                "cannot wait for `{program}`: {}",
                std::io::Error::last_os_error()
            );
        }
        let time = |time: libc::timeval| time.tv_sec as f64 * 1e9 + time.tv_usec as f64 * 1e3;
        Ok(Run {
            end: End(status),
            processor: time(usage.ru_utime) + time(usage.ru_stime),
            wall: start.elapsed().as_nanos() as f64,
        })
    }
}

/// What one cubicle took in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Until its libc was ready, nanoseconds; the main cubicle's is not known, because it goes on into `main`.
    pub start: u64,
    /// The most bytes it had mapped, beside its image.
    pub memory: u64,
}

/// A line that the monitor writes.
#[derive(Deserialize)]
struct Record {
    cubicle_measured: u32,
    cubicle: String,
    start: u64,
    memory: u64,
}

/// The middle one (of an even number, the upper of the two); NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 3.0);
        assert!(median(&[]).is_nan());
    }
}
