//! What the command line looks like. Flags of the tool's own may stand anywhere
//! among cargo's; everything else goes to cargo as it is.

use std::ffi::OsString;

use crate::lint::format::Format;
use camino::Utf8PathBuf;
use clap::{Args, CommandFactory, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "cargo cubicle",
    bin_name = "cargo cubicle",
    version,
    about,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const WHERE: &str = "The result is where `cargo build --target x86_64-unknown-linux-gnu` puts it: \
target/x86_64-unknown-linux-gnu/debug/NAME, or …/release/NAME with --release. \
The target is always named, so that build scripts and procedural macros stay out of the program.\n\n\
A program whose package has no Cubicle.toml, and whose workspace has none, is built plainly.\n\n\
Exit status: 0 success, 1 findings, 2 usage or manifest, 101 the build failed; `run` and `test` \
return the program's own (a violation is 86, a refused start 87).";

const MACHINE: &str = "In the emulated machine (--vm) a program has its arguments, a directory of its own \
with the files that --vm-file names and no others, and an environment of RUST_*, CARGO_PKG_*, TZ, \
SOURCE_DATE_EPOCH and what --vm-env names. For `run`, standard input is passed on if it is a file or \
a pipe. What the program writes is shown when it has ended, standard output first. Nothing about \
time can be learnt there. On a machine with protection keys of its own and Linux 6.12, --vm runs programs \
as usual, and says so.";

const LINT: &str = "Programs are compiled in a target directory of the lint's own, without optimisation, so that \
the same is judged in all profiles. Cubicle.lock lies beside Cubicle.toml.\n\n\
Exit status: 0 nothing is denied, 1 findings, 2 usage or manifest, 101 the program could not be compiled.";

const GRAPH: &str = "Numbers at arrows are places in the code that refer to the other cubicle; red ones are forbidden. \
Blue dashed arrows: one may touch all memory of the other. Compiled as by `lint`, so it shows partitions that cannot be built, too.\n\n\
Exit status: 0 drawn, 2 usage or manifest, 101 the program could not be compiled.";

const EXPLAIN: &str = "WHAT is a rule (CUB004 or unlent-pointer), or a function or variable that one cubicle takes from another \
(deflate, or zlib::deflate). For a symbol the program is compiled as by `lint`.\n\n\
Exit status: 0 explained, 2 neither of the two, 101 the program could not be compiled.";

const VERIFIED: &str = "Every build does this before it replaces the old program. It needs the file alone: what must hold \
follows from the plan in it.\n\n\
Exit status: 0 every rule holds, 1 findings, 2 not a program of this version of `cargo cubicle`.";

const INIT: &str = "The program is compiled as by `lint`, and each library of C that a package brings with it gets a cubicle: \
with the tool's interface file where it has one, else with entries drafted from the types of its functions. What could not be \
built becomes comments, with the reason. A manifest that is there already stays as it is.\n\n\
Exit status: 0 written, 2 there is one already, or no program, 101 the program could not be compiled.";

const MANUAL: &str = "Below ~/.local/share they are where `man`, bash, zsh (if its fpath names zsh/site-functions) and fish look for them. `cargo help cubicle` \
then shows the page. Completions are for `cargo-cubicle`, which is the same program: cargo's own completions know nothing of subcommands like this one.";

const REPORT: &str = "The program is compiled three times, with these flags: in one piece, in one piece so that calls between what \
will be cubicles are counted, and partitioned if nothing forbids it. Then it is run with the words behind `--` and standard input, if \
that is a file: once counting, and several times in turn. Nothing that it writes to standard output or error is shown. Before there is a partition, \
the time it will take is estimated from counted calls and what each kind of gate takes on this machine, which is measured once \
and kept.\n\n\
Exit status: 0 measured, 1 the partition cannot be planned, 2 usage or manifest, 101 the program could not be compiled or run.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first manifest, with a cubicle for each library of C in the program
    #[command(after_long_help = INIT)]
    Init(InitOptions),
    /// Build as `cargo build` does, partitioned
    #[command(after_long_help = WHERE)]
    Build(BuildOptions),
    /// Build and run as `cargo run` does, partitioned
    #[command(after_long_help = [MACHINE, WHERE].join("\n\n"))]
    Run(RunOptions),
    /// Build and run the tests as `cargo test` does, partitioned
    #[command(after_long_help = [MACHINE, WHERE].join("\n\n"))]
    Test(RunOptions),
    /// Build and run the benchmarks as `cargo bench` does, partitioned
    #[command(after_long_help = WHERE)]
    Bench(BuildOptions),
    /// Judge the partition without building programs, for CI
    #[command(after_long_help = LINT)]
    Lint(LintOptions),
    /// Draw who calls whom across borders
    #[command(after_long_help = GRAPH)]
    Graph(GraphOptions),
    /// Explain a lint rule, or a symbol that crosses a border
    #[command(after_long_help = EXPLAIN)]
    Explain(ExplainOptions),
    /// Count calls between cubicles, and say what the partition costs
    #[command(after_long_help = REPORT)]
    Report(ReportOptions),
    /// Draft manifest entries from what `run --audit` or `test --audit` recorded
    Suggest(SuggestOptions),
    /// Show the raw records of violations in a text with symbols and source lines
    Symbolize(SymbolizeOptions),
    /// Read finished programs again, by other code than what built them, and say what does not hold
    #[command(after_long_help = VERIFIED)]
    Verify(VerifyOptions),
    /// Write manual pages and shell completions below a directory
    #[command(after_long_help = MANUAL)]
    Manual(ManualOptions),
}

