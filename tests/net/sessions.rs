use hyperfocus::model::{Gift, SessionConfig, StreamStatus, Verdict, WallTime};
use hyperfocus::protocol::{ClientMessage, ConnectionAck, PeerError, ServerMessage};
use hyperfocus::session::ToStage;

use crate::server::{Server, gift};
use crate::stage::Stage;

#[test]
fn a_whole_session_over_a_real_socket() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept();
    assert_eq!(peer.authorization.as_deref(), Some("Bearer s3cret"));
    assert_eq!(peer.offered.as_deref(), Some("hyperfocus-protocol-v1"));
    let init = peer.init();
    assert_eq!(
        (&*init.stream_id, &*init.client_id),
        ("stream-1", "client-1")
    );
    peer.ack(&[]);
    stage.online();

    let pong = peer.ping(7);
    assert_eq!(pong.sequence, 7);
    assert!(
        pong.memory_mb > 1.0,
        "a process this small is still a process"
    );

    peer.gift("a");
    let first = stage.gift();
    // The encoder stands in for the time that this gift does not have.
    let sent = Gift {
        sent_at: Some(WallTime::UNIX_EPOCH),
        ..gift("a")
    };
    assert_eq!(first, sent);
    assert_eq!(peer.ping(8).queue_size, 1);
    stage.play(&first);
    let ack = peer.gift_ack();
    assert_eq!((&*ack.gift_id, ack.rendered, ack.error), ("a", true, None));
    let pong = peer.ping(9);
    assert_eq!(pong.queue_size, 0);
    assert!(pong.latency_ms > 0.0, "the first ping was answered by now");

    let status = StreamStatus {
        is_live: true,
        viewer_count: 12,
        ..StreamStatus::default()
    };
    peer.send(&ServerMessage::Status(status.clone()));
    stage.wait("status", |m| {
        (*m == ToStage::Status(status.clone())).then_some(())
    });

    let faster = SessionConfig {
        max_gifts_per_second: 7.0,
        ..SessionConfig::default()
    };
    peer.send(&ServerMessage::Ack(ConnectionAck {
        session_id: "session-1".into(),
        server_time: None,
        config: faster.clone(),
    }));
    stage.wait("config", |m| {
        (*m == ToStage::Config(faster.clone())).then_some(())
    });

    peer.send(&ServerMessage::Error(PeerError {
        code: "SOMETHING".into(),
        message: "went by".into(),
        retryable: false,
        retry_after: None,
    }));
    peer.gift("b");
    let second = stage.gift();
    stage.decide(&second, Verdict::Failed("no model".into()));
    let ack = peer.gift_ack();
    assert_eq!((&*ack.gift_id, ack.rendered), ("b", false));
    assert_eq!(ack.error.as_deref(), Some("no model"));

    stage.link.request_shutdown();
    assert_eq!(peer.closed(), Some(1000));
    drop(peer);
    let counts = stage.link.shutdown();
    assert_eq!(
        (counts.gifts, counts.acks_sent, counts.connections),
        (2, 2, 1)
    );
}

#[test]
fn an_ack_without_config_is_an_ack() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept();
    peer.init();
    peer.raw(r#"{"type":"connection:ack","payload":{"sessionId":"s"}}"#);
    stage.online();
    let config = stage.wait("config", |m| match m {
        ToStage::Config(config) => Some(config.clone()),
        _ => None,
    });
    assert_eq!(config, SessionConfig::default());
}

#[test]
fn gifts_and_pings_before_the_ack_are_served() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept();
    peer.gift("early");
    peer.init();
    assert_eq!(peer.ping(3).sequence, 3);
    let early = stage.gift();
    stage.play(&early);
    peer.ack(&[]);
    assert_eq!(&*peer.gift_ack().gift_id, "early");
}

#[test]
fn pings_out_of_order_are_echoed_as_they_came() {
    let server = Server::new();
    let _stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    for sequence in [5, 4, 4, 100, 0] {
        assert_eq!(peer.ping(sequence).sequence, sequence);
    }
}

#[test]
fn a_duplicate_is_answered_again_and_not_drawn_again() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    peer.gift("twice");
    let drawn = stage.gift();
    stage.play(&drawn);
    let first = peer.gift_ack();
    peer.gift("twice");
    assert_eq!(peer.gift_ack(), first);
    assert!(stage.unexpected_gifts().is_empty());
}

#[test]
fn truncated_json_is_refused_once_and_the_session_goes_on() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    peer.raw(r#"{"type":"gift:received","payload":{"giftId":"x","#);
    assert_eq!(peer.error(), "MALFORMED");
    peer.gift("after");
    assert_eq!(&*stage.gift().id, "after");
}

#[test]
fn a_message_of_70_kb_is_refused_and_the_session_goes_on() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    let filler = "x".repeat(70_000);
    peer.raw(&format!(
        r#"{{"type":"stream:status","payload":{{"x":"{filler}"}}}}"#
    ));
    assert_eq!(peer.error(), "TOO_LARGE");
    peer.gift("after");
    assert_eq!(&*stage.gift().id, "after");
}

#[test]
fn a_server_without_the_subprotocol_is_tried_again_without_offering_it() {
    use crate::server::Peer;
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let refused = Peer::accept(server.accept_tcp(), false);
    assert_eq!(refused.offered.as_deref(), Some("hyperfocus-protocol-v1"));
    let mut peer = Peer::accept(server.accept_tcp(), false);
    assert_eq!(peer.offered, None);
    peer.init();
    peer.ack(&[]);
    stage.online();
    peer.gift("a");
    assert_eq!(&*stage.gift().id, "a");
}

#[test]
fn controls_pass_when_both_sides_named_them() {
    use hyperfocus::model::Control;
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept();
    let init = peer.init();
    assert!(init.capabilities.iter().any(|c| &**c == "x-control"));
    peer.ack(&["x-control"]);
    peer.send(&ServerMessage::Control(Control::Mute(true)));
    stage.wait("control", |m| {
        (*m == ToStage::Control(Control::Mute(true))).then_some(())
    });
    assert!(matches!(
        {
            peer.raw("?");
            peer.next()
        },
        ClientMessage::Error(_)
    ));
}
