use super::super::ledger::Arrival;
use super::*;

#[test]
fn every_gift_is_acked_once_with_its_verdict() {
    let mut rig = Rig::live();
    for id in ["a", "b", "c", "d"] {
        rig.gift(id);
    }
    rig.outcome("b", 1, 0, Verdict::JoinedStreak);
    rig.outcome("a", 1, 0, Verdict::Failed("no such model".into()));
    rig.outcome("d", 1, 0, Verdict::Dismissed);
    rig.outcome("c", 1, 0, Verdict::Refused(RefusalReason::Overloaded));
    let some = |s: &str| Some(s.to_owned());
    assert_eq!(
        rig.acks(),
        [
            ("b".to_owned(), true, None),
            ("a".to_owned(), false, some("no such model")),
            ("d".to_owned(), false, some("DISMISSED")),
            ("c".to_owned(), false, some("OVERLOADED")),
        ]
    );
    rig.played("a");
    rig.played("never-came");
    assert_eq!(rig.acks().len(), 4);
    assert_eq!(rig.session.counts().stray_outcomes, 2);
}

#[test]
fn an_ack_is_kept_until_a_later_ping_is_answered() {
    let mut rig = Rig::live();
    rig.pong();
    rig.gift("a");
    rig.played("a");
    assert_eq!(rig.session.unconfirmed_acks(), 1);
    rig.pass(SECOND);
    assert_eq!(rig.pings.len(), 2);
    // Decided after the ping went out: the pong proves nothing of it.
    rig.gift("b");
    rig.played("b");
    rig.pong();
    assert_eq!(rig.session.unconfirmed_acks(), 1);
    rig.pass(SECOND);
    rig.pong();
    assert_eq!(rig.session.unconfirmed_acks(), 0);
}

#[test]
fn acks_outlive_a_reconnect_and_go_out_again_in_order() {
    let mut rig = Rig::live();
    rig.pong();
    for id in ["a", "b", "c", "d"] {
        rig.gift(id);
    }
    rig.played("b");
    rig.pass(SECOND);
    rig.pong();
    rig.played("a");
    rig.played("d");
    rig.break_connection();
    rig.played("c");
    let before = rig.acks().len();
    rig.pass(SECOND);
    rig.input(Input::Connected { subprotocol: true });
    assert_eq!(rig.acks().len(), before);
    rig.ack(&[]);
    assert_eq!(rig.acked_ids()[before..], ["a", "d", "c"]);
}

#[test]
fn a_repeat_of_a_decided_gift_gets_the_stored_ack_and_is_not_drawn() {
    let mut rig = Rig::live();
    rig.gift("a");
    rig.played("a");
    rig.now += 5 * SECOND;
    rig.gift("a");
    assert_eq!(rig.drawn(), ["a"]);
    let acks: Vec<_> = rig
        .sent
        .iter()
        .filter(|m| matches!(m, ClientMessage::GiftAck(_)))
        .collect();
    assert_eq!(acks.len(), 2);
    assert_eq!(acks[0], acks[1], "the stored ack, to the millisecond");
}

#[test]
fn a_repeat_of_an_undecided_gift_shares_its_ack() {
    let mut rig = Rig::live();
    rig.gift("a");
    rig.gift("a");
    rig.gift("a");
    rig.played("a");
    assert_eq!(rig.drawn(), ["a"]);
    assert_eq!(rig.acked_ids(), ["a"]);
    assert_eq!(rig.session.counts().duplicates, 2);
}

#[test]
fn the_same_id_with_a_higher_combo_is_an_update_acked_once() {
    let mut rig = Rig::live();
    for combo in [1, 2, 3, 3] {
        rig.server(&ServerMessage::Gift(gift("streak", 1, combo)));
    }
    assert_eq!(rig.drawn().len(), 3);
    for combo in [1, 2, 3] {
        rig.outcome("streak", 1, combo, Verdict::JoinedStreak);
    }
    assert_eq!(rig.acked_ids(), ["streak", "streak", "streak"]);
}

