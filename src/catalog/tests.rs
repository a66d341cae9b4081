use std::path::Path;

use super::*;

const GOOD: &str = r##"
[lanes]
feature = 100
headline = 1000

[fallback]
name = "Gift"
kind = "particle"
seconds = 2
accents = ["#FFFFFF", "#FFD700"]

[[fallback.emitter]]
texture = "star"
count = 40
colors = ["#FFFFFF"]

[gift.rose]
name = "Rose"
kind = "particle"
lane = "ambient"
seconds = 3
accents = ["#FF69B4", "#FFFFFF"]

[[gift.rose.picture]]
id = "bloom"
texture = "rose"
size = 300
track = [{ at = 0, scale = 0 }, { at = 0.5, scale = 1, ease = "overshoot" }]

[[gift.rose.emitter]]
template = "ribbon"
follow = "bloom"
"##;

fn parse(text: &str) -> Result<Catalog, CatalogError> {
    Catalog::parse(text, Path::new("assets/catalog.toml"))
}

fn mistake(text: &str) -> String {
    parse(text).expect_err("the text has a mistake").to_string()
}

#[test]
fn an_unknown_gift_type_plays_the_fallback() {
    let catalog = parse(GOOD).unwrap();
    assert_eq!(&*catalog.recipe("rose").name, "Rose");
    assert_eq!(&*catalog.recipe("no-such-gift").name, "Gift");
}

#[test]
fn a_gift_type_is_known_in_any_case_and_best_as_it_is_written() {
    let rose = "[gift.rose]\nname = \"Rose\"";
    let two = format!(
        "[gift.ROSE]\nname = \"Large\"\nkind = \"particle\"\nseconds = 3\n\
                       accents = [\"#FF69B4\", \"#FFFFFF\"]\n{rose}"
    );
    let catalog = parse(&GOOD.replace(rose, &two)).unwrap();
    let name = |gift_type: &str| &*catalog.recipe(gift_type).name;
    assert_eq!((name("rose"), name("ROSE")), ("Rose", "Large"));
    assert_eq!(name("Rose"), "Large", "the first of the two");
    let catalog = parse(GOOD).unwrap();
    assert_eq!(&*catalog.recipe("Rose").name, "Rose");
    assert_eq!(catalog.lane("RoSe", 5000.0), Lane::Ambient);
    assert_eq!(&*catalog.recipe("rose ").name, "Gift");
}

#[test]
fn value_places_a_gift_only_when_the_recipe_does_not() {
    let catalog = parse(GOOD).unwrap();
    assert_eq!(catalog.lane("rose", 5000.0), Lane::Ambient);
    assert_eq!(catalog.lane("other", 99.0), Lane::Ambient);
    assert_eq!(catalog.lane("other", 100.0), Lane::Feature);
    assert_eq!(catalog.lane("other", 1000.0), Lane::Headline);
}

#[test]
fn a_misspelt_key_is_answered_with_the_line_and_the_nearest_word() {
    let message = mistake(&GOOD.replace("colors =", "colours ="));
    assert!(message.starts_with("assets/catalog.toml:15:"), "{message}");
    assert!(message.contains("did you mean `colors`"), "{message}");
    let message = mistake(&GOOD.replace("\"overshoot\"", "\"overshot\""));
    assert!(message.contains("did you mean `overshoot`"), "{message}");
    let message = mistake(&GOOD.replace("follow = \"bloom\"", "follow = \"blom\""));
    assert!(message.contains("did you mean \"bloom\""), "{message}");
}

#[test]
fn values_out_of_range_are_refused_where_they_stand() {
    for (from, to, expected) in [
        ("seconds = 3", "seconds = 0", "from 0.1 to 60"),
        ("count = 40", "count = 0", "from 1 to 4096"),
        ("\"#FF69B4\"", "\"pink\"", "not a colour"),
        (
            "\"star\"",
            "\"../../etc/passwd\"",
            "inside the asset folder",
        ),
        ("feature = 100", "feature = 5000", "at most `headline`"),
        ("at = 0.5", "at = 0", "rising order"),
        ("size = 300", "size = 300\nbody = 0.5", "`additive`"),
        (
            "size = 300",
            "size = 300\nadditive = true\nbody = 2",
            "from 0 to 1",
        ),
        (
            "seconds = 3",
            "seconds = 3\nrepeats = 2",
            "from 0 to `sustain`",
        ),
        ("count = 40", "count = 40\nkinds = 3", "1, 2, 4 or 8"),
        ("count = 40", "count = 40\nbounce = 1.5", "from 0 to 1"),
        (
            "count = 40",
            "count = 40\nroll = [90, -90]",
            "[least, most]",
        ),
        (
            "count = 40",
            "count = 40\nfloor = [-20, -40]",
            "[least, most]",
        ),
    ] {
        let message = mistake(&GOOD.replacen(from, to, 1));
        assert!(message.contains(expected), "{to}: {message}");
    }
}

