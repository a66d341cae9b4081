//! Where the contract is silent or contradicts itself, and how we read it.

use std::time::Duration;

use hyperfocus::model::{Control, Gift, Telemetry, WallTime};
use hyperfocus::protocol::{
    ClientMessage, DecodeError, ServerMessage, decode_client, decode_server, encode_client,
};
use serde_json::{Value, json};

fn decoded(message: &Value) -> Result<ServerMessage, DecodeError> {
    decode_server(message.to_string().as_bytes())
}

fn message(message_type: &str, payload: &Value) -> Value {
    json!({"type": message_type, "payload": payload})
}

/// The contract's example with the value at `path` replaced, or taken out.
fn gift_with(path: &str, value: Option<Value>) -> Result<ServerMessage, DecodeError> {
    let mut example: Value =
        serde_json::from_str(include_str!("../data/contract/gift-received.json")).unwrap();
    let (parent, key) = path.rsplit_once('/').unwrap();
    let parent = example
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    match value {
        Some(value) => parent.insert(key.to_owned(), value),
        None => parent.remove(key),
    };
    decoded(&example)
}

fn gift(result: Result<ServerMessage, DecodeError>) -> Gift {
    match result {
        Ok(ServerMessage::Gift(gift)) => gift,
        other => panic!("expected a gift, got {other:?}"),
    }
}

fn place(result: Result<ServerMessage, DecodeError>) -> String {
    match result {
        Err(DecodeError::Malformed { path, .. }) => path,
        other => panic!("expected a malformed message, got {other:?}"),
    }
}

#[test]
fn a_missing_version_is_1_0_0_and_any_1_x_is_accepted() {
    for version in [
        json!(null),
        json!(""),
        json!("1.0.0"),
        json!("1.7.3"),
        json!("1"),
    ] {
        let ping =
            json!({"type": "heartbeat:ping", "payload": {"sequence": 1}, "version": version});
        assert!(decoded(&ping).is_ok(), "{version}");
    }
}

#[test]
fn another_major_version_is_refused_whatever_the_payload_looks_like() {
    for version in ["2.0.0", "0.9.0", "10.0.0", "next"] {
        let strange = json!({"type": "gift:received", "payload": [1, 2], "version": version});
        match decoded(&strange) {
            Err(error @ DecodeError::UnsupportedVersion { .. }) => {
                assert_eq!(error.code(), "UNSUPPORTED_VERSION");
                assert!(!error.to_peer_error().retryable);
            }
            other => panic!("{version}: {other:?}"),
        }
    }
}

#[test]
fn the_order_of_the_envelope_does_not_matter() {
    let forward = r#"{"type":"heartbeat:ping","payload":{"sequence":5}}"#;
    let backward = r#"{"payload":{"sequence":5},"type":"heartbeat:ping"}"#;
    assert_eq!(
        decode_server(forward.as_bytes()),
        decode_server(backward.as_bytes())
    );
    let wrong = "{ \"payload\": {\n\"sequence\": \"five\"}, \"type\": \"heartbeat:ping\"}";
    assert_eq!(place(decode_server(wrong.as_bytes())), "payload.sequence");
}

#[test]
fn unknown_types_and_the_other_sides_types_are_counted_not_refused() {
    for name in [
        "gift:exploded",
        "connection:init",
        "gift:ack",
        "x-telemetry",
    ] {
        let unknown = message(name, &json!([1, {"a": 2}]));
        assert_eq!(decoded(&unknown), Ok(ServerMessage::Unknown(name.into())));
    }
    let gift = include_bytes!("../data/contract/gift-received.json");
    assert_eq!(
        decode_client(gift),
        Ok(ClientMessage::Unknown("gift:received".into()))
    );
}

#[test]
fn unknown_fields_are_ignored_everywhere() {
    let plain = gift(gift_with("/payload/quantity", Some(json!(5))));
    for path in [
        "/future",
        "/payload/future",
        "/payload/sender/future",
        "/payload/metadata/future",
    ] {
        assert_eq!(
            gift(gift_with(path, Some(json!({"deep": [1, null]})))),
            plain
        );
    }
}

