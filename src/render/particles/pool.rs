//! The pool: effects that exist, which are free, and how many there may be.

use std::collections::HashMap;

use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy_hanabi::{EffectAsset, EffectMaterial, ParticleEffect};

use super::template::{self, CAPACITIES};
use crate::catalog::{Emitter, Template};
use crate::render::camera::DEEP_LAYER;
use crate::render::textures::Textures;

/// Effects alive at once, playing or waiting to: what 60 ambient acts of two
/// emitters and four larger ones need. Beyond it an emitter is left out of its
/// act, which has others; the frame stays whole.
const MAX_EFFECTS: usize = 192;

/// Which camera sees an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// The flat stage.
    Flat,
    /// The models' space, where it can pass behind them.
    Deep,
}

type Kind = (Template, u32, Space);

/// Effects by kind.
#[derive(Resource, Default)]
pub struct EffectPool {
    assets: HashMap<(Template, u32), Handle<EffectAsset>>,
    free: HashMap<Kind, Vec<Entity>>,
    kinds: HashMap<Entity, Kind>,
    /// How often an emitter found the pool exhausted.
    pub exhausted: u64,
    /// Effects wanted but not there yet; made at the next chance.
    wanted: HashMap<Kind, usize>,
    in_use: HashMap<Space, usize>,
}

impl EffectPool {
    /// A free effect of the template that holds `count` particles, or `None`
    /// when there is none; one more is then made for the next time, within the
    /// pool's bound.
    pub fn borrow(&mut self, template: Template, count: u32, space: Space) -> Option<Entity> {
        let capacity = CAPACITIES
            .into_iter()
            .find(|&capacity| capacity >= count)
            .unwrap_or(CAPACITIES[CAPACITIES.len() - 1]);
        let kind = (template, capacity, space);
        let effect = self.free.get_mut(&kind).and_then(Vec::pop);
        if effect.is_some() {
            *self.in_use.entry(space).or_default() += 1;
        } else {
            self.exhausted += 1;
            *self.wanted.entry(kind).or_default() += 1;
        }
        effect
    }

    pub fn give_back(&mut self, effect: Entity) {
        if let Some(kind) = self.kinds.get(&effect) {
            self.free.entry(*kind).or_default().push(effect);
            *self.in_use.entry(kind.2).or_default() -= 1;
        }
    }

    /// Effects that acts have borrowed.
    pub fn in_use(&self) -> usize {
        self.in_use.values().sum()
    }

    pub fn in_use_in(&self, space: Space) -> usize {
        self.in_use.get(&space).copied().unwrap_or(0)
    }

    /// Every effect there is.
    pub fn all(&self) -> impl Iterator<Item = (Entity, Template)> + '_ {
        self.kinds.iter().map(|(&entity, &(template, ..))| (entity, template))
    }
}

/// How many of each kind there are from the start: enough for a lively stage.
fn initial(template: Template, capacity: u32, space: Space) -> usize {
    let small = capacity == CAPACITIES[0];
    match (space, template, small) {
        (Space::Flat, Template::Glow | Template::Matter | Template::Spark, true) => 12,
        (Space::Flat, _, true) => 3,
        (Space::Flat, _, false) => 1,
        (Space::Deep, _, true) => 2,
        (Space::Deep, Template::Glow | Template::Smoke, false) => 1,
        (Space::Deep, _, false) => 0,
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
            for space in [Space::Flat, Space::Deep] {
                for _ in 0..initial(template, capacity, space) {
                    let kind = (template, capacity, space);
                    pool.make(&mut commands, &mut textures, &assets, kind);
                }
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
        let (template, capacity, space) = kind;
        let Some(asset) = self.assets.get(&(template, capacity)) else {
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
                match space {
                    Space::Flat => RenderLayers::default(),
                    Space::Deep => RenderLayers::layer(DEEP_LAYER),
                },
            ))
            .id();
        self.kinds.insert(effect, kind);
        self.free.entry(kind).or_default().push(effect);
    }
}
