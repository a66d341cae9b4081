//! NUT, as far as one stream of raw RGBA needs it.
//!
//! A container is needed at all because bare pixels say neither their size nor
//! their times. Written after the format's description, version 3
//! (<https://ffmpeg.org/~michael/nut.txt>): every number is a varint of seven
//! bits a byte, every packet ends with its CRC.

/// Ticks of the stream's clock in a second.
pub(super) const TICKS: u64 = 1_000_000;

const FILE_ID: &[u8] = b"nut/multimedia container\0";
const MAIN: u64 = 0x4E4D_7A56_1F5F_04AD;
const STREAM: u64 = 0x4E53_1140_5BF2_F9DB;
const SYNCPOINT: u64 = 0x4E4B_E4AD_EECA_4569;

const VERSION: u64 = 3;
/// Bytes from one syncpoint to the next; ours stand before every frame.
const MAX_DISTANCE: u64 = 65_536;
/// The code that every frame has: what it says stands in the main header.
const FRAME: u8 = 0;
/// Key frame, with a time, a size and a checksum of its own.
const FRAME_FLAGS: u64 = 1 | 8 | 32 | 64;
const INVALID_FLAGS: u64 = 8_192;
/// Times are written whole from this many bits on, and ours always are.
const TIME_BITS: u32 = 1;

/// What a stream of frames of `width` by `height` begins with.
pub(super) fn opening(width: u32, height: u32) -> Vec<u8> {
    let mut out = FILE_ID.to_vec();
    packet(&mut out, MAIN, |body| {
        for value in [VERSION, 1, MAX_DISTANCE, 1, 1, TICKS] {
            varint(body, value);
        }
        // What each code of a frame means: flags, how many fields follow, time
        // delta, size multiplier, stream, size, reserved, how many codes.
        let codes = [(FRAME_FLAGS, 1), (INVALID_FLAGS, 254)];
        for (flags, count) in codes {
            for value in [flags, 6, 0, 1, 0, 0, 0, count] {
                varint(body, value);
            }
        }
        // No headers are left out of frames.
        varint(body, 0);
    });
    packet(&mut out, STREAM, |body| {
        // The stream's number, and that it is video.
        for value in [0, 0] {
            varint(body, value);
        }
        varint(body, 4);
        body.extend_from_slice(b"RGBA");
        // Time base, bits of short times, farthest a time may be from the last,
        // delay, flags, bytes of codec data.
        for value in [0, u64::from(TIME_BITS), TICKS, 0, 0, 0] {
            varint(body, value);
        }
        // Square pixels, no colour space.
        for value in [u64::from(width), u64::from(height), 1, 1, 0] {
            varint(body, value);
        }
    });
    out
}

/// What stands before the pixels of a frame of `bytes` bytes that is shown at
/// `at`, in ticks.
pub(super) fn frame_header(at: u64, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    packet(&mut out, SYNCPOINT, |body| {
        // The time, and how far back the last key frame is: it comes now.
        varint(body, at);
        varint(body, 0);
    });
    let begin = out.len();
    out.push(FRAME);
    varint(&mut out, at + (1 << TIME_BITS));
    varint(&mut out, bytes as u64);
    let check = crc(&out[begin..]);
    out.extend_from_slice(&check.to_be_bytes());
    out
}

fn packet(out: &mut Vec<u8>, startcode: u64, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    let check = crc(&body);
    body.extend_from_slice(&check.to_be_bytes());
    out.extend_from_slice(&startcode.to_be_bytes());
    varint(out, body.len() as u64);
    out.extend_from_slice(&body);
}

/// The most significant seven bits first; all bytes but the last have the top
/// bit set.
fn varint(out: &mut Vec<u8>, value: u64) {
    let groups = (64 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = u8::from(group > 0) << 7;
        out.push((value >> (7 * group)) as u8 & 0x7f | more);
    }
}

/// CRC-32 with the polynomial 0x04C11DB7, most significant bit first, from 0. Of
/// some dozen bytes a frame: a table would not pay.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        let written = |value| {
            let mut out = Vec::new();
            varint(&mut out, value);
            out
        };
        assert_eq!(written(0), [0]);
        assert_eq!(written(127), [127]);
        assert_eq!(written(128), [0x81, 0]);
        assert_eq!(written(u64::MAX).len(), 10);
    }

    #[test]
    fn the_checksum_of_a_message_with_its_checksum_is_nothing() {
        let mut bytes = b"123456789".to_vec();
        // The check value of this CRC without its usual first and last xor.
        assert_eq!(crc(&bytes), 0x89A1_897F);
        let check = crc(&bytes);
        bytes.extend_from_slice(&check.to_be_bytes());
        assert_eq!(crc(&bytes), 0);
    }
}
