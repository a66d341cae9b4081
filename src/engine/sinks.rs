//! The outputs that a plan asks for, opened.

use std::collections::HashMap;

use anyhow::Result;

use crate::catalog::Catalog;
use crate::cli::{OutputPlan, RunPlan};
use crate::output::{
    Label, PngSink, RawSink, SequenceSink, SheetSettings, SheetSink, Sink, WebmSettings, WebmSink,
};
use crate::render::caption::{Rgba, TextPainter, TextStyle};

/// Opens every output, so that what cannot be written is known before the show.
///
/// # Errors
/// The first output that cannot be opened. A missing encoder that the plan can
/// do without is a warning instead.
pub(super) fn open(
    plan: &RunPlan,
    catalog: &Catalog,
    warnings: &mut Vec<String>,
) -> Result<Vec<Box<dyn Sink + Send>>> {
    let mut sinks: Vec<Box<dyn Sink + Send>> = Vec::new();
    for output in &plan.outputs {
        match output {
            OutputPlan::Png(path) => sinks.push(Box::new(PngSink::create(path)?)),
            OutputPlan::PngSequence(folder) => sinks.push(Box::new(SequenceSink::create(folder)?)),
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
            OutputPlan::ContactSheet(path) => {
                let recipes = || catalog.gifts.values().chain([&catalog.fallback]);
                let mut painter = TextPainter::new();
                sinks.push(Box::new(SheetSink::create(SheetSettings {
                    path: path.clone(),
                    tags: recipes().map(|recipe| recipe.key.to_string()).collect(),
                    labels: recipes()
                        .map(|recipe| {
                            let label = label(&mut painter, &recipe.name);
                            (recipe.key.to_string(), label)
                        })
                        .collect::<HashMap<_, _>>(),
                })?));
            }
        }
    }
    Ok(sinks)
}

/// A gift's name beneath its tile.
fn label(painter: &mut TextPainter, name: &str) -> Label {
    let style = TextStyle::new(24.0).bold().colour(Rgba {
        r: 226,
        g: 229,
        b: 238,
        a: 255,
    });
    let picture = painter.paint_line(&style, name).into_straight();
    Label {
        width: picture.width,
        height: picture.height,
        pixels: picture.rgba,
    }
}
