//! Outlets: the stage in one form, read back through a ring of staging buffers
//! and handed to one taker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bevy::prelude::*;
use bevy::render::render_resource::{
    Buffer, BufferDescriptor, BufferUsages, CachedRenderPipelineId, CommandEncoder, Extent3d,
    LoadOp, MapMode, Operations, RenderPassColorAttachment, StoreOp, TexelCopyBufferInfo,
    TexelCopyBufferLayout, Texture, TextureDescriptor, TextureDimension, TextureFormat,
    TextureUsages, TextureView, TextureViewDescriptor,
};
use bevy::render::renderer::RenderDevice;
use crossbeam_channel::{Sender, TrySendError};

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
    /// Whether the frame that is about to be drawn shall be read back. One that
    /// is wanted and gets lost on its way is made up for: the next is said to be
    /// new, whatever is in it.
    fn wants(&mut self, request: &FrameRequest) -> bool;

    /// Whether what is drawn is read back as well. To know what reading costs, its
    /// frames must be compared with some that are drawn alike and left where they are.
    fn reads(&self) -> bool {
        true
    }

    /// Takes a frame a frame or two later, while its buffer is mapped. False
    /// when it could not be taken now and the next is wanted in its place.
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
    /// When it was handed to the GPU.
    pub drawn: Instant,
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
    taker: Box<dyn Taker>,
    /// Queued when the renderer starts.
    pub(super) pipelines: Option<Pipelines>,
    /// Made when a frame is first wanted: it holds four frames.
    port: Option<Port>,
    /// Whether the taker has not got what it wanted last.
    is_owed: bool,
}

/// What came of offering a frame to an outlet.
pub(super) enum Offer<'a> {
    /// It is wanted, and there is room for it.
    Wanted(&'a Pipelines, &'a mut Port, FrameRequest),
    /// It is wanted, and no buffer is free.
    NoRoom,
    /// Nobody wants it.
    Unwanted,
}

impl Outlet {
    pub(super) fn new(form: Form, opacity: f32, taker: impl Taker) -> Self {
        Self {
            form,
            opacity,
            taker: Box::new(taker),
            pipelines: None,
            port: None,
            is_owed: false,
        }
    }

    /// Whether the taker still needs a frame.
    pub(super) fn is_owed(&self) -> bool {
        self.is_owed
    }

    /// Offers the frame that is about to be drawn, of `size` pixels.
    pub(super) fn offer(
        &mut self,
        device: &RenderDevice,
        size: UVec2,
        request: &FrameRequest,
    ) -> Offer<'_> {
        let request = FrameRequest {
            is_new: request.is_new || self.is_owed,
            ..*request
        };
        self.is_owed = self.taker.wants(&request);
        let Some(pipelines) = self.pipelines.as_ref().filter(|_| self.is_owed) else {
            return Offer::Unwanted;
        };
        let format = self.form.format();
        let port = self
            .port
            .get_or_insert_with(|| Port::new(device, format, size));
        match port.is_full() {
            true => Offer::NoRoom,
            false => Offer::Wanted(pipelines, port, request),
        }
    }

    /// Whether what is drawn for the taker is to be read back.
    pub(super) fn is_read(&self) -> bool {
        self.taker.reads()
    }

    /// The frame that was wanted is on its way.
    pub(super) fn is_served(&mut self) {
        self.is_owed = false;
    }

    /// Asks for what was submitted to be mapped once the GPU is done with it.
    pub(super) fn map(&mut self) {
        if let Some(port) = &mut self.port {
            port.map();
        }
    }

    /// Whether frames are on their way.
    pub(super) fn is_waiting(&self) -> bool {
        self.port.as_ref().is_some_and(Port::is_waiting)
    }

    /// Hands the mapped frames to the taker, oldest first, and frees their
    /// buffers.
    pub(super) fn hand_over(&mut self) -> Handed {
        let Some(port) = &mut self.port else {
            return Handed::default();
        };
        let handed = port.hand_over(&mut *self.taker);
        self.is_owed |= handed.is_last_dropped;
        handed
    }
}

