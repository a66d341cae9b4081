//! Where the parts lie: at their anchors, within the margin, beside each other.

use bevy::math::Vec2;

use super::settings::Anchor;

/// Between parts, stage units.
const GAP: f32 = 16.0;

/// The middles of parts of these sizes, in the order given, on a stage of
/// `stage` units, `margin` of its shorter side away from its edges. A part that would lie on an earlier one moves away from its
/// edge of the stage (from the middle: down) until it does not. When there is
/// no room left at all, it stays within the margin and overlaps.
pub fn places(parts: &[(Anchor, Vec2)], stage: Vec2, margin: f32) -> Vec<Vec2> {
    let room = stage * 0.5 - margin * stage.min_element();
    let mut placed: Vec<(Vec2, Vec2)> = Vec::with_capacity(parts.len());
    for &(anchor, size) in parts {
        let half = size / 2.0;
        let reach = (room - half).max(Vec2::ZERO);
        let mut at = reach * Vec2::new(f32::from(anchor.x), f32::from(anchor.y));
        let away = if anchor.y < 0 { 1.0 } else { -1.0 };
        // Each earlier part can push once.
        for _ in 0..placed.len() {
            let blocking = placed.iter().find(|(middle, other)| {
                let apart = (at - *middle).abs() - (half + *other / 2.0);
                apart.x < GAP - 0.01 && apart.y < GAP - 0.01
            });
            let Some((middle, other)) = blocking else {
                break;
            };
            at.y = middle.y + away * (other.y / 2.0 + GAP + half.y);
        }
        placed.push((at.clamp(-reach, reach), size));
    }
    placed.into_iter().map(|(middle, _)| middle).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDE: Vec2 = Vec2::new(1_777.8, 1_000.0);
    const TALL: Vec2 = Vec2::new(1_000.0, 1_777.8);
    /// The designed sizes, in stage units: live, gifters, recent, goal, link.
    const SIZES: [(Anchor, Vec2); 5] = [
        (Anchor::TOP_LEFT, Vec2::new(290.0, 50.0)),
        (Anchor::TOP_RIGHT, Vec2::new(404.0, 310.0)),
        (Anchor::TOP_LEFT, Vec2::new(404.0, 261.0)),
        (Anchor::TOP, Vec2::new(574.0, 96.0)),
        (Anchor::BOTTOM_RIGHT, Vec2::new(330.0, 39.0)),
    ];

    fn overlap(a: (Vec2, Vec2), b: (Vec2, Vec2)) -> bool {
        let apart = (a.0 - b.0).abs() - (a.1 + b.1) / 2.0;
        apart.x < -0.1 && apart.y < -0.1
    }

    fn laid(parts: &[(Anchor, Vec2)], stage: Vec2) -> Vec<(Vec2, Vec2)> {
        places(parts, stage, 0.04)
            .into_iter()
            .zip(parts.iter().map(|part| part.1))
            .collect()
    }

    #[test]
    fn the_usual_board_fits_every_stage() {
        // At 360 lines it is drawn a quarter larger.
        for (stage, scale) in [(WIDE, 1.0), (TALL, 1.0), (WIDE, 1.25), (TALL, 1.16)] {
            let sizes = SIZES.map(|(anchor, size)| (anchor, size * scale));
            let laid = laid(&sizes, stage);
            for (n, part) in laid.iter().enumerate() {
                let edge = part.0.abs() + part.1 / 2.0;
                let room = stage * 0.5 - 0.04 * stage.min_element() + 0.1;
                assert!(edge.cmple(room).all(), "{part:?} on {stage}");
                for other in &laid[..n] {
                    assert!(!overlap(*part, *other), "{part:?} on {other:?} on {stage}");
                }
            }
        }
    }

    #[test]
    fn a_goal_beside_the_corners_keeps_the_top_where_there_is_room() {
        let wide = laid(&SIZES, WIDE);
        assert_eq!(wide[3].0.x, 0.0);
        assert!((wide[3].0.y - (460.0 - 48.0)).abs() < 0.1);
        let tall = laid(&SIZES, TALL);
        assert!(tall[3].0.y < wide[3].0.y + 400.0 - 50.0, "it moves below");
    }

    #[test]
    fn parts_at_one_anchor_stand_in_a_column() {
        let size = Vec2::new(300.0, 100.0);
        for (anchor, down) in [
            (Anchor::TOP_LEFT, true),
            (Anchor::BOTTOM_RIGHT, false),
            (Anchor::CENTER, true),
        ] {
            let at = places(&[(anchor, size); 3], WIDE, 0.04);
            assert!(at.iter().all(|middle| middle.x == at[0].x));
            let steps = [at[1].y - at[0].y, at[2].y - at[1].y];
            let step = if down { -116.0 } else { 116.0 };
            assert!(steps.iter().all(|s| (s - step).abs() < 0.1), "{steps:?}");
        }
    }

    proptest! {
        #[test]
        fn every_part_stays_within_the_margin(
            parts in proptest::collection::vec((-1i8..=1, -1i8..=1, 10.0f32..900.0, 10.0f32..900.0), 0..6),
            margin in 0.0f32..0.2,
        ) {
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(x, y, w, h)| (Anchor { x, y }, Vec2::new(w, h)))
                .collect();
            for (at, (_, size)) in places(&parts, WIDE, margin).into_iter().zip(&parts) {
                let room = (WIDE * 0.5 - margin * WIDE.y - *size / 2.0).max(Vec2::ZERO);
                prop_assert!(at.abs().cmple(room + 0.01).all());
            }
        }
    }
}
