//! One renderer's WebSocket, from its upgrade to its end: one task that reads,
//! asks the hub what goes out, and keeps time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::bell::Bell;
use super::channel::{Channel, TELEMETRY};
use super::courier::Lane;
use super::hub::{ConnectionId, Joining, Next, Word};
use super::limits::{FAREWELL, PATIENCE, Pace, WRITE_PATIENCE};
use super::pulse::Pulse;
use super::roster::{Renderer, pong_json, role_name};
use super::server::{Core, Unopened, stopped};
use super::socket::{self, CloseCode, Frame, Inbound, Violation, close};
use super::tokens::Role;
use super::transport::Stream;
use crate::model::{SessionConfig, WallTime};
use crate::protocol::{
    ClientMessage, ClientType, ConnectionAck, ConnectionInit, DecodeError, GiftAck, Ping,
    ServerMessage, decode_client, encode_server,
};

/// Frames taken from the hub at once: what the system takes in one call.
const BATCH: usize = 16;

/// At most one `error` goes out in this time.
const ERROR_INTERVAL: Duration = Duration::from_secs(1);

pub(super) type Socket = socket::Socket<Stream>;

/// Why a connection ends.
enum End {
    /// The socket is of no more use.
    Gone,
    /// They have said goodbye.
    Closed,
    Close(CloseCode, &'static str),
}

/// A connection that has said who it is.
struct Joined {
    channel: Arc<Channel>,
    id: ConnectionId,
    bell: Arc<Bell>,
    client_id: Arc<str>,
    role: ClientType,
    session_id: Arc<str>,
    /// Extensions that it named; each counts while the stream grants it as well.
    names_interim_acks: bool,
    names_telemetry: bool,
    interim_acks: bool,
    /// It was asked how its stage is doing.
    tells: bool,
    pulse: Pulse,
    sequence: u64,
}

struct Client {
    core: Arc<Core>,
    role: Role,
    socket: Socket,
    /// By which gifts are carried here while there is nothing to write.
    lane: Option<Arc<Lane>>,
    /// Since when the other side has taken nothing.
    stuck: Option<Instant>,
    heard: Instant,
    pace: Pace,
    next_error: Instant,
}

/// What woke a connection.
struct Woken {
    /// The hub may have something.
    rang: bool,
    /// How many messages' worth was read.
    read: Option<Result<u32, Violation>>,
}

/// What the hub had.
struct Filled {
    /// When it has something again, at the latest.
    due: Option<Instant>,
    /// It may have more already, for when this is written.
    has_more: bool,
}

/// Serves a connection to its end. `greeting` is given back with its init.
pub(super) async fn serve(
    core: Arc<Core>,
    socket: Socket,
    role: Role,
    greeting: OwnedSemaphorePermit,
) {
    let now = Instant::now();
    let mut client = Client {
        core,
        role,
        socket,
        lane: None,
        stuck: None,
        heard: now,
        pace: Pace::of(role, now),
        next_error: now,
    };
    let end = match client.greet().await {
        Ok(init) => {
            drop(greeting);
            client.session(init).await
        }
        Err(end) => end,
    };
    // Who does not answer has been told.
    let _ = timeout(FAREWELL, async {
        match end {
            End::Gone => {}
            End::Closed => client.socket.agree().await,
            End::Close(code, reason) => client.socket.close(code, reason).await,
        }
    })
    .await;
}

impl Client {
    /// Waits for the init, with which a session begins. What came behind it
    /// waits for the session.
    async fn greet(&mut self) -> Result<ConnectionInit, End> {
        let deadline = Instant::now() + PATIENCE;
        let mut stopping = self.core.stopping.clone();
        loop {
            while let Some(inbound) = self.socket.take() {
                match self.read(inbound)? {
                    Some(ClientMessage::Init(init)) => return Ok(init),
                    Some(ClientMessage::Error(_)) | None => {}
                    Some(_) => self.complain("NOT_INITIALIZED", "begin with connection:init"),
                }
            }
            let read = poll_fn(|cx| {
                if let Poll::Ready(Err(_)) = self.socket.poll_flush(cx) {
                    return Poll::Ready(Err(Violation::Gone));
                }
                self.socket.poll_read(cx)
            });
            let read = tokio::select! {
                read = read => read,
                () = sleep_until(deadline) => {
                    // It may have been held up on its way: who comes again is welcome.
                    return Err(End::Close(close::AGAIN, "no connection:init came"));
                }
                () = stopped(&mut stopping) => return Err(restart()),
            };
            let cost = read.map_err(violation)?;
            self.heard = Instant::now();
            if let Some(wait) = self.pace.wait(cost, self.heard) {
                sleep_until(self.heard + wait.min(PATIENCE)).await;
            }
        }
    }

