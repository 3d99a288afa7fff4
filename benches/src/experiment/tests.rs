//! That the experiment compares programs that do the same.

use std::fs;
use std::process::Command;

use super::build::{self, Site};
use super::figures::{PARTS, Subject};
use super::{queries, source};
use crate::programs::{Workshop, run};

/// The sample's own program, in one image and as processes; `./check` runs it in cubicles.
#[test]
fn processes_do_what_one_image_does() {
    let workshop = Workshop::for_tests().unwrap();
    let site = Site::new(&workshop, None).unwrap();
    let mut programs = site.processes().unwrap();
    let one = site.plain(Subject::OneImage, None).unwrap();
    programs.insert(Subject::OneImage, one);
    let expected = workshop.path("samples/sqlite-os/expected.txt");
    let expected = fs::read_to_string(expected).unwrap();
    for (subject, program) in programs {
        let printed = run(&mut Command::new(&program)).unwrap();
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
    let site = Site::new(&workshop, Some(&source)).unwrap();
    let arguments = ["--verify", "--testset", "main", "--size", "5"];
    let linux = site.plain(Subject::Linux, None).unwrap();
    let linux = super::once(&linux, "5", &["--verify"]).unwrap();
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
