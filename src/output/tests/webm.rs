use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{names, painted, plain};
use crate::output::encoder;
use crate::output::{
    Codec, FilmSettings, FilmSink, OutputError, Outputs, Sink, WebmSettings, WebmSink, WhenBehind,
};
use crate::render::present::Frame;

include!("../../../tests/foreign/skip.rs");

/// One of these tests at a time: a process that another test starts while a
/// script is written would hold the script open, and it could not be run.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settings(path: &Path) -> WebmSettings {
    WebmSettings {
        when_behind: WhenBehind::Wait,
        ..WebmSettings::new(path)
    }
}

/// Whether there is a real encoder to test with.
fn encoder_present() -> bool {
    let present = encoder::find(None).is_some();
    if !present {
        skip("ffmpeg is absent; install it to test WebM");
    }
    present
}

fn sink(settings: WebmSettings) -> Box<WebmSink> {
    let sink = WebmSink::create(settings).unwrap();
    Box::new(sink.expect("the encoder is there"))
}

/// The frames of a video as straight RGBA.
fn decoded(path: &Path, width: u32, height: u32) -> Vec<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-c:v", "libvpx-vp9", "-i"])
        .arg(path)
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "-"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    let frame = (width * height * 4) as usize;
    assert_eq!(output.stdout.len() % frame, 0);
    output.stdout.chunks(frame).map(<[u8]>::to_vec).collect()
}

fn assert_near(got: &[u8], expected: [u8; 4], tolerance: u8) {
    let near = got
        .iter()
        .zip(expected)
        .all(|(got, want)| got.abs_diff(want) <= tolerance);
    assert!(near, "{got:?} is not {expected:?}");
}

#[test]
fn colours_and_alpha_come_back_from_the_video() {
    let _alone = alone();
    if !encoder_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip: 100 %.webm");
    let (width, height) = (160, 90);
    let colours: [[u8; 4]; 4] = [
        [220, 30, 40, 255],
        [30, 180, 60, 128],
        [60, 80, 230, 255],
        [240, 240, 240, 64],
    ];
    let mut webm = sink(settings(&path));
    for frame in 0..15 {
        let at = 7.0 + f64::from(frame) / 30.0;
        // Four squares on nothing.
        let picture = painted(width, height, at, |x, y| {
            let (cell, inside) = (x / 40, (20..70).contains(&y) && (5..35).contains(&(x % 40)));
            if inside {
                colours[cell as usize]
            } else {
                [0; 4]
            }
        });
        webm.frame(&picture).unwrap();
    }
    let finished = webm.finish().unwrap();
    assert!(
        finished.written[0].ends_with(".webm: 15 frames, 0.5 s"),
        "{finished:?}"
    );
    assert_eq!(names(folder.path()), ["clip: 100 %.webm"]);

    let frames = decoded(&path, width, height);
    assert_eq!(frames.len(), 15);
    for frame in [&frames[0], &frames[14]] {
        let pixel = |x: u32, y: u32| &frame[((y * width + x) * 4) as usize..][..4];
        for (cell, colour) in (0..).zip(colours) {
            assert_near(pixel(cell * 40 + 20, 45), colour, 8);
            // The outermost visible pixel is not stained by what is invisible.
            let edge = pixel(cell * 40 + 5, 45);
            assert_near(&edge[..3], colour, 24);
        }
        for (x, y) in [(1, 1), (80, 10), (159, 89), (20, 80)] {
            assert!(pixel(x, y)[3] <= 4, "{:?}", pixel(x, y));
        }
    }
}

#[test]
fn the_video_keeps_the_time_of_the_stage_and_shortens_idle_stretches() {
    let _alone = alone();
    if !encoder_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.webm");
    let mut webm = sink(settings(&path));
    // One second at 10 frames a second, a minute of nothing, one frame more.
    for at in (0..=10).map(|frame| f64::from(frame) / 10.0).chain([61.0]) {
        webm.frame(&plain(32, 32, [200, 100, 50, 255], at)).unwrap();
    }
    let finished = webm.finish().unwrap();
    let expected = 30 + 60 + 1;
    assert!(
        finished.written[0].ends_with(": 91 frames, 3.0 s; idle stretches shortened: 1, by 58.0 s"),
        "{finished:?}"
    );
    assert_eq!(decoded(&path, 32, 32).len(), expected);
}

#[test]
fn a_missing_encoder_is_named_with_the_way_to_get_it() {
    let _alone = alone();
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().join("clip.webm");
    let without = |required| WebmSettings {
        required,
        search: Some(empty.path().into()),
        ..settings(&path)
    };
    let error = WebmSink::create(without(true)).err().unwrap();
    assert!(matches!(error, OutputError::EncoderMissing { .. }));
    assert!(
        error.to_string().contains("sudo apt install ffmpeg"),
        "{error}"
    );
    assert!(WebmSink::create(without(false)).unwrap().is_none());
}

