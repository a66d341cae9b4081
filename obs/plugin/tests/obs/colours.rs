//! Alpha and colour, down to the level.

use super::harness::{CANVAS, Home, Item, Picture, Scene};
use super::producer::{CARD, Producer, column};

pub(super) const GREY: f64 = 128.0 / 255.0;

/// sRGB to linear light; IEC 61966-2-1.
pub(super) fn decode(encoded: f64) -> f64 {
    if encoded <= 0.04045 {
        encoded / 12.92
    } else {
        ((encoded + 0.055) / 1.055).powf(2.4)
    }
}

pub(super) fn encode(linear: f64) -> f64 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// A column of the card over grey, blended in linear light.
fn over_grey(card: [u8; 4]) -> [f64; 3] {
    let alpha = f64::from(card[3]) / 255.0;
    std::array::from_fn(|channel| {
        let colour = decode(f64::from(card[channel]) / 255.0);
        encode((colour + (1.0 - alpha) * decode(GREY)).min(1.0)) * 255.0
    })
}

/// The same blended in encoded values, as "SRGB Off" asks for.
fn over_grey_encoded(card: [u8; 4]) -> [f64; 3] {
    let alpha = f64::from(card[3]) / 255.0;
    std::array::from_fn(|channel| {
        let colour = decode(f64::from(card[channel]) / 255.0);
        let covered = if alpha > 0.0 {
            alpha * encode((colour / alpha).min(1.0))
        } else {
            0.0
        };
        let glow = encode((colour - alpha).max(0.0));
        ((covered + glow + (1.0 - alpha) * GREY) * 255.0).min(255.0)
    })
}

fn compare(picture: &Picture, expected: impl Fn([u8; 4]) -> [f64; 3], tolerance: f64) {
    assert_eq!(picture.size(), CANVAS);
    for (index, card) in CARD.into_iter().enumerate() {
        let (x, y) = column(index, CANVAS);
        let seen = picture.at(x, y);
        let expected = expected(card);
        for channel in 0..3 {
            let difference = (f64::from(seen[channel]) - expected[channel]).abs();
            assert!(
                difference <= tolerance,
                "column {index} ({card:?}): {seen:?} where {expected:?} is right"
            );
        }
    }
}

fn is_card(picture: &Picture) -> bool {
    picture.size() == CANVAS
        && (0..8).all(|index| {
            let (x, y) = column(index, CANVAS);
            picture.at(x, y) == CARD[index]
        })
}

#[test]
fn colours_and_alpha_are_right_in_every_scene() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("card");
    let gifts = Item::showing("Gifts");
    let named = Item {
        instance: "main",
        ..Item::showing("Second")
    };
    let off = Item {
        is_srgb_off: true,
        ..gifts.clone()
    };
    let scenes = [
        Scene::new("Alone", [gifts.clone()]),
        Scene::new("Main", [gifts]).over_grey(),
        Scene::new("Off", [off]).over_grey(),
        Scene::new("Named", [named.clone()]).over_grey(),
        Scene::new("Named alone", [named]),
    ];
    let mut obs = home.start(&scenes);

    // Over nothing: what the ring holds, to the bit, additive glow too.
    obs.wait_for("Alone", "the card is seen", is_card);
    // A source by itself is asked for in encoded values, with alpha as it is.
    let source = obs.look("Gifts");
    for (index, card) in CARD.into_iter().enumerate() {
        let (x, y) = column(index, CANVAS);
        assert_eq!(source.at(x, y)[3], card[3], "column {index}");
    }
    // Over grey by OBS. The well-known case is named in pixels.md.
    let main = obs.look("Main");
    compare(&main, over_grey, 1.0);
    let (x, y) = column(1, CANVAS);
    for (channel, right) in [205_u8, 92, 92].into_iter().enumerate() {
        assert!(main.at(x, y)[channel].abs_diff(right) <= 1);
    }

    // A second source on the same engine, the same source in other scenes.
    obs.wait_for("Named alone", "the second source shows it", is_card);
    for scene in ["Off", "Named", "Main", "Off", "Alone", "Main"] {
        obs.switch_to(scene);
        let picture = obs.look(scene);
        match scene {
            "Alone" => assert!(is_card(&picture), "{picture:?}"),
            "Off" => compare(&picture, over_grey_encoded, 2.0),
            _ => compare(&picture, over_grey, 1.0),
        }
    }
    let (status, _home) = obs.quit();
    assert!(status.success(), "{status}");
}
