//! The picture as a page that needs nothing else: the drawing, and below it every function
//! that is called across a border, to be searched, filtered and unfolded to its call sites.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::svg::{self, escaped};
use super::{Crossing, Kind, Picture};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// A document of its own.
pub fn draw(picture: &Picture) -> String {
    let program = escaped(&picture.program);
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{program}: who calls whom</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{program}</h1>\n<figure>\n{}</figure>\n{}",
        svg::draw(picture),
        form(picture)
    );
    let mut borders: BTreeMap<(&str, &str), Vec<&Crossing>> = BTreeMap::new();
    for crossing in &picture.references {
        let border = borders.entry((&crossing.from, &crossing.to)).or_default();
        border.push(crossing);
    }
    for ((from, to), crossings) in borders {
        border(from, to, &crossings, &mut text);
    }
    let _ = write!(text, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    text
}

fn form(picture: &Picture) -> String {
    let mut text = String::from(
        "<form>\n<input id=\"find\" type=\"search\" placeholder=\"function, file or cubicle\" aria-label=\"search\" autocomplete=\"off\">\n",
    );
    let names = |of: fn(&Crossing) -> &str| -> BTreeSet<&str> {
        picture.references.iter().map(of).collect()
    };
    for (id, label, values) in [
        ("from", "from", names(|crossing| &crossing.from)),
        ("to", "to", names(|crossing| &crossing.to)),
        ("kind", "gate", names(|crossing| crossing.kind.name())),
    ] {
        let _ = write!(
            text,
            "<label>{label} <select id=\"{id}\"><option value=\"\">any</option>"
        );
        for value in values {
            let value = escaped(value);
            let _ = write!(text, "<option value=\"{value}\">{value}</option>");
        }
        text.push_str("</select></label>\n");
    }
    text.push_str("<span id=\"count\" role=\"status\"></span>\n</form>\n");
    text
}

fn border(from: &str, to: &str, crossings: &[&Crossing], text: &mut String) {
    let places: usize = crossings.iter().map(|crossing| crossing.places).sum();
    let is_forbidden = crossings.iter().any(|one| one.kind == Kind::Forbidden);
    let _ = writeln!(
        text,
        "<details class=\"border{}\">\n<summary>{} → {}: {}, {}</summary>",
        if is_forbidden { " forbidden" } else { "" },
        escaped(from),
        escaped(to),
        counted(crossings.len(), "symbol"),
        counted(places, "place"),
    );
    for crossing in crossings {
        symbol(crossing, text);
    }
    text.push_str("</details>\n");
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn symbol(crossing: &Crossing, text: &mut String) {
    let kind = crossing.kind.name();
    // What a search looks through.
    let mut searched: Vec<&str> = vec![&crossing.symbol, &crossing.from, &crossing.to, kind];
    for line in &crossing.lines {
        searched.extend([line.file.as_str(), &line.function]);
    }
    let _ = writeln!(
        text,
        "<details class=\"symbol\" data-name=\"{name}\" data-from=\"{}\" data-to=\"{}\" data-kind=\"{kind}\" data-text=\"{}\">\n\
         <summary>{name}<span class=\"kind kind-{kind}\">{kind}, {}</span></summary>\n<p>{}{}</p>",
        escaped(&crossing.from),
        escaped(&crossing.to),
        escaped(&searched.join(" ").to_lowercase()),
        counted(crossing.places, "place"),
        escaped(crossing.kind.explain()),
        match crossing.shape.is_empty() {
            true => String::new(),
            false => format!(". Carries {}", escaped(&crossing.shape)),
        },
        name = escaped(&crossing.symbol),
    );
    list(crossing.lends.iter().map(|lend| escaped(lend)), text);
    let sites = crossing.lines.iter().map(|line| {
        format!(
            "<code>{}:{}</code> in <code>{}</code>",
            escaped(&line.file),
            line.line,
            escaped(&line.function)
        )
    });
    list(sites, text);
    text.push_str("</details>\n");
}

fn list(items: impl Iterator<Item = String>, text: &mut String) {
    let items: Vec<String> = items.map(|item| format!("<li>{item}</li>\n")).collect();
    if !items.is_empty() {
        let _ = writeln!(text, "<ul>\n{}</ul>", items.concat());
    }
}
