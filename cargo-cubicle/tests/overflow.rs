//! The sample `overflow`, from its sources to the report: an animation that
//! changes the balance of the plain program is stopped by the partitioned one.

#[path = "common/emulation.rs"]
mod emulation;

use std::fs;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};

/// The sample, built once into a directory of its own.
struct Sample {
    directory: tempfile::TempDir,
    source: Utf8PathBuf,
}

impl Sample {
    fn new() -> Sample {
        let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../samples/overflow")
            .canonicalize_utf8()
            .unwrap();
        let sample = Sample {
            directory: tempfile::tempdir().unwrap(),
            source,
        };
        let output = sample.tool(&["build"]);
        assert!(output.status.success(), "{}", stderr(&output));
        sample.input(&["honest", sample.at("honest.fli").as_str()]);
        let [malicious, program] = [sample.at("malicious.fli"), sample.program()];
        sample.input(&["malicious", malicious.as_str(), program.as_str()]);
        sample
    }

    fn at(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.directory.path())
            .unwrap()
            .join(name)
    }

    fn program(&self) -> Utf8PathBuf {
        self.at("target/x86_64-unknown-linux-gnu/debug/overflow")
    }

    /// A command in the sample, without what `cargo test` adds to the environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.source);
        for (name, _) in std::env::vars() {
            let kept = matches!(name.as_str(), "CARGO" | "CARGO_HOME" | "CUBICLE_VM_KERNEL");
            let changes = ["CARGO", "CUBICLE", "RUST"];
            if !kept && changes.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }

    /// `cargo cubicle` with these words; what follows the first goes behind the
    /// directory for results.
    fn tool(&self, words: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_cargo-cubicle"));
        command.args(["cubicle", words[0], "--target-dir"]);
        command.arg(self.at("target")).args(&words[1..]);
        command.output().unwrap()
    }

    /// Makes an animation with the sample's own generator.
    fn input(&self, words: &[&str]) {
        let cargo = std::env::var("CARGO").unwrap();
        let mut command = self.command(&cargo);
        command.args(["run", "-q", "--manifest-path", "inputs/Cargo.toml"]);
        command.arg("--target-dir").arg(self.at("inputs"));
        let output = command.arg("--").args(words).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }

    fn expected(&self, name: &str) -> String {
        fs::read_to_string(self.source.join(name)).unwrap()
    }

    /// The report, but for what depends on the compiler: addresses, and where in
    /// its line the write stands.
    fn assert_report(&self, said: &str, stopped_by: &str) {
        let file = self.expected("flic-sys/c/flic.c");
        let write = "*pixel++ = (uint8_t)read8(chunk);";
        let player = self.expected("src/player.rs");
        let line = |text: &str, words: &str| {
            1 + text.lines().position(|line| line.contains(words)).unwrap()
        };
        let in_decoder = file
            .lines()
            .skip(line(&file, "decode_delta") - 1)
            .position(|text| text.contains(write));
        let write_line = line(&file, "decode_delta") + in_decoder.unwrap();
        let call_line = line(&player, "flic_next(");
        for part in [
            "error: cubicle `flic` wrote 1 byte at 0x".to_owned(),
            ", which belongs to cubicle `app`\n".to_owned(),
            format!("--> flic-sys/c/flic.c:{write_line}:"),
            write.to_owned(),
            "in `decode_delta`\n".to_owned(),
            "= memory: `app`'s data: `BALANCE_IN_CENTS` (+0)\n".to_owned(),
            format!("= calls: app src/player.rs:{call_line} in `"),
            "-> flic `flic_next`\n".to_owned(),
            format!("= note: stopped by {stopped_by}"),
        ] {
            assert!(said.contains(&part), "{part:?} is not in\n{said}");
        }
        assert!(!said.contains("cubicle_violation"), "{said}");
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_attack_ends_in_a_report() {
    let sample = Sample::new();
    let mechanism = match cargo_cubicle::vm::host_has_keys() {
        true => "protection keys",
        false => "page tables",
    };
    let honest = sample.tool(&["run", "-q", sample.at("honest.fli").as_str()]);
    assert_eq!(stdout(&honest), sample.expected("expected-honest.txt"));
    assert_eq!(honest.status.code(), Some(0));

    let attacked = sample.tool(&["run", "-q", sample.at("malicious.fli").as_str()]);
    assert_eq!(attacked.status.code(), Some(86), "{}", stderr(&attacked));
    let expected = sample.expected("expected-malicious-cubicle.txt");
    assert_eq!(stdout(&attacked), expected);
    sample.assert_report(&stderr(&attacked), mechanism);

    // Started directly, it leaves the record as it is, and `symbolize` explains it.
    let raw = sample
        .command(sample.program().as_str())
        .arg(sample.at("malicious.fli"))
        .output()
        .unwrap();
    assert_eq!(raw.status.code(), Some(86));
    assert!(stderr(&raw).contains("{\"cubicle_violation\":1,"));
    fs::write(sample.at("log"), &raw.stderr).unwrap();
    let explained = sample
        .command(env!("CARGO_BIN_EXE_cargo-cubicle"))
        .args(["cubicle", "symbolize", "--binary"])
        .args([sample.program(), sample.at("log")])
        .output()
        .unwrap();
    assert_eq!(explained.status.code(), Some(0));
    sample.assert_report(&stdout(&explained), mechanism);

    // A machine with keys has just shown it.
    if emulation::is_wanted() && !cargo_cubicle::vm::host_has_keys() {
        in_the_emulated_machine(&sample);
    }
}

/// Under protection keys, whatever this machine has.
fn in_the_emulated_machine(sample: &Sample) {
    let run = |name: &str| {
        let file = format!("in/{name}={}", sample.at(name));
        let name = format!("in/{name}");
        sample.tool(&["run", "-q", "--vm", "--vm-file", &file, "--", &name])
    };
    let honest = run("honest.fli");
    assert_eq!(stdout(&honest), sample.expected("expected-honest.txt"));
    assert_eq!(
        (honest.status.code(), stderr(&honest).as_str()),
        (Some(0), "")
    );
    let attacked = run("malicious.fli");
    assert_eq!(attacked.status.code(), Some(86), "{}", stderr(&attacked));
    let expected = sample.expected("expected-malicious-cubicle.txt");
    assert_eq!(stdout(&attacked), expected);
    sample.assert_report(&stderr(&attacked), "protection keys (key 2)");
}
