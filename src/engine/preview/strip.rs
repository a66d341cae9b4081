//! The strip of controls below a preview's stage: what is where, and how it
//! looks. It knows no window and no clock.

use tiny_skia::{
    Color, FillRule, Paint, PathBuilder, Pixmap, PixmapPaint, PixmapRef, Rect, Transform,
};

use crate::render::caption::{PixelBuffer, Rgba, TextPainter, TextStyle};

/// The strip is designed for a window this wide, and this high there.
const WIDTH: f32 = 1280.0;
const HEIGHT: f32 = 96.0;

const BACKGROUND: [u8; 3] = [0x15, 0x17, 0x1E];
const WELL: [u8; 3] = [0x26, 0x29, 0x35];
const RAISED: [u8; 3] = [0x31, 0x35, 0x45];
const TEXT: [u8; 3] = [0xE2, 0xE5, 0xEE];
const QUIET: [u8; 3] = [0x9A, 0xA0, 0xB2];
const ALARM: [u8; 3] = [0x5A, 0x1E, 0x28];

/// What can be pressed or dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    Play,
    Time,
    PreviousGift,
    NextGift,
    PreviousGround,
    NextGround,
    Quantity,
    Combo,
    Streak,
    Finale,
    Loop,
    Captions,
}

/// What a slider has, at even distances.
pub const QUANTITIES: &[u32] = &[1, 2, 3, 5, 10, 25, 50, 100, 250, 500, 1000];
pub const COMBOS: &[u32] = &[0, 2, 5, 10, 25, 50, 100, 250, 500, 1000];
pub const STREAKS: &[u32] = &[0, 1, 2, 3, 5, 10, 25, 50, 100];

/// The step of `ladder` above or below `value`.
pub fn step(ladder: &[u32], value: u32, up: bool) -> u32 {
    let next = if up {
        ladder.iter().find(|step| **step > value)
    } else {
        ladder.iter().rev().find(|step| **step < value)
    };
    next.copied().unwrap_or(value)
}

/// The step that lies at this share of the slider.
pub fn step_at(ladder: &[u32], share: f32) -> u32 {
    let last = ladder.len() - 1;
    ladder[((share.clamp(0.0, 1.0) * last as f32).round() as usize).min(last)]
}

/// Where `value` lies on the slider, 0 to 1.
fn share_of(ladder: &[u32], value: u32) -> f32 {
    let above = ladder.partition_point(|step| *step <= value);
    let last = (ladder.len() - 1) as f32;
    match (above.checked_sub(1).map(|at| ladder[at]), ladder.get(above)) {
        (None, _) => 0.0,
        (Some(_), None) => 1.0,
        (Some(low), Some(high)) => {
            let within = (value - low) as f32 / (high - low) as f32;
            ((above - 1) as f32 + within) / last
        }
    }
}

/// A rectangle in pixels, from the strip's top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    fn holds(&self, x: f32, y: f32) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }

    /// How far along it lies `x`, 0 to 1.
    pub fn share(&self, x: f32) -> f32 {
        ((x - self.x) / self.width).clamp(0.0, 1.0)
    }
}

/// Where everything is in a window of some width.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    pub width: u32,
    pub height: u32,
    scale: f32,
    places: Vec<(Control, Area)>,
}

impl Layout {
    pub fn of(window_width: u32) -> Self {
        let scale = (window_width as f32 / WIDTH).clamp(0.5, 1.6);
        let right = window_width as f32 / scale;
        let mut places = vec![
            (Control::Play, [12.0, 10.0, 40.0]),
            (Control::Time, [64.0, 10.0, right - 64.0 - 150.0]),
        ];
        let row = [
            (Control::PreviousGift, 30.0, 150.0),
            (Control::NextGift, 30.0, 12.0),
            (Control::PreviousGround, 30.0, 100.0),
            (Control::NextGround, 30.0, 12.0),
            (Control::Quantity, 176.0, 10.0),
            (Control::Combo, 176.0, 10.0),
            (Control::Streak, 176.0, 12.0),
            (Control::Finale, 80.0, 8.0),
            (Control::Loop, 70.0, 8.0),
            (Control::Captions, 100.0, 0.0),
        ];
        let mut x = 12.0;
        for (control, width, gap) in row {
            places.push((control, [x, 52.0, width]));
            x += width + gap;
        }
        let places = places
            .into_iter()
            .map(|(control, [x, y, width])| {
                let area = Area {
                    x: x * scale,
                    y: y * scale,
                    width: width * scale,
                    height: 34.0 * scale,
                };
                (control, area)
            })
            .collect();
        Self {
            width: window_width,
            height: (HEIGHT * scale).round() as u32,
            scale,
            places,
        }
    }

