//! The pool: effects that exist, which are free, and how many there may be.

use std::collections::HashMap;

use bevy::prelude::*;
use bevy_hanabi::{EffectAsset, EffectMaterial, ParticleEffect};

use super::template::{self, CAPACITIES};
use crate::catalog::{Emitter, Template};
use crate::render::textures::Textures;

/// Effects alive at once, playing or waiting to: what 60 ambient acts of two
/// emitters and four larger ones need. Beyond it an emitter is left out of its
/// act, which has others; the frame stays whole.
const MAX_EFFECTS: usize = 192;

/// A template and how many particles it holds.
type Kind = (Template, u32);

/// Effects by kind.
#[derive(Resource, Default)]
pub struct EffectPool {
    assets: HashMap<Kind, Handle<EffectAsset>>,
    free: HashMap<Kind, Vec<Entity>>,
    kinds: HashMap<Entity, Kind>,
    /// How often an emitter found the pool exhausted.
    pub exhausted: u64,
    /// Effects wanted but not there yet; made at the next chance.
    wanted: HashMap<Kind, usize>,
    in_use: usize,
}

impl EffectPool {
    /// A free effect of the template that holds `count` particles, or `None`
    /// when there is none; one more is then made for the next time, within the
    /// pool's bound.
    pub fn borrow(&mut self, template: Template, count: u32) -> Option<Entity> {
        let capacity = CAPACITIES
            .into_iter()
            .find(|&capacity| capacity >= count)
            .unwrap_or(CAPACITIES[CAPACITIES.len() - 1]);
        let kind = (template, capacity);
        let effect = self.free.get_mut(&kind).and_then(Vec::pop);
        if effect.is_some() {
            self.in_use += 1;
        } else {
            self.exhausted += 1;
            *self.wanted.entry(kind).or_default() += 1;
        }
        effect
    }

    pub fn give_back(&mut self, effect: Entity) {
        if let Some(kind) = self.kinds.get(&effect) {
            self.free.entry(*kind).or_default().push(effect);
            self.in_use = self.in_use.saturating_sub(1);
        }
    }

    /// Effects that acts have borrowed.
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// Every effect there is.
    pub fn all(&self) -> impl Iterator<Item = (Entity, Template)> + '_ {
        self.kinds.iter().map(|(&entity, &(template, _))| (entity, template))
    }
}

/// How many of each kind there are from the start: enough for a lively stage.
fn initial(template: Template, capacity: u32) -> usize {
    match (template, capacity == CAPACITIES[0]) {
        (Template::Glow | Template::Matter | Template::Spark, true) => 12,
        (_, true) => 4,
        (_, false) => 1,
    }
}

pub(super) fn build_templates(
    mut commands: Commands,
    mut pool: ResMut<EffectPool>,
    mut effects: ResMut<Assets<EffectAsset>>,
    mut textures: ResMut<Textures>,
    assets: Res<AssetServer>,
) {
    for template in Template::ALL {
        for capacity in CAPACITIES {
            let handle = effects.add(template::effect(template, capacity));
            pool.assets.insert((template, capacity), handle);
            for _ in 0..initial(template, capacity) {
                let kind = (template, capacity);
                pool.make(&mut commands, &mut textures, &assets, kind);
            }
        }
    }
}

impl EffectPool {
    /// Makes what was wanted and missing since the last frame.
    pub(super) fn restock(
        mut pool: ResMut<Self>,
        mut commands: Commands,
        mut textures: ResMut<Textures>,
        assets: Res<AssetServer>,
    ) {
        for (kind, count) in std::mem::take(&mut pool.wanted) {
            for _ in 0..count {
                if pool.kinds.len() < MAX_EFFECTS {
                    pool.make(&mut commands, &mut textures, &assets, kind);
                }
            }
        }
    }

    fn make(
        &mut self,
        commands: &mut Commands,
        textures: &mut Textures,
        assets: &AssetServer,
        kind: Kind,
    ) {
        let Some(asset) = self.assets.get(&kind) else {
            return;
        };
        // What it emits while warming up must not be there when it first plays.
        let emitter = Emitter {
            life: [0.01, 0.01],
            ..Emitter::default()
        };
        let effect = commands
            .spawn((
                ParticleEffect::new(asset.clone()),
                EffectMaterial {
                    images: vec![textures.get(assets, &emitter.texture)],
                },
                template::properties(&emitter, 1.0, 0, 0.0),
                // Visible until warm: a hidden effect has no render pipeline.
                Visibility::Visible,
            ))
            .id();
        self.kinds.insert(effect, kind);
        self.free.entry(kind).or_default().push(effect);
    }
}
