//! What cargo is configured to use where this tool puts itself in between.
//!
//! cargo has no stable command that prints its configuration, so the files are
//! read as the Cargo book describes: `.cargo/config.toml` in the working
//! directory and all above it, then in `$CARGO_HOME`; environment variables
//! beat the files, and `--config` beats the variables.

use std::collections::BTreeSet;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::UsageError;
use super::cfg_expression;
use crate::capture::TARGET;

/// All configuration that is in force, strongest first.
pub struct CargoConfig {
    command_line: Vec<Layer>,
    files: Vec<Layer>,
    working_directory: Utf8PathBuf,
}

/// One file or `--config` argument.
struct Layer {
    table: Table,
    /// What relative paths to programs start from.
    base: Utf8PathBuf,
}

impl CargoConfig {
    /// Reads the files, and the values of `--config` in their order.
    pub fn load(working_directory: &Utf8Path, arguments: &[String]) -> anyhow::Result<CargoConfig> {
        let mut command_line = Vec::new();
        for argument in arguments {
            let path = working_directory.join(argument);
            if path.is_file() {
                let layers = read(&path, &mut BTreeSet::new())?;
                command_line.splice(0..0, layers);
            } else {
                let table = argument.parse().map_err(|error| {
                    UsageError(format!(
                        "`--config {argument}` is neither a file nor TOML: {error}"
                    ))
                })?;
                command_line.insert(
                    0,
                    Layer {
                        table,
                        base: working_directory.to_owned(),
                    },
                );
            }
        }
        let mut directories: Vec<Utf8PathBuf> = working_directory
            .ancestors()
            .map(|directory| directory.join(".cargo"))
            .collect();
        directories.extend(cargo_home(working_directory));
        let mut files = Vec::new();
        let mut seen = BTreeSet::new();
        for directory in directories {
            // The name without extension is older and beats the other one.
            let names = [directory.join("config"), directory.join("config.toml")];
            let Some(path) = names.into_iter().find(|path| path.is_file()) else {
                continue;
            };
            files.extend(read(&path, &mut seen)?);
        }
        Ok(CargoConfig {
            command_line,
            files,
            working_directory: working_directory.to_owned(),
        })
    }

    /// `build.rustc-wrapper`. An empty `RUSTC_WRAPPER` means none.
    pub fn rustc_wrapper(&self) -> Option<String> {
        if let Some(wrapper) = variable("RUSTC_WRAPPER") {
            return (!wrapper.is_empty()).then(|| self.resolve(&wrapper, &self.working_directory));
        }
        self.program(&["build", "rustc-wrapper"], "CARGO_BUILD_RUSTC_WRAPPER")
            .filter(|wrapper| !wrapper.is_empty())
    }

    /// `build.rustdoc`, else `rustdoc`.
    pub fn rustdoc(&self) -> String {
        let chosen = variable("RUSTDOC").filter(|rustdoc| !rustdoc.is_empty());
        chosen
            .map(|rustdoc| self.resolve(&rustdoc, &self.working_directory))
            .or_else(|| self.program(&["build", "rustdoc"], "CARGO_BUILD_RUSTDOC"))
            .unwrap_or_else(|| "rustdoc".to_owned())
    }

    /// The linker of the target, else rustc's own default, `cc`.
    pub fn linker(&self) -> String {
        self.program(
            &["target", TARGET, "linker"],
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
        )
        .or_else(|| {
            let (value, base) = self.of_matching_cfg("linker")?;
            Some(self.resolve(value.as_str()?, base))
        })
        .unwrap_or_else(|| "cc".to_owned())
    }

    /// The runner of the target: a program and its first arguments, or nothing.
    pub fn runner(&self) -> Vec<String> {
        let from_files = |value: &Value, base: &Utf8Path| {
            let mut words = match value {
                Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
                Value::Array(words) => words
                    .iter()
                    .filter_map(|word| word.as_str().map(str::to_owned))
                    .collect(),
                _ => Vec::new(),
            };
            if let Some(program) = words.first_mut() {
                *program = self.resolve(program, base);
            }
            words
        };
        let key = ["target", TARGET, "runner"];
        if let Some((value, base)) = find(&self.command_line, &key) {
            return from_files(value, base);
        }
        if let Some(text) = variable("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER") {
            return from_files(&Value::String(text), &self.working_directory);
        }
        find(&self.files, &key)
            .or_else(|| self.of_matching_cfg("runner"))
            .map(|(value, base)| from_files(value, base))
            .unwrap_or_default()
    }

    /// Whether a runner is configured as one string. cargo refuses to let an
    /// array replace it, so ours must be a string too then.
    pub fn runner_is_string(&self) -> bool {
        let layers = self.command_line.iter().chain(&self.files);
        layers
            .filter_map(|layer| descend(&layer.table, &["target", TARGET, "runner"]))
            .any(Value::is_str)
    }

    fn program(&self, key: &[&str], environment: &str) -> Option<String> {
        let given = |layers| {
            let (value, base) = find(layers, key)?;
            Some(self.resolve(value.as_str()?, base))
        };
        given(&self.command_line)
            .or_else(|| Some(self.resolve(&variable(environment)?, &self.working_directory)))
            .or_else(|| given(&self.files))
    }

