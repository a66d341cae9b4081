//! Video with alpha: VP9 in WebM, at a constant frame rate.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::clock::Clock;
use super::codec::{Codec, Picture};
use super::draft::Draft;
use super::encoder::{self, ENCODER, Encoder, Job, PATIENCE};
use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// Seconds for which a frame is shown at most. A stage draws nothing while it is
/// idle, and nobody wants to watch that.
pub const IDLE: f64 = 2.0;

/// What happens to frames an encoder has no time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBehind {
    /// They are left out and counted; the one before is shown for longer. For
    /// shows that happen now, of which what there is is kept where the encoder fails.
    Drop,
    /// They wait, and with them all outputs. For shows drawn for the recording, which
    /// can be drawn again.
    Wait,
}

/// What to record, and how.
#[derive(Debug, Clone)]
pub struct WebmSettings {
    pub path: PathBuf,
    /// Frames a second, above 0.
    pub rate: f64,
    pub when_behind: WhenBehind,
    /// Whether a missing encoder is an error. Otherwise it is a warning in the
    /// log.
    pub required: bool,
    /// Folders to look for the encoder in, in PATH's form, instead of PATH.
    pub search: Option<OsString>,
}

impl WebmSettings {
    /// 30 frames a second of a show that happens now, with the encoder that is
    /// on PATH.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            rate: 30.0,
            when_behind: WhenBehind::Drop,
            required: true,
            search: None,
        }
    }
}

/// Records through an external encoder, which starts with the first frame.
pub struct WebmSink {
    // Dropped before the draft, whose file it writes.
    encoder: Option<Encoder>,
    draft: Draft,
    program: PathBuf,
    settings: WebmSettings,
    clock: Clock,
    size: (u32, u32),
    /// The last frame that came. How long it is shown is known with the next.
    pending: Option<Arc<Vec<u8>>>,
    /// Frames of video that were due and not taken; the next to be taken fills
    /// them, so that the video keeps time.
    owed: u64,
    /// Frames of video given up because the encoder was too far behind.
    lost: u64,
    /// Frames of video handed to the encoder.
    written: u64,
    /// Drawn frames that the encoder had no time for.
    dropped: u64,
    /// Whether anything was on stage in any frame.
    shows: bool,
}

impl WebmSink {
    /// Looks for the encoder. Without one and where it is not required: `None`,
    /// and a warning in the log.
    ///
    /// # Errors
    /// When the encoder is required and missing, or the path cannot be written.
    pub fn create(settings: WebmSettings) -> Result<Option<Self>, OutputError> {
        let Some(program) = encoder::find(settings.search.as_deref()) else {
            let missing = OutputError::EncoderMissing { program: ENCODER };
            if settings.required {
                return Err(missing);
            }
            tracing::warn!("{} is left out: {missing}", settings.path.display());
            return Ok(None);
        };
        let draft = match settings.when_behind {
            WhenBehind::Drop => Draft::of_a_live_show(&settings.path)?,
            WhenBehind::Wait => Draft::of(&settings.path)?,
        };
        Ok(Some(Self {
            encoder: None,
            draft,
            program,
            clock: Clock::new(settings.rate, IDLE),
            settings,
            size: (0, 0),
            pending: None,
            owed: 0,
            lost: 0,
            written: 0,
            dropped: 0,
            shows: false,
        }))
    }

    /// The encoder, started where this is the first frame.
    fn encoder(&mut self, size: (u32, u32)) -> Result<&mut Encoder, OutputError> {
        if self.encoder.is_none() {
            let encoder = Encoder::start(Job {
                program: &self.program,
                name: self.draft.name(),
                target: self.draft.temporary(),
                picture: Picture {
                    codec: Codec::LiveVp9,
                    size,
                    rate: self.settings.rate,
                    background: None,
                },
                closing: PATIENCE,
            })?;
            self.size = size;
            self.encoder = Some(encoder);
        }
        if self.size != size {
            return Err(OutputError::SizeChanged {
                name: self.draft.name(),
                began: self.size,
                now: size,
            });
        }
        Ok(self.encoder.as_mut().expect("it was just started"))
    }

