//! All phases behind the capture, in order: from one program's link line to
//! its partitioned binary.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use cubicle_abi::layout::{ENTRY_BASE, GATE_BASE, GATE_STRIDE, MAXIMUM_GATES, SITE_BASE, gate};

use crate::assign::{self, Assignment};
use crate::capture::timings::phase;
use crate::capture::{LinkLine, Reported, diagnostic};
use crate::compose::{self, Monitor};
use crate::diagnostics::{Code, Finding, Findings, Place, Sources, render};
use crate::gates::system_call::{self, Site};
use crate::gates::{self, ErrnoOffsets, GateSpec, Mechanism, clear};
use crate::graph::edges::{self, Edge, Graph, What};
use crate::graph::lines::Lines;
use crate::graph::reach::Reach;
use crate::graph::signatures::{self, Known};
use crate::images::{self, Image, Import, Imports, LinkRequest, Reference};
use crate::manifest::{self, Isolation, Policy};
use crate::plan::encode::{TextPiece, encode};
use crate::plan::{self, Plan};

/// Builds the partitioned binary at [`LinkLine::output`]. The file that was
/// there stays until the new one is complete.
///
/// # Errors
/// [`Reported`] if everything was explained already; any other error is to be
/// printed.
pub fn build(line: &LinkLine) -> anyhow::Result<()> {
    let policy = phase("manifest", || load(line))?;
    let mut findings = Findings::new();
    findings.extend(policy.warnings.clone());
    findings.extend(policy.unsupported());
    stop_if_denied(&policy, &mut findings)?;

    let assignment = phase("assign", || assign::assign(line, &policy, &mut findings))?;
    let cubicles = plan::cubicles::resolve(&policy, &mut findings);
    stop_if_denied(&policy, &mut findings)?;

    let graph = phase("graph", || edges::edges(&assignment))?;
    unknown_functions(&graph, &policy, &mut findings);
    let edges = graph.edges;
    if edges.len() as u64 > MAXIMUM_GATES {
        anyhow::bail!(
            "{} references cross a border; there is room for {MAXIMUM_GATES} gates",
            edges.len()
        );
    }
    let (imports, mut images) = phase("images", || {
        link_images(line, &policy, &assignment, &cubicles, &edges)
    })?;
    let references = phase("references", || {
        live_references(&cubicles, &images, &imports)
    })?;

    let plan = phase("plan", || {
        make_plan(
            line,
            &policy,
            &assignment,
            cubicles,
            &edges,
            &references,
            &images,
            &mut findings,
        )
    })?;
    stop_if_denied(&policy, &mut findings)?;

    let monitor = Monitor::embedded()?;
    let targets = targets(&plan, &images)?;
    let texts = phase("gates", || emit(&plan, &mut images, &targets, &monitor))?;
    check_instructions(&plan, &images, &mut findings);
    stop_if_denied(&policy, &mut findings)?;
    let encoded = encode(&plan, &images, &targets, &texts)?;
    phase("compose", || {
        let bytes = compose::compose(&compose::Parts {
            monitor: &monitor,
            plan: &plan,
            encoded_plan: &encoded,
            images: &images,
            strip: line.profile.strip,
        })?;
        keep_images(line, &plan, &images)?;
        replace(&line.output, &bytes)
    })?;
    show(&policy, &mut findings);
    Ok(())
}

/// Files besides the manifest that the program must be linked again for.
pub fn extra_dependencies(line: &LinkLine) -> Vec<Utf8PathBuf> {
    let Ok(policy) = manifest::load(&line.manifest) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for cubicle in policy.cubicles.values() {
        files.extend(policy.resolve(&cubicle.objects).0);
        if let Some(sources) = &cubicle.c {
            files.extend(policy.resolve(&sources.files).0);
        }
    }
    files
}

