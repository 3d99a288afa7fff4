//! All phases behind the capture, in order: from one program's link line to
//! its partitioned binary.

use anyhow::{Context, bail};
use camino::Utf8PathBuf;
use cubicle_abi::defences::Defences;

use crate::assign;
use crate::audit;
use crate::authority::{self, lock_file};
use crate::capture::timings::phase;
use crate::capture::{LinkLine, Purpose, Reported, diagnostic};
use crate::compose::{self, Monitor};
use crate::diagnostics::{Code, Findings, Level, Sources, render};
use crate::files::{self, Kind};
use crate::gates::{GateSpec, texts};
use crate::graph::edges::{self, Graph};
use crate::images::{self, Image};
use crate::lint::locked::{self, Exactness};
use crate::lint::{Report, exceptions, levels, rules};
use crate::manifest::{self, Policy};
use crate::measure::{self, Built};
use crate::picture::{self, Picture};
use crate::plan::encode::{TextPiece, encode};
use crate::plan::{self, Plan};
use crate::verify::{self, Rule};

/// What the phases up to the plan have made of one program.
struct Analysed {
    plan: Plan,
    images: Vec<Image>,
}

/// Makes of the link line what it is for.
///
/// # Errors
/// [`Reported`] if everything was explained already; any other error is to be
/// printed.
pub fn run(line: &LinkLine) -> anyhow::Result<()> {
    match line.purpose {
        Purpose::Use | Purpose::StandIn | Purpose::Audit => build(line),
        Purpose::Lint => lint(line),
        Purpose::Measure => measure(line),
    }
}

/// Builds the partitioned binary at [`LinkLine::output`]. The file that was
/// there stays until the new one is complete.
fn build(line: &LinkLine) -> anyhow::Result<()> {
    let policy = phase("manifest", || load(line))?;
    let mut findings = Findings::new();
    let analysed = analyse(line, &policy, &mut findings, &mut None)?;
    // An audit is there to find out what is missing, and protects nothing.
    if let Some(analysed) = analysed
        .as_ref()
        .filter(|_| line.locked && line.purpose != Purpose::Audit)
    {
        findings.extend(widened(line, &policy, &analysed.plan)?);
    }
    // Who did not get to the end does not know what nothing is about.
    if analysed.is_some() {
        findings = exceptions::apply(&policy, findings);
    }
    let (levels, problems) = levels::of_manifest(&policy);
    let mut findings = levels::apply(&levels, findings);
    findings.extend(problems);
    let Some(Analysed { plan, mut images }) = analysed.filter(|_| !findings.has_denied()) else {
        show(&policy, &mut findings);
        return Err(Reported { status: 1 }.into());
    };

    let monitor = Monitor::embedded()?;
    let gates = with_gates(&plan, &mut images, &monitor, &mut findings)?;
    if findings.has_denied() {
        show(&policy, &mut findings);
        return Err(Reported { status: 1 }.into());
    }
    let Composed { encoded, bytes } = composed(line, &plan, &images, &gates, &monitor)?;
    phase("write", || {
        for (cubicle, image) in plan.cubicles.iter().zip(&images) {
            // Where debuggers and reports look for them.
            let path = line.directory.join(format!("{}.elf", cubicle.name));
            files::replace(&path, &image.bytes, Kind::Data)?;
        }
        let script = line.directory.join(compose::gdb::SCRIPT);
        files::replace(
            &script,
            compose::gdb::script(&plan, &monitor).as_bytes(),
            Kind::Data,
        )?;
        let object = line.directory.join(compose::gdb::BORDERS_OBJECT);
        let borders = compose::gdb::borders_object(&plan, &monitor)?;
        files::replace(&object, &borders, Kind::Data)?;
        if let Some(build) =
            plan::encode::build_of(&encoded).filter(|_| line.purpose == Purpose::Audit)
        {
            let path = line.directory.join(audit::BUILD_FILE);
            files::replace(&path, build.to_string().as_bytes(), Kind::Data)?;
        }
        files::replace(&line.output, &bytes, Kind::Program)?;
        anyhow::Ok(())
    })?;
    show(&policy, &mut findings);
    Ok(())
}

