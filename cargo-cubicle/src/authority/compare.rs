//! What a program may do that its lock file does not list, and the other way round.

use std::collections::BTreeSet;

use super::{Cubicle, Program, Window};

/// One thing that is granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The cubicle or keyed window that has it; `None`: the whole program.
    pub holder: Option<Holder>,
    /// The key of the lock file it stands under, such as `system-calls`.
    pub kind: &'static str,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    Cubicle(String),
    Window(String),
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Holder::Cubicle(name) => write!(formatter, "cubicle `{name}`"),
            Holder::Window(name) => write!(formatter, "window `{name}`"),
        }
    }
}

/// How a program differs from what was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Granted, and not in the lock file.
    pub widened: Vec<Line>,
    /// In the lock file, and not granted any longer.
    pub narrowed: Vec<Line>,
}

/// Compares what was accepted with what is so now.
pub fn compare(accepted: &Program, now: &Program) -> Difference {
    let (accepted, now) = (lines(accepted), lines(now));
    Difference {
        widened: now.difference(&accepted).cloned().collect(),
        narrowed: accepted.difference(&now).cloned().collect(),
    }
}

fn lines(program: &Program) -> BTreeSet<Line> {
    let mut lines = BTreeSet::new();
    lines.extend(program.weakened.iter().map(|text| Line {
        holder: None,
        kind: "weakened",
        text: text.clone(),
    }));
    for (name, cubicle) in &program.cubicle {
        let holder = Holder::Cubicle(name.clone());
        for (kind, text) in of_cubicle(cubicle) {
            let holder = Some(holder.clone());
            lines.insert(Line { holder, kind, text });
        }
    }
    for (name, window) in &program.window {
        let holder = Holder::Window(name.clone());
        for (kind, text) in of_window(window) {
            let holder = Some(holder.clone());
            lines.insert(Line { holder, kind, text });
        }
    }
    lines
}

fn of_cubicle(cubicle: &Cubicle) -> impl Iterator<Item = (&'static str, String)> {
    let Cubicle {
        key,
        weakened,
        sees,
        calls,
        callbacks,
        lent,
        files,
        system_calls,
    } = cubicle;
    let sets = [
        ("weakened", weakened),
        ("sees", sees),
        ("calls", calls),
        ("callbacks", callbacks),
        ("lent", lent),
        ("files", files),
        ("system-calls", system_calls),
    ];
    let items = sets
        .into_iter()
        .flat_map(|(kind, set)| set.iter().map(move |text| (kind, text.clone())));
    [("key", key.to_string())].into_iter().chain(items)
}

fn of_window(window: &Window) -> impl Iterator<Item = (&'static str, String)> {
    let guests = window.guests.iter().map(|text| ("guests", text.clone()));
    let symbols = window.symbols.iter().map(|text| ("symbols", text.clone()));
    [
        ("key", window.key.to_string()),
        ("owner", window.owner.clone()),
    ]
    .into_iter()
    .chain(guests)
    .chain(symbols)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_one_line() {
        let mut accepted = Program::default();
        let app = accepted.cubicle.entry("app".to_owned()).or_default();
        app.calls.insert("codec: decode".to_owned());
        app.system_calls.insert("read".to_owned());
        let mut now = accepted.clone();
        assert_eq!(compare(&accepted, &now), Difference::default());

        let app = now.cubicle.get_mut("app").unwrap();
        app.calls.insert("codec: encode".to_owned());
        app.system_calls.clear();
        let difference = compare(&accepted, &now);
        let line = |kind, text: &str| Line {
            holder: Some(Holder::Cubicle("app".to_owned())),
            kind,
            text: text.to_owned(),
        };
        assert_eq!(difference.widened, [line("calls", "codec: encode")]);
        assert_eq!(difference.narrowed, [line("system-calls", "read")]);
    }
}
