//! The relay: the backend's side of the protocol. Gifts come in over HTTP, are
//! kept before anything is promised, and go out to every renderer of their
//! stream.
//!
//! ```text
//! POST gifts -> front -> api -> store (kept) -> feed -> hub -> client -> socket
//!                                 ^                              |
//!                                 +--------- endings ------------+   gift:ack
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `hub` | who gets what, when, and what became of it; pure |
//! | `store` | gifts, endings and settings, in a file or shared through NATS |
//! | `channel` | one stream of the running relay: its hub, and who is woken |
//! | `status` | its latest status, and how far the goal has come since |
//! | `client` | one task for each WebSocket |
//! | `bell` | how that task is woken |
//! | `pulse` | how often its client is pinged, and for how long that may be silent |
//! | `callers`, `courier` | who is woken, and one task that writes gifts to many viewers whose own tasks rest |
//! | `lock` | how all of them take their locks |
//! | `upgrade`, `socket` | from an HTTP request to a WebSocket, and what it is |
//! | `transport`, `tls` | TCP, with TLS where there is a certificate |
//! | `roster` | who is connected to a stream, and what each said last of itself |
//! | `api`, `overview`, `parked`, `rates`, `events`, `figures`, `problem`, `wire` | what HTTP offers |
//! | `desk` | the host's page, and who is signed in there |
//! | `door`, `tokens`, `secret`, `limits` | who may come in, as what, and how often |
//! | `sources` | where gifts come from besides HTTP |
//! | `whereabouts` | where the running relay is, for other programs of its user |
//! | `server` | the listener, and the task for each connection |
//! | `front` | what every request has to pass, and who answers it |
//!
//! A web page must not reach a relay on its reader's own machine: every request
//! needs a token that no page knows, a `Host` that is ours, and no foreign
//! `Origin`. The desk's own page has a cookie in place of the token, which counts
//! only where the browser says that it is that page.
//!
//! Bounds and timeouts are kept where they hold and not by tower-http's layers: each
//! refusal is a problem that says what to do, and most are counted; WebSockets, events
//! and exports outlast any timeout of a request.

#![deny(clippy::unwrap_used)]

mod api;
mod bell;
mod callers;
mod channel;
mod client;
mod courier;
mod desk;
mod door;
mod events;
mod figures;
mod front;
mod hub;
mod limits;
mod lock;
mod overview;
mod parked;
mod problem;
mod pulse;
mod rates;
mod roster;
mod secret;
mod server;
mod socket;
mod sources;
mod status;
mod store;
mod tls;
mod tokens;
mod transport;
mod upgrade;
mod whereabouts;
mod wire;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tracing::warn;

use crate::config::SourceSettings;
use crate::net::NetError;
use crate::tune::Judge;

pub use door::Door;
pub use store::{NatsOptions, StoreError};
pub use tls::{Renewal, TlsError, TlsFiles};
pub use tokens::{Role, TokenError, Tokens};
pub use whereabouts::{NotFound, Whereabouts, whereabouts_of};

use channel::Channels;
use desk::Desk;
use server::{Core, Parts};
use sources::Sources;
use store::{NatsStore, Opened, SqliteOptions, Store};
use tls::Tls;
use whereabouts::Notice;

/// How a relay is run.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// A loopback address, or any when there is `tls`; port 0 takes a free one.
    pub address: SocketAddr,
    /// Speaks TLS, and nothing else, with this certificate.
    pub tls: Option<TlsFiles>,
    /// Holds the database and the tokens; made when it is not there.
    pub data_dir: PathBuf,
    /// Keep gifts in a NATS cluster, which other relays use as well, and not in
    /// a database.
    pub nats: Option<NatsOptions>,
    /// Bound of the database in MiB; the disk's when absent.
    pub max_store_mib: Option<u64>,
    /// Put a damaged database aside and begin with an empty one.
    pub start_clean: bool,
    /// How long a gift is kept after it ended.
    pub history: Duration,
    /// Names that a request may be meant for, besides the loopback ones and `address`.
    pub hosts: Vec<String>,
    /// Web origins besides our own whose pages may come in.
    pub origins: Vec<String>,
    /// Connections of one address at once; 500 when absent, and any number from
    /// this machine.
    pub max_per_address: Option<usize>,
    /// Where gifts come from besides HTTP.
    pub sources: Vec<SourceSettings>,
    /// PEM file of authorities that sources are trusted by besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How the host's renderer plays: by that other rates are judged.
    pub judge: Judge,
}

