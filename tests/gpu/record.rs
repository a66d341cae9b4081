//! `hyperfocus record`: the real program, real encoders, and what is in the files
//! that it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use hyperfocus::showfile::ShowFile;
use image::RgbaImage;

use crate::preview::{RED, studio};
use crate::program::{Program, Ran, folder, summary};
use crate::server::Server;
use crate::skip::skip;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/show.example.jsonl");
/// Small enough for a software renderer on a busy machine.
const SIZE: (u32, u32) = (160, 90);
const FPS: usize = 20;

/// Whether films can be made here; says so where not.
fn has_ffmpeg() -> bool {
    let answers = |program: &str| {
        let asked = Command::new(program)
            .arg("-version")
            .stdout(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    if answers("ffmpeg") && answers("ffprobe") {
        return true;
    }
    skip("ffmpeg is absent; install it to test recordings");
    false
}

fn record(home: &Path, more: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut arguments = vec!["record", "--json", "--size", "160x90", "--fps", "20"];
    arguments.extend(more);
    Program::start(&arguments, home, variables).wait()
}

fn output_of(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(["-v", "error"])
        .args(arguments)
        .output()
        .expect("it answered before");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaints}");
    output.stdout
}

/// The frames of a film, decoded to RGBA.
fn frames_of(film: &Path, decoder: &[&str]) -> Vec<RgbaImage> {
    let film = film.to_str().expect("a plain name");
    let mut arguments = decoder.to_vec();
    arguments.extend(["-i", film, "-f", "rawvideo", "-pix_fmt", "rgba", "-"]);
    let bytes = output_of("ffmpeg", &arguments);
    bytes
        .chunks_exact((SIZE.0 * SIZE.1 * 4) as usize)
        .map(|frame| RgbaImage::from_raw(SIZE.0, SIZE.1, frame.to_vec()).expect("whole frames"))
        .collect()
}

/// The sound of a film, as frames of stereo.
fn sound_of(film: &Path) -> Vec<[i16; 2]> {
    let film = film.to_str().expect("a plain name");
    let bytes = output_of("ffmpeg", &["-i", film, "-map", "0:a", "-f", "s16le", "-"]);
    let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
    bytes
        .chunks_exact(4)
        .map(|frame| [sample(frame), sample(&frame[2..])])
        .collect()
}

fn pictures(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("a folder of frames")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// Mean difference of what is seen, premultiplied, in levels.
fn difference(one: &RgbaImage, other: &RgbaImage) -> f64 {
    let seen = |pixel: &image::Rgba<u8>, channel: usize| {
        let alpha = f64::from(pixel[3]);
        if channel == 3 {
            alpha
        } else {
            f64::from(pixel[channel]) * alpha / 255.0
        }
    };
    let sum: f64 = one
        .pixels()
        .zip(other.pixels())
        .flat_map(|(a, b)| (0..4).map(move |channel| (seen(a, channel) - seen(b, channel)).abs()))
        .sum();
    sum / f64::from(SIZE.0 * SIZE.1 * 4)
}

/// Keeps every core busy for as long as it is held: in which order the threads of
/// a recording get to run, and when, must not show in it.
struct Busy {
    is_over: Arc<AtomicBool>,
    loops: Vec<JoinHandle<()>>,
}

impl Busy {
    fn everywhere() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let busy = || {
            let is_over = is_over.clone();
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let loops = (0..cores).map(|_| busy()).collect();
        Self { is_over, loops }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for busy in self.loops.drain(..) {
            let _ = busy.join();
        }
    }
}

#[test]
fn two_recordings_of_a_show_show_the_same() {
    if !has_ffmpeg() {
        return;
    }
    let home = folder();
    let busy = Busy::everywhere();
    let mut accounts = Vec::new();
    for run in ["one", "two"] {
        let names = ["f/%03d.png", "a.webm", "a.mov"].map(|name| format!("{run}/{name}"));
        let mut words = vec!["--board", "--show", EXAMPLE];
        words.extend(names.iter().flat_map(|name| ["--out", name.as_str()]));
        let ran = record(home.path(), &words, &[("LP_NUM_THREADS", "1")]);
        ran.ended_with(0);
        accounts.push(summary(&String::from_utf8_lossy(&ran.out)));
    }
    drop(busy);
    let [one, two] = ["one", "two"].map(|run| home.path().join(run));
    let frames = pictures(&one.join("f"));
    let again = pictures(&two.join("f"));
    assert_eq!(frames.len(), again.len());
    for (a, b) in frames.iter().zip(&again) {
        let [ours, theirs] = [a, b].map(|path| image::open(path).unwrap().into_rgba8());
        let off = difference(&ours, &theirs);
        assert!(ours == theirs, "{} differs by {off} levels", a.display());
    }
    let [sound, theirs] = [&one, &two].map(|run| sound_of(&run.join("a.mov")));
    assert!(sound == theirs, "the sound differs");

    // Each gift of the file is somewhere, the streak one act, and all is answered.
    let gifts = ShowFile::open(Path::new(EXAMPLE)).unwrap().gifts();
    for account in &accounts {
        let number = |name: &str| account["gifts"][name].as_u64().expect("a number");
        assert_eq!(number("received"), gifts, "{account}");
        assert_eq!(number("acked"), gifts, "{account}");
        assert_eq!(
            number("played") + number("joined_streak"),
            gifts,
            "{account}"
        );
        assert_eq!(number("joined_streak"), 8, "{account}");
        assert_eq!(account["pipelines_after_warmup"], 0, "{account}");
        assert_eq!(account["recorded"]["is_whole"], true, "{account}");
        assert_eq!(
            account["recorded"]["frames"],
            frames.len() as u64,
            "{account}"
        );
    }

    // Every frame once, at its time, and the sound as long to the sample.
    for film in ["a.webm", "a.mov"] {
        let path = one.join(film);
        let times = output_of(
            "ffprobe",
            &[
                "-select_streams",
                "v:0",
                "-show_entries",
                "packet=pts_time",
                "-of",
                "csv=p=0",
                path.to_str().unwrap(),
            ],
        );
        let times = String::from_utf8(times).unwrap();
        let mut times: Vec<f64> = times
            .split_whitespace()
            .map(|time| time.trim_end_matches(',').parse().expect("seconds"))
            .collect();
        times.sort_by(f64::total_cmp);
        assert_eq!(times.len(), frames.len(), "{film}");
        for (index, time) in times.iter().enumerate() {
            assert!(
                (time - index as f64 / FPS as f64).abs() < 0.001,
                "{film}: {index} at {time}"
            );
        }
        let sound = sound_of(&path);
        assert_eq!(sound.len(), frames.len() * 48_000 / FPS, "{film}");
    }

    // The first gift comes at 0.4 s, and is heard from there.
    let sound = sound_of(&one.join("a.mov"));
    let first = sound
        .iter()
        .position(|frame| *frame != [0, 0])
        .expect("a sound");
    assert!((19_200..24_000).contains(&first), "{first}");

    // What the films show is what the pictures do.
    for (film, decoder, most) in [
        ("a.mov", &[][..], 1.0),
        ("a.webm", &["-c:v", "libvpx-vp9"][..], 6.0),
    ] {
        let decoded = frames_of(&one.join(film), decoder);
        assert_eq!(decoded.len(), frames.len(), "{film}");
        for index in [0, 15, 60, 130, 170, frames.len() - 1] {
            let picture = image::open(&frames[index]).unwrap().into_rgba8();
            let off = difference(&picture, &decoded[index]);
            assert!(
                off < most,
                "{film}: frame {index} is off by {off:.2} levels"
            );
        }
    }
}

#[test]
fn many_threads_draw_a_crowd_the_same_twice() {
    // Bills, coins, petals and smoke that cover each other, lights that add up, and
    // more of each than there are effects from the start.
    let crowd = [
        "confetti",
        "money",
        "coins",
        "rose",
        "lion",
        "galaxy",
        "love",
        "fireworks",
        "confetti",
        "money",
        "coins",
        "heart",
        "airplane",
        "disco",
        "confetti",
        "money",
        "universe",
        "mermaid",
    ];
    let lines: String = crowd
        .iter()
        .enumerate()
        .map(|(id, gift)| {
            let at = 0.2 + id as f64 * 0.15;
            format!("{{\"at\": {at}, \"giftId\": \"{id}\", \"giftType\": \"{gift}\"}}\n")
        })
        .collect();
    let home = folder();
    fs::write(home.path().join("show.jsonl"), lines).unwrap();
    let _busy = Busy::everywhere();
    let [one, two] = ["one", "two"].map(|run| {
        let out = format!("{run}/%03d.png");
        let words = ["--show", "show.jsonl", "--seconds", "5", "--out", &out];
        record(home.path(), &words, &[("LP_NUM_THREADS", "4")]).ended_with(0);
        pictures(&home.path().join(run))
    });
    assert_eq!((one.len(), two.len()), (5 * FPS, 5 * FPS));
    for (a, b) in one.iter().zip(&two) {
        let [ours, theirs] = [a, b].map(|path| image::open(path).unwrap().into_rgba8());
        let off = difference(&ours, &theirs);
        assert!(off <= 1.0, "{} differs by {off} levels", a.display());
    }
}

/// A gift of the studio at these seconds.
fn blocks(home: &Path, at: &[f64]) {
    let lines: String = at
        .iter()
        .enumerate()
        .map(|(id, at)| {
            format!(
                "{{\"at\": {at}, \"giftId\": \"{id}\", \"giftType\": \"block\", \"totalValue\": 2000}}\n"
            )
        })
        .collect();
    fs::write(home.join("show.jsonl"), lines).unwrap();
}

const OF_THE_STUDIO: [&str; 4] = ["--catalog", "catalog.toml", "--show", "show.jsonl"];

#[test]
fn over_a_background_what_is_empty_shows_it_and_what_is_not_covers_it() {
    if !has_ffmpeg() {
        return;
    }
    let home = studio();
    blocks(home.path(), &[0.5]);
    // Shorter than the show, so that it begins again.
    let ground = home.path().join("game.mp4");
    output_of(
        "ffmpeg",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=0x2060C0:size=160x90:rate=20:duration=1",
            "-vf",
            "scale=out_color_matrix=bt709:out_range=tv,setparams=colorspace=bt709",
            "-pix_fmt",
            "yuv420p",
            "-colorspace",
            "bt709",
            ground.to_str().unwrap(),
        ],
    );
    let mut words = OF_THE_STUDIO.to_vec();
    words.extend(["--background", "game.mp4", "--seconds", "2"]);
    words.extend(["--out", "over.mp4", "--out", "over.webm"]);
    record(home.path(), &words, &[]).ended_with(0);
    // As it is without anything over it.
    let under = *frames_of(&ground, &[])[0].get_pixel(3, 3);
    let under = [under[0], under[1], under[2]];
    for film in ["over.mp4", "over.webm"] {
        let frames = frames_of(&home.path().join(film), &[]);
        assert_eq!(frames.len(), 40, "{film}");
        let near = |frame: usize, (x, y): (u32, u32), colour: [u8; 3], most: u8| {
            let pixel = frames[frame].get_pixel(x, y);
            let off = (0..3).map(|c| pixel[c].abs_diff(colour[c])).max().unwrap();
            assert!(off <= most, "{film}: frame {frame} at {x},{y} is {pixel:?}");
        };
        for frame in [0, 5, 19, 21, 39] {
            near(frame, (3, 3), under, 2);
        }
        near(5, (80, 45), under, 2);
        for frame in [25, 39] {
            near(frame, (80, 45), RED, 4);
        }
    }
}

#[test]
fn a_background_that_begins_late_shows_no_gift_early() {
    if !has_ffmpeg() {
        return;
    }
    let home = studio();
    blocks(home.path(), &[0.2]);
    let file = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (ground, late) = (file("game.mp4"), file("late.mkv"));
    let colour = [
        "-f",
        "lavfi",
        "-i",
        "color=blue:size=160x90:rate=20:duration=2",
    ];
    output_of("ffmpeg", &[&colour[..], &[&ground]].concat());
    // Its sound begins at once.
    let silence = ["-f", "lavfi", "-i", "anullsrc=duration=4", "-c:v", "copy"];
    let delayed = ["-itsoffset", "1.2", "-i", &ground];
    output_of("ffmpeg", &[&delayed[..], &silence, &[&late]].concat());
    let mut words = OF_THE_STUDIO.to_vec();
    words.extend([
        "--background",
        "late.mkv",
        "--seconds",
        "2",
        "--out",
        "over.mp4",
    ]);
    record(home.path(), &words, &[]).ended_with(0);
    let frames = frames_of(&home.path().join("over.mp4"), &[]);
    assert_eq!(frames.len(), 40);
    let is_red = |frame: usize| frames[frame].get_pixel(80, 45)[0] > 128;
    assert!(!is_red(1), "the gift is still to come");
    assert!(is_red(25));
}

#[test]
fn a_quicktime_animation_keeps_every_pixel_as_it_is() {
    if !has_ffmpeg() {
        return;
    }
    let home = studio();
    blocks(home.path(), &[0.2]);
    let mut words = OF_THE_STUDIO.to_vec();
    words.extend(["--seconds", "1.5", "--mute", "--codec", "qtrle"]);
    words.extend(["--out", "film.mov", "--out", "film/%d.png"]);
    record(home.path(), &words, &[]).ended_with(0);
    let film = home.path().join("film.mov");
    let streams = output_of(
        "ffprobe",
        &[
            "-show_entries",
            "stream=codec_type",
            "-of",
            "csv=p=0",
            film.to_str().unwrap(),
        ],
    );
    assert_eq!(
        String::from_utf8(streams).unwrap().trim(),
        "video",
        "it is mute"
    );
    let frames = frames_of(&film, &[]);
    assert_eq!(frames.len(), 30);
    for (index, frame) in frames.iter().enumerate() {
        let picture = home.path().join(format!("film/{index}.png"));
        let picture = image::open(picture).unwrap().into_rgba8();
        assert_eq!(difference(frame, &picture), 0.0, "frame {index}");
    }
    assert!(frames[20].get_pixel(80, 45)[3] == 255 && frames[20].get_pixel(2, 2)[3] == 0);
}

#[test]
fn another_seed_scatters_the_same_gifts_another_way() {
    let home = folder();
    let middle = |seed: &str| {
        let out = format!("{seed}/%d.png");
        let words = [
            "--show",
            EXAMPLE,
            "--seconds",
            "1.2",
            "--seed",
            seed,
            "--out",
            &out,
        ];
        let ran = record(home.path(), &words, &[]);
        ran.ended_with(0);
        let account = summary(&String::from_utf8_lossy(&ran.out));
        let picture = home.path().join(format!("{seed}/20.png"));
        (
            image::open(picture).unwrap().into_rgba8(),
            account["gifts"].clone(),
        )
    };
    let (one, other) = (middle("1"), middle("2"));
    assert_eq!(one.1, other.1);
    assert!(difference(&one.0, &other.0) > 0.1);
}

#[test]
fn what_keeps_a_recording_from_beginning_is_said() {
    let home = studio();
    blocks(home.path(), &[0.2]);
    let mut words = OF_THE_STUDIO.to_vec();
    words.extend(["--out", "film.webm"]);
    let empty = home.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let ran = record(home.path(), &words, &[("PATH", empty.to_str().unwrap())]);
    ran.ended_with(1);
    ran.said("install it with `sudo apt install ffmpeg`");

    words[3] = "bad.jsonl";
    let good = fs::read_to_string(home.path().join("show.jsonl")).unwrap();
    let bad = good.clone() + "\n" + &good.replace("giftId", "giftld");
    fs::write(home.path().join("bad.jsonl"), bad).unwrap();
    let ran = record(home.path(), &words, &[]);
    ran.ended_with(1);
    ran.said("bad.jsonl:3: ");

    words[3] = "show.jsonl";
    words[5] = "film.avi";
    let ran = record(home.path(), &words, &[]);
    ran.ended_with(1);
    ran.said("film.avi: cannot write a file of that kind; there can be a .webm");

    words[5] = "catalog.toml/film.webm";
    let ran = record(home.path(), &words, &[]);
    ran.ended_with(1);
    ran.said("cannot make the folder catalog.toml");
    words[5] = "f/%d.png";
    fs::create_dir(home.path().join("f")).unwrap();
    fs::write(home.path().join("f/0.png"), "").unwrap();
    let ran = record(home.path(), &words, &[]);
    ran.ended_with(1);
    ran.said("holds frames already");
}

#[test]
fn a_show_that_ends_while_it_is_paused_ends_there() {
    if !has_ffmpeg() {
        return;
    }
    let home = studio();
    blocks(home.path(), &[0.2]);
    let mut show = fs::read_to_string(home.path().join("show.jsonl")).unwrap();
    show += r#"{"at": 0.4, "type": "x-control", "payload": {"action": "pause"}}
{"at": 0.6, "giftId": "late", "giftType": "block", "totalValue": 2000}"#;
    fs::write(home.path().join("show.jsonl"), show).unwrap();
    let mut words = OF_THE_STUDIO.to_vec();
    words.extend(["--out", "film.webm"]);
    let ran = record(home.path(), &words, &[]);
    ran.ended_with(0);
    let account = summary(&String::from_utf8_lossy(&ran.out));
    let warnings = account["warnings"].to_string();
    assert!(
        warnings.contains("ends while the show is paused"),
        "{account}"
    );
    assert!(warnings.contains("still waited: 1"), "{account}");
    assert!(
        account["recorded"]["seconds"].as_f64().unwrap() < 3.0,
        "{account}"
    );
}

#[test]
fn a_gift_that_rests_for_longer_than_a_minute_is_in_the_recording() {
    let home = studio();
    // Two of a kind would be folded together, and one for the headline lane does not rest.
    let gifts = ["one", "another"].map(|gift| {
        format!(
            "{{\"at\": 0.2, \"giftId\": \"{gift}\", \"giftType\": \"{gift}\", \
             \"sender\": {{\"userId\": \"u\", \"username\": \"Ada\"}}}}\n"
        )
    });
    fs::write(home.path().join("show.jsonl"), gifts.concat()).unwrap();
    let mut words = vec!["record", "--json", "--size", "160x90", "--fps", "10"];
    words.extend(OF_THE_STUDIO);
    words.extend(["--out", "film/%d.png"]);
    let rest = [("HYPERFOCUS_ON_AIR_COOL_DOWN", "70")];
    let ran = Program::start(&words, home.path(), &rest).wait();
    ran.ended_with(0);
    let account = summary(&String::from_utf8_lossy(&ran.out));
    assert_eq!(account["gifts"]["played"], 2, "{account}");
    assert_eq!(account["recorded"]["is_whole"], true, "{account}");
}

#[test]
fn ctrl_c_leaves_what_was_recorded_whole() {
    if !has_ffmpeg() {
        return;
    }
    let home = studio();
    let every_second: Vec<f64> = (0..600).map(f64::from).collect();
    blocks(home.path(), &every_second);
    let mut words = vec!["record", "--json", "--size", "160x90", "--fps", "20"];
    words.extend(OF_THE_STUDIO);
    words.extend(["--out", "film.mov", "--out", "film/%d.png"]);
    let program = Program::start(&words, home.path(), &[]);
    program.comes_to("no frame comes", || {
        home.path().join("film/30.png").is_file()
    });
    let ran = program.end_by("INT");
    ran.ended_with(0);
    let account = summary(&String::from_utf8_lossy(&ran.out));
    assert!(
        account["warnings"].to_string().contains("ended by request"),
        "{account}"
    );
    assert_eq!(account["recorded"]["is_whole"], false, "{account}");
    let frames = account["recorded"]["frames"].as_u64().unwrap() as usize;
    assert_eq!(pictures(&home.path().join("film")).len(), frames);
    let film = home.path().join("film.mov");
    assert_eq!(frames_of(&film, &[]).len(), frames);
    assert_eq!(sound_of(&film).len(), frames * 48_000 / FPS);
    // Nothing half written lies about.
    let left = fs::read_dir(home.path()).unwrap().flatten();
    let hidden: Vec<_> = left
        .filter(|entry| entry.file_name().to_string_lossy().contains("film.mov."))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn a_show_that_a_run_kept_is_the_show_that_was() {
    let home = folder();
    let server = Server::new();
    let url = server.url();
    let words = [
        "run",
        "--headless",
        "--play-unseen",
        "--json",
        "--size",
        "160x90",
        "--url",
        &url,
        "--stream",
        "s",
        "--keep-show",
        "kept.jsonl",
    ];
    let program = Program::start(&words, home.path(), &[]);
    let mut peer = server.accept_session();
    for gift in ["a-rose", "another"] {
        peer.gift(gift);
        peer.gift_ack();
    }
    let watch = std::thread::spawn(move || peer.closed());
    let ran = program.end_by("TERM");
    watch.join().expect("a close frame");
    ran.ended_with(0);
    let account = summary(&String::from_utf8_lossy(&ran.out));
    assert!(
        account["outputs"].to_string().contains("kept.jsonl: "),
        "{account}"
    );
    let kept = home.path().join("kept.jsonl");
    assert_eq!(ShowFile::open(&kept).unwrap().gifts(), 2);
    let again = Program::start(&words, home.path(), &[]).wait();
    again.ended_with(1);
    again.said("a kept show is never replaced");

    let words = ["--show", "kept.jsonl", "--out", "f/%d.png"];
    let ran = record(home.path(), &words, &[]);
    ran.ended_with(0);
    let account = summary(&String::from_utf8_lossy(&ran.out));
    assert_eq!(account["gifts"]["received"], 2, "{account}");
}
