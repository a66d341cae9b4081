//! The present pass: the one stage texture, in the form each consumer expects,
//! read back through a ring of staging buffers for each.
//!
//! Nothing waits: a frame is copied into a free buffer of a ring, mapped when
//! the GPU is done with it, and handed to its taker a frame or two later. When
//! no buffer is free the frame is not read back; that is counted, and the taker
//! is owed one, so that nobody is left with a picture of the past.

mod outlet;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bevy::asset::uuid_handle;
use bevy::camera::visibility::RenderLayers;
use bevy::camera::{CameraOutputMode, ClearColorConfig};
use bevy::core_pipeline::FullscreenShader;
use bevy::core_pipeline::schedule::{Core2d, Core2dSystems};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::core_pipeline::upscaling::upscaling;
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::extract_component::{ExtractComponent, ExtractComponentPlugin};
use bevy::render::extract_resource::{ExtractResource, ExtractResourcePlugin};
use bevy::render::render_asset::RenderAssets;
use bevy::render::render_resource::binding_types::{sampler, texture_2d, uniform_buffer};
use bevy::render::render_resource::{
    BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, BlendState,
    BufferInitDescriptor, BufferUsages, ColorTargetState, ColorWrites, FilterMode, FragmentState,
    PipelineCache, PollType, RenderPassColorAttachment, RenderPassDescriptor,
    RenderPipelineDescriptor, Sampler, SamplerBindingType, SamplerDescriptor, ShaderStages,
    ShaderType, TextureFormat, TextureSampleType, TextureView,
};
use bevy::render::renderer::{
    RenderContext, RenderDevice, RenderGraph, RenderGraphSystems, RenderQueue, ViewQuery,
};
use bevy::render::texture::GpuImage;
use bevy::render::view::ViewTarget;
use bevy::render::{Render, RenderApp, RenderStartup, RenderSystems};
use bevy::shader::Shader;
use crossbeam_channel::Receiver;

use super::bloom::{Bloom, BloomPlugin, Blur};
use super::camera::StageCamera;
use super::layout::StageSize;
use outlet::{ByBloom, Channel, Offer, Outlet, Pipelines};
pub use outlet::{Copies, MappedFrame, Taker, padded_row_bytes};

const SHADER: Handle<Shader> = uuid_handle!("0a5b2d1c-6f74-4a27-8f42-0b7f9e2f5d17");

/// Frames read back and not yet taken by the outputs. Outputs that fall behind
/// lose frames, which is counted; the stage does not wait for a disk.
const MAX_FRAMES: usize = 4;
/// The forms a consumer may want; see `shaders/present.wgsl` and the table in
/// its first lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Straight alpha, sRGB-encoded: PNG, raw pipes, WebM.
    Straight,
    /// The same for players that multiply by alpha and blend in linear light:
    /// OBS's Media Source.
    StraightLinear,
    /// Premultiplied in encoded values, BGRA: desktop compositors.
    Desktop,
    /// Premultiplied in linear light, then sRGB-encoded: our OBS source.
    LinearPremultiplied,
    /// Opaque over a ground colour: a window that is not an overlay.
    Window,
    /// The same over a picture.
    WindowOverPicture,
}

impl Form {
    /// A pipeline each: a branch on a uniform would make drivers that bake
    /// uniforms into shaders, as Mesa's lavapipe does, compile for every frame.
    fn shader_def(self) -> &'static str {
        match self {
            Self::Straight => "STRAIGHT",
            Self::StraightLinear => "STRAIGHT_LINEAR",
            Self::Desktop => "DESKTOP",
            Self::LinearPremultiplied => "LINEAR_PREMULTIPLIED",
            Self::Window => "WINDOW",
            Self::WindowOverPicture => "WINDOW_OVER_PICTURE",
        }
    }

    /// What it is drawn into to be read back.
    fn format(self) -> TextureFormat {
        match self {
            Self::LinearPremultiplied => TextureFormat::Rgba8UnormSrgb,
            // The one order of bytes that every display server takes.
            Self::Desktop => TextureFormat::Bgra8Unorm,
            _ => TextureFormat::Rgba8Unorm,
        }
    }
}