#[test]
fn a_recipe_is_carried_by_one_thing() {
    let video = "[gift.rose]\nvideo = { file = \"rose.mp4\", size = 900 }";
    let both =
        format!("{video}\nmodel = {{ file = \"rose.glb\", size = 100, track = [{{ at = 0 }}] }}");
    assert!(parse(&GOOD.replace("[gift.rose]", video)).is_ok());
    let message = mistake(&GOOD.replace("[gift.rose]", &both));
    assert!(message.contains("keep one of them"), "{message}");
}

#[test]
fn what_plays_where_others_fail_is_no_model_and_no_video() {
    let film = GOOD.replacen("kind = \"particle\"", "kind = \"video\"", 1);
    let video = "video = { file = \"gift.mp4\", size = 900 }\n";
    let model = "model = { file = \"gift.glb\", size = 100, track = [{ at = 0 }] }\n";
    let with = |part: &str| GOOD.replacen("seconds = 2\n", &format!("seconds = 2\n{part}"), 1);
    for text in [film, with(video), with(model)] {
        let message = mistake(&text);
        assert!(message.contains("fallback: it plays where"), "{message}");
    }
}

#[test]
fn a_track_eases_between_keys_and_holds_its_ends() {
    let catalog = parse(GOOD).unwrap();
    let track = &catalog.recipe("rose").pictures[0].track;
    assert_eq!(track.at(-1.0).scale, 0.0);
    assert_eq!(track.at(9.0).scale, 1.0);
    assert!(track.at(0.4).scale > 1.0, "overshoots before it rests");
}

#[test]
fn the_ends_of_a_track_can_be_others() {
    let key = |at, x| Key {
        at,
        x,
        ease: Ease::Linear,
        ..Key::default()
    };
    let track = Track(vec![key(0.0, 8.0), key(1.0, 2.0), key(2.0, 4.0)]);
    let x = |at| {
        let moved = track.at_with_ends(at, |end| Key {
            x: 10.0 * end.x,
            ..end
        });
        moved.x
    };
    let seen = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 9.0].map(x);
    assert_eq!(seen, [80.0, 80.0, 41.0, 2.0, 21.0, 40.0, 40.0]);
    assert_eq!(
        Track(Vec::new()).at_with_ends(1.0, |end| end),
        Key::default()
    );
}

#[test]
fn a_smooth_way_passes_its_keys_without_stopping() {
    let key = |at, x| Key {
        at,
        x,
        ease: Ease::Smooth,
        ..Key::default()
    };
    let track = Track(vec![key(0.0, 0.0), key(1.0, 10.0), key(3.0, 14.0)]);
    assert_eq!(track.at(1.0).x, 10.0);
    // Neither side of a key is slower or faster than the other.
    let speed = |at: f32| (track.at(at + 0.01).x - track.at(at - 0.01).x) / 0.02;
    assert!(
        (speed(0.985) - speed(1.015)).abs() < 0.5,
        "{}",
        speed(0.985)
    );
    assert!(speed(1.0) > 2.0, "{}", speed(1.0));
    // An even way stays even, and the last key is held.
    let even = Track(vec![key(0.0, 0.0), key(1.0, 2.0), key(1.5, 3.0)]);
    assert!((even.at(0.3).x - 0.6).abs() < 1e-5, "{}", even.at(0.3).x);
    assert_eq!(even.at(9.0).x, 3.0);
}

#[test]
fn colours_survive_the_way_to_linear_light_and_back() {
    let catalog = parse(GOOD).unwrap();
    assert_eq!(
        catalog.recipe("rose").accents[0].to_srgb8(),
        [0xFF, 0x69, 0xB4]
    );
}

#[test]
fn the_shipped_catalogue_is_right_and_all_its_files_are_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
    let catalog = Catalog::load(&path).unwrap();
    assert!(!catalog.gifts.is_empty());
    for (asset, recipe) in catalog.assets() {
        let file = catalog.root.join(&asset);
        assert!(file.is_file(), "{} names {asset}", recipe.key);
    }
}

#[test]
fn a_catalogue_named_without_a_folder_lies_in_the_present_one() {
    for (path, root) in [("catalog.toml", "."), ("gifts/catalog.toml", "gifts")] {
        let catalog = Catalog::parse(GOOD, Path::new(path)).unwrap();
        assert_eq!(catalog.root, Path::new(root), "{path}");
    }
}

/// `GOOD` with a picture that carries another, a tremor and a wave.
const CARRYING: &str = r##"
[gift.lion]
name = "Lion"
kind = "particle"
seconds = 3
accents = ["#FFD700", "#FFFFFF"]

[[gift.lion.shake]]
at = 1
seconds = 0.5
strength = 20

[[gift.lion.picture]]
with = "head"
texture = "jaw"
size = 300
wave = { hold = [0.5, 0], sway = [0, 0.2], waves = 1, hertz = 0.5 }
track = [{ at = 0 }]

[[gift.lion.picture]]
id = "head"
texture = "head"
size = 300
track = [{ at = 0 }]

