//! Frames with every kind of edge, and what the program packs of them: shared
//! by the tests of the program and those of the engine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use image::{Rgba, RgbaImage};

include!("../foreign/skip.rs");

/// Odd on purpose.
pub const WIDTH: u32 = 231;
pub const HEIGHT: u32 = 153;
pub const FRAMES: u32 = 20;

/// Whether there is an encoder to test with.
pub fn encoder_present() -> bool {
    let asked = Command::new("ffmpeg")
        .arg("-version")
        .stdout(Stdio::null())
        .status();
    let present = asked.is_ok_and(|status| status.success());
    if !present {
        skip("ffmpeg is absent; install it to test pack");
    }
    present
}

/// A disc with a soft edge, a glow that thins out over many pixels and a bar
/// with an antialiased edge, all moving; white lies hidden where nothing is.
pub fn picture(index: u32) -> RgbaImage {
    let t = index as f32;
    RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        let away = |cx: f32, cy: f32| (x - cx).hypot(y - cy);
        let disc = ((34.0 - away(60.0 + 2.0 * t, 70.0)) / 5.0).clamp(0.0, 1.0);
        let glow = (-(away(165.0, 80.0 - t) / 24.0).powi(2)).exp();
        let bar = (6.5 - (0.3 * x + y - 150.0 - t * 0.7).abs()).clamp(0.0, 1.0);
        let shade = 0.6 + 0.4 * (x / 30.0).sin() * (y / 22.0).cos();
        let layers = [
            (glow, [255.0, 214.0, 92.0]),
            (bar, [40.0, 120.0, 230.0]),
            (disc, [235.0 * shade, 60.0, 120.0]),
        ];
        let (mut colour, mut alpha) = ([255.0_f32; 3], 0.0_f32);
        for (over, tint) in layers {
            let sum = over + alpha * (1.0 - over);
            if sum > 0.0 {
                for (below, tint) in colour.iter_mut().zip(tint) {
                    *below = (tint * over + *below * alpha * (1.0 - over)) / sum;
                }
            }
            alpha = sum;
        }
        let [r, g, b] = colour.map(|value| value.round() as u8);
        Rgba([r, g, b, (alpha * 255.0).round() as u8])
    })
}

/// Writes the frames into `folder`, which is made.
pub fn write_frames(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for index in 0..FRAMES {
        let path = folder.join(format!("gift_{}.png", index + 8));
        picture(index).save(path).unwrap();
    }
}

/// Runs `hyperfocus pack` in `folder`.
pub fn pack(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .arg("pack")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Packs the frames into `gift.mp4` with further arguments.
pub fn packed(folder: &Path, further: &[&str]) -> PathBuf {
    write_frames(&folder.join("frames"));
    let arguments = [&["frames", "--out", "gift.mp4"], further].concat();
    let ran = pack(folder, &arguments);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    folder.join("gift.mp4")
}

/// The `vapc` box, which must be where all VAP files have it.
pub fn description(path: &Path) -> serde_json::Value {
    let file = std::fs::read(path).unwrap();
    assert_eq!(&file[4..8], b"ftyp");
    let start = u32::from_be_bytes(*file.first_chunk().unwrap()) as usize;
    assert_eq!(start, 32);
    let size = u32::from_be_bytes(*file[start..].first_chunk().unwrap()) as usize;
    assert_eq!(&file[start + 4..start + 8], b"vapc");
    serde_json::from_slice(&file[start + 8..start + size]).unwrap()
}

/// What ffmpeg decodes of a file, in its pixel format `format`.
pub fn decoded(path: &Path, format: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough"])
        .args(["-sws_flags", "bilinear+accurate_rnd+full_chroma_int"])
        .args(["-f", "rawvideo", "-pix_fmt", format, "-"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

/// A fringe: how far a picture leaves what its source shows around the same
/// place, in levels, when both are laid over a ground.
#[derive(Debug, Default)]
pub struct Fringe {
    /// The most, in brightness, anywhere.
    pub brightness: f32,
    /// The most, in any one channel, where the source changes by less than
    /// [`HARD`] from one pixel to the next. Colour is stored for every second
    /// pixel, so that harder edges keep their brightness and not all colour.
    pub channel: f32,
    /// Over partly transparent pixels: the mean of the channel that leaves most,
    /// and the share of those whose brightness leaves by more than [`SEEN`].
    pub mean: f32,
    pub share: f32,
}

/// See [`Fringe::channel`].
const HARD: f32 = 70.0;

/// See [`Fringe::share`]: three in a hundred of white.
const SEEN: f32 = 8.0;

impl Fringe {
    /// Whether nobody would see it.
    pub fn is_unseen(&self) -> bool {
        self.share <= 0.01 && self.mean <= 1.5 && self.channel <= 30.0 && self.brightness <= 45.0
    }
}

/// What `got` (gamma-premultiplied RGBA, rows tight) has of it.
pub fn fringe(source: &RgbaImage, got: &[[f32; 4]], ground: fn(u32, u32) -> f32) -> Fringe {
    let over = |[r, g, b, a]: [f32; 4], x, y| {
        let [r, g, b] =
            [r, g, b].map(|value| (value + (255.0 - a) * ground(x, y) / 255.0).min(255.0));
        [r, g, b, 0.299 * r + 0.587 * g + 0.114 * b]
    };
    let meant: Vec<[f32; 4]> = source
        .pixels()
        .map(|pixel| {
            let [r, g, b, a] = pixel.0.map(f32::from);
            [r * a / 255.0, g * a / 255.0, b * a / 255.0, a]
        })
        .collect();
    let at = |x: u32, y: u32| meant[(y * WIDTH + x) as usize];
    let (mut fringe, mut edges) = (Fringe::default(), 0.0);
    for (x, y, pixel) in source.enumerate_pixels() {
        let mut range = [(255.0_f32, 0.0_f32); 4];
        let mut step = 0.0_f32;
        for near_y in y.saturating_sub(2)..(y + 3).min(HEIGHT) {
            for near_x in x.saturating_sub(2)..(x + 3).min(WIDTH) {
                let near = at(near_x, near_y);
                for ((low, high), value) in range.iter_mut().zip(over(near, near_x, near_y)) {
                    (*low, *high) = (low.min(value), high.max(value));
                }
                let next = at((near_x + 1).min(WIDTH - 1), (near_y + 1).min(HEIGHT - 1));
                step = near
                    .iter()
                    .zip(next)
                    .fold(step, |step, (a, b)| step.max((a - b).abs()));
            }
        }
        let shown = over(got[(y * WIDTH + x) as usize], x, y);
        let beyond = [0, 1, 2, 3].map(|channel| {
            let (low, high) = range[channel];
            (low - shown[channel]).max(shown[channel] - high).max(0.0)
        });
        let channel = beyond[..3].iter().copied().fold(0.0, f32::max);
        fringe.brightness = fringe.brightness.max(beyond[3]);
        if step < HARD {
            fringe.channel = fringe.channel.max(channel);
        }
        if (1..255).contains(&pixel.0[3]) {
            fringe.mean += channel;
            fringe.share += f32::from(u8::from(beyond[3] > SEEN));
            edges += 1.0;
        }
    }
    fringe.mean /= edges;
    fringe.share /= edges;
    fringe
}

/// Black, white and a checker: what [`fringe`] is looked for over.
pub const GROUNDS: [(&str, fn(u32, u32) -> f32); 3] = [
    ("black", |_, _| 0.0),
    ("white", |_, _| 255.0),
    ("checker", |x, y| {
        if (x / 8 + y / 8) % 2 == 0 {
            102.0
        } else {
            204.0
        }
    }),
];