    /// Hands `pixels` over to be shown for `due` frames of video.
    fn emit(
        &mut self,
        pixels: Arc<Vec<u8>>,
        due: u64,
        when_behind: WhenBehind,
    ) -> Result<(), OutputError> {
        let times = due + self.owed;
        if times == 0 {
            return Ok(());
        }
        let encoder = self.encoder(self.size)?;
        let taken = match when_behind {
            WhenBehind::Wait => encoder.push(pixels, times).map(|()| true)?,
            WhenBehind::Drop => encoder.offer(pixels, times)?,
        };
        if taken {
            self.written += times;
            self.owed = 0;
        } else {
            self.dropped += 1;
            self.owed = times.min((IDLE * self.settings.rate).ceil() as u64);
            self.lost += times - self.owed;
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame) -> Result<(), OutputError> {
        self.encoder((frame.width, frame.height))?;
        // Once something was seen nobody looks any more.
        self.shows = self.shows || frame.pixels.chunks_exact(4).any(|pixel| pixel[3] > 0);
        let due = self.clock.advance(frame.at);
        match self.pending.replace(frame.pixels.clone()) {
            Some(before) => self.emit(before, due, self.settings.when_behind),
            None => Ok(()),
        }
    }

    /// Has the encoder close its file after the `last` frame.
    fn close(&mut self, last: Arc<Vec<u8>>) -> Result<(), OutputError> {
        self.emit(last, 1, WhenBehind::Wait)?;
        match self.encoder.take() {
            Some(encoder) => encoder.finish(),
            None => Ok(()),
        }
    }

    /// What is left of it where it cannot go on: nothing of what can be drawn again.
    fn cut(&mut self, why: OutputError) -> OutputError {
        if self.settings.when_behind == WhenBehind::Wait {
            return why;
        }
        // It writes no more from here on.
        self.encoder = None;
        match self.draft.set_aside() {
            Ok(Some(kept)) => OutputError::Cut {
                why: Box::new(why),
                kept,
            },
            Ok(None) => why,
            Err(error) => {
                tracing::warn!("nothing of it can be kept: {error}");
                why
            }
        }
    }

    fn summary(&self) -> Finished {
        let name = self.draft.name();
        let rate = self.settings.rate;
        let seconds = self.written as f64 / rate;
        let mut written = format!("{name}: {} frames, {seconds:.1} s", self.written);
        let (cuts, cut_seconds) = self.clock.cuts();
        if cuts > 0 {
            written += &format!("; idle stretches shortened: {cuts}, by {cut_seconds:.1} s");
        }
        let mut warnings = Vec::new();
        if self.dropped > 0 {
            // What was made good is not missing, and nobody misses less than this.
            let and_short = match self.lost as f64 / rate {
                short if short < 0.05 => String::new(),
                short => format!(" and the video is {short:.1} s short"),
            };
            let frames = match self.dropped {
                1 => "1 frame".to_owned(),
                many => format!("{many} frames"),
            };
            warnings.push(format!(
                "{name}: the encoder had no time for {frames}{and_short}; a smaller stage or a \
                 lower frame rate helps"
            ));
        }
        if !self.shows {
            warnings.push(format!("{name}: nothing is to be seen in it"));
        }
        Finished {
            written: vec![written],
            warnings,
        }
    }
}

impl Sink for WebmSink {
    fn name(&self) -> String {
        self.draft.name()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        self.take(frame).map_err(|error| self.cut(error))
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, OutputError> {
        let Some(last) = self.pending.take() else {
            return Ok(Finished {
                written: Vec::new(),
                warnings: vec![format!("{} was not written: no frame came", self.name())],
            });
        };
        self.close(last).map_err(|error| self.cut(error))?;
        let finished = self.summary();
        self.draft.publish()?;
        Ok(finished)
    }
}
