//! Still pictures that move on tracks: the heroes of particle gifts.

use std::collections::HashMap;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::layout::{AmbientRoom, Placement, StageSize};
use super::look::Look;
use super::quad::{BendingQuad, QuadMaterial, UnitQuad};
use super::textures::Textures;
use crate::catalog::{Lane, Motion, Picture, Trigger};
use crate::stage::{Act, Climaxed, FellBack, Shrank, StageSet, Swelled};

/// Height of the pictures among the layers of the stage: over smoke, under
/// matter and light.
const Z: f32 = 2.0;
/// Height of those that are to be over models and matter, and under light.
const Z_FRONT: f32 = 3.5;
/// From one picture of a recipe to the next: all stay under the models' layer.
const BETWEEN: f32 = 0.005;

/// Seconds in which a feature goes most of the way to another place.
const MAKING_WAY: f32 = 0.18;
/// Seconds in which it fades there, and again comes here, where little is to move.
const FADE: f32 = 0.25;

pub struct PicturePlugin;

impl Plugin for PicturePlugin {
    fn build(&self, app: &mut App) {
        app.add_observer(place_act)
            .add_observer(show_growth)
            .add_observer(show_climax)
            .add_observer(show_fallback)
            .add_observer(move_act)
            .add_systems(
                Update,
                (
                    make_way
                        .before(super::models::place_models)
                        .before(super::videos::steer),
                    place_pictures,
                )
                    .chain()
                    .in_set(StageSet::Animate),
            );
    }
}

/// One picture of an act.
#[derive(Component)]
pub(super) struct ActPicture {
    act: Entity,
    index: usize,
    /// Seconds on stage at which its track began; `None` follows the timeline.
    since: Option<f32>,
}

/// Where an act's named pictures are, for emitters to follow, in stage units.
#[derive(Component, Default)]
pub struct PicturePlaces(HashMap<String, Vec2>);

impl PicturePlaces {
    pub fn at(&self, id: &str) -> Option<Vec2> {
        self.0.get(id).copied()
    }
}

/// Gives an act its place and the pictures it begins with.
fn place_act(
    add: On<Add, Act>,
    acts: Query<&Act>,
    stage: Res<StageSize>,
    room: Res<AmbientRoom>,
    mut spawner: PictureSpawner,
) {
    let Ok(act) = acts.get(add.entity) else {
        return;
    };
    let has_headline = acts.iter().any(is_headline);
    spawner.commands.entity(add.entity).insert((
        Placement::of(act, &stage, &room, has_headline),
        PicturePlaces::default(),
        Transform::default(),
        Visibility::default(),
    ));
    spawner.spawn(add.entity, act, Trigger::Start);
}

fn show_growth(swelled: On<Swelled>, acts: Query<&Act>, mut spawner: PictureSpawner) {
    let Ok(act) = acts.get(swelled.entity) else {
        return;
    };
    spawner.spawn(swelled.entity, act, Trigger::Grow);
    if swelled.combo.is_some() {
        spawner.spawn(swelled.entity, act, Trigger::Combo);
    }
}

fn show_climax(climaxed: On<Climaxed>, acts: Query<&Act>, mut spawner: PictureSpawner) {
    if let Ok(act) = acts.get(climaxed.entity) {
        spawner.spawn(climaxed.entity, act, Trigger::Climax);
    }
}

/// The pictures of the recipe that failed make way for the fallback's.
fn show_fallback(
    fell: On<FellBack>,
    acts: Query<&Act>,
    pictures: Query<(Entity, &ActPicture)>,
    mut spawner: PictureSpawner,
) {
    for (entity, picture) in &pictures {
        if picture.act == fell.entity {
            spawner.commands.entity(entity).despawn();
        }
    }
    if let Ok(act) = acts.get(fell.entity) {
        spawner.spawn(fell.entity, act, Trigger::Start);
    }
}

/// A streak that goes on as a small counter moves to its new place.
fn move_act(
    shrank: On<Shrank>,
    stage: Res<StageSize>,
    room: Res<AmbientRoom>,
    mut acts: Query<(&Act, &mut Placement)>,
) {
    if let Ok((act, mut placement)) = acts.get_mut(shrank.entity) {
        // It is an ambient act now, for which no headline matters.
        *placement = Placement::of(act, &stage, &room, false);
    }
}

fn is_headline(act: &Act) -> bool {
    act.lane == Lane::Headline
}

/// Features stand further out, and smaller, for as long as a headline is up: the
/// dearest gift is covered by none.
fn make_way(
    time: Res<Time>,
    look: Res<Look>,
    stage: Res<StageSize>,
    room: Res<AmbientRoom>,
    mut acts: Query<(&Act, &mut Placement)>,
) {
    let has_headline = acts.iter().any(|(act, _)| is_headline(act));
    let share = 1.0 - (-time.delta_secs() / MAKING_WAY).exp();
    for (act, mut placement) in &mut acts {
        if act.lane != Lane::Feature {
            continue;
        }
        let goal = Placement::of(act, &stage, &room, has_headline);
        if *placement != goal {
            *placement = match look.motion {
                Motion::Full => placement.towards(goal, share),
                Motion::Reduced | Motion::Calm => {
                    placement.fading_towards(goal, time.delta_secs() / FADE)
                }
            };
        }
    }
}

#[derive(SystemParam)]
struct PictureSpawner<'w, 's> {
    commands: Commands<'w, 's>,
    quad: Res<'w, UnitQuad>,
    bending: Res<'w, BendingQuad>,
    assets: Res<'w, AssetServer>,
    textures: ResMut<'w, Textures>,
    materials: ResMut<'w, Assets<QuadMaterial>>,
}

