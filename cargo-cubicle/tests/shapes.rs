//! Every file of `tests/shapes` states in its first lines what the tool must
//! find (`Shape:` or `Error:`), and is then run, to see where gcc really puts
//! each argument and takes the result from. `shapes.h` there says how.

use cargo_cubicle::graph::declaration;
use cargo_cubicle::graph::dwarf::{Answer, DebugInfo};
use cargo_cubicle::graph::shape::{CallShape, Place, Register, ResultPlace};
use cargo_cubicle::graph::signature::{Signature, Type, TypeKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn shapes_are_what_gcc_makes_of_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/shapes");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("tests/shapes can be read")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| matches!(path.extension(), Some(e) if e == "c" || e == "cpp"))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "files are missing from tests/shapes");
    let work = tempfile::tempdir().expect("a temporary folder");
    let half = files.len().div_ceil(2);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = files
            .chunks(half)
            .map(|files| scope.spawn(|| failures(files, work.path())))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn failures(files: &[PathBuf], work: &Path) -> Vec<String> {
    let failure = |file: &PathBuf| {
        let error = check(file, work).err()?;
        Some(format!("{}: {error}", file.display()))
    };
    files.iter().filter_map(failure).collect()
}

/// What the first lines of a file say, by keyword.
fn header(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map_while(|line| line.strip_prefix("// "))
        .filter_map(|line| line.split_once(": "))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn check(file: &Path, work: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let header = header(&text);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let object = work.join(format!("{name}.o"));
    let mut latest = None;
    for version in [4, 5] {
        for optimisation in ["-O0", "-O2"] {
            let debug = format!("-gdwarf-{version}");
            let flags = ["-c", "-DDEFINITION", optimisation, &debug];
            compile(file, &flags, &object)?;
            let shown = format!("DWARF {version} {optimisation}");
            let signature = signature(&object, &header, version)
                .map_err(|error| format!("{shown}: {error}"))?;
            let found = match CallShape::of(&signature) {
                Ok(shape) => {
                    let shown = shape.to_string();
                    latest = Some((signature, shape));
                    shown
                }
                Err(error) => error.code().to_owned(),
            };
            let special = header.get(&format!("Error with DWARF {version}"));
            let expected = special
                .or(header.get("Shape"))
                .or(header.get("Error"))
                .ok_or("it expects nothing")?;
            if found != *expected {
                return Err(format!("{shown}: found `{found}`, expected `{expected}`"));
            }
        }
    }
    let Some((signature, shape)) = latest else {
        return Ok(());
    };
    for optimisation in ["-O0", "-O2"] {
        run(file, work, optimisation, &signature, &shape)
            .map_err(|error| format!("run with {optimisation}: {error}"))?;
    }
    Ok(())
}

fn compile(file: &Path, flags: &[&str], output: &Path) -> Result<(), String> {
    let is_cpp = file.extension().is_some_and(|extension| extension == "cpp");
    let compiler = if is_cpp { "g++" } else { "gcc" };
    let done = Command::new(compiler)
        .args(["-w", "-o"])
        .arg(output)
        .arg(file)
        .args(flags)
        .output()
        .map_err(|error| format!("{compiler}: {error}"))?;
    if done.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// The signature of `f`: from the debug information, or from the declaration
/// in the file's first lines.
fn signature(
    object: &Path,
    header: &BTreeMap<String, String>,
    version: u16,
) -> Result<Signature, String> {
    let bytes = std::fs::read(object).map_err(|error| error.to_string())?;
    let info = DebugInfo::read(&bytes).map_err(|error| error.to_string())?;
    let Answer::Found(signature) = info.find("f") else {
        return Err(format!("`f` is {:?}", info.find("f")));
    };
    if info.version("f") != Some(version) || !info.problems().is_empty() {
        return Err(format!("{:?}, {:?}", info.version("f"), info.problems()));
    }
    let position = signature.position.as_ref();
    if !position.is_some_and(|p| p.file.starts_with('/') && p.file.contains("/shapes/")) {
        return Err(format!("its position is {position:?}"));
    }
    match header.get("Declaration") {
        Some(text) => declaration::parse(text).map_err(|error| error.to_string()),
        None => Ok(signature.clone()),
    }
}

/// What a caller of `f` prints.
#[derive(Default)]
struct Seen {
    /// The bytes of each argument; `None` if the test cannot know them.
    arguments: Vec<Option<Vec<u8>>>,
    dump: Vec<u8>,
    result: Option<Vec<u8>>,
}

/// Runs the caller with `dump.S` and compares what it saw.
fn run(
    file: &Path,
    work: &Path,
    optimisation: &str,
    signature: &Signature,
    shape: &CallShape,
) -> Result<(), String> {
    let seen = observe(file, work, optimisation, shape)?;
    let slots = signature.slots.iter().flatten();
    let types: Vec<&Type> = signature
        .parameters
        .iter()
        .map(|parameter| &parameter.type_)
        .chain(slots)
        .collect();
    if types.len() != seen.arguments.len() || types.len() != shape.parameters.len() {
        return Err("not as many arguments as predicted".to_owned());
    }
    for (index, (type_, place)) in types.iter().zip(&shape.parameters).enumerate() {
        let Some(sent) = &seen.arguments[index] else {
            continue;
        };
        for (bit, width) in leaves(type_) {
            if bits(sent, bit, width) != found(&seen.dump, *place, bit, width) {
                let what = format!("argument {index} ({place}) differs at bit {bit} of {width}");
                return Err(format!("{what}: {sent:02x?} in {:02x?}", seen.dump));
            }
        }
    }
    if shape.vector_count && seen.dump[0] != shape.sse_registers {
        return Err(format!("al is {}", seen.dump[0]));
    }
    if let (Some(result), Some(type_)) = (&seen.result, &signature.result) {
        let expected = result_bytes(shape.result, result.len());
        // A single register carries the upper half where the lower is empty.
        let single = matches!(shape.result, ResultPlace::Sse | ResultPlace::Integer);
        for (bit, width) in leaves(type_) {
            let from = if single && width <= 64 { bit % 64 } else { bit };
            if bits(result, bit, width) != bits(&expected, from, width) {
                let what = format!("the result ({}) differs at bit {bit}", shape.result);
                return Err(format!("{what}: {result:02x?}"));
            }
        }
    }
    Ok(())
}

fn observe(
    file: &Path,
    work: &Path,
    optimisation: &str,
    shape: &CallShape,
) -> Result<Seen, String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let program = work.join(format!("{name}.program"));
    let object = work.join(format!("{name}.dump.o"));
    let memory = match shape.result {
        ResultPlace::Memory { bytes } => format!("-DRESULT_BYTES={bytes}"),
        _ => "-DRESULT_NOWHERE".to_owned(),
    };
    compile(&file.with_file_name("dump.S"), &["-c", &memory], &object)?;
    let object = object.to_string_lossy();
    compile(file, &[optimisation, "-x", "none", &object], &program)?;
    let done = Command::new(&program)
        .output()
        .map_err(|error| error.to_string())?;
    let output = String::from_utf8_lossy(&done.stdout);
    let mut seen = Seen::default();
    for line in output.lines() {
        let (what, digits) = line.split_once(' ').ok_or("a strange line")?;
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap_or(0))
            .collect();
        match what {
            "argument" => seen.arguments.push(Some(bytes)),
            "unknown" => seen.arguments.push(None),
            "dump" => seen.dump = bytes,
            _ => seen.result = Some(bytes),
        }
    }
    if !done.status.success() || seen.dump.len() != 696 {
        return Err(format!("{} {output}", done.status));
    }
    Ok(seen)
}

/// Bit offset and width of everything in a type that is not padding.
fn leaves(type_: &Type) -> Vec<(usize, usize)> {
    let shift = |by: usize, leaves: Vec<(usize, usize)>| {
        leaves
            .into_iter()
            .map(move |(bit, width)| (by + bit, width))
    };
    match &type_.kind {
        TypeKind::Aggregate(aggregate) if aggregate.by_reference => vec![(0, 64)],
        TypeKind::Aggregate(aggregate) => aggregate
            .members
            .iter()
            .flat_map(|member| match member.bits {
                Some(bits) => shift(0, vec![(bits.offset as usize, bits.width as usize)]),
                None => shift(member.offset as usize * 8, leaves(&member.type_)),
            })
            .collect(),
        TypeKind::Array { element, count } => (0..*count as usize)
            .flat_map(|index| {
                let step = element.size().unwrap_or(0) as usize * 8;
                shift(index * step, leaves(element))
            })
            .collect(),
        TypeKind::LongDouble => vec![(0, 80)],
        TypeKind::Complex { component } if **component == TypeKind::LongDouble => {
            vec![(0, 80), (128, 80)]
        }
        TypeKind::Complex { component } => {
            let width = component.size().unwrap_or(0) as usize * 8;
            vec![(0, width), (width, width)]
        }
        kind => vec![(0, kind.size().unwrap_or(0) as usize * 8)],
    }
}

fn bits(bytes: &[u8], bit: usize, width: usize) -> Vec<bool> {
    (bit..bit + width)
        .map(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1)
        .collect()
}

/// The bits of an argument where the dump has them, see `shapes.h`.
fn found(dump: &[u8], place: Place, bit: usize, width: usize) -> Vec<bool> {
    let register = |register| match register {
        Register::Integer(index) => &dump[8 + usize::from(index) * 8..][..8],
        Register::Sse(index) => &dump[56 + usize::from(index) * 16..][..16],
    };
    match place {
        Place::Nothing => vec![true; width],
        Place::Integer(index) => bits(register(Register::Integer(index)), bit, width),
        Place::Sse(index) if width > 64 => bits(register(Register::Sse(index)), bit, width),
        // The second half of a struct whose first half is empty travels in
        // the lower half of the register.
        Place::Sse(index) => bits(register(Register::Sse(index)), bit % 64, width),
        Place::Pair(low, high) => {
            let both = [&register(low)[..8], &register(high)[..8]].concat();
            bits(&both, bit, width)
        }
        Place::Stack { word, words } => {
            let bytes = &dump[184 + word as usize * 8..][..words as usize * 8];
            bits(bytes, bit, width)
        }
    }
}

/// What `dump.S` returns in this place.
fn result_bytes(place: ResultPlace, size: usize) -> Vec<u8> {
    let pattern = |high: u8| -> Vec<u8> { (1..=8).map(|low| high << 4 | low).collect() };
    let (rax, rdx) = (pattern(0xa), pattern(0xb));
    let (xmm0, xmm1) = ([pattern(0xc), pattern(0xd)].concat(), pattern(0xe));
    match place {
        ResultPlace::None => Vec::new(),
        ResultPlace::Integer => rax,
        ResultPlace::IntegerPair => [rax, rdx].concat(),
        ResultPlace::Sse => xmm0,
        ResultPlace::SsePair => [xmm0[..8].to_vec(), xmm1].concat(),
        ResultPlace::IntegerThenSse => [rax, xmm0].concat(),
        ResultPlace::SseThenInteger => [xmm0[..8].to_vec(), rax].concat(),
        ResultPlace::Memory { .. } => (0..size).map(|index| index as u8 + 0x11).collect(),
    }
}
