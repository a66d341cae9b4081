//! Sound: any codec libav knows, resampled to 48 kHz stereo floats.

use std::path::{Path, PathBuf};

use ff::format::sample::{Sample, Type as Packing};
use ff::media::Type;
use ff::software::resampling::Context as Resampler;
use ff::{ChannelLayout, frame};
use ffmpeg_next as ff;

use super::super::audio::{AudioChunk, AudioSource, CHANNELS, SAMPLE_RATE};
use super::super::source::VideoError;
use super::{not_a_video, number, open_input, start_seconds};

const FLOATS: Sample = Sample::F32(Packing::Packed);

/// The longest stretch one packet may decode to, in samples per channel: two
/// seconds. Codecs give a few thousand.
const MAX_FRAME_SAMPLES: usize = 96_000;

/// What the resampler may hold back beyond the plain ratio, in samples.
const RESAMPLER_SLACK: usize = 256;

pub struct Decoder {
    path: PathBuf,
    input: ff::format::context::Input,
    decoder: ff::decoder::Audio,
    stream: usize,
    tick: f64,
    /// Seconds on the stream's clock at which the file begins.
    start: f64,
    resampler: Option<Resampler>,
    /// Reused for every stretch. It must be allocated before the resampler
    /// sees it: what does not fit an empty one is lost.
    resampled: frame::Audio,
    capacity: usize,
    /// Seconds at which the first sample is due, and samples given since.
    begin: f64,
    given: u64,
    stage: Stage,
}

/// How far the file has been read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reading,
    /// The file is at its end, the decoder is not.
    Draining,
    /// The decoder is at its end, the resampler holds a last few samples.
    Flushing,
    Ended,
}

impl Decoder {
    /// `None` when the file has no sound.
    pub fn open(path: &Path) -> Result<Option<Self>, VideoError> {
        let input = open_input(path)?;
        let Some(stream) = input.streams().best(Type::Audio) else {
            return Ok(None);
        };
        let decoder = ff::codec::Context::from_parameters(stream.parameters())
            .and_then(|context| context.decoder().audio())
            .map_err(|error| not_a_video(path, &format!("its sound cannot be decoded: {error}")))?;
        let (index, tick) = (stream.index(), number(stream.time_base()).unwrap_or(0.0));
        let start = start_seconds(&input);
        Ok(Some(Self {
            path: path.to_path_buf(),
            stream: index,
            tick,
            start,
            input,
            decoder,
            resampler: None,
            resampled: frame::Audio::empty(),
            capacity: 0,
            begin: 0.0,
            given: 0,
            stage: Stage::Reading,
        }))
    }

    /// The next frame out of the decoder; `None` once it is drained.
    fn decode(&mut self) -> Result<Option<frame::Audio>, VideoError> {
        let mut decoded = frame::Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => return Ok(Some(decoded)),
                Err(ff::Error::Eof) => return Ok(None),
                Err(ff::Error::Other { errno })
                    if errno == ff::error::EAGAIN && self.stage == Stage::Reading =>
                {
                    self.feed()?;
                }
                Err(error) => return Err(self.damaged(&error)),
            }
        }
    }

    fn feed(&mut self) -> Result<(), VideoError> {
        while let Some((stream, packet)) = self.input.packets().next() {
            if stream.index() == self.stream {
                return self
                    .decoder
                    .send_packet(&packet)
                    .map_err(|error| self.damaged(&error));
            }
        }
        self.stage = Stage::Draining;
        self.decoder
            .send_eof()
            .map_err(|error| self.damaged(&error))
    }

    fn resample(&mut self, decoded: &mut frame::Audio) -> Result<(), VideoError> {
        if decoded.channel_layout().is_empty() {
            decoded.set_channel_layout(ChannelLayout::default(i32::from(decoded.channels())));
        }
        if decoded.samples() > MAX_FRAME_SAMPLES || decoded.rate() == 0 {
            return Err(self.damaged(&ff::Error::InvalidData));
        }
        if self.resampler.is_none() {
            let made = Resampler::get(
                decoded.format(),
                decoded.channel_layout(),
                decoded.rate(),
                FLOATS,
                ChannelLayout::STEREO,
                SAMPLE_RATE,
            );
            self.resampler = Some(made.map_err(|error| self.damaged(&error))?);
            self.begin = decoded
                .timestamp()
                .map_or(0.0, |ticks| ticks as f64 * self.tick - self.start);
        }
        let needed = (decoded.samples() * SAMPLE_RATE as usize).div_ceil(decoded.rate() as usize)
            + RESAMPLER_SLACK;
        self.prepare(needed);
        let resampler = self.resampler.as_mut().expect("made above");
        resampler
            .run(decoded, &mut self.resampled)
            .map(|_delay| ())
            .map_err(|error| self.damaged(&error))
    }

    /// Makes room for `samples`, allocating only when there was less.
    fn prepare(&mut self, samples: usize) {
        if self.capacity < samples {
            self.resampled = frame::Audio::new(FLOATS, samples, ChannelLayout::STEREO);
            self.capacity = samples;
        }
        self.resampled.set_samples(self.capacity);
    }

    /// What the resampler put out, if anything.
    fn chunk(&mut self) -> Option<AudioChunk> {
        let count = self.resampled.samples();
        if count == 0 {
            return None;
        }
        let samples = self.resampled.plane::<f32>(0)[..count * usize::from(CHANNELS)].to_vec();
        let pts = self.begin + self.given as f64 / f64::from(SAMPLE_RATE);
        self.given += count as u64;
        Some(AudioChunk { pts, samples })
    }

    fn damaged(&self, error: &ff::Error) -> VideoError {
        VideoError::Damaged {
            path: self.path.clone(),
            frame: 0,
            reason: format!("its sound cannot be decoded: {error}"),
        }
    }
}

impl AudioSource for Decoder {
    fn next_chunk(&mut self) -> Result<Option<AudioChunk>, VideoError> {
        loop {
            match self.stage {
                Stage::Reading | Stage::Draining => match self.decode()? {
                    Some(mut decoded) => self.resample(&mut decoded)?,
                    None => {
                        self.stage = Stage::Flushing;
                        continue;
                    }
                },
                Stage::Flushing => {
                    let Some(resampler) = self.resampler.as_mut() else {
                        self.stage = Stage::Ended;
                        continue;
                    };
                    self.resampled.set_samples(self.capacity);
                    let flushed = resampler.flush(&mut self.resampled);
                    if let Err(error) = flushed {
                        return Err(self.damaged(&error));
                    }
                    if self.resampled.samples() == 0 {
                        self.stage = Stage::Ended;
                    }
                }
                Stage::Ended => return Ok(None),
            }
            if let Some(chunk) = self.chunk() {
                return Ok(Some(chunk));
            }
        }
    }
}
