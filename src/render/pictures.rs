//! Still pictures that move on tracks: the heroes of particle gifts.

use std::collections::HashMap;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::layout::{Placement, StageSize};
use super::quad::{QuadMaterial, UnitQuad};
use super::textures::Textures;
use crate::catalog::{Picture, Trigger};
use crate::stage::{Act, Climaxed, FellBack, Grew, Shrank, StageSet};

/// Height of the pictures among the layers of the stage: over smoke, under
/// matter and light.
const Z: f32 = 2.0;
/// Height of those that are to be over matter, and under light.
const Z_FRONT: f32 = 3.5;

pub struct PicturePlugin;

impl Plugin for PicturePlugin {
    fn build(&self, app: &mut App) {
        app.add_observer(place_act)
            .add_observer(show_growth)
            .add_observer(show_climax)
            .add_observer(show_fallback)
            .add_observer(move_act)
            .add_systems(Update, place_pictures.in_set(StageSet::Animate));
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
    mut spawner: PictureSpawner,
) {
    let Ok(act) = acts.get(add.entity) else {
        return;
    };
    spawner.commands.entity(add.entity).insert((
        Placement::of(act, &stage),
        PicturePlaces::default(),
        Transform::default(),
        Visibility::default(),
    ));
    spawner.spawn(add.entity, act, Trigger::Start);
}

fn show_growth(grew: On<Grew>, acts: Query<&Act>, mut spawner: PictureSpawner) {
    let Ok(act) = acts.get(grew.entity) else {
        return;
    };
    spawner.spawn(grew.entity, act, Trigger::Grow);
    if grew.combo.is_some() {
        spawner.spawn(grew.entity, act, Trigger::Combo);
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
fn move_act(shrank: On<Shrank>, stage: Res<StageSize>, mut acts: Query<(&Act, &mut Placement)>) {
    if let Ok((act, mut placement)) = acts.get_mut(shrank.entity) {
        *placement = Placement::of(act, &stage);
    }
}

#[derive(SystemParam)]
struct PictureSpawner<'w, 's> {
    commands: Commands<'w, 's>,
    quad: Res<'w, UnitQuad>,
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
                material = material.additive();
            }
            material.tint.w = 0.0;
            self.commands.spawn((
                Mesh2d(self.quad.0.clone()),
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
        let key = picture.track.at(at);
        let position = placement.origin + Vec2::new(key.x, key.y) * placement.scale;
        if let Some(id) = &picture.id {
            places.0.insert(id.clone(), position);
        }
        let Some(mut material) = materials.get_mut(&material.0) else {
            continue;
        };
        let aspect = images.get(&material.texture).map_or(1.0, |image| {
            image.width() as f32 / image.height().max(1) as f32
        });
        let z = if picture.front { Z_FRONT } else { Z };
        let height = picture.size * key.scale * placement.scale;
        *transform = Transform {
            translation: position.extend(z + shown.index as f32 * 0.01),
            rotation: super::layout::rotation(&key),
            scale: Vec3::new(
                height * aspect / key.stretch.max(0.05),
                height * key.stretch,
                1.0,
            ),
        };
        material.tint.w = key.alpha * act.presence();
    }
}
