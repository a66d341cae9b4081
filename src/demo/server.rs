//! The backend's end of the socket: owns it, the clock and the script's
//! progress.
//!
//! One thread, one task that decides; a second task writes, so that a renderer
//! that is slow to read never keeps us from reading its acks. One renderer is
//! served at a time, the newest; what it left unacked is sent again first.

#![expect(
    clippy::result_large_err,
    reason = "the library's own type for a refused upgrade"
)]

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use subtle::ConstantTimeEq;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::ledger::{Ledger, Report};
use super::script::{Line, Script};
use crate::model::{GiftId, Moment, Private, SessionConfig, WallTime};
use crate::protocol::{
    ClientMessage, ConnectionAck, Ping, ServerMessage, decode_client, encode_server, limits,
};

/// Messages waiting for the writer. Small, so that a gift counts as sent when
/// it nearly is; a full one makes the script wait.
const OUTBOX: usize = 16;

/// Upgrades under way at once; a renderer has one. Further ones wait to be
/// accepted.
const JOINING: usize = 8;

/// For the upgrade, and again for the `connection:init` after it.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// A renderer that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a stopping server waits for the renderer's last acks.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a [`DemoServer`] meets its renderer.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Port 0 takes any free one.
    pub address: SocketAddr,
    /// What `Authorization: Bearer` must say; `None` lets everybody in.
    pub token: Option<Private<String>>,
    /// What `connection:ack` grants. Pings go out at its interval.
    pub session: SessionConfig,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            token: None,
            session: SessionConfig {
                ping_interval: Duration::from_secs(1),
                ..SessionConfig::default()
            },
        }
    }
}

/// A running backend. The script begins when the first renderer has joined.
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<Report>>,
}

/// What the owner may ask; it waits for each answer, so there is one at most.
enum Order {
    Report(std_mpsc::Sender<Report>),
    Stop,
}

