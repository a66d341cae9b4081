//! The contract's own examples, placeholders filled in, both ways.

use std::time::Duration;

use hyperfocus::model::{
    AnimationWish, Control, Gift, Goal, LaneCounts, OutcomeCounts, Private, Sender, SessionConfig,
    Spread, StreamStatus, Telemetry, WaitingGift, WallTime,
};
use hyperfocus::protocol::{
    ClientMessage, ClientType, ConnectionAck, ConnectionInit, GiftAck, PeerError, Ping, Pong,
    ServerMessage, decode_client, decode_server, encode_client, encode_server,
};
use serde_json::{Value, json};

fn at(text: &str) -> WallTime {
    text.parse().unwrap()
}

/// The timestamp of every example's envelope.
fn now() -> WallTime {
    at("2025-10-28T23:59:59.999Z")
}

/// The contract's examples leave `version` out, and we never do.
fn with_version(example: &str) -> Value {
    let mut value: Value = serde_json::from_str(example).unwrap();
    value["version"] = json!("1.0.0");
    value
}

fn server_goes_both_ways(example: &str, message: &ServerMessage) {
    assert_eq!(decode_server(example.as_bytes()).as_ref(), Ok(message));
    let mut expected = with_version(example);
    if expected["type"] == "error" {
        // Anything may stand there; we never read it and never send any.
        expected["payload"]["details"] = Value::Null;
    }
    let encoded: Value = serde_json::from_str(&encode_server(message, now())).unwrap();
    assert_eq!(encoded, expected);
}

fn client_goes_both_ways(example: &str, message: &ClientMessage) {
    assert_eq!(decode_client(example.as_bytes()).as_ref(), Ok(message));
    let encoded: Value = serde_json::from_str(&encode_client(message, now())).unwrap();
    assert_eq!(encoded, with_version(example));
}

#[test]
fn connection_init() {
    client_goes_both_ways(
        include_str!("../data/contract/connection-init.json"),
        &ClientMessage::Init(ConnectionInit {
            client_id: "6f9c2f5e-6a0b-4f0c-9f1e-0c6a1d3b7e21".into(),
            stream_id: "stream-42".into(),
            client_type: ClientType::Host,
            capabilities: vec!["webgl".into(), "webgpu".into(), "notifications".into()],
            version: "0.1.0".into(),
        }),
    );
}

#[test]
fn connection_ack() {
    server_goes_both_ways(
        include_str!("../data/contract/connection-ack.json"),
        &ServerMessage::Ack(ConnectionAck {
            session_id: "session-7".into(),
            server_time: Some(at("2025-10-28T23:59:59.998Z")),
            config: SessionConfig {
                ping_interval: Duration::from_secs(15),
                max_gifts_per_second: 12.5,
                features: vec!["x-control".into(), "x-ack-interim".into()],
            },
        }),
    );
}

#[test]
fn heartbeat_ping() {
    server_goes_both_ways(
        include_str!("../data/contract/heartbeat-ping.json"),
        &ServerMessage::Ping(Ping {
            sequence: 17,
            sent_at: Some(at("2025-10-28T23:59:59.998Z")),
        }),
    );
}

#[test]
fn heartbeat_pong() {
    client_goes_both_ways(
        include_str!("../data/contract/heartbeat-pong.json"),
        &ClientMessage::Pong(Pong {
            sequence: 17,
            at: at("2025-10-28T23:59:59.998Z"),
            latency_ms: 12.5,
            memory_mb: 340.0,
            queue_size: 3,
        }),
    );
}

#[test]
fn gift_received() {
    server_goes_both_ways(
        include_str!("../data/contract/gift-received.json"),
        &ServerMessage::Gift(Gift {
            id: "gift-0001".into(),
            gift_type: "rose".into(),
            quantity: 5,
            total_value: 49.95,
            sender: Sender {
                user_id: Private("user-9".into()),
                name: Private("Zoë 🌹".into()),
                avatar_url: Some(Private("https://cdn.example.com/avatars/9.png".into())),
                is_subscriber: true,
                is_moderator: false,
            },
            animation: AnimationWish {
                kind: Some("particle".into()),
                duration: Some(Duration::from_secs(3)),
                asset_url: Some(Private("https://cdn.example.com/gifts/rose.json".into())),
                sound_url: Some(Private("https://cdn.example.com/gifts/rose.ogg".into())),
            },
            is_streak: true,
            combo_count: 15,
            rank: Some(2),
            sent_at: Some(at("2025-10-28T23:59:58.5Z")),
        }),
    );
}

#[test]
fn gift_ack() {
    client_goes_both_ways(
        include_str!("../data/contract/gift-ack.json"),
        &ClientMessage::GiftAck(GiftAck {
            gift_id: "gift-0001".into(),
            received_at: at("2025-10-28T23:59:59.998Z"),
            rendered: true,
            error: None,
        }),
    );
    client_goes_both_ways(
        include_str!("../data/contract/gift-ack-failed.json"),
        &ClientMessage::GiftAck(GiftAck {
            gift_id: "gift-0002".into(),
            received_at: at("2025-10-28T23:59:59.998Z"),
            rendered: false,
            error: Some("OVERLOADED".into()),
        }),
    );
}