#[test]
fn a_gift_is_not_lost_for_a_missing_optional_field() {
    for path in [
        "/timestamp",
        "/payload/quantity",
        "/payload/totalValue",
        "/payload/sender",
        "/payload/sender/userId",
        "/payload/sender/username",
        "/payload/sender/isSubscriber",
        "/payload/animation",
        "/payload/animation/duration",
        "/payload/metadata",
        "/payload/metadata/isStreak",
        "/payload/metadata/timestamp",
    ] {
        let missing = gift(gift_with(path, None));
        assert_eq!(gift(gift_with(path, Some(Value::Null))), missing, "{path}");
    }
    let bare = gift(decoded(&message(
        "gift:received",
        &json!({"giftId": "g", "giftType": "rose"}),
    )));
    assert_eq!(
        (bare.quantity, bare.total_value, bare.combo_count),
        (1, 0.0, 0)
    );
    assert_eq!(bare.sender.name.0.as_ref(), "");
}

#[test]
fn a_gift_needs_an_id_and_a_type() {
    for path in ["/payload/giftId", "/payload/giftType"] {
        let expected = path[1..].replace('/', ".");
        for value in [None, Some(json!(null)), Some(json!(""))] {
            assert_eq!(place(gift_with(path, value)), expected);
        }
    }
    assert_eq!(
        place(decoded(&json!({"type": "gift:received"}))),
        "payload.giftId"
    );
}

#[test]
fn null_empty_and_missing_strings_are_none() {
    for value in [None, Some(json!(null)), Some(json!(""))] {
        let gift = gift(gift_with("/payload/animation/assetUrl", value.clone()));
        assert_eq!(gift.animation.asset_url, None);
        let gift = self::gift(gift_with("/payload/animation/type", value.clone()));
        assert_eq!(gift.animation.kind, None);
        let gift = self::gift(gift_with("/payload/sender/avatar", value));
        assert_eq!(gift.sender.avatar_url, None);
    }
}

#[test]
fn quantity_is_floored_and_clamped() {
    for (sent, read) in [
        (json!(1), 1),
        (json!(2.9), 2),
        (json!(5.0), 5),
        (json!(1_000_000), 1_000_000),
        (json!(1_000_001), 1_000_000),
        (json!(1e300), 1_000_000),
    ] {
        assert_eq!(
            gift(gift_with("/payload/quantity", Some(sent))).quantity,
            read
        );
    }
}

