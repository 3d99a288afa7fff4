//! Compiles two images at addresses of their own, composes a file from their code
//! and symbols, and reads violations in it. Everything is found by symbol and by
//! line of source: nothing here depends on what the compiler does with addresses.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_cubicle::symbolize::{
    Access, Address, Binary, Call, Kind, Mechanism, Outcome, Place, Record, Style, from_stream,
    symbolize,
};
use object::{Object, ObjectSection, ObjectSymbol};

const GATE: &str = "0x20000000";

/// A composed program in a directory of its own.
struct Program {
    directory: tempfile::TempDir,
    app: Vec<u8>,
    codec: Vec<u8>,
}

fn sources() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/symbolize")
}

fn compile(source: &Utf8Path, output: &Utf8Path, flags: &[&str]) {
    let mut command = Command::new("cc");
    command.args([
        "-g",
        "-O1",
        "-fno-inline",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
    ]);
    command.args(flags).arg("-o").args([output, source]);
    assert!(command.status().unwrap().success(), "{source}");
}

impl Program {
    fn new() -> Program {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap().to_owned();
        let images = root.join("cubicle/demo-1");
        fs::create_dir_all(&images).unwrap();
        let [app, codec] = ["app", "codec"].map(|name| images.join(name).with_extension("elf"));
        compile(
            &sources().join("app.c"),
            &app,
            &[
                "-Wl,-Ttext-segment=0x400000",
                "-Wl,-e,main",
                &format!("-Wl,--defsym=decode={GATE}"),
            ],
        );
        compile(
            &sources().join("decode.c"),
            &codec,
            &[
                "-Wl,-Ttext-segment=0x10000000",
                "-Wl,-e,decode",
                &format!("-Wl,--defsym=report_row={GATE}"),
            ],
        );
        let program = Program {
            app: fs::read(app).unwrap(),
            codec: fs::read(codec).unwrap(),
            directory,
        };
        program.compose();
        program
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).unwrap()
    }

    fn path(&self) -> Utf8PathBuf {
        self.root().join("demo")
    }

    /// Code of both images at its place, and their symbols under new names.
    fn compose(&self) {
        let mut text = String::from(".section .cubicle.name\n.ascii \"demo-1\"\n");
        let mut flags = vec!["-Wl,-e,0x400000".to_owned()];
        for (name, image) in [("app", &self.app), ("codec", &self.codec)] {
            let elf = object::File::parse(image.as_slice()).unwrap();
            let code = elf.section_by_name(".text").unwrap();
            let bytes = self.root().join(format!("{name}.text"));
            fs::write(&bytes, code.data().unwrap()).unwrap();
            text += &format!(".section code_{name},\"ax\"\n.incbin \"{bytes}\"\n");
            flags.push(format!(
                "-Wl,--section-start=code_{name}={:#x}",
                code.address()
            ));
            for symbol in elf.symbols().filter(|symbol| symbol.size() > 0) {
                let new = format!("\"{name}::{}\"", symbol.name().unwrap());
                let kind = if symbol.kind() == object::SymbolKind::Text {
                    "function"
                } else {
                    "object"
                };
                text += &format!(
                    ".globl {new}\n.type {new}, @{kind}\n.set {new}, {:#x}\n.size {new}, {}\n",
                    symbol.address(),
                    symbol.size()
                );
            }
        }
        let source = self.root().join("composed.s");
        fs::write(&source, text).unwrap();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        compile(&source, &self.path(), &flags);
    }

    fn symbol(&self, image: &[u8], name: &str) -> u64 {
        let elf = object::File::parse(image).unwrap();
        elf.symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .unwrap()
            .address()
    }

    /// The first instruction of the line that contains `words`, as `objdump` sees it:
    /// other code than what is tested.
    fn instruction(&self, cubicle: &str, words: &str) -> u64 {
        let path = self
            .root()
            .join("cubicle/demo-1")
            .join(cubicle)
            .with_extension("elf");
        let output = Command::new("objdump")
            .args(["-d", "-l", "--no-show-raw-insn", path.as_str()])
            .output()
            .unwrap();
        let file = if cubicle == "app" {
            "app.c"
        } else {
            "decode.c"
        };
        let place = format!("{file}:{}", line_of(file, words));
        let text = String::from_utf8(output.stdout).unwrap();
        let found = text
            .lines()
            .skip_while(|line| !line.split(' ').next().unwrap().ends_with(&place))
            .nth(1)
            .unwrap();
        u64::from_str_radix(found.trim().split(':').next().unwrap(), 16).unwrap()
    }

    /// `codec` writes to the second byte of `is_admin`, called by `main`.
    fn record(&self) -> Record {
        let write = self.instruction("codec", "the bad write");
        let is_admin = self.symbol(&self.app, "is_admin");
        Record {
            cubicle_violation: 1,
            kind: Kind::Access,
            mechanism: Mechanism::Pku,
            cubicle: Some("codec".into()),
            access: Some(Access::Write),
            address: Some(Address(is_admin + 1)),
            owner: Some("app".into()),
            place: Some(Place::Data),
            instruction: Some(Address(write)),
            signal: 11,
            code: 4,
            key: Some(2),
            callback: None,
            call: None,
            outcome: None,
            detail: String::new(),
            chain: vec![Call {
                from: "app".into(),
                to: "codec".into(),
                function: "decode".into(),
                site: Address(self.instruction("app", "the call") + 1),
            }],
        }
    }

    fn style(&self) -> Style {
        Style {
            colour: false,
            root: Some(sources()),
        }
    }

    fn explain(&self, record: &Record) -> String {
        symbolize(record, &Binary::open(&self.path()).unwrap()).render(&self.style())
    }
}

