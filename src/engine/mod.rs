//! A run of the program: the layers put together, the loop that drives them,
//! and the orderly end.
//!
//! The main thread owns the app and its clock. Without a window it pumps the
//! frames itself and sleeps between them; when nothing is on stage it sleeps
//! until the network or a signal wakes it. (A caption that is being painted keeps it
//! awake.) With one, the
//! window system drives, and is told to wait in the same way.

mod adapter;
mod app;
mod audience;
mod clock;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod code;
mod faces;
mod files;
mod graphics;
mod headless;
mod keep;
mod lean;
mod look;
#[cfg_attr(not(feature = "desktop"), path = "no_overlay.rs")]
mod overlay;
mod preview;
mod quality;
mod record;
mod reload;
mod requests;
mod sheet;
mod sinks;
mod still;
mod tally;
mod video_sound;
mod wake;
#[cfg(feature = "desktop")]
mod window;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bevy::prelude::*;

use crate::catalog::{Catalog, Lane};
use crate::cli::{OutputPlan, RunPlan, Summary, load_stage_catalog};
use crate::config;
use crate::model::{Control, Moment};
use crate::net::{Identity, Link, NetConfig, Waker};
use crate::output::{NutFeed, ObsFeed, ObsPace, ObsSound, OutputReport, Outputs, Sink};
use crate::render::Warmup;
use crate::render::boards::Boards;
use crate::render::captions::CaptionDesk;
use crate::render::particles::EffectPool;
use crate::render::present::{Frames, Readback};
use crate::session::SessionSettings;
use crate::sound::{MixSource, SoundPlugin, Speakers, Tap};
use crate::stage::{Act, Director, Paused, Reports, StageLink};

pub use graphics::GraphicsError;
pub use overlay::tell as tell_overlay;
pub use preview::preview;
pub use record::record;
pub use sheet::sheet;
pub use still::{FrameCost, Rehearsal, StillError};

use adapter::Gpu;
use app::Caller;
use keep::Keeper;
use tally::Tally;
use wake::Alarm;
#[cfg(feature = "desktop")]
use window::drive as drive_by_window_system;

/// Plays until the plan's time is up, its shutdown is requested or its window
/// is closed.
///
/// # Errors
/// What keeps a run from starting: no adapter, an unusable catalogue or URL, an
/// output that cannot be opened. Whatever happens later is in the summary.
pub fn run(plan: RunPlan) -> Result<Summary> {
    run_with(plan, Vec::new(), |_| ())
}

