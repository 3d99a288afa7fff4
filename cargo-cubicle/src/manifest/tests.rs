//! What a good manifest says, as later phases see it. How bad ones are explained
//! is in `tests/manifests` at the repository's root.

use super::*;

fn policy(text: &str) -> Policy {
    match parse(Utf8Path::new("some/Cubicle.toml"), text) {
        Ok(policy) => policy,
        Err(rejected) => panic!("{}", rejected.render(false)),
    }
}

fn values(list: &[Located<String>]) -> Vec<&str> {
    list.iter().map(|item| item.as_str()).collect()
}

#[test]
fn what_is_left_out_has_its_default() {
    let policy = policy("schema = 1\n[cubicle.app]\nmain = true\n");
    assert_eq!(policy.isolation.value, Isolation::Pku);
    assert_eq!(policy.folder(), "some");
    let (name, app) = policy.main().expect("a main cubicle");
    assert_eq!(name, "app");
    assert_eq!(app.memory.value, 1 << 30);
    assert_eq!(app.stack.value, 1 << 20);
    assert_eq!(app.gate.value, GateKind::Checked);
    assert_eq!(app.rodata.value, Rodata::Public);
    assert_eq!(app.on_fault.value, OnFault::Abort);
    assert!(app.exports.is_none());
    assert!(app.syscalls.is_empty());
    assert!(policy.warnings.is_empty());
    assert!(policy.unsupported().is_empty());
}

#[test]
fn everything_a_cubicle_can_say() {
    let policy = policy(
        r#"
        schema = 1
        isolation = "any"

        [cubicle.app]
        main = true
        sees = { codec = "rw" }

        [cubicle.codec]
        crates = ["codec-sys"]
        c = { files = ["a/*.c"], include = ["a"], define = { N = "1", E = "" }, flags = ["-O3", "-O3"] }
        objects = ["*.o"]
        libs = ["codec"]
        callers = ["app"]
        exports = ["codec_*", "version"]
        memory = "256M"
        stack = "256K"
        gate = "fast"
        syscalls = ["@base", "getpid"]
        "#,
    );
    assert_eq!(policy.isolation.value, Isolation::Any);
    let seen = &policy.cubicles["app"].sees["codec"];
    assert_eq!(seen.access.value, Access::ReadWrite);
    let codec = &policy.cubicles["codec"];
    assert!(!codec.is_main() && !codec.is_shared());
    assert_eq!(values(&codec.crates), ["codec-sys"]);
    assert_eq!(values(&codec.objects), ["*.o"]);
    assert_eq!(values(&codec.libs), ["codec"]);
    assert_eq!(values(&codec.callers), ["app"]);
    assert_eq!(values(&codec.syscalls), ["@base", "getpid"]);
    assert_eq!(codec.memory.value, 256 << 20);
    assert_eq!(codec.stack.value, 256 << 10);
    assert_eq!(codec.gate.value, GateKind::Fast);
    let c = codec.c.first().expect("C sources");
    assert_eq!(values(&c.files), ["a/*.c"]);
    assert_eq!(values(&c.include), ["a"]);
    assert_eq!(values(&c.flags), ["-O3", "-O3"]);
    assert_eq!(c.define["N"].value, "1");
    assert_eq!(c.define["E"].value, "");
    let exports = codec.exports.as_ref().expect("exports");
    let exported = |symbol| exports.iter().any(|pattern| pattern.matches(symbol));
    assert!(exported("codec_open") && exported("version"));
    assert!(!exported("my_codec_open"));
}

#[test]
fn every_span_is_that_of_the_text() {
    let text = "schema = 1\n[cubicle.app]\nmain = true\nsees = { \"b\" = \"r\" }\n\
                [cubicle.b]\nlibs = [\"x\"]\nstack = \"64K\"\n";
    let policy = policy(text);
    let b = &policy.cubicles["b"];
    assert_eq!(&text[b.name.span.clone()], "b");
    assert_eq!(&text[b.libs[0].span.clone()], "\"x\"");
    assert_eq!(&text[b.stack.span.clone()], "\"64K\"");
    assert_eq!(&text[b.memory.span.clone()], "b");
    let sight = &policy.cubicles["app"].sees["b"];
    assert_eq!(&text[sight.cubicle.span.clone()], "\"b\"");
    assert_eq!(&text[sight.access.span.clone()], "\"r\"");
}

