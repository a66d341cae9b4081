//! The overlay as windows of the window system's own, one on each chosen monitor:
//! transparent, without a frame, above the others, and not in the pointer's way.
//!
//! This is the overlay on Windows and macOS. What differs between the two is in
//! [`windows`] and [`macos`]; neither was tried there. All of it compiles on
//! Linux, where a test draws with it.
//!
//! The last pass draws straight into each window's swapchain, in the desktop's
//! form. While there is nothing to see the windows are hidden and nothing draws.

use std::sync::Arc;

use bevy::camera::RenderTarget;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy::window::{
    CursorOptions, Monitor as WindowMonitor, PresentMode, PrimaryMonitor, WindowCloseRequested,
    WindowLevel, WindowRef, WindowResizeConstraints, WindowResolution, WindowScaleFactorChanged,
};

use super::place::{self, Monitor, Rect, Units};
use super::{State, macos, windows};
use crate::config::{Monitors, OverlaySettings};
use crate::render::present::{FrameRequest, WindowCamera, window_camera};
use crate::stage::StageSet;

const TITLE: &str = "Hyperfocus overlay";
/// After every other camera, the stage's and a window's.
const CAMERA_ORDER: isize = 20;

/// What differs between the systems.
fn system() -> (Units, fn(Window) -> Window) {
    if cfg!(target_os = "macos") {
        (macos::UNITS, macos::fit)
    } else {
        (windows::UNITS, windows::fit)
    }
}

#[derive(Resource)]
struct Panes {
    state: Arc<State>,
    settings: OverlaySettings,
    stage: (u32, u32),
    /// Whether it was said that the named monitor is not there.
    has_warned: bool,
}

/// A window of the overlay.
#[derive(Component)]
struct Pane {
    monitor: Entity,
    /// Where it was put and how large; none to have that done anew.
    placed: Option<(IVec2, UVec2)>,
}

/// Makes the app show a stage of that many pixels in windows of its own. The
/// app's loop must be the window system's.
pub(super) fn install(
    app: &mut App,
    state: Arc<State>,
    settings: OverlaySettings,
    stage: (u32, u32),
) {
    app.insert_resource(Panes {
        state,
        settings,
        stage,
        has_warned: false,
    })
    .add_systems(
        Update,
        (hear, arrange, place, show)
            .chain()
            .in_set(StageSet::Report),
    );
}

/// A pane that the user closes is an overlay that they hide.
fn hear(
    panes: Res<Panes>,
    mut closed: MessageReader<WindowCloseRequested>,
    mut scaled: MessageReader<WindowScaleFactorChanged>,
    mut windows: Query<&mut Pane>,
) {
    if closed
        .read()
        .any(|message| windows.contains(message.window))
    {
        panes.state.set_hidden(true);
    }
    // The system has resized it to what it thinks right.
    for message in scaled.read() {
        if let Ok(mut pane) = windows.get_mut(message.window) {
            pane.placed = None;
        }
    }
}

/// A pane where there is to be one, and nowhere else. One whose monitor goes may
/// have gone with it already.
fn arrange(
    mut commands: Commands,
    mut panes: ResMut<Panes>,
    monitors: Query<(Entity, &WindowMonitor, Has<PrimaryMonitor>)>,
    windows: Query<(Entity, &Pane)>,
) {
    let (entities, monitors): (Vec<_>, Vec<_>) = monitors
        .iter()
        .filter_map(|(entity, monitor, is_main)| Some((entity, known(monitor, is_main)?)))
        .unzip();
    let chosen = place::chosen(&monitors, &panes.settings.monitors);
    let wanted: Vec<Entity> = chosen
        .filter_map(|one| monitors.iter().position(|monitor| monitor == one))
        .map(|place| entities[place])
        .collect();
    panes.state.set_monitors(wanted.len());
    if let Monitors::Named(name) = &panes.settings.monitors
        && wanted.is_empty()
        && !monitors.is_empty()
        && !panes.has_warned
    {
        let names: Vec<_> = monitors.iter().map(|monitor| &*monitor.name).collect();
        warn!(
            "there is no monitor {name} (there are: {}); gifts wait until there is",
            names.join(", ")
        );
        panes.has_warned = true;
    }
    for (window, pane) in &windows {
        if !wanted.contains(&pane.monitor) {
            commands.entity(window).despawn();
        }
    }
    for monitor in wanted {
        if windows.iter().all(|(_, pane)| pane.monitor != monitor) {
            open(&mut commands, monitor);
        }
    }
}

