//! Messages to JSON. Every message says `"version":"1.0.0"` and its time in
//! UTC milliseconds; every field of the contract is there, in its own type.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::clean::clean_text;
use super::envelope::Kind;
use super::field::{Flag, List, Names, Number, Object, Sequence, Stamp, Text};
use super::{
    ClientMessage, ClientType, ConnectionAck, ConnectionInit, GiftAck, PeerError, Ping, Pong,
    ServerMessage, limits, wire,
};
use crate::model::{Control, Gift, Goal, Private, StreamStatus, Telemetry, WaitingGift, WallTime};

/// What `x-telemetry` takes besides its list of gifts; generously.
const TELEMETRY_BESIDES: usize = 2 * 1024;

/// What one waiting gift takes besides its texts; generously.
const WAITING_BESIDES: usize = 256;

/// Writes what a renderer sends. `now` is the message's own timestamp.
pub fn encode_client(message: &ClientMessage, now: WallTime) -> String {
    match message {
        ClientMessage::Init(init) => seal(Kind::Init.name(), connection_init(init), now),
        ClientMessage::Pong(pong) => seal(Kind::Pong.name(), self::pong(pong), now),
        ClientMessage::GiftAck(ack) => seal(Kind::GiftAck.name(), gift_ack(ack), now),
        ClientMessage::Telemetry(telemetry) => {
            seal(Kind::Telemetry.name(), self::telemetry(telemetry), now)
        }
        ClientMessage::Error(error) => seal(Kind::Problem.name(), problem(error), now),
        ClientMessage::Unknown(message_type) => seal(message_type, Nothing {}, now),
    }
}

/// Writes what a backend sends. `now` is the message's own timestamp, and
/// stands in for a time that the message should carry and does not know.
pub fn encode_server(message: &ServerMessage, now: WallTime) -> String {
    match message {
        ServerMessage::Ack(ack) => seal(Kind::Ack.name(), connection_ack(ack, now), now),
        ServerMessage::Ping(ping) => seal(Kind::Ping.name(), self::ping(ping, now), now),
        ServerMessage::Gift(gift) => seal(Kind::Gift.name(), self::gift(gift, now), now),
        ServerMessage::Status(status) => seal(Kind::Status.name(), stream_status(status), now),
        ServerMessage::Error(error) => seal(Kind::Problem.name(), problem(error), now),
        ServerMessage::Control(control) => seal(Kind::Control.name(), self::control(control), now),
        ServerMessage::Unknown(message_type) => seal(message_type, Nothing {}, now),
    }
}

#[derive(Serialize)]
struct Sealed<'a, P> {
    #[serde(rename = "type")]
    message_type: &'a str,
    payload: P,
    timestamp: Stamp<'a>,
    version: &'a str,
}

/// A payload without fields.
#[derive(Serialize)]
struct Nothing {}

fn seal<P: Serialize>(message_type: &str, payload: P, now: WallTime) -> String {
    let sealed = Sealed {
        message_type,
        payload,
        timestamp: now.into(),
        version: limits::VERSION,
    };
    serde_json::to_string(&sealed).expect("string keys and finite numbers always serialise")
}

fn connection_init(init: &ConnectionInit) -> wire::Init<'_> {
    wire::Init {
        client_id: Text::of(&init.client_id),
        stream_id: Text::of(&init.stream_id),
        client_type: Text::of(match init.client_type {
            ClientType::Host => "host",
            ClientType::Viewer => "viewer",
        }),
        capabilities: names(&init.capabilities),
        version: Text::of(&init.version),
    }
}

fn connection_ack(ack: &ConnectionAck, now: WallTime) -> wire::Ack<'_> {
    wire::Ack {
        session_id: Text::of(&ack.session_id),
        server_time: ack.server_time.unwrap_or(now).into(),
        config: wire::Config {
            ping_interval: millis(ack.config.ping_interval),
            max_gifts_per_second: Number::of(ack.config.max_gifts_per_second),
            features: names(&ack.config.features),
        },
    }
}

fn ping<'a>(ping: &Ping, now: WallTime) -> wire::Ping<'a> {
    wire::Ping {
        timestamp: ping.sent_at.unwrap_or(now).into(),
        sequence: Sequence(ping.sequence),
    }
}

