//! Bloom: what is brighter than white spills light around it.
//!
//! It is blurred at few lines through a pyramid of textures, and the last pass lays
//! the result over the stage while it draws that for a consumer. So the stage is gone
//! over once for each, and not a second time for the bloom: that pass, of nine taps for
//! each pixel, was three quarters of a frame on a rasteriser without a GPU.

use bevy::asset::uuid_handle;
use bevy::core_pipeline::FullscreenShader;
use bevy::core_pipeline::schedule::{Core2d, Core2dSystems};
use bevy::prelude::*;
use bevy::render::RenderApp;
use bevy::render::RenderStartup;
use bevy::render::camera::ExtractedCamera;
use bevy::render::extract_component::{ExtractComponent, ExtractComponentPlugin};
use bevy::render::render_resource::binding_types::{sampler, texture_2d, uniform_buffer};
use bevy::render::render_resource::{
    BindGroup, BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, BlendComponent,
    BlendFactor, BlendOperation, BlendState, Buffer, BufferInitDescriptor, BufferUsages,
    CachedRenderPipelineId, ColorTargetState, ColorWrites, CommandEncoder, Extent3d, FilterMode,
    FragmentState, LoadOp, Operations, PipelineCache, RenderPassColorAttachment,
    RenderPassDescriptor, RenderPipeline, RenderPipelineDescriptor, Sampler, SamplerBindingType,
    SamplerDescriptor, ShaderStages, ShaderType, StoreOp, TextureDescriptor, TextureDimension,
    TextureFormat, TextureSampleType, TextureUsages, TextureView, TextureViewDescriptor, encase,
};
use bevy::render::renderer::{RenderContext, RenderDevice, ViewQuery};
use bevy::render::view::ViewTarget;
use bevy::shader::Shader;

use super::present::drawn_share;

const SHADER: Handle<Shader> = uuid_handle!("3c1e8a94-7d0b-4f5e-9a61-52f0c8b7d2e3");
const FORMAT: TextureFormat = TextureFormat::Rgba16Float;

/// The widest texture of the pyramid: every adapter that can hold the largest stage has
/// such a one. A wider stage than that allows has fewer lines of it.
const WIDEST: u32 = 8_192;
/// The fewest lines of the pyramid's largest texture. Its smallest has half as many.
const FEWEST_LINES: u32 = 8;

/// Has the stage's camera bloom, by a pyramid whose largest texture has at most that
/// many lines. What it costs goes with their square and hardly by the stage's size.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, ExtractComponent)]
pub struct Bloom {
    pub lines: u32,
}

impl Bloom {
    /// The size of the pyramid's largest texture for that many pixels of the stage.
    fn size(self, drawn: UVec2) -> UVec2 {
        // Of less than two pixels for each of its own it would see no more.
        let lines = self.lines.min(drawn.y / 2).min(WIDEST * drawn.y / drawn.x);
        let lines = lines.max(FEWEST_LINES);
        let width = (drawn.x as f32 * lines as f32 / drawn.y as f32).round() as u32;
        UVec2::new(width.clamp(1, WIDEST), lines)
    }
}

/// Textures of a pyramid whose largest has so many lines: each halves the one before,
/// down to four lines or a few more.
fn levels(lines: u32) -> u32 {
    lines.ilog2() - 1
}

pub(super) struct BloomPlugin;

impl Plugin for BloomPlugin {
    fn build(&self, app: &mut App) {
        super::add_shader(
            app,
            &SHADER,
            include_str!("../../shaders/bloom.wgsl"),
            "shaders/bloom.wgsl",
        );
        app.add_plugins(ExtractComponentPlugin::<Bloom>::default());
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render_app
            .add_systems(RenderStartup, make_blur)
            .add_systems(Core2d, blur.in_set(Core2dSystems::PostProcess));
    }
}

/// All that blurs.
#[derive(Resource)]
pub(super) struct Blur {
    layout: BindGroupLayoutDescriptor,
    sampler: Sampler,
    /// From the stage to the largest level.
    first: CachedRenderPipelineId,
    /// From one level to the next smaller one, and back onto the next larger one.
    down: CachedRenderPipelineId,
    up: CachedRenderPipelineId,
    smoothed: CachedRenderPipelineId,
    pyramid: Option<Pyramid>,
}

impl Blur {
    /// The light to lay over a stage that blooms, over all of it that is drawn.
    pub(super) fn of(&self, bloom: Option<&Bloom>) -> Option<&TextureView> {
        let pyramid = self.pyramid.as_ref().filter(|_| bloom.is_some());
        pyramid.map(|pyramid| &pyramid.smoothed)
    }
}

