use super::*;

#[test]
fn backoff_draws_from_a_ceiling_that_doubles_to_thirty_seconds() {
    let mut ceilings = Vec::new();
    for seed in 0..200 {
        let mut backoff = Backoff::new(seed);
        let timing = Timing::default();
        let delays: Vec<f64> = (0..9)
            .map(|_| backoff.delay(&timing).as_secs_f64())
            .collect();
        ceilings.resize(delays.len(), 0.0_f64);
        for (ceiling, delay) in ceilings.iter_mut().zip(delays) {
            *ceiling = ceiling.max(delay);
        }
    }
    for (seen, expected) in ceilings
        .iter()
        .zip([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0])
    {
        assert!(
            *seen <= expected && *seen > expected * 0.9,
            "{seen} of {expected}"
        );
    }
}

#[test]
fn a_minute_of_health_starts_the_backoff_afresh() {
    let mut rig = Rig::new();
    for _ in 0..8 {
        rig.input(Input::Timer);
        rig.input(Input::ConnectFailed(ConnectFailure::Refused));
        let wait = rig.retry_in();
        rig.now += wait;
    }
    rig.go_live(&[]);
    for _ in 0..6 {
        rig.pass(10 * SECOND);
        rig.input(Input::Alive);
    }
    rig.break_connection();
    assert!(rig.retry_in() <= Duration::from_millis(500));
}

#[test]
fn init_goes_out_as_soon_as_the_socket_is_open() {
    let mut rig = Rig::new();
    rig.connect();
    let ClientMessage::Init(init) = &rig.sent[0] else {
        panic!("{:?}", rig.sent);
    };
    assert_eq!(&*init.client_id, "client");
    assert_eq!(&*init.stream_id, "stream");
    assert_eq!(init.client_type, ClientType::Host);
    assert_eq!(&*init.version, env!("CARGO_PKG_VERSION"));
    assert!(init.capabilities.iter().any(|c| &**c == "particle"));
    assert_eq!(rig.sent.len(), 1);
}

#[test]
fn the_subprotocol_is_offered_and_a_refusal_is_retried_once_without_it() {
    let mut rig = Rig::new();
    rig.input(Input::Timer);
    assert_eq!(rig.last_connect(), Some(true));
    rig.outputs.clear();
    rig.input(Input::ConnectFailed(ConnectFailure::Subprotocol));
    assert_eq!(rig.last_connect(), Some(false), "at once, without backoff");
    rig.outputs.clear();
    rig.input(Input::ConnectFailed(ConnectFailure::Subprotocol));
    assert_eq!(rig.last_connect(), None);
    assert!(matches!(rig.last_state(), ConnectionState::Offline { .. }));
}

#[test]
fn without_an_ack_the_connection_is_left_after_ten_seconds() {
    let mut rig = Rig::new();
    rig.connect();
    rig.pass(9 * SECOND);
    assert!(rig.closes.is_empty());
    rig.pass(SECOND);
    assert_eq!(rig.closes.len(), 1);
    rig.input(Input::Closed {
        code: Some(1000),
        reason: "",
    });
    let ConnectionState::Offline { problem, .. } = rig.last_state() else {
        panic!("{:?}", rig.last_state());
    };
    assert!(problem.to_string().contains("connection:ack"), "{problem}");
}

#[test]
fn gifts_and_pings_before_the_ack_are_served() {
    let mut rig = Rig::new();
    rig.connect();
    rig.gift("early");
    rig.server(&ping(4));
    assert_eq!(rig.drawn(), ["early"]);
    assert_eq!(rig.pongs()[0].sequence, 4);
    rig.played("early");
    assert!(rig.acks().is_empty(), "acks wait for the server's own");
    rig.ack(&[]);
    assert_eq!(rig.acked_ids(), ["early"]);
}

