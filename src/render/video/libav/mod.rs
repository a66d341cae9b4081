//! Decoding through the system's libav.
//!
//! Files are opened as local files and nothing else, with the few container
//! formats and codecs that gifts come in: a playlist or a URL inside a
//! download never makes libav fetch anything.

mod sound;
mod video;

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Once};

use ffmpeg_next as ff;

use super::audio::AudioSource;
use super::boxes::{self, Walk, WalkError};
use super::layout::{Halves, Layout};
use super::player::Opened;
use super::source::{VideoError, VideoSource as _};
use super::vapc::{self, VapcError};

/// Demuxers that may be used, by libav's names.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm";

/// Opens a video and finds out what its frames hold: by its `vapc` box, or by
/// `halves` if it has none.
///
/// # Errors
/// See [`VideoError`]. A file that is cut short is refused here, before a
/// frame of it plays.
pub fn open(path: &Path, halves: Halves) -> Result<Opened, VideoError> {
    let description = read_description(path)?;
    let source = video::Decoder::open(path)?;
    let info = source.info();
    let layout = match description {
        Some(json) => vapc::parse(&json, info).map_err(|problem| VideoError::Vapc {
            path: path.to_path_buf(),
            problem,
        })?,
        None => Layout::halves(halves, info),
    };
    Ok(Opened {
        source: Box::new(source),
        layout: Arc::new(layout),
    })
}

/// Opens a file's sound; `None` when it has none.
///
/// # Errors
/// See [`VideoError`].
pub fn open_sound(path: &Path) -> Result<Option<Box<dyn AudioSource>>, VideoError> {
    let decoder = sound::Decoder::open(path)?;
    Ok(decoder.map(|decoder| Box::new(decoder) as Box<dyn AudioSource>))
}

fn read_description(path: &Path) -> Result<Option<Vec<u8>>, VideoError> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => VideoError::Missing(path.to_path_buf()),
        _ => unreadable(path, &error.to_string()),
    })?;
    let path = path.to_path_buf();
    match boxes::find_box(&mut file, vapc::BOX_TYPE, vapc::MAX_BYTES) {
        Ok(Walk::NotMp4) => Ok(None),
        Ok(Walk::Mp4(description)) => Ok(description),
        Err(WalkError::Truncated(missing)) => Err(VideoError::Truncated { path, missing }),
        Err(WalkError::Io(error)) => Err(unreadable(&path, &error.to_string())),
        Err(error @ WalkError::TooLarge(..)) => Err(VideoError::Vapc {
            path,
            problem: VapcError::Json(error.to_string()),
        }),
        Err(error @ WalkError::Damaged(_)) => Err(VideoError::NotAVideo {
            path,
            reason: error.to_string(),
        }),
    }
}

/// Opens the container.
fn open_input(path: &Path) -> Result<ff::format::context::Input, VideoError> {
    // Our own words go to our own log; libav's chatter about damaged files
    // would go to stderr past it.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| ff::log::set_level(ff::log::Level::Fatal));
    let Some(name) = path.to_str().filter(|name| !name.contains('\0')) else {
        return Err(unreadable(path, "its name is not UTF-8"));
    };
    let mut options = ff::Dictionary::new();
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", FORMATS);
    ff::format::input_with_dictionary(&format!("file:{name}"), options).map_err(|error| match error
    {
        ff::Error::Other { errno } if errno == ff::error::ENOENT => {
            VideoError::Missing(path.to_path_buf())
        }
        ff::Error::Other { errno } if errno != ff::error::EINVAL => {
            unreadable(path, &error.to_string())
        }
        _ => not_a_video(path, &error.to_string()),
    })
}

fn unreadable(path: &Path, reason: &str) -> VideoError {
    VideoError::Unreadable {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    }
}

fn not_a_video(path: &Path, reason: &str) -> VideoError {
    VideoError::NotAVideo {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    }
}

/// Seconds on the file's clock at which its first stream begins: what all its
/// streams are counted from, so that sound and picture keep their distance.
fn start_seconds(input: &ff::format::context::Input) -> f64 {
    input
        .streams()
        .filter(|stream| stream.start_time() != ff::ffi::AV_NOPTS_VALUE)
        .filter_map(|stream| Some(stream.start_time() as f64 * number(stream.time_base())?))
        .reduce(f64::min)
        .unwrap_or(0.0)
}

/// A rate or a time base as a number; `None` when it is 0 or undefined.
fn number(rational: ff::Rational) -> Option<f64> {
    let (num, den) = (rational.numerator(), rational.denominator());
    (num > 0 && den > 0).then(|| f64::from(num) / f64::from(den))
}
