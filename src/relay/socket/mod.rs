//! A WebSocket as a server has it (RFC 6455), over any of our streams.
//!
//! A frame that a server sends is the same for everybody, so a gift is framed
//! once and all connections write the same bytes; a connection that is idle
//! holds no buffer at all. Compression and other extensions are not offered.

mod frame;
pub(super) mod outgoing;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(super) use frame::{Frame, Inbound};

use frame::Decoder;

/// Bytes read at once: a flood of acks in few calls, and no more than a task's
/// stack has room for.
const READ_AT_ONCE: usize = 16 * 1024;

/// Bytes that count as one message towards a connection's pace: an ack with its
/// envelope has about as many.
const MESSAGE_BYTES: usize = 256;

/// Why a connection was closed (section 7.4.1).
pub(super) type CloseCode = u16;

/// Those that we send.
pub(super) mod close {
    use super::CloseCode;

    pub const NORMAL: CloseCode = 1000;
    pub const PROTOCOL: CloseCode = 1002;
    pub const UNSUPPORTED: CloseCode = 1003;
    pub const NOT_UTF8: CloseCode = 1007;
    pub const POLICY: CloseCode = 1008;
    pub const TOO_LARGE: CloseCode = 1009;
    pub const RESTART: CloseCode = 1012;
    pub const AGAIN: CloseCode = 1013;
    /// A newer connection has the same `clientId`; final for the client.
    pub const DISPLACED: CloseCode = 4001;
}

/// How the other side broke the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Violation {
    /// It is gone, with or without a word.
    Gone,
    Protocol,
    Binary,
    NotUtf8,
    TooLarge,
}

/// One WebSocket, upgraded already.
pub(super) struct Socket<S> {
    stream: S,
    decoder: Decoder,
    /// Bytes that came with the upgrade.
    early: Bytes,
    inbox: VecDeque<Inbound>,
    outbox: VecDeque<Bytes>,
    /// The answer to their last ping. Earlier ones need none (section 5.5.3).
    pong: Option<Frame>,
    /// Something was written that TLS may hold back.
    is_unflushed: bool,
    /// Bytes written so far.
    sent: u64,
    /// They broke the rules: what else they say is read and not heard.
    is_deaf: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// `early` is what was read behind the request.
    pub fn new(stream: S, early: Bytes) -> Self {
        Self {
            stream,
            decoder: Decoder::default(),
            early,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            pong: None,
            is_unflushed: false,
            sent: 0,
            is_deaf: false,
        }
    }

    /// The next message that has come.
    pub fn take(&mut self) -> Option<Inbound> {
        let inbound = self.inbox.pop_front();
        if self.inbox.is_empty() {
            self.inbox = VecDeque::new();
        }
        inbound
    }

    /// To be written with the next [`poll_flush`](Self::poll_flush).
    pub fn push(&mut self, frame: Frame) {
        self.outbox.push_back(frame.into_bytes());
    }

    /// What somebody else did not get written. Nothing was pushed since it was
    /// theirs to write.
    pub fn go_on_with(&mut self, frames: VecDeque<Bytes>) {
        debug_assert!(self.outbox.is_empty() || frames.is_empty());
        self.outbox.extend(frames);
    }

    pub fn stream(&self) -> &S {
        &self.stream
    }

    pub fn answer(&mut self, ping: &[u8]) {
        self.pong = Some(Frame::pong(ping));
    }

    /// Whether all that was pushed is the system's.
    pub fn is_flushed(&self) -> bool {
        self.outbox.is_empty() && self.pong.is_none() && !self.is_unflushed
    }

    /// Bytes that the other side, or the system for it, has taken.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Writes what was pushed.
    ///
    /// # Errors
    /// When the connection is of no more use.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_flushed() {
            return Poll::Ready(Ok(()));
        }
        loop {
            if self.outbox.is_empty() {
                match self.pong.take() {
                    Some(pong) => self.push(pong),
                    None => break,
                }
            }
            let stream = Pin::new(&mut self.stream);
            let written = outgoing::with_slices(&self.outbox, |slices| match slices {
                [one] => stream.poll_write(cx, one),
                several => stream.poll_write_vectored(cx, several),
            });
            let written = ready!(written)?;
            self.is_unflushed = true;
            self.sent += written as u64;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            outgoing::advance(&mut self.outbox, written);
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.is_unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Reads once; what came is there to be [taken](Self::take). Returns for how
    /// many messages it counts.
    ///
    /// # Errors
    /// When they break the rules, or are gone. What came before that can be
    /// taken still.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<u32, Violation>> {
        if !self.early.is_empty() {
            let early = std::mem::take(&mut self.early);
            return Poll::Ready(self.decode(&early));
        }
        let mut space = [MaybeUninit::uninit(); READ_AT_ONCE];
        let mut space = ReadBuf::uninit(&mut space);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space));
        Poll::Ready(match (read, space.filled()) {
            (Err(_), _) | (Ok(()), []) => Err(Violation::Gone),
            (Ok(()), bytes) => self.decode(bytes),
        })
    }

    fn decode(&mut self, mut bytes: &[u8]) -> Result<u32, Violation> {
        let cost = bytes.len() / MESSAGE_BYTES;
        let before = self.decoder.frames();
        while !self.is_deaf {
            match self.decoder.next(&mut bytes) {
                Ok(Some(inbound)) => self.inbox.push_back(inbound),
                Ok(None) => break,
                Err(violation) => {
                    self.is_deaf = true;
                    return Err(violation);
                }
            }
        }
        let frames = self.decoder.frames().wrapping_sub(before);
        Ok(frames.max(u32::try_from(cost).unwrap_or(u32::MAX)))
    }

    /// Closes in order: our close frame, then reading until theirs. One that is
    /// still speaking is read to its end, since a connection that is closed over
    /// unread bytes takes the close frame with it.
    pub async fn close(&mut self, code: CloseCode, reason: &str) {
        self.push(Frame::close(code, reason));
        if poll_fn(|cx| self.poll_flush(cx)).await.is_err() {
            return;
        }
        loop {
            if let Err(Violation::Gone) = poll_fn(|cx| self.poll_read(cx)).await {
                return;
            }
            while let Some(inbound) = self.take() {
                if inbound == Inbound::Close {
                    return;
                }
            }
        }
    }

    /// Answers their close frame.
    pub async fn agree(&mut self) {
        self.push(Frame::close(close::NORMAL, ""));
        // Who has gone already needs no answer.
        let _ = poll_fn(|cx| self.poll_flush(cx)).await;
    }
}
