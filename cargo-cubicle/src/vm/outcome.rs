//! Reads what the guest sent back.

use std::fmt;

use super::VmError;
use super::wire::{self, ended, kind};

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It ended by itself, with this status.
    Exit(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ran longer than its job allows, and was killed.
    TimedOut,
    /// The guest's kernel would not start it, for this reason: most often it is
    /// not a static program.
    NotStarted(String),
}

impl fmt::Display for Status {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Exit(code) => write!(text, "exit status {code}"),
            Status::Signal(number) => write!(text, "killed by signal {number}"),
            Status::TimedOut => write!(text, "ran too long and was killed"),
            Status::NotStarted(reason) => write!(text, "could not be started: {reason}"),
        }
    }
}

/// What one job did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Bytes of output that were not kept: of stdout and stderr together, 64 MiB are.
    pub dropped: u64,
    /// The files that the job asked to collect, in its order; `None` where there is none.
    pub collected: Vec<Option<Vec<u8>>>,
}

/// What a stream of frames says, as far as it goes.
pub struct Answer {
    /// One for each job that ended, in order.
    pub outcomes: Vec<Outcome>,
    /// The job that had started and not ended.
    pub running: Option<usize>,
    /// Whether the guest said that it was done.
    pub done: bool,
}

/// Reads the frames. `collects` says for each job how many files it asked for.
pub fn read(text: &[u8], collects: &[usize]) -> Result<Answer, VmError> {
    let mut answer = Answer {
        outcomes: Vec::new(),
        running: None,
        done: false,
    };
    let mut current = empty(0);
    let mut rest = text;
    loop {
        let damaged = VmError::Damaged {
            offset: text.len() - rest.len(),
        };
        let (frame, job, payload) = match wire::frame(rest) {
            Ok(Some((frame, job, payload, next))) => {
                rest = next;
                (frame, job as usize, payload)
            }
            Ok(None) => return Ok(answer),
            Err(_) => return Err(damaged),
        };
        match frame {
            kind::STARTED if job == answer.outcomes.len() && job < collects.len() => {
                answer.running = Some(job);
                current = empty(collects[job]);
            }
            kind::STDOUT if answer.running == Some(job) => {
                current.stdout.extend_from_slice(payload)
            }
            kind::STDERR if answer.running == Some(job) => {
                current.stderr.extend_from_slice(payload)
            }
            kind::FILE if answer.running == Some(job) => {
                let file = payload.split_first_chunk().and_then(|(index, piece)| {
                    let index = u32::from_le_bytes(*index) as usize;
                    Some((current.collected.get_mut(index)?, piece))
                });
                let Some((file, piece)) = file else {
                    return Err(damaged);
                };
                file.get_or_insert_default().extend_from_slice(piece);
            }
            kind::ENDED if answer.running == Some(job) => {
                let Some((dropped, how)) = payload.split_first_chunk() else {
                    return Err(damaged);
                };
                current.dropped = u64::from_le_bytes(*dropped);
                current.status = status(how).ok_or(damaged)?;
                answer
                    .outcomes
                    .push(std::mem::replace(&mut current, empty(0)));
                answer.running = None;
            }
            kind::TROUBLE => {
                let said = String::from_utf8_lossy(payload).into_owned();
                let job = (job != wire::NO_JOB as usize).then_some(job);
                return Err(VmError::Guest { job, said });
            }
            kind::DONE if answer.outcomes.len() == collects.len() => answer.done = true,
            _ => return Err(damaged),
        }
    }
}

fn empty(collects: usize) -> Outcome {
    Outcome {
        status: Status::TimedOut,
        stdout: Vec::new(),
        stderr: Vec::new(),
        dropped: 0,
        collected: vec![None; collects],
    }
}

fn status(payload: &[u8]) -> Option<Status> {
    let (how, rest) = payload.split_first()?;
    let number = || Some(i32::from_le_bytes(rest.try_into().ok()?));
    match *how {
        ended::EXIT => number().map(Status::Exit),
        ended::SIGNAL => number().map(Status::Signal),
        ended::TIMED_OUT => Some(Status::TimedOut),
        ended::NOT_STARTED => Some(Status::NotStarted(
            String::from_utf8_lossy(rest).into_owned(),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(list: &[(u8, u32, &[u8])]) -> Vec<u8> {
        let one = |(kind, job, payload): &(u8, u32, &[u8])| {
            [&wire::header(*kind, *job, payload.len()), *payload].concat()
        };
        list.iter().flat_map(one).collect()
    }

    #[test]
    fn a_stream_becomes_outcomes_and_every_cut_is_noticed() {
        let text = frames(&[
            (kind::STARTED, 0, b""),
            (kind::STDOUT, 0, b"he"),
            (kind::STDERR, 0, b"!"),
            (kind::STDOUT, 0, b"llo"),
            (kind::FILE, 0, b"\x01\0\0\0con"),
            (kind::FILE, 0, b"\x01\0\0\0tent"),
            (kind::ENDED, 0, b"\x05\0\0\0\0\0\0\0\0\x07\0\0\0"),
            (kind::STARTED, 1, b""),
            (kind::ENDED, 1, b"\0\0\0\0\0\0\0\0\x03no such thing"),
            (kind::DONE, 0, b""),
        ]);
        let answer = read(&text, &[2, 0]).unwrap();
        assert!(answer.done);
        assert_eq!(answer.running, None);
        assert_eq!(
            answer.outcomes,
            [
                Outcome {
                    status: Status::Exit(7),
                    stdout: b"hello".to_vec(),
                    stderr: b"!".to_vec(),
                    dropped: 5,
                    collected: vec![None, Some(b"content".to_vec())],
                },
                Outcome {
                    status: Status::NotStarted("no such thing".into()),
                    ..empty(0)
                },
            ]
        );
        for end in 0..text.len() {
            assert!(!read(&text[..end], &[2, 0]).unwrap().done, "cut at {end}");
        }
        let second = frames(&[(kind::STARTED, 0, b""), (kind::STDOUT, 0, b"he")]);
        assert_eq!(read(&second, &[2, 0]).unwrap().running, Some(0));
    }

    #[test]
    fn nonsense_is_refused_where_it_stands() {
        let good = frames(&[(kind::STARTED, 0, b"")]);
        let offset = |bad: &[u8], collects: &[usize]| match read(&[&good, bad].concat(), collects) {
            Err(VmError::Damaged { offset }) => Some(offset),
            _ => None,
        };
        let here = Some(good.len());
        assert_eq!(offset(b"this is no frame at all", &[0]), here);
        assert_eq!(
            offset(&frames(&[(kind::FILE, 0, b"\0\0\0\0x")]), &[0]),
            here,
            "asked for no file"
        );
        assert_eq!(
            offset(&frames(&[(kind::STDOUT, 1, b"x")]), &[0, 0]),
            here,
            "of a job that does not run"
        );
        assert_eq!(
            offset(&frames(&[(kind::DONE, 0, b"")]), &[0]),
            here,
            "done before its time"
        );
        assert_eq!(
            offset(
                &frames(&[(kind::ENDED, 0, b"\0\0\0\0\0\0\0\0\0\x07")]),
                &[0]
            ),
            here,
            "half a number"
        );
        assert_eq!(offset(&frames(&[(99, 0, b"")]), &[0]), here);
    }

    #[test]
    fn what_the_guest_could_not_do_is_reported() {
        let text = frames(&[(kind::TROUBLE, wire::NO_JOB, b"no list")]);
        assert_eq!(
            read(&text, &[]).err().unwrap().to_string(),
            "inside the emulated machine: no list"
        );
    }
}
