//! Where on stage an act plays: positions and sizes in stage units.

use bevy::prelude::*;

use crate::catalog::{Key, Lane};
use crate::stage::Act;

/// The shorter side of the stage, in stage units.
pub const SHORT_SIDE: f32 = 1_000.0;

/// How far apart features are on a wide stage, of its width.
pub const FEATURES_APART: f32 = 0.3;
/// How far to the sides they make way on a high one, of its width.
pub const FEATURES_ASIDE: f32 = 0.27;
/// How large a feature is that has its usual room.
const FEATURE: f32 = 0.78;

/// The stage's size in pixels and units.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct StageSize {
    pub pixels: UVec2,
}

impl StageSize {
    /// Width and height in stage units.
    pub fn units(&self) -> Vec2 {
        let pixels = self.pixels.as_vec2();
        pixels * (SHORT_SIDE / pixels.min_element())
    }

    /// Pixels to one stage unit.
    pub fn density(&self) -> f32 {
        self.pixels.min_element() as f32 / SHORT_SIDE
    }
}

/// How a key turns a thing: about its own upright axis, then tipped, then rolled
/// in the picture's plane.
pub fn rotation(key: &Key) -> Quat {
    Quat::from_rotation_z(key.roll.to_radians())
        * Quat::from_rotation_x(key.pitch.to_radians())
        * Quat::from_rotation_y(key.yaw.to_radians())
}

/// Where an act's own origin is and how large its units are.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    pub origin: Vec2,
    pub scale: f32,
    /// 1 as ever, less where it fades instead of moving.
    pub presence: f32,
}

impl Placement {
    /// The middle of the stage, at full size.
    pub const MIDDLE: Self = Self {
        origin: Vec2::ZERO,
        scale: 1.0,
        presence: 1.0,
    };

    /// How much smaller than by itself what belongs to an act is drawn.
    pub fn crowding(&self, lane: Lane) -> f32 {
        match lane {
            Lane::Ambient => (self.scale / 0.5).min(1.0),
            Lane::Feature | Lane::Headline => 1.0,
        }
    }

    /// The place of an act. A headline has the stage; features stand in its
    /// thirds, the outer ones first, and make way for a headline; ambient acts keep
    /// to the outer thirds, so that what the stream is about stays in view, and to
    /// the room they have there.
    pub fn of(act: &Act, stage: &StageSize, room: &AmbientRoom, has_headline: bool) -> Self {
        let size = stage.units();
        match act.lane {
            Lane::Headline => Self::MIDDLE,
            Lane::Feature => Self::feature(act.slot, size, room, has_headline),
            Lane::Ambient => Self::ambient(act.slot, act.seed, size, room),
        }
    }

    /// Where something comes from or goes to that does so beyond the stage's edge: as
    /// far out as that is from here. Tracks are made for a wide stage and the usual
    /// places on it, and a key past those is past any. `distance` is the camera's where
    /// there is depth.
    pub fn beyond_the_edge(&self, end: Key, lane: Lane, distance: f32, stage: &StageSize) -> Key {
        if end.alpha * end.scale <= 0.0 {
            // Nobody sees where.
            return end;
        }
        let size = stage.units();
        let (scale, usual_edge) = match lane {
            Lane::Headline => (1.0, Vec2::new(889.0, 500.0)),
            // The far one, from a place that is not in the middle.
            Lane::Feature | Lane::Ambient => (FEATURE, Vec2::new(1_422.0, 500.0)),
        };
        // How much of an edge's distance from the middle counts so deep in the picture.
        let depth = |scale: f32, distance: f32| 1.0 - end.z * scale / distance;
        let here = depth(self.scale, distance);
        let usual = depth(scale, distance * SHORT_SIDE / size.y);
        let out = |along: f32, origin: f32, edge: f32, usual_edge: f32| {
            let reach = (edge * here - along.signum() * origin) / self.scale;
            let lack = (reach - usual_edge * usual / scale).max(0.0);
            match along.abs() * scale > usual_edge {
                true => along + along.signum() * lack,
                false => along,
            }
        };
        Key {
            x: out(end.x, self.origin.x, 0.5 * size.x, usual_edge.x),
            y: out(end.y, self.origin.y, 0.5 * size.y, usual_edge.y),
            ..end
        }
    }

