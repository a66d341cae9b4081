//! Deliveries for a second of the server's CPU: of as many gifts as a busy stream
//! has; of gifts so far apart that nothing can be written together; and of bursts,
//! as a raid or a streak brings them.
//!
//! A gift comes in over HTTP and is safe on disk before it goes out; the others
//! are told by one byte and keep nothing.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio_tungstenite::tungstenite;

use super::super::measure::{Limit, Row, median, take_turns};
use super::super::{backend, child, protocol};
use super::crowd::{Crowd, Manners};
use super::row;
use super::served::{Http, RelayProcess, Served};
use crate::cli::{Figure, TemporaryFolder};

pub const BARE: Row = row(
    "relay.fan_out",
    "deliveries a CPU second of the server, 1,000 viewers, sixty gifts a second, against a bare loop that writes prebuilt frames",
    "x",
    Limit::AtLeast(0.7),
);

pub const BARE_APART: Row = row(
    "relay.fan_out.apart",
    "the same of fifteen gifts a second, each written alone",
    "x",
    Limit::AtLeast(0.7),
);

pub const NODE: Row = row(
    "relay.fan_out.node",
    "of sixty a second, against a broadcast by Node's ws",
    "x",
    Limit::AtLeast(2.0),
);

pub const NODE_APART: Row = row(
    "relay.fan_out.node.apart",
    "of fifteen a second, against the same",
    "x",
    Limit::AsFound,
);

pub const NODE_IN_BURSTS: Row = row(
    "relay.fan_out.node.bursts",
    "of fifteen times eight a second, against the same",
    "x",
    Limit::AtLeast(2.0),
);

pub const NATS: Row = row(
    "relay.fan_out.nats",
    "of sixty a second, against nats-server's WebSocket",
    "x",
    Limit::AsFound,
);

const VIEWERS: usize = 1_000;

/// How gifts come in one run.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    beats: u32,
    a_second: u32,
    /// What comes at each beat: an array for the relay.
    gifts: usize,
}

/// The greatest rate that `tune` judges.
const BUSY: Rhythm = Rhythm {
    beats: 120,
    a_second: 60,
    gifts: 1,
};

/// By the next one all have gone out, and the relay has rested.
const APART: Rhythm = Rhythm {
    beats: 45,
    a_second: 15,
    gifts: 1,
};

const BURSTS: Rhythm = Rhythm { gifts: 8, ..APART };

/// Where the script that runs this has put Node's libraries.
const MODULES: &str = "BENCH_NODE_MODULES";

/// A server with its crowd, and a way to have it tell everybody something.
struct Contender {
    served: Box<dyn AsRef<Served>>,
    crowd: Crowd,
    tell: Tell,
    told: usize,
}

/// Has a server tell everybody the gifts of these numbers.
type Tell = Box<dyn FnMut(Range<usize>) -> Result<()>>;

impl Contender {
    fn new(served: impl AsRef<Served> + 'static, crowd: Crowd, tell: Tell) -> Self {
        Self {
            served: Box::new(served),
            crowd,
            tell,
            told: 0,
        }
    }

    /// Deliveries a second of CPU.
    fn run(&mut self, rhythm: Rhythm) -> Result<f64> {
        let before = (*self.served).as_ref().cpu_seconds()?;
        let start = Instant::now();
        for beat in 0..rhythm.beats {
            let at = start + Duration::from_secs(1) * beat / rhythm.a_second;
            sleep(at.saturating_duration_since(Instant::now()));
            let next = self.told + rhythm.gifts;
            (self.tell)(self.told..next)?;
            self.told = next;
        }
        let gifts = rhythm.beats as usize * rhythm.gifts;
        self.crowd.wait_for_rounds(gifts)?;
        let used = (*self.served).as_ref().cpu_seconds()? - before;
        Ok((gifts as u64 * self.crowd.size()) as f64 / used)
    }
}

impl AsRef<Served> for Served {
    fn as_ref(&self) -> &Served {
        self
    }
}

impl AsRef<Served> for RelayProcess {
    fn as_ref(&self) -> &Served {
        &self.served
    }
}

pub fn measure() -> Result<Vec<Figure>> {
    let mut relay = relay()?;
    let mut figures = Vec::new();
    let others: [(fn() -> Result<Contender>, &[(Row, Rhythm)]); 3] = [
        (bare, &[(BARE, BUSY), (BARE_APART, APART)]),
        (
            node,
            &[(NODE, BUSY), (NODE_APART, APART), (NODE_IN_BURSTS, BURSTS)],
        ),
        (nats, &[(NATS, BUSY)]),
    ];
    for (other, rows) in others {
        let mut other = match other() {
            Ok(other) => other,
            Err(error) => {
                for (row, _) in rows {
                    eprintln!("  {} not measured: {error:#}", row.id);
                }
                continue;
            }
        };
        // The first gifts pay for buffers and caches.
        other.run(BURSTS)?;
        relay.run(BURSTS)?;
        for &(row, rhythm) in rows {
            let turns = take_turns(|| relay.run(rhythm), || other.run(rhythm))?;
            eprintln!("  {:.0} deliveries a second of CPU", median(&turns.runs));
            figures.push(row.ratio(turns));
        }
    }
    Ok(figures)
}