[[gift.lion.emitter]]
drag = -1.5
fade = 0.9
layer = "under"
"##;

#[test]
fn a_picture_knows_the_one_that_carries_it() {
    let catalog = parse(&format!("{GOOD}{CARRYING}")).unwrap();
    let lion = catalog.recipe("lion");
    let carrier = lion.carrier(&lion.pictures[0]).unwrap();
    assert_eq!(carrier.texture, "head");
    assert!(lion.carrier(carrier).is_none());
    assert_eq!(lion.shakes[0].on, Trigger::Start);
    assert_eq!(lion.emitters[0].layer, Some(Layer::Under));
}

#[test]
fn a_picture_that_nothing_can_carry_is_refused_where_it_stands() {
    for (from, to, expected) in [
        (
            "with = \"head\"",
            "with = \"haed\"",
            "did you mean \"head\"",
        ),
        ("id = \"head\"", "id = \"head\"\nwith = \"head\"", "circle"),
        ("seconds = 0.5", "seconds = 9", "at most 3"),
        ("strength = 20", "strength = 500", "at most 40"),
        ("waves = 1", "waves = 90", "from -20 to 20"),
        ("drag = -1.5", "drag = -9", "-4 or more"),
        ("fade = 0.9", "fade = 1.0", "below 1"),
    ] {
        let text = format!("{GOOD}{}", CARRYING.replacen(from, to, 1));
        let message = mistake(&text);
        assert!(message.contains(expected), "{to}: {message}");
    }
}

const MOVING: &str = r##"
calm = ["pond"]

[lanes]
feature = 100
headline = 1000

[fallback]
name = "Gift"
kind = "particle"
seconds = 2
accents = ["#FFFFFF", "#FFD700"]

[gift.pond]
name = "Pond"
kind = "particle"
lane = "ambient"
seconds = 2
accents = ["#FFFFFF", "#FFD700"]
sound = "pond"

[gift.comet]
name = "Comet"
kind = "particle"
lane = "feature"
seconds = 2
best = 1
accents = ["#FF0000", "#00FF00"]
icon = "comet"
sound = "comet"

[[gift.comet.picture]]
texture = "comet"
size = 100
track = [{ at = 0, x = -400, roll = 90 }, { at = 1, x = 100, ease = "overshoot" }, { at = 2, x = 600, ease = "linear" }]

[[gift.comet.emitter]]
aim = [10, 20, 30]
burst = [100, 200]
spin = [-90, 90]
"##;

#[test]
fn reduced_motion_keeps_every_gift_and_halves_its_movement() {
    let full = parse(MOVING).unwrap();
    let reduced = full.clone().with_motion(Motion::Reduced);
    assert_eq!(full.gifts.len(), reduced.gifts.len());
    let track = |catalog: &Catalog, at: f32| catalog.recipe("comet").pictures[0].track.at(at);
    // About where it is at its best, x = 100.
    assert_eq!(track(&reduced, 1.0).x, 100.0);
    assert_eq!(track(&reduced, 0.0).x, -150.0);
    assert_eq!(track(&reduced, 0.0).roll, 45.0);
    assert_eq!(track(&reduced, 2.0).x, 350.0);
    // It no longer comes from afar, so it fades in and out.
    let alphas = [0.0, 1.0, 2.0].map(|at| track(&reduced, at).alpha);
    assert_eq!(alphas, [0.0, 1.0, 0.0]);
    // And does not go beyond where it was going.
    let most = |catalog: &Catalog| {
        (0..100).fold(0.0, |most: f32, step| {
            most.max(track(catalog, step as f32 / 100.0).x)
        })
    };
    assert!(most(&full) > 101.0);
    assert!(most(&reduced) <= 100.0);
    let emitter = &reduced.recipe("comet").emitters[0];
    assert_eq!(
        (emitter.aim, emitter.burst),
        ([5.0, 10.0, 15.0], [50.0, 100.0])
    );
    assert_eq!(emitter.spin, [-45.0, 45.0]);
}

#[test]
fn calm_motion_shows_a_calm_gift_under_the_gifts_own_name() {
    let calm = parse(MOVING).unwrap().with_motion(Motion::Calm);
    let shown = calm.recipe("comet");
    assert!(shown.pictures.is_empty() && shown.emitters.is_empty());
    assert_eq!((&*shown.key, &*shown.name), ("comet", "Comet"));
    assert_eq!(shown.icon.as_deref(), Some("comet"));
    assert_eq!(shown.lane, Some(Lane::Feature));
    assert_eq!(shown.sound.as_deref(), Some("pond"));
    assert_eq!(calm.recipe("pond").sound.as_deref(), Some("pond"));
}

#[test]
fn a_calm_gift_that_does_not_exist_is_a_mistake_with_its_line() {
    let told = mistake(&MOVING.replace("[\"pond\"]", "[\"pound\"]"));
    assert!(
        told.contains(":2: calm: there is no gift \"pound\"; did you mean \"pond\"?"),
        "{told}"
    );
}
