//! Starting an engine for a source, and ending the one that was started.
//!
//! One engine is started at a time, a few times at most, further and further
//! apart, until somebody asks for more. Reading where the program is and starting
//! it happens on a thread, which then passes what the engine says on to OBS's log;
//! ticks only look whether it is there.
//!
//! An engine that hangs is ended. One whose OBS dies ends by itself: OBS holds the
//! other end of its standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SendError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::choice::{Launch, Mode};
use super::obs::{Level, data_folder, log};

/// Engines that end again and again have something that starting does not
/// mend; the log says what to do.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE_NS: u64 = 2_000_000_000;
const LONGEST_PAUSE_NS: u64 = 60_000_000_000;
/// An engine that was there for so long was no failed attempt.
const GOOD_RUN_NS: u64 = 60_000_000_000;
/// One that runs and does not show itself for so long hangs. Its ring is made once
/// there is something to draw with, before the first frame, and its heart beats
/// until a frame takes far too long.
const HANGING_NS: u64 = 30_000_000_000;
/// Of one engine so many lines go to OBS's log, each so long at most.
const MAX_LINES: usize = 2_000;
const MAX_LINE: u64 = 1_000;
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
    /// Since when one of ours runs and is not live.
    unseen_since_ns: Option<u64>,
    /// The one that was started last has been live.
    was_live: bool,
    /// What the one that was started last said last.
    words: LastWords,
    /// Why the last one ended, while there is no other.
    trouble: Option<String>,
}

/// Shared with the thread that hears it.
type LastWords = Arc<Mutex<String>>;

enum State {
    /// None of ours runs.
    Idle,
    /// A thread is about to start one.
    Starting {
        launch: Launch,
        started: Receiver<Result<Child, String>>,
    },
    /// One of ours runs.
    Running { launch: Launch, child: Child },
    /// One of ours was asked to end, since another is wanted.
    Ending(Child),
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
            unseen_since_ns: None,
            was_live: false,
            words: LastWords::default(),
            trouble: None,
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
            self.trouble = None;
            if !matches!(self.state, State::Ending(_)) {
                self.unseen_since_ns = None;
            }
            self.was_live = true;
            let since = *self.live_since_ns.get_or_insert(now_ns);
            if now_ns.saturating_sub(since) >= GOOD_RUN_NS {
                self.attempts = 0;
            }
            return;
        }
        self.live_since_ns = None;
        self.end_if_it_hangs(now_ns);
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

    /// Somebody has changed something, or looks: what failed may work now.
    pub(crate) fn retry(&mut self) {
        self.attempts = 0;
        self.next_ns = 0;
    }

    /// Somebody has changed how the engine is to be started. One of ours that was
    /// started otherwise ends, and another begins when it is wanted.
    pub(crate) fn suit(&mut self, wanted: Option<&Launch>) {
        self.retry();
        let launch = match &self.state {
            State::Starting { launch, .. } | State::Running { launch, .. } => launch,
            State::Idle | State::Ending(_) => return,
        };
        if wanted == Some(launch) {
            return;
        }
        // One that is being started is ended by the thread that starts it, which
        // finds nobody to hand it to.
        if let State::Running { mut child, .. } = std::mem::replace(&mut self.state, State::Idle) {
            log(
                Level::Info,
                &format!("engine {} ends: its settings have changed", self.name),
            );
            ask_to_end(&mut child);
            self.state = State::Ending(child);
        }
    }

    /// Why there is no engine, and what happens next.
    pub(crate) fn trouble(&self) -> Option<String> {
        let why = self.trouble.as_ref()?;
        let words = lock(&self.words);
        let words = match words.is_empty() {
            true => String::new(),
            false => format!(" (\"{words}\")"),
        };
        let next = if self.attempts < MAX_ATTEMPTS {
            "it is started again soon"
        } else {
            "it is not started again before \"Look again\" is pressed or something is changed here"
        };
        Some(format!("{why}{words}; {next}"))
    }

    fn end_if_it_hangs(&mut self, now_ns: u64) {
        if !matches!(self.state, State::Running { .. } | State::Ending(_)) {
            self.unseen_since_ns = None;
            return;
        }
        let since = *self.unseen_since_ns.get_or_insert(now_ns);
        if now_ns.saturating_sub(since) < HANGING_NS {
            return;
        }
        self.unseen_since_ns = None;
        if let State::Running { mut child, .. } | State::Ending(mut child) =
            std::mem::replace(&mut self.state, State::Idle)
        {
            // One that ended just now is as good as killed.
            let _ = child.kill();
            reap(child);
        }
        self.failed(now_ns, "it hung and was ended");
    }

    fn settle(&mut self, now_ns: u64) {
        match &mut self.state {
            State::Idle => {}
            State::Starting { launch, started } => match started.try_recv() {
                Err(TryRecvError::Empty) => {}
                Ok(Ok(child)) => {
                    let launch = launch.clone();
                    self.state = State::Running { launch, child };
                }
                Ok(Err(why)) => self.failed(now_ns, &why),
                Err(TryRecvError::Disconnected) => {
                    self.failed(now_ns, "the thread that starts it ended");
                }
            },
            State::Running { launch, child } => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status))
                    if status.success() && launch.mode == Mode::Demo && self.was_live =>
                {
                    log(
                        Level::Info,
                        &format!("engine {}: the demonstration begins again", self.name),
                    );
                    self.state = State::Idle;
                    self.retry();
                }
                Ok(Some(status)) => self.failed(now_ns, &ended(status)),
                Err(error) => self.failed(now_ns, &error.to_string()),
            },
            State::Ending(child) => {
                if !matches!(child.try_wait(), Ok(None)) {
                    self.state = State::Idle;
                }
            }
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
            "it is not tried again before somebody asks for it in the source's settings".to_owned()
        };
        self.trouble = Some(why.to_owned());
        log(
            Level::Warning,
            &format!("engine {}: {why}; {then}", self.name),
        );
    }

    fn start(&mut self, launch: &Launch) {
        let folder = self.folder.clone().or_else(data_folder);
        let (name, own) = (self.name.clone(), launch.clone());
        self.was_live = false;
        self.words = LastWords::default();
        let words = self.words.clone();
        // Without room: a child is either received or still the thread's.
        let (sender, receiver) = sync_channel(0);
        let spawned = thread::Builder::new()
            .name("hyperfocus start".into())
            .spawn(move || {
                let started = folder
                    .ok_or_else(|| "OBS does not say where the plugin's data is".to_owned())
                    .and_then(|folder| start(&folder, &name, &own));
                let (started, said) = match started {
                    Ok(mut child) => {
                        let said = child.stderr.take();
                        (Ok(child), said)
                    }
                    Err(why) => (Err(why), None),
                };
                // The source may be gone by now, and with it the one who would
                // have ended the engine.
                if let Err(SendError(Ok(child))) = sender.send(started) {
                    end(child);
                }
                if let Some(said) = said {
                    listen(said, &name, &words);
                }
            });
        // A system without a thread left drops the sender, which `settle` sees.
        drop(spawned);
        self.state = State::Starting {
            launch: launch.clone(),
            started: receiver,
        };
    }

    /// The process that was started and runs.
    #[cfg(test)]
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Running { child, .. } => Some(child.id()),
            State::Idle | State::Starting { .. } | State::Ending(_) => None,
        }
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        // One that is being started is ended by the thread that starts it,
        // which finds nobody to hand it to.
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Running { child, .. } => end(child),
            State::Ending(child) => reap(child),
            State::Idle | State::Starting { .. } => {}
        }
    }
}

