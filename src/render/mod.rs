//! Pictures: what shows an [`Act`](crate::stage::Act). Each part reacts to acts
//! by observers and follows them in [`StageSet::Animate`]; none touches the
//! queue.
//!
//! The stage is drawn in linear light, premultiplied, over a transparent clear,
//! flat things by one 2D camera; models by a 3D camera into a texture of their
//! own, while one plays. `present` turns the result into what each consumer
//! expects.

mod beat;
pub mod bloom;
pub mod boards;
pub mod camera;
pub mod caption;
pub mod captions;
mod card_place;
pub mod deep;
mod environment;
mod faces;
mod gem;
pub mod layout;
mod letters;
pub mod look;
mod model_material;
pub mod models;
pub mod particles;
pub mod patience;
pub mod pictures;
pub mod present;
mod quad;
pub mod shake;
pub(crate) mod textures;
pub mod video;
pub mod videos;
mod warmup;

use bevy::asset::uuid_handle;
use bevy::camera::CameraUpdateSystems;
use bevy::prelude::*;
use bevy::shader::Shader;

pub use camera::{Quality, QualityWish};
pub use faces::Faces;
pub use layout::StageSize;
pub use look::Look;
pub use patience::Patience;
pub use textures::Textures;
pub use warmup::{Pipelines, Warmup};

/// Draws acts. Needs [`StageSize`] and [`Quality`] in the world.
pub struct StageRenderPlugin {
    pub form: present::Form,
}

impl Plugin for StageRenderPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Patience>()
            .init_resource::<layout::AmbientRoom>()
            .add_plugins((
                textures::TexturePlugin,
                quad::QuadPlugin,
                present::PresentPlugin { form: self.form },
                pictures::PicturePlugin,
                models::ModelPlugin,
                faces::FacePlugin,
                captions::CaptionPlugin,
                letters::LettersPlugin,
                boards::BoardPlugin,
                videos::ActVideoPlugin,
                particles::ParticlePlugin,
                shake::ShakePlugin,
                warmup::WarmupPlugin,
            ))
            .init_resource::<deep::Windows>()
            .add_systems(
                PreStartup,
                (camera::spawn_stage_camera, deep::spawn_deep_camera),
            )
            .add_systems(
                PostUpdate,
                (
                    camera::follow_scale,
                    deep::aim.after(TransformSystems::Propagate),
                )
                    .before(CameraUpdateSystems),
            );
    }
}

/// What several shaders import.
const SRGB: Handle<Shader> = uuid_handle!("8d1f6b0e-53c9-4d7b-a2f4-9e0c7a61b35d");

/// Registers what shaders import as `hyperfocus::srgb`.
fn add_srgb(app: &mut App) {
    let source = include_str!("../../shaders/srgb.wgsl");
    add_shader(app, &SRGB, source, "shaders/srgb.wgsl");
}

/// Registers a shader that is built into the program.
fn add_shader(app: &mut App, handle: &Handle<Shader>, source: &'static str, path: &'static str) {
    let result = app
        .world_mut()
        .resource_mut::<Assets<Shader>>()
        .insert(handle, Shader::from_wgsl(source, path));
    debug_assert!(result.is_ok(), "a shader's handle is its own");
}
