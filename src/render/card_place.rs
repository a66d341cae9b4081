//! Where captions' cards are: under their acts, inside the safe area, out of a
//! headline's way, and not over each other in a crowd.

use std::collections::HashSet;

use bevy::prelude::*;

use super::captions::{ENTER, EXIT, SAFE_AREA};
use super::layout::{FEATURES_APART, FEATURES_ASIDE, Placement, StageSize};
use crate::catalog::Lane;
use crate::show::ActId;
use crate::stage::Act;

/// How far an act's card is there, 0 to 1.
pub(super) fn shown_by(act: &Act, placement: &Placement) -> f32 {
    let arrival = act.elapsed / ENTER;
    let on_time = arrival.min(act.seconds_left() / EXIT).clamp(0.0, 1.0);
    on_time * act.presence() * placement.presence
}

/// A dearer gift's card, and how far it is there.
pub(super) struct Shown {
    pub(super) at: Vec2,
    pub(super) body: Vec2,
    pub(super) alpha: f32,
}

/// From the middle of a card to the lower left corner of a streak's number at it.
pub(super) fn number_corner(body: Vec2) -> Vec2 {
    Vec2::new(body.x * 0.5 - body.y * 0.15, body.y * 0.62)
}

impl Shown {
    /// The card together with a number of this half size at its corner.
    pub(super) fn with_number(self, ink: Vec2) -> Self {
        if ink == Vec2::ZERO {
            return self;
        }
        let half = self.body / 2.0;
        let high = half.max(number_corner(self.body) + 2.0 * ink);
        Self {
            at: self.at + (high - half) / 2.0,
            body: high + half,
            ..self
        }
    }
}

/// Room between two cards, stage units.
const CARD_GAP: f32 = 14.0;

/// Where a card goes that a dearer gift's would cover: above that, as the dearer one
/// comes, and back as it goes.
pub(super) fn make_way(at: Vec2, body: Vec2, dearer: &[Shown]) -> Vec2 {
    let lift = dearer.iter().map(|dearer| {
        let apart = (dearer.body + body) / 2.0 + CARD_GAP;
        let off = (at - dearer.at).abs();
        if off.x >= apart.x || off.y >= apart.y {
            return 0.0;
        }
        let ease = dearer.alpha * dearer.alpha * (3.0 - 2.0 * dearer.alpha);
        (dearer.at.y + apart.y - at.y) * ease
    });
    at + Vec2::new(0.0, lift.fold(0.0, f32::max))
}

/// How long a card takes to go where it would cover another, and to come back,
/// seconds.
pub(super) const MAKE_ROOM: f32 = 0.25;
/// How far two cards may lie over each other, of their sizes: at their rims
/// there is nothing to read.
const MOST_COVERED: f32 = 0.12;

/// A card that asks for room.
pub(super) struct Readable {
    pub(super) card: Entity,
    pub(super) lane: Lane,
    /// Whether a streak's number stands at it.
    pub(super) counts: bool,
    /// Whether it had room until now.
    pub(super) is_up: bool,
    pub(super) id: ActId,
    pub(super) at: Vec2,
    pub(super) body: Vec2,
}

/// The cards that can be read. In a crowd cards of ambient acts that would cover
/// others are left out until there is room: names over names are nobody's. Those
/// of dearer acts are always there, a streak's come before single gifts', and a card
/// that is up stays up.
pub(super) fn readable_cards(mut cards: Vec<Readable>) -> HashSet<Entity> {
    cards.sort_by_key(|card| {
        (
            card.lane == Lane::Ambient,
            !card.counts,
            !card.is_up,
            card.id,
        )
    });
    let mut up: Vec<&Readable> = Vec::new();
    for card in &cards {
        let is_covering = |other: &&Readable| {
            let apart = (card.body + other.body) / 2.0 * (1.0 - MOST_COVERED);
            let off = (card.at - other.at).abs();
            off.x < apart.x && off.y < apart.y
        };
        if card.lane != Lane::Ambient || !up.iter().any(is_covering) {
            up.push(card);
        }
    }
    up.into_iter().map(|card| card.card).collect()
}

/// The width that a card is painted for, pixels. On a wide stage features stand side by
/// side, or may at any moment.
pub(super) fn painted_room(lane: Lane, stage: &StageSize) -> f32 {
    let pixels = stage.pixels.as_vec2();
    match lane {
        Lane::Feature if pixels.x >= pixels.y => {
            FEATURES_APART * pixels.x - CARD_GAP * stage.density()
        }
        Lane::Feature | Lane::Headline | Lane::Ambient => pixels.x * (1.0 - 2.0 * SAFE_AREA),
    }
}

