//! Real files through the real decoder, without a GPU: what they hold, and
//! what is said of broken ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hyperfocus::render::video::audio::{AudioStream, CHANNELS, Pull, SAMPLE_RATE};
use hyperfocus::render::video::layout::{Halves, Layout};
use hyperfocus::render::video::player::{Player, PlayerSlots, PlayerState};
use hyperfocus::render::video::source::{VideoError, VideoFrame, VideoInfo};
use hyperfocus::render::video::{open, open_sound, reference, verify};

use crate::samples;

fn verified(path: &Path) -> Result<u64, VideoError> {
    verify(path, Halves::default())
}

/// A clip of our own, made from frames that lie beside it.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/video")
        .join(name)
}

/// Every frame of a file whose index is in `wanted`, as premultiplied bytes.
fn converted(path: &Path, wanted: &[u64]) -> Vec<(u64, Vec<u8>)> {
    let mut opened = open(path, Halves::default()).expect("the sample opens");
    let info = opened.source.info().clone();
    let mut found = Vec::new();
    while let Some(frame) = opened.source.next_frame().expect("the sample decodes") {
        if wanted.contains(&frame.index) {
            let bytes = reference::premultiplied(&frame, &opened.layout, &info);
            found.push((frame.index, bytes));
        }
    }
    found
}

/// Mean absolute error per channel against a picture with straight alpha.
fn error_to_truth(got: &[u8], truth: &Path) -> [f64; 4] {
    let truth = image::open(truth).expect("the truth opens").to_rgba8();
    assert_eq!(got.len(), truth.as_raw().len());
    let mut sums = [0.0; 4];
    for (got, truth) in got.chunks_exact(4).zip(truth.pixels()) {
        let alpha = f64::from(truth.0[3]) / 255.0;
        for channel in 0..4 {
            let straight = f64::from(truth.0[channel]);
            let expected = if channel < 3 {
                straight * alpha
            } else {
                straight
            };
            sums[channel] += (f64::from(got[channel]) - expected).abs();
        }
    }
    sums.map(|sum| sum / (got.len() / 4) as f64)
}

#[test]
fn the_sample_matches_the_frames_it_was_made_from() {
    let Some(path) = samples::vap("plain.mp4") else {
        return;
    };
    let limits = [(20, 2.7), (40, 4.3), (60, 6.3)];
    let frames = converted(&path, &limits.map(|(index, _)| index));
    assert_eq!(frames.len(), limits.len());
    for ((index, bytes), (_, limit)) in frames.iter().zip(limits) {
        let truth = samples::vap(&format!("demo-truth/{index:03}.png")).expect("beside the video");
        let error = error_to_truth(bytes, &truth);
        println!("frame {index}: mean absolute error {error:.2?}");
        assert!(
            error.iter().all(|&channel| channel <= limit),
            "{index}: {error:?}"
        );
    }
}

/// The middle of every patch of one colour and one alpha, and the bar at the
/// bottom that moves with the frame's number.
fn landmarks() -> impl Iterator<Item = (u32, u32)> {
    let patches = (0..4).flat_map(|row| (0..4).map(move |column| (column * 16 + 8, row * 14 + 7)));
    let bar = (0..16).map(|column| (column * 4 + 2, 60));
    patches.chain(bar)
}

