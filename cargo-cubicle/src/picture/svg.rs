//! The picture as SVG: boxes in columns, calls as arrows from left to right, windows dotted below, sight dashed.

use std::fmt::Write;

use super::Picture;
use super::layout::Layout;

/// Sizes, px.
const BOX: (f64, f64) = (190.0, 92.0);
const GAP: (f64, f64) = (130.0, 46.0);
const MARGIN: f64 = 30.0;
const WINDOW: f64 = 34.0;

/// A document of its own.
pub fn draw(picture: &Picture) -> String {
    let layout = Layout::of(picture);
    let width = (MARGIN * 2.0 + layout.columns as f64 * (BOX.0 + GAP.0) - GAP.0).max(520.0);
    // Every other column is half a box lower, so that what passes a box is seen.
    let lower = if layout.columns > 2 {
        (BOX.1 + GAP.1) / 2.0
    } else {
        0.0
    };
    let boxes = layout.rows as f64 * (BOX.1 + GAP.1) - GAP.1 + lower;
    let place = |name: &str| {
        let (column, row) = *layout.places.get(name)?;
        let own = layout.heights[column] as f64 * (BOX.1 + GAP.1) - GAP.1;
        let x = MARGIN + column as f64 * (BOX.0 + GAP.0);
        let down = if column % 2 == 1 { lower } else { 0.0 };
        let y = MARGIN + (boxes - lower - own) / 2.0 + down + row as f64 * (BOX.1 + GAP.1);
        Some((x, y))
    };
    let names = layout.places.keys();
    let bottom = names.filter_map(|name| place(name)).map(|(_, y)| y + BOX.1);
    let windows_top = bottom.fold(0.0, f64::max) + 54.0;
    let windows = picture.windows.len() as f64 * WINDOW;
    let height = windows_top - 54.0 + MARGIN + if windows > 0.0 { windows + 20.0 } else { 0.0 };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <defs>{}{}{}</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        arrow("call", "#555"),
        arrow("forbidden", "#c00"),
        arrow("sight", "#06c"),
    );
    let mut labels = String::new();
    let arrows = arrows(picture);
    let ports = Ports::of(&arrows, place);
    for (number, arrow) in arrows.iter().enumerate() {
        if let Some((from, to)) = ports.of_arrow(number) {
            arrow.draw(from, to, &mut text, &mut labels);
        }
    }
    for cubicle in &picture.cubicles {
        let Some((x, y)) = place(&cubicle.name) else {
            continue;
        };
        let (fill, line) = if cubicle.main {
            ("#eef4ff", "#36c")
        } else {
            ("#f7f7f4", "#888")
        };
        let _ = writeln!(
            text,
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"1.5\"/>\
             <text x=\"{}\" y=\"{}\" font-weight=\"600\" font-size=\"15\">{}</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#666\">key {}</text>\
             <text x=\"{}\" y=\"{}\" fill=\"#444\">{}</text>\
             <text x=\"{}\" y=\"{}\" fill=\"#444\" font-size=\"12\">{}</text></g>",
            escaped(&cubicle.claims.join(", ")),
            BOX.0,
            BOX.1,
            x + 12.0,
            y + 25.0,
            escaped(&cubicle.name),
            x + BOX.0 - 12.0,
            y + 25.0,
            cubicle.key,
            x + 12.0,
            y + 50.0,
            bytes(cubicle.size),
            x + 12.0,
            y + 74.0,
            escaped(&short(&granted(&cubicle.granted))),
        );
    }
    text.push_str(&labels);
    for (row, window) in picture.windows.iter().enumerate() {
        let y = windows_top + row as f64 * WINDOW;
        let guests: Vec<String> = window
            .guests
            .iter()
            .map(|(name, access)| format!("{name} {access}"))
            .collect();
        let _ = writeln!(
            text,
            "<g><rect x=\"{MARGIN}\" y=\"{}\" width=\"{}\" height=\"26\" rx=\"13\" fill=\"#fffbe6\" stroke=\"#b90\" stroke-dasharray=\"2 3\"/>\
             <text x=\"{}\" y=\"{}\"><tspan font-weight=\"600\">window {}</tspan><tspan fill=\"#666\"> · key {} · of {} · {}</tspan></text></g>",
            y - 17.0,
            width - 2.0 * MARGIN,
            MARGIN + 14.0,
            y,
            escaped(&window.name),
            window.key,
            escaped(&window.owner),
            escaped(&guests.join(", ")),
        );
    }
    text.push_str("</svg>\n");
    text
}

fn granted(names: &[String]) -> String {
    match names.is_empty() {
        true => "no system calls".to_owned(),
        false => names.join(" "),
    }
}

