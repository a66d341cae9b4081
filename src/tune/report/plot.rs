//! What the pictures share: scales, axes, colours, and SVG elements.

use std::fmt::{Display, Write};
use std::ops::Range;
use std::time::Duration;

use crate::tune::PROMPT;
use crate::tune::words::number;

/// Width of a picture; heights are its own.
pub(super) const WIDTH: f64 = 760.0;
/// Where the plots begin and end.
pub(super) const ACROSS: Range<f64> = 78.0..648.0;

/// Colours by what they mean, light and dark. The four ends of a gift are the
/// colour-blind safe ones of Okabe and Ito ("Color Universal Design", 2008), made
/// lighter for a dark ground, and differ in lightness as well.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1c2128;--soft:#57606a;--rule:#d9dfe6;\
--band:#e8f1fb;--accent:#0072b2;--played:#0072b2;--streak:#7cc4ee;--folded:#e69f00;\
--refused:#b3420a;--near:#57606a}\
@media(prefers-color-scheme:dark){:root{--ground:#12161c;--ink:#e6eaf0;--soft:#a3adb8;\
--rule:#2b333d;--band:#1a2a3a;--accent:#5bb5f0;--played:#3d94d1;--streak:#a8dbf7;\
--folded:#f0b429;--refused:#ef7d45;--near:#a3adb8}}\
svg.plot{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;\
font-variant-numeric:tabular-nums;background:var(--ground)}\
.plot text{fill:var(--soft)}.plot .head{fill:var(--ink);font-weight:600;font-size:13px}\
.plot .rule{stroke:var(--rule);stroke-width:1}.plot .aim{stroke:var(--soft);stroke-dasharray:5 4}\
.plot .band{fill:var(--band)}.plot .chosen{fill:var(--accent);font-weight:700}\
.plot .line{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}\
.plot .s-p95{stroke:var(--accent)}.plot .f-p95{fill:var(--accent)}\
.plot .s-p50{stroke:var(--near)}.plot .f-p50{fill:var(--near)}\
.plot .s-max{stroke:var(--near);stroke-width:1.5;stroke-dasharray:2 4}\
.plot .f-max{fill:var(--ground);stroke:var(--near);stroke-width:1.5}\
.plot .s-halo{stroke:var(--ground);stroke-width:6}.plot .s-answered{stroke:var(--ink)}\
.plot .f-answered{fill:var(--ink);stroke:var(--ground);stroke-width:1.5}\
.plot .played{fill:var(--played)}.plot .streak{fill:var(--streak)}\
.plot .folded{fill:var(--folded)}.plot .refused{fill:var(--refused)}\
.plot .unseen{fill:var(--rule)}.plot .covered{fill:var(--near)}\
.plot .name{fill:var(--ink)}";

/// Marks of the scale of waits, seconds. Even steps of it are tenfold, but people
/// count in minutes from there on.
const MARKS: [(f64, &str); 9] = [
    (0.01, "0.01 s"),
    (0.1, "0.1 s"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (36_000.0, "10 h"),
    (360_000.0, "100 h"),
];

/// A picture while it is drawn.
pub(super) struct Picture {
    name: &'static str,
    height: f64,
    body: String,
}

/// Waits on a vertical logarithmic scale: what rates do to them spans from a frame
/// to hours.
pub(super) struct WaitScale {
    bottom: f64,
    top: f64,
    marks: &'static [(f64, &'static str)],
}

impl WaitScale {
    /// A scale for waits up to `longest`, from the `bottom` of a plot to its `top`.
    pub fn to(longest: Duration, bottom: f64, top: f64) -> Self {
        let longest = longest.as_secs_f64();
        let last = MARKS.iter().position(|(mark, _)| *mark >= longest);
        // Up to 10 s at least, that the aim is in the picture.
        let marks = &MARKS[..=last.unwrap_or(MARKS.len() - 1).max(3)];
        Self { bottom, top, marks }
    }

    /// What is shorter than the first mark lies on it.
    pub fn y(&self, wait: Duration) -> f64 {
        let (least, most) = (self.marks[0].0, self.marks[self.marks.len() - 1].0);
        let share = (wait.as_secs_f64().clamp(least, most) / least).ln() / (most / least).ln();
        self.bottom + (self.top - self.bottom) * share
    }

    /// Its marks with their lines, and the wait that is aimed at.
    pub fn draw(&self, picture: &mut Picture) {
        for (mark, name) in self.marks {
            let y = self.y(Duration::from_secs_f64(*mark));
            picture.mark(y, name);
        }
        let aim = self.y(PROMPT);
        picture.line_across(aim, "aim");
        let seconds = number(PROMPT.as_secs_f64());
        picture.beside(aim, "", &format!("prompt: {seconds} s"));
    }
}

impl Picture {
    /// `name` tells its parts from those of others on a page.
    pub fn new(name: &'static str, height: f64) -> Self {
        Self {
            name,
            height,
            body: String::new(),
        }
    }

    /// Writes any element.
    pub fn put(&mut self, element: impl Display) {
        let _ = writeln!(self.body, "{element}");
    }

    pub fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        let text = escaped(text);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        ));
    }

    /// What stands over a plot.
    pub fn head(&mut self, y: f64, text: &str) {
        self.text(0.0, y, "start", "head", text);
    }

    /// A mark of a vertical axis, with its line across the plot.
    pub fn mark(&mut self, y: f64, text: &str) {
        self.line_across(y, "rule");
        self.text(ACROSS.start - 8.0, y + 4.0, "end", "", text);
    }

    /// What stands to the right of a plot.
    pub fn beside(&mut self, y: f64, class: &str, text: &str) {
        self.text(ACROSS.end + 8.0, y + 4.0, "start", class, text);
    }

    /// What stands under an axis, in the middle of the plot.
    pub fn below(&mut self, y: f64, text: &str) {
        let middle = f64::midpoint(ACROSS.start, ACROSS.end);
        self.text(middle, y, "middle", "", text);
    }

    /// A rectangle; what it says when it is pointed at.
    pub fn block(&mut self, x: Range<f64>, y: Range<f64>, class: &str, told: &str) {
        let (width, height) = (x.end - x.start, y.end - y.start);
        let (x, y, told) = (x.start, y.start, escaped(told));
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.2}\" width=\"{width:.1}\" height=\"{height:.2}\" \
             class=\"{class}\"><title>{told}</title></rect>"
        ));
    }

    /// A line across the plot.
    pub fn line_across(&mut self, y: f64, class: &str) {
        let Range { start, end } = ACROSS;
        self.put(format_args!(
            "<line x1=\"{start}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"{class}\"/>"
        ));
    }

    /// A line through points.
    pub fn path(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let points = points.join(" ");
        self.put(format_args!(
            "<polyline points=\"{points}\" class=\"line {class}\"/>"
        ));
    }

    /// A point that says something when it is pointed at.
    pub fn dot(&mut self, (x, y): (f64, f64), class: &str, told: &str) {
        let told = escaped(told);
        self.put(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" class=\"{class}\"><title>{told}</title></circle>"
        ));
    }

    /// The whole of it. By itself it brings its own style; a page has that once.
    pub fn finish(self, title: &str, description: &str, style: Option<&str>) -> String {
        let Self { name, height, body } = self;
        let style = style.map_or_else(String::new, |style| format!("<style>{style}</style>\n"));
        let (title, description) = (escaped(title), escaped(description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\" \
             viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             aria-labelledby=\"{name}-title {name}-desc\">\n\
             <title id=\"{name}-title\">{title}</title>\n\
             <desc id=\"{name}-desc\">{description}</desc>\n{style}{body}</svg>\n"
        )
    }
}

/// Text as XML and HTML take it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no word for these.
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
