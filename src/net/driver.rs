//! The thread's loop. It owns the socket and the clock, moves bytes and
//! messages between them, the session and the stage, and decides nothing.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use tracing::{debug, info, warn};

use super::connect::{Dialer, Stream};
use super::socket::Socket;
use super::{FromStage, Keep, Shared, Waker};
use crate::model::{Moment, WallTime};
use crate::session::{
    ConnectFailure, ConnectionState, Counts, Input, Note, Output, Problem, Session, ToStage,
};

/// Reading the resident set costs a system call; a heartbeat comes every few
/// seconds at most.
const MEMORY_EVERY: Duration = Duration::from_secs(1);

type Dialing = Pin<Box<dyn Future<Output = Result<(Stream, bool), ConnectFailure>> + Send>>;

/// What the session's connection is made of at the moment.
enum Wire {
    Down,
    Dialing(Dialing),
    Up(Box<Socket>),
}

/// The monotonic clock, from an arbitrary start, and the wall's.
#[derive(Clone, Copy)]
struct Clock {
    start: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the driver owns the clock")]
    fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    fn read(self) -> (Moment, WallTime) {
        (self.start.elapsed(), WallTime::now())
    }

    /// Gives the session an input that happens now.
    fn feed(self, session: &mut Session, input: Input<'_>) {
        let (now, wall) = self.read();
        session.handle_input(input, now, wall);
    }
}

pub(super) struct Driver {
    session: Session,
    dialer: Arc<Dialer>,
    wire: Wire,
    to_stage: Sender<ToStage>,
    /// Polled from the session and refused by the full channel.
    unsent: Option<ToStage>,
    from_stage: Receiver<FromStage>,
    shared: Arc<Shared>,
    waker: Waker,
    clock: Clock,
    /// How many bytes had been heard when the session was last told.
    heard: u64,
    memory_due: Moment,
    last_problem: Option<Problem>,
    keep: Option<Keep>,
}

impl Driver {
    pub fn new(
        session: Session,
        dialer: Dialer,
        to_stage: Sender<ToStage>,
        from_stage: Receiver<FromStage>,
        shared: Arc<Shared>,
        waker: Waker,
        keep: Option<Keep>,
    ) -> Self {
        Self {
            session,
            dialer: Arc::new(dialer),
            wire: Wire::Down,
            to_stage,
            unsent: None,
            from_stage,
            shared,
            waker,
            clock: Clock::start(),
            heard: 0,
            memory_due: Moment::ZERO,
            last_problem: None,
            keep,
        }
    }

    /// Runs until the session stops.
    pub async fn run(mut self) -> Counts {
        loop {
            self.hear();
            self.clock.feed(&mut self.session, Input::Timer);
            self.act();
            self.feed_stage();
            if self.session.is_stopped() {
                break;
            }
            self.wait().await;
        }
        let counts = self.session.counts();
        debug!(?counts, "the network thread ends");
        counts
    }

    /// Takes in what the stage, the process and the socket's meter have to say.
    fn hear(&mut self) {
        let (now, wall) = self.clock.read();
        while let Ok(said) = self.from_stage.try_recv() {
            let input = match said {
                FromStage::Outcome(outcome) => Input::Outcome(outcome),
                FromStage::Telemetry(telemetry) => Input::Telemetry(telemetry),
            };
            self.session.handle_input(input, now, wall);
        }
        if self.shared.shutdown.load(Ordering::Acquire) {
            self.session.handle_input(Input::Shutdown, now, wall);
        }
        let heard = self.dialer.heard.load(Ordering::Relaxed);
        if heard != self.heard {
            self.heard = heard;
            self.session.handle_input(Input::Alive, now, wall);
        }
        if self.memory_due <= now {
            self.memory_due = now + MEMORY_EVERY;
            if let Some(memory) = memory_stats::memory_stats() {
                let resident = memory.physical_mem as u64;
                self.session
                    .handle_input(Input::Memory(resident), now, wall);
            }
        }
    }

