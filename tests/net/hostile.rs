use std::io::{Read, Write};
use std::time::Duration;

use hyperfocus::session::Problem;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::server::{Peer, Server, read_request};
use crate::stage::Stage;

#[test]
fn a_binary_frame_closes_with_1003() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    peer.binary();
    assert_eq!(peer.closed(), Some(1003));
    assert_eq!(stage.problem(), Problem::Binary);
    server.accept_session();
    stage.online();
}

#[test]
fn three_megabytes_close_with_1009() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    peer.raw(&"x".repeat(3_000_000));
    assert_eq!(peer.closed(), Some(1009));
    drop(peer);
    assert_eq!(stage.problem(), Problem::TooLarge);
    server.accept_session();
    stage.online();
}

#[test]
fn text_that_is_not_utf8_closes_with_1007() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    let bytes = vec![b'"', 0xC3, 0x28];
    let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
    peer.frame(Message::Frame(frame));
    assert_eq!(peer.closed(), Some(1007));
    drop(peer);
    assert_eq!(stage.problem(), Problem::NotUtf8);
}

#[test]
fn fragments_without_end_stop_at_the_limit() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    let fragment = |opcode| Frame::message(vec![b'x'; 60_000], OpCode::Data(opcode), false);
    peer.frame(Message::Frame(fragment(Data::Text)));
    let mut sent = 1;
    // Each is small; together they pass 2 MiB.
    while sent < 60
        && peer
            .socket
            .send(Message::Frame(fragment(Data::Continue)))
            .is_ok()
    {
        sent += 1;
    }
    drop(peer);
    assert_eq!(stage.problem(), Problem::TooLarge);
}

#[test]
fn garbage_instead_of_a_handshake_is_survived() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20 {
        let mut stream = server.accept_tcp();
        let garbage: Vec<u8> = (0..random.usize(0..4000)).map(|_| random.u8(..)).collect();
        let _ = stream.write_all(&garbage);
        drop(stream);
        stage.problem();
    }
    server.accept_session();
    stage.online();
}

#[test]
fn garbage_after_the_handshake_is_survived() {
    let server = Server::new();
    let mut config = crate::stage::config(&server.url());
    config.session.timing.close = Duration::from_millis(200);
    let mut stage = Stage::with(config);
    let mut random = fastrand::Rng::with_seed(12);
    for round in 0..30 {
        let mut peer = server.accept_session();
        stage.online();
        let mut garbage: Vec<u8> = (0..random.usize(1..2000)).map(|_| random.u8(..)).collect();
        if round % 2 == 0 {
            // A plausible start: a final text frame with a length of two bytes.
            garbage.splice(0..0, [0x81, 126]);
        }
        let stream = peer.socket.get_mut();
        let _ = stream.write_all(&garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        drop(peer);
        stage.problem();
    }
    let mut peer = server.accept_session();
    stage.online();
    assert_eq!(peer.ping(1).sequence, 1);
}

#[test]
fn headers_without_end_are_cut_off() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut stream = server.accept_tcp();
    read_request(&mut stream);
    let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
    let line = format!("x-filler: {}\r\n", "y".repeat(1000));
    let mut written = 0;
    while stream.write_all(line.as_bytes()).is_ok() {
        written += line.len();
        assert!(written < 100_000_000, "it reads for ever");
    }
    stage.problem();
}

#[test]
fn a_peer_that_answers_the_offer_with_another_protocol_is_refused() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    // Refused with the offer, then accepted without it.
    let first = Peer::accept(server.accept_tcp(), false);
    drop(first);
    let mut second = Peer::accept(server.accept_tcp(), false);
    second.init();
    second.ack(&[]);
    stage.online();
}
