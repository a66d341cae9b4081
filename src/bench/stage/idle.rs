//! What an empty stage costs.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cpu_time::ProcessTime;
use hyperfocus_ring::{Folder, Reader, Report, Showing, now_ns};
use serde::{Deserialize, Serialize};

use super::{Watch, handed_over, plan};
use crate::bench::backend::{Backend, frame};
use crate::bench::measure::{Limit, RUNS, Row};
use crate::bench::{Area, child};
use crate::cli::{Figure, OutputPlan, TemporaryFolder};
use crate::engine;
use crate::model::WallTime;
use crate::protocol::{Ping, ServerMessage, encode_server};

pub const AREA: Area = Area {
    rows: &[CPU, FRAMES, IN_OBS],
    measure,
};

const CPU: Row = Row {
    id: "stage.idle.cpu",
    area: "idle",
    name: "CPU of an empty stage that is pinged once a second",
    unit: "% of a core",
    limit: Limit::Below(0.3),
};

const FRAMES: Row = Row {
    id: "stage.idle.frames",
    area: "idle",
    name: "frames that an empty stage draws in four seconds",
    unit: "frames",
    limit: Limit::AtMost(0.0),
};

const IN_OBS: Row = Row {
    id: "stage.idle.obs",
    area: "idle",
    name: "CPU of an empty stage that OBS has on air, pinged as often",
    unit: "% of a core",
    limit: Limit::Below(0.3),
};

/// Seconds of one look at the empty stage, and as many pings.
const SECONDS: u32 = 4;
/// What may still settle after the last frame: caches, allocators, other
/// threads' last words.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Default, Serialize, Deserialize)]
pub struct Idle {
    percent: Vec<f64>,
    frames: Vec<f64>,
}

fn measure() -> Result<Vec<Figure>> {
    let idle: Idle = child::ask(&["idle"])?;
    let name = format!("bench-idle-{}", std::process::id());
    let in_obs: Idle = read_meanwhile(&name, || child::ask(&["idle", &name]))?;
    Ok(vec![
        CPU.median(idle.percent),
        FRAMES.worst(idle.frames),
        IN_OBS.median(in_obs.percent),
    ])
}

/// Reads the ring called `name` as OBS would while something is `done`: in this
/// process, so that OBS's share is not in the figure.
fn read_meanwhile<T>(name: &str, done: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let report = Report {
                fps: (30, 1),
                showing: Showing::OnAir,
                sources: 1,
                shown: 0,
            };
            let folder = Folder::of_user().ok();
            let mut reader = None;
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(33));
                let open = || Reader::open(folder.as_ref()?, name, now_ns()).ok();
                if reader.is_none() {
                    reader = open();
                }
                if let Some(reader) = &mut reader {
                    reader.beat(now_ns(), &report);
                }
            }
        });
        let done = done();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

/// All runs, on one stage in this process, which feeds the ring called `ring` if
/// there is to be one.
///
/// # Errors
/// When the stage cannot be opened or does not come to rest.
pub fn one_run(ring: Option<&str>) -> Result<Idle> {
    let state = TemporaryFolder::new("bench-state")?;
    let (hand_over, watch) = handed_over();
    let (tell, told) = channel();
    let mut plan = plan(&state)?;
    plan.outputs.extend(ring.map(|name| OutputPlan::Obs {
        name: name.into(),
        in_preview: false,
    }));
    let shutdown = plan.shutdown.clone();
    let backend = Backend::start(move |socket| {
        let idle = look(socket, &watch);
        shutdown.request();
        // Nobody waits for it any more when the run has failed.
        let _ = tell.send(idle?);
        Ok(())
    })?;
    plan.connection.url = backend.url().to_owned();
    engine::run_with(plan, Vec::new(), |app| {
        // The other end waits for it.
        let _ = hand_over.send(Watch::install(app));
    })?;
    told.recv().context("the stage did not come to rest")
}

fn look(socket: &mut TcpStream, watch: &Receiver<Watch>) -> io::Result<Idle> {
    let watch = watch.recv().map_err(io::Error::other)?;
    watch.wait_for_rest(SETTLE)?;
    let mut idle = Idle::default();
    let mut sequence = 0;
    for _ in 0..RUNS {
        let (drawn, cpu, start) = (watch.drawn(), ProcessTime::now(), Instant::now());
        for _ in 0..SECONDS {
            sequence += 1;
            let ping = ServerMessage::Ping(Ping {
                sequence,
                sent_at: None,
            });
            socket.write_all(&frame(&encode_server(&ping, WallTime::UNIX_EPOCH)))?;
            std::thread::sleep(Duration::from_secs(1));
        }
        let share = cpu.elapsed().as_secs_f64() / start.elapsed().as_secs_f64();
        idle.percent.push(share * 100.0);
        idle.frames.push((watch.drawn() - drawn) as f64);
    }
    Ok(idle)
}