fn start(folder: &Path, name: &str, launch: &Launch) -> Result<Child, String> {
    let program = program(&folder.join(CONFIG))?;
    let mut command = Command::new(&program);
    command.arg(launch.mode.command()).args([
        "--output",
        "obs",
        "--name",
        name,
        "--end-with-stdin",
    ]);
    // A demonstration is the same everywhere.
    if let Some(config) = launch.config.as_ref().filter(|_| launch.mode == Mode::Run) {
        command.arg("--config").arg(config);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
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
        format!("it ended with {status}")
    }
}

/// Passes what the engine says on to OBS's log until it ends, and keeps the last
/// of it.
fn listen(said: ChildStderr, name: &str, words: &LastWords) {
    let mut said = BufReader::new(said);
    let mut lines = 0;
    loop {
        let mut line = Vec::new();
        let mut start = (&mut said).take(MAX_LINE);
        // What comes after an error is nobody's loss.
        if !matches!(start.read_until(b'\n', &mut line), Ok(1..)) {
            return;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        line.clone_into(&mut lock(words));
        lines += 1;
        match lines {
            ..=MAX_LINES => log(Level::Info, &format!("engine {name} says: {line}")),
            _ if lines == MAX_LINES + 1 => log(
                Level::Warning,
                &format!("engine {name} has more to say than fits here"),
            ),
            _ => {}
        }
    }
}

fn lock(words: &LastWords) -> std::sync::MutexGuard<'_, String> {
    words.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Asks an engine to end.
fn end(mut child: Child) {
    ask_to_end(&mut child);
    reap(child);
}

/// Sees to it that no dead process is left behind while OBS runs.
fn reap(mut child: Child) {
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
