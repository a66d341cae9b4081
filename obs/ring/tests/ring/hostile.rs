//! Headers that anyone may have written. Nothing in them may lead outside of
//! the file or stop the program.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use hyperfocus_ring::{HeaderError, Instance, Newest, Reader, RingError, Vitals, Writer, now_ns};

use super::{Private, publish};

/// Offsets of all words of the maker's block; see LAYOUT.md.
const WORDS_32: [u64; 13] = [8, 12, 24, 28, 32, 36, 40, 44, 88, 92, 104, 108, 20];
const WORDS_64: [u64; 8] = [0, 16, 48, 56, 64, 72, 80, 96];

/// A ring that was alive once, as bytes to spoil.
struct Victim {
    private: Private,
    writer: Writer,
    path: PathBuf,
    good: Vec<u8>,
}

impl Victim {
    fn new() -> Self {
        let private = Private::new();
        let mut writer = private.writer("main", 16, 8);
        let mut sound = writer.take_sound().unwrap();
        publish(&mut writer, 1);
        sound.write(&[0.5; 64], 1);
        let path = private.folder.path().join("main.ring");
        let good = fs::read(&path).unwrap();
        Self {
            private,
            writer,
            path,
            good,
        }
    }

    fn spoil(&self, offset: u64, bytes: &[u8]) {
        let file = OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all_at(bytes, offset).unwrap();
    }

    fn mend(&self) {
        self.spoil(0, &self.good[..4096]);
    }

    /// Opens it and uses whatever is offered, as the plugin would.
    fn try_it(&self) -> Result<(), HeaderError> {
        let now = now_ns();
        let looked = Instance::find(&self.private.folder, "main", now).map(drop);
        // Later, so that a spoiled seat is taken for left.
        let opened = Reader::open(&self.private.folder, "main", now + (1 << 50));
        match opened {
            Ok(mut reader) => {
                looked.expect("what can be read can be looked at");
                use_up(&mut reader);
                Ok(())
            }
            Err(RingError::Header { why, .. }) => {
                assert!(
                    matches!(looked, Err(RingError::Header { why: other, .. }) if other == why)
                );
                Err(why)
            }
            Err(RingError::Taken { .. }) => Ok(()),
            Err(other) => panic!("{other}"),
        }
    }
}

fn use_up(reader: &mut Reader) {
    let _ = reader.life(now_ns());
    let _ = reader.engine();
    let mut sum = 0_u64;
    for seen in [None, Some(0), Some(1)] {
        if let Newest::Frame(frame) = reader.newest(seen) {
            sum += frame
                .pixels()
                .iter()
                .map(|&byte| u64::from(byte))
                .sum::<u64>();
        }
    }
    let mut sound = reader.take_sound().unwrap();
    let mut samples = Vec::new();
    for _ in 0..600 {
        let Some(chunk) = sound.read(&mut samples) else {
            break;
        };
        assert_eq!(samples.len(), chunk.frames * 2);
        sum += samples.len() as u64;
    }
    std::hint::black_box(sum);
}

