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
fn a_track_eases_between_keys_and_holds_its_ends() {
    let catalog = parse(GOOD).unwrap();
    let track = &catalog.recipe("rose").pictures[0].track;
    assert_eq!(track.at(-1.0).scale, 0.0);
    assert_eq!(track.at(9.0).scale, 1.0);
    assert!(track.at(0.4).scale > 1.0, "overshoots before it rests");
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
