//! Frames in memory that is shared with the display server.
//!
//! A frame is written once, by the stage, into memory that the server reads
//! itself. Who holds a slot is counted here: the stage while it writes, the
//! overlay's thread as long as the frame is the newest, and the server until it
//! lets go.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::render::present::{MappedFrame, padded_row_bytes};

/// One that the stage writes, one that waits, one on screen, and one that the
/// server has not let go of. Without a free one the frame is dropped, which the
/// readback counts.
pub(super) const SLOTS: usize = 4;

/// What the stage has for the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing at all is to be seen.
    Bare,
    /// A picture; the taker holds its slot.
    Frame(usize),
}

pub(super) struct Pool {
    file: File,
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    /// How often each is held.
    held: [u32; SLOTS],
    /// Not taken yet; holds its slot.
    news: Option<News>,
}

impl Pool {
    /// For frames of `size` pixels.
    ///
    /// # Errors
    /// When there is no such memory to be had.
    pub fn new(size: (u32, u32)) -> io::Result<Self> {
        let file = File::from(memfd_create("hyperfocus-overlay", MemfdFlags::CLOEXEC)?);
        let stride = padded_row_bytes(size.0);
        let pool = Self {
            file,
            width: size.0,
            height: size.1,
            stride,
            slots: Mutex::default(),
        };
        pool.file.set_len((pool.slot_bytes() * SLOTS) as u64)?;
        Ok(pool)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub fn slot_bytes(&self) -> usize {
        self.stride as usize * self.height as usize
    }

    /// Takes a frame of the stage; false when it was dropped.
    pub fn put(&self, frame: &MappedFrame<'_>) -> bool {
        if (frame.width, frame.height) != (self.width, self.height)
            || frame.row_bytes() != self.stride as usize
        {
            return false;
        }
        if frame.request.is_bare {
            self.announce(News::Bare);
            return true;
        }
        let Some(slot) = self.claim() else {
            return false;
        };
        let at = (slot * self.slot_bytes()) as u64;
        let is_written = self.file.write_all_at(frame.padded_rows(), at).is_ok();
        if is_written {
            self.announce(News::Frame(slot));
        } else {
            self.release(slot);
        }
        is_written
    }

    /// A slot that nobody looks at, if need be that of a frame which nobody has
    /// come for.
    fn claim(&self) -> Option<usize> {
        let mut slots = self.slots();
        if let Some(free) = slots.held.iter().position(|held| *held == 0) {
            slots.held[free] = 1;
            return Some(free);
        }
        match slots.news.take() {
            Some(News::Frame(slot)) => Some(slot),
            news => {
                slots.news = news;
                None
            }
        }
    }

    /// Replaces what nobody has come for.
    fn announce(&self, news: News) {
        let mut slots = self.slots();
        if let Some(News::Frame(old)) = slots.news.replace(news) {
            slots.held[old] -= 1;
        }
    }

    /// What is new since the last call.
    pub fn take(&self) -> Option<News> {
        self.slots().news.take()
    }

    /// Somebody more looks at the slot.
    pub fn hold(&self, slot: usize) {
        self.slots().held[slot] += 1;
    }

    /// Somebody is done with it.
    pub fn release(&self, slot: usize) {
        let held = &mut self.slots().held[slot];
        *held = held.saturating_sub(1);
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_nobody_came_for_gives_its_slot_to_the_next() {
        let pool = Pool::new((10, 10)).unwrap();
        for _ in 0..3 * SLOTS {
            let slot = pool.claim().unwrap();
            pool.announce(News::Frame(slot));
        }
        assert!(matches!(pool.take(), Some(News::Frame(_))));
        assert_eq!(pool.take(), None);
    }

    #[test]
    fn what_is_on_screen_is_not_written_to() {
        let pool = Pool::new((10, 10)).unwrap();
        let taken: Vec<_> = (0..SLOTS).filter_map(|_| pool.claim()).collect();
        assert_eq!(taken, [0, 1, 2, 3]);
        assert_eq!(pool.claim(), None, "nothing is free and nothing waits");
        pool.hold(2);
        pool.release(2);
        assert_eq!(pool.claim(), None, "it is held twice");
        pool.release(2);
        assert_eq!(pool.claim(), Some(2));
    }

    #[test]
    fn an_empty_stage_takes_the_place_of_a_frame() {
        let pool = Pool::new((10, 10)).unwrap();
        let slot = pool.claim().unwrap();
        pool.announce(News::Frame(slot));
        pool.announce(News::Bare);
        assert_eq!(pool.take(), Some(News::Bare));
        assert_eq!(pool.claim(), Some(slot), "it was let go of");
    }
}
