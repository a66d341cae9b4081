//! The whole way, from bytes on a socket to frames, watched from within a run
//! of the engine: each in a process of its own, headless.

mod flood;
mod frame;
mod idle;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use bevy::prelude::*;

use crate::cli::{
    Connection, LookPlan, QualityPlan, RunPlan, Shutdown, StageSettings, Start, TemporaryFolder,
    find_catalog,
};
use crate::config::{Config, Folders, Size};
use crate::governor::{Level, Wish};
use crate::protocol::ClientType;
use crate::render::Warmup;
use crate::render::present::Readback;

pub use flood::{AREA as FLOOD, one_run as flood_run};
pub use frame::{AREA as GIFT_TO_FRAME, one_run as gift_to_frame_run};
pub use idle::{AREA as IDLE, one_run as idle_run};

/// A stage that a software rasteriser keeps up with.
pub const SIZE: Size = Size {
    width: 640,
    height: 360,
};
pub const FPS: u32 = 60;

/// How long a stage may take until it is warm and at rest.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often somebody who waits for the stage looks.
const LOOK: Duration = Duration::from_millis(20);

/// A run without outputs and in silence, against a backend whose address is
/// still to be filled in. It lasts until it is told to end, at most three
/// minutes.
pub fn plan(state: &TemporaryFolder) -> Result<RunPlan> {
    let config = Config::with_defaults(&Folders::of_this_machine());
    Ok(RunPlan {
        connection: Connection {
            url: String::new(),
            stream_id: "bench".into(),
            token: None,
            ca_file: None,
            role: ClientType::Host,
        },
        stage: StageSettings {
            size: SIZE,
            fps: FPS,
            // What is measured does not change under the measure.
            quality: QualityPlan {
                wish: Wish::Fixed(Level::ULTRA),
                start: Start::Full,
            },
            window: false,
        },
        look: LookPlan::default(),
        show: config.show,
        on_air: config.on_air,
        sound: crate::config::SoundSettings {
            muted: true,
            ..Default::default()
        },
        outputs: Vec::new(),
        play_unseen: true,
        catalog: find_catalog(None)?,
        state_dir: state.path().to_owned(),
        time_limit: Some(Duration::from_secs(170)),
        shutdown: Shutdown::default(),
    })
}

/// What another thread may know of a running stage.
#[derive(Resource, Clone)]
pub struct Watch {
    warm: Arc<AtomicBool>,
    readback: Readback,
    /// When the first frame after the last look began.
    woke: Arc<Mutex<Option<Instant>>>,
}

impl Watch {
    /// Watches `app`.
    pub fn install(app: &mut App) -> Self {
        let watch = Self {
            warm: Arc::default(),
            readback: app.world().resource::<Readback>().clone(),
            woke: Arc::default(),
        };
        app.insert_resource(watch.clone())
            .add_systems(First, note_frame)
            .add_systems(Last, note_warmth);
        watch
    }

    pub fn is_warm(&self) -> bool {
        self.warm.load(Ordering::Relaxed)
    }

    /// Frames drawn so far.
    pub fn drawn(&self) -> u64 {
        self.readback.drawn()
    }

    /// When the first frame since the last call began.
    pub fn take_waking(&self) -> Option<Instant> {
        self.woke.lock().expect("its holders do not panic").take()
    }

    /// Waits until the stage is warm and has drawn nothing for `still`.
    ///
    /// # Errors
    /// When it takes longer than [`PATIENCE`].
    pub fn wait_for_rest(&self, still: Duration) -> io::Result<()> {
        let begun = Instant::now();
        let (mut drawn, mut since) = (self.drawn(), Instant::now());
        while begun.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
            let now = self.drawn();
            if now != drawn || !self.is_warm() {
                (drawn, since) = (now, Instant::now());
            } else if since.elapsed() >= still {
                return Ok(());
            }
        }
        Err(io::Error::other("the stage did not come to rest"))
    }
}

fn note_frame(watch: Res<Watch>) {
    let mut woke = watch.woke.lock().expect("its holders do not panic");
    woke.get_or_insert_with(Instant::now);
}

fn note_warmth(watch: Res<Watch>, warmup: Res<Warmup>) {
    watch.warm.store(warmup.is_done(), Ordering::Relaxed);
}

/// How a backend's thread gets the watch of a stage that it outruns.
pub fn handed_over() -> (Sender<Watch>, Receiver<Watch>) {
    channel()
}
