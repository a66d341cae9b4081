//! A mapped file as typed regions. All pointers into shared memory are made
//! here, and none leads outside of a checked [`Geometry`].
#![expect(unsafe_code, reason = "shared memory is reached through pointers")]

use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::error::HeaderError;
use super::geometry::Geometry;
use super::handover::{EMPTY, HandOver, Hardware, NOTHING};
use super::layout::{
    CHANNELS, HEADER_SIZE, Header, MARK_COUNT, Mark, NAME_BYTES, SAMPLE_CAPACITY, STATE_LIVE,
};
use super::platform::{Access, Mapping};

/// The header of a file, and no more of it: what onlookers map.
pub(crate) struct HeaderOnly(Mapping);

impl HeaderOnly {
    /// `None` when the file is too short to have one.
    pub(crate) fn map(file: &File) -> io::Result<Option<Self>> {
        if file.metadata()?.len() < u64::from(HEADER_SIZE) {
            return Ok(None);
        }
        Mapping::map(file, HEADER_SIZE as usize, Access::Read).map(|mapping| Some(Self(mapping)))
    }

    /// For loads only: the pages cannot be written.
    pub(crate) fn header(&self) -> &Header {
        header_of(&self.0)
    }
}

/// A whole file whose geometry has been checked.
pub(crate) struct Memory {
    mapping: Mapping,
    geometry: Geometry,
}

impl Memory {
    /// Maps a new file of zeros and writes its header. `file` is not known to
    /// anyone else yet.
    pub(crate) fn make(file: &File, geometry: Geometry) -> io::Result<Self> {
        let Ok(bytes) = usize::try_from(geometry.total_size) else {
            return Err(io::ErrorKind::OutOfMemory.into());
        };
        let mapping = Mapping::map(file, bytes, Access::ReadWrite)?;
        let memory = Self { mapping, geometry };
        let header = memory.header();
        header.published.store(EMPTY, Ordering::Relaxed);
        header.reading.store(NOTHING, Ordering::Relaxed);
        header.state.store(STATE_LIVE, Ordering::Relaxed);
        geometry.describe(header);
        Ok(memory)
    }

    /// Maps a file that anyone may have made.
    pub(crate) fn open(file: &File) -> io::Result<Result<Self, HeaderError>> {
        let bytes = file.metadata()?.len();
        let Ok(mappable) = usize::try_from(bytes) else {
            return Err(io::ErrorKind::OutOfMemory.into());
        };
        if bytes < u64::from(HEADER_SIZE) {
            return Ok(Err(HeaderError::Short {
                bytes,
                needed: u64::from(HEADER_SIZE),
            }));
        }
        let mapping = Mapping::map(file, mappable, Access::ReadWrite)?;
        Ok(Geometry::read(header_of(&mapping), bytes).map(|geometry| Self { mapping, geometry }))
    }

    pub(crate) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    pub(crate) fn header(&self) -> &Header {
        header_of(&self.mapping)
    }

    pub(crate) fn hand_over(&self) -> HandOver<'_, Hardware> {
        let header = self.header();
        HandOver {
            published: &header.published,
            reading: &header.reading,
            stamps: std::array::from_fn(|index| &header.records[index].stamp),
        }
    }

    /// The pixels of a slot, for as long as it is claimed; see the crate's
    /// words on how far the memory can be trusted.
    ///
    /// # Panics
    /// When there is no such slot.
    pub(crate) fn pixels(&self, slot: usize) -> &[u8] {
        let offset = self.geometry.slot_offsets[slot] as usize;
        // SAFETY: the geometry was checked to lie inside of the mapping, which
        // lives as long as `self`. The bytes are initialised: they are a file's.
        // The hand-over keeps the writer away while the slot is claimed.
        unsafe {
            std::slice::from_raw_parts(
                self.mapping.first_byte().add(offset).as_ptr(),
                self.geometry.slot_bytes(),
            )
        }
    }

    /// The pixels of a slot to write to, for the one who got it by
    /// `HandOver::free_slot`.
    ///
    /// # Panics
    /// When there is no such slot.
    pub(crate) fn pixels_mut(&self, slot: usize) -> NonNull<[u8]> {
        let offset = self.geometry.slot_offsets[slot] as usize;
        // SAFETY: inside of the mapping, as above.
        let first = unsafe { self.mapping.first_byte().add(offset) };
        NonNull::slice_from_raw_parts(first, self.geometry.slot_bytes())
    }

    pub(crate) fn marks(&self) -> &[Mark] {
        // SAFETY: the region was checked to be inside and page-aligned; marks
        // are atomics, for which any bytes are valid and sharing is sound.
        unsafe {
            let first = self
                .mapping
                .first_byte()
                .add(self.geometry.marks_offset as usize);
            std::slice::from_raw_parts(first.cast::<Mark>().as_ptr(), MARK_COUNT as usize)
        }
    }

    /// Bits of `f32`, interleaved.
    pub(crate) fn samples(&self) -> &[AtomicU32] {
        // SAFETY: as for the marks.
        unsafe {
            let first = self
                .mapping
                .first_byte()
                .add(self.geometry.samples_offset as usize);
            std::slice::from_raw_parts(
                first.cast::<AtomicU32>().as_ptr(),
                (SAMPLE_CAPACITY * CHANNELS) as usize,
            )
        }
    }
}

fn header_of(mapping: &Mapping) -> &Header {
    // SAFETY: every mapping has at least a header's size and begins on a page;
    // a header is made of atomics, for which any bytes are valid and sharing
    // with other processes is sound.
    unsafe { mapping.first_byte().cast::<Header>().as_ref() }
}

/// Writes as much of `text` as fits, ended by zeros. Cut between characters.
pub(crate) fn write_text(field: &[AtomicU8; NAME_BYTES], text: &str) {
    let fits = text.floor_char_boundary(NAME_BYTES - 1);
    let bytes = text.as_bytes()[..fits]
        .iter()
        .copied()
        .chain(std::iter::repeat(0));
    for (cell, byte) in field.iter().zip(bytes) {
        cell.store(byte, Ordering::Relaxed);
    }
}

/// Reads text that anyone may have written: control characters and what is no
/// UTF-8 are replaced.
pub(crate) fn read_text(field: &[AtomicU8; NAME_BYTES]) -> String {
    let bytes: Vec<u8> = field
        .iter()
        .map(|cell| cell.load(Ordering::Relaxed))
        .take_while(|&byte| byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes)
        .chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}
