//! Children of this program, and what the system says about a process.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;

/// How often a child is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// This program, to be started once more.
pub fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("where is this program?")
}

/// Runs `command` to its end, at most for `patience`, and reads the last line
/// of its standard output as JSON.
///
/// # Errors
/// When it cannot start, takes too long, fails or says something else.
pub fn ask<T: DeserializeOwned>(mut command: Command, patience: Duration) -> Result<T> {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let mut pipes = (child.stdout.take(), child.stderr.take());
    // Both are drained at once, so that neither fills up and stops the child.
    let errors = pipes.1.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        })
    });
    let answer = pipes.0.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        })
    });
    let give_up = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= give_up {
            child.kill()?;
            child.wait()?;
            bail!("{shown} did not end within {} s", patience.as_secs());
        }
        std::thread::sleep(LOOK);
    };
    let read = |thread: Option<std::thread::JoinHandle<String>>| {
        thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    };
    let (answer, errors) = (read(answer), read(errors));
    ensure!(status.success(), "{shown} failed ({status}):\n{errors}");
    let last = answer.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("{shown} says {last:?}"))
}

/// `command`, on one core where the system has a way to ask for it.
pub fn on_one_core(command: &Command) -> Command {
    let Some(core) = first_allowed_core() else {
        eprintln!("  not pinned to one core: that needs Linux and taskset");
        let mut same = Command::new(command.get_program());
        same.args(command.get_args());
        return same;
    };
    let mut pinned = Command::new("taskset");
    pinned
        .args(["--cpu-list", &core])
        .arg(command.get_program())
        .args(command.get_args());
    pinned
}

fn first_allowed_core() -> Option<String> {
    let has_taskset = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let first = list.trim().split([',', '-']).next()?.to_owned();
    has_taskset.then_some(first)
}

/// Resident set in MB (10^6 bytes); 0 where the system does not tell.
#[cfg(feature = "render")]
pub fn resident_mb() -> f64 {
    memory_stats::memory_stats().map_or(0.0, |stats| stats.physical_mem as f64 / 1e6)
}
