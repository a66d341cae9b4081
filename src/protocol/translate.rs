//! From the JSON's shape to the model: defaults, clamps, and what must be there.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::clean::{clean_label, clean_text, is_graphic};
use super::envelope::{Envelope, Kind};
use super::field::{Names, Number, Stamp, Text};
use super::{
    ClientType, ConnectionAck, ConnectionInit, DecodeError, GiftAck, PeerError, Ping, Pong, limits,
    wire,
};
use crate::model::{
    AnimationWish, Control, Gift, Goal, LaneCounts, OutcomeCounts, Private, Sender, SessionConfig,
    Spread, StreamStatus, Telemetry, WaitingGift, WallTime,
};

pub(super) fn gift(wire: &wire::GiftReceived) -> Result<Gift, DecodeError> {
    let kind = Kind::Gift;
    let id = required_id(&wire.gift_id, "payload.giftId", kind)?;
    let gift_type = wire
        .gift_type
        .as_deref()
        .map(clean_label)
        .filter(|label| !label.is_empty())
        .ok_or_else(|| {
            malformed(
                "payload.giftType",
                Some(kind),
                "missing; say what was given",
            )
        })?;
    let metadata = &wire.metadata;
    let combo_count = metadata.combo_count.count32();
    // A gift without a count is still one gift.
    let quantity = wire.quantity.0.unwrap_or(1.0).floor();
    if quantity <= 0.0 {
        return Err(DecodeError::InvalidGift {
            gift_id: id,
            combo_count,
            quantity: quantity as i64,
            reason: "quantity must be 1 or more",
        });
    }
    let sender = &wire.sender;
    let animation = &wire.animation;
    Ok(Gift {
        id,
        gift_type: gift_type.into(),
        quantity: quantity.min(f64::from(limits::MAX_QUANTITY)) as u32,
        total_value: value(wire.total_value),
        sender: Sender {
            user_id: Private(optional_id(&sender.user_id, "payload.sender.userId", kind)?),
            name: Private(text(&sender.username, limits::MAX_NAME_GRAPHEMES)),
            avatar_url: url(&sender.avatar),
            is_subscriber: sender.is_subscriber.is_set(),
            is_moderator: sender.is_moderator.is_set(),
        },
        animation: AnimationWish {
            kind: label(&animation.kind),
            duration: millis(animation.duration).map(|wish| clamp(wish, limits::DURATION_RANGE)),
            asset_url: url(&animation.asset_url),
            sound_url: url(&animation.sound_url),
        },
        is_streak: metadata.is_streak.is_set(),
        combo_count,
        rank: Some(metadata.rank.count32()).filter(|rank| *rank > 0),
        sent_at: metadata.timestamp.read(),
    })
}

pub(super) fn connection_ack(wire: &wire::Ack) -> ConnectionAck {
    let config = &wire.config;
    let default = SessionConfig::default();
    let (slowest, fastest) = limits::RATE_RANGE;
    ConnectionAck {
        session_id: label(&wire.session_id).unwrap_or_default(),
        server_time: wire.server_time.read(),
        config: SessionConfig {
            ping_interval: millis(config.ping_interval).map_or(default.ping_interval, |wish| {
                clamp(wish, limits::PING_INTERVAL_RANGE)
            }),
            max_gifts_per_second: config
                .max_gifts_per_second
                .positive()
                .map_or(default.max_gifts_per_second, |wish| {
                    wish.clamp(slowest, fastest)
                }),
            features: names(&config.features),
        },
    }
}

pub(super) fn stream_status(wire: &wire::Status) -> Result<StreamStatus, DecodeError> {
    let is_live = wire.is_live.0.ok_or_else(|| {
        malformed(
            "payload.isLive",
            Some(Kind::Status),
            "missing; send true or false",
        )
    })?;
    Ok(StreamStatus {
        is_live,
        viewer_count: wire.viewer_count.count(),
        started_at: wire.started_at.read(),
        goal: wire.current_goal.0.as_ref().and_then(goal),
    })
}

/// A goal without a target above 0 cannot be approached: it is no goal.
fn goal(wire: &wire::Goal) -> Option<Goal> {
    Some(Goal {
        kind: label(&wire.kind).unwrap_or_default(),
        target: wire.target.positive()?.min(limits::MAX_VALUE),
        current: value(wire.current),
        description: text(&wire.description, limits::MAX_DESCRIPTION_GRAPHEMES),
    })
}

pub(super) fn peer_error(wire: &wire::Problem) -> PeerError {
    PeerError {
        code: label(&wire.code).unwrap_or_else(|| "UNKNOWN".into()),
        message: text(&wire.message, limits::MAX_ERROR_GRAPHEMES),
        retryable: wire.retryable.is_set(),
        retry_after: wire
            .retry_after
            .0
            .map(|wish| duration_of_millis(wish).min(limits::MAX_RETRY_AFTER)),
    }
}

