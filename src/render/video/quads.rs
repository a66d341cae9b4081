//! A video's quads: its picture, and one for each image that a frame of it can
//! have fused in.

use std::sync::Arc;

use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;

use super::layout::{FusionObject, Layout, PixelRect};
use super::material::{VideoMaterial, VideoUniform};
use super::source::{VideoFrame, VideoInfo};
use super::upload::{PlaneImages, VideoUploads};
use super::{FUSION_Z_STEP, VideoKit, VideoPlayback};

/// The quads and textures of a video whose size is known.
pub(super) struct OnStage {
    info: VideoInfo,
    layout: Arc<Layout>,
    planes: PlaneImages,
    picture: Quad,
    fused: Vec<Quad>,
    /// The frame on stage; `None` before the first.
    index: Option<u64>,
}

struct Quad {
    entity: Entity,
    material: Handle<VideoMaterial>,
}

/// What a quad shows.
struct Drawn {
    rect: PixelRect,
    uniform: VideoUniform,
    image: Option<Handle<Image>>,
}

impl OnStage {
    pub(super) fn quads(&self) -> impl Iterator<Item = Entity> + use<'_> {
        let quads = std::iter::once(&self.picture).chain(&self.fused);
        quads.map(|quad| quad.entity)
    }

    pub(super) fn index(&self) -> Option<u64> {
        self.index
    }

    /// Sends a frame to the GPU.
    pub(super) fn show(&mut self, frame: VideoFrame, uploads: &mut VideoUploads) {
        self.index = Some(frame.index);
        uploads.push(&self.planes, frame);
    }

    /// Puts every quad where it belongs on the frame on stage. Only what
    /// differs is touched, since a touched material is prepared anew.
    pub(super) fn place(
        &self,
        playback: &VideoPlayback,
        images: &Assets<Image>,
        materials: &mut Assets<VideoMaterial>,
        quads: &mut Query<(&mut Transform, &mut Visibility), Without<VideoPlayback>>,
    ) {
        let Some(index) = self.index else {
            return;
        };
        let canvas = Canvas::new(&self.layout, playback.size);
        let picture = Drawn {
            rect: PixelRect::new(0, 0, self.layout.width, self.layout.height),
            uniform: VideoUniform::picture(&self.layout, &self.info, playback.opacity),
            image: None,
        };
        draw(&self.picture, Some(picture), &canvas, materials, quads);
        let mut drawn = self
            .layout
            .fusion
            .objects(index)
            .iter()
            .filter_map(|object| self.fused(object, playback, images));
        for quad in &self.fused {
            draw(quad, drawn.next(), &canvas, materials, quads);
        }
    }

    /// `None` when there is nothing to see: no image for its tag, not loaded
    /// yet, or off the canvas.
    fn fused(
        &self,
        object: &FusionObject,
        playback: &VideoPlayback,
        images: &Assets<Image>,
    ) -> Option<Drawn> {
        let source = &self.layout.fusion.sources[object.source];
        let handle = playback.fusion.get(&*source.tag)?;
        let size = images.get(handle)?.size().as_vec2();
        let clipped = object.frame.clip(self.layout.width, self.layout.height)?;
        let placement = source.placement(size.x, size.y);
        Some(Drawn {
            rect: clipped.rect,
            uniform: VideoUniform::fused(object, &clipped, placement, &self.info, playback.opacity),
            image: Some(handle.clone()),
        })
    }
}

fn draw(
    quad: &Quad,
    drawn: Option<Drawn>,
    canvas: &Canvas,
    materials: &mut Assets<VideoMaterial>,
    quads: &mut Query<(&mut Transform, &mut Visibility), Without<VideoPlayback>>,
) {
    // The quad may have been despawned with its parent this very frame.
    let Ok((mut transform, mut visibility)) = quads.get_mut(quad.entity) else {
        return;
    };
    let Some(drawn) = drawn else {
        visibility.set_if_neq(Visibility::Hidden);
        return;
    };
    visibility.set_if_neq(Visibility::Inherited);
    let z = transform.translation.z;
    transform.set_if_neq(canvas.transform(drawn.rect, z));
    let same = materials
        .get(&quad.material)
        .is_some_and(|material| material.uniform == drawn.uniform && material.image == drawn.image);
    if same {
        return;
    }
    if let Some(mut material) = materials.get_mut(&quad.material) {
        material.uniform = drawn.uniform;
        material.image = drawn.image;
    }
}

/// From the layout's pixels, y down, to stage units around the centre, y up.
struct Canvas {
    pixels: Vec2,
    /// Stage units per pixel.
    scale: f32,
}

impl Canvas {
    /// As large as fits into `size` with the picture's own shape.
    fn new(layout: &Layout, size: Vec2) -> Self {
        let pixels = Vec2::new(layout.width as f32, layout.height as f32);
        Self {
            pixels,
            scale: (size / pixels).min_element(),
        }
    }

    fn transform(&self, rect: PixelRect, z: f32) -> Transform {
        let size = Vec2::new(rect.width as f32, rect.height as f32);
        let centre = Vec2::new(rect.x as f32, rect.y as f32) + size / 2.0 - self.pixels / 2.0;
        let at = Vec2::new(centre.x, -centre.y) * self.scale;
        Transform::from_translation(at.extend(z)).with_scale((size * self.scale).extend(1.0))
    }
}

/// What is needed to put quads on stage.
pub(super) struct Build<'a, 'w, 's> {
    pub commands: &'a mut Commands<'w, 's>,
    pub kit: &'a VideoKit,
    pub images: &'a mut Assets<Image>,
    pub materials: &'a mut Assets<VideoMaterial>,
    /// The entity with the [`VideoPlayback`], and its layers.
    pub parent: Entity,
    pub layers: Option<&'a RenderLayers>,
}

impl Build<'_, '_, '_> {
    pub(super) fn stage(&mut self, info: &VideoInfo, layout: &Arc<Layout>) -> OnStage {
        let planes = PlaneImages::new(info, self.images);
        let uniform = VideoUniform::picture(layout, info, 1.0);
        let picture = self.quad(&planes, uniform, 0.0);
        let fused = (1..=layout.fusion.most_at_once())
            .map(|place| self.quad(&planes, uniform, place as f32 * FUSION_Z_STEP))
            .collect();
        OnStage {
            info: info.clone(),
            layout: Arc::clone(layout),
            planes,
            picture,
            fused,
            index: None,
        }
    }

    /// Hidden until it is placed.
    fn quad(&mut self, planes: &PlaneImages, uniform: VideoUniform, z: f32) -> Quad {
        let (mesh, material) = self.kit.quad(self.materials, planes, uniform);
        let handle = material.0.clone();
        let mut quad = self.commands.spawn((
            mesh,
            material,
            ChildOf(self.parent),
            Transform::from_xyz(0.0, 0.0, z),
            Visibility::Hidden,
        ));
        if let Some(layers) = self.layers {
            quad.insert(layers.clone());
        }
        Quad {
            entity: quad.id(),
            material: handle,
        }
    }
}
