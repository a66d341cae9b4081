//! Frames for players on this machine: NUT over TCP, for OBS's own Media Source
//! where our source cannot be installed.
//!
//! Like the ring, it takes its frames from the GPU's buffers, and only while
//! somebody reads. Every reader has a thread of its own that waits for the newest
//! frame and writes it, so a slow one skips frames and holds up nobody. A stage
//! that stands still sends nothing: OBS keeps the last picture, which is an empty
//! one, and goes on with the next frame at once.

mod mux;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bevy::app::App;

use super::OutputError;
use crate::render::present::{Copies, Form, FrameRequest, MappedFrame, Taker, add_outlet};

/// Readers at a time: a scene or two, a recorder, somebody who looks. Each may
/// hold a frame of its own, 8 MB at 1920x1080. One more is turned away.
pub const MAX_READERS: usize = 8;

/// A player looks at so many bytes, or so many frames, before it shows anything
/// (FFmpeg's `probesize` and its guess at a frame rate). It gets them at once,
/// as repeats of the picture there is: otherwise the first gift would be spent
/// on them and everything shown that much later.
const PROBED_BYTES: usize = 5_000_000;
const PROBED_FRAMES: usize = 21;
/// Between those repeats, in ticks.
const PROBE_STEP: u64 = 1_000;

/// A reader that takes nothing for so long has left without a word; its place is
/// another's, and gifts no longer play for it.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// A reader that has not taken a frame for so long is not looking: gifts wait.
const LOOKS_AWAY: Duration = Duration::from_secs(1);

/// How long the end waits for the thread that takes new readers.
const LAST_KNOCK: Duration = Duration::from_secs(1);

/// Serves frames on a loopback address.
pub struct NutFeed {
    address: SocketAddr,
    shared: Arc<Shared>,
    porter: Option<JoinHandle<()>>,
}

