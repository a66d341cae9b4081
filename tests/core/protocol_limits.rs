//! Every bound of the protocol, from both sides of it.

use std::time::Duration;

use hyperfocus::model::{Gift, Private, Telemetry, WaitingGift, WallTime};
use hyperfocus::protocol::{
    ClientMessage, DecodeError, GiftAck, PeerError, ServerMessage, clean_text, decode_client,
    decode_server, encode_client, limits,
};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

fn with_filler(bytes: usize) -> String {
    let frame =
        |filler: &str| format!(r#"{{"type":"heartbeat:ping","filler":"{filler}","payload":{{}}}}"#);
    let empty = frame("").len();
    frame(&"x".repeat(bytes - empty))
}

fn gift_of(payload: &Value) -> Result<Gift, DecodeError> {
    let mut whole = json!({"giftId": "g", "giftType": "rose"});
    whole
        .as_object_mut()
        .unwrap()
        .extend(payload.as_object().unwrap().clone());
    let text = json!({"type": "gift:received", "payload": whole}).to_string();
    match decode_server(text.as_bytes())? {
        ServerMessage::Gift(gift) => Ok(gift),
        other => panic!("expected a gift, got {other:?}"),
    }
}

fn name_of(name: &str) -> String {
    let gift = gift_of(&json!({"sender": {"username": name}})).unwrap();
    gift.sender.name.0.to_string()
}

#[test]
fn a_message_of_64_kib_is_read_and_one_byte_more_refused() {
    assert!(decode_server(with_filler(65_536).as_bytes()).is_ok());
    let error = decode_server(with_filler(65_537).as_bytes()).unwrap_err();
    assert_eq!(error.code(), "TOO_LARGE");
    assert!(error.to_string().contains("65537"), "{error}");
}

#[test]
fn nesting_of_32_is_read_and_33_refused() {
    let nested = |levels: usize| {
        let arrays = levels - 1;
        format!(
            r#"{{"x":{}"[[["{},"type":"heartbeat:ping"}}"#,
            "[".repeat(arrays),
            "]".repeat(arrays)
        )
    };
    assert!(decode_server(nested(32).as_bytes()).is_ok());
    let error = decode_server(nested(33).as_bytes()).unwrap_err();
    assert_eq!(error.code(), "MALFORMED");
    assert!(error.to_string().contains("32"), "{error}");
}

#[test]
fn brackets_in_strings_and_in_breadth_are_not_depth() {
    let text = format!(
        r#"{{"type":"heartbeat:ping","a":"\"{}","b":[{}[]]}}"#,
        "[".repeat(1000),
        "[],".repeat(1000)
    );
    assert!(decode_server(text.as_bytes()).is_ok());
}

#[test]
fn a_depth_bomb_is_refused_where_it_becomes_one() {
    for bomb in [
        "[".repeat(60_000),
        r#"{"a":"#.repeat(12_000),
        format!(r#"{{"type":"error","payload":{}"#, "[".repeat(60_000)),
    ] {
        match decode_server(bomb.as_bytes()) {
            // Not at the end of the bomb: the rest of it was never looked at.
            Err(DecodeError::Malformed {
                offset: Some(at), ..
            }) => assert!(at < 250, "{at}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ids_have_at_most_128_bytes_and_no_control_characters() {
    assert!(gift_of(&json!({"giftId": "é".repeat(64)})).is_ok());
    for (payload, path) in [
        (json!({"giftId": "x".repeat(129)}), "payload.giftId"),
        (json!({"giftId": "a\nb"}), "payload.giftId"),
        (
            json!({"sender": {"userId": "x".repeat(129)}}),
            "payload.sender.userId",
        ),
    ] {
        match gift_of(&payload) {
            Err(DecodeError::Malformed { path: found, .. }) => assert_eq!(found, path),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_long_gift_type_is_cut_and_still_played() {
    let gift = gift_of(&json!({"giftType": "é".repeat(100)})).unwrap();
    assert_eq!(gift.gift_type.as_ref(), "é".repeat(64));
}

#[test]
fn only_web_addresses_of_sensible_length_are_kept() {
    let kept = |url: &str| {
        gift_of(&json!({"sender": {"avatar": url}}))
            .unwrap()
            .sender
            .avatar_url
            .is_some()
    };
    let base = "https://example.com/";
    assert!(kept(base));
    assert!(kept("HTTP://example.com/a"));
    assert!(kept(&format!("{base}{}", "a".repeat(2048 - base.len()))));
    assert!(!kept(&format!("{base}{}", "a".repeat(2049 - base.len()))));
    for url in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "//example.com",
        "https://",
        "https://a b",
        "https://a\nb",
    ] {
        assert!(!kept(url), "{url}");
    }
}

#[test]
fn names_are_cut_to_64_graphemes_not_bytes() {
    assert_eq!(name_of(&"a".repeat(65)), "a".repeat(64));
    let family = "👨🏿‍👩🏽‍👧🏻‍👦🏼";
    assert_eq!(name_of(&family.repeat(65)), family.repeat(64));
}

#[test]
fn legitimate_scripts_and_emoji_stay_whole() {
    for name in [
        "Zoë Müller-Łęcka",
        "Nguye\u{302}\u{303}n",
        "مُحَمَّدٌ",
        "שָׁל֣וֹם",
        "ที่นี่น้ำ",
        "क्षत्रिय श्री",
        "می\u{200c}خواهم",
        "山田 太郎 さくら 김철수",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿🇩🇪👩‍❤️‍💋‍👨❤️🏳️‍🌈👍🏽1️⃣",
        "ᄒ\u{1161}\u{11ab}",
        "བསྒྲུབས",
    ] {
        assert_eq!(name_of(name), name);
    }
}

#[test]
fn what_reorders_or_hides_text_is_stripped() {
    assert_eq!(
        name_of("a\u{202e}b\u{202d}c\u{2066}d\u{2069}e\u{202c}"),
        "abcde"
    );
    assert_eq!(name_of("a\0b\u{1b}[31mc\u{7f}d\u{9b}e"), "ab[31mcde");
    assert_eq!(
        name_of("a\u{200b}\u{feff}\u{2060}\u{ad}b\u{e000}\u{f8ff}\u{10fffd}c\u{fffe}"),
        "abc"
    );
    assert_eq!(
        name_of("  two \t\r\n words\u{2028}\u{3000}here  "),
        "two words here"
    );
}

#[test]
fn white_space_that_folds_to_the_same_length_is_still_folded() {
    assert_eq!(name_of("0\t"), "0");
    assert_eq!(name_of("a\tb"), "a b");
    assert_eq!(name_of("é\tb\n"), "é b");
}

#[test]
fn a_name_that_nobody_could_see_is_empty() {
    for name in [
        "",
        "   ",
        "\u{200d}\u{fe0f}",
        "\u{3164}\u{115f}",
        "\u{301}\u{302}",
        "\u{200e}\u{200f}",
        "\u{202e}",
        "\u{2800}",
    ] {
        assert_eq!(name_of(name), "", "{name:?}");
    }
}

#[test]
fn stacked_marks_are_capped_in_every_script() {
    for mark in [
        "\u{301}", "\u{489}", "\u{20dd}", "\u{e47}", "\u{64b}", "\u{5b8}", "\u{1ab0}",
    ] {
        for base in ["a", "ก", "ب", "א", "👍"] {
            let stacked = format!("{base}{}z", mark.repeat(50));
            assert_eq!(
                name_of(&stacked),
                format!("{base}{}z", mark.repeat(4)),
                "{mark:?}"
            );
        }
    }
    // Joiners and selectors between them do not start the count anew.
    let evading = format!("a{}", "\u{301}\u{200d}\u{fe0f}".repeat(30));
    assert_eq!(name_of(&evading).matches('\u{301}').count(), 4);
}

#[test]
fn one_endless_grapheme_is_bounded() {
    let chain = "👩\u{200d}".repeat(2000);
    assert_eq!(chain.graphemes(true).count(), 1);
    let cut = name_of(&chain);
    assert!(cut.chars().count() <= limits::MAX_GRAPHEME_CHARS);
    assert!(!cut.ends_with('\u{200d}'));
}

#[test]
fn clean_text_borrows_what_needs_no_cleaning() {
    for text in ["", "Alice", "Alice B. 42", "Zoë 🌹"] {
        assert!(matches!(clean_text(text, 64), std::borrow::Cow::Borrowed(same) if same == text));
    }
}

#[test]
fn at_most_32_features_are_kept_and_the_rest_may_be_anything() {
    let mut features: Vec<Value> = (0..32).map(|n| json!(format!("x-{n}"))).collect();
    features.extend([json!(5), json!({"a": []}), json!("x-late")]);
    features.insert(3, json!(""));
    let ack = json!({"type": "connection:ack", "payload": {"config": {"features": features}}});
    let Ok(ServerMessage::Ack(ack)) = decode_server(ack.to_string().as_bytes()) else {
        panic!("expected an ack");
    };
    assert_eq!(ack.config.features.len(), 32);
    assert_eq!(ack.config.features[31].as_ref(), "x-31");
}

#[test]
fn rates_and_values_are_clamped_to_what_can_be_summed_and_waited_for() {
    let rate_of = |rate: Value| {
        let payload = json!({"config": {"maxGiftsPerSecond": rate}});
        let ack = json!({"type": "connection:ack", "payload": payload}).to_string();
        match decode_server(ack.as_bytes()) {
            Ok(ServerMessage::Ack(ack)) => ack.config.max_gifts_per_second,
            other => panic!("expected an ack, got {other:?}"),
        }
    };
    assert_eq!(rate_of(json!(1e-300)), 0.01);
    assert_eq!(rate_of(json!(2.5)), 2.5);
    assert_eq!(rate_of(json!(1e300)), 1000.0);
    assert_eq!(rate_of(json!(-1)), 30.0);
    let gift = gift_of(&json!({"totalValue": 1e300})).unwrap();
    assert_eq!(gift.total_value, limits::MAX_VALUE);
}

#[test]
fn a_goals_description_is_cut_to_120_graphemes() {
    let status = json!({"type": "stream:status", "payload": {"isLive": true, "currentGoal": {"target": 1, "description": "é".repeat(500)}}});
    let Ok(ServerMessage::Status(status)) = decode_server(status.to_string().as_bytes()) else {
        panic!("expected a status");
    };
    assert_eq!(status.goal.unwrap().description.chars().count(), 120);
}

#[test]
fn outgoing_error_texts_are_one_bounded_line() {
    let endless = "no such file:\n\t".repeat(10_000);
    let ack = ClientMessage::GiftAck(GiftAck {
        gift_id: "g".into(),
        received_at: WallTime::UNIX_EPOCH,
        rendered: false,
        error: Some(endless.as_str().into()),
    });
    let error = ClientMessage::Error(PeerError {
        code: "MALFORMED".into(),
        message: endless.as_str().into(),
        retryable: false,
        retry_after: None,
    });
    for message in [ack, error] {
        let sent = encode_client(&message, WallTime::UNIX_EPOCH);
        assert!(sent.len() < 1000, "{}", sent.len());
        assert!(!sent.contains("\\n"), "{sent}");
    }
}

#[test]
fn every_refusal_says_something_that_fits_an_error_message() {
    for bytes in [
        &b"\xff\xfe"[..],
        b"",
        b"null",
        b"[]",
        b"{",
        b"{\"type\":\"heartbeat:ping\"",
        b"{}",
    ] {
        let error = decode_server(bytes).unwrap_err();
        assert_eq!(error.code(), "MALFORMED");
        let text = error.to_string();
        assert_eq!(clean_text(&text, limits::MAX_ERROR_GRAPHEMES), text);
    }
}

#[test]
fn of_many_waiting_gifts_the_first_hundred_are_told() {
    let gift = json!({ "giftId": "g" });
    let payload = json!({ "waiting": { "count": 300, "gifts": vec![gift; 300] } });
    let text = json!({ "type": "x-telemetry", "payload": payload }).to_string();
    let Ok(ClientMessage::Telemetry(read)) = decode_client(text.as_bytes()) else {
        panic!("not telemetry");
    };
    assert_eq!(
        (read.waiting, read.first_waiting.len()),
        (300, limits::MAX_WAITING_TOLD)
    );
}

#[test]
fn telemetry_always_fits_into_a_message_whatever_viewers_are_called() {
    let long = WaitingGift {
        gift: "\"".repeat(limits::MAX_ID_BYTES).into(),
        gift_type: "\\".repeat(limits::MAX_LABEL_BYTES).into(),
        sender: Private("👩‍❤️‍💋‍👨".repeat(limits::MAX_NAME_GRAPHEMES).into()),
        people: u32::MAX,
        quantity: u64::MAX,
        is_held: true,
        waited: Duration::MAX,
    };
    let short = WaitingGift {
        gift: "g".into(),
        sender: Private("Ada".into()),
        ..long.clone()
    };
    for (gift, fewest) in [(long, 10), (short, limits::MAX_WAITING_TOLD)] {
        let telemetry = Telemetry {
            waiting: 10_000,
            first_waiting: vec![gift; 200],
            ..Telemetry::default()
        };
        let message = ClientMessage::Telemetry(Box::new(telemetry));
        let text = encode_client(&message, WallTime::UNIX_EPOCH);
        assert!(text.len() <= limits::MAX_MESSAGE_BYTES, "{}", text.len());
        let Ok(ClientMessage::Telemetry(read)) = decode_client(text.as_bytes()) else {
            panic!("not telemetry");
        };
        assert!(
            read.first_waiting.len() >= fewest,
            "{}",
            read.first_waiting.len()
        );
        assert!(read.first_waiting.len() <= limits::MAX_WAITING_TOLD);
    }
}
