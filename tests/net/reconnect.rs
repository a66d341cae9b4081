use hyperfocus::session::Problem;

use crate::server::Server;
use crate::stage::Stage;

#[test]
fn acks_go_out_again_after_a_reconnect_in_order() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    let gifts: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|id| {
            peer.gift(id);
            stage.gift()
        })
        .collect();
    stage.play(&gifts[1]);
    stage.play(&gifts[0]);
    assert_eq!(&*peer.gift_ack().gift_id, "b");
    assert_eq!(&*peer.gift_ack().gift_id, "a");
    // The server dies without having answered a ping sent after them.
    drop(peer);
    // A first try to connect that a busy machine cut short has a problem, too.
    let lost = loop {
        match stage.problem() {
            Problem::Connect(_) | Problem::NoAck(_) => {}
            lost => break lost,
        }
    };
    assert!(
        matches!(lost, Problem::Closed { code: None, .. }),
        "{lost:?}"
    );
    stage.play(&gifts[2]);

    let mut peer = server.accept_session();
    let ids: Vec<_> = (0..3).map(|_| peer.gift_ack().gift_id).collect();
    assert_eq!(
        ids.iter().map(|id| &**id).collect::<Vec<_>>(),
        ["b", "a", "c"]
    );
    // The backend's own resend, crossing ours: answered, not drawn.
    peer.gift("a");
    assert_eq!(&*peer.gift_ack().gift_id, "a");
    assert!(stage.unexpected_gifts().is_empty());
}

#[test]
fn a_confirmed_ack_is_not_repeated() {
    let server = Server::new();
    let mut config = crate::stage::config(&server.url());
    config.session.timing.ping_for_acks = std::time::Duration::from_millis(1);
    let mut stage = Stage::with(config);
    let mut peer = server.accept_session();
    peer.gift("a");
    let gift = stage.gift();
    stage.play(&gift);
    assert_eq!(&*peer.gift_ack().gift_id, "a");
    // Reading is what answers the client's ping; a heartbeat after it shows
    // that the pong has gone ahead.
    loop {
        use tokio_tungstenite::tungstenite::Message;
        if matches!(peer.socket.read(), Ok(Message::Ping(_))) {
            break;
        }
    }
    peer.ping(1);
    peer.ping(2);
    peer.close(1012, "restart");
    let mut peer = server.accept_session();
    peer.gift("b");
    let gift = stage.gift();
    stage.play(&gift);
    assert_eq!(&*peer.gift_ack().gift_id, "b", "a was confirmed");
}

#[test]
fn a_server_that_replaced_us_is_left_alone() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    peer.close(4409, "duplicate clientId");
    let problem = stage.stopped().to_string();
    assert!(problem.contains("another renderer"), "{problem}");
    while !stage.link.is_finished() {
        std::thread::yield_now();
    }
}

#[test]
fn a_policy_violation_stops_with_the_servers_reason() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    peer.close(1008, "token expired");
    let problem = stage.stopped().to_string();
    assert!(problem.contains("token expired"), "{problem}");
}
