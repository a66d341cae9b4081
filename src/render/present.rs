//! The present pass: the one stage texture, in the form each consumer expects,
//! read back through one ring of staging buffers.
//!
//! Nothing waits: a frame is copied into a free buffer of the ring, mapped when
//! the GPU is done with it, and handed to the outputs a frame or two later. When
//! no buffer is free the frame is not read back, and that is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bevy::asset::uuid_handle;
use bevy::camera::CameraOutputMode;
use bevy::core_pipeline::FullscreenShader;
use bevy::core_pipeline::schedule::{Core2d, Core2dSystems};
use bevy::core_pipeline::upscaling::upscaling;
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::extract_component::{ExtractComponent, ExtractComponentPlugin};
use bevy::render::extract_resource::{ExtractResource, ExtractResourcePlugin};
use bevy::render::render_asset::RenderAssets;
use bevy::render::render_resource::binding_types::{sampler, texture_2d, uniform_buffer};
use bevy::render::render_resource::{
    BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, Buffer, BufferDescriptor,
    BufferInitDescriptor, BufferUsages, CachedRenderPipelineId, ColorTargetState, ColorWrites,
    Extent3d, FilterMode, FragmentState, LoadOp, MapMode, Operations, PipelineCache, PollType,
    RenderPassColorAttachment, RenderPassDescriptor, RenderPipelineDescriptor, Sampler,
    SamplerBindingType, SamplerDescriptor, ShaderStages, ShaderType, StoreOp, TexelCopyBufferInfo,
    TexelCopyBufferLayout, Texture, TextureDescriptor, TextureDimension, TextureFormat,
    TextureSampleType, TextureUsages, TextureView, TextureViewDescriptor,
};
use bevy::render::renderer::{
    RenderContext, RenderDevice, RenderGraph, RenderGraphSystems, ViewQuery,
};
use bevy::render::texture::GpuImage;
use bevy::render::view::ViewTarget;
use bevy::render::{Render, RenderApp, RenderStartup, RenderSystems};
use bevy::shader::Shader;
use crossbeam_channel::{Receiver, Sender};

use super::camera::StageCamera;
use super::layout::StageSize;

const SHADER: Handle<Shader> = uuid_handle!("0a5b2d1c-6f74-4a27-8f42-0b7f9e2f5d17");

/// Staging buffers: one being written by the GPU, one being mapped, one being
/// read. More would only add delay.
const RING: usize = 3;
/// Frames read back and not yet taken by the outputs. Outputs that fall behind
/// lose frames, which is counted; the stage does not wait for a disk.
const MAX_FRAMES: usize = 4;
/// Frames' memory kept for reuse: what the channel, the outputs' thread and an
/// encoder's queue hold between them. More come and go.
const MAX_PIXELS: usize = 16;

/// The forms a consumer may want; see `shaders/present.wgsl` and the table in
/// its first lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Straight alpha, sRGB-encoded: PNG, raw pipes, WebM.
    Straight,
    /// Premultiplied in encoded values: desktop compositors.
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
            Self::Desktop => "DESKTOP",
            Self::LinearPremultiplied => "LINEAR_PREMULTIPLIED",
            Self::Window => "WINDOW",
            Self::WindowOverPicture => "WINDOW_OVER_PICTURE",
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
#[derive(Resource, Clone, Default, ExtractResource)]
pub struct FrameRequest {
    /// Whether anyone takes frames; without it nothing is read back.
    pub readback: bool,
    pub at: f64,
}

/// The camera of a window that shows the stage, and what the stage lies over
/// there.
#[derive(Component, Clone, Copy, ExtractComponent)]
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
}

#[derive(Component, Clone, Copy, ExtractComponent)]
struct Presented;

/// Figures of the readback, shared between the worlds.
#[derive(Resource, Clone, Default)]
pub struct Readback(Arc<ReadbackState>);

