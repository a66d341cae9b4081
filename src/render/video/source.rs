//! Where decoded frames come from: the seam between a decoder and the stage.
//!
//! A frame is three 8-bit planes (4:2:0), kept in whatever buffers the decoder
//! used: nothing is converted on the CPU, the shader does that. Sources run on
//! a player's thread and may block; nothing else here does.

use std::fmt;
use std::path::{Path, PathBuf};

use super::vapc::VapcError;

/// The longest side of a coded frame we accept, in pixels. Every GPU we draw on
/// takes textures of 4096; a file that claims more is refused before its
/// frames are allocated.
pub const MAX_CODED_SIDE: u32 = 4096;

/// The most frames per second we accept. More would be decoded only to be
/// skipped.
pub const MAX_FRAME_RATE: f64 = 240.0;

/// Which weights turn Y'CbCr into R'G'B'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matrix {
    /// ITU-R BT.601, and what an untagged file means.
    #[default]
    Bt601,
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

impl Matrix {
    /// The luma weights of red and blue (`Kr`, `Kb`) of the recommendation.
    pub fn weights(self) -> (f32, f32) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// Which byte values stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// Luma 16 to 235, chroma 16 to 240; what an untagged file means.
    #[default]
    Limited,
    /// 0 to 255.
    Full,
}

/// Where a chroma sample lies among its four luma samples, horizontally.
/// Vertically it is taken to lie between the two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChromaSiting {
    /// On the left column: H.264's and HEVC's default.
    #[default]
    Left,
    /// Between the columns: JPEG's and VP8's.
    Centre,
}

/// How a file's bytes stand for colour; the default is what "untagged" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VideoColour {
    pub matrix: Matrix,
    pub range: Range,
    pub siting: ChromaSiting,
}

impl VideoColour {
    /// The affine map from a byte triple (as 0.0 to 1.0) to R'G'B': scales of
    /// luma, then of Cr in red, Cb and Cr in green, Cb in blue.
    pub fn coefficients(self) -> Coefficients {
        let (kr, kb) = self.matrix.weights();
        let kg = 1.0 - kr - kb;
        let (black, luma, chroma) = match self.range {
            Range::Limited => (16.0 / 255.0, 255.0 / 219.0, 255.0 / 224.0),
            Range::Full => (0.0, 1.0, 1.0),
        };
        Coefficients {
            black,
            luma,
            red_cr: 2.0 * (1.0 - kr) * chroma,
            green_cb: -2.0 * (1.0 - kb) * kb / kg * chroma,
            green_cr: -2.0 * (1.0 - kr) * kr / kg * chroma,
            blue_cb: 2.0 * (1.0 - kb) * chroma,
        }
    }

    /// How far right of its texture coordinate a chroma sample is to be read,
    /// in chroma texels.
    pub fn chroma_shift(self) -> f32 {
        match self.siting {
            ChromaSiting::Left => 0.25,
            ChromaSiting::Centre => 0.0,
        }
    }
}

/// See [`VideoColour::coefficients`]. Chroma is centred on 128/255 first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    pub black: f32,
    pub luma: f32,
    pub red_cr: f32,
    pub green_cb: f32,
    pub green_cr: f32,
    pub blue_cb: f32,
}

/// What is known of a video once it is open.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoInfo {
    /// Size of a decoded frame in pixels, after the codec's own cropping;
    /// 2 to [`MAX_CODED_SIDE`].
    pub width: u32,
    pub height: u32,
    /// Frames per second; finite, above 0, at most [`MAX_FRAME_RATE`].
    pub frame_rate: f64,
    /// How many frames the container says there are.
    pub frames: Option<u64>,
    pub colour: VideoColour,
    pub has_audio: bool,
}

impl VideoInfo {
    /// Seconds one frame stays.
    pub fn frame_seconds(&self) -> f64 {
        1.0 / self.frame_rate
    }

    /// Width and height of one plane in samples: 0 is luma, 1 and 2 chroma.
    pub fn plane_size(&self, plane: usize) -> (u32, u32) {
        if plane == 0 {
            (self.width, self.height)
        } else {
            (self.width.div_ceil(2), self.height.div_ceil(2))
        }
    }
}

/// The buffers behind a frame. Implemented for a decoder's own frame type, so
/// that its pool gets them back when the frame is dropped.
pub trait Planes: Send + Sync {
    /// Rows of plane 0 (Y), 1 (Cb) or 2 (Cr), `stride` bytes apart; every row
    /// is whole.
    fn bytes(&self, plane: usize) -> &[u8];

    /// Bytes from one row to the next; at least the plane's width.
    fn stride(&self, plane: usize) -> usize;
}

/// One decoded picture.
pub struct VideoFrame {
    planes: Box<dyn Planes>,
    /// Counts from 0 at the first frame of each run through the file; what
    /// fusion data refers to.
    pub index: u64,
    /// Seconds from the start, when this frame is due. Keeps growing when the
    /// video loops.
    pub pts: f64,
}

impl VideoFrame {
    pub fn new(planes: Box<dyn Planes>, index: u64, pts: f64) -> Self {
        Self { planes, index, pts }
    }

    /// See [`Planes::bytes`].
    pub fn bytes(&self, plane: usize) -> &[u8] {
        self.planes.bytes(plane)
    }

    /// See [`Planes::stride`].
    pub fn stride(&self, plane: usize) -> usize {
        self.planes.stride(plane)
    }
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoFrame")
            .field("index", &self.index)
            .field("pts", &self.pts)
            .finish_non_exhaustive()
    }
}

