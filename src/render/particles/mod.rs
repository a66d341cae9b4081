//! Particles: a pool of hanabi effects that acts borrow from.
//!
//! Effects are never despawned: hanabi's caches are kinder to a pool, and a
//! warm effect starts within its frame.

mod pool;
mod template;

use std::sync::Arc;

use bevy::prelude::*;
use bevy_hanabi::{EffectMaterial, EffectProperties, EffectSpawner, HanabiPlugin, SpawnerSettings};

pub use pool::{EffectPool, FIRST, Workshop};
pub use template::{CAPACITY, Order, properties};

use template::Carry;

use super::bloom::Bloom;
use super::camera::{Quality, StageCamera};
use super::deep::model_camera_distance;
use super::layout::{Placement, StageSize};
use super::models::ModelNodes;
use super::pictures::PicturePlaces;
use super::textures::Textures;
use super::warmup::Warmup;
use crate::catalog::{Emitter, Lane, Recipe, Template, Trigger};
use crate::stage::{Act, Climaxed, FellBack, StageSet, Swelled};

/// Emitters an act may have waiting to fire. Growth that comes faster than its
/// emitters fire adds to the intensity instead of to the list.
const MAX_DUE: usize = 48;
/// Seconds a stopped effect is kept after its last particle should be gone.
const SETTLE: f32 = 0.25;
/// An emitter that is this much further on from one frame to the next was put
/// somewhere else and did not fly there, stage units.
const LEAP: f32 = 400.0;

pub struct ParticlePlugin;

impl Plugin for ParticlePlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(HanabiPlugin)
            .init_resource::<EffectPool>()
            .add_observer(schedule_start)
            .add_observer(schedule_fallback)
            .add_observer(schedule_growth)
            .add_observer(schedule_climax)
            .add_observer(stop_with_act)
            .add_systems(Startup, pool::stock_first)
            .add_systems(
                Update,
                (EffectPool::restock, fire, follow, release, switch_bloom)
                    .chain()
                    .in_set(StageSet::Animate)
                    .after(super::models::place_models)
                    .after(super::pictures::place_pictures),
            );
    }
}

/// What of an act is still to fire.
#[derive(Component, Default)]
struct Due {
    emitters: Vec<DueEmitter>,
    /// Where the act was on its timeline in the frame before.
    age: f32,
}

struct DueEmitter {
    emitter: usize,
    /// Seconds on the act's timeline for [`Trigger::Start`], else seconds that
    /// the act has been on stage.
    at: f32,
    on_timeline: bool,
    intensity: f32,
}

/// An effect that is playing for an act.
#[derive(Component)]
struct Playing {
    act: Entity,
    recipe: Arc<Recipe>,
    emitter: usize,
    /// Stage time after which it is back in the pool.
    until: f32,
    /// Its height among the layers of the stage.
    layer: f32,
    /// Where it was in the last frame, if it follows something.
    was: Option<Vec2>,
    /// What its randomness began with.
    seed: u32,
    /// How its act was placed in the last frame, and whether it was on its way then.
    place: Placement,
    is_moving: bool,
}

impl Playing {
    fn emitter(&self) -> &Emitter {
        &self.recipe.emitters[self.emitter]
    }

    /// Goes along with its act, if that is a feature which makes way or comes back.
    fn carry(
        &mut self,
        act: &Act,
        placement: &Placement,
        // Not looked at, it does not count as changed.
        properties: &mut Mut<EffectProperties>,
    ) -> Carry {
        let moves = act.lane == Lane::Feature && self.place != *placement;
        if !moves && !self.is_moving {
            return Carry::NOWHERE;
        }
        let mut carry = Carry::NOWHERE;
        if moves {
            carry = Carry::between(&self.place, placement);
            self.place = *placement;
        }
        self.is_moving = moves;
        let opacity = self.place.presence;
        **properties = template::properties(self.emitter(), &self.place, self.seed, opacity);
        let (name, value) = carry.property();
        properties.set(name, value);
        carry
    }
}

fn schedule_start(add: On<Add, Act>, mut commands: Commands, acts: Query<&Act>) {
    let Ok(act) = acts.get(add.entity) else {
        return;
    };
    let mut due = Due::default();
    due.schedule(act, Trigger::Start, act.intensity());
    commands.entity(add.entity).insert(due);
}

fn schedule_fallback(fell: On<FellBack>, mut acts: Query<(&Act, &mut Due)>) {
    if let Ok((act, mut due)) = acts.get_mut(fell.entity) {
        *due = Due::default();
        due.schedule(act, Trigger::Start, act.intensity());
    }
}

fn schedule_growth(swelled: On<Swelled>, mut acts: Query<(&Act, &mut Due)>) {
    let Ok((act, mut due)) = acts.get_mut(swelled.entity) else {
        return;
    };
    due.schedule(act, Trigger::Grow, act.intensity() * 0.6);
    if swelled.combo.is_some() {
        due.schedule(act, Trigger::Combo, act.intensity());
    }
}

