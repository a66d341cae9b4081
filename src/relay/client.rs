//! One renderer's WebSocket, from its upgrade to its end: one task that reads,
//! asks the hub what goes out, and keeps time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::channel::Channel;
use super::hub::{ConnectionId, Joining, Next, Word};
use super::limits::{FAREWELL, PATIENCE, Pace, WRITE_PATIENCE};
use super::server::{Core, stopped};
use super::tokens::Role;
use crate::model::{SessionConfig, WallTime};
use crate::protocol::{
    ClientMessage, ClientType, ConnectionAck, ConnectionInit, GiftAck, PeerError, Ping,
    ServerMessage, decode_client, encode_server,
};

/// Frames taken from the hub at once: few enough that what is buffered for a
/// viewer, and stays so, is half a dozen KiB.
const BATCH: usize = 8;

/// Messages read before writing has its turn.
const READ_BATCH: usize = 64;

/// At most one `error` goes out in this time.
const ERROR_INTERVAL: Duration = Duration::from_secs(1);

/// Closed since a newer connection has the same `clientId`; final for the
/// client.
const DISPLACED: CloseCode = CloseCode::Library(4001);

/// Why a connection ends.
enum End {
    /// The socket is of no more use.
    Gone,
    Close(CloseCode, &'static str),
}

/// A connection that has said who it is.
struct Joined {
    channel: Arc<Channel>,
    id: ConnectionId,
    client_id: Arc<str>,
    session_id: Arc<str>,
    interim_acks: bool,
    ping_interval: Duration,
    ping_at: Instant,
    sequence: u64,
}

struct Client {
    core: Arc<Core>,
    role: Role,
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    source: SplitStream<WebSocketStream<TcpStream>>,
    /// Something was handed to the socket at this time and is not flushed.
    unflushed: Option<Instant>,
    heard: Instant,
    pace: Pace,
    next_error: Instant,
}

/// Serves a connection to its end. `greeting` is given back with its init.
pub(super) async fn serve(
    core: Arc<Core>,
    socket: WebSocketStream<TcpStream>,
    role: Role,
    greeting: OwnedSemaphorePermit,
) {
    let (sink, source) = socket.split();
    let now = Instant::now();
    let mut client = Client {
        core,
        role,
        sink,
        source,
        unflushed: None,
        heard: now,
        pace: Pace::of(role),
        next_error: now,
    };
    let end = match client.greet().await {
        Ok(init) => {
            drop(greeting);
            client.session(init).await
        }
        Err(end) => end,
    };
    if let End::Close(code, reason) = end {
        client.close(code, reason).await;
    }
}

impl Client {
    async fn greet(&mut self) -> Result<ConnectionInit, End> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut stopping = self.core.stopping.clone();
            let frame = tokio::select! {
                frame = timeout_at(deadline, self.source.next()) => frame,
                () = stopped(&mut stopping) => return Err(restart()),
            };
            let Ok(frame) = frame else {
                return Err(End::Close(CloseCode::Policy, "no connection:init came"));
            };
            match self.read(frame).await? {
                Some(ClientMessage::Init(init)) => return Ok(init),
                Some(ClientMessage::Error(_)) | None => {}
                Some(_) => {
                    self.complain("NOT_INITIALIZED", "begin with connection:init")
                        .await?;
                }
            }
            self.flush().await?;
        }
    }

    async fn session(&mut self, init: ConnectionInit) -> End {
        let joined = match self.join(&init).await {
            Ok(joined) => joined,
            Err(end) => return end,
        };
        let (channel, id) = (joined.channel.clone(), joined.id);
        let role = match init.client_type {
            ClientType::Host => "host",
            ClientType::Viewer => "viewer",
        };
        let who = || json!({ "clientId": &*init.client_id, "clientType": role });
        channel.tell("joined", who);
        let end = match self.run(joined).await {
            Ok(never) => never,
            Err(end) => end,
        };
        let ended = {
            let mut hub = channel.hub();
            hub.leave(id);
            hub.take_ended()
        };
        self.core.note(&channel, ended).await;
        channel.tell("left", who);
        end
    }

    async fn join(&mut self, init: &ConnectionInit) -> Result<Joined, End> {
        if init.client_type == ClientType::Host && self.role != Role::Host {
            self.complain("FORBIDDEN", "this token joins as viewer only")
                .await?;
            return Err(End::Close(CloseCode::Policy, "not with this token"));
        }
        let Some(channel) = self.core.channels.open(&init.stream_id) else {
            return Err(End::Close(
                CloseCode::Again,
                "the relay has too many streams",
            ));
        };
        let names = |name: &str| init.capabilities.iter().any(|own| &**own == name);
        let (id, config) = {
            let mut hub = channel.hub();
            let joining = Joining {
                client_id: init.client_id.clone(),
                role: init.client_type,
                hears_controls: names("x-control"),
            };
            (hub.join(joining), hub.config().clone())
        };
        // Whoever was displaced by this one learns of it.
        channel.wake();
        let mut joined = Joined {
            channel,
            id,
            client_id: init.client_id.clone(),
            session_id: uuid::Uuid::new_v4().to_string().into(),
            interim_acks: false,
            ping_interval: config.ping_interval,
            ping_at: Instant::now(),
            sequence: 0,
        };
        match self.tell_config(&mut joined, config).await {
            Ok(()) => Ok(joined),
            Err(end) => {
                joined.channel.hub().leave(id);
                Err(end)
            }
        }
    }

    /// Serves a session until it ends.
    async fn run(&mut self, mut joined: Joined) -> Result<End, End> {
        let mut changes = joined.channel.changes();
        let mut stopping = self.core.stopping.clone();
        let mut read_again: Option<Instant> = None;
        loop {
            let mut due = None;
            if self.unflushed.is_none() {
                changes.mark_unchanged();
                due = self.send_batch(&mut joined).await?;
            }
            let patience = 2 * joined.ping_interval + Duration::from_secs(5);
            let silent = self.heard + patience;
            let stuck = self.unflushed.map(|since| since + WRITE_PATIENCE);
            let times = [due, stuck, read_again].into_iter().flatten();
            let wake = times.fold(joined.ping_at.min(silent), Instant::min);
            tokio::select! {
                flushed = self.sink.flush(), if self.unflushed.is_some() => {
                    flushed.map_err(|_| End::Gone)?;
                    self.unflushed = None;
                }
                frame = self.source.next(), if read_again.is_none() => {
                    read_again = self.take_batch(&mut joined, frame).await?;
                }
                _ = changes.changed(), if self.unflushed.is_none() => {}
                () = stopped(&mut stopping) => return Ok(restart()),
                () = sleep_until(wake) => {}
            }
            let now = Instant::now();
            if read_again.is_some_and(|time| time <= now) {
                read_again = None;
            }
            // Both may have moved on just now.
            let silent = self.heard + patience;
            let stuck = self.unflushed.map(|since| since + WRITE_PATIENCE);
            if silent <= now || stuck.is_some_and(|time| time <= now) {
                return Ok(End::Gone);
            }
            if joined.ping_at <= now {
                self.ping(&mut joined).await?;
            }
        }
    }

    /// Hands the socket what the hub has; returns when to ask again.
    async fn send_batch(&mut self, joined: &mut Joined) -> Result<Option<Instant>, End> {
        for _ in 0..BATCH {
            let now = self.core.clock.elapsed();
            let next = joined.channel.hub().next(joined.id, now);
            match next {
                Next::Frame(frame) => self.feed(Message::Text(frame)).await?,
                Next::Config(config) => self.tell_config(joined, config).await?,
                Next::TellSlow { owed } => {
                    let said = format!(
                        "{owed} gifts are not acknowledged; further ones follow as they are"
                    );
                    self.say(&problem("SLOW_HOST", &said)).await?;
                }
                Next::Displaced => {
                    return Err(End::Close(
                        DISPLACED,
                        "another connection has this clientId",
                    ));
                }
                Next::Wait(due) => {
                    // What was ended by waiting too long.
                    let ended = joined.channel.hub().take_ended();
                    self.core.note(&joined.channel, ended).await;
                    return Ok(due.map(|due| self.core.clock + due));
                }
            }
        }
        Ok(None)
    }

    /// Takes in a frame and what has come behind it; returns when to read on,
    /// if not at once.
    async fn take_batch(
        &mut self,
        joined: &mut Joined,
        first: Option<Result<Message, SocketError>>,
    ) -> Result<Option<Instant>, End> {
        let mut next = Some(first);
        for _ in 0..READ_BATCH {
            let Some(frame) = next else {
                return Ok(None);
            };
            if let Some(message) = self.read(frame).await? {
                self.take(joined, message).await?;
            }
            if let Some(wait) = self.pace.wait() {
                return Ok(Some(Instant::now() + wait));
            }
            next = self.source.next().now_or_never();
        }
        match next {
            Some(frame) => {
                if let Some(message) = self.read(frame).await? {
                    self.take(joined, message).await?;
                }
                Ok(None)
            }
            None => Ok(None),
        }
    }

    async fn take(&mut self, joined: &mut Joined, message: ClientMessage) -> Result<(), End> {
        match message {
            ClientMessage::GiftAck(ack) => {
                let word = word(&ack, joined.interim_acks);
                let ended = {
                    let mut hub = joined.channel.hub();
                    hub.acked(joined.id, &ack.gift_id, word);
                    hub.take_ended()
                };
                self.core.note(&joined.channel, ended).await;
                Ok(())
            }
            ClientMessage::Pong(pong) => {
                joined.channel.tell("pong", || {
                    json!({
                        "clientId": &*joined.client_id,
                        "latency": pong.latency_ms,
                        "memory": pong.memory_mb,
                        "queueSize": pong.queue_size,
                    })
                });
                Ok(())
            }
            ClientMessage::Init(_) => {
                self.complain("ALREADY_INITIALIZED", "the session goes on as it is")
                    .await
            }
            ClientMessage::Unknown(kind) if is_the_servers(&kind) => {
                self.complain(
                    "FORBIDDEN",
                    "only the relay sends that; gifts and controls come in over HTTP, each with \
                     its role's token",
                )
                .await
            }
            ClientMessage::Error(_) | ClientMessage::Unknown(_) => Ok(()),
        }
    }

    /// What a frame says, if it says anything.
    async fn read(
        &mut self,
        frame: Option<Result<Message, SocketError>>,
    ) -> Result<Option<ClientMessage>, End> {
        self.heard = Instant::now();
        let text = match frame {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                return Err(End::Close(CloseCode::Unsupported, "messages are text"));
            }
            Some(Ok(Message::Ping(_))) => {
                // The library has put the answer into its buffer.
                self.unflushed.get_or_insert(self.heard);
                return Ok(None);
            }
            Some(Ok(Message::Close(_))) => {
                // Sends the library's answer.
                let _ = timeout(FAREWELL, self.sink.flush()).await;
                return Err(End::Gone);
            }
            Some(Ok(_)) => return Ok(None),
            Some(Err(error)) => return Err(violation(&error)),
            None => return Err(End::Gone),
        };
        match decode_client(text.as_bytes()) {
            Ok(message) => Ok(Some(message)),
            Err(error) => {
                self.core.figures.malformed();
                if !error.is_about_an_error() {
                    let error = ServerMessage::Error(error.to_peer_error());
                    self.say_error(&error).await?;
                }
                Ok(None)
            }
        }
    }

    async fn tell_config(&mut self, joined: &mut Joined, config: SessionConfig) -> Result<(), End> {
        joined.interim_acks = config
            .features
            .iter()
            .any(|name| &**name == "x-ack-interim");
        joined.ping_interval = config.ping_interval;
        joined.ping_at = joined.ping_at.min(Instant::now() + config.ping_interval);
        let ack = ServerMessage::Ack(ConnectionAck {
            session_id: joined.session_id.clone(),
            server_time: Some(WallTime::now()),
            config,
        });
        self.say(&ack).await
    }

    async fn ping(&mut self, joined: &mut Joined) -> Result<(), End> {
        let ping = ServerMessage::Ping(Ping {
            sequence: joined.sequence,
            sent_at: None,
        });
        joined.sequence += 1;
        joined.ping_at = Instant::now() + joined.ping_interval;
        // One who takes nothing is not given more; its patience runs already.
        match self.unflushed {
            Some(_) => Ok(()),
            None => self.say(&ping).await,
        }
    }

    async fn complain(&mut self, code: &str, message: &str) -> Result<(), End> {
        self.say_error(&problem(code, message)).await
    }

    async fn say_error(&mut self, error: &ServerMessage) -> Result<(), End> {
        let now = Instant::now();
        if now < self.next_error {
            return Ok(());
        }
        self.next_error = now + ERROR_INTERVAL;
        self.say(error).await
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), End> {
        let text = encode_server(message, WallTime::now());
        self.feed(Message::text(text)).await
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        self.unflushed.get_or_insert_with(Instant::now);
        match timeout(WRITE_PATIENCE, self.sink.feed(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        self.unflushed = None;
        match timeout(WRITE_PATIENCE, self.sink.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Closes in order: our close frame, then reading until theirs.
    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let frame = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        let goodbye = async {
            if self.sink.send(frame).await.is_ok() {
                while let Some(Ok(_)) = self.source.next().await {}
            }
        };
        // Who does not answer has been told.
        let _ = timeout(FAREWELL, goodbye).await;
    }
}

fn restart() -> End {
    End::Close(CloseCode::Restart, "the relay is stopping")
}

fn word(ack: &GiftAck, interim_acks: bool) -> Word {
    match (&ack.error, ack.rendered) {
        (_, true) => Word::Rendered,
        (None, false) if interim_acks => Word::Received,
        (error, false) => {
            let unsaid = || "the host did not say why".into();
            Word::Failed(error.clone().unwrap_or_else(unsaid))
        }
    }
}

/// Types that a client would send only to pass for the relay.
fn is_the_servers(kind: &str) -> bool {
    matches!(
        kind,
        "gift:received" | "stream:status" | "connection:ack" | "heartbeat:ping" | "x-control"
    )
}

fn violation(error: &SocketError) -> End {
    match error {
        SocketError::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::Close(CloseCode::Size, "a message is larger than 2 MiB")
        }
        SocketError::Utf8(_) => End::Close(CloseCode::Invalid, "text is UTF-8"),
        SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        SocketError::Protocol(_) => End::Close(CloseCode::Protocol, "not WebSocket"),
        _ => End::Gone,
    }
}

/// Never retryable: that would have a client hold back its acks for a while.
fn problem(code: &str, message: &str) -> ServerMessage {
    ServerMessage::Error(PeerError {
        code: code.into(),
        message: message.into(),
        retryable: false,
        retry_after: None,
    })
}
