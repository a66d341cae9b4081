use std::fs::{self, File};
use std::io::Read;

use super::{names, painted, plain};
use crate::output::bleed::bleed;
use crate::output::{Finished, OutputError, PngSink, RawSink, SequenceSink, Sink};

#[test]
fn the_last_frame_with_anything_in_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/here/shot.png");
    let mut sink = Box::new(PngSink::create(&path).unwrap());
    sink.frame(&plain(40, 30, [255, 0, 0, 255], 0.0)).unwrap();
    // A single faint pixel in the last place is still something.
    let faint = painted(40, 30, 1.5, |x, y| {
        if (x, y) == (39, 29) {
            [9, 200, 30, 1]
        } else {
            [0; 4]
        }
    });
    sink.frame(&faint).unwrap();
    sink.frame(&plain(40, 30, [0; 4], 2.0)).unwrap();
    assert!(!path.exists(), "nothing appears before the end");
    let finished = sink.finish().unwrap();
    assert!(
        finished.written[0].ends_with("shot.png: 40x30, second 1.50"),
        "{finished:?}"
    );
    let written = image::open(&path).unwrap().to_rgba8();
    assert_eq!(written.as_raw(), &*faint.pixels);
    assert_eq!(names(path.parent().unwrap()), ["shot.png"]);
}

#[test]
fn without_anything_visible_no_picture_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.png");
    let mut sink = Box::new(PngSink::create(&path).unwrap());
    sink.frame(&plain(8, 8, [255, 255, 255, 0], 0.0)).unwrap();
    let Finished { written, warnings } = sink.finish().unwrap();
    assert!(written.is_empty());
    assert!(
        warnings[0].contains("shot.png was not written"),
        "{warnings:?}"
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_folder_is_no_file_to_write_to() {
    let folder = tempfile::tempdir().unwrap();
    let error = PngSink::create(folder.path()).unwrap_err();
    assert!(matches!(error, OutputError::NoFile(_)), "{error}");
}

#[test]
fn a_sequence_is_numbered_and_exact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames");
    let mut sink = Box::new(SequenceSink::create(&path).unwrap());
    let frames: Vec<_> = (0..3u8)
        .map(|n| {
            painted(17, 9, f64::from(n), move |x, y| {
                [x as u8 * 7, y as u8, n, n * 90]
            })
        })
        .collect();
    for frame in &frames {
        sink.frame(frame).unwrap();
    }
    assert!(sink.finish().unwrap().written[0].ends_with("frames: 3 frames"));
    assert_eq!(names(&path), ["000000.png", "000001.png", "000002.png"]);
    for (frame, name) in frames.iter().zip(names(&path)) {
        let read = image::open(path.join(name)).unwrap().to_rgba8();
        assert_eq!(read.as_raw(), &*frame.pixels);
    }
}

#[test]
fn a_sequence_does_not_mix_with_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("000000.png"), "earlier").unwrap();
    let error = SequenceSink::create(folder.path()).unwrap_err();
    assert!(matches!(error, OutputError::Occupied(_)), "{error}");
}

/// ffmpeg counts from 1.
#[test]
fn no_picture_of_an_earlier_sequence_is_written_over_whatever_its_number() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shot-00001.png"), "earlier").unwrap();
    let patterned = |pattern: &str| SequenceSink::patterned(&folder.path().join(pattern));
    for taken in ["shot-%05d.png", "shot-%d.png"] {
        let error = patterned(taken).unwrap_err();
        assert!(matches!(error, OutputError::Occupied(_)), "{error}");
    }
    for free in ["shot-%06d.png", "shot-%05d.PNG", "%05d.png"] {
        patterned(free).unwrap();
    }
}

#[test]
fn a_sequence_whose_folder_vanishes_ends_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames");
    let mut sink = SequenceSink::create(&path).unwrap();
    let frame = plain(4, 4, [1, 2, 3, 4], 0.0);
    sink.frame(&frame).unwrap();
    fs::remove_dir_all(&path).unwrap();
    let error = sink.frame(&frame).unwrap_err().to_string();
    assert!(error.contains("its folder is gone"), "{error}");
}

#[test]
fn a_picture_whose_folder_vanishes_ends_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/shot.png");
    let mut sink = Box::new(PngSink::create(&path).unwrap());
    sink.frame(&plain(4, 4, [1, 2, 3, 4], 0.0)).unwrap();
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let error = sink.finish().unwrap_err().to_string();
    assert!(error.contains("its folder is gone"), "{error}");
}

