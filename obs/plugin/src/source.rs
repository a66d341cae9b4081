//! One source in one or more scenes.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyperfocus_ring::{Folder, Instance, SoundChunk, instances, now_ns};

use super::choice::{Choice, DEFAULT_INSTANCE};
use super::feed::RETRY_NS;
use super::hub::{Hub, Member};
use super::obs::{Graphics, Handle, Video, video};

/// Chunks of sound that one tick passes on. At 30 ticks a second and chunks of
/// 10 ms there are three or four; the rest waits for the next tick.
const MAX_CHUNKS: usize = 64;

/// Sound that is later than this is left out. OBS would delay all sound of the stream
/// by as much, and for as long as it runs.
const TOO_LATE_NS: u64 = 60_000_000;

/// What OBS knows as one source.
pub(crate) struct Source {
    handle: Handle,
    id: u64,
    choice: Mutex<Choice>,
    /// Held to look, not while anything is done with the hub.
    hub: Mutex<Option<Arc<Hub>>>,
    /// What only the tick uses, which comes from one thread.
    ticking: Mutex<Ticking>,
    width: AtomicU32,
    height: AtomicU32,
}

#[derive(Default)]
struct Ticking {
    next_choice_ns: u64,
    samples: Vec<f32>,
}

impl Source {
    pub(crate) fn new(handle: Handle, choice: Choice) -> Self {
        static SOURCES: AtomicU64 = AtomicU64::new(0);
        // The canvas until an engine says better: what it will be set to, and
        // room for whoever places the source before the engine runs.
        let canvas = video().unwrap_or_default().canvas;
        Self {
            handle,
            id: SOURCES.fetch_add(1, Ordering::Relaxed),
            choice: Mutex::new(choice),
            hub: Mutex::new(None),
            ticking: Mutex::default(),
            width: AtomicU32::new(canvas.0),
            height: AtomicU32::new(canvas.1),
        }
    }

    pub(crate) fn update(&self, choice: Choice) {
        let wanted = choice.launch.clone();
        let before = std::mem::replace(&mut *lock(&self.choice), choice);
        lock(&self.ticking).next_choice_ns = 0;
        match self.hub() {
            Some(hub) if before.launch != wanted => hub.suit(wanted.as_ref()),
            _ => self.retry(),
        }
    }

    /// An engine that could not be started may be now.
    pub(crate) fn retry(&self) {
        if let Some(hub) = self.hub() {
            hub.retry();
        }
    }

    /// Why no engine runs, if one should.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.hub()?.trouble()
    }

    pub(crate) fn choice(&self) -> Choice {
        lock(&self.choice).clone()
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (
            self.width.load(Ordering::Relaxed),
            self.height.load(Ordering::Relaxed),
        )
    }

    fn hub(&self) -> Option<Arc<Hub>> {
        lock(&self.hub).clone()
    }

    /// The engine that is shown, or is to be.
    pub(crate) fn engine(&self) -> String {
        self.hub()
            .map_or_else(|| DEFAULT_INSTANCE.to_owned(), |hub| hub.name().to_owned())
    }

    /// One frame of OBS, before anything is drawn.
    pub(crate) fn tick(&self) {
        let now_ns = now_ns();
        let choice = self.choice();
        let mut ticking = lock(&self.ticking);
        let hub = self.choose(&mut ticking, &choice, now_ns);
        let member = Member {
            id: self.id,
            is_showing: self.handle.is_showing(),
            is_active: self.handle.is_active(),
        };
        let Video { fps, .. } = video().unwrap_or_default();
        let ticked = hub.tick(now_ns, member, fps, choice.launch.as_ref());
        if ticked.is_live {
            ticking.next_choice_ns = now_ns + RETRY_NS;
        }
        if ticked.is_speaker {
            for _ in 0..MAX_CHUNKS {
                let Some(chunk) = hub.sound(&mut ticking.samples) else {
                    break;
                };
                if !is_too_late(&chunk, now_ns) {
                    self.handle.output_audio(&ticking.samples, chunk.at_ns);
                }
            }
        }
        drop(ticking);
        if ticked.is_behind {
            hub.upload(&Graphics::enter());
        }
        if let Some((width, height)) = hub.size() {
            self.width.store(width, Ordering::Relaxed);
            self.height.store(height, Ordering::Relaxed);
        }
    }

    /// The hub of the chosen engine. Which engine is the first one running is
    /// asked while the one that was is silent.
    fn choose(&self, ticking: &mut Ticking, choice: &Choice, now_ns: u64) -> Arc<Hub> {
        let before = self.hub();
        if let Some(hub) = &before
            && now_ns < ticking.next_choice_ns
        {
            return hub.clone();
        }
        ticking.next_choice_ns = now_ns + RETRY_NS;
        let name = match &choice.instance {
            Some(name) => name.clone(),
            None => first_running(now_ns)
                .or_else(|| before.as_ref().map(|hub| hub.name().to_owned()))
                .unwrap_or_else(|| DEFAULT_INSTANCE.to_owned()),
        };
        if let Some(hub) = &before
            && hub.name() == name
        {
            return hub.clone();
        }
        let hub = Hub::of(&name);
        *lock(&self.hub) = Some(hub.clone());
        if let Some(before) = before {
            before.leave(self.id);
        }
        hub
    }

    /// Draws; called by OBS's renderer.
    pub(crate) fn render(&self) {
        if let Some(hub) = self.hub() {
            hub.draw(&Graphics::of_renderer());
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(hub) = self.hub() {
            hub.leave(self.id);
        }
    }
}

/// Whether it should have been heard so long ago that it had better not be heard.
fn is_too_late(chunk: &SoundChunk, now_ns: u64) -> bool {
    chunk.at_ns.saturating_add(TOO_LATE_NS) < now_ns
}

fn first_running(now_ns: u64) -> Option<String> {
    let folder = Folder::of_user().ok()?;
    instances(&folder, now_ns)
        .ok()?
        .into_iter()
        .find(Instance::is_running)
        .map(|instance| instance.name)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
