//! The external video encoder: a child process that is fed frames by a thread
//! of its own, and never outlives its owner.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError};

use super::OutputError;
use super::bleed::bleed;
use super::codec::{self, Picture};
pub use crate::ffmpeg::PROGRAM as ENCODER;
use crate::ffmpeg::{Process, is_cut_off, last_words};

/// How long an encoder may take for a single frame, or one that keeps up with a show
/// to close its file, before it counts as stuck.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The same for one that takes its time to close its file: it still encodes what it
/// looked ahead at, and may write all of a long film once more.
pub(super) const LONG_CLOSING: Duration = Duration::from_secs(30 * 60);

/// Frames that wait for the encoder: a quarter second, 66 MB at 1920x1080.
/// When it is full the encoder is too slow, and more would only be memory.
const QUEUE: usize = 8;
const POLL: Duration = Duration::from_millis(10);

/// What is encoded, and where to.
pub(super) struct Job<'a> {
    /// The program's own path.
    pub program: &'a Path,
    /// What messages call the output.
    pub name: String,
    pub target: &'a Path,
    pub picture: Picture<'a>,
    /// How long it may take to close its file.
    pub closing: Duration,
}

/// One frame and how often it is shown.
struct Shown {
    pixels: Arc<Vec<u8>>,
    times: u64,
}

pub(super) struct Encoder {
    name: String,
    process: Process,
    queue: Option<Sender<Shown>>,
    feeder: Option<JoinHandle<io::Result<()>>>,
    /// Hangs up when the feeder ends.
    fed: Receiver<()>,
    /// Frames that went into the child.
    progress: Arc<AtomicU64>,
    closing: Duration,
    words: Option<JoinHandle<String>>,
}

impl Encoder {
    pub(super) fn start(job: Job) -> Result<Self, OutputError> {
        let mut command = Command::new(job.program);
        command
            .args(codec::arguments(&job.picture, job.target))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let process = Process::start(&mut command).map_err(|error| OutputError::EncoderFailed {
            name: job.name.clone(),
            said: error.to_string(),
        })?;
        let input = process.child().stdin.take();
        let input = input.expect("its input is piped");
        let complaints = process.child().stderr.take();
        let complaints = complaints.expect("its complaints are piped");
        let (queue, jobs) = crossbeam_channel::bounded(QUEUE);
        let (feeding, fed) = crossbeam_channel::bounded(0);
        let progress = Arc::<AtomicU64>::default();
        let width = job.picture.size.0 as usize;
        let count = progress.clone();
        Ok(Self {
            name: job.name,
            process,
            queue: Some(queue),
            feeder: Some(thread::spawn(move || {
                // Moved in only to be dropped at the end.
                let _feeding: Sender<()> = feeding;
                feed(input, &jobs, width, &count)
            })),
            fed,
            progress,
            closing: job.closing,
            words: Some(thread::spawn(move || last_words(complaints))),
        })
    }

    /// Queues a frame; false when the encoder is behind and did not take it.
    pub(super) fn offer(&mut self, pixels: Arc<Vec<u8>>, times: u64) -> Result<bool, OutputError> {
        let queue = self.queue.as_ref().expect("only the end takes the queue");
        match queue.try_send(Shown { pixels, times }) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(self.failure()),
        }
    }

    /// Queues a frame, waiting until there is room.
    pub(super) fn push(&mut self, pixels: Arc<Vec<u8>>, times: u64) -> Result<(), OutputError> {
        let queue = self.queue.clone().expect("only the end takes the queue");
        let mut shown = Some(Shown { pixels, times });
        let sent = self.patiently(|step| {
            match queue.send_timeout(shown.take().expect("a refused frame comes back"), step) {
                Ok(()) => Some(true),
                Err(SendTimeoutError::Timeout(refused)) => {
                    shown = Some(refused);
                    None
                }
                Err(SendTimeoutError::Disconnected(_)) => Some(false),
            }
        })?;
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    /// Lets the encoder close its file.
    pub(super) fn finish(mut self) -> Result<(), OutputError> {
        self.queue = None;
        let fed = self.fed.clone();
        self.patiently(|step| match fed.recv_timeout(step) {
            Err(RecvTimeoutError::Timeout) => None,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Some(()),
        })?;
        let feeder = self.feeder.take().expect("only the end takes the feeder");
        let fed_all = matches!(feeder.join(), Ok(Ok(())));
        let mut waited = Duration::ZERO;
        let status: ExitStatus = loop {
            let ended = self.process.child().try_wait();
            match ended {
                Ok(Some(status)) => break status,
                Ok(None) if waited < self.closing => {
                    thread::sleep(POLL);
                    waited += POLL;
                }
                Ok(None) | Err(_) => {
                    return Err(OutputError::EncoderStuck {
                        name: self.name.clone(),
                        after: waited,
                    });
                }
            }
        };
        let is_well = fed_all && status.success();
        let said = self.end();
        if is_well && !is_cut_off(&said) {
            Ok(())
        } else {
            Err(self.failed(said))
        }
    }

    /// Tries again and again for as long as the encoder moves.
    fn patiently<T>(
        &self,
        mut attempt: impl FnMut(Duration) -> Option<T>,
    ) -> Result<T, OutputError> {
        const STEP: Duration = Duration::from_millis(100);
        let mut seen = self.progress.load(Ordering::Relaxed);
        let mut still = Duration::ZERO;
        loop {
            if let Some(result) = attempt(STEP) {
                return Ok(result);
            }
            still += STEP;
            let now = self.progress.load(Ordering::Relaxed);
            if now != seen {
                (seen, still) = (now, Duration::ZERO);
            } else if still >= PATIENCE {
                return Err(OutputError::EncoderStuck {
                    name: self.name.clone(),
                    after: still,
                });
            }
        }
    }

    /// Why it no longer takes frames. Ends it.
    fn failure(&mut self) -> OutputError {
        let said = self.end();
        self.failed(said)
    }

    fn failed(&self, said: String) -> OutputError {
        OutputError::EncoderFailed {
            name: self.name.clone(),
            said,
        }
    }

    /// Ends the process and both threads; what it said last.
    fn end(&mut self) -> String {
        self.queue = None;
        self.process.end();
        if let Some(feeder) = self.feeder.take() {
            let _ = feeder.join();
        }
        self.words
            .take()
            .and_then(|words| words.join().ok())
            .unwrap_or_default()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.end();
    }
}

fn feed(
    mut input: ChildStdin,
    jobs: &Receiver<Shown>,
    width: usize,
    progress: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    for Shown { pixels, times } in jobs {
        buffer.clear();
        buffer.extend_from_slice(&pixels);
        bleed(&mut buffer, width);
        for _ in 0..times {
            input.write_all(&buffer)?;
            progress.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Where the program is, by the given list of folders or else by PATH.
pub(super) fn find(search: Option<&OsStr>) -> Option<PathBuf> {
    let search = search
        .map(OsStr::to_owned)
        .or_else(|| std::env::var_os("PATH"))?;
    let file = format!("{ENCODER}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&search)
        .map(|folder| folder.join(&file))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        path.metadata()
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    path.is_file()
}
