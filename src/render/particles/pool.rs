//! The pool: effects that exist, which are free, and how many there may be.

use std::collections::BTreeMap;

use bevy::prelude::*;
use bevy_hanabi::{EffectAsset, EffectMaterial, ParticleEffect};

use super::template;
use crate::catalog::{Emitter, Template};
use crate::render::layout::Placement;
use crate::render::textures::Textures;

/// Effects alive at once, playing or waiting to: what 60 ambient acts of two
/// emitters and four larger ones need. Beyond it an emitter is left out of its
/// act, which has others; the frame stays whole.
const MAX_EFFECTS: usize = 192;

/// Effects by template, in maps that are gone through in the same order in every
/// run: what is drawn over what follows from it.
#[derive(Resource, Default)]
pub struct EffectPool {
    assets: BTreeMap<Template, Handle<EffectAsset>>,
    free: BTreeMap<Template, Vec<Entity>>,
    kinds: BTreeMap<Entity, Template>,
    /// How often an emitter found the pool exhausted.
    pub exhausted: u64,
    /// Effects wanted but not there yet; made at the next chance.
    wanted: BTreeMap<Template, usize>,
    in_use: usize,
    /// What the effects' own randomness begins with, at each firing.
    pub seed: u32,
}

impl EffectPool {
    /// A free effect of the template, or `None` when there is none; one more is then made for the next time, within the
    /// pool's bound.
    pub fn borrow(&mut self, template: Template) -> Option<Entity> {
        let effect = self.free.get_mut(&template).and_then(Vec::pop);
        if effect.is_some() {
            self.in_use += 1;
        } else {
            self.exhausted += 1;
            *self.wanted.entry(template).or_default() += 1;
        }
        effect
    }

    pub fn give_back(&mut self, effect: Entity) {
        if let Some(template) = self.kinds.get(&effect) {
            self.free.entry(*template).or_default().push(effect);
            self.in_use = self.in_use.saturating_sub(1);
        }
    }

    /// Effects that acts have borrowed.
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// Every effect there is.
    pub fn all(&self) -> impl Iterator<Item = (Entity, Template)> + '_ {
        self.kinds
            .iter()
            .map(|(&entity, &template)| (entity, template))
    }
}

/// The template that is made and warmed before the others: the fallback's.
pub const FIRST: Template = Template::Glow;

/// How many of each there are from the start: enough for a lively stage.
fn initial(template: Template) -> usize {
    match template {
        Template::Glow | Template::Spark => 12,
        Template::Matter | Template::Flip => 8,
        Template::Smoke | Template::Ribbon => 4,
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
        pool.assets
            .insert(template, effects.add(template::effect(template)));
    }
    pool.stock(&mut commands, &mut textures, &assets, |template| {
        template == FIRST
    });
}

impl EffectPool {
    /// Makes the effects there are from the start, of the templates chosen.
    pub fn stock(
        &mut self,
        commands: &mut Commands,
        textures: &mut Textures,
        assets: &AssetServer,
        chosen: impl Fn(Template) -> bool,
    ) {
        for template in Template::ALL.into_iter().filter(|&t| chosen(t)) {
            for _ in 0..initial(template) {
                self.make(commands, textures, assets, template);
            }
        }
    }

    /// Makes what was wanted and missing since the last frame.
    pub(super) fn restock(
        mut pool: ResMut<Self>,
        mut commands: Commands,
        mut textures: ResMut<Textures>,
        assets: Res<AssetServer>,
    ) {
        for (template, count) in std::mem::take(&mut pool.wanted) {
            for _ in 0..count {
                if pool.kinds.len() < MAX_EFFECTS {
                    pool.make(&mut commands, &mut textures, &assets, template);
                }
            }
        }
    }

    fn make(
        &mut self,
        commands: &mut Commands,
        textures: &mut Textures,
        assets: &AssetServer,
        template: Template,
    ) {
        let Some(asset) = self.assets.get(&template) else {
            return;
        };
        // What it emits while warming up must not be there when it first plays.
        let emitter = Emitter {
            life: [0.01, 0.01],
            ..Emitter::default()
        };
        let effect = commands
            .spawn((
                ParticleEffect {
                    prng_seed: Some(self.seed),
                    ..ParticleEffect::new(asset.clone())
                },
                EffectMaterial {
                    images: vec![textures.get(assets, &emitter.texture)],
                },
                template::properties(&emitter, &Placement::MIDDLE, 0, 0.0),
                // Visible until warm: a hidden effect has no render pipeline.
                Visibility::Visible,
            ))
            .id();
        self.kinds.insert(effect, template);
        self.free.entry(template).or_default().push(effect);
    }
}
