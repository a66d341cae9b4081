//! A show drawn for a recording: frame by frame at a fixed step, as fast or as
//! slowly as the machine can, the same every time.
//!
//! The stage, the show and the session are those of a live run; the network is a
//! file ([`backend`]), the clock goes by the frame ([`stage`]), the sound is
//! pulled in step with it ([`sound`]), and the stage waits for its outputs: no
//! frame is left out, shown twice or late.

mod backend;
mod progress;
mod sound;
mod stage;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::adapter;
use super::tally::Tally;
use crate::cli::{FilmCodec, FilmPlan, RecordPlan, Recorded, Summary, load_stage_catalog};
use crate::output::{Codec, FilmSettings, FilmSink, OutputReport, Outputs, SequenceSink, Sink};
use crate::render::present::Readback;
use crate::showfile::ShowFile;

use backend::Backend;
use progress::Progress;
use sound::{Track, sound_frames};
use stage::Stage;

/// What follows the last spark, so that a cut does not come with it.
const TAIL: Duration = Duration::from_millis(500);
/// About how long the last gift plays, for the estimate of what is left.
const LAST_GIFT: Duration = Duration::from_secs(8);
/// After so long without anything on stage, what could come at any moment will not.
const STUCK: Duration = Duration::from_secs(60);

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// The show is over, and the stage empty.
    Over,
    /// It was asked for so much and no more.
    LongEnough,
    /// What waits does so for a host's word, and the file has none.
    Held,
    /// Nothing comes though something could.
    Stuck,
    Interrupted,
    /// Nobody takes frames any more.
    NoOutputs,
}

/// Records a show.
///
/// # Errors
/// What keeps it from beginning: a mistake in the show file, no adapter, an
/// unusable catalogue, an output that cannot be opened. Later, when an output
/// cannot be completed.
#[expect(
    clippy::disallowed_methods,
    reason = "a recording is told how fast it is"
)]
pub fn record(plan: RecordPlan) -> Result<Summary> {
    let mut tally = Tally::start();
    let show = ShowFile::open(&plan.show_file)?;
    let mut warnings = show.warnings().to_vec();
    let catalog = Arc::new(load_stage_catalog(&plan.catalog, &plan.show)?);
    let (mixer, mut track) = open_sound(&plan)?.unzip();
    let sinks = open_sinks(&plan, track.as_ref())?;
    let gpu = adapter::open()?;
    tally.adapter = Some(gpu.name.clone());
    let (backend, link) = Backend::open(show);
    let mut stage = Stage::open(&plan, gpu, catalog, link, mixer)?;
    stage.warm_up(|| plan.shutdown.is_requested())?;
    stage.begin(&plan);

    let outputs = Outputs::spawn(stage.frames(), sinks);
    let began = Instant::now();
    let mut recording = Recording {
        plan: &plan,
        stage,
        backend,
        track: track.as_mut(),
        frames: 0,
    };
    // What is not whole is not to be had; the outputs go before what feeds them.
    let end = match recording.run(&outputs, &mut tally, began) {
        Ok(end) => end,
        Err(error) => {
            drop(outputs);
            return Err(error);
        }
    };
    let took = began.elapsed();
    let Recording {
        mut stage,
        backend,
        frames,
        ..
    } = recording;
    let skipped = stage.world().resource::<Readback>().skipped();
    let mut summary = tally.summary(stage.world());
    let (acked, duplicates) = backend.counts();
    summary.gifts.acked = acked;
    if frames == 0 {
        drop(outputs);
        bail!("ended before the first frame; nothing was written");
    }
    let report = outputs.finish();
    check(&report, frames, skipped)?;
    let length = Duration::from_secs_f64(frames as f64 / f64::from(plan.fps));
    warnings.extend(remarks(end, length, &summary, duplicates));
    warnings.extend(report.warnings);
    summary.outputs = report.written;
    summary.warnings = warnings;
    summary.recorded = Some(Recorded {
        frames,
        fps: plan.fps,
        seconds: length.as_secs_f64(),
        times_real_time: length.as_secs_f64() / took.as_secs_f64().max(1e-9),
        is_whole: end == End::Over,
    });
    Ok(summary)
}