/// What is drawn into, for one size of the stage.
struct Pyramid {
    of: (Bloom, UVec2),
    /// The largest first.
    levels: Vec<TextureView>,
    smoothed: TextureView,
    from_stage: Buffer,
    /// Each level but the smallest as what the next is drawn from.
    down: Vec<BindGroup>,
    /// Each level as what is laid onto the one before it; the largest is smoothed.
    up: Vec<BindGroup>,
}

impl Pyramid {
    /// For what is drawn of a stage, that share of its texture; `group` binds what a
    /// level is drawn from.
    fn new(
        device: &RenderDevice,
        bloom: Bloom,
        drawn: UVec2,
        share: Vec2,
        group: impl Fn(&TextureView, &Buffer) -> BindGroup,
    ) -> Self {
        let size = bloom.size(drawn);
        let texture = |levels| {
            device.create_texture(&TextureDescriptor {
                label: Some("bloom"),
                size: Extent3d {
                    width: size.x,
                    height: size.y,
                    depth_or_array_layers: 1,
                },
                mip_level_count: levels,
                sample_count: 1,
                dimension: TextureDimension::D2,
                format: FORMAT,
                usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            })
        };
        let count = levels(size.y);
        let all = texture(count);
        let levels: Vec<TextureView> = (0..count)
            .map(|level| {
                all.create_view(&TextureViewDescriptor {
                    base_mip_level: level,
                    mip_level_count: Some(1),
                    ..default()
                })
            })
            .collect();
        let pixel = |level: u32| 1.0 / (size >> level).max(UVec2::ONE).as_vec2();
        let down = (1..count).map(|level| {
            let halves = Taps::whole(pixel(level) / 2.0).buffer(device);
            group(&levels[level as usize - 1], &halves)
        });
        let up = (0..count).map(|level| {
            let pixels = Taps::whole(pixel(level)).buffer(device);
            group(&levels[level as usize], &pixels)
        });
        let from_stage = Taps {
            share,
            step: share * pixel(0) / 2.0,
            most: share * (1.0 - 0.5 / drawn.as_vec2()),
        };
        Self {
            of: (bloom, drawn),
            down: down.collect(),
            up: up.collect(),
            smoothed: texture(1).create_view(&TextureViewDescriptor::default()),
            from_stage: from_stage.buffer(device),
            levels,
        }
    }
}

/// Where a shader looks at what a level is drawn from.
#[derive(ShaderType, Clone, Copy)]
struct Taps {
    share: Vec2,
    step: Vec2,
    most: Vec2,
}

impl Taps {
    /// At a whole texture, so far from each other.
    fn whole(step: Vec2) -> Self {
        Self {
            share: Vec2::ONE,
            step,
            most: Vec2::ONE,
        }
    }

    fn buffer(self, device: &RenderDevice) -> Buffer {
        let mut bytes = encase::UniformBuffer::new(Vec::new());
        bytes
            .write(&self)
            .expect("a vector grows to what is written into it");
        device.create_buffer_with_data(&BufferInitDescriptor {
            label: Some("bloom"),
            contents: bytes.as_ref(),
            usage: BufferUsages::UNIFORM,
        })
    }
}

fn make_blur(
    mut commands: Commands,
    device: Res<RenderDevice>,
    fullscreen: Res<FullscreenShader>,
    cache: Res<PipelineCache>,
) {
    let layout = BindGroupLayoutDescriptor::new(
        "bloom",
        &BindGroupLayoutEntries::sequential(
            ShaderStages::FRAGMENT,
            (
                texture_2d(TextureSampleType::Float { filterable: true }),
                sampler(SamplerBindingType::Filtering),
                uniform_buffer::<Taps>(false),
            ),
        ),
    );
    let pipeline = |entry_point: &'static str, shader_def: Option<&'static str>, blend| {
        cache.queue_render_pipeline(RenderPipelineDescriptor {
            label: Some("bloom".into()),
            layout: vec![layout.clone()],
            vertex: fullscreen.to_vertex_state(),
            fragment: Some(FragmentState {
                shader: SHADER,
                shader_defs: shader_def.into_iter().map(Into::into).collect(),
                entry_point: Some(entry_point.into()),
                targets: vec![Some(ColorTargetState {
                    format: FORMAT,
                    blend,
                    write_mask: ColorWrites::ALL,
                })],
            }),
            ..default()
        })
    };
    let both = BlendComponent {
        src_factor: BlendFactor::One,
        dst_factor: BlendFactor::One,
        operation: BlendOperation::Add,
    };
    let added = BlendState {
        color: both,
        alpha: both,
    };
    let blur = Blur {
        first: pipeline("down", Some("FROM_STAGE"), None),
        down: pipeline("down", None, None),
        up: pipeline("up", None, Some(added)),
        smoothed: pipeline("smoothed", None, None),
        sampler: device.create_sampler(&SamplerDescriptor {
            mag_filter: FilterMode::Linear,
            min_filter: FilterMode::Linear,
            ..default()
        }),
        pyramid: None,
        layout,
    };
    commands.insert_resource(blur);
}

