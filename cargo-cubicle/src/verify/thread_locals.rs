//! Where gates carry errno: it must be a thread-local of that image. Above the thread pointer a
//! libc keeps what it trusts (the canary, the guard of pointers), and below all thread-locals
//! may be another thread's memory.

use cubicle_abi::plan::GATE_ERRNO;
use object::LittleEndian;
use object::elf::{PT_TLS, ProgramHeader64};
use object::read::elf::ProgramHeader;

use super::file::File;
use super::report::{Finding, Report, Rule};

/// Size of errno, bytes.
const ERRNO: i64 = 4;

pub fn check(file: &File<'_>, report: &mut Report) {
    let sizes: Vec<u64> = (0..file.plan.cubicles.len())
        .map(|cubicle| size(file, cubicle))
        .collect();
    let gates = file.plan.gates.iter().flatten();
    for gate in gates.filter(|gate| gate.has(GATE_ERRNO)) {
        for (cubicle, offset) in [
            (gate.from, i64::from(gate.errno_caller)),
            (gate.to, i64::from(gate.errno_callee)),
        ] {
            let lowest = -i64::try_from(sizes[cubicle]).unwrap_or(0);
            if !(lowest..=-ERRNO).contains(&offset) {
                let name = file.plan.name(cubicle);
                let message = format!(
                    "errno at {offset} from the thread pointer of {name} is not a thread-local"
                );
                let place = format!("the gate to `{}`", gate.name);
                report.find(Finding::new(Rule::Plan, gate.target, place, message));
            }
        }
    }
}

/// How far below the thread pointer an image's thread-locals reach, bytes: they end there, and
/// begin where their alignment lets them (System V ABI, variant II).
fn size(file: &File<'_>, cubicle: usize) -> u64 {
    const SIZE: usize = size_of::<ProgramHeader64<LittleEndian>>();
    let (address, count) = file.plan.cubicles[cubicle].program_headers;
    let Some(total) = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(SIZE))
    else {
        return 0;
    };
    let Some(bytes) = file.at(address, total) else {
        return 0;
    };
    let headers = bytes.chunks_exact(SIZE).filter_map(|one| {
        let (header, _) = object::pod::from_bytes::<ProgramHeader64<LittleEndian>>(one).ok()?;
        (header.p_type(LittleEndian) == PT_TLS).then_some(header)
    });
    headers
        .map(|header| {
            let align = header.p_align(LittleEndian).clamp(1, 1 << 20);
            header
                .p_memsz(LittleEndian)
                .min(1 << 31)
                .next_multiple_of(align)
        })
        .max()
        .unwrap_or(0)
}
