//! What a gift costs: every frame of its life, drawn and waited for.

use std::time::{Duration, Instant};

use anyhow::Result;
use bevy::render::render_resource::PollType;
use bevy::render::renderer::RenderDevice;
use cpu_time::ProcessTime;

use super::pictures::Performance;
use super::timeline::Timeline;
use crate::config::Size;
use crate::engine::Rehearsal;
use crate::render::{Pipelines, Warmup};

pub(super) fn print_head(size: Size) {
    println!(
        "a frame at {}x{} in ms: from beginning to end, and of processor time in all threads",
        size.width, size.height
    );
    println!(
        "{:<16} {:>6} {:>7} {:>7} {:>7}   {:>8} {:>9}   pipelines",
        "gift", "frames", "mean", "p95", "worst", "cpu mean", "cpu worst"
    );
}

/// Plays the gift through and prints its line.
#[expect(clippy::disallowed_methods, reason = "what a frame costs is real time")]
pub(super) fn measure(gift: &str, rehearsal: &mut Rehearsal, timeline: &Timeline) -> Result<()> {
    let mut play = Performance::begin(rehearsal, timeline)?;
    let mut walls: Vec<Duration> = Vec::new();
    let mut busy: Vec<Duration> = Vec::new();
    while play.is_on() {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        play.step();
        let device = play.rehearsal().world().resource::<RenderDevice>().clone();
        device.poll(PollType::wait_indefinitely())?;
        walls.push(wall.elapsed());
        busy.push(cpu.elapsed());
    }
    let world = play.rehearsal().world();
    let pipelines = world
        .resource::<Warmup>()
        .pipelines_since(world.resource::<Pipelines>());
    walls.sort();
    busy.sort();
    println!(
        "{gift:<16} {:>6} {:>7.1} {:>7.1} {:>7.1}   {:>8.1} {:>9.1}   {pipelines}",
        walls.len(),
        mean(&walls),
        at_share(&walls, 0.95),
        at_share(&walls, 1.0),
        mean(&busy),
        at_share(&busy, 1.0),
    );
    Ok(())
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