fn pong<'a>(pong: &Pong) -> wire::Pong<'a> {
    wire::Pong {
        timestamp: pong.at.into(),
        sequence: Sequence(pong.sequence),
        stats: wire::Stats {
            latency: Number::of(pong.latency_ms),
            memory: Number::of(pong.memory_mb),
            queue_size: Number::of(pong.queue_size as f64),
        },
    }
}

fn gift(gift: &Gift, now: WallTime) -> wire::GiftReceived<'_> {
    wire::GiftReceived {
        gift_id: Text::of(&gift.id),
        gift_type: Text::of(&gift.gift_type),
        quantity: Number::of(gift.quantity.into()),
        total_value: Number::of(gift.total_value),
        sender: wire::Sender {
            user_id: Text::of(&gift.sender.user_id.0),
            username: Text::of(&gift.sender.name.0),
            avatar: private(gift.sender.avatar_url.as_ref()),
            is_subscriber: Flag(Some(gift.sender.is_subscriber)),
            is_moderator: Flag(Some(gift.sender.is_moderator)),
        },
        animation: wire::Animation {
            kind: Text::of(gift.animation.kind.as_deref().unwrap_or_default()),
            duration: millis(gift.animation.duration.unwrap_or_default()),
            asset_url: private(gift.animation.asset_url.as_ref()),
            sound_url: private(gift.animation.sound_url.as_ref()),
        },
        metadata: wire::Metadata {
            is_streak: Flag(Some(gift.is_streak)),
            combo_count: Number::of(gift.combo_count.into()),
            rank: Number::of(gift.rank.unwrap_or(0).into()),
            timestamp: gift.sent_at.unwrap_or(now).into(),
        },
    }
}

fn gift_ack(ack: &GiftAck) -> wire::GiftAck<'_> {
    wire::GiftAck {
        gift_id: Text::of(&ack.gift_id),
        received_at: ack.received_at.into(),
        rendered: Flag(Some(ack.rendered)),
        error: Text(ack.error.as_deref().map(error_text)),
    }
}

fn stream_status(status: &StreamStatus) -> wire::Status<'_> {
    wire::Status {
        is_live: Flag(Some(status.is_live)),
        viewer_count: Number::of(status.viewer_count as f64),
        started_at: status.started_at.map(Stamp::from).unwrap_or_default(),
        current_goal: Object(status.goal.as_ref().map(goal)),
    }
}

fn goal(goal: &Goal) -> wire::Goal<'_> {
    wire::Goal {
        kind: Text::of(&goal.kind),
        target: Number::of(goal.target),
        current: Number::of(goal.current),
        description: Text::of(&goal.description),
    }
}

fn problem(error: &PeerError) -> wire::Problem<'_> {
    wire::Problem {
        code: Text::of(&error.code),
        message: Text(Some(error_text(&error.message))),
        details: (),
        retryable: Flag(Some(error.retryable)),
        retry_after: error.retry_after.map(millis).unwrap_or_default(),
    }
}

fn control(control: &Control) -> wire::Control<'_> {
    let act = |action| wire::Control {
        action: Text::of(action),
        ..wire::Control::default()
    };
    let switch = |action, on| wire::Control {
        on: Flag(Some(on)),
        ..act(action)
    };
    match control {
        Control::Pause => act("pause"),
        Control::Resume => act("resume"),
        Control::Skip => act("skip"),
        Control::Clear => act("clear"),
        Control::Hold(id) => wire::Control {
            gift_id: Text::of(id),
            ..act("hold")
        },
        Control::Release(id) => wire::Control {
            gift_id: Text::of(id),
            ..act("release")
        },
        Control::Mute(on) => switch("mute", *on),
        Control::Volume(level) => wire::Control {
            level: Number::of((*level).into()),
            ..act("volume")
        },
        Control::Dismiss(id) => wire::Control {
            gift_id: Text::of(id),
            ..act("skip")
        },
        Control::Replay => act("replay"),
        Control::ReplayOf(id) => wire::Control {
            gift_id: Text::of(id),
            ..act("replay")
        },
        Control::TestStreak {
            gift_type,
            messages,
        } => wire::Control {
            gift_type: Text::of(gift_type),
            streak: Number::of((*messages).into()),
            ..act("test")
        },
        Control::Test {
            gift_type,
            quantity,
        } => wire::Control {
            gift_type: Text::of(gift_type),
            quantity: Number::of((*quantity).into()),
            ..act("test")
        },
        Control::DoNotDisturb(on) => switch("do-not-disturb", *on),
    }
}

