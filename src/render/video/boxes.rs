//! A walk over the top-level boxes of an MP4 (ISO/IEC 14496-12), to find one
//! of them and to see whether the file is whole.
//!
//! Files come from downloads. Sizes in them are claims: nothing is allocated
//! for a claim beyond its limit, and the walk is bounded in steps, since every
//! box moves it forward by at least its header.

use std::io::{self, Read, Seek, SeekFrom};

/// The most top-level boxes we look at. Fragmented files have two per
/// fragment; beyond this the box we look for is taken to be absent.
pub const MAX_BOXES: usize = 4096;

/// What the walk saw.
#[derive(Debug, PartialEq, Eq)]
pub enum Walk {
    /// The first box is no `ftyp`: some other container.
    NotMp4,
    /// An MP4, with the payload of the wanted box if it is there.
    Mp4(Option<Vec<u8>>),
}

/// Why the walk gave up.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A box reaches this many bytes beyond the end of the file.
    #[error("{0} bytes are missing at the end")]
    Truncated(u64),
    /// A box claims less than its own header.
    #[error("a box at byte {0} claims to be smaller than its own header")]
    Damaged(u64),
    /// The wanted box is larger than the caller wants to read.
    #[error("a box of {0} bytes where at most {1} are expected")]
    TooLarge(u64, u64),
}

/// Reads the payload of the first top-level box of type `wanted`, at most
/// `max_payload` bytes. The walk goes on to the end of the file, so that a
/// file cut short is noticed before it plays.
///
/// # Errors
/// See [`WalkError`].
pub fn find_box<R: Read + Seek>(
    file: &mut R,
    wanted: [u8; 4],
    max_payload: u64,
) -> Result<Walk, WalkError> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut found = None;
    let mut start = 0;
    for step in 0..MAX_BOXES {
        let Some(header) = read_header(file, start, length)? else {
            break;
        };
        if step == 0 && header.kind != *b"ftyp" {
            return Ok(Walk::NotMp4);
        }
        // Zero padding after the last box is common and harmless.
        if header.claimed == 0 && header.kind == [0; 4] {
            break;
        }
        let size = match header.claimed {
            0 => length - start,
            claimed => claimed,
        };
        if size < header.length {
            return Err(WalkError::Damaged(start));
        }
        let end = start.checked_add(size).ok_or(WalkError::Damaged(start))?;
        if end > length {
            return Err(WalkError::Truncated(end - length));
        }
        if header.kind == wanted && found.is_none() {
            let payload = size - header.length;
            if payload > max_payload {
                return Err(WalkError::TooLarge(payload, max_payload));
            }
            let mut bytes = vec![0; payload as usize];
            file.seek(SeekFrom::Start(start + header.length))?;
            file.read_exact(&mut bytes)?;
            found = Some(bytes);
        }
        start = end;
    }
    Ok(Walk::Mp4(found))
}

struct Header {
    kind: [u8; 4],
    /// Size of the whole box as written; 0 means "to the end of the file".
    claimed: u64,
    /// Bytes of the header itself: 8, or 16 with a 64-bit size.
    length: u64,
}

/// `None` when fewer bytes than a header are left.
fn read_header<R: Read + Seek>(
    file: &mut R,
    start: u64,
    length: u64,
) -> Result<Option<Header>, WalkError> {
    if length.saturating_sub(start) < 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(start))?;
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let [a, b, c, d, kind @ ..] = head;
    let small = u32::from_be_bytes([a, b, c, d]);
    if small != 1 {
        return Ok(Some(Header {
            kind,
            claimed: u64::from(small),
            length: 8,
        }));
    }
    if length - start < 16 {
        return Err(WalkError::Truncated(16 - (length - start)));
    }
    let mut large = [0; 8];
    file.read_exact(&mut large)?;
    Ok(Some(Header {
        kind,
        // A 64-bit size has no "to the end" form: make 0 damaged, not open.
        claimed: u64::from_be_bytes(large).max(1),
        length: 16,
    }))
}
