//! Where captions' cards are: under their acts, inside the safe area, and out of
//! a headline's way.

use bevy::prelude::*;

use super::captions::{ENTER, EXIT, SAFE_AREA};
use super::layout::{Placement, StageSize};
use crate::catalog::Lane;
use crate::stage::Act;

/// How far an act's card is there, 0 to 1.
pub(super) fn shown_by(act: &Act) -> f32 {
    let arrival = act.elapsed / ENTER;
    arrival.min(act.seconds_left() / EXIT).clamp(0.0, 1.0) * act.presence()
}

/// A headline's card, and how far it is there.
pub(super) struct Shown {
    pub(super) at: Vec2,
    pub(super) body: Vec2,
    pub(super) alpha: f32,
}

/// Room between two cards, stage units.
const CARD_GAP: f32 = 14.0;

/// Where a card goes that a headline's would cover: above that, as the headline
/// comes, and back as it goes.
pub(super) fn make_way(at: Vec2, body: Vec2, headlines: &[Shown]) -> Vec2 {
    let lift = headlines.iter().map(|headline| {
        let apart = (headline.body + body) / 2.0 + CARD_GAP;
        let off = (at - headline.at).abs();
        if off.x >= apart.x || off.y >= apart.y {
            return 0.0;
        }
        let ease = headline.alpha * headline.alpha * (3.0 - 2.0 * headline.alpha);
        (headline.at.y + apart.y - at.y) * ease
    });
    at + Vec2::new(0.0, lift.fold(0.0, f32::max))
}

/// Where the middle of a card's body is: under its act, inside the safe area.
pub(super) fn card_place(act: &Act, placement: &Placement, stage: &StageSize, body: Vec2) -> Vec2 {
    let below = match act.lane {
        Lane::Headline => 390.0,
        Lane::Feature => 500.0,
        Lane::Ambient => 300.0,
    };
    let wanted = placement.origin - Vec2::new(0.0, below * placement.scale);
    let size = stage.units();
    let room = (size * (0.5 - SAFE_AREA) - body / 2.0).max(Vec2::ZERO);
    wanted.clamp(-room, room)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADLINE: Shown = Shown {
        at: Vec2::new(0.0, -390.0),
        body: Vec2::new(800.0, 170.0),
        alpha: 1.0,
    };
    const BODY: Vec2 = Vec2::new(400.0, 110.0);

    fn covers(at: Vec2) -> bool {
        let off = (at - HEADLINE.at).abs();
        let apart = (HEADLINE.body + BODY) / 2.0;
        off.x < apart.x && off.y < apart.y
    }

    #[test]
    fn a_card_under_a_headlines_goes_above_it_and_comes_back() {
        let at = Vec2::new(576.0, -390.0);
        assert!(covers(at));
        assert!(!covers(make_way(at, BODY, &[HEADLINE])));
        let gone = Shown {
            alpha: 0.0,
            ..HEADLINE
        };
        assert_eq!(make_way(at, BODY, &[gone]), at);
        assert_eq!(make_way(at, BODY, &[]), at);
    }

    #[test]
    fn a_card_that_is_clear_of_it_stays() {
        let at = Vec2::new(650.0, -390.0);
        assert_eq!(make_way(at, BODY, &[HEADLINE]), at);
    }
}
