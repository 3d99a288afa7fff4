//! Which references may cross a border at all.

use crate::diagnostics::{Code, Finding, Findings, Place};
use crate::graph::edges::{Edge, What};
use crate::graph::symbols::is_version;
use crate::manifest::{Policy, Window};

/// The keyed window in which `owner` has put a variable.
fn window_of<'a>(symbol: &str, owner: &str, policy: &'a Policy) -> Option<&'a Window> {
    policy.windows.values().find(|window| {
        window.owner.value == owner && window.symbols.iter().any(|one| one.value == symbol)
    })
}

/// May this reference cross? If not, the finding says where it is made and what
/// would permit it.
pub fn check(
    edge: &Edge,
    policy: &Policy,
    places: impl FnOnce() -> Vec<Place>,
    findings: &mut Findings,
) -> bool {
    let callee = &policy.cubicles[&edge.to];
    let (from, to, symbol) = (&edge.from, &edge.to, &edge.symbol);
    if !edge.rivals.is_empty() {
        let mut finding = Finding::error(format!(
            "cubicle `{from}` refers to `{symbol}`, which is defined in more than one other cubicle"
        ));
        finding.places.extend(places());
        for owner in std::iter::once(to).chain(&edge.rivals) {
            let span = &policy.cubicles[owner].name.span;
            finding = finding.at(policy.place(span, format!("`{owner}` defines it")));
        }
        findings.push(finding.help(
            "leave it out of all but one, make it `static` there, or give the others another name",
        ));
        return false;
    }
    if is_version(symbol) {
        let mut finding = Finding::error(format!(
            "cubicle `{from}` refers to `{symbol}` of cubicle `{to}`, a version of a symbol that is not the default one"
        ));
        finding.places.extend(places());
        findings.push(
            finding
                .at(policy.place(&callee.name.span, "the cubicle it belongs to"))
                .help("only default versions (`@@`) cross a border: refer to it without a version, or give the old one a name of its own"),
        );
        return false;
    }
    let finding = match edge.what {
        What::Variable => Finding::of_rule(
            Code::CUB002,
            format!("cubicle `{from}` refers to the variable `{symbol}` of cubicle `{to}`"),
        )
        .help(match window_of(symbol, to, policy) {
            Some(window) => format!(
                "window `{}` holds it; to permit it: `guests = {{ {from} = \"r\" }}` in `[window.{}]`",
                window.name.value, window.name.value
            ),
            None => format!(
                "give the cubicle that owns it a function that returns or changes it, or put it into a keyed window: `symbols = [\"{symbol}\"]`"
            ),
        }),
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
