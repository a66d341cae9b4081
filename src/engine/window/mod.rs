//! Driving the stage through the window system: it owns the loop, and is told
//! how long to wait.
//!
//! The stage renders into its own texture at its own size, as it does without a
//! window; a second camera shows that texture in the window, over a ground
//! colour, with whatever only the window shows (the help) on top. Recordings
//! never see the window's half.
//!
//! The window system takes the app and gives nothing back, so the run is taken
//! out of the world in the frame that ends it.

mod help;
mod keys;
pub(super) mod pace;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use bevy::app::AppExit;
use bevy::camera::visibility::RenderLayers;
use bevy::ecs::system::NonSendMarker;
use bevy::prelude::*;
use bevy::window::{
    Monitor, PresentMode, PrimaryWindow, WindowCloseRequested, WindowDestroyed, WindowOccluded,
    WindowResolution,
};
use bevy::winit::{EventLoopProxyWrapper, WINIT_WINDOWS, WinitUserEvent};

use super::adapter::Gpu;
use super::app::{self, Caller};
use super::audience::Audience;
use super::tally::Tally;
use super::wake::Alarm;
use super::{CLEAN_FRAMES, Ended, LONGEST_SLEEP, Rest, graphics, quality, rest};
use crate::catalog::Catalog;
use crate::cli::{RunPlan, Shutdown};
use crate::config::Size;
use crate::locale::Text;
use crate::output::{ObsPace, Outputs};
use crate::render::Look;
use crate::render::present::{WindowCamera, window_camera};
use crate::stage::{Director, StageLink, StageSet};

pub(super) use help::WINDOW_LAYER;
use keys::Ground;
#[cfg(test)]
pub(super) use keys::readme_keys;
use pace::Pace;

const TITLE: &str = "Hyperfocus";
/// After the stage's own cameras.
const CAMERA_ORDER: isize = 10;
/// Of a monitor's side that a stage may fill which is larger than the monitor.
const LARGEST: f32 = 0.9;
/// How often a window whose stage moves is asked whether it is minimised.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// Puts the app together around the plan's window, if it has one; without, the
/// window system opens what others want of it.
///
/// # Errors
/// When the display refuses, or the catalogue's folder has gone.
pub(super) fn open(
    plan: &RunPlan,
    gpu: Gpu,
    catalog: Arc<Catalog>,
    link: StageLink,
) -> Result<App> {
    let caller = if plan.stage.window {
        Caller::Window(Box::new(window_of(plan.stage.size, 0)))
    } else {
        Caller::WindowSystem
    };
    let mut app = on_display(|| app::build(plan, gpu, catalog, link, caller))?;
    app.add_plugins(pace::PacePlugin)
        .add_systems(Last, end_frame);
    if plan.stage.window {
        let keys = keys::KeysPlugin {
            shutdown: plan.shutdown.clone(),
        };
        app.add_plugins((keys, help::HelpPlugin))
            .add_systems(Startup, spawn_camera)
            .add_systems(
                Update,
                (
                    fit_monitor,
                    follow_visibility.in_set(StageSet::Receive),
                    (show_ground, show_title).after(StageSet::Direct),
                ),
            );
    }
    Ok(app)
}

/// A window for a stage of `size` with `band` lines below it.
pub(super) fn window_of(size: Size, band: u32) -> Window {
    Window {
        title: TITLE.into(),
        name: Some("hyperfocus".into()),
        // One pixel of the stage is one of the window, whatever the desktop's
        // scale: nothing is drawn that is then thrown away.
        resolution: WindowResolution::new(size.width, size.height + band)
            .with_scale_factor_override(1.0),
        // The stage has its own pace; waiting for the screen as well would
        // count as work and hold up the recordings.
        present_mode: PresentMode::Mailbox,
        ..default()
    }
}

/// Builds an app around a window.
///
/// # Errors
/// When the display refuses, and what `build` says.
pub(super) fn on_display(build: impl FnOnce() -> Result<App>) -> Result<App> {
    without_panic(build).map_err(|reason| refusal(&reason))?
}

