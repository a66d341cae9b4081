//! Frames on their way out: written together, and taken by the system in pieces
//! of any size.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf as _, Bytes};

/// Frames given to the system in one call.
pub(in crate::relay) const AT_ONCE: usize = 16;

/// Hands `write` the first frames.
pub(in crate::relay) fn with_slices<T>(
    frames: &VecDeque<Bytes>,
    write: impl FnOnce(&[IoSlice<'_>]) -> T,
) -> T {
    let mut slices = [IoSlice::new(&[]); AT_ONCE];
    let count = frames.len().min(AT_ONCE);
    for (slice, frame) in slices.iter_mut().zip(frames) {
        *slice = IoSlice::new(frame);
    }
    write(&slices[..count])
}

/// So many bytes were taken.
pub(in crate::relay) fn advance(frames: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = frames.front_mut() {
        if written < first.len() {
            first.advance(written);
            break;
        }
        written -= first.len();
        frames.pop_front();
    }
}