/// A finished program, and the plan in it.
struct Composed {
    encoded: Vec<u8>,
    bytes: Vec<u8>,
}

fn composed(
    line: &LinkLine,
    plan: &Plan,
    images: &[Image],
    gates: &Gates,
    monitor: &Monitor,
) -> anyhow::Result<Composed> {
    let encoded = encode(
        plan,
        images,
        &gates.targets,
        &gates.specs,
        &gates.texts,
        monitor.planned_entries,
    )?;
    let bytes = phase("compose", || {
        compose::compose(&compose::Parts {
            monitor,
            plan,
            encoded_plan: &encoded,
            images,
            strip: line.profile.strip,
        })
    })?;
    // What the tests leave out would be found missing.
    if plan.without == Defences::NONE {
        phase("verify", || refuse_wrong(&bytes, monitor))?;
    }
    Ok(Composed { encoded, bytes })
}

/// Stops before a program is written that is not what it should be.
fn refuse_wrong(bytes: &[u8], monitor: &Monitor) -> anyhow::Result<()> {
    /// As many as help a report.
    const SHOWN: usize = 10;
    let own = verify::Monitor {
        image: monitor.bytes,
        entries: monitor.planned_entries,
    };
    let report = verify::verify(bytes, Some(own)).context("cannot read what was composed")?;
    if !report.own_monitor {
        bail!("the monitor in the finished program is not this tool's: {DEFECT}");
    }
    // A build that protects nothing was asked for, and says so at start.
    let wrong = report.findings.iter();
    let wrong: Vec<_> = wrong.filter(|one| one.rule != Rule::Protects).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let shown: String = wrong
        .iter()
        .take(SHOWN)
        .map(|finding| format!("\n  {finding}"))
        .collect();
    // Only these two are about what images contain, and that can be anything.
    let images_own = |rule| matches!(rule, Rule::Branch | Rule::Pointer);
    let note = match wrong.iter().all(|finding| images_own(finding.rule)) {
        true => {
            "unless its sources name that address on purpose, in assembly, a constant or a linker script"
        }
        false => "whatever the sources say",
    };
    bail!(
        "the finished program breaks rules of `cargo cubicle verify` ({} times). It was not written; \
         what was built before is as it was{shown}\n  = note: {DEFECT}, {note}",
        wrong.len()
    )
}

const DEFECT: &str = "this is a defect of cargo-cubicle; please report it";

/// Judges the program and leaves a report at [`LinkLine::output`], whatever was found.
fn lint(line: &LinkLine) -> anyhow::Result<()> {
    let mut report = Report::about(line);
    let policy = match phase("manifest", || {
        manifest::load(&line.manifest, line.variant.as_deref())
    }) {
        Ok(policy) => policy,
        Err(manifest::LoadError::Rejected(rejected)) => {
            report.manifest_rejected = true;
            report.found(rejected.findings, rejected.sources);
            return report.leave(&line.output);
        }
        Err(error) => return Err(error.into()),
    };
    let mut findings = Findings::new();
    let analysed = analyse(line, &policy, &mut findings, &mut report.picture)?;
    if analysed.is_some() {
        findings = exceptions::apply(&policy, findings);
    }
    let (levels, problems) = levels::of_manifest(&policy);
    findings.extend(problems);
    if let Some(Analysed { plan, mut images }) = analysed {
        report.authority = Some(authority::Program::of(&plan, &policy));
        // It also removes what every libc brings and nothing uses.
        let gates = with_gates(&plan, &mut images, &Monitor::embedded()?, &mut findings)?;
        if let Some(picture) = &mut report.picture {
            picture.complete(&plan, &gates.specs);
        }
    }
    report.levels = levels;
    report.found(findings, policy.sources());
    report.leave(&line.output)
}

