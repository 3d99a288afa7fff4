//! A test program: a folder under `tests/programs/` or `tests/attacks/` with a
//! `Cubicle.toml` and C or C++ files. Every further manifest in the folder,
//! `NAME.toml`, makes one more program of the same files. Comments in `app.c` say
//! what all of them must do:
//!
//! ```text
//! //@ run: write heap              starts a run, with these arguments
//! //@ stdin: a line
//! //@ stdout: a line               all lines, in this order; so for stderr
//! //@ status: 86                   default 0, or 86 with a violation
//! //@ signal: 11
//! //@ violation: kind=access|gate … fields of the one record; default: none;
//!                                  crash:app is a crash of app's own making
//! //@ report: some words            the report that people see contains them
//! //@ restarts: 3                  as many records say that a cubicle starts anew;
//!                                  default: none. `any` for some
//! //@ harmless: a line              may also print this and end with 0
//! //@ only: pku Cubicle            not under the other mechanism, with others of
//!                                  the folder's manifests; `native`: not emulated
//! //@ each: wrpkru F               one run for each such place in the gate of F,
//! //@ each: instruction F          whose address is the last argument
//! //@[pku] …                       what differs under one mechanism, or where page
//!                                  tables are used because the kernel is old: [old-kernel]
//! //@ interrupted: everywhere      once at each instruction between two marks; `gates`:
//!                                  at those of gates and stubs; `behind`: once, at
//!                                  or behind the place of `each`
//! //@ typed: ^C                   on a terminal, when it has written a line to that
//! //@ without: NAME …              the same run once more, in a program that goes
//! //@ then: stdout: a line         without these defences: what an attack does
//! //@ then: status: 1              then, which is all that counts in that run
//! ```
//!
//! A program without `run` is run once. What stands before the first `run` holds
//! for all of them. A run may have several `without`, each with its own `then`s behind
//! it. With `each`, one place at which the attack succeeds is enough.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::emulation;

/// What keeps cubicles apart where a run takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Pku,
    PageTable,
    /// Page tables, because the kernel is too old for keys.
    OldKernel,
}

impl Mechanism {
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Pku => "pku",
            Mechanism::PageTable | Mechanism::OldKernel => "pagetable",
        }
    }

    /// What stands in brackets before lines that hold under it, the most particular first.
    fn words(self) -> &'static [&'static str] {
        match self {
            Mechanism::Pku => &["pku"],
            Mechanism::PageTable => &["pagetable"],
            Mechanism::OldKernel => &["old-kernel", "pagetable"],
        }
    }

    /// Defences that no program has there: second walls. `mseal` came with 6.10, and Debian's
    /// older kernels do not activate Landlock.
    fn missing(self) -> &'static [&'static str] {
        match self {
            Mechanism::Pku | Mechanism::PageTable => &[],
            Mechanism::OldKernel => &["sealed", "landlock"],
        }
    }
}

/// One program.
#[derive(Debug)]
pub struct Program {
    pub name: String,
    /// Where its sources are.
    pub folder: Utf8PathBuf,
    pub manifest: Utf8PathBuf,
    runs: Vec<Directives>,
}

/// How often cubicles must start anew in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Restarts {
    Exactly(usize),
    Some,
}

impl Default for Restarts {
    fn default() -> Restarts {
        Restarts::Exactly(0)
    }
}

/// What one run is given, and how it must end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    pub arguments: Vec<String>,
    pub stdin: Option<String>,
    pub stdout: String,
    pub stderr: String,
    pub ending: Ending,
    /// Fields of the violation record, all of which must be so.
    pub violation: Option<BTreeMap<String, String>>,
    /// Words in the symbolized report.
    pub report: Option<String>,
    /// How many records say that a cubicle starts anew.
    pub restarts: Restarts,
    /// What it may print instead, ending with 0 and without a violation.
    pub harmless: Option<String>,
    /// The kind of place and the function of `each`.
    pub each: Option<(String, String)>,
    /// It is run by `terminal.c`, which types this.
    pub typed: Option<String>,
    /// It is run by `interrupt.c`, which is told this.
    pub interrupted: Option<String>,
    /// The names of the defences that its program goes without, in order; in
    /// most runs none.
    pub without: Vec<String>,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Status(i32),
    Signal(i32),
}

impl Default for Ending {
    fn default() -> Ending {
        Ending::Status(0)
    }
}

/// Key, value, and the mechanism that a line is for.
type Directives = Vec<(Option<String>, String, String)>;