    pub fn area(&self, control: Control) -> Area {
        self.places
            .iter()
            .find(|(other, _)| *other == control)
            .map(|(_, area)| *area)
            .expect("every control has its place")
    }

    /// What is at a point of the strip.
    pub fn at(&self, x: f32, y: f32) -> Option<Control> {
        self.places
            .iter()
            .find(|(_, area)| area.holds(x, y))
            .map(|(control, _)| *control)
    }

    /// The groove of the time bar, in which the head moves.
    pub fn groove(&self) -> Area {
        let bar = self.area(Control::Time);
        let height = (8.0 * self.scale).round();
        Area {
            y: (bar.y + (bar.height - height) / 2.0).round(),
            height,
            ..bar
        }
    }
}

/// All that the strip says.
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    pub gift: String,
    pub ground: String,
    pub time: String,
    pub quantity: u32,
    pub combo: u32,
    pub streak: u32,
    pub has_finale: bool,
    pub is_looping: bool,
    pub has_captions: bool,
    pub is_playing: bool,
    /// Moments worth marking, as shares of the time bar.
    pub marks: Vec<f32>,
    /// The gift's own colour, sRGB.
    pub accent: [u8; 3],
}

/// Paints the strip.
pub fn paint(painter: &mut TextPainter, layout: &Layout, readout: &Readout) -> Pixmap {
    let mut canvas = Canvas::new(painter, layout.width, layout.height, layout.scale);
    canvas.pixmap.fill(color(BACKGROUND));
    let play = layout.area(Control::Play);
    canvas.button(play, RAISED);
    canvas.play_sign(play, readout.is_playing);
    canvas.round(layout.groove(), WELL);
    for share in &readout.marks {
        let groove = layout.groove();
        canvas.round(
            Area {
                x: groove.x + groove.width * share - layout.scale,
                y: groove.y - 5.0 * layout.scale,
                width: 2.0 * layout.scale,
                height: groove.height + 10.0 * layout.scale,
            },
            QUIET,
        );
    }
    let bar = layout.area(Control::Time);
    let right = layout.width as f32 - 14.0 * layout.scale;
    canvas.text(&readout.time, right, bar.y + bar.height / 2.0, 1.0, TEXT);

    for (back, forth, word) in [
        (Control::PreviousGift, Control::NextGift, &readout.gift),
        (
            Control::PreviousGround,
            Control::NextGround,
            &readout.ground,
        ),
    ] {
        let (back, forth) = (layout.area(back), layout.area(forth));
        let middle = (back.x + back.width + forth.x) / 2.0;
        for (area, sign) in [(back, "\u{2039}"), (forth, "\u{203a}")] {
            canvas.button(area, RAISED);
            let (x, y) = (area.x + area.width / 2.0, area.y + area.height / 2.0);
            canvas.text(sign, x, y, 0.5, TEXT);
        }
        canvas.text(word, middle, back.y + back.height / 2.0, 0.5, TEXT);
    }
    for (control, word, ladder, value) in [
        (Control::Quantity, "Quantity", QUANTITIES, readout.quantity),
        (Control::Combo, "Combo", COMBOS, readout.combo),
        (Control::Streak, "Streak", STREAKS, readout.streak),
    ] {
        let area = layout.area(control);
        canvas.slider(area, word, value, share_of(ladder, value), readout.accent);
    }
    for (control, word, is_on) in [
        (Control::Finale, "Finale", readout.has_finale),
        (Control::Loop, "Loop", readout.is_looping),
        (Control::Captions, "Captions", readout.has_captions),
    ] {
        let area = layout.area(control);
        canvas.button(area, if is_on { RAISED } else { BACKGROUND });
        let (x, y) = (area.x + area.width / 2.0, area.y + area.height / 2.0);
        canvas.text(word, x, y, 0.5, if is_on { TEXT } else { QUIET });
        if is_on {
            let line = Area {
                x: area.x + 14.0 * layout.scale,
                y: area.y + area.height - 5.0 * layout.scale,
                width: area.width - 28.0 * layout.scale,
                height: 2.0 * layout.scale,
            };
            canvas.round(line, readout.accent);
        }
    }
    canvas.pixmap
}

