//! The time that a frame shows.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::time::{TimeSystems, TimeUpdateStrategy};

use crate::render::particles::EffectPool;
use crate::stage::Director;

/// A gift moves on by no more than this from one frame to the next: three frames at
/// one a second, the slowest that can be asked for, and some. Bevy's own quarter of a
/// second would slow gifts down below four frames a second, but not their sound. What
/// is beyond it was no frame but a machine asleep, and gifts go on from where they were.
const LONGEST_STEP: Duration = Duration::from_millis(3_500);

/// The same on an empty stage. Nothing is there to move; but what this very frame
/// brings, its particles first, would be as old at once as the silence was long.
const FIRST_STEP: Duration = Duration::from_millis(16);

/// Has a frame's time be when it begins. Bevy by itself takes the time that its
/// renderer noted at the end of the frame before, which lies as far back as the stage
/// has slept: what arrives then would be dated to before the silence, and the next
/// frame would leap over it.
pub(super) fn install(app: &mut App) {
    app.add_systems(First, look.before(TimeSystems));
    let mut stage = app.world_mut().resource_mut::<Time<Virtual>>();
    stage.set_max_delta(LONGEST_STEP);
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the stage's clock comes from"
)]
fn look(
    mut strategy: ResMut<TimeUpdateStrategy>,
    mut stage: ResMut<Time<Virtual>>,
    director: Option<Res<Director>>,
    pool: Option<Res<EffectPool>>,
) {
    let is_empty = director.is_none_or(|director| director.is_bare())
        && pool.is_none_or(|pool| pool.in_use() == 0);
    let longest = match *strategy {
        // Whoever renders by a step of their own keeps to it.
        TimeUpdateStrategy::ManualDuration(_) => LONGEST_STEP,
        _ => {
            *strategy = TimeUpdateStrategy::ManualInstant(Instant::now());
            if is_empty { FIRST_STEP } else { LONGEST_STEP }
        }
    };
    stage.set_max_delta(longest);
}

#[cfg(test)]
mod tests {
    use bevy::time::{Real, TimePlugin, create_time_channels};

    use super::*;

    #[test]
    fn a_frame_after_a_silence_has_the_time_of_now() {
        let mut app = App::new();
        app.add_plugins(TimePlugin);
        install(&mut app);
        let (renderer, received) = create_time_channels();
        app.insert_resource(received);
        app.update();
        let before = app.world().resource::<Time<Real>>().elapsed();
        let end_of_the_frame_before = app.world().resource::<Time<Real>>().last_update();
        let end_of_the_frame_before = end_of_the_frame_before.expect("there was a frame");
        renderer.0.send(end_of_the_frame_before).unwrap();
        app.update();
        let silence = app.world().resource::<Time<Real>>().elapsed() - before;
        assert!(silence > Duration::ZERO, "the silence is not in it");
    }

    #[test]
    fn what_comes_after_a_silence_is_not_as_old_as_that() {
        let mut app = App::new();
        app.add_plugins(TimePlugin);
        install(&mut app);
        app.update();
        app.update();
        let stage = app.world().resource::<Time<Virtual>>();
        assert_eq!(stage.max_delta(), FIRST_STEP);
    }

    #[test]
    fn gifts_keep_their_pace_on_a_slow_stage_and_do_not_leap_over_a_sleep() {
        let mut app = App::new();
        app.add_plugins(TimePlugin);
        install(&mut app);
        let mut step = |seconds| {
            let step = Duration::from_secs(seconds);
            app.insert_resource(TimeUpdateStrategy::ManualDuration(step));
            app.update();
            app.world().resource::<Time<Virtual>>().delta()
        };
        // The first update only starts the clocks.
        step(1);
        for seconds in [1, 3] {
            assert_eq!(step(seconds), Duration::from_secs(seconds));
        }
        assert_eq!(step(24 * 60 * 60), LONGEST_STEP);
    }

    #[test]
    fn whoever_renders_by_steps_keeps_to_them() {
        let step = Duration::from_millis(40);
        let mut app = App::new();
        app.add_plugins(TimePlugin);
        install(&mut app);
        // A stage gets warm by the wall's clock.
        app.update();
        app.insert_resource(TimeUpdateStrategy::ManualDuration(step));
        for _ in 0..3 {
            app.update();
        }
        assert_eq!(app.world().resource::<Time<Real>>().delta(), step);
        assert_eq!(app.world().resource::<Time<Virtual>>().delta(), step);
    }
}
