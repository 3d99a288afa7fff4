//! Reads the words of a linker driver's command line.

use camino::{Utf8Path, Utf8PathBuf};

use super::error::{CaptureError, file_error};
use super::flags::Strip;
use super::link_line::{Archive, ArchiveKind, Library, LibraryMode, LinkItem};

/// What a command line says, before anything is looked up.
#[derive(Debug, PartialEq)]
pub struct Words {
    pub items: Vec<LinkItem>,
    pub output: Option<Utf8PathBuf>,
    /// The most that any word wanted stripped. Those words are left out.
    pub strip: Strip,
}

/// Replaces every `@file` by the words in it, as GNU and LLVM drivers do.
pub fn expand(arguments: Vec<String>, directory: &Utf8Path) -> Result<Vec<String>, CaptureError> {
    let mut words = Vec::new();
    for argument in arguments {
        let Some(path) = argument.strip_prefix('@').map(|path| directory.join(path)) else {
            words.push(argument);
            continue;
        };
        // A driver takes the word as it is when there is no such file.
        if !path.is_file() {
            words.push(argument);
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(file_error("read", path))?;
        words.extend(expand(split_response(&text), directory)?);
    }
    Ok(words)
}

/// Splits the text of a response file: white space separates, quotes keep it,
/// a backslash keeps the next character.
fn split_response(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => word.get_or_insert_default().extend(characters.next()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Options whose value is a word of its own, apart from `-o`, `-l` and `-L`.
const WITH_VALUE: [&str; 17] = [
    "-B",
    "-e",
    "-u",
    "-T",
    "-z",
    "-h",
    "-x",
    "-Xlinker",
    "-Xassembler",
    "-Xpreprocessor",
    "-target",
    "--sysroot",
    "--param",
    "-I",
    "-D",
    "-U",
    "-specs",
];

/// Classifies the words. Relative paths are meant from `directory`.
pub fn parse(words: &[String], directory: &Utf8Path) -> Words {
    let mut result = Words {
        items: Vec::new(),
        output: None,
        strip: Strip::None,
    };
    let mut mode = LibraryMode::Dynamic;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if let Some(path) = value_of("-o", word, &mut words) {
            result.output = Some(directory.join(path));
        } else if let Some(path) = value_of("-L", word, &mut words) {
            result
                .items
                .push(LinkItem::SearchPath(directory.join(path)));
        } else if let Some(name) = value_of("-l", word, &mut words) {
            let name = name.to_owned();
            result.items.push(LinkItem::Library(Library {
                name,
                mode,
                file: None,
            }));
        } else if WITH_VALUE.contains(&word) {
            result.items.push(LinkItem::Other(word.to_owned()));
            result
                .items
                .extend(words.next().map(|value| LinkItem::Other(value.to_owned())));
        } else if let Some(list) = word.strip_prefix("-Wl,") {
            let kept: Vec<&str> = list
                .split(',')
                .filter(|option| !apply_linker_option(option, &mut mode, &mut result.strip))
                .collect();
            if !kept.is_empty() {
                result
                    .items
                    .push(LinkItem::Other(format!("-Wl,{}", kept.join(","))));
            }
        } else if word == "-s" {
            result.strip = Strip::Symbols;
        } else if word.starts_with('-') {
            if word == "-static" {
                mode = LibraryMode::Static;
            }
            result.items.push(LinkItem::Other(word.to_owned()));
        } else {
            result.items.push(input(directory.join(word)));
        }
    }
    result
}

/// The value of a short option in either spelling, `-oX` or `-o X`.
fn value_of<'a>(
    option: &str,
    word: &'a str,
    rest: &mut impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    match word.strip_prefix(option)? {
        "" => rest.next(),
        attached => Some(attached),
    }
}

/// Notes an option that must not reach an image's link. Returns whether it did.
fn apply_linker_option(option: &str, mode: &mut LibraryMode, strip: &mut Strip) -> bool {
    match option {
        "-Bdynamic" | "-dy" | "-call_shared" => *mode = LibraryMode::Dynamic,
        "-Bstatic" | "-dn" | "-non_shared" | "-static" => *mode = LibraryMode::Static,
        "-s" | "--strip-all" => *strip = Strip::Symbols,
        "-S" | "--strip-debug" => {
            if *strip == Strip::None {
                *strip = Strip::DebugInfo;
            }
        }
        _ => return false,
    }
    true
}

fn input(path: Utf8PathBuf) -> LinkItem {
    match path.extension() {
        Some("rlib") => LinkItem::Archive(Archive {
            crate_name: crate_in(&path),
            path,
            kind: ArchiveKind::Rlib,
            record: None,
        }),
        Some("a") => LinkItem::Archive(Archive {
            path,
            kind: ArchiveKind::Native,
            crate_name: None,
            record: None,
        }),
        _ => LinkItem::Object(path),
    }
}

/// `libNAME-HASH.rlib` holds the crate `NAME`.
fn crate_in(rlib: &Utf8Path) -> Option<String> {
    let stem = rlib.file_stem()?.strip_prefix("lib")?;
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Words {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words, Utf8Path::new("/w"))
    }

    #[test]
    fn order_and_modes_are_kept() {
        let words = parsed(
            "-m64 a.o -Wl,-Bstatic -lz -Wl,-Bdynamic /t/libfoo_bar-12.rlib -l m -L lib -L/abs -o out -static -lc",
        );
        let library = |name: &str, mode| {
            LinkItem::Library(Library {
                name: name.into(),
                mode,
                file: None,
            })
        };
        let expected = [
            LinkItem::Other("-m64".into()),
            LinkItem::Object("/w/a.o".into()),
            library("z", LibraryMode::Static),
            LinkItem::Archive(Archive {
                path: "/t/libfoo_bar-12.rlib".into(),
                kind: ArchiveKind::Rlib,
                crate_name: Some("foo_bar".into()),
                record: None,
            }),
            library("m", LibraryMode::Dynamic),
            LinkItem::SearchPath("/w/lib".into()),
            LinkItem::SearchPath("/abs".into()),
            LinkItem::Other("-static".into()),
            library("c", LibraryMode::Static),
        ];
        assert_eq!(words.items, expected);
        assert_eq!(words.output, Some("/w/out".into()));
    }

    #[test]
    fn values_are_not_mistaken_for_inputs() {
        let words = parsed("-Xlinker x.o -u start -T script");
        assert!(
            words
                .items
                .iter()
                .all(|item| matches!(item, LinkItem::Other(_)))
        );
    }

    #[test]
    fn stripping_is_a_wish() {
        let words = parsed("-Wl,-z,now,--strip-debug -Wl,--strip-all");
        assert_eq!(words.items, [LinkItem::Other("-Wl,-z,now".into())]);
        assert_eq!(words.strip, Strip::Symbols);
        assert_eq!(parsed("-s").strip, Strip::Symbols);
        assert_eq!(parsed("-Wl,-S").strip, Strip::DebugInfo);
    }

    #[test]
    fn response_files_are_read_as_the_driver_reads_them() {
        let directory = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(directory.path()).unwrap();
        std::fs::write(directory.join("inner"), "-lz\n").unwrap();
        std::fs::write(
            directory.join("args"),
            "a\\ b.o\n\"c d.o\" 'e'f\n@inner\n\"\"",
        )
        .unwrap();
        let words = expand(
            vec!["-m64".into(), "@args".into(), "@missing".into()],
            directory,
        );
        assert_eq!(
            words.unwrap(),
            ["-m64", "a b.o", "c d.o", "ef", "-lz", "", "@missing"]
        );
    }
}
