//! What a call of rustc asks for, read from its arguments.

use camino::Utf8PathBuf;

use super::session::TARGET;

/// The parts of a rustc command line that decide what the wrapper does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RustcCall {
    pub crate_name: Option<String>,
    pub crate_types: Vec<String>,
    /// `--test`: a test harness, which is a program like any other.
    pub test: bool,
    pub target: Option<String>,
    pub out_dir: Option<Utf8PathBuf>,
    /// `--print` or `-vV`: nothing is compiled.
    pub query: bool,
    /// `--error-format=json`: the caller reads the messages.
    pub json_messages: bool,
    /// `-l` as rustc was given them, for example `static=z`.
    pub native_libraries: Vec<String>,
    /// `-C` options in order. One given without a value has `None`.
    pub codegen: Vec<(String, Option<String>)>,
}

impl RustcCall {
    /// Reads the arguments that follow the compiler's name. `@file` is looked
    /// into, because cargo uses one when the line becomes too long.
    pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a str>) -> RustcCall {
        let mut call = RustcCall::default();
        let mut words = Vec::new();
        for argument in arguments {
            match argument.strip_prefix('@').map(std::fs::read_to_string) {
                Some(Ok(text)) => words.extend(text.lines().map(str::to_owned)),
                _ => words.push(argument.to_owned()),
            }
        }
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            let (option, attached) = split_option(&word);
            let takes_value = matches!(
                option,
                "--crate-name"
                    | "--crate-type"
                    | "--target"
                    | "--out-dir"
                    | "--print"
                    | "--error-format"
                    | "-l"
                    | "-C"
                    | "--codegen"
            );
            if !takes_value {
                match option {
                    "--test" => call.test = true,
                    "-vV" | "-V" | "--version" => call.query = true,
                    // The value of `-g` and `-O` is in their meaning.
                    "-g" => call.codegen.push(("debuginfo".into(), Some("2".into()))),
                    "-O" => call.codegen.push(("opt-level".into(), Some("3".into()))),
                    _ => {}
                }
                continue;
            }
            let Some(value) = attached.map(str::to_owned).or_else(|| words.next()) else {
                break;
            };
            match option {
                "--crate-name" => call.crate_name = Some(value),
                "--crate-type" => call.crate_types.extend(value.split(',').map(str::to_owned)),
                "--target" => call.target = Some(value),
                "--out-dir" => call.out_dir = Some(value.into()),
                "--print" => call.query = true,
                "--error-format" => call.json_messages = value == "json",
                "-l" => call.native_libraries.push(value),
                _ => call.codegen.push(match value.split_once('=') {
                    Some((name, value)) => (name.replace('_', "-"), Some(value.to_owned())),
                    None => (value.replace('_', "-"), None),
                }),
            }
        }
        call
    }

    /// The last value of a `-C` option; a bare option counts as `yes`.
    pub fn codegen(&self, name: &str) -> Option<&str> {
        let (_, value) = self.codegen.iter().rev().find(|(key, _)| key == name)?;
        Some(value.as_deref().unwrap_or("yes"))
    }

    /// Whether any `-C linker` is this one, even if a later one replaces it.
    pub fn names_linker(&self, linker: &str) -> bool {
        let named = |(name, value): &(String, Option<String>)| {
            name == "linker" && value.as_deref() == Some(linker)
        };
        self.codegen.iter().any(named)
    }

    /// Whether the crate is compiled for the partitioned program, rather than
    /// for the machine that compiles (build scripts and procedural macros).
    pub fn is_for_target(&self) -> bool {
        self.target.as_deref() == Some(TARGET)
    }

    /// Whether a program comes out: a binary, an example, a test or a benchmark.
    pub fn is_program(&self) -> bool {
        self.test || self.crate_types.iter().any(|kind| kind == "bin")
    }

    /// The name cargo gave to the output: crate name and hash.
    pub fn stem(&self) -> Option<String> {
        let name = self.crate_name.as_ref()?;
        Some(format!(
            "{name}{}",
            self.codegen("extra-filename").unwrap_or("")
        ))
    }
}

/// Splits `--name=value` and `-Cvalue`; other words come back whole.
fn split_option(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
    }
    for short in ["-C", "-l"] {
        if let Some(rest) = word.strip_prefix(short)
            && !rest.is_empty()
        {
            return (short, Some(rest));
        }
    }
    (word, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_options_are_read() {
        let call = RustcCall::parse([
            "--crate-name",
            "app",
            "--crate-type=lib,cdylib",
            "-Copt-level=3",
            "-C",
            "lto",
            "--target=x86_64-unknown-linux-gnu",
            "-lstatic=z",
            "-C",
            "extra-filename=-12ab",
            "--codegen=debuginfo=1",
        ]);
        assert_eq!(call.crate_types, ["lib", "cdylib"]);
        assert_eq!(call.codegen("lto"), Some("yes"));
        assert_eq!(call.codegen("debuginfo"), Some("1"));
        assert_eq!(call.stem().as_deref(), Some("app-12ab"));
        assert_eq!(call.native_libraries, ["static=z"]);
        assert!(call.is_for_target() && !call.is_program() && !call.query);
    }

    #[test]
    fn the_last_value_counts() {
        let call = RustcCall::parse(["-C", "debuginfo=0", "-g"]);
        assert_eq!(call.codegen("debuginfo"), Some("2"));
    }
}