/// Blurs what a stage that blooms has above white.
fn blur(
    view: ViewQuery<(&ViewTarget, &ExtractedCamera, &Bloom)>,
    cache: Res<PipelineCache>,
    mut blur: ResMut<Blur>,
    mut ctx: RenderContext,
) {
    let (target, camera, &bloom) = view.into_inner();
    let blur = &mut *blur;
    let pipelines =
        [blur.first, blur.down, blur.up, blur.smoothed].map(|id| cache.get_render_pipeline(id));
    let [Some(first), Some(down), Some(up), Some(smoothed)] = pipelines else {
        return;
    };
    let device = ctx.render_device().clone();
    let layout = cache.get_bind_group_layout(&blur.layout);
    let group = |source: &TextureView, taps: &Buffer| {
        let entries =
            BindGroupEntries::sequential((source, &blur.sampler, taps.as_entire_binding()));
        device.create_bind_group("bloom", &layout, &entries)
    };
    let size = target.main_texture().size();
    let share = drawn_share(target, camera);
    let drawn = (Vec2::new(size.width as f32, size.height as f32) * share)
        .round()
        .as_uvec2();
    let pyramid = match blur.pyramid.take() {
        Some(pyramid) if pyramid.of == (bloom, drawn) => pyramid,
        _ => Pyramid::new(&device, bloom, drawn, share, group),
    };
    let stage = group(target.main_texture_view(), &pyramid.from_stage);
    let pyramid = blur.pyramid.insert(pyramid);

    let encoder = ctx.command_encoder();
    encoder.push_debug_group("bloom");
    let Pyramid {
        levels,
        down: from_larger,
        up: from_smaller,
        ..
    } = pyramid;
    pass(encoder, first, &stage, &levels[0], false);
    for (from, level) in from_larger.iter().zip(&levels[1..]) {
        pass(encoder, down, from, level, false);
    }
    for (from, level) in from_smaller[1..].iter().zip(&*levels).rev() {
        pass(encoder, up, from, level, true);
    }
    pass(
        encoder,
        smoothed,
        &from_smaller[0],
        &pyramid.smoothed,
        false,
    );
    encoder.pop_debug_group();
}

/// Goes over all of `target`, adding to it or in place of what it held.
fn pass(
    encoder: &mut CommandEncoder,
    pipeline: &RenderPipeline,
    from: &BindGroup,
    target: &TextureView,
    adds: bool,
) {
    let load = if adds {
        LoadOp::Load
    } else {
        LoadOp::Clear(default())
    };
    let mut pass = encoder.begin_render_pass(&RenderPassDescriptor {
        label: Some("bloom"),
        color_attachments: &[Some(RenderPassColorAttachment {
            view: target,
            depth_slice: None,
            resolve_target: None,
            ops: Operations {
                load,
                store: StoreOp::Store,
            },
        })],
        ..default()
    });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, from, &[]);
    pass.draw(0..3, 0..1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bloom_fits_into_a_texture_however_wide_the_stage() {
        let bloom = Bloom { lines: 512 };
        for scale in [1.0, 0.7, 0.5] {
            for [x, y] in [
                [8_192, 16],
                [8_192, 4_320],
                [16, 8_192],
                [8_192, 8_192],
                [16, 16],
            ] {
                let drawn = (Vec2::new(x as f32, y as f32) * scale).round().as_uvec2();
                let size = bloom.size(drawn);
                assert!((1..=WIDEST).contains(&size.x), "{size} for {drawn}");
                assert!((FEWEST_LINES..=512).contains(&size.y), "{size} for {drawn}");
                assert!(levels(size.y) >= 2, "{size} for {drawn}");
            }
        }
    }

    #[test]
    fn bloom_has_the_lines_it_may_have_and_the_shape_of_the_stage() {
        let size = |lines, drawn| Bloom { lines }.size(drawn);
        let usual = UVec2::new(1_920, 1_080);
        assert_eq!(size(128, usual), UVec2::new(228, 128));
        assert_eq!(size(512, usual), UVec2::new(910, 512));
        assert_eq!(size(512, UVec2::new(640, 360)), UVec2::new(320, 180));
        assert_eq!([128, 512, 180, 8].map(levels), [6, 8, 6, 2]);
    }
}
