//! As much of SVG as a plot needs. Coordinates are in units of the drawing, from its top left.

use std::fmt::Write;

pub struct Drawing {
    body: String,
    width: f64,
    height: f64,
}

/// Where a text stands in respect of its place.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub struct Style {
    pub size: f64,
    pub color: &'static str,
    pub bold: bool,
    pub anchor: Anchor,
    /// Degrees, clockwise.
    pub turned: f64,
}

impl Style {
    pub fn of(size: f64, color: &'static str, anchor: Anchor) -> Style {
        Style {
            size,
            color,
            bold: false,
            anchor,
            turned: 0.0,
        }
    }

    pub fn bold(self) -> Style {
        Style { bold: true, ..self }
    }

    pub fn turned(self, turned: f64) -> Style {
        Style { turned, ..self }
    }
}

impl Drawing {
    pub fn new(width: f64, height: f64) -> Drawing {
        Drawing {
            body: String::new(),
            width,
            height,
        }
    }

    pub fn text(&mut self, x: f64, y: f64, style: Style, text: &str) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let mut attributes = format!(
            "x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"",
            style.size, style.color
        );
        if style.bold {
            attributes += " font-weight=\"bold\"";
        }
        if style.turned != 0.0 {
            let _ = write!(
                attributes,
                " transform=\"rotate({} {x:.1} {y:.1})\"",
                style.turned
            );
        }
        self.element(&format!("<text {attributes}>{}</text>", escape(text)));
    }

    /// `dash` as SVG writes it: lengths of dashes and gaps; none is a whole line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64, dash: &str) {
        let dash = match dash {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        };
        self.element(&format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\" stroke-width=\"{width}\"{dash}/>",
            from.0, from.1, to.0, to.1
        ));
    }

    pub fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), color: &str) {
        self.element(&format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{color}\"/>",
            corner.0, corner.1, size.0, size.1
        ));
    }

    /// What the mark stands for is shown by viewers that can.
    pub fn mark(&mut self, mark: Mark, at: (f64, f64), radius: f64, color: &str, says: &str) {
        let (x, y) = at;
        let title = format!("<title>{}</title>", escape(says));
        let element = match mark {
            Mark::Disc => format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{color}\">{title}</circle>"
            ),
            Mark::Ring => format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"white\" stroke=\"{color}\" \
                 stroke-width=\"1.8\">{title}</circle>"
            ),
            Mark::Diamond => format!(
                "<path d=\"M{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}Z\" fill=\"{color}\">{title}</path>",
                x - radius * 1.2,
                y - radius * 1.2,
                x + radius * 1.2,
                y + radius * 1.2
            ),
        };
        self.element(&element);
    }

    fn element(&mut self, text: &str) {
        self.body += "  ";
        self.body += text;
        self.body.push('\n');
    }

    /// The file.
    pub fn finish(self, title: &str) -> String {
        let (width, height) = (self.width, self.height);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\" role=\"img\">\n\
             <title>{}</title>\n  <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{}</svg>\n",
            escape(title),
            self.body
        )
    }
}

#[derive(Clone, Copy)]
pub enum Mark {
    Disc,
    Ring,
    Diamond,
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