const KEYS: &[&str] = &[
    "run",
    "stdin",
    "stdout",
    "stderr",
    "status",
    "signal",
    "violation",
    "report",
    "restarts",
    "only",
    "each",
    "harmless",
    "interrupted",
    "typed",
    "without",
    "then",
];

/// What a run is given: it holds without defences, too.
const GIVEN: &[&str] = &["run", "stdin", "only", "each", "interrupted", "typed"];

impl Program {
    /// All programs of a folder: none if it has no manifest.
    pub fn read_all(folder: &Utf8Path) -> Vec<Program> {
        let entries = folder.read_dir_utf8().unwrap();
        let mut manifests: Vec<Utf8PathBuf> = entries
            .map(|entry| entry.unwrap().into_path())
            .filter(|path| path.extension() == Some("toml"))
            .collect();
        manifests.sort();
        let of = |manifest| Program::read(folder, manifest);
        manifests.into_iter().map(of).collect()
    }

    fn read(folder: &Utf8Path, manifest: Utf8PathBuf) -> Program {
        let path = ["app.c", "app.cpp"]
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
            .unwrap_or_else(|| panic!("{folder}: there is no app.c or app.cpp"));
        let text = fs::read_to_string(&path).unwrap();
        let mut common = Directives::new();
        let mut runs: Vec<Directives> = Vec::new();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("//@") else {
                continue;
            };
            let (mechanism, rest) = match rest.strip_prefix('[') {
                Some(rest) => {
                    let (name, rest) = rest.split_once(']').expect("a closing bracket");
                    let known = matches!(name, "pku" | "pagetable" | "old-kernel");
                    assert!(known, "{path}: {line}");
                    (Some(name.to_owned()), rest)
                }
                None => (None, rest),
            };
            let (key, value) = rest
                .split_once(':')
                .unwrap_or_else(|| panic!("{path}: no colon in `{line}`"));
            let (key, value) = (key.trim(), value.strip_prefix(' ').unwrap_or(value));
            assert!(KEYS.contains(&key), "{path}: `{line}`");
            let directive = (mechanism, key.to_owned(), value.to_owned());
            match (key, runs.last_mut()) {
                ("run", _) => runs.push(vec![directive]),
                (_, Some(run)) => run.push(directive),
                (_, None) => common.push(directive),
            }
        }
        if runs.is_empty() {
            runs.push(Directives::new());
        }
        for run in &mut runs {
            run.splice(0..0, common.iter().cloned());
        }
        let name = folder.file_name().unwrap_or_default();
        Program {
            name: match manifest.file_stem() {
                Some("Cubicle") | None => name.to_owned(),
                Some(variant) => format!("{name}-{variant}"),
            },
            folder: folder.to_owned(),
            manifest,
            runs,
        }
    }

    /// The name of the program that goes without some defences.
    pub fn name_without(&self, names: &[String]) -> String {
        match names {
            [] => self.name.clone(),
            names => format!("{}--without-{}", self.name, names.join("-")),
        }
    }

    /// The sets of defences that some of its runs go without.
    pub fn left_out(&self) -> BTreeSet<Vec<String>> {
        let runs = [Mechanism::Pku, Mechanism::PageTable].map(|mechanism| self.runs(mechanism));
        let sets = runs.into_iter().flatten().map(|run| run.without);
        sets.filter(|names| !names.is_empty()).collect()
    }

    /// The runs that take place under `mechanism`.
    pub fn runs(&self, mechanism: Mechanism) -> Vec<Run> {
        let wanted = |run: &&Directives| match one(run, "only", mechanism) {
            Some(only) => {
                let stem = self.manifest.file_stem();
                let (places, manifests): (Vec<_>, Vec<_>) = only
                    .split_whitespace()
                    .partition(|word| matches!(*word, "pku" | "pagetable" | "native"));
                let is_here = |place: &&str| match *place {
                    "native" => !emulation::is_wanted(),
                    name => name == mechanism.name(),
                };
                places.iter().all(is_here)
                    && (manifests.is_empty() || manifests.iter().any(|name| Some(*name) == stem))
            }
            None => true,
        };
        let wanted = self.runs.iter().filter(wanted);
        wanted
            .flat_map(|run| {
                let defended = self.run(run, mechanism);
                let mut undefended = self.undefended(run, mechanism);
                let sets: Vec<_> = undefended.iter().map(|run| run.without.clone()).collect();
                // Behind what is left out stands a wall that is not there: the run that goes
                // without that one, too, shows what happens.
                undefended.retain(|run| {
                    mechanism.missing().iter().all(|wall| {
                        let mut both = run.without.clone();
                        both.push((*wall).to_owned());
                        both.sort();
                        !sets.contains(&both)
                    })
                });
                std::iter::once(defended).chain(undefended)
            })
            .collect()
    }

    /// The same run, once more for each `without`.
    fn undefended(&self, run: &Directives, mechanism: Mechanism) -> Vec<Run> {
        let given = run
            .iter()
            .filter(|(_, key, _)| GIVEN.contains(&key.as_str()));
        let given: Directives = given.cloned().collect();
        let mut runs: Vec<(Vec<String>, Directives)> = Vec::new();
        let mut here = false;
        for (only, key, value) in run {
            let applies = only
                .as_deref()
                .is_none_or(|only| mechanism.words().contains(&only));
            match key.as_str() {
                "without" => {
                    here = applies;
                    let mut names: Vec<String> =
                        value.split_whitespace().map(str::to_owned).collect();
                    names.sort();
                    if here {
                        runs.push((names, given.clone()));
                    }
                }
                "then" if here => {
                    let (key, value) = value.split_once(':').expect("KEY: VALUE after then");
                    let (key, value) = (key.trim(), value.strip_prefix(' ').unwrap_or(value));
                    assert!(KEYS.contains(&key) && !GIVEN.contains(&key), "{value}");
                    let (_, directives) = runs.last_mut().expect("`without` before `then`");
                    directives.push((only.clone(), key.to_owned(), value.to_owned()));
                }
                _ => {}
            }
        }
        runs.into_iter()
            .map(|(without, directives)| Run {
                without,
                ..self.run(&directives, mechanism)
            })
            .collect()
    }

    fn run(&self, run: &Directives, mechanism: Mechanism) -> Run {
        let number = |key| {
            one(run, key, mechanism).map(|value| {
                value
                    .trim()
                    .parse::<i32>()
                    .unwrap_or_else(|_| panic!("{}: `{key}: {value}`", self.folder))
            })
        };
        let violation = one(run, "violation", mechanism).filter(|value| value.trim() != "none");
        let violation: Option<BTreeMap<_, _>> = violation.map(|value| {
            let fields = value.split_whitespace().map(|field| {
                let (key, value) = field.split_once('=').expect("KEY=VALUE in a violation");
                (key.to_owned(), value.to_owned())
            });
            fields.collect()
        });
        let ending = match (number("signal"), number("status")) {
            (Some(signal), _) => Ending::Signal(signal),
            (None, Some(status)) => Ending::Status(status),
            (None, None) if violation.is_some() => Ending::Status(86),
            (None, None) => Ending::Status(0),
        };
        Run {
            arguments: one(run, "run", mechanism)
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            stdin: lines(run, "stdin", mechanism),
            stdout: lines(run, "stdout", mechanism).unwrap_or_default(),
            stderr: lines(run, "stderr", mechanism).unwrap_or_default(),
            ending,
            violation,
            report: one(run, "report", mechanism).map(str::to_owned),
            restarts: match one(run, "restarts", mechanism).map(str::trim) {
                Some("any") => Restarts::Some,
                _ => Restarts::Exactly(number("restarts").unwrap_or(0) as usize),
            },
            harmless: lines(run, "harmless", mechanism),
            each: one(run, "each", mechanism).map(|value| {
                let (kind, function) = value.split_once(' ').expect("KIND FUNCTION after each");
                (kind.to_owned(), function.trim().to_owned())
            }),
            typed: one(run, "typed", mechanism).map(str::to_owned),
            interrupted: one(run, "interrupted", mechanism).map(str::to_owned),
            without: Vec::new(),
        }
    }
}

/// The values of `key`: those for this mechanism if there are some, else the
/// ones for both.
fn values<'a>(run: &'a Directives, key: &str, mechanism: Mechanism) -> Vec<&'a str> {
    let of = |wanted: Option<&str>| -> Vec<&'a str> {
        run.iter()
            .filter(|(only, name, _)| name == key && only.as_deref() == wanted)
            .map(|(_, _, value)| value.as_str())
            .collect()
    };
    let words = mechanism.words().iter().map(|word| of(Some(word)));
    let own = words.into_iter().find(|own| !own.is_empty());
    own.unwrap_or_else(|| of(None))
}

/// The last one wins: a run may say otherwise than what holds for all.
fn one<'a>(run: &'a Directives, key: &str, mechanism: Mechanism) -> Option<&'a str> {
    values(run, key, mechanism).last().copied()
}

fn lines(run: &Directives, key: &str, mechanism: Mechanism) -> Option<String> {
    let lines = values(run, key, mechanism);
    (!lines.is_empty()).then(|| lines.iter().flat_map(|line| [line, "\n"]).collect())
}
