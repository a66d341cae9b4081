//! The caption thread: requests in, images out, never a wait in a frame.
//!
//! Requests pass through three places. The *backlog* is on the caller's side:
//! there a newer counter replaces an older one of the same ticket, since only
//! the latest number is worth painting. A short channel feeds the thread, and
//! another brings images back; when nobody takes them the thread stops, the
//! first channel fills and the backlog grows to its bound. A request that does
//! not fit is refused, and the caller's act plays without that caption.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::avatar::{self, AvatarSpec};
use super::board::{self, BoardSpec};
use super::card::{self, CardSpec};
use super::colour::Rgba;
use super::counter::{self, CounterSpec, DigitCache};
use super::panel::{self, PanelSpec};
use super::picture::{Body, PixelBuffer};
use super::text::{self, Outline, Shadow, TextPainter, TextStyle};
use crate::locale::Words;
use crate::model::Private;

/// 64 acts on stage, each with a card, a counter and a few images for its
/// video, twice over. A card takes milliseconds, so this is a second of work.
pub const MAX_BACKLOG: usize = 512;

/// Enough to keep the thread busy between two frames; short, so that counters
/// still find their older selves in the backlog.
const REQUESTS_IN_FLIGHT: usize = 8;

/// A headline card at 2160 lines is 8 MB; more than these wait in the backlog
/// instead.
const IMAGES_IN_FLIGHT: usize = 16;

/// What the painter needs to know once.
#[derive(Debug, Clone, Default)]
pub struct CaptionSettings {
    pub words: Words,
}

/// One image to paint.
#[derive(Debug, Clone)]
pub struct CaptionRequest {
    /// Comes back with the image; the caller's own meaning.
    pub ticket: u64,
    pub kind: CaptionKind,
}

/// What to paint.
#[derive(Debug, Clone)]
pub enum CaptionKind {
    Card(Box<CardSpec>),
    Counter(CounterSpec),
    /// Text for fusing into a video.
    Name(NameSpec),
    /// A face for fusing into a video.
    Avatar(AvatarSpec),
    Panel(PanelSpec),
    Board(Box<BoardSpec>),
}

/// Text in a box: as large as it fits, centred, one line.
#[derive(Debug, Clone)]
pub struct NameSpec {
    pub text: Private<Arc<str>>,
    /// The image's size in pixels.
    pub width: u32,
    pub height: u32,
    pub colour: Rgba,
    pub bold: bool,
    /// An outline and shadow, for text that lies on a moving picture.
    pub outlined: bool,
    /// Straight alpha instead of premultiplied.
    pub straight: bool,
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error("{MAX_BACKLOG} captions are waiting to be painted")]
    Full,
    #[error("the caption thread has ended")]
    Gone,
}

/// The caller's end of the caption thread. Dropping it ends the thread, after
/// the image in work at most.
pub struct CaptionPainter {
    backlog: Backlog,
    requests: Option<Sender<CaptionRequest>>,
    images: Option<Receiver<(u64, Option<PixelBuffer>)>>,
    thread: Option<JoinHandle<()>>,
    /// Requests in the channels or in work.
    in_flight: usize,
}

