//! A program with a cubicle whose image has many symbols.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::programs::run;

/// Functions of one object.
const EACH: usize = 10_000;

/// Writes a project and compiles its objects. Each of its functions adds one and goes on to the next,
/// so the program answers with their number.
pub fn write(folder: &Path, functions: usize) -> anyhow::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::create_dir_all(folder.join("objects"))?;
    for first in (0..functions).step_by(EACH) {
        let mut text = String::from(".text\n");
        for number in first..(first + EACH).min(functions) {
            let next = match number + 1 {
                next if next < functions => format!("jmp function_{next}"),
                _ => "ret".to_owned(),
            };
            write!(
                text,
                ".globl function_{number}\n.type function_{number}, @function\nfunction_{number}:\n\
                 leaq 1(%rax), %rax\n{next}\n.size function_{number}, .-function_{number}\n"
            )?;
        }
        if first == 0 {
            text.push_str(
                ".globl count\n.type count, @function\ncount:\nxorl %eax, %eax\njmp function_0\n.size count, .-count\n",
            );
        }
        text.push_str(".section .note.GNU-stack, \"\", @progbits\n");
        let source = folder.join("functions.s");
        fs::write(&source, text)?;
        run(Command::new("cc")
            .args(["-c", "-g"])
            .arg(&source)
            .arg("-o")
            .arg(folder.join(format!("objects/{first}.o"))))?;
        fs::remove_file(source)?;
    }
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"scale\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    fs::write(
        folder.join("src/main.rs"),
        "unsafe extern \"C\" {\n    fn count() -> u64;\n}\n\nfn main() {\n    println!(\"{}\", unsafe { count() });\n}\n",
    )?;
    fs::write(
        folder.join("Cubicle.toml"),
        "schema = 1\nisolation = \"any\"\n\n[cubicle.app]\nmain = true\nsyscalls = [\"@base\", \"@stdio\"]\n\n\
         [cubicle.large]\nobjects = [\"objects/*.o\"]\ncallers = [\"app\"]\n\n\
         [cubicle.large.function.count]\nsignature = \"unsigned long count(void)\"\n",
    )?;
    Ok(())
}
