//! Boots the emulated machine and runs real programs in it. It needs QEMU and a
//! kernel, which not every machine may get, so only `CUBICLE_TEST_VM=1` asks for
//! it; the project's test command sets that.

#[path = "common/emulation.rs"]
mod emulation;

use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::vm::{Job, Machine, Options, Series, Status, VmError};

fn wanted() -> bool {
    let wanted = emulation::is_wanted();
    if !wanted {
        eprintln!("not run: CUBICLE_TEST_VM=1 asks for the emulated machine");
    }
    wanted
}

fn compile(name: &str, directory: &Utf8Path, flags: &[&str]) -> Utf8PathBuf {
    let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/emulated")
        .join(name)
        .with_extension("c");
    let program = directory.join(name);
    let status = Command::new("cc")
        .args(flags)
        .args(["-O1", "-Wall", "-o"])
        .args([&program, &source])
        .status();
    assert!(status.unwrap().success(), "{source}");
    program
}

fn job(program: &Utf8Path, arguments: &[&str]) -> Job {
    Job {
        arguments: arguments.iter().map(|text| text.to_string()).collect(),
        ..Job::new(program, Duration::from_secs(30))
    }
}

#[test]
fn one_boot_runs_many_programs() {
    if !wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let work = Utf8Path::from_path(directory.path()).unwrap();
    let keys = compile("keys", work, &["-static"]);
    let behave = compile("behave", work, &["-static"]);
    std::fs::create_dir(work.join("dynamic")).unwrap();
    let dynamic = compile("behave", &work.join("dynamic"), &[]);

    // Every byte, in an order that a terminal would not survive.
    let binary: Vec<u8> = (0u32..200_000)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    std::fs::create_dir(work.join("given")).unwrap();
    std::fs::write(work.join("given/deep.bin"), &binary).unwrap();
    let files = |job: Job| Job {
        files: vec![("given".into(), work.join("given"))],
        collect: vec!["/tmp/made".into(), "/no/such/file".into(), "left".into()],
        ..job
    };

    let jobs = [
        job(&keys, &[]),
        job(&behave, &["exit", "7"]),
        Job {
            timeout: Duration::from_millis(300),
            ..job(&behave, &["hang"])
        },
        job(&behave, &["die", "6"]),
        Job {
            stdin: Some(binary.clone()),
            ..job(&behave, &["echo"])
        },
        Job {
            environment: vec![
                ("NAME".into(), "a value=with = signs".into()),
                ("EMPTY".into(), String::new()),
            ],
            ..job(&behave, &["show", "two words", "", "täglich"])
        },
        files(job(&behave, &["files"])),
        files(job(&behave, &["files"])),
        job(&dynamic, &["exit", "0"]),
        job(&behave, &["echo"]),
        job(&behave, &["flood"]),
    ];
    let machine = Machine::prepare(&Options {
        install: true,
        ..Options::default()
    })
    .unwrap();
    let outcomes = machine.run(&jobs, work).unwrap();
    assert_eq!(outcomes.len(), jobs.len());
    let text = |index: usize| String::from_utf8_lossy(&outcomes[index].stdout);

    assert_eq!(outcomes[0].status, Status::Exit(0), "{:?}", outcomes[0]);
    assert_eq!(text(0), "keys 1 2\nreads 1\ncode 4 key 2\n");
    assert_eq!(outcomes[1].status, Status::Exit(7));
    assert_eq!(
        (&outcomes[2].status, &*text(2)),
        (&Status::TimedOut, "before")
    );
    assert_eq!(outcomes[3].status, Status::Signal(6));
    assert_eq!(outcomes[4].status, Status::Exit(0));
    assert!(
        outcomes[4].stdout == binary,
        "{} bytes came back",
        outcomes[4].stdout.len()
    );
    assert_eq!(
        text(5),
        "[show][two words][][täglich]{EMPTY=}{NAME=a value=with = signs}"
    );
    assert_eq!(outcomes[5].stderr, b"to stderr");
    for outcome in &outcomes[6..8] {
        assert_eq!(outcome.status, Status::Exit(0), "{outcome:?}");
        assert!(outcome.collected[0].as_ref() == Some(&binary));
        assert_eq!(outcome.collected[1], None);
        assert_eq!(outcome.collected[2], Some(Vec::new()));
    }
    assert!(
        matches!(outcomes[8].status, Status::NotStarted(_)),
        "{:?}",
        outcomes[8]
    );
    assert_eq!(
        (&outcomes[9].status, outcomes[9].stdout.len()),
        (&Status::Exit(0), 0)
    );
    let flood = &outcomes[10];
    assert_eq!((&flood.status, flood.dropped), (&Status::Exit(0), 2 << 20));
    assert_eq!(flood.stdout.len() + flood.stderr.len(), 64 << 20);
    assert!(outcomes[..10].iter().all(|outcome| outcome.dropped == 0));
}

#[test]
fn a_kernel_that_panics_is_heard() {
    if !wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let work = Utf8Path::from_path(directory.path()).unwrap();
    let behave = compile("behave", work, &["-static"]);
    let machine = Machine::prepare(&Options {
        install: true,
        ..Options::default()
    })
    .unwrap();
    let jobs = [job(&behave, &["exit", "0"]), job(&behave, &["panic"])];
    match machine.run(&jobs, work) {
        Err(VmError::Died {
            job: Some(1),
            console,
        }) => assert!(console.contains("sysrq"), "{console}"),
        other => panic!("{other:?}"),
    }
}

/// Its drivers are modules, so that the results take the serial line.
#[test]
fn an_older_kernel_does_the_same() {
    if !wanted() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let work = Utf8Path::from_path(directory.path()).unwrap();
    let behave = compile("behave", work, &["-static"]);
    let options = Options {
        install: true,
        series: Some(Series(6, 1)),
        ..Options::default()
    };
    let machine = Machine::prepare(&options).unwrap();
    assert!(
        machine.kernel().as_str().contains("vmlinuz-6.1."),
        "{}",
        machine.kernel()
    );
    let binary: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let jobs = [
        Job {
            stdin: Some(binary.clone()),
            ..job(&behave, &["echo"])
        },
        job(&behave, &["exit", "7"]),
    ];
    let outcomes = machine.run(&jobs, work).unwrap();
    assert_eq!(outcomes[0].status, Status::Exit(0));
    assert!(
        outcomes[0].stdout == binary,
        "{} bytes came back",
        outcomes[0].stdout.len()
    );
    assert_eq!(outcomes[1].status, Status::Exit(7));
}