#[test]
fn our_own_clips_match_their_frames_one_by_one() {
    for name in ["tiny-vap.mp4", "halves.mp4"] {
        let frames = converted(&own(name), &(0..12).collect::<Vec<_>>());
        assert_eq!(frames.len(), 12, "{name}");
        for (index, bytes) in frames {
            let truth = own(&format!("tiny-truth/{index:03}.png"));
            let truth = image::open(truth).expect("beside the clip").to_rgba8();
            for (x, y) in landmarks() {
                let [r, g, b, a] = truth.get_pixel(x, y).0.map(i32::from);
                let expected = [r * a / 255, g * a / 255, b * a / 255, a];
                let at = (y * 64 + x) as usize * 4;
                for (channel, expected) in expected.into_iter().enumerate() {
                    let got = i32::from(bytes[at + channel]);
                    assert!(
                        (got - expected).abs() <= 12,
                        "{name}, frame {index} at {x},{y}, channel {channel}: {got}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_tone_of_our_own_clip_comes_out_at_its_pitch() {
    let mut sound = open_sound(&own("tiny-vap.mp4"))
        .expect("it opens")
        .expect("it has sound");
    let mut left: Vec<f32> = Vec::new();
    while let Some(chunk) = sound.next_chunk().expect("it decodes") {
        left.extend(chunk.samples.iter().step_by(2));
    }
    let seconds = left.len() as f64 / f64::from(SAMPLE_RATE);
    assert!((0.48..0.56).contains(&seconds), "{seconds} s");
    // The middle 0.4 s; every period crosses zero upwards once.
    let middle = &left[2_400..21_600];
    let crossings = middle
        .windows(2)
        .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
        .count();
    assert!(
        (350..=354).contains(&crossings),
        "{crossings} periods in 0.4 s"
    );
    let peak = middle
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    assert!((0.2..1.0).contains(&peak), "{peak}");
}

#[test]
fn the_fusion_sample_tells_where_its_pictures_go() {
    let Some(path) = samples::vap("fusion.mp4") else {
        return;
    };
    let opened = open(&path, Halves::default()).expect("it opens");
    let info = opened.source.info();
    assert_eq!(
        (info.width, info.height, info.frame_rate),
        (1024, 1504, 20.0)
    );
    assert!(info.has_audio);
    let Layout {
        width,
        height,
        fusion,
        ..
    } = &*opened.layout;
    assert_eq!((*width, *height), (672, 1504));
    let tags: Vec<_> = fusion.sources.iter().map(|source| &*source.tag).collect();
    assert_eq!(
        tags,
        ["[imgUser]", "[imgAnchor]", "[textUser]", "[textAnchor]"]
    );
    assert!(
        fusion.objects(22).is_empty(),
        "the first comes with frame 23"
    );
    assert!(!fusion.objects(23).is_empty());
    let shown: Vec<_> = fusion.objects(49).iter().map(|object| object.z).collect();
    assert_eq!(shown, [0, 1, 2, 3]);
    assert!(fusion.objects(190).is_empty());
}

#[test]
fn masks_of_the_fusion_sample_are_grey_pictures_of_what_may_show() {
    let Some(path) = samples::vap("fusion.mp4") else {
        return;
    };
    let mut opened = open(&path, Halves::default()).expect("it opens");
    let info = opened.source.info().clone();
    let frame = frame_number(&mut opened.source, 100);
    let avatar = &opened.layout.fusion.objects(100)[0];
    let mask = |u, v| reference::mask(&frame, avatar.mask, &info, (u, v));
    assert!(mask(0.5, 0.5) > 0.9, "the middle shows: {}", mask(0.5, 0.5));
    assert!(
        mask(0.01, 0.01) < 0.2,
        "the corner does not: {}",
        mask(0.01, 0.01)
    );
}

fn frame_number(
    source: &mut Box<dyn hyperfocus::render::video::source::VideoSource>,
    index: u64,
) -> VideoFrame {
    loop {
        let frame = source
            .next_frame()
            .expect("it decodes")
            .expect("it is long enough");
        if frame.index == index {
            return frame;
        }
    }
}

#[test]
fn rewinding_gives_the_same_frames_again() {
    let Some(path) = samples::vap("plain.mp4") else {
        return;
    };
    let mut source = open(&path, Halves::default()).expect("it opens").source;
    let first = frame_number(&mut source, 3);
    while source.next_frame().expect("it decodes").is_some() {}
    for _ in 0..2 {
        source.rewind().expect("it can be sought");
        let again = frame_number(&mut source, 3);
        assert_eq!((again.index, again.pts), (first.index, first.pts));
        assert_eq!(again.bytes(0), first.bytes(0));
    }
}

#[test]
fn sound_comes_whole_in_48_khz_stereo() {
    let Some(path) = samples::vap("fusion.mp4") else {
        return;
    };
    let opener = path.clone();
    let mut stream = AudioStream::spawn(&path, move || open_sound(&opener)).expect("a thread");
    let (mut frames, mut energy) = (0_usize, 0.0);
    loop {
        match stream.pull() {
            Pull::Chunk(chunk) => {
                let expected = frames as f64 / f64::from(SAMPLE_RATE);
                assert!(
                    (chunk.pts - expected).abs() < 1e-6,
                    "{} {expected}",
                    chunk.pts
                );
                frames += chunk.samples.len() / usize::from(CHANNELS);
                energy += chunk.samples.iter().map(|s| f64::from(s * s)).sum::<f64>();
            }
            Pull::NotYet => std::thread::sleep(Duration::from_millis(1)),
            Pull::Ended => break,
            Pull::Failed(error) => panic!("{error}"),
        }
    }
    let seconds = frames as f64 / f64::from(SAMPLE_RATE);
    assert!((seconds - 7.941).abs() < 0.01, "{seconds} s");
    let loudness = (energy / (frames * 2) as f64).sqrt();
    assert!((0.05..0.5).contains(&loudness), "{loudness}");
    let plain = samples::vap("plain.mp4").expect("beside the other");
    assert!(open_sound(&plain).expect("it opens").is_none());
}

#[test]
fn memory_stays_where_it_is_over_many_runs() {
    const ALONE: &str = "HYPERFOCUS_TEST_ALONE";
    let Some(path) = samples::vap("plain.mp4") else {
        return;
    };
    // Memory is the whole process's: measured in one that does nothing else.
    if std::env::var_os(ALONE).is_none() {
        let name = "video_files::memory_stays_where_it_is_over_many_runs";
        let alone = Command::new(std::env::current_exe().expect("it runs"))
            .args([name, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .status()
            .expect("the same program starts again");
        assert!(alone.success(), "see above");
        return;
    }
    let mut source = open(&path, Halves::default()).expect("it opens").source;
    let mut run = || {
        while source.next_frame().expect("it decodes").is_some() {}
        source.rewind().expect("it can be sought");
        memory_stats::memory_stats()
            .expect("this system tells")
            .physical_mem
    };
    let before = run();
    let after = (0..4).map(|_| run()).last().expect("four runs");
    // 320 frames of one megabyte went through.
    let grown = after.saturating_sub(before) >> 20;
    assert!(grown < 48, "grew by {grown} MiB");
}

/// A copy of a clip with something done to it.
fn altered(alter: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
    let mut bytes = fs::read(own("tiny-vap.mp4")).expect("it can be read");
    alter(&mut bytes);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("altered.mp4");
    fs::write(&path, bytes).expect("a temporary file");
    (folder, path)
}

/// Where the last `what` is: the brands at the start of a file look like codecs.
fn last(bytes: &[u8], what: &[u8]) -> usize {
    bytes
        .windows(what.len())
        .rposition(|window| window == what)
        .expect("it is there")
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = last(bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn a_video_cut_in_half_is_refused_before_it_plays() {
    let whole = fs::metadata(own("tiny-vap.mp4"))
        .expect("it is there")
        .len();
    let (_folder, path) = altered(|bytes| bytes.truncate(bytes.len() / 2));
    let error = verified(&path).unwrap_err();
    let expected = whole - whole / 2;
    assert!(
        matches!(error, VideoError::Truncated { missing, .. } if missing == expected),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("altered.mp4") && message.contains("again"),
        "{message}"
    );
}

#[test]
fn a_video_whose_end_is_gone_unseen_is_damaged_not_over() {
    // Its last box claims to reach to the end of the file, wherever that is.
    let (_folder, path) = altered(|bytes| {
        let size = last(bytes, b"mdat") - 4;
        bytes[size..size + 4].copy_from_slice(&[0; 4]);
        bytes.truncate(size + (bytes.len() - size) / 2);
    });
    let error = verified(&path).unwrap_err();
    assert!(matches!(error, VideoError::Damaged { .. }), "{error}");
}

/// A cut between two key pictures keeps all from the one before it, and an edit
/// list says from where they are to be seen.
#[test]
fn a_video_that_was_cut_without_encoding_it_anew_plays_to_its_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cut.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-ss", "0.25", "-i"])
        .arg(own("halves.mp4"))
        .args(["-c", "copy"])
        .arg(&path)
        .status();
    assert!(made.expect("ffmpeg is there").success());
    let mut source = open(&path, Halves::default()).expect("it opens").source;
    assert_eq!(source.info().frames, Some(12), "all are in the file");
    for _ in 0..2 {
        let mut seen = 0;
        while source.next_frame().expect("nothing is missing").is_some() {
            seen += 1;
        }
        assert_eq!(seen, 6, "half of them are to be seen");
        source.rewind().expect("it can be sought");
    }
}

#[test]
fn what_is_missing_or_not_a_video_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("missing.mp4");
    assert_eq!(
        verified(&missing),
        Err(VideoError::Missing(missing.clone()))
    );
    let not_a_file = verified(folder.path()).unwrap_err();
    assert!(
        matches!(not_a_file, VideoError::Unreadable { .. }),
        "{not_a_file}"
    );
    for (name, content) in [
        ("empty.mp4", &b""[..]),
        (
            "text.mp4",
            b"this is no video at all, whatever its name says",
        ),
        (
            "playlist.mp4",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
        ),
        ("header.mp4", b"\0\0\0\x10ftypisom\0\0\0\0"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a temporary file");
        let error = verified(&path).unwrap_err();
        assert!(
            matches!(error, VideoError::NotAVideo { .. }),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains(name));
    }
}

#[test]
fn a_codec_we_do_not_play_is_named_with_the_way_out() {
    let (_folder, path) = altered(|bytes| replace(bytes, b"avc1", b"mjpg"));
    let error = verified(&path).unwrap_err();
    assert!(
        matches!(&error, VideoError::Codec { codec, .. } if codec == "mjpeg"),
        "{error}"
    );
    assert!(error.to_string().contains("libx264"), "{error}");
}

#[test]
fn a_description_that_lies_is_refused() {
    for (from, to) in [
        (&b"\"videoH\":64"[..], &b"\"videoH\":66"[..]),
        (b"[80,0,64,64]", b"[81,0,64,64]"),
        (b"\"v\":2", b"\"v\":9"),
        (b"\"info\"", b"\"onfi\""),
    ] {
        let (_folder, path) = altered(|bytes| replace(bytes, from, to));
        let error = verified(&path).unwrap_err();
        assert!(matches!(error, VideoError::Vapc { .. }), "{error}");
    }
}

/// A generator whose numbers are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn corrupt_bytes_end_in_an_error_or_a_picture_and_never_hang() {
    let mut noticed = 0;
    let rounds = 96;
    for seed in 1..=rounds {
        let (_folder, path) = altered(|bytes| {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
            // Half of them in the headers, half anywhere.
            let reach = match seed % 2 {
                0 => last(bytes, b"mdat"),
                _ => bytes.len(),
            };
            for _ in 0..8 {
                bytes[dice.below(reach)] = dice.below(256) as u8;
            }
        });
        match verified(&path) {
            // An edit list may come to leave out some.
            Ok(frames) => assert!((10..=12).contains(&frames), "{frames} frames"),
            Err(error) => {
                noticed += 1;
                assert_eq!(error.path(), path);
            }
        }
        // Sound has its own reader of the same bytes.
        if let Ok(Some(mut sound)) = open_sound(&path) {
            while let Ok(Some(chunk)) = sound.next_chunk() {
                assert!(chunk.samples.len() < 1 << 20);
            }
        }
    }
    println!("{noticed} of {rounds} were noticed");
    assert!(
        noticed > rounds / 2,
        "only {noticed} of {rounds} were noticed"
    );
}

/// Plays a file on a clock of its own until it ends or fails.
fn play(path: &Path) -> (u64, PlayerState, Option<VideoInfo>) {
    let slots = PlayerSlots::default();
    let slot = slots.take().expect("the first");
    let opener = path.to_path_buf();
    let mut player = Player::spawn(path, false, slot, move || open(&opener, Halves::default()))
        .expect("a thread");
    let mut newest = None;
    let mut now = 0.0;
    for _ in 0..60_000 {
        match player.frame_for(now) {
            Some(frame) => {
                assert_eq!(frame.index, newest.map_or(0, |index: u64| index + 1));
                newest = Some(frame.index);
                // Until just after the next one's time.
                now = frame.pts + 1.01 / 24.0;
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
        if matches!(player.state(), PlayerState::Ended | PlayerState::Failed(_)) {
            break;
        }
    }
    let info = player.opened().map(|(info, _)| info.clone());
    (player.stats().shown, player.state().clone(), info)
}

#[test]
fn a_player_shows_every_frame_to_a_patient_clock() {
    let (shown, state, info) = play(&own("tiny-vap.mp4"));
    assert_eq!(state, PlayerState::Ended);
    assert_eq!(info.expect("it was opened").frames, Some(12));
    assert_eq!(shown, 12);
}

#[test]
fn a_player_of_a_broken_file_has_failed() {
    let (_folder, path) = altered(|bytes| bytes.truncate(bytes.len() / 2));
    let (shown, state, _) = play(&path);
    assert_eq!(shown, 0);
    assert!(
        matches!(state, PlayerState::Failed(VideoError::Truncated { .. })),
        "{state:?}"
    );
}

#[test]
fn dropping_a_player_ends_its_decoder_promptly() {
    let Some(path) = samples::vap("fusion.mp4") else {
        return;
    };
    let slots = PlayerSlots::default();
    for pause in [0, 3, 30, 100] {
        let slot = slots.take().expect("the last one was given back");
        let opener = path.clone();
        let player = Player::spawn(&path, true, slot, move || open(&opener, Halves::default()))
            .expect("a thread");
        std::thread::sleep(Duration::from_millis(pause));
        drop(player);
        let ended = (0..5_000).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            slots.taken() == 0
        });
        assert!(ended, "its thread is still there");
    }
}

/// libav's own VP9 leaves alpha out; what would play is an opaque picture.
#[test]
fn a_webm_with_alpha_of_its_own_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.webm");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("color=red@0.5:size=64x64:duration=0.2,format=yuva420p")
        .args(["-c:v", "libvpx-vp9", "-auto-alt-ref", "0"])
        .arg(&path)
        .status();
    assert!(made.expect("ffmpeg is there").success());
    let error = verified(&path).unwrap_err();
    assert!(matches!(error, VideoError::OwnAlpha(_)), "{error}");
    assert!(error.to_string().contains("hyperfocus pack"), "{error}");
}