/// How large an act's card is drawn, of what it was painted as. On a high stage features
/// stand side by side only while they make way for a headline.
pub(super) fn card_scale(act: &Act, placement: &Placement, stage: &StageSize, body: Vec2) -> f32 {
    let crowding = placement.crowding(act.lane);
    let size = stage.units();
    if act.lane != Lane::Feature || size.x >= size.y {
        return crowding;
    }
    crowding.min(room_aside(placement.origin.x, size.x) / body.x)
}

/// The width of a card so far from the middle of a high stage: all of it there, a half
/// where the other half is another's.
fn room_aside(x: f32, width: f32) -> f32 {
    let all = (1.0 - 2.0 * SAFE_AREA) * width;
    let half = (all - CARD_GAP) / 2.0;
    all.lerp(half, (x.abs() / (FEATURES_ASIDE * width)).min(1.0))
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
    fn a_name_is_not_under_a_headlines_number_either() {
        let ink = Vec2::new(90.0, 60.0);
        let counting = HEADLINE.with_number(ink);
        let number = HEADLINE.at + number_corner(HEADLINE.body) + ink;
        let at = Vec2::new(576.0, -200.0);
        assert_eq!(
            make_way(at, BODY, &[HEADLINE]),
            at,
            "the card is clear of it"
        );
        let lifted = make_way(at, BODY, &[counting]);
        let off = (lifted - number).abs();
        assert!(off.y >= BODY.y / 2.0 + ink.y, "{lifted} is under {number}");
    }

    #[test]
    fn cards_of_features_side_by_side_have_room_for_each() {
        let wide = StageSize {
            pixels: UVec2::new(1280, 720),
        };
        let width = wide.units().x;
        let room = painted_room(Lane::Feature, &wide) / wide.density();
        assert!(room + CARD_GAP <= FEATURES_APART * width + 0.1);
        // The outer ones stay in their places, too.
        let edge = (0.5 - SAFE_AREA) * width;
        assert!(FEATURES_APART * width + room / 2.0 <= edge);
        // A headline's features on a high stage, of 1,000 units.
        let aside = 1_000.0 * FEATURES_ASIDE;
        let half = room_aside(-aside, 1_000.0);
        let inner = aside.min(1_000.0 * (0.5 - SAFE_AREA) - half / 2.0) - half / 2.0;
        assert!(2.0 * inner + 0.1 >= CARD_GAP, "{inner}");
        assert_eq!(room_aside(0.0, 1_000.0), 1_000.0 * (1.0 - 2.0 * SAFE_AREA));
    }

    fn card(number: u32, lane: Lane, is_up: bool, x: f32) -> Readable {
        Readable {
            card: Entity::from_raw_u32(number).unwrap(),
            lane,
            counts: false,
            is_up,
            id: ActId(number.into()),
            at: Vec2::new(x, 0.0),
            body: BODY,
        }
    }

    fn readable(cards: Vec<Readable>) -> Vec<u32> {
        let readable = readable_cards(cards);
        let mut numbers: Vec<_> = readable.iter().map(|it| it.index_u32()).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn in_a_crowd_no_name_lies_over_another() {
        let crowd = |number: u32| card(number, Lane::Ambient, false, 90.0 * number as f32);
        // The first, and the next that is clear of it, and so on.
        assert_eq!(readable((0..12).map(crowd).collect()), [0, 4, 8]);
    }

    #[test]
    fn a_name_that_is_up_stays_up_and_a_dear_one_is_never_left_out() {
        let late = vec![
            card(1, Lane::Ambient, false, 0.0),
            card(2, Lane::Ambient, true, 50.0),
        ];
        assert_eq!(readable(late), [2]);
        let dear = vec![
            card(1, Lane::Ambient, true, 0.0),
            card(2, Lane::Feature, false, 50.0),
            card(3, Lane::Headline, false, 80.0),
        ];
        assert_eq!(readable(dear), [2, 3]);
    }

    #[test]
    fn who_counts_is_named_before_single_gifts() {
        let streak = Readable {
            counts: true,
            ..card(2, Lane::Ambient, false, 50.0)
        };
        assert_eq!(
            readable(vec![card(1, Lane::Ambient, true, 0.0), streak]),
            [2]
        );
    }

    #[test]
    fn a_card_that_is_clear_of_it_stays() {
        let at = Vec2::new(650.0, -390.0);
        assert_eq!(make_way(at, BODY, &[HEADLINE]), at);
    }
}