    async fn session(&mut self, init: ConnectionInit) -> End {
        let joined = match self.join(&init).await {
            Ok(joined) => joined,
            Err(end) => return end,
        };
        let (channel, id) = (joined.channel.clone(), joined.id);
        let role = role_name(init.client_type);
        let who = || json!({ "clientId": &*init.client_id, "clientType": role });
        channel.tell("joined", who);
        let end = self.run(joined).await;
        let ended = match self.core.is_stopping() {
            true => {
                channel.abandon(id);
                Vec::new()
            }
            false => channel.leave(id, self.core.clock.elapsed()),
        };
        channel.roster.leave(id);
        self.core.note(&channel, ended).await;
        channel.tell("left", who);
        end
    }

    async fn join(&mut self, init: &ConnectionInit) -> Result<Joined, End> {
        if init.client_type == ClientType::Host && self.role != Role::Host {
            self.complain(
                "FORBIDDEN",
                "this token joins as viewer only; use the host's, or join as viewer",
            );
            return Err(End::Close(close::POLICY, "not with this token"));
        }
        let channel = self.core.open(&init.stream_id).await.map_err(|unopened| {
            let why = match unopened {
                Unopened::Crowded => "the relay has too many streams",
                Unopened::Store(_) => "the store does not work",
            };
            End::Close(close::AGAIN, why)
        })?;
        let names = |name: &str| init.capabilities.iter().any(|own| &**own == name);
        let hears_controls = names("x-control");
        let (id, config, bell) = channel.join(Joining {
            client_id: init.client_id.clone(),
            role: init.client_type,
            hears_controls,
        });
        if init.client_type == ClientType::Viewer
            && let Some(wire) = self.socket.stream().writer()
        {
            let lane = Arc::new(Lane::new(wire.clone()));
            channel.seat(id, lane.clone());
            self.lane = Some(lane);
        }
        let client_id = init.client_id.clone();
        let renderer = Renderer::new(client_id.clone(), init.client_type, hears_controls);
        channel.roster.join(id, renderer);
        let mut joined = Joined {
            channel,
            id,
            bell,
            client_id,
            role: init.client_type,
            session_id: uuid::Uuid::new_v4().to_string().into(),
            names_interim_acks: names("x-ack-interim"),
            names_telemetry: names(TELEMETRY),
            interim_acks: false,
            tells: false,
            pulse: Pulse::new(config.ping_interval, Instant::now()),
            sequence: 0,
        };
        self.tell_config(&mut joined, config);
        Ok(joined)
    }

    /// Serves a session until it ends.
    async fn run(&mut self, mut joined: Joined) -> End {
        let mut alarm = pin!(sleep_until(joined.pulse.ping_at()));
        let mut read_again: Option<Instant> = None;
        let mut filled = Filled {
            due: None,
            has_more: true,
        };
        // What came behind the init is there already.
        let mut read = Some(Ok(0));
        loop {
            if let Some(read) = read {
                match self.hear(&mut joined, read).await {
                    Ok(again) => read_again = again,
                    Err(end) => return end,
                }
            }
            if self.core.is_stopping() {
                return self.part(&mut joined).await;
            }
            if filled.has_more && self.socket.is_flushed() {
                filled = match self.fill(&mut joined).await {
                    Ok(filled) => filled,
                    Err(end) => return end,
                };
            }
            let silent = joined.pulse.gone_at(self.heard);
            let until = match self.stuck {
                Some(since) => Some(since + WRITE_PATIENCE),
                None => filled.due,
            };
            let times = [until, read_again, Some(silent)].into_iter().flatten();
            let until = times.fold(joined.pulse.ping_at(), Instant::min);
            // One that rings too early is set anew then: that is rare, and setting
            // it at every gift would not be.
            if until < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(until);
            }
            let reads = read_again.is_none();
            let woken = self.wait(&joined.bell, alarm.as_mut(), filled.has_more, reads);
            let woken = match woken.await {
                Ok(woken) => woken,
                Err(end) => return end,
            };
            read = woken.read;
            let now = Instant::now();
            let is_stuck = self
                .stuck
                .is_some_and(|since| since + WRITE_PATIENCE <= now);
            if is_stuck || (read.is_none() && silent <= now) {
                return End::Gone;
            }
            read_again = read_again.filter(|time| *time > now);
            // It may have to wait for what was said just now to be written.
            filled.has_more |= woken.rang || filled.due.is_some_and(|time| time <= now);
            if joined.pulse.ping_at() <= now {
                self.ping(&mut joined, now);
            }
        }
    }

