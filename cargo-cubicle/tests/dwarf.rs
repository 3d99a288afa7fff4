//! Debug information in the forms in which compilers write it: type units,
//! compressed, split, linked, of C++ and Rust, and damaged.

use cargo_cubicle::graph::dwarf::{Answer, DebugInfo};
use cargo_cubicle::graph::shape::CallShape;
use cargo_cubicle::graph::signature::{Pointee, Signature, TypeKind};
use std::process::Command;

const C: &str = r#"
#include <stdio.h>
#include <stdarg.h>
#include <setjmp.h>
struct node { struct node *next; struct node *(*table)[3]; int value; };
struct hidden;
typedef struct node node_t;
typedef const node_t *node_ref;
int walk(node_ref list, FILE *out, struct hidden *h, const char **names) { return list->value; }
int values(const char *format, va_list list, jmp_buf where) { return 0; }
int each(int (*call)(void *, int), void *context, char (*rows)[16]) { return call(context, 1); }
static int private_one(int a) { return a; }
static inline __attribute__((always_inline)) int inlined(int a) { return a * 3; }
int uses(int a) { return inlined(a) + private_one(a); }
int other_name(int a, double b) __attribute__((alias("real_name")));
int real_name(int a, double b) { return a + (int)b; }
__attribute__((cold)) void rare(long a) { if (a == 7) __builtin_abort(); puts("rare"); }
int main(void) { return 0; }
"#;

/// Compiles a source text and returns the output file.
fn compile(compiler: &str, source: &str, suffix: &str, flags: &[&str]) -> Vec<u8> {
    let work = tempfile::tempdir().expect("a temporary folder");
    let input = work.path().join(format!("input.{suffix}"));
    std::fs::write(&input, source).expect("the source is written");
    let done = Command::new(compiler)
        .current_dir(work.path())
        .arg(&input)
        .arg("-o")
        .arg("output")
        .args(flags)
        .output()
        .expect("the compiler runs");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    std::fs::read(work.path().join("output")).expect("there is an output")
}

fn found(info: &DebugInfo, name: &str) -> Signature {
    match info.find(name) {
        Answer::Found(signature) => signature.clone(),
        other => panic!("`{name}` is {other:?}: {:?}", info.problems()),
    }
}

fn shape(signature: &Signature) -> String {
    CallShape::of(signature).map_or_else(|error| error.to_string(), |shape| shape.to_string())
}

fn pointee(signature: &Signature, index: usize) -> Pointee {
    match &signature.parameters[index].type_.kind {
        TypeKind::Pointer(pointer) => *pointer.to.clone().expect("not void"),
        other => panic!("{other:?}"),
    }
}

fn check_c(bytes: &[u8], version: u16) {
    let info = DebugInfo::read(bytes).expect("it can be read");
    let walk = found(&info, "walk");
    assert_eq!(info.version("walk"), Some(version));
    assert_eq!(shape(&walk), "rdi, rsi, rdx, rcx -> rax");
    assert_eq!(walk.parameters[0].name.as_deref(), Some("list"));
    assert_eq!(walk.parameters[0].type_.names, ["node_ref"]);
    let list = pointee(&walk, 0);
    assert_eq!(
        (list.names, list.size),
        (vec!["node_t".to_owned(), "node".to_owned()], Some(24))
    );
    assert!(list.is_const);
    assert_eq!(pointee(&walk, 1).names[0], "FILE");
    assert_eq!(
        (pointee(&walk, 2).names[0].as_str(), pointee(&walk, 2).size),
        ("hidden", None)
    );
    let name = pointee(&walk, 3).to.expect("a pointer to a pointer");
    assert!(name.is_const && name.names == ["char"]);
    let position = walk.position.expect("a position");
    assert!(position.file.ends_with("/input.c"), "{position}");
    let line = C
        .lines()
        .nth(position.line as usize - 1)
        .unwrap_or_default();
    assert!(line.contains("walk("), "{position}");

    let values = found(&info, "values");
    assert_eq!(pointee(&values, 1).names, ["__va_list_tag"]);
    assert_eq!(pointee(&values, 2).names, ["__jmp_buf_tag"]);
    let each = found(&info, "each");
    assert!(pointee(&each, 0).is_function);
    assert_eq!(pointee(&each, 2).size, Some(16));
    assert_eq!(shape(&found(&info, "real_name")), "rdi, xmm0 -> rax");
    assert_eq!(shape(&found(&info, "other_name")), "rdi, xmm0 -> rax");
    assert_eq!(shape(&found(&info, "rare")), "rdi -> none");
    assert_eq!(shape(&found(&info, "uses")), "rdi -> rax");
    assert_eq!(info.find("private_one"), Answer::Unknown);
    assert_eq!(info.find("inlined"), Answer::Unknown);
    let some = DebugInfo::read_those(bytes, |name| name == "walk").expect("it can be read");
    assert_eq!(some.signatures().keys().collect::<Vec<_>>(), ["walk"]);
}

