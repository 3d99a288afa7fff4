//! CUB017: a section that can be written and executed, or an object that wants an executable stack.

use object::{Object, ObjectSection, SectionFlags, elf};

use crate::assign::{ArchiveError, ImageInputs, each_object};
use crate::diagnostics::{Code, Finding, Findings, Place};
use crate::manifest::Policy;

/// Looks at what a cubicle's own image is linked from.
///
/// # Errors
/// If an object cannot be read.
pub fn check(
    policy: &Policy,
    cubicle: &str,
    inputs: &ImageInputs,
    findings: &mut Findings,
) -> Result<(), ArchiveError> {
    for path in inputs.owned() {
        each_object(path, |member, data| {
            let Ok(object) = object::File::parse(data) else {
                return;
            };
            for section in object.sections() {
                let (Ok(name), SectionFlags::Elf { sh_flags, .. }) =
                    (section.name(), section.flags())
                else {
                    continue;
                };
                let executable = sh_flags.contains(elf::SHF_EXECINSTR);
                let both = elf::SHF_WRITE | elf::SHF_ALLOC;
                let (what, help) = if name == STACK && executable {
                    (
                        "wants an executable stack".to_owned(),
                        "stacks are never executable: functions within functions (gcc's) whose addresses are taken need one; in assembly say `.section .note.GNU-stack,\"\",@progbits`",
                    )
                } else if executable && sh_flags.contains(both) {
                    (
                        format!("has a section `{name}` that can be written and executed"),
                        "what can be written is never executed: put code and data into sections of their own",
                    )
                } else {
                    continue;
                };
                let file = path.file_name().unwrap_or(path.as_str());
                let object = match member {
                    Some(member) => format!("member `{member}` of `{file}`"),
                    None => format!("`{file}`"),
                };
                let declared = &policy.cubicles[cubicle].name;
                findings.push(
                    Finding::of_rule(Code::CUB017, format!("code of `{cubicle}` {what}"))
                        .at(policy.place(&declared.span, "which claims it"))
                        .at(Place::note(format!("in {object}")))
                        .help(help),
                );
            }
        })?;
    }
    Ok(())
}

/// The section whose flags say what a stack must be.
const STACK: &str = ".note.GNU-stack";