/// Runs `build`. The window system's plugin can only panic where the display
/// refuses; that panic becomes its message.
fn without_panic<T>(build: impl FnOnce() -> T) -> Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let built = catch_unwind(AssertUnwindSafe(build));
    std::panic::set_hook(hook);
    built.map_err(|payload| {
        payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "it does not say why".into())
    })
}

/// What to say when there is a display and it refuses.
fn refusal(reason: &str) -> anyhow::Error {
    if !reason.starts_with("Failed to build event loop") {
        return anyhow!("no window can be opened: {reason}");
    }
    debug!("{reason}");
    // The window system prefers the first that is set.
    let named = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
        .into_iter()
        .find_map(|name| {
            Some((
                name,
                std::env::var(name).ok().filter(|value| !value.is_empty())?,
            ))
        });
    let display = named.map_or_else(String::new, |(name, value)| format!(" {name}={value}"));
    anyhow!(
        "the display{display} cannot be opened; is it running, and may this user draw on it? \
         Correct the variable, or add --headless"
    )
}

/// What is known of whether the window can be seen.
#[derive(Default)]
struct Sight {
    is_covered: bool,
    is_minimized: bool,
    /// When the window system was asked last.
    asked: Option<Duration>,
}

/// A window that nobody can see is no live output. That it is covered the window
/// system says by itself (X11 without a compositing manager); that it is minimised
/// has to be asked (X11, Windows, macOS). On Wayland no program is told either.
fn follow_visibility(
    time: Res<Time<Real>>,
    windows: Query<Entity, With<PrimaryWindow>>,
    mut occlusions: MessageReader<WindowOccluded>,
    mut audience: ResMut<Audience>,
    mut sight: Local<Sight>,
    _windows_are_of_this_thread: NonSendMarker,
) {
    if let Some(last) = occlusions.read().last() {
        sight.is_covered = last.occluded;
    }
    let now = time.elapsed();
    if sight.asked.is_none_or(|at| now - at >= ASK_EVERY) {
        sight.asked = Some(now);
        sight.is_minimized = windows.iter().any(is_minimized);
    }
    let is_seen = !sight.is_covered && !sight.is_minimized;
    if audience.window != Some(is_seen) {
        audience.window = Some(is_seen);
    }
}

fn is_minimized(window: Entity) -> bool {
    WINIT_WINDOWS.with_borrow(|windows| {
        let window = windows.get_window(window);
        window.and_then(|window| window.is_minimized()) == Some(true)
    })
}

/// The run, as long as it goes on.
#[derive(Resource)]
struct Run {
    tally: Tally,
    outputs: Outputs,
    shutdown: Shutdown,
    deadline: Option<Instant>,
    /// The one that ends the run when it is closed.
    window: Option<Entity>,
    /// Frames drawn since the stage emptied.
    clean: u32,
    /// Where the run is put when it ends.
    ended: Arc<Mutex<Option<Ended>>>,
}

/// Runs the app until its time is up, its end is asked for or its window is
/// closed.
///
/// # Errors
/// When the window system fails.
pub(super) fn drive(
    mut app: App,
    plan: &RunPlan,
    pace: ObsPace,
    alarm: &Alarm,
    outputs: Outputs,
    tally: Tally,
) -> Result<Ended> {
    let ended = Arc::default();
    let world = app.world_mut();
    let mut primary = world.query_filtered::<Entity, With<PrimaryWindow>>();
    let window = primary.iter(world).next();
    app.insert_resource(Run {
        deadline: plan.time_limit.map(|limit| tally.launched + limit),
        window,
        tally,
        outputs,
        shutdown: plan.shutdown.clone(),
        clean: 0,
        ended: Arc::clone(&ended),
    });
    let period = Duration::from_secs_f64(1.0 / f64::from(plan.stage.fps));
    app.insert_resource(Pace::new(period, pace, alarm.clone()));
    let proxy = (**app.world().resource::<EventLoopProxyWrapper>()).clone();
    alarm.ring_by(move || {
        // It fails when the loop has ended, and then nobody sleeps.
        let _ = proxy.send_event(WinitUserEvent::WakeUp);
    });
    // What rang until now rang a thread that was awake.
    alarm.heard();
    app.run();
    ended
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .context("the window system ended by itself; its message is above")
}

