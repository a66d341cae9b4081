//! The pool: effects that exist, which are free, and how many there may be.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy_hanabi::{EffectAsset, EffectMaterial, ParticleEffect};

use super::template::{self, Order};
use crate::catalog::{Catalog, Emitter, Template};
use crate::render::layout::Placement;
use crate::render::warmup::Warmup;
use crate::stage::Director;

/// Effects that play at once: what 60 ambient acts of two emitters and four larger
/// ones need. Beyond it an emitter is left out of its act, which has others; the
/// frame stays whole.
const MAX_PLAYING: usize = 192;

/// Effects there are, hidden ones too: what a flood of one template borrows, and what
/// is [`reserved`] for the others. Beyond it an emitter is left out likewise.
const MAX_EFFECTS: usize = 288;

/// Heights within a layer: more than effects, so that those on stage differ.
const STEPS: u16 = 1_000;
/// From one to the next. All of them stay within the tenth of a unit that nothing
/// else of the stage reaches into.
const STEP: f32 = 1e-4;

/// Effects by template, in maps that are gone through in the same order in every
/// run: what is drawn over what follows from it.
#[derive(Resource, Default)]
pub struct EffectPool {
    assets: BTreeMap<Template, Handle<EffectAsset>>,
    free: BTreeMap<Template, Vec<Entity>>,
    kinds: BTreeMap<Entity, Template>,
    /// Effects wanted but not there yet; made at the next chance.
    wanted: BTreeMap<Template, usize>,
    in_use: usize,
    /// Emitters that fired, as far as [`STEPS`] goes.
    fired: u16,
    /// What the effects' own randomness begins with, at each firing.
    pub seed: u32,
    /// In which order the effects keep their particles; as it is when the stage
    /// starts.
    pub order: Order,
}

impl EffectPool {
    /// A free effect of the template, or `None` when there is none; one more is then
    /// made for the next frame if the pool has room, and it [`is_coming`](Self::is_coming).
    pub fn borrow(&mut self, template: Template) -> Option<Entity> {
        if self.in_use >= MAX_PLAYING {
            return None;
        }
        let effect = self.free.get_mut(&template).and_then(Vec::pop);
        if effect.is_some() {
            self.in_use += 1;
        } else if self.has_room_for(template) {
            *self.wanted.entry(template).or_default() += 1;
        }
        effect
    }

    /// Whether more of the template are going to be there in the next frame.
    pub fn is_coming(&self, template: Template) -> bool {
        self.wanted.contains_key(&template)
    }

    /// Whether one more may be made: effects stay what they were made as, so that what
    /// a flood takes must leave the other templates theirs for the rest of the evening.
    fn has_room_for(&self, template: Template) -> bool {
        let others = Template::ALL.into_iter().filter(|&other| other != template);
        let kept: usize = others.map(|it| self.count(it).max(reserved(it))).sum();
        kept + self.count(template) < MAX_EFFECTS
    }

    /// How many there are of a template, with those that are coming.
    fn count(&self, template: Template) -> usize {
        let made = self.kinds.values().filter(|&&it| it == template).count();
        made + self.wanted.get(&template).copied().unwrap_or_default()
    }

    pub fn give_back(&mut self, effect: Entity) {
        if let Some(template) = self.kinds.get(&effect) {
            self.free.entry(*template).or_default().push(effect);
            self.in_use = self.in_use.saturating_sub(1);
        }
    }