/// A decoder, opened on one file.
pub trait VideoSource: Send {
    fn info(&self) -> &VideoInfo;

    /// The next picture in the order of display; `None` after the last one.
    /// May take as long as decoding takes.
    ///
    /// # Errors
    /// When the file turns out damaged; the source is of no use afterwards.
    fn next_frame(&mut self) -> Result<Option<VideoFrame>, VideoError>;

    /// Starts over: the next frame has index 0 and its first pts again.
    ///
    /// # Errors
    /// When the file cannot be sought.
    fn rewind(&mut self) -> Result<(), VideoError>;
}

/// Why a video does not play. Says which file and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VideoError {
    #[error("{}: there is no such file; correct the path in the catalogue, or put the file there", .0.display())]
    Missing(PathBuf),
    #[error("{}: cannot be read ({reason}); check that it is a file and its permissions", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{}: cut short, {missing} bytes are missing at the end; download or copy it again", path.display())]
    Truncated { path: PathBuf, missing: u64 },
    #[error("{}: not a video we can read ({reason}); expected MP4 with H.264 or HEVC", path.display())]
    NotAVideo { path: PathBuf, reason: String },
    #[error("{}: transparent in WebM's own way, which is not played; draw its frames with `ffmpeg -c:v libvpx-vp9 -i IN frames/%05d.png` and pack them with `hyperfocus pack`", .0.display())]
    OwnAlpha(PathBuf),
    #[error("{}: the codec {codec} is not played; convert it with `ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4` (this drops a vapc box: pack it again)", path.display())]
    Codec { path: PathBuf, codec: String },
    #[error("{}: pixels are {format}, but only 8-bit 4:2:0 (yuv420p) is played; convert with `-pix_fmt yuv420p`", path.display())]
    PixelFormat { path: PathBuf, format: String },
    #[error("{}: a frame of {width}x{height} is outside 2x2 to {MAX_CODED_SIDE}x{MAX_CODED_SIDE}; scale it down", path.display())]
    Size {
        path: PathBuf,
        width: u32,
        height: u32,
    },
    #[error("{}: {rate} frames per second is outside 0 to {MAX_FRAME_RATE}; encode it again at 30 or 60", path.display())]
    FrameRate { path: PathBuf, rate: f64 },
    #[error("{}: {problem}; pack it again with the VAP tool", path.display())]
    Vapc { path: PathBuf, problem: VapcError },
    #[error("{}: damaged at frame {frame} ({reason}); download or encode it again", path.display())]
    Damaged {
        path: PathBuf,
        frame: u64,
        reason: String,
    },
    #[error("{}: the decoder stopped unexpectedly; please report this with the file", .0.display())]
    Stopped(PathBuf),
    #[error("{}: video needs a build with the feature `ffmpeg`", .0.display())]
    NoDecoder(PathBuf),
}

impl VideoError {
    /// The file it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing(path)
            | Self::OwnAlpha(path)
            | Self::Stopped(path)
            | Self::NoDecoder(path) => path,
            Self::Unreadable { path, .. }
            | Self::Truncated { path, .. }
            | Self::NotAVideo { path, .. }
            | Self::Codec { path, .. }
            | Self::PixelFormat { path, .. }
            | Self::Size { path, .. }
            | Self::FrameRate { path, .. }
            | Self::Vapc { path, .. }
            | Self::Damaged { path, .. } => path,
        }
    }
}

/// The Null form: a test card without a file, a codec or a clock. Luma rises
/// by one level per frame, chroma is neutral.
#[derive(Debug)]
pub struct NullSource {
    info: VideoInfo,
    length: u64,
    next: u64,
}

impl NullSource {
    /// A card of `length` frames of `width` by `height`.
    pub fn new(width: u32, height: u32, frame_rate: f64, length: u64) -> Self {
        Self {
            info: VideoInfo {
                width,
                height,
                frame_rate,
                frames: Some(length),
                colour: VideoColour::default(),
                has_audio: false,
            },
            length,
            next: 0,
        }
    }

    /// The luma of the frame `index`, anywhere on it.
    pub fn luma(index: u64) -> u8 {
        16 + (index % 220) as u8
    }
}

impl VideoSource for NullSource {
    fn info(&self) -> &VideoInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<VideoFrame>, VideoError> {
        if self.next == self.length {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        let fill = |plane: usize, value: u8| {
            let (width, height) = self.info.plane_size(plane);
            vec![value; width as usize * height as usize]
        };
        let planes = OwnedPlanes {
            bytes: [fill(0, Self::luma(index)), fill(1, 128), fill(2, 128)],
            strides: [0, 1, 2].map(|plane| self.info.plane_size(plane).0 as usize),
        };
        let pts = index as f64 * self.info.frame_seconds();
        Ok(Some(VideoFrame::new(Box::new(planes), index, pts)))
    }

    fn rewind(&mut self) -> Result<(), VideoError> {
        self.next = 0;
        Ok(())
    }
}

/// Planes in vectors, for frames that no decoder made.
#[derive(Debug, Clone)]
pub struct OwnedPlanes {
    pub bytes: [Vec<u8>; 3],
    pub strides: [usize; 3],
}

impl Planes for OwnedPlanes {
    fn bytes(&self, plane: usize) -> &[u8] {
        &self.bytes[plane]
    }

    fn stride(&self, plane: usize) -> usize {
        self.strides[plane]
    }
}
