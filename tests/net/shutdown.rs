use std::time::Duration;

use hyperfocus::session::{ConnectionState, ToStage};

use crate::server::Server;
use crate::stage::{Stage, now};

/// The promise is 2 s; the rest is for a busy machine.
const AT_MOST: Duration = Duration::from_millis(3500);

fn ends_in_time(stage: Stage) {
    let asked = now();
    stage.link.shutdown();
    let took = asked.elapsed();
    assert!(took < AT_MOST, "{took:?}");
}

#[test]
fn while_connecting() {
    let server = Server::new();
    let stage = Stage::start(&server.url());
    let _accepted_and_ignored = server.accept_tcp();
    ends_in_time(stage);
}

#[test]
fn before_the_ack() {
    let server = Server::new();
    let stage = Stage::start(&server.url());
    let mut peer = server.accept();
    peer.init();
    stage.link.request_shutdown();
    assert_eq!(peer.closed(), Some(1000));
    drop(peer);
    ends_in_time(stage);
}

#[test]
fn in_a_live_session() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    stage.online();
    stage.link.request_shutdown();
    assert_eq!(peer.closed(), Some(1000));
    drop(peer);
    stage.wait("end", |m| {
        (*m == ToStage::Connection(ConnectionState::Stopped(None))).then_some(())
    });
    ends_in_time(stage);
}

#[test]
fn with_a_server_that_ignores_the_close_frame() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    let _peer = server.accept_session();
    stage.online();
    ends_in_time(stage);
}

#[test]
fn while_waiting_to_try_again() {
    let port = Server::new().port();
    let mut config = crate::stage::config(&format!("ws://127.0.0.1:{port}/"));
    config.session.timing.backoff_first = Duration::from_secs(3600);
    config.session.timing.backoff_cap = Duration::from_secs(3600);
    let mut stage = Stage::with(config);
    stage.problem();
    ends_in_time(stage);
}

#[test]
fn after_the_session_stopped_by_itself() {
    let server = Server::new();
    let mut stage = Stage::start(&server.url());
    server.accept_session().close(1008, "no");
    stage.stopped();
    ends_in_time(stage);
}

#[test]
fn by_dropping_the_link() {
    let server = Server::new();
    let stage = Stage::start(&server.url());
    let mut peer = server.accept_session();
    let dropped = std::thread::spawn(move || drop(stage));
    assert_eq!(peer.closed(), Some(1000));
    drop(peer);
    dropped.join().expect("an orderly end");
}