/// As [`run`], with further takers of frames and with what `install` adds to
/// the app before it starts: how benchmarks watch the stage from within.
///
/// # Errors
/// See [`run`].
pub fn run_with(
    mut plan: RunPlan,
    watchers: Vec<Box<dyn Sink + Send>>,
    install: impl FnOnce(&mut App),
) -> Result<Summary> {
    let mut tally = Tally::start();
    let alarm = Alarm::of_this_thread();
    // Before it is read: an edit from now on is one.
    let known = reload::modified(&plan.catalog);
    let catalog = Arc::new(load_stage_catalog(&plan.catalog, &plan.show)?);
    let desktop = overlay::connect(&mut plan)?;

    // Connect first: the backend answers while the pipelines are made.
    let identity = Identity::claim(&plan.state_dir, plan.connection.role)
        .context("cannot keep an identity in the state folder")?;
    let (link, mut keeper) = connect(&plan, &identity, &alarm)?;
    {
        let alarm = alarm.clone();
        plan.shutdown.on_request(move || alarm.ring());
    }

    let has_panes = desktop.as_ref().is_some_and(overlay::Connected::has_panes);
    let gpu = if has_panes {
        adapter::open_for_transparent_windows()?
    } else {
        adapter::open()?
    };
    tally.adapter = Some(gpu.name.clone());
    let mut warnings = Vec::new();
    let mut sinks = sinks::open(&plan, &mut warnings)?;
    sinks.extend(watchers);
    let quality = quality::Settings::of(&plan, &gpu);
    let by_window_system = plan.stage.window || has_panes;
    let mut app = open_app(&plan, by_window_system, gpu, catalog, StageLink::new(link))?;
    quality::install(&mut app, quality);
    let look = look::look(&plan.look, plan.show.motion);
    let words = look.words.clone();
    app.insert_resource(look);
    {
        let (alarm, origins) = (alarm.clone(), &plan.on_air.avatars_from);
        let ca_file = plan.connection.ca_file.as_deref();
        faces::install(&mut app, origins, ca_file, move || alarm.ring());
    }
    requests::install(&mut app, !sinks.is_empty());
    let (obs, obs_sound) = open_obs(&plan, &alarm)?.unzip();
    let players = open_players(&plan, &alarm)?;
    let others = usize::from(obs.is_some()) + players.len() + usize::from(plan.stage.window);
    let overlay = desktop
        .map(|desktop| desktop.show(&plan, words, &alarm, sinks.is_empty() && others == 0))
        .transpose()?;
    let frames = app.world().resource::<Frames>().0.clone();
    let outputs = Outputs::spawn(frames, sinks);
    if let Some(obs) = &obs {
        obs.install(&mut app);
    }
    for feed in &players {
        feed.install(&mut app);
    }
    if let Some(overlay) = &overlay {
        overlay.install(&mut app);
    }
    let seen_in = seen_in(obs.as_ref(), &players, overlay.as_ref());
    install_audience(&mut app, plan.stage.window, seen_in, &outputs);
    {
        let alarm = alarm.clone();
        reload::install(&mut app, &plan, known, move || alarm.ring());
    }
    let mix = install_sound(&mut app, &plan.sound);
    install(&mut app);
    let voices = Voices::open(mix, &plan, obs_sound);

    if let Some(keeper) = &mut keeper {
        keeper.begin();
    }
    let pace = obs.as_ref().map_or_else(ObsPace::default, ObsFeed::pace);
    let driven = if by_window_system {
        drive_by_window_system(app, &plan, pace, &alarm, outputs, tally)
    } else {
        drive(app, &plan, &pace, &alarm, outputs, tally)
    };
    // What people look at ends at once: files may take long to be finished, and no
    // gift is to stand still on air meanwhile.
    voices.close();
    let obs = obs.map(ObsFeed::close).into_iter();
    let live = obs.chain(players.into_iter().map(NutFeed::close));
    let overlay = overlay.map(overlay::Feed::close);
    let is_lost = matches!(overlay, Some(Err(_)));
    let overlay = overlay.map(|said| said.unwrap_or_else(|said| said));
    let mut summary = sum_up(driven, keeper, live.chain(overlay).collect(), warnings)?;
    if is_lost {
        summary.failed.push("overlay".to_owned());
    }
    Ok(summary)
}

/// Begins the session with the backend, and the file that keeps what it says, if
/// the plan has one.
fn connect(plan: &RunPlan, identity: &Identity, alarm: &Alarm) -> Result<(Link, Option<Keeper>)> {
    let waker = Waker::default();
    {
        let alarm = alarm.clone();
        waker.set(move || alarm.ring());
    }
    let kept = plan.outputs.iter().find_map(|output| match output {
        OutputPlan::Show(path) => Some(Keeper::open(path)),
        _ => None,
    });
    let (keeper, keep) = kept.transpose()?.unzip();
    let link = crate::net::spawn(NetConfig {
        url: plan.connection.url.clone(),
        token: plan.connection.token.clone(),
        ca_file: plan.connection.ca_file.clone(),
        session: SessionSettings::new(
            plan.connection.stream_id.clone(),
            identity.id().clone(),
            plan.connection.role,
        ),
        waker,
        keep,
    })?;
    Ok((link, keeper))
}

/// What can be asked whether somebody sees it, the window apart.
fn seen_in(
    obs: Option<&ObsFeed>,
    players: &[NutFeed],
    overlay: Option<&overlay::Feed>,
) -> Vec<audience::Sees> {
    let mut seen_in: Vec<audience::Sees> = Vec::new();
    if let Some(obs) = obs {
        seen_in.push(Box::new(obs.is_seen()));
    }
    for feed in players {
        seen_in.push(Box::new(feed.is_seen()));
    }
    if let Some(overlay) = overlay {
        seen_in.push(Box::new(overlay.is_showing()));
    }
    seen_in
}

/// Makes gifts wait for somebody who sees them, where anything is there to see.
fn install_audience(
    app: &mut App,
    has_window: bool,
    mut seen_in: Vec<audience::Sees>,
    outputs: &Outputs,
) {
    if has_window || !seen_in.is_empty() || outputs.open() > 0 {
        // A recording shows everything, whoever looks, for as long as it can.
        seen_in.push(Box::new(outputs.are_open()));
        audience::install(app, has_window, seen_in);
    }
}

