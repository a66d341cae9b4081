//! The time that a frame shows.

use std::time::Instant;

use bevy::prelude::*;
use bevy::time::{TimeSystems, TimeUpdateStrategy};

/// Has a frame's time be when it begins. Bevy by itself takes the time that its
/// renderer noted at the end of the frame before, which lies as far back as the stage
/// has slept: what arrives then would be dated to before the silence, and the next
/// frame would leap over it.
pub(super) fn install(app: &mut App) {
    app.add_systems(First, look.before(TimeSystems));
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the stage's clock comes from"
)]
fn look(mut strategy: ResMut<TimeUpdateStrategy>) {
    // Whoever renders by a step of their own keeps to it.
    if !matches!(*strategy, TimeUpdateStrategy::ManualDuration(_)) {
        *strategy = TimeUpdateStrategy::ManualInstant(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn whoever_renders_by_steps_keeps_to_them() {
        let step = Duration::from_millis(40);
        let mut app = App::new();
        app.add_plugins(TimePlugin)
            .insert_resource(TimeUpdateStrategy::ManualDuration(step));
        install(&mut app);
        for _ in 0..3 {
            app.update();
        }
        assert_eq!(app.world().resource::<Time<Real>>().delta(), step);
    }
}
