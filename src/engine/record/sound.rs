//! The sound of a recording: the mix, pulled in step with the frames.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::draft::Draft;
use crate::sound::{LATENCY, MixSource, RATE};

/// Writes interleaved stereo of 16 bits at [`RATE`] beside an output. The file
/// goes with its owner.
pub(super) struct Track {
    mix: MixSource,
    out: BufWriter<File>,
    draft: Draft,
    /// Frames pulled from the mix. What the limiter holds back is left out at
    /// the beginning and made up for at the end, so that a sound is where its
    /// picture is.
    pulled: u64,
    samples: Vec<f32>,
}

impl Track {
    /// The sound that will go into the video at `video`.
    pub(super) fn create(mix: MixSource, video: &Path) -> Result<Self> {
        let unwritable = || format!("cannot write the sound of {}", video.display());
        let draft = Draft::of(video, "sound").with_context(unwritable)?;
        let file = File::create(draft.temporary()).with_context(unwritable)?;
        Ok(Self {
            mix,
            out: BufWriter::new(file),
            draft,
            pulled: 0,
            samples: Vec::new(),
        })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.draft.temporary().to_owned()
    }

    pub(super) fn is_silent(&self) -> bool {
        self.mix.is_silent()
    }

    /// Mixes until frame `end` of the sound, counted from the beginning.
    pub(super) fn mix_until(&mut self, end: u64) -> Result<()> {
        let count = end.saturating_sub(self.pulled) as usize;
        self.samples.resize(count * 2, 0.0);
        self.mix.render(&mut self.samples);
        let early = (LATENCY as u64).saturating_sub(self.pulled) as usize;
        self.pulled += count as u64;
        for sample in self.samples.iter().skip(early * 2) {
            let level = (sample * f32::from(i16::MAX)).round() as i16;
            let written = self.out.write_all(&level.to_le_bytes());
            written.with_context(|| self.unwritable())?;
        }
        Ok(())
    }

    /// Ends the sound at frame `end`, to the sample.
    pub(super) fn finish(&mut self, end: u64) -> Result<()> {
        self.mix_until(end + LATENCY as u64)?;
        self.out.flush().with_context(|| self.unwritable())
    }

    fn unwritable(&self) -> String {
        format!(
            "cannot write the sound of {}; is the disk full?",
            self.draft.path().display()
        )
    }
}

/// Frames of sound that belong to the first `frames` of a video.
pub(super) fn sound_frames(frames: u64, fps: u32) -> u64 {
    (u128::from(frames) * u128::from(RATE) / u128::from(fps)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_and_frames_never_part() {
        for fps in [24, 25, 30, 50, 60, 144] {
            assert_eq!(sound_frames(u64::from(fps) * 3600, fps), 3600 * 48_000);
            let steps =
                (0..fps).map(|n| sound_frames(u64::from(n) + 1, fps) - sound_frames(n.into(), fps));
            assert_eq!(steps.sum::<u64>(), 48_000);
        }
    }

    #[test]
    fn a_track_is_as_long_as_its_video_to_the_sample() {
        let folder = tempfile::tempdir().unwrap();
        let (_mixer, mix) = crate::sound::mixer();
        let mut track = Track::create(mix, &folder.path().join("a.webm")).unwrap();
        for frame in 1..=31 {
            track.mix_until(sound_frames(frame, 30)).unwrap();
        }
        track.finish(sound_frames(31, 30)).unwrap();
        let bytes = std::fs::metadata(track.path()).unwrap().len();
        assert_eq!(bytes, 31 * 1600 * 4);
        drop(track);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
