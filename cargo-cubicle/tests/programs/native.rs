//! Runs a program on this machine, as the emulated machine would.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cargo_cubicle::vm::{Job, Outcome, Status};

/// Held while files are copied and programs started: a process that begins meanwhile would have a file
/// open for writing that is to be executed.
static STARTING: Mutex<()> = Mutex::new(());

/// Runs all jobs, as many at once as there are processors. Outcomes are in the order of the jobs.
pub fn run_all(jobs: &[&Job]) -> Vec<Outcome> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((job, outcome)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(index).zip(outcomes.get(index))
                } {
                    *outcome.lock().unwrap() = Some(run(job));
                }
            });
        }
    });
    let outcomes = outcomes.into_iter();
    outcomes
        .map(|outcome| outcome.into_inner().unwrap().expect("every job was run"))
        .collect()
}

/// Runs one job. Its files are copied, its environment is the whole one, and
/// its working directory is otherwise empty.
pub fn run(job: &Job) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let starting = STARTING.lock().unwrap();
    for (inside, file) in &job.files {
        fs::copy(file, directory.path().join(inside)).unwrap();
    }
    let mut child = Command::new(&job.program)
        .args(&job.arguments)
        .env_clear()
        .envs(job.environment.iter().cloned())
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(starting);
    let (mut stdin, stdout, stderr) = (
        child.stdin.take().unwrap(),
        child.stdout.take().unwrap(),
        child.stderr.take().unwrap(),
    );
    std::thread::scope(|scope| {
        // A program that ends without reading closes the pipe.
        let input = job.stdin.clone().unwrap_or_default();
        scope.spawn(move || stdin.write_all(&input).is_ok());
        let [stdout, stderr] = [
            scope.spawn(move || read(stdout)),
            scope.spawn(move || read(stderr)),
        ];
        let end = Instant::now() + job.timeout;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break match (status.code(), status.signal()) {
                    (Some(code), _) => Status::Exit(code),
                    (None, signal) => Status::Signal(signal.unwrap_or_default()),
                };
            }
            if Instant::now() > end {
                child.kill().unwrap();
                child.wait().unwrap();
                break Status::TimedOut;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        Outcome {
            status,
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
            dropped: 0,
            collected: Vec::new(),
        }
    })
}

fn read(mut from: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}