    /// A name without a slash is looked for in PATH, anything else is a path.
    fn resolve(&self, program: &str, base: &Utf8Path) -> String {
        if program.contains('/') {
            base.join(program).into_string()
        } else {
            program.to_owned()
        }
    }

    /// A key of the first `target.'cfg(…)'` table that holds for the target.
    fn of_matching_cfg(&self, key: &str) -> Option<(&Value, &Utf8Path)> {
        let mut facts = None;
        for layer in self.command_line.iter().chain(&self.files) {
            let Some(Value::Table(targets)) = layer.table.get("target") else {
                continue;
            };
            for (expression, table) in targets {
                let Some(value) = table.get(key) else {
                    continue;
                };
                if !expression.starts_with("cfg") {
                    continue;
                }
                let facts = facts.get_or_insert_with(target_facts);
                if cfg_expression::holds(expression, facts) == Some(true) {
                    return Some((value, &layer.base));
                }
            }
        }
        None
    }
}

fn find<'a>(layers: &'a [Layer], key: &[&str]) -> Option<(&'a Value, &'a Utf8Path)> {
    layers
        .iter()
        .find_map(|layer| Some((descend(&layer.table, key)?, layer.base.as_path())))
}

fn descend<'a>(table: &'a Table, key: &[&str]) -> Option<&'a Value> {
    let (first, rest) = key.split_first()?;
    let value = table.get(*first)?;
    if rest.is_empty() {
        Some(value)
    } else {
        descend(value.as_table()?, rest)
    }
}

/// One file, followed by those it includes, which are weaker.
fn read(path: &Utf8Path, seen: &mut BTreeSet<Utf8PathBuf>) -> anyhow::Result<Vec<Layer>> {
    if !seen.insert(path.to_owned()) {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| UsageError(format!("could not read `{path}`: {error}")))?;
    let table: Table = text
        .parse()
        .map_err(|error| UsageError(format!("could not parse `{path}`: {error}")))?;
    let directory = path.parent().unwrap_or(path);
    let mut included = Vec::new();
    let entries = match table.get("include") {
        Some(Value::Array(entries)) => entries.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for entry in entries {
        let name = entry.as_str().or_else(|| entry.get("path")?.as_str());
        let Some(path) = name
            .map(|name| directory.join(name))
            .filter(|path| path.is_file())
        else {
            continue;
        };
        // Of several included files the later one is stronger.
        let layers = read(&path, seen)?;
        included.splice(0..0, layers);
    }
    let base = directory.parent().unwrap_or(directory).to_owned();
    let mut layers = vec![Layer { table, base }];
    layers.extend(included);
    Ok(layers)
}

fn cargo_home(working_directory: &Utf8Path) -> Option<Utf8PathBuf> {
    match variable("CARGO_HOME") {
        Some(home) => Some(working_directory.join(home)),
        None => Some(Utf8PathBuf::from(variable("HOME")?).join(".cargo")),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn target_facts() -> BTreeSet<String> {
    let rustc = variable("RUSTC").unwrap_or_else(|| "rustc".to_owned());
    let output = Command::new(rustc)
        .args(["--print", "cfg", "--target", TARGET])
        .output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_files_win_and_relative_programs_start_at_their_file() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let inner = root.join("inner");
        std::fs::create_dir_all(root.join(".cargo")).unwrap();
        std::fs::create_dir_all(inner.join(".cargo")).unwrap();
        std::fs::write(
            root.join(".cargo/config.toml"),
            format!("[target.{TARGET}]\nlinker = \"outer-cc\"\nrunner = [\"tools/run\", \"-x\"]\n"),
        )
        .unwrap();
        std::fs::write(
            inner.join(".cargo/config.toml"),
            "include = ['more.toml']\n[build]\nrustc-wrapper = \"sccache\"\n",
        )
        .unwrap();
        std::fs::write(
            inner.join(".cargo/more.toml"),
            "[target.'cfg(all(unix, target_os = \"linux\"))']\nlinker = \"any-cc\"\n",
        )
        .unwrap();
        let config = CargoConfig::load(&inner, &[]).unwrap();
        assert_eq!(config.linker(), "outer-cc");
        assert_eq!(config.runner(), [root.join("tools/run").as_str(), "-x"]);
        assert!(!config.runner_is_string());
        assert_eq!(
            config.of_matching_cfg("linker").unwrap().0.as_str(),
            Some("any-cc")
        );

        let arguments = [
            format!("target.{TARGET}.linker='my/cc'"),
            "build.rustdoc='doc'".to_owned(),
        ];
        let config = CargoConfig::load(&inner, &arguments).unwrap();
        assert_eq!(config.linker(), inner.join("my/cc").as_str());
    }

    #[test]
    fn a_broken_argument_is_named() {
        let error = CargoConfig::load(Utf8Path::new("/"), &["a b".to_owned()])
            .err()
            .unwrap();
        assert!(error.to_string().contains("`--config a b`"), "{error}");
    }
}