fn schedule_climax(climaxed: On<Climaxed>, mut acts: Query<(&Act, &mut Due)>) {
    let Ok((act, mut due)) = acts.get_mut(climaxed.entity) else {
        return;
    };
    due.schedule(act, Trigger::Climax, act.intensity());
}

impl Due {
    fn schedule(&mut self, act: &Act, on: Trigger, intensity: f32) {
        // The finale begins when the timeline goes on from where it waited.
        let wait = match on {
            Trigger::Climax => act.seconds_to_sustain(),
            Trigger::Start | Trigger::Grow | Trigger::Combo => 0.0,
        };
        for (index, emitter) in act.recipe.emitters.iter().enumerate() {
            if emitter.on == on && self.emitters.len() < MAX_DUE {
                let on_timeline = on == Trigger::Start;
                self.emitters.push(DueEmitter {
                    emitter: index,
                    at: if on_timeline {
                        emitter.at
                    } else {
                        act.elapsed + wait + emitter.at
                    },
                    on_timeline,
                    intensity,
                });
            }
        }
    }

    /// An act that plays a stretch of its timeline again fires the emitters of
    /// that stretch again.
    fn follow_timeline(&mut self, act: &Act) {
        if act.age < self.age {
            let sustain = act.recipe.sustain;
            let stretch = sustain - act.recipe.repeats..sustain;
            for (index, emitter) in act.recipe.emitters.iter().enumerate() {
                let again = emitter.on == Trigger::Start && stretch.contains(&emitter.at);
                if again && self.emitters.len() < MAX_DUE {
                    self.emitters.push(DueEmitter {
                        emitter: index,
                        at: emitter.at,
                        on_timeline: true,
                        intensity: act.intensity(),
                    });
                }
            }
        }
        self.age = act.age;
    }
}

/// So many ambient acts have all of their particles. Among more each has fewer,
/// down to a share: a crowd's sparks would hide its gifts, and flicker wherever
/// one passes over another.
const ROOMY: f32 = 2.5;
const THINNEST: f32 = 0.15;

/// The particles of an emitter go by its act's intensity to this power: sparks
/// that pass over each other flicker, so that a hundred gifts are seen by more
/// than by more sparks.
const LUSH: f32 = 0.6;

fn fire(
    mut commands: Commands,
    time: Res<Time<Virtual>>,
    mut pool: ResMut<EffectPool>,
    mut textures: ResMut<Textures>,
    assets: Res<AssetServer>,
    quality: Res<Quality>,
    mut acts: Query<(Entity, &Act, &Placement, &mut Due, Option<&ModelNodes>)>,
) {
    let ambient = acts.iter().filter(|(_, act, ..)| act.lane == Lane::Ambient);
    let thinning = (ROOMY / ambient.count() as f32).clamp(THINNEST, 1.0);
    for (entity, act, placement, mut due, model) in &mut acts {
        due.follow_timeline(act);
        if due.emitters.is_empty() {
            continue;
        }
        let mut salt = act.seed;
        due.emitters.retain(|item| {
            let now = if item.on_timeline {
                act.age
            } else {
                act.elapsed
            };
            if now < item.at || act.presence() < 1.0 {
                return act.presence() >= 1.0;
            }
            let emitter = &act.recipe.emitters[item.emitter];
            let follows_model = act.recipe.model.is_some() && emitter.follow.is_some();
            if follows_model && model.is_none_or(ModelNodes::is_empty) {
                // The model's entities come a frame or two after its act.
                return true;
            }
            let texture = textures.get(&assets, &emitter.texture);
            if !textures.has_settled(&assets, &emitter.texture) {
                // Of an edited catalogue. hanabi would keep it as it is now.
                return true;
            }
            let mut count = emitter.count as f32 * item.intensity.powf(LUSH);
            if act.shrunk {
                count *= 0.5;
            }
            count *= match act.lane {
                Lane::Ambient => thinning,
                Lane::Feature => thinning.sqrt(),
                Lane::Headline => 1.0,
            };
            count *= quality.particles;
            let count = count.max(1.0);
            let Some(effect) = pool.borrow(emitter.template) else {
                return pool.is_coming(emitter.template);
            };
            let layer = template::layer(emitter) - pool.next_step();
            salt = salt.wrapping_mul(0x01000193) ^ (item.emitter as u32) ^ act.elapsed.to_bits();
            let spawner = SpawnerSettings::new(
                count.into(),
                emitter.span.into(),
                emitter.span.max(0.001).into(),
                1,
            );
            commands.entity(effect).insert((
                properties(emitter, placement, salt, placement.presence),
                EffectSpawner::new(&spawner),
                EffectMaterial {
                    images: vec![texture],
                },
                Visibility::Visible,
                Transform::from_translation(placement.origin.extend(layer)),
                Playing {
                    act: entity,
                    recipe: act.recipe.clone(),
                    emitter: item.emitter,
                    until: time.elapsed_secs() + emitter.span + emitter.life[1] + SETTLE,
                    layer,
                    was: None,
                    seed: salt,
                    place: *placement,
                    is_moving: false,
                },
            ));
            false
        });
    }
}

