//! What a gift costs: every frame of its life, drawn and waited for.

use std::time::Duration;

use anyhow::Result;

use super::pictures::{Performance, STEP};
use super::timeline::Timeline;
use crate::cli::print_line;
use crate::config::Size;
use crate::engine::Rehearsal;

pub(super) fn print_head(size: Size) -> Result<()> {
    print_line(format_args!(
        "a frame at {}x{} in ms: from beginning to end, and of processor time in all threads",
        size.width, size.height
    ))?;
    print_line(format_args!(
        "{:<16} {:>6} {:>7} {:>7} {:>7}   {:>8} {:>9}   pipelines",
        "gift", "frames", "mean", "p95", "worst", "cpu mean", "cpu worst"
    ))
}

/// Plays the gift through and prints its line.
pub(super) fn measure(gift: &str, rehearsal: &mut Rehearsal, timeline: &Timeline) -> Result<()> {
    let mut play = Performance::begin(rehearsal, timeline)?;
    let mut frames = Vec::new();
    while play.is_on() {
        play.say_what_is_due();
        frames.push(play.rehearsal().costed_step(STEP)?);
    }
    let pipelines = play.rehearsal().pipelines_since_warm();
    let mut walls: Vec<_> = frames.iter().map(|frame| frame.wall).collect();
    let mut busy: Vec<_> = frames.iter().map(|frame| frame.cpu).collect();
    walls.sort();
    busy.sort();
    print_line(format_args!(
        "{gift:<16} {:>6} {:>7.1} {:>7.1} {:>7.1}   {:>8.1} {:>9.1}   {pipelines}",
        walls.len(),
        mean(&walls),
        at_share(&walls, 0.95),
        at_share(&walls, 1.0),
        mean(&busy),
        at_share(&busy, 1.0),
    ))
}

fn mean(times: &[Duration]) -> f64 {
    let total: Duration = times.iter().sum();
    total.as_secs_f64() * 1e3 / times.len().max(1) as f64
}

/// Of sorted times, in milliseconds.
fn at_share(times: &[Duration], share: f64) -> f64 {
    let index = ((times.len() as f64 * share).ceil() as usize).max(1) - 1;
    times
        .get(index)
        .map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
