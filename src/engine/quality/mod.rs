//! The governor at work: what frames take goes in, how much the picture may
//! cost comes out.
//!
//! A frame takes what the app's update takes, and no less than the GPU has been
//! at the frame before if it is not done with that one when this one is. Where
//! the CPU draws, the first is nearly all there is. On a GPU the second tells
//! that there is too much to do, but not how much time is left over; then the
//! governor finds out by giving back, more rarely each time that fails.

mod machine;

use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::render::render_resource::PollType;
use bevy::render::renderer::RenderDevice;

use super::adapter::Gpu;
use super::{app, stands_still};
use crate::cli::{QualityAccount, RunPlan, Start};
use crate::governor::{Change, Governor, Level, Wish, start_for};
use crate::render::present::Submitted;
use crate::render::{Quality, QualityWish, Warmup};
use machine::{Machine, Machines};

/// Frames that a machine is measured by; their median counts.
const MEASURED: u32 = 12;

/// What a run begins with.
pub(super) struct Settings {
    wish: Wish,
    /// The best picture of this adapter.
    best: Quality,
    /// What was measured earlier.
    known: Option<Duration>,
    /// Where to keep what is measured now, if anything is.
    measures: Option<(Machines, Machine)>,
    period: Duration,
}

impl Settings {
    pub(super) fn of(plan: &RunPlan, gpu: &Gpu) -> Self {
        let quality = plan.stage.quality;
        let machine = Machine {
            adapter: gpu.identity.clone(),
            size: plan.stage.size,
        };
        let is_asked = quality.wish == Wish::Auto && quality.start != Start::Full;
        let machines = is_asked.then(|| Machines::read(&plan.state_dir));
        let known = machines
            .as_ref()
            .filter(|_| quality.start == Start::Measured)
            .and_then(|machines| machines.cost(&machine));
        Self {
            wish: quality.wish,
            best: app::best(gpu.is_software),
            known,
            measures: machines
                .filter(|_| known.is_none())
                .map(|machines| (machines, machine)),
            period: Duration::from_secs_f64(1.0 / f64::from(plan.stage.fps)),
        }
    }
}

#[derive(Resource)]
struct Governing {
    governor: Governor,
    wish: Wish,
    best: Quality,
    measures: Option<(Machines, Machine)>,
    measured: Vec<Duration>,
    shed: u64,
    given_back: u64,
    /// Time with something on stage, by level.
    times: [Duration; Level::COUNT],
}

/// Puts the governor into the app.
pub(super) fn install(app: &mut App, settings: Settings) {
    let start = match (settings.wish, settings.known) {
        (Wish::Fixed(level), _) => level,
        (Wish::Auto, Some(cost)) => start_for(cost, settings.period),
        (Wish::Auto, None) => Level::ULTRA,
    };
    if settings.measures.is_some() {
        app.world_mut().resource_mut::<Warmup>().linger(MEASURED);
    }
    if start != Level::ULTRA {
        info!("quality begins at \"{start}\": {}", start.allows());
    }
    app.insert_resource(at(settings.best, start))
        .insert_resource(QualityWish(settings.wish))
        .insert_resource(Governing {
            governor: Governor::new(start),
            wish: settings.wish,
            best: settings.best,
            measures: settings.measures,
            measured: Vec::new(),
            shed: 0,
            given_back: 0,
            times: default(),
        });
}

/// The picture of a level on an adapter whose best is `best`.
fn at(best: Quality, level: Level) -> Quality {
    let allowed = level.allows();
    Quality {
        bloom_lines: best.bloom_lines.min(allowed.bloom_lines),
        particles: allowed.particles,
        scale: allowed.scale,
        ..best
    }
}

/// A frame that began at `started` took `cost`; at its full rate the stage has
/// one every `period`. Of those, every how many-th is to be drawn.
pub(super) fn frame(world: &mut World, started: Instant, cost: Duration, period: Duration) -> u32 {
    let cost = cost.max(behind(world, started).unwrap_or_default());
    world.resource_scope(|world, mut governing: Mut<Governing>| {
        let before = governing.governor.level();
        governing.heed(world.resource::<QualityWish>().0);
        let warmup = world.resource::<Warmup>();
        if !warmup.is_done() {
            if warmup.is_lingering() {
                governing.measured.push(cost);
            }
        } else if governing.measures.is_some() {
            governing.begin(period);
        } else if stands_still(world) {
            governing.governor.rest();
        } else {
            governing.judge(cost, period);
        }
        let level = governing.governor.level();
        if level != before {
            world.insert_resource(at(governing.best, level));
        }
        level.allows().every
    })
}

