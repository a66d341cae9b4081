//! Outlets: the stage in one form, read back through a ring of staging buffers
//! and handed to one taker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::prelude::*;
use bevy::render::render_resource::{
    Buffer, BufferDescriptor, BufferUsages, CachedRenderPipelineId, CommandEncoder, Extent3d,
    LoadOp, MapMode, Operations, RenderPassColorAttachment, StoreOp, TexelCopyBufferInfo,
    TexelCopyBufferLayout, Texture, TextureDescriptor, TextureDimension, TextureFormat,
    TextureUsages, TextureView, TextureViewDescriptor,
};
use bevy::render::renderer::RenderDevice;
use crossbeam_channel::Sender;

use super::{Form, Frame, FrameRequest};

/// Staging buffers: one being written by the GPU, one being mapped, one being
/// read. More would only add delay.
const RING: usize = 3;
/// Frames' memory kept for reuse: what the channel, the outputs' thread and an
/// encoder's queue hold between them. More come and go.
const MAX_PIXELS: usize = 16;

/// Whoever takes the frames of an outlet. It is called between two frames and
/// must not wait.
pub trait Taker: Send + Sync + 'static {
    /// Whether the frame that is about to be drawn shall be read back.
    fn wants(&mut self, request: &FrameRequest) -> bool;

    /// Takes a frame a frame or two later, while its buffer is mapped. False
    /// when it could not be taken and was dropped.
    fn take(&mut self, frame: &MappedFrame<'_>) -> bool;
}

/// A frame in a staging buffer, in the outlet's form: RGBA, or BGRA for desktops,
/// 8 bits each.
#[derive(Debug, Clone, Copy)]
pub struct MappedFrame<'a> {
    bytes: &'a [u8],
    row_bytes: usize,
    pub width: u32,
    pub height: u32,
    /// Which frame of the stage this is, counted from 0 by those that drew.
    pub index: u64,
    /// What was asked of it.
    pub request: FrameRequest,
}

impl<'a> MappedFrame<'a> {
    /// All rows from the top, each [`Self::row_bytes`] long.
    pub fn padded_rows(&self) -> &'a [u8] {
        self.bytes
    }

    /// From one row to the next: a multiple of four, the pixels first.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// The rows from the top, without what the GPU pads them with.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let width = self.width as usize * 4;
        let rows = self.bytes.chunks_exact(self.row_bytes);
        rows.map(move |row| &row[..width])
    }
}

/// The stage in one form, on its way to one taker.
pub(super) struct Outlet {
    pub(super) form: Form,
    pub(super) opacity: f32,
    pub(super) taker: Box<dyn Taker>,
    /// Made when the renderer starts.
    pub(super) port: Option<Port>,
}

/// The last pass for a stage that is drawn in full, pixel for pixel, and for one
/// that is enlarged. Both are made at the start: nothing is, later.
pub(super) struct Pipelines {
    pub(super) as_large: CachedRenderPipelineId,
    pub(super) scaled: CachedRenderPipelineId,
}

impl Pipelines {
    /// For a stage of which that share of each side is drawn.
    pub(super) fn for_share(&self, drawn: Vec2) -> CachedRenderPipelineId {
        if drawn == Vec2::ONE {
            self.as_large
        } else {
            self.scaled
        }
    }
}

/// What an outlet has on the GPU.
pub(super) struct Port {
    pub(super) pipelines: Pipelines,
    target: Texture,
    view: TextureView,
    slots: Vec<Slot>,
    row_bytes: u32,
}

struct Slot {
    buffer: Buffer,
    state: SlotState,
    mapped: Arc<AtomicBool>,
    frame: Option<(u64, FrameRequest)>,
}

#[derive(Clone, Copy, PartialEq)]
enum SlotState {
    Free,
    Encoded,
    Mapping,
}

/// Frames that came of a look at what the GPU is done with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Handed {
    pub(super) taken: usize,
    pub(super) dropped: usize,
}

/// Bytes from one row of a frame in a buffer to the next.
pub fn padded_row_bytes(width: u32) -> u32 {
    RenderDevice::align_copy_bytes_per_row(width as usize * 4) as u32
}

