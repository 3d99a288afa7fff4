//! Tests of the resolver: what the manifest says and what gcc writes about a
//! function go in, the gate's list and findings come out.

mod callbacks;
mod flat;
mod mistakes;
mod nested;
mod results;
mod unlent;

use std::process::Command;

use camino::Utf8Path;
use cubicle_abi::plan::{
    EXTENT_ADVANCE, EXTENT_NONE, EXTENT_PRODUCT, EXTENT_PRODUCT_OR_STRING, EXTENT_STRING,
    LEND_CALLBACK, LEND_IN, LEND_KEEP, LEND_POINTER, LEND_RETURNED, LEND_STAGED, LEND_VALUE,
    LEND_WITHIN, PLACE_ARGUMENT, PLACE_FIELD, PLACE_RESULT, Place as AbiPlace,
};

use super::*;
use crate::diagnostics::{Level, Place};
use crate::graph::declaration;
use crate::graph::dwarf::{Answer, DebugInfo};
use crate::manifest;

/// A policy whose function `f` of cubicle `lib` has these lines. Another function,
/// `end`, lends its argument.
fn policy(lines: &str) -> Policy {
    named("f", lines)
}

fn named(function: &str, lines: &str) -> Policy {
    let text = format!(
        "schema = 1\n[cubicle.app]\nmain = true\n[cubicle.lib]\nlibs = [\"lib\"]\n\
         callers = [\"app\"]\n[cubicle.lib.function.end]\narg.\"#1\" = {{ lend = \"inout\" }}\n\
         [cubicle.lib.function.nothing]\nerrno = true\n\
         [cubicle.lib.function.{function}]\n{lines}\n"
    );
    manifest::parse(Utf8Path::new("Cubicle.toml"), &text)
        .unwrap_or_else(|rejected| panic!("{}", rejected.render(false)))
}

fn declared(declaration: &str) -> Signature {
    declaration::parse(declaration).expect("a good declaration")
}

fn resolved(policy: &Policy, function: &str, signature: &Signature) -> (ResolvedLends, Findings) {
    let shape = CallShape::of(signature).expect("a shape that can be carried");
    let about = policy.cubicles["lib"].functions.get(function);
    resolve(Subject {
        policy,
        cubicle: "lib",
        function,
        rules: about.map(Rules::from),
        signature,
        shape: &shape,
        number_of: &|name| (name == "end").then_some(7),
    })
}

/// What the manifest's lines make of a function, without findings.
fn good(signature: &Signature, lines: &str) -> ResolvedLends {
    let (lends, findings) = resolved(&policy(lines), "f", signature);
    assert_eq!(findings, Findings::new());
    lends
}

fn shown(declaration: &str, lines: &str) -> Vec<String> {
    good(&declared(declaration), lines)
        .lends
        .iter()
        .map(show)
        .collect()
}

/// The same with the types of C source that defines `f`.
fn shown_in(source: &str, lines: &str) -> Vec<String> {
    good(&compiled(source), lines)
        .lends
        .iter()
        .map(show)
        .collect()
}

/// The only finding, and the text it points at.
fn mistake(signature: &Signature, lines: &str) -> (Finding, String) {
    let policy = policy(lines);
    let (_, findings) = resolved(&policy, "f", signature);
    assert_eq!(findings.len(), 1, "{lines}: {findings:?}");
    let finding = findings.into_iter().next().expect("one");
    if finding.level == Level::Deny {
        assert!(!finding.helps.is_empty(), "no remedy: {finding:?}");
    }
    let Some(Place::Span { span, .. }) = finding.places.first() else {
        panic!("a finding without a place: {finding:?}");
    };
    let marked = policy.text[span.clone()].to_owned();
    (finding, marked)
}

/// A short form of a lend. `0` is an argument, `1+8` a field of another lend:
/// `0 out 1+8:u4x1 used 1+8:u4x1`.
fn show(lend: &Lend) -> String {
    let place = |place: &AbiPlace| match place.kind {
        PLACE_ARGUMENT => place.index.to_string(),
        PLACE_FIELD => format!("{}+{}", place.index, place.offset),
        PLACE_RESULT => "result".to_owned(),
        other => panic!("an unknown kind of place: {other}"),
    };
    let extent = |extent: &Extent| match extent.kind {
        EXTENT_NONE => "-".to_owned(),
        EXTENT_CONSTANT => extent.scale.to_string(),
        EXTENT_STRING => "cstr".to_owned(),
        EXTENT_ADVANCE => "moved".to_owned(),
        EXTENT_PRODUCT | EXTENT_PRODUCT_OR_STRING => {
            let operands = &extent.operands[..extent.count as usize];
            let factors = operands.iter().map(|operand| {
                let sign = if operand.signed == 1 { 'i' } else { 'u' };
                format!("{}:{sign}{}", place(&operand.place), operand.size)
            });
            let mut factors: Vec<String> = factors.collect();
            factors.push(extent.scale.to_string());
            let product = factors.join("x");
            match extent.kind {
                EXTENT_PRODUCT => product,
                _ => format!("{product} or cstr"),
            }
        }
        other => panic!("an unknown kind of extent: {other}"),
    };
    let words = [
        (LEND_IN, "in"),
        (LEND_OUT, "out"),
        (LEND_RESULT, "result"),
        (LEND_STAGED, "staged"),
        (LEND_KEEP, "keep"),
        (LEND_VALUE, "value"),
        (LEND_CALLBACK, "callback"),
        (LEND_POINTER, "pointer"),
        (LEND_WITHIN, "within"),
        (LEND_RETURNED, "returned"),
    ];
    let flags: Vec<&str> = words
        .iter()
        .filter(|(flag, _)| lend.flags & flag != 0)
        .map(|(_, word)| *word)
        .collect();
    let mut shown = format!("{} {}", place(&lend.pointer), flags.join("+"));
    if lend.extent.kind != EXTENT_NONE || lend.used.kind != EXTENT_NONE {
        shown += &format!(" {} used {}", extent(&lend.extent), extent(&lend.used));
    }
    if lend.stride != 0 {
        shown += &format!(" by {}", lend.stride);
    }
    if lend.flags & (LEND_KEEP | LEND_VALUE | LEND_CALLBACK | LEND_WITHIN) != 0 {
        shown += &format!(" = {}", lend.value as i64);
    }
    shown
}

/// The signature of `f` as gcc writes it.
fn compiled(source: &str) -> Signature {
    match debug_info(source).find("f") {
        Answer::Found(signature) => signature.clone(),
        other => panic!("f is not in the debug information: {other:?}"),
    }
}

/// What gcc writes about a C file.
fn debug_info(source: &str) -> DebugInfo {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, object) = (folder.path().join("f.c"), folder.path().join("f.o"));
    std::fs::write(&file, source).expect("the source is written");
    let status = Command::new("cc")
        .args(["-g", "-c", "-o"])
        .args([&object, &file])
        .status()
        .expect("cc runs");
    assert!(status.success());
    DebugInfo::read(&std::fs::read(object).expect("an object")).expect("debug information")
}
