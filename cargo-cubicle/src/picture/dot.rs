//! The picture for Graphviz.

use std::fmt::Write;

use super::{Picture, svg};

/// A `digraph`.
pub fn draw(picture: &Picture) -> String {
    let mut text = String::from(
        "digraph partition {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n",
    );
    for cubicle in &picture.cubicles {
        let granted = cubicle.granted.join(" ");
        let _ = writeln!(
            text,
            "    {} [label={}];",
            quoted(&cubicle.name),
            quoted(&format!(
                "{}\nkey {}, {}\n{granted}",
                cubicle.name,
                cubicle.key,
                svg::bytes(cubicle.size)
            ))
        );
    }
    for window in &picture.windows {
        let name = quoted(&format!("window {}", window.name));
        let _ = writeln!(text, "    {name} [shape=component, style=dashed];");
        let _ = writeln!(
            text,
            "    {} -> {name} [style=dotted, dir=none];",
            quoted(&window.owner)
        );
        for (guest, access) in &window.guests {
            let _ = writeln!(
                text,
                "    {} -> {name} [style=dotted, dir=none, label={}];",
                quoted(guest),
                quoted(access)
            );
        }
    }
    for ((from, to), (places, forbidden)) in picture.totals() {
        let colour = if forbidden {
            ", color=red, fontcolor=red"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "    {} -> {} [label=\"{places}\"{colour}];",
            quoted(from),
            quoted(to)
        );
    }
    for sight in &picture.sights {
        let _ = writeln!(
            text,
            "    {} -> {} [style=dashed, color=blue, fontcolor=blue, label={}];",
            quoted(&sight.from),
            quoted(&sight.to),
            quoted(&format!("sees {}", sight.access))
        );
    }
    text.push_str("}\n");
    text
}

/// A string as DOT writes it.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_strings() {
        assert_eq!(super::quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\"");
    }
}