/// Makes the app sound as the plan says; returns what is to be heard.
fn install_sound(app: &mut App, plan: &config::SoundSettings) -> MixSource {
    let (mixer, mix) = crate::sound::mixer();
    mixer.set_lane_volume(Lane::Headline, plan.headline);
    mixer.set_lane_volume(Lane::Feature, plan.feature);
    mixer.set_lane_volume(Lane::Ambient, plan.ambient);
    let mixer = Arc::new(mixer);
    app.add_plugins(SoundPlugin {
        mixer: mixer.clone(),
    });
    let show = &mut app.world_mut().resource_mut::<Director>().show;
    show.control(Moment::ZERO, Control::Mute(plan.muted));
    show.control(Moment::ZERO, Control::Volume(plan.volume));
    video_sound::install(app, mixer);
    mix
}

/// Puts what the run wrote in order, and says what came of all of it; `live` is what
/// the live outputs have had.
fn sum_up(
    driven: Result<Ended>,
    keeper: Option<Keeper>,
    live: Vec<String>,
    mut warnings: Vec<String>,
) -> Result<Summary> {
    let (mut summary, report, failure) = match driven {
        Ok(ended) => ended.close(),
        Err(error) => (Summary::default(), OutputReport::default(), Some(error)),
    };
    let kept = keeper.map(Keeper::close);
    if let Some(error) = failure {
        tell(complaints(&report), report.written);
        if let Some(kept) = kept {
            tell(kept.warnings, kept.written);
        }
        return Err(error);
    }
    warnings.extend(complaints(&report));
    summary.outputs = report.written;
    summary.outputs.extend(live);
    summary.failed = report.failed;
    if let Some(kept) = kept {
        summary.outputs.extend(kept.written);
        summary.failed.extend(kept.failed);
        warnings.extend(kept.warnings);
    }
    summary.warnings = warnings;
    Ok(summary)
}

/// The ring for OBS, if the plan has one.
fn open_obs(plan: &RunPlan, alarm: &Alarm) -> Result<Option<(ObsFeed, ObsSound)>> {
    let obs = plan.outputs.iter().find_map(|output| match output {
        OutputPlan::Obs { name, in_preview } => Some((name, *in_preview)),
        _ => None,
    });
    let Some((name, in_preview)) = obs else {
        return Ok(None);
    };
    let config::Size { width, height } = plan.stage.size;
    let alarm = alarm.clone();
    let feed = ObsFeed::open(name, (width, height), in_preview, move || alarm.ring())?;
    Ok(Some(feed))
}

/// What players on this machine read. What OBS is to be told is printed: nothing
/// else knows the address.
fn open_players(plan: &RunPlan, alarm: &Alarm) -> Result<Vec<NutFeed>> {
    let config::Size { width, height } = plan.stage.size;
    let addresses = plan.outputs.iter().filter_map(|output| match output {
        OutputPlan::Nut(address) => Some(*address),
        _ => None,
    });
    addresses
        .map(|address| {
            let alarm = alarm.clone();
            let feed = NutFeed::open(address, (width, height), move || alarm.ring())?;
            eprintln!("{}", feed.obs_settings());
            Ok(feed)
        })
        .collect()
}

/// Who hears the mix.
enum Voices {
    Speakers(Speakers),
    /// OBS in place of a device, or it would hear all of it twice.
    Obs(Tap),
}

impl Voices {
    fn open(mix: MixSource, plan: &RunPlan, obs: Option<ObsSound>) -> Self {
        match obs {
            Some(mut obs) => Self::Obs(Tap::start(mix, move |samples, late| {
                obs.write(samples, late);
            })),
            None => Self::Speakers(Speakers::start(mix, plan.sound.device.clone())),
        }
    }

    fn close(self) {
        match self {
            Self::Speakers(speakers) => drop(speakers.stop()),
            Self::Obs(tap) => drop(tap),
        }
    }
}

#[cfg(feature = "desktop")]
fn open_app(
    plan: &RunPlan,
    by_window_system: bool,
    gpu: Gpu,
    catalog: Arc<Catalog>,
    link: StageLink,
) -> Result<App> {
    if by_window_system {
        window::open(plan, gpu, catalog, link)
    } else {
        app::build(plan, gpu, catalog, link, Caller::Us)
    }
}

#[cfg(not(feature = "desktop"))]
fn open_app(
    plan: &RunPlan,
    by_window_system: bool,
    gpu: Gpu,
    catalog: Arc<Catalog>,
    link: StageLink,
) -> Result<App> {
    anyhow::ensure!(
        !by_window_system,
        "this program was built without windows; add --headless, or build it with \
         `cargo build --features desktop`"
    );
    app::build(plan, gpu, catalog, link, Caller::Us)
}

