//! The external encoder: a child process that is fed coded frames by a pipe and
//! never outlives its owner.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};

use super::layout::Layout;
use crate::ffmpeg::{PROGRAM as ENCODER, Process, is_cut_off, last_words};

/// x264's constant rate factor unless asked otherwise. Soft edges come out
/// within about one level of their source, on average.
pub const DEFAULT_QUALITY: u8 = 18;

/// Seconds from one frame that stands by itself to the next, at most.
const KEYFRAME_SECONDS: u32 = 2;

/// What is encoded, and where to.
#[derive(Debug)]
pub struct Encoding<'a> {
    pub layout: &'a Layout,
    /// Frames a second.
    pub fps: u32,
    /// How many frames there are: sound ends with the last.
    pub frames: usize,
    /// x264's constant rate factor, 1 to 51: 0 is lossless, in a profile that phones do
    /// not play.
    pub quality: u8,
    pub audio: Option<&'a Path>,
    pub target: &'a Path,
}

/// Why there is no video. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    #[error(
        "videos are made by the program {ENCODER}, which is not on PATH; \
         install it with `sudo apt install {ENCODER}`"
    )]
    Missing,
    #[error("the program {ENCODER} cannot be run: {0}")]
    Unusable(io::Error),
    #[error("the encoder ended early{}", quoted(.0))]
    Failed(String),
}

fn quoted(words: &str) -> String {
    match words {
        "" => format!("; look whether {ENCODER} runs by itself"),
        words if words.contains("Unknown encoder") => {
            format!(", saying: {words} (a build of {ENCODER} with libx264 and aac is needed)")
        }
        words => format!(", saying: {words}"),
    }
}

/// A running encoder.
#[derive(Debug)]
pub struct Encoder {
    process: Process,
    input: Option<ChildStdin>,
    words: Option<JoinHandle<String>>,
}

impl Encoder {
    /// # Errors
    /// When the program is not there.
    pub fn start(encoding: &Encoding) -> Result<Self, EncoderError> {
        let mut command = Command::new(ENCODER);
        command
            .args(arguments(encoding))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let process = Process::start(&mut command).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => EncoderError::Missing,
            _ => EncoderError::Unusable(error),
        })?;
        let complaints = process.child().stderr.take();
        let complaints = complaints.expect("its complaints are piped");
        let input = process.child().stdin.take();
        Ok(Self {
            input,
            process,
            words: Some(thread::spawn(move || last_words(complaints))),
        })
    }

    /// Hands over the planes of the next coded frame; waits until they are
    /// taken.
    ///
    /// # Errors
    /// When the encoder has ended.
    pub fn frame(&mut self, coded: &[u8]) -> Result<(), EncoderError> {
        let input = self.input.as_mut().expect("only the end takes the input");
        input.write_all(coded).map_err(|_| {
            self.input = None;
            // It closed its input, so it is about to end.
            let _ = self.process.wait();
            EncoderError::Failed(self.said())
        })
    }

    /// Lets the encoder close its file.
    ///
    /// # Errors
    /// When the encoder could not.
    pub fn finish(mut self) -> Result<(), EncoderError> {
        self.input = None;
        let ended = self.process.wait();
        let said = self.said();
        match ended {
            Ok(status) if status.success() && !is_cut_off(&said) => Ok(()),
            _ => Err(EncoderError::Failed(said)),
        }
    }

    fn said(&mut self) -> String {
        self.words
            .take()
            .and_then(|words| words.join().ok())
            .unwrap_or_default()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.process.end();
        self.said();
    }
}

/// H.264 of planes that are ready: the encoder converts nothing and only says
/// what they are. The matrix is BT.601; primaries and transfer are those of the
/// sRGB pictures the frames came from.
fn arguments(encoding: &Encoding) -> Vec<OsString> {
    let Layout { width, height, .. } = encoding.layout;
    let size = format!("{width}x{height}");
    let rate = encoding.fps.to_string();
    let quality = encoding.quality.to_string();
    let keyframes = (encoding.fps * KEYFRAME_SECONDS).to_string();
    let seconds = encoding.frames as f64 / f64::from(encoding.fps);
    let mut words = split(
        "-hide_banner -nostdin -loglevel error -y -f rawvideo -pixel_format yuv420p -video_size",
    );
    words.extend(split(&format!("{size} -framerate {rate} -i pipe:0")));
    if let Some(audio) = encoding.audio {
        words.push("-i".into());
        words.push(file_url(audio));
        words.extend(split(&format!(
            "-map 0:v:0 -map 1:a:0 -af atrim=end={seconds:.6} -c:a aac -b:a 160k -ac 2 -ar 48000"
        )));
    }
    words.extend(split(&format!(
        "-vf setparams=range=limited:colorspace=smpte170m:color_primaries=bt709\
         :color_trc=iec61966-2-1 \
         -colorspace smpte170m -color_range tv -color_primaries bt709 -color_trc iec61966-2-1 \
         -chroma_sample_location left -c:v libx264 -preset slow -profile:v high -pix_fmt yuv420p \
         -crf {quality} -g {keyframes} -map_metadata -1 -movflags +faststart -f mp4"
    )));
    words.push(file_url(encoding.target));
    words
}

fn split(words: &str) -> Vec<OsString> {
    words.split_whitespace().map(OsString::from).collect()
}

/// A path that cannot be taken for an option or a protocol.
fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}