#[derive(Debug, Args)]
pub struct InitOptions {
    #[command(flatten)]
    pub common: CargoOptions,
}

#[derive(Clone, Debug, Args)]
pub struct CargoOptions {
    /// Partition every program that is built as this manifest says, instead of as its own does
    #[arg(long, value_name = "PATH")]
    pub cubicle_manifest: Option<Utf8PathBuf>,
    /// Partition more coarsely, as `[variant.NAME]` of the manifest says
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Print to stderr how many milliseconds each phase took, for each program
    #[arg(long)]
    pub timings: bool,
    /// Compose a benchmark build, in which a stand-in replaces WRPKRU and nothing is protected
    #[arg(long, hide = true)]
    pub benchmark_stand_in: bool,
    /// Flags of cargo's own command, and after `--` the program's arguments
    #[arg(
        value_name = "CARGO FLAGS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub cargo: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct BuildOptions {
    #[command(flatten)]
    pub common: CargoOptions,
    /// Known here only to be refused with an explanation.
    #[arg(long, hide = true)]
    pub vm: bool,
    /// Known here only to be refused with an explanation.
    #[arg(long, hide = true)]
    pub audit: bool,
}

#[derive(Debug, Args)]
pub struct LintOptions {
    #[command(flatten)]
    pub common: CargoOptions,
    /// How findings are shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub message_format: Format,
    /// Correct misspelt names and take out or move what nothing needs where it is; what would permit something is left to you
    #[arg(long)]
    pub fix: bool,
    /// Write what the programs may do to Cubicle.lock
    #[arg(long)]
    pub accept: bool,
    /// Say nothing of what a rule finds, by name or code (repeatable; --warn and --deny win)
    #[arg(long, short = 'A', value_name = "RULE")]
    pub allow: Vec<String>,
    /// Report what a rule finds (repeatable; --deny wins)
    #[arg(long, short = 'W', value_name = "RULE")]
    pub warn: Vec<String>,
    /// Refuse what a rule finds (repeatable)
    #[arg(long, short = 'D', value_name = "RULE")]
    pub deny: Vec<String>,
}

#[derive(Debug, Args)]
pub struct GraphOptions {
    #[command(flatten)]
    pub common: CargoOptions,
    /// What is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: GraphFormat,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "PATH")]
    pub output: Option<Utf8PathBuf>,
}

/// How a partition is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GraphFormat {
    /// A picture for documents and browsers
    #[default]
    Svg,
    /// A page to search, filter and unfold, down to the lines that call
    Html,
    /// For Graphviz
    Dot,
    /// All of it, with every line that refers to something
    Json,
}

#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// A rule's code or name, or a symbol
    #[arg(value_name = "WHAT")]
    pub what: String,
    #[command(flatten)]
    pub common: CargoOptions,
}

#[derive(Debug, Args)]
pub struct ReportOptions {
    /// How often the plain and the partitioned program are run
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// What is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub common: CargoOptions,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// All of it
    Json,
}

