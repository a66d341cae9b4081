//! 3D models: animated glTF, lit and reflective over transparency, with nodes
//! that particles can follow. A model's lights are its studio, see
//! `environment`.

use std::collections::HashMap;

use bevy::animation::graph::{AnimationGraph, AnimationGraphHandle};
use bevy::animation::{AnimationClip, AnimationPlayer};
use bevy::asset::LoadState;
use bevy::camera::visibility::RenderLayers;
use bevy::ecs::system::SystemParam;
use bevy::gltf::{Gltf, GltfMaterial, GltfMaterialName};
use bevy::prelude::*;
use bevy::world_serialization::{WorldAssetRoot, WorldInstanceReady};

use super::deep::{DEEP_LAYER, ModelCamera, ModelLayer, model_camera_distance};
use super::environment::{Hall, Studio};
use super::gem::{self, GemMaterial, GemPlugin};
use super::layout::{Placement, StageSize};
use super::model_material::{ModelMaterial, ModelMaterialPlugin};
use crate::catalog::Model;
use crate::stage::{Act, AssetFailed, StageSet};

pub struct ModelPlugin;

impl Plugin for ModelPlugin {
    fn build(&self, app: &mut App) {
        register_scene_types(app);
        app.add_plugins((ModelMaterialPlugin, GemPlugin))
            .init_resource::<Studio>()
            .init_resource::<ModelFiles>()
            .add_observer(show_model)
            .add_observer(dress_instance)
            .add_systems(
                Update,
                (open_scenes, place_models, tell_failures, switch_camera)
                    .chain()
                    .in_set(StageSet::Animate),
            );
    }
}

/// Models that were asked for, kept loaded: a gift must not wait for a file.
#[derive(Resource, Default)]
pub struct ModelFiles(HashMap<String, Handle<Gltf>>);

impl ModelFiles {
    pub fn get(&mut self, assets: &AssetServer, file: &str) -> Handle<Gltf> {
        self.0
            .entry(file.to_owned())
            .or_insert_with(|| assets.load(format!("models/{file}")))
            .clone()
    }

    /// Those that could not be loaded are looked for again when they are next wanted.
    pub fn forget_failed(&mut self, assets: &AssetServer) {
        self.0.retain(|_, handle| {
            let state = assets.get_recursive_dependency_load_state(&*handle);
            !state.is_some_and(|state| state.is_failed())
        });
    }

    /// Whether every model asked for so far is loaded or has failed.
    pub fn settled(&self, assets: &AssetServer) -> bool {
        self.0.values().all(|handle| {
            assets
                .get_recursive_dependency_load_state(handle)
                .is_some_and(|state| state.is_loaded() || state.is_failed())
        })
    }
}

/// The model of an act; a child of the act's entity.
#[derive(Component)]
pub(super) struct ActModel {
    act: Entity,
}

/// A model that is there to be warmed up, not to be seen.
#[derive(Component)]
pub struct Rehearsing;

/// The named nodes of an act's model.
#[derive(Component, Default)]
pub struct ModelNodes(HashMap<String, Entity>);

impl ModelNodes {
    /// Whether the model's entities do not exist yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn node(&self, name: &str) -> Option<Entity> {
        self.0.get(name).copied()
    }
}

/// A model's file, and which of its clips to play once its entities exist.
#[derive(Component)]
struct Clip {
    file: Handle<Gltf>,
    name: Option<String>,
}

fn show_model(
    add: On<Add, Act>,
    mut commands: Commands,
    acts: Query<&Act>,
    assets: Res<AssetServer>,
    mut files: ResMut<ModelFiles>,
) {
    let act = acts.get(add.entity).ok();
    let Some(model) = act.and_then(|act| act.recipe.model.as_ref()) else {
        return;
    };
    let child = spawn_model(&mut commands, &assets, &mut files, model);
    commands
        .entity(child)
        .insert((ActModel { act: add.entity }, ChildOf(add.entity)));
    commands.entity(add.entity).insert(ModelNodes::default());
}

/// Spawns a model at scale 0; whoever asked for it moves it.
pub fn spawn_model(
    commands: &mut Commands,
    assets: &AssetServer,
    files: &mut ModelFiles,
    model: &Model,
) -> Entity {
    commands
        .spawn((
            Clip {
                file: files.get(assets, &model.file),
                name: model.clip.clone(),
            },
            Transform::from_scale(Vec3::splat(0.001)),
            Visibility::default(),
            RenderLayers::layer(DEEP_LAYER),
        ))
        .id()
}