/// Emitters move with what they follow, and with a feature that makes way; the others
/// stay where they began.
fn follow(
    acts: Query<(
        &Act,
        &Placement,
        Option<&PicturePlaces>,
        Option<&ModelNodes>,
    )>,
    // Where a node will be in this frame, not where it was in the last.
    nodes: TransformHelper,
    stage: Res<StageSize>,
    mut playing: Query<(Entity, &mut Playing, &mut EffectProperties)>,
    mut commands: Commands,
) {
    for (entity, mut effect, mut properties) in &mut playing {
        let Ok((act, placement, pictures, model)) = acts.get(effect.act) else {
            continue;
        };
        let was_moving = effect.is_moving;
        let carry = effect.carry(act, placement, &mut properties);
        let Some(name) = effect.emitter().follow.as_deref() else {
            if was_moving || effect.is_moving {
                let at = carry.before(effect.place.origin);
                commands
                    .entity(entity)
                    .insert(Transform::from_translation(at.extend(effect.layer)));
            }
            continue;
        };
        let node = || {
            let node = model?.node(name)?;
            let at = nodes.compute_global_transform(node).ok()?.translation();
            // Particles live on the flat stage: where the node is seen there.
            Some(flatten(at, &stage))
        };
        let goal = pictures
            .and_then(|places| places.at(name))
            .or_else(node)
            .unwrap_or(placement.origin);
        // What is born in this frame is carried in it, too.
        let at = carry.before(goal);
        commands
            .entity(entity)
            .insert(Transform::from_translation(at.extend(effect.layer)));
        // A ribbon is drawn through its particles in the order of their birth.
        if effect.emitter().template != Template::Ribbon {
            let came = effect.was.map_or(Vec2::ZERO, |was| at - was);
            let came = if came.length() < LEAP {
                came
            } else {
                Vec2::ZERO
            };
            let (name, value) = template::on_the_way(effect.emitter(), came, placement.scale);
            properties.set(name, value);
        }
        effect.was = Some(goal);
    }
}

/// Where on the flat stage the deep camera shows a point.
fn flatten(point: Vec3, stage: &StageSize) -> Vec2 {
    let distance = model_camera_distance(stage);
    point.truncate() * distance / (distance - point.z).max(1.0)
}

/// When an act goes, its emitters stop. One that played out or was cut short leaves
/// its last particles to die in peace; one that was dismissed takes them along.
fn stop_with_act(
    remove: On<Remove, Act>,
    acts: Query<&Act>,
    mut effects: Query<(&Playing, &mut EffectSpawner, &mut EffectProperties)>,
) {
    let dismissed = acts.get(remove.entity).is_ok_and(Act::is_dismissed);
    for (playing, mut spawner, mut properties) in &mut effects {
        if playing.act != remove.entity {
            continue;
        }
        spawner.active = false;
        // It may have been on its way.
        let (name, value) = Carry::NOWHERE.property();
        properties.set(name, value);
        if dismissed {
            let (name, value) = template::kill(playing.emitter());
            properties.set(name, value);
        }
    }
}

fn release(
    mut commands: Commands,
    time: Res<Time<Virtual>>,
    mut pool: ResMut<EffectPool>,
    playing: Query<(Entity, &Playing)>,
) {
    for (effect, playing) in &playing {
        if time.elapsed_secs() >= playing.until {
            commands
                .entity(effect)
                .insert(Visibility::Hidden)
                .remove::<Playing>();
            pool.give_back(effect);
        }
    }
}

/// Bloom is a dozen passes of a frame. They run while something that shines is on
/// stage, down to the last spark, and not for the rest of the evening.
fn switch_bloom(
    mut commands: Commands,
    warmup: Res<Warmup>,
    quality: Res<Quality>,
    camera: Single<(Entity, Has<Bloom>), With<StageCamera>>,
    acts: Query<&Act>,
    playing: Query<&Playing>,
) {
    let (camera, blooms) = *camera;
    let wanted = !warmup.is_done()
        || acts.iter().any(|act| act.recipe.shines())
        || playing.iter().any(|effect| effect.emitter().glow > 1.0);
    if wanted && (!blooms || quality.is_changed()) {
        commands.entity(camera).insert(quality.bloom());
    } else if !wanted && blooms {
        commands.entity(camera).remove::<Bloom>();
    }
}