/// A monitor as the placing knows it; `None` while it has no size.
fn known(monitor: &WindowMonitor, is_main: bool) -> Option<Monitor> {
    let (at, size) = (monitor.physical_position, monitor.physical_size());
    (size.min_element() > 0).then(|| Monitor {
        name: monitor.name.clone().unwrap_or_default(),
        rect: Rect {
            x: at.x,
            y: at.y,
            width: size.x,
            height: size.y,
        },
        is_main,
    })
}

fn open(commands: &mut Commands, monitor: Entity) {
    let (_, fit) = system();
    let window = fit(Window {
        title: TITLE.into(),
        name: Some("hyperfocus".into()),
        present_mode: PresentMode::Mailbox,
        // It is placed, and then shown.
        resolution: WindowResolution::default().with_scale_factor_override(1.0),
        visible: false,
        transparent: true,
        decorations: false,
        resizable: false,
        focused: false,
        resize_constraints: WindowResizeConstraints {
            min_width: 1.0,
            min_height: 1.0,
            ..default()
        },
        ..default()
    });
    let untouchable = CursorOptions {
        hit_test: false,
        ..default()
    };
    let pane = Pane {
        monitor,
        placed: None,
    };
    let over_desktop = WindowCamera {
        ground: LinearRgba::NONE,
        desktop: Some(0.0),
        ..default()
    };
    let camera = window_camera(over_desktop, CAMERA_ORDER, RenderLayers::none());
    let mut window = commands.spawn((window, untouchable, pane, camera));
    let target = RenderTarget::Window(WindowRef::Entity(window.id()));
    window.insert(target);
}

/// Puts each pane where its monitor is now.
fn place(
    panes: Res<Panes>,
    monitors: Query<&WindowMonitor>,
    mut windows: Query<(&mut Pane, &mut Window)>,
) {
    let (units, _) = system();
    for (mut pane, mut window) in &mut windows {
        let Ok(monitor) = monitors.get(pane.monitor) else {
            continue;
        };
        let Some(known) = known(monitor, false) else {
            continue;
        };
        let room = Rect::of(&panes.settings, known.rect);
        let rect = room.fitting(panes.stage, panes.settings.place);
        let scale = f64::from(window.resolution.base_scale_factor());
        let rect = rect.in_units(units, monitor.scale_factor, scale);
        let at = IVec2::new(rect.x, rect.y);
        let size = UVec2::new(rect.width, rect.height);
        if pane.placed.replace((at, size)) != Some((at, size)) {
            window.position = WindowPosition::At(at);
            window.resolution.set_physical_resolution(size.x, size.y);
        }
    }
}

/// Shows the panes while there is something to see. Where windows cannot be
/// hidden, a last frame without anything in it does the same.
fn show(
    panes: Res<Panes>,
    request: Res<FrameRequest>,
    mut windows: Query<(&mut Window, &mut WindowCamera, &mut Camera), With<Pane>>,
    mut was_seen: Local<bool>,
) {
    let is_seen = panes.state.is_showing() && !request.is_bare;
    let was_seen = std::mem::replace(&mut *was_seen, is_seen);
    let opacity = if is_seen { panes.settings.opacity } else { 0.0 };
    // Window managers heed a level only of windows that are there already; and
    // whatever has come on top meanwhile, the gift comes above it.
    let level = if is_seen && was_seen {
        WindowLevel::AlwaysOnTop
    } else {
        WindowLevel::Normal
    };
    for (mut window, mut over, mut camera) in &mut windows {
        if (window.visible, window.window_level) != (is_seen, level) {
            window.visible = is_seen;
            window.window_level = level;
        }
        over.desktop = Some(opacity);
        camera.is_active = is_seen || was_seen;
    }
    if is_seen && request.is_new {
        panes.state.count_frame();
    }
}