#[test]
fn a_gift_of_nothing_is_acked_as_invalid() {
    let mut rig = Rig::live();
    let nothing = r#"{"type":"gift:received","payload":{"giftId":"nil","giftType":"rose","quantity":-3,"totalValue":0,"sender":{"userId":"u"}}}"#;
    rig.raw(nothing);
    rig.raw(nothing);
    let ack = ("nil".to_owned(), false, Some("INVALID".to_owned()));
    assert_eq!(rig.acks(), [ack.clone(), ack]);
    assert!(rig.drawn().is_empty());
    assert!(rig.errors().is_empty());
}

#[test]
fn interim_acks_go_only_to_a_server_that_named_them() {
    let mut rig = Rig::live();
    rig.gift("a");
    rig.pass(20 * SECOND);
    assert!(rig.acks().is_empty());

    let mut rig = Rig::new();
    rig.connect();
    rig.gift("early");
    rig.ack(&["x-ack-interim"]);
    rig.gift("quick");
    rig.played("quick");
    rig.gift("slow");
    assert_eq!(rig.acked_ids(), ["quick"]);
    rig.pass(5 * SECOND);
    assert_eq!(rig.acked_ids(), ["quick", "early", "slow"]);
    assert_eq!(rig.acks()[1], ("early".to_owned(), false, None));
    rig.pass(20 * SECOND);
    assert_eq!(rig.acks().len(), 3, "once");
    rig.played("slow");
    assert_eq!(rig.acks()[3], ("slow".to_owned(), true, None));
}

#[test]
fn a_server_that_sends_a_waiting_gift_again_hears_again_that_it_waits() {
    let mut rig = Rig::new();
    rig.go_live(&["x-ack-interim"]);
    rig.gift("slow");
    rig.pass(5 * SECOND);
    assert_eq!(rig.acked_ids(), ["slow"]);
    while rig.session.unconfirmed_acks() > 0 {
        rig.pass(SECOND);
        rig.pong();
    }
    rig.input(Input::Closed {
        code: None,
        reason: "",
    });
    rig.now += rig.retry_in();
    rig.go_live(&["x-ack-interim"]);
    rig.gift("slow");
    rig.pass(20 * SECOND);
    rig.played("slow");
    let slow = |rendered| ("slow".to_owned(), rendered, None);
    // The first is what the connection before was told.
    assert_eq!(rig.acks(), [slow(false), slow(false), slow(true)]);
}

#[test]
fn interim_acks_need_our_capability_too() {
    let mut rig = Rig::with(|settings| settings.capabilities = vec!["particle".into()]);
    rig.go_live(&["x-ack-interim", "x-control"]);
    rig.gift("a");
    rig.server(&ServerMessage::Control(Control::Pause));
    rig.pass(20 * SECOND);
    assert!(rig.acks().is_empty());
    assert!(!rig.stage.contains(&ToStage::Control(Control::Pause)));
}

#[test]
fn controls_reach_the_stage_ahead_of_held_gifts_when_negotiated() {
    let mut rig = Rig::live();
    rig.server(&ServerMessage::Control(Control::Pause));
    assert!(!rig.stage.contains(&ToStage::Control(Control::Pause)));

    let mut rig = Rig::new();
    rig.go_live(&["x-control"]);
    rig.stage_full = true;
    rig.gift("a");
    rig.server(&ServerMessage::Control(Control::Pause));
    rig.stage_full = false;
    rig.stage.clear();
    rig.settle();
    assert_eq!(rig.stage[0], ToStage::Control(Control::Pause));
    assert_eq!(rig.drawn(), ["a"]);
}

#[test]
fn clear_dismisses_the_gifts_that_wait_for_the_stage() {
    let mut rig = Rig::new();
    rig.go_live(&["x-control"]);
    rig.stage_full = true;
    rig.gift("a");
    rig.gift("b");
    rig.server(&ServerMessage::Control(Control::Clear));
    let dismissed = |id: &str| (id.to_owned(), false, Some("DISMISSED".to_owned()));
    assert_eq!(rig.acks(), [dismissed("a"), dismissed("b")]);
    rig.stage_full = false;
    rig.settle();
    assert!(rig.drawn().is_empty());
}

