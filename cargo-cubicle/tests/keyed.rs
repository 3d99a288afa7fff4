//! What cannot live in a keyed window, and who may not refer to what does: each is an
//! error of the build that says what to change.

#[path = "common/outside.rs"]
mod outside;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use outside::tool;

const USER: &str = "extern int shared; int NAME(void) { return shared; }\n";
const MAIN: &str = "int codec(void), third(void); int main(void) { return codec() + third(); }\n";

/// A program of three cubicles, of which app defines what is shared.
struct Case {
    definition: &'static str,
    /// Further flags for app's sources.
    flags: &'static str,
    /// What else is said of app.
    more: &'static str,
    /// What stands in the window's table; nothing: there is none.
    window: Option<&'static str>,
}

const GUESTS: &str = "guests = { codec = \"r\", third = \"rw\" }\nsymbols = [\"shared\"]";

/// Tests run side by side, each with a project of its own.
fn project() -> PathBuf {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("keyed");
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(root.join("src")).unwrap();
    let package = "[package]\nname = \"keyed\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(root.join("Cargo.toml"), package).unwrap();
    for name in ["codec", "third"] {
        fs::write(root.join(format!("{name}.c")), USER.replace("NAME", name)).unwrap();
    }
    root
}

/// Whether it was built, and what the build said.
fn build(case: &Case) -> (bool, String) {
    let root = project();
    let mut manifest = format!(
        "schema = 1\nisolation = \"any\"\n[cubicle.app]\nmain = true\nc = {{ files = [\"app.c\"], flags = [{}] }}\n{}\n",
        case.flags, case.more
    );
    for name in ["codec", "third"] {
        manifest.push_str(&format!(
            "[cubicle.{name}]\nc = {{ files = [\"{name}.c\"] }}\ncallers = [\"app\"]\n"
        ));
    }
    if let Some(window) = case.window {
        manifest.push_str(&format!("[window.pool]\nowner = \"app\"\n{window}\n"));
    }
    let source = format!("{}\n{MAIN}", case.definition);
    fs::write(root.join("app.c"), source).unwrap();
    fs::write(root.join("Cubicle.toml"), manifest).unwrap();
    // The tool does not watch what a manifest says of flags: this does.
    let text = format!("#![no_main]\n// {}{}\n", case.definition, case.flags);
    fs::write(root.join("src/main.rs"), text).unwrap();
    let output = tool(&root).arg("build").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

fn refused(case: &Case, words: &[&str]) {
    let (built, said) = build(case);
    assert!(!built, "{}: {said}", case.definition);
    for word in words {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[test]
fn what_cannot_be_shared_is_an_error_that_says_why() {
    let shared = |definition| Case {
        definition,
        flags: "",
        more: "",
        window: Some(GUESTS),
    };
    let (built, said) = build(&shared("int shared = 5;"));
    assert!(built, "{said}");
    assert!(!said.contains("warning"), "{said}");

    for (definition, why) in [
        ("int shared(void) { return 1; }", "it is a function"),
        ("_Thread_local int shared;", "it is thread-local"),
        ("const int shared = 5;", "it is a constant"),
        (
            "char shared[200 << 20];",
            "window `pool` has no room for `shared`",
        ),
    ] {
        refused(&shared(definition), &[why, "placed here"]);
    }
    refused(
        &Case {
            flags: "\"-fcommon\"",
            ..shared("int shared;")
        },
        &["it is a common symbol", "-fno-common"],
    );
    refused(
        &Case {
            flags: "\"-fno-data-sections\"",
            ..shared("int shared = 5; int neighbour = 6;")
        },
        &[
            "it shares section `.data` with `neighbour`",
            "-fdata-sections",
        ],
    );
}

#[test]
fn strangers_do_not_refer_to_what_is_shared() {
    refused(
        &Case {
            definition: "int shared = 5;",
            flags: "",
            more: "",
            window: Some("guests = { codec = \"r\" }\nsymbols = [\"shared\"]"),
        },
        &[
            "CUB002",
            "cubicle `third` refers to the variable `shared` of cubicle `app`",
            "window `pool` holds it; to permit it: `guests = { third = \"r\" }` in `[window.pool]`",
        ],
    );
    refused(
        &Case {
            definition: "int shared = 5;",
            flags: "",
            more: "",
            window: None,
        },
        &[
            "CUB002",
            "put it into a keyed window: `symbols = [\"shared\"]`",
        ],
    );
    refused(
        &Case {
            definition: "int shared = 5;",
            flags: "",
            more: "",
            window: Some("guests = { codec = \"r\" }\nsymbols = [\"shard\"]"),
        },
        &[
            "CUB002",
            "CUB013",
            "cubicle `app` defines no variable `shard`",
        ],
    );
}

/// Runs a program in the project's folder.
fn compile_with(root: &Path, words: &[&str]) {
    let status = Command::new(words[0])
        .args(&words[1..])
        .current_dir(root)
        .status();
    assert!(status.unwrap().success(), "{words:?}");
}

#[test]
fn a_member_of_an_archive_is_found() {
    use object::{Object, ObjectSymbol};
    let root = project();
    fs::write(root.join("pool.c"), "int shared = 5; int other = 6;\n").unwrap();
    compile_with(&root, &["cc", "-c", "-fdata-sections", "pool.c"]);
    compile_with(&root, &["ar", "rcs", "libpool.a", "pool.o"]);
    let (built, said) = build(&Case {
        definition: "extern int other; __attribute__((constructor)) static void touch(void) { other++; }",
        flags: "",
        more: "objects = [\"libpool.a\"]",
        window: Some(GUESTS),
    });
    assert!(built, "{said}");
    let program = fs::read(root.join("target/x86_64-unknown-linux-gnu/debug/keyed")).unwrap();
    let program = object::File::parse(&*program).unwrap();
    let address = |name| {
        let symbol = program.symbols().find(|symbol| symbol.name() == Ok(name));
        symbol.unwrap_or_else(|| panic!("no {name}")).address()
    };
    // The window's slot follows those of three cubicles.
    let slot = cubicle_abi::layout::slot;
    assert_eq!(address("window pool::shared"), slot(3));
    assert!((slot(0)..slot(1)).contains(&address("app::other")));
}
