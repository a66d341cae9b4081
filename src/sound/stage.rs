//! The acts' voices: what sounds when an act appears, grows, climaxes and goes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;

use super::{Accent, Clip, Mixer, Shelf, VoiceKey, VoiceSettings, combo_semitones};
use crate::catalog::{Catalog, Recipe, sound_path};
use crate::stage::{
    Act, Climaxed, Director, FellBack, Grew, Muted, Paused, Shrank, StageSet, Volume,
};

/// How long a voice takes to leave with its act.
const FADE: Duration = Duration::from_millis(350);

/// How long it takes after a climax: the chord rings on over the empty stage.
const LAST_FADE: Duration = Duration::from_millis(1600);

/// What celebrates a combo and a streak's end, whatever the gift. A catalogue
/// whose folder lacks them does without.
const COMBO: &str = "combo";
const CLIMAX: &str = "climax";

/// The beat stays under the gift's own sound: -3 dB.
const COMBO_GAIN: f32 = 0.7;

/// The chord, from a streak of two to one of a thousand: -9 dB to 0 dB. A
/// small streak's end is a remark, not an event.
const CLIMAX_GAIN: std::ops::RangeInclusive<f32> = 0.35..=1.0;

/// Plays acts through the mixer given. Needs the [`Director`] in the world.
pub struct SoundPlugin {
    pub mixer: Arc<Mixer>,
}

/// The mixer and the clips it plays.
#[derive(Resource)]
pub struct SoundDesk {
    mixer: Arc<Mixer>,
    /// `None` when the system refuses another thread; said once.
    shelf: Option<Shelf>,
    /// Whose sounds are on the shelf.
    of: Option<Arc<Catalog>>,
}

/// An act that has its recipe's sound.
#[derive(Component)]
struct Sounds;

/// An act whose streak has ended in a climax.
#[derive(Component)]
struct RingsOut;

impl Plugin for SoundPlugin {
    fn build(&self, app: &mut App) {
        let shelf = Shelf::start()
            .inspect_err(|error| warn!("gifts play without sound: no thread ({error})"))
            .ok();
        app.insert_resource(SoundDesk {
            mixer: self.mixer.clone(),
            shelf,
            of: None,
        })
        .add_observer(begin)
        .add_observer(begin_again)
        .add_observer(rise)
        .add_observer(finish)
        .add_observer(shrink)
        .add_observer(end)
        .add_systems(
            Update,
            (fetch_all, tend, follow_controls)
                .chain()
                .in_set(StageSet::Animate),
        );
    }
}

fn path_of(director: &Director, recipe: &Recipe) -> Option<PathBuf> {
    let stem = recipe.sound.as_ref()?;
    Some(director.catalog.root.join(sound_path(stem)))
}

/// Every sound of the catalogue is decoded before a gift needs it; those of a
/// catalogue that was read again as soon as it is there. A stage that is muted
/// has none of them in memory before it is to be heard.
fn fetch_all(mut desk: ResMut<SoundDesk>, director: Res<Director>, muted: Res<Muted>) {
    if muted.0 {
        return;
    }
    let catalog = &director.catalog;
    let known = desk.of.as_ref();
    if known.is_some_and(|known| Arc::ptr_eq(known, catalog)) {
        return;
    }
    desk.of = Some(catalog.clone());
    let Some(shelf) = &mut desk.shelf else { return };
    // Whoever edits the catalogue may have mended a file, too.
    shelf.forget_broken();
    for recipe in catalog.gifts.values().chain([&catalog.fallback]) {
        if let Some(path) = path_of(&director, recipe) {
            shelf.want(&path);
        }
    }
    for stem in [COMBO, CLIMAX] {
        let path = catalog.root.join(sound_path(stem));
        if path.is_file() {
            shelf.want(&path);
        }
    }
}

impl SoundDesk {
    /// Whether a sound is still being decoded, and would not be heard yet.
    pub fn is_loading(&self) -> bool {
        self.shelf.as_ref().is_some_and(Shelf::is_loading)
    }

    /// Waits until every sound is decoded.
    #[cfg(test)]
    pub(super) fn wait(&mut self, patience: Duration) {
        let shelf = self.shelf.as_mut().expect("there is a thread");
        assert!(shelf.wait(patience).is_empty() && !shelf.is_loading());
    }

