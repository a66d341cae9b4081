//! The acts' voices: what sounds when an act appears, grows, climaxes and goes.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;

use super::{Clip, Mixer, Shelf, VoiceKey, VoiceSettings};
use crate::catalog::{Recipe, sound_path};
use crate::stage::{Act, Climaxed, Director, Grew, Muted, Paused, StageSet, Volume};

/// How long a voice takes to leave with its act.
const FADE: Duration = Duration::from_millis(350);

/// Plays acts through the mixer given. Needs the [`Director`] in the world.
pub struct SoundPlugin {
    pub mixer: std::sync::Arc<Mixer>,
}

/// The mixer and the clips it plays.
#[derive(Resource)]
pub struct SoundDesk {
    mixer: std::sync::Arc<Mixer>,
    /// `None` when the system refuses another thread; said once.
    shelf: Option<Shelf>,
}

impl Plugin for SoundPlugin {
    fn build(&self, app: &mut App) {
        let shelf = Shelf::start()
            .inspect_err(|error| warn!("gifts play without sound: no thread ({error})"))
            .ok();
        app.insert_resource(SoundDesk {
            mixer: self.mixer.clone(),
            shelf,
        })
        .add_observer(begin)
        .add_observer(rise)
        .add_observer(finish)
        .add_observer(end)
        .add_systems(Startup, fetch_all)
        .add_systems(Update, (tend, follow_controls).in_set(StageSet::Animate));
    }
}

fn path_of(director: &Director, recipe: &Recipe) -> Option<PathBuf> {
    let stem = recipe.sound.as_ref()?;
    Some(director.catalog.root.join(sound_path(stem)))
}

/// Every sound of the catalogue is decoded before a gift needs it.
fn fetch_all(mut desk: ResMut<SoundDesk>, director: Res<Director>) {
    let Some(shelf) = &mut desk.shelf else { return };
    let catalog = &director.catalog;
    for recipe in catalog.gifts.values().chain([&catalog.fallback]) {
        if let Some(path) = path_of(&director, recipe) {
            shelf.want(&path);
        }
    }
}

fn begin(add: On<Add, Act>, desk: Res<SoundDesk>, director: Res<Director>, acts: Query<&Act>) {
    let Ok(act) = acts.get(add.entity) else {
        return;
    };
    let clip: Option<&std::sync::Arc<Clip>> =
        path_of(&director, &act.recipe).and_then(|path| desk.shelf.as_ref()?.get(&path));
    if let Some(clip) = clip {
        let settings = VoiceSettings {
            gain: 1.0,
            lane: act.lane,
        };
        desk.mixer.play(VoiceKey(act.id.0), clip.clone(), settings);
    }
}

fn rise(grew: On<Grew>, desk: Res<SoundDesk>, acts: Query<&Act>) {
    if let Ok(act) = acts.get(grew.entity) {
        let count = act.tally.quantity.min(u64::from(u32::MAX)) as u32;
        desk.mixer
            .step(VoiceKey(act.id.0), count.max(act.tally.combo));
    }
}

fn finish(climaxed: On<Climaxed>, desk: Res<SoundDesk>, acts: Query<&Act>) {
    if let Ok(act) = acts.get(climaxed.entity) {
        // Intensity runs from 1 for one gift to 4 for a thousand.
        let scale = (act.intensity() - 1.0) / 3.0;
        desk.mixer.climax(VoiceKey(act.id.0), scale);
    }
}

fn end(remove: On<Remove, Act>, desk: Res<SoundDesk>, acts: Query<&Act>) {
    if let Ok(act) = acts.get(remove.entity) {
        desk.mixer.stop(VoiceKey(act.id.0), FADE);
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
