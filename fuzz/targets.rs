//! What is fuzzed: each function takes any bytes at all and must come back. A panic, an
//! overflow, a hang or an allocation out of all proportion is a defect. `fuzz_targets/` hands
//! them to libFuzzer, `cargo-cubicle/tests/fuzz/` runs them on damaged seeds in every test run.

use cargo_cubicle::assign::{check_object, members, weakened};
use cargo_cubicle::diagnostics::render;
use cargo_cubicle::graph::dwarf::DebugInfo;
use cargo_cubicle::graph::lines::Lines;
use cargo_cubicle::graph::reach::Reach;
use cargo_cubicle::graph::shape::CallShape;
use cargo_cubicle::graph::signature::Signature;
use cargo_cubicle::graph::symbols::Symbols;
use cargo_cubicle::graph::{declaration, symbols};
use cargo_cubicle::images::{Image, Import, Imports, patch, references};
use cargo_cubicle::manifest;

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const ALL: [(&str, Target); 7] = [
    ("manifest", manifest),
    ("declaration", declaration),
    ("object", object),
    ("archive", archive),
    ("dwarf", dwarf),
    ("image", image),
    ("verify", verify),
];

/// `Cubicle.toml`, and the same text as an interface file.
pub fn manifest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(rejected) = manifest::parse_interface("interface".into(), &text) {
        assert!(rejected.findings.has_denied(), "no reason is given");
        assert!(!rejected.render(true).is_empty());
    }
    match manifest::parse("Cubicle.toml".into(), &text) {
        Ok(policy) => {
            let unsupported = policy.unsupported();
            let findings = policy.warnings.iter().chain(&unsupported);
            render(findings, &policy.sources(), true);
            assert!(policy.main().is_some(), "accepted without a main");
        }
        Err(rejected) => {
            assert!(rejected.findings.has_denied(), "no reason is given");
            assert!(!rejected.render(true).is_empty());
        }
    }
}

/// A C declaration, as in `signature = "…"`.
pub fn declaration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match declaration::parse(&text) {
        Ok(signature) => shape(&signature),
        Err(error) => assert!(error.offset <= text.len() && !error.message.is_empty()),
    }
}

/// An object file: whether it can be linked, what it defines, and a copy with weak symbols.
pub fn object(data: &[u8]) {
    let good = check_object(data).is_ok();
    let mut symbols = Symbols::default();
    symbols.add_object(data);
    for name in symbols.definitions.keys().chain(&symbols.references) {
        symbols::is_instance(name);
    }
    let weak = weakened(data);
    if good && let Ok(weak) = weak {
        assert_eq!(weak.len(), data.len());
    }
}

/// An archive, and the objects in it.
pub fn archive(data: &[u8]) {
    let mut symbols = Symbols::default();
    let read = members::<()>(data, |_, member| {
        if let Ok(Some(member)) = member {
            let _ = check_object(member);
            symbols.add_object(member);
        }
        Ok(())
    });
    let _ = read;
}

/// The debug information of an object: signatures, and how they are called.
pub fn dwarf(data: &[u8]) {
    if let Ok(info) = DebugInfo::read(data) {
        for signature in info.signatures().values() {
            shape(signature);
        }
    }
}

/// A linked image: what is read of it, what it refers to, and what is patched in it.
pub fn image(data: &[u8]) {
    const SLOT: std::ops::Range<u64> = 0x800_0000..0x1000_0000;
    let imports = Imports(vec![Import {
        symbol: "taken".to_owned(),
        address: 0x400_0000,
    }]);
    let _ = references(data, &imports);
    if let Ok(reach) = Reach::analyse(data) {
        reach.uses_fs(SLOT.start);
    }
    if let Ok(lines) = Lines::read(data) {
        lines.lookup(SLOT.start + 0x1000);
    }
    if let Ok(mut image) = Image::read("fuzzed", data.to_vec(), SLOT, &[]) {
        for address in [SLOT.start, image.entry, u64::MAX] {
            let bytes = image.at(address).map(<[u8]>::len);
            assert!(bytes.is_none_or(|bytes| bytes <= data.len()));
        }
        image.thread_local_offset("errno");
        patch(&mut image, 0, &mut Vec::new());
    }
}

/// A finished program, as `cargo cubicle verify` reads it: it may come from anybody.
pub fn verify(data: &[u8]) {
    if let Ok(report) = cargo_cubicle::verify::verify(data, None) {
        assert!(!report.own_monitor, "it was told of none");
    }
}

fn shape(signature: &Signature) {
    match CallShape::of(signature) {
        Ok(shape) => assert!(!shape.to_string().is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