#[test]
fn a_quantity_of_0_or_less_names_the_gift_so_that_it_can_be_acked() {
    for (sent, read) in [
        (json!(0), 0),
        (json!(0.5), 0),
        (json!(-3), -3),
        (json!(-0.1), -1),
        (json!(-1e300), i64::MIN),
    ] {
        match gift_with("/payload/quantity", Some(sent)) {
            Err(error @ DecodeError::InvalidGift { .. }) => {
                assert_eq!(error.code(), "INVALID_GIFT");
                let DecodeError::InvalidGift {
                    gift_id,
                    combo_count,
                    quantity,
                    ..
                } = error
                else {
                    unreachable!()
                };
                assert_eq!(
                    (gift_id.as_ref(), combo_count, quantity),
                    ("gift-0001", 15, read)
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn total_value_is_never_below_0_and_never_multiplied() {
    assert_eq!(
        gift(gift_with("/payload/totalValue", Some(json!(49.95)))).total_value,
        49.95
    );
    assert_eq!(
        gift(gift_with("/payload/totalValue", Some(json!(-1)))).total_value,
        0.0
    );
}

#[test]
fn combo_count_and_rank_below_1_mean_unknown() {
    for sent in [json!(0), json!(-7), json!(null)] {
        assert_eq!(
            gift(gift_with("/payload/metadata/rank", Some(sent.clone()))).rank,
            None
        );
        assert_eq!(
            gift(gift_with("/payload/metadata/comboCount", Some(sent))).combo_count,
            0
        );
    }
    let large = gift(gift_with("/payload/metadata/comboCount", Some(json!(1e12))));
    assert_eq!(large.combo_count, u32::MAX);
}

#[test]
fn duration_is_clamped_and_absent_at_0() {
    for (sent, read) in [
        (json!(0), None),
        (json!(-5), None),
        (json!(1), Some(Duration::from_millis(100))),
        (json!(1500.5), Some(Duration::from_micros(1_500_500))),
        (json!(9e9), Some(Duration::from_secs(60))),
    ] {
        let gift = gift(gift_with("/payload/animation/duration", Some(sent)));
        assert_eq!(gift.animation.duration, read);
    }
}

#[test]
fn numbers_that_json_cannot_hold_are_malformed() {
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "0x10",
        "01",
    ] {
        let text = format!(
            r#"{{"type":"gift:received","payload":{{"giftId":"g","giftType":"rose","totalValue":{number}}}}}"#
        );
        assert_eq!(
            place(decode_server(text.as_bytes())),
            "payload.totalValue",
            "{number}"
        );
    }
}

#[test]
fn timestamps_are_read_generously() {
    let expected: WallTime = "2025-10-28T23:59:58.5Z".parse().unwrap();
    for text in [
        "2025-10-28T23:59:58.5Z",
        "2025-10-29T01:59:58.500000000+02:00",
        "2025-10-28T18:29:58.500-05:30",
        "2025-10-28T23:59:58.500",
        "2025-10-28 23:59:58.500",
    ] {
        let gift = gift(gift_with("/payload/metadata/timestamp", Some(json!(text))));
        assert_eq!(gift.sent_at, Some(expected), "{text}");
    }
}

#[test]
fn a_gift_is_never_dropped_for_its_timestamp() {
    for stamp in [
        json!("yesterday"),
        json!(1_761_695_999),
        json!(1.5),
        json!(-1),
        json!(true),
        json!({"a": [1]}),
        json!([[]]),
        json!("9".repeat(5000)),
    ] {
        let gift = gift(gift_with(
            "/payload/metadata/timestamp",
            Some(stamp.clone()),
        ));
        assert_eq!(gift.sent_at, None);
        assert!(gift_with("/timestamp", Some(stamp)).is_ok());
    }
}

#[test]
fn we_emit_utc_milliseconds_with_z() {
    let now: WallTime = "2025-10-29T01:59:59.9994+02:00".parse().unwrap();
    let sent = encode_client(&ClientMessage::Unknown("x".into()), now);
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["timestamp"], "2025-10-28T23:59:59.999Z");
    assert_eq!(sent["version"], "1.0.0");
}

#[test]
fn wrong_types_are_malformed_and_the_path_says_where() {
    for (path, value) in [
        ("/payload/giftId", json!(7)),
        ("/payload/giftType", json!({})),
        ("/payload/quantity", json!("5")),
        ("/payload/totalValue", json!([1])),
        ("/payload/sender", json!("Zoë")),
        ("/payload/sender/username", json!(12)),
        ("/payload/sender/isSubscriber", json!("yes")),
        ("/payload/animation", json!(["particle", 3000])),
        ("/payload/animation/duration", json!("3s")),
        ("/payload/metadata/comboCount", json!(true)),
        ("/payload", json!("gift")),
        ("/type", json!(1)),
        ("/version", json!(1)),
    ] {
        assert_eq!(
            place(gift_with(path, Some(value))),
            path[1..].replace('/', ".")
        );
    }
    let features = json!({"config": {"features": ["a", 5]}});
    assert_eq!(
        place(decoded(&message("connection:ack", &features))),
        "payload.config.features[1]"
    );
}

#[test]
fn an_error_text_repeats_no_value_and_no_foreign_key() {
    let text = r#"{"type":"gift:received","payload":{"Alice secret":[{"Bob":1},{"Bob":}]}}"#;
    let error = decode_server(text.as_bytes()).unwrap_err();
    assert_eq!(place(Err(error.clone())), "payload.*[1].*");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("Alice") && !text.contains("Bob"), "{text}");
    }
    let error = gift_with(
        "/payload/sender/isModerator",
        Some(json!("Alice, expected Bob")),
    )
    .unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("Alice") && !text.contains("Bob"), "{text}");
    assert!(text.contains("expected a boolean"), "{text}");
}

#[test]
fn the_same_key_twice_is_malformed() {
    for text in [
        r#"{"type":"heartbeat:ping","type":"heartbeat:ping","payload":{}}"#,
        r#"{"type":"heartbeat:ping","payload":{"sequence":1},"payload":{"sequence":2}}"#,
        r#"{"type":"heartbeat:ping","payload":{"sequence":1,"sequence":2}}"#,
    ] {
        let error = decode_server(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "MALFORMED");
        assert!(error.to_string().contains("twice"), "{error}");
    }
    // Of a field that we do not read, both are ignored.
    let unread = r#"{"type":"heartbeat:ping","payload":{"a":1,"a":2,"sequence":3}}"#;
    assert!(decode_server(unread.as_bytes()).is_ok());
}

#[test]
fn a_byte_order_mark_is_passed_over_and_trailing_text_is_not() {
    let ping = r#"{"type":"heartbeat:ping","payload":{"sequence":1}}"#;
    let marked = format!("\u{feff}{ping}\r\n");
    assert_eq!(
        decode_server(marked.as_bytes()),
        decode_server(ping.as_bytes())
    );
    let trailing = format!("{ping}{ping}");
    assert_eq!(
        decode_server(trailing.as_bytes()).unwrap_err().code(),
        "MALFORMED"
    );
}