/// One frame as the outputs get it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// RGBA, 8 bits each, rows without padding.
    pub pixels: Arc<Vec<u8>>,
    pub width: u32,
    pub height: u32,
    /// Which frame of the stage this is, counted from 0 by those that drew.
    pub index: u64,
    /// Stage time in seconds at which it was drawn.
    pub at: f64,
}

/// What the next frame is wanted for.
#[derive(Resource, Debug, Clone, Copy, Default, ExtractResource)]
pub struct FrameRequest {
    /// Whether the outputs' thread takes frames.
    pub readback: bool,
    /// Whether it may differ from what a taker has.
    pub is_new: bool,
    /// Whether nothing at all is to be seen in it.
    pub is_bare: bool,
    /// Stage time in seconds.
    pub at: f64,
}

/// The camera of a window that shows the stage, and what the stage lies over
/// there.
#[derive(Component, Clone, Copy, Default, ExtractComponent)]
pub struct WindowCamera {
    pub ground: LinearRgba,
    /// Whether the ground is a checkerboard of this colour and a lighter one.
    pub is_checkered: bool,
    /// Lies under the stage instead, as large as the stage; needs to be loaded.
    pub picture: Option<AssetId<Image>>,
    /// Lines at the bottom that the stage leaves free.
    pub band: u32,
    /// Whether what the camera itself sees is laid over the stage.
    pub has_overlay: bool,
    /// The window is transparent, and the stage as opaque in it as this says, 0
    /// to 1. Nothing of ours is beneath it then.
    pub desktop: Option<f32>,
}