fn function(body: &str) -> Function {
    let text = format!(
        "schema = 1\n[cubicle.app]\nmain = true\n[cubicle.c]\nlibs = [\"c\"]\n\
         [cubicle.c.function.f]\n{body}"
    );
    let mut policy = policy(&text);
    let mut cubicle = policy.cubicles.remove("c").expect("the cubicle");
    cubicle.functions.remove("f").expect("the function")
}

fn lend(argument: &Argument) -> &Lend {
    match &argument.rule {
        ArgumentRule::Lend(lend) => lend,
        other => panic!("{other:?}"),
    }
}

#[test]
fn lends() {
    let f = function(
        r##"
        signature = "int f(char *s, ...)"
        errno = true
        arg."#1" = { lend = "in", bytes = "cstr" }
        arg.out = { lend = "out", bytes = "*n", used = "*n" }
        arg.n = { lend = "inout" }
        arg.rows = { lend = "in", count = "w*h" }
        arg.key = { lend = "in", bytes = 32 }
        arg.file = { lend = "handle" }
        "##,
    );
    assert_eq!(
        f.signature.expect("a signature").value,
        "int f(char *s, ...)"
    );
    assert!(f.errno.expect("errno").value);
    assert!(f.gate.is_none());

    let first = &f.args["#1"];
    assert_eq!(first.path.base, Base::Position(1));
    assert_eq!(lend(first).extent.value, Extent::CString);
    assert_eq!(lend(first).direction.value, Direction::In);

    let out = lend(&f.args["out"]);
    let n = ArgumentPath::parse("n").expect("a path");
    assert_eq!(out.direction.value, Direction::Out);
    assert_eq!(out.extent.value, Extent::Deref(n.clone()));
    assert_eq!(out.unit, Unit::Bytes);
    let used = out.used.as_ref().expect("used");
    assert_eq!(used.value, Extent::Deref(n));

    assert_eq!(lend(&f.args["n"]).extent.value, Extent::SizeOf);
    assert_eq!(lend(&f.args["n"]).direction.value, Direction::InOut);
    assert_eq!(lend(&f.args["rows"]).unit, Unit::Elements);
    assert_eq!(lend(&f.args["rows"]).extent.to_string(), "w*h");
    assert_eq!(lend(&f.args["key"]).extent.value, Extent::Constant(32));
    assert!(matches!(f.args["file"].rule, ArgumentRule::Handle));
}

#[test]
fn forms_that_later_features_build_on() {
    let f = function(
        r##"
        gate = "fast"
        fault = { returns = "null", errno = "EIO" }
        may-unwind = true
        result = { within = "s" }
        arg.s = { lend = "in", bytes = "n", negative = "cstr", keep = "g" }
        arg."z.alloc" = { value = -1 }
        arg.compare = { callback = true, arg.left = { lend = "in" }, result = { lend = "handle" } }
        "##,
    );
    assert_eq!(f.gate.expect("a gate").value, GateKind::Fast);
    let fault = f.fault.expect("a fault");
    assert_eq!(fault.returns.value, 0);
    assert_eq!(fault.errno.expect("errno").value, "EIO");
    assert!(f.may_unwind.expect("may-unwind").value);
    let result = f.result.expect("a result").rule;
    assert!(matches!(result, ResultKind::Within(path) if path.to_string() == "s"));
    let s = lend(&f.args["s"]);
    assert_eq!(
        s.negative.as_ref().expect("negative").value,
        Negative::CString
    );
    assert_eq!(s.keep.as_ref().expect("keep").value, "g");
    assert!(f.args["z.alloc"].path.is_nested());
    assert!(matches!(&f.args["z.alloc"].rule, ArgumentRule::Value(value) if value.value == -1));
    let ArgumentRule::Callback(compare) = &f.args["compare"].rule else {
        panic!("{:?}", f.args["compare"]);
    };
    assert_eq!(lend(&compare.args["left"]).extent.value, Extent::SizeOf);
    let result = compare.result.as_ref().expect("a result");
    assert!(matches!(
        result.rule,
        ResultKind::Like(ArgumentRule::Handle)
    ));
}

/// A manifest with interface files beside it.
fn project(manifest: &str, interfaces: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8PathBuf::from_path_buf(folder.path().join(FILE_NAME)).expect("UTF-8");
    std::fs::write(&path, manifest).expect("a new file");
    std::fs::create_dir(folder.path().join(INTERFACES_FOLDER)).expect("a new folder");
    for (name, text) in interfaces {
        let path = folder.path().join(INTERFACES_FOLDER).join(name);
        std::fs::write(path, text).expect("a new file");
    }
    (folder, path)
}

