//! The outputs that a plan asks for, opened.

use anyhow::Result;

use crate::cli::{OutputPlan, RunPlan};
use crate::output::{PngSink, RawSink, SequenceSink, Sink, WebmSettings, WebmSink};

/// Opens every output, so that what cannot be written is known before the show.
///
/// # Errors
/// The first output that cannot be opened. A missing encoder that the plan can
/// do without is a warning instead.
pub(super) fn open(
    plan: &RunPlan,
    warnings: &mut Vec<String>,
) -> Result<Vec<Box<dyn Sink + Send>>> {
    let mut sinks: Vec<Box<dyn Sink + Send>> = Vec::new();
    for output in &plan.outputs {
        match output {
            OutputPlan::Png(path) => sinks.push(Box::new(PngSink::create(path)?)),
            OutputPlan::PngSequence(folder) => sinks.push(Box::new(SequenceSink::create(folder)?)),
            // They take their frames from the GPU's buffers themselves, or none.
            OutputPlan::Obs { .. }
            | OutputPlan::Overlay { .. }
            | OutputPlan::Nut(_)
            | OutputPlan::Show(_) => {}
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
    Ok(sinks)
}