/// Links the program in one piece, plainly and with what counts calls, and partitioned if nothing
/// forbids it; leaves what is known about them at [`LinkLine::output`].
fn measure(line: &LinkLine) -> anyhow::Result<()> {
    let policy = load(line)?;
    let mut findings = Findings::new();
    let mut picture = None;
    let analysed = analyse(line, &policy, &mut findings, &mut picture)?;
    if analysed.is_some() {
        findings = exceptions::apply(&policy, findings);
    }
    let (levels, problems) = levels::of_manifest(&policy);
    let mut findings = levels::apply(&levels, findings);
    findings.extend(problems);
    let (Some(mut picture), Some((main, _))) = (picture, policy.main()) else {
        show(&policy, &mut findings);
        return Err(Reported { status: 1 }.into());
    };
    let folder = line.directory.join("measured");
    // Images are linked from copies that both make.
    let assignment = assign::assign(line, &policy, &mut Findings::new())?;
    let edges = edges::edges(&assignment)?.edges;
    let calls = measure::link(line, main, &assignment, &edges, &folder)?;
    let mut built = Built {
        cubicle_measure: measure::built::VERSION,
        picture: Picture::default(),
        calls,
        partitioned: false,
        denied: 0,
        folder,
    };
    if let Some(Analysed { plan, mut images }) = analysed.filter(|_| !findings.has_denied()) {
        let monitor = Monitor::embedded()?;
        let gates = with_gates(&plan, &mut images, &monitor, &mut findings)?;
        picture.complete(&plan, &gates.specs);
        if !findings.has_denied() {
            let program = composed(line, &plan, &images, &gates, &monitor)?;
            files::replace(&built.partitioned(), &program.bytes, Kind::Program)?;
            built.partitioned = true;
        }
    }
    built.picture = picture;
    built.denied = findings
        .iter()
        .filter(|finding| finding.level == Level::Deny)
        .count();
    built.leave(&line.output)
}

/// Gates, and all else of the runtime's text.
struct Gates {
    targets: Vec<u64>,
    specs: Vec<GateSpec>,
    texts: Vec<TextPiece>,
}

/// Moves forbidden bytes that nobody meant, emits gates and patches the images; then nothing in them
/// may be forbidden any more.
fn with_gates(
    plan: &Plan,
    images: &mut [Image],
    monitor: &Monitor,
    findings: &mut Findings,
) -> anyhow::Result<Gates> {
    let targets = texts::targets(plan, images)?;
    let specs = phase("specs", || texts::specs(plan, images, &targets))?;
    return_memory();
    // Only now: what the phases before looked at is the code as it was compiled.
    let left = phase("bytes", || images::remedy_all(images));
    let texts = phase("gates", || {
        texts::emit(plan, images, &specs, &monitor.entries)
    })?;
    images::check_instructions(plan, images, &left, findings);
    Ok(Gates {
        targets,
        specs,
        texts,
    })
}

