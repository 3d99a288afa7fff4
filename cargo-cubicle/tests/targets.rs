//! What pointers lead to: members of structs, structs that lead to themselves,
//! and the signatures behind pointers to functions, as compilers really write
//! them.

use cargo_cubicle::graph::declaration;
use cargo_cubicle::graph::dwarf::{Answer, DebugInfo};
use cargo_cubicle::graph::shape::CallShape;
use cargo_cubicle::graph::signature::{Aggregate, Pointer, Signature, Type, TypeKind};
use std::process::Command;

/// The types of zlib.h and sqlite3.h, shortened in nothing that matters here.
const LIBRARIES: &str = r#"
typedef unsigned char Byte; typedef Byte Bytef; typedef unsigned uInt;
typedef unsigned long uLong; typedef void *voidpf;
typedef voidpf (*alloc_func)(voidpf opaque, uInt items, uInt size);
typedef void (*free_func)(voidpf opaque, voidpf address);
struct internal_state;
typedef struct z_stream_s {
    Bytef *next_in; uInt avail_in; uLong total_in;
    Bytef *next_out; uInt avail_out; uLong total_out;
    const char *msg; struct internal_state *state;
    alloc_func zalloc; free_func zfree; voidpf opaque;
    int data_type; uLong adler; uLong reserved;
} z_stream;
typedef z_stream *z_streamp;
int deflate(z_streamp strm, int flush) { return strm->data_type + flush; }

typedef long long sqlite3_int64;
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_module sqlite3_module;
typedef struct sqlite3_vtab { const sqlite3_module *pModule; int nRef; char *zErrMsg; } sqlite3_vtab;
typedef struct sqlite3_index_info {
    int nConstraint;
    struct sqlite3_index_constraint { int iColumn; unsigned char op, usable; int offset; } *aConstraint;
    struct { unsigned flag : 3, other : 7; } bits;
    union { int number; char *text; } either;
    double estimatedCost;
} sqlite3_index_info;
struct sqlite3_module {
    int iVersion;
    int (*xCreate)(sqlite3 *, void *pAux, int argc, const char *const *argv,
                   sqlite3_vtab **ppVTab, char **);
    int (*xBestIndex)(sqlite3_vtab *pVTab, sqlite3_index_info *);
    int (*xFindFunction)(sqlite3_vtab *pVtab, int nArg, const char *zName,
                         void (**pxFunc)(sqlite3 *, int, void **), void **ppArg);
    int (*xUpdate)(sqlite3_vtab *, int, void **, sqlite3_int64 *);
    void (*xLog)(const char *, ...);
};
int sqlite3_create_module(sqlite3 *db, const char *zName, const sqlite3_module *p, void *data)
{ return p->iVersion; }
"#;

/// `None` if that compiler is not here.
fn compile(compiler: &str, source: &str, flags: &[&str]) -> Option<DebugInfo> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("f.c"), folder.path().join("f.o"));
    std::fs::write(&input, source).expect("the source is written");
    let mut command = Command::new(compiler);
    command.args(["-c", "-o"]).args([&output, &input]);
    let done = match command.args(flags).output() {
        Err(error) if compiler == "clang" && error.kind() == std::io::ErrorKind::NotFound => {
            return None;
        }
        done => done.expect("the compiler runs"),
    };
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    let bytes = std::fs::read(output).expect("an object");
    Some(DebugInfo::read(&bytes).expect("debug information"))
}

fn each_form(source: &str, check: impl Fn(&DebugInfo)) {
    for compiler in ["gcc", "clang"] {
        for flags in [
            &["-gdwarf-4"][..],
            &["-gdwarf-5", "-O2"],
            &["-gdwarf-5", "-fdebug-types-section"],
        ] {
            if let Some(info) = compile(compiler, source, flags) {
                check(&info);
            }
        }
    }
}

fn found<'a>(info: &'a DebugInfo, name: &str) -> &'a Signature {
    match info.find(name) {
        Answer::Found(signature) => signature,
        other => panic!("`{name}` is {other:?}"),
    }
}

fn pointer(type_: &Type) -> &Pointer {
    match &type_.kind {
        TypeKind::Pointer(pointer) => pointer,
        other => panic!("no pointer: {other:?}"),
    }
}

/// What a pointer in `signature` leads to, which is a struct.
fn behind<'a>(signature: &'a Signature, type_: &Type) -> &'a Aggregate {
    match signature.data(pointer(type_)).map(|type_| &type_.kind) {
        Some(TypeKind::Aggregate(aggregate)) => aggregate,
        other => panic!("no struct: {other:?}"),
    }
}

/// Offset and type of a member.
fn member<'a>(aggregate: &'a Aggregate, name: &str) -> (u64, &'a Type) {
    let mut members = aggregate.members.iter();
    let member = members
        .find(|member| member.name.as_deref() == Some(name))
        .unwrap_or_else(|| panic!("no member `{name}`"));
    (member.offset, &member.type_)
}

fn function(signature: &Signature, aggregate: &Aggregate, name: &str) -> Signature {
    let (_, type_) = member(aggregate, name);
    let function = signature.function(pointer(type_), name);
    function.unwrap_or_else(|| panic!("`{name}` is no function"))
}

fn shape(signature: &Signature) -> String {
    CallShape::of(signature).map_or_else(|error| error.to_string(), |shape| shape.to_string())
}

