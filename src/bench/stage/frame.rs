//! From a gift's bytes to the first frame that it changes, on an idle stage.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Watch, handed_over, plan};
use crate::bench::backend::{Backend, frame};
use crate::bench::measure::{Limit, RUNS, Row};
use crate::bench::{Area, child, protocol};
use crate::cli::{Figure, TemporaryFolder};
use crate::engine;
use crate::output::{Finished, OutputError, Sink};
use crate::render::present::Frame;

pub const AREA: Area = Area {
    rows: &[FRAMES, WAKING],
    measure,
};

const FRAMES: Row = Row {
    id: "stage.gift_to_frame",
    area: "stage",
    name: "gift bytes in to first changed frame, stage idle (1 is the next frame)",
    unit: "frames",
    limit: Limit::AtMost(2.0),
};

const WAKING: Row = Row {
    id: "stage.idle.wake",
    area: "idle",
    name: "gift bytes in to the beginning of a frame, stage idle",
    unit: "ms",
    limit: Limit::AtMost(16.7),
};

/// How long the stage rests before each gift.
const REST: Duration = Duration::from_millis(500);
/// Longest wait for a gift to show.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default, Serialize, Deserialize)]
pub struct Delays {
    frames: Vec<f64>,
    waking_ms: Vec<f64>,
}

fn measure() -> Result<Vec<Figure>> {
    let delays: Delays = child::ask(&["gift-to-frame"])?;
    Ok(vec![
        FRAMES.worst(delays.frames),
        WAKING.median(delays.waking_ms),
    ])
}

/// Tells which frames have something on them.
struct Looker(Sender<u64>);

impl Sink for Looker {
    fn name(&self) -> String {
        "the benchmark".to_owned()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        if frame.pixels.iter().any(|byte| *byte != 0) {
            // The other end may have seen enough.
            let _ = self.0.send(frame.index);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        Ok(Finished::default())
    }
}

/// All runs, on one stage in this process.
///
/// # Errors
/// When the stage cannot be opened, does not come to rest or shows nothing.
pub fn one_run() -> Result<Delays> {
    let state = TemporaryFolder::new("bench-state")?;
    let (hand_over, watch) = handed_over();
    let (tell, told) = channel();
    let (looker, changed) = channel();
    let mut plan = plan(&state)?;
    let shutdown = plan.shutdown.clone();
    let backend = Backend::start(move |socket| {
        let delays = give(socket, &watch, &changed);
        shutdown.request();
        // Nobody waits for it any more when the run has failed.
        let _ = tell.send(delays?);
        Ok(())
    })?;
    plan.connection.url = backend.url().to_owned();
    engine::run_with(plan, vec![Box::new(Looker(looker))], |app| {
        // The other end waits for it.
        let _ = hand_over.send(Watch::install(app));
    })?;
    told.recv().context("no gift was seen")
}

fn give(
    socket: &mut TcpStream,
    watch: &Receiver<Watch>,
    changed: &Receiver<u64>,
) -> io::Result<Delays> {
    let watch = watch.recv().map_err(io::Error::other)?;
    let mut delays = Delays::default();
    for run in 0..RUNS {
        watch.wait_for_rest(REST)?;
        while changed.try_recv().is_ok() {}
        watch.take_waking();
        let next = watch.drawn();
        let gift = frame(&protocol::message(run));
        let sent = Instant::now();
        socket.write_all(&gift)?;
        let index = loop {
            let index = changed.recv_timeout(PATIENCE).map_err(io::Error::other)?;
            if index >= next {
                break index;
            }
        };
        delays.frames.push((index - next + 1) as f64);
        let woke = watch.take_waking().unwrap_or(sent);
        delays
            .waking_ms
            .push(woke.saturating_duration_since(sent).as_secs_f64() * 1e3);
    }
    Ok(delays)
}
