//! WebSocket frames as a server writes and reads them (RFC 6455, section 5).

use std::mem::take;

use bytes::{Bytes, BytesMut};

use super::{CloseCode, Violation};
use crate::protocol::limits::{MAX_MESSAGE_BYTES, MAX_TRANSPORT_BYTES};

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Largest payload of a control frame (section 5.5).
const MAX_CONTROL: usize = 125;

/// Largest head: two bytes, an eight-byte length and a mask.
const MAX_HEAD: usize = 14;

/// A frame as it goes out; cheap to clone, for any number of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::relay) struct Frame(Bytes);

impl Frame {
    /// A whole message.
    pub fn text(message: &str) -> Self {
        Self::of(TEXT, message.as_bytes())
    }

    /// What it says, without its head.
    pub fn payload(&self) -> &[u8] {
        // Ours have no mask (section 5.1).
        let head = match self.0.get(1) {
            Some(126) => 4,
            Some(127) => 10,
            _ => 2,
        };
        self.0.get(head..).unwrap_or_default()
    }

    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    pub(super) fn pong(payload: &[u8]) -> Self {
        Self::of(PONG, payload)
    }

    pub(super) fn close(code: CloseCode, reason: &str) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend(reason.bytes());
        Self::of(CLOSE, &payload)
    }

    fn of(opcode: u8, payload: &[u8]) -> Self {
        let length = payload.len();
        let mut frame = BytesMut::with_capacity(MAX_HEAD + length);
        frame.extend_from_slice(&[FIN | opcode]);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ ..126), _) => frame.extend_from_slice(&[length]),
            (_, Ok(length)) => {
                frame.extend_from_slice(&[126]);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            _ => {
                frame.extend_from_slice(&[127]);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        Self(frame.freeze())
    }
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::relay) enum Inbound {
    Text(String),
    /// A message that is too large to be decoded: how it begins, a little more
    /// than what would be decoded, and how many bytes it had.
    TooLarge {
        start: Vec<u8>,
        length: usize,
    },
    /// To be answered with the same bytes.
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// Finds frames in bytes as they come, in pieces of any size. Holds no more of a
/// message than will be decoded, and counts the rest of its bytes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    head: [u8; MAX_HEAD],
    /// How much of the head has come.
    had: usize,
    /// The frame whose payload is being read.
    frame: Option<Coming>,
    control: Vec<u8>,
    /// What has come of a text message.
    text: Option<Text>,
    /// Frames that have begun, modulo 2^32.
    frames: u32,
}

#[derive(Debug, Clone, Copy)]
struct Coming {
    opcode: u8,
    is_last: bool,
    mask: [u8; 4],
    /// Bytes of the payload that have come, and that it has.
    at: usize,
    length: usize,
}

#[derive(Debug, Default)]
struct Text {
    bytes: Vec<u8>,
    length: usize,
}