/// Letters on one line of a complaint, and how many lines are shown.
const LETTERS: usize = 120;
const LINES: usize = 6;

/// Paints what is wrong, over the width of the window.
pub fn paint_faults(painter: &mut TextPainter, layout: &Layout, faults: &[String]) -> Pixmap {
    let lines: Vec<String> = faults
        .iter()
        .flat_map(|fault| wrap(fault, LETTERS))
        .take(LINES)
        .collect();
    let row = 26.0 * layout.scale;
    let height = (row * lines.len() as f32 + 20.0 * layout.scale).ceil() as u32;
    let mut canvas = Canvas::new(painter, layout.width, height, layout.scale);
    canvas.pixmap.fill(color(ALARM));
    for (index, line) in lines.iter().enumerate() {
        let y = 10.0 * layout.scale + row * (index as f32 + 0.5);
        canvas.text(line, 16.0 * layout.scale, y, 0.0, TEXT);
    }
    canvas.pixmap
}

/// Breaks between words where there are any.
fn wrap(text: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the start");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > letters {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn color([r, g, b]: [u8; 3]) -> Color {
    Color::from_rgba8(r, g, b, 255)
}

struct Canvas<'a> {
    painter: &'a mut TextPainter,
    pixmap: Pixmap,
    scale: f32,
}

impl<'a> Canvas<'a> {
    fn new(painter: &'a mut TextPainter, width: u32, height: u32, scale: f32) -> Self {
        let pixmap = Pixmap::new(width.max(1), height.max(1)).expect("a strip is no large picture");
        Self {
            painter,
            pixmap,
            scale,
        }
    }

    fn fill(&mut self, path: Option<tiny_skia::Path>, tone: [u8; 3]) {
        let Some(path) = path else { return };
        let mut paint = Paint {
            anti_alias: true,
            ..Paint::default()
        };
        paint.set_color(color(tone));
        let still = Transform::identity();
        self.pixmap
            .fill_path(&path, &paint, FillRule::Winding, still, None);
    }

    /// A rectangle with corners as round as they can be.
    fn round(&mut self, area: Area, tone: [u8; 3]) {
        self.rounded(area, area.width.min(area.height) / 2.0, tone);
    }

    fn button(&mut self, area: Area, tone: [u8; 3]) {
        self.rounded(area, 8.0 * self.scale, tone);
    }