#[test]
fn raw_frames_arrive_as_they_are() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut sink = Box::new(RawSink::new("the pipe", writer).unwrap());
    let frame = painted(5, 3, 0.0, |x, y| [x as u8, y as u8, 10, 255]);
    sink.frame(&frame).unwrap();
    sink.frame(&frame).unwrap();
    assert_eq!(sink.finish().unwrap().written, ["the pipe: 2 frames"]);
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    assert_eq!(read, [&frame.pixels[..], &frame.pixels[..]].concat());
}

#[test]
fn a_reader_that_stalls_holds_nobody_up_and_gets_the_newest_frame_after_it() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut sink = Box::new(RawSink::new("the pipe", writer).unwrap());
    // More than a pipe holds.
    let frame = |shade| plain(256, 256, [shade; 4], 0.0);
    for shade in 1..=3 {
        sink.frame(&frame(shade)).unwrap();
    }
    let mut read = vec![0; 256 * 256 * 4];
    reader.read_exact(&mut read).unwrap();
    assert_eq!(read[0], 1);
    reader.read_exact(&mut read).unwrap();
    assert_eq!(read[0], 3);
    let finished = sink.finish().unwrap();
    assert_eq!(finished.written, ["the pipe: 2 frames"]);
    assert!(finished.warnings[0].contains("1 of its frames"));
}

#[test]
fn a_reader_that_never_reads_does_not_keep_the_end_from_coming() {
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut sink = Box::new(RawSink::new("the pipe", writer).unwrap());
    sink.frame(&plain(256, 256, [0; 4], 0.0)).unwrap();
    let finished = sink.finish().unwrap();
    assert_eq!(finished.written, ["the pipe: 0 frames"]);
    assert!(finished.warnings[0].contains("1 of its frames"));
}

#[test]
fn a_reader_that_leaves_is_an_orderly_end() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut sink = RawSink::new("the pipe", writer).unwrap();
    drop(reader);
    let error = sink.frame(&plain(4, 4, [0; 4], 0.0)).unwrap_err();
    assert!(matches!(error, OutputError::ReaderLeft(_)), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_with_a_remedy() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let error = RawSink::new("clip.rgba", full)
        .unwrap()
        .frame(&plain(4, 4, [0; 4], 0.0))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("clip.rgba cannot be written"), "{error}");
    assert!(
        error.ends_with("free some space or write elsewhere"),
        "{error}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_picture_on_a_full_disk_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.png");
    // What is written to the draft goes to a device that is always full.
    std::os::unix::fs::symlink("/dev/full", folder.path().join(".shot.png.part")).unwrap();
    let mut sink = Box::new(PngSink::create(&path).unwrap());
    sink.frame(&plain(64, 64, [1, 2, 3, 4], 0.0)).unwrap();
    let error = sink.finish().unwrap_err().to_string();
    assert!(error.contains("free some space"), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn invisible_pixels_take_the_colour_of_what_is_near() {
    let (width, height) = (19, 11);
    let mut pixels = painted(width, height, 0.0, |x, y| match (x, y) {
        (2, 2) => [200, 100, 0, 255],
        (3, 2) => [100, 100, 40, 255],
        (18, 10) => [0, 0, 90, 3],
        _ => [0; 4],
    })
    .pixels
    .to_vec();
    let before = pixels.clone();
    bleed(&mut pixels, width as usize);
    let at = |x: usize, y: usize| &pixels[(y * width as usize + x) * 4..][..4];
    assert_eq!(at(0, 0), [150, 100, 20, 0]);
    assert_eq!(at(7, 7), [150, 100, 20, 0]);
    assert_eq!(at(2, 2), [200, 100, 0, 255], "the visible stay");
    assert_eq!(at(8, 0), [0, 0, 0, 0], "another block has nothing visible");
    assert_eq!(at(16, 8), [0, 0, 90, 0], "narrow blocks at the edges count");
    let alpha = |pixels: &[u8]| {
        pixels
            .iter()
            .skip(3)
            .step_by(4)
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(alpha(&pixels), alpha(&before));
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_takes_no_files_is_known_at_once() {
    let error = PngSink::create("/proc/shot.png").unwrap_err().to_string();
    assert!(
        error.starts_with("/proc/shot.png cannot be written"),
        "{error}"
    );
}

#[test]
fn a_sequence_that_is_drawn_again_takes_the_place_of_the_longer_one() {
    let folder = tempfile::tempdir().unwrap();
    let frame = plain(4, 4, [1, 2, 3, 4], 0.0);
    for frames in [3, 1] {
        let mut sink = SequenceSink::replace(folder.path()).unwrap();
        for _ in 0..frames {
            sink.frame(&frame).unwrap();
        }
        assert_eq!(names(folder.path()).len(), frames);
    }
}
