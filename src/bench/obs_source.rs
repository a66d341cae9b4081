//! OBS's side of the ring: what the source costs a real OBS, how old a frame is
//! when it is shown, and whether any is torn on its way.
//!
//! OBS is started by the tests of `obs/plugin`, which measure it and print what
//! they find; the script that runs the benchmarks says where they are.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use hyperfocus_ring::{Folder, FrameStamp, Newest, Reader, Settings, Writer, now_ns};

use super::Area;
use super::measure::{Limit, Row};
use crate::cli::Figure;

pub const AREA: Area = Area {
    rows: &[SOURCE, AGE],
    measure: in_obs,
};

pub const TORN_AREA: Area = Area {
    rows: &[TORN],
    measure: torn,
};

const SOURCE: Row = Row {
    id: "obs.source_cpu",
    area: "obs",
    name: "CPU that the source adds to OBS for a frame at 1920x1080, against an animated image of that size",
    unit: "x",
    limit: Limit::AtMost(1.2),
};
const AGE: Row = Row {
    id: "obs.age",
    area: "obs",
    name: "age of the frame that OBS shows, from its publication, p95",
    unit: "frames of OBS",
    limit: Limit::AtMost(1.0),
};
const TORN: Row = Row {
    id: "obs.torn",
    area: "obs",
    name: "frames torn of a million handed over",
    unit: "frames",
    limit: Limit::AtMost(0.0),
};

/// Names the program that holds the tests of `obs/plugin`.
const TESTS: &str = "BENCH_OBS_TESTS";

const FRAMES: u32 = 1_000_000;
/// Small, so that the sides meet as often as can be.
const WIDTH: u32 = 64;
const HEIGHT: u32 = 36;

fn in_obs() -> Result<Vec<Figure>> {
    let program = std::env::var_os(TESTS)
        .map(PathBuf::from)
        .with_context(|| format!("{TESTS} does not name the tests of obs/plugin"))?;
    let figures = [(SOURCE, "cost::"), (AGE, "age::")].map(|(row, tests)| {
        let said = Command::new(&program)
            .args([tests, "--include-ignored", "--nocapture"])
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(said.status.success(), "the test {tests} failed");
        let said = String::from_utf8_lossy(&said.stdout);
        let figure = said
            .lines()
            .find_map(|line| line.strip_prefix("figure ")?.strip_prefix(row.id))
            .with_context(|| format!("no OBS was measured by {tests}"))?;
        Ok(row.worst(vec![figure.trim().parse()?]))
    });
    figures.into_iter().collect()
}

/// Frames of one number each, written as fast as can be while they are read.
fn torn() -> Result<Vec<Figure>> {
    let name = format!("bench-torn-{}", std::process::id());
    let folder = Folder::of_user().context("no shared memory to be had")?;
    let mut writer = Writer::create(
        &folder,
        &Settings {
            name: &name,
            engine: env!("CARGO_PKG_VERSION"),
            width: WIDTH,
            height: HEIGHT,
        },
    )?;
    let mut reader = Reader::open(&folder, &name, now_ns())?;
    let is_over = AtomicBool::new(false);
    let (read, torn) = thread::scope(|scope| {
        scope.spawn(|| {
            (1..=FRAMES).for_each(|number| write(&mut writer, number));
            is_over.store(true, Ordering::Release);
        });
        let (mut seen, mut read, mut torn) = (None, 0_u64, 0_u64);
        while !is_over.load(Ordering::Acquire) {
            if let Newest::Frame(frame) = reader.newest(seen) {
                let (pixels, _) = frame.pixels().as_chunks::<4>();
                let is_whole = pixels.iter().all(|pixel| *pixel == pixels[0]);
                torn += u64::from(!is_whole || !frame.is_intact());
                read += 1;
                seen = Some(frame.sequence());
            }
        }
        (read, torn)
    });
    ensure!(read > 0, "no frame was read while they were written");
    eprintln!("  {read} of {FRAMES} frames were read");
    Ok(vec![TORN.worst(vec![torn as f64])])
}

fn write(writer: &mut Writer, number: u32) {
    let mut slot = writer.frame();
    let (pixels, _) = slot.as_mut_slice().as_chunks_mut::<4>();
    pixels.fill(number.to_le_bytes());
    slot.publish(&FrameStamp {
        number: number.into(),
        ..FrameStamp::default()
    });
}