fn load(line: &LinkLine) -> anyhow::Result<Policy> {
    match manifest::load(&line.manifest) {
        Ok(policy) => Ok(policy),
        Err(manifest::LoadError::Rejected(rejected)) => {
            say(&rejected.findings, &rejected.sources);
            Err(Reported { status: 2 }.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows what was found so far and stops if some of it is denied.
fn stop_if_denied(policy: &Policy, findings: &mut Findings) -> anyhow::Result<()> {
    if !findings.has_denied() {
        return Ok(());
    }
    show(policy, findings);
    Err(Reported { status: 1 }.into())
}

fn show(policy: &Policy, findings: &mut Findings) {
    findings.sort_by_place();
    let mut sources = policy.sources();
    sources.read_lines_of(findings.iter());
    say(findings, &sources);
}

fn say(findings: &Findings, sources: &Sources) {
    use crate::diagnostics::Level;
    for finding in findings.iter() {
        let mut one = Findings::new();
        one.push(finding.clone());
        let level = match finding.level {
            Level::Deny => diagnostic::Level::Error,
            Level::Warn => diagnostic::Level::Warning,
        };
        diagnostic::emit(
            level,
            finding.code.map(Code::as_str),
            &finding.message,
            &render(&one, sources, true),
        );
    }
}

/// The address that stands for each edge's symbol: its gate's. What can have no
/// gate gets one, too, so that the finished image shows who really refers to it.
fn link_images(
    line: &LinkLine,
    policy: &Policy,
    assignment: &Assignment,
    cubicles: &[plan::Cubicle],
    edges: &[Edge],
) -> anyhow::Result<(Vec<Imports>, Vec<Image>)> {
    let main = policy.main().map(|(name, _)| name).unwrap_or_default();
    let imports: Vec<Imports> = cubicles
        .iter()
        .map(|cubicle| {
            let taken = edges.iter().enumerate();
            Imports(
                taken
                    .filter(|(_, edge)| edge.from == cubicle.name)
                    .map(|(index, edge)| Import {
                        symbol: edge.symbol.clone(),
                        address: gate(index),
                    })
                    .collect(),
            )
        })
        .collect();
    let directory = line.directory.join("images");
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create `{directory}`"))?;
    let link = |index: usize| -> anyhow::Result<Image> {
        let cubicle = &cubicles[index];
        let exports: BTreeSet<&str> = edges
            .iter()
            .filter(|edge| edge.to == cubicle.name)
            .map(|edge| edge.symbol.as_str())
            .collect();
        let bytes = images::link(
            line,
            &LinkRequest {
                cubicle: &cubicle.name,
                main: cubicle.name == main,
                inputs: &assignment.images[&cubicle.name],
                imports: &imports[index],
                exports: exports.into_iter().collect(),
                base: cubicle.base,
                directory: &directory,
            },
        )?;
        Ok(Image::read(
            &cubicle.name,
            bytes,
            cubicle.base,
            cubicle.end,
        )?)
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
    Ok((imports, images.into_iter().collect::<Result<_, _>>()?))
}

/// For each cubicle, the places in its image that refer to each import.
fn live_references(
    cubicles: &[plan::Cubicle],
    images: &[Image],
    imports: &[Imports],
) -> anyhow::Result<Vec<BTreeMap<String, Vec<Reference>>>> {
    cubicles
        .iter()
        .zip(images)
        .zip(imports)
        .map(|((cubicle, image), imports)| {
            images::references(&image.bytes, imports)
                .with_context(|| format!("cannot read the relocations of `{}`", cubicle.name))
        })
        .collect()
}

/// CUB013 for functions the manifest describes and the cubicle does not have.
fn unknown_functions(graph: &Graph, policy: &Policy, findings: &mut Findings) {
    for (name, cubicle) in &policy.cubicles {
        let Some(owned) = graph.owned.get(name) else {
            continue;
        };
        for (symbol, function) in &cubicle.functions {
            if owned.definitions.contains_key(symbol) {
                continue;
            }
            let mut finding = Finding::of_rule(
                Code::CUB013,
                format!("cubicle `{name}` defines no function `{symbol}`"),
            )
            .at(policy.place(&function.name.span, "matches nothing"));
            let known = owned.definitions.keys().map(String::as_str);
            if let Some(nearest) = crate::suggest::similar(symbol, known) {
                finding = finding.help(format!("there is one called `{nearest}`"));
            }
            findings.push(finding);
        }
    }
}

/// As many call sites as a finding lists.
const SHOWN_SITES: usize = 3;

#[allow(clippy::too_many_arguments)]
fn make_plan(
    line: &LinkLine,
    policy: &Policy,
    assignment: &Assignment,
    cubicles: Vec<plan::Cubicle>,
    edges: &[Edge],
    references: &[BTreeMap<String, Vec<Reference>>],
    images: &[Image],
    findings: &mut Findings,
) -> anyhow::Result<Plan> {
    let number = |name: &str| cubicles.iter().position(|cubicle| cubicle.name == name);
    let live = |edge: &Edge| number(&edge.from).and_then(|from| references[from].get(&edge.symbol));
    let mut known: BTreeMap<&str, BTreeMap<String, Known>> = BTreeMap::new();
    for cubicle in &cubicles {
        let wanted: BTreeSet<&str> = edges
            .iter()
            .filter(|edge| edge.to == cubicle.name && edge.what == What::Function)
            .filter(|edge| live(edge).is_some())
            .map(|edge| edge.symbol.as_str())
            .collect();
        let inputs = &assignment.images[&cubicle.name];
        known.insert(&cubicle.name, signatures::find(inputs, &wanted)?);
    }
    let mut places = CallSites::new(images);
    let mut gates = Vec::new();
    for edge in edges {
        let Some(references) = live(edge) else {
            gates.push(None);
            continue;
        };
        let from = number(&edge.from).unwrap_or_default();
        if !permitted(edge, policy, || places.of(from, references), findings) {
            gates.push(None);
            continue;
        }
        gates.push(plan::gates::resolve(
            edge,
            &cubicles,
            policy,
            known[edge.to.as_str()].get(&edge.symbol),
            &mut || places.of(from, references),
            findings,
        ));
    }
    let main = policy
        .main()
        .and_then(|(name, _)| number(name))
        .context("the manifest has no main cubicle")?;
    let stand_in = std::env::var_os("CUBICLE_BENCHMARK_STAND_IN").is_some();
    let isolation = match policy.isolation.value {
        _ if stand_in => cubicle_abi::plan::ISOLATION_STAND_IN,
        Isolation::Pku => cubicle_abi::plan::ISOLATION_PKU,
        Isolation::Any => cubicle_abi::plan::ISOLATION_ANY,
    };
    Ok(Plan {
        name: line.stem().to_owned(),
        isolation,
        cubicles,
        main,
        gates,
    })
}

/// Source lines of references, read from an image's debug information only
/// when a finding needs them.
struct CallSites<'a> {
    images: &'a [Image],
    lines: BTreeMap<usize, Option<Lines>>,
}

impl<'a> CallSites<'a> {
    fn new(images: &'a [Image]) -> CallSites<'a> {
        CallSites {
            images,
            lines: BTreeMap::new(),
        }
    }

    fn of(&mut self, cubicle: usize, references: &[Reference]) -> Vec<Place> {
        let images = self.images;
        let lines = self
            .lines
            .entry(cubicle)
            .or_insert_with(|| Lines::read(&images[cubicle].bytes).ok());
        let mut places = Vec::new();
        for reference in references.iter().filter(|reference| reference.text) {
            let location = lines
                .as_ref()
                .and_then(|lines| lines.lookup(reference.place));
            let Some(location) = location else {
                continue;
            };
            if let (Some(file), Some(line)) = (location.file, location.line) {
                let function = location.outer.or(location.function).unwrap_or_default();
                places.push(Place::line(
                    Utf8PathBuf::from(file),
                    line,
                    format!("in `{function}`"),
                ));
            }
        }
        places.dedup();
        places.truncate(SHOWN_SITES);
        places
    }
}

/// May this reference cross? If not, the finding says where it is made and what
/// would permit it.
fn permitted(
    edge: &Edge,
    policy: &Policy,
    places: impl FnOnce() -> Vec<Place>,
    findings: &mut Findings,
) -> bool {
    let callee = &policy.cubicles[&edge.to];
    let (from, to, symbol) = (&edge.from, &edge.to, &edge.symbol);
    let finding = match edge.what {
        What::Variable => Finding::of_rule(
            Code::CUB002,
            format!("cubicle `{from}` refers to the variable `{symbol}` of cubicle `{to}`"),
        )
        .help("give the cubicle that owns it a function that returns or changes it"),
        What::ThreadLocal => Finding::of_rule(
            Code::CUB011,
            format!("cubicle `{from}` refers to the thread-local `{symbol}` of cubicle `{to}`"),
        )
        .help("each cubicle has a libc and thread-locals of its own; use a function instead"),
        What::Rust => Finding::of_rule(
            Code::CUB003,
            format!(
                "cubicle `{from}` refers to `{:#}` of cubicle `{to}` by Rust's own ABI",
                rustc_demangle::demangle(symbol)
            ),
        )
        .help("only `extern \"C\"` functions cross a border; call one, or claim both crates for one cubicle"),
        What::Function => {
            let called = callee.callers.iter().any(|caller| caller.value == *from);
            let exported = callee
                .exports
                .as_ref()
                .is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(symbol)));
            match (called, exported) {
                (true, true) => return true,
                (false, _) => Finding::of_rule(
                    Code::CUB001,
                    format!("cubicle `{from}` calls `{symbol}` of cubicle `{to}`, which does not name it among its callers"),
                )
                .help(format!("to permit it: `callers = [\"{from}\"]` in `[cubicle.{to}]`")),
                (true, false) => Finding::of_rule(
                    Code::CUB001,
                    format!("cubicle `{from}` calls `{symbol}`, which cubicle `{to}` does not export"),
                )
                .help(format!("to permit it: add `\"{symbol}\"` to `exports` in `[cubicle.{to}]`")),
            }
        }
    };
    let mut finding = finding;
    finding.places.extend(places());
    findings.push(finding.at(policy.place(&callee.name.span, "the cubicle it belongs to")));
    false
}

/// The address of each gate's function.
fn targets(plan: &Plan, images: &[Image]) -> anyhow::Result<Vec<u64>> {
    plan.gates
        .iter()
        .map(|gate| match gate {
            None => Ok(0),
            Some(gate) => images[gate.to].address_of(&gate.symbol).with_context(|| {
                format!(
                    "`{}` is not in the finished image of cubicle `{}`",
                    gate.symbol, plan.cubicles[gate.to].name
                )
            }),
        })
        .collect()
}

/// All executable text that the monitor copies into place, for each mechanism.
fn emit(
    plan: &Plan,
    images: &mut [Image],
    targets: &[u64],
    monitor: &Monitor,
) -> anyhow::Result<Vec<TextPiece>> {
    let reaches = reaches(plan, images)?;
    let specs = specs(plan, images, targets, &reaches);
    let mut sites: Vec<Site> = Vec::new();
    for (cubicle, image) in images.iter_mut().enumerate() {
        images::patch(image, cubicle, &mut sites);
    }
    let rights: Vec<_> = plan.cubicles.iter().map(|cubicle| cubicle.rights).collect();
    let mechanisms: &[Mechanism] = if plan.isolation == cubicle_abi::plan::ISOLATION_STAND_IN {
        &[Mechanism::StandIn]
    } else {
        &[Mechanism::Pku, Mechanism::PageTable]
    };
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
            bytes: system_call::emit(&rights, *mechanism, &monitor.entries)?,
        });
        if !sites.is_empty() {
            texts.push(TextPiece {
                mechanism: mechanism.number(),
                address: SITE_BASE,
                bytes: system_call::emit_sites(&sites)?,
            });
        }
        let end = specs.last().map_or(0, |spec| spec.index + 1);
        let mut bytes = vec![0xcc; end * GATE_STRIDE as usize];
        for spec in &specs {
            let code = gates::call::emit(spec, *mechanism, &monitor.entries)?;
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

/// As many places as a finding about instructions names.
const SHOWN_INSTRUCTIONS: usize = 5;

/// Refuses images that could change their rights by themselves (CUB008).
fn check_instructions(plan: &Plan, images: &[Image], findings: &mut Findings) {
    for (cubicle, image) in plan.cubicles.iter().zip(images) {
        let found = images::forbidden(image);
        if found.is_empty() {
            continue;
        }
        let mut finding = Finding::of_rule(
            Code::CUB008,
            format!(
                "the image of `{}` contains {} instruction{} that could change its rights",
                cubicle.name,
                found.len(),
                if found.len() == 1 { "" } else { "s" },
            ),
        );
        for one in found.iter().take(SHOWN_INSTRUCTIONS) {
            finding = finding.help(match &one.function {
                Some(function) => format!("one is at {:#x}, in `{function}`", one.address),
                None => format!("one is at {:#x}", one.address),
            });
        }
        findings.push(finding.help(
            "WRPKRU, XRSTOR, WRFSBASE and WRGSBASE are for gates alone, even as part of another \
             instruction's constant: leave the code out, or change the constant",
        ));
    }
}

/// What each image's functions can reach, for the images that take part in a
/// gate.
fn reaches(plan: &Plan, images: &[Image]) -> anyhow::Result<Vec<Option<Reach>>> {
    let called: BTreeSet<usize> = plan.gates.iter().flatten().map(|gate| gate.to).collect();
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

fn specs(
    plan: &Plan,
    images: &[Image],
    targets: &[u64],
    reaches: &[Option<Reach>],
) -> Vec<GateSpec> {
    let mut specs = Vec::new();
    for (index, gate) in plan.gates.iter().enumerate() {
        let Some(gate) = gate else {
            continue;
        };
        let target = targets[index];
        let reach = reaches[gate.to].as_ref();
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
        specs.push(GateSpec {
            function: gate.symbol.clone(),
            index,
            from: gate.from,
            to: gate.to,
            rights_from: plan.cubicles[gate.from].rights,
            rights_to: plan.cubicles[gate.to].rights,
            target,
            kind: gate.kind,
            shape: gate.shape,
            switch_fs: errno.is_some() || reach.is_none_or(|reach| reach.uses_fs(target)),
            callee_uses_x87: reach.is_none_or(|reach| reach.uses_x87(target)),
            // Every glibc holds some; who calls out is not known here.
            caller_uses_x87: true,
            errno,
        });
    }
    specs
}

/// Leaves the images where debuggers and reports look for them, as patched.
fn keep_images(line: &LinkLine, plan: &Plan, images: &[Image]) -> anyhow::Result<()> {
    for (cubicle, image) in plan.cubicles.iter().zip(images) {
        replace(
            &line.directory.join(format!("{}.elf", cubicle.name)),
            &image.bytes,
        )?;
    }
    Ok(())
}

/// Writes an executable file so that at every moment there is a whole one.
fn replace(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let directory = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)
        .with_context(|| format!("cannot write to `{directory}`"))?;
    file.write_all(bytes)
        .and_then(|()| {
            file.as_file()
                .set_permissions(std::fs::Permissions::from_mode(0o755))
        })
        .with_context(|| format!("cannot write `{path}`"))?;
    file.persist(path)
        .with_context(|| format!("cannot replace `{path}`"))?;
    Ok(())
}
