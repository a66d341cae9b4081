//! A sound file, decoded whole and ready to play at any pitch of a streak.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lewton::VorbisError;
use lewton::inside_ogg::OggStreamReader;

use super::RATE;
use super::resample::resample;

/// Longest sound of one gift. No act lasts longer without looping, and a clip
/// of this length takes 20 MB. Longer files are refused.
pub const LONGEST_CLIP: Duration = Duration::from_secs(30);

/// Largest file read: thirty seconds at Vorbis' highest quality take 2 MB.
const LARGEST_FILE: u64 = 8 << 20;

/// Sample rates that recordings come in; others are damage.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// The last frames fade to zero, so a file cut at a loud sample does not
/// click: 2 ms.
const TAIL: usize = RATE as usize / 500;

/// A recording as interleaved stereo at [`RATE`].
///
/// Like a texture it has mipmaps: halves and quarters of its rate, filtered.
/// A streak two octaves up reads the quarter, so its treble does not fold
/// back as noise.
pub struct Clip {
    mips: [Box<[f32]>; 3],
    peak: f32,
    /// Where a streak's next gift strikes it, in frames at [`RATE`].
    strike: usize,
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clip")
            .field("frames", &self.frames())
            .field("peak", &self.peak)
            .finish()
    }
}

/// Why a sound file cannot be played, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error(
        "cannot read the sound {}: {error}; correct the path in the catalogue or put the file there",
        path.display()
    )]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "{path} is not an Ogg Vorbis file; convert it: ffmpeg -i {path} -vn -ac 2 -c:a libvorbis OUT.ogg",
        path = path.display()
    )]
    NotVorbis { path: PathBuf },
    #[error("the sound {} is cut off; copy or export it again", path.display())]
    Truncated { path: PathBuf },
    #[error("the sound {} is damaged ({error}); copy or export it again", path.display())]
    Damaged { path: PathBuf, error: VorbisError },
    #[error(
        "the sound {} is longer than {} s; shorten it: ffmpeg -i {} -t {} OUT.ogg",
        path.display(), LONGEST_CLIP.as_secs(), path.display(), LONGEST_CLIP.as_secs()
    )]
    TooLong { path: PathBuf },
    #[error(
        "the sound {path} has {channels} channels at {rate} Hz; mix it down: ffmpeg -i {path} -ac 2 -ar 48000 OUT.ogg",
        path = path.display()
    )]
    Layout {
        path: PathBuf,
        channels: u8,
        rate: u32,
    },
    #[error("the sound {} has no samples; export it again", path.display())]
    Empty { path: PathBuf },
}

impl Clip {
    /// Reads and decodes an Ogg Vorbis file, mono or stereo, at any rate from
    /// 8 to 192 kHz. Takes tens of milliseconds: not for a frame's thread.
    ///
    /// # Errors
    /// A [`ClipError`] that names the file and says what to do.
    pub fn load(path: &Path) -> Result<Arc<Self>, ClipError> {
        let bytes = read(path)?;
        let frames = match ending(&bytes) {
            Ending::Foreign => return Err(ClipError::NotVorbis { path: path.into() }),
            Ending::Missing => return Err(ClipError::Truncated { path: path.into() }),
            Ending::Whole { frames } => frames,
        };
        let (mut samples, rate, strike) = decode(path, bytes)?;
        // The decoder leaves the last block's padding on a file of few pages.
        let len = usize::try_from(frames.saturating_mul(2)).unwrap_or(usize::MAX);
        samples.truncate(len);
        if samples.is_empty() {
            return Err(ClipError::Empty { path: path.into() });
        }
        Ok(Arc::new(
            Self::from_samples(&samples, rate).struck_at(strike),
        ))
    }

    /// Makes a clip of interleaved stereo samples at `rate` hertz; what goes
    /// beyond [`LONGEST_CLIP`] is left off.
    ///
    /// # Panics
    /// If `rate` is zero.
    pub fn from_samples(samples: &[f32], rate: u32) -> Self {
        let longest = LONGEST_CLIP.as_secs() as usize * rate as usize * 2;
        let samples = &samples[..samples.len().min(longest) & !1];
        let mut full = resample(samples, rate, RATE);
        let frames = full.len() / 2;
        let tail = TAIL.min(frames);
        for (n, frame) in full[(frames - tail) * 2..].chunks_exact_mut(2).enumerate() {
            let gain = (tail - n - 1) as f32 / tail as f32;
            frame[0] *= gain;
            frame[1] *= gain;
        }
        let half = resample(&full, RATE, RATE / 2);
        let quarter = resample(&half, RATE / 2, RATE / 4);
        Self {
            peak: full.iter().fold(0.0, |peak, s| s.abs().max(peak)),
            mips: [full.into(), half.into(), quarter.into()],
            strike: 0,
        }
    }

