//! All images of a program, linked side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Context;
use cubicle_abi::layout::gate;

use super::remedy::{Layout, settle};
use super::{
    Image, ImageError, Import, Imports, LinkError, LinkRequest, Reference, SLOT_MEBIBYTES, SMALLER,
    complaints,
};
use crate::assign::Assignment;
use crate::capture::LinkLine;
use crate::diagnostics::{Finding, Findings, Place};
use crate::graph::edges::Edge;
use crate::manifest::Policy;
use crate::plan;
use crate::plan::windows::Window;

/// What stands for each symbol that a cubicle takes: the address of the edge's
/// gate, or of the variable itself if it lives in a keyed window. What can have no gate gets one, too, so that the finished image shows
/// who really refers to it.
fn imports(
    cubicle: &str,
    cubicles: &[plan::Cubicle],
    windows: &[Window],
    edges: &[Edge],
) -> Imports {
    let shared = |edge: &Edge| {
        let owner = cubicles.iter().position(|other| other.name == edge.to)?;
        let (_, address) = plan::windows::holding(windows, owner, &edge.symbol)?;
        Some(address)
    };
    Imports(
        edges
            .iter()
            .enumerate()
            .filter(|(_, edge)| edge.from == cubicle)
            .map(|(index, edge)| Import {
                symbol: edge.symbol.clone(),
                address: shared(edge).unwrap_or_else(|| gate(index)),
            })
            .collect(),
    )
}

/// Links all images. One that cannot be is a finding, and missing in the answer.
///
/// # Errors
/// If a file cannot be read or written.
pub fn link_all(
    line: &LinkLine,
    policy: &Policy,
    assignment: &Assignment,
    cubicles: &[plan::Cubicle],
    windows: &[Window],
    edges: &[Edge],
    findings: &mut Findings,
) -> anyhow::Result<Vec<Image>> {
    let main = policy.main().map(|(name, _)| name).unwrap_or_default();
    let directory = line.directory.join("images");
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create `{directory}`"))?;
    let link = |index: usize| -> anyhow::Result<Image> {
        let cubicle = &cubicles[index];
        let exports: BTreeSet<&str> = edges
            .iter()
            .filter(|edge| edge.to == cubicle.name)
            .map(|edge| edge.symbol.as_str())
            .collect();
        let indirect: BTreeSet<&str> = edges
            .iter()
            .filter(|edge| edge.to == cubicle.name && edge.indirect)
            .map(|edge| edge.symbol.as_str())
            .collect();
        let own = |window: &&Window| window.owner == index;
        let elsewhere: Vec<Range<u64>> = windows
            .iter()
            .filter(own)
            .map(|window| window.base..window.end)
            .collect();
        let attempt = |layout: Layout| -> anyhow::Result<Image> {
            let bytes = super::link(
                line,
                &LinkRequest {
                    cubicle: &cubicle.name,
                    main: cubicle.name == main,
                    inputs: &assignment.images[&cubicle.name],
                    imports: &imports(&cubicle.name, cubicles, windows, edges),
                    globals: windows
                        .iter()
                        .filter(own)
                        .flat_map(|window| &window.globals)
                        .collect(),
                    indirect: indirect.iter().copied().collect(),
                    exports: exports.iter().copied().collect(),
                    base: cubicle.base,
                    layout,
                    directory: &directory,
                },
            )?;
            Ok(Image::read(
                &cubicle.name,
                bytes,
                cubicle.base..cubicle.end,
                &elsewhere,
            )?)
        };
        // An attempt that fails is none: what was linked already is still there.
        let first = attempt(Layout::default())?;
        Ok(settle(first, |layout| attempt(layout).ok()))
    };
    // Linkers mostly wait for files and use one core each.
    let images: Vec<anyhow::Result<Image>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..cubicles.len())
            .map(|index| scope.spawn(move || link(index)))
            .collect();
        handles
            .into_iter()
            .map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a linking thread failed")))
            })
            .collect()
    });
    let mut linked = Vec::new();
    for (cubicle, image) in cubicles.iter().zip(images) {
        match image {
            Ok(image) => linked.push(image),
            Err(error) => findings.extend(explain(&cubicle.name, error, policy)?),
        }
    }
    Ok(linked)
}

/// What the user can do something about.
fn explain(cubicle: &str, error: anyhow::Error, policy: &Policy) -> anyhow::Result<Vec<Finding>> {
    if let Some(LinkError::Failed { messages, .. }) = error.downcast_ref() {
        return Ok(complaints::findings(cubicle, messages, policy));
    }
    let Some(ImageError::TooLarge { size, largest, .. }) = error.downcast_ref() else {
        return Err(error);
    };
    let mut finding = Finding::error(format!(
        "the image of cubicle `{cubicle}` takes {} MiB of address space, and a slot has {SLOT_MEBIBYTES} MiB",
        size.div_ceil(1 << 20),
    ));
    if let Some(declared) = policy.cubicles.get(cubicle) {
        finding = finding.at(policy.place(&declared.name.span, "this cubicle"));
    }
    for (name, size) in largest {
        finding = finding.at(Place::note(format!("`{name}` takes {size} bytes")));
    }
    Ok(vec![finding.help(SMALLER)])
}

/// For each cubicle, the places in its image that refer to each import.
///
/// # Errors
/// If an image cannot be read.
pub fn references_of_all(
    cubicles: &[plan::Cubicle],
    windows: &[Window],
    images: &[Image],
    edges: &[Edge],
) -> anyhow::Result<Vec<BTreeMap<String, Vec<Reference>>>> {
    cubicles
        .iter()
        .zip(images)
        .map(|(cubicle, image)| {
            let imports = imports(&cubicle.name, cubicles, windows, edges);
            super::references(&image.bytes, &imports)
                .with_context(|| format!("cannot read the relocations of `{}`", cubicle.name))
        })
        .collect()
}
