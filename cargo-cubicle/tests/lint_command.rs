//! `cargo cubicle lint`: what it leaves, what it shows in each form, and what the lock
//! file notices. The program is a small one that changes as programs do; the samples
//! are judged by `./check`, with the real libraries in them.

#[path = "common/outside.rs"]
mod outside;
#[path = "common/target.rs"]
mod target;

use std::fs;
use std::process::{Command, Output};
use target::shared_target;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use outside::tool;

/// A C program of two cubicles, in a repository.
struct Project {
    _directory: tempfile::TempDir,
    root: Utf8PathBuf,
}

const MANIFEST: &str = "schema = 1
isolation = \"any\"

[cubicle.app]
main = true
c = { files = [\"app.c\"] }
syscalls = [\"@base\", \"@stdio\"]

[cubicle.codec]
c = { files = [\"codec.c\"] }
callers = [\"app\"]

[cubicle.codec.function.codec_sum]
arg.bytes = { lend = \"in\", bytes = \"length\" }
";

const APP: &str = "#include <stdio.h>
int codec_sum(const unsigned char *bytes, unsigned long length);
int codec_hash(const unsigned char *bytes, unsigned long length);
int main(void)
{
	unsigned char bytes[] = { 1, 2, 3 };
	printf(\"%d\\n\", codec_sum(bytes, sizeof bytes));
	return 0;
}
";

const CODEC: &str = "int codec_sum(const unsigned char *bytes, unsigned long length)
{
	int sum = 0;
	while (length--)
		sum += *bytes++;
	return sum;
}
int codec_hash(const unsigned char *bytes, unsigned long length)
{
	return codec_sum(bytes, length) * 31;
}
";

impl Project {
    fn new() -> Project {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        let root = root.canonicalize_utf8().unwrap();
        let project = Project {
            _directory: directory,
            root,
        };
        fs::create_dir(project.root.join(".git")).unwrap();
        fs::create_dir_all(project.root.join("program/src")).unwrap();
        let package = "[package]\nname = \"program\"\nedition = \"2024\"\n";
        project.write("Cargo.toml", package);
        project.write("src/main.rs", "#![no_main]\n");
        project.write("Cubicle.toml", MANIFEST);
        project.write("app.c", APP);
        project.write("codec.c", CODEC);
        project
    }

    fn path(&self, file: &str) -> Utf8PathBuf {
        self.root.join("program").join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    /// Changes what a file says.
    fn edit(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(old), "{text}");
        self.write(file, &text.replace(old, new));
    }

    fn run(&self, words: &str) -> Output {
        tool(self.root.join("program"))
            .args(words.split_whitespace())
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }

    /// Runs it, and answers what it says to people if it ends so.
    fn says(&self, words: &str, status: i32) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{words}: {said}");
        said
    }

    fn binary(&self) -> Utf8PathBuf {
        self.path("target/x86_64-unknown-linux-gnu/debug/program")
    }
}

#[test]
fn what_is_granted_anew_is_one_line() {
    let project = Project::new();
    let said = project.says("lint --locked", 101);
    assert!(said.contains("Cargo.lock"), "{said}");
    project.says("lint", 0);
    let said = project.says("lint --locked", 2);
    assert!(said.contains("--accept"), "{said}");
    project.says("lint --accept", 0);
    project.says("lint --locked", 0);
    let accepted = fs::read_to_string(project.path("Cubicle.lock")).unwrap();

    // The same in every profile, and with one core.
    project.says("lint --accept --release -j1", 0);
    let again = fs::read_to_string(project.path("Cubicle.lock")).unwrap();
    assert_eq!(accepted, again);

    let changes = [
        (
            "app.c",
            "codec_sum(bytes",
            "codec_hash(bytes, 1) + codec_sum(bytes",
            "cubicle `app` may call `codec: codec_hash`",
        ),
        (
            "Cubicle.toml",
            "lend = \"in\"",
            "lend = \"inout\"",
            "cubicle `codec` is lent `app: codec_sum: bytes inout, length bytes`",
        ),
        (
            "Cubicle.toml",
            "callers = [\"app\"]",
            "callers = [\"app\"]\nsyscalls = [\"getpid\"]",
            "cubicle `codec` may make the system call `getpid`",
        ),
        (
            "Cubicle.toml",
            "callers = [\"app\"]",
            "callers = [\"app\"]\nsees = { app = \"r\" }",
            "cubicle `codec` sees the memory of `app r`",
        ),
    ];
    for (file, old, new, line) in changes {
        project.edit(file, old, new);
        let said = project.says("lint --locked", 1);
        assert_eq!(
            said.matches("which Cubicle.lock does not list").count(),
            1,
            "{said}"
        );
        assert!(said.contains(line), "{said}");
        // A build refuses it, too, and says the same.
        let said = project.says("build --locked", 1);
        assert!(said.contains(line), "{said}");
        assert!(!project.binary().exists());
        project.edit(file, new, old);
    }
    project.says("build --locked", 0);

    // What is not needed any longer must go, so that it does not come back unseen.
    project.edit("app.c", "codec_sum(bytes, sizeof bytes)", "7");
    let said = project.says("lint --locked", 1);
    assert!(
        said.contains("`codec: codec_sum` under `calls` of cubicle `app`"),
        "{said}"
    );
    project.says("build --locked", 0);
    project.says("lint --accept", 0);
    assert_ne!(
        fs::read_to_string(project.path("Cubicle.lock")).unwrap(),
        accepted
    );
}

#[test]
fn a_lint_is_no_build_and_a_build_no_lint() {
    let project = Project::new();
    let said = project.says("lint", 0);
    assert!(said.contains("1 program, no findings"), "{said}");
    assert!(!project.binary().exists());
    project.says("build", 0);
    let built = fs::read(project.binary()).unwrap();
    assert_eq!(&built[..4], b"\x7fELF");

    // A finding is there again when nothing has changed since.
    project.edit(
        "Cubicle.toml",
        "[cubicle.codec.function.codec_sum]\n",
        "[cubicle.codec.function.codec_hash]\n",
    );
    for _ in 0..2 {
        let said = project.says("lint", 0);
        assert!(said.contains("warning[CUB004]"), "{said}");
    }
    assert_eq!(fs::read(project.binary()).unwrap(), built);
    // Output of plain cargo is what its program prints, not a report.
    let said = project.run("run --quiet");
    assert!(
        String::from_utf8_lossy(&said.stderr).contains("CUB004"),
        "{said:?}"
    );

    // What was missing may be there the next time, though no file has changed.
    fs::rename(project.path("codec.c"), project.path("codec.away")).unwrap();
    let said = project.says("lint", 1);
    assert!(said.contains("codec.c"), "{said}");
    fs::rename(project.path("codec.away"), project.path("codec.c")).unwrap();
    project.says("lint", 0);
}

/// A test harness calls more than the program does, and an audit is there to find out.
#[test]
fn tests_and_audits_are_not_in_the_file() {
    let project = Project::new();
    let harness = "fn main() {
    unsafe extern \"C\" {
        safe fn codec_hash(bytes: *const u8, length: u64) -> i32;
        safe fn codec_sum(bytes: *const u8, length: u64) -> i32;
    }
    #[cfg(test)]
    codec_hash(std::ptr::null(), 0);
    println!(\"{}\", codec_sum(std::ptr::null(), 0));
}
#[test]
fn hashes() {
    main();
}
";
    project.write("src/main.rs", harness);
    project.edit("Cubicle.toml", "c = { files = [\"app.c\"] }\n", "");
    project.edit(
        "Cubicle.toml",
        "\"@stdio\"",
        "\"@stdio\", \"@file\", \"@thread\"",
    );
    project.says("lint", 0);
    project.says("lint --accept", 0);
    project.says("run --locked", 0);
    project.says("test --locked", 0);

    project.edit("src/main.rs", "#[cfg(test)]\n", "");
    let said = project.says("build --locked", 1);
    assert!(said.contains("`codec: codec_hash`"), "{said}");
    let said = project.says("run --audit --locked", 0);
    assert!(!said.contains("CUB016"), "{said}");
}

#[test]
fn levels_are_the_manifests_and_the_command_lines() {
    let project = Project::new();
    project.edit("Cubicle.toml", "arg.bytes =", "arg.length =");
    let said = project.says("lint", 1);
    assert!(said.contains("error: "), "{said}");
    project.write("Cubicle.toml", "schema = 1\n[cubicle.app]\nmian = true\n");
    let said = project.says("lint", 2);
    assert!(said.contains("mian"), "{said}");

    project.write(
        "Cubicle.toml",
        &MANIFEST[..MANIFEST.find("[cubicle.codec.function").unwrap()],
    );
    let said = project.says("lint", 0);
    assert!(said.contains("warning[CUB004]"), "{said}");
    let said = project.says("lint -D unlent-pointer", 1);
    assert!(said.contains("error[CUB004]"), "{said}");
    let said = project.says("lint -A CUB004", 0);
    assert!(said.contains("no findings"), "{said}");
    let said = project.says("lint -A undeclared-call", 2);
    assert!(said.contains("can only be denied"), "{said}");
    let said = project.says("lint -W unlent-poniter", 2);
    assert!(said.contains("`unlent-pointer`"), "{said}");

    let manifest = fs::read_to_string(project.path("Cubicle.toml")).unwrap();
    project.write(
        "Cubicle.toml",
        &format!("{manifest}\n[lint]\nunlent-pointer = \"deny\"\n"),
    );
    let said = project.says("build", 1);
    assert!(
        said.contains("error[CUB004]") && !project.binary().exists(),
        "{said}"
    );
    project.write(
        "Cubicle.toml",
        &format!("{manifest}\n[lint]\nunlent-pointer = \"allow\"\n"),
    );
    let said = project.says("build", 0);
    assert!(!said.contains("CUB004"), "{said}");
    project.write(
        "Cubicle.toml",
        &format!("{manifest}\n[lint]\nforeign-data = \"warn\"\n"),
    );
    let said = project.says("build", 1);
    assert!(said.contains("can only be denied"), "{said}");
}

/// Where a build can do without a rule, it is the user who judges.
#[test]
fn what_is_allowed_is_built() {
    let project = Project::new();
    project.edit(
        "codec.c",
        "int codec_hash",
        "#include <stdio.h>\nvoid codec_to(FILE *to) { (void)to; }\nint codec_hash",
    );
    project.edit(
        "app.c",
        "int main(void)\n{\n",
        "void codec_to(FILE *to);\nint main(void)\n{\n\tcodec_to(stdout);\n",
    );
    let said = project.says("build", 1);
    assert!(said.contains("error[CUB019]"), "{said}");
    let allowed = "\n[lint]\nlibc-object-crossing = \"allow\"\n";
    project.write("Cubicle.toml", &format!("{MANIFEST}{allowed}"));
    let said = project.says("run", 0);
    assert!(!said.contains("CUB019"), "{said}");
}

/// The program with one finding, and what a form says of it.
/// Misspelt names are corrected, what nothing needs goes, an entry moves to where its function is; what would
/// permit something stays, with the words that would mend it.
#[test]
fn what_permits_nothing_is_corrected() {
    let project = Project::new();
    let wrong = "schema = 1 # the first
isolation = \"any\"

[lint]
unusd-entry = \"warn\" # a rule

[cubicle.app]
main = true
c = { files = [\"app.c\"] }
libs = [\"gone\"] # a library that was linked once
syscalls = [\"@base\", \"@stdio\"]

# It computes sums.
[cubicle.app.function.codec_sum]
arg.bytes = { lend = \"in\", bytes = \"length\" }

[cubicle.codec]
c = { files = [\"codec.c\"] }
calers = [\"app\"]
memroy = \"64M\"

[cubicle.codec.function.codec_hsah] # as codec_sum
arg.bytes = { lend = \"in\", bytes = \"length\" }
";
    project.write("Cubicle.toml", wrong);
    let output = project.run("lint --fix");
    let text = String::from_utf8(output.stderr).unwrap();
    // Nobody may call the codec.
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("a key with a similar name exists: `callers`"),
        "{text}"
    );
    assert!(
        text.contains("Fixed Cubicle.toml:5: `unusd-entry` is `unused-entry`"),
        "{text}"
    );

    let corrected = fs::read_to_string(project.path("Cubicle.toml"))
        .unwrap()
        .replace("calers", "callers");
    project.write("Cubicle.toml", &corrected);
    let output = project.run("lint --fix");
    let text = String::from_utf8(output.stderr).unwrap();
    let expected = wrong
        .replace("unusd", "unused")
        .replace("calers", "callers")
        .replace("memroy", "memory")
        .replace("hsah", "hash")
        .replace("libs = [\"gone\"] # a library that was linked once\n", "")
        .replace("app.function.codec_sum", "codec.function.codec_sum");
    assert_eq!(
        fs::read_to_string(project.path("Cubicle.toml")).unwrap(),
        expected,
        "{text}"
    );
    for line in [
        "took out `gone`",
        "`codec_hsah` is `codec_hash`",
        "`codec_sum` is described for cubicle `codec`",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

fn in_form(form: &str) -> (Project, String) {
    let project = Project::new();
    project.write(
        "Cubicle.toml",
        &MANIFEST[..MANIFEST.find("[cubicle.codec.function").unwrap()],
    );
    let output = project.run(&format!("lint --quiet --message-format {form}"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    (project, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn machines_read_json() {
    let (_project, text) = in_form("json");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&document["version"], &document["warnings"]),
        (&1.into(), &1.into())
    );
    let finding = &document["findings"][0];
    assert_eq!(finding["code"], "CUB004");
    assert_eq!(finding["level"], "warning");
    assert_eq!(finding["programs"][0], "program");
    let places = finding["places"].as_array().unwrap();
    let place = |file: &str| places.iter().find(|place| place["file"] == file).unwrap();
    // From the repository, not from the package.
    assert_eq!(place("program/app.c")["position"]["line"], 7);
    assert_eq!(place("program/Cubicle.toml")["position"]["line"], 9);
    assert_eq!(place("program/Cubicle.toml")["position"]["column"], 10);
}

#[test]
fn github_shows_annotations() {
    let (_project, text) = in_form("github");
    let start =
        "::warning file=program/Cubicle.toml,line=9,col=10,endLine=9,title=CUB004 unlent-pointer::";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("%0Ahelp: "), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let sarif = |project: &Project| -> Value {
        let output = project.run("lint --quiet --message-format sarif");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (project, text) = in_form("sarif");
    let first: Value = serde_json::from_str(&text).unwrap();
    let result = |document: &Value| document["runs"][0]["results"][0].clone();
    let before = result(&first);
    let location = &before["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "program/Cubicle.toml");
    assert_eq!(
        before["relatedLocations"][0]["physicalLocation"]["region"]["startLine"],
        7
    );
    let rules = &first["runs"][0]["tool"]["driver"]["rules"];
    assert_eq!(
        rules[before["ruleIndex"].as_u64().unwrap() as usize]["id"],
        "CUB004"
    );

    project.edit("Cubicle.toml", "isolation", "# One more line.\nisolation");
    let after = result(&sarif(&project));
    assert_eq!(before["partialFingerprints"], after["partialFingerprints"]);
    let line =
        |result: &Value| result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64();
    assert_eq!(line(&before).map(|line| line + 1), line(&after));
}

/// Validates with the standard's own schema, which a crate brings.
#[test]
#[ignore = "compiles a JSON schema validator: a minute and a half"]
fn sarif_is_what_the_standard_says() {
    let project = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects/sarif");
    let target = shared_target("sarif");
    let cargo = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(words).current_dir(&project);
        command.env("CARGO_TARGET_DIR", &target);
        command
    };
    let metadata = cargo(&["metadata", "--format-version=1", "--locked"]);
    let metadata = { metadata }.output().unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "serde-sarif");
    let manifest = Utf8PathBuf::from(package.unwrap()["manifest_path"].as_str().unwrap());
    let schema = manifest.with_file_name("src/schema.json");

    let validate = |text: &str| {
        use std::io::Write;
        let mut child = cargo(&["run", "--locked", "--quiet", "--", schema.as_str()])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    let (_project, text) = in_form("sarif");
    let output = validate(&text);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 results\n");
    let wrong = text.replace("\"startLine\"", "\"beginLine\"");
    assert!(!validate(&wrong).status.success());
}
