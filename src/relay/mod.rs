//! The relay: the backend's side of the protocol. Gifts come in over HTTP, are
//! kept before anything is promised, and go out to every renderer of their
//! stream.
//!
//! ```text
//! POST gifts -> api -> store (safe on disk) -> feed -> hub -> client -> socket
//!                        ^                              |
//!                        +--------- endings ------------+   gift:ack
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `hub` | who gets what, when, and what became of it; pure |
//! | `store` | gifts, endings and settings on disk |
//! | `channel` | one stream of the running relay: its hub, and who is woken |
//! | `client` | one task for each WebSocket |
//! | `upgrade` | from an HTTP request to a WebSocket |
//! | `api`, `events`, `figures`, `problem`, `wire` | what HTTP offers |
//! | `door`, `tokens`, `limits` | who may come in, as what, and how often |
//! | `server` | the listener, and the task for each connection |
//!
//! A web page must not reach a relay on its reader's own machine: every request
//! needs a token that no page knows, a `Host` that is ours, and no foreign
//! `Origin`.

#![deny(clippy::unwrap_used)]

mod api;
mod channel;
mod client;
mod door;
mod events;
mod figures;
mod hub;
mod limits;
mod problem;
mod server;
mod store;
mod tokens;
mod upgrade;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

pub use door::Door;
pub use store::StoreError;
pub use tokens::{Role, TokenError, Tokens};

use server::Core;
use store::{Opened, SqliteOptions};

/// How a relay is run.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// A loopback address; port 0 takes any free one.
    pub address: SocketAddr,
    /// Holds the database and the tokens; made when it is not there.
    pub data_dir: PathBuf,
    /// Bound of the database in MiB; the disk's when absent.
    pub max_store_mib: Option<u64>,
    /// Put a damaged database aside and begin with an empty one.
    pub start_clean: bool,
    /// How long a gift is kept after it ended.
    pub history: Duration,
    /// Names besides the loopback ones that a request may be meant for.
    pub hosts: Vec<String>,
    /// Web origins besides our own whose pages may come in.
    pub origins: Vec<String>,
}

/// Why a relay could not start.
#[derive(Debug, Error)]
pub enum RelayError {
    #[error(
        "{0} is not a loopback address; listen on 127.0.0.1 or ::1 and put a proxy that speaks \
         TLS before it, since tokens must not travel unencrypted"
    )]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}: {source}; choose another --listen")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Tokens(#[from] TokenError),
}

/// A running relay. Dropping it closes its connections in good order.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    tokens: Tokens,
    put_aside: Option<PathBuf>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Opens the store, listens, and serves on threads of its own.
    ///
    /// # Errors
    /// When the address, the folder or the database cannot be used.
    pub fn start(options: RelayOptions) -> Result<Self, RelayError> {
        if !options.address.ip().is_loopback() {
            return Err(RelayError::NotLoopback(options.address));
        }
        let opened = Opened::open(&SqliteOptions {
            folder: options.data_dir.clone(),
            max_mib: options.max_store_mib,
            start_clean: options.start_clean,
        })?;
        let put_aside = opened.put_aside.clone();
        let tokens = Tokens::load_or_make(&options.data_dir)?;
        let listen = |source| RelayError::Listen {
            address: options.address,
            source,
        };
        let listener = std::net::TcpListener::bind(options.address).map_err(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let door = Door::new(options.hosts, options.origins);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("relay")
            .enable_all()
            .build()?;
        let (stop, stopping) = watch::channel(false);
        let core = Core::start(opened, tokens.clone(), door, options.history, stopping)?;
        let thread = std::thread::Builder::new()
            .name("relay-main".into())
            .spawn(move || serve(&runtime, listener, &core))?;
        Ok(Self {
            address,
            tokens,
            put_aside,
            stop,
            thread: Some(thread),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where renderers connect.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Where a damaged database was put.
    pub fn put_aside(&self) -> Option<&PathBuf> {
        self.put_aside.as_ref()
    }
}

fn serve(runtime: &tokio::runtime::Runtime, listener: std::net::TcpListener, core: &Arc<Core>) {
    let _ours = runtime.enter();
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => runtime.block_on(server::serve(listener, core)),
        Err(error) => tracing::error!(%error, "cannot listen"),
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}
