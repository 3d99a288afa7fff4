//! Builds the programs under `tests/programs/` and `tests/attacks/` of the project
//! with the tool and runs them: on this machine, or, if `CUBICLE_TEST_VM=1` asks for it, in the
//! emulated one, which has protection keys. There they share one boot for each processor.

#[path = "../common/copy.rs"]
mod copy;
mod emulated;
#[path = "../common/emulation.rs"]
mod emulation;
mod judge;
mod native;
#[path = "../common/outside.rs"]
mod outside;
mod places;
mod program;
mod project;
mod samples;
mod started;

use std::collections::BTreeSet;
use std::time::Duration;

use camino::Utf8Path;
use cargo_cubicle::vm::{Job, Machine, Options, Outcome, Series, host_has_keys};

use program::{Mechanism, Program, Run};
use project::Built;

/// One job, and what must come of it.
struct Trial {
    name: String,
    job: Job,
    run: Run,
    /// Judges by itself, instead of comparing with `run`.
    instead: Option<fn(&Outcome) -> Option<String>>,
    /// Of those with the same number, one that is right is enough.
    any_of: Option<usize>,
}

fn programs() -> (Vec<Program>, Built) {
    let tests = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let only = std::env::var("CUBICLE_TEST_PROGRAM").ok();
    let mut folders: Vec<_> = ["programs", "attacks"]
        .iter()
        .flat_map(|name| tests.join(name).read_dir_utf8().unwrap())
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let programs: Vec<Program> = folders
        .iter()
        .flat_map(|folder| Program::read_all(folder))
        .filter(|program| {
            only.as_deref().is_none_or(|only| match only {
                "attacks" => program.folder.starts_with(tests.join("attacks")),
                only => program.name.starts_with(only),
            })
        })
        .collect();
    assert!(!programs.is_empty() || only.as_deref() == Some("samples"));
    let built = project::build(&programs, &tests.join("programs"));
    (programs, built)
}

fn trials(programs: &[Program], built: &Built, mechanism: Mechanism) -> Vec<Trial> {
    let mut trials = Vec::new();
    for program in programs {
        for run in program.runs(mechanism) {
            let path = built.path(program, &run.without);
            let any_of = (run.each.is_some() && !run.without.is_empty()).then_some(trials.len());
            let places = match &run.each {
                None => vec![None],
                Some((kind, function)) => places::places(&path, mechanism, kind, function)
                    .into_iter()
                    .map(Some)
                    .collect(),
            };
            for place in places {
                let mut arguments = run.arguments.clone();
                arguments.extend(place.map(|place| format!("{place:#x}")));
                let job = Job {
                    arguments,
                    environment: vec![("GIVEN".into(), "to all".into())],
                    stdin: run.stdin.clone().map(String::into_bytes),
                    ..Job::new(path.clone(), Duration::from_secs(60))
                };
                trials.push(Trial {
                    name: format!(
                        "{} {}",
                        program.name_without(&run.without),
                        job.arguments.join(" ")
                    ),
                    job: match (&run.interrupted, &run.typed) {
                        (Some(places), _) => started::interrupted(places, job),
                        (None, Some(key)) => started::on_terminal(key, job),
                        (None, None) => job,
                    },
                    run: run.clone(),
                    instead: None,
                    any_of,
                });
            }
        }
    }
    trials
}

fn judge_all(trials: &[Trial], outcomes: &[Outcome], mechanism: Mechanism) {
    let mut right = BTreeSet::new();
    let mut wrong = Vec::new();
    for (trial, outcome) in trials.iter().zip(outcomes) {
        let found = match trial.instead {
            Some(judge) => judge(outcome),
            None => judge::judge(&trial.job.program, &trial.run, outcome, mechanism),
        };
        match found {
            Some(found) => {
                wrong.push((trial.any_of, format!("{}: {found}", trial.name.trim_end())))
            }
            None => right.extend(trial.any_of),
        }
    }
    let enough = |any_of: Option<usize>| any_of.is_some_and(|any_of| right.contains(&any_of));
    let wrong: Vec<String> = wrong
        .into_iter()
        .filter_map(|(any_of, found)| (!enough(any_of)).then_some(found))
        .collect();
    assert_eq!(trials.len(), outcomes.len());
    assert!(
        wrong.is_empty(),
        "{} of {} runs went wrong under {}:\n{}",
        wrong.len(),
        trials.len(),
        mechanism.name(),
        wrong.join("\n")
    );
    eprintln!("{} runs under {}", trials.len(), mechanism.name());
}

