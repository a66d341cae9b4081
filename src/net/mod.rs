//! The network thread: one connection, kept up, between a backend and a stage.
//!
//! [`spawn`] starts the thread and returns the [`Link`], the stage's end of
//! two bounded channels. The thread owns the socket, the clock and randomness;
//! every decision is [`crate::session`]'s. Heartbeats are answered here, never
//! through a frame of the stage.

#![deny(clippy::unwrap_used)]

mod connect;
mod driver;
mod endpoint;
mod identity;
mod keep;
#[cfg(feature = "stage")]
mod loose;
mod metered;
mod socket;
mod tls;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use thiserror::Error;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::http::header::HeaderValue;
use tracing::{error, warn};

use crate::model::{Outcome, Private, Telemetry};
use crate::session::{Counts, Session, SessionSettings, ToStage};

use driver::Driver;

pub(crate) use connect::Dialer;
#[cfg(feature = "relay")]
pub(crate) use connect::Stream;
pub use keep::{Keep, Kept, WAITING_TO_BE_KEPT};
#[cfg(feature = "stage")]
pub use loose::FarEnd;
#[cfg(feature = "render")]
pub(crate) use tls::client_config;

pub use identity::{Identity, IdentityError, ephemeral_id, state_dir};

/// What may wait for the stage. A stage that draws takes all of it every
/// frame; when it is full the session holds the gifts that follow.
pub const TO_STAGE_CAPACITY: usize = 4096;

/// Outcomes that may wait for the network thread, which takes them in at once;
/// when it is full [`Link::send`] hands the outcome back.
pub const FROM_STAGE_CAPACITY: usize = 16_384;

/// Where to connect, as whom, and whom to wake.
#[derive(Clone)]
pub struct NetConfig {
    /// `ws://` or `wss://`; may carry a secret in its query, so it is not shown.
    pub url: String,
    /// Sent as `Authorization: Bearer` with the upgrade; never logged.
    pub token: Option<Private<String>>,
    /// PEM file of authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The seed in it is replaced: the network thread owns randomness.
    pub session: SessionSettings,
    pub waker: Waker,
    /// Who gets a copy of every message that comes.
    pub keep: Option<Keep>,
}

impl std::fmt::Debug for NetConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetConfig")
            .field("ca_file", &self.ca_file)
            .field("session", &self.session)
            .field("waker", &self.waker)
            .finish_non_exhaustive()
    }
}

/// What the stage tells the network thread.
#[derive(Debug, Clone, PartialEq)]
pub enum FromStage {
    /// What became of a gift; its ack goes out.
    Outcome(Outcome),
    /// How the stage is doing, for a backend that wants to know.
    Telemetry(Box<Telemetry>),
}

/// Called when something was put into the stage's channel, so that an idle
/// stage can sleep. May be set after the thread has started, once; what came
/// before waits in the channel.
#[derive(Clone, Default)]
pub struct Waker(Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>);

impl Waker {
    /// Sets what wakes the stage. It is called on the network thread, about
    /// once per batch of messages, and must not block. False when one was set
    /// already.
    pub fn set(&self, wake: impl Fn() + Send + Sync + 'static) -> bool {
        self.0.set(Box::new(wake)).is_ok()
    }

    fn wake(&self) {
        if let Some(wake) = self.0.get() {
            wake();
        }
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = self.0.get().is_some();
        f.debug_struct("Waker").field("set", &set).finish()
    }
}

/// Why the network thread could not start. Whatever happens later is a
/// [`ConnectionState`](crate::session::ConnectionState).
#[derive(Debug, Error)]
pub enum NetError {
    #[error("the URL cannot be used: {0}")]
    Url(&'static str),
    #[error("the token holds characters that a header cannot; check the token file")]
    Token,
    #[error("cannot read the certificate file {}: {reason}", .path.display())]
    CaFile { path: PathBuf, reason: String },
    #[error(
        "no certificate authorities are installed, so no wss:// server can be trusted; \
         install ca-certificates or name a certificate file"
    )]
    NoAuthorities,
    #[error("the network thread cannot start: {0}")]
    Thread(#[from] std::io::Error),
}

/// The stage's end. Dropping it ends the session in an orderly way, which can
/// take as long as the session's patience with a close (2 s).
#[derive(Debug)]
pub struct Link {
    from_net: Receiver<ToStage>,
    to_net: Sender<FromStage>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Counts>>,
}