/// All phases up to the plan. What was found may be what a level forbids or permits;
/// `None`: there is something that no level could permit. For a lint there is a picture in any case, if there
/// was something to draw.
fn analyse(
    line: &LinkLine,
    policy: &Policy,
    findings: &mut Findings,
    picture: &mut Option<Picture>,
) -> anyhow::Result<Option<Analysed>> {
    findings.extend(policy.warnings.clone());
    findings.extend(policy.unsupported());
    if levels::stop(findings) {
        return Ok(None);
    }
    let assignment = phase("assign", || assign::assign(line, policy, findings))?;
    rules::check_objects(policy, &assignment, findings)?;
    let cubicles = plan::cubicles::resolve(policy, findings);
    if levels::stop(findings) {
        return Ok(None);
    }
    let windows = plan::windows::resolve(policy, &cubicles, &assignment, findings)?;
    if levels::stop(findings) {
        return Ok(None);
    }

    let graph = phase("graph", || edges::edges(&assignment))?;
    graph.report_unknown_functions(policy, findings);
    graph.report_too_many(policy, findings);
    if levels::stop(findings) {
        return Ok(None);
    }
    // The names of all symbols are needed no more, and may be many.
    let Graph { edges, owned } = graph;
    drop(owned);
    return_memory();
    let edges = &edges;
    let images = phase("images", || {
        images::link_all(
            line,
            policy,
            &assignment,
            &cubicles,
            &windows,
            edges,
            findings,
        )
    })?;
    if images.len() < cubicles.len() {
        return Ok(None);
    }
    let references = phase("references", || {
        images::references_of_all(&cubicles, &windows, &images, edges)
    })?;

    let plan = phase("plan", || {
        plan::resolve::resolve(
            &plan::resolve::Inputs {
                line,
                policy,
                assignment: &assignment,
                edges,
                references: &references,
                images: &images,
            },
            cubicles,
            windows,
            findings,
        )
    })?;
    if matches!(line.purpose, Purpose::Lint | Purpose::Measure) {
        *picture = Some(Picture::of(picture::Inputs {
            program: line.name(),
            policy,
            plan: &plan,
            images: &images,
            edges,
            references: &references,
        }));
    }
    phase("ownership", || {
        plan::ownership::check(&plan, &images, policy, findings)
    })?;
    return_memory();
    phase("rules", || {
        rules::check(
            rules::Inputs {
                policy,
                assignment: &assignment,
                plan: &plan,
                images: &images,
            },
            findings,
        )
    })?;
    if levels::stop(findings) {
        return Ok(None);
    }
    Ok(Some(Analysed { plan, images }))
}

/// Gives the system what a phase has freed. The next ones and their threads, for which the C
/// library keeps memory apart, would take new memory beside it; and linkers have use for it.
fn return_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// What the program may do that the lock file beside its manifest does not list. A
/// project that has none is not asked for one.
fn widened(line: &LinkLine, policy: &Policy, plan: &Plan) -> anyhow::Result<Findings> {
    let path = lock_file::path_beside(&line.manifest, line.variant.as_deref());
    let Some(lock) = lock_file::Lock::read(&path)?.filter(|_| line.has_lock()) else {
        return Ok(Findings::new());
    };
    Ok(locked::check(
        &lock,
        &path,
        line.name(),
        &authority::Program::of(plan, policy),
        Some(policy),
        Exactness::NothingMore,
    ))
}

/// Files that the manifest names, interface files included: the program must be linked again for them.
pub fn sources(line: &LinkLine) -> Vec<Utf8PathBuf> {
    let Ok(policy) = manifest::load(&line.manifest, line.variant.as_deref()) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    if line.purpose == Purpose::Lint
        && !Report::read(&line.output)
            .is_ok_and(|report| report.is_some_and(|report| report.authority.is_some()))
    {
        // What was missing may be there the next time: a file that never is makes
        // cargo ask again.
        files.push(line.directory.join("judged-in-full"));
    }
    if line.locked {
        files.push(lock_file::path_beside(
            &line.manifest,
            line.variant.as_deref(),
        ));
    }
    let interfaces = policy.interfaces.iter().filter(|interface| interface.own);
    files.extend(interfaces.map(|interface| interface.file.clone()));
    for cubicle in policy.cubicles.values() {
        files.extend(policy.resolve(&cubicle.objects).0);
        for sources in &cubicle.c {
            files.extend(policy.resolve(&sources.files).0);
        }
    }
    files
}

fn load(line: &LinkLine) -> anyhow::Result<Policy> {
    match manifest::load(&line.manifest, line.variant.as_deref()) {
        Ok(policy) => Ok(policy),
        Err(manifest::LoadError::Rejected(rejected)) => {
            say(&rejected.findings, &rejected.sources);
            Err(Reported { status: 2 }.into())
        }
        Err(error) => Err(error.into()),
    }
}

fn show(policy: &Policy, findings: &mut Findings) {
    findings.sort_by_place();
    let mut sources = policy.sources();
    sources.read_lines_of(findings.iter());
    say(findings, &sources);
}

fn say(findings: &Findings, sources: &Sources) {
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
