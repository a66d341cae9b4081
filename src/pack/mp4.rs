//! A box of our own in an MP4 (ISO/IEC 14496-12), and the offsets that move
//! with it.
//!
//! `vapc` goes right behind `ftyp`, where all VAP files have it: players that
//! fetch a file piece by piece look for it in the first bytes, and at the end,
//! where nothing would have to move, they would not find it. What follows moves
//! by the size of the box, and the tables of chunk offsets (`stco`, `co64`),
//! which count from the beginning of the file, are moved with it.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// The largest `moov` we read into memory. Ten minutes take under one megabyte.
pub const MAX_MOOV: u64 = 64 << 20;

/// The most top-level boxes a file may have; what we insert into has five.
pub const MAX_BOXES: usize = 4096;

/// The boxes on the way from `moov` to the tables of offsets.
const CONTAINERS: [[u8; 4]; 5] = [*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl"];

/// Why a box cannot be inserted.
#[derive(Debug, thiserror::Error)]
pub enum Mp4Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it does not begin as an MP4 does")]
    NotMp4,
    #[error("its box at byte {0} is damaged")]
    Damaged(u64),
    #[error("it has no moov, or one beyond {MAX_MOOV} bytes")]
    NoMoov,
    #[error("it is fragmented")]
    Fragmented,
    #[error("it has chunks beyond 4 GB in a table of 32 bits")]
    OffsetTooLarge,
}

/// One box: its type, where it begins, how long it is, how much of that is
/// header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    kind: [u8; 4],
    start: u64,
    size: u64,
    header: u64,
}

/// Copies an MP4 from `file` to `out` with a further box right behind `ftyp`,
/// such that everything in it is still found.
///
/// # Errors
/// See [`Mp4Error`]. What was written by then is of no use.
pub fn insert_after_ftyp<R: Read + Seek, W: Write>(
    file: &mut R,
    out: &mut W,
    kind: [u8; 4],
    payload: &[u8],
) -> Result<(), Mp4Error> {
    let boxes = top_level(file)?;
    let first = boxes.first().filter(|first| first.kind == *b"ftyp");
    let end_of_ftyp = first.ok_or(Mp4Error::NotMp4)?.size;
    if boxes.iter().any(|place| place.kind == *b"moof") {
        return Err(Mp4Error::Fragmented);
    }
    let moov = boxes.iter().find(|place| place.kind == *b"moov");
    if moov.is_none_or(|moov| moov.size > MAX_MOOV) {
        return Err(Mp4Error::NoMoov);
    }
    let added = new_box(kind, payload)?;
    for place in &boxes {
        file.seek(SeekFrom::Start(place.start))?;
        let mut content = file.take(place.size);
        if place.kind == *b"moov" {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            shift_chunk_offsets(&mut bytes, end_of_ftyp, added.len() as u64)?;
            out.write_all(&bytes)?;
        } else {
            io::copy(&mut content, out)?;
        }
        if place.start == 0 {
            out.write_all(&added)?;
        }
    }
    Ok(())
}

fn new_box(kind: [u8; 4], payload: &[u8]) -> Result<Vec<u8>, Mp4Error> {
    let size = u32::try_from(payload.len() + 8).map_err(|_| Mp4Error::OffsetTooLarge)?;
    Ok([&size.to_be_bytes(), &kind[..], payload].concat())
}

/// Adds `by` to every chunk offset of at least `from`, in a run of boxes.
///
/// # Errors
/// When a box or table reaches beyond its parent, or an offset beyond its type.
pub fn shift_chunk_offsets(boxes: &mut [u8], from: u64, by: u64) -> Result<(), Mp4Error> {
    let mut start = 0;
    while start < boxes.len() {
        let rest = &mut boxes[start..];
        let length = rest.len() as u64;
        let place = place_of(rest, start as u64, length)?;
        let payload = &mut rest[place.header as usize..place.size as usize];
        if CONTAINERS.contains(&place.kind) {
            shift_chunk_offsets(payload, from, by)?;
        } else if place.kind == *b"stco" {
            for entry in entries::<4>(payload, place.start)? {
                let offset = u32::from_be_bytes(*entry);
                if u64::from(offset) >= from {
                    let moved = u64::from(offset) + by;
                    let moved = u32::try_from(moved).map_err(|_| Mp4Error::OffsetTooLarge)?;
                    *entry = moved.to_be_bytes();
                }
            }
        } else if place.kind == *b"co64" {
            for entry in entries::<8>(payload, place.start)? {
                let offset = u64::from_be_bytes(*entry);
                if offset >= from {
                    let moved = offset.checked_add(by).ok_or(Mp4Error::OffsetTooLarge)?;
                    *entry = moved.to_be_bytes();
                }
            }
        }
        start += place.size as usize;
    }
    Ok(())
}

/// The entries of a table: version and flags, their count, then they.
fn entries<const SIZE: usize>(table: &mut [u8], start: u64) -> Result<&mut [[u8; SIZE]], Mp4Error> {
    let damaged = Mp4Error::Damaged(start);
    let Some((&mut [_, _, _, _, a, b, c, d], rest)) = table.split_first_chunk_mut::<8>() else {
        return Err(damaged);
    };
    let count = u32::from_be_bytes([a, b, c, d]) as usize;
    let (entries, _) = rest.as_chunks_mut::<SIZE>();
    entries.get_mut(..count).ok_or(damaged)
}

