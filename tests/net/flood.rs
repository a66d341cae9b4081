use std::time::Duration;

use hyperfocus::model::WallTime;
use hyperfocus::net::TO_STAGE_CAPACITY;
use hyperfocus::protocol::{ClientMessage, ServerMessage, encode_server};
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, gift};
use crate::stage::{Stage, now};

const GIFTS: usize = 3 * TO_STAGE_CAPACITY;

#[test]
fn a_full_stage_loses_nothing_and_heartbeats_are_still_answered() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    stage.online();
    for n in 0..GIFTS {
        let text = encode_server(
            &ServerMessage::Gift(gift(&n.to_string())),
            WallTime::UNIX_EPOCH,
        );
        peer.socket.write(Message::text(text)).expect("it listens");
    }
    // The stage takes nothing, and by now its channel is full thrice over.
    let asked = now();
    let pong = peer.ping(1);
    assert_eq!(pong.queue_size, GIFTS as u64);
    // Generous for a busy machine: the session itself answers in microseconds,
    // and the point is that it does not wait for the stage, which never moves.
    assert!(asked.elapsed() < Duration::from_secs(5));

    for n in 0..GIFTS {
        let gift = stage.gift();
        assert_eq!(&*gift.id, n.to_string(), "in order of arrival");
        stage.play(&gift);
        if n % 1000 == 0 {
            std::thread::yield_now();
        }
    }
    for n in 0..GIFTS {
        assert_eq!(&*peer.gift_ack().gift_id, n.to_string());
    }
    assert_eq!(peer.ping(2).queue_size, 0);
}

#[test]
fn a_stage_that_goes_away_ends_the_session() {
    let server = Server::new();
    let stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    drop(stage);
    assert_eq!(peer.closed(), Some(1000));
}

#[test]
fn a_server_that_does_not_read_holds_up_nothing_else() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    // Enough heartbeats to fill both sockets' buffers with answers, none of
    // which is read before the end.
    let ping = r#"{"type":"heartbeat:ping","payload":{"sequence":1}}"#;
    for _ in 0..20_000 {
        peer.raw(ping);
    }
    peer.gift("through");
    assert_eq!(&*stage.gift().id, "through");
    assert!(matches!(peer.next(), ClientMessage::Pong(_)));
}