    /// How far under its layer the next to fire lies. Of effects at the same height
    /// hanabi would draw on top whose memory comes later, which differs from run to
    /// run; so no two are at the same.
    pub(super) fn next_step(&mut self) -> f32 {
        self.fired = (self.fired + 1) % STEPS;
        f32::from(self.fired) * STEP
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

/// How many of each there may always be, whatever others a flood has asked for.
fn reserved(template: Template) -> usize {
    3 * initial(template)
}

pub(super) fn stock_first(mut pool: ResMut<EffectPool>, mut workshop: Workshop) {
    pool.stock(&mut workshop, &[FIRST]);
}

/// What effects are made of.
#[derive(SystemParam)]
pub struct Workshop<'w, 's> {
    commands: Commands<'w, 's>,
    effects: ResMut<'w, Assets<EffectAsset>>,
}

impl EffectPool {
    /// Makes the effects that there are from the start, of the templates given.
    /// Each takes memory for 64 Ki particles and pipelines of its own.
    pub fn stock(&mut self, workshop: &mut Workshop, templates: &[Template]) {
        for &template in templates {
            for _ in 0..initial(template) {
                self.make(workshop, template);
            }
        }
    }

    /// Of the templates that a catalogue names, those of which there is no effect.
    pub fn missing(&self, catalog: &Catalog) -> Vec<Template> {
        let named = Template::ALL.into_iter().filter(|&t| catalog.names(t));
        named.filter(|t| !self.assets.contains_key(t)).collect()
    }

    /// Makes what was wanted and missing since the last frame, and once the stage
    /// is warm what an edited catalogue has come to need.
    pub(super) fn restock(
        mut pool: ResMut<Self>,
        mut workshop: Workshop,
        warmup: Res<Warmup>,
        director: Res<Director>,
        mut known: Local<Weak<Catalog>>,
    ) {
        if warmup.is_done() && !std::ptr::eq(known.as_ptr(), &raw const *director.catalog) {
            *known = Arc::downgrade(&director.catalog);
            let missing = pool.missing(&director.catalog);
            pool.stock(&mut workshop, &missing);
        }
        pool.make_wanted(&mut workshop);
    }

    fn make_wanted(&mut self, workshop: &mut Workshop) {
        for (template, count) in std::mem::take(&mut self.wanted) {
            for _ in 0..count {
                self.make(workshop, template);
            }
        }
    }

    fn make(&mut self, workshop: &mut Workshop, template: Template) {
        let order = self.order;
        let asset = self.assets.entry(template).or_insert_with(|| {
            let effect = template::effect(template, order);
            workshop.effects.add(effect)
        });
        // What it emits while warming up must not be there when it first plays.
        let emitter = Emitter {
            life: [0.01, 0.01],
            ..Emitter::default()
        };
        let effect = workshop
            .commands
            .spawn((
                ParticleEffect {
                    prng_seed: Some(self.seed),
                    ..ParticleEffect::new(asset.clone())
                },
                // A white pixel: hanabi keeps what it first saw of a texture, which
                // must not be one that has no smaller copies yet.
                EffectMaterial {
                    images: vec![Handle::default()],
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

#[cfg(test)]
mod tests {
    use bevy::ecs::system::RunSystemOnce;

    use super::*;

    /// A pool as it is when the stage is warm.
    fn pool() -> World {
        let mut world = World::new();
        world.init_resource::<EffectPool>();
        world.init_resource::<Assets<EffectAsset>>();
        let stock = |mut pool: ResMut<EffectPool>, mut workshop: Workshop| {
            pool.stock(&mut workshop, &Template::ALL);
        };
        world.run_system_once(stock).expect("all is there");
        world
    }

    /// Asks for so many in each of two frames; those that were lent.
    fn ask(world: &mut World, template: Template, count: usize) -> Vec<Entity> {
        let mut lent = Vec::new();
        for _ in 0..2 {
            let mut pool = world.resource_mut::<EffectPool>();
            lent.extend((lent.len()..count).filter_map(|_| pool.borrow(template)));
            let make = |mut pool: ResMut<EffectPool>, mut workshop: Workshop| {
                pool.make_wanted(&mut workshop);
            };
            world.run_system_once(make).expect("all is there");
        }
        lent
    }

    #[test]
    fn a_flood_of_one_gift_leaves_the_others_what_they_need() {
        let mut world = pool();
        let coins = ask(&mut world, Template::Flip, 400);
        assert!((150..MAX_PLAYING).contains(&coins.len()), "{}", coins.len());
        let mut pool = world.resource_mut::<EffectPool>();
        assert!(pool.borrow(Template::Flip).is_none());
        assert!(!pool.is_coming(Template::Flip));
        coins.into_iter().for_each(|coin| pool.give_back(coin));
        for template in [Template::Smoke, Template::Ribbon, Template::Glow] {
            let wanted = 3 * initial(template);
            assert_eq!(ask(&mut world, template, wanted).len(), wanted);
        }
        let all = world.resource::<EffectPool>().all().count();
        assert!(all <= MAX_EFFECTS, "{all}");
    }

    #[test]
    fn no_more_effects_play_than_a_frame_can_hold() {
        let mut world = pool();
        let mut playing = 0;
        for template in Template::ALL {
            playing += ask(&mut world, template, 100).len();
        }
        assert_eq!(playing, MAX_PLAYING);
        assert_eq!(world.resource::<EffectPool>().in_use(), MAX_PLAYING);
    }
}
