//! Adds to the dependencies that rustc wrote for a crate.
//!
//! cargo reads rustc's `.d` file after each compilation and builds the crate
//! again when a file in it is newer or a variable in it has another value. That
//! makes the manifest, the sources it names, the flags of this tool and the tool
//! itself dependencies like any other.

use camino::{Utf8Path, Utf8PathBuf};

use super::error::{CaptureError, file_error};

/// Adds files and environment variables to a dependency file. A variable without
/// a value is one that must stay unset. A missing dependency file is left alone:
/// then cargo did not ask for one.
pub fn append(
    path: &Utf8Path,
    files: &[Utf8PathBuf],
    variables: &[(&str, Option<String>)],
) -> Result<(), CaptureError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(file_error("read", path)(error)),
    };
    std::fs::write(path, appended(&text, files, variables)).map_err(file_error("write", path))
}

/// cargo takes the files from the first rule and ignores the others, so that
/// rule is extended, whatever its target.
fn appended(text: &str, files: &[Utf8PathBuf], variables: &[(&str, Option<String>)]) -> String {
    let mut result = String::new();
    let mut extended = false;
    for line in text.lines() {
        result += line;
        if !extended && !line.starts_with('#') && line.contains(':') {
            extended = true;
            if line.ends_with(':') {
                result.push(' ');
            }
            for file in files {
                // Only spaces are escaped, as rustc does and as cargo undoes.
                result.push(' ');
                result += &file.as_str().replace(' ', "\\ ");
            }
        }
        result.push('\n');
    }
    for (name, value) in variables {
        result += "# env-dep:";
        result += name;
        if let Some(value) = value {
            result.push('=');
            result += &value
                .replace('\\', "\\\\")
                .replace('\n', "\\n")
                .replace('\r', "\\r");
        }
        result.push('\n');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_and_the_variables_are_extended() {
        let text = "/t/a.d: src/main.rs\n\n/t/a: src/main.rs\n\nsrc/main.rs:\n\n# env-dep:X=1\n";
        let result = appended(
            text,
            &["/p/my app/Cubicle.toml".into()],
            &[("A", Some("b\\c".into())), ("B", None)],
        );
        let mut lines = result.lines();
        assert_eq!(
            lines.next(),
            Some("/t/a.d: src/main.rs /p/my\\ app/Cubicle.toml")
        );
        assert!(result.contains("\n/t/a: src/main.rs\n"));
        assert!(result.ends_with("# env-dep:X=1\n# env-dep:A=b\\\\c\n# env-dep:B\n"));
    }

    #[test]
    fn a_rule_without_dependencies_gets_a_separator() {
        assert_eq!(appended("a:\n", &["f".into()], &[]), "a:  f\n");
    }
}