#[test]
fn a_second_ack_replaces_the_config() {
    let mut rig = Rig::live();
    let config = SessionConfig {
        max_gifts_per_second: 3.0,
        ping_interval: 7 * SECOND,
        features: Vec::new(),
    };
    rig.server(&ServerMessage::Ack(ConnectionAck {
        session_id: "session".into(),
        server_time: None,
        config: config.clone(),
    }));
    assert_eq!(rig.stage.last(), Some(&ToStage::Config(config)));
    // Two of the new intervals and 5 s of silence, and not two of the old.
    rig.pass(18 * SECOND);
    assert_eq!(rig.last_state(), &ConnectionState::Online);
    rig.pass(SECOND);
    assert!(matches!(
        rig.last_state(),
        ConnectionState::Connecting | ConnectionState::Offline { .. }
    ));
}

#[test]
fn a_heartbeat_is_answered_at_once_with_latency_memory_and_queue() {
    let mut rig = Rig::live();
    rig.input(Input::Memory(123_000_000));
    rig.now += Duration::from_millis(40);
    rig.pong();
    rig.gift("a");
    rig.gift("b");
    rig.server(&ping(42));
    let pong = rig.pongs()[0];
    assert_eq!(pong.sequence, 42);
    assert!((pong.latency_ms - 40.0).abs() < 1e-6, "{pong:?}");
    assert!((pong.memory_mb - 123.0).abs() < 1e-6);
    assert_eq!(pong.queue_size, 2);
}

#[test]
fn heartbeats_out_of_order_are_echoed_and_counted() {
    let mut rig = Rig::live();
    for sequence in [1, 2, 9, 2, 3, 3] {
        rig.server(&ping(sequence));
    }
    let echoed: Vec<u64> = rig.pongs().iter().map(|pong| pong.sequence).collect();
    assert_eq!(echoed, [1, 2, 9, 2, 3, 3]);
    assert_eq!(rig.session.counts().ping_gaps, 3);
}

#[test]
fn a_heartbeat_is_answered_while_the_stage_takes_nothing() {
    let mut rig = Rig::live();
    rig.stage_full = true;
    for n in 0..1000 {
        rig.gift(&format!("g{n}"));
    }
    rig.server(&ping(1));
    assert_eq!(rig.pongs()[0].queue_size, 1000);
    rig.stage_full = false;
    rig.settle();
    assert_eq!(rig.drawn().len(), 1000);
    assert_eq!(rig.drawn()[999], "g999");
}

#[test]
fn silence_of_two_intervals_and_five_seconds_is_death_and_any_byte_is_life() {
    let mut rig = Rig::live();
    rig.pass(60 * SECOND);
    rig.input(Input::Alive);
    rig.pass(64 * SECOND);
    assert_eq!(rig.last_state(), &ConnectionState::Online);
    rig.outputs.clear();
    rig.pass(SECOND);
    assert_eq!(rig.outputs[0], Output::Disconnect);
    assert!(rig.closes.is_empty(), "a dead peer is not waited for");
}

#[test]
fn a_connection_that_breaks_young_does_not() {
    let mut rig = Rig::new();
    let mut longest = Duration::ZERO;
    for _ in 0..12 {
        rig.go_live(&[]);
        rig.break_connection();
        let wait = rig.retry_in();
        longest = longest.max(wait);
        rig.pass(wait);
    }
    assert!(longest > 4 * SECOND, "{longest:?}");
}

#[test]
fn close_codes_decide_how_soon_to_return() {
    for code in [1000, 1001, 1005, 1006, 1011, 1012, 1013] {
        let mut rig = Rig::live();
        rig.input(Input::Closed {
            code: Some(code),
            reason: "",
        });
        assert!(rig.retry_in() <= Duration::from_millis(500), "{code}");
    }
    for code in [1002, 1003, 1007, 1009, 1010, 3000, 4000, 4429] {
        let mut rig = Rig::live();
        rig.input(Input::Closed {
            code: Some(code),
            reason: "",
        });
        assert!(rig.retry_in() >= 15 * SECOND, "{code}");
    }
    for (code, reason) in [
        (1008, ""),
        (4401, ""),
        (4403, ""),
        (4409, ""),
        (4000, "Replaced by a newer connection"),
        (4001, "duplicate clientId"),
        // As our relay and the demo's backend say it.
        (4001, "replaced by another connection with this clientId"),
        (4001, "replaced by another renderer"),
    ] {
        let mut rig = Rig::live();
        rig.input(Input::Closed {
            code: Some(code),
            reason,
        });
        assert!(rig.session.is_stopped(), "{code}");
        assert_eq!(rig.session.next_wake(), None);
    }
}

