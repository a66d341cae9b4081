use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hyperfocus::relay::Role;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::guest::Guest;
use crate::house::{House, PATIENCE, now};

fn viewer(house: &House) -> Guest {
    Guest::join(house.address(), &house.token(Role::Viewer), "v", "viewer")
}

#[test]
fn who_is_silent_or_slow_is_closed_after_ten_seconds_and_holds_up_nobody() {
    let house = House::new();
    let token = house.token(Role::Viewer);
    let began = now();
    let mut silent = Guest::knock(house.address(), &token).ok().unwrap();
    let loris = |text: &str| {
        let mut stream = TcpStream::connect(house.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let mut head = loris("GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    let ingest = house.token(Role::Ingest);
    let mut body = loris(&format!(
        "POST /v1/streams/main/gifts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\
         Authorization: Bearer {ingest}\r\nContent-Type: application/json\r\n\r\n{{"
    ));
    let mut idle = loris("");
    house.give("meanwhile");
    assert_eq!(silent.closed(), 1013);
    let mut rest = String::new();
    body.read_to_string(&mut rest).unwrap();
    assert!(rest.contains(" 408 "), "{rest}");
    for stream in [&mut head, &mut idle] {
        let mut rest = Vec::new();
        // Closed with or without a word.
        let _ = stream.read_to_end(&mut rest);
    }
    let took = now() - began;
    assert!(
        took >= Duration::from_secs(9) && took < PATIENCE,
        "{took:?}"
    );
}

#[test]
fn what_breaks_the_transports_rules_is_closed_with_its_code() {
    let house = House::new();
    let mut binary = viewer(&house);
    binary
        .0
        .send(Message::Binary(Bytes::from_static(b"\0")))
        .unwrap();
    assert_eq!(binary.closed(), 1003);
    let mut huge = viewer(&house);
    // The relay may have stopped reading by the end of it.
    let _ = huge.0.send(Message::text("x".repeat(3_000_000)));
    assert_eq!(huge.closed(), 1009);
}

#[test]
fn what_cannot_be_read_is_answered_and_ends_nothing() {
    let house = House::new();
    for (text, code) in [
        ("{".to_owned(), "MALFORMED"),
        ("[".repeat(1000), "MALFORMED"),
        ("x".repeat(70_000), "TOO_LARGE"),
        (
            json!({ "type": "gift:ack", "payload": {} }).to_string(),
            "MALFORMED",
        ),
        (
            json!({ "type": "gift:ack", "payload": {}, "version": "2.0.0" }).to_string(),
            "UNSUPPORTED_VERSION",
        ),
    ] {
        let mut guest = viewer(&house);
        guest.raw(&text);
        // One answer a second, however much rubbish comes.
        guest.raw("rubbish");
        assert_eq!(guest.error(), code);
        guest.raw(r#"{"type":"unheard-of","payload":{}}"#);
        house.give(&format!("after-{code}-{}", text.len()));
        assert!(guest.gift().starts_with("after-"));
    }
    assert_eq!(house.figure("messages_malformed_total"), 10);
}

#[test]
fn nothing_is_served_before_the_init_and_a_second_one_changes_nothing() {
    let house = House::new();
    let mut guest = Guest::knock(house.address(), &house.token(Role::Host))
        .ok()
        .unwrap();
    guest.ack("a", true, None);
    assert_eq!(guest.error(), "NOT_INITIALIZED");
    guest.init("h", "host");
    guest.next_of("connection:ack");
    std::thread::sleep(Duration::from_millis(1_050));
    guest.init("h", "viewer");
    assert_eq!(guest.error(), "ALREADY_INITIALIZED");
    assert_eq!(house.figure("hosts"), 1);
}

#[test]
fn the_newest_connection_of_a_client_wins() {
    let house = House::new();
    let mut old = viewer(&house);
    let mut new = viewer(&house);
    assert_eq!(old.closed(), 4001);
    house.give("a");
    assert_eq!(new.gift(), "a");
    assert_eq!(house.figure("viewers"), 1);
}

#[test]
fn a_viewer_that_does_not_read_slows_nobody_and_skips_to_the_latest() {
    // 20 MB, more than the system's buffers take.
    const GIFTS: usize = 8_000;
    let house = House::new();
    let token = house.token(Role::Viewer);
    let mut slow = Guest::join(house.address(), &token, "slow", "viewer");
    let mut quick = Guest::join(house.address(), &token, "quick", "viewer");
    let picture = format!("https://example.org/{}", "x".repeat(2_000));
    for batch in 0..GIFTS / 500 {
        let gifts: Vec<_> = (0..500)
            .map(|n| {
                let mut gift = crate::house::gift(&format!("{batch}-{n}"));
                gift["sender"]["avatar"] = json!(picture);
                gift
            })
            .collect();
        assert_eq!(house.post(&json!(gifts)).status, 201);
        for n in 0..500 {
            assert_eq!(quick.gift(), format!("{batch}-{n}"));
        }
    }
    let last = format!("{}-499", GIFTS / 500 - 1);
    let mut got = 0;
    while slow.gift() != last {
        got += 1;
    }
    assert!(got < GIFTS - 1, "it had {got} of them");
    assert!(house.figure("gifts_skipped_total") > 0);
}