/// What the stage gets of it when all that comes in `say` was read at once.
fn at_once(say: impl FnOnce(&mut Rig)) -> Vec<String> {
    let mut rig = Rig::new();
    rig.go_live(&["x-control"]);
    rig.stage.clear();
    rig.stage_full = true;
    say(&mut rig);
    rig.stage_full = false;
    rig.settle();
    let told = rig.stage.iter().map(|message| match message {
        ToStage::Gift(gift) => gift.id.to_string(),
        ToStage::Control(control) => format!("{control:?}"),
        ToStage::Status(status) => format!("{} watch", status.viewer_count),
        other => panic!("nobody said {other:?}"),
    });
    told.collect()
}

fn watch(rig: &mut Rig, viewer_count: u64) {
    rig.server(&ServerMessage::Status(StreamStatus {
        viewer_count,
        ..StreamStatus::default()
    }));
}

fn control(rig: &mut Rig, control: Control) {
    rig.server(&ServerMessage::Control(control));
}

#[test]
fn a_status_stays_behind_the_gifts_that_it_counts() {
    let told = at_once(|rig| {
        rig.gift("a");
        watch(rig, 1);
        rig.gift("b");
    });
    assert_eq!(told, ["a", "1 watch", "b"]);
    let told = at_once(|rig| {
        rig.gift("a");
        watch(rig, 1);
        rig.gift("b");
        watch(rig, 2);
        rig.gift("c");
    });
    assert_eq!(told, ["a", "b", "2 watch", "c"], "the latest counts");
}

#[test]
fn a_control_that_names_a_gift_stays_behind_it() {
    for named in [
        Control::Hold("a".into()),
        Control::Release("a".into()),
        Control::Dismiss("a".into()),
        Control::ReplayOf("a".into()),
    ] {
        let word = format!("{named:?}");
        let told = at_once(|rig| {
            rig.gift("a");
            control(rig, named);
            rig.gift("b");
            control(rig, Control::Skip);
        });
        assert_eq!(told, ["a", &*word, "Skip", "b"], "and not behind the next");
    }
}

#[test]
fn controls_overtake_gifts_and_not_each_other() {
    let told = at_once(|rig| {
        rig.gift("a");
        control(rig, Control::Pause);
        control(rig, Control::Dismiss("a".into()));
        control(rig, Control::Resume);
    });
    assert_eq!(told, ["Pause", "a", "Dismiss(\"a\")", "Resume"]);
    let told = at_once(|rig| {
        rig.gift("a");
        control(rig, Control::Hold("a".into()));
        control(rig, Control::Clear);
        rig.gift("b");
    });
    assert_eq!(told, ["Hold(\"a\")", "Clear", "b"], "nothing is before it");
}

#[test]
fn controls_that_follow_each_other_and_replace_themselves_reach_the_stage_as_one() {
    let told = at_once(|rig| {
        for said in [
            Control::Volume(0.25),
            Control::Volume(0.5),
            Control::Pause,
            Control::Resume,
            Control::Mute(true),
            Control::Mute(false),
            Control::DoNotDisturb(true),
            Control::DoNotDisturb(false),
            Control::DoNotDisturb(true),
            Control::Skip,
            Control::Skip,
        ] {
            control(rig, said);
        }
    });
    let quiet = ["DoNotDisturb(false)", "DoNotDisturb(true)"];
    let before = ["Volume(0.5)", "Resume", "Mute(false)"];
    assert_eq!(told, [&before[..], &quiet, &["Skip", "Skip"]].concat());
}

#[test]
fn ten_thousand_controls_wait_and_the_oldest_beyond_is_dropped_with_a_note() {
    let told = at_once(|rig| {
        for n in 0..MAX_CONTROLS + 2 {
            control(rig, Control::Dismiss(n.to_string().into()));
        }
        let note = Output::Note(Note::ControlsDropped { so_far: 1 });
        let notes = rig.outputs.iter().filter(|output| **output == note);
        assert_eq!(notes.count(), 1);
        assert_eq!(rig.session.counts().controls_dropped, 2);
    });
    assert_eq!(told.len(), MAX_CONTROLS);
    assert_eq!(told[0], "Dismiss(\"2\")");
}