/// Counts the frame and decides when the next one comes, if there is one.
fn end_frame(world: &mut World) {
    let Some(mut run) = world.remove_resource::<Run>() else {
        return;
    };
    let mut pace = world
        .remove_resource::<Pace>()
        .expect("it came with the run");
    if let Some(cost) = pace.last_cost() {
        run.tally.frame(world, cost);
        pace.every = quality::frame(world, pace.started(), cost, pace.period());
    }
    let started = pace.started();
    let failure = graphics::check(world).err();
    if failure.is_some() || is_over(world, &run, started) {
        let mut ended = Ended::of(world, run.tally, run.outputs);
        ended.failure = failure.map(Into::into);
        *run.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        world.write_message(AppExit::Success);
        return;
    }
    let sleep = match rest(world, &run.outputs) {
        Rest::Busy => {
            run.clean = 0;
            None
        }
        Rest::Until(sleep) => {
            run.clean += 1;
            (run.clean > CLEAN_FRAMES).then_some(sleep.min(LONGEST_SLEEP))
        }
    };
    let wake = sleep.map(|sleep| {
        let at = started + sleep;
        run.deadline.map_or(at, |end| at.min(end))
    });
    pace.next(wake, &mut world.resource_mut());
    world.insert_resource(pace);
    world.insert_resource(run);
}

fn is_over(world: &World, run: &Run, now: Instant) -> bool {
    // Messages live for two frames, and the first of them ends the run.
    let asked = world.resource::<Messages<WindowCloseRequested>>();
    let gone = world.resource::<Messages<WindowDestroyed>>();
    let is_ours = |window| Some(window) == run.window;
    let is_closed = asked
        .get_cursor()
        .read(asked)
        .any(|one| is_ours(one.window))
        || gone.get_cursor().read(gone).any(|one| is_ours(one.window));
    if is_closed {
        // Nothing that comes after the run is to be waited for, either.
        run.shutdown.request();
    }
    run.shutdown.is_requested() || run.deadline.is_some_and(|end| now >= end)
}

pub(super) fn spawn_camera(mut commands: Commands) {
    let camera = WindowCamera {
        ground: LinearRgba::BLACK,
        ..default()
    };
    let layers = RenderLayers::layer(WINDOW_LAYER);
    commands.spawn(window_camera(camera, CAMERA_ORDER, layers));
}

/// A stage that is larger than the monitor gets a window that is not.
pub(super) fn fit_monitor(
    monitors: Query<&Monitor, Added<Monitor>>,
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
) {
    let Some(largest) = monitors
        .iter()
        .map(|monitor| UVec2::new(monitor.physical_width, monitor.physical_height))
        .max_by_key(|size| u64::from(size.x) * u64::from(size.y))
    else {
        return;
    };
    for mut window in &mut windows {
        let size = window.physical_size();
        if size.cmpgt(largest).any() && largest.min_element() > 0 {
            let scale = (largest.as_vec2() * LARGEST / size.as_vec2()).min_element();
            let fitted = (size.as_vec2() * scale).as_uvec2().max(UVec2::ONE);
            window
                .resolution
                .set_physical_resolution(fitted.x, fitted.y);
        }
    }
}

fn show_ground(ground: Res<Ground>, mut camera: Single<&mut WindowCamera>) {
    if ground.is_changed() {
        camera.ground = ground.color();
        camera.is_checkered = ground.is_checkered();
    }
}

/// Says in the title what the picture cannot.
fn show_title(
    director: Res<Director>,
    look: Res<Look>,
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
) {
    let show = &director.show;
    let states = [
        (show.is_paused(), Text::StatePaused),
        (show.is_quiet(), Text::StateQuiet),
        (show.is_muted(), Text::StateMuted),
    ];
    let told: Vec<_> = states
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, word)| look.words.say(word))
        .collect();
    let title = if told.is_empty() {
        TITLE.to_owned()
    } else {
        format!("{TITLE} ({})", told.join(", "))
    };
    for mut window in &mut windows {
        if window.title != title {
            window.title.clone_from(&title);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(without_panic(|| 7), Ok(7));
        let refused: Result<(), _> = without_panic(|| panic!("no display {}", 77));
        assert_eq!(refused, Err("no display 77".into()));
    }
}
