//! Gifts in: how many a second are safe on disk, and how soon a host has one.

use std::cell::Cell;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use super::super::measure::{Limit, RUNS, Row, take_turns};
use super::super::protocol;
use super::fan_out::payload;
use super::row;
use super::served::{Http, PATIENCE, RelayProcess, complete};
use crate::cli::{Figure, TemporaryFolder};

pub const ACCEPTED: Row = row(
    "relay.accepted",
    "gifts accepted a second, each with a request of its own, 64 in flight, against a bare loop of commits of 64",
    "x",
    Limit::AtLeast(0.4),
);

pub const IN_ARRAYS: Row = row(
    "relay.accepted.in_arrays",
    "the same in arrays of eight, eight requests in flight",
    "x",
    Limit::AtLeast(0.4),
);

pub const LATENCY: Row = row(
    "relay.gift_to_host",
    "gift in to host's socket, relay idle, p99, above a bare commit's p99 in the same run",
    "ms",
    Limit::AtMost(5.0),
);

const IN_FLIGHT: usize = 64;

/// Gifts of a request that holds an array of them.
const ARRAY: usize = 8;

/// Gifts of one run.
const GIFTS: usize = 6_400;

/// Gifts of one run that go to a host, one at a time.
const PATIENT_GIFTS: usize = 300;

/// Between two of these, so that each finds the relay idle.
const REST: Duration = Duration::from_millis(10);

pub fn measure() -> Result<Vec<Figure>> {
    let relay = RelayProcess::start()?;
    let ingest = relay.token("ingest")?;
    let mut bare = Bare::open()?;
    let mut run = 0;
    let mut accepted = |per_request| {
        take_turns(
            || {
                run += 1;
                accept(relay.address(), &ingest, run, per_request)
            },
            || bare.commit_many(),
        )
    };
    let (one_by_one, in_arrays) = (accepted(1)?, accepted(ARRAY)?);
    Ok(vec![
        ACCEPTED.ratio(one_by_one),
        IN_ARRAYS.ratio(in_arrays),
        LATENCY.worst(latencies(&mut bare)?),
    ])
}

/// The disk as the relay's store uses it, and nothing else.
struct Bare {
    connection: Connection,
    number: usize,
    _folder: TemporaryFolder,
}

impl Bare {
    fn open() -> Result<Self> {
        let folder = TemporaryFolder::new("bench-disk")?;
        let connection = Connection::open(folder.path().join("bare.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection
            .execute_batch("CREATE TABLE gifts (id TEXT PRIMARY KEY, message TEXT) STRICT")?;
        Ok(Self {
            connection,
            number: 0,
            _folder: folder,
        })
    }

    fn commit(&mut self, gifts: usize) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for _ in 0..gifts {
            self.number += 1;
            let message = protocol::message(self.number);
            transaction
                .prepare_cached("INSERT INTO gifts VALUES (?1, ?2)")?
                .execute(params![self.number.to_string(), message])?;
        }
        Ok(transaction.commit()?)
    }

    /// Gifts a second.
    fn commit_many(&mut self) -> Result<f64> {
        let start = Instant::now();
        for _ in 0..GIFTS / IN_FLIGHT {
            self.commit(IN_FLIGHT)?;
        }
        Ok(GIFTS as f64 / start.elapsed().as_secs_f64())
    }
}

/// Gifts a second, over as many connections as there are requests in flight. Each
/// takes the next one in turn, so that they come about in the order in which the
/// bare loop has them.
fn accept(address: SocketAddr, token: &str, run: usize, per_request: usize) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Made before, as a platform's servers have made theirs.
    let gifts: Vec<String> = (run * GIFTS..(run + 1) * GIFTS).map(payload).collect();
    let requests: Vec<Vec<u8>> = gifts
        .chunks(per_request)
        .map(|gifts| {
            let body = match gifts {
                [gift] => gift.clone(),
                gifts => format!("[{}]", gifts.join(",")),
            };
            Http::request(address, token, "POST", "gifts", &body)
        })
        .collect();
    let in_flight = IN_FLIGHT / per_request;
    runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..in_flight {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            connections.push(stream);
        }
        let start = Instant::now();
        let queue = Cell::new(&*requests);
        let given = connections.into_iter().map(|stream| give(stream, &queue));
        futures_util::future::try_join_all(given).await?;
        Ok(GIFTS as f64 / start.elapsed().as_secs_f64())
    })
}

/// Until the queue is empty.
async fn give(mut stream: tokio::net::TcpStream, queue: &Cell<&[Vec<u8>]>) -> Result<()> {
    let mut answer = Vec::with_capacity(1024);
    while let Some((request, rest)) = queue.get().split_first() {
        queue.set(rest);
        stream.write_all(request).await?;
        answer.clear();
        let status = loop {
            ensure!(stream.read_buf(&mut answer).await? > 0, "the relay closed");
            if let Some((status, _)) = complete(&answer)? {
                break status;
            }
        };
        ensure!(status == 201, "a gift was answered with {status}");
    }
    Ok(())
}

/// Of each run the p99 above a commit's, in milliseconds.
fn latencies(bare: &mut Bare) -> Result<Vec<f64>> {
    let relay = RelayProcess::start()?;
    let mut ingest = Http::connect(relay.address(), &relay.token("ingest")?)?;
    let mut host = join_as_host(relay.address(), &relay.token("host")?)?;
    let mut above = Vec::new();
    let mut number = 0;
    for run in 1..=RUNS {
        let (mut ours, mut commits) = (Vec::new(), Vec::new());
        for _ in 0..PATIENT_GIFTS {
            std::thread::sleep(REST);
            let start = Instant::now();
            bare.commit(1)?;
            commits.push(start.elapsed());
            std::thread::sleep(REST);
            number += 1;
            let gift = payload(number);
            let start = Instant::now();
            ingest.send(&gift)?;
            let id = host.next_gift()?;
            ours.push(start.elapsed());
            ingest.accepted()?;
            host.ack(&id)?;
        }
        let (ours, commits) = (p99(ours), p99(commits));
        eprintln!("  {run}/{RUNS}: {ours:.2} ms, and a commit {commits:.2} ms");
        above.push(ours - commits);
    }
    Ok(above)
}

/// In milliseconds.
fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let at = (times.len() * 99).div_ceil(100).max(1) - 1;
    times
        .get(at)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// A host's socket, and nothing of a renderer.
struct Host(WebSocket<TcpStream>);

fn join_as_host(address: SocketAddr, token: &str) -> Result<Host> {
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut socket, _) = client(request, stream).map_err(|error| anyhow::anyhow!("{error}"))?;
    let init = r#"{"type":"connection:init","payload":{"clientId":"h","streamId":"main","clientType":"host","capabilities":[],"version":"0"}}"#;
    socket.send(Message::text(init))?;
    ensure!(
        socket.read()?.to_text()?.contains("connection:ack"),
        "not let in"
    );
    Ok(Host(socket))
}

impl Host {
    /// The id of the next gift.
    fn next_gift(&mut self) -> Result<String> {
        loop {
            let message = self.0.read()?;
            let text = message.to_text()?;
            if let Some((_, rest)) = text.split_once("\"giftId\":\"") {
                let id = rest.split('"').next().context("an id")?;
                return Ok(id.to_owned());
            }
        }
    }

    fn ack(&mut self, gift: &str) -> Result<()> {
        let ack = format!(
            r#"{{"type":"gift:ack","payload":{{"giftId":"{gift}","receivedAt":"2026-01-01T00:00:00Z","rendered":true,"error":null}}}}"#
        );
        Ok(self.0.send(Message::text(ack))?)
    }
}