#[test]
fn nothing_waits_for_a_gift_that_was_refused() {
    let mut held = Held::default();
    for n in 0..=MAX_HELD as u64 {
        assert_eq!(held.first(), 0);
        let mut gift = gift("x", 1, 0);
        gift.total_value = n as f64;
        held.push(Box::new(gift));
    }
    assert_eq!((held.first(), held.end()), (1, MAX_HELD as u64 + 1));
    held.verify_invariants();
    while held.pop().is_some() {}
    assert_eq!(held.first(), held.end());
}

#[test]
fn past_fifty_thousand_held_gifts_the_cheapest_is_refused() {
    let mut held = Held::default();
    let worth = |n: u64| (n % 1000) as f64;
    let mut refused = Vec::new();
    for n in 0..MAX_HELD as u64 + 3 {
        let mut gift = gift(&n.to_string(), 1, 0);
        gift.total_value = worth(n);
        refused.extend(held.push(Box::new(gift)));
        if n % 10_000 == 0 {
            held.verify_invariants();
        }
    }
    // Worth 0 and latest: who came early keeps the place.
    let ids: Vec<&str> = refused.iter().map(|gift| &*gift.id).collect();
    assert_eq!(ids, ["50000", "49000", "48000"]);
    assert_eq!(held.len(), MAX_HELD);
    let first = held.pop().expect("full");
    assert_eq!(&*first.id, "0");
    held.verify_invariants();
}

#[test]
fn a_flood_without_end_stays_within_the_bounds() {
    let mut held = Held::default();
    for n in 0..4 * MAX_HELD as u64 {
        let mut gift = gift("x", 1, 0);
        gift.total_value = ((n * 7919) % 10_007) as f64;
        held.push(Box::new(gift));
        if n % 3 == 0 && n > 3 * MAX_HELD as u64 {
            held.pop();
        }
    }
    held.verify_invariants();
}

#[test]
fn an_overloaded_session_acks_what_it_refuses() {
    let mut rig = Rig::live();
    rig.stage_full = true;
    let now = rig.now;
    for n in 0..=MAX_HELD {
        let text = encode_server(&ServerMessage::Gift(gift(&n.to_string(), 1, 0)), wall(now));
        let text = text.as_bytes();
        rig.session.handle_input(Input::Text(text), now, wall(now));
    }
    rig.settle();
    let refused = (MAX_HELD.to_string(), false, Some("OVERLOADED".to_owned()));
    assert_eq!(rig.acks(), [refused]);
    assert_eq!(rig.session.undecided(), MAX_HELD);
}

#[test]
fn verdicts_are_remembered_for_a_hundred_thousand_gifts_and_undecided_ones_for_ever() {
    let mut ledger = Ledger::default();
    let key = |n: usize| GiftKey {
        id: n.to_string().into(),
        quantity: 1,
        combo_count: 0,
    };
    let settled = |n: usize| Settled {
        verdict: Verdict::Played,
        at: wall(SECOND),
        ack: n as u64,
    };
    ledger.arrive(key(usize::MAX));
    let settle = |ledger: &mut Ledger, n: usize, kept: u64| {
        assert_eq!(ledger.arrive(key(n)), Arrival::New);
        assert!(ledger.settle(&key(n), settled(n), kept));
        ledger.verify_invariants();
    };
    // The first of their acks is still in the outbox.
    for n in 0..=MAX_REMEMBERED {
        settle(&mut ledger, n, 0);
    }
    assert_eq!(ledger.arrive(key(usize::MAX)), Arrival::Waiting);
    assert_eq!(ledger.arrive(key(0)), Arrival::Settled(settled(0)));
    // All of them are confirmed: what is too much goes.
    settle(&mut ledger, MAX_REMEMBERED + 1, MAX_REMEMBERED as u64 + 1);
    assert_eq!(ledger.arrive(key(2)), Arrival::Settled(settled(2)));
    assert_eq!(ledger.arrive(key(1)), Arrival::New, "forgotten");
    assert_eq!(ledger.arrive(key(0)), Arrival::New, "forgotten");
}