/// What both ends of the link touch besides the channels.
#[derive(Debug, Default)]
struct Shared {
    /// Wakes the network thread.
    bell: Notify,
    shutdown: AtomicBool,
    /// The network thread found the stage's channel full and waits for room.
    wants_room: AtomicBool,
    /// See [`Link::telemetry_wanted`].
    telemetry_wanted: AtomicU64,
}

/// Starts the network thread. It connects at once, and again whenever the
/// connection breaks, until it is told to stop or trying again cannot help.
///
/// # Errors
/// When the configuration cannot work at all: see [`NetError`].
pub fn spawn(config: NetConfig) -> Result<Link, NetError> {
    let mut dialer = Dialer::new(&config.url, config.ca_file.as_deref())?;
    dialer.token = config.token.as_ref().map(bearer).transpose()?;
    let endpoint = &dialer.endpoint;
    if dialer.token.is_some() && !endpoint.is_tls() && !endpoint.is_loopback() {
        warn!(%endpoint, "the token travels unencrypted; use wss:// if the server has it");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Only name resolution blocks, and one that hangs must not keep the
        // next from being tried.
        .max_blocking_threads(4)
        .build()?;

    let (to_stage, from_net) = bounded(TO_STAGE_CAPACITY);
    let (to_net, from_stage) = bounded(FROM_STAGE_CAPACITY);
    let shared = Arc::new(Shared::default());
    let settings = SessionSettings {
        seed: fastrand::u64(..),
        ..config.session
    };
    let driver = Driver::new(
        Session::new(settings),
        dialer,
        to_stage,
        from_stage,
        shared.clone(),
        config.waker,
        config.keep,
    );
    let thread = std::thread::Builder::new()
        .name("net".to_owned())
        .spawn(move || {
            let counts = runtime.block_on(driver.run());
            // A name resolution that hangs must not hold up the exit.
            runtime.shutdown_background();
            counts
        })?;
    Ok(Link {
        from_net,
        to_net,
        shared,
        thread: Some(thread),
    })
}

fn bearer(token: &Private<String>) -> Result<HeaderValue, NetError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.0.trim()))
        .map_err(|_| NetError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Link {
    /// The next thing for the stage, if there is one. Never waits.
    pub fn try_recv(&self) -> Option<ToStage> {
        let message = self.from_net.try_recv().ok();
        // Half empty rather than one free place: the network thread should
        // wake for a batch, not for a gift. The fence pairs with the driver's,
        // so that one of the two ends sees the other's last step.
        if self.from_net.len() <= TO_STAGE_CAPACITY / 2 {
            fence(Ordering::SeqCst);
            if self.shared.wants_room.load(Ordering::Relaxed)
                && self.shared.wants_room.swap(false, Ordering::Relaxed)
            {
                self.shared.bell.notify_one();
            }
        }
        message
    }

    /// Everything that waits for the stage, to be drained once a frame.
    pub fn drain(&self) -> impl Iterator<Item = ToStage> + '_ {
        std::iter::from_fn(|| self.try_recv())
    }

    /// Tells the network thread something. Never waits.
    ///
    /// # Errors
    /// Hands the message back when the channel is full (try again next frame)
    /// or when the thread has ended ([`Link::is_finished`]).
    pub fn send(&self, message: FromStage) -> Result<(), FromStage> {
        let sent = self.to_net.try_send(message);
        self.shared.bell.notify_one();
        sent.map_err(|e| match e {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => message,
        })
    }

    /// Whether the backend wants [`FromStage::Telemetry`]: the number of the
    /// connection that does, or 0. A new number has heard nothing yet; the stage
    /// is woken when it begins.
    pub fn telemetry_wanted(&self) -> u64 {
        self.shared.telemetry_wanted.load(Ordering::Acquire)
    }

    /// Asks for an orderly close, without waiting for it.
    pub fn request_shutdown(&self) {
        self.shared.shutdown.store(true, Ordering::Release);
        self.shared.bell.notify_one();
    }

    /// Whether the network thread has ended, for good.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Closes in an orderly way and says what was counted. Takes at most the
    /// session's patience with a close (2 s).
    pub fn shutdown(mut self) -> Counts {
        self.request_shutdown();
        self.join()
    }

    fn join(&mut self) -> Counts {
        let Some(thread) = self.thread.take() else {
            return Counts::default();
        };
        thread.join().unwrap_or_else(|_| {
            error!("the network thread panicked");
            Counts::default()
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.request_shutdown();
        self.join();
    }
}