#[test]
fn c_objects_and_images() {
    for (flag, version) in [("-gdwarf-4", 4), ("-gdwarf-5", 5)] {
        for more in [
            &["-c", "-O0"][..],
            &["-c", "-O2", "-ffunction-sections"],
            &["-c", "-O2", "-gz"],
            &["-c", "-O1", "-fdebug-types-section"],
            &["-O2", "-static", "-no-pie", "-Wl,--emit-relocs"],
        ] {
            check_c(
                &compile("gcc", C, "c", &[&[flag][..], more].concat()),
                version,
            );
        }
    }
}

#[test]
fn missing_and_split_information_is_told_apart() {
    let info = DebugInfo::read(&compile("gcc", C, "c", &["-c"])).expect("an object");
    assert_eq!(info.find("walk"), Answer::NoDebugInfo);
    for version in ["-gdwarf-4", "-gdwarf-5"] {
        let split = compile("gcc", C, "c", &["-c", version, "-gsplit-dwarf"]);
        let info = DebugInfo::read(&split).expect("an object");
        assert_eq!(info.find("walk"), Answer::Split);
        assert!(info.split()[0].ends_with(".dwo"), "{:?}", info.split());
    }
}

#[test]
fn type_units_of_cpp() {
    let source = r#"
namespace deep {
struct Point { float x, y; };
struct Box { Point low, high; struct { char tag; } more[2]; };
template <class T> struct Pair { T a, b; T sum() const { return a + b; } };
extern "C" Point corner(Box box, const Point &by, Pair<long> pair, Pair<double> *many) { return by; }
int mangled(Point p) { return (int)p.x; }
class Shape { public: virtual int area() { return 1; } int size; };
Shape one; // g++ describes such a class only where its table is
extern "C" void shapes(Shape s, Shape *p) {}
}
"#;
    for version in ["-gdwarf-4", "-gdwarf-5"] {
        for optimisation in ["-O0", "-O2"] {
            for types in ["-fdebug-types-section", "-fno-debug-types-section"] {
                let flags = ["-c", version, optimisation, types];
                let bytes = compile("g++", source, "cpp", &flags);
                let info = DebugInfo::read(&bytes).expect("an object");
                assert!(info.problems().is_empty(), "{:?}", info.problems());
                let corner = found(&info, "corner");
                assert_eq!(
                    shape(&corner),
                    "stack 0+3, rdi, rsi:rdx, rcx -> xmm0",
                    "{flags:?}"
                );
                assert_eq!(pointee(&corner, 1).size, Some(8));
                // Nothing needs the template to be instantiated with `double`.
                assert_eq!(pointee(&corner, 3).size, None);
                assert_eq!(
                    shape(&found(&info, "_ZN4deep7mangledENS_5PointE")),
                    "xmm0 -> rax"
                );
                assert_eq!(shape(&found(&info, "shapes")), "rdi, rsi -> none");
            }
        }
    }
}

