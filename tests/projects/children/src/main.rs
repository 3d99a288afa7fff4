//! Starts other programs with `std::process::Command`, from several threads, in each
//! way that the standard library has.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::thread;

unsafe extern "C" {
    safe fn counter_next() -> i32;
}

const THREADS: i32 = 6;

/// The status of a shell, started by posix_spawn(3).
fn status(code: i32) -> Option<i32> {
    let shell = Command::new("/bin/sh")
        .args(["-c", &format!("exit {code}")])
        .status();
    shell.expect("a shell").code()
}

/// Something to do in the child makes the library fork.
fn forked(code: i32) -> Option<i32> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("exit {code}")]);
    // SAFETY: nothing is done.
    unsafe { command.pre_exec(|| Ok(())) };
    command.status().expect("a shell").code()
}

/// What a filter makes of some text.
fn filtered(text: &str) -> String {
    let mut child = Command::new("tr")
        .args(["a-z", "A-Z"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a filter");
    let mut into = child.stdin.take().expect("its end of the pipe");
    into.write_all(text.as_bytes()).expect("written");
    drop(into);
    let mut result = String::new();
    let mut from = child.stdout.take().expect("its end of the pipe");
    from.read_to_string(&mut result).expect("read");
    assert!(child.wait().expect("its status").success());
    result
}

fn main() {
    thread::scope(|scope| {
        for own in 0..THREADS {
            scope.spawn(move || {
                for round in 0..4 {
                    let code = 10 * own + round;
                    assert_eq!(status(code), Some(code));
                    assert_eq!(forked(code), Some(code));
                    let text = format!("thread {own}, round {round}");
                    assert_eq!(filtered(&text), text.to_uppercase());
                    counter_next();
                }
            });
        }
    });
    println!("{} rounds", counter_next() - 1);
    let missing = Command::new("/no/such/program").spawn();
    assert_eq!(
        missing.err().map(|error| error.kind()),
        Some(ErrorKind::NotFound)
    );
    let mut sleeping = Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("a sleeper");
    sleeping.kill().expect("killed");
    let status = sleeping.wait().expect("its status");
    println!("killed by {:?}", status.signal());
    let error = Command::new("/bin/sh")
        .args(["-c", "echo instead; exit 7"])
        .exec();
    panic!("not executed: {error}");
}
