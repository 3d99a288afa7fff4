//! One link.

use std::fs;
use std::io::Write;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use object::{Object, ObjectSection};

use super::imports::Imports;
use super::remedy::{Layout, island};
use crate::assign::{ImageInputs, Piece};
use crate::capture::LinkLine;
use crate::plan::windows::Global;

/// The `main` of cubicles that have none of their own.
const PARKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/parked.o"));

/// What makes threads in the main cubicle for others' kernel threads.
const SPARE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/spare.o"));
/// Its entry.
pub const SPARE_FUNCTION: &str = "cubicle_spare";

/// What one image is linked from.
#[derive(Debug)]
pub struct LinkRequest<'a> {
    pub cubicle: &'a str,
    pub main: bool,
    pub inputs: &'a ImageInputs,
    pub imports: &'a Imports,
    /// Its variables that live in keyed windows.
    pub globals: Vec<(&'a String, &'a Global)>,
    /// Symbols others may refer to: kept, with what they reach.
    pub exports: Vec<&'a str>,
    /// Those of them that the image chooses when it starts.
    pub indirect: Vec<&'a str>,
    /// Address of its slot.
    pub base: u64,
    /// What is added so that bytes come to stand elsewhere.
    pub layout: Layout,
    /// Where images are kept.
    pub directory: &'a Utf8Path,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("cannot write `{path}`")]
    Write {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("cannot describe the imports of cubicle `{cubicle}`")]
    Imports {
        cubicle: String,
        source: object::write::Error,
    },
    #[error("cannot run the linker driver `{driver}`")]
    Start {
        driver: String,
        source: std::io::Error,
    },
    #[error("linking cubicle `{cubicle}` failed:\n{messages}")]
    Failed { cubicle: String, messages: String },
}

/// Links one image and reads it.
///
/// # Errors
/// What the linker says, if it fails.
pub fn link(line: &LinkLine, request: &LinkRequest<'_>) -> Result<Vec<u8>, LinkError> {
    let output = request.directory.join(format!("{}.elf", request.cubicle));
    let imports = request
        .directory
        .join(format!("{}.imports.o", request.cubicle));
    let object = request
        .imports
        .object()
        .map_err(|source| LinkError::Imports {
            cubicle: request.cubicle.to_owned(),
            source,
        })?;
    write(&imports, &object)?;
    let padding = padding(request)?;
    let mut words = arguments(request, &imports, padding.as_deref());
    let (name, object) = if request.main {
        words.push(format!("-Wl,-u,{SPARE_FUNCTION}"));
        ("spare.o", SPARE)
    } else {
        ("parked.o", PARKED)
    };
    let path = request.directory.join(name);
    if !path.exists() {
        write(&path, object)?;
    }
    words.push(path.into_string());
    if !request.indirect.is_empty() {
        let path = request
            .directory
            .join(format!("{}.indirect.o", request.cubicle));
        let object =
            super::indirect::object(&request.indirect).map_err(|source| LinkError::Imports {
                cubicle: request.cubicle.to_owned(),
                source,
            })?;
        write(&path, &object)?;
        words.push(path.into_string());
    }
    if request.layout.island > 0 {
        let path = request
            .directory
            .join(format!("{}.island.o", request.cubicle));
        write(
            &path,
            &described(request, island::object(request.layout.island))?,
        )?;
        words.push(path.into_string());
        words.push(format!("-Wl,-u,{}", island::SYMBOL));
    }
    words.push("-o".to_owned());
    words.push(output.to_string());
    let image = run(line, request, &words, &output)?;
    if request.globals.is_empty() {
        return Ok(image);
    }
    // Only now is it known what comes last.
    let script = request
        .directory
        .join(format!("{}.windows.ld", request.cubicle));
    let last = last_section(&image).unwrap_or_else(|| ".bss".to_owned());
    write(&script, windows(&request.globals, &last).as_bytes())?;
    words.push(format!("-Wl,-T,{script}"));
    run(line, request, &words, &output)
}