/// What fits into a box.
fn short(text: &str) -> String {
    const FITS: usize = 27;
    match text.chars().count() > FITS {
        true => text.chars().take(FITS - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

fn arrow(name: &str, colour: &str) -> String {
    format!(
        "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">\
         <path d=\"M0 0 8 4 0 8z\" fill=\"{colour}\"/></marker>"
    )
}

/// What leads from one box to another.
struct Arrow<'p> {
    from: &'p str,
    to: &'p str,
    marker: &'static str,
    colour: &'static str,
    dashes: &'static str,
    label: String,
}

fn arrows(picture: &Picture) -> Vec<Arrow<'_>> {
    let calls = picture
        .totals()
        .into_iter()
        .map(|((from, to), (places, forbidden))| {
            let (marker, colour) = match forbidden {
                true => ("forbidden", "#c00"),
                false => ("call", "#555"),
            };
            Arrow {
                from,
                to,
                marker,
                colour,
                dashes: "none",
                label: places.to_string(),
            }
        });
    let sights = picture.sights.iter().map(|sight| Arrow {
        from: &sight.from,
        to: &sight.to,
        marker: "sight",
        colour: "#06c",
        dashes: "6 4",
        label: format!("sees {}", sight.access),
    });
    calls.chain(sights).collect()
}

/// A point, and on which side of a box it is: 1 right, -1 left.
type Port = (f64, f64, f64);

/// Where arrows leave and enter boxes, so that no two share a point.
struct Ports(Vec<Option<(Port, Port)>>);

impl Ports {
    fn of(arrows: &[Arrow<'_>], place: impl Fn(&str) -> Option<(f64, f64)>) -> Ports {
        // The box, its side, the height of the other end; which arrow, and which end of it.
        let mut ends = Vec::new();
        for (number, arrow) in arrows.iter().enumerate() {
            let (Some(from), Some(to)) = (place(arrow.from), place(arrow.to)) else {
                continue;
            };
            // Sideways, or around the right side of a column.
            let (leaves, enters) = if to.0 > from.0 {
                (1.0, -1.0)
            } else if to.0 < from.0 {
                (-1.0, 1.0)
            } else {
                (1.0, 1.0)
            };
            ends.push((from, leaves, to.1, number, 0));
            ends.push((to, enters, from.1, number, 1));
        }
        let key = |end: &((f64, f64), f64, f64, usize, usize)| (end.0.0, end.0.1, end.1);
        ends.sort_by(|one, other| {
            let (a, b) = (key(one), key(other));
            a.0.total_cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then(a.2.total_cmp(&b.2))
                .then(one.2.total_cmp(&other.2))
                .then(one.3.cmp(&other.3))
        });
        let mut found = vec![[None; 2]; arrows.len()];
        for side in ends.chunk_by(|one, other| key(one) == key(other)) {
            let apart = (BOX.1 - 16.0) / side.len() as f64;
            for (index, (at, side, _, number, end)) in side.iter().enumerate() {
                let x = if *side > 0.0 { at.0 + BOX.0 } else { at.0 };
                let y = at.1 + 8.0 + apart * (index as f64 + 0.5);
                found[*number][*end] = Some((x, y, *side));
            }
        }
        Ports(found.into_iter().map(|[from, to]| from.zip(to)).collect())
    }

    fn of_arrow(&self, number: usize) -> Option<(Port, Port)> {
        self.0[number]
    }
}

impl Arrow<'_> {
    fn draw(&self, from: Port, to: Port, text: &mut String, labels: &mut String) {
        let reach = (GAP.0 * 0.5).max((to.0 - from.0).abs() * 0.4);
        let (pull_from, pull_to) = (from.0 + from.2 * reach, to.0 + to.2 * reach);
        let Arrow {
            marker,
            colour,
            dashes,
            ..
        } = self;
        let _ = writeln!(
            text,
            "<path d=\"M{:.0} {:.0} C{pull_from:.0} {:.0} {pull_to:.0} {:.0} {:.0} {:.0}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" \
             stroke-dasharray=\"{dashes}\" marker-end=\"url(#{marker})\"/>",
            from.0, from.1, from.1, to.1, to.0, to.1,
        );
        // Near where it leaves, before it passes other boxes; those of neighbours not above each other.
        let away = match (self.dashes, (from.1 / 12.0) as u64 % 2) {
            ("none", 0) => 22.0,
            ("none", _) => 48.0,
            _ => 56.0,
        };
        let t = away / (3.0 * reach);
        let at = |a: f64, b: f64, c: f64, d: f64| {
            let (t, s) = (t, 1.0 - t);
            s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
        };
        let _ = writeln!(
            labels,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\">{}</text>",
            at(from.0, pull_from, pull_to, to.0),
            at(from.1, from.1, to.1, to.1) + 4.0,
            escaped(&self.label),
        );
    }
}

/// `1.2 MiB`.
pub fn bytes(size: u64) -> String {
    match size {
        0..=0xf_ffff => format!("{} KiB", size.div_ceil(1 << 10)),
        _ => format!("{:.1} MiB", size as f64 / f64::from(1 << 20)),
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