/// How long the GPU has been at a frame before the one that began at `started`,
/// if it still is.
fn behind(world: &World, started: Instant) -> Option<Duration> {
    let device = world.get_resource::<RenderDevice>()?;
    if let Err(error) = device.poll(PollType::Poll) {
        debug!("the GPU does not answer: {error}");
    }
    world.resource::<Submitted>().age(started)
}

impl Governing {
    /// Does what is asked for from now on.
    fn heed(&mut self, wish: Wish) {
        if wish == self.wish {
            return;
        }
        self.wish = wish;
        let level = match wish {
            Wish::Fixed(level) => level,
            Wish::Auto => self.governor.level(),
        };
        info!("quality is {level} now, as asked for: {}", level.allows());
        self.governor = Governor::new(level);
    }

    /// The stage is warm: begins where the measure says, and keeps it.
    fn begin(&mut self, period: Duration) {
        let Some((mut machines, machine)) = self.measures.take() else {
            return;
        };
        self.measured.sort_unstable();
        let Some(&cost) = self.measured.get(self.measured.len() / 2) else {
            return;
        };
        let level = start_for(cost, period);
        info!(
            "measured: a busy frame takes this machine {:.1} ms; quality begins at \"{level}\"",
            cost.as_secs_f64() * 1e3
        );
        if self.wish == Wish::Auto {
            self.governor = Governor::new(level);
        }
        machines.keep(machine, cost);
    }

    fn judge(&mut self, cost: Duration, period: Duration) {
        let level = self.governor.level();
        self.times[level.index()] += cost.max(period * level.allows().every);
        if self.wish != Wish::Auto {
            return;
        }
        if let Some(change) = self.governor.frame(cost, period) {
            if change.is_shedding() {
                self.shed += 1;
            } else {
                self.given_back += 1;
            }
            tell(&change);
        }
    }
}

fn tell(change: &Change) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let Change { from, to, .. } = change;
    let why = if change.is_shedding() {
        "there is more to draw than time for it"
    } else {
        "there has been time to spare"
    };
    info!(
        "quality {from} -> {to}: {why} ({:.1} ms a frame of {:.1} ms); now {}",
        ms(change.cost),
        ms(change.budget),
        to.allows()
    );
}

/// What the governor did, for the summary; nothing where there is none.
pub(super) fn account(world: &World) -> QualityAccount {
    let Some(governing) = world.get_resource::<Governing>() else {
        return QualityAccount::default();
    };
    let spent = |level: Level| {
        let time = governing.times[level.index()];
        (!time.is_zero()).then(|| (level.to_string(), time.as_secs_f64()))
    };
    QualityAccount {
        is_auto: governing.wish == Wish::Auto,
        level: governing.governor.level().to_string(),
        shed: governing.shed,
        given_back: governing.given_back,
        seconds: Level::all().filter_map(spent).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(16);

    fn governing(wish: Wish) -> Governing {
        Governing {
            governor: Governor::new(Level::ULTRA),
            wish,
            best: Quality::FRUGAL,
            measures: None,
            measured: Vec::new(),
            shed: 0,
            given_back: 0,
            times: default(),
        }
    }

    fn seconds_of(governing: &mut Governing, cost: Duration, seconds: u32) {
        for _ in 0..Duration::from_secs(seconds.into()).as_millis() / cost.as_millis() {
            governing.judge(cost, PERIOD);
        }
    }

    #[test]
    fn what_is_asked_for_holds_from_the_next_frame_on() {
        let mut governing = governing(Wish::Auto);
        seconds_of(&mut governing, PERIOD * 5, 10);
        assert_eq!(governing.governor.level(), Level::LEAST);
        assert!(governing.shed > 0);

        governing.heed(Wish::Fixed(Level::HIGH));
        assert_eq!(governing.governor.level(), Level::HIGH);
        let shed = governing.shed;
        seconds_of(&mut governing, PERIOD * 5, 10);
        assert_eq!(governing.governor.level(), Level::HIGH);
        assert_eq!(governing.shed, shed);

        // Left to itself again it goes on from there.
        governing.heed(Wish::Auto);
        assert_eq!(governing.governor.level(), Level::HIGH);
        seconds_of(&mut governing, PERIOD * 5, 2);
        assert!(governing.governor.level() > Level::HIGH);
    }

    #[test]
    fn an_adapters_best_is_the_most_that_any_level_has() {
        let everything = at(Quality::FRUGAL, Level::ULTRA);
        assert_eq!(everything, Quality::FRUGAL);
        assert_eq!(at(Quality::FULL, Level::ULTRA), Quality::FULL);
        for level in Level::all() {
            assert!(at(Quality::FRUGAL, level).bloom_lines <= Quality::FRUGAL.bloom_lines);
        }
    }
}
