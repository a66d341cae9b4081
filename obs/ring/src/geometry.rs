//! Where everything lies in a file, planned by the maker and checked by the
//! reader.

use std::sync::atomic::Ordering::Relaxed;

use super::error::{HeaderError, RingError};
use super::layout::{
    CHANNELS, FORM_RGBA8_LINEAR_PREMULTIPLIED, HEADER_SIZE, Header, MAGIC, MARK_COUNT, MAX_SIDE,
    Mark, PAGE, SAMPLE_CAPACITY, SAMPLE_RATE, SLOT_COUNT, SLOTS, VERSION,
};

/// A frame of sound: a float for each ear.
const SAMPLE_FRAME_BYTES: u64 = CHANNELS as u64 * 4;

/// A checked copy of what a header says about its file. Whoever holds one can
/// take each region in it to be inside of the file, aligned and apart from the
/// others, whatever the header says by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bytes from one row to the next.
    pub(crate) stride: u32,
    pub(crate) total_size: u64,
    pub(crate) slot_offsets: [u64; SLOTS],
    pub(crate) marks_offset: u64,
    pub(crate) samples_offset: u64,
}

impl Geometry {
    /// The layout of a new file: header, marks, sound, slots, each on a page of
    /// its own.
    pub(crate) fn plan(width: u32, height: u32) -> Result<Self, RingError> {
        if !is_possible(width, height) {
            return Err(RingError::Size { width, height });
        }
        let stride = width * 4;
        let marks_offset = u64::from(HEADER_SIZE);
        let samples_offset = page_after(marks_offset + marks_bytes());
        let first_slot = page_after(samples_offset + samples_bytes());
        let slot_step = page_after(u64::from(stride) * u64::from(height));
        let slot_offsets = std::array::from_fn(|index| first_slot + index as u64 * slot_step);
        Ok(Self {
            width,
            height,
            stride,
            total_size: first_slot + SLOTS as u64 * slot_step,
            slot_offsets,
            marks_offset,
            samples_offset,
        })
    }

    /// Writes the plan into the header of a new file.
    pub(crate) fn describe(&self, header: &Header) {
        header.version.store(VERSION, Relaxed);
        header.header_size.store(HEADER_SIZE, Relaxed);
        header.total_size.store(self.total_size, Relaxed);
        header.width.store(self.width, Relaxed);
        header.height.store(self.height, Relaxed);
        header.stride.store(self.stride, Relaxed);
        header.form.store(FORM_RGBA8_LINEAR_PREMULTIPLIED, Relaxed);
        header.slot_count.store(SLOT_COUNT, Relaxed);
        for (field, offset) in header.slot_offsets.iter().zip(self.slot_offsets) {
            field.store(offset, Relaxed);
        }
        header.marks_offset.store(self.marks_offset, Relaxed);
        header.mark_count.store(MARK_COUNT, Relaxed);
        header.channels.store(CHANNELS, Relaxed);
        header.samples_offset.store(self.samples_offset, Relaxed);
        header.sample_capacity.store(SAMPLE_CAPACITY, Relaxed);
        header.sample_rate.store(SAMPLE_RATE, Relaxed);
        header.magic.store(MAGIC, Relaxed);
    }

    /// Reads each field once and checks it against a mapping of `mapped` bytes.
    pub(crate) fn read(header: &Header, mapped: u64) -> Result<Self, HeaderError> {
        if header.magic.load(Relaxed) != MAGIC {
            return Err(HeaderError::Magic);
        }
        let version = header.version.load(Relaxed);
        if version != VERSION {
            return Err(HeaderError::Version { found: version });
        }
        let header_size = header.header_size.load(Relaxed);
        if header_size != HEADER_SIZE {
            return Err(HeaderError::HeaderSize { found: header_size });
        }
        let (width, height) = (header.width.load(Relaxed), header.height.load(Relaxed));
        if !is_possible(width, height) {
            return Err(HeaderError::Size { width, height });
        }
        // Up to a page of padding in a row; more would only serve to confuse.
        let stride = header.stride.load(Relaxed);
        if stride < width * 4 || stride > width * 4 + HEADER_SIZE || !stride.is_multiple_of(4) {
            return Err(HeaderError::Stride {
                found: stride,
                width,
            });
        }
        let form = header.form.load(Relaxed);
        if form != FORM_RGBA8_LINEAR_PREMULTIPLIED {
            return Err(HeaderError::Form { found: form });
        }
        let slot_count = header.slot_count.load(Relaxed);
        if slot_count != SLOT_COUNT {
            return Err(HeaderError::SlotCount { found: slot_count });
        }
        let sound = (
            header.sample_capacity.load(Relaxed),
            header.sample_rate.load(Relaxed),
            header.channels.load(Relaxed),
            header.mark_count.load(Relaxed),
        );
        if sound != (SAMPLE_CAPACITY, SAMPLE_RATE, CHANNELS, MARK_COUNT) {
            return Err(HeaderError::Sound {
                capacity: sound.0,
                rate: sound.1,
                channels: sound.2,
                marks: sound.3,
            });
        }
        let geometry = Self {
            width,
            height,
            stride,
            total_size: header.total_size.load(Relaxed),
            slot_offsets: std::array::from_fn(|index| header.slot_offsets[index].load(Relaxed)),
            marks_offset: header.marks_offset.load(Relaxed),
            samples_offset: header.samples_offset.load(Relaxed),
        };
        geometry.check_regions(mapped)?;
        Ok(geometry)
    }

    fn check_regions(&self, mapped: u64) -> Result<(), HeaderError> {
        if self.total_size > mapped {
            return Err(HeaderError::Short {
                bytes: mapped,
                needed: self.total_size,
            });
        }
        let mut regions = [
            ("marks", self.marks_offset, marks_bytes()),
            ("sound", self.samples_offset, samples_bytes()),
            ("slot 0", self.slot_offsets[0], self.slot_bytes() as u64),
            ("slot 1", self.slot_offsets[1], self.slot_bytes() as u64),
            ("slot 2", self.slot_offsets[2], self.slot_bytes() as u64),
        ];
        regions.sort_by_key(|&(_, offset, _)| offset);
        let mut free_from = u64::from(HEADER_SIZE);
        for (name, offset, bytes) in regions {
            let end = offset.checked_add(bytes);
            match end {
                Some(end)
                    if offset >= free_from
                        && offset.is_multiple_of(PAGE)
                        && end <= self.total_size =>
                {
                    free_from = end;
                }
                _ => {
                    return Err(HeaderError::Region {
                        name,
                        offset,
                        bytes,
                    });
                }
            }
        }
        Ok(())
    }

    /// Bytes of one frame. Fits `usize` on any system that can map it: sides
    /// are limited, so it is under 2^31.
    pub(crate) fn slot_bytes(&self) -> usize {
        self.stride as usize * self.height as usize
    }
}

fn is_possible(width: u32, height: u32) -> bool {
    (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height)
}

fn marks_bytes() -> u64 {
    u64::from(MARK_COUNT) * size_of::<Mark>() as u64
}

fn samples_bytes() -> u64 {
    u64::from(SAMPLE_CAPACITY) * SAMPLE_FRAME_BYTES
}

fn page_after(offset: u64) -> u64 {
    offset.next_multiple_of(PAGE)
}
