//! That the experiment compares programs that do the same.

use std::fs;
use std::process::Command;

use super::figures::{PARTS, Subject};
use super::{build, queries, source};
use crate::programs::{Workshop, run};

/// The sample's own program, in one image and as processes; `./check` runs it in cubicles.
#[test]
fn processes_do_what_one_image_does() {
    let workshop = Workshop::for_tests().unwrap();
    let place = workshop.fresh("experiment").unwrap();
    let programs = build::plain(&workshop, &place, None).unwrap();
    let expected = workshop.path("samples/sqlite-os/expected.txt");
    let expected = fs::read_to_string(expected).unwrap();
    for subject in [Subject::OneImage]
        .into_iter()
        .chain(PARTS.map(Subject::Processes))
    {
        let printed = run(&mut Command::new(&programs[&subject])).unwrap();
        assert_eq!(printed, expected, "{subject}");
    }
}

/// speedtest1 where the processor has keys, in every partition, beside plain Linux.
#[test]
#[ignore = "takes minutes: emulated, and SQLite is compiled three times"]
fn cubicles_return_under_keys_what_linux_does() {
    let workshop = Workshop::for_tests().unwrap();
    workshop.build_tool().unwrap();
    let source = source::get().unwrap();
    let place = workshop.fresh("experiment").unwrap();
    let arguments = ["--verify", "--testset", "main", "--size", "5"];
    let programs = build::plain(&workshop, &place, Some(&source)).unwrap();
    let linux = super::once(&programs[&Subject::Linux], "5", &["--verify"]).unwrap();
    let mut hashes = vec![("Linux".to_owned(), queries::read(&linux).unwrap().hash)];
    for parts in PARTS {
        let printed = run(&mut build::under_keys(
            &workshop, &source, parts, &arguments,
        ))
        .unwrap();
        let hash = queries::read(&printed).unwrap().hash;
        hashes.push((Subject::Cubicles(parts).to_string(), hash));
    }
    queries::agree(hashes.iter().map(|(name, hash)| (&**name, &**hash))).unwrap();
}
