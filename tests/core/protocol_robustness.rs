//! Any bytes lead to a message or an error, never to a panic; what we write,
//! we read.

use std::sync::Arc;
use std::time::Duration;

use hyperfocus::model::{
    AnimationWish, Control, Gift, Goal, LaneCounts, OutcomeCounts, Private, Sender, SessionConfig,
    Spread, StreamStatus, Telemetry, WaitingGift, WallTime,
};
use hyperfocus::protocol::{
    ClientMessage, ClientType, ConnectionAck, ConnectionInit, GiftAck, PeerError, Ping, Pong,
    ServerMessage, clean_text, decode_client, decode_server, encode_client, encode_server, limits,
};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

const EXAMPLES: [&str; 10] = [
    include_str!("../data/contract/connection-init.json"),
    include_str!("../data/contract/connection-ack.json"),
    include_str!("../data/contract/heartbeat-ping.json"),
    include_str!("../data/contract/heartbeat-pong.json"),
    include_str!("../data/contract/gift-received.json"),
    include_str!("../data/contract/gift-ack.json"),
    include_str!("../data/contract/gift-ack-failed.json"),
    include_str!("../data/contract/stream-status.json"),
    include_str!("../data/contract/stream-status-offline.json"),
    include_str!("../data/contract/error.json"),
];