    /// Sounds that are decoded or being so.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.shelf.as_ref().expect("there is a thread").files()
    }

    /// Gives an act its recipe's sound; false when there is none to be heard.
    fn play(&self, act: &Act, director: &Director) -> bool {
        let clip: Option<&Arc<Clip>> =
            path_of(director, &act.recipe).and_then(|path| self.shelf.as_ref()?.get(&path));
        if let Some(clip) = clip {
            let settings = VoiceSettings {
                gain: 1.0,
                lane: act.lane,
            };
            self.mixer.play(VoiceKey(act.id.0), clip.clone(), settings);
        }
        clip.is_some()
    }

    /// Celebrates over the act's own voice.
    fn accent(&self, act: &Act, catalog: &Catalog, stem: &str, semitones: u32, gain: f32) {
        let path = catalog.root.join(sound_path(stem));
        let clip = self.shelf.as_ref().and_then(|shelf| shelf.get(&path));
        if let Some(clip) = clip {
            let accent = Accent {
                semitones,
                gain,
                lane: act.lane,
            };
            self.mixer.accent(VoiceKey(act.id.0), clip.clone(), accent);
        }
    }
}

fn begin(
    add: On<Add, Act>,
    mut commands: Commands,
    desk: Res<SoundDesk>,
    director: Res<Director>,
    acts: Query<&Act>,
) {
    if let Ok(act) = acts.get(add.entity)
        && desk.play(act, &director)
    {
        commands.entity(add.entity).insert(Sounds);
    }
}

/// A fallback is heard where what it stands in for has no sound, or one that is
/// missing with it, as a video's.
fn begin_again(
    fell: On<FellBack>,
    desk: Res<SoundDesk>,
    director: Res<Director>,
    acts: Query<&Act, Without<Sounds>>,
) {
    if let Ok(act) = acts.get(fell.entity) {
        desk.play(act, &director);
    }
}

fn rise(grew: On<Grew>, desk: Res<SoundDesk>, director: Res<Director>, acts: Query<&Act>) {
    if let Ok(act) = acts.get(grew.entity) {
        let count = act.tally.quantity.min(u64::from(u32::MAX)) as u32;
        desk.mixer
            .step(VoiceKey(act.id.0), count.max(act.tally.combo));
        if let Some(combo) = grew.combo {
            let semitones = combo_semitones(combo);
            desk.accent(act, &director.catalog, COMBO, semitones, COMBO_GAIN);
        }
    }
}

fn finish(
    climaxed: On<Climaxed>,
    mut commands: Commands,
    desk: Res<SoundDesk>,
    director: Res<Director>,
    acts: Query<&Act>,
) {
    if let Ok(act) = acts.get(climaxed.entity) {
        // Intensity runs from 1 for one gift to 4 for a thousand.
        let scale = (act.intensity() - 1.0) / 3.0;
        desk.mixer.climax(VoiceKey(act.id.0), scale);
        let gain = CLIMAX_GAIN.start() + (CLIMAX_GAIN.end() - CLIMAX_GAIN.start()) * scale;
        desk.accent(act, &director.catalog, CLIMAX, 0, gain);
        commands.entity(climaxed.entity).insert(RingsOut);
    }
}

/// A counter in the corner ducks nobody.
fn shrink(shrank: On<Shrank>, desk: Res<SoundDesk>, acts: Query<&Act>) {
    if let Ok(act) = acts.get(shrank.entity) {
        desk.mixer.move_to(VoiceKey(act.id.0), act.lane);
    }
}

fn end(remove: On<Remove, Act>, desk: Res<SoundDesk>, acts: Query<(&Act, Has<RingsOut>)>) {
    if let Ok((act, rings_out)) = acts.get(remove.entity) {
        let fade = if rings_out { LAST_FADE } else { FADE };
        desk.mixer.stop(VoiceKey(act.id.0), fade);
    }
}

fn tend(mut desk: ResMut<SoundDesk>) {
    desk.mixer.collect();
    if let Some(shelf) = &mut desk.shelf {
        for error in shelf.poll() {
            warn!("{error}");
        }
    }
}

fn follow_controls(
    desk: Res<SoundDesk>,
    paused: Res<Paused>,
    muted: Res<Muted>,
    volume: Res<Volume>,
) {
    if muted.is_changed() {
        desk.mixer.set_muted(muted.0);
    }
    if volume.is_changed() {
        desk.mixer.set_volume(volume.0);
    }
    if paused.is_changed() {
        desk.mixer.set_paused(paused.0);
    }
}
