//! An open WebSocket, fed to the session and by it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio_tungstenite::tungstenite::Bytes;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::Keep;
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
    keep: Option<Keep>,
}

impl Socket {
    pub fn new(stream: Stream, keep: Option<Keep>) -> Self {
        Self {
            stream,
            keep,
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
    /// session took something in, or when there is more to write than one turn
    /// allows.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        session: &mut Session,
        clock: impl Fn() -> (Moment, WallTime),
    ) -> Poll<()> {
        let more = match self.write(cx, session) {
            Ok(more) => more,
            Err(_) => {
                self.over(session, None, "", clock());
                return Poll::Ready(());
            }
        };
        let read = match self.draining {
            true => self.poll_drain(cx, session, clock),
            false => self.poll_read(cx, session, clock),
        };
        if more { Poll::Ready(()) } else { read }
    }

    /// Hands over frames until the session has none or the socket takes no
    /// more; true when only the turn ended.
    fn write(&mut self, cx: &mut Context<'_>, session: &mut Session) -> Result<bool, Error> {
        let mut more = true;
        for _ in 0..MAX_FRAMES {
            match Pin::new(&mut self.stream).poll_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return Ok(false),
            }
            let Some(frame) = session.poll_frame() else {
                more = false;
                break;
            };
            Pin::new(&mut self.stream).start_send(message(frame))?;
            self.dirty = true;
        }
        if self.dirty
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            flushed?;
            self.dirty = false;
        }
        Ok(more)
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        session: &mut Session,
        clock: impl Fn() -> (Moment, WallTime),
    ) -> Poll<()> {
        let time = clock();
        for taken in 0..MAX_BATCH {
            let Poll::Ready(item) = Pin::new(&mut self.stream).poll_next(cx) else {
                return if taken == 0 {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                };
            };
            match item {
                Some(Ok(message)) => self.take(cx, message, session, time),
                Some(Err(error)) => self.fail(&error, session, time),
                None => self.over(session, None, "", time),
            }
            if self.is_over || self.draining || session.has_output() {
                break;
            }
        }
        Poll::Ready(())
    }

    fn take(
        &mut self,
        cx: &mut Context<'_>,
        message: Message,
        session: &mut Session,
        time: (Moment, WallTime),
    ) {
        let (now, wall) = time;
        match message {
            Message::Text(text) => {
                if let Some(keep) = &self.keep {
                    keep.note(now, text.as_bytes());
                }
                session.handle_input(Input::Text(text.as_bytes()), now, wall);
            }
            Message::Binary(_) => session.handle_input(Input::Binary, now, wall),
            Message::Pong(payload) => session.handle_input(Input::Pong(&payload), now, wall),
            // The library has queued the pong to a ping by itself.
            Message::Ping(_) | Message::Frame(_) => session.handle_input(Input::Alive, now, wall),
            Message::Close(frame) => {
                // The library has queued the answer. If the socket does not
                // take it at once, the peer has stopped caring.
                let _ = Pin::new(&mut self.stream).poll_flush(cx);
                let code = frame.as_ref().map(|frame| u16::from(frame.code));
                let reason = frame.as_ref().map_or("", |frame| frame.reason.as_str());
                self.over(session, code, reason, time);
            }
        }
    }

    fn fail(&mut self, error: &Error, session: &mut Session, time: (Moment, WallTime)) {
        let violation = match error {
            Error::Capacity(_) => Violation::TooLarge,
            Error::Utf8(_) => Violation::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return self.over(session, None, "", time);
            }
            Error::Protocol(_) => Violation::BadFrames,
            _ => return self.over(session, None, "", time),
        };
        self.draining = true;
        session.handle_input(Input::Violation(violation), time.0, time.1);
    }

    fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        session: &mut Session,
        clock: impl Fn() -> (Moment, WallTime),
    ) -> Poll<()> {
        let mut scratch = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = Pin::new(self.stream.get_mut()).poll_read(cx, &mut buffer);
            if ready!(read).is_err() || buffer.filled().is_empty() {
                self.over(session, None, "", clock());
                return Poll::Ready(());
            }
        }
    }

    fn over(
        &mut self,
        session: &mut Session,
        code: Option<u16>,
        reason: &str,
        (now, wall): (Moment, WallTime),
    ) {
        self.is_over = true;
        session.handle_input(Input::Closed { code, reason }, now, wall);
    }
}

fn message(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::text(text),
        Frame::Ping(payload) => Message::Ping(Bytes::copy_from_slice(&payload)),
        Frame::Close { code, reason } => Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: reason.into(),
        })),
    }
}