/// From 1.
fn line_of(file: &str, words: &str) -> usize {
    let text = fs::read_to_string(sources().join(file)).unwrap();
    1 + text.lines().position(|line| line.contains(words)).unwrap()
}

#[test]
fn a_bad_write_is_told_with_source_memory_and_calls() {
    let program = Program::new();
    let record = program.record();
    let address = record.address.unwrap();
    let write = line_of("decode.c", "the bad write");
    let call = line_of("app.c", "the call");
    let expected = format!(
        "\
error: cubicle `codec` wrote 8 bytes at {address}, which belongs to cubicle `app`
 --> decode.c:{write}:5
  |
{write} |     *out = value; /* the bad write */
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in `decode_row`
  |
  = memory: `app`'s data: `is_admin` (+1)
  = calls: app app.c:{call} in `main` -> codec `decode`
  = note: stopped by protection keys (key 2)"
    );
    assert_eq!(program.explain(&record), expected);
}

#[test]
fn every_call_of_a_chain_has_its_line() {
    let program = Program::new();
    let mut record = program.record();
    record.chain.push(Call {
        from: "codec".into(),
        to: "app".into(),
        function: "_RNvC3app6on_row".into(),
        site: Address(program.instruction("codec", "the way back") + 1),
    });
    let (call, back) = (
        line_of("app.c", "the call"),
        line_of("decode.c", "the way back"),
    );
    let text = program.explain(&record);
    let calls = format!(
        "  = calls: app app.c:{call} in `main` -> codec `decode`\n           \
         codec decode.c:{back} in `notify` -> app `app::on_row`\n"
    );
    assert!(text.contains(&calls), "{text}");
}

#[test]
fn what_lies_behind_a_variable_is_named_after_it() {
    let program = Program::new();
    let mut record = program.record();
    let end = program.symbol(&program.codec, "row") + 16;
    record.cubicle = Some("app".into());
    record.owner = Some("codec".into());
    for (beyond, expected) in [(0, "just behind `row`"), (24, "24 bytes behind `row`")] {
        record.address = Some(Address(end + beyond));
        let text = program.explain(&record);
        assert!(
            text.contains(&format!("= memory: `codec`'s data: {expected}\n")),
            "{text}"
        );
    }
    record.address = Some(Address(end + 100_000));
    record.place = Some(Place::Heap);
    let text = program.explain(&record);
    assert!(text.contains("= memory: `codec`'s heap\n"), "{text}");
}

