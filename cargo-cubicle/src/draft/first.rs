//! A first manifest for a program that has none: a cubicle for each library of C in it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::capture::{LinkItem, LinkLine};

/// The cubicle of everything that nobody claims.
pub const MAIN: &str = "app";

/// A package that brings a library of C with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Library {
    pub package: String,
    pub version: String,
    /// What its `Cargo.toml` says it links.
    pub links: Option<String>,
}

impl Library {
    /// Those in a program, by package.
    pub fn of(line: &LinkLine) -> BTreeSet<Library> {
        let records = line.items.iter().filter_map(|item| match item {
            LinkItem::Archive(archive) => archive.record.as_ref(),
            _ => None,
        });
        // What is only named is the system's, and in every image.
        let brings = |names: &[String]| names.iter().any(|name| name.starts_with("static"));
        records
            .filter(|record| brings(&record.native_libraries))
            .map(|record| Library {
                package: record.package.clone(),
                version: record.version.clone(),
                links: record.links.clone(),
            })
            .collect()
    }

    fn known(&self) -> Option<&'static Known> {
        KNOWN
            .iter()
            .find(|known| self.links.as_deref() == Some(known.links))
    }

    /// What its cubicle is called.
    pub fn cubicle(&self) -> String {
        if let Some(known) = self.known() {
            return known.cubicle.to_owned();
        }
        let name = self.package.trim_end_matches("-sys");
        let name = name.trim_end_matches("_sys").replace('_', "-");
        match name.as_str() {
            MAIN => format!("{name}-library"),
            _ => name,
        }
    }
}

/// A library for which the tool carries an interface file.
struct Known {
    links: &'static str,
    interface: &'static str,
    cubicle: &'static str,
    /// Its callers read what it returns where it lies.
    is_seen: bool,
    /// Its system calls, and files.
    syscalls: &'static str,
    files: Option<&'static str>,
}

const KNOWN: [Known; 2] = [
    Known {
        links: "z",
        interface: "zlib",
        cubicle: "zlib",
        is_seen: false,
        syscalls: "\"@base\"",
        files: None,
    },
    Known {
        links: "sqlite3",
        interface: "sqlite3",
        cubicle: "sqlite",
        is_seen: true,
        syscalls: "\"@base\", \"@file\"",
        files: Some("{ write = [\".\", \"/tmp\"] }"),
    },
];

/// A library's part of the manifest.
#[derive(Clone, Debug)]
pub struct Part {
    pub library: Library,
    /// Drafted entries, as [`super::Draft::text`] has them.
    pub entries: String,
    /// Why it cannot be a cubicle as it stands: its lines become comments.
    pub refused: Option<String>,
}

impl Part {
    pub fn new(library: Library) -> Part {
        Part {
            library,
            entries: String::new(),
            refused: None,
        }
    }

    /// Whether an interface file describes it.
    pub fn is_described(&self) -> bool {
        self.library.known().is_some()
    }
}

/// The manifest.
pub fn text(parts: &[Part]) -> String {
    let mut text = String::from(
        "# Made by `cargo cubicle init`. Every line is a decision: read it, keep it or change it.\n\
         # `cargo cubicle build` builds this, and docs/MANIFEST.md describes all keys.\n\
         schema = 1\n\n\
         # Page tables where the processor has no protection keys: they stop accidents, not an attacker.\n\
         # Decide: without this line, the program refuses to start on such a machine.\n\
         isolation = \"any\"\n\n\
         # Everything that nobody claims: the program, and its Rust crates.\n",
    );
    let _ = writeln!(text, "[cubicle.{MAIN}]\nmain = true");
    let seen = parts
        .iter()
        .filter(|part| part.refused.is_none())
        .filter(|part| part.library.known().is_some_and(|known| known.is_seen))
        .map(|part| format!("{} = \"rw\"", part.library.cubicle()));
    let seen: Vec<String> = seen.collect();
    if !seen.is_empty() {
        text.push_str(
            "# Results are read where the library keeps them. It sees nothing of the program.\n",
        );
        let _ = writeln!(text, "sees = {{ {} }}", seen.join(", "));
    }
    text.push_str(
        "# Decide: what the program needs of the kernel. This is nearly all; `\"@process\"`, to start other\n\
         # programs, is not in it.\n\
         syscalls = [\"@base\", \"@stdio\", \"@file\", \"@net\", \"@signal\", \"@time\"]\n",
    );
    for part in parts {
        text.push('\n');
        let own = cubicle(part);
        match &part.refused {
            None => text.push_str(&own),
            Some(why) => {
                let why = why.lines().next().unwrap_or_default();
                let _ = writeln!(
                    text,
                    "# Not a cubicle yet: {why}.\n# Decide: `cargo cubicle lint` says more when the comment signs are gone."
                );
                for line in own.lines() {
                    let _ = writeln!(text, "{}", format!("# {line}").trim_end());
                }
            }
        }
    }
    text
}