/// xorshift64: the same bytes in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn each_wrong_field_is_named() {
    let victim = Victim::new();
    let refused = |offset: u64, bytes: &[u8]| {
        victim.spoil(offset, bytes);
        let error = victim.try_it().unwrap_err();
        victim.mend();
        error
    };
    let word = |value: u32| value.to_ne_bytes();
    let long = |value: u64| value.to_ne_bytes();
    assert_eq!(refused(0, b"hyprsing"), HeaderError::Magic);
    assert_eq!(refused(8, &word(2)), HeaderError::Version { found: 2 });
    assert_eq!(
        refused(12, &word(64)),
        HeaderError::HeaderSize { found: 64 }
    );
    let bytes = victim.good.len() as u64;
    assert_eq!(
        refused(16, &long(bytes + 1)),
        HeaderError::Short {
            bytes,
            needed: bytes + 1
        }
    );
    for side in [0, 16_385, u32::MAX, 1 << 30] {
        assert!(matches!(refused(24, &word(side)), HeaderError::Size { .. }));
        assert!(matches!(refused(28, &word(side)), HeaderError::Size { .. }));
    }
    for stride in [0, 60, 63, 65, 1 << 20, u32::MAX] {
        assert!(matches!(
            refused(32, &word(stride)),
            HeaderError::Stride { width: 16, .. }
        ));
    }
    assert_eq!(refused(36, &word(2)), HeaderError::Form { found: 2 });
    assert_eq!(refused(40, &word(4)), HeaderError::SlotCount { found: 4 });
    for (offset, value) in [(88, 255), (92, 0), (104, 1 << 30), (108, 44_100)] {
        assert!(matches!(
            refused(offset, &word(value)),
            HeaderError::Sound { .. }
        ));
    }
    for field in [56, 64, 72, 80, 96] {
        // Inside of the header, misaligned, at the end, overflowing, and on
        // top of another region.
        for offset in [0, 4096 + 8, bytes, u64::MAX, u64::MAX - 4095, 12_288 + 4096] {
            let error = refused(field, &long(offset));
            assert!(
                matches!(error, HeaderError::Region { .. }),
                "{field} {offset}: {error}"
            );
        }
    }
    // A frame larger than the file.
    assert!(matches!(
        refused(28, &word(16_384)),
        HeaderError::Region { .. }
    ));
    assert_eq!(victim.try_it(), Ok(()));
}

#[test]
fn a_file_that_is_too_short_is_named() {
    let private = Private::new();
    for bytes in [0_usize, 1, 4095] {
        fs::write(private.folder.path().join("main.ring"), vec![0; bytes]).unwrap();
        let error = Reader::open(&private.folder, "main", now_ns()).unwrap_err();
        assert!(
            matches!(
                error,
                RingError::Header { why: HeaderError::Short { bytes: found, .. }, .. }
                    if found == bytes as u64
            ),
            "{error}"
        );
    }
}

#[test]
fn no_value_of_any_field_leads_outside() {
    let victim = Victim::new();
    let mut values = vec![0, 1, 2, 3, 4, 7, 4095, 4096, 4097, 16_384, 16_385];
    for bits in 16..64 {
        values.extend([(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1]);
    }
    values.push(u64::MAX);
    for &value in &values {
        for offset in WORDS_32 {
            victim.spoil(offset, &(value as u32).to_ne_bytes());
            let _ = victim.try_it();
            victim.mend();
        }
        // The writer's and the reader's blocks too, word by word.
        for offset in WORDS_64.into_iter().chain((256..576).step_by(8)) {
            victim.spoil(offset, &value.to_ne_bytes());
            let _ = victim.try_it();
            victim.mend();
        }
    }
}

#[test]
fn random_bytes_lead_nowhere() {
    let victim = Victim::new();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for round in 0..4_000 {
        let bytes: Vec<u8> = (0..512).flat_map(|_| noise.next().to_ne_bytes()).collect();
        // Everything; all but magic and version; all but the maker's block;
        // marks and samples.
        let from = [0, 12, 256, 4096][round % 4];
        victim.spoil(from, &bytes[from as usize % 4096..]);
        let _ = victim.try_it();
        victim.mend();
    }
}

#[test]
fn a_mad_reader_does_not_confuse_the_writer() {
    let mut victim = Victim::new();
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    for number in 0..4_000 {
        let bytes: Vec<u8> = (0..8).flat_map(|_| noise.next().to_ne_bytes()).collect();
        victim.spoil(512, &bytes);
        publish(&mut victim.writer, number);
        victim.writer.beat(now_ns(), &Vitals::default());
        let wish = victim.writer.wish(now_ns());
        if let Some((numerator, denominator)) = wish.fps {
            assert!((1..=1000).contains(&(numerator / denominator)));
        }
    }
    // And once the seat is sane again, all is well.
    victim.spoil(512, &victim.good[512..576]);
    publish(&mut victim.writer, 77);
    assert_eq!(
        super::newest_number(&mut victim.private.reader("main")),
        Some(77)
    );
}