/// All that a window's camera is made of; it sees nothing but what is on
/// `layers`.
pub fn window_camera(of: WindowCamera, order: isize, layers: RenderLayers) -> impl Bundle {
    (
        of,
        Camera2d,
        Camera {
            order,
            clear_color: ClearColorConfig::Custom(Color::NONE),
            // Over the stage, which is in the window by then.
            output_mode: CameraOutputMode::Write {
                blend_state: Some(BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                clear_color: ClearColorConfig::None,
            },
            ..default()
        },
        Msaa::Off,
        Tonemapping::None,
        DebandDither::Disabled,
        layers,
    )
}

#[derive(Component, Clone, Copy, ExtractComponent)]
struct Presented;

/// When the frames were submitted that the GPU is not done with, the oldest
/// first; shared between the worlds.
#[derive(Resource, Clone, Default)]
pub struct Submitted(Arc<Mutex<VecDeque<Instant>>>);

/// Frames that are kept an eye on. A GPU that is further behind is known to be.
const MAX_SUBMITTED: usize = 8;

impl Submitted {
    /// How long the GPU has been at the oldest frame that was submitted before
    /// `moment`, as far as the last poll of the device knows.
    pub fn age(&self, moment: Instant) -> Option<Duration> {
        let oldest = *self.queue().front()?;
        (oldest < moment).then(|| oldest.elapsed())
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes when the frame was submitted, and when the GPU is done with it.
#[expect(clippy::disallowed_methods, reason = "what a GPU takes is real time")]
fn watch_submitted(submitted: Res<Submitted>, queue: Res<RenderQueue>) {
    let mut waiting = submitted.queue();
    if waiting.len() >= MAX_SUBMITTED {
        return;
    }
    waiting.push_back(Instant::now());
    drop(waiting);
    let submitted = submitted.clone();
    queue.on_submitted_work_done(move || {
        submitted.queue().pop_front();
    });
}

/// Figures of the readback, shared between the worlds.
#[derive(Resource, Clone, Default)]
pub struct Readback(Arc<ReadbackState>);

#[derive(Default)]
struct ReadbackState {
    in_flight: AtomicUsize,
    /// Takers that have not got what they wanted last.
    owed: AtomicUsize,
    skipped: AtomicU64,
    /// Frames whose passes were encoded.
    drawn: AtomicU64,
}

impl Readback {
    /// Frames on their way to the outputs.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Acquire)
    }

    /// Whether another frame is to be drawn, whatever is in it: one that an
    /// output wanted was lost.
    pub fn is_owed(&self) -> bool {
        self.0.owed.load(Ordering::Acquire) > 0
    }

    /// Frames that were drawn but not read back because nothing was free.
    pub fn skipped(&self) -> u64 {
        self.0.skipped.load(Ordering::Relaxed)
    }

    /// Frames drawn since the start.
    pub fn drawn(&self) -> u64 {
        self.0.drawn.load(Ordering::Relaxed)
    }
}

/// The share of a stage's texture that is drawn into.
pub(super) fn drawn_share(target: &ViewTarget, camera: &ExtractedCamera) -> Vec2 {
    let size = target.main_texture().size();
    camera.viewport.as_ref().map_or(Vec2::ONE, |viewport| {
        viewport.physical_size.as_vec2() / Vec2::new(size.width as f32, size.height as f32)
    })
}

/// Where frames arrive.
#[derive(Resource, Clone)]
pub struct Frames(pub Receiver<Frame>);

pub struct PresentPlugin {
    pub form: Form,
}

impl Plugin for PresentPlugin {
    fn build(&self, app: &mut App) {
        super::add_srgb(app);
        super::add_shader(
            app,
            &SHADER,
            include_str!("../../../shaders/present.wgsl"),
            "shaders/present.wgsl",
        );
        let (sender, receiver) = crossbeam_channel::bounded(MAX_FRAMES);
        let readback = Readback::default();
        let submitted = Submitted::default();
        let size = app.world().resource::<StageSize>().pixels;
        app.insert_resource(Frames(receiver))
            .insert_resource(readback.clone())
            .insert_resource(submitted.clone())
            .init_resource::<FrameRequest>()
            .add_plugins((
                BloomPlugin,
                ExtractResourcePlugin::<FrameRequest>::default(),
                ExtractComponentPlugin::<WindowCamera>::default(),
                ExtractComponentPlugin::<Presented>::default(),
            ))
            .add_systems(PostStartup, mark_stage_camera);
        let outlet = Outlet::new(self.form, 1.0, Channel::new(sender));
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render_app
            .insert_resource(Outlets {
                all: vec![outlet],
                size,
                readback,
            })
            .insert_resource(submitted)
            .add_systems(RenderStartup, make_presenter)
            .add_systems(
                Core2d,
                (present_stage, present_window)
                    .chain()
                    .after(Core2dSystems::PostProcess)
                    .before(upscaling),
            )
            .add_systems(
                RenderGraph,
                (map_submitted, watch_submitted).in_set(RenderGraphSystems::Finish),
            )
            .add_systems(
                Render,
                (
                    skip_upscaling.in_set(RenderSystems::Queue),
                    hand_over.in_set(RenderSystems::Cleanup),
                ),
            );
    }
}

fn mark_stage_camera(mut commands: Commands, camera: Single<Entity, With<StageCamera>>) {
    commands.entity(*camera).insert(Presented);
}

/// Bevy would copy the stage once more, into the camera's own target, which
/// nobody looks at. It must be told here: a camera that skips from the start
/// gets no texture to draw into.
/// A window's camera that has nothing of its own to show skips it too.
fn skip_upscaling(
    mut cameras: Query<
        (&mut ExtractedCamera, Option<&WindowCamera>),
        Or<(With<Presented>, With<WindowCamera>)>,
    >,
) {
    for (mut camera, window) in &mut cameras {
        if window.is_none_or(|window| !window.has_overlay) {
            camera.output_mode = CameraOutputMode::Skip;
        }
    }
}

/// Adds a way out of the stage beside the outputs' thread. To be called before
/// the renderer starts; where there is none, nothing is ever taken.
pub fn add_outlet(app: &mut App, form: Form, taker: impl Taker) {
    add_faded_outlet(app, form, 1.0, taker);
}

/// As [`add_outlet`], with everything only as opaque as `opacity` says, 0 to 1.
/// Of the forms only [`Form::Desktop`] heeds it.
pub fn add_faded_outlet(app: &mut App, form: Form, opacity: f32, taker: impl Taker) {
    let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
        return;
    };
    let mut outlets = render_app.world_mut().resource_mut::<Outlets>();
    outlets.all.push(Outlet::new(form, opacity, taker));
}

/// Where read frames go.
#[derive(Resource)]
struct Outlets {
    all: Vec<Outlet>,
    size: UVec2,
    readback: Readback,
}

impl Outlets {
    /// Says whether somebody waits for another frame.
    fn note_owed(&self) {
        let owed = self.all.iter().filter(|outlet| outlet.is_owed());
        self.readback.0.owed.store(owed.count(), Ordering::Release);
    }
}

#[derive(ShaderType, Clone, Copy)]
struct PresentUniform {
    ground: Vec4,
    fit: Vec4,
    drawn: Vec2,
    checkered: f32,
    opacity: f32,
}

impl Default for PresentUniform {
    /// The whole stage, as it is.
    fn default() -> Self {
        Self {
            ground: Vec4::ZERO,
            fit: Vec4::new(1.0, 1.0, 0.0, 0.0),
            drawn: Vec2::ONE,
            checkered: 0.0,
            opacity: 1.0,
        }
    }
}

#[derive(Resource)]
struct Presenter {
    layout: BindGroupLayoutDescriptor,
    sampler: Sampler,
    /// Of the windows' forms as many as there are at most.
    windows: Vec<(TextureFormat, Form, ByBloom)>,
}

fn make_presenter(
    mut commands: Commands,
    device: Res<RenderDevice>,
    fullscreen: Res<FullscreenShader>,
    cache: Res<PipelineCache>,
    mut outlets: ResMut<Outlets>,
) {
    let layout = BindGroupLayoutDescriptor::new(
        "present",
        &BindGroupLayoutEntries::sequential(
            ShaderStages::FRAGMENT,
            (
                texture_2d(TextureSampleType::Float { filterable: true }),
                sampler(SamplerBindingType::Filtering),
                uniform_buffer::<PresentUniform>(false),
                texture_2d(TextureSampleType::Float { filterable: true }),
                texture_2d(TextureSampleType::Float { filterable: true }),
            ),
        ),
    );
    let sampler = device.create_sampler(&SamplerDescriptor {
        mag_filter: FilterMode::Linear,
        min_filter: FilterMode::Linear,
        ..default()
    });
    for outlet in &mut outlets.all {
        let (form, format) = (outlet.form, outlet.form.format());
        let queue =
            |is_as_large| pipelines(&cache, &layout, &fullscreen, (format, form), is_as_large);
        outlet.pipelines = Some(Pipelines {
            as_large: queue(true),
            scaled: queue(false),
        });
    }
    commands.insert_resource(Presenter {
        layout,
        sampler,
        windows: Vec::new(),
    });
}

fn pipelines(
    cache: &PipelineCache,
    layout: &BindGroupLayoutDescriptor,
    fullscreen: &FullscreenShader,
    (format, form): (TextureFormat, Form),
    is_as_large: bool,
) -> ByBloom {
    let queue = |blooms: bool| {
        let shader_defs = [
            Some(form.shader_def()),
            is_as_large.then_some("AS_LARGE"),
            blooms.then_some("BLOOM"),
            format.is_srgb().then_some("TARGET_ENCODES"),
        ];
        cache.queue_render_pipeline(RenderPipelineDescriptor {
            label: Some("present".into()),
            layout: vec![layout.clone()],
            vertex: fullscreen.to_vertex_state(),
            fragment: Some(FragmentState {
                shader: SHADER,
                shader_defs: shader_defs.into_iter().flatten().map(Into::into).collect(),
                targets: vec![Some(ColorTargetState {
                    format,
                    blend: None,
                    write_mask: ColorWrites::ALL,
                })],
                ..default()
            }),
            ..default()
        })
    };
    ByBloom {
        blooming: queue(true),
        plain: queue(false),
    }
}

/// What the last pass draws from.
struct Sources<'a> {
    stage: &'a TextureView,
    /// Of a stage that blooms, the light it is laid over with.
    bloom: Option<&'a TextureView>,
    /// What one form lays the stage over.
    under: Option<&'a TextureView>,
}

