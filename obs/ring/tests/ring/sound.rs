//! Sound: in order, in time, around the end of the ring, and late.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hyperfocus_ring::{SAMPLE_CAPACITY, SoundReader, SoundWriter};

use super::Private;

/// Frames `from..from + count`, each its number on the left and its negative on
/// the right. Floats count exactly to 2^24.
fn frames(from: u64, count: u64) -> Vec<f32> {
    (from..from + count)
        .flat_map(|frame| [frame as f32, -(frame as f32)])
        .collect()
}

fn time_of(frame: u64) -> u64 {
    1_000_000_000 + frame * 1_000_000_000 / 48_000
}

fn pair(private: &Private) -> (SoundWriter, SoundReader, impl Sized + use<>) {
    let mut writer = private.writer("main", 2, 2);
    let mut reader = private.reader("main");
    (
        writer.take_sound().unwrap(),
        reader.take_sound().unwrap(),
        (writer, reader),
    )
}

#[test]
fn chunks_come_in_order_with_their_times_around_the_ring() {
    let private = Private::new();
    let (mut writer, mut reader, _ends) = pair(&private);
    let mut samples = Vec::new();
    let mut at = 0;
    // Sizes that do not divide the ring, several times around it.
    while at < 4 * u64::from(SAMPLE_CAPACITY) {
        let count = 1 + at % 1009;
        writer.write(&frames(at, count), time_of(at));
        let chunk = reader.read(&mut samples).unwrap();
        assert_eq!(chunk.frames as u64, count);
        assert_eq!((chunk.at_ns, chunk.lost_chunks), (time_of(at), 0));
        assert_eq!(samples, frames(at, count));
        assert_eq!(reader.read(&mut samples), None);
        at += count;
    }
}

#[test]
fn a_long_write_is_cut_and_each_part_has_its_time() {
    let private = Private::new();
    let (mut writer, mut reader, _ends) = pair(&private);
    let count = u64::from(SAMPLE_CAPACITY) / 2 + 100;
    writer.write(&frames(0, count), time_of(0));
    let (mut samples, mut all) = (Vec::new(), Vec::new());
    while let Some(chunk) = reader.read(&mut samples) {
        let expected = time_of(all.len() as u64 / 2);
        assert!(chunk.at_ns.abs_diff(expected) <= 1, "{chunk:?}");
        all.append(&mut samples);
    }
    assert_eq!(all, frames(0, count));
}

#[test]
fn a_reader_that_is_too_late_skips_forward_and_counts() {
    let private = Private::new();
    let (mut writer, mut reader, _ends) = pair(&private);
    // By samples: forty chunks of which sixteen fit.
    for chunk in 0..40 {
        writer.write(&frames(chunk * 2048, 2048), time_of(chunk * 2048));
    }
    let mut samples = Vec::new();
    let chunk = reader.read(&mut samples).unwrap();
    assert_eq!(chunk.lost_chunks, 24);
    assert_eq!(samples, frames(24 * 2048, 2048));
    assert_eq!(chunk.at_ns, time_of(24 * 2048));
    while reader.read(&mut samples).is_some() {}

    // By marks: many short chunks.
    for chunk in 0..1000 {
        writer.write(&frames(chunk, 1), time_of(chunk));
    }
    let chunk = reader.read(&mut samples).unwrap();
    assert_eq!(chunk.lost_chunks, 1000 - 128);
    assert_eq!(samples, frames(1000 - 128, 1));
}

#[test]
fn a_reader_that_comes_late_hears_only_what_comes() {
    let private = Private::new();
    let mut writer = private.writer("main", 2, 2);
    let mut sound = writer.take_sound().unwrap();
    assert!(
        writer.take_sound().is_none(),
        "there is one writer of sound"
    );
    sound.write(&frames(0, 100), 0);
    let mut reader = private.reader("main");
    let mut heard = reader.take_sound().unwrap();
    assert!(
        reader.take_sound().is_none(),
        "there is one reader of sound"
    );
    let mut samples = Vec::new();
    assert_eq!(heard.read(&mut samples), None);
    sound.write(&frames(100, 5), 7);
    assert_eq!(heard.read(&mut samples).unwrap().at_ns, 7);
}

#[test]
fn what_is_no_number_comes_as_silence() {
    let private = Private::new();
    let (mut writer, mut reader, _ends) = pair(&private);
    writer.write(&[f32::NAN, f32::INFINITY, 0.5, 3.0, 1.0], 0);
    let mut samples = Vec::new();
    reader.read(&mut samples).unwrap();
    assert_eq!(samples, [0.0, 0.0, 0.5, 3.0]);
}

#[test]
fn sound_goes_on_in_the_new_ring_after_a_new_size() {
    let private = Private::new();
    let mut writer = private.writer("main", 2, 2);
    let mut sound = writer.take_sound().unwrap();
    sound.write(&frames(0, 10), 0);
    writer.resize(4, 4).unwrap();
    let mut reader = private.reader("main").take_sound().unwrap();
    sound.write(&frames(10, 10), 99);
    let mut samples = Vec::new();
    assert_eq!(reader.read(&mut samples).unwrap().at_ns, 99);
    assert_eq!(samples, frames(10, 10));
}

#[test]
fn no_chunk_is_mixed_of_two_however_fast_the_writer_is() {
    const CHUNKS: u64 = 20_000;
    let private = Private::new();
    let (mut writer, mut reader, _ends) = pair(&private);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Wraps below 2^24, where floats stop counting.
            for chunk in 0..CHUNKS {
                let from = chunk * 480 % (1 << 23);
                writer.write(&frames(from, 480), from);
            }
            is_done.store(true, Ordering::Release);
        });
        let (mut samples, mut heard, mut lost) = (Vec::new(), 0, 0);
        loop {
            let is_last = is_done.load(Ordering::Acquire);
            while let Some(chunk) = reader.read(&mut samples) {
                assert_eq!(samples, frames(chunk.at_ns, 480), "a mixed chunk");
                heard += 1;
                lost += chunk.lost_chunks;
            }
            if is_last {
                break;
            }
        }
        assert_eq!(heard + lost, CHUNKS);
        assert!(heard > 0);
    });
}