    fn rounded(&mut self, area: Area, radius: f32, tone: [u8; 3]) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        let (right, bottom) = (x + width, y + height);
        let mut path = PathBuilder::new();
        path.move_to(x + radius, y);
        path.line_to(right - radius, y);
        path.quad_to(right, y, right, y + radius);
        path.line_to(right, bottom - radius);
        path.quad_to(right, bottom, right - radius, bottom);
        path.line_to(x + radius, bottom);
        path.quad_to(x, bottom, x, bottom - radius);
        path.line_to(x, y + radius);
        path.quad_to(x, y, x + radius, y);
        path.close();
        self.fill(path.finish(), tone);
    }

    fn play_sign(&mut self, area: Area, is_playing: bool) {
        let (x, y, s) = (
            area.x + area.width / 2.0,
            area.y + area.height / 2.0,
            self.scale,
        );
        if is_playing {
            for left in [x - 6.0 * s, x + 2.0 * s] {
                let bar = Rect::from_xywh(left, y - 8.0 * s, 4.0 * s, 16.0 * s);
                self.fill(bar.map(PathBuilder::from_rect), TEXT);
            }
            return;
        }
        let mut path = PathBuilder::new();
        path.move_to(x - 5.0 * s, y - 9.0 * s);
        path.line_to(x + 9.0 * s, y);
        path.line_to(x - 5.0 * s, y + 9.0 * s);
        path.close();
        self.fill(path.finish(), TEXT);
    }

    fn slider(&mut self, area: Area, word: &str, value: u32, share: f32, accent: [u8; 3]) {
        let s = self.scale;
        let line = area.y + 10.0 * s;
        self.text(word, area.x, line, 0.0, QUIET);
        self.text(&value.to_string(), area.x + area.width, line, 1.0, TEXT);
        let groove = Area {
            y: area.y + 24.0 * s,
            height: 6.0 * s,
            ..area
        };
        self.round(groove, WELL);
        let width = (groove.width * share).max(groove.height);
        self.round(Area { width, ..groove }, accent);
        let knob = 14.0 * s;
        self.round(
            Area {
                x: area.x + area.width * share - knob / 2.0,
                y: groove.y + groove.height / 2.0 - knob / 2.0,
                width: knob,
                height: knob,
            },
            TEXT,
        );
    }

    /// One line, with its middle at `y` and `align` of its width before `x`.
    fn text(&mut self, text: &str, x: f32, y: f32, align: f32, tone: [u8; 3]) {
        let [r, g, b] = tone;
        let style = TextStyle::new(16.0 * self.scale).colour(Rgba { r, g, b, a: 255 });
        let PixelBuffer {
            width,
            height,
            rgba,
            body,
            ..
        } = self.painter.paint_line(&style, text);
        let Some(line) = PixmapRef::from_bytes(&rgba, width, height) else {
            return;
        };
        let left = (x - body.width * align - body.x).round() as i32;
        let top = (y - body.height / 2.0 - body.y).round() as i32;
        let (paint, still) = (PixmapPaint::default(), Transform::identity());
        self.pixmap
            .draw_pixmap(left, top, line, &paint, still, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sliders_go_from_step_to_step_and_stay_at_their_ends() {
        assert_eq!(step(QUANTITIES, 1, true), 2);
        assert_eq!(step(QUANTITIES, 7, true), 10);
        assert_eq!(step(QUANTITIES, 7, false), 5);
        assert_eq!(step(QUANTITIES, 1000, true), 1000);
        assert_eq!(step(COMBOS, 0, false), 0);
        for ladder in [QUANTITIES, COMBOS, STREAKS] {
            for value in ladder {
                assert_eq!(step_at(ladder, share_of(ladder, *value)), *value);
            }
            assert_eq!(step_at(ladder, -1.0), ladder[0]);
            assert_eq!(step_at(ladder, 2.0), ladder[ladder.len() - 1]);
        }
        assert!(share_of(QUANTITIES, 2000) <= 1.0);
    }

    #[test]
    fn no_control_lies_on_another_or_beyond_the_window() {
        for width in [640, 1280, 1920, 3840] {
            let layout = Layout::of(width);
            for (index, (control, area)) in layout.places.iter().enumerate() {
                assert!(
                    area.x + area.width <= width as f32
                        && area.y + area.height <= layout.height as f32,
                    "{control:?} in {width}"
                );
                let (x, y) = (area.x + area.width / 2.0, area.y + area.height / 2.0);
                assert_eq!(layout.at(x, y), Some(*control));
                for (other, theirs) in &layout.places[index + 1..] {
                    let apart = area.x + area.width <= theirs.x
                        || theirs.x + theirs.width <= area.x
                        || area.y + area.height <= theirs.y
                        || theirs.y + theirs.height <= area.y;
                    assert!(apart, "{control:?} and {other:?} in {width}");
                }
            }
        }
    }

    #[test]
    fn complaints_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("longerthanaline", 7), ["longerthanaline"]);
    }
}