/// `None` for an action that we do not know.
pub(super) fn control(wire: &wire::Control) -> Result<Option<Control>, DecodeError> {
    let kind = Kind::Control;
    let switch = || {
        wire.on
            .0
            .ok_or_else(|| malformed("payload.on", Some(kind), "missing; send true or false"))
    };
    let gift_id = || required_id(&wire.gift_id, "payload.giftId", kind);
    let Some(action) = wire.action.as_deref() else {
        return Err(malformed(
            "payload.action",
            Some(kind),
            "missing; say what to do",
        ));
    };
    Ok(Some(match action {
        "pause" => Control::Pause,
        "resume" => Control::Resume,
        "skip" => match wire.gift_id.is_none() {
            true => Control::Skip,
            false => Control::Dismiss(gift_id()?),
        },
        "clear" => Control::Clear,
        "hold" => Control::Hold(gift_id()?),
        "release" => Control::Release(gift_id()?),
        "mute" => Control::Mute(switch()?),
        "volume" => {
            let missing = || malformed("payload.level", Some(kind), "missing; send 0.0 to 1.0");
            Control::Volume(wire.level.0.ok_or_else(missing)?.clamp(0.0, 1.0) as f32)
        }
        "replay" => match wire.gift_id.is_none() {
            true => Control::Replay,
            false => Control::ReplayOf(gift_id()?),
        },
        "test" => {
            let missing = || {
                malformed(
                    "payload.giftType",
                    Some(kind),
                    "missing; say which gift to play",
                )
            };
            let gift_type = label(&wire.gift_type).ok_or_else(missing)?;
            match wire.streak.count32() {
                0 => Control::Test {
                    gift_type,
                    quantity: wire.quantity.count32().clamp(1, limits::MAX_QUANTITY),
                },
                messages => Control::TestStreak {
                    gift_type,
                    messages: messages.min(limits::MAX_TEST_STREAK),
                },
            }
        }
        "do-not-disturb" => Control::DoNotDisturb(switch()?),
        _ => return Ok(None),
    }))
}

pub(super) fn connection_init(wire: &wire::Init) -> Result<ConnectionInit, DecodeError> {
    let kind = Kind::Init;
    Ok(ConnectionInit {
        client_id: required_id(&wire.client_id, "payload.clientId", kind)?,
        stream_id: required_id(&wire.stream_id, "payload.streamId", kind)?,
        client_type: match wire.client_type.as_deref() {
            Some("host") => ClientType::Host,
            Some("viewer") => ClientType::Viewer,
            _ => {
                return Err(malformed(
                    "payload.clientType",
                    Some(kind),
                    "expected \"host\" or \"viewer\"",
                ));
            }
        },
        capabilities: names(&wire.capabilities),
        version: label(&wire.version).unwrap_or_default(),
    })
}

pub(super) fn ping(wire: &wire::Ping) -> Ping {
    Ping {
        sequence: wire.sequence.0,
        sent_at: wire.timestamp.read(),
    }
}

pub(super) fn pong(wire: &wire::Pong, envelope: &Envelope) -> Pong {
    let stats = &wire.stats;
    Pong {
        sequence: wire.sequence.0,
        at: time(&wire.timestamp, envelope),
        latency_ms: stats.latency.positive().unwrap_or(0.0),
        memory_mb: stats.memory.positive().unwrap_or(0.0),
        queue_size: stats.queue_size.count(),
    }
}

pub(super) fn gift_ack(wire: &wire::GiftAck, envelope: &Envelope) -> Result<GiftAck, DecodeError> {
    let kind = Kind::GiftAck;
    Ok(GiftAck {
        gift_id: required_id(&wire.gift_id, "payload.giftId", kind)?,
        received_at: time(&wire.received_at, envelope),
        rendered: wire.rendered.0.ok_or_else(|| {
            malformed(
                "payload.rendered",
                Some(kind),
                "missing; send true or false",
            )
        })?,
        error: Some(text(&wire.error, limits::MAX_ERROR_GRAPHEMES))
            .filter(|error: &Arc<str>| !error.is_empty()),
    })
}

pub(super) fn telemetry(wire: &wire::Telemetry) -> Result<Telemetry, DecodeError> {
    let (lanes, outcomes) = (&wire.lanes, &wire.outcomes);
    let gifts = wire.waiting.gifts.0.iter().map(waiting_gift);
    Ok(Telemetry {
        frame_time: spread(&wire.frame_time, duration_of_millis),
        fps: wire.fps.positive().unwrap_or(0.0),
        lanes: LaneCounts {
            headline: lanes.headline.count(),
            feature: lanes.feature.count(),
            ambient: lanes.ambient.count(),
        },
        wait_time: spread(&wire.wait_time, duration_of_seconds),
        waiting: wire.waiting.count.count(),
        first_waiting: gifts.collect::<Result<_, _>>()?,
        outcomes: OutcomeCounts {
            played: outcomes.played.count(),
            joined_streak: outcomes.joined_streak.count(),
            joined_bundle: outcomes.joined_bundle.count(),
            refused: outcomes.refused.count(),
            failed: outcomes.failed.count(),
            dismissed: outcomes.dismissed.count(),
        },
        is_paused: wire.paused.is_set(),
        is_quiet: wire.do_not_disturb.is_set(),
        is_muted: wire.muted.is_set(),
        volume: wire.volume.positive().unwrap_or(0.0).min(1.0) as f32,
        goal: wire.goal.0.as_ref().and_then(goal),
        goal_waiting: wire.goal_waiting.positive().unwrap_or(0.0),
    })
}

