//! Sound: a ring of samples, and a ring of marks that say when each chunk of
//! them is to be heard.
//!
//! The writer never waits, so a reader that is late may find its samples
//! overwritten. Before it writes, the writer says how far it is going to reach;
//! a reader copies, looks at that word, and throws away what may have been
//! overwritten meanwhile. All samples are atomics, so this is no data race.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::{CHANNELS, MARK_COUNT, SAMPLE_CAPACITY, SAMPLE_RATE};
use super::memory::Memory;

/// Frames in one chunk; more are cut into several. A quarter of the ring, so
/// that a reader loses no more than that for one chunk that is overwritten.
const MAX_CHUNK: usize = SAMPLE_CAPACITY as usize / 4;

/// Where the engine puts its sound. It follows [`Writer::resize`](super::Writer::resize).
pub struct SoundWriter {
    /// The lock is held for one chunk here and for one pointer there.
    memory: Arc<Mutex<Arc<Memory>>>,
}

impl SoundWriter {
    pub(crate) fn new(memory: Arc<Mutex<Arc<Memory>>>) -> Self {
        Self { memory }
    }

    /// Writes interleaved stereo at 48 kHz, whose first frame is to be heard at
    /// `at_ns` on [`now_ns`](super::now_ns)'s clock. Where nothing sounds,
    /// nothing need be written: each call says its own time. A last sample
    /// without its pair is left out.
    pub fn write(&mut self, samples: &[f32], at_ns: u64) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at_ns = at_ns;
        for chunk in samples.chunks(MAX_CHUNK * CHANNELS as usize) {
            let frames = chunk.len() / CHANNELS as usize;
            write_chunk(&memory, &chunk[..frames * CHANNELS as usize], at_ns);
            at_ns += nanoseconds(frames as u64);
        }
    }
}

fn write_chunk(memory: &Memory, samples: &[f32], at_ns: u64) {
    if samples.is_empty() {
        return;
    }
    let header = memory.header();
    // Only this writer changes these, but what is in shared memory may have
    // been changed by anyone: arithmetic wraps, indices are masked.
    let chunk = header.chunks_done.load(Relaxed);
    let start = header.sound_reach.load(Relaxed);
    let frames = (samples.len() / CHANNELS as usize) as u64;
    header.chunks_begun.store(chunk.wrapping_add(1), Relaxed);
    header
        .sound_reach
        .store(start.wrapping_add(frames), Relaxed);
    // Whoever sees one of the samples to come also sees the two words above.
    fence(Release);
    let mark = &memory.marks()[mark_index(chunk)];
    mark.start.store(start, Relaxed);
    mark.at_ns.store(at_ns, Relaxed);
    mark.frames.store(frames, Relaxed);
    let cells = memory.samples();
    for (index, pair) in samples.chunks_exact(CHANNELS as usize).enumerate() {
        let cell = sample_index(start.wrapping_add(index as u64));
        cells[cell].store(pair[0].to_bits(), Relaxed);
        cells[cell + 1].store(pair[1].to_bits(), Relaxed);
    }
    header.chunks_done.store(chunk.wrapping_add(1), Release);
}

/// A chunk of sound that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundChunk {
    /// Frames in it.
    pub frames: usize,
    /// When its first frame is to be heard.
    pub at_ns: u64,
    /// Chunks lost before this one because the reader came too late.
    pub lost_chunks: u64,
}

/// Where the plugin gets its sound from.
pub struct SoundReader {
    memory: Arc<Memory>,
    /// The next chunk to read.
    next: u64,
    /// Chunks lost that no read has told of yet.
    lost: u64,
}

impl SoundReader {
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        let next = memory.header().chunks_done.load(Acquire);
        Self {
            memory,
            next,
            lost: 0,
        }
    }

    /// Reads the next chunk into `samples`, interleaved, replacing what was
    /// there; `None` when there is none yet. Samples that are no numbers come
    /// as silence, and those beyond full scale are left as they are.
    pub fn read(&mut self, samples: &mut Vec<f32>) -> Option<SoundChunk> {
        // Each turn but the last skips a chunk that was overwritten; there are
        // no more marks than this to skip.
        for _ in 0..=MARK_COUNT {
            let done = self.memory.header().chunks_done.load(Acquire);
            let waiting = done.wrapping_sub(self.next);
            if waiting == 0 {
                break;
            }
            // Half of the marks are kept, since the oldest are about to go.
            // Also when the writer counts backwards, which none of ours does.
            if waiting > u64::from(MARK_COUNT) {
                let kept = u64::from(MARK_COUNT) / 2;
                self.skip(waiting - kept);
            }
            if let Some((frames, at_ns)) = self.copy(samples) {
                self.next = self.next.wrapping_add(1);
                return Some(SoundChunk {
                    frames,
                    at_ns,
                    lost_chunks: std::mem::take(&mut self.lost),
                });
            }
            self.skip(1);
        }
        samples.clear();
        None
    }

    fn skip(&mut self, chunks: u64) {
        self.lost = self.lost.saturating_add(chunks);
        self.next = self.next.wrapping_add(chunks);
    }

    /// Copies chunk `next` and says how long it is and when it is to be heard,
    /// unless the writer has begun to overwrite it.
    fn copy(&self, samples: &mut Vec<f32>) -> Option<(usize, u64)> {
        let mark = &self.memory.marks()[mark_index(self.next)];
        let start = mark.start.load(Relaxed);
        let at_ns = mark.at_ns.load(Relaxed);
        let frames = mark.frames.load(Relaxed).min(MAX_CHUNK as u64);
        if !self.is_kept(start) {
            return None;
        }
        let cells = self.memory.samples();
        samples.clear();
        for frame in 0..frames {
            let cell = sample_index(start.wrapping_add(frame));
            for cell in &cells[cell..cell + CHANNELS as usize] {
                let sample = f32::from_bits(cell.load(Relaxed));
                samples.push(if sample.is_finite() { sample } else { 0.0 });
            }
        }
        self.is_kept(start).then_some((frames as usize, at_ns))
    }

    /// Whether what was read of chunk `next`, which begins at frame `start`,
    /// was read before the writer began to overwrite it.
    fn is_kept(&self, start: u64) -> bool {
        // What was read before this was read before the two words below are.
        fence(Acquire);
        let header = self.memory.header();
        let begun = header.chunks_begun.load(Relaxed);
        let reach = header.sound_reach.load(Relaxed);
        begun.wrapping_sub(self.next) <= u64::from(MARK_COUNT)
            && reach.wrapping_sub(start) <= u64::from(SAMPLE_CAPACITY)
    }
}

fn mark_index(chunk: u64) -> usize {
    (chunk % u64::from(MARK_COUNT)) as usize
}

/// Of the left sample; the right one follows.
fn sample_index(frame: u64) -> usize {
    (frame % u64::from(SAMPLE_CAPACITY)) as usize * CHANNELS as usize
}

fn nanoseconds(frames: u64) -> u64 {
    frames * 1_000_000_000 / u64::from(SAMPLE_RATE)
}
