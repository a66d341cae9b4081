//! A preview as a film: every frame of some seconds, however long each takes.

use std::sync::Arc;

use anyhow::{Result, ensure};
use image::{DynamicImage, RgbImage};

use super::ground;
use super::pictures::{Performance, STEP};
use super::timeline::Timeline;
use crate::cli::{PicturePlan, print_line};
use crate::engine::Rehearsal;
use crate::output::{SequenceSink, Sink, WebmSettings, WebmSink, WhenBehind};
use crate::render::present::Frame;

/// Frames drawn at the end so that the last one's pixels arrive.
pub(super) const LAST: u32 = 3;

/// Writes the films that the plan asks for; over `ground`, or transparent.
pub(super) fn record(
    plan: &PicturePlan,
    ground: Option<&RgbImage>,
    rehearsal: &mut Rehearsal,
    timeline: &Timeline,
) -> Result<()> {
    let mut films = Films {
        sinks: open(plan)?,
        ground,
    };
    let step = STEP.as_secs_f32();
    let length = plan.seconds.map_or(timeline.end, |seconds| seconds as f32);
    let frames = (length / step).round() as u32;
    let mut drawn = 0;
    while drawn < frames {
        let mut play = Performance::begin(rehearsal, timeline)?;
        // One that begins again does so from an empty stage.
        while drawn < frames && play.is_on() {
            ensure!(
                !plan.shutdown.is_requested(),
                "ended by request; no film was written"
            );
            play.rehearsal().film(true, drawn as f32 * step);
            play.step();
            drawn += 1;
            films.take(play.rehearsal())?;
        }
        let rehearsal = play.rehearsal();
        rehearsal.film(false, 0.0);
        for _ in 0..LAST {
            rehearsal.step(std::time::Duration::ZERO);
            films.take(rehearsal)?;
        }
    }
    films.finish()
}

fn open(plan: &PicturePlan) -> Result<Vec<Box<dyn Sink>>> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if let Some(path) = &plan.webm {
        let settings = WebmSettings {
            rate: STEP.as_secs_f64().recip().round(),
            required: true,
            // There is no show that would be held up.
            when_behind: WhenBehind::Wait,
            ..WebmSettings::new(path)
        };
        sinks.extend(WebmSink::create(settings)?.map(|sink| Box::new(sink) as Box<dyn Sink>));
    }
    if let Some(folder) = &plan.png_sequence {
        sinks.push(Box::new(SequenceSink::replace(folder)?));
    }
    Ok(sinks)
}

struct Films<'a> {
    sinks: Vec<Box<dyn Sink>>,
    ground: Option<&'a RgbImage>,
}

impl Films<'_> {
    /// Hands on what has been read back, once the frame has been drawn.
    fn take(&mut self, rehearsal: &mut Rehearsal) -> Result<()> {
        for frame in rehearsal.develop()? {
            let frame = match self.ground {
                Some(ground) => laid(&frame, ground),
                None => frame,
            };
            for sink in &mut self.sinks {
                sink.frame(&frame)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        for sink in self.sinks {
            let finished = sink.finish()?;
            for line in finished.written {
                print_line(line)?;
            }
            for line in finished.warnings {
                eprintln!("hyperfocus: warning: {line}");
            }
        }
        Ok(())
    }
}

fn laid(frame: &Frame, ground: &RgbImage) -> Frame {
    let picture = DynamicImage::ImageRgb8(ground::lay(frame, ground));
    Frame {
        pixels: Arc::new(picture.into_rgba8().into_raw()),
        ..frame.clone()
    }
}
