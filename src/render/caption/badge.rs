//! What a sender is to the stream, at the edge of their face: a shield for who
//! moderates it, a star for who subscribes. Shapes differ, not only colours, and a
//! dark line keeps both off whatever face they touch.

use tiny_skia::{FillRule, LineJoin, Path, PathBuilder, Pixmap, Point, Stroke, Transform};

use super::avatar::Disc;
use super::colour::{Rgba, gradient, plain};
use crate::model::Badge;

/// From the face's middle to the badge's, both ways, of the diameter.
const OFFSET: f32 = 0.37;
/// The dark line, of the badge's half height.
const LINE: f32 = 0.32;
const DARK: Rgba = Rgba::hex(0x16121E);

/// Paints it at the face's lower corner on the side of the text.
pub(super) fn draw(target: &mut Pixmap, face: &Disc, badge: Badge, mirrored: bool) {
    // With half its height, of the face's diameter: a star has less in it.
    let (path, reach, light, deep) = match badge {
        Badge::Moderator => (shield(), 0.16, Rgba::hex(0x7CF0A8), Rgba::hex(0x149455)),
        Badge::Subscriber => (star(), 0.19, Rgba::hex(0xFFEBA0), Rgba::hex(0xF49A12)),
    };
    let Some(path) = path else { return };
    let reach = face.diameter * reach;
    let aside = face.diameter * OFFSET * if mirrored { -1.0 } else { 1.0 };
    let at = Transform::from_row(
        reach,
        0.0,
        0.0,
        reach,
        face.cx + aside,
        face.cy + face.diameter * OFFSET,
    );
    let stroke = Stroke {
        // Half of it lies beneath the shape.
        width: 2.0 * LINE,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    target.stroke_path(&path, &plain(DARK), &stroke, at, None);
    // Lighter above.
    let lit = gradient(
        (Point::from_xy(0.0, -0.9), light),
        (Point::from_xy(0.0, 0.9), deep),
    );
    target.fill_path(&path, &lit, FillRule::Winding, at, None);
    if badge == Badge::Moderator
        && let Some(half) = half_shield()
    {
        let shade = plain(DARK.with_alpha(0.26));
        target.fill_path(&half, &shade, FillRule::Winding, at, None);
    }
}

/// Five points on a circle of 1, and five between them.
fn star() -> Option<Path> {
    const WAIST: f32 = 0.52;
    let corner = |n: u8| {
        let turn = f32::from(n) * std::f32::consts::PI / 5.0;
        let far = if n.is_multiple_of(2) { 1.0 } else { WAIST };
        (far * turn.sin(), -far * turn.cos())
    };
    let mut path = PathBuilder::new();
    let (x, y) = corner(0);
    path.move_to(x, y);
    for n in 1..10 {
        let (x, y) = corner(n);
        path.line_to(x, y);
    }
    path.close();
    path.finish()
}

/// From -1 to 1, a little narrower than high.
fn shield() -> Option<Path> {
    let mut path = right_of_shield();
    path.cubic_to(-0.62, 0.70, -0.92, 0.16, -0.86, -0.70);
    path.cubic_to(-0.58, -0.70, -0.30, -0.78, 0.0, -1.0);
    path.close();
    path.finish()
}

/// The side of it that lies in the shade.
fn half_shield() -> Option<Path> {
    let mut path = right_of_shield();
    path.close();
    path.finish()
}

/// From the top to the tip.
fn right_of_shield() -> PathBuilder {
    let mut path = PathBuilder::new();
    path.move_to(0.0, -1.0);
    path.cubic_to(0.30, -0.78, 0.58, -0.70, 0.86, -0.70);
    path.cubic_to(0.92, 0.16, 0.62, 0.70, 0.0, 1.0);
    path
}