#[derive(Default)]
struct ReadbackState {
    in_flight: AtomicUsize,
    skipped: AtomicU64,
    /// Frames whose passes were encoded.
    drawn: AtomicU64,
}

impl Readback {
    /// Frames on their way to the outputs.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Acquire)
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

/// Where frames arrive.
#[derive(Resource, Clone)]
pub struct Frames(pub Receiver<Frame>);

pub struct PresentPlugin {
    pub form: Form,
}

impl Plugin for PresentPlugin {
    fn build(&self, app: &mut App) {
        super::add_shader(
            app,
            &SHADER,
            include_str!("../../shaders/present.wgsl"),
            "shaders/present.wgsl",
        );
        let (sender, receiver) = crossbeam_channel::bounded(MAX_FRAMES);
        let readback = Readback::default();
        let size = app.world().resource::<StageSize>().pixels;
        app.insert_resource(Frames(receiver))
            .insert_resource(readback.clone())
            .init_resource::<FrameRequest>()
            .add_plugins((
                ExtractResourcePlugin::<FrameRequest>::default(),
                ExtractComponentPlugin::<WindowCamera>::default(),
                ExtractComponentPlugin::<Presented>::default(),
            ))
            .add_systems(PostStartup, mark_stage_camera);
        let form = self.form;
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render_app
            .insert_resource(Outlet {
                form,
                size,
                sender,
                readback,
                pixels: Vec::new(),
            })
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
                map_submitted.in_set(RenderGraphSystems::Finish),
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

/// Where read frames go.
#[derive(Resource)]
struct Outlet {
    form: Form,
    size: UVec2,
    sender: Sender<Frame>,
    readback: Readback,
    /// Pixels of frames that the outputs may be done with.
    pixels: Vec<Arc<Vec<u8>>>,
}

impl Outlet {
    /// Memory for a frame's pixels: that of an earlier one which every output
    /// has let go of, so that a long recording does not churn the heap.
    fn blank_pixels(&mut self, bytes: usize) -> Arc<Vec<u8>> {
        let free = self
            .pixels
            .iter()
            .position(|pixels| Arc::strong_count(pixels) == 1);
        let mut pixels = match free {
            Some(index) => self.pixels.swap_remove(index),
            None => Arc::new(Vec::with_capacity(bytes)),
        };
        Arc::make_mut(&mut pixels).clear();
        pixels
    }

    fn remember(&mut self, pixels: &Arc<Vec<u8>>) {
        if self.pixels.len() < MAX_PIXELS {
            self.pixels.push(pixels.clone());
        }
    }
}

#[derive(ShaderType, Clone, Copy)]
struct PresentUniform {
    ground: Vec4,
    fit: Vec4,
    checkered: f32,
}

#[derive(Resource)]
struct Presenter {
    layout: BindGroupLayoutDescriptor,
    sampler: Sampler,
    to_bytes: CachedRenderPipelineId,
    window: Option<(TextureFormat, Form, CachedRenderPipelineId)>,
    target: Texture,
    target_view: TextureView,
    slots: Vec<Slot>,
    row_bytes: u32,
}

struct Slot {
    buffer: Buffer,
    state: SlotState,
    mapped: Arc<AtomicBool>,
    frame: Option<(u64, f64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum SlotState {
    Free,
    Encoded,
    Mapping,
}

fn make_presenter(
    mut commands: Commands,
    device: Res<RenderDevice>,
    fullscreen: Res<FullscreenShader>,
    cache: Res<PipelineCache>,
    outlet: Res<Outlet>,
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
            ),
        ),
    );
    let sampler = device.create_sampler(&SamplerDescriptor {
        mag_filter: FilterMode::Linear,
        min_filter: FilterMode::Linear,
        ..default()
    });
    let to_bytes = cache.queue_render_pipeline(pipeline(
        &layout,
        &fullscreen,
        TextureFormat::Rgba8Unorm,
        outlet.form,
    ));
    let size = Extent3d {
        width: outlet.size.x,
        height: outlet.size.y,
        depth_or_array_layers: 1,
    };
    let target = device.create_texture(&TextureDescriptor {
        label: Some("present"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: TextureDimension::D2,
        format: TextureFormat::Rgba8Unorm,
        usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let row_bytes = RenderDevice::align_copy_bytes_per_row(size.width as usize * 4) as u32;
    let slots = (0..RING)
        .map(|_| Slot {
            buffer: device.create_buffer(&BufferDescriptor {
                label: Some("present staging"),
                size: u64::from(row_bytes) * u64::from(size.height),
                usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            state: SlotState::Free,
            mapped: Arc::default(),
            frame: None,
        })
        .collect();
    commands.insert_resource(Presenter {
        target_view: target.create_view(&TextureViewDescriptor::default()),
        layout,
        sampler,
        to_bytes,
        window: None,
        target,
        slots,
        row_bytes,
    });
}

fn pipeline(
    layout: &BindGroupLayoutDescriptor,
    fullscreen: &FullscreenShader,
    format: TextureFormat,
    form: Form,
) -> RenderPipelineDescriptor {
    RenderPipelineDescriptor {
        label: Some("present".into()),
        layout: vec![layout.clone()],
        vertex: fullscreen.to_vertex_state(),
        fragment: Some(FragmentState {
            shader: SHADER,
            shader_defs: vec![form.shader_def().into()],
            targets: vec![Some(ColorTargetState {
                format,
                blend: None,
                write_mask: ColorWrites::ALL,
            })],
            ..default()
        }),
        ..default()
    }
}

/// Draws `source` into the attachment; forms without a picture beneath do not
/// look at `under`.
fn draw(
    ctx: &mut RenderContext,
    presenter: &Presenter,
    cache: &PipelineCache,
    pipeline: CachedRenderPipelineId,
    [source, under]: [&TextureView; 2],
    attachment: RenderPassColorAttachment,
    uniform: PresentUniform,
) -> bool {
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
            source,
            &presenter.sampler,
            uniform.as_entire_binding(),
            under,
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
    view: ViewQuery<&ViewTarget, With<Presented>>,
    cache: Res<PipelineCache>,
    outlet: Res<Outlet>,
    request: Res<FrameRequest>,
    mut presenter: ResMut<Presenter>,
    mut ctx: RenderContext,
) {
    let target = view.into_inner();
    let index = outlet.readback.0.drawn.fetch_add(1, Ordering::Relaxed);
    if !request.readback {
        return;
    }
    let Some(slot) = presenter
        .slots
        .iter()
        .position(|slot| slot.state == SlotState::Free)
    else {
        outlet.readback.0.skipped.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let attachment = RenderPassColorAttachment {
        view: &presenter.target_view,
        depth_slice: None,
        resolve_target: None,
        ops: Operations {
            load: LoadOp::Clear(default()),
            store: StoreOp::Store,
        },
    };
    let uniform = PresentUniform {
        checkered: 0.0,
        ground: Vec4::ZERO,
        fit: Vec4::new(1.0, 1.0, 0.0, 0.0),
    };
    let drawn = draw(
        &mut ctx,
        &presenter,
        &cache,
        presenter.to_bytes,
        [target.main_texture_view(); 2],
        attachment,
        uniform,
    );
    if !drawn {
        return;
    }
    let presenter = &mut *presenter;
    ctx.command_encoder().copy_texture_to_buffer(
        presenter.target.as_image_copy(),
        TexelCopyBufferInfo {
            buffer: &presenter.slots[slot].buffer,
            layout: TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(presenter.row_bytes),
                rows_per_image: None,
            },
        },
        presenter.target.size(),
    );
    outlet.readback.0.in_flight.fetch_add(1, Ordering::AcqRel);
    let slot = &mut presenter.slots[slot];
    slot.state = SlotState::Encoded;
    slot.frame = Some((index, request.at));
}

fn present_window(
    view: ViewQuery<(&ViewTarget, &WindowCamera)>,
    stage: Query<&ViewTarget, With<Presented>>,
    cache: Res<PipelineCache>,
    fullscreen: Res<FullscreenShader>,
    outlet: Res<Outlet>,
    images: Res<RenderAssets<GpuImage>>,
    mut presenter: ResMut<Presenter>,
    mut ctx: RenderContext,
) {
    let (target, window) = view.into_inner();
    let (Ok(stage), Some(format)) = (stage.single(), target.out_texture_view_format()) else {
        return;
    };
    let under = window.picture.and_then(|picture| images.get(picture));
    let form = match under {
        Some(_) => Form::WindowOverPicture,
        None => Form::Window,
    };
    let pipeline_id = match presenter.window {
        Some((known, of, id)) if (known, of) == (format, form) => id,
        _ => {
            let id =
                cache.queue_render_pipeline(pipeline(&presenter.layout, &fullscreen, format, form));
            presenter.window = Some((format, form, id));
            id
        }
    };
    let size = target.main_texture().size();
    let stage_aspect = outlet.size.x as f32 / outlet.size.y as f32;
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
        checkered: if window.is_checkered { 1.0 } else { 0.0 },
        ground: window.ground.to_vec4(),
        fit: Vec4::new(scale.x, scale.y, offset.x, offset.y),
    };
    let Some(attachment) = target.out_texture_color_attachment(Some(window.ground)) else {
        return;
    };
    draw(
        &mut ctx,
        &presenter,
        &cache,
        pipeline_id,
        [
            stage.main_texture_view(),
            under.map_or(stage.main_texture_view(), |under| &under.texture_view),
        ],
        attachment,
        uniform,
    );
}

/// Asks for what was submitted to be mapped once the GPU is done with it.
fn map_submitted(mut presenter: ResMut<Presenter>) {
    for slot in &mut presenter.slots {
        if slot.state != SlotState::Encoded {
            continue;
        }
        slot.state = SlotState::Mapping;
        let mapped = slot.mapped.clone();
        slot.buffer
            .slice(..)
            .map_async(MapMode::Read, move |result| {
                if result.is_ok() {
                    mapped.store(true, Ordering::Release);
                }
            });
    }
}

/// Hands mapped frames to the outputs and frees their buffers.
fn hand_over(
    mut presenter: ResMut<Presenter>,
    mut outlet: ResMut<Outlet>,
    device: Res<RenderDevice>,
) {
    if presenter
        .slots
        .iter()
        .all(|slot| slot.state == SlotState::Free)
    {
        return;
    }
    if let Err(error) = device.poll(PollType::Poll) {
        warn!("the GPU does not answer: {error}");
        return;
    }
    let row_bytes = presenter.row_bytes as usize;
    let (width, height) = (outlet.size.x, outlet.size.y);
    let mut ready: Vec<&mut Slot> = presenter
        .slots
        .iter_mut()
        .filter(|slot| slot.mapped.load(Ordering::Acquire))
        .collect();
    ready.sort_by_key(|slot| slot.frame.as_ref().map(|frame| frame.0));
    for slot in ready {
        slot.mapped.store(false, Ordering::Release);
        let (index, at) = slot.frame.take().expect("a mapped slot holds a frame");
        let mut pixels = outlet.blank_pixels(width as usize * height as usize * 4);
        {
            let pixels = Arc::make_mut(&mut pixels);
            let bytes = slot.buffer.slice(..).get_mapped_range();
            for row in bytes.chunks_exact(row_bytes) {
                pixels.extend_from_slice(&row[..width as usize * 4]);
            }
        }
        outlet.remember(&pixels);
        slot.buffer.unmap();
        slot.state = SlotState::Free;
        let frame = Frame {
            pixels,
            width,
            height,
            index,
            at,
        };
        if outlet.sender.try_send(frame).is_err() {
            outlet.readback.0.skipped.fetch_add(1, Ordering::Relaxed);
        }
        outlet.readback.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
