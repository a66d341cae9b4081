//! The outputs that a plan asks for, opened.

use anyhow::Result;

use super::wake::Alarm;
use crate::cli::{OutputPlan, RunPlan};
use crate::output::{
    NutReaders, NutSink, PngSink, RawSink, SequenceSink, Sink, WebmSettings, WebmSink,
};

/// The outputs' thread's.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) sinks: Vec<Box<dyn Sink + Send>>,
    /// Of those sinks that only show: whoever reads them.
    pub(super) players: Vec<NutReaders>,
}

/// Opens every output, so that what cannot be written is known before the show.
///
/// # Errors
/// The first output that cannot be opened. A missing encoder that the plan can
/// do without is a warning instead.
pub(super) fn open(plan: &RunPlan, alarm: &Alarm, warnings: &mut Vec<String>) -> Result<Opened> {
    let Opened {
        mut sinks,
        mut players,
    } = Opened::default();
    for output in &plan.outputs {
        match output {
            OutputPlan::Png(path) => sinks.push(Box::new(PngSink::create(path)?)),
            OutputPlan::PngSequence(folder) => sinks.push(Box::new(SequenceSink::create(folder)?)),
            // It takes its frames from the GPU's buffers itself.
            OutputPlan::Obs { .. } => {}
            OutputPlan::Nut(address) => {
                let (size, alarm) = (plan.stage.size, alarm.clone());
                let sink =
                    NutSink::open(*address, (size.width, size.height), move || alarm.ring())?;
                eprintln!("{}", sink.obs_settings());
                players.push(sink.readers());
                sinks.push(Box::new(sink));
            }
            OutputPlan::Raw => sinks.push(Box::new(RawSink::stdout()?)),
            OutputPlan::Webm { path, required } => {
                let settings = WebmSettings {
                    rate: f64::from(plan.stage.fps.min(30)),
                    required: *required,
                    ..WebmSettings::new(path)
                };
                match WebmSink::create(settings)? {
                    Some(sink) => sinks.push(Box::new(sink)),
                    None => warnings.push(format!(
                        "{} was left out: install ffmpeg to get it",
                        path.display()
                    )),
                }
            }
        }
    }
    Ok(Opened { sinks, players })
}