fn telemetry(telemetry: &Telemetry) -> wire::Telemetry<'_> {
    let (lanes, outcomes) = (telemetry.lanes, telemetry.outcomes);
    let count = |count: u64| Number::of(count as f64);
    wire::Telemetry {
        frame_time: wire::Spread {
            p50: millis(telemetry.frame_time.p50),
            p95: millis(telemetry.frame_time.p95),
        },
        fps: Number::of(telemetry.fps),
        lanes: wire::Lanes {
            headline: count(lanes.headline),
            feature: count(lanes.feature),
            ambient: count(lanes.ambient),
        },
        wait_time: wire::Spread {
            p50: seconds(telemetry.wait_time.p50),
            p95: seconds(telemetry.wait_time.p95),
        },
        waiting: wire::Waiting {
            count: count(telemetry.waiting),
            gifts: List(waiting_gifts(telemetry)),
        },
        outcomes: wire::Outcomes {
            played: count(outcomes.played),
            joined_streak: count(outcomes.joined_streak),
            joined_bundle: count(outcomes.joined_bundle),
            refused: count(outcomes.refused),
            failed: count(outcomes.failed),
            dismissed: count(outcomes.dismissed),
        },
        paused: Flag(Some(telemetry.is_paused)),
        do_not_disturb: Flag(Some(telemetry.is_quiet)),
        muted: Flag(Some(telemetry.is_muted)),
        volume: Number::of(telemetry.volume.into()),
        goal: Object(telemetry.goal.as_ref().map(goal)),
        goal_waiting: Number::of(telemetry.goal_waiting),
    }
}

/// As many of the first as a message has room for: ids, types and names may be
/// long, and escaped they may be twice as long.
fn waiting_gifts(telemetry: &Telemetry) -> Vec<wire::WaitingGift<'_>> {
    let goal = telemetry.goal.as_ref();
    let goal = goal.map_or(0, |goal| 2 * (goal.kind.len() + goal.description.len()));
    let mut room = (limits::MAX_MESSAGE_BYTES - TELEMETRY_BESIDES).saturating_sub(goal);
    let fits = |gift: &&WaitingGift| {
        let text = gift.gift.len() + gift.gift_type.len() + gift.sender.0.len();
        let taken = 2 * text + WAITING_BESIDES;
        let fits = taken <= room;
        room = room.saturating_sub(taken);
        fits
    };
    let gifts = telemetry.first_waiting.iter();
    let first = gifts.take(limits::MAX_WAITING_TOLD).take_while(fits);
    let told = first.map(|gift| wire::WaitingGift {
        gift_id: Text::of(&gift.gift),
        gift_type: Text::of(&gift.gift_type),
        sender: Text::of(&gift.sender.0),
        people: Number::of(gift.people.into()),
        quantity: Number::of(gift.quantity as f64),
        held: Flag(Some(gift.is_held)),
        waited: seconds(gift.waited),
    });
    told.collect()
}

fn names(names: &[Arc<str>]) -> Names<'_> {
    Names(
        names
            .iter()
            .take(limits::MAX_NAMES_IN_LIST)
            .map(|name| Text::of(name))
            .collect(),
    )
}

fn private(text: Option<&Private<Arc<str>>>) -> Text<'_> {
    Text::of(text.map_or("", |text| &text.0))
}

fn seconds(duration: Duration) -> Number {
    Number::of(duration.as_secs_f64())
}

fn millis(duration: Duration) -> Number {
    Number::of(duration.as_nanos() as f64 / 1e6)
}

/// An error text may hold a path or a library's whole complaint: one line.
fn error_text(text: &str) -> Cow<'_, str> {
    clean_text(text, limits::MAX_ERROR_GRAPHEMES)
}
