//! The acts' voices from the gift to the samples: a stage that nobody draws,
//! pulled frame by frame.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;
use bevy::time::{TimePlugin, TimeUpdateStrategy};

use super::measure::*;
use crate::catalog::Catalog;
use crate::model::{Control, Gift, Moment, Private, Sender};
use crate::show::{Show, ShowSettings};
use crate::sound::stage::SoundDesk;
use crate::sound::{MixSource, Mixer, RATE, SoundPlugin, mixer};
use crate::stage::{Act, AssetFailed, Director, StageLink, StagePlugin};

/// 1/64 s, which sums up without rounding; 750 frames of sound.
const FRAME: Duration = Duration::from_micros(15_625);

const PATIENCE: Duration = Duration::from_secs(20);

/// The gift sounds at 440 Hz for a second, combo and climax at 1 kHz for half
/// a one, the silent gift not at all.
const CATALOG: &str = r##"
[lanes]
feature = 100
headline = 1000

[fallback]
name = "Gift"
kind = "particle"
seconds = 2
accents = ["#FFFFFF", "#FFFFFF"]
[[fallback.emitter]]
count = 10

[gift.rose]
name = "Rose"
kind = "particle"
lane = "ambient"
seconds = 3
sustain = 2
sound = "rose"
accents = ["#FFFFFF", "#FFFFFF"]
[[gift.rose.emitter]]
count = 10
"##;

struct Stage {
    app: App,
    mixer: Arc<Mixer>,
    mix: MixSource,
    /// Removed when the test is over.
    _folder: tempfile::TempDir,
}

impl Stage {
    /// `accents` are the files beside the gift's own.
    fn new(accents: &[&str]) -> Self {
        Self::begin(accents, false)
    }

    fn begin(accents: &[&str], muted: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sounds = folder.path().join("sounds");
        std::fs::create_dir(&sounds).expect("a folder");
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound");
        let put = |from: &str, to: &str| {
            std::fs::copy(data.join(from), sounds.join(to)).expect("a copy");
        };
        put("tone-440.ogg", "rose.ogg");
        for name in accents {
            put("tone-1000-44k.ogg", name);
        }
        let catalog = Catalog::parse(CATALOG, &folder.path().join("catalog.toml"));
        let catalog = Arc::new(catalog.expect("the catalogue is valid"));
        let settings = ShowSettings {
            play_unseen: true,
            ..ShowSettings::default()
        };
        let mut show = Show::new(settings, catalog.clone());
        show.control(Moment::ZERO, Control::Mute(muted));
        let (mixer, mix) = mixer();
        let mixer = Arc::new(mixer);
        let mut app = App::new();
        app.insert_resource(Director::new(show, catalog))
            .init_resource::<StageLink>()
            .insert_resource(TimeUpdateStrategy::ManualDuration(FRAME))
            .add_plugins((TimePlugin, StagePlugin))
            .add_plugins(SoundPlugin {
                mixer: mixer.clone(),
            });
        // The first update only starts the clocks.
        app.update();
        let mut stage = Self {
            app,
            mixer,
            mix,
            _folder: folder,
        };
        stage.let_sounds_come();
        stage
    }

    fn let_sounds_come(&mut self) {
        let mut desk = self.app.world_mut().resource_mut::<SoundDesk>();
        desk.wait(PATIENCE);
    }

    /// Reads an edited catalogue, and its sounds.
    fn read_again(&mut self, edited: &str) {
        let root = self._folder.path().join("catalog.toml");
        let catalog = Arc::new(Catalog::parse(edited, &root).expect("the catalogue is valid"));
        self.direct(|now, director| {
            director.show.set_catalog(now, catalog.clone());
            director.catalog = catalog;
        });
        self.pass(0.05);
        self.let_sounds_come();
    }

    /// Does something to the show, now.
    fn direct(&mut self, change: impl FnOnce(Moment, &mut Director)) {
        let world = self.app.world_mut();
        let now = world.resource::<Time<Real>>().elapsed();
        change(now, &mut world.resource_mut::<Director>());
    }

    /// One message of a streak of Ann's; the last one is not marked as such.
    fn give(&mut self, gift_type: &str, combo: u32, goes_on: bool) {
        let ann = Sender {
            user_id: Private("ann".into()),
            name: Private("Ann".into()),
            avatar_url: None,
            is_subscriber: false,
            is_moderator: false,
        };
        let gift = Gift {
            is_streak: goes_on,
            combo_count: combo,
            ..Gift::one(format!("{gift_type}-{combo}-{goes_on}"), gift_type, ann)
        };
        self.direct(|now, director| director.show.offer(now, gift));
    }

    /// Frames and their sound, for so many seconds.
    fn pass(&mut self, seconds: f64) -> Vec<f32> {
        let frames = (seconds / FRAME.as_secs_f64()).ceil() as usize;
        let mut heard = Vec::new();
        for _ in 0..frames {
            self.app.update();
            heard.extend(pull_frames(&mut self.mix, RATE as usize / 64));
        }
        heard
    }
}

