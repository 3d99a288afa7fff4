//! What a linker says when it fails, in the words of the manifest. lld and mold say the same
//! things a little differently:
//!
//! ```text
//! ld.lld: error: undefined symbol: f             mold: error: undefined symbol: f
//! >>> referenced by app.c:5 (/src/app.c:5)       >>> referenced by app.c
//! >>>               /build/app.o:(main)          >>>               app.o:(main)
//! ld.lld: error: duplicate symbol: f             mold: error: duplicate symbol: two.o: one.o: f
//! >>> defined at a.c:1 (/src/a.c:1)
//! ```
//!
//! GNU ld knows neither `--start-lib` nor `--image-base`.

use std::collections::BTreeMap;

use crate::diagnostics::{Finding, Place};
use crate::manifest::Policy;

/// One kind of complaint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Complaint {
    Undefined(String),
    Twice(String),
    /// Code cannot reach its data: there is too much of it.
    TooFar,
    /// The linker does not know what images are linked with.
    Option(String),
}

/// As many places as a finding lists.
const SHOWN_PLACES: usize = 3;

/// The source of every other cubicle's `main`, which does nothing but wait.
const PARKED: &str = "parked.";

/// Findings for a failed link of a cubicle's image.
pub fn findings(cubicle: &str, messages: &str, policy: &Policy) -> Vec<Finding> {
    let complaints = read(messages);
    if complaints.is_empty() {
        let finding = Finding::error(format!(
            "linking cubicle `{cubicle}` failed:\n{}",
            messages.trim_end()
        ));
        return vec![at_cubicle(finding, cubicle, policy).help(
            "what is linked are the objects of this cubicle, and the words that rustc was given for its linker",
        )];
    }
    complaints
        .into_iter()
        .map(|(complaint, places)| finding(cubicle, &complaint, &places, policy))
        .collect()
}

fn finding(cubicle: &str, complaint: &Complaint, places: &[String], policy: &Policy) -> Finding {
    let main = policy.main().map_or("", |(name, _)| name);
    let mut finding = match complaint {
        Complaint::Undefined(symbol) if symbol == "main" => Finding::error(
            "the program has no `main`",
        )
        .help(
            "where the package's program is empty (`#![no_main]`), an object or a source of the main cubicle must define `main`",
        ),
        Complaint::Undefined(symbol) => Finding::error(format!(
            "nothing defines `{symbol}`, which cubicle `{cubicle}` refers to"
        ))
        .help(format!(
            "add what defines it to `objects`, `c` or `libs` of `[cubicle.{cubicle}]` or of the cubicle it belongs to, or correct its name"
        )),
        Complaint::Twice(symbol) if symbol == "main" && cubicle != main => Finding::error(format!(
            "cubicle `{cubicle}` has a `main`, but the main cubicle is `{main}`"
        ))
        .help(
            "leave it out, or call it something else (for `c`: `define = { main = \"other_main\" }`)",
        ),
        Complaint::Twice(symbol) => Finding::error(format!(
            "`{symbol}` is defined more than once in cubicle `{cubicle}`"
        ))
        .help(
            "leave one out, make it `static`, or give the two to different cubicles: each may have one of its own",
        ),
        Complaint::TooFar => Finding::error(format!(
            "the image of cubicle `{cubicle}` is larger than a slot of {} MiB: its code cannot reach its data",
            super::SLOT_MEBIBYTES
        ))
        .help(super::SMALLER),
        Complaint::Option(option) => Finding::error(format!(
            "the configured linker cannot link images: it does not know `{option}`"
        ))
        .help(
            "use rustc's own lld, lld or mold (`-C link-arg=-fuse-ld=lld`); which words choose it is in `.cargo/config.toml`, in RUSTFLAGS or in a build script",
        ),
    };
    // The tool's own object is not the user's business.
    let places = places.iter().filter(|place| !place.contains(PARKED));
    for place in places.take(SHOWN_PLACES) {
        finding = finding.at(place_of(place));
    }
    at_cubicle(finding, cubicle, policy)
}

fn at_cubicle(finding: Finding, cubicle: &str, policy: &Policy) -> Finding {
    match policy.cubicles.get(cubicle) {
        Some(declared) => finding.at(policy.place(&declared.name.span, "this cubicle")),
        None => finding,
    }
}