impl CaptionPainter {
    /// Starts the thread. It discovers the fonts itself, so this returns at
    /// once. `wake` is called on the thread after each image, for a caller
    /// that sleeps until something happens.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn spawn(
        settings: CaptionSettings,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, inbox) = bounded(REQUESTS_IN_FLIGHT);
        let (outbox, images) = bounded(IMAGES_IN_FLIGHT);
        let thread = std::thread::Builder::new()
            .name("captions".into())
            .spawn(move || work(&settings, &inbox, &outbox, &wake))?;
        Ok(Self {
            backlog: Backlog::default(),
            requests: Some(requests),
            images: Some(images),
            thread: Some(thread),
            in_flight: 0,
        })
    }

    /// Asks for an image. Never waits.
    ///
    /// # Errors
    /// [`NotTaken::Full`] when [`MAX_BACKLOG`] requests wait,
    /// [`NotTaken::Gone`] when the thread has ended.
    pub fn request(&mut self, request: CaptionRequest) -> Result<(), NotTaken> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(NotTaken::Gone);
        }
        self.backlog.push(request)?;
        self.pump();
        Ok(())
    }

    /// Forgets what waits for a ticket whose act has gone. An image already in
    /// work still comes.
    pub fn cancel(&mut self, ticket: u64) {
        self.backlog
            .waiting
            .retain(|request| request.ticket != ticket);
    }

    /// Takes the images that are ready, in the order they were asked for.
    /// Call it once a frame: it also feeds the thread.
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, PixelBuffer)> + '_ {
        self.pump();
        // At most one channel's worth, so that a fast thread cannot hold a
        // frame up.
        (0..IMAGES_IN_FLIGHT)
            .map_while(|_| {
                let (ticket, image) = self.images.as_ref()?.try_recv().ok()?;
                self.in_flight = self.in_flight.saturating_sub(1);
                Some((ticket, image))
            })
            .filter_map(|(ticket, image)| Some((ticket, image?)))
    }

    /// Waits for every image that was asked for, each no longer than `patience`,
    /// and takes them in the order they were asked for: for recordings.
    pub fn finish(&mut self, patience: Duration) -> Vec<(u64, PixelBuffer)> {
        let mut painted = Vec::new();
        loop {
            self.pump();
            if self.in_flight == 0 {
                return painted;
            }
            let waited = self
                .images
                .as_ref()
                .map(|images| images.recv_timeout(patience));
            let Some(Ok((ticket, image))) = waited else {
                tracing::warn!("a caption did not come in {} s", patience.as_secs());
                return painted;
            };
            self.in_flight -= 1;
            painted.extend(image.map(|image| (ticket, image)));
        }
    }

    /// Requests whose images have not been drained.
    pub fn pending(&self) -> usize {
        self.backlog.waiting.len() + self.in_flight
    }

    fn pump(&mut self) {
        let is_gone = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        if is_gone && self.images.as_ref().is_none_or(Receiver::is_empty) {
            // What it still had will not come, and nothing may wait for that.
            self.backlog.waiting.clear();
            self.in_flight = 0;
            return;
        }
        let Some(requests) = &self.requests else {
            return;
        };
        while let Some(request) = self.backlog.waiting.pop_front() {
            match requests.try_send(request) {
                Ok(()) => self.in_flight += 1,
                Err(TrySendError::Full(request)) => {
                    self.backlog.waiting.push_front(request);
                    return;
                }
                Err(TrySendError::Disconnected(_)) => {
                    self.backlog.waiting.clear();
                    self.in_flight = 0;
                    return;
                }
            }
        }
    }
}

impl Drop for CaptionPainter {
    fn drop(&mut self) {
        self.requests = None;
        self.images = None;
        if let Some(thread) = self.thread.take() {
            // fontconfig must not be in use while the process's exit handlers
            // run, so the thread is waited for. A panic was logged there.
            let _ = thread.join();
        }
    }
}

/// Requests that the thread has no room for yet.
#[derive(Default)]
struct Backlog {
    waiting: VecDeque<CaptionRequest>,
}

impl Backlog {
    fn push(&mut self, request: CaptionRequest) -> Result<(), NotTaken> {
        if matches!(request.kind, CaptionKind::Counter(_)) {
            let older = self.waiting.iter_mut().find(|waiting| {
                waiting.ticket == request.ticket && matches!(waiting.kind, CaptionKind::Counter(_))
            });
            if let Some(older) = older {
                *older = request;
                return Ok(());
            }
        }
        if self.waiting.len() >= MAX_BACKLOG {
            return Err(NotTaken::Full);
        }
        self.waiting.push_back(request);
        Ok(())
    }
}