    /// Writes what there is to write, and waits for the hub, which may have more
    /// already, for the other side or for the alarm.
    async fn wait(
        &mut self,
        bell: &Bell,
        mut alarm: Pin<&mut Sleep>,
        has_more: bool,
        reads: bool,
    ) -> Result<Woken, End> {
        poll_fn(|cx| {
            if let Some(lane) = &self.lane {
                self.socket.go_on_with(lane.take_back());
            }
            let was_stuck = self.stuck.is_some();
            let sent = self.socket.sent();
            let flushed = match self.socket.poll_flush(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(End::Gone)),
                Poll::Pending => false,
            };
            if flushed {
                self.stuck = None;
            } else if !was_stuck || self.socket.sent() != sent {
                self.stuck = Some(Instant::now());
            }
            let rang = flushed && (bell.poll(cx).is_ready() || has_more || was_stuck);
            let read = match reads {
                true => self.socket.poll_read(cx),
                false => Poll::Pending,
            };
            let is_over = alarm.as_mut().poll(cx).is_ready();
            let has_stuck = self.stuck.is_some() && !was_stuck;
            let read = match read {
                Poll::Ready(read) => Some(read),
                Poll::Pending if rang || is_over || has_stuck => None,
                Poll::Pending => {
                    // From here on whoever has something rings, or writes it.
                    if let Some(lane) = self.lane.as_ref().filter(|_| flushed) {
                        lane.lend();
                    }
                    return Poll::Pending;
                }
            };
            Poll::Ready(Ok(Woken { rang, read }))
        })
        .await
    }

    /// Hands the socket what the hub has.
    async fn fill(&mut self, joined: &mut Joined) -> Result<Filled, End> {
        loop {
            let now = self.core.clock.elapsed();
            let (next, ended) = {
                let mut hub = joined.channel.hub();
                let mut room = BATCH;
                let next = loop {
                    match hub.next(joined.id, now) {
                        Next::Frame(frame) => self.socket.push(frame),
                        other => break Some(other),
                    }
                    room -= 1;
                    if room == 0 {
                        break None;
                    }
                };
                // What was ended by waiting too long.
                (next, hub.take_ended())
            };
            self.core.note(&joined.channel, ended).await;
            match next {
                None => {
                    return Ok(Filled {
                        due: None,
                        has_more: true,
                    });
                }
                Some(Next::Wait(due)) => {
                    return Ok(Filled {
                        due: due.map(|due| self.core.clock + due),
                        has_more: false,
                    });
                }
                Some(Next::Config(config)) => self.tell_config(joined, config),
                Some(Next::TellSlow { owed }) => {
                    let said = format!(
                        "{owed} gifts are not acknowledged; further ones follow as they are"
                    );
                    // It is said once, and so beyond any other error's turn.
                    self.say(&ServerMessage::refusal("SLOW_HOST", &said));
                }
                Some(Next::Displaced) => {
                    let reason = "replaced by another connection with this clientId";
                    return Err(End::Close(close::DISPLACED, reason));
                }
                Some(Next::Frame(_)) => unreachable!("the loop takes them"),
            }
        }
    }

    /// The relay stops. All that a viewer's row rested with comes before the goodbye;
    /// a host is sent again what it does not get now.
    async fn part(&mut self, joined: &mut Joined) -> End {
        let mut has_more = joined.role == ClientType::Viewer && self.socket.is_flushed();
        while has_more {
            has_more = match self.fill(joined).await {
                Ok(filled) => filled.has_more,
                Err(end) => return end,
            };
        }
        restart()
    }

    /// Takes in what was read; returns when to read on, if not at once.
    async fn hear(
        &mut self,
        joined: &mut Joined,
        read: Result<u32, Violation>,
    ) -> Result<Option<Instant>, End> {
        self.heard = Instant::now();
        while let Some(inbound) = self.socket.take() {
            if let Some(message) = self.read(inbound)? {
                self.take(joined, message).await?;
            }
        }
        let cost = read.map_err(violation)?;
        let wait = self.pace.wait(cost, self.heard);
        Ok(wait.map(|wait| self.heard + wait))
    }

    async fn take(&mut self, joined: &mut Joined, message: ClientMessage) -> Result<(), End> {
        match message {
            ClientMessage::GiftAck(ack) => {
                let word = word(&ack, joined.interim_acks);
                let ended = {
                    let mut hub = joined.channel.hub();
                    hub.acked(joined.id, &ack.gift_id, word);
                    if hub.is_slow(joined.id) {
                        // It may have made room, whether or not that settled anything.
                        joined.bell.ring();
                    }
                    hub.take_ended()
                };
                self.core.note(&joined.channel, ended).await;
                Ok(())
            }
            ClientMessage::Pong(pong) => {
                joined.channel.roster.ponged(joined.id, pong);
                joined.channel.tell("pong", || {
                    let mut event = pong_json(&pong);
                    event["clientId"] = (*joined.client_id).into();
                    event["clientType"] = role_name(joined.role).into();
                    event
                });
                Ok(())
            }
            ClientMessage::Telemetry(telemetry) => {
                if joined.tells {
                    let channel = &joined.channel;
                    let told = channel.roster.told(joined.id, telemetry);
                    if let Some((before, now)) = channel.heed_goal() {
                        let store = &self.core.store;
                        store.note_status(&channel.id, &before, &now).await;
                    }
                    channel.tell("telemetry", || told);
                }
                Ok(())
            }
            ClientMessage::Init(_) => {
                self.complain("ALREADY_INITIALIZED", "the session goes on as it is");
                Ok(())
            }
            ClientMessage::Unknown(kind) if is_the_servers(&kind) => {
                self.complain(
                    "FORBIDDEN",
                    "only the relay sends that; gifts and controls come in over HTTP, each with \
                     its role's token",
                );
                Ok(())
            }
            ClientMessage::Error(_) | ClientMessage::Unknown(_) => Ok(()),
        }
    }

    /// What a frame says, if it says anything.
    fn read(&mut self, inbound: Inbound) -> Result<Option<ClientMessage>, End> {
        let decoded = match inbound {
            Inbound::Text(text) => decode_client(text.as_bytes()),
            Inbound::TooLarge { start, length } => decode_client(&start).map_err(|error| {
                // It saw the beginning only.
                match error {
                    DecodeError::TooLarge {
                        limit,
                        message_type,
                        ..
                    } => DecodeError::TooLarge {
                        size: length,
                        limit,
                        message_type,
                    },
                    other => other,
                }
            }),
            Inbound::Ping(payload) => {
                self.socket.answer(&payload);
                return Ok(None);
            }
            Inbound::Pong => return Ok(None),
            Inbound::Close => return Err(End::Closed),
        };
        match decoded {
            Ok(message) => Ok(Some(message)),
            Err(error) => {
                self.core.figures.malformed();
                if !error.is_about_an_error() {
                    self.say_error(&ServerMessage::Error(error.to_peer_error()));
                }
                Ok(None)
            }
        }
    }

    fn tell_config(&mut self, joined: &mut Joined, mut config: SessionConfig) {
        // A crowd of viewers would say a lot every second that nobody reads.
        if joined.role != ClientType::Host {
            config.features.retain(|name| &**name != TELEMETRY);
        }
        let grants = |feature: &str| config.features.iter().any(|name| &**name == feature);
        // Once granted it is understood: one may be on its way when it is taken away.
        joined.interim_acks |= joined.names_interim_acks && grants("x-ack-interim");
        joined.tells = joined.names_telemetry && grants(TELEMETRY);
        joined.pulse.set(config.ping_interval, Instant::now());
        self.say(&ServerMessage::Ack(ConnectionAck {
            session_id: joined.session_id.clone(),
            server_time: Some(WallTime::now()),
            config,
        }));
    }

    fn ping(&mut self, joined: &mut Joined, now: Instant) {
        let ping = ServerMessage::Ping(Ping {
            sequence: joined.sequence,
            sent_at: None,
        });
        joined.sequence += 1;
        joined.pulse.pinged(now);
        // One who takes nothing is not given more; its patience runs already.
        if self.socket.is_flushed() {
            self.say(&ping);
        }
    }

    fn complain(&mut self, code: &str, message: &str) {
        self.say_error(&ServerMessage::refusal(code, message));
    }

    fn say_error(&mut self, error: &ServerMessage) {
        let now = Instant::now();
        if now >= self.next_error {
            self.next_error = now + ERROR_INTERVAL;
            self.say(error);
        }
    }

    fn say(&mut self, message: &ServerMessage) {
        let text = encode_server(message, WallTime::now());
        self.socket.push(Frame::text(&text));
    }
}

fn restart() -> End {
    End::Close(close::RESTART, "the relay is stopping")
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

fn violation(violation: Violation) -> End {
    match violation {
        Violation::Gone => End::Gone,
        Violation::Protocol => End::Close(close::PROTOCOL, "not WebSocket"),
        Violation::Binary => End::Close(close::UNSUPPORTED, "messages are text"),
        Violation::NotUtf8 => End::Close(close::NOT_UTF8, "text is UTF-8"),
        Violation::TooLarge => End::Close(close::TOO_LARGE, "a message is larger than 2 MiB"),
    }
}
