//! What is changed in a finished image: system-call sites, and code that must
//! not be there.
//!
//! Two forms of site are patched, which cover most of a libc:
//!
//! ```text
//!   mov eax, NUMBER   ►   jmp stub         5 bytes
//!   syscall               syscall          still there for who jumps to it
//!
//!   xor eax, eax      ►   jmp stub         5 bytes over 10
//!   syscall
//!   cmp rax, -4096                         the stub does it
//! ```

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::Image;
use crate::gates::system_call::{Site, SiteForm, emit_site};
use crate::gates::unintended;
use cubicle_abi::layout::{MAXIMUM_SITES, site};

/// What [`patch`] did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Patched {
    /// `syscall` instructions seen, and how many of them were patched.
    pub sites: usize,
    pub patched: usize,
    /// XRSTOR instructions of the dynamic loader, dead in a static program and
    /// made to trap.
    pub traps: usize,
}

/// The number of rt_sigreturn: unwinders know its site by its bytes.
const RT_SIGRETURN: u32 = 15;

/// Patches an image. New sites are appended to `sites`, which all images share.
pub fn patch(image: &mut Image, cubicle: usize, sites: &mut Vec<Site>) -> Patched {
    let mut patched = Patched::default();
    let mut functions: Vec<(u64, u64, bool)> = image
        .symbols
        .iter()
        .filter(|symbol| symbol.function && symbol.size > 0)
        .map(|symbol| {
            (
                symbol.address,
                symbol.size,
                symbol.name.starts_with("_dl_runtime_resolve"),
            )
        })
        .collect();
    functions.sort_unstable();
    functions.dedup_by_key(|function| function.0);
    let mut changes: Vec<(u64, Vec<u8>)> = Vec::new();
    for (address, size, resolver) in functions {
        let Some(bytes) = image.at(address) else {
            continue;
        };
        let bytes = &bytes[..bytes.len().min(size as usize)];
        // Most functions hold neither byte pair; decoding is for those that do.
        let interesting = bytes
            .windows(2)
            .any(|pair| pair == [0x0f, 0x05] || resolver && pair == [0x0f, 0xae]);
        if !interesting {
            continue;
        }
        function(
            address,
            bytes,
            resolver,
            cubicle,
            sites,
            &mut changes,
            &mut patched,
        );
    }
    for (address, new) in changes {
        if let Some(offset) = image.offset_of(address) {
            image.bytes[offset..offset + new.len()].copy_from_slice(&new);
        }
    }
    patched
}

fn function(
    address: u64,
    bytes: &[u8],
    resolver: bool,
    cubicle: usize,
    sites: &mut Vec<Site>,
    changes: &mut Vec<(u64, Vec<u8>)>,
    patched: &mut Patched,
) {
    let instructions: Vec<Instruction> = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE)
        .into_iter()
        .collect();
    let targets: Vec<u64> = instructions
        .iter()
        .filter(|instruction| instruction.op0_kind() == OpKind::NearBranch64)
        .map(Instruction::near_branch64)
        .collect();
    for (index, instruction) in instructions.iter().enumerate() {
        if resolver && matches!(instruction.code(), Code::Xrstor_mem | Code::Xrstor64_mem) {
            changes.push((instruction.ip(), vec![0x0f, 0x0b]));
            patched.traps += 1;
        }
        if instruction.mnemonic() != Mnemonic::Syscall {
            continue;
        }
        patched.sites += 1;
        if sites.len() + SiteForm::Read.places() > MAXIMUM_SITES {
            continue;
        }
        let Some(before) = index.checked_sub(1).map(|index| &instructions[index]) else {
            continue;
        };
        let form = if before.code() == Code::Mov_r32_imm32
            && before.op0_register() == Register::EAX
            && before.len() == 5
            && before.immediate32() != RT_SIGRETURN
        {
            SiteForm::Number(before.immediate32())
        } else if before.code() == Code::Xor_rm32_r32
            && before.op0_register() == Register::EAX
            && before.op1_register() == Register::EAX
            && before.len() == 2
        {
            let Some(compare) = instructions.get(index + 1) else {
                continue;
            };
            let end = compare.next_ip();
            let entered = targets
                .iter()
                .any(|target| *target > before.ip() && *target < end);
            if compare.code() != Code::Cmp_RAX_imm32
                || compare.immediate32to64() != -4096
                || entered
            {
                continue;
            }
            SiteForm::Read
        } else {
            continue;
        };
        let stub = site(sites.len());
        let resume = match form {
            SiteForm::Number(_) => instruction.next_ip(),
            SiteForm::Read => instructions[index + 1].next_ip(),
        };
        let one = Site {
            cubicle,
            form,
            resume,
        };
        let distance = stub.wrapping_sub(before.ip() + 5) as u32;
        let mut jump = vec![0xe9];
        jump.extend(distance.to_le_bytes());
        // Where a site lies is the library's choice, and with it these bytes.
        // SIGSYS serves a site that is left alone.
        if emit_site(&one, sites.len()).is_err()
            || makes_unintended(bytes, before.ip() - address, &jump)
        {
            continue;
        }
        sites.resize(sites.len() + form.places(), one);
        changes.push((before.ip(), jump));
        patched.patched += 1;
    }
}

/// Would a forbidden pattern appear where `new` replaces what is at `offset` of
/// `function`, its neighbours included?
fn makes_unintended(function: &[u8], offset: u64, new: &[u8]) -> bool {
    /// One less than the longest pattern, bytes.
    const REACH: usize = 4;
    let offset = offset as usize;
    let start = offset.saturating_sub(REACH);
    let end = (offset + new.len() + REACH).min(function.len());
    let mut window = function[start..end].to_vec();
    window[offset - start..][..new.len()].copy_from_slice(new);
    unintended::find(&window).is_some()
}