#[test]
fn a_refused_token_stops_and_says_what_to_check() {
    for status in [401, 403] {
        let mut rig = Rig::new();
        rig.input(Input::Timer);
        rig.input(Input::ConnectFailed(ConnectFailure::Http {
            status,
            retry_after: None,
        }));
        let ConnectionState::Stopped(Some(problem)) = rig.last_state() else {
            panic!("{:?}", rig.last_state());
        };
        assert!(problem.to_string().contains("check the token"), "{problem}");
    }
}

#[test]
fn a_refusal_by_error_message_stops_after_a_close_frame() {
    for code in ["UNSUPPORTED_VERSION", "UNAUTHORIZED", "invalid_token"] {
        let mut rig = Rig::new();
        rig.connect();
        rig.server(&peer_error(code, false, None));
        assert_eq!(rig.closes, [1000]);
        rig.pass(2 * SECOND);
        assert!(rig.session.is_stopped(), "{code}");
        assert!(rig.errors().is_empty());
    }
}

#[test]
fn a_server_of_another_major_version_is_told_and_left_for_good() {
    let mut rig = Rig::new();
    rig.connect();
    rig.raw(r#"{"type":"connection:ack","version":"2.0.0","payload":{"sessionId":"s"}}"#);
    assert_eq!(rig.errors(), ["UNSUPPORTED_VERSION"]);
    assert_eq!(rig.closes, [1000]);
    rig.break_connection();
    assert!(rig.session.is_stopped());
}

#[test]
fn retry_after_holds_back_acks_and_the_next_attempt_and_not_heartbeats() {
    let mut rig = Rig::live();
    rig.gift("a");
    rig.server(&peer_error("RATE_LIMIT", true, Some(20 * SECOND)));
    rig.played("a");
    rig.server(&ping(1));
    assert_eq!(rig.pongs().len(), 1);
    rig.pass(19 * SECOND);
    assert!(rig.acks().is_empty());
    rig.pass(6 * SECOND);
    assert_eq!(rig.acked_ids(), ["a"], "20 s and up to a fifth more");

    rig.server(&peer_error("RATE_LIMIT", true, Some(20 * SECOND)));
    rig.break_connection();
    assert!(rig.retry_in() >= 20 * SECOND);
    assert!(rig.retry_in() <= 24 * SECOND);
}

#[test]
fn malformed_messages_are_counted_and_answered_at_most_once_a_second() {
    let mut rig = Rig::live();
    for _ in 0..500 {
        rig.raw("{\"type\":");
    }
    assert_eq!(rig.errors(), ["MALFORMED"]);
    rig.pass(Duration::from_millis(990));
    assert_eq!(rig.errors().len(), 1);
    rig.pass(Duration::from_millis(3000));
    assert_eq!(
        rig.errors().len(),
        2,
        "one was waiting, the rest are dropped"
    );
    assert_eq!(rig.session.counts().malformed, 500);
    let notes = rig.outputs.iter().filter(|o| matches!(o, Output::Note(_)));
    assert_eq!(notes.count(), 1, "the log is not flooded either");
}

#[test]
fn an_error_is_never_answered_with_an_error() {
    let mut rig = Rig::live();
    rig.server(&peer_error("WHATEVER", false, None));
    rig.raw(r#"{"type":"error","payload":{"code":17}}"#);
    rig.raw(r#"{"type":"error","payload":[]}"#);
    rig.raw(r#"{"type":"error","version":"9.0.0","payload":{}}"#);
    assert!(rig.errors().is_empty());
    assert_eq!(rig.last_state(), &ConnectionState::Online);
}

#[test]
fn a_message_over_64_kib_is_refused_and_the_session_goes_on() {
    let mut rig = Rig::live();
    let big = format!(
        r#"{{"type":"stream:status","payload":{{"x":"{}"}}}}"#,
        "x".repeat(70_000)
    );
    rig.raw(&big);
    assert_eq!(rig.errors(), ["TOO_LARGE"]);
    rig.gift("after");
    assert_eq!(rig.drawn(), ["after"]);
}

#[test]
fn unknown_messages_are_counted_and_ignored() {
    let mut rig = Rig::live();
    rig.raw(r#"{"type":"x-party","payload":{}}"#);
    assert_eq!(rig.session.counts().unknown, 1);
    assert!(rig.errors().is_empty());
}

#[test]
fn a_binary_frame_closes_with_1003() {
    let mut rig = Rig::live();
    rig.input(Input::Binary);
    assert_eq!(rig.closes, [1003]);
    rig.input(Input::Closed {
        code: Some(1003),
        reason: "",
    });
    assert!(rig.retry_in() >= 15 * SECOND);
}

#[test]
fn a_broken_transport_closes_with_the_code_that_says_so() {
    for (violation, code) in [
        (Violation::TooLarge, 1009),
        (Violation::NotUtf8, 1007),
        (Violation::BadFrames, 1002),
    ] {
        let mut rig = Rig::live();
        rig.input(Input::Violation(violation));
        assert_eq!(rig.closes, [code]);
        rig.pass(2 * SECOND);
        assert!(rig.outputs.contains(&Output::Disconnect));
    }
}

#[test]
fn a_socket_that_takes_nothing_costs_nothing() {
    let mut rig = Rig::live();
    rig.socket_blocked = true;
    for n in 0..10_000 {
        rig.server(&ping(n));
        rig.raw("nonsense");
    }
    rig.pass(10 * SECOND);
    rig.socket_blocked = false;
    rig.settle();
    let echoed: Vec<u64> = rig.pongs().iter().map(|pong| pong.sequence).collect();
    assert_eq!(echoed.len(), 64);
    assert_eq!(echoed.last(), Some(&9_999), "the latest, not the oldest");
}

#[test]
fn a_blocked_socket_does_not_keep_the_driver_awake() {
    let mut rig = Rig::live();
    rig.socket_blocked = true;
    rig.gift("a");
    rig.played("a");
    rig.pass(12 * SECOND);
    let wake = rig.session.next_wake().expect("a session that lives");
    assert!(wake > rig.now, "{wake:?} at {:?}", rig.now);
}

#[test]
fn the_latest_status_wins_while_the_stage_is_busy() {
    let mut rig = Rig::live();
    rig.stage_full = true;
    for viewer_count in [1, 2, 3] {
        rig.server(&ServerMessage::Status(StreamStatus {
            viewer_count,
            ..StreamStatus::default()
        }));
    }
    rig.stage_full = false;
    rig.stage.clear();
    rig.settle();
    let [ToStage::Status(status)] = &rig.stage[..] else {
        panic!("{:?}", rig.stage);
    };
    assert_eq!(status.viewer_count, 3);
}

#[test]
fn shutdown_acks_what_is_decided_says_goodbye_and_waits_two_seconds_at_most() {
    let mut rig = Rig::live();
    rig.gift("played");
    rig.gift("waiting");
    rig.socket_blocked = true;
    rig.played("played");
    rig.input(Input::Shutdown);
    rig.socket_blocked = false;
    rig.settle();
    assert_eq!(rig.acked_ids(), ["played"], "the other comes again");
    assert_eq!(rig.closes, [1000]);
    assert!(!rig.session.is_stopped());
    rig.pass(2 * SECOND);
    assert!(rig.session.is_stopped());
    assert_eq!(rig.last_state(), &ConnectionState::Stopped(None));
}

#[test]
fn shutdown_ends_every_phase_within_two_seconds() {
    let waiting = || {
        let mut rig = Rig::live();
        rig.break_connection();
        rig
    };
    let connecting = || {
        let mut rig = Rig::new();
        rig.input(Input::Timer);
        rig
    };
    let greeting = || {
        let mut rig = Rig::new();
        rig.connect();
        rig
    };
    let closing = || {
        let mut rig = Rig::live();
        rig.input(Input::Binary);
        rig
    };
    for mut rig in [
        Rig::new(),
        waiting(),
        connecting(),
        greeting(),
        Rig::live(),
        closing(),
    ] {
        rig.input(Input::Shutdown);
        rig.pass(2 * SECOND);
        assert!(rig.session.is_stopped());
        rig.input(Input::Shutdown);
        rig.pass(100 * SECOND);
        assert_eq!(rig.last_state(), &ConnectionState::Stopped(None));
    }
}

#[test]
fn an_attempt_that_does_not_answer_is_given_up() {
    let mut rig = Rig::new();
    rig.input(Input::Timer);
    rig.outputs.clear();
    rig.pass(10 * SECOND);
    assert_eq!(rig.outputs[0], Output::Disconnect);
    assert!(rig.last_connect().is_some() || rig.session.next_wake().is_some());
}

#[test]
fn the_init_goes_out_first_even_if_the_peer_acknowledges_before_it_could() {
    let mut rig = Rig::new();
    rig.pass(Duration::ZERO);
    rig.socket_blocked = true;
    rig.input(Input::Connected { subprotocol: true });
    rig.ack(&[]);
    rig.gift("early");
    rig.socket_blocked = false;
    rig.outcome("early", 1, 0, Verdict::Played);
    rig.settle();
    assert!(matches!(rig.sent[0], ClientMessage::Init(_)));
    assert!(matches!(rig.sent[1], ClientMessage::GiftAck(_)));
}

#[test]
fn an_error_before_the_welcome_is_the_reason_and_tried_again_seldom() {
    let unwelcome = Problem::Unwelcome {
        code: "STREAM_NOT_FOUND".into(),
        message: "because".into(),
    };
    for is_closed in [true, false] {
        let mut rig = Rig::new();
        rig.connect();
        rig.server(&peer_error("STREAM_NOT_FOUND", false, None));
        match is_closed {
            true => rig.break_connection(),
            false => rig.pass(15 * SECOND),
        }
        let ConnectionState::Offline { problem, retry_in } = rig.last_state() else {
            panic!("{:?}", rig.last_state());
        };
        assert_eq!(*problem, unwelcome);
        assert!(*retry_in >= 15 * SECOND, "{retry_in:?}");
    }
    // One that goes on all the same is forgiven.
    let mut rig = Rig::new();
    rig.connect();
    rig.server(&peer_error("STREAM_NOT_FOUND", false, None));
    rig.ack(&[]);
    rig.break_connection();
    let ConnectionState::Offline { problem, .. } = rig.last_state() else {
        panic!("{:?}", rig.last_state());
    };
    assert_ne!(*problem, unwelcome);
}

#[test]
fn a_peer_that_asks_for_a_pause_now_and_then_waits_no_longer_each_time() {
    let mut rig = Rig::live();
    for n in 0..40 {
        rig.server(&peer_error("BUSY", true, None));
        let id = n.to_string();
        rig.gift(&id);
        rig.played(&id);
        // The ceiling of the first pause; a peer is heard all the while.
        rig.pass(SECOND);
        assert_eq!(rig.acked_ids().last(), Some(&id));
        for _ in 0..12 {
            rig.server(&ping(n));
            rig.pass(10 * SECOND);
        }
    }
}
