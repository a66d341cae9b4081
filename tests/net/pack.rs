//! `hyperfocus pack`: what it makes is read by another decoder and compared
//! with what it was made of.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use hyperfocus::pack::mp4::insert_after_ftyp;

use crate::pack_frames::{
    FRAMES, GROUNDS, HEIGHT, WIDTH, decoded, description, encoder_present, fringe, pack, packed,
    picture, write_frames,
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// The pictures of a packed file as its box says: gamma-premultiplied RGBA.
fn unpacked(path: &Path) -> Vec<Vec<[f32; 4]>> {
    let info = description(path)["info"].clone();
    let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let rect = |name: &str| -> Vec<usize> {
        let rect = info[name].as_array().unwrap();
        rect.iter().map(number).collect()
    };
    let (colour, alpha) = (rect("rgbFrame"), rect("aFrame"));
    let (coded_width, coded_height) = (number(&info["videoW"]), number(&info["videoH"]));
    let (width, height) = (number(&info["w"]), number(&info["h"]));
    let rgb = decoded(path, "rgb24");
    let frames = rgb.chunks_exact(coded_width * coded_height * 3);
    assert_eq!(frames.len(), number(&info["f"]));
    let of_frame = |frame: &[u8]| {
        let at = |x: usize, y: usize| &frame[(y * coded_width + x) * 3..][..3];
        let pixel = |place: usize| {
            let (x, y) = (place % width, place / width);
            let rgb = at(colour[0] + x, colour[1] + y);
            // Nearest, which at full size is the pixel itself.
            let (x, y) = (x * alpha[2] / width, y * alpha[3] / height);
            let a = at(alpha[0] + x, alpha[1] + y)[1];
            [rgb[0], rgb[1], rgb[2], a].map(f32::from)
        };
        (0..width * height).map(pixel).collect()
    };
    frames.map(of_frame).collect()
}

/// Mean differences over all frames: of alpha at edges, and of un-premultiplied
/// colour where it is well seen.
fn differences(path: &Path) -> (f32, f32) {
    let (mut alpha, mut colour) = ((0.0, 0.0), (0.0, 0.0));
    for (index, got) in unpacked(path).iter().enumerate() {
        for (got, expected) in got.iter().zip(picture(index as u32).pixels()) {
            let [r, g, b, a] = expected.0.map(f32::from);
            if (1.0..255.0).contains(&a) {
                alpha.0 += (got[3] - a).abs();
                alpha.1 += 1.0;
            }
            if a >= 128.0 {
                for (got, expected) in got[..3].iter().zip([r, g, b]) {
                    let straight = (got * 255.0 / a).min(255.0);
                    colour.0 += (straight - expected).abs();
                    colour.1 += 1.0;
                }
            }
        }
    }
    (alpha.0 / alpha.1, colour.0 / colour.1)
}

#[test]
fn another_decoder_finds_the_frames_again() {
    if !encoder_present() {
        return;
    }
    let folder = folder();
    let path = packed(folder.path(), &[]);
    let (alpha, colour) = differences(&path);
    println!("alpha at edges differs by {alpha:.2} levels, colour by {colour:.2}");
    assert!(alpha <= 3.0, "{alpha}");
    assert!(colour <= 4.0, "{colour}");
    for (index, got) in unpacked(&path).iter().enumerate() {
        for (name, ground) in GROUNDS {
            let fringe = fringe(&picture(index as u32), got, ground);
            println!("frame {index} over {name}: {fringe:.2?}");
            assert!(fringe.is_unseen(), "frame {index} over {name}: {fringe:?}");
        }
    }
}

#[test]
fn the_mistakes_that_players_make_would_be_seen_as_fringes() {
    let source = picture(3);
    let shown = |times: i32| -> Vec<[f32; 4]> {
        let pixels = source.pixels().map(|pixel| {
            let [r, g, b, a] = pixel.0.map(f32::from);
            let [r, g, b] = [r, g, b].map(|value| value * (a / 255.0).powi(times));
            [r, g, b, a]
        });
        pixels.collect()
    };
    let unseen = |times| {
        let shown = shown(times);
        GROUNDS.map(|(_, ground)| fringe(&source, &shown, ground).is_unseen())
    };
    assert_eq!(unseen(1), [true; 3], "as it should be");
    assert_eq!(unseen(2)[1..], [false; 2], "multiplied twice");
    assert_eq!(unseen(0)[0..1], [false], "not multiplied");
}

#[test]
fn quality_and_the_size_of_alpha_are_what_is_asked_for() {
    if !encoder_present() {
        return;
    }
    let folder = folder();
    let path = packed(folder.path(), &["--quality", "1"]);
    let (best, _) = differences(&path);
    let size = |path: &Path| path.metadata().unwrap().len();
    let large = size(&path);
    let path = packed(folder.path(), &["--quality", "40"]);
    let (worst, _) = differences(&path);
    println!("alpha at edges: {best:.2} at quality 1, {worst:.2} at 40");
    assert!(best < 1.0 && worst > best && size(&path) * 4 < large);
    let path = packed(folder.path(), &["--scale-alpha", "0.5"]);
    let info = &description(&path)["info"];
    assert_eq!(info["aFrame"][2], WIDTH.div_ceil(2));
    assert_eq!(info["aFrame"][3], HEIGHT.div_ceil(2));
    let (half, _) = differences(&path);
    assert!(half < 12.0, "{half}");
}

/// What ffprobe says of one stream.
fn probed(path: &Path, stream: &str) -> serde_json::Value {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-of",
            "json",
            "-show_streams",
            "-select_streams",
            stream,
        ])
        .arg(path)
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    told["streams"][0].clone()
}