#[test]
fn a_streak_of_a_hundred_gifts_with_combos_and_climax_is_one_voice() {
    let mut stage = Stage::new(&["combo.ogg", "climax.ogg"]);
    let mut most = 0;
    let mut last = 0.0;
    for combo in 1..=100 {
        stage.give("rose", combo, true);
        let heard = stage.pass(0.07);
        let stats = stage.mixer.stats();
        assert_eq!(stats.held, 1, "gift {combo}");
        most = most.max(stats.sounding);
        if matches!(combo, 4 | 9 | 24 | 49 | 99) {
            let high = pitch(&heard[1_500..]);
            assert!(high > last, "gift {combo} sounds at {high} Hz after {last}");
            last = high;
        }
    }
    stage.give("rose", 100, false);
    for _ in 0..200 {
        stage.pass(FRAME.as_secs_f64());
        most = most.max(stage.mixer.stats().sounding);
    }
    assert_eq!(most, 1);
    stage.pass(4.0);
    assert_eq!(stage.mixer.stats().held, 0, "it goes with its act");
    assert_eq!(stage.mixer.stats().stolen, 0);
}

#[test]
fn a_combo_and_a_climax_are_heard_over_the_gift() {
    let beats = |accents: &[&str]| {
        let mut stage = Stage::new(accents);
        for combo in 1..=4 {
            stage.give("rose", combo, true);
            stage.pass(0.25);
        }
        let before = amplitude_at(&stage.pass(0.5), 1_000.0);
        stage.give("rose", 5, true);
        stage.pass(0.05);
        let combo = amplitude_at(&stage.pass(0.3), 1_000.0);
        stage.pass(2.0);
        stage.give("rose", 5, false);
        stage.pass(0.1);
        let climax = amplitude_at(&stage.pass(0.3), 1_000.0);
        [before, combo, climax]
    };
    let [before, combo, climax] = beats(&["combo.ogg", "climax.ogg"]);
    assert!(before < 0.01, "{before}");
    assert!(combo > 0.2, "{combo}");
    assert!(climax > 0.1, "{climax}");
    for silent in beats(&[]) {
        assert!(silent < 0.02, "a catalogue without them has none: {silent}");
    }
}

#[test]
fn an_act_without_a_sound_of_its_own_has_its_combos_too() {
    let mut stage = Stage::new(&["combo.ogg"]);
    for combo in 1..=5 {
        stage.give("whatever", combo, true);
        stage.pass(0.1);
    }
    assert!(amplitude_at(&stage.pass(0.25), 1_000.0) > 0.2);
    assert_eq!(stage.mixer.stats().held, 1);
}

#[test]
fn a_fallback_is_heard_where_its_gift_made_no_sound() {
    let mut stage = Stage::new(&["new.ogg"]);
    let fallback = CATALOG.replace("seconds = 2\n", "seconds = 2\nsound = \"new\"\n");
    let silent = r##"
[gift.mime]
name = "Mime"
kind = "particle"
seconds = 3
accents = ["#FFFFFF", "#FFFFFF"]
[[gift.mime.emitter]]
count = 10
"##;
    stage.read_again(&(fallback + silent));
    let mut fallback_in_place_of = |gift_type| {
        stage.give(gift_type, 1, false);
        stage.pass(0.1);
        let world = stage.app.world_mut();
        let mut acts = world.query_filtered::<Entity, With<Act>>();
        let entity = acts.single(world).expect("one act is on stage");
        let reason = "no such file".into();
        world.trigger(AssetFailed { entity, reason });
        stage.pass(0.1);
        let heard = amplitude_at(&stage.pass(0.25), 1_000.0);
        stage.pass(4.0);
        heard
    };
    let (silent, loud) = (fallback_in_place_of("mime"), fallback_in_place_of("rose"));
    assert!(silent > 0.2, "{silent}");
    assert!(loud < 0.02, "the rose's own sound plays on: {loud}");
}

#[test]
fn a_catalogue_that_was_read_again_brings_its_sounds() {
    let mut stage = Stage::new(&["new.ogg"]);
    stage.read_again(&CATALOG.replace("sound = \"rose\"", "sound = \"new\""));
    stage.give("rose", 1, false);
    stage.pass(0.1);
    assert!(amplitude_at(&stage.pass(0.25), 1_000.0) > 0.4);
}

#[test]
fn a_muted_stage_has_no_sounds_until_it_is_to_be_heard() {
    let mut stage = Stage::begin(&[], true);
    let kept = |stage: &Stage| stage.app.world().resource::<SoundDesk>().kept();
    stage.pass(0.1);
    assert_eq!(kept(&stage), 0);
    stage.direct(|now, director| director.show.control(now, Control::Mute(false)));
    stage.pass(0.05);
    assert_eq!(kept(&stage), 1);
    stage.let_sounds_come();
    stage.give("rose", 1, false);
    stage.pass(0.1);
    assert!(amplitude_at(&stage.pass(0.25), 440.0) > 0.1);
}