#[test]
fn a_name_cut_inside_an_emoji_is_still_a_gift() {
    let text = r#"{"type":"gift:received","payload":{"giftId":"g","giftType":"rose","sender":{"username":"Zo\u00eb \ud83d"}}}"#;
    assert_eq!(
        gift(decode_server(text.as_bytes())).sender.name.0.as_ref(),
        "Zoë \u{fffd}"
    );
    let whole = text.replace(r"\ud83d", r"\ud83c\udf39 \udf39 \\ud83d");
    assert_eq!(
        gift(decode_server(whole.as_bytes())).sender.name.0.as_ref(),
        "Zoë 🌹 \u{fffd} \\ud83d"
    );
}

#[test]
fn an_ack_without_config_grants_the_defaults() {
    for ack in [
        json!({"type": "connection:ack"}),
        message("connection:ack", &json!({"config": null})),
    ] {
        let Ok(ServerMessage::Ack(ack)) = decoded(&ack) else {
            panic!("expected an ack");
        };
        assert_eq!(ack.config, hyperfocus::model::SessionConfig::default());
    }
}

#[test]
fn the_ping_interval_is_clamped_to_1_to_120_seconds() {
    for (sent, seconds) in [
        (json!(null), 30),
        (json!(0), 30),
        (json!(-1), 30),
        (json!(1), 1),
        (json!(45_000), 45),
        (json!(1e12), 120),
    ] {
        let ack = message(
            "connection:ack",
            &json!({"config": {"pingInterval": sent, "maxGiftsPerSecond": sent}}),
        );
        let Ok(ServerMessage::Ack(ack)) = decoded(&ack) else {
            panic!("expected an ack");
        };
        assert_eq!(ack.config.ping_interval, Duration::from_secs(seconds));
        assert!(ack.config.max_gifts_per_second > 0.0);
    }
}

#[test]
fn a_sequence_is_read_unrounded_or_not_at_all() {
    for (sent, read) in [
        (json!(u64::MAX), u64::MAX),
        (json!(3.0), 3),
        (json!(null), 0),
    ] {
        let Ok(ServerMessage::Ping(ping)) =
            decoded(&message("heartbeat:ping", &json!({"sequence": sent})))
        else {
            panic!("expected a ping");
        };
        assert_eq!(ping.sequence, read);
    }
    for sent in [json!(-1), json!(1.5), json!(1e19), json!(1e300), json!("1")] {
        let ping = message("heartbeat:ping", &json!({"sequence": sent}));
        assert_eq!(place(decoded(&ping)), "payload.sequence");
    }
}

#[test]
fn retry_after_is_clamped_to_5_minutes() {
    for (sent, read) in [
        (json!(null), None),
        (json!(-1), Some(0)),
        (json!(0), Some(0)),
        (json!(1500), Some(1500)),
        (json!(1e99), Some(300_000)),
    ] {
        let error = message(
            "error",
            &json!({"code": "X", "retryable": true, "retryAfter": sent}),
        );
        let Ok(ServerMessage::Error(error)) = decoded(&error) else {
            panic!("expected an error");
        };
        assert_eq!(error.retry_after, read.map(Duration::from_millis));
    }
}