fn tone(path: &Path, seconds: u32) {
    let source = format!("sine=frequency=880:duration={seconds}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", &source])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

#[test]
fn the_file_says_what_it_holds_and_carries_its_sound() {
    if !encoder_present() {
        return;
    }
    let folder = folder();
    tone(&folder.path().join("tone.wav"), 3);
    let path = packed(folder.path(), &["--fps", "20", "--audio", "tone.wav"]);
    let video = probed(&path, "v");
    for (key, value) in [
        ("codec_name", "h264"),
        ("pix_fmt", "yuv420p"),
        ("color_range", "tv"),
        ("color_space", "smpte170m"),
        ("chroma_location", "left"),
        ("r_frame_rate", "20/1"),
    ] {
        assert_eq!(video[key], value, "{key}: {video}");
    }
    assert_eq!(video["nb_frames"], FRAMES.to_string());
    let sound = probed(&path, "a");
    assert_eq!(sound["codec_name"], "aac");
    let seconds: f64 = sound["duration"].as_str().unwrap().parse().unwrap();
    // It ends with the picture, up to one packet of 1,024 samples.
    assert!((0.99..1.05).contains(&seconds), "{seconds}");
    let info = &description(&path)["info"];
    for (key, value) in [("v", 2), ("f", FRAMES), ("fps", 20), ("isVapx", 0)] {
        assert_eq!(info[key], value, "{key}: {info}");
    }
    assert_eq!((&info["w"], &info["h"]), (&WIDTH.into(), &HEIGHT.into()));
    for (said, key) in [("videoW", "width"), ("videoH", "height")] {
        assert_eq!(info[said], video[key]);
        assert_eq!(info[said].as_u64().unwrap() % 16, 0);
    }
}

