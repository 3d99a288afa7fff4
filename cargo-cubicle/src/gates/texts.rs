//! All gates and stubs of a program, for each mechanism.

use std::collections::BTreeSet;

use anyhow::Context;
use cubicle_abi::layout::{CALLBACK_BASE, ENTRY_BASE, GATE_BASE, GATE_STRIDE, SITE_BASE};

use super::system_call::{self, Site};
use super::{
    ErrnoOffsets, GateSpec, GateTarget, Mechanism, MonitorEntries, call, callback_stubs, clear,
};
use crate::graph::reach::Reach;
use crate::images::{self, Image};
use crate::plan::Plan;
use crate::plan::encode::TextPiece;

/// The address of each gate's function; 0 for callbacks.
///
/// # Errors
/// If an image does not hold one after all.
pub fn targets(plan: &Plan, images: &[Image]) -> anyhow::Result<Vec<u64>> {
    plan.gates
        .iter()
        .map(|gate| match gate {
            None => Ok(0),
            // Chosen by slot.
            Some(gate) if gate.is_callback() => Ok(0),
            Some(gate) => images[gate.to].entry_of(&gate.symbol).with_context(|| {
                format!(
                    "`{}` is not in the finished image of cubicle `{}`",
                    gate.symbol, plan.cubicles[gate.to].name
                )
            }),
        })
        .collect()
}

/// All executable text that the monitor copies into place, for each mechanism.
///
/// # Errors
/// If a gate cannot be emitted.
pub fn emit(
    plan: &Plan,
    images: &mut [Image],
    specs: &[GateSpec],
    monitor: &MonitorEntries,
) -> anyhow::Result<Vec<TextPiece>> {
    let monitor = &MonitorEntries {
        without: plan.without,
        ..*monitor
    };
    let mut sites: Vec<Site> = Vec::new();
    for (cubicle, image) in images.iter_mut().enumerate() {
        images::patch(image, cubicle, &mut sites);
    }
    let rights: Vec<_> = plan.cubicles.iter().map(|cubicle| cubicle.rights).collect();
    let mechanisms: &[Mechanism] = match plan.isolation {
        cubicle_abi::plan::ISOLATION_STAND_IN => &[Mechanism::StandIn],
        cubicle_abi::plan::ISOLATION_AUDIT => &[Mechanism::PageTable],
        _ => &[Mechanism::Pku, Mechanism::PageTable],
    };
    let stubs = callback_stubs::emit(&plan.callbacks())?;
    let mut texts = Vec::new();
    for level in clear::VectorLevel::ALL {
        texts.push(TextPiece {
            mechanism: level as u32,
            address: cubicle_abi::layout::STUB_BASE,
            bytes: clear::emit(level)?,
        });
    }
    for mechanism in mechanisms {
        texts.push(TextPiece {
            mechanism: mechanism.number(),
            address: ENTRY_BASE,
            bytes: system_call::emit(&rights, *mechanism, monitor)?,
        });
        if !sites.is_empty() {
            texts.push(TextPiece {
                mechanism: mechanism.number(),
                address: SITE_BASE,
                bytes: system_call::emit_sites(&sites)?,
            });
        }
        if !stubs.is_empty() {
            texts.push(TextPiece {
                mechanism: mechanism.number(),
                address: CALLBACK_BASE,
                bytes: stubs.clone(),
            });
        }
        let end = specs.last().map_or(0, |spec| spec.index + 1);
        let mut bytes = vec![0xcc; end * GATE_STRIDE as usize];
        for spec in specs {
            let code = call::emit(spec, *mechanism, monitor)?;
            let start = spec.index * GATE_STRIDE as usize;
            bytes[start..start + code.len()].copy_from_slice(&code);
        }
        if !bytes.is_empty() {
            texts.push(TextPiece {
                mechanism: mechanism.number(),
                address: GATE_BASE,
                bytes,
            });
        }
    }
    Ok(texts)
}

/// What each image's functions can reach, for the images that take part in a
/// gate.
fn reaches(plan: &Plan, images: &[Image]) -> anyhow::Result<Vec<Option<Reach>>> {
    let gates = plan.gates.iter().flatten();
    let called: BTreeSet<usize> = gates
        .filter(|gate| !gate.is_callback())
        .map(|gate| gate.to)
        .collect();
    std::thread::scope(|scope| {
        let handles: Vec<_> = images
            .iter()
            .enumerate()
            .map(|(index, image)| {
                called
                    .contains(&index)
                    .then(|| scope.spawn(move || Reach::analyse(&image.bytes)))
            })
            .collect();
        handles
            .into_iter()
            .map(
                |handle| match handle.map(std::thread::ScopedJoinHandle::join) {
                    None => Ok(None),
                    Some(Ok(reach)) => Ok(Some(reach?)),
                    Some(Err(_)) => anyhow::bail!("analysing an image failed"),
                },
            )
            .collect()
    })
}

/// What each gate is made from, in order of their numbers.
///
/// # Errors
/// If an image cannot be analysed.
pub fn specs(plan: &Plan, images: &[Image], targets: &[u64]) -> anyhow::Result<Vec<GateSpec>> {
    let reaches = reaches(plan, images)?;
    let mut specs = Vec::new();
    for (index, gate) in plan.gates.iter().enumerate() {
        let Some(gate) = gate else {
            continue;
        };
        let target = match gate.callback {
            None => GateTarget::Function(targets[index]),
            Some(number) => GateTarget::Callback(number),
        };
        // What a callback reaches is not known.
        let reaches = |uses: fn(&Reach, u64) -> bool| match (target, &reaches[gate.to]) {
            (GateTarget::Function(address), Some(reach)) => uses(reach, address),
            _ => true,
        };
        // An image whose libc has none can neither set nor read it.
        let offset = |cubicle: usize| {
            ["errno", "__libc_errno"]
                .iter()
                .find_map(|name| images[cubicle].thread_local_offset(name))
        };
        let errno = match (gate.errno, offset(gate.to), offset(gate.from)) {
            (true, Some(callee), Some(caller)) => Some(ErrnoOffsets { callee, caller }),
            _ => None,
        };
        // Where the callee sees the caller, nothing would stop it from using the
        // caller's thread-locals if the analysis were wrong.
        let (from, to) = (&plan.cubicles[gate.from], &plan.cubicles[gate.to]);
        let switch_fs = errno.is_some() || to.rights.reads(from.key) || reaches(Reach::uses_fs);
        specs.push(GateSpec {
            function: gate.symbol.clone(),
            index,
            from: gate.from,
            to: gate.to,
            rights_from: from.rights,
            rights_to: to.rights,
            target,
            kind: gate.kind,
            shape: gate.shape,
            switch_fs,
            callee_uses_x87: reaches(Reach::uses_x87),
            scrub_vectors: to.scrub_vectors,
            errno,
            fault: (to.restarts > 0).then_some(gate.fault),
        });
    }
    Ok(specs)
}