impl Decoder {
    /// Takes bytes up to the end of the next message or control frame, and
    /// moves `bytes` on. Nothing when all of them were taken.
    ///
    /// # Errors
    /// The first breach of the rules; nothing more can be read after it.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Inbound>, Violation> {
        loop {
            let mut frame = match self.frame {
                Some(frame) => frame,
                None => match self.take_head(bytes)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let here = bytes.len().min(frame.length - frame.at);
            let (payload, rest) = bytes.split_at(here);
            *bytes = rest;
            self.take_payload(&frame, payload);
            frame.at += here;
            if frame.at < frame.length {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frame = None;
            if let Some(inbound) = self.finish(frame)? {
                return Ok(Some(inbound));
            }
        }
    }

    fn take_head(&mut self, bytes: &mut &[u8]) -> Result<Option<Coming>, Violation> {
        loop {
            let wanted = match self.had {
                0 | 1 => 2,
                _ => head_length(self.head[1]),
            };
            if self.had >= 2 && self.had == wanted {
                self.had = 0;
                return self.begin().map(Some);
            }
            let Some((first, rest)) = bytes.split_first() else {
                return Ok(None);
            };
            self.head[self.had] = *first;
            self.had += 1;
            *bytes = rest;
        }
    }

    /// Frames that have begun, modulo 2^32.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Judges a head that is complete.
    fn begin(&mut self) -> Result<Coming, Violation> {
        self.frames = self.frames.wrapping_add(1);
        let [first, second, ..] = self.head;
        let (opcode, is_last) = (first & 0x0f, first & FIN != 0);
        if first & RESERVED != 0 || second & MASKED == 0 {
            return Err(Violation::Protocol);
        }
        let end = head_length(second);
        let length = match second & !MASKED {
            126 => u64::from(u16::from_be_bytes([self.head[2], self.head[3]])),
            127 => self.head[2..10]
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte)),
            short => u64::from(short),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        match opcode {
            TEXT if self.text.is_none() => self.text = Some(Text::default()),
            CONTINUATION if self.text.is_some() => {}
            CLOSE | PING | PONG if is_last && length <= MAX_CONTROL => {}
            BINARY => return Err(Violation::Binary),
            _ => return Err(Violation::Protocol),
        }
        if matches!(opcode, TEXT | CONTINUATION) {
            let text = self.text.get_or_insert_default();
            text.length = text.length.saturating_add(length);
            if text.length > MAX_TRANSPORT_BYTES {
                return Err(Violation::TooLarge);
            }
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.head[end - 4..end]);
        Ok(Coming {
            opcode,
            is_last,
            mask,
            at: 0,
            length,
        })
    }

    fn take_payload(&mut self, frame: &Coming, payload: &[u8]) {
        let is_control = !matches!(frame.opcode, TEXT | CONTINUATION);
        let (into, most) = match &mut self.text {
            Some(text) if !is_control => (&mut text.bytes, MAX_MESSAGE_BYTES + 1),
            _ => (&mut self.control, MAX_CONTROL),
        };
        let start = into.len();
        into.extend_from_slice(&payload[..payload.len().min(most - start)]);
        let mask = u32::from_ne_bytes(frame.mask);
        // The mask goes on where the piece before it has ended.
        let shift = (frame.at % 4) as u32 * 8;
        let mask = match cfg!(target_endian = "little") {
            true => mask.rotate_right(shift),
            false => mask.rotate_left(shift),
        };
        let (quads, rest) = into[start..].as_chunks_mut::<4>();
        for quad in quads {
            *quad = (u32::from_ne_bytes(*quad) ^ mask).to_ne_bytes();
        }
        for (byte, mask) in rest.iter_mut().zip(mask.to_ne_bytes()) {
            *byte ^= mask;
        }
    }

    fn finish(&mut self, frame: Coming) -> Result<Option<Inbound>, Violation> {
        match frame.opcode {
            TEXT | CONTINUATION if !frame.is_last => Ok(None),
            TEXT | CONTINUATION => {
                let text = self.text.take().unwrap_or_default();
                let Text { bytes, length } = text;
                if length > MAX_MESSAGE_BYTES {
                    let start = bytes;
                    return Ok(Some(Inbound::TooLarge { start, length }));
                }
                let text = String::from_utf8(bytes).map_err(|_| Violation::NotUtf8)?;
                Ok(Some(Inbound::Text(text)))
            }
            PING => Ok(Some(Inbound::Ping(take(&mut self.control)))),
            PONG => {
                self.control.clear();
                Ok(Some(Inbound::Pong))
            }
            _ => check_close(&take(&mut self.control)).map(|()| Some(Inbound::Close)),
        }
    }
}

/// Of a head whose second byte this is.
fn head_length(second: u8) -> usize {
    let mask = if second & MASKED != 0 { 4 } else { 0 };
    mask + match second & !MASKED {
        126 => 4,
        127 => 10,
        _ => 2,
    }
}

/// What a close frame may hold: nothing, or a code that may be sent and a
/// reason (section 7.4).
fn check_close(payload: &[u8]) -> Result<(), Violation> {
    let (code, reason) = match payload {
        [] => return Ok(()),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return Err(Violation::Protocol),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol);
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(()),
        Err(_) => Err(Violation::NotUtf8),
    }
}