    fn act(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect { offer_subprotocol } => {
                    let dialer = self.dialer.clone();
                    self.wire =
                        Wire::Dialing(Box::pin(
                            async move { dialer.dial(offer_subprotocol).await },
                        ));
                }
                Output::Disconnect => self.wire = Wire::Down,
                Output::State(state) => self.log_state(state),
                Output::Note(note) => log_note(&note),
            }
        }
    }

    /// Puts into the stage's channel what fits. When it is full the stage's
    /// end of the link rings as soon as half of it is free.
    fn feed_stage(&mut self) {
        let mut fed = false;
        let mut asked = false;
        // Before the news that wakes the stage, so that it looks.
        let wanted = self.session.telemetry_wanted();
        self.shared
            .telemetry_wanted
            .store(wanted, Ordering::Release);
        while let Some(message) = self.unsent.take().or_else(|| self.session.poll_stage()) {
            match self.to_stage.try_send(message) {
                Ok(()) => fed = true,
                Err(TrySendError::Full(message)) => {
                    self.unsent = Some(message);
                    if asked {
                        break;
                    }
                    // Asked first and tried again after, so that room made in
                    // between is not missed.
                    self.shared.wants_room.store(true, Ordering::Relaxed);
                    fence(Ordering::SeqCst);
                    asked = true;
                }
                Err(TrySendError::Disconnected(_)) => {
                    // Without a stage there is nobody to play for.
                    self.clock.feed(&mut self.session, Input::Shutdown);
                    self.act();
                    break;
                }
            }
        }
        if fed {
            self.waker.wake();
        }
    }

    /// Waits for the socket, the stage or the session's own next moment,
    /// whichever comes first.
    async fn wait(&mut self) {
        let (now, _) = self.clock.read();
        let next = self.session.next_wake();
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep(at.saturating_sub(now)).await,
                None => pending().await,
            }
        };
        let clock = self.clock;
        let session = &mut self.session;
        let wire = &mut self.wire;
        let keep = &self.keep;
        tokio::select! {
            () = sleep => {}
            () = self.shared.bell.notified() => {}
            () = poll_fn(|cx| match wire {
                Wire::Down => std::task::Poll::Pending,
                Wire::Dialing(dialing) => dialing.as_mut().poll(cx).map(|dialed| {
                    *wire = dialled(dialed, session, clock, keep.as_ref());
                }),
                Wire::Up(socket) => socket.poll(cx, session, || clock.read()),
            }) => {}
        }
        if matches!(wire, Wire::Up(socket) if socket.is_over()) {
            *wire = Wire::Down;
        }
    }

    fn log_state(&mut self, state: ConnectionState) {
        let endpoint = &self.dialer.endpoint;
        match state {
            ConnectionState::Connecting => debug!(%endpoint, "connecting"),
            ConnectionState::Online => {
                self.last_problem = None;
                info!(%endpoint, "connected");
            }
            ConnectionState::Offline { problem, retry_in } => {
                let retry_in = format!("{:.1} s", retry_in.as_secs_f32());
                // The same trouble every few seconds is news once.
                if self.last_problem.as_ref() == Some(&problem) {
                    debug!(%endpoint, %problem, retry_in, "still offline");
                } else {
                    warn!(%endpoint, retry_in, "{problem}");
                    self.last_problem = Some(problem);
                }
            }
            ConnectionState::Stopped(Some(problem)) => {
                warn!(%endpoint, "{problem}; not trying again");
            }
            ConnectionState::Stopped(None) => debug!(%endpoint, "closed"),
        }
    }
}

fn dialled(
    dialled: Result<(Stream, bool), ConnectFailure>,
    session: &mut Session,
    clock: Clock,
    keep: Option<&Keep>,
) -> Wire {
    match dialled {
        Ok((stream, subprotocol)) => {
            clock.feed(session, Input::Connected { subprotocol });
            Wire::Up(Box::new(Socket::new(stream, keep.cloned())))
        }
        Err(failure) => {
            clock.feed(session, Input::ConnectFailed(failure));
            Wire::Down
        }
    }
}

fn log_note(note: &Note) {
    match note {
        Note::Malformed { code, so_far } => {
            warn!(code, so_far, "a message could not be read and was refused");
        }
        Note::PeerError(error) => {
            let said = &*error.message;
            warn!(code = %error.code, retryable = error.retryable, said, "the server reports an error");
        }
        Note::NoSubprotocol => {
            info!("the server does not name the subprotocol; going on all the same");
        }
        Note::Overloaded { so_far } => {
            warn!(
                so_far,
                "more gifts than can be held; the cheapest are refused"
            );
        }
        Note::ControlsDropped { so_far } => {
            warn!(
                so_far,
                "more controls than can wait; the oldest are dropped"
            );
        }
    }
}