#[test]
fn what_the_manifest_says_stands_before_its_interface_files() {
    let (_folder, path) = project(
        r##"
        schema = 1
        [cubicle.app]
        main = true
        [cubicle.c]
        libs = ["c"]
        interfaces = ["first", "second"]
        [cubicle.c.function.f]
        errno = false
        arg.a = { lend = "handle" }
        "##,
        &[
            (
                "first.toml",
                "schema = 1\n[function.f]\ngate = \"fast\"\nerrno = true\n\
                 arg.a = { lend = \"in\" }\narg.b = { lend = \"in\", bytes = 7 }\n\
                 [function.g]\narg.x = { lend = \"out\" }\n",
            ),
            (
                "second.toml",
                "\u{feff}schema = 1\n[function.f]\narg.b = { lend = \"handle\" }\n\
                 arg.c = { lend = \"handle\" }\n[function.h]\nerrno = true\n",
            ),
        ],
    );
    let policy = load(&path, None).expect("a good manifest");
    let functions = &policy.cubicles["c"].functions;
    let names: Vec<&str> = functions.keys().map(String::as_str).collect();
    assert_eq!(names, ["f", "g", "h"]);
    let f = &functions["f"];
    assert!(!f.errno.as_ref().expect("errno").value);
    assert_eq!(f.gate.as_ref().expect("a gate").value, GateKind::Fast);
    assert!(matches!(f.args["a"].rule, ArgumentRule::Handle));
    assert_eq!(lend(&f.args["b"]).extent.value, Extent::Constant(7));
    assert!(matches!(f.args["c"].rule, ArgumentRule::Handle));

    // Each span leads into its own file.
    let marked = |span: &std::ops::Range<usize>| {
        let crate::diagnostics::Place::Span { file, span, .. } = policy.place(span, "") else {
            panic!("no span");
        };
        let sources = policy.sources();
        let text = sources.get(&file).expect("the text of the file");
        let name = file.file_name().expect("a name").to_owned();
        (name, text[span].to_owned())
    };
    let place = |file: &str, text: &str| (file.to_owned(), text.to_owned());
    assert_eq!(marked(&f.name.span), place(FILE_NAME, "f"));
    assert_eq!(marked(&f.args["a"].path.span), place(FILE_NAME, "a"));
    assert_eq!(marked(&f.args["b"].path.span), place("first.toml", "b"));
    assert_eq!(marked(&f.args["c"].path.span), place("second.toml", "c"));
    assert_eq!(marked(&functions["h"].name.span), place("second.toml", "h"));
    assert!(policy.interface_at(&f.name.span).is_none());
    assert!(policy.interface_at(&functions["g"].name.span).is_some());
}

#[test]
fn the_projects_interface_file_hides_that_of_the_tool() {
    let text = "schema = 1\n[cubicle.app]\nmain = true\n\
                [cubicle.z]\nlibs = [\"z\"]\ninterfaces = [\"zlib\"]\n\
                [cubicle.y]\nlibs = [\"y\"]\ninterfaces = [\"zlib\"]\n";
    let interface = "schema = 1\n[function.own]\n";
    let (_folder, path) = project(text, &[("zlib.toml", interface)]);
    let policy = load(&path, None).expect("a good manifest");
    assert!(policy.interfaces[0].own);
    assert_eq!(policy.interfaces.len(), 1);
    for name in ["y", "z"] {
        assert_eq!(policy.cubicles[name].functions.len(), 1);
        assert!(policy.cubicles[name].functions.contains_key("own"));
    }

    let policy = super::tests::policy(text);
    assert!(!policy.interfaces[0].own);
    assert!(policy.cubicles["z"].functions.contains_key("compress2"));
}

#[test]
fn windows_variants_and_lint_levels_are_kept() {
    let policy = policy(
        r#"
        schema = 1
        [cubicle.app]
        main = true
        [cubicle.codec]
        libs = ["c"]
        [window.frames]
        owner = "app"
        guests = { codec = "r" }
        symbols = ["pool"]
        [variant.two]
        merge = [["app", "codec"]]
        [lint]
        unused-entry = "deny"
        "#,
    );
    let frames = &policy.windows["frames"];
    assert_eq!(frames.owner.value, "app");
    assert_eq!(frames.guests["codec"].access.value, Access::Read);
    assert_eq!(values(&frames.symbols), ["pool"]);
    assert_eq!(values(&policy.variants["two"].merge[0]), ["app", "codec"]);
    let level = &policy.lint[&crate::diagnostics::Code::CUB013];
    assert_eq!(level.level.as_ref().unwrap().value, LintLevel::Deny);
    assert!(policy.unsupported().is_empty());
}