#[test]
fn no_frame_makes_no_video() {
    let _alone = alone();
    if !encoder_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let finished = sink(settings(&folder.path().join("clip.webm")))
        .finish()
        .unwrap();
    assert!(finished.warnings[0].ends_with("no frame came"));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_stage_that_changes_its_size_ends_the_video() {
    let _alone = alone();
    if !encoder_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut webm = sink(settings(&folder.path().join("clip.webm")));
    webm.frame(&plain(32, 32, [9; 4], 0.0)).unwrap();
    let error = webm.frame(&plain(64, 32, [9; 4], 0.1)).unwrap_err();
    assert!(matches!(error, OutputError::SizeChanged { .. }), "{error}");
    drop(webm);
    assert!(names(folder.path()).is_empty());
}

#[cfg(unix)]
mod with_scripted_encoders {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// An encoder that does what `script` says, and a path to write to.
    fn scripted(folder: &Path, script: &str) -> WebmSettings {
        let bin = folder.join("bin");
        fs::create_dir(&bin).unwrap();
        let program = bin.join("ffmpeg");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        WebmSettings {
            search: Some(bin.into()),
            ..WebmSettings::new(folder.join("out/clip.webm"))
        }
    }

    /// Frames as fast as they come, in virtual time, until an error.
    fn play(webm: &mut WebmSink, frames: u32) -> Result<(), OutputError> {
        (0..frames).try_for_each(|n| webm.frame(&plain(256, 256, [9; 4], f64::from(n) / 30.0)))
    }

    #[test]
    fn an_encoder_that_dies_is_quoted() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let settings = WebmSettings {
            when_behind: WhenBehind::Wait,
            ..scripted(
                folder.path(),
                "echo 'Unknown encoder libvpx-vp9' >&2; exit 1",
            )
        };
        let error = play(&mut sink(settings), 1_000).unwrap_err();
        assert!(
            error.to_string().contains("saying: Unknown encoder"),
            "{error}"
        );
    }

    /// Writes to its file, takes what comes and fails.
    const FULL: &str = "for target; do :; done; target=${target#file:}\n\
                        echo half > \"$target\"; cat > /dev/null; echo 'disk is full' >&2; exit 1";

    #[test]
    fn an_encoder_that_fails_at_the_end_publishes_nothing() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let mut webm = sink(WebmSettings {
            when_behind: WhenBehind::Wait,
            ..scripted(folder.path(), FULL)
        });
        play(&mut webm, 3).unwrap();
        let error = webm.finish().unwrap_err();
        assert!(error.to_string().contains("disk is full"), "{error}");
        assert!(names(&folder.path().join("out")).is_empty());
    }

    #[test]
    fn of_a_show_that_happens_once_what_there_is_is_kept() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut webm = sink(scripted(folder.path(), FULL));
        play(&mut webm, 3).unwrap();
        let error = webm.finish().unwrap_err().to_string();
        assert!(error.contains("disk is full"), "{error}");
        assert!(error.contains("kept as "), "{error}");
        assert_eq!(names(&out), ["clip.cut.webm"]);
    }

    #[test]
    fn an_encoder_that_dies_in_the_middle_is_told_of_at_the_end() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let script = FULL.replace("cat > /dev/null; ", "");
        let settings = scripted(folder.path(), &script);
        let (name, out) = (settings.path.clone(), folder.path().join("out"));
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let outputs = Outputs::spawn(receiver, vec![sink(settings)]);
        let frame = plain(64, 64, [9; 4], 0.0);
        for n in 0_u32.. {
            if outputs.open() == 0 {
                break;
            }
            let at = f64::from(n) / 30.0;
            sender
                .send(Frame {
                    at,
                    ..frame.clone()
                })
                .unwrap();
        }
        let report = outputs.finish();
        assert_eq!(report.failed, [name.display().to_string()]);
        assert!(report.warnings[0].contains("disk is full"), "{report:?}");
        assert!(report.warnings[0].ends_with("clip.cut.webm"), "{report:?}");
        assert_eq!(names(&out), ["clip.cut.webm"]);
        assert_eq!(
            fs::read_to_string(out.join("clip.cut.webm")).unwrap(),
            "half\n"
        );
    }

    #[test]
    fn what_a_killed_run_left_is_kept_of_a_live_show_only() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let live = scripted(folder.path(), "");
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        let left = out.join(".clip.webm.part");
        for (when_behind, kept) in [
            (WhenBehind::Wait, &[][..]),
            (WhenBehind::Drop, &["clip.cut.webm"][..]),
        ] {
            fs::write(&left, "half").unwrap();
            let settings = WebmSettings {
                when_behind,
                ..live.clone()
            };
            let webm = sink(settings);
            assert_eq!(fs::read(&left).unwrap(), b"", "it begins anew");
            drop(webm);
            assert_eq!(names(&out), kept, "{when_behind:?}");
        }
    }

    #[test]
    fn a_video_in_which_nothing_was_seen_says_so() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let mut webm = sink(scripted(folder.path(), "cat > /dev/null"));
        webm.frame(&plain(16, 16, [0; 4], 0.0)).unwrap();
        let finished = webm.finish().unwrap();
        assert!(
            finished.warnings[0].ends_with("clip.webm: nothing is to be seen in it"),
            "{finished:?}"
        );
    }

    #[test]
    fn an_encoder_that_only_says_that_the_disk_is_full_publishes_nothing() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let script = "cat > /dev/null; \
                      echo 'Error writing trailer of clip.webm: No space left on device' >&2";
        let mut webm = sink(scripted(folder.path(), script));
        play(&mut webm, 3).unwrap();
        let error = webm.finish().unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
        assert!(names(&folder.path().join("out")).is_empty());
    }

    /// The real encoder, into a file that takes nothing.
    #[test]
    fn a_film_on_a_full_disk_is_no_film() {
        let _alone = alone();
        if !encoder_present() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mov");
        let sound = folder.path().join("sound");
        fs::write(&sound, [0; 4 * 4_800]).unwrap();
        for full in ["silent", "part"] {
            let draft = folder.path().join(format!(".clip.mov.{full}"));
            std::os::unix::fs::symlink("/dev/full", draft).unwrap();
            let mut film = Box::new(
                FilmSink::create(FilmSettings {
                    path: path.clone(),
                    codec: Codec::QuickTimeRle,
                    rate: 30.0,
                    background: None,
                    sound: Some(sound.clone()),
                })
                .unwrap(),
            );
            for n in 0..3 {
                film.frame(&plain(16, 16, [9; 4], f64::from(n) / 30.0))
                    .unwrap();
            }
            let error = film.finish().unwrap_err();
            assert!(
                error.to_string().contains("No space left"),
                "{full}: {error}"
            );
            assert_eq!(names(folder.path()), ["sound"], "{full}");
        }
    }

    /// An encoder that reads nothing until there is a file, and the file's path.
    fn gated(folder: &Path) -> (Box<WebmSink>, std::path::PathBuf) {
        let gate = folder.join("gate");
        let script = format!(
            "for target; do :; done; target=${{target#file:}}\n\
             while [ ! -e '{}' ]; do sleep 0.01; done; wc -c > \"$target\"",
            gate.display()
        );
        (sink(scripted(folder, &script)), gate)
    }

    #[test]
    fn a_slow_encoder_costs_frames_and_not_the_stage() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let (mut webm, gate) = gated(folder.path());
        play(&mut webm, 300).unwrap();
        fs::write(&gate, "").unwrap();
        let finished = webm.finish().unwrap();
        assert!(
            finished.warnings[0].contains("had no time for"),
            "{finished:?}"
        );
        let bytes = fs::read_to_string(folder.path().join("out/clip.webm")).unwrap();
        let frames: u64 = bytes.trim().parse::<u64>().unwrap() / (256 * 256 * 4);
        // A queue's worth, and two seconds made good once or, where the script
        // was slow to start, twice; every other frame is owned up to.
        assert!((62..=140).contains(&frames), "{frames}");
        let short = (300 - frames) as f64 / 30.0;
        let confessed = format!("the video is {short:.1} s short");
        assert!(
            finished.warnings[0].contains(&confessed),
            "{frames}: {finished:?}"
        );
        assert!(
            finished.written[0].contains(&format!(": {frames} frames")),
            "{finished:?}"
        );
    }

    #[test]
    fn frames_that_were_made_good_are_not_missing() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let (mut webm, gate) = gated(folder.path());
        // More than wait for the encoder, and less than two seconds more.
        play(&mut webm, 40).unwrap();
        fs::write(&gate, "").unwrap();
        let finished = webm.finish().unwrap();
        let told = &finished.warnings[0];
        assert!(told.contains("no time for"), "{told}");
        assert!(!told.contains("short"), "{told}");
        let bytes = fs::read_to_string(folder.path().join("out/clip.webm")).unwrap();
        let frames = bytes.trim().parse::<u64>().unwrap() / (256 * 256 * 4);
        assert_eq!(frames, 40);
    }

    #[test]
    fn a_recording_that_is_dropped_ends_and_reaps_its_encoder() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let script = format!("echo $$ > '{}'; exec sleep 600", note.display());
        let mut webm = sink(scripted(folder.path(), &script));
        play(&mut webm, 3).unwrap();
        let pid = loop {
            let note = fs::read_to_string(&note).unwrap_or_default();
            if let Some(pid) = note.strip_suffix('\n') {
                break pid.to_owned();
            }
            std::thread::yield_now();
        };
        let process = Path::new("/proc").join(pid);
        assert!(process.exists() || !Path::new("/proc").exists());
        drop(webm);
        assert!(
            !process.exists(),
            "neither running nor waiting to be reaped"
        );
        assert!(names(&folder.path().join("out")).is_empty());
    }
}
