//! A recording as a whole.

use camino::{Utf8Path, Utf8PathBuf};

use super::record::{Gate, Line, Record, START, VERSION};

/// The file beside a program's link line in which its last recording is kept.
pub const FILE: &str = "audit.jsonl";

/// The file beside it that says which audit build was the last.
pub const BUILD_FILE: &str = "audit-build";

/// Why there is no recording to be had.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error(
        "cannot read the recording `{path}`: {source}\n  \
         = help: `cargo cubicle run --audit` and `test --audit` write recordings, and print where they are"
    )]
    Io {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error(
        "line {line} of `{path}` is no record of an audit: {reason}\n  \
         = help: `cargo cubicle run --audit` and `test --audit` write recordings, and print where they are"
    )]
    Format {
        path: Utf8PathBuf,
        line: usize,
        reason: String,
    },
    #[error(
        "the recording `{path}` has no end: the program was stopped before it could write it\n  \
         = help: record again, and let the program end by itself"
    )]
    Incomplete { path: Utf8PathBuf },
}

/// All records of one run, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    pub records: Vec<Record>,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// If there is none, or it is no complete recording.
    pub fn load(path: &Utf8Path) -> Result<Recording, RecordingError> {
        let text = std::fs::read_to_string(path).map_err(|source| RecordingError::Io {
            path: path.to_owned(),
            source,
        })?;
        Recording::parse(path, &text)
    }

    /// Reads a text; `path` is how messages call it.
    ///
    /// # Errors
    /// If it is no complete recording.
    pub fn parse(path: &Utf8Path, text: &str) -> Result<Recording, RecordingError> {
        let mut records = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |reason: String| RecordingError::Format {
                path: path.to_owned(),
                line: index + 1,
                reason,
            };
            let line: Line =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            if line.cubicle_audit != VERSION {
                let version = line.cubicle_audit;
                return Err(wrong(format!("its version {version} is not {VERSION}")));
            }
            records.push(line.record);
        }
        match (records.first(), records.last()) {
            (Some(Record::Start { .. }), Some(Record::End { .. })) => Ok(Recording { records }),
            _ => Err(RecordingError::Incomplete {
                path: path.to_owned(),
            }),
        }
    }

    /// The text of a file that [`Recording::parse`] reads.
    pub fn text(&self) -> String {
        let lines = self.records.iter().map(|record| {
            let line = Line {
                cubicle_audit: VERSION,
                record: record.clone(),
            };
            serde_json::to_string(&line).expect("its keys are strings") + "\n"
        });
        lines.collect()
    }

    /// Which build it is of, and the stem of the program's file.
    pub fn start(&self) -> Option<(u64, &str)> {
        self.records.iter().find_map(|record| match record {
            Record::Start { build, program } => Some((build.0, program.as_str())),
            _ => None,
        })
    }

    pub fn gates(&self) -> impl Iterator<Item = &Gate> {
        self.records.iter().filter_map(|record| match record {
            Record::Gate(gate) => Some(gate),
            _ => None,
        })
    }

    pub fn gate(&self, number: usize) -> Option<&Gate> {
        self.gates().find(|gate| gate.gate == number)
    }

    /// How many records there was no room for.
    pub fn dropped(&self) -> u64 {
        match self.records.last() {
            Some(Record::End { dropped }) => *dropped,
            _ => 0,
        }
    }
}

/// Parts what a program's monitor reported into the lines of an audit and the rest.
pub fn split(text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let (audit, rest): (Vec<&[u8]>, Vec<&[u8]>) =
        lines.partition(|line| line.starts_with(START.as_bytes()));
    (audit.concat(), rest.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_LINE: &str =
        r#"{"cubicle_audit":1,"record":"start","build":"0x7f","program":"app-1"}"#;
    const END_LINE: &str = r#"{"cubicle_audit":1,"record":"end","dropped":2}"#;

    fn parse(text: &str) -> Result<Recording, String> {
        Recording::parse("r".into(), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_recording_has_a_start_and_an_end() {
        let text = format!("{START_LINE}\n{END_LINE}\n");
        let recording = parse(&text).unwrap();
        assert_eq!(recording.start(), Some((0x7f, "app-1")));
        assert_eq!((recording.dropped(), recording.text()), (2, text));
        assert!(parse(START_LINE).unwrap_err().contains("has no end"));
        assert!(parse("").unwrap_err().contains("has no end"));
        let error = parse(&format!("{START_LINE}\nhello\n")).unwrap_err();
        assert!(error.contains("line 2 of `r`"), "{error}");
        let newer = START_LINE.replace("audit\":1", "audit\":2");
        assert!(parse(&newer).unwrap_err().contains("version 2"));
    }

    #[test]
    fn an_audits_lines_are_parted_from_others() {
        let text = format!("one\n{START_LINE}\ntwo\n{END_LINE}\nthree");
        let (audit, rest) = split(text.as_bytes());
        assert_eq!(rest, b"one\ntwo\nthree");
        assert_eq!(audit, format!("{START_LINE}\n{END_LINE}\n").as_bytes());
    }
}