fn top_level<R: Read + Seek>(file: &mut R) -> Result<Vec<Place>, Mp4Error> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut boxes = Vec::new();
    let mut start = 0;
    while start < length {
        if boxes.len() == MAX_BOXES {
            return Err(Mp4Error::Damaged(start));
        }
        file.seek(SeekFrom::Start(start))?;
        let mut head = Vec::with_capacity(16);
        file.take(16).read_to_end(&mut head)?;
        let place = place_of(&head, start, length - start)?;
        boxes.push(place);
        start += place.size;
    }
    Ok(boxes)
}

/// The box whose header `head` begins with, `available` bytes at most.
fn place_of(head: &[u8], start: u64, available: u64) -> Result<Place, Mp4Error> {
    let damaged = Mp4Error::Damaged(start);
    let Some((&[a, b, c, d, ref kind @ ..], rest)) = head.split_first_chunk::<8>() else {
        return Err(damaged);
    };
    let (size, header) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (available, 8),
        1 => match rest.first_chunk::<8>() {
            Some(&large) => (u64::from_be_bytes(large), 16),
            None => return Err(damaged),
        },
        small => (u64::from(small), 8),
    };
    if size < header || size > available {
        return Err(damaged);
    }
    Ok(Place {
        kind: *kind,
        start,
        size,
        header,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        new_box(*kind, payload).unwrap()
    }

    fn table(kind: &[u8; 4], entries: &[&[u8]]) -> Vec<u8> {
        let count = (entries.len() as u32).to_be_bytes();
        boxed(kind, &[&[0; 4], &count[..], &entries.concat()].concat())
    }

    fn nested(innermost: &[u8]) -> Vec<u8> {
        CONTAINERS
            .iter()
            .rev()
            .fold(innermost.to_vec(), |inner, kind| boxed(kind, &inner))
    }

    /// `ftyp`, then `moov` and `mdat` in either order; the payload of `mdat`
    /// is at `chunk` in the file, and `moov` says so in both kinds of tables.
    fn file(moov_first: bool) -> Vec<u8> {
        let ftyp = boxed(b"ftyp", b"isom\0\0\0\0");
        let mdat = boxed(b"mdat", b"the frames");
        let moov = |chunk: u64| {
            let small = (chunk as u32).to_be_bytes();
            let large = chunk.to_be_bytes();
            // An offset in front of the new box stays.
            let stco = table(b"stco", &[&small, &3_u32.to_be_bytes()]);
            nested(&[stco, table(b"co64", &[&large])].concat())
        };
        let length = moov(0).len();
        if moov_first {
            let chunk = ftyp.len() + length + 8;
            [ftyp, moov(chunk as u64), mdat].concat()
        } else {
            let chunk = ftyp.len() + 8;
            [ftyp, mdat, moov(chunk as u64)].concat()
        }
    }

    fn offsets(file: &[u8]) -> Vec<u64> {
        let find = |kind: &[u8]| file.windows(4).position(|at| at == kind).unwrap() + 12;
        let (small, large) = (find(b"stco"), find(b"co64"));
        let read = |at: usize| u64::from(u32::from_be_bytes(*file[at..].first_chunk().unwrap()));
        vec![
            read(small),
            read(small + 4),
            u64::from_be_bytes(*file[large..].first_chunk().unwrap()),
        ]
    }

    fn inserted(file: &[u8]) -> Result<Vec<u8>, Mp4Error> {
        let mut out = Vec::new();
        insert_after_ftyp(&mut Cursor::new(file), &mut out, *b"vapc", b"{\"info\":{}}")?;
        Ok(out)
    }

    #[test]
    fn chunks_are_found_again_wherever_moov_is() {
        for moov_first in [true, false] {
            let before = file(moov_first);
            let after = inserted(&before).unwrap();
            assert_eq!(after.len(), before.len() + 19);
            assert_eq!(&after[16..35], b"\0\0\0\x13vapc{\"info\":{}}");
            let [chunk, early, large] = offsets(&after)[..] else {
                panic!("three offsets");
            };
            assert_eq!(&after[chunk as usize..][..10], b"the frames");
            assert_eq!(large, chunk);
            assert_eq!(early, 3);
        }
    }

    #[test]
    fn a_last_box_that_reaches_to_the_end_is_kept() {
        let mut before = file(true);
        let mdat = before.len() - 18;
        before[mdat..mdat + 4].fill(0);
        let after = inserted(&before).unwrap();
        assert!(after.ends_with(b"\0\0\0\0mdatthe frames"));
    }

    #[test]
    fn what_is_no_plain_mp4_is_refused() {
        assert!(matches!(inserted(b""), Err(Mp4Error::NotMp4)));
        assert!(matches!(inserted(b"RIFF"), Err(Mp4Error::Damaged(0))));
        let webm = boxed(b"webm", b"");
        assert!(matches!(inserted(&webm), Err(Mp4Error::NotMp4)));
        let lone = boxed(b"ftyp", b"");
        assert!(matches!(inserted(&lone), Err(Mp4Error::NoMoov)));
        let fragmented = [file(true), boxed(b"moof", b"")].concat();
        assert!(matches!(inserted(&fragmented), Err(Mp4Error::Fragmented)));
    }

    #[test]
    fn any_cut_and_any_false_size_is_an_error_or_a_file_and_no_panic() {
        let whole = file(true);
        let without_frames = whole.len() - 18;
        for cut in 1..whole.len() {
            assert_eq!(inserted(&whole[..cut]).is_ok(), cut == without_frames);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = inserted(&damaged);
            }
        }
    }

    #[test]
    fn an_offset_that_outgrows_its_table_is_refused() {
        let mut moov = nested(&table(b"stco", &[&(u32::MAX - 5).to_be_bytes()]));
        let moved = shift_chunk_offsets(&mut moov, 0, 19);
        assert!(matches!(moved, Err(Mp4Error::OffsetTooLarge)));
    }
}
