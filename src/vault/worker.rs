//! The thread that fetches: addresses in, faces out, never a wait in a frame.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use futures_util::FutureExt as _;
use thiserror::Error;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::face::{self, Face, FaceError};
use super::fetch::{Allowed, Refusal, Target, fetch, host_of};
use super::origin::WebOrigin;
use crate::model::Private;
use crate::net::{NetError, client_config};

/// Pictures that wait to be fetched: as many acts as a stage has, and the board's
/// rows. Beyond: not taken, and asked for again by whoever still wants it.
const MAX_WAITING: usize = 80;

/// Pictures fetched at once.
const AT_ONCE: usize = 4;

/// For one picture, from its name's resolution to its last byte.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why nothing can be fetched at all.
#[derive(Debug, Error)]
pub enum VaultError {
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("the system gives no thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What became of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// An [`Arrived`] will tell.
    Coming,
    /// It is at this host, where nobody may be asked.
    Foreign(String),
    /// It is nowhere on the web.
    Never,
    /// There are too many now.
    Full,
}

/// How a picture turned out.
pub struct Arrived {
    pub url: Private<Arc<str>>,
    /// Absent when it cannot be had.
    pub face: Option<Face>,
}

/// The caller's end. Dropping it ends the thread, after the picture that is being
/// decoded at most.
pub struct Vault {
    origins: Vec<WebOrigin>,
    asks: mpsc::Sender<Private<Arc<str>>>,
    /// Dropped to end the thread, whatever it waits for.
    stop: Option<oneshot::Sender<()>>,
    /// At most one for each ask that was taken.
    arrivals: Receiver<Arrived>,
    on_their_way: usize,
    thread: Option<JoinHandle<()>>,
}

impl Vault {
    /// Starts the thread. `ca_file` names authorities that are trusted besides the
    /// system's; `wake` is called on the thread after each picture.
    ///
    /// # Errors
    /// When an origin needs authorities and there are none, when `ca_file` cannot be
    /// read, or when the system refuses a thread.
    pub fn open(
        origins: Vec<WebOrigin>,
        ca_file: Option<&Path>,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, VaultError> {
        Self::with_patience(origins, ca_file, PATIENCE, wake)
    }

    pub(super) fn with_patience(
        origins: Vec<WebOrigin>,
        ca_file: Option<&Path>,
        patience: Duration,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, VaultError> {
        let tls = match origins.iter().any(WebOrigin::is_tls) {
            true => Some(client_config(ca_file)?),
            false => None,
        };
        let allowed = Arc::new(Allowed {
            origins: origins.clone(),
            tls,
            patience,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Only names are resolved there.
            .max_blocking_threads(AT_ONCE)
            .build()?;
        let (asks, inbox) = mpsc::channel(MAX_WAITING);
        let (outbox, arrivals) = unbounded();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("vault".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = work(inbox, &allowed, &outbox, &wake) => {}
                    }
                });
                // A name's resolution that hangs must not hold up the exit.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            origins,
            asks,
            stop: Some(stop),
            arrivals,
            on_their_way: 0,
            thread: Some(thread),
        })
    }

    /// Asks for a picture. Never waits.
    pub fn ask(&mut self, url: &Private<Arc<str>>) -> Asked {
        let Ok(target) = Target::parse(&url.0) else {
            return Asked::Never;
        };
        if !target.is_among(&self.origins) {
            return Asked::Foreign(target.host);
        }
        match self.asks.try_send(url.clone()) {
            Ok(()) => {
                self.on_their_way += 1;
                Asked::Coming
            }
            Err(TrySendError::Full(_)) => Asked::Full,
            Err(TrySendError::Closed(_)) => Asked::Never,
        }
    }

    /// What has arrived since.
    pub fn take(&mut self) -> Vec<Arrived> {
        let arrived: Vec<_> = self.arrivals.try_iter().collect();
        self.on_their_way -= arrived.len();
        arrived
    }

    /// Waits for everything that was asked for, each no longer than `patience`: for
    /// recordings.
    pub fn finish(&mut self, patience: Duration) -> Vec<Arrived> {
        let mut arrived = self.take();
        while self.on_their_way > 0
            && let Ok(one) = self.arrivals.recv_timeout(patience)
        {
            self.on_their_way -= 1;
            arrived.push(one);
        }
        arrived
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic was logged there.
            let _ = thread.join();
        }
    }
}

/// Until nobody takes what it brings.
async fn work(
    mut inbox: mpsc::Receiver<Private<Arc<str>>>,
    allowed: &Arc<Allowed>,
    outbox: &Sender<Arrived>,
    wake: &dyn Fn(),
) {
    let mut fetching = JoinSet::new();
    let mut has_told = false;
    loop {
        tokio::select! {
            url = inbox.recv(), if fetching.len() < AT_ONCE => {
                let Some(url) = url else { return };
                let allowed = allowed.clone();
                fetching.spawn(async move {
                    let fetched = AssertUnwindSafe(fetch(&url.0, &allowed)).catch_unwind();
                    let fetched = fetched.await.map_err(|_| Failure::Panicked);
                    let bytes = fetched.and_then(|bytes| bytes.map_err(Failure::Fetch));
                    (url, bytes)
                });
            }
            Some(Ok((url, bytes))) = fetching.join_next() => {
                let face = bytes.and_then(|bytes| decode(&bytes));
                if let Err(why) = &face {
                    let host = host_of(&url.0).unwrap_or_default();
                    if std::mem::replace(&mut has_told, true) {
                        debug!("no picture from {host}: {why}");
                    } else {
                        warn!(
                            "no picture of a sender from {host}: {why}; initials stand for those \
                             that cannot be had (said once)"
                        );
                    }
                }
                let face = face.ok();
                if outbox.send(Arrived { url, face }).is_err() {
                    return;
                }
                wake();
            }
        }
    }
}

#[derive(Debug, Error)]
enum Failure {
    #[error("{0}")]
    Fetch(Refusal),
    #[error("{0}")]
    Face(FaceError),
    #[error("fetching it panicked; this is a bug, please report it")]
    Panicked,
}

/// Strangers made these bytes: a decoder that panics over them costs this picture
/// and no other.
fn decode(bytes: &[u8]) -> Result<Face, Failure> {
    let decoded = catch_unwind(AssertUnwindSafe(|| face::decode(bytes)));
    decoded
        .unwrap_or(Err(FaceError::Panicked))
        .map_err(Failure::Face)
}
