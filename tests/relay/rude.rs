//! Guests who know the rules and bend them: on raw sockets, without an end, or
//! without ever reading.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hyperfocus::relay::Role;
use serde_json::json;

use crate::guest::{Guest, init_message};
use crate::house::{House, PATIENCE, gift, now, until};
use crate::http::{Answer, Request};

fn open(house: &House) -> TcpStream {
    let stream = TcpStream::connect(house.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that comes back for some bytes, until the relay closes.
fn ask_raw(house: &House, bytes: &[u8]) -> String {
    let mut stream = open(house);
    // It may have closed before it has all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The head of a request that may give gifts, up to what frames its body.
fn gifts_head(house: &House) -> String {
    let token = house.token(Role::Ingest);
    format!(
        "POST /v1/streams/main/gifts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
}

#[test]
fn a_request_that_two_servers_would_cut_differently_is_refused_whole() {
    let house = House::new();
    let token = house.token(Role::Ingest);
    let smuggled = gift("smuggled").to_string();
    let second = format!(
        "POST /v1/streams/main/gifts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    let head = gifts_head(&house).replace("Connection: close\r\n", "");
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length: 0, 5\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
        "X: a\rContent-Length: 5\r\n\r\n",
        "X\0: a\r\n\r\n",
        " folded: line\r\n\r\n",
    ] {
        let answer = ask_raw(&house, format!("{head}{framing}{second}").as_bytes());
        let statuses: Vec<&str> = answer.matches("HTTP/1.1 ").collect();
        assert!(statuses.len() <= 1, "{framing:?}: {answer}");
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{framing:?}: {answer}"
        );
    }
    assert!(house.listed("unacked").is_empty(), "nothing came through");
    house.give("after");
}

#[test]
fn heads_that_are_too_large_or_have_too_many_lines_are_refused() {
    let house = House::new();
    let long = "x".repeat(20_000);
    let many: String = (0..2_000).map(|n| format!("X-{n}: y\r\n")).collect();
    for head in [
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
    ] {
        let answer = ask_raw(&house, head.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"),
            "{answer}"
        );
    }
    house.give("after");
}

#[test]
fn a_body_without_end_is_refused_when_it_is_too_large() {
    let house = House::new();
    let mut stream = open(&house);
    let head = gifts_head(&house);
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
    stream
        .write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())
        .unwrap();
    // It goes on until the relay has had enough.
    let sent = (0..1_000)
        .take_while(|_| stream.write_all(chunk.as_bytes()).is_ok())
        .count();
    assert!(sent < 1_000, "it took {sent} chunks");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.contains(" 413 "), "{answer}");
    house.give("after");
}

#[test]
fn who_sends_all_before_listening_hears_why_it_was_refused() {
    let house = House::new();
    let large = "x".repeat(8 * 1024 * 1024);
    let ask = |token: &str| {
        let request = Request::new(house.address(), "POST", "/v1/streams/main/gifts");
        request.bearer(token).body("application/json", &large)
    };
    for (request, status) in [
        (ask("wrong"), 401),
        (ask(&house.token(Role::Ingest)), 413),
        (ask("wrong").header("Origin", "https://evil.example"), 403),
    ] {
        let (address, text) = request.written();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(text.as_bytes()).expect("it is taken");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = Answer::parse(&answer).unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[test]
fn json_that_is_deep_or_repeats_itself_is_refused() {
    let house = House::new();
    let deep = "[".repeat(100_000);
    let nested = format!("{}{}", "{\"a\":".repeat(40_000), "}".repeat(40_000));
    let twice = r#"{"giftId":"a","giftId":"b","giftType":"rose"}"#;
    for body in [deep.as_str(), &nested, twice] {
        let request = house.request(Role::Ingest, "POST", "/v1/streams/main/gifts");
        let answer = request.body("application/json", body).send();
        assert!((400..=422).contains(&answer.status), "{answer:?}");
        answer.problem();
    }
    assert!(house.listed("unacked").is_empty());
}

/// Asks for pages and never reads one. Returns the connection when the relay
/// takes no more requests.
fn never_read(house: &House, request: &str) -> TcpStream {
    let mut stream = open(house);
    stream.set_nonblocking(true).unwrap();
    let deadline = now() + PATIENCE;
    let mut idle = 0;
    while idle < 50 && now() < deadline {
        match stream.write(request.as_bytes()) {
            Ok(_) => idle = 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                idle += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    }
    stream
}

#[test]
fn who_asks_and_never_reads_is_closed_after_ten_seconds() {
    let house = House::new();
    let page = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut deaf = never_read(&house, page);
    let token = house.token(Role::Host);
    let mut events = open(&house);
    let ask = format!(
        "GET /v1/streams/main/events HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    events.write_all(ask.as_bytes()).unwrap();
    until("it is told", || events.peek(&mut [0; 1]).is_ok());
    // More than the system's buffers take, and the reader of events is behind.
    let picture = format!("https://example.org/{}", "x".repeat(1_900));
    for batch in 0..20 {
        let gifts: Vec<_> = (0..200)
            .map(|n| {
                let mut gift = gift(&format!("{batch}-{n}"));
                gift["sender"]["avatar"] = json!(picture);
                gift
            })
            .collect();
        assert_eq!(house.post(&json!(gifts)).status, 201);
    }
    // Written to long after it was closed, it says so.
    until("it is closed", || deaf.write_all(b"x").is_err());
    until("the other too", || events.write_all(b"x").is_err());
    house.give("after");
}

#[test]
fn a_connection_that_was_served_and_asks_nothing_more_is_closed() {
    let house = House::new();
    let mut stream = open(&house);
    let page = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(page.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an end");
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

/// A frame as a client sends it, with the mask of nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend(payload);
    frame
}

#[test]
fn fragments_and_pings_without_end_are_read_slowly_and_slow_down_nobody() {
    let house = House::new();
    let token = house.token(Role::Viewer);
    let mut other = Guest::join(house.address(), &token, "other", "viewer");
    let floods = [
        (frame(0x01, b""), frame(0x00, b"")),
        (frame(0x01, b"x"), frame(0x00, b"x")),
        (frame(0x89, b"ping"), frame(0x89, b"ping")),
    ];
    for (number, (begin, again)) in floods.into_iter().enumerate() {
        let client = format!("flood-{number}");
        let mut flood = Guest::join(house.address(), &token, &client, "viewer");
        let stream = flood.0.get_mut();
        stream.write_all(&begin).unwrap();
        stream.set_nonblocking(true).unwrap();
        let many = again.repeat(10_000);
        let (mut taken, began) = (0, now());
        while now() - began < Duration::from_millis(500) {
            match stream.write(&many) {
                Ok(bytes) => taken += bytes,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        // What it reads and what the system's buffers hold; unbounded it would be
        // hundreds of megabytes.
        assert!(taken < 32 * 1024 * 1024, "{taken} bytes");
        house.give(&client);
        assert_eq!(other.gift(), client);
    }
}

#[test]
fn streams_that_only_had_a_name_are_forgotten() {
    let house = House::new();
    let token = house.token(Role::Viewer);
    for number in 0..100 {
        let mut guest = Guest::knock(house.address(), &token).ok().unwrap();
        guest.raw(&init_message("v", "viewer", &format!("stream-{number}")));
        guest.next_of("connection:ack");
    }
    // One that has something to keep stays, used or not.
    let request = house.request(Role::Host, "PATCH", "/v1/streams/kept/config");
    let answer = request.json(&json!({ "maxGiftsPerSecond": 7 })).send();
    assert_eq!(answer.status, 200);
    house.give("a");
    until("the names are gone", || house.figure("streams") == 2);
    let config = house.request(Role::Host, "GET", "/v1/streams/kept/config");
    assert_eq!(config.send().json()["maxGiftsPerSecond"], 7.0);
    assert_eq!(house.figure("gifts_accepted_total"), 1);
}

#[test]
fn figures_do_not_shrink_when_a_stream_is_forgotten() {
    let house = House::new();
    house.give("a");
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(host.gift(), "a");
    host.ack("a", true, None);
    until("it is settled", || house.listed("rendered") == ["a"]);
    drop(host);
    until("the stream is gone", || house.figure("streams") == 0);
    assert_eq!(house.figure("gifts_rendered_total"), 1);
    // And what the store has of it is there still.
    assert_eq!(house.post(&gift("a")).json()["status"], "repeated");
}

#[test]
fn whoever_says_on_whose_behalf_he_comes_is_not_believed() {
    let house = House::new();
    let guess = |number: u32| {
        let request = Request::new(house.address(), "GET", "/v1/streams/main/config");
        let elsewhere = format!("203.0.113.{number}");
        request
            .bearer("guess")
            .header("X-Forwarded-For", &elsewhere)
            .header("Forwarded", &format!("for={elsewhere}"))
            .header("X-Real-IP", &elsewhere)
            .send()
            .status
    };
    assert!((0..40).any(|number| guess(number) == 429));
    let request = house.request(Role::Host, "GET", "/v1/streams/main/config");
    let request = request.header("Host", "evil.example");
    let answer = request.header("X-Forwarded-Host", "localhost").send();
    assert_eq!(answer.status, 421);
}

#[test]
fn every_refusal_is_a_problem() {
    let house = House::new();
    let address = house.address();
    let ask = |role, method: &str, path: &str| -> Answer {
        house.request(role, method, path).json(&json!({})).send()
    };
    for (answer, status) in [
        (ask(Role::Host, "GET", "/v1/streams/%FF/config"), 400),
        (
            ask(Role::Host, "GET", "/v1/streams/main/gifts?limit=x"),
            422,
        ),
        // A name that is not known would otherwise be heeded by nobody.
        (
            ask(Role::Host, "GET", "/v1/streams/main/gifts?status=failed"),
            422,
        ),
        (
            ask(Role::Host, "GET", "/v1/streams/main/history?since=2h"),
            422,
        ),
        (ask(Role::Host, "GET", "/v1/streams/main/rates?rate=2"), 422),
        (ask(Role::Host, "DELETE", "/v1/streams/main/config"), 405),
        (ask(Role::Host, "GET", "/v1/streams//config"), 422),
        (
            Request::new(address, "GET", "http://evil.example/healthz").send(),
            421,
        ),
    ] {
        answer.problem();
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let wrong = ask(Role::Host, "DELETE", "/v1/streams/main/config");
    let head = wrong.head.to_lowercase();
    assert!(head.contains("allow: ") && head.contains("patch"), "{head}");
}