/// What is odd about how it ended.
fn remarks(end: End, length: Duration, summary: &Summary, duplicates: u64) -> Vec<String> {
    let mut remarks = Vec::new();
    let seconds = length.as_secs_f64();
    match end {
        End::Over | End::LongEnough | End::NoOutputs => {}
        End::Interrupted => remarks.push(format!(
            "ended by request after {seconds:.1} s of the show; what was written is whole up to there"
        )),
        End::Held => remarks.push(format!(
            "the show file ends while the show is paused or gifts are held; gifts that still \
             waited: {}",
            summary.gifts.waiting
        )),
        End::Stuck => remarks.push(format!(
            "nothing came on stage for {} s, and the recording ends there; gifts that still \
             waited: {}",
            STUCK.as_secs(),
            summary.gifts.waiting
        )),
    }
    if duplicates > 0 {
        remarks.push(format!(
            "{duplicates} gifts of the show file are there twice and were played once"
        ));
    }
    remarks
}

/// Whether every output has every frame.
fn check(report: &OutputReport, frames: u64, skipped: u64) -> Result<()> {
    if !report.failed.is_empty() {
        for written in &report.written {
            eprintln!("hyperfocus: written: {written}");
        }
        for warning in &report.warnings {
            eprintln!("hyperfocus: {warning}");
        }
        bail!("{} could not be written", report.failed.join(", "));
    }
    if skipped > 0 || report.frames != frames {
        bail!(
            "{frames} frames were drawn and {} came through; this is a bug, please report it",
            report.frames
        );
    }
    Ok(())
}

/// The mix and where it is written, where a video is to have sound.
fn open_sound(plan: &RecordPlan) -> Result<Option<(Arc<crate::sound::Mixer>, Track)>> {
    let video = plan.outputs.iter().find_map(|output| match output {
        FilmPlan::Film { path, .. } => Some(path),
        FilmPlan::Pictures(_) => None,
    });
    let Some(video) = video.filter(|_| !plan.sound.muted) else {
        return Ok(None);
    };
    let (mixer, mix) = crate::sound::mixer();
    Ok(Some((Arc::new(mixer), Track::create(mix, video)?)))
}

fn open_sinks(plan: &RecordPlan, track: Option<&Track>) -> Result<Vec<Box<dyn Sink + Send>>> {
    let open = |output: &FilmPlan| -> Result<Box<dyn Sink + Send>> {
        Ok(match output {
            FilmPlan::Pictures(pattern) => Box::new(SequenceSink::patterned(pattern)?),
            FilmPlan::Film { path, codec } => Box::new(FilmSink::create(FilmSettings {
                path: path.clone(),
                codec: encoded(*codec),
                rate: f64::from(plan.fps),
                background: plan.background.clone(),
                sound: track.map(Track::path),
            })?),
        })
    };
    plan.outputs
        .iter()
        .map(|output| open(output).with_context(|| format!("no {}", shown(output).display())))
        .collect()
}

fn encoded(codec: FilmCodec) -> Codec {
    match codec {
        FilmCodec::Vp9 => Codec::Vp9,
        FilmCodec::ProRes4444 => Codec::ProRes4444,
        FilmCodec::QuickTimeRle => Codec::QuickTimeRle,
        FilmCodec::OpaqueVp9 => Codec::OpaqueVp9,
        FilmCodec::H264 => Codec::H264,
    }
}

fn shown(output: &FilmPlan) -> &Path {
    match output {
        FilmPlan::Pictures(path) | FilmPlan::Film { path, .. } => path,
    }
}

struct Recording<'a> {
    plan: &'a RecordPlan,
    stage: Stage,
    backend: Backend,
    track: Option<&'a mut Track>,
    frames: u64,
}