impl PictureSpawner<'_, '_> {
    fn spawn(&mut self, entity: Entity, act: &Act, on: Trigger) {
        for (index, picture) in act.recipe.pictures.iter().enumerate() {
            if picture.on.unwrap_or(Trigger::Start) != on {
                continue;
            }
            let texture = self.textures.get(&self.assets, &picture.texture);
            let mut material =
                QuadMaterial::straight(texture).tinted(Vec3::from(picture.color.0) * picture.glow);
            if picture.additive {
                material = material.additive(picture.body);
            }
            material.tint.w = 0.0;
            let mesh = match picture.wave {
                Some(_) => &self.bending.0,
                None => &self.quad.0,
            };
            self.commands.spawn((
                Mesh2d(mesh.clone()),
                MeshMaterial2d(self.materials.add(material)),
                Transform::from_scale(Vec3::ZERO),
                ActPicture {
                    act: entity,
                    index,
                    since: match on {
                        Trigger::Start => None,
                        Trigger::Grow | Trigger::Combo => Some(act.elapsed),
                        Trigger::Climax => Some(act.elapsed + act.seconds_to_sustain()),
                    },
                },
                ChildOf(entity),
            ));
        }
    }
}

/// Moves every picture along its track.
pub(super) fn place_pictures(
    mut commands: Commands,
    stage: Res<StageSize>,
    mut acts: Query<(&Act, &Placement, &mut PicturePlaces)>,
    mut pictures: Query<(
        Entity,
        &ActPicture,
        &mut Transform,
        &MeshMaterial2d<QuadMaterial>,
    )>,
    images: Res<Assets<Image>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
) {
    for (entity, shown, mut transform, material) in &mut pictures {
        let Ok((act, placement, mut places)) = acts.get_mut(shown.act) else {
            continue;
        };
        let Some(picture): Option<&Picture> = act.recipe.pictures.get(shown.index) else {
            continue;
        };
        let at = shown.since.map_or(act.age, |since| act.elapsed - since);
        if shown.since.is_some() && picture.track.0.last().is_some_and(|key| at > key.at) {
            commands.entity(entity).despawn();
            continue;
        }
        let pose = Pose::of(picture, act, placement, at, &stage);
        if let Some(id) = &picture.id {
            places.0.insert(id.clone(), pose.position);
        }
        let Some(known) = materials.get(&material.0) else {
            continue;
        };
        let aspect = images.get(&known.texture).map_or(1.0, |image| {
            image.width() as f32 / image.height().max(1) as f32
        });
        let z = if picture.front { Z_FRONT } else { Z };
        let alpha = pose.alpha * act.presence() * placement.presence;
        // What is not seen is not drawn: a clear quad costs as much as a full one.
        let shown_at = if alpha > 0.0 { picture.size } else { 0.0 };
        let size = pose.scale * shown_at * Vec2::new(aspect, 1.0);
        let pivot = pose.rotation * (size * Vec2::from(picture.pivot)).extend(0.0);
        *transform = Transform {
            translation: (pose.position - pivot.truncate())
                .extend(z + shown.index as f32 * BETWEEN + act.lift()),
            rotation: pose.rotation,
            scale: size.extend(1.0),
        };
        let tint = known.tint.with_w(alpha);
        let mut hold = known.hold.with_z(picture.track.at(at).reveal);
        let mut wave = known.wave;
        if let Some(waving) = picture.wave {
            let phase = (act.elapsed * waving.hertz).fract();
            wave = Vec4::new(waving.sway[0], waving.sway[1], waving.waves, phase);
            (hold.x, hold.y) = waving.hold.into();
        }
        // Asking for it mutably would upload it.
        if (known.tint, known.hold, known.wave) != (tint, hold, wave)
            && let Some(mut material) = materials.get_mut(&material.0)
        {
            (material.tint, material.hold, material.wave) = (tint, hold, wave);
        }
    }
}

/// How a picture stands on the stage, its own size apart.
struct Pose {
    position: Vec2,
    rotation: Quat,
    /// Stage units for one unit of the recipe, along the picture's own axes.
    scale: Vec2,
    alpha: f32,
}

impl Pose {
    /// The pose `at` seconds into the picture's track, on what carries it. A
    /// stretch is carried along the carried one's own axes: rectangles stay
    /// rectangles.
    fn of(picture: &Picture, act: &Act, placement: &Placement, at: f32, stage: &StageSize) -> Self {
        let carrier = act.recipe.carrier(picture);
        let key = picture.track.at_with_ends(at, |end| match carrier {
            // It comes and goes with that.
            Some(_) => end,
            None => placement.beyond_the_edge(end, act.lane, f32::INFINITY, stage),
        });
        let carrier = match carrier {
            Some(carrier) => {
                // One that something else set off has begun when its carrier had.
                let at = if carrier.on == picture.on {
                    at
                } else {
                    act.age
                };
                Self::of(carrier, act, placement, at, stage)
            }
            None => Self {
                position: placement.origin,
                rotation: Quat::IDENTITY,
                scale: Vec2::splat(placement.scale),
                alpha: 1.0,
            },
        };
        let stretch = key.stretch.max(0.05);
        let along = carrier.rotation * (Vec2::new(key.x, key.y) * carrier.scale).extend(0.0);
        let turned = Quat::from_rotation_z((picture.turn * act.elapsed).to_radians());
        Self {
            position: carrier.position + along.truncate(),
            rotation: carrier.rotation * super::layout::rotation(&key) * turned,
            scale: carrier.scale * key.scale * Vec2::new(1.0 / stretch, stretch),
            alpha: carrier.alpha * key.alpha,
        }
    }
}