fn work(
    settings: &CaptionSettings,
    inbox: &Receiver<CaptionRequest>,
    outbox: &Sender<(u64, Option<PixelBuffer>)>,
    wake: &dyn Fn(),
) {
    let mut desk = Desk::new(settings);
    let missing = desk.text.missing_families();
    if !missing.is_empty() {
        tracing::warn!(
            "captions are designed with fonts that are not installed: {}. Names may look uneven or lose \
             characters; on Debian and Ubuntu install fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji",
            missing.join(", ")
        );
    }
    for request in inbox {
        // Viewers choose this text and it goes through several font parsers: a
        // panic there must cost one caption, not all of them.
        let image = catch_unwind(AssertUnwindSafe(|| desk.paint(&request.kind)));
        let image = image.unwrap_or_else(|_| {
            tracing::error!("painting a caption panicked; it is left out");
            desk = Desk::new(settings);
            None
        });
        if outbox.send((request.ticket, image)).is_err() {
            return;
        }
        wake();
    }
}

/// Everything the thread paints with.
struct Desk<'a> {
    settings: &'a CaptionSettings,
    text: TextPainter,
    digits: DigitCache,
}

impl<'a> Desk<'a> {
    fn new(settings: &'a CaptionSettings) -> Self {
        Self {
            settings,
            text: TextPainter::new(),
            digits: DigitCache::default(),
        }
    }

    fn paint(&mut self, kind: &CaptionKind) -> Option<PixelBuffer> {
        Some(match kind {
            CaptionKind::Card(spec) => card::paint(&mut self.text, &self.settings.words, spec),
            CaptionKind::Counter(spec) => {
                counter::paint(&mut self.text, &mut self.digits, &self.settings.words, spec)
            }
            CaptionKind::Name(spec) => paint_name(&mut self.text, spec),
            CaptionKind::Avatar(spec) => avatar::paint(&mut self.text, spec),
            CaptionKind::Panel(spec) => panel::paint(&mut self.text, spec),
            CaptionKind::Board(spec) => board::paint(&mut self.text, spec),
        })
    }
}

/// Text in its box: shrunk to fit down to half the box's usual size, then cut.
pub fn paint_name(painter: &mut TextPainter, spec: &NameSpec) -> PixelBuffer {
    let (width, height) = (
        spec.width.clamp(8, 4096) as f32,
        spec.height.clamp(8, 1024) as f32,
    );
    let full = (height * 0.66).min(text::MAX_SIZE_PX);
    let style_at = |size: f32| {
        let mut style = TextStyle::new(size).colour(spec.colour);
        if spec.bold {
            style = style.bold();
        }
        if spec.outlined {
            let dark = Rgba::hex(0x0E_0A_14);
            style = style
                .outline(Outline {
                    width_px: size * 0.06,
                    colour: dark,
                })
                .shadow(Shadow {
                    blur_px: size * 0.16,
                    dx: 0.0,
                    dy: size * 0.04,
                    colour: dark.with_alpha(0.75),
                });
        }
        style
    };
    let room = |style: &TextStyle| {
        width
            - if spec.outlined {
                2.0 * style.margin()
            } else {
                2.0
            }
    };
    let first = style_at(full);
    let natural = painter.lay_out(&first, &spec.text.0).width.max(1.0);
    let style = style_at(full * (room(&first) / natural).clamp(0.5, 1.0) * 0.995);
    let limit = room(&style);
    let style = style.max_width(limit.max(1.0));
    let line = painter.lay_out(&style, &spec.text.0);
    let mut pixmap = text::blank(width, height);
    let baseline = (height / 2.0 + style.size_px * 0.36).round();
    let x = (width - line.width) / 2.0;
    painter.draw(&mut pixmap, &line, x, baseline, &style);
    let body = Body {
        x,
        y: baseline - line.ascent,
        width: line.width,
        height: line.ascent + line.descent,
    };
    let mut image = PixelBuffer::from_pixmap(pixmap, body, baseline);
    image.replaced = line.replaced;
    if spec.straight {
        image.into_straight()
    } else {
        image
    }
}