struct Shared {
    size: (u32, u32),
    state: Mutex<State>,
    /// A new frame, a reader that left, or the end.
    changed: Condvar,
    readers: AtomicUsize,
    /// A reader has come, and has not seen the stage as it is.
    is_owed: AtomicBool,
    /// Frames written, to all readers together.
    written: AtomicU64,
    opening: Vec<u8>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct State {
    newest: Newest,
    /// By number.
    readers: HashMap<u64, Reader>,
    is_over: bool,
}

struct Reader {
    stream: Arc<TcpStream>,
    pace: Pace,
}

#[derive(Clone, Copy)]
enum Pace {
    /// It takes what players look at before they show anything.
    Probes,
    /// It has all that there is.
    Waits,
    /// It is being given a frame, since then.
    Takes(Instant),
}

impl Reader {
    fn looks(&self) -> bool {
        match self.pace {
            Pace::Probes => false,
            Pace::Waits => true,
            Pace::Takes(since) => since.elapsed() < LOOKS_AWAY,
        }
    }
}

#[derive(Clone)]
struct Newest {
    pixels: Arc<Vec<u8>>,
    /// Which frame of this output it is; 0 is the blank one before the first.
    number: u64,
    /// Stage time in ticks.
    at: u64,
    received: Instant,
}

impl NutFeed {
    /// Listens on `address` for readers of frames of `size` pixels. `wake` is
    /// called when a reader comes or leaves.
    ///
    /// # Errors
    /// When the address is not this machine's own, or its port is taken.
    pub fn open(
        address: SocketAddr,
        size: (u32, u32),
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, OutputError> {
        if !address.ip().is_loopback() {
            return Err(OutputError::NotLoopback(address));
        }
        let listener =
            TcpListener::bind(address).map_err(|why| OutputError::Listen { address, why })?;
        let address = listener
            .local_addr()
            .map_err(|why| OutputError::Listen { address, why })?;
        let shared = Arc::new(Shared {
            size,
            state: Mutex::new(State {
                newest: Newest {
                    pixels: blank(size),
                    number: 0,
                    at: 0,
                    received: now(),
                },
                readers: HashMap::new(),
                is_over: false,
            }),
            changed: Condvar::new(),
            readers: AtomicUsize::new(0),
            is_owed: AtomicBool::new(false),
            written: AtomicU64::new(0),
            opening: mux::opening(size.0, size.1),
            wake: Box::new(wake),
        });
        let porter = {
            let shared = shared.clone();
            thread::Builder::new()
                .name("nut".into())
                .spawn(move || shared.let_in(&listener))
                .expect("a system that draws has a thread left for what it draws")
        };
        Ok(Self {
            address,
            shared,
            porter: Some(porter),
        })
    }

    /// Where it listens; its port is never 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the app feed the readers.
    pub fn install(&self, app: &mut App) {
        let frames = Frames {
            shared: self.shared.clone(),
            copies: Copies::default(),
        };
        add_outlet(app, Form::StraightLinear, frames);
    }

    /// Shows a frame that did not come from a GPU.
    #[cfg(test)]
    pub(super) fn show(&self, frame: &crate::render::present::Frame) {
        self.shared.show(frame.pixels.clone(), ticks(frame.at));
    }

    /// Whether somebody looks at what is drawn: has begun to show it, and takes it.
    pub fn is_seen(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let shared = self.shared.clone();
        move || {
            shared.readers.load(Ordering::Acquire) > 0
                && shared.state().readers.values().any(Reader::looks)
        }
    }

    /// Counts those who read now.
    #[cfg(test)]
    pub fn readers(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let shared = self.shared.clone();
        move || shared.readers.load(Ordering::Acquire)
    }

    /// Ends all readers. Says what they have had.
    pub fn close(mut self) -> String {
        self.stop();
        let written = self.shared.written.load(Ordering::Relaxed);
        format!("nut://{}: {written} frames", self.address)
    }

    /// What OBS is to be told, in its own English words.
    pub fn obs_settings(&self) -> String {
        let input = format!("tcp://{}", self.address);
        let settings = [
            ("Local File", "off"),
            ("Restart playback when source becomes active", "off"),
            ("Network Buffering", "0 MB"),
            ("Input", &input),
            ("Input Format", "nut"),
            ("Reconnect Delay", "1 s"),
            ("Show nothing when playback ends", "on"),
            ("Close file when inactive", "off"),
            ("Apply alpha in linear space", "on"),
        ];
        let mut text = "OBS shows the stage without our source in a Media Source \
                        (Sources > + > Media Source) with these settings:"
            .to_owned();
        for (name, value) in settings {
            text += &format!("\n  {name:<44} {value}");
        }
        text
    }

    fn stop(&mut self) {
        let Some(porter) = self.porter.take() else {
            return;
        };
        {
            let mut state = self.shared.state();
            state.is_over = true;
            for (_, reader) in state.readers.drain() {
                // Its threads notice and end by themselves.
                let _ = reader.stream.shutdown(Shutdown::Both);
            }
            self.shared.readers.store(0, Ordering::Release);
        }
        self.shared.changed.notify_all();
        // It waits in `accept`, where only a visitor reaches it.
        if TcpStream::connect_timeout(&self.address, LAST_KNOCK).is_ok() {
            // A panic was reported by its own hook.
            let _ = porter.join();
        }
    }
}

impl Drop for NutFeed {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Takes the frames of the outlet.
struct Frames {
    shared: Arc<Shared>,
    copies: Copies,
}

impl Taker for Frames {
    fn wants(&mut self, request: &FrameRequest) -> bool {
        let shared = &self.shared;
        let is_owed = shared.is_owed.swap(false, Ordering::AcqRel);
        is_owed || request.is_new && shared.readers.load(Ordering::Acquire) > 0
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let is_ours = self.shared.size == (frame.width, frame.height);
        if is_ours {
            let at = ticks(frame.request.at);
            self.shared.show(self.copies.of(frame), at);
        }
        is_ours
    }
}

/// The stage with nothing on it.
fn blank((width, height): (u32, u32)) -> Arc<Vec<u8>> {
    Arc::new(vec![0; width as usize * height as usize * 4])
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a picture the newest, as of stage time `at` in ticks.
    fn show(&self, pixels: Arc<Vec<u8>>, at: u64) {
        let newest = &mut self.state().newest;
        *newest = Newest {
            pixels,
            number: newest.number + 1,
            at,
            received: now(),
        };
        self.changed.notify_all();
    }

    /// Takes readers until the end.
    fn let_in(self: &Arc<Self>, listener: &TcpListener) {
        let mut was_full = false;
        for (number, visitor) in (0..).zip(listener.incoming()) {
            let mut state = self.state();
            if state.is_over {
                return;
            }
            let Ok(stream) = visitor else {
                // One that left again already, or no descriptor is free; the
                // next may come in.
                drop(state);
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            let is_full = state.readers.len() >= MAX_READERS;
            if is_full {
                if !was_full {
                    tracing::warn!(
                        "{MAX_READERS} players read the stage already; others are turned away"
                    );
                }
                was_full = true;
                continue;
            }
            was_full = false;
            let stream = Arc::new(stream);
            let reader = Reader {
                stream: stream.clone(),
                pace: Pace::Probes,
            };
            state.readers.insert(number, reader);
            self.readers.store(state.readers.len(), Ordering::Release);
            self.is_owed.store(true, Ordering::Release);
            drop(state);
            tracing::info!("a player reads the stage");
            (self.wake)();
            self.serve(number, stream);
        }
    }

    /// Starts the two threads of a reader: one writes, one notices when it
    /// leaves while there is nothing to write.
    fn serve(self: &Arc<Self>, number: u64, stream: Arc<TcpStream>) {
        let spawn = |work: fn(&Self, u64, &TcpStream)| {
            let (shared, stream) = (self.clone(), stream.clone());
            thread::Builder::new()
                .name("nut reader".into())
                .spawn(move || {
                    work(&shared, number, &stream);
                    shared.let_go(number, &stream);
                })
                .map(drop)
        };
        if let Err(error) = spawn(Self::write_frames).and_then(|()| spawn(Self::watch)) {
            tracing::warn!("a player was turned away: {error}");
            self.let_go(number, &stream);
        }
    }

    /// Ends a reader; the second call does nothing.
    fn let_go(&self, number: u64, stream: &TcpStream) {
        // It may have left already.
        let _ = stream.shutdown(Shutdown::Both);
        let mut state = self.state();
        if state.readers.remove(&number).is_some() {
            self.readers.store(state.readers.len(), Ordering::Release);
            if state.readers.is_empty() {
                // What comes next is not taken: the next reader begins with
                // nothing rather than with a gift of long ago.
                state.newest.pixels = blank(self.size);
            }
            drop(state);
            tracing::info!("a player has left");
            self.changed.notify_all();
            (self.wake)();
        }
    }

    /// Players say nothing; the end of what they say is their leaving.
    fn watch(&self, _: u64, mut stream: &TcpStream) {
        let mut ignored = [0; 256];
        while let Ok(1..) = stream.read(&mut ignored) {}
    }

    fn write_frames(&self, number: u64, stream: &TcpStream) {
        // A reader that leaves is seen to by whoever calls.
        let _ = self.try_write_frames(number, stream);
    }

    fn try_write_frames(&self, number: u64, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        stream.write_all(&self.opening)?;
        let mut shown = self.state().newest.clone();
        // What it is now in the stage's time; frames to come go on from there.
        let mut at = shown.at + ticks(shown.received.elapsed().as_secs_f64());
        let probed = PROBED_BYTES.div_ceil(shown.pixels.len().max(1));
        for _ in 0..probed.clamp(1, PROBED_FRAMES) {
            self.write_frame(stream, at, &shown.pixels)?;
            at += PROBE_STEP;
        }
        self.note(number, Pace::Waits);
        while let Some(next) = self.next(number, shown.number) {
            // Times only ever rise.
            at = next.at.max(at + 1);
            self.note(number, Pace::Takes(now()));
            self.write_frame(stream, at, &next.pixels)?;
            self.note(number, Pace::Waits);
            shown = next;
        }
        Ok(())
    }

    /// Notes how far a reader is. One that looks again is waited for.
    fn note(&self, number: u64, pace: Pace) {
        let mut state = self.state();
        let Some(reader) = state.readers.get_mut(&number) else {
            return;
        };
        let looked = reader.looks();
        reader.pace = pace;
        if !looked {
            drop(state);
            (self.wake)();
        }
    }

    fn write_frame(&self, mut stream: &TcpStream, at: u64, pixels: &[u8]) -> io::Result<()> {
        stream.write_all(&mux::frame_header(at, pixels.len()))?;
        stream.write_all(pixels)?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Waits for a frame after the one called `seen`; `None` when the reader
    /// has left or all is over.
    fn next(&self, number: u64, seen: u64) -> Option<Newest> {
        let state = self.state();
        let state = self
            .changed
            .wait_while(state, |state| {
                state.newest.number == seen && state.readers.contains_key(&number)
            })
            .unwrap_or_else(PoisonError::into_inner);
        let is_here = state.readers.contains_key(&number);
        is_here.then(|| state.newest.clone())
    }
}

fn ticks(seconds: f64) -> u64 {
    (seconds * mux::TICKS as f64) as u64
}

#[expect(
    clippy::disallowed_methods,
    reason = "a reader that comes later needs to know how old the picture is"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