    /// The same clip, of which a growing streak plays only what comes after
    /// `seconds`: a sound may take its time before its great moment, the
    /// second gift need not. What is not a time within the clip is its
    /// beginning.
    #[must_use]
    pub fn struck_at(mut self, seconds: f64) -> Self {
        let frame = seconds * f64::from(RATE);
        self.strike = if (0.0..self.frames() as f64).contains(&frame) {
            frame as usize
        } else {
            0
        };
        self
    }

    /// Frames at [`RATE`].
    pub fn frames(&self) -> usize {
        self.mips[0].len() / 2
    }

    /// How long it sounds at its own pitch.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.frames() as f64 / f64::from(RATE))
    }

    /// The highest magnitude of any sample; 1.0 is full scale.
    pub fn peak(&self) -> f32 {
        self.peak
    }

    /// Where a streak's next gift strikes it, in frames.
    pub(super) fn strike(&self) -> usize {
        self.strike
    }

    /// Interleaved stereo samples at `RATE >> mip`.
    pub(super) fn mip(&self, mip: usize) -> &[f32] {
        &self.mips[mip]
    }
}

/// The mipmap to read when a clip runs `ratio` times as fast. It changes
/// half-way between octaves: a little folding far above 16 kHz is less heard
/// than missing treble.
pub(super) fn mip_for(ratio: f64) -> usize {
    (ratio.log2().round() as usize).min(2)
}

fn read(path: &Path) -> Result<Vec<u8>, ClipError> {
    let unreadable = |error| ClipError::Unreadable {
        path: path.into(),
        error,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(ClipError::TooLong { path: path.into() });
    }
    Ok(bytes)
}

/// How an Ogg file ends.
enum Ending {
    /// It does not begin like an Ogg file.
    Foreign,
    /// The file stops before its stream does.
    Missing,
    /// The last page is complete and says that it is the last; the streams'
    /// last pages tell how many frames there are.
    Whole { frames: u64 },
}

/// Walks the Ogg pages (RFC 3533, section 6). The decoder takes a file cut
/// between pages for a whole one; only the end-of-stream flag tells.
fn ending(bytes: &[u8]) -> Ending {
    const HEADER: usize = 27;
    const LAST_PAGE: u8 = 0x04;
    if !bytes.starts_with(b"OggS") {
        return Ending::Foreign;
    }
    let mut rest = bytes;
    let mut last = false;
    let mut frames: u64 = 0;
    // Whatever follows the last page, such as a tagger's leavings, is not ours.
    while rest.starts_with(b"OggS") {
        let Some(&segments) = rest.get(HEADER - 1) else {
            return Ending::Missing;
        };
        let body_at = HEADER + usize::from(segments);
        let Some(lacing) = rest.get(HEADER..body_at) else {
            return Ending::Missing;
        };
        let body: usize = lacing.iter().map(|&len| usize::from(len)).sum();
        last = rest[5] & LAST_PAGE != 0;
        let Some(next) = rest.get(body_at + body..) else {
            return Ending::Missing;
        };
        if last {
            let granule = rest[6..14]
                .try_into()
                .expect("eight bytes of a whole header");
            frames = frames.saturating_add(u64::from_le_bytes(granule));
        }
        rest = next;
    }
    if last {
        Ending::Whole { frames }
    } else {
        Ending::Missing
    }
}

/// The comment that says where a streak strikes the sound, in seconds.
const STRIKE_TAG: &str = "STRIKE";

/// Interleaved stereo at the file's own rate, and where it is struck.
fn decode(path: &Path, bytes: Vec<u8>) -> Result<(Vec<f32>, u32, f64), ClipError> {
    let not_vorbis = |_| ClipError::NotVorbis { path: path.into() };
    let damaged = |error| ClipError::Damaged {
        path: path.into(),
        error,
    };
    let mut reader = OggStreamReader::new(Cursor::new(bytes)).map_err(not_vorbis)?;
    let channels = reader.ident_hdr.audio_channels;
    let rate = reader.ident_hdr.audio_sample_rate;
    let layout = || ClipError::Layout {
        path: path.into(),
        channels,
        rate,
    };
    if !(1..=2).contains(&channels) || !RATES.contains(&rate) {
        return Err(layout());
    }
    let longest = LONGEST_CLIP.as_secs() as usize * rate as usize * 2;
    let mut samples: Vec<f32> = Vec::new();
    while let Some(packet) = reader
        .read_dec_packet_generic::<Vec<Vec<f32>>>()
        .map_err(damaged)?
    {
        // A chained file may change its layout half-way.
        let same =
            reader.ident_hdr.audio_sample_rate == rate && packet.len() == usize::from(channels);
        if !same {
            return Err(layout());
        }
        let left = &packet[0];
        let right = packet.last().unwrap_or(left);
        samples.extend(left.iter().zip(right).flat_map(|(&l, &r)| [l, r]));
        if samples.len() > longest {
            return Err(ClipError::TooLong { path: path.into() });
        }
    }
    let strike = reader
        .comment_hdr
        .comment_list
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(STRIKE_TAG))
        .and_then(|(_, seconds)| seconds.trim().parse().ok())
        .unwrap_or(0.0);
    Ok((samples, rate, strike))
}