#[test]
fn an_ack_on_its_way_answers_a_repeat_and_one_that_is_out_goes_again() {
    let mut rig = Rig::live();
    rig.gift("a");
    rig.played("a");
    assert_eq!(rig.acks().len(), 1);
    rig.break_connection();
    rig.pass(SECOND);
    rig.input(Input::Connected { subprotocol: true });
    // Before the peer's welcome nothing is acked; it sends the gift again meanwhile.
    rig.gift("a");
    rig.ack(&[]);
    assert_eq!(rig.acks().len(), 2, "one for each sending");
    rig.gift("a");
    assert_eq!(rig.acks().len(), 3, "one for each sending");
}

#[test]
fn a_pong_of_the_last_connection_confirms_nothing() {
    let mut rig = Rig::live();
    rig.gift("a");
    rig.played("a");
    rig.pass(40 * SECOND);
    let old = *rig.pings.last().expect("pinged");
    rig.break_connection();
    rig.pass(SECOND);
    rig.input(Input::Connected { subprotocol: true });
    rig.ack(&[]);
    rig.input(Input::Pong(&old));
    rig.input(Input::Pong(b""));
    assert_eq!(rig.session.unconfirmed_acks(), 1);
}

#[test]
fn telemetry_goes_only_to_a_server_that_named_it_and_the_latest_wins() {
    let said = |fps| {
        let telemetry = Telemetry {
            fps,
            ..Telemetry::default()
        };
        Input::Telemetry(Box::new(telemetry))
    };
    let told = |rig: &Rig| -> Vec<f64> {
        let sent = rig.sent.iter().filter_map(|message| match message {
            ClientMessage::Telemetry(telemetry) => Some(telemetry.fps),
            _ => None,
        });
        sent.collect()
    };
    let mut rig = Rig::live();
    assert_eq!(rig.session.telemetry_wanted(), 0);
    rig.input(said(1.0));
    assert!(told(&rig).is_empty());

    let mut rig = Rig::new();
    rig.go_live(&["x-telemetry"]);
    assert_eq!(rig.session.telemetry_wanted(), 1);
    rig.input(said(1.0));
    rig.socket_blocked = true;
    rig.input(said(2.0));
    rig.input(said(3.0));
    rig.socket_blocked = false;
    rig.settle();
    assert_eq!(told(&rig), [1.0, 3.0]);

    // It says nothing of a connection that is gone.
    rig.socket_blocked = true;
    rig.input(said(4.0));
    rig.break_connection();
    assert_eq!(rig.session.telemetry_wanted(), 0);
    rig.input(said(5.0));
    rig.pass(SECOND);
    rig.input(Input::Connected { subprotocol: true });
    rig.socket_blocked = false;
    rig.ack(&["x-telemetry"]);
    assert_eq!(rig.session.telemetry_wanted(), 2, "which has heard nothing");
    assert_eq!(told(&rig), [1.0, 3.0]);
    // The server takes it back.
    rig.ack(&[]);
    assert_eq!(rig.session.telemetry_wanted(), 0);
}

#[test]
fn telemetry_waits_while_the_peer_asks_to_be_spared() {
    let mut rig = Rig::new();
    rig.go_live(&["x-telemetry"]);
    let pause = Some(2 * SECOND);
    rig.server(&peer_error("BUSY", true, pause));
    rig.input(Input::Telemetry(Box::default()));
    let told = |rig: &Rig| {
        let sent = rig.sent.iter();
        sent.filter(|message| matches!(message, ClientMessage::Telemetry(_)))
            .count()
    };
    rig.pass(SECOND);
    assert_eq!(told(&rig), 0);
    rig.pass(2 * SECOND);
    assert_eq!(told(&rig), 1, "and it woke by itself");
}
