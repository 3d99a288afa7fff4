//! C declarations of the manifest: what they mean, and where a mistake is.

use cargo_cubicle::graph::declaration::parse;
use cargo_cubicle::graph::shape::CallShape;
use cargo_cubicle::graph::signature::{Pointee, TypeKind};

/// Name and shape of a declaration.
fn shape(text: &str) -> String {
    match parse(text) {
        Ok(signature) => match CallShape::of(&signature) {
            Ok(shape) => format!("{}: {shape}", signature.name),
            Err(error) => format!("{}: {}", signature.name, error.code()),
        },
        Err(error) => format!("at {}: {error}", error.offset),
    }
}

#[test]
fn declarations_have_their_shapes() {
    let cases = [
        ("int f(char *s, int n)", "f: rdi, rsi -> rax"),
        ("void g(void);", "g: () -> none"),
        ("extern double h()", "h: () -> xmm0"),
        (
            "unsigned long int long a(long unsigned, short, signed char c, _Bool, size_t n)",
            "a: rdi, rsi, rdx, rcx, r8 -> rax",
        ),
        (
            "const char *b(const struct z *restrict p, union u **, FILE *)",
            "b: rdi, rsi, rdx -> rax",
        ),
        (
            "uint8_t c(float, double d, long double, const volatile float x)",
            "c: xmm0, xmm1, stack 0+2, xmm2 -> rax",
        ),
        (
            "void (*signal(int number, void (*handler)(int)))(int)",
            "signal: rdi, rsi -> rax",
        ),
        (
            "int q(int (*compare)(const void *, const void *), int function(void), void *v[], char a[static 4][8])",
            "q: rdi, rsi, rdx, rcx -> rax",
        ),
        ("int *(*(f))(int (x), int)", "at 8: `f` is not a function"),
        ("int (f)(enum colour, unsigned)", "f: rdi, rsi -> rax"),
        ("__int128 w(unsigned __int128 a)", "w: rdi:rsi -> rax:rdx"),
        (
            "double _Complex z(_Complex float a)",
            "z: xmm0 -> xmm0:xmm1",
        ),
        ("long double l(int)", "l: CUB007"),
        ("int v(va_list list)", "v: rdi -> rax"),
        ("int printf(const char *format, ...)", "printf: CUB007"),
        (
            "int open(const char *, int, ..., int)",
            "open: rdi, rsi, rdx, al -> rax",
        ),
        (
            "int p(const char *, ..., int, double, char *)",
            "p: rdi, rsi, xmm0, rdx, al -> rax",
        ),
        ("int n(const char *, ..., void)", "n: rdi, al -> rax"),
    ];
    for (text, expected) in cases {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn mistakes_have_their_place() {
    let cases = [
        ("", "at 0: a type is missing here"),
        ("int", "at 0: the function has no name"),
        ("int f", "at 4: `f` is not a function"),
        ("int f(int", "at 9: `)` is missing here"),
        ("int f(int,)", "at 10: a type is missing here"),
        ("int f(int) g", "at 11: the declaration should end here"),
        (
            "int f(int § x)",
            "at 10: `§` has no place in a C declaration",
        ),
        (
            "int f(short long x)",
            "at 6: these words do not make a type",
        ),
        ("int f(void x)", "at 6: a parameter cannot be `void`"),
        (
            "int f(int)(int)[3]",
            "at 0: a function cannot return an array or a function",
        ),
        (
            "int f(char *, ..., float)",
            "at 19: after `...` this is passed as `double`; write that",
        ),
        (
            "int f(char *, ..., char)",
            "at 19: after `...` this is passed as `int`; write that",
        ),
        (
            "int f(char *, ..., int, ...)",
            "at 24: `...` can stand here only once",
        ),
        ("int f(int a[3)", "at 13: `]` is missing here"),
        (
            "int f(int a[99999999999999999999])",
            "at 12: `99999999999999999999` is not a decimal number",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(shape(text), expected, "{text}");
    }
    for (text, offset) in [("int f(int a, struct s b)", 13), ("z_stream f(int)", 0)] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.offset, offset);
        assert!(error.message.contains("passed by value"), "{error}");
    }
    let deep = format!("int f({}int", "int (".repeat(100_000));
    assert!(parse(&deep).is_err());
    let deep = format!("int {}f(int)", "(".repeat(100_000));
    assert!(parse(&deep).is_err());
}

#[test]
fn names_and_sizes_are_kept() {
    let text = "ssize_t f(const FILE **files, char (*rows)[16], uint64_t count, int (*call)(void))";
    let signature = parse(text).expect(text);
    let result = signature.result.expect("a result");
    assert_eq!(result.names, ["ssize_t", "long int"]);
    let pointee = |index: usize| -> Pointee {
        match &signature.parameters[index].type_.kind {
            TypeKind::Pointer(pointer) => *pointer.to.clone().expect("not void"),
            other => panic!("{other:?}"),
        }
    };
    let inner = pointee(0).to.expect("a pointer to a pointer");
    assert_eq!(
        (inner.names, inner.size, inner.is_const),
        (vec!["FILE".to_owned()], None, true)
    );
    assert_eq!(pointee(1).size, Some(16));
    assert!(pointee(3).is_function);
    assert_eq!(signature.parameters[2].name.as_deref(), Some("count"));
    assert_eq!(signature.parameters[2].type_.names[0], "uint64_t");
}