#[test]
fn members_and_hooks_of_a_stream() {
    each_form(LIBRARIES, |info| {
        let deflate = found(info, "deflate");
        let stream = behind(deflate, &deflate.parameters[0].type_);
        assert_eq!(stream.size, 112);
        for (name, offset) in [
            ("next_in", 0),
            ("avail_in", 8),
            ("next_out", 24),
            ("adler", 96),
        ] {
            assert_eq!(member(stream, name).0, offset, "{name}");
        }
        let (_, next_in) = member(stream, "next_in");
        let bytes = deflate.data(pointer(next_in)).expect("data");
        assert_eq!(
            (bytes.size(), bytes.names.last().map(String::as_str)),
            (Some(1), Some("unsigned char"))
        );
        let (_, state) = member(stream, "state");
        let state = deflate.data(pointer(state)).expect("something incomplete");
        assert!(matches!(state.kind, TypeKind::Unknown { .. }), "{state:?}");
        assert_eq!(
            shape(&function(deflate, stream, "zalloc")),
            "rdi, rsi, rdx -> rax"
        );
        assert_eq!(
            shape(&function(deflate, stream, "zfree")),
            "rdi, rsi -> none"
        );
    });
}

#[test]
fn tables_of_functions() {
    each_form(LIBRARIES, |info| {
        let create = found(info, "sqlite3_create_module");
        let module = behind(create, &create.parameters[2].type_);
        let find = function(create, module, "xFindFunction");
        assert_eq!(find.name, "xFindFunction");
        assert_eq!(shape(&find), "rdi, rsi, rdx, rcx, r8 -> rax");
        // A pointer to a pointer to a function, inside of a function's type.
        let inner = find
            .data(pointer(&find.parameters[3].type_))
            .expect("a pointer");
        let inner = find
            .function(pointer(inner), "*pxFunc")
            .expect("a function");
        assert_eq!(shape(&inner), "rdi, rsi, rdx -> none");
        // The table of functions leads to itself.
        let table = behind(&find, &find.parameters[0].type_);
        let again = behind(&find, member(table, "pModule").1);
        assert_eq!(again, module);
        assert!(function(create, module, "xLog").variadic);

        let best = function(create, module, "xBestIndex");
        let info = behind(&best, &best.parameters[1].type_);
        let constraint = behind(&best, member(info, "aConstraint").1);
        assert_eq!((constraint.size, member(constraint, "usable").0), (12, 5));
        let TypeKind::Aggregate(bits) = &member(info, "bits").1.kind else {
            panic!("no struct");
        };
        assert_eq!(
            bits.members[1].bits.map(|bits| (bits.offset, bits.width)),
            Some((3, 7))
        );
        let TypeKind::Aggregate(either) = &member(info, "either").1.kind else {
            panic!("no union");
        };
        assert!(either.is_union);
    });
}

/// Each struct points to all the others, twice: read along every path, there
/// would be more of them than atoms.
#[test]
fn types_that_lead_to_each_other_are_read_once() {
    let mut source = String::new();
    for n in 0..120 {
        source += &format!("struct s{n};\n");
    }
    for n in 0..120 {
        source += &format!("struct s{n} {{ struct s{n} *own;");
        for other in 0..120 {
            source += &format!(" struct s{other} *a{other}, *(*b{other})(struct s{other} *);");
        }
        source += " };\n";
    }
    source += "int f(struct s0 *s) { return s != 0; }\n";
    let info = compile("gcc", &source, &["-g"]).expect("gcc is here");
    let f = found(&info, "f");
    let mut type_ = &f.parameters[0].type_;
    for n in (0..120).rev() {
        let aggregate = behind(f, type_);
        assert_eq!(aggregate.size, 8 * (1 + 2 * 120));
        let called = function(f, aggregate, &format!("b{n}"));
        assert_eq!(called.parameters.len(), 1);
        type_ = member(aggregate, &format!("a{n}")).1;
    }
}

#[test]
fn functions_in_declarations() {
    let text = "int sqlite3_create_function(sqlite3 *db, const char *name, int n, int flags, void *p,\n\
                void (*xFunc)(sqlite3_context *context, int count, sqlite3_value **values),\n\
                int compare(void *, int, const void *, int, const void *),\n\
                void (*log)(const char *, ..., int), const char *(*(*deep))(char (*rows)[16]))";
    let signature = declaration::parse(text).expect(text);
    let called = |index: usize| {
        let type_ = &signature.parameters[index].type_;
        signature
            .function(pointer(type_), "called")
            .expect("a function")
    };
    let function = called(5);
    assert_eq!(shape(&function), "rdi, rsi, rdx -> none");
    assert_eq!(function.parameters[1].name.as_deref(), Some("count"));
    let values = function
        .data(pointer(&function.parameters[2].type_))
        .expect("data");
    let value = function.data(pointer(values)).expect("something unknown");
    assert_eq!(value.names, ["sqlite3_value"]);
    assert_eq!(value.size(), None);
    assert_eq!(shape(&called(6)), "rdi, rsi, rdx, rcx, r8 -> rax");
    assert_eq!(shape(&called(7)), "rdi, rsi, al -> none");

    let deep = signature
        .data(pointer(&signature.parameters[8].type_))
        .expect("a pointer");
    let deep = signature
        .function(pointer(deep), "deep")
        .expect("a function");
    let rows = deep
        .data(pointer(&deep.parameters[0].type_))
        .expect("an array");
    assert_eq!(rows.size(), Some(16));
    let result = deep.result.expect("a result");
    assert!(pointer(&result).to.as_ref().is_some_and(|to| to.is_const));
}