#[test]
fn without_images_the_symbol_table_speaks_and_what_is_missing_is_named() {
    let program = Program::new();
    fs::remove_dir_all(program.root().join("cubicle")).unwrap();
    let record = Program::new().record();
    let text = program.explain(&record);
    let place = format!(
        "--> `codec`: `decode_row`, at {}",
        record.instruction.unwrap()
    );
    assert!(text.contains(&place), "{text}");
    assert!(
        text.contains("= memory: `app`'s data: `is_admin` (+1)\n"),
        "{text}"
    );
    assert!(
        text.contains("= calls: app `main` -> codec `decode`\n"),
        "{text}"
    );
    for image in ["app", "codec"] {
        let missing = format!(
            "= note: the image of `{image}` is missing: {}/cubicle/demo-1/{image}.elf or ",
            program.root()
        );
        assert_eq!(text.matches(&missing).count(), 1, "{text}");
    }
}

#[test]
fn images_are_also_found_one_folder_up() {
    let program = Program::new();
    let deps = program.root().join("deps");
    fs::create_dir(&deps).unwrap();
    fs::rename(program.path(), deps.join("demo")).unwrap();
    let binary = Binary::open(&deps.join("demo")).unwrap();
    let report = symbolize(&program.record(), &binary);
    assert_eq!(
        report.position.line,
        Some(line_of("decode.c", "the bad write") as u32)
    );
    assert_eq!(report.missing, Vec::<String>::new());
}

#[test]
fn a_program_that_was_not_composed_still_gives_a_report() {
    let program = Program::new();
    let plain = program.root().join("cubicle/demo-1/app.elf");
    let report = symbolize(&program.record(), &Binary::open(&plain).unwrap());
    let text = report.render(&program.style());
    assert!(
        text.contains("--> `codec`: code that has no name, at 0x"),
        "{text}"
    );
    assert_eq!(
        text.matches("it has no section .cubicle.name").count(),
        1,
        "{text}"
    );
    assert!(Binary::open(&sources().join("app.c")).is_err());
}

#[test]
fn records_in_a_stream_become_reports_and_all_else_stays() {
    let program = Program::new();
    let binary = Binary::open(&program.path()).unwrap();
    let style = program.style();
    let record = program.record();
    let json = serde_json::to_string(&record).unwrap();
    let report = symbolize(&record, &binary).render(&style);
    let same = |text: &[u8]| from_stream(text, &binary, &style) == text;

    assert!(same(b"no newline at the end \xff\xfe"));
    assert!(same(b"\n\n{\"cubicle_violation\":\"not really\"}\n"));
    assert!(same(
        json.replace("\"cubicle_violation\":1", "\"cubicle_violation\":2")
            .as_bytes()
    ));
    assert!(
        same(&json.as_bytes()[..json.len() - 1]),
        "a record that is cut short"
    );

    let mixed = format!("one\nhalf a line{json}\ntwo\n{json}");
    let out = String::from_utf8(from_stream(mixed.as_bytes(), &binary, &style)).unwrap();
    assert_eq!(out, format!("one\nhalf a line\n{report}\ntwo\n{report}\n"));
}

