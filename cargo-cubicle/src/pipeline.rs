//! All phases behind the capture, in order: from one program's link line to
//! its partitioned binary.

use camino::Utf8PathBuf;

use crate::assign;
use crate::audit;
use crate::capture::timings::phase;
use crate::capture::{LinkLine, Reported, diagnostic};
use crate::compose::{self, Monitor};
use crate::diagnostics::{Code, Findings, Sources, render};
use crate::gates::texts;
use crate::graph::edges;
use crate::images;
use crate::manifest::{self, Policy};
use crate::plan::{self, encode::encode};

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

    let windows = plan::windows::resolve(&policy, &cubicles, &assignment, &mut findings)?;
    stop_if_denied(&policy, &mut findings)?;

    let graph = phase("graph", || edges::edges(&assignment))?;
    graph.report_unknown_functions(&policy, &mut findings);
    let edges = &graph.edges;
    graph.report_too_many(&policy, &mut findings);
    stop_if_denied(&policy, &mut findings)?;
    let mut images = phase("images", || {
        images::link_all(
            line,
            &policy,
            &assignment,
            &cubicles,
            &windows,
            &graph,
            &mut findings,
        )
    })?;
    stop_if_denied(&policy, &mut findings)?;
    let references = phase("references", || {
        images::references_of_all(&cubicles, &windows, &images, edges)
    })?;

    let plan = phase("plan", || {
        plan::resolve::resolve(
            &plan::resolve::Inputs {
                line,
                policy: &policy,
                assignment: &assignment,
                edges,
                references: &references,
                images: &images,
            },
            cubicles,
            windows,
            &mut findings,
        )
    })?;
    phase("ownership", || {
        plan::ownership::check(&plan, &images, &policy, &mut findings)
    })?;
    stop_if_denied(&policy, &mut findings)?;

    let monitor = Monitor::embedded()?;
    let targets = texts::targets(&plan, &images)?;
    let texts = phase("gates", || {
        texts::emit(&plan, &mut images, &targets, &monitor.entries)
    })?;
    images::check_instructions(&plan, &images, &mut findings);
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
        for (cubicle, image) in plan.cubicles.iter().zip(&images) {
            // Where debuggers and reports look for them.
            let path = line.directory.join(format!("{}.elf", cubicle.name));
            compose::replace(&path, &image.bytes)?;
        }
        if let Some(build) = plan::encode::build_of(&encoded).filter(|_| line.audit) {
            let path = line.directory.join(audit::BUILD_FILE);
            compose::replace(&path, build.to_string().as_bytes())?;
        }
        compose::replace(&line.output, &bytes)
    })?;
    show(&policy, &mut findings);
    Ok(())
}

/// Files that the manifest names, interface files included: the program must be linked again for them.
pub fn sources(line: &LinkLine) -> Vec<Utf8PathBuf> {
    let Ok(policy) = manifest::load(&line.manifest) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    let interfaces = policy.interfaces.iter().filter(|interface| interface.own);
    files.extend(interfaces.map(|interface| interface.file.clone()));
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
