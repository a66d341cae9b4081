//! Driving the stage without a window: frames at their rate while something
//! plays, sleep while nothing does.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bevy::app::{App, PluginsState};
use bevy::prelude::World;
use bevy::tasks::tick_global_task_pools_on_main_thread;
use bevy::time::{Real, Time};

use super::tally::Tally;
use super::wake::Alarm;
use super::{CLEAN_FRAMES, LONGEST_SLEEP, Rest, graphics, quality, rest};
use crate::cli::RunPlan;
use crate::output::{ObsPace, Outputs};
use crate::session::ConnectionState;
use crate::stage::{Connected, Director};

/// Whether the session ended without our asking, will not begin again, and all
/// that came of it has played or never will: nobody is left who could resume it.
fn is_over(world: &World) -> bool {
    let connected = &world.resource::<Connected>().0;
    let director = world.resource::<Director>();
    // What the host held back or did not want disturbed by waits for a word that
    // cannot come.
    let waits_in_vain = || {
        let now = world.resource::<Time<Real>>().elapsed();
        director.is_bare() && director.show.next_wake(now).is_none()
    };
    matches!(connected, Some(ConnectionState::Stopped(Some(_))))
        && (director.is_idle() || director.show.is_held() || waits_in_vain())
}

/// Runs the app until its time is up or its end is asked for.
///
/// # Errors
/// When the backend ended the session for good, or the graphics card failed.
#[expect(
    clippy::disallowed_methods,
    reason = "the frame loop owns the clock that paces it"
)]
pub(super) fn drive(
    app: &mut App,
    plan: &RunPlan,
    pace: &ObsPace,
    alarm: &Alarm,
    outputs: &Outputs,
    tally: &mut Tally,
) -> Result<()> {
    while app.plugins_state() == PluginsState::Adding {
        tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    let own = Duration::from_secs_f64(1.0 / f64::from(plan.stage.fps));
    let deadline = plan.time_limit.map(|limit| tally.launched + limit);
    let mut next_frame = Instant::now();
    let mut clean = 0;
    loop {
        let started = Instant::now();
        if plan.shutdown.is_requested() || deadline.is_some_and(|end| started >= end) {
            return Ok(());
        }
        app.update();
        graphics::check(app.world())?;
        let cost = started.elapsed();
        tally.frame(app.world_mut(), cost);
        let period = pace.period(own);
        let every = quality::frame(app.world_mut(), started, cost, period);
        // The reason is in the log; whoever supervises us sees the exit code.
        ensure!(
            !is_over(app.world()),
            "the session with the backend is over for good, for the reason logged above"
        );
        let rest = rest(app.world_mut(), outputs);
        clean = if rest == Rest::Busy { 0 } else { clean + 1 };
        let left = deadline.map_or(LONGEST_SLEEP, |end| {
            end.saturating_duration_since(Instant::now())
        });
        match rest {
            Rest::Until(sleep) if clean > CLEAN_FRAMES => {
                let sleep = sleep.min(left).min(LONGEST_SLEEP);
                pace.rests(sleep);
                alarm.sleep(sleep);
                next_frame = Instant::now();
            }
            Rest::Busy | Rest::Until(_) => {
                next_frame += period * every;
                let now = Instant::now();
                if next_frame > now {
                    let sleep = (next_frame - now).min(left);
                    pace.rests(sleep);
                    std::thread::sleep(sleep);
                } else {
                    // Frames that were missed are not made up for.
                    next_frame = now;
                }
            }
        }
    }
}