fn cubicle(part: &Part) -> String {
    let Library {
        package, version, ..
    } = &part.library;
    let name = part.library.cubicle();
    let mut text = format!(
        "# The library that {package} {version} brings with it.\n[cubicle.{name}]\ncrates = [\"{package}\"]\n"
    );
    if let Some(known) = part.library.known() {
        let _ = writeln!(
            text,
            "# What it is lent for each call, the tool's own interface file says.\ninterfaces = [\"{}\"]",
            known.interface
        );
    }
    let _ = writeln!(text, "# Decide: who may call it.\ncallers = [\"{MAIN}\"]");
    let syscalls = part
        .library
        .known()
        .map_or("\"@base\"", |known| known.syscalls);
    let _ = writeln!(
        text,
        "# Decide: this is what computing needs{}.\nsyscalls = [{syscalls}]",
        match syscalls.contains("@file") {
            true => ", and files",
            false => ", and nothing else: no files, no network",
        }
    );
    if let Some(files) = part.library.known().and_then(|known| known.files) {
        let _ = writeln!(
            text,
            "# Decide: where its files lie. Elsewhere it opens none.\nfiles = {files}"
        );
    }
    if !part.entries.is_empty() {
        let _ = write!(
            text,
            "\n# How its functions' pointers cross, by their types: guesses are guesses. `cargo cubicle run --audit` and\n\
             # `cargo cubicle suggest` find out more by watching the program.\n{}",
            part.entries
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    fn library(package: &str, links: Option<&str>) -> Library {
        Library {
            package: package.to_owned(),
            version: "1.2.3".to_owned(),
            links: links.map(str::to_owned),
        }
    }

    #[test]
    fn cubicles_are_called_after_their_library() {
        let names = [
            ("libz-sys", Some("z"), "zlib"),
            ("libsqlite3-sys", Some("sqlite3"), "sqlite"),
            ("bzip2-sys", Some("bzip2"), "bzip2"),
            ("my_codec_sys", None, "my-codec"),
            ("app", None, "app-library"),
        ];
        for (package, links, cubicle) in names {
            assert_eq!(library(package, links).cubicle(), cubicle);
        }
    }

    #[test]
    fn what_is_written_is_a_manifest_whatever_is_refused() {
        let mut parts: Vec<Part> = [
            ("libz-sys", Some("z")),
            ("libsqlite3-sys", Some("sqlite3")),
            ("bzip2-sys", Some("bzip2")),
        ]
        .into_iter()
        .map(|(package, links)| Part::new(library(package, links)))
        .collect();
        for refused in 0..=parts.len() {
            if let Some(part) = refused
                .checked_sub(1)
                .and_then(|index| parts.get_mut(index))
            {
                part.refused = Some("it has a reason\nand more to say".to_owned());
            }
            let text = text(&parts);
            let policy = crate::manifest::parse(Utf8Path::new("Cubicle.toml"), &text);
            let policy = policy.unwrap_or_else(|error| panic!("{}{text}", error.render(false)));
            assert_eq!(policy.cubicles.len(), 1 + parts.len() - refused, "{text}");
        }
    }
}
