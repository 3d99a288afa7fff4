//! The figures as tables, which the section prints and the document keeps.

use super::figures::{Faults, Figures, PARTS, Subject};
use super::paper;
use super::queries::Group;

/// Everything: summary, step, queries, calls.
pub fn all(figures: &Figures) -> String {
    [
        about(figures),
        summary(figures),
        queries(figures),
        calls(figures),
    ]
    .join("\n")
}

fn about(figures: &Figures) -> String {
    let mut text = String::from("| measured on | |\n| --- | --- |\n");
    for (key, value) in &figures.about {
        text += &format!("| {key} | {value} |\n");
    }
    text
}

/// Means of per-query ratios, totals and the step, each beside the paper's.
fn summary(figures: &Figures) -> String {
    let image = Subject::OneImage;
    let mean = |subject, base| figures.mean(subject, base, None);
    let mut text = String::from(
        "| mean of per-query ratios | measured | target | CubicleOS |\n| --- | --- | --- | --- |\n",
    );
    let mut row = |name: &str, value: f64, target: Target, paper: Option<f64>| {
        text += &format!(
            "| {name} | {value:.2} | {} | {} |\n",
            target.judged(value),
            number(paper)
        );
    };
    row(
        "one image / Linux",
        mean(image, Subject::Linux),
        Target::None,
        paper::beside_linux(1),
    );
    for parts in PARTS {
        let subject = Subject::Cubicles(parts);
        let target = if parts == 7 {
            Target::AtMost(1.5)
        } else {
            Target::None
        };
        row(
            &format!("{subject} / one image"),
            mean(subject, image),
            target,
            paper::beside_one_image(parts),
        );
    }
    let seven = Subject::Cubicles(7);
    for (group, paper) in [(Group::A, paper::GROUP_A), (Group::B, paper::GROUP_B)] {
        row(
            &format!("… of group {}", group.name()),
            figures.mean(seven, image, Some(group)),
            Target::None,
            Some(paper),
        );
    }
    if let Some((query, ratio)) = figures.worst(seven, image) {
        row(
            &format!("… worst query, {query}"),
            ratio,
            Target::AtMost(3.0),
            None,
        );
    }
    for parts in PARTS {
        let subject = Subject::Cubicles(parts);
        let target = if parts == 7 {
            Target::AtMost(2.0)
        } else {
            Target::None
        };
        row(
            &format!("{subject} / Linux"),
            mean(subject, Subject::Linux),
            target,
            paper::beside_linux(parts),
        );
    }
    row(
        "step: 4 cubicles / 3 cubicles",
        mean(Subject::Cubicles(4), Subject::Cubicles(3)),
        Target::AtMost(1.05),
        Some(paper::STEP),
    );
    for parts in PARTS {
        let subject = Subject::Processes(parts);
        row(
            &format!("{subject} / one image"),
            mean(subject, image),
            Target::None,
            None,
        );
    }
    row(
        "step: 4 processes / 3 processes",
        mean(Subject::Processes(4), Subject::Processes(3)),
        Target::None,
        None,
    );
    row(
        "7 processes / 7 cubicles",
        mean(Subject::Processes(7), seven),
        Target::AtLeast(5.0),
        None,
    );
    let steps = paper::MESSAGE_STEPS.map(|(name, step)| format!("{name} {step}"));
    text += &format!(
        "\nThe paper's steps from 3 parts to 4 in systems of messages: {}.\n\n",
        steps.join(", ")
    );
    text += "| all queries together | seconds | / one image | CubicleOS | / Linux | CubicleOS |\n| --- | --- | --- | --- | --- | --- |\n";
    for subject in Subject::all() {
        let total = figures.total(subject);
        let parts = match subject {
            Subject::OneImage => Some(1),
            Subject::Cubicles(parts) => Some(parts),
            Subject::Linux | Subject::Processes(_) => None,
        };
        text += &format!(
            "| {subject} | {total:.3} | {:.2} | {} | {:.2} | {} |\n",
            total / figures.total(image),
            number(parts.and_then(paper::total_beside_one_image)),
            total / figures.total(Subject::Linux),
            number(parts.and_then(paper::total_beside_linux)),
        );
    }
    text
}

/// What the experiment set out to reach.
enum Target {
    None,
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn judged(&self, value: f64) -> String {
        let (sign, bound, reached) = match self {
            Target::None => return String::new(),
            Target::AtMost(bound) => ("≤", bound, value <= *bound),
            Target::AtLeast(bound) => ("≥", bound, value >= *bound),
        };
        let verdict = if reached { "reached" } else { "missed" };
        format!("{sign} {bound}: {verdict}")
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{value:.2}"))
}

/// A row for each query: milliseconds in one image, and ratios to it.
fn queries(figures: &Figures) -> String {
    let subjects: Vec<Subject> = Subject::all()
        .into_iter()
        .filter(|subject| *subject != Subject::OneImage)
        .collect();
    let mut text = String::from("| query | | group | one image, ms |");
    for subject in &subjects {
        text += &format!(" {subject} |");
    }
    text += "\n| ---: | --- | --- | ---: |";
    text += &" ---: |".repeat(subjects.len());
    text.push('\n');
    for (number, query) in &figures.queries {
        let base = query
            .times
            .get(&Subject::OneImage)
            .copied()
            .unwrap_or(f64::NAN);
        text += &format!(
            "| {number} | {} | {} | {:.1} |",
            query.title,
            Group::of(*number).name(),
            base / 1000.0
        );
        for subject in &subjects {
            let ratio = query
                .times
                .get(subject)
                .map_or(f64::NAN, |time| time / base);
            text += &format!(" {ratio:.2} |");
        }
        text.push('\n');
    }
    text
}

/// Who calls whom, and what that is in processes: a message to ask and one to answer.
fn calls(figures: &Figures) -> String {
    let mut text = String::from("| seven parts: who calls whom | calls |\n| --- | ---: |\n");
    for ((caller, callee), number) in &figures.calls {
        text += &format!("| {caller} → {callee} | {number} |\n");
    }
    let all: u64 = figures.calls.values().sum();
    text += &format!("| all | {all} |\n\n| system calls of a run | |\n| --- | ---: |\n");
    for (subject, number) in &figures.system_calls {
        text += &format!("| {subject} | {number} |\n");
    }
    text += &format!(
        "| 7 processes: two to send, two to receive for each call | {} |\n",
        4 * all
    );
    let Faults { number, price } = figures.faults;
    text += &format!(
        "\n| windows of 7 cubicles | |\n| --- | ---: |\n\
         | page faults of a run with keys | {number} |\n\
         | what one takes here, µs | {:.1} |\n\
         | all of them, ms; not in the times above | {:.0} |\n",
        price / 1e3,
        number as f64 * price / 1e6
    );
    text
}