#[cfg(not(feature = "desktop"))]
fn drive_by_window_system(
    _: App,
    _: &RunPlan,
    _: ObsPace,
    _: &Alarm,
    _: Outputs,
    _: Tally,
) -> Result<Ended> {
    unreachable!("a build without windows opens no app for them")
}

fn drive(
    mut app: App,
    plan: &RunPlan,
    pace: &ObsPace,
    alarm: &Alarm,
    outputs: Outputs,
    mut tally: Tally,
) -> Result<Ended> {
    let driven = headless::drive(&mut app, plan, pace, alarm, &outputs, &mut tally);
    let mut ended = Ended::of(app.world_mut(), tally, outputs);
    ended.failure = driven.err();
    Ok(ended)
}

/// What the outputs have to complain of, and which of them are not complete.
fn complaints(report: &OutputReport) -> Vec<String> {
    let failed = report.failed.iter();
    let failed = failed.map(|name| format!("{name} is not complete: it could not be written"));
    report.warnings.iter().cloned().chain(failed).collect()
}

/// Says what came of a run's outputs where there is no summary, since it ends by an
/// error.
fn tell(warnings: Vec<String>, written: Vec<String>) {
    for warning in warnings {
        warn!("{warning}");
    }
    for output in written {
        info!("written: {output}");
    }
}

/// A run that no longer draws, but is not in order yet.
struct Ended {
    summary: Summary,
    link: Option<Link>,
    outputs: Outputs,
    /// Why it could not go on, if that is why it ended.
    failure: Option<anyhow::Error>,
}

impl Ended {
    fn of(world: &mut World, tally: Tally, outputs: Outputs) -> Self {
        Self {
            link: world.resource_mut::<StageLink>().take(),
            summary: tally.summary(world),
            outputs,
            failure: None,
        }
    }

    /// Ends the session first, so that its last acks go out while the outputs
    /// are being finished.
    fn close(mut self) -> (Summary, OutputReport, Option<anyhow::Error>) {
        if let Some(link) = &self.link {
            link.request_shutdown();
        }
        let report = self.outputs.finish();
        if let Some(link) = self.link {
            self.summary.gifts.acked = link.shutdown().acks_sent;
        }
        (self.summary, report, self.failure)
    }
}

/// Whether the stage may sleep.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rest {
    /// Something moves, is being made or is on its way to an output.
    Busy,
    /// Nothing will happen by itself before this much time has passed.
    Until(Duration),
}

/// Whether nothing plays and nothing moves; gifts may wait all the same, and a
/// board that stands still may be there.
fn is_still(world: &World) -> bool {
    world.resource::<Director>().is_bare()
        && world.resource::<EffectPool>().in_use() == 0
        && !world.resource::<Boards>().is_moving()
}

/// Whether the next frame looks like this one: nothing moves, or a host has
/// paused what does. A gift that was dismissed goes all the same, and one whose
/// pictures are still being made is not whole yet.
fn stands_still(world: &mut World) -> bool {
    if is_still(world) {
        return true;
    }
    let is_paused = world.resource::<Paused>().0 && !world.resource::<Boards>().is_moving();
    is_paused
        && still::has_arrived(world)
        && world
            .query::<&Act>()
            .iter(world)
            .all(|act| !act.is_dismissed())
}

fn rest(world: &mut World, outputs: &Outputs) -> Rest {
    let busy = !world.resource::<Warmup>().is_done()
        || !stands_still(world)
        || world.resource::<Readback>().in_flight() > 0
        || world.resource::<Readback>().is_owed()
        || !world.resource::<StageLink>().is_flushed()
        || !outputs.is_idle()
        || world.resource::<CaptionDesk>().pending() > 0;
    if busy {
        return Rest::Busy;
    }
    let now = world.resource::<Time<Real>>().elapsed();
    let board = world.resource::<Boards>().next_wake();
    let report = world.resource::<Reports>().next_wake();
    let show = world.resource::<Director>().show.next_wake(now);
    let wake = [show, board, report].into_iter().flatten().min();
    Rest::Until(wake.map_or(LONGEST_SLEEP, |at| at.saturating_sub(now)))
}

/// Frames drawn after the stage has emptied, so that every consumer's last
/// frame is a clean one.
const CLEAN_FRAMES: u32 = 2;
/// How long an idle stage sleeps at most; a lost wake-up costs no more.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