/// `FILE:LINE`, or whatever else the linker calls a place.
fn place_of(text: &str) -> Place {
    match text
        .rsplit_once(':')
        .map(|(file, line)| (file, line.parse()))
    {
        Some((file, Ok(line))) => Place::line(file, line, ""),
        _ => Place::note(format!("in {text}")),
    }
}

/// The complaints that are understood, each once, with their places.
fn read(messages: &str) -> BTreeMap<Complaint, Vec<String>> {
    let mut found: BTreeMap<Complaint, Vec<String>> = BTreeMap::new();
    let mut latest: Option<Complaint> = None;
    for line in messages.lines() {
        if let Some(detail) = line.strip_prefix(">>> ") {
            let place = ["referenced by ", "defined at ", "defined in "]
                .iter()
                .find_map(|words| detail.strip_prefix(words));
            if let (Some(place), Some(complaint)) = (place, &latest) {
                note(&mut found, complaint, in_parentheses(place));
            }
            continue;
        }
        latest = None;
        if let Some((_, symbol)) = line.split_once("undefined symbol: ") {
            latest = Some(Complaint::Undefined(symbol.trim().to_owned()));
        } else if let Some((_, symbol)) = line.split_once("duplicate symbol: ") {
            // mold names the objects before it.
            let symbol = symbol.rsplit(": ").next().unwrap_or(symbol);
            latest = Some(Complaint::Twice(symbol.trim().to_owned()));
        } else if line.contains(": relocation ") && line.contains(" out of range") {
            latest = Some(Complaint::TooFar);
        } else if let Some((_, option)) = line.split_once("unrecognized option '") {
            let option = option.split(['=', '\'']).next().unwrap_or(option);
            latest = Some(Complaint::Option(option.to_owned()));
        }
        if let Some(complaint) = &latest {
            found.entry(complaint.clone()).or_default();
        }
    }
    found
}

fn note(found: &mut BTreeMap<Complaint, Vec<String>>, complaint: &Complaint, place: &str) {
    let places = found.entry(complaint.clone()).or_default();
    if *complaint != Complaint::TooFar && !places.iter().any(|known| known == place) {
        places.push(place.to_owned());
    }
}

/// `/src/app.c:5` of `app.c:5 (/src/app.c:5)`.
fn in_parentheses(place: &str) -> &str {
    let inner = place
        .split_once(" (")
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(place).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places<'a>(
        found: &'a BTreeMap<Complaint, Vec<String>>,
        complaint: &Complaint,
    ) -> Vec<&'a str> {
        found[complaint].iter().map(String::as_str).collect()
    }

    /// As the lld of Rust 1.95 and mold 1.10 really write it, and the ld of binutils 2.40.
    #[test]
    fn linkers_say_the_same_in_different_words() {
        let undefined = Complaint::Undefined("nobody".to_owned());
        let twice = Complaint::Twice("f".to_owned());
        let lld = read(
            "rust-lld: error: undefined symbol: nobody\n\
             >>> referenced by app.c:2 (/src/app.c:2)\n\
             >>>               /build/app.o:(main)\n\n\
             rust-lld: error: duplicate symbol: f\n\
             >>> defined at one.c:1 (/src/one.c:1)\n\
             >>>            /build/one.o:(f)\n\
             >>> defined at two.c:9 (/src/two.c:9)\n\
             >>>            /build/two.o:(.text.f+0x0)\n\
             collect2: error: ld returned 1 exit status\n",
        );
        assert_eq!(places(&lld, &undefined), ["/src/app.c:2"]);
        assert_eq!(places(&lld, &twice), ["/src/one.c:1", "/src/two.c:9"]);
        let mold = read("mold: error: duplicate symbol: two.o: one.o: f\n");
        assert_eq!(places(&mold, &twice), [""; 0]);
        let gnu = read("/usr/bin/ld.bfd: unrecognized option '--image-base=0x8000000'\n");
        assert!(gnu.contains_key(&Complaint::Option("--image-base".to_owned())));
        assert_eq!(read("ld: cannot find -lnothing: No such file\n").len(), 0);
    }
}