/// Draws into the attachment; false when that cannot be done yet.
fn draw(
    ctx: &mut RenderContext,
    presenter: &Presenter,
    cache: &PipelineCache,
    pipelines: ByBloom,
    sources: Sources,
    attachment: RenderPassColorAttachment,
    uniform: PresentUniform,
) -> bool {
    let Sources {
        stage,
        bloom,
        under,
    } = sources;
    let pipeline = match bloom {
        Some(_) => pipelines.blooming,
        None => pipelines.plain,
    };
    let Some(pipeline) = cache.get_render_pipeline(pipeline) else {
        return false;
    };
    let mut bytes = bevy::render::render_resource::encase::UniformBuffer::new(Vec::new());
    bytes
        .write(&uniform)
        .expect("a vector grows to what is written into it");
    let device = ctx.render_device();
    let uniform = device.create_buffer_with_data(&BufferInitDescriptor {
        label: Some("present"),
        contents: bytes.as_ref(),
        usage: BufferUsages::UNIFORM,
    });
    let bind_group = device.create_bind_group(
        "present",
        &cache.get_bind_group_layout(&presenter.layout),
        &BindGroupEntries::sequential((
            stage,
            &presenter.sampler,
            uniform.as_entire_binding(),
            // Whoever does not look at them is given something all the same.
            under.unwrap_or(stage),
            bloom.unwrap_or(stage),
        )),
    );
    let mut pass = ctx
        .command_encoder()
        .begin_render_pass(&RenderPassDescriptor {
            label: Some("present"),
            color_attachments: &[Some(attachment)],
            ..default()
        });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, &bind_group, &[]);
    pass.draw(0..3, 0..1);
    true
}

