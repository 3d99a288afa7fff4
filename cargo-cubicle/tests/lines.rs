//! Addresses of a linked image and the functions and lines they come from.

use cargo_cubicle::graph::lines::Lines;
use object::{Object, ObjectSymbol};
use std::process::Command;

const SOURCE: &str = "volatile int place;
static inline __attribute__((always_inline)) void inner(int a) {
    place = a * 3;
}
void outer(int a) {
    inner(a);
}
void _start(void) { outer(place); for (;;); }
";

#[test]
fn an_inlined_function_and_what_it_was_inlined_into() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let (source, program) = (work.path().join("lines.c"), work.path().join("lines"));
    std::fs::write(&source, SOURCE).expect("the source is written");
    for version in ["-gdwarf-4", "-gdwarf-5"] {
        let done = Command::new("gcc")
            .args(["-O1", version, "-nostdlib", "-static", "-no-pie", "-o"])
            .args([&program, &source])
            .status()
            .expect("gcc runs");
        assert!(done.success());
        let bytes = std::fs::read(&program).expect("the program is there");
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let outer = file
            .symbols()
            .find(|symbol| symbol.name() == Ok("outer"))
            .expect("outer has a symbol");
        let lines = Lines::read(&bytes).expect("it can be read");
        let places: Vec<_> = (outer.address()..outer.address() + outer.size())
            .filter_map(|address| lines.lookup(address))
            .collect();
        assert!(
            places
                .iter()
                .all(|place| place.outer.as_deref() == Some("outer"))
        );
        let inner = places
            .iter()
            .find(|place| place.function.as_deref() == Some("inner"))
            .expect("inner was inlined");
        assert_eq!(inner.line, Some(3));
        let file = inner.file.as_deref().expect("a file");
        assert!(file.ends_with("lines.c"), "{file}");
        let own = places
            .iter()
            .find(|place| place.function == place.outer)
            .expect("outer has code of its own");
        assert!(matches!(own.line, Some(5..=7)), "{own:?}");
    }
    assert!(Lines::read(b"not an ELF file").is_err());
}
