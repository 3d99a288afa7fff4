//! What the tool and the guest's `/init` say to each other. This file is
//! compiled into both, so the two cannot disagree.
//!
//! ```text
//! tool  --> guest   the file JOBS in the initramfs: a list of jobs; contents
//!                   (programs, files, standard input) are numbered blobs
//! guest --> tool    frames over a port:  MAGIC | kind | job | length | payload
//!                                          4      1      4      4      length
//! ```
//!
//! Numbers are little-endian. Every frame starts with a fixed word so that a
//! port which loses or changes a byte is noticed instead of believed.

/// Where the list of jobs lies in the guest.
pub const JOBS: &str = "/cubicle/jobs";
/// The name of the port, as the guest reads it in `/sys/class/virtio-ports`.
pub const PORT: &str = "cubicle.results";
/// The serial line that does the port's work where the kernel has none.
pub const SERIAL: &str = "/dev/ttyS1";
/// Stands for the number of a job where there is none.
pub const NO_JOB: u32 = u32::MAX;
/// The directory in which each job starts; empty every time.
pub const DIRECTORY: &str = "/work";
/// The first four bytes of every frame.
pub const MAGIC: [u8; 4] = *b"cubi";
/// Bytes of output that are kept of a job, standard output and error together. A
/// program that prints for ever must fill neither memory nor disk of the host.
pub const OUTPUT_LIMIT: u64 = 64 << 20;
/// Bytes of a frame before its payload.
pub const HEADER: usize = 13;

/// Where blob `number` lies in the guest.
pub fn blob_path(number: u32) -> String {
    format!("/cubicle/blob/{number}")
}

/// The kinds of frame. `STDOUT`, `STDERR` and `FILE` carry a piece of a stream
/// each; a stream is the concatenation of its pieces.
pub mod kind {
    pub const STARTED: u8 = 1;
    pub const STDOUT: u8 = 2;
    pub const STDERR: u8 = 3;
    /// Index of the collected file (4 bytes), then a piece of it.
    pub const FILE: u8 = 4;
    /// Bytes of output beyond the limit (8 bytes), how the job ended (one of
    /// [`super::ended`]), then a number or a text.
    pub const ENDED: u8 = 5;
    /// What `/init` itself could not do, as text. Nothing follows.
    pub const TROUBLE: u8 = 6;
    /// Every job was run; the machine powers off.
    pub const DONE: u8 = 7;
}

/// How a job ended.
pub mod ended {
    pub const EXIT: u8 = 0;
    pub const SIGNAL: u8 = 1;
    pub const TIMED_OUT: u8 = 2;
    /// The kernel would not start it; the reason follows as text.
    pub const NOT_STARTED: u8 = 3;
}

/// A job as the guest sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The blob to execute.
    pub program: u32,
    /// `argv`, with the name of the program first.
    pub arguments: Vec<Vec<u8>>,
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// Put in place before the job starts: path, blob, permission bits.
    pub files: Vec<(Vec<u8>, u32, u32)>,
    /// The blob to read as standard input; without one it is empty.
    pub stdin: Option<u32>,
    /// Paths to send back when the job has ended.
    pub collect: Vec<Vec<u8>>,
    /// Milliseconds.
    pub timeout: u64,
}

/// Writes numbers and byte strings one after the other.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn number(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
    }
}

/// Reads what [`Writer`] wrote; `None` where the text ends too early.
pub struct Reader<'text>(pub &'text [u8]);

impl<'text> Reader<'text> {
    pub fn number(&mut self) -> Option<u64> {
        let (head, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*head))
    }

    pub fn bytes(&mut self) -> Option<&'text [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()?;
        (0..length).map(|_| one(self)).collect()
    }
}

/// The list of jobs as bytes.
pub fn write_jobs(jobs: &[Job]) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(jobs.len() as u64);
    for job in jobs {
        out.number(u64::from(job.program));
        out.number(job.arguments.len() as u64);
        job.arguments.iter().for_each(|text| out.bytes(text));
        out.number(job.environment.len() as u64);
        for (name, value) in &job.environment {
            out.bytes(name);
            out.bytes(value);
        }
        out.number(job.files.len() as u64);
        for (path, blob, mode) in &job.files {
            out.bytes(path);
            out.number(u64::from(*blob));
            out.number(u64::from(*mode));
        }
        out.number(job.stdin.map_or(u64::MAX, u64::from));
        out.number(job.collect.len() as u64);
        job.collect.iter().for_each(|path| out.bytes(path));
        out.number(job.timeout);
    }
    out.0
}

/// The inverse of [`write_jobs`].
pub fn read_jobs(text: &[u8]) -> Option<Vec<Job>> {
    let small = |reader: &mut Reader| u32::try_from(reader.number()?).ok();
    let owned = |reader: &mut Reader| reader.bytes().map(<[u8]>::to_vec);
    Reader(text).list(|reader| {
        Some(Job {
            program: small(reader)?,
            arguments: reader.list(owned)?,
            environment: reader.list(|reader| Some((owned(reader)?, owned(reader)?)))?,
            files: reader.list(|reader| Some((owned(reader)?, small(reader)?, small(reader)?)))?,
            stdin: match reader.number()? {
                u64::MAX => None,
                blob => Some(u32::try_from(blob).ok()?),
            },
            collect: reader.list(owned)?,
            timeout: reader.number()?,
        })
    })
}

/// The bytes that precede `payload` in a frame.
pub fn header(kind: u8, job: u32, payload: usize) -> [u8; HEADER] {
    let mut head = [0; HEADER];
    head[..4].copy_from_slice(&MAGIC);
    head[4] = kind;
    head[5..9].copy_from_slice(&job.to_le_bytes());
    head[9..].copy_from_slice(&(payload as u32).to_le_bytes());
    head
}

/// One frame at the start of `text`: kind, job, payload, and what follows it.
/// `Ok(None)` if `text` ends before the frame does, `Err` if it is no frame.
#[allow(clippy::type_complexity, reason = "a pair of pairs reads no better")]
pub fn frame(text: &[u8]) -> Result<Option<(u8, u32, &[u8], &[u8])>, [u8; 4]> {
    let Some((head, rest)) = text.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
    if word(0) != MAGIC {
        return Err(word(0));
    }
    let length = u32::from_le_bytes(word(9)) as usize;
    Ok(rest
        .split_at_checked(length)
        .map(|(payload, rest)| (head[4], u32::from_le_bytes(word(5)), payload, rest)))
}