#[derive(Debug, Args)]
pub struct RunOptions {
    #[command(flatten)]
    pub common: CargoOptions,
    #[command(flatten)]
    pub machine: MachineOptions,
    /// Let every violation happen and record it, for `cargo cubicle suggest`; nothing is protected
    #[arg(long, conflicts_with_all = ["vm", "benchmark_stand_in", "variant"])]
    pub audit: bool,
}

/// What concerns the emulated machine.
#[derive(Debug, Default, Args)]
pub struct MachineOptions {
    /// Run programs in an emulated machine with protection keys, or on this one if it has them
    #[arg(long)]
    pub vm: bool,
    /// Permit installing QEMU and fetching a kernel from the distribution's packages
    #[arg(long, requires = "vm")]
    pub install: bool,
    /// Give the program in the machine a file or directory; PATH alone keeps its name (repeatable)
    #[arg(long, value_name = "GUEST=HOST", requires = "vm")]
    pub vm_file: Vec<String>,
    /// Set a variable for the program in the machine; NAME alone passes it on (repeatable)
    #[arg(long, value_name = "NAME=VALUE", requires = "vm")]
    pub vm_env: Vec<String>,
}

#[derive(Debug, Args)]
pub struct SuggestOptions {
    /// The recording; by default the newest of this workspace (repeatable: all are taken together)
    #[arg(long, value_name = "RECORDING")]
    pub from: Vec<Utf8PathBuf>,
    /// Draft from debug information alone: the program is compiled as by `lint`, and need not run
    #[arg(long, conflicts_with = "from")]
    pub unrecorded: bool,
    /// Draft entries also for libraries of which there is a ready-made interface file
    #[arg(long)]
    pub without_interfaces: bool,
    #[command(flatten)]
    pub common: CargoOptions,
}

#[derive(Debug, Args)]
pub struct SymbolizeOptions {
    /// The text in which the records are, for example a log; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    pub file: Utf8PathBuf,
    /// The program that wrote the records, where it was built or with its `cubicle` directory beside it
    #[arg(long, value_name = "PATH")]
    pub binary: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// The programs, as `cargo cubicle build` made them; stripped ones, too
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub struct ManualOptions {
    /// Where, for example ~/.local/share
    #[arg(value_name = "DIRECTORY")]
    pub directory: Utf8PathBuf,
}

/// Flags whose value is a word of its own.
const WITH_VALUE: [&str; 28] = [
    "--allow",
    "--warn",
    "--deny",
    "-A",
    "-W",
    "-D",
    "-p",
    "--package",
    "--exclude",
    "--bin",
    "--example",
    "--test",
    "--bench",
    "-F",
    "--features",
    "-j",
    "--jobs",
    "--profile",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--lockfile-path",
    "--message-format",
    "--artifact-dir",
    "--color",
    "--config",
    "-Z",
    "-C",
];

/// How many of the words are flags for cargo. The others are the program's: what
/// begins with `--`, and for `run` also what begins with a word that is no flag.
pub fn cargo_flags(subcommand: &str, words: &[OsString]) -> usize {
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let word = word.to_string_lossy();
        if word == "--" || (subcommand == "run" && !word.starts_with('-')) {
            return index;
        }
        let own_value =
            ["--cubicle-manifest", "--variant", "--vm-file", "--vm-env"].contains(&word.as_ref());
        index += if own_value || WITH_VALUE.contains(&word.as_ref()) {
            2
        } else {
            1
        };
    }
    words.len()
}