#[test]
fn every_kind_has_its_sentence() {
    let program = Program::new();
    let title = |change: &dyn Fn(&mut Record)| {
        let mut record = program.record();
        record.address = Some(Address(0x1000));
        change(&mut record);
        program.explain(&record).lines().next().unwrap().to_owned()
    };
    type Change = dyn Fn(&mut Record);
    let cases: [(&Change, &str); 9] = [
        (
            &|record| record.kind = Kind::Gate,
            "used a gate otherwise than by calling it",
        ),
        (
            &|record| record.kind = Kind::SystemCall,
            "made a system call that it may not make",
        ),
        (
            &|record| record.kind = Kind::Instruction,
            "executed an instruction that it may not execute",
        ),
        (&|record| record.kind = Kind::Abort, "ended itself"),
        (
            &|record| record.owner = None,
            "wrote 8 bytes at 0x1000, which belongs to no cubicle",
        ),
        (
            &|record| record.owner = Some("monitor".into()),
            "wrote 8 bytes at 0x1000, which belongs to the monitor",
        ),
        (
            &|record| record.owner = Some("codec".into()),
            "wrote 8 bytes at 0x1000, which is its own but not open to that",
        ),
        (
            &|record| record.place = Some(Place::Unmapped),
            "wrote 8 bytes at 0x1000, where there is nothing",
        ),
        (
            &|record| {
                record.access = Some(Access::Read);
                record.instruction = Some(Address(0x1));
            },
            "read memory at 0x1000, which belongs to cubicle `app`",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(title(change), format!("error: cubicle `codec` {expected}"));
    }
}

#[test]
fn a_crash_says_that_no_border_was_crossed() {
    let program = Program::new();
    let mut record = program.record();
    record.kind = Kind::Crash;
    record.address = Some(Address(0x8));
    (record.owner, record.place) = (None, Some(Place::Unmapped));
    (record.key, record.code) = (None, 1);
    let text = program.explain(&record);
    let title = "error: cubicle `codec` crashed (SIGSEGV): it wrote 8 bytes at 0x8, where there is nothing\n";
    assert!(text.starts_with(title), "{text}");
    let place = format!("--> decode.c:{}:5\n", line_of("decode.c", "the bad write"));
    assert!(text.contains(&place), "{text}");
    assert!(text.contains("= note: no border was crossed"), "{text}");
    assert!(!text.contains("stopped by"), "{text}");

    record.outcome = Some(Outcome::Restart);
    let text = program.explain(&record);
    assert!(text.contains("starts anew"), "{text}");
    assert!(!text.contains("no border was crossed"), "{text}");
    record.outcome = None;

    record.signal = 8;
    (record.address, record.access, record.place) = (None, None, None);
    let text = program.explain(&record);
    assert!(
        text.starts_with("error: cubicle `codec` crashed (SIGFPE)\n"),
        "{text}"
    );
}

#[test]
fn a_lend_is_told_at_the_call_with_the_place_to_look_in() {
    let program = Program::new();
    let mut record = program.record();
    let detail = "the caller lends 64 bytes that it may not read itself";
    record.kind = Kind::Lend;
    record.cubicle = Some("app".into());
    (record.instruction, record.access) = (None, None);
    (record.signal, record.code, record.key) = (0, 0, None);
    record.detail = detail.into();
    let expected = "error: cubicle `app` called `decode` of cubicle `codec` with an argument that cannot be lent\n";
    let text = program.explain(&record);
    assert!(text.starts_with(expected), "{text}");
    for part in [
        "= memory: `app`'s data: `is_admin` (+1)\n",
        &format!("--> app.c:{}:", line_of("app.c", "the call")),
        &format!("= note: {detail}\n"),
        "= help: what is lent stands in the manifest under `[cubicle.codec.function.decode]`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    record.chain.clear();
    let text = program.explain(&record);
    let title = "error: cubicle `app` made a call with an argument that cannot be lent\n";
    assert!(text.starts_with(title), "{text}");
    assert!(!text.contains("-->"), "{text}");
}

#[test]
fn a_refused_callback_is_told_at_the_call() {
    let program = Program::new();
    let mut record = program.record();
    let detail = "not the address of a function of the cubicle that passes it";
    record.kind = Kind::Callback;
    record.cubicle = Some("app".into());
    record.callback = Some("decode.report".into());
    (record.instruction, record.access) = (None, None);
    (record.signal, record.code, record.key) = (0, 0, None);
    record.detail = detail.into();
    let text = program.explain(&record);
    let address = record.address.unwrap();
    let title = |whose| {
        format!(
            "error: cubicle `app` called `decode` of cubicle `codec` with {address} as a callback{whose}\n"
        )
    };
    assert!(text.starts_with(&title("")), "{text}");
    for part in [
        "= memory: `app`'s data: `is_admin` (+1)\n",
        &format!("--> app.c:{}:", line_of("app.c", "the call")),
        &format!("= note: {detail}"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    record.owner = Some("codec".into());
    let text = program.explain(&record);
    let foreign = title(", which belongs to cubicle `codec`");
    assert!(text.starts_with(&foreign), "{text}");
    record.cubicle = Some("codec".into());
    let text = program.explain(&record);
    let back = format!("error: cubicle `codec` returned {address} as a callback from `decode`");
    assert!(text.starts_with(&back), "{text}");
}

#[test]
fn what_is_unknown_is_left_out() {
    let program = Program::new();
    let mut record = program.record();
    (record.cubicle, record.owner) = (None, None);
    record.mechanism = Mechanism::StandIn;
    let text = program.explain(&record);
    let title = "error: the program wrote 8 bytes at 0x";
    assert!(text.starts_with(title), "{text}");
    assert!(text.contains("--> code that has no name, at 0x"), "{text}");
    assert!(
        text.contains("= note: nothing is protected in a benchmark build"),
        "{text}"
    );
}