#[test]
fn a_box_moves_what_is_in_a_file_and_loses_none_of_it() {
    if !encoder_present() {
        return;
    }
    let folder = folder();
    let sums = |path: &Path| {
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-xerror", "-i"])
            .arg(path)
            .args(["-map", "0", "-f", "framemd5", "-"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", path.display());
        output.stdout
    };
    for flags in ["+faststart", "+write_colr"] {
        let before = folder.path().join("before.mp4");
        let made = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                "testsrc=duration=1",
            ])
            .args([
                "-f",
                "lavfi",
                "-i",
                "sine=duration=1",
                "-pix_fmt",
                "yuv420p",
            ])
            .args(["-movflags", flags])
            .arg(&before)
            .status()
            .unwrap();
        assert!(made.success());
        let after = folder.path().join("after.mp4");
        let mut file = Cursor::new(fs::read(&before).unwrap());
        let mut out = File::create(&after).unwrap();
        insert_after_ftyp(&mut file, &mut out, *b"vapc", &[b' '; 1001]).unwrap();
        assert_eq!(sums(&before), sums(&after), "{flags}");
    }
}

/// What is said of arguments that cannot be packed; nothing may be left behind.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ran = pack(folder, &[arguments, &["--out", "made/gift.mp4"]].concat());
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{told}");
    let left = fs::read_dir(folder.join("made")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "{told}");
    told
}

#[test]
fn frames_that_cannot_be_packed_are_named() {
    let folder = folder();
    let home = folder.path();
    let frames = home.join("frames");
    assert!(refused(home, &["frames"]).contains("there is no folder frames"));
    fs::create_dir(&frames).unwrap();
    assert!(refused(home, &["frames"]).contains("no file is named *.png"));
    write_frames(&frames);
    image::RgbaImage::new(WIDTH, HEIGHT + 1)
        .save(frames.join("gift_9.png"))
        .unwrap();
    let told = refused(home, &["frames"]);
    assert!(told.contains("gift_9.png: 231x154 pixels"), "{told}");
    fs::write(frames.join("gift_9.png"), "GIF89a").unwrap();
    let told = refused(home, &["frames"]);
    assert!(told.contains("gift_9.png: not a PNG"), "{told}");
    // Begins as a PNG, and is damaged further on.
    let mut whole = fs::read(frames.join("gift_10.png")).unwrap();
    whole.truncate(whole.len() / 2);
    fs::write(frames.join("gift_9.png"), &whole).unwrap();
    if encoder_present() {
        let told = refused(home, &["frames"]);
        assert!(told.contains("gift_9.png: not a PNG"), "{told}");
    }
    let told = refused(home, &["frames", "--audio", "none.ogg"]);
    assert!(
        told.contains("--audio: there is no file none.ogg"),
        "{told}"
    );
}

#[test]
fn an_mp4_is_called_one() {
    let folder = folder();
    write_frames(&folder.path().join("frames"));
    let ran = pack(folder.path(), &["frames", "--out", "made/gift.webm"]);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{told}");
    assert!(told.contains("name it .mp4"), "{told}");
    assert!(!folder.path().join("made").exists());
}

#[test]
fn arguments_that_cannot_be_meant_exit_with_2() {
    let folder = folder();
    for wrong in [
        ["--fps", "0"],
        ["--fps", "241"],
        ["--quality", "0"],
        ["--quality", "52"],
        ["--scale-alpha", "0.7"],
    ] {
        let ran = pack(
            folder.path(),
            &[&["f", "--out", "o.mp4"], &wrong[..]].concat(),
        );
        assert_eq!(ran.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_gap_and_opaque_frames_are_warnings() {
    if !encoder_present() {
        return;
    }
    let folder = folder();
    for number in [1, 2, 4] {
        image::RgbImage::from_pixel(20, 10, image::Rgb([200, 10, 40]))
            .save(folder.path().join(format!("f{number:03}.png")))
            .unwrap();
    }
    let ran = pack(folder.path(), &["f%03d.png", "--out", "gift.mp4"]);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    assert!(told.contains("frames are missing: 3;"), "{told}");
    assert!(
        told.contains("none of the frames has transparency"),
        "{told}"
    );
    assert!(told.contains("packing 3 of 3 frames, 100 %"), "{told}");
    assert!(String::from_utf8_lossy(&ran.stdout).starts_with("gift.mp4: 3 frames, 0.1 s"));
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| !name.to_string_lossy().ends_with(".png"))
        .collect();
    assert_eq!(names, ["gift.mp4"]);
}

#[test]
fn without_the_encoder_it_says_how_to_install_it() {
    let folder = folder();
    write_frames(&folder.path().join("frames"));
    let ran = Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .args(["pack", "frames", "--out", "gift.mp4"])
        .current_dir(folder.path())
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1));
    assert!(told.contains("sudo apt install ffmpeg"), "{told}");
}