impl DemoServer {
    /// Listens and plays `script` to whoever joins.
    ///
    /// # Errors
    /// When the address is taken or a thread cannot be had.
    pub fn start(script: Script, options: ServerOptions) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("demo-server".into())
            .spawn(move || {
                runtime.block_on(async move {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => Backend::new(script, options).serve(listener, inbox).await,
                        Err(_) => Report::default(),
                    }
                })
            })?;
        Ok(Self {
            address,
            orders,
            thread: Some(thread),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a renderer connects.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// How things stand.
    pub fn report(&self) -> Report {
        let (reply, answer) = std_mpsc::channel();
        // A server that has ended answers nothing; `stop` tells how it ended.
        let _ = self.orders.send(Order::Report(reply));
        answer.recv().unwrap_or_default()
    }

    /// Says goodbye, waits up to 2 s for the last acks and gives the account.
    pub fn stop(mut self) -> Report {
        self.end().unwrap_or_default()
    }

    fn end(&mut self) -> Option<Report> {
        let _ = self.orders.send(Order::Stop);
        self.thread.take()?.join().ok()
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// An upgrade that ended.
enum Arrival {
    Joined(Box<WebSocketStream<TcpStream>>),
    Unauthorised,
}

/// The renderer that is being served.
struct Client {
    incoming: SplitStream<WebSocketStream<TcpStream>>,
    outbox: mpsc::Sender<Message>,
    phase: Phase,
}

enum Phase {
    /// Upgraded; `connection:init` must come before the deadline.
    Greeting { deadline: Instant },
    /// Acknowledged; gifts and pings flow.
    Serving,
}

/// The deciding task.
struct Backend {
    script: Vec<(Duration, ServerMessage)>,
    options: ServerOptions,
    clock: Instant,
    /// When the first renderer joined.
    started: Option<Instant>,
    /// The script's next line.
    next: usize,
    /// Lines that a new connection must see again before the script goes on;
    /// at most as many as the script has.
    again: VecDeque<usize>,
    next_ping: Instant,
    sequence: u64,
    client: Option<Client>,
    ledger: Ledger,
}

impl Backend {
    fn new(script: Script, options: ServerOptions) -> Self {
        let lines = script.beats.into_iter().map(|beat| {
            let message = match beat.line {
                Line::Gift(gift) => ServerMessage::Gift(gift),
                Line::Status(status) => ServerMessage::Status(status),
            };
            (beat.at, message)
        });
        let now = Instant::now();
        Self {
            script: lines.collect(),
            options,
            clock: now,
            started: None,
            next: 0,
            again: VecDeque::new(),
            next_ping: now,
            sequence: 0,
            client: None,
            ledger: Ledger::default(),
        }
    }

    fn now(&self) -> Moment {
        self.clock.elapsed()
    }

    async fn serve(
        mut self,
        listener: TcpListener,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) -> Report {
        let (arrivals, mut arrived) = mpsc::channel(JOINING);
        loop {
            let due = self.next_due();
            let ready = due.is_some_and(|due| due <= Instant::now());
            let outbox = self.client.as_ref().map(|client| client.outbox.clone());
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Report(reply)) => { let _ = reply.send(self.ledger.report()); }
                    Some(Order::Stop) | None => break,
                },
                frame = next_frame(&mut self.client) => self.take(frame),
                Some(arrival) = arrived.recv() => self.welcome(arrival),
                Ok((stream, _)) = listener.accept(), if arrivals.capacity() > 0 => {
                    if let Ok(door) = arrivals.clone().try_reserve_owned() {
                        tokio::spawn(receive(stream, self.options.token.clone(), door));
                    }
                }
                permit = reserve(outbox), if ready => match permit {
                    Some(permit) => self.say_next(permit),
                    None => self.client = None,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() && !ready => {}
            }
        }
        self.farewell().await;
        self.ledger.report()
    }

    /// When something must be said or given up; nothing without a renderer.
    fn next_due(&self) -> Option<Instant> {
        match self.client.as_ref()?.phase {
            Phase::Greeting { deadline } => Some(deadline),
            Phase::Serving if !self.again.is_empty() => Some(self.clock),
            Phase::Serving => {
                let line = self.script.get(self.next).zip(self.started);
                let line = line.map(|((at, _), started)| started + *at);
                Some(line.map_or(self.next_ping, |line| line.min(self.next_ping)))
            }
        }
    }

    /// Says the one thing that is due most.
    fn say_next(&mut self, permit: mpsc::OwnedPermit<Message>) {
        if !self.is_serving() {
            drop(permit);
            self.close(CloseCode::Again, "no connection:init came");
            return;
        }
        if self.next_ping <= Instant::now() {
            self.ping(permit);
            return;
        }
        let line = self.again.pop_front().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        let now = self.now();
        let Some((_, message)) = self.script.get(line) else {
            return;
        };
        if let ServerMessage::Gift(gift) = message {
            self.ledger.sent(&gift.id, now);
        }
        permit.send(text(message));
    }

    fn ping(&mut self, permit: mpsc::OwnedPermit<Message>) {
        let now = WallTime::now();
        let ping = Ping {
            sequence: self.sequence,
            sent_at: Some(now),
        };
        self.ledger.pinged(self.sequence, self.now());
        self.sequence += 1;
        self.next_ping = Instant::now() + self.options.session.ping_interval;
        permit.send(text(&ServerMessage::Ping(ping)));
    }

    fn welcome(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Unauthorised => self.ledger.refused_connection(),
            Arrival::Joined(socket) => {
                self.close(CloseCode::Library(4001), "replaced by another renderer");
                let (outgoing, incoming) = (*socket).split();
                let (outbox, letters) = mpsc::channel(OUTBOX);
                tokio::spawn(write(outgoing, letters));
                self.client = Some(Client {
                    incoming,
                    outbox,
                    phase: Phase::Greeting {
                        deadline: Instant::now() + GREETING_TIMEOUT,
                    },
                });
            }
        }
    }

    fn take(&mut self, frame: Option<Result<Message, SocketError>>) {
        match frame {
            Some(Ok(Message::Text(text))) => self.read(text.as_bytes()),
            Some(Ok(Message::Binary(_))) => {
                self.ledger.malformed();
                self.close(CloseCode::Unsupported, "messages are text");
            }
            // Pings are answered and closes echoed by the library as we read.
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.client = None,
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        let now = self.now();
        match decode_client(bytes) {
            Ok(ClientMessage::Init(_)) if !self.is_serving() => self.greet(),
            Ok(ClientMessage::Init(_)) => {
                self.answer(&ServerMessage::refusal(
                    "ALREADY_INITIALIZED",
                    "the session goes on as it is",
                ));
            }
            Ok(_) if !self.is_serving() => {
                self.answer(&ServerMessage::refusal(
                    "NOT_INITIALIZED",
                    "begin with connection:init",
                ));
            }
            Ok(ClientMessage::Pong(pong)) => self.ledger.ponged(pong.sequence, now),
            Ok(ClientMessage::GiftAck(ack)) => self.ledger.acked(&ack, now),
            Ok(ClientMessage::Error(error)) => self.ledger.errored(&error.code),
            Ok(ClientMessage::Telemetry(_) | ClientMessage::Unknown(_)) => {}
            Err(error) => {
                self.ledger.malformed();
                if !error.is_about_an_error() {
                    self.answer(&ServerMessage::Error(error.to_peer_error()));
                }
            }
        }
    }

    fn greet(&mut self) {
        let Some(client) = &mut self.client else {
            return;
        };
        client.phase = Phase::Serving;
        self.ledger.joined();
        self.answer(&ServerMessage::Ack(ConnectionAck {
            session_id: uuid::Uuid::new_v4().to_string().into(),
            server_time: Some(WallTime::now()),
            config: self.options.session.clone(),
        }));
        self.started.get_or_insert_with(Instant::now);
        self.next_ping = Instant::now();
        self.again = (0..self.next)
            .filter(|line| {
                self.gift_of(*line)
                    .is_some_and(|gift| !self.ledger.is_acked(gift))
            })
            .collect();
    }

    fn gift_of(&self, line: usize) -> Option<&GiftId> {
        match self.script.get(line) {
            Some((_, ServerMessage::Gift(gift))) => Some(&gift.id),
            _ => None,
        }
    }

    fn is_serving(&self) -> bool {
        matches!(
            &self.client,
            Some(Client {
                phase: Phase::Serving,
                ..
            })
        )
    }

    /// Sends at once or, to a renderer that does not read, not at all.
    fn answer(&self, message: &ServerMessage) {
        if let Some(client) = &self.client {
            let _ = client.outbox.try_send(text(message));
        }
    }

    /// Ends the present connection; its writer sends what is left, then this.
    fn close(&mut self, code: CloseCode, reason: &'static str) {
        if let Some(client) = self.client.take() {
            let _ = client.outbox.try_send(Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            })));
        }
    }

    /// Closes in order: our close frame, then reading until the renderer's.
    async fn farewell(&mut self) {
        if let Some(client) = &self.client {
            let goodbye = Message::Close(Some(CloseFrame {
                code: CloseCode::Normal,
                reason: "the show is over".into(),
            }));
            let _ = timeout(FAREWELL, client.outbox.send(goodbye)).await;
        }
        let last_words = async {
            while self.client.is_some() {
                let frame = next_frame(&mut self.client).await;
                self.take(frame);
            }
        };
        let _ = timeout(FAREWELL, last_words).await;
    }
}