/// Puts the tool's own flags first and cargo's behind a `--`, where clap leaves
/// them alone. What belongs to the program is not looked into.
pub fn with_own_flags_first(arguments: Vec<OsString>) -> Vec<OsString> {
    let command = Arguments::command();
    let mut ordered = vec![OsString::from("cargo-cubicle")];
    let Some((name, words)) = arguments.split_first() else {
        return ordered;
    };
    ordered.push(name.clone());
    let name = name.to_string_lossy();
    // Only what is a command of cargo's own has flags of cargo's.
    let is_cargos = |subcommand: &&clap::Command| {
        subcommand
            .get_arguments()
            .any(|argument| argument.get_id() == "cargo")
    };
    let subcommand = command.find_subcommand(name.as_ref());
    let Some(subcommand) = subcommand.filter(is_cargos) else {
        ordered.extend_from_slice(words);
        return ordered;
    };

    let (flags, rest) = words.split_at(cargo_flags(&name, words));
    let mut others = Vec::new();
    let mut flags = flags.iter().cloned();
    while let Some(word) = flags.next() {
        match own_flag(subcommand, &word) {
            Own::Complete => ordered.push(word),
            Own::ValueFollows => {
                ordered.push(word);
                ordered.extend(flags.next());
            }
            Own::No => others.push(word),
        }
    }
    let has_words = subcommand
        .get_positionals()
        .any(|argument| argument.get_id() != "cargo");
    if let Some(index) = first_word(&others).filter(|_| has_words) {
        ordered.push(others.remove(index));
    }
    if !others.is_empty() || !rest.is_empty() {
        ordered.push("--".into());
    }
    ordered.extend(others);
    ordered.extend_from_slice(rest);
    ordered
}

/// Where the first word is that is neither a flag nor a flag's value.
fn first_word(words: &[OsString]) -> Option<usize> {
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let word = word.to_string_lossy();
        if !word.starts_with('-') {
            return Some(index);
        }
        index += if WITH_VALUE.contains(&word.as_ref()) {
            2
        } else {
            1
        };
    }
    None
}

enum Own {
    No,
    Complete,
    ValueFollows,
}

fn own_flag(command: &clap::Command, word: &OsString) -> Own {
    let Some(word) = word.to_str() else {
        return Own::No;
    };
    if matches!(word, "--help" | "-h") {
        return Own::Complete;
    }
    let (name, attached) = match word.split_once('=') {
        Some((name, _)) => (name, true),
        None => (word, false),
    };
    let is_it = |flag: &&clap::Arg| match name.strip_prefix("--") {
        Some(long) => flag.get_long() == Some(long),
        None => name
            .strip_prefix('-')
            .is_some_and(|short| short.chars().eq(flag.get_short())),
    };
    let Some(flag) = command.get_arguments().find(is_it) else {
        return Own::No;
    };
    match (flag.get_action().takes_values(), attached) {
        (true, false) => Own::ValueFollows,
        (true, true) | (false, false) => Own::Complete,
        // `--timings=html` is cargo's own report.
        (false, true) => Own::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> (CargoOptions, MachineOptions) {
        let words = line.split(' ').map(OsString::from).collect();
        match Arguments::try_parse_from(with_own_flags_first(words))
            .unwrap()
            .command
        {
            Command::Build(options) => (options.common, MachineOptions::default()),
            Command::Run(options) => (options.common, options.machine),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn own_flags_are_found_among_cargos() {
        let (options, _) =
            parse("build -p app --cubicle-manifest a/C.toml --release --timings --timings=html");
        assert_eq!(options.cubicle_manifest, Some("a/C.toml".into()));
        assert!(options.timings && !options.benchmark_stand_in);
        assert_eq!(options.cargo, ["-p", "app", "--release", "--timings=html"]);
        let (options, machine) = parse("run -q --vm-file a=b --vm --vm-env=X=1 --vm-file c word");
        assert!(machine.vm && !machine.install);
        assert_eq!(
            (machine.vm_file.len(), machine.vm_env),
            (2, vec!["X=1".to_owned()])
        );
        assert_eq!(options.cargo, ["-q", "word"]);
    }

    #[test]
    fn the_programs_arguments_are_its_own() {
        let (options, machine) = parse("run --release -- --vm --timings -h");
        assert!(!machine.vm && !options.timings);
        assert_eq!(
            options.cargo,
            ["--release", "--", "--vm", "--timings", "-h"]
        );
        let (options, machine) = parse("run --bin a first --vm");
        assert!(!machine.vm);
        assert_eq!(options.cargo, ["--bin", "a", "first", "--vm"]);
        let (options, _) = parse("run -- -- x");
        assert_eq!(options.cargo, ["--", "--", "x"]);
    }

    #[test]
    fn every_flag_and_command_explains_itself() {
        let command = Arguments::command();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            assert!(
                subcommand.get_about().is_some(),
                "{}",
                subcommand.get_name()
            );
            for argument in subcommand.get_arguments() {
                assert!(argument.get_help().is_some(), "{}", argument.get_id());
            }
        }
    }
}
