//! A video of every frame, made as slowly as it takes: for recordings.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::codec::{self, Codec, Picture};
use super::draft::Draft;
use super::encoder::{self, ENCODER, Encoder, Job, LONG_CLOSING};
use super::{Finished, OutputError, Sink};
use crate::ffmpeg::{Process, is_cut_off, last_words};
use crate::render::present::Frame;

/// What to record, and how.
#[derive(Debug, Clone)]
pub struct FilmSettings {
    pub path: PathBuf,
    pub codec: Codec,
    /// Frames a second, above 0.
    pub rate: f64,
    /// The video to lie over; only for a codec without alpha.
    pub background: Option<PathBuf>,
    /// Raw sound that goes with it, stereo of 16 bits at 48 kHz; whole before the
    /// film is finished.
    pub sound: Option<PathBuf>,
}

/// Encodes each frame once, in order; whoever hands them over waits.
pub struct FilmSink {
    // Dropped before the drafts, whose files it writes.
    encoder: Option<Encoder>,
    /// The video by itself, until it has its sound.
    silent: Draft,
    draft: Draft,
    program: PathBuf,
    settings: FilmSettings,
    size: (u32, u32),
    frames: u64,
}

impl FilmSink {
    /// Looks for the encoder.
    ///
    /// # Errors
    /// When it is missing, or the path cannot be written.
    pub fn create(settings: FilmSettings) -> Result<Self, OutputError> {
        let program =
            encoder::find(None).ok_or(OutputError::EncoderMissing { program: ENCODER })?;
        Ok(Self {
            encoder: None,
            silent: Draft::staged(&settings.path, "silent")?,
            draft: Draft::of(&settings.path)?,
            program,
            settings,
            size: (0, 0),
            frames: 0,
        })
    }

    fn start(&self, size: (u32, u32)) -> Result<Encoder, OutputError> {
        let picture = Picture {
            codec: self.settings.codec,
            size,
            rate: self.settings.rate,
            background: self.settings.background.as_deref(),
        };
        Encoder::start(Job {
            program: &self.program,
            name: self.draft.name(),
            target: self.silent.temporary(),
            picture,
            closing: LONG_CLOSING,
        })
    }

    /// Puts picture and sound together.
    fn join(&self, sound: &Path) -> Result<(), OutputError> {
        let arguments = codec::joining(
            self.settings.codec,
            self.silent.temporary(),
            sound,
            self.draft.temporary(),
        );
        let failed = |said: String| OutputError::EncoderFailed {
            name: self.draft.name(),
            said,
        };
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let process = Process::start(&mut command).map_err(|error| failed(error.to_string()))?;
        let complaints = process.child().stderr.take();
        let said = last_words(complaints.expect("its complaints are piped"));
        let status = process.wait().map_err(|error| failed(error.to_string()))?;
        if status.success() && !is_cut_off(&said) {
            return Ok(());
        }
        Err(failed(said))
    }
}

impl Sink for FilmSink {
    fn name(&self) -> String {
        self.draft.name()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        let size = (frame.width, frame.height);
        if self.encoder.is_none() {
            self.encoder = Some(self.start(size)?);
            self.size = size;
        }
        if self.size != size {
            return Err(OutputError::SizeChanged {
                name: self.draft.name(),
                began: self.size,
                now: size,
            });
        }
        let encoder = self.encoder.as_mut().expect("it was just started");
        encoder.push(frame.pixels.clone(), 1)?;
        self.frames += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, OutputError> {
        let name = self.name();
        let Some(encoder) = self.encoder.take() else {
            return Ok(Finished {
                written: Vec::new(),
                warnings: vec![format!("{name} was not written: no frame came")],
            });
        };
        encoder.finish()?;
        let seconds = self.frames as f64 / self.settings.rate;
        let what = self.settings.codec.name();
        let mut written = format!("{name}: {} frames of {what}, {seconds:.1} s", self.frames);
        match &self.settings.sound {
            Some(sound) => {
                self.join(sound)?;
                self.draft.publish()?;
                written += ", with sound";
            }
            None => {
                drop(self.draft);
                self.silent.publish()?;
            }
        }
        Ok(Finished {
            written: vec![written],
            warnings: Vec::new(),
        })
    }
}
