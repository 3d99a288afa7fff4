//! The experiment as a drawing for a talk: on the left what parts cost on average, as cubicles
//! and as processes, beside the paper's; on the right each query.

use super::figures::{Figures, PARTS, Subject};
use super::paper;
use super::queries::Group;
use super::svg::{Anchor, Drawing, Mark, Style};

const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 720.0;

const INK: &str = "#222222";
const GREY: &str = "#767676";
const PALE: &str = "#dddddd";
const SHADE: &str = "#f5f5f5";
// Told apart by people who do not see red or green (Okabe and Ito).
const CUBICLES: &str = "#0072b2";
const PROCESSES: &str = "#d55e00";
const PAPER: &str = "#009e73";

const TOP: f64 = 150.0;
const BOTTOM: f64 = 600.0;
const LEFT_PANEL: (f64, f64) = (90.0, 420.0);
const RIGHT_PANEL: (f64, f64) = (500.0, 1250.0);

/// A logarithmic axis, from the bottom of the panels to their top.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// Ends on ticks, and with everything in between.
    fn around(values: impl Iterator<Item = f64>) -> Axis {
        let mut axis = Axis {
            low: 1.0,
            high: 2.0,
        };
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            while value < axis.low {
                axis.low = ticks()
                    .rev()
                    .find(|tick| *tick < axis.low)
                    .unwrap_or(axis.low / 10.0);
            }
            while value > axis.high {
                axis.high = ticks()
                    .find(|tick| *tick > axis.high)
                    .unwrap_or(axis.high * 10.0);
            }
        }
        axis
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        BOTTOM - share * (BOTTOM - TOP)
    }
}

/// 1, 2, 5 of every power of ten that can occur.
fn ticks() -> impl DoubleEndedIterator<Item = f64> {
    (-3..5).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
}

pub fn draw(figures: &Figures) -> String {
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let title = "SQLite on a library OS in parts: calls beside messages";
    drawing.text(
        40.0,
        52.0,
        Style::of(28.0, INK, Anchor::Start).bold(),
        title,
    );
    drawing.text(
        40.0,
        82.0,
        Style::of(16.0, GREY, Anchor::Start),
        "speedtest1, time beside the same code in one image (1 = no partition); logarithmic",
    );
    means(&mut drawing, figures);
    queries(&mut drawing, figures);
    let about = |key: &str| figures.about.get(key).map_or("?", String::as_str);
    let small = Style::of(12.0, GREY, Anchor::Start);
    let ours = format!(
        "{}; switches of rights: {}; --size {}, medians of {} runs.",
        about("machine"),
        about("switch of rights"),
        about("size"),
        about(super::ROUNDS_IN_LAYOUTS)
    );
    drawing.text(40.0, HEIGHT - 32.0, small, &ours);
    let theirs = "CubicleOS: Sartakov, Vilanova, Pietzuch, ASPLOS 2021, beside Unikraft in one image, on a Xeon Silver 4210.";
    drawing.text(40.0, HEIGHT - 14.0, small, theirs);
    drawing.finish(title)
}

/// A panel's ticks and lines.
fn frame(drawing: &mut Drawing, axis: &Axis, (left, right): (f64, f64), title: &str) {
    drawing.text(
        left,
        TOP - 24.0,
        Style::of(18.0, INK, Anchor::Start).bold(),
        title,
    );
    for tick in ticks().filter(|tick| (axis.low..=axis.high).contains(tick)) {
        let y = axis.place(tick);
        let (color, width) = if tick == 1.0 { (INK, 1.5) } else { (PALE, 1.0) };
        drawing.line((left, y), (right, y), color, width, "");
        drawing.text(
            left - 8.0,
            y + 5.0,
            Style::of(14.0, GREY, Anchor::End),
            &format!("{tick}×"),
        );
    }
}

