//! Starting an engine for a source, and ending the one that was started.
//!
//! One engine is started at a time, a few times at most, further and further
//! apart. Reading where the program is and starting it happens on a thread that
//! lives only for that; ticks only look whether it is done.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SendError, TryRecvError, sync_channel};
use std::thread;

use super::choice::Launch;
use super::obs::{Level, data_folder, log};

/// Engines that end again and again have something that starting does not
/// mend; the log says what to do.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE_NS: u64 = 2_000_000_000;
const LONGEST_PAUSE_NS: u64 = 60_000_000_000;
/// An engine that was there for so long was no failed attempt.
const GOOD_RUN_NS: u64 = 60_000_000_000;
/// In the plugin's data folder, written by `hyperfocus obs install`.
const CONFIG: &str = "engine.conf";
/// It has one line.
const MAX_CONFIG: u64 = 64 << 10;

pub(crate) struct Launcher {
    /// The engine's.
    name: String,
    /// Where the plugin's data is; asked of OBS when it is needed.
    folder: Option<PathBuf>,
    state: State,
    attempts: u32,
    next_ns: u64,
    live_since_ns: Option<u64>,
}

enum State {
    /// None of ours runs.
    Idle,
    /// A thread is about to start one.
    Starting(Receiver<Result<Child, String>>),
    /// One of ours runs.
    Running(Child),
}

impl Launcher {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: None,
            state: State::Idle,
            attempts: 0,
            next_ns: 0,
            live_since_ns: None,
        }
    }

    /// As [`Launcher::new`], with the data folder given.
    #[cfg(test)]
    pub(crate) fn with_folder(name: &str, folder: &Path) -> Self {
        let mut launcher = Self::new(name);
        launcher.folder = Some(folder.to_owned());
        launcher
    }

    /// Notices what became of the engine that was started, and starts one if
    /// one is wanted and none is there.
    pub(crate) fn tick(&mut self, now_ns: u64, is_live: bool, wanted: Option<&Launch>) {
        self.settle(now_ns);
        if is_live {
            let since = *self.live_since_ns.get_or_insert(now_ns);
            if now_ns.saturating_sub(since) >= GOOD_RUN_NS {
                self.attempts = 0;
            }
            return;
        }
        self.live_since_ns = None;
        let Some(launch) = wanted else {
            return;
        };
        if matches!(self.state, State::Idle)
            && now_ns >= self.next_ns
            && self.attempts < MAX_ATTEMPTS
        {
            self.attempts += 1;
            self.start(launch);
        }
    }

    fn settle(&mut self, now_ns: u64) {
        match &mut self.state {
            State::Idle => {}
            State::Starting(receiver) => match receiver.try_recv() {
                Err(TryRecvError::Empty) => {}
                Ok(Ok(child)) => {
                    self.state = State::Running(child);
                }
                Ok(Err(why)) => self.failed(now_ns, &why),
                Err(TryRecvError::Disconnected) => {
                    self.failed(now_ns, "the thread that starts it ended");
                }
            },
            State::Running(child) => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => self.failed(now_ns, &ended(status)),
                Err(error) => self.failed(now_ns, &error.to_string()),
            },
        }
    }

    fn failed(&mut self, now_ns: u64, why: &str) {
        self.state = State::Idle;
        let pause = FIRST_PAUSE_NS
            .saturating_mul(1 << self.attempts.saturating_sub(1).min(16))
            .min(LONGEST_PAUSE_NS);
        self.next_ns = now_ns + pause;
        let then = if self.attempts < MAX_ATTEMPTS {
            format!("it is tried again in {} s", pause / 1_000_000_000)
        } else {
            "it is not tried again; start it by hand, or OBS anew".to_owned()
        };
        log(
            Level::Warning,
            &format!("engine {}: {why}; {then}", self.name),
        );
    }

    fn start(&mut self, launch: &Launch) {
        let folder = self.folder.clone().or_else(data_folder);
        let (name, launch) = (self.name.clone(), launch.clone());
        // Without room: a child is either received or still the thread's.
        let (sender, receiver) = sync_channel(0);
        let spawned = thread::Builder::new()
            .name("hyperfocus start".into())
            .spawn(move || {
                let started = folder
                    .ok_or_else(|| "OBS does not say where the plugin's data is".to_owned())
                    .and_then(|folder| start(&folder, &name, &launch));
                // The source may be gone by now, and with it the one who would
                // have ended the engine.
                if let Err(SendError(Ok(child))) = sender.send(started) {
                    end(child);
                }
            });
        // A system without a thread left drops the sender, which `settle` sees.
        drop(spawned);
        self.state = State::Starting(receiver);
    }

    /// The process that was started and runs.
    #[cfg(test)]
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Running(child) => Some(child.id()),
            State::Idle | State::Starting(_) => None,
        }
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        // One that is being started is ended by the thread that starts it,
        // which finds nobody to hand it to.
        if let State::Running(child) = std::mem::replace(&mut self.state, State::Idle) {
            end(child);
        }
    }
}

fn start(folder: &Path, name: &str, launch: &Launch) -> Result<Child, String> {
    let program = program(&folder.join(CONFIG))?;
    let mut command = Command::new(&program);
    command
        .arg(launch.mode.command())
        .args(["--output", "obs", "--name", name]);
    if let Some(config) = &launch.config {
        command.arg("--config").arg(config);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    detach(&mut command);
    let child = command
        .spawn()
        .map_err(|error| format!("{} does not start: {error}", program.display()))?;
    log(
        Level::Info,
        &format!(
            "started engine {name} (pid {}): {}",
            child.id(),
            program.display()
        ),
    );
    Ok(child)
}

/// The `program=` of the file that `hyperfocus obs install` wrote.
fn program(path: &Path) -> Result<PathBuf, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_CONFIG).read_to_string(&mut text))
        .map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "is missing".to_owned(),
                _ => error.to_string(),
            };
            format!(
                "{} {why}; `hyperfocus obs install` writes it",
                path.display()
            )
        })?;
    let program = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "program")
        .map(|(_, value)| PathBuf::from(value.trim()));
    match program {
        Some(program) if program.is_absolute() => Ok(program),
        _ => Err(format!(
            "{} names no program by its whole path; `hyperfocus obs install` writes it anew",
            path.display()
        )),
    }
}

fn ended(status: ExitStatus) -> String {
    if status.success() {
        "it ended by itself".to_owned()
    } else {
        format!("it ended with {status}; `hyperfocus obs doctor` says why")
    }
}

/// Keeps what is typed at OBS's terminal from the engine.
fn detach(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 0x8;
        std::os::windows::process::CommandExt::creation_flags(command, DETACHED_PROCESS);
    }
}

/// Asks an engine to end, and lets a thread see that it does, so that no dead
/// process is left behind while OBS runs.
fn end(mut child: Child) {
    ask_to_end(&mut child);
    // Without a thread the system cleans up when OBS ends.
    let _ = thread::Builder::new()
        .name("hyperfocus end".into())
        .spawn(move || child.wait());
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library only kills")]
fn ask_to_end(child: &mut Child) {
    unsafe extern "C" {
        fn kill(pid: i32, signal: i32) -> i32;
    }
    const SIGTERM: i32 = 15;
    if let Ok(pid) = i32::try_from(child.id()) {
        // SAFETY: the child was not waited for, so the id is still its own. One
        // that has ended already is not changed by a signal.
        unsafe { kill(pid, SIGTERM) };
    }
}

/// Not tried. There is no gentle way to a program without a window or console.
#[cfg(windows)]
fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}
