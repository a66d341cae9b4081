//! The external program that encodes video: its name, its runs, and what it
//! complains of.

use std::io::{self, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The program, as it is called on PATH.
pub const PROGRAM: &str = "ffmpeg";

/// How often it is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);

/// How much of what it complains about is kept: its last lines name the reason.
const WORDS: usize = 2_000;

/// Whether what it says means that a file is not whole. Of a disk that is full when
/// a file is closed some versions only speak, and end as if all were well.
pub fn is_cut_off(words: &str) -> bool {
    const SIGNS: [&str; 5] = [
        "No space left",
        "quota exceeded",
        "Input/output error",
        "Error writing",
        "Error closing",
    ];
    SIGNS.iter().any(|sign| words.contains(sign))
}

/// Reads to the end, so that the program never waits for a reader, and keeps
/// the end.
pub fn last_words(mut complaints: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = complaints.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..count]);
        let surplus = kept.len().saturating_sub(WORDS);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// The program, running; it never outlives its owner.
#[derive(Debug)]
pub struct Process(Arc<Mutex<Child>>);

/// Those that run, for whoever has to end without their owners.
static RUNNING: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

impl Process {
    /// Runs a command, whose pipes are in the [`child`](Self::child). Ctrl-C is for
    /// us: an encoder may still have its file to close.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut running = locked(&RUNNING);
        let child = Arc::new(Mutex::new(command.spawn()?));
        running.push(child.clone());
        Ok(Self(child))
    }

    /// To be held for no longer than a moment: meanwhile nobody can end it.
    pub fn child(&self) -> MutexGuard<'_, Child> {
        locked(&self.0)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child().try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
    }

    /// Ends it, where it still runs.
    pub fn end(&self) {
        let mut child = self.child();
        // Both fail only where it has ended and been reaped already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        locked(&RUNNING).retain(|child| !Arc::ptr_eq(child, &self.0));
    }
}

/// Ends all that run. As long as what it returns is held no other can be started.
#[must_use]
pub fn end_all() -> impl Sized {
    let running = locked(&RUNNING);
    for child in running.iter() {
        // It fails where it has ended already.
        let _ = locked(child).kill();
    }
    running
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves these whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
