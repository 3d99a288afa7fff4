//! Evaluates the `cfg(…)` of a table in cargo's configuration.

use std::collections::BTreeSet;

/// Whether `cfg(…)` holds, given rustc's own list: one `name` or
/// `name="value"` for each line of `rustc --print cfg`. `None`: not an expression
/// that cargo would accept.
pub fn holds(expression: &str, facts: &BTreeSet<String>) -> Option<bool> {
    let inner = expression.trim().strip_prefix("cfg")?.trim_start();
    let inner = inner.strip_prefix('(')?.strip_suffix(')')?;
    let mut rest = inner;
    let value = predicate(&mut rest, facts)?;
    rest.trim().is_empty().then_some(value)
}

fn predicate(rest: &mut &str, facts: &BTreeSet<String>) -> Option<bool> {
    *rest = rest.trim_start();
    let end = rest
        .find(|character: char| !(character.is_alphanumeric() || character == '_'))
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after.trim_start();
    if name.is_empty() {
        return None;
    }
    if let Some(inside) = rest.strip_prefix('(') {
        *rest = inside;
        let values = list(rest, facts)?;
        return match (name, values.as_slice()) {
            ("all", values) => Some(values.iter().all(|&value| value)),
            ("any", values) => Some(values.iter().any(|&value| value)),
            ("not", [value]) => Some(!value),
            _ => None,
        };
    }
    if let Some(value) = rest.strip_prefix('=') {
        let value = value.trim_start().strip_prefix('"')?;
        let (value, after) = value.split_once('"')?;
        *rest = after;
        return Some(facts.contains(&format!("{name}=\"{value}\"")));
    }
    Some(name == "true" || facts.contains(name))
}

/// Predicates separated by commas, up to and with the closing bracket.
fn list(rest: &mut &str, facts: &BTreeSet<String>) -> Option<Vec<bool>> {
    let mut values = Vec::new();
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            *rest = after;
            return Some(values);
        }
        values.push(predicate(rest, facts)?);
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            *rest = after;
        } else if !rest.starts_with(')') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_cargo_are_understood() {
        let facts = ["unix", "target_os=\"linux\"", "target_arch=\"x86_64\""];
        let facts = facts.map(str::to_owned).into_iter().collect();
        for (expression, expected) in [
            ("cfg(unix)", Some(true)),
            ("cfg(windows)", Some(false)),
            ("cfg(all(unix, target_os = \"linux\"))", Some(true)),
            (
                "cfg(any(windows, not(target_arch=\"x86_64\"),))",
                Some(false),
            ),
            ("cfg(all())", Some(true)),
            ("cfg(not(unix, windows))", None),
            ("cfg(unix", None),
            ("cfg(unix) windows", None),
            ("x86_64-unknown-linux-gnu", None),
        ] {
            assert_eq!(holds(expression, &facts), expected, "{expression}");
        }
    }
}