impl Recording<'_> {
    #[expect(clippy::disallowed_methods, reason = "what a frame costs is real time")]
    fn run(&mut self, outputs: &Outputs, tally: &mut Tally, began: Instant) -> Result<End> {
        let mut progress = Progress::new();
        let mut lull = Lull::default();
        let step = self.moment(1);
        let end = loop {
            let now = self.moment(self.frames);
            if self.plan.shutdown.is_requested() {
                break End::Interrupted;
            }
            if self.plan.time_limit.is_some_and(|limit| now >= limit) {
                break End::LongEnough;
            }
            if outputs.open() == 0 {
                break End::NoOutputs;
            }
            let started = Instant::now();
            self.backend.say(now)?;
            self.stage.draw(now);
            self.backend.hear(now);
            self.frames += 1;
            if let Some(track) = &mut self.track {
                track.mix_until(sound_frames(self.frames, self.plan.fps))?;
            }
            tally.frame(self.stage.world(), started.elapsed());
            self.stage.make_room(outputs)?;
            progress.tell(now, self.estimate(), began.elapsed());

            let is_silent = self.track.as_ref().is_none_or(|track| track.is_silent());
            let now = Quiet {
                is_empty: self.backend.is_over() && self.stage.is_empty() && is_silent,
                is_still: self.backend.has_said_all() && self.stage.stands_still(),
                wakes_in: self.stage.wakes_in(now),
            };
            if let Some(end) = lull.goes_on(step, now) {
                break end;
            }
        };
        self.stage.flush(outputs)?;
        if let Some(track) = &mut self.track {
            track.finish(sound_frames(self.frames, self.plan.fps))?;
        }
        progress.close();
        Ok(end)
    }

    /// When a frame is drawn, to the nanosecond whatever the rate.
    fn moment(&self, frame: u64) -> Duration {
        let nanos = u128::from(frame) * 1_000_000_000 / u128::from(self.plan.fps);
        Duration::from_nanos(nanos as u64)
    }

    /// About how long the recording will be.
    fn estimate(&self) -> Duration {
        let whole = self.backend.length() + LAST_GIFT;
        self.plan.time_limit.map_or(whole, |limit| limit.min(whole))
    }
}

/// What one frame says of whether anything is still to come.
struct Quiet {
    /// The show is over, and nothing is seen or heard.
    is_empty: bool,
    /// All was said and nothing moves, though gifts may wait.
    is_still: bool,
    /// How soon something may come by itself; `None` where only a host's word helps.
    wakes_in: Option<Duration>,
}

/// For how long nothing has happened.
#[derive(Default)]
struct Lull {
    empty: Duration,
    still: Duration,
}

impl Lull {
    /// A frame of `step` later; how the recording ends, if it does now.
    fn goes_on(&mut self, step: Duration, now: Quiet) -> Option<End> {
        // What has its time yet to come is waited for, such as the end of a
        // sender's cool-down.
        let comes_later = now.wakes_in.is_some_and(|wait| !wait.is_zero());
        let longer = |span: Duration, lasts| if lasts { span + step } else { Duration::ZERO };
        self.empty = longer(self.empty, now.is_empty);
        self.still = longer(self.still, now.is_still && !comes_later);
        if self.empty >= TAIL {
            Some(End::Over)
        } else if self.still >= TAIL && now.wakes_in.is_none() {
            Some(End::Held)
        } else {
            (self.still >= STUCK).then_some(End::Stuck)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    /// A still stage on which something may come after `wakes_in`.
    fn still(wakes_in: Option<Duration>) -> Quiet {
        Quiet {
            is_empty: false,
            is_still: true,
            wakes_in,
        }
    }

    /// How many frames of `quiet` it takes to end, and how that is.
    fn ends(quiet: impl Fn() -> Quiet) -> Option<(u32, End)> {
        let mut lull = Lull::default();
        (1..=2_000).find_map(|frame| Some((frame, lull.goes_on(STEP, quiet())?)))
    }

    #[test]
    fn a_gift_whose_time_comes_later_is_waited_for() {
        assert_eq!(ends(|| still(Some(Duration::from_secs(1)))), None);
        // Its time has come and it does not: that is no pause.
        let stuck = ends(|| still(Some(Duration::ZERO)));
        assert_eq!(stuck, Some((600, End::Stuck)));
        assert_eq!(ends(|| still(None)), Some((5, End::Held)));
        let over = ends(|| Quiet {
            is_empty: true,
            ..still(None)
        });
        assert_eq!(over, Some((5, End::Over)));
    }

    #[test]
    fn only_what_is_held_is_called_held() {
        let mut summary = Summary::default();
        summary.gifts.waiting = 3;
        let told = |end| remarks(end, STEP, &summary, 0).join("; ");
        assert!(told(End::Held).contains("paused or gifts are held; gifts that still waited: 3"));
        let stuck = told(End::Stuck);
        assert!(stuck.contains("nothing came on stage for 60 s"), "{stuck}");
        assert!(stuck.ends_with("waited: 3"), "{stuck}");
        assert_eq!(told(End::Over), "");
    }
}