/// A model's scene is its file's. (To ask the server for the scene alone would read the
/// file once more, and tell nobody but the scene when it cannot be read.)
fn open_scenes(
    mut commands: Commands,
    files: Res<Assets<Gltf>>,
    models: Query<(Entity, &Clip), Without<WorldAssetRoot>>,
) {
    for (entity, clip) in &models {
        let file = files.get(&clip.file);
        if let Some(scene) = file.and_then(|file| file.scenes.first()) {
            commands
                .entity(entity)
                .insert(WorldAssetRoot(scene.clone()));
        }
    }
}

/// Once a model's entities exist: they belong to the models' layer, its clip
/// plays, and its nodes are known by name.
fn dress_instance(
    ready: On<WorldInstanceReady>,
    mut commands: Commands,
    instances: Query<(&Clip, Option<&ActModel>)>,
    children: Query<&Children>,
    names: Query<&Name>,
    mut players: Query<&mut AnimationPlayer>,
    (files, clips): (Res<Assets<Gltf>>, Res<Assets<AnimationClip>>),
    mut dresser: Dresser,
    mut graphs: ResMut<Assets<AnimationGraph>>,
    mut nodes: Query<&mut ModelNodes>,
) {
    let Ok((clip, shown)) = instances.get(ready.entity) else {
        return;
    };
    let mut named = HashMap::new();
    for entity in children.iter_descendants(ready.entity) {
        commands
            .entity(entity)
            .insert(RenderLayers::layer(DEEP_LAYER));
        if let Ok(name) = names.get(entity) {
            named.insert(name.as_str().to_owned(), entity);
        }
        if let Some(file) = files.get(&clip.file) {
            dresser.dress(&mut commands, entity, file);
        }
        let (Ok(mut player), Some(file)) = (players.get_mut(entity), files.get(&clip.file)) else {
            continue;
        };
        let animation = match &clip.name {
            Some(name) => file.named_animations.get(name.as_str()),
            None => file.animations.first(),
        };
        let Some(animation) = animation else {
            warn!("a model has no animation {:?}", clip.name);
            continue;
        };
        debug_assert!(clips.contains(animation));
        let (graph, index) = AnimationGraph::from_clip(animation.clone());
        player.play(index).repeat();
        commands
            .entity(entity)
            .insert(AnimationGraphHandle(graphs.add(graph)));
    }
    if let Some(mut nodes) = shown.and_then(|shown| nodes.get_mut(shown.act).ok()) {
        nodes.0 = named;
    }
}

/// Gives the parts of a model what they are made of here.
#[derive(SystemParam)]
struct Dresser<'w, 's> {
    parts: Query<'w, 's, (&'static GltfMaterialName, &'static Mesh3d)>,
    looks: Res<'w, Assets<GltfMaterial>>,
    meshes: Res<'w, Assets<Mesh>>,
    studio: Res<'w, Studio>,
    hall: Res<'w, Hall>,
    materials: ResMut<'w, Assets<ModelMaterial>>,
    gems: ResMut<'w, Assets<GemMaterial>>,
}

impl Dresser<'_, '_> {
    fn dress(&mut self, commands: &mut Commands, entity: Entity, file: &Gltf) {
        let Ok((name, mesh)) = self.parts.get(entity) else {
            return;
        };
        let look = file.named_materials.get(name.0.as_str());
        let Some(look) = look.and_then(|handle| self.looks.get(handle)) else {
            return;
        };
        let mut part = commands.entity(entity);
        match self.meshes.get(&mesh.0) {
            Some(mesh) if gem::is_gem(look) => {
                let stone = GemMaterial::new(look, mesh, &self.hall);
                part.insert(MeshMaterial3d(self.gems.add(stone)));
            }
            _ => {
                let material = ModelMaterial::new(look, &self.studio, &self.hall);
                part.insert(MeshMaterial3d(self.materials.add(material)));
            }
        }
    }
}

/// Moves every model along its track.
pub(super) fn place_models(
    stage: Res<StageSize>,
    acts: Query<(&Act, &Placement)>,
    mut models: Query<(&ActModel, &mut Transform)>,
) {
    for (shown, mut transform) in &mut models {
        let Ok((act, placement)) = acts.get(shown.act) else {
            continue;
        };
        let Some(model) = &act.recipe.model else {
            continue;
        };
        let distance = model_camera_distance(&stage);
        let key = model.track.at_with_ends(act.age, |end| {
            placement.beyond_the_edge(end, act.lane, distance, &stage)
        });
        let presence = act.presence() * placement.presence;
        let scale = model.size * key.scale * placement.scale * presence;
        let stretch = key.stretch.max(0.05);
        // Volume is kept: what stretches grows thin.
        let thin = stretch.sqrt().recip();
        // A sustained act is alive: it breathes around its place.
        let idle = if act.is_sustained() {
            Vec2::new(
                (act.elapsed * 1.7).sin() * 6.0,
                (act.elapsed * 2.3).sin() * 9.0,
            )
        } else {
            Vec2::ZERO
        };
        *transform = Transform {
            translation: (placement.origin + (Vec2::new(key.x, key.y) + idle) * placement.scale)
                .extend(key.z * placement.scale),
            rotation: super::layout::rotation(&key),
            scale: Vec3::new(thin, stretch, thin) * scale.max(0.001),
        };
    }
}

