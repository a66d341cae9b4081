use std::time::Duration;

use hyperfocus::model::Private;
use hyperfocus::net::{NetError, spawn};
use hyperfocus::session::{ConnectFailure, Problem};

use crate::server::{Server, read_request};
use crate::stage::{Stage, config};

fn failure(stage: &mut Stage) -> ConnectFailure {
    match stage.problem() {
        Problem::Connect(failure) => failure,
        other => panic!("connected first: {other}"),
    }
}

#[test]
fn a_wrong_url_is_refused_before_anything_starts() {
    for url in ["", "example.org", "http://example.org", "ws://"] {
        let error = spawn(config(url)).expect_err(url);
        assert!(matches!(error, NetError::Url(_)), "{error}");
        assert!(error.to_string().starts_with("the URL cannot be used: "));
    }
}

#[test]
fn a_token_that_no_header_can_carry_is_refused_without_repeating_it() {
    let mut config = config("ws://127.0.0.1:9/");
    config.token = Some(Private("se\ncret".to_owned()));
    let error = spawn(config).expect_err("a line break");
    assert!(matches!(error, NetError::Token));
    assert!(!error.to_string().contains("cret"));
}

#[test]
fn a_refused_connection_asks_whether_the_backend_runs() {
    let port = Server::new().port();
    let mut stage = Stage::start(&format!("ws://127.0.0.1:{port}/"));
    let failure = failure(&mut stage);
    assert_eq!(failure, ConnectFailure::Refused);
    assert!(failure.to_string().contains("is the backend running"));
}

#[test]
fn a_name_that_does_not_resolve_is_said_so() {
    // A label of 64 bytes is no name, so no resolver has to be asked.
    let url = format!("ws://{}.invalid/", "a".repeat(64));
    let failure = failure(&mut Stage::start(&url));
    assert!(matches!(failure, ConnectFailure::Dns(_)), "{failure}");
}

#[test]
fn a_wrong_token_stops_and_says_what_to_check() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let server = Server::new();
        let mut stage = Stage::start(&server.url());
        server.answer_http(&format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"));
        let problem = stage.stopped().to_string();
        assert!(problem.contains("check the token"), "{problem}");
        assert!(!problem.contains("s3cret"));
    }
}

#[test]
fn a_web_server_is_not_a_websocket_server() {
    for (response, says) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "HTTP 200"),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "check the URL's path",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: /there\r\n\r\n",
            "redirects",
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "WebSocket"),
        ("220 mail.example.org ESMTP\r\n\r\n", "WebSocket"),
    ] {
        let server = Server::new();
        let mut stage = Stage::start(&server.url());
        server.answer_http(response);
        let failure = failure(&mut stage).to_string();
        assert!(failure.contains(says), "{failure}");
    }
}

#[test]
fn a_busy_server_is_obeyed_about_when_to_return() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    server.answer_http("HTTP/1.1 503 Busy\r\nretry-after: 120\r\n\r\n");
    let failure = failure(&mut stage);
    assert_eq!(
        failure,
        ConnectFailure::Http {
            status: 503,
            retry_after: Some(Duration::from_secs(120))
        }
    );
}

#[test]
fn a_server_that_hangs_up_mid_handshake_is_tried_again() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    drop(server.accept_tcp());
    let failure = failure(&mut stage);
    assert!(
        matches!(failure, ConnectFailure::Unreachable(_)),
        "{failure}"
    );
    server.accept_session();
    stage.online();
}

#[test]
fn half_a_handshake_is_given_up_in_time() {
    let server = Server::new();
    let mut config = config(&server.url());
    config.session.timing.connect = Duration::from_millis(200);
    let mut stage = Stage::with(config);
    let mut stream = server.accept_tcp();
    read_request(&mut stream);
    std::io::Write::write_all(&mut stream, b"HTTP/1.1 101 Switching Pro").expect("it listens");
    assert_eq!(failure(&mut stage), ConnectFailure::TimedOut);
}

#[test]
fn a_server_without_an_ack_is_left_with_a_plain_word() {
    let server = Server::new();
    let mut config = config(&server.url());
    config.session.timing.ack = Duration::from_millis(100);
    let mut stage = Stage::with(config);
    let mut peer = server.accept();
    peer.init();
    assert_eq!(peer.closed(), Some(1008));
    drop(peer);
    let problem = stage.problem().to_string();
    assert!(problem.contains("no connection:ack"), "{problem}");
    server.accept_session();
    stage.online();
}