impl Port {
    pub(super) fn new(
        device: &RenderDevice,
        pipelines: Pipelines,
        format: TextureFormat,
        size: UVec2,
    ) -> Self {
        let size = Extent3d {
            width: size.x,
            height: size.y,
            depth_or_array_layers: 1,
        };
        let target = device.create_texture(&TextureDescriptor {
            label: Some("present"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: TextureDimension::D2,
            format,
            usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let row_bytes = padded_row_bytes(size.width);
        let slot = || Slot {
            buffer: device.create_buffer(&BufferDescriptor {
                label: Some("present staging"),
                size: u64::from(row_bytes) * u64::from(size.height),
                usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            state: SlotState::Free,
            mapped: Arc::default(),
            frame: None,
        };
        Self {
            pipelines,
            view: target.create_view(&TextureViewDescriptor::default()),
            target,
            slots: (0..RING).map(|_| slot()).collect(),
            row_bytes,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.slots.iter().all(|slot| slot.state != SlotState::Free)
    }

    pub(super) fn attachment(&self) -> RenderPassColorAttachment<'_> {
        RenderPassColorAttachment {
            view: &self.view,
            depth_slice: None,
            resolve_target: None,
            ops: Operations {
                load: LoadOp::Clear(default()),
                store: StoreOp::Store,
            },
        }
    }

    /// Copies what was drawn into a free buffer of the ring.
    pub(super) fn copy(
        &mut self,
        encoder: &mut CommandEncoder,
        index: u64,
        request: FrameRequest,
    ) -> bool {
        let free = |slot: &&mut Slot| slot.state == SlotState::Free;
        let Some(slot) = self.slots.iter_mut().find(free) else {
            return false;
        };
        encoder.copy_texture_to_buffer(
            self.target.as_image_copy(),
            TexelCopyBufferInfo {
                buffer: &slot.buffer,
                layout: TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(self.row_bytes),
                    rows_per_image: None,
                },
            },
            self.target.size(),
        );
        slot.state = SlotState::Encoded;
        slot.frame = Some((index, request));
        true
    }

    /// Asks for what was submitted to be mapped once the GPU is done with it.
    pub(super) fn map(&mut self) {
        for slot in &mut self.slots {
            if slot.state != SlotState::Encoded {
                continue;
            }
            slot.state = SlotState::Mapping;
            let mapped = slot.mapped.clone();
            let slice = slot.buffer.slice(..);
            slice.map_async(MapMode::Read, move |result| {
                if result.is_ok() {
                    mapped.store(true, Ordering::Release);
                }
            });
        }
    }

    /// Whether frames are on their way.
    pub(super) fn is_waiting(&self) -> bool {
        self.slots.iter().any(|slot| slot.state != SlotState::Free)
    }

    /// Hands the mapped frames to the taker, oldest first, and frees their
    /// buffers.
    pub(super) fn hand_over(&mut self, taker: &mut dyn Taker) -> Handed {
        let size = self.target.size();
        let mut handed = Handed::default();
        let mut ready: Vec<&mut Slot> = self
            .slots
            .iter_mut()
            .filter(|slot| slot.mapped.load(Ordering::Acquire))
            .collect();
        ready.sort_by_key(|slot| slot.frame.map(|(index, _)| index));
        for slot in ready {
            slot.mapped.store(false, Ordering::Release);
            let (index, request) = slot.frame.take().expect("a mapped slot holds a frame");
            let bytes = slot.buffer.slice(..).get_mapped_range();
            let was_taken = taker.take(&MappedFrame {
                bytes: &bytes,
                row_bytes: self.row_bytes as usize,
                width: size.width,
                height: size.height,
                index,
                request,
            });
            drop(bytes);
            slot.buffer.unmap();
            slot.state = SlotState::Free;
            handed.taken += 1;
            handed.dropped += usize::from(!was_taken);
        }
        handed
    }
}

/// Copies of frames' pixels, in memory of earlier ones that everybody has let go
/// of, so that a long show does not churn the heap.
#[derive(Default)]
pub struct Copies(Vec<Arc<Vec<u8>>>);

impl Copies {
    /// The frame's pixels, rows without padding.
    pub fn of(&mut self, frame: &MappedFrame<'_>) -> Arc<Vec<u8>> {
        let Self(kept) = self;
        let free = kept
            .iter()
            .position(|pixels| Arc::strong_count(pixels) == 1);
        let mut pixels = match free {
            Some(index) => kept.swap_remove(index),
            None => Arc::new(Vec::with_capacity(
                frame.width as usize * frame.height as usize * 4,
            )),
        };
        let copy = Arc::make_mut(&mut pixels);
        copy.clear();
        frame.rows().for_each(|row| copy.extend_from_slice(row));
        if kept.len() < MAX_PIXELS {
            kept.push(pixels.clone());
        }
        pixels
    }
}

/// Copies frames out and sends them to the outputs' thread.
pub(super) struct Channel {
    sender: Sender<Frame>,
    copies: Copies,
}

impl Channel {
    pub(super) fn new(sender: Sender<Frame>) -> Self {
        Self {
            sender,
            copies: Copies::default(),
        }
    }
}

impl Taker for Channel {
    fn wants(&mut self, request: &FrameRequest) -> bool {
        request.readback
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let frame = Frame {
            pixels: self.copies.of(frame),
            width: frame.width,
            height: frame.height,
            index: frame.index,
            at: frame.request.at,
        };
        self.sender.try_send(frame).is_ok()
    }
}