/// A model whose file cannot be used makes its act fall back.
fn tell_failures(
    mut commands: Commands,
    assets: Res<AssetServer>,
    files: Res<Assets<Gltf>>,
    models: Query<(Entity, &ActModel, &Clip)>,
) {
    for (entity, shown, clip) in &models {
        let reason = match assets.get_load_state(&clip.file) {
            Some(LoadState::Failed(error)) => error.to_string(),
            _ => match files.get(&clip.file) {
                Some(file) if file.scenes.is_empty() => "the model has no scene".to_owned(),
                _ => continue,
            },
        };
        commands.trigger(AssetFailed {
            entity: shown.act,
            reason: reason.into(),
        });
        commands.entity(entity).despawn();
    }
}

/// The deep camera costs a pass and a picture; it runs only while it has
/// something to show, or to warm up.
fn switch_camera(
    models: Query<(), With<Clip>>,
    mut camera: Single<&mut Camera, With<ModelCamera>>,
    mut layer: Single<&mut Visibility, With<ModelLayer>>,
) {
    let wanted = !models.is_empty();
    if camera.is_active != wanted {
        camera.is_active = wanted;
        **layer = if wanted {
            Visibility::Visible
        } else {
            Visibility::Hidden
        };
    }
}

/// Everything a glTF scene can hold. A scene is copied into the world by
/// reflection, which ends the program at a type that is not registered; Bevy's
/// automatic registration would do it for every type there is, at every launch.
fn register_scene_types(app: &mut App) {
    use bevy::animation::{AnimatedBy, AnimationTargetId};
    use bevy::camera::primitives::{Aabb, CascadesFrusta, CubemapFrusta, Frustum};
    use bevy::camera::visibility::{
        CascadesVisibleEntities, CubemapVisibleEntities, DynamicSkinnedMeshBounds,
        NoFrustumCulling, VisibilityClass, VisibleMeshEntities,
    };
    use bevy::gltf::{
        GltfExtras, GltfMaterialExtras, GltfMaterialName, GltfMeshExtras, GltfMeshName,
        GltfSceneExtras, GltfSceneName,
    };
    use bevy::light::{CascadeShadowConfig, Cascades};
    use bevy::mesh::morph::{MeshMorphWeights, MorphWeights};
    use bevy::mesh::skinning::SkinnedMesh;
    use bevy::transform::components::TransformTreeChanged;

    app.register_type::<Name>()
        .register_type::<ChildOf>()
        .register_type::<Children>()
        .register_type::<Transform>()
        .register_type::<GlobalTransform>()
        .register_type::<TransformTreeChanged>()
        .register_type::<Visibility>()
        .register_type::<InheritedVisibility>()
        .register_type::<ViewVisibility>()
        .register_type::<VisibilityClass>()
        .register_type::<NoFrustumCulling>()
        .register_type::<DynamicSkinnedMeshBounds>()
        .register_type::<Aabb>()
        .register_type::<Mesh3d>()
        .register_type::<MeshMaterial3d<StandardMaterial>>()
        .register_type::<SkinnedMesh>()
        .register_type::<MorphWeights>()
        .register_type::<MeshMorphWeights>()
        .register_type::<AnimationPlayer>()
        .register_type::<AnimationTargetId>()
        .register_type::<AnimatedBy>()
        .register_type::<GltfExtras>()
        .register_type::<GltfSceneName>()
        .register_type::<GltfSceneExtras>()
        .register_type::<GltfMeshName>()
        .register_type::<GltfMeshExtras>()
        .register_type::<GltfMaterialName>()
        .register_type::<GltfMaterialExtras>()
        .register_type::<DirectionalLight>()
        .register_type::<PointLight>()
        .register_type::<SpotLight>()
        .register_type::<Cascades>()
        .register_type::<CascadesFrusta>()
        .register_type::<CascadesVisibleEntities>()
        .register_type::<CascadeShadowConfig>()
        .register_type::<CubemapFrusta>()
        .register_type::<CubemapVisibleEntities>()
        .register_type::<Frustum>()
        .register_type::<VisibleMeshEntities>();
}
