//! The same catalogue for people whom movement troubles.
//!
//! *Reduced* keeps every gift and halves what moves in it: paths and turns go
//! half as far about the place where the gift looks its best, particles fly at
//! half their speed, nothing bounces or shakes. What no longer comes from beyond
//! the edge fades in and out instead. *Calm* shows, for every gift, one of a few
//! quiet ones that the catalogue names, reduced likewise; the caption still says
//! what was given.

use std::sync::Arc;

use super::{Catalog, Ease, Emitter, Key, Model, Picture, Recipe, Track, Trigger};

/// How much may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Motion {
    /// All of it.
    #[default]
    Full,
    /// Half of it, in every gift.
    Reduced,
    /// Half of it, in the catalogue's calm gifts only.
    Calm,
}

impl Motion {
    /// What they are called in settings and on the command line.
    pub const WORDS: [(&str, Self); 3] = [
        ("full", Self::Full),
        ("reduced", Self::Reduced),
        ("calm", Self::Calm),
    ];
}

/// The share of movement that is left.
const SHARE: f32 = 0.5;
/// Keys per second of a track that was made anew: between two the path is
/// straight, which at half the movement nobody sees.
const KEYS_PER_SECOND: f32 = 20.0;
/// How long what used to fly in and out fades instead, seconds.
const FADE: f32 = 0.45;

impl Catalog {
    /// This catalogue with as much movement as `motion` lets through.
    pub fn with_motion(mut self, motion: Motion) -> Self {
        if motion == Motion::Full {
            return self;
        }
        let whole = self.clone();
        for (key, recipe) in &mut self.gifts {
            let shown = match motion {
                Motion::Calm => whole.calmed(key, recipe),
                Motion::Full | Motion::Reduced => (**recipe).clone(),
            };
            *recipe = Arc::new(reduced(shown));
        }
        self.fallback = Arc::new(reduced((*self.fallback).clone()));
        self
    }

    /// What plays in place of `recipe`, under its name and in its lane.
    fn calmed(&self, key: &str, recipe: &Recipe) -> Recipe {
        let Some(calm) = self.calm_for(key) else {
            return (*self.fallback).clone();
        };
        Recipe {
            key: recipe.key.clone(),
            name: recipe.name.clone(),
            icon: recipe.icon.clone(),
            accents: recipe.accents,
            lane: recipe.lane,
            ..(**calm).clone()
        }
    }

    /// Always the same one for the same gift; of its own lane where there is
    /// one, and a calm gift is its own.
    fn calm_for(&self, key: &str) -> Option<&Arc<Recipe>> {
        if self.calm.iter().any(|calm| **calm == *key) {
            return self.gifts.get(key);
        }
        let lane = self.lane(key, 0.0);
        let all = || self.calm.iter().filter_map(|calm| self.gifts.get(calm));
        let fitting: Vec<_> = all().filter(|calm| calm.lane == Some(lane)).collect();
        let choice = if fitting.is_empty() {
            all().collect()
        } else {
            fitting
        };
        // FNV-1a: the same on every machine and in every version.
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let count = choice.len() as u64;
        (count > 0).then(|| choice[(hash % count) as usize])
    }
}

fn reduced(mut recipe: Recipe) -> Recipe {
    let (best, end) = (recipe.best, recipe.duration.as_secs_f32());
    for picture in &mut recipe.pictures {
        reduce_picture(picture, best, end);
    }
    if let Some(model) = &mut recipe.model {
        reduce_model(model, best, end);
    }
    if let Some(letters) = &mut recipe.letters {
        letters.from *= SHARE;
    }
    recipe.shakes.clear();
    recipe.emitters.iter_mut().for_each(reduce_emitter);
    recipe
}

fn reduce_picture(picture: &mut Picture, best: f32, end: f32) {
    let triggered = picture.on.unwrap_or(Trigger::Start) != Trigger::Start;
    let last = picture.track.0.last().map_or(0.0, |key| key.at);
    let (best, end) = if triggered {
        (last / 2.0, last)
    } else {
        (best, end)
    };
    picture.turn *= SHARE;
    if let Some(wave) = &mut picture.wave {
        wave.sway = wave.sway.map(|sway| sway * SHARE);
    }
    picture.track = halved(&picture.track, best, end, |key, presence| {
        key.alpha *= presence;
    });
}

/// Models are opaque: they grow and shrink where pictures fade.
fn reduce_model(model: &mut Model, best: f32, end: f32) {
    model.track = halved(&model.track, best, end, |key, presence| {
        key.scale *= presence;
    });
}

/// Whether a thing at this key is past the edge of every usual stage.
fn has_left(key: &Key) -> bool {
    key.x.abs() > 1_100.0 || key.y.abs() > 700.0
}

fn halved(track: &Track, best: f32, end: f32, fade: impl Fn(&mut Key, f32)) -> Track {
    let quiet = Track(
        track
            .0
            .iter()
            .map(|key| Key {
                ease: match key.ease {
                    Ease::Overshoot => Ease::Out,
                    Ease::Anticipate => Ease::InOut,
                    other => other,
                },
                ..*key
            })
            .collect(),
    );
    let rest = quiet.at(best);
    let first = quiet.0.first().map_or(0.0, |key| key.at);
    let last = match quiet.0.last() {
        // Half as far it would stay in view: it is gone when it would have left.
        Some(key) if has_left(key) => key.at,
        Some(key) => end.max(key.at),
        None => end,
    };
    let steps = ((last - first) * KEYS_PER_SECOND).ceil().max(1.0);
    let keys = (0..=steps as u32).map(|step| {
        let at = first + (last - first) * step as f32 / steps;
        let key = quiet.at(at);
        let near = |rest: f32, value: f32| rest + (value - rest) * SHARE;
        let mut key = Key {
            at,
            x: near(rest.x, key.x),
            y: near(rest.y, key.y),
            z: near(rest.z, key.z),
            // From nothing to its size is no movement across the stage.
            scale: key.scale,
            stretch: near(1.0, key.stretch),
            roll: near(rest.roll, key.roll),
            yaw: near(rest.yaw, key.yaw),
            pitch: near(rest.pitch, key.pitch),
            alpha: key.alpha,
            reveal: key.reveal,
            ease: Ease::Linear,
        };
        let presence = ((at - first) / FADE)
            .min((last - at) / FADE)
            .clamp(0.0, 1.0);
        fade(&mut key, Ease::InOut.apply(presence));
        key
    });
    Track(keys.collect())
}

fn reduce_emitter(emitter: &mut Emitter) {
    let vectors = [&mut emitter.aim, &mut emitter.jitter, &mut emitter.gravity];
    for value in vectors.into_iter().flatten() {
        *value *= SHARE;
    }
    for value in emitter.burst.iter_mut().chain(&mut emitter.spin) {
        *value *= SHARE;
    }
    emitter.swirl *= SHARE;
    emitter.wander *= SHARE;
    emitter.tumble *= SHARE;
}