fn relay() -> Result<Contender> {
    let relay = RelayProcess::start()?;
    let manners = Manners::of_the_protocol(Some(relay.token("viewer")?));
    let crowd = Crowd::join(relay.address(), VIEWERS, manners)?;
    let mut ingest = Http::connect(relay.address(), &relay.token("ingest")?)?;
    let tell = Box::new(move |numbers: Range<usize>| {
        let gifts: Vec<_> = numbers.map(payload).collect();
        ingest.give(&format!("[{}]", gifts.join(",")))
    });
    Ok(Contender::new(relay, crowd, tell))
}

/// The payload of a gift's message, as a platform sends it in.
pub fn payload(number: usize) -> String {
    let message: serde_json::Value =
        serde_json::from_str(&protocol::message(number)).expect("we wrote it");
    message["payload"].to_string()
}

/// A byte for each gift.
fn by_a_byte(address: SocketAddr) -> Result<Tell> {
    let mut line = TcpStream::connect(address)?;
    line.set_nodelay(true)?;
    Ok(Box::new(move |numbers| {
        Ok(line.write_all(&vec![b'.'; numbers.len()])?)
    }))
}

fn bare() -> Result<Contender> {
    let mut command = child::command(&["relay-bare", &VIEWERS.to_string()])?;
    let served = Served::start(&mut command, "at ")?;
    // The first to come is who tells.
    let tell = by_a_byte(served.address)?;
    let crowd = Crowd::join(served.address, VIEWERS, Manners::of_the_protocol(None))?;
    Ok(Contender::new(served, crowd, tell))
}

/// The bare loop: a process of its own that does nothing but write.
///
/// # Errors
/// When a connection fails.
pub fn bare_run(viewers: usize) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("at {}", listener.local_addr()?);
    let (mut teller, _) = listener.accept()?;
    let mut sockets = Vec::new();
    for _ in 0..viewers {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut socket = tungstenite::accept(stream)?;
        socket.read()?;
        socket.send(tungstenite::Message::text(r#"{"type":"connection:ack"}"#))?;
        sockets.push(socket.get_ref().try_clone()?);
        // Its buffers are not wanted any more; the socket is.
        drop(socket);
    }
    let mut number = 0;
    while teller.read(&mut [0])? > 0 {
        let frame = backend::frame(&protocol::message(number));
        number += 1;
        for socket in &mut sockets {
            socket.write_all(&frame)?;
        }
    }
    Ok(())
}

fn node() -> Result<Contender> {
    let modules = std::env::var_os(MODULES)
        .map(PathBuf::from)
        .with_context(|| {
            format!(
                "{MODULES} does not say where the npm package ws is; scripts/bench.sh installs it"
            )
        })?;
    ensure!(
        modules.join("ws").is_dir(),
        "no ws in {}",
        modules.display()
    );
    let folder = TemporaryFolder::new("bench-node")?;
    let script = folder.path().join("broadcast.cjs");
    std::fs::write(&script, include_str!("broadcast.cjs"))?;
    let mut command = Command::new("node");
    command
        .arg(&script)
        .env("NODE_PATH", &modules)
        .env("GIFT", protocol::message(0));
    let served = Served::start(&mut command, "at ")?;
    // The script says where it is told behind where it serves.
    let told_at = served.said.split(", told at ").nth(1);
    let told_at = told_at.context("the script does not say where it is told")?;
    let tell = by_a_byte(told_at.trim().parse()?)?;
    let crowd = Crowd::join(served.address, VIEWERS, Manners::of_the_protocol(None))?;
    Ok(Contender::new(served, crowd, tell))
}

fn nats() -> Result<Contender> {
    let free = || -> Result<u16> {
        Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port())
    };
    let (port, web) = (free()?, free()?);
    let folder = TemporaryFolder::new("bench-nats")?;
    let config = folder.path().join("nats.conf");
    std::fs::write(
        &config,
        format!(
            "listen: 127.0.0.1:{port}\nmax_connections: 20000\n\
             websocket {{ listen: \"127.0.0.1:{web}\", no_tls: true }}\n"
        ),
    )?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, web));
    let mut command = Command::new("nats-server");
    command.arg("-c").arg(&config);
    let served = Served::silent(&mut command, address)
        .context("install nats-server to see how it compares")?;
    let mut teller = (0..100)
        .find_map(|_| {
            sleep(Duration::from_millis(100));
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        })
        .context("nats-server does not listen")?;
    teller.set_nodelay(true)?;
    teller.write_all(b"CONNECT {\"verbose\":false}\r\n")?;
    let manners = Manners {
        path: "/",
        token: None,
        hello: "CONNECT {\"verbose\":false}\r\nSUB gift 1\r\nPING\r\n".into(),
        welcome: "PONG",
        mark: "gift:received",
    };
    let crowd = Crowd::join(address, VIEWERS, manners)?;
    let tell = Box::new(move |numbers: Range<usize>| {
        let told = numbers.map(protocol::message);
        let told = told.map(|told| format!("PUB gift {}\r\n{told}\r\n", told.len()));
        let told = teller.write_all(told.collect::<String>().as_bytes());
        told.context("nats-server is gone")
    });
    Ok(Contender::new(served, crowd, tell))
}