#[test]
fn a_variant_has_what_its_parts_have_together() {
    let text = r#"
        schema = 1
        [cubicle.app]
        main = true
        sees = { codec = "r", crypto = "rw" }
        [cubicle.codec]
        c = { files = ["a.c"], flags = ["-O3"] }
        callers = ["app", "crypto"]
        syscalls = ["@base"]
        memory = "256M"
        exports = ["codec_*"]
        [cubicle.codec.function.codec_read]
        errno = true
        [cubicle.crypto]
        c = { files = ["b.c"] }
        libs = ["crypto"]
        callers = ["codec", "log"]
        sees = { codec = "rw", log = "r" }
        syscalls = ["@base", "@file"]
        files = { read = ["keys"] }
        memory = "1G"
        exports = ["crypto_*"]
        [cubicle.log]
        libs = ["log"]
        callers = ["crypto", "codec"]
        [window.inner]
        owner = "codec"
        guests = { crypto = "r" }
        symbols = ["pool"]
        [window.outer]
        owner = "crypto"
        guests = { codec = "rw", app = "r" }
        [variant.three]
        merge = [["codec", "crypto"]]
    "#;
    let path = Utf8Path::new(FILE_NAME);
    let policy = parse_variant(path, text, Some("three")).expect("a good manifest");
    let names: Vec<_> = policy.cubicles.keys().collect();
    assert_eq!(names, ["app", "codec", "log"]);
    let codec = &policy.cubicles["codec"];
    assert_eq!(values(&codec.callers), ["app", "log"]);
    assert_eq!(values(&codec.syscalls), ["@base", "@file"]);
    assert_eq!(values(&codec.libs), ["crypto"]);
    assert_eq!(codec.c.len(), 2);
    assert_eq!(values(&codec.c[0].flags), ["-O3"]);
    assert!(codec.c[1].flags.is_empty());
    assert_eq!(codec.memory.value, (256 << 20) + (1 << 30));
    assert_eq!(codec.exports.as_ref().map(Vec::len), Some(2));
    assert!(codec.functions.contains_key("codec_read"));
    let files = codec.files.as_ref().expect("files");
    assert_eq!(values(&files.read), ["keys"]);
    let seen: Vec<_> = codec.sees.keys().collect();
    assert_eq!(seen, ["log"]);
    let sight = &policy.cubicles["app"].sees["codec"];
    assert_eq!(sight.access.value, Access::ReadWrite);
    assert_eq!(values(&policy.cubicles["log"].callers), ["codec"]);
    let windows: Vec<_> = policy.windows.keys().collect();
    assert_eq!(windows, ["outer"]);
    assert_eq!(policy.windows["outer"].owner.value, "codec");
    let guests: Vec<_> = policy.windows["outer"].guests.keys().collect();
    assert_eq!(guests, ["app"]);
}

#[test]
fn load_tells_a_missing_file_from_a_bad_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8PathBuf::from_path_buf(folder.path().join(FILE_NAME)).expect("UTF-8");
    assert!(matches!(load(&path, None), Err(LoadError::Io { .. })));
    std::fs::write(&path, [0xff, 0xfe]).expect("a new file");
    assert!(matches!(load(&path, None), Err(LoadError::Io { .. })));
    std::fs::write(&path, "schema = 2").expect("a new file");
    let Err(LoadError::Rejected(rejected)) = load(&path, None) else {
        panic!("schema 2 was accepted");
    };
    assert!(rejected.findings.has_denied());
    assert!(rejected.render(false).contains("schema 2 is not known"));
    std::fs::write(&path, "schema = 1\n[cubicle.a]\nmain = true").expect("a new file");
    assert!(load(&path, None).is_ok());
}

#[test]
fn a_huge_file_is_refused_before_it_is_parsed() {
    let text = "#".repeat(LONGEST + 1);
    let rejected = parse(Utf8Path::new("huge"), &text).expect_err("it is too long");
    assert_eq!(rejected.findings.len(), 1);
}

#[test]
fn an_endless_list_of_mistakes_is_cut_short() {
    let text: String = (0..500).map(|n| format!("key{n} = 1\n")).collect();
    let rejected = parse(Utf8Path::new("many"), &text).expect_err("nothing in it is right");
    assert_eq!(rejected.findings.len(), MOST_FINDINGS + 1);
}