/// The left panel.
fn means(drawing: &mut Drawing, figures: &Figures) {
    let ours = |subject: fn(u32) -> Subject| {
        PARTS.map(|parts| (parts, figures.mean(subject(parts), Subject::OneImage, None)))
    };
    let paper = PARTS.map(|parts| (parts, paper::beside_one_image(parts).unwrap_or(f64::NAN)));
    let series = [
        (
            ours(Subject::Processes),
            PROCESSES,
            Mark::Diamond,
            "as processes, by messages",
        ),
        (paper, PAPER, Mark::Ring, "CubicleOS (paper)"),
        (ours(Subject::Cubicles), CUBICLES, Mark::Disc, "as cubicles"),
    ];
    let axis = Axis::around(series.iter().flat_map(|row| row.0).map(|point| point.1));
    frame(drawing, &axis, LEFT_PANEL, "Mean of all queries");
    let (left, right) = LEFT_PANEL;
    // The distance of parts on the axis is their number.
    let column = |parts: u32| left + 40.0 + f64::from(parts - 3) / 4.0 * (right - left - 110.0);
    for parts in PARTS {
        drawing.text(
            column(parts),
            BOTTOM + 24.0,
            Style::of(15.0, INK, Anchor::Middle),
            &parts.to_string(),
        );
    }
    drawing.text(
        (left + right) / 2.0,
        BOTTOM + 48.0,
        Style::of(14.0, GREY, Anchor::Middle),
        "parts",
    );
    for (points, color, mark, name) in series {
        let places = points.map(|(parts, value)| (column(parts), axis.place(value)));
        for pair in places.windows(2) {
            drawing.line(pair[0], pair[1], color, 2.0, "");
        }
        for (place, (parts, value)) in places.iter().zip(points) {
            drawing.mark(
                mark,
                *place,
                6.0,
                color,
                &format!("{name}, {parts}: {value:.2}×"),
            );
        }
        let (x, y) = places[2];
        let number = Style::of(16.0, color, Anchor::Start).bold();
        drawing.text(x + 12.0, y + 5.0, number, &format!("{:.2}×", points[2].1));
        // Lines rise to the right, so there is room above them, left of their end.
        let label = Style::of(15.0, color, Anchor::End).bold();
        drawing.text(x - 14.0, y - 10.0, label, name);
    }
}

/// The right panel: groups one beside the other, queries in their order.
fn queries(drawing: &mut Drawing, figures: &Figures) {
    let series = [
        (
            Subject::Processes(7),
            PROCESSES,
            Mark::Diamond,
            "7 processes",
        ),
        (Subject::Linux, GREY, Mark::Ring, "plain Linux, tmpfs"),
        (Subject::Cubicles(7), CUBICLES, Mark::Disc, "7 cubicles"),
    ];
    let ratios = series.map(|row| figures.ratios(row.0, Subject::OneImage, None));
    let axis = Axis::around(ratios.iter().flat_map(|row| row.values().copied()));
    let mut numbers: Vec<u32> = figures.queries.keys().copied().collect();
    numbers.sort_by_key(|number| (Group::of(*number), *number));
    let step = (RIGHT_PANEL.1 - RIGHT_PANEL.0) / (numbers.len() + 1) as f64;
    let in_a = numbers
        .iter()
        .filter(|number| Group::of(**number) == Group::A)
        .count();
    // Group B stands one place further on, on a shade of its own.
    let column = |index: usize| {
        let apart = if index < in_a { 0.5 } else { 1.5 };
        RIGHT_PANEL.0 + (index as f64 + apart) * step
    };
    let border = RIGHT_PANEL.0 + (in_a as f64 + 0.5) * step;
    drawing.rectangle((border, TOP), (RIGHT_PANEL.1 - border, BOTTOM - TOP), SHADE);
    frame(drawing, &axis, RIGHT_PANEL, "Each query");
    let group = Style::of(14.0, GREY, Anchor::Start);
    drawing.text(
        RIGHT_PANEL.0 + 8.0,
        TOP + 18.0,
        group,
        "group A: mostly in SQLite",
    );
    drawing.text(border + 8.0, TOP + 18.0, group, "group B: mostly in the OS");
    for (index, number) in numbers.iter().enumerate() {
        let x = column(index);
        drawing.text(
            x + 4.0,
            BOTTOM + 14.0,
            Style::of(13.0, INK, Anchor::End).turned(-60.0),
            &number.to_string(),
        );
        for ((_, color, mark, name), row) in series.iter().zip(&ratios) {
            if let Some(ratio) = row.get(number) {
                let title = &figures.queries[number].title;
                let says = format!("{number} {title}: {name} {ratio:.2}×");
                drawing.mark(*mark, (x, axis.place(*ratio)), 5.0, color, &says);
            }
        }
    }
    let mut x = RIGHT_PANEL.0 + 130.0;
    for (_, color, mark, name) in series {
        drawing.mark(mark, (x, TOP - 30.0), 6.0, color, name);
        drawing.text(
            x + 12.0,
            TOP - 25.0,
            Style::of(15.0, color, Anchor::Start).bold(),
            name,
        );
        x += 40.0 + 9.0 * name.len() as f64;
    }
}
