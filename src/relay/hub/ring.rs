//! The latest frames of a stream, read by every connection at its own pace.

use std::collections::VecDeque;

use super::Serial;

/// At most so many frames; the oldest goes for the newest.
pub(super) struct Ring<F> {
    frames: VecDeque<(Serial, F)>,
    bound: usize,
    /// Frames that have gone: the place of the first one that is left.
    start: u64,
}

impl<F: Clone> Ring<F> {
    pub fn new(bound: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            bound,
            start: 0,
        }
    }

    /// Serials grow from call to call.
    pub fn push(&mut self, serial: Serial, frame: F) {
        if self.frames.len() == self.bound {
            self.frames.pop_front();
            self.start += 1;
        }
        self.frames.push_back((serial, frame));
    }

    /// The place that the next frame will have.
    pub fn end(&self) -> u64 {
        self.start + self.frames.len() as u64
    }

    /// The frame at `place`, and how many were skipped to get to it: who has
    /// fallen out of the ring goes on with the latest.
    pub fn read(&self, place: &mut u64) -> (Option<F>, u64) {
        let mut skipped = 0;
        if *place < self.start {
            let latest = self.end() - 1;
            skipped = latest - *place;
            *place = latest;
        }
        let frame = self.frames.get((*place - self.start) as usize);
        *place += u64::from(frame.is_some());
        (frame.map(|(_, frame)| frame.clone()), skipped)
    }

    /// The first frame after a serial.
    pub fn after(&self, serial: Serial) -> Option<(Serial, &F)> {
        let index = self.frames.partition_point(|(own, _)| *own <= serial);
        self.frames
            .get(index)
            .map(|(serial, frame)| (*serial, frame))
    }
}