fn run(
    line: &LinkLine,
    request: &LinkRequest<'_>,
    words: &[String],
    output: &Utf8Path,
) -> Result<Vec<u8>, LinkError> {
    let response = request.directory.join(format!("{}.link", request.cubicle));
    write(&response, response_file(words).as_bytes())?;
    let result = Command::new(&line.driver)
        .arg(format!("@{response}"))
        .current_dir(&line.working_directory)
        .envs(&line.environment)
        .output()
        .map_err(|source| LinkError::Start {
            driver: line.driver.clone(),
            source,
        })?;
    if !result.status.success() {
        let mut messages = String::from_utf8_lossy(&result.stderr).into_owned();
        messages.push_str(&String::from_utf8_lossy(&result.stdout));
        return Err(LinkError::Failed {
            cubicle: request.cubicle.to_owned(),
            messages,
        });
    }
    fs::read(output).map_err(|source| LinkError::Write {
        path: output.to_owned(),
        source,
    })
}

/// The object that only makes room, if this link wants some.
fn padding(request: &LinkRequest<'_>) -> Result<Option<Utf8PathBuf>, LinkError> {
    if request.layout.padding == 0 {
        return Ok(None);
    }
    let path = request
        .directory
        .join(format!("{}.padding.o", request.cubicle));
    let object = described(request, island::padding(request.layout.padding))?;
    write(&path, &object)?;
    Ok(Some(path))
}

fn described(
    request: &LinkRequest<'_>,
    object: Result<Vec<u8>, object::write::Error>,
) -> Result<Vec<u8>, LinkError> {
    object.map_err(|source| LinkError::Imports {
        cubicle: request.cubicle.to_owned(),
        source,
    })
}

/// `padding` stands behind each of the inputs; the linker may be given one file several times.
fn arguments(
    request: &LinkRequest<'_>,
    imports: &Utf8Path,
    padding: Option<&Utf8Path>,
) -> Vec<String> {
    let padding = || padding.map(ToString::to_string);
    let mut words = vec![imports.to_string()];
    words.extend(padding());
    for object in &request.inputs.objects {
        words.push(object.to_string());
        words.extend(padding());
    }
    for piece in &request.inputs.line {
        match piece {
            Piece::Object(path) | Piece::Archive { path, .. } => {
                words.push(path.to_string());
                words.extend(padding());
            }
            Piece::Lazy { objects, .. } | Piece::Foreign { objects } => {
                words.push("-Wl,--start-lib".to_owned());
                words.extend(objects.iter().map(ToString::to_string));
                words.push("-Wl,--end-lib".to_owned());
            }
            Piece::Word(word) => words.push(word.clone()),
        }
    }
    words.push(format!("-Wl,--image-base={:#x}", request.base));
    words.push("-Wl,--emit-relocs".to_owned());
    words.push("-Wl,--gc-sections,--eh-frame-hdr".to_owned());
    words.push("-Wl,-z,noexecstack,-z,relro,-z,now,-z,separate-loadable-segments".to_owned());
    words.push("-Wl,--build-id=none".to_owned());
    words.push("-no-pie".to_owned());
    words.push("-static".to_owned());
    // libgcc's unwinder takes a program without this weak symbol for
    // single-threaded, and its locks for needless.
    words.push("-Wl,-u,__pthread_key_create".to_owned());
    for symbol in &request.exports {
        words.push(format!("-Wl,-u,{symbol}"));
    }
    for symbol in &request.indirect {
        words.push(format!("-Wl,-u,{}", super::indirect::name(symbol)));
    }
    words
}

/// The section with the highest address.
fn last_section(image: &[u8]) -> Option<String> {
    let file = object::File::parse(image).ok()?;
    let last = file.sections().max_by_key(ObjectSection::address)?;
    Some(last.name().ok()?.to_owned())
}

/// A linker script that adds to the usual layout: each variable in a keyed window
/// gets a segment of its own, at its address. Behind everything else, because what
/// follows in the usual layout would follow it there.
fn windows(globals: &[(&String, &Global)], last: &str) -> String {
    let mut text = String::from("SECTIONS\n{\n");
    for (name, global) in globals {
        let Global {
            place,
            file,
            section,
            ..
        } = global;
        text.push_str(&format!(
            "  .cubicle.window.{name} {place:#x} : AT({place:#x}) {{ KEEP(\"{file}\"({section})) }}\n"
        ));
    }
    text.push_str(&format!("}}\nINSERT AFTER {last};\n"));
    text
}

/// Words of a response file, as gcc and clang read them.
pub fn response_file(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        text.push('"');
        for character in word.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push_str("\"\n");
    }
    text
}

fn write(path: &Utf8Path, bytes: &[u8]) -> Result<(), LinkError> {
    let failed = |source| LinkError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = fs::File::create(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)
}
