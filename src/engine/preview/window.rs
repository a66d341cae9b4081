//! A preview in a window: the stage, and below it the strip of controls.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use bevy::app::AppExit;
use bevy::prelude::*;
use bevy::time::TimeSystems;
use bevy::window::{PrimaryWindow, WindowCloseRequested, WindowDestroyed};
use bevy::winit::WinitSettings;

use super::controls;
use super::desk::Desk;
use super::edits::{self, Watch};
use super::player::{self, Player};
use super::strip::Layout;
use crate::catalog::Catalog;
use crate::cli::PreviewPlan;
use crate::engine::adapter;
use crate::engine::app::{self, Caller};
use crate::engine::still::SILENCE;
use crate::engine::wake::Alarm;
use crate::engine::window::pace::{Pace, PacePlugin};
use crate::engine::window::{fit_monitor, on_display, spawn_camera, window_of};
use crate::output::ObsPace;
use crate::render::Warmup;
use crate::render::caption::TextPainter;
use crate::render::captions::CaptionDesk;
use crate::show::ShowSettings;
use crate::stage::{CardFailure, StageLink, StageSet};

/// No window is narrower, so that the strip can be read.
const NARROWEST: u32 = 960;
/// From one frame to the next while something moves, and while nothing does:
/// edits are looked for then.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);
const REST: Duration = Duration::from_millis(200);

/// Shows the plan's gifts until the window is closed.
///
/// # Errors
/// When there is no graphics adapter or the display refuses.
pub(super) fn run(plan: &PreviewPlan) -> Result<()> {
    let catalog = Arc::new(Catalog::load(&plan.catalog)?);
    let gpu = adapter::open()?;
    let watch = Watch::start(&plan.catalog, catalog.clone(), &plan.gifts)?;
    let desk = Desk::new(plan, catalog);
    let (gift, catalog) = (desk.gift(), desk.catalog());
    let player = Player::new(gift, catalog.recipe(gift), &plan.occasion);
    let settings = ShowSettings {
        silence: SILENCE,
        play_unseen: true,
        ..ShowSettings::default()
    };
    let mut window = window_of(plan.size, 0);
    let width = plan.size.width.max(NARROWEST);
    let height = plan.size.height + Layout::of(width).height;
    window.resolution.set_physical_resolution(width, height);
    let link = StageLink::default();
    let caller = Caller::Window(Box::new(window));
    let mut app = on_display(|| app::assemble(plan.size, settings, gpu, catalog, link, caller))?;
    app.world_mut().resource_mut::<CaptionDesk>().is_off = !plan.captions;
    app.world_mut()
        .insert_non_send(controls::Pen(TextPainter::new()));
    app.insert_resource(Pace::new(
        FRAME,
        ObsPace::default(),
        Alarm::of_this_thread(),
    ))
    .insert_resource(watch)
    .insert_resource(desk)
    .insert_resource(player)
    .add_plugins(PacePlugin)
    .add_systems(Startup, (spawn_camera, controls::spawn).chain())
    .add_systems(First, player::conduct.before(TimeSystems))
    .add_systems(
        Update,
        (
            fit_monitor,
            (take_edits, controls::press, controls::point)
                .chain()
                .in_set(StageSet::Receive),
            (
                controls::lay_ground,
                controls::show_strip,
                controls::show_faults,
            )
                .chain()
                .after(StageSet::Direct),
        ),
    )
    .add_systems(Last, end_frame);
    let exit = app.run();
    ensure!(
        exit.is_success(),
        "the window system or the graphics card ended it; the message is above"
    );
    Ok(())
}

/// Has the stage use what was edited, and plays it from its beginning.
fn take_edits(world: &mut World) {
    let Some(mut edit) = world.resource::<Watch>().next() else {
        return;
    };
    for fault in &edit.faults {
        warn!("{fault}");
    }
    world.resource_scope(|world, mut desk: Mut<Desk>| {
        desk.faults.clone_from(&edit.faults);
        if let Some(catalog) = edit.catalog.take() {
            desk.take_catalog(catalog);
            edit.catalog = Some(desk.catalog());
        }
        edits::apply(world, &edit);
        if edit.catalog.is_some() || !edit.assets.is_empty() {
            desk.replay(world);
        }
    });
}

/// Decides when the next frame comes, if one does.
fn end_frame(
    mut pace: ResMut<Pace>,
    mut settings: ResMut<WinitSettings>,
    player: Res<Player>,
    desk: Res<Desk>,
    warmup: Res<Warmup>,
    closing: MessageReader<WindowCloseRequested>,
    gone: MessageReader<WindowDestroyed>,
    windows: Query<(), With<PrimaryWindow>>,
    card: Res<CardFailure>,
    mut exit: MessageWriter<AppExit>,
) {
    if card.what().is_some() {
        exit.write(AppExit::error());
        return;
    }
    if desk.is_closing || !closing.is_empty() || !gone.is_empty() || windows.is_empty() {
        exit.write(AppExit::Success);
        return;
    }
    let is_busy = !warmup.is_done() || player.is_busy() || desk.is_dragging();
    let wake = (!is_busy).then(|| pace.started() + REST);
    pace.next(wake, &mut settings);
}