#[test]
fn rust_functions_with_a_c_abi() {
    let source = r#"
#[repr(C)] pub struct Both { a: u32, b: f64 }
#[repr(C)] pub struct Large { a: [usize; 3] }
#[repr(u8)] #[derive(Clone, Copy)] pub enum Colour { Red, Green }
#[repr(transparent)] pub struct Handle(*mut u8);
#[unsafe(no_mangle)]
pub extern "C" fn scalars(a: usize, b: f32, c: *const u8, d: bool, e: char, f: Colour, g: u128) -> isize { 0 }
#[unsafe(no_mangle)]
pub extern "C" fn structs(a: Both, b: Large, c: Handle) -> Both { a }
#[unsafe(no_mangle)]
pub extern "C" fn options(a: Option<&u8>, b: Option<extern "C" fn(i32) -> i32>) -> Option<&u8> { a }
#[unsafe(no_mangle)]
pub extern "C" fn unit(a: &mut Large) {}
"#;
    let bytes = compile(
        "rustc",
        source,
        "rs",
        &[
            "--crate-type=lib",
            "--emit=obj",
            "-g",
            "-Awarnings",
            "--edition=2024",
        ],
    );
    let info = DebugInfo::read(&bytes).expect("an object");
    let expected = [
        ("scalars", "rdi, xmm0, rsi, rdx, rcx, r8, stack 0+2 -> rax"),
        ("structs", "rdi:xmm0, stack 0+3, rsi -> rax:xmm0"),
        ("options", "rdi, rsi -> rax"),
        ("unit", "rdi -> none"),
    ];
    for (name, expected) in expected {
        assert_eq!(shape(&found(&info, name)), expected, "{name}");
    }
    assert_eq!(pointee(&found(&info, "unit"), 0).size, Some(24));
}

#[test]
fn damage_is_an_error_and_no_panic() {
    assert!(DebugInfo::read(b"").is_err());
    assert!(DebugInfo::read(b"\x7fELF").is_err());
    let good = compile("gcc", C, "c", &["-c", "-gdwarf-5", "-O1"]);
    let original = DebugInfo::read(&good).expect("an object").signatures();
    let mut different = 0;
    // A fixed generator (Numerical Recipes' constants), so that a failure
    // comes again.
    let mut state: u32 = 1;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..=random(8) {
            let place = 64 + random(bad.len() - 64);
            bad[place] = random(256) as u8;
        }
        if random(10) == 0 {
            bad.truncate(random(good.len()));
        }
        match DebugInfo::read(&bad) {
            Ok(info) => {
                let signatures = info.signatures();
                let shapes = signatures.values().filter(|s| CallShape::of(s).is_ok());
                different += usize::from(shapes.count() != original.len());
            }
            Err(_) => different += 1,
        }
    }
    assert!(different > 30, "the damage did nothing");
}

/// gcc folds functions that do the same. The one that is left has code; what
/// the others are called with is still written down.
#[test]
fn folded_functions_keep_their_signatures() {
    let source = "int first(int a, int b) { return a * 3 + b * 7 + (a ^ b) * 11; }\n\
                  int second(int x, int y) { return x * 3 + y * 7 + (x ^ y) * 11; }\n\
                  int only_declared(int z);\n\
                  int uses(void) { return only_declared(1); }\n";
    let bytes = compile("gcc", source, "c", &["-c", "-g", "-O2"]);
    let info = DebugInfo::read(&bytes).expect("it can be read");
    for (name, parameter) in [("first", "a"), ("second", "x")] {
        let signature = found(&info, name);
        assert_eq!(shape(&signature), "rdi, rsi -> rax");
        assert_eq!(signature.parameters[0].name.as_deref(), Some(parameter));
    }
    assert_eq!(info.find("only_declared"), Answer::Unknown);
}
