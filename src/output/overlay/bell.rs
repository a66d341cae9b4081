//! Wakes a thread that waits for a file descriptor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::{Errno, read, write};

pub(super) struct Bell(OwnedFd);

impl Bell {
    pub fn new() -> io::Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self(eventfd(0, flags)?))
    }

    /// Rings that come before the thread waits are one ring.
    pub fn ring(&self) {
        // It fails only when it has been rung 2^64 times already.
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Waits until it is rung or there is something to read from `other`; true
    /// for the latter.
    pub fn wait(&self, other: BorrowedFd<'_>) -> io::Result<bool> {
        let mut sources = [
            PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(other, PollFlags::IN),
        ];
        match poll(&mut sources, None) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if !sources[0].revents().is_empty() {
            // Nothing to read is a ring that was heard already.
            let _ = read(&self.0, &mut [0_u8; 8]);
        }
        Ok(!sources[1].revents().is_empty())
    }
}