#[test]
fn stream_status() {
    server_goes_both_ways(
        include_str!("../data/contract/stream-status.json"),
        &ServerMessage::Status(StreamStatus {
            is_live: true,
            viewer_count: 1234,
            started_at: Some(at("2025-10-28T20:00:00Z")),
            goal: Some(Goal {
                kind: "gifts".into(),
                target: 500.0,
                current: 123.0,
                description: "500 roses and I sing".into(),
            }),
        }),
    );
    server_goes_both_ways(
        include_str!("../data/contract/stream-status-offline.json"),
        &ServerMessage::Status(StreamStatus::default()),
    );
}

#[test]
fn error_goes_in_both_directions() {
    let example = include_str!("../data/contract/error.json");
    let error = PeerError {
        code: "RATE_LIMIT".into(),
        message: "too many messages".into(),
        retryable: true,
        retry_after: Some(Duration::from_millis(1500)),
    };
    server_goes_both_ways(example, &ServerMessage::Error(error.clone()));
    assert_eq!(
        decode_client(example.as_bytes()),
        Ok(ClientMessage::Error(error.clone()))
    );
    let from_client = encode_client(&ClientMessage::Error(error.clone()), now());
    assert_eq!(
        from_client,
        encode_server(&ServerMessage::Error(error), now())
    );
}

#[test]
fn x_control_has_one_wire_form_per_action() {
    let forms = [
        (json!({"action": "pause"}), Control::Pause),
        (json!({"action": "resume"}), Control::Resume),
        (json!({"action": "skip"}), Control::Skip),
        (json!({"action": "clear"}), Control::Clear),
        (
            json!({"action": "hold", "giftId": "g-1"}),
            Control::Hold("g-1".into()),
        ),
        (
            json!({"action": "release", "giftId": "g-1"}),
            Control::Release("g-1".into()),
        ),
        (json!({"action": "mute", "on": true}), Control::Mute(true)),
        (
            json!({"action": "volume", "level": 0.25}),
            Control::Volume(0.25),
        ),
        (
            json!({"action": "skip", "giftId": "g-1"}),
            Control::Dismiss("g-1".into()),
        ),
        (json!({"action": "replay"}), Control::Replay),
        (
            json!({"action": "replay", "giftId": "g-1"}),
            Control::ReplayOf("g-1".into()),
        ),
        (
            json!({"action": "test", "giftType": "rose", "streak": 12}),
            Control::TestStreak {
                gift_type: "rose".into(),
                messages: 12,
            },
        ),
        (
            json!({"action": "test", "giftType": "rose", "quantity": 3}),
            Control::Test {
                gift_type: "rose".into(),
                quantity: 3,
            },
        ),
        (
            json!({"action": "do-not-disturb", "on": false}),
            Control::DoNotDisturb(false),
        ),
    ];
    for (payload, control) in forms {
        let example = json!({
            "type": "x-control",
            "payload": payload,
            "timestamp": "2025-10-28T23:59:59.999Z",
        });
        server_goes_both_ways(&example.to_string(), &ServerMessage::Control(control));
    }
}

#[test]
fn x_telemetry() {
    let example = json!({
        "type": "x-telemetry",
        "payload": {
            "frameTime": { "p50": 6.25, "p95": 11 },
            "fps": 59.5,
            "lanes": { "headline": 1, "feature": 2, "ambient": 7 },
            "waitTime": { "p50": 0.5, "p95": 12.25 },
            "waiting": {
                "count": 140,
                "gifts": [
                    {
                        "giftId": "g-1", "giftType": "rose", "sender": "Zoë 🌹", "people": 1,
                        "quantity": 5, "held": true, "waited": 3.5,
                    },
                    {
                        "giftId": "g-2", "giftType": "heart", "sender": "", "people": 31,
                        "quantity": 240, "held": false, "waited": 0,
                    },
                ],
            },
            "outcomes": {
                "played": 6, "joinedStreak": 5, "joinedBundle": 4, "refused": 3, "failed": 2,
                "dismissed": 1,
            },
            "paused": false,
            "doNotDisturb": true,
            "muted": false,
            "volume": 0.75,
            "goal": {
                "type": "gifts", "target": 500, "current": 321, "description": "A song",
            },
            "goalWaiting": 12,
        },
        "timestamp": "2025-10-28T23:59:59.999Z",
    });
    let millis = Duration::from_millis;
    let waiting = |gift: &str, gift_type: &str, sender: &str, people, quantity| WaitingGift {
        gift: gift.into(),
        gift_type: gift_type.into(),
        sender: Private(sender.into()),
        people,
        quantity,
        is_held: people == 1,
        waited: millis(if people == 1 { 3_500 } else { 0 }),
    };
    client_goes_both_ways(
        &example.to_string(),
        &ClientMessage::Telemetry(Box::new(Telemetry {
            frame_time: Spread {
                p50: Duration::from_micros(6_250),
                p95: millis(11),
            },
            fps: 59.5,
            lanes: LaneCounts {
                headline: 1,
                feature: 2,
                ambient: 7,
            },
            wait_time: Spread {
                p50: millis(500),
                p95: millis(12_250),
            },
            waiting: 140,
            first_waiting: vec![
                waiting("g-1", "rose", "Zoë 🌹", 1, 5),
                waiting("g-2", "heart", "", 31, 240),
            ],
            outcomes: OutcomeCounts {
                played: 6,
                joined_streak: 5,
                joined_bundle: 4,
                refused: 3,
                failed: 2,
                dismissed: 1,
            },
            is_paused: false,
            is_quiet: true,
            is_muted: false,
            volume: 0.75,
            goal: Some(Goal {
                kind: "gifts".into(),
                target: 500.0,
                current: 321.0,
                description: "A song".into(),
            }),
            goal_waiting: 12.0,
        })),
    );
}
