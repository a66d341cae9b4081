//! What one quad of a video is drawn with.

use bevy::asset::uuid_handle;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, BlendState, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::shader::ShaderRef;
use bevy::sprite_render::{AlphaMode2d, Material2d, Material2dKey};

use super::layout::{Clipped, FusionObject, Layout, PixelRect, Placement};
use super::source::VideoInfo;

pub(super) const SHADER: Handle<Shader> = uuid_handle!("4a8b1c52-07d3-4c4e-9e43-5d1f0b6c2a71");

/// Draws the picture of a video, or an image fused into it: a pipeline each.
///
/// A branch on a uniform would do with one, but drivers that bake such uniforms
/// into the shader (Mesa's lavapipe does) would then compile it again for every
/// frame whose rectangles differ.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
#[bind_group_data(VideoKey)]
pub struct VideoMaterial {
    #[uniform(0)]
    pub(super) uniform: VideoUniform,
    #[texture(1)]
    pub(super) luma: Handle<Image>,
    #[texture(2)]
    pub(super) cb: Handle<Image>,
    #[texture(3)]
    pub(super) cr: Handle<Image>,
    /// The fused image; absent on the picture's quad.
    #[texture(4)]
    #[sampler(5)]
    pub(super) image: Option<Handle<Image>>,
}

/// What a pipeline is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VideoKey {
    fused: bool,
}

impl From<&VideoMaterial> for VideoKey {
    fn from(material: &VideoMaterial) -> Self {
        Self {
            fused: material.uniform.flags & FUSED != 0,
        }
    }
}

impl Material2d for VideoMaterial {
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }

    fn alpha_mode(&self) -> AlphaMode2d {
        AlphaMode2d::Blend
    }

    fn specialize(
        descriptor: &mut RenderPipelineDescriptor,
        _layout: &MeshVertexBufferLayoutRef,
        key: Material2dKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        if let Some(fragment) = &mut descriptor.fragment
            && key.bind_group_data.fused
        {
            fragment.shader_defs.push("FUSED".into());
        }
        let targets = descriptor.fragment.iter_mut().flat_map(|f| &mut f.targets);
        for target in targets.flatten() {
            target.blend = Some(BlendState::PREMULTIPLIED_ALPHA_BLENDING);
        }
        Ok(())
    }
}

/// `Window` in `shaders/video.wgsl`.
#[derive(ShaderType, Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    map: Vec4,
    bounds: Vec4,
}

impl Window {
    /// `rect` on the luma plane.
    fn luma(rect: PixelRect) -> Self {
        Self {
            map: rect_vec(rect),
            bounds: texels(rect),
        }
    }

    /// `rect`, given in luma pixels, on the chroma planes.
    fn chroma(rect: PixelRect, info: &VideoInfo) -> Self {
        let shift = Vec4::new(info.colour.chroma_shift(), 0.0, 0.0, 0.0);
        Self {
            map: rect_vec(rect) / 2.0 + shift,
            bounds: texels(rect.chroma()),
        }
    }
}

fn rect_vec(rect: PixelRect) -> Vec4 {
    Vec4::new(
        rect.x as f32,
        rect.y as f32,
        rect.width as f32,
        rect.height as f32,
    )
}

/// The first and the last texel of `rect`.
fn texels(rect: PixelRect) -> Vec4 {
    let r = rect_vec(rect);
    Vec4::new(r.x, r.y, r.x + r.z - 1.0, r.y + r.w - 1.0)
}

/// `VideoUniform` in `shaders/video.wgsl`.
#[derive(ShaderType, Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct VideoUniform {
    luma: Window,
    chroma: Window,
    alpha: Window,
    part: Vec4,
    placement: Vec4,
    levels: Vec4,
    green_opacity: Vec4,
    flags: u32,
}

const FUSED: u32 = 1;
const MASK_TURNED: u32 = 2;

impl VideoUniform {
    /// The whole picture of a video.
    pub(super) fn picture(layout: &Layout, info: &VideoInfo, opacity: f32) -> Self {
        Self {
            luma: Window::luma(layout.colour),
            chroma: Window::chroma(layout.colour, info),
            alpha: Window::luma(layout.alpha),
            ..Self::common(info, opacity)
        }
    }

    /// The part of a fused image that is on the canvas.
    pub(super) fn fused(
        object: &FusionObject,
        clipped: &Clipped,
        placement: Placement,
        info: &VideoInfo,
        opacity: f32,
    ) -> Self {
        let [sx, sy] = placement.scale;
        let [ox, oy] = placement.offset;
        Self {
            luma: Window::luma(object.mask),
            chroma: Window::chroma(object.mask, info),
            part: Vec4::from_array(clipped.part),
            placement: Vec4::new(sx, sy, ox, oy),
            flags: FUSED | if object.mask_turned { MASK_TURNED } else { 0 },
            ..Self::common(info, opacity)
        }
    }

    /// Nothing of a fused image: for warming up.
    pub(super) fn fused_nothing() -> Self {
        Self {
            flags: FUSED,
            ..Self::default()
        }
    }

    fn common(info: &VideoInfo, opacity: f32) -> Self {
        let k = info.colour.coefficients();
        Self {
            part: Vec4::new(0.0, 0.0, 1.0, 1.0),
            placement: Vec4::new(1.0, 1.0, 0.0, 0.0),
            levels: Vec4::new(k.black, k.luma, k.red_cr, k.blue_cb),
            green_opacity: Vec4::new(k.green_cb, k.green_cr, opacity, 0.0),
            ..Self::default()
        }
    }
}