    fn feature(slot: usize, size: Vec2, room: &AmbientRoom, has_headline: bool) -> Self {
        let is_wide = size.x >= size.y;
        let places = match (has_headline, is_wide) {
            (false, true) => [(FEATURES_APART, 0.0), (-FEATURES_APART, 0.0), (0.0, 0.0)],
            (false, false) => [(0.0, 0.3), (0.0, -0.3), (0.0, 0.0)],
            // Of two on one side the upper one's card is between them.
            (true, true) => [(0.36, 0.0), (-0.36, -0.16), (-0.36, 0.32)],
            (true, false) => [
                (FEATURES_ASIDE, 0.36),
                (0.0, -0.36),
                (-FEATURES_ASIDE, 0.36),
            ],
        };
        let slot = slot % places.len();
        let (along, up) = places[slot];
        let beside = match (is_wide, slot) {
            (false, _) => room.between,
            (true, 0) => room.right,
            (true, 1) if !has_headline => room.left,
            // Nothing is in the middle, and two on one side need all of it.
            (true, _) => None,
        };
        let free = beside.unwrap_or(Free {
            low: -0.5 * size.y,
            high: 0.5 * size.y,
        });
        let height = free.high - free.low;
        let middle = free.low.midpoint(free.high);
        let (least, lift) = match (is_wide, beside) {
            // By itself on its side, it has room at its rims.
            (true, _) => (0.75, 0.0),
            // Its card reaches further down than itself up.
            (false, Some(_)) => (0.0, 0.05),
            (false, None) => (0.0, 0.0),
        };
        let scale = if has_headline { 0.55 } else { FEATURE };
        Self {
            origin: Vec2::new(along * size.x, middle + (up + lift) * height),
            scale: scale * (height / size.y).max(least),
            presence: 1.0,
        }
    }

    /// A step towards another place, `share` of the way.
    pub fn towards(self, goal: Self, share: f32) -> Self {
        let next = Self {
            origin: self.origin.lerp(goal.origin, share),
            scale: self.scale.lerp(goal.scale, share),
            presence: goal.presence,
        };
        // What is this near is there: nothing moves for ever.
        let is_there =
            next.origin.distance(goal.origin) < 0.5 && (next.scale - goal.scale).abs() < 0.001;
        if is_there { goal } else { next }
    }

    /// The same for people whom movement troubles, `share` of a fade: it goes where it
    /// was, and comes where it is to be.
    pub fn fading_towards(self, goal: Self, share: f32) -> Self {
        let is_there = self.origin == goal.origin && self.scale == goal.scale;
        let presence = match is_there {
            true => (self.presence + share).min(goal.presence),
            false => (self.presence - share).max(0.0),
        };
        match is_there || presence <= 0.0 {
            true => Self { presence, ..goal },
            false => Self { presence, ..self },
        }
    }

    /// Left and right in turn, and on each side down its columns; where a stage is
    /// higher than wide, above and below. The golden ratio spreads successive places
    /// without their ever lining up.
    fn ambient(slot: usize, seed: u32, size: Vec2, room: &AmbientRoom) -> Self {
        let (side, beside) = match slot.is_multiple_of(2) {
            true => (-1.0, room.left),
            false => (1.0, room.right),
        };
        // A crowd stands closer.
        let scale = match slot {
            0..8 => 0.5,
            8..20 => 0.4,
            _ => 0.3,
        };
        let place = slot / 2;
        let sway = ((seed >> 8) & 0xff) as f32 / 255.0 - 0.5;
        let spread = (place as f32 * 0.618_034 + 0.5 + 0.08 * sway).fract() - 0.5;
        let origin = match beside {
            Some(free) => {
                let (low, high) = free.for_origins(scale);
                let out = COLUMNS[place % COLUMNS.len()];
                Vec2::new(
                    side * out * size.x,
                    low.midpoint(high) + spread * (high - low),
                )
            }
            None if size.x >= size.y => {
                size * Vec2::new(side * COLUMNS[place % 3], spread * AMBIENT_SPREAD)
            }
            None => {
                let out = COLUMNS[place % 3];
                let along = spread * AMBIENT_SPREAD * size.x;
                let y = match room.between {
                    None => side * out * size.y,
                    Some(free) => {
                        let (low, high) = free.for_origins(scale);
                        // The furthest out stand at the edges of what is free.
                        let inwards = (COLUMNS[1] - out) * (high - low);
                        match side > 0.0 {
                            true => high - inwards,
                            false => low + inwards,
                        }
                    }
                };
                Vec2::new(along, y)
            }
        };
        Self {
            origin,
            scale,
            presence: 1.0,
        }
    }
}

