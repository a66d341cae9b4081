//! An open WebSocket, fed to the session and by it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::connect::Stream;
use crate::model::{Moment, WallTime};
use crate::session::{Frame, Input, Session, Violation};

/// Messages taken in before the stage gets its share and the clock is read
/// again: enough to spread both over a flood, few enough (under a millisecond)
/// that a heartbeat behind them is answered in time.
const MAX_BATCH: usize = 256;

/// Frames written before reading has its turn.
const MAX_FRAMES: usize = 256;

pub(super) struct Socket {
    stream: Stream,
    /// Frames were handed over and not yet flushed.
    dirty: bool,
    /// The peer broke the transport's rules: what still arrives is thrown
    /// away, so that our close frame is not lost in a reset.
    draining: bool,
    is_over: bool,
}

impl Socket {
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            dirty: false,
            draining: false,
            is_over: false,
        }
    }

    /// Whether the session has been told that the connection is gone.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Writes what the session has and reads a batch into it. Ready when the
    /// session took something in, or should get another turn.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        session: &mut Session,
        clock: impl Fn() -> (Moment, WallTime),
    ) -> Poll<()> {
        match self.poll_write(cx, session) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => {
                let (now, wall) = clock();
                self.over(session, None, "", (now, wall));
                return Poll::Ready(());
            }
            // The socket takes nothing now; reading goes on all the same.
            Poll::Pending => {}
        }
        let read = match self.draining {
            true => self.poll_drain(cx, session, clock),
            false => self.poll_read(cx, session, clock),
        };
        if read.is_pending() && self.wants_turn {
            cx.waker().wake_by_ref();
        }
        read
    }
}
