//! One thread that shows each frame to every sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Select, Sender};

use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// The outputs at work. Dropping them instead of [`Outputs::finish`] abandons
/// whatever is not complete.
pub struct Outputs {
    receiver: Receiver<Frame>,
    /// A message asks for an orderly end; hanging up asks for any end.
    stop: Option<Sender<()>>,
    state: Arc<State>,
    thread: Option<JoinHandle<OutputReport>>,
}

/// How the outputs ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputReport {
    /// What was written, for people.
    pub written: Vec<String>,
    /// What came to light at the end. What failed on the way was logged when it
    /// did.
    pub warnings: Vec<String>,
    /// The names of outputs that are not complete, whenever they failed.
    pub failed: Vec<String>,
    /// How many frames were taken.
    pub frames: u64,
}

#[derive(Default)]
struct State {
    /// Set before a frame leaves the channel, so that a frame is never in
    /// neither place.
    busy: AtomicBool,
    frames: AtomicU64,
    open: AtomicUsize,
}

impl Outputs {
    /// Starts the thread. It is to be the channel's only taker.
    ///
    /// # Panics
    /// When the system gives no thread.
    pub fn spawn(receiver: Receiver<Frame>, sinks: Vec<Box<dyn Sink + Send>>) -> Self {
        let (stop, stopped) = crossbeam_channel::bounded(1);
        let state = Arc::new(State::default());
        state.open.store(sinks.len(), Ordering::SeqCst);
        let fan = Fan {
            sinks,
            report: OutputReport::default(),
            state: state.clone(),
        };
        let frames = receiver.clone();
        let thread = thread::Builder::new()
            .name("outputs".into())
            .spawn(move || fan.run(&frames, &stopped))
            .expect("a system that draws has a thread left for what it draws");
        Self {
            receiver,
            stop: Some(stop),
            state,
            thread: Some(thread),
        }
    }

    /// How many frames every sink is done with.
    pub fn frames(&self) -> u64 {
        self.state.frames.load(Ordering::SeqCst)
    }

    /// Whether every frame sent so far is done with. Frames that are still
    /// being read back are not sent yet.
    pub fn is_idle(&self) -> bool {
        self.receiver.is_empty() && !self.state.busy.load(Ordering::SeqCst)
    }

    /// How many sinks still take frames: 0 when all failed or their readers
    /// left, and nobody is left to draw for.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Tells whether any sink still takes frames, for as long as it is asked.
    pub fn are_open(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let state = self.state.clone();
        move || state.open.load(Ordering::SeqCst) > 0
    }

    /// Takes the frames sent so far and ends every output. Waits for disks and
    /// encoders.
    pub fn finish(mut self) -> OutputReport {
        if let Some(stop) = self.stop.take() {
            // When the thread has ended already, its report waits.
            let _ = stop.send(());
        }
        let thread = self.thread.take().expect("only finishing takes the thread");
        thread.join().unwrap_or_else(|_| OutputReport {
            failed: vec!["all outputs: their thread panicked".to_owned()],
            frames: self.frames(),
            ..OutputReport::default()
        })
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
    }
}

struct Fan {
    sinks: Vec<Box<dyn Sink + Send>>,
    report: OutputReport,
    state: Arc<State>,
}

impl Fan {
    fn run(mut self, frames: &Receiver<Frame>, stopped: &Receiver<()>) -> OutputReport {
        loop {
            let mut select = Select::new();
            let frame_ready = select.recv(frames);
            select.recv(stopped);
            if select.ready() != frame_ready {
                break;
            }
            if !self.take(frames) {
                break;
            }
        }
        // Where no more frames can come, the owner may not have said yet which end
        // it is to be.
        if stopped.recv().is_err() {
            return self.report;
        }
        while self.take(frames) {}
        self.finish()
    }

    /// Shows the next frame to all; false when there is none.
    fn take(&mut self, frames: &Receiver<Frame>) -> bool {
        self.state.busy.store(true, Ordering::SeqCst);
        let taken = frames.try_recv();
        if let Ok(frame) = &taken {
            self.show(frame);
            self.report.frames += 1;
            self.state.frames.fetch_add(1, Ordering::SeqCst);
        }
        self.state.busy.store(false, Ordering::SeqCst);
        taken.is_ok()
    }

    fn show(&mut self, frame: &Frame) {
        let mut index = 0;
        while index < self.sinks.len() {
            let Err(error) = self.sinks[index].frame(frame) else {
                index += 1;
                continue;
            };
            let sink = self.sinks.remove(index);
            self.state.open.fetch_sub(1, Ordering::SeqCst);
            if matches!(error, OutputError::ReaderLeft(_)) {
                tracing::info!("{error}");
                self.end(sink);
                continue;
            }
            tracing::warn!("{error}; this output ends here");
            self.report.failed.push(sink.name());
            // By the end of a long show the log is far away.
            if let OutputError::Cut { .. } = error {
                self.report.warnings.push(error.to_string());
            }
        }
    }

    fn end(&mut self, sink: Box<dyn Sink + Send>) {
        let name = sink.name();
        match sink.finish() {
            Ok(Finished { written, warnings }) => {
                self.report.written.extend(written);
                self.report.warnings.extend(warnings);
            }
            Err(error) => {
                self.report.warnings.push(error.to_string());
                self.report.failed.push(name);
            }
        }
    }

    fn finish(mut self) -> OutputReport {
        for sink in std::mem::take(&mut self.sinks) {
            self.end(sink);
            self.state.open.fetch_sub(1, Ordering::SeqCst);
        }
        self.report
    }
}