fn present_stage(
    view: ViewQuery<(&ViewTarget, &ExtractedCamera, Option<&Bloom>), With<Presented>>,
    cache: Res<PipelineCache>,
    blur: Res<Blur>,
    mut outlets: ResMut<Outlets>,
    request: Res<FrameRequest>,
    presenter: Res<Presenter>,
    mut ctx: RenderContext,
) {
    let (target, camera, bloom) = view.into_inner();
    let drawn = drawn_share(target, camera);
    let Outlets {
        all,
        size,
        readback,
    } = &mut *outlets;
    let index = readback.0.drawn.fetch_add(1, Ordering::Relaxed);
    for outlet in all {
        let (opacity, is_read) = (outlet.opacity, outlet.is_read());
        let (pipelines, port, request) = match outlet.offer(ctx.render_device(), *size, &request) {
            Offer::Wanted(pipelines, port, request) => (pipelines, port, request),
            Offer::NoRoom => {
                readback.0.skipped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Offer::Unwanted => continue,
        };
        let is_encoded = draw(
            &mut ctx,
            &presenter,
            &cache,
            pipelines.for_share(drawn),
            Sources {
                stage: target.main_texture_view(),
                bloom: blur.of(bloom),
                under: None,
            },
            port.attachment(),
            PresentUniform {
                drawn,
                opacity,
                ..default()
            },
        );
        if is_encoded && is_read && port.copy(ctx.command_encoder(), index, request) {
            readback.0.in_flight.fetch_add(1, Ordering::AcqRel);
            outlet.is_served();
        }
    }
    outlets.note_owed();
}

fn present_window(
    view: ViewQuery<(&ViewTarget, &WindowCamera)>,
    stage: Query<(&ViewTarget, &ExtractedCamera, Option<&Bloom>), With<Presented>>,
    cache: Res<PipelineCache>,
    blur: Res<Blur>,
    fullscreen: Res<FullscreenShader>,
    outlets: Res<Outlets>,
    images: Res<RenderAssets<GpuImage>>,
    mut presenter: ResMut<Presenter>,
    mut ctx: RenderContext,
) {
    let (target, window) = view.into_inner();
    let (Ok((stage, camera, bloom)), Some(format)) =
        (stage.single(), target.out_texture_view_format())
    else {
        return;
    };
    let under = window.picture.and_then(|picture| images.get(picture));
    let form = match (window.desktop, under) {
        (Some(_), _) => Form::Desktop,
        (None, Some(_)) => Form::WindowOverPicture,
        (None, None) => Form::Window,
    };
    let mut known = presenter.windows.iter();
    let known = known.find(|(of, with, _)| (*of, *with) == (format, form));
    let of_form = match known {
        Some((_, _, pipelines)) => *pipelines,
        None => {
            let made = pipelines(
                &cache,
                &presenter.layout,
                &fullscreen,
                (format, form),
                false,
            );
            presenter.windows.push((format, form, made));
            made
        }
    };
    let size = target.main_texture().size();
    let stage_aspect = outlets.size.x as f32 / outlets.size.y as f32;
    let room = size.height.saturating_sub(window.band).max(1) as f32;
    let aspect = size.width as f32 / room;
    // The stage is fitted into the window above the band, and centred.
    let scale = Vec2::new(
        (aspect / stage_aspect).max(1.0),
        (stage_aspect / aspect).max(1.0),
    );
    let offset = (Vec2::ONE - scale) * 0.5;
    let scale = scale * Vec2::new(1.0, size.height as f32 / room);
    let uniform = PresentUniform {
        drawn: drawn_share(stage, camera),
        checkered: if window.is_checkered { 1.0 } else { 0.0 },
        ground: window.ground.to_vec4(),
        fit: Vec4::new(scale.x, scale.y, offset.x, offset.y),
        opacity: window.desktop.unwrap_or(1.0),
    };
    let Some(attachment) = target.out_texture_color_attachment(Some(window.ground)) else {
        return;
    };
    draw(
        &mut ctx,
        &presenter,
        &cache,
        of_form,
        Sources {
            stage: stage.main_texture_view(),
            bloom: blur.of(bloom),
            under: under.map(|under| &under.texture_view),
        },
        attachment,
        uniform,
    );
}

/// Asks for what was submitted to be mapped once the GPU is done with it.
fn map_submitted(mut outlets: ResMut<Outlets>) {
    outlets.all.iter_mut().for_each(Outlet::map);
}

/// Hands mapped frames to their takers and frees their buffers.
fn hand_over(mut outlets: ResMut<Outlets>, device: Res<RenderDevice>) {
    let Outlets { all, readback, .. } = &mut *outlets;
    if !all.iter().any(Outlet::is_waiting) {
        return;
    }
    if let Err(error) = device.poll(PollType::Poll) {
        warn!("the GPU does not answer: {error}");
        return;
    }
    for outlet in all {
        let handed = outlet.hand_over();
        let skipped = handed.dropped as u64;
        readback.0.skipped.fetch_add(skipped, Ordering::Relaxed);
        readback
            .0
            .in_flight
            .fetch_sub(handed.taken, Ordering::AcqRel);
    }
    outlets.note_owed();
}