/// The last pass for a stage that is drawn in full, pixel for pixel, and for one
/// that is enlarged. All are made at the start: nothing is, later.
pub(super) struct Pipelines {
    pub(super) as_large: ByBloom,
    pub(super) scaled: ByBloom,
}

impl Pipelines {
    /// For a stage of which that share of each side is drawn.
    pub(super) fn for_share(&self, drawn: Vec2) -> ByBloom {
        if drawn == Vec2::ONE {
            self.as_large
        } else {
            self.scaled
        }
    }
}

/// The last pass for a stage that blooms, and for one that does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByBloom {
    pub(super) blooming: CachedRenderPipelineId,
    pub(super) plain: CachedRenderPipelineId,
}

/// What an outlet has on the GPU.
pub(super) struct Port {
    target: Texture,
    view: TextureView,
    slots: Vec<Slot>,
    row_bytes: u32,
}

struct Slot {
    buffer: Buffer,
    state: SlotState,
    mapped: Arc<AtomicBool>,
    frame: Option<Drawn>,
}

/// The frame in a slot.
#[derive(Clone, Copy)]
struct Drawn {
    index: u64,
    request: FrameRequest,
    at: Instant,
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
    /// Whether the newest of them is among the dropped.
    is_last_dropped: bool,
}

/// Bytes from one row of a frame in a buffer to the next.
pub fn padded_row_bytes(width: u32) -> u32 {
    RenderDevice::align_copy_bytes_per_row(width as usize * 4) as u32
}

impl Port {
    fn new(device: &RenderDevice, format: TextureFormat, size: UVec2) -> Self {
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
            view: target.create_view(&TextureViewDescriptor::default()),
            target,
            slots: (0..RING).map(|_| slot()).collect(),
            row_bytes,
        }
    }

    fn is_full(&self) -> bool {
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
        slot.frame = Some(Drawn {
            index,
            request,
            at: now(),
        });
        true
    }

    fn map(&mut self) {
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

    fn is_waiting(&self) -> bool {
        self.slots.iter().any(|slot| slot.state != SlotState::Free)
    }

    fn hand_over(&mut self, taker: &mut dyn Taker) -> Handed {
        let size = self.target.size();
        let mut handed = Handed::default();
        let mut ready: Vec<&mut Slot> = self
            .slots
            .iter_mut()
            .filter(|slot| slot.mapped.load(Ordering::Acquire))
            .collect();
        ready.sort_by_key(|slot| slot.frame.map(|frame| frame.index));
        for slot in ready {
            slot.mapped.store(false, Ordering::Release);
            let frame = slot.frame.take().expect("a mapped slot holds a frame");
            let bytes = slot.buffer.slice(..).get_mapped_range();
            let was_taken = taker.take(&MappedFrame {
                bytes: &bytes,
                row_bytes: self.row_bytes as usize,
                width: size.width,
                height: size.height,
                index: frame.index,
                request: frame.request,
                drawn: frame.at,
            });
            drop(bytes);
            slot.buffer.unmap();
            slot.state = SlotState::Free;
            handed.taken += 1;
            handed.dropped += usize::from(!was_taken);
            handed.is_last_dropped = !was_taken;
        }
        handed
    }
}

#[expect(clippy::disallowed_methods, reason = "what a GPU takes is real time")]
fn now() -> Instant {
    Instant::now()
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
        request.readback && request.is_new
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let frame = Frame {
            pixels: self.copies.of(frame),
            width: frame.width,
            height: frame.height,
            index: frame.index,
            at: frame.request.at,
        };
        // Who ended needs no other frame either.
        !matches!(self.sender.try_send(frame), Err(TrySendError::Full(_)))
    }
}
