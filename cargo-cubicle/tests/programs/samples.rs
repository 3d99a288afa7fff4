//! The samples, built with the tool as a reader would: what they print
//! partitioned is what they print plainly, and the attacks end in violations.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::vm::{Job, Outcome, Status};

use crate::Trial;
use crate::copy::copy;
use crate::outside::{outside, tool};
use crate::program::{Ending, Run};

/// Copies of the samples, so that nothing is built in the source tree.
struct Samples {
    from: Utf8PathBuf,
    root: Utf8PathBuf,
}

impl Samples {
    fn folder(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.from.join(path)).unwrap()
    }

    /// Builds one whose program has its name; answers with the program.
    fn build(&self, name: &str, flags: &[&str]) -> Utf8PathBuf {
        self.build_program(name, name, flags)
    }

    fn build_program(&self, name: &str, program: &str, flags: &[&str]) -> Utf8PathBuf {
        let folder = self.folder(name);
        // One target folder for all, where they keep different names.
        let target = self.root.join("target");
        let status = tool(&folder)
            .args(["build", "--quiet", "--target-dir", target.as_str()])
            .args(flags)
            .status()
            .unwrap();
        assert!(status.success(), "sample {name} was not built");
        let profile = if flags.contains(&"--release") {
            "release"
        } else {
            "debug"
        };
        target
            .join("x86_64-unknown-linux-gnu")
            .join(profile)
            .join(program)
    }
}

/// All runs of all samples.
pub fn trials() -> Vec<Trial> {
    let samples = Samples {
        from: Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples"),
        root: Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("samples"),
    };
    copy(&samples.from, &samples.root);
    let mut trials = Vec::new();
    for (name, program) in [
        ("deflate", "deflate"),
        ("flate2", "streams"),
        ("rusqlite", "catalogue"),
        ("three", "three"),
    ] {
        let program = samples.build_program(name, program, &[]);
        let expected = samples.text(&format!("{name}/expected.txt"));
        trials.push(trial(name, program, expected));
    }
    vault(&samples, &mut trials);
    overflow(&samples, &[], &mut trials);
    overflow(&samples, &["--release"], &mut trials);
    trials
}

fn trial(name: &str, program: Utf8PathBuf, stdout: String) -> Trial {
    Trial {
        name: format!("sample {name}"),
        job: Job::new(program, Duration::from_secs(120)),
        run: Run {
            stdout,
            ..Run::default()
        },
        instead: None,
        any_of: None,
    }
}

fn vault(samples: &Samples, trials: &mut Vec<Trial>) {
    let folder = samples.folder("vault");
    let made = Command::new("make")
        .args(["--quiet", "-C", folder.as_str(), "all"])
        .status()
        .unwrap();
    assert!(made.success());
    let program = samples.build("vault", &[]);
    let with = |requests: &str, trial: Trial| Trial {
        job: Job {
            stdin: Some(samples.text(&format!("vault/requests/{requests}")).into()),
            files: vec![("demo.key".into(), folder.join("demo.key"))],
            ..trial.job
        },
        ..trial
    };
    let expected = samples.text("vault/expected-honest.txt");
    let honest = trial("vault honest", program.clone(), expected);
    trials.push(with("honest.txt", honest));
    let attack = Trial {
        instead: Some(no_key_leaks),
        any_of: None,
        ..trial("vault heartbleed", program, String::new())
    };
    trials.push(with("heartbleed.txt", attack));
}

/// What the heartbeat answers is app's memory, which nobody can foresee; only the
/// key must not be in it.
fn no_key_leaks(outcome: &Outcome) -> Option<String> {
    let samples = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let key = fs::read(samples.join("vault/demo.key")).unwrap();
    let key = key.trim_ascii();
    let answered = outcome.stdout.starts_with(b"heartbeat hello")
        || contains(&outcome.stdout, b"\nheartbeat hello");
    let long_enough = outcome.stdout.len() > 600;
    let leaked = contains(&outcome.stdout, key);
    (outcome.status != Status::Exit(0) || !answered || !long_enough || leaked).then(|| {
        format!(
            "{}, answered: {answered}, {} bytes, key leaked: {leaked}",
            outcome.status,
            outcome.stdout.len()
        )
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn overflow(samples: &Samples, flags: &[&str], trials: &mut Vec<Trial>) {
    let program = samples.build("overflow", flags);
    let inputs = samples.root.join("inputs").join(flags.concat());
    fs::create_dir_all(&inputs).unwrap();
    for verb in ["honest", "malicious"] {
        let file = inputs.join(verb).with_extension("fli");
        let mut cargo = outside("cargo", samples.folder("overflow"));
        cargo
            .args(["run", "--quiet", "--manifest-path", "inputs/Cargo.toml"])
            .args(["--target-dir", samples.root.join("inputs/target").as_str()])
            .args(["--", verb, file.as_str()])
            .stdout(std::process::Stdio::null());
        if verb == "malicious" {
            cargo.arg(&program);
        }
        assert!(cargo.status().unwrap().success());
        let attack = verb == "malicious";
        let expected = if attack {
            "expected-malicious-cubicle"
        } else {
            "expected-honest"
        };
        let expected = samples.text(&format!("overflow/{expected}.txt"));
        let name = format!("overflow {verb} {}", flags.concat());
        let trial = trial(&name, program.clone(), expected);
        let fields = [
            ("kind", "access"),
            ("cubicle", "flic"),
            ("owner", "app"),
            ("place", "data"),
            ("access", "write"),
            ("chain", "flic_next"),
        ];
        let fields: BTreeMap<String, String> = fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        trials.push(Trial {
            job: Job {
                arguments: vec!["input.fli".into()],
                files: vec![("input.fli".into(), file)],
                ..trial.job
            },
            run: Run {
                ending: Ending::Status(if attack { 86 } else { 0 }),
                violation: attack.then_some(fields),
                ..trial.run
            },
            ..trial
        });
    }
}