#[cfg(target_os = "linux")]
mod ended_at_once {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Child;
    use std::time::Duration;

    use super::*;
    use crate::hangup;

    /// The program with an encoder that takes no frame, so that both can do no more
    /// than wait; the program ends with the test.
    struct Packing {
        program: Child,
        encoder: String,
    }

    impl Packing {
        /// `before` is what runs the program, if not the system itself.
        fn start(home: &Path, before: &[&str]) -> Self {
            write_frames(&home.join("frames"));
            // It says that it is there when it has all frames: from then on it is
            // waited for, whatever is asked once.
            let script = "#!/bin/sh\nfor target; do :; done\necho half > \"${target#file:}\"\n\
                          cat > frames.raw\necho $$ > pid.new; mv pid.new pid; exec sleep 600\n";
            let encoder = home.join("bin/ffmpeg");
            fs::create_dir(home.join("bin")).unwrap();
            fs::write(&encoder, script).unwrap();
            fs::set_permissions(&encoder, fs::Permissions::from_mode(0o755)).unwrap();
            let path = std::env::var("PATH").unwrap();
            let program = env!("CARGO_BIN_EXE_hyperfocus");
            let words: Vec<&str> = before.iter().copied().chain([program]).collect();
            let mut program = Command::new(words[0])
                .args(&words[1..])
                .args(["pack", "frames", "--out", "made/gift.mp4"])
                .current_dir(home)
                .env("PATH", format!("{}:{path}", home.join("bin").display()))
                .spawn()
                .unwrap();
            let encoder = until("the encoder is there", || {
                assert!(program.try_wait().unwrap().is_none(), "it ended by itself");
                fs::read_to_string(home.join("pid")).ok()
            });
            Self {
                program,
                encoder: encoder.trim().to_owned(),
            }
        }
    }

    impl Drop for Packing {
        fn drop(&mut self) {
            // Both may have ended.
            let _ = self.program.kill();
            let _ = self.program.wait();
            let _ = Command::new("kill").arg(&self.encoder).output();
        }
    }

    /// What there is in the end, asked for again and again.
    fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        for _ in 0..6_000 {
            if let Some(seen) = look() {
                return seen;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("waited in vain: {what}");
    }

    /// Whether a process is there and has not ended.
    fn is_running(pid: &str) -> bool {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Its name, which is in brackets, may hold anything.
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    #[test]
    fn a_second_ctrl_c_leaves_no_half_file_and_no_encoder_behind() {
        let folder = folder();
        let mut packing = Packing::start(folder.path(), &[]);
        assert!(is_running(&packing.encoder));
        let names = || {
            let files = fs::read_dir(folder.path().join("made")).unwrap();
            files
                .map(|file| file.unwrap().file_name())
                .collect::<Vec<_>>()
        };
        assert_eq!(names().len(), 1, "what is not whole has a name of its own");
        // Two that come at once are one.
        let status = until("it has ended", || {
            let pid = packing.program.id().to_string();
            let asked = Command::new("kill").args(["-INT", &pid]).status();
            assert!(asked.is_ok());
            packing.program.try_wait().unwrap()
        });
        assert_eq!(status.code(), Some(130));
        assert!(names().is_empty());
        // It was told to end, which it does as soon as it gets to run.
        until("so has the encoder", || {
            (!is_running(&packing.encoder)).then_some(())
        });
    }

    #[test]
    fn what_nohup_starts_outlives_its_terminal() {
        let folder = folder();
        let packing = Packing::start(folder.path(), &["nohup"]);
        // It listens to signals before it starts an encoder.
        assert!(hangup::is_ignored_by(packing.program.id()));
    }
}