/// The renderer's next frame; waits for ever without a renderer.
async fn next_frame(client: &mut Option<Client>) -> Option<Result<Message, SocketError>> {
    match client {
        Some(client) => client.incoming.next().await,
        None => std::future::pending().await,
    }
}

/// A place in the outbox; `None` when its writer has ended.
async fn reserve(outbox: Option<mpsc::Sender<Message>>) -> Option<mpsc::OwnedPermit<Message>> {
    outbox?.reserve_owned().await.ok()
}

/// Writes until the outbox is dropped, a close frame is out or the socket
/// fails.
async fn write(
    mut outgoing: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut letters: mpsc::Receiver<Message>,
) {
    while let Some(letter) = letters.recv().await {
        let is_close = letter.is_close();
        let written = timeout(WRITE_TIMEOUT, async {
            outgoing.feed(letter).await?;
            if letters.is_empty() {
                outgoing.flush().await?;
            }
            Ok::<_, SocketError>(())
        });
        if !matches!(written.await, Ok(Ok(()))) || is_close {
            break;
        }
    }
    let _ = timeout(WRITE_TIMEOUT, outgoing.flush()).await;
}

/// Upgrades a connection and hands it through its door.
async fn receive(
    stream: TcpStream,
    token: Option<Private<String>>,
    door: mpsc::OwnedPermit<Arrival>,
) {
    if let Some(arrival) = upgrade(stream, token).await {
        door.send(arrival);
    }
}

/// Answers an upgrade request; `None` when it was none or took too long.
async fn upgrade(stream: TcpStream, token: Option<Private<String>>) -> Option<Arrival> {
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default()
        .max_message_size(Some(limits::MAX_TRANSPORT_BYTES))
        .max_frame_size(Some(limits::MAX_TRANSPORT_BYTES))
        .max_write_buffer_size(limits::MAX_TRANSPORT_BYTES);
    let handshake = tokio_tungstenite::accept_hdr_async_with_config(
        stream,
        |request: &Request, response: Response| answer_upgrade(request, response, token.as_ref()),
        Some(config),
    );
    match timeout(GREETING_TIMEOUT, handshake).await {
        Ok(Ok(socket)) => Some(Arrival::Joined(Box::new(socket))),
        Ok(Err(SocketError::Http(response))) if response.status() == StatusCode::UNAUTHORIZED => {
            Some(Arrival::Unauthorised)
        }
        Ok(Err(_)) | Err(_) => None,
    }
}

fn answer_upgrade(
    request: &Request,
    mut response: Response,
    token: Option<&Private<String>>,
) -> Result<Response, ErrorResponse> {
    if !token.is_none_or(|token| bears(request, token)) {
        let mut refusal = ErrorResponse::new(Some("wrong or missing token".to_owned()));
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        return Err(refusal);
    }
    let offered = request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    if offered
        .into_iter()
        .any(|name| name.trim() == limits::SUBPROTOCOL)
    {
        let ours = HeaderValue::from_static(limits::SUBPROTOCOL);
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, ours);
    }
    Ok(response)
}

/// Whether the request carries the token; the time it takes tells nothing but
/// the length.
fn bears(request: &Request, token: &Private<String>) -> bool {
    request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .is_some_and(|given| given.ct_eq(token.0.as_bytes()).into())
}

fn text(message: &ServerMessage) -> Message {
    Message::text(encode_server(message, WallTime::now()))
}