#[test]
fn a_refused_error_message_says_that_it_must_not_be_answered() {
    let bad = message("error", &json!({"code": 5}));
    assert!(decoded(&bad).unwrap_err().is_about_an_error());
    let filler = "x".repeat(70_000);
    let large = format!(r#"{{"type":"error","payload":{{"message":"{filler}"}}}}"#);
    let error = decode_server(large.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "TOO_LARGE");
    assert!(error.is_about_an_error());
    assert!(
        !decoded(&message("stream:status", &json!({})))
            .unwrap_err()
            .is_about_an_error()
    );
}

#[test]
fn a_goal_without_a_target_is_no_goal() {
    for (target, is_goal) in [
        (json!(100), true),
        (json!(0), false),
        (json!(-1), false),
        (json!(null), false),
    ] {
        let status = message(
            "stream:status",
            &json!({"isLive": true, "currentGoal": {"type": "gifts", "target": target}}),
        );
        let Ok(ServerMessage::Status(status)) = decoded(&status) else {
            panic!("expected a status");
        };
        assert_eq!(status.goal.is_some(), is_goal);
    }
}

#[test]
fn an_unknown_action_is_unknown_and_a_half_told_one_malformed() {
    let unknown = message("x-control", &json!({"action": "explode"}));
    assert_eq!(
        decoded(&unknown),
        Ok(ServerMessage::Unknown("x-control/explode".into()))
    );
    for (payload, path) in [
        (json!({}), "payload.action"),
        (json!({"action": "hold"}), "payload.giftId"),
        (json!({"action": "mute"}), "payload.on"),
        (json!({"action": "volume"}), "payload.level"),
        (json!({"action": "test"}), "payload.giftType"),
        (json!({"action": "test", "streak": 3}), "payload.giftType"),
        (
            json!({"action": "skip", "giftId": "a\nb"}),
            "payload.giftId",
        ),
        (json!({"action": "replay", "giftId": 7}), "payload.giftId"),
    ] {
        assert_eq!(place(decoded(&message("x-control", &payload))), path);
    }
    let loud = message("x-control", &json!({"action": "volume", "level": 7}));
    assert_eq!(
        decoded(&loud),
        Ok(ServerMessage::Control(Control::Volume(1.0)))
    );
}

#[test]
fn a_pong_or_ack_without_a_readable_time_takes_the_envelopes() {
    let text = r#"{"type":"gift:ack","payload":{"giftId":"g","rendered":true,"receivedAt":5},"timestamp":"2025-10-28T23:59:59.999Z"}"#;
    let Ok(ClientMessage::GiftAck(ack)) = decode_client(text.as_bytes()) else {
        panic!("expected an ack");
    };
    assert_eq!(ack.received_at, "2025-10-28T23:59:59.999Z".parse().unwrap());
}

#[test]
fn a_test_streak_is_as_long_as_it_says_up_to_a_thousand() {
    let streak = |length: Value| {
        let payload = json!({"action": "test", "giftType": "rose", "streak": length});
        match decoded(&message("x-control", &payload)) {
            Ok(ServerMessage::Control(Control::TestStreak { messages, .. })) => messages,
            Ok(ServerMessage::Control(Control::Test { .. })) => 0,
            other => panic!("not a test: {other:?}"),
        }
    };
    let lengths = [json!(1), json!(2.9), json!(1e9), json!(0), json!(null)];
    assert_eq!(lengths.map(streak), [1, 2, 1_000, 0, 0]);
}

#[test]
fn telemetry_says_nothing_by_saying_nothing_and_is_clamped_and_cleaned() {
    let read = |payload: &Value| {
        let text = message("x-telemetry", payload).to_string();
        match decode_client(text.as_bytes()) {
            Ok(ClientMessage::Telemetry(telemetry)) => *telemetry,
            other => panic!("not telemetry: {other:?}"),
        }
    };
    assert_eq!(read(&json!({})), Telemetry::default());
    assert_eq!(
        read(&json!({ "lanes": null, "waiting": null })),
        Telemetry::default()
    );
    let strange = read(&json!({
        "frameTime": { "p50": -3, "p95": 1e300 },
        "fps": -60,
        "lanes": { "headline": 1.7, "ambient": -2 },
        "volume": 9,
        "waiting": { "gifts": [{ "giftId": "g", "sender": "a\u{202e}b\u{0}", "quantity": 1e30 }] },
    }));
    assert_eq!(strange.frame_time.p50, Duration::ZERO);
    assert_eq!((strange.fps, strange.volume), (0.0, 1.0));
    assert_eq!((strange.lanes.headline, strange.lanes.ambient), (1, 0));
    let gift = &strange.first_waiting[0];
    assert_eq!(
        (&*gift.sender.0, gift.quantity, gift.people),
        ("ab", u64::MAX, 1)
    );
    for (payload, path) in [
        (
            json!({"waiting": {"gifts": [{}]}}),
            "payload.waiting.gifts.giftId",
        ),
        (json!({"waiting": {"gifts": 3}}), "payload.waiting.gifts"),
        (json!({"fps": "fast"}), "payload.fps"),
        (json!({"lanes": {"feature": true}}), "payload.lanes.feature"),
    ] {
        let refused = decode_client(message("x-telemetry", &payload).to_string().as_bytes());
        let Err(DecodeError::Malformed { path: found, .. }) = refused else {
            panic!("not refused: {refused:?}");
        };
        assert_eq!(found, path);
    }
    // A server does not say it.
    let from_server = decode_server(message("x-telemetry", &json!({})).to_string().as_bytes());
    assert_eq!(
        from_server,
        Ok(ServerMessage::Unknown("x-telemetry".into()))
    );
}
