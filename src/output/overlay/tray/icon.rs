//! The icon: a gift in a ring of focus, drawn for each size that panels ask for.

use ksni::Icon;
use tiny_skia::{
    Color, FillRule, LineCap, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

/// Sides in pixels: GNOME's and KDE's panels, larger ones, and twice the first
/// for dense screens.
const SIDES: [u32; 3] = [22, 32, 48];
/// The drawing's own units to a side.
const UNITS: f32 = 48.0;
/// Width of the ring and of the stroke that mutes, in those units: two pixels
/// of the smallest size.
const LINE: f32 = 4.4;

const GOLD: [u8; 3] = [0xF5, 0xB8, 0x3D];
const VIOLET: [u8; 3] = [0x7A, 0x45, 0xF5];
const LID: [u8; 3] = [0x94, 0x69, 0xFF];
/// Of a muted gift; on dark panels as on light ones.
const GREY: [u8; 3] = [0x8C, 0x8A, 0x94];
const LIGHT_GREY: [u8; 3] = [0xC9, 0xC7, 0xD0];
const RED: [u8; 3] = [0xE5, 0x3B, 0x4B];

/// The icon in every size.
pub(super) fn icons(is_muted: bool) -> Vec<Icon> {
    SIDES.map(|side| icon(side, is_muted)).into()
}

fn icon(side: u32, is_muted: bool) -> Icon {
    let pixmap = draw(side, is_muted);
    let argb = |pixel: &tiny_skia::PremultipliedColorU8| {
        let straight = pixel.demultiply();
        [
            straight.alpha(),
            straight.red(),
            straight.green(),
            straight.blue(),
        ]
    };
    Icon {
        width: side as i32,
        height: side as i32,
        data: pixmap.pixels().iter().flat_map(argb).collect(),
    }
}

fn draw(side: u32, is_muted: bool) -> Pixmap {
    let mut picture = Picture {
        pixmap: Pixmap::new(side, side).expect("a size that is not 0"),
        scale: Transform::from_scale(side as f32 / UNITS, side as f32 / UNITS),
    };
    let (cloth, lid, ribbon) = if is_muted {
        (GREY, GREY, LIGHT_GREY)
    } else {
        (VIOLET, LID, GOLD)
    };
    let middle = UNITS / 2.0;
    let ring = PathBuilder::from_circle(middle, middle, middle - LINE / 2.0);
    picture.line(ring, ribbon, LINE);
    // The bow's two loops, then the box over their ends.
    for left in [14.5, 24.0] {
        let bow = Rect::from_ltrb(left, 9.5, left + 9.5, 17.5).and_then(PathBuilder::from_oval);
        picture.line(bow, ribbon, 3.0);
    }
    picture.fill((12.0, 22.0, 36.0, 37.0), cloth);
    picture.fill((10.5, 16.5, 37.5, 23.0), lid);
    picture.fill((21.5, 16.5, 26.5, 37.0), ribbon);
    if is_muted {
        let mut stroke = PathBuilder::new();
        stroke.move_to(10.0, 38.0);
        stroke.line_to(38.0, 10.0);
        picture.line(stroke.finish(), RED, LINE);
    }
    picture.pixmap
}

struct Picture {
    pixmap: Pixmap,
    /// From the drawing's units to pixels.
    scale: Transform,
}

impl Picture {
    fn fill(&mut self, (left, top, right, bottom): (f32, f32, f32, f32), tone: [u8; 3]) {
        let path = Rect::from_ltrb(left, top, right, bottom).map(PathBuilder::from_rect);
        if let Some(path) = path {
            let (rule, scale) = (FillRule::Winding, self.scale);
            self.pixmap
                .fill_path(&path, &paint(tone), rule, scale, None);
        }
    }

    fn line(&mut self, path: Option<Path>, tone: [u8; 3], width: f32) {
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            ..Stroke::default()
        };
        if let Some(path) = path {
            self.pixmap
                .stroke_path(&path, &paint(tone), &stroke, self.scale, None);
        }
    }
}

fn paint([red, green, blue]: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(Color::from_rgba8(red, green, blue, 255));
    paint
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alpha, red, green, blue at a place from 0 to 1 across and down.
    fn at(icon: &Icon, across: f32, down: f32) -> &[u8] {
        let side = icon.width as f32;
        let place = (down * side) as usize * icon.width as usize + (across * side) as usize;
        &icon.data[place * 4..][..4]
    }

    #[test]
    fn a_panel_finds_its_size_in_the_bytes_that_it_expects() {
        for is_muted in [false, true] {
            let icons = icons(is_muted);
            let sides: Vec<_> = icons.iter().map(|icon| (icon.width, icon.height)).collect();
            assert_eq!(sides, [(22, 22), (32, 32), (48, 48)]);
            for icon in &icons {
                assert_eq!(icon.data.len(), (icon.width * icon.height * 4) as usize);
                assert_eq!(at(icon, 0.02, 0.02)[0], 0, "the corners are free");
                assert_eq!(at(icon, 0.5, 0.72)[0], 255, "the gift is not");
            }
        }
    }

    #[test]
    fn a_muted_gift_has_lost_its_colours() {
        let [loud, muted] = [false, true].map(|is_muted| icon(48, is_muted));
        assert_eq!(at(&loud, 0.5, 0.72), [255, GOLD[0], GOLD[1], GOLD[2]]);
        assert_eq!(
            at(&loud, 0.32, 0.55),
            [255, VIOLET[0], VIOLET[1], VIOLET[2]]
        );
        assert_eq!(at(&muted, 0.32, 0.55), [255, GREY[0], GREY[1], GREY[2]]);
        assert_eq!(at(&muted, 0.5, 0.5), [255, RED[0], RED[1], RED[2]]);
    }
}