/// What viewers wrote is cleaned here as in the gifts themselves: a renderer is
/// no more to be trusted than whoever sent it.
fn waiting_gift(wire: &wire::WaitingGift) -> Result<WaitingGift, DecodeError> {
    let kind = Kind::Telemetry;
    Ok(WaitingGift {
        gift: required_id(&wire.gift_id, "payload.waiting.gifts.giftId", kind)?,
        gift_type: label(&wire.gift_type).unwrap_or_default(),
        sender: Private(text(&wire.sender, limits::MAX_NAME_GRAPHEMES)),
        people: wire.people.count32().max(1),
        quantity: wire.quantity.count(),
        is_held: wire.held.is_set(),
        waited: duration_of_seconds(wire.waited.0.unwrap_or(0.0)),
    })
}

fn spread(wire: &wire::Spread, unit: impl Fn(f64) -> Duration) -> Spread {
    Spread {
        p50: unit(wire.p50.0.unwrap_or(0.0)),
        p95: unit(wire.p95.0.unwrap_or(0.0)),
    }
}

fn time(stamp: &Stamp, envelope: &Envelope) -> WallTime {
    stamp
        .read()
        .or_else(|| envelope.timestamp.read())
        .unwrap_or(WallTime::UNIX_EPOCH)
}

pub(super) fn unknown_type(envelope: &Envelope) -> Arc<str> {
    clean_label(envelope.message_type.as_deref().unwrap_or_default()).into()
}

pub(super) fn unknown_action(wire: &wire::Control) -> Arc<str> {
    format!(
        "x-control/{}",
        clean_label(wire.action.as_deref().unwrap_or_default())
    )
    .into()
}

fn required_id<I: for<'a> From<&'a str>>(
    id: &Text,
    path: &'static str,
    kind: Kind,
) -> Result<I, DecodeError> {
    match id.as_deref() {
        Some(_) => optional_id(id, path, kind),
        None => Err(malformed(
            path,
            Some(kind),
            "missing; send a string of 1 to 128 bytes",
        )),
    }
}

/// An absent id is empty. Ids are compared and sent back, so they are taken as
/// they are or not at all.
fn optional_id<I: for<'a> From<&'a str>>(
    id: &Text,
    path: &'static str,
    kind: Kind,
) -> Result<I, DecodeError> {
    let id = id.as_deref().unwrap_or_default();
    if id.len() > limits::MAX_ID_BYTES {
        return Err(malformed(path, Some(kind), "longer than 128 bytes"));
    }
    if !is_graphic(id) && id.chars().any(char::is_control) {
        return Err(malformed(path, Some(kind), "contains a control character"));
    }
    Ok(id.into())
}

fn label<L: for<'a> From<Cow<'a, str>>>(label: &Text) -> Option<L> {
    let label = clean_label(label.as_deref()?);
    (!label.is_empty()).then(|| label.into())
}

fn names(names: &Names) -> Vec<Arc<str>> {
    names.0.iter().filter_map(label).collect()
}

fn text<T: for<'a> From<Cow<'a, str>>>(text: &Text, max_graphemes: usize) -> T {
    clean_text(text.as_deref().unwrap_or_default(), max_graphemes).into()
}

/// An address that may be fetched one day: http or https, of sensible length,
/// without spaces and control characters. Anything else is as if absent.
fn url(url: &Text) -> Option<Private<Arc<str>>> {
    let url = url.as_deref()?;
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = url.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })?;
    let fits = url.len() <= limits::MAX_URL_BYTES && !rest.is_empty();
    // Nearly every address is plain ASCII.
    let is_clean =
        || is_graphic(rest) || !rest.contains(|c: char| c.is_whitespace() || c.is_control());
    (fits && is_clean()).then(|| Private(url.into()))
}

/// An amount, 0 to [`limits::MAX_VALUE`].
fn value(number: Number) -> f64 {
    number.positive().unwrap_or(0.0).min(limits::MAX_VALUE)
}

/// Milliseconds above 0 as a duration.
fn millis(number: Number) -> Option<Duration> {
    number.positive().map(duration_of_millis)
}

/// To the nanosecond; negative is 0, and beyond 584 years is just that.
fn duration_of_millis(millis: f64) -> Duration {
    // A float cast saturates.
    Duration::from_nanos((millis * 1e6).round() as u64)
}

fn duration_of_seconds(seconds: f64) -> Duration {
    duration_of_millis(seconds * 1e3)
}

fn clamp(duration: Duration, (low, high): (Duration, Duration)) -> Duration {
    duration.clamp(low, high)
}

pub(super) fn malformed(path: &str, kind: Option<Kind>, reason: &'static str) -> DecodeError {
    DecodeError::Malformed {
        path: path.to_owned(),
        offset: None,
        reason: Cow::Borrowed(reason),
        message_type: kind.map(Kind::name),
    }
}