const OLDEST_FOR_KEYS: Series = Series(6, 12);

/// The series of kernels that CUBICLE_TEST_KERNEL asks for, such as 6.1.
fn kernel() -> Option<Series> {
    let wanted = std::env::var("CUBICLE_TEST_KERNEL").ok()?;
    let (major, minor) = wanted.split_once('.').expect("such as 6.1");
    Some(Series(major.parse().unwrap(), minor.parse().unwrap()))
}

#[test]
fn programs_do_what_they_say() {
    let (programs, built) = programs();
    let mechanism = if host_has_keys() {
        Mechanism::Pku
    } else {
        Mechanism::PageTable
    };
    // CUBICLE_TEST_PROGRAM names what is tried; the samples are not part of it.
    let samples = |trials: &mut Vec<Trial>| {
        let only = std::env::var("CUBICLE_TEST_PROGRAM").unwrap_or_default();
        if only.is_empty() || only == "samples" {
            trials.extend(samples::trials());
        }
    };
    if !emulation::is_wanted() {
        let mut native = trials(&programs, &built, mechanism);
        samples(&mut native);
        let jobs: Vec<&Job> = native.iter().map(|trial| &trial.job).collect();
        let outcomes = native::run_all(&jobs);
        judge_all(&native, &outcomes, mechanism);
        eprintln!("not run with keys: CUBICLE_TEST_VM=1 runs them in the emulated machine instead");
        return;
    }
    // A kernel that cannot keep keys from handlers runs with page tables.
    let series = kernel();
    let mechanism = match series {
        Some(series) if series < OLDEST_FOR_KEYS => Mechanism::OldKernel,
        _ => Mechanism::Pku,
    };
    let machine = Machine::prepare(&Options {
        install: true,
        series,
        ..Options::default()
    })
    .unwrap();
    let mut emulated = trials(&programs, &built, mechanism);
    samples(&mut emulated);
    let jobs: Vec<Job> = emulated.iter().map(|trial| trial.job.clone()).collect();
    let outcomes = emulated::run_all(&machine, &jobs);
    judge_all(&emulated, &outcomes, mechanism);
}

/// A load of threads, signals, lends and restarts: a minute on this machine, seconds in the
/// emulated one. `CUBICLE_TEST_SEED` repeats the calls of a run that went wrong, whose name
/// ends with its seed; when threads meet is up to the kernel.
#[test]
#[ignore = "takes a minute"]
fn all_results_under_load_are_those_of_the_plain_functions() {
    let tests = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let programs = Program::read_all(&tests.join("load"));
    let built = project::build(&programs, &tests.join("programs"));
    let in_machine = emulation::is_wanted();
    let mechanism = match in_machine || host_has_keys() {
        true => Mechanism::Pku,
        false => Mechanism::PageTable,
    };
    let seeds = match std::env::var("CUBICLE_TEST_SEED") {
        Ok(seed) => vec![seed],
        Err(_) => (1..=8).map(|seed| seed.to_string()).collect(),
    };
    let mut all = Vec::new();
    for seed in &seeds {
        for mut trial in trials(&programs, &built, mechanism) {
            trial.name.push_str(&format!("5 {seed}"));
            trial.job.arguments = vec!["5".into(), seed.clone()];
            all.push(trial);
        }
        if in_machine {
            break;
        }
    }
    let outcomes: Vec<Outcome> = if in_machine {
        let machine = Machine::prepare(&Options {
            install: true,
            ..Options::default()
        })
        .unwrap();
        let jobs: Vec<Job> = all.iter().map(|trial| trial.job.clone()).collect();
        emulated::run_all(&machine, &jobs)
    } else {
        // Each of them has work for all processors.
        all.iter().map(|trial| native::run(&trial.job)).collect()
    };
    judge_all(&all, &outcomes, mechanism);
}