/// Why a relay could not start.
#[derive(Debug, Error)]
pub enum RelayError {
    #[error(
        "{0} is not a loopback address, and tokens must not travel unencrypted; give --tls-cert \
         and --tls-key, or listen on 127.0.0.1 or ::1 and put a proxy that speaks TLS before it"
    )]
    NotLoopback(SocketAddr),
    #[error(
        "{0} is every address of this machine, and none of them is a name that others use; give \
         --allow-host with the name in the certificate"
    )]
    Nameless(SocketAddr),
    #[error("cannot listen on {address}: {error}; choose another --listen")]
    Listen {
        address: SocketAddr,
        error: io::Error,
    },
    #[error("cannot start")]
    System(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Tokens(#[from] TokenError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the source {name}: {error}")]
    Source { name: String, error: NetError },
}

/// Where gifts are kept.
enum Place<'a> {
    File(Opened),
    /// The folder holds tokens and sign-ins only, and is held all the same.
    Nats(&'a NatsOptions, File),
}

/// A running relay. Dropping it closes its connections in good order.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    /// The host and port by which others know it.
    authority: String,
    tokens: Tokens,
    desk: Arc<Desk>,
    notice: Option<Notice>,
    /// The data folder, where the store does not hold it.
    _folder: Option<File>,
    put_aside: Option<PathBuf>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Opens the store, listens, and serves on threads of its own.
    ///
    /// # Errors
    /// When the address, the certificate, the folder or the database cannot be
    /// used.
    pub fn start(options: RelayOptions) -> Result<Self, RelayError> {
        if !options.address.ip().is_loopback() && options.tls.is_none() {
            return Err(RelayError::NotLoopback(options.address));
        }
        // Whoever came would be refused at the door, and links would lead nowhere.
        if options.address.ip().is_unspecified() && options.hosts.is_empty() {
            return Err(RelayError::Nameless(options.address));
        }
        let tls = options.tls.map(Tls::load).transpose()?.map(Arc::new);
        let sources = Sources::new(options.sources, options.ca_file.as_deref())
            .map_err(|(name, error)| RelayError::Source { name, error })?;
        let place = match &options.nats {
            Some(nats) => Place::Nats(nats, store::lock(&options.data_dir)?),
            None => Place::File(Opened::open(&SqliteOptions {
                folder: options.data_dir.clone(),
                max_mib: options.max_store_mib,
                start_clean: options.start_clean,
            })?),
        };
        let put_aside = match &place {
            Place::File(opened) => opened.put_aside.clone(),
            Place::Nats(..) => None,
        };
        let tokens = Tokens::load_or_make(&options.data_dir)?;
        let listen = |error| RelayError::Listen {
            address: options.address,
            error,
        };
        let listener = std::net::TcpListener::bind(options.address).map_err(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk::open(
            &options.data_dir,
            address.port(),
            tokens.secret(Role::Host),
        )?);
        // A certificate is for a name; an address is what there is without one.
        let authority = match options.hosts.first() {
            Some(name) if tls.is_some() => format!("{name}:{}", address.port()),
            _ => address.to_string(),
        };
        let at = Whereabouts::new(web_address(tls.is_some(), &authority), address);
        let notice = Notice::post(&options.data_dir, &at);
        if let Err(error) = &notice {
            // As on a full disk: what is kept can be shown all the same.
            warn!(
                folder = %options.data_dir.display(), %error,
                "where this relay is could not be written down: `hyperfocus desk` will not find it",
            );
        }
        let mut hosts = options.hosts;
        if !address.ip().is_unspecified() {
            // Whoever asks for an address was not led here by a name.
            hosts.push(door::host_of(address.ip()));
        }
        let door = Door::new(hosts, options.origins);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("relay")
            .enable_all()
            .build()?;
        let (stop, stopping) = watch::channel(false);
        let channels = Arc::new(Channels::of(matches!(place, Place::Nats(..))));
        let mut held = None;
        let store: Box<dyn Store> = match place {
            Place::File(opened) => Box::new(opened.start(channels.clone())?),
            Place::Nats(nats, folder) => {
                held = Some(folder);
                let connected = NatsStore::connect(nats, channels.clone());
                Box::new(runtime.block_on(connected)?)
            }
        };
        let core = Core::start(Parts {
            store,
            channels,
            tokens: tokens.clone(),
            desk: desk.clone(),
            door,
            history: options.history,
            tls: tls.clone(),
            sources,
            judge: options.judge,
            stopping,
        });
        let thread = std::thread::Builder::new()
            .name("relay-main".into())
            .spawn(move || serve(&runtime, listener, &core, options.max_per_address))?;
        Ok(Self {
            address,
            authority,
            tokens,
            desk,
            notice: notice.ok(),
            _folder: held,
            put_aside,
            tls,
            stop,
            thread: Some(thread),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where renderers connect.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/ws", self.authority)
    }

    /// Where browsers and whoever sends gifts find it, without a path.
    pub fn web_address(&self) -> String {
        web_address(self.tls.is_some(), &self.authority)
    }

    /// Looks at once whether the certificate's files have changed, as it does by
    /// itself every few seconds. Connections that stand are not disturbed.
    pub fn renew_certificate(&self) -> Renewal {
        self.tls
            .as_ref()
            .map_or(Renewal::Unchanged, |tls| tls.renew())
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Where a browser opens the desk; each link once, within ten minutes.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn desk_link(&self) -> io::Result<String> {
        Ok(desk::link(&self.web_address(), &self.desk.code()?))
    }

    /// What is to be done to have a desk, where the program has none.
    pub fn lacks_desk() -> Option<&'static str> {
        (!desk::IS_BUILT).then_some(desk::HOW_TO_BUILD)
    }

    /// Where a damaged database was put.
    pub fn put_aside(&self) -> Option<&PathBuf> {
        self.put_aside.as_ref()
    }
}

fn web_address(is_tls: bool, authority: &str) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{authority}")
}

fn serve(
    runtime: &tokio::runtime::Runtime,
    listener: std::net::TcpListener,
    core: &Arc<Core>,
    max_per_address: Option<usize>,
) {
    let _ours = runtime.enter();
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => runtime.block_on(server::serve(listener, core, max_per_address)),
        Err(error) => tracing::error!(%error, "cannot listen"),
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Before the folder is free for the next relay, which posts its own.
        self.notice = None;
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}