/// How far out ambient acts stand, of the stage's longer side. The last one only
/// where they have less than its height.
const COLUMNS: [f32; 4] = [0.36, 0.435, 0.285, 0.21];

/// Of the other side, over how much of it they are spread.
const AMBIENT_SPREAD: f32 = 0.66;

/// How far an act reaches above its origin and, with its card, below, stage units at
/// full size.
const ABOVE: f32 = 260.0;
const BELOW: f32 = 360.0;

/// Where acts stand beside the board: small gifts come by the dozen and would cover a
/// list for as long as a flood lasts, a large one covers all of it. `None`: nothing is
/// in the way.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct AmbientRoom {
    /// On a wide stage.
    left: Option<Free>,
    right: Option<Free>,
    /// On a high one.
    between: Option<Free>,
}

/// Stage units, y pointing up.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Free {
    low: f32,
    high: f32,
}

impl Free {
    /// The least that is of use, of the stage's height.
    const LEAST: f32 = 0.4;

    /// Between what two heights origins of acts of this scale are.
    fn for_origins(self, scale: f32) -> (f32, f32) {
        let (low, high) = (self.low + BELOW * scale, self.high - ABOVE * scale);
        (low.min(high), high)
    }
}

impl AmbientRoom {
    /// Above or below these parts of a board, each with its middle and size. A side
    /// that would be left with too little is used as if nothing were there.
    pub fn beside(parts: &[(Vec2, Vec2)], stage: &StageSize) -> Self {
        let size = stage.units();
        let is_wide = size.x >= size.y;
        let usual = Free {
            low: -0.5 * size.y,
            high: 0.5 * size.y,
        };
        // What does not reach further out than this is in nobody's way.
        let inner = match is_wide {
            true => COLUMNS[3] * size.x,
            false => f32::NEG_INFINITY,
        };
        let free_at = |side: f32| {
            let mut free = usual;
            for (middle, body) in parts {
                if side * middle.x + body.x / 2.0 <= inner {
                    continue;
                }
                match middle.y > 0.0 {
                    true => free.high = free.high.min(middle.y - body.y / 2.0),
                    false => free.low = free.low.max(middle.y + body.y / 2.0),
                }
            }
            let is_of_use = free.high - free.low >= Free::LEAST * size.y;
            Some(free).filter(|free| *free != usual && is_of_use)
        };
        match is_wide {
            true => Self {
                left: free_at(-1.0),
                right: free_at(1.0),
                between: None,
            },
            false => Self {
                between: free_at(1.0),
                ..Self::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalog::Catalog;
    use crate::render::deep::model_camera_distance;

    const WIDE: StageSize = StageSize {
        pixels: UVec2::new(1920, 1080),
    };
    const HIGH: StageSize = StageSize {
        pixels: UVec2::new(1080, 1920),
    };
    /// A board's two lists, as they lie on that stage, and its goal.
    const LISTS: [(Vec2, Vec2); 2] = [
        (Vec2::new(-646.0, 264.0), Vec2::new(404.0, 261.0)),
        (Vec2::new(646.0, 305.0), Vec2::new(404.0, 310.0)),
    ];
    const GOAL: (Vec2, Vec2) = (Vec2::new(0.0, 412.0), Vec2::new(574.0, 96.0));
    /// The two lists on a high stage.
    const HIGH_LISTS: [(Vec2, Vec2); 2] = [
        (Vec2::new(-240.0, 700.0), Vec2::new(440.0, 330.0)),
        (Vec2::new(240.0, 680.0), Vec2::new(440.0, 390.0)),
    ];

    fn everybody(room: &AmbientRoom) -> impl Iterator<Item = Placement> {
        (0..60).map(move |slot| {
            let seed = (slot as u32).wrapping_mul(0x9e37_79b9);
            Placement::ambient(slot, seed, WIDE.units(), room)
        })
    }

    #[test]
    fn small_gifts_leave_the_boards_lists_free() {
        let [left, right] = LISTS;
        let room = AmbientRoom::beside(&[left, GOAL, right], &WIDE);
        for it in everybody(&room) {
            let (middle, body) = if it.origin.x < 0.0 { left } else { right };
            assert!(it.origin.y + ABOVE * it.scale <= middle.y - body.y / 2.0);
            assert!(it.origin.y - BELOW * it.scale >= -0.5 * WIDE.units().y);
        }
        // The largest features are so high.
        for (slot, (middle, body)) in [right, left].into_iter().enumerate() {
            let it = Placement::feature(slot, WIDE.units(), &room, false);
            assert!(it.origin.y + 2.0 * ABOVE * it.scale <= middle.y - body.y / 2.0);
        }
        // At the bottom they stand above.
        let below = (left.0 * Vec2::new(1.0, -1.0), left.1);
        let room = AmbientRoom::beside(&[below], &WIDE);
        let on_the_left = everybody(&room).filter(|it| it.origin.x < 0.0);
        for it in on_the_left {
            assert!(it.origin.y - BELOW * it.scale >= below.0.y + below.1.y / 2.0);
        }
    }

    #[test]
    fn on_a_high_stage_they_stand_under_the_lists() {
        let room = AmbientRoom::beside(&HIGH_LISTS, &HIGH);
        let under = 680.0 - 390.0 / 2.0;
        let mut sides = [0; 2];
        for slot in 0..60 {
            let seed = (slot as u32).wrapping_mul(0x9e37_79b9);
            let it = Placement::ambient(slot, seed, HIGH.units(), &room);
            assert!(it.origin.y + ABOVE * it.scale <= under + 0.1, "{it:?}");
            assert!(it.origin.y - BELOW * it.scale >= -0.5 * HIGH.units().y);
            sides[usize::from(it.origin.y > -200.0)] += 1;
        }
        assert!(sides.iter().all(|count| *count > 20), "{sides:?}");
        for has_headline in [false, true] {
            let features =
                [0, 1, 2].map(|slot| Placement::feature(slot, HIGH.units(), &room, has_headline));
            for it in features {
                assert!(it.origin.y + ABOVE * it.scale <= under, "{it:?}");
                // Its card, which is so high, lies over no other one's middle.
                let card = it.origin.y - 500.0 * it.scale;
                for other in features {
                    let is_beside = (other.origin.x - it.origin.x).abs() > 460.0;
                    let off = (other.origin.y - card).abs();
                    assert!(is_beside || off > 52.0, "{it:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn what_comes_or_goes_beyond_the_edge_does_so_at_every_place() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
        let catalog = Catalog::load(&path).unwrap();
        let mut count = 0;
        for (stage, lists) in [(WIDE, LISTS), (HIGH, HIGH_LISTS)] {
            let size = stage.units();
            let rooms = [AmbientRoom::default(), AmbientRoom::beside(&lists, &stage)];
            let features = (0..12).map(|n| {
                let place = Placement::feature(n % 3, size, &rooms[n / 3 % 2], n >= 6);
                (Lane::Feature, place)
            });
            let places: Vec<_> = features
                .chain([(Lane::Headline, Placement::MIDDLE)])
                .collect();
            let distance = model_camera_distance(&stage);
            for recipe in catalog.gifts.values() {
                // With half its height and how far off the camera is.
                let model = recipe.model.iter();
                let model = model.map(|it| (&it.track, 1.2 * it.size, distance));
                let pictures = recipe.pictures.iter();
                let pictures = pictures
                    // The smallest are not seen, they carry others.
                    .filter(|it| recipe.carrier(it).is_none() && it.size > 10.0)
                    .map(|it| (&it.track, 0.5 * it.size, f32::INFINITY));
                for (track, half, distance) in model.chain(pictures) {
                    let ends = [track.0.first(), track.0.last()];
                    let own = places.iter().filter(|(lane, _)| recipe.lane == Some(*lane));
                    for (end, (lane, place)) in ends
                        .into_iter()
                        .flatten()
                        .flat_map(|end| own.clone().map(move |own| (end, own)))
                    {
                        let end = place.beyond_the_edge(*end, *lane, distance, &stage);
                        let depth = 1.0 - end.z * place.scale / distance;
                        let at = place.origin + Vec2::new(end.x, end.y) * place.scale;
                        let half = half * end.scale * place.scale;
                        let out = at.abs() / depth - half - 0.5 * size;
                        assert!(
                            out.max_element() >= 0.0 || end.alpha * end.scale <= 0.05,
                            "{} at {} from {place:?}: {end:?}",
                            recipe.key,
                            end.at
                        );
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 1_000, "{count}");
    }

    #[test]
    fn features_make_way_for_a_headline() {
        for stage in [WIDE, HIGH] {
            let size = stage.units();
            let room = AmbientRoom::default();
            let places = [0, 1, 2].map(|slot| Placement::feature(slot, size, &room, true));
            for (number, place) in places.iter().enumerate() {
                // Half of what a headline has, and half of itself.
                let way = place.origin.abs().max_element();
                assert!(way >= 380.0 + 300.0 * place.scale, "{place:?}");
                for other in &places[number + 1..] {
                    let apart = (place.origin - other.origin).abs().max_element();
                    assert!(apart >= 600.0 * place.scale, "{place:?} {other:?}");
                }
                // And back, in the end exactly.
                let mut moving = *place;
                let usual = Placement::feature(number, size, &room, false);
                for _ in 0..200 {
                    moving = moving.towards(usual, 0.1);
                }
                assert_eq!(moving, usual);
            }
        }
        // The middle of a card is so far below its gift, and half of it so high.
        let [_, lower, upper] = [0, 1, 2]
            .map(|slot| Placement::feature(slot, WIDE.units(), &AmbientRoom::default(), true));
        let card = upper.origin.y - 500.0 * upper.scale;
        assert!(card - 55.0 >= lower.origin.y + ABOVE * lower.scale);
        assert!(upper.origin.y + ABOVE * upper.scale <= 0.5 * WIDE.units().y);
    }

    #[test]
    fn where_little_is_to_move_a_feature_fades_from_one_place_to_the_other() {
        let place = |has_headline| {
            Placement::feature(2, WIDE.units(), &AmbientRoom::default(), has_headline)
        };
        let (usual, aside) = (place(false), place(true));
        let mut seen = Vec::new();
        let mut now = usual;
        for _ in 0..8 {
            now = now.fading_towards(aside, 0.25);
            assert!(now.origin == usual.origin || now.origin == aside.origin);
            seen.push((now.origin == aside.origin, now.presence));
        }
        let expected = [
            (false, 0.75),
            (false, 0.5),
            (false, 0.25),
            (true, 0.0),
            (true, 0.25),
            (true, 0.5),
            (true, 0.75),
            (true, 1.0),
        ];
        assert_eq!(seen, expected);
        assert_eq!(now, aside);
        // One that is called back has not gone anywhere.
        let half = usual.fading_towards(aside, 0.5).fading_towards(usual, 0.5);
        assert_eq!(half, usual);
    }

    #[test]
    fn what_is_not_in_the_way_or_leaves_no_room_moves_nothing() {
        let usual = AmbientRoom::default();
        assert_eq!(AmbientRoom::beside(&[], &WIDE), usual);
        assert_eq!(AmbientRoom::beside(&[GOAL], &WIDE), usual);
        let long = (Vec2::new(646.0, 60.0), Vec2::new(404.0, 800.0));
        assert_eq!(AmbientRoom::beside(&[long], &WIDE), usual);
    }
}