/// Decodes both ways and checks what holds for whatever comes out.
fn digest(bytes: &[u8]) {
    match decode_server(bytes) {
        Ok(ServerMessage::Gift(gift)) => {
            assert!(!gift.id.is_empty() && gift.id.len() <= limits::MAX_ID_BYTES);
            assert!(!gift.gift_type.is_empty() && gift.gift_type.len() <= limits::MAX_LABEL_BYTES);
            assert!((1..=limits::MAX_QUANTITY).contains(&gift.quantity));
            assert!(gift.total_value.is_finite() && gift.total_value >= 0.0);
            assert!(gift.sender.name.0.graphemes(true).count() <= limits::MAX_NAME_GRAPHEMES);
        }
        Ok(ServerMessage::Ack(ack)) => {
            let (low, high) = limits::PING_INTERVAL_RANGE;
            assert!((low..=high).contains(&ack.config.ping_interval));
            assert!(ack.config.max_gifts_per_second > 0.0);
        }
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Err(error) = decode_client(bytes) {
        assert!(!error.to_string().is_empty());
    }
}

/// One edit of a valid message.
#[derive(Debug, Clone)]
enum Edit {
    Cut(prop::sample::Index),
    Overwrite(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<prop::sample::Index>;
    let tokens = prop::sample::select(vec![
        "null",
        "true",
        "1e999",
        "-1",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud83d",
        "\\udc00",
        "\u{202e}",
        "\u{301}",
        "\"type\":\"error\",",
        "\"version\":\"2\",",
        "\n",
        "\u{feff}",
    ])
    .prop_map(|token| token.as_bytes().to_vec());
    prop_oneof![
        place().prop_map(Edit::Cut),
        (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Overwrite(at, byte)),
        (place(), tokens).prop_map(|(at, token)| Edit::Insert(at, token)),
        (place(), 1..40_usize).prop_map(|(at, len)| Edit::Remove(at, len)),
        (place(), 1..200_usize).prop_map(|(at, len)| Edit::Repeat(at, len)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    if bytes.is_empty() {
        return;
    }
    match edit {
        Edit::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Edit::Overwrite(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Edit::Insert(at, token) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, token.iter().copied());
        }
        Edit::Remove(at, len) => {
            let at = at.index(bytes.len());
            bytes.drain(at..bytes.len().min(at + len));
        }
        Edit::Repeat(at, len) => {
            let at = at.index(bytes.len());
            let copy = bytes[at..bytes.len().min(at + len)].to_vec();
            bytes.splice(at..at, copy);
        }
    }
}

/// Wall-clock times to the millisecond, as they go over the wire.
fn time() -> impl Strategy<Value = WallTime> {
    (-60_000_000_000_000_i64..60_000_000_000_000)
        .prop_map(|ms| WallTime::from_millisecond(ms).unwrap())
}

fn text(pattern: &'static str) -> impl Strategy<Value = Arc<str>> {
    pattern.prop_map(|text| text.trim().into())
}

fn id() -> impl Strategy<Value = Arc<str>> {
    text("[a-zA-Z0-9:_é-]{1,60}")
}

fn label() -> impl Strategy<Value = Arc<str>> {
    text("[a-z][a-z0-9-]{0,30}")
}

fn name() -> impl Strategy<Value = Arc<str>> {
    prop::sample::select(vec![
        "Alice",
        "Zoë 🌹",
        "مُحَمَّد",
        "שָׁלוֹם",
        "ที่นี่",
        "👩‍❤️‍💋‍👨",
        "\"\\ /",
        "山田 太郎",
        "",
    ])
    .prop_map(Arc::from)
}

fn url() -> impl Strategy<Value = Option<Private<Arc<str>>>> {
    prop::option::of(text("https://[a-z]{1,20}\\.example/[a-z0-9?&=%]{0,80}").prop_map(Private))
}

/// Amounts to the cent: their decimal form is exact both ways.
fn amount() -> impl Strategy<Value = f64> {
    (0..100_000_000_u32).prop_map(|cents| f64::from(cents) / 100.0)
}

fn labels() -> impl Strategy<Value = Vec<Arc<str>>> {
    prop::collection::vec(label(), 0..33)
}

fn gift() -> impl Strategy<Value = Gift> {
    let sender = (id(), name(), url(), any::<bool>(), any::<bool>()).prop_map(
        |(user_id, name, avatar_url, is_subscriber, is_moderator)| Sender {
            user_id: Private(user_id.into()),
            name: Private(name.into()),
            avatar_url,
            is_subscriber,
            is_moderator,
        },
    );
    let duration = prop::option::of((100..60_000_u64).prop_map(Duration::from_millis));
    let animation = (prop::option::of(label()), duration, url(), url()).prop_map(
        |(kind, duration, asset_url, sound_url)| AnimationWish {
            kind: kind.map(Into::into),
            duration,
            asset_url,
            sound_url,
        },
    );
    let counts = (
        1..=1_000_000_u32,
        any::<u32>(),
        prop::option::of(1..u32::MAX),
    );
    (
        id(),
        label(),
        counts,
        amount(),
        sender,
        animation,
        any::<bool>(),
        time(),
    )
        .prop_map(
            |(
                id,
                gift_type,
                (quantity, combo_count, rank),
                total_value,
                sender,
                animation,
                is_streak,
                sent,
            )| Gift {
                id,
                gift_type: gift_type.into(),
                quantity,
                total_value,
                sender,
                animation,
                is_streak,
                combo_count,
                rank,
                sent_at: Some(sent),
            },
        )
}

fn peer_error() -> impl Strategy<Value = PeerError> {
    let retry_after = prop::option::of((0..300_000_u64).prop_map(Duration::from_millis));
    (label(), name(), any::<bool>(), retry_after).prop_map(
        |(code, message, retryable, retry_after)| PeerError {
            code,
            message,
            retryable,
            retry_after,
        },
    )
}

fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        Just(Control::Pause),
        Just(Control::Resume),
        Just(Control::Skip),
        Just(Control::Clear),
        Just(Control::Replay),
        id().prop_map(Control::Dismiss),
        id().prop_map(Control::ReplayOf),
        (label(), 1..=1_000_u32).prop_map(|(gift_type, messages)| Control::TestStreak {
            gift_type: gift_type.into(),
            messages
        }),
        id().prop_map(Control::Hold),
        id().prop_map(Control::Release),
        any::<bool>().prop_map(Control::Mute),
        any::<bool>().prop_map(Control::DoNotDisturb),
        (0..=64_u8).prop_map(|n| Control::Volume(f32::from(n) / 64.0)),
        (label(), 1..=1_000_000_u32).prop_map(|(gift_type, quantity)| Control::Test {
            gift_type: gift_type.into(),
            quantity
        }),
    ]
}

fn telemetry() -> impl Strategy<Value = Telemetry> {
    let millis = || (0..10_000_000_u64).prop_map(Duration::from_millis);
    let spread = move || (millis(), millis()).prop_map(|(p50, p95)| Spread { p50, p95 });
    let waiting = (
        id(),
        label(),
        name(),
        1..1_000_u32,
        any::<u32>(),
        any::<bool>(),
        millis(),
    );
    let waiting = waiting.prop_map(
        |(gift, gift_type, sender, people, quantity, is_held, waited)| WaitingGift {
            gift,
            gift_type: gift_type.into(),
            sender: Private(sender.into()),
            people,
            quantity: quantity.into(),
            is_held,
            waited,
        },
    );
    let counts = || prop::array::uniform9(any::<u32>().prop_map(u64::from));
    let waiting = prop::collection::vec(waiting, 0..=limits::MAX_WAITING_TOLD);
    let switches = prop::array::uniform3(any::<bool>());
    (
        spread(),
        spread(),
        amount(),
        counts(),
        waiting,
        switches,
        0..=64_u8,
        prop::option::of(goal()),
    )
        .prop_map(
            |(frame_time, wait_time, fps, counts, first_waiting, switches, volume, goal)| {
                let [
                    headline,
                    feature,
                    ambient,
                    played,
                    joined_streak,
                    joined_bundle,
                    refused,
                    failed,
                    dismissed,
                ] = counts;
                let [is_paused, is_quiet, is_muted] = switches;
                Telemetry {
                    frame_time,
                    fps,
                    lanes: LaneCounts {
                        headline,
                        feature,
                        ambient,
                    },
                    wait_time,
                    waiting: first_waiting.len() as u64,
                    first_waiting,
                    outcomes: OutcomeCounts {
                        played,
                        joined_streak,
                        joined_bundle,
                        refused,
                        failed,
                        dismissed,
                    },
                    is_paused,
                    is_quiet,
                    is_muted,
                    volume: f32::from(volume) / 64.0,
                    goal_waiting: f64::from(volume),
                    goal,
                }
            },
        )
}

fn goal() -> impl Strategy<Value = Goal> {
    (label(), 1..1_000_000_u32, amount(), name()).prop_map(
        |(kind, target, current, description)| Goal {
            kind,
            target: target.into(),
            current,
            description,
        },
    )
}

fn status() -> impl Strategy<Value = StreamStatus> {
    (
        any::<bool>(),
        any::<u32>(),
        prop::option::of(time()),
        prop::option::of(goal()),
    )
        .prop_map(|(is_live, viewer_count, started_at, goal)| StreamStatus {
            is_live,
            viewer_count: viewer_count.into(),
            started_at,
            goal,
        })
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let ack = (id(), time(), 1_000..=120_000_u64, 1..10_000_u32, labels()).prop_map(
        |(session_id, time, interval, centi_rate, features)| ConnectionAck {
            session_id,
            server_time: Some(time),
            config: SessionConfig {
                ping_interval: Duration::from_millis(interval),
                max_gifts_per_second: f64::from(centi_rate) / 100.0,
                features,
            },
        },
    );
    let ping = (any::<u64>(), time()).prop_map(|(sequence, time)| Ping {
        sequence,
        sent_at: Some(time),
    });
    prop_oneof![
        gift().prop_map(ServerMessage::Gift),
        ack.prop_map(ServerMessage::Ack),
        ping.prop_map(ServerMessage::Ping),
        status().prop_map(ServerMessage::Status),
        peer_error().prop_map(ServerMessage::Error),
        control().prop_map(ServerMessage::Control),
        label().prop_map(|label| ServerMessage::Unknown(format!("x-{label}-unknown").into())),
    ]
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    let role = prop_oneof![Just(ClientType::Host), Just(ClientType::Viewer)];
    let init = (id(), id(), role, labels(), label()).prop_map(
        |(client_id, stream_id, client_type, capabilities, version)| ConnectionInit {
            client_id,
            stream_id,
            client_type,
            capabilities,
            version,
        },
    );
    let pong = (any::<u64>(), time(), amount(), amount(), any::<u32>()).prop_map(
        |(sequence, at, latency_ms, memory_mb, queue_size)| Pong {
            sequence,
            at,
            latency_ms,
            memory_mb,
            queue_size: queue_size.into(),
        },
    );
    let ack = (id(), time(), any::<bool>(), prop::option::of(label())).prop_map(
        |(gift_id, received_at, rendered, error)| GiftAck {
            gift_id,
            received_at,
            rendered,
            error,
        },
    );
    prop_oneof![
        init.prop_map(ClientMessage::Init),
        pong.prop_map(ClientMessage::Pong),
        ack.prop_map(ClientMessage::GiftAck),
        telemetry().prop_map(|telemetry| ClientMessage::Telemetry(Box::new(telemetry))),
        peer_error().prop_map(ClientMessage::Error),
        label().prop_map(|label| ClientMessage::Unknown(format!("x-{label}-unknown").into())),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        digest(&bytes);
    }

    #[test]
    fn damaged_messages_never_panic(
        example in prop::sample::select(EXAMPLES.to_vec()),
        edits in prop::collection::vec(edit(), 1..8),
    ) {
        let mut bytes = example.as_bytes().to_vec();
        for edit in &edits {
            apply(&mut bytes, edit);
            digest(&bytes);
        }
    }

    #[test]
    fn what_a_backend_writes_a_renderer_reads(message in server_message(), now in time()) {
        let text = encode_server(&message, now);
        prop_assert_eq!(decode_server(text.as_bytes()), Ok(message));
    }

    #[test]
    fn what_a_renderer_writes_a_backend_reads(message in client_message(), now in time()) {
        let text = encode_client(&message, now);
        prop_assert_eq!(decode_client(text.as_bytes()), Ok(message));
    }

    #[test]
    fn any_name_comes_out_bounded_and_without_what_is_forbidden(name in ".{0,300}", max in 1..100_usize) {
        let clean = clean_text(&name, max);
        prop_assert!(clean.graphemes(true).count() <= max);
        prop_assert!(clean.graphemes(true).all(|g| g.chars().count() <= limits::MAX_GRAPHEME_CHARS + 1));
        let forbidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        prop_assert!(!clean.contains(forbidden));
        prop_assert_eq!(clean.trim(), &*clean);
    }
}
