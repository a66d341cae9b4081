use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// A stream with a clock and an account of who was sent what.
pub(super) struct Rig {
    pub stream: Stream<Serial>,
    pub now: Moment,
    pub serial: Serial,
}

impl Rig {
    pub fn new() -> Self {
        let config = SessionConfig {
            features: vec!["x-control".into()],
            ..SessionConfig::default()
        };
        Self {
            stream: Stream::new(config),
            now: Moment::ZERO,
            serial: 0,
        }
    }

    fn join(&mut self, client: &str, role: ClientType) -> ConnectionId {
        let joining = Joining {
            client_id: client.into(),
            role,
            hears_controls: true,
        };
        self.stream.join(joining).0
    }

    pub fn host(&mut self, client: &str) -> ConnectionId {
        self.join(client, ClientType::Host)
    }

    pub fn viewer(&mut self, client: &str) -> ConnectionId {
        self.join(client, ClientType::Viewer)
    }

    pub fn publish(&mut self) -> Serial {
        self.serial += 1;
        self.stream
            .publish(self.serial, id(self.serial), self.serial);
        self.serial
    }

    pub fn ack(&mut self, on: ConnectionId, serial: Serial, word: Word) {
        self.stream.acked(on, &id(serial), word);
    }

    /// Every frame that goes out on a connection now.
    pub fn drain(&mut self, on: ConnectionId) -> Vec<Serial> {
        let mut frames = Vec::new();
        while let Next::Frame(frame) = self.stream.next(on, self.now) {
            frames.push(frame);
        }
        self.stream.verify_invariants();
        frames
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.stream.pass(self.now);
    }

    pub fn leave(&mut self, on: ConnectionId) {
        self.stream.leave(on, self.now);
    }

    pub fn endings(&mut self) -> Vec<(String, Ending)> {
        let ended = self.stream.take_ended();
        let named = ended.into_iter().map(|it| (it.gift.to_string(), it.ending));
        named.collect()
    }
}

pub(super) fn id(serial: Serial) -> GiftId {
    serial.to_string().into()
}

pub(super) fn failed() -> Word {
    Word::Failed("no".into())
}

pub(super) fn ended(serial: Serial, ending: Ending) -> Vec<(String, Ending)> {
    vec![(serial.to_string(), ending)]
}

#[test]
fn hosts_and_viewers_get_a_gift_once_and_in_order() {
    let mut rig = Rig::new();
    let (host, viewer) = (rig.host("h"), rig.viewer("v"));
    let sent: Vec<Serial> = (0..5).map(|_| rig.publish()).collect();
    assert_eq!(rig.drain(host), sent);
    assert_eq!(rig.drain(viewer), sent);
    assert!(rig.drain(host).is_empty());
    assert_eq!(rig.stream.audience(), (1, 1));
}

#[test]
fn a_viewer_sees_nothing_of_the_time_before_it_came() {
    let mut rig = Rig::new();
    rig.publish();
    let viewer = rig.viewer("v");
    let later = rig.publish();
    assert_eq!(rig.drain(viewer), [later]);
}

#[test]
fn what_ended_elsewhere_is_owed_here_by_nobody() {
    let mut rig = Rig::new();
    let host = rig.host("h");
    let (first, second) = (rig.publish(), rig.publish());
    assert_eq!(rig.drain(host), [first, second]);
    rig.stream.has_ended(&id(first));
    rig.pass(30);
    assert_eq!(rig.drain(host), [second], "sent again");
    rig.ack(host, first, failed());
    assert_eq!(rig.endings(), [], "that is not for this relay to say");
    assert_eq!(rig.stream.unsettled(), 1);
}

#[test]
fn a_gift_that_is_known_already_is_not_taken_again() {
    let mut rig = Rig::new();
    rig.stream.restore(3, id(3), 3);
    rig.stream.restored_until(5);
    let host = rig.host("h");
    for serial in [2, 3, 5] {
        rig.stream.publish(serial, id(serial), serial);
    }
    rig.stream.publish(6, id(6), 6);
    assert_eq!(rig.drain(host), [3, 6]);
}

#[test]
fn a_host_may_render_what_is_open_and_what_it_has_yet_to_see() {
    let mut rig = Rig::new();
    let gift = rig.publish();
    assert!(!rig.stream.may_render(gift), "nobody is here");
    let host = rig.host("h");
    assert!(rig.stream.may_render(gift));
    assert!(rig.stream.may_render(gift + 1));
    rig.ack(host, gift, failed());
    assert!(!rig.stream.may_render(gift));
}

#[test]
fn where_others_have_a_say_a_judged_gift_is_for_any_host_that_comes() {
    let mut rig = Rig::new();
    rig.stream.share();
    let here = rig.host("here");
    let gift = rig.publish();
    assert_eq!(rig.drain(here), [gift]);
    rig.ack(here, gift, failed());
    assert_eq!(rig.endings().len(), 1, "the others are asked");
    assert!(!rig.stream.may_render(gift));
    assert_eq!(rig.drain(here), [0; 0], "it has said that it cannot");
    let moved = rig.host("moved");
    assert!(rig.stream.may_render(gift));
    assert_eq!(rig.drain(moved), [gift]);
    rig.ack(moved, gift, failed());
    assert!(!rig.stream.may_render(gift));
    assert_eq!(rig.endings(), [], "they are asked already");
    rig.stream.has_ended(&id(gift));
    assert_eq!(rig.stream.unsettled(), 0);
}

#[test]
fn a_slow_viewer_skips_to_the_latest_and_slows_nobody() {
    let mut rig = Rig::new();
    let (slow, quick) = (rig.viewer("slow"), rig.viewer("quick"));
    for _ in 0..=RING {
        rig.publish();
        assert_eq!(rig.drain(quick).len(), 1);
    }
    assert_eq!(rig.drain(slow), [rig.serial]);
    assert_eq!(rig.stream.tally().skipped, RING as u64);
}

#[test]
fn what_is_carried_to_a_viewer_is_what_it_would_be_told() {
    let mut rig = Rig::new();
    let (carried, told, host) = (rig.viewer("carried"), rig.viewer("told"), rig.host("h"));
    let mut gifts = Vec::new();
    let mut carry = |rig: &mut Rig, most| {
        gifts.clear();
        let take = |gift| gifts.push(gift);
        (
            rig.stream.gifts_for_viewer(carried, most, take),
            gifts.clone(),
        )
    };
    assert_eq!(carry(&mut rig, 2), (true, vec![]));
    let sent: Vec<Serial> = (0..5).map(|_| rig.publish()).collect();
    assert_eq!(carry(&mut rig, 2), (false, sent[..2].to_vec()));
    assert_eq!(carry(&mut rig, 9), (true, sent[2..].to_vec()));
    for _ in 0..RING + 2 {
        rig.publish();
    }
    assert_eq!(carry(&mut rig, 9), (true, vec![rig.serial]));
    assert_eq!(rig.drain(told), [rig.serial]);
    assert_eq!(rig.stream.tally().skipped, 2 * RING as u64 + 7);
    assert!(
        !rig.stream
            .gifts_for_viewer(host, 9, |_| panic!("it owes an ack for each"))
    );
}

#[test]
fn nothing_is_carried_past_what_else_a_viewer_is_to_be_told() {
    let carried_after = |change: fn(&mut Rig)| {
        let mut rig = Rig::new();
        let viewer = rig.viewer("v");
        change(&mut rig);
        rig.publish();
        let mut count = 0;
        let is_all = rig.stream.gifts_for_viewer(viewer, 9, |_| count += 1);
        (is_all, count)
    };
    assert_eq!(carried_after(|_| {}), (true, 1));
    let status = |rig: &mut Rig| rig.stream.set_status(7, 7);
    let config = |rig: &mut Rig| rig.stream.set_config(SessionConfig::default());
    let control = |rig: &mut Rig| assert_eq!(rig.stream.control(&7, None), 1);
    let newer = |rig: &mut Rig| assert_eq!(rig.viewer("v"), 1);
    for change in [status as fn(&mut Rig), config, control, newer] {
        assert_eq!(carried_after(change), (false, 0));
    }
}

#[test]
fn a_slow_host_loses_nothing_that_is_not_settled() {
    let mut rig = Rig::new();
    let (slow, quick) = (rig.host("slow"), rig.host("quick"));
    let sent: Vec<Serial> = (0..3 * RING).map(|_| rig.publish()).collect();
    rig.drain(quick);
    // Of the first ring's worth, which only the open gifts remember, every
    // second one is settled.
    for serial in sent[..RING].iter().step_by(2) {
        rig.ack(quick, *serial, Word::Rendered);
    }
    let mut expected = sent.clone();
    expected.retain(|serial| *serial > RING as u64 || serial % 2 == 0);
    assert_eq!(rig.drain(slow), expected);
}

#[test]
fn a_gift_that_another_host_settled_at_once_is_still_shown() {
    let mut rig = Rig::new();
    let (quick, other) = (rig.host("quick"), rig.host("other"));
    let gift = rig.publish();
    rig.drain(quick);
    rig.ack(quick, gift, Word::Rendered);
    assert_eq!(rig.drain(other), [gift]);
    rig.pass(3600);
    assert!(rig.drain(other).is_empty(), "it owes no ack");
}

#[test]
fn one_host_that_rendered_it_settles_a_gift() {
    let mut rig = Rig::new();
    let (a, b) = (rig.host("a"), rig.host("b"));
    let gift = rig.publish();
    rig.drain(a);
    rig.ack(a, gift, failed());
    assert_eq!(rig.endings(), []);
    rig.ack(b, gift, Word::Rendered);
    assert_eq!(rig.endings(), ended(gift, Ending::Rendered));
    rig.ack(b, gift, failed());
    assert_eq!(rig.endings(), [], "settled is settled");
    assert_eq!(rig.stream.tally().stray_acks, 1);
}

#[test]
fn a_failure_settles_when_every_connected_host_failed() {
    let mut rig = Rig::new();
    let (a, b) = (rig.host("a"), rig.host("b"));
    let gift = rig.publish();
    rig.ack(a, gift, failed());
    rig.ack(b, gift, failed());
    assert_eq!(rig.endings(), ended(gift, Ending::Failed("no".into())));
}

#[test]
fn when_a_host_leaves_the_others_word_is_the_last() {
    let mut rig = Rig::new();
    let (a, b) = (rig.host("a"), rig.host("b"));
    let gift = rig.publish();
    rig.ack(a, gift, failed());
    rig.leave(b);
    assert_eq!(rig.endings(), [], "it may be back in a moment");
    rig.pass(absent::GRACE.as_secs());
    assert_eq!(rig.endings(), ended(gift, Ending::Failed("no".into())));
    assert_eq!(rig.stream.unsettled(), 0);
}

#[test]
fn without_a_host_nothing_is_judged() {
    let mut rig = Rig::new();
    let a = rig.host("a");
    let gift = rig.publish();
    rig.leave(a);
    rig.pass(100_000);
    let again = rig.host("a");
    assert_eq!(rig.drain(again), [gift]);
    assert_eq!(rig.endings(), []);
}

#[test]
fn a_viewers_acks_change_nothing() {
    let mut rig = Rig::new();
    let viewer = rig.viewer("v");
    let gift = rig.publish();
    rig.ack(viewer, gift, Word::Rendered);
    assert_eq!((rig.endings(), rig.stream.unsettled()), (vec![], 1));
}

#[test]
fn an_unacked_gift_comes_again_ever_more_rarely_and_is_parked() {
    let mut rig = Rig::new();
    let host = rig.host("h");
    let gift = rig.publish();
    let mut came = Vec::new();
    for second in 0..4000 {
        came.extend(rig.drain(host).iter().map(|_| second));
        rig.pass(1);
    }
    assert_eq!(came, [0, 30, 90, 210, 450, 930]);
    assert_eq!(rig.endings(), ended(gift, Ending::Parked));
    // The truth is welcome, however late.
    rig.ack(host, gift, Word::Rendered);
    assert_eq!(rig.endings(), ended(gift, Ending::Rendered));
}

#[test]
fn the_wait_ends_when_a_gift_is_due() {
    let mut rig = Rig::new();
    let host = rig.host("h");
    rig.publish();
    rig.drain(host);
    let due = Next::Wait(Some(FIRST_PATIENCE));
    assert_eq!(rig.stream.next(host, rig.now), due);
}

#[test]
fn a_gift_that_waits_at_the_host_is_not_sent_again_before_it_reconnects() {
    let mut rig = Rig::new();
    let host = rig.host("h");
    let gift = rig.publish();
    rig.drain(host);
    rig.ack(host, gift, Word::Received);
    rig.pass(100_000);
    assert!(rig.drain(host).is_empty());
    rig.leave(host);
    let again = rig.host("h");
    assert_eq!(rig.drain(again), [gift]);
}

#[test]
fn a_parked_gift_waits_for_no_host_that_failed_it() {
    let mut rig = Rig::new();
    let (a, b) = (rig.host("a"), rig.host("b"));
    let gift = rig.publish();
    rig.drain(a);
    rig.drain(b);
    rig.ack(a, gift, failed());
    for _ in 0..4000 {
        rig.drain(b);
        rig.pass(1);
    }
    assert_eq!(rig.endings(), ended(gift, Ending::Parked));
}

#[test]
fn what_an_earlier_run_left_comes_first() {
    let mut rig = Rig::new();
    for serial in [3, 5] {
        rig.stream.restore(serial, id(serial), serial);
    }
    rig.serial = 5;
    let host = rig.host("h");
    let viewer = rig.viewer("v");
    let gift = rig.publish();
    assert_eq!(rig.drain(host), [3, 5, gift]);
    assert_eq!(rig.drain(viewer), [gift]);
}

#[test]
fn the_newest_connection_of_a_client_wins() {
    let mut rig = Rig::new();
    let old = rig.host("same");
    let gift = rig.publish();
    rig.drain(old);
    let new = rig.host("same");
    assert_eq!(rig.stream.next(old, rig.now), Next::Displaced);
    assert_eq!(rig.drain(new), [gift], "the successor gets what is owed");
    rig.ack(old, gift, Word::Rendered);
    assert_eq!(rig.endings(), [], "a displaced connection has no say");
    rig.leave(old);
    assert_eq!(rig.stream.audience(), (1, 0));
    rig.ack(new, gift, Word::Rendered);
    assert_eq!(rig.endings(), ended(gift, Ending::Rendered));
}

#[test]
fn a_viewer_of_a_hosts_name_takes_nothing_from_it() {
    let mut rig = Rig::new();
    let (host, viewer) = (rig.host("same"), rig.viewer("same"));
    let gift = rig.publish();
    assert_eq!(
        (rig.drain(host), rig.drain(viewer)),
        (vec![gift], vec![gift])
    );
    assert_eq!(rig.stream.audience(), (1, 1));
    rig.leave(viewer);
    rig.ack(host, gift, Word::Rendered);
    assert_eq!(rig.endings(), ended(gift, Ending::Rendered));
    assert_eq!(rig.stream.audience(), (1, 0));
}

#[test]
fn a_host_that_owes_too_much_is_told_once_and_goes_on_after_its_acks() {
    let mut rig = Rig::new();
    let host = rig.host("h");
    for _ in 0..HOST_WINDOW + 10 {
        rig.publish();
    }
    assert_eq!(rig.drain(host).len(), HOST_WINDOW);
    // `drain` ended at the message; it is not said again.
    assert!(matches!(rig.stream.next(host, rig.now), Next::Wait(_)));
    rig.ack(host, 1, Word::Rendered);
    assert_eq!(rig.drain(host), [HOST_WINDOW as u64 + 1]);
}

#[test]
fn beyond_the_bound_the_oldest_gift_is_parked() {
    let mut rig = Rig::new();
    for _ in 0..=MAX_UNSETTLED {
        rig.publish();
    }
    assert_eq!(rig.endings(), ended(1, Ending::Parked));
    assert_eq!(rig.stream.unsettled(), MAX_UNSETTLED);
}

#[test]
fn config_reaches_everybody_once_and_the_latest_status_is_enough() {
    let mut rig = Rig::new();
    rig.stream.set_status(71, 71);
    rig.stream.set_status(72, 72);
    let viewer = rig.viewer("v");
    assert_eq!(rig.drain(viewer), [72]);
    let faster = SessionConfig {
        max_gifts_per_second: 60.0,
        ..SessionConfig::default()
    };
    rig.stream.set_config(faster.clone());
    assert_eq!(rig.stream.next(viewer, rig.now), Next::Config(faster));
    assert_eq!(rig.stream.next(viewer, rig.now), Next::Wait(None));
}

#[test]
fn only_a_host_that_joins_hears_the_status_without_the_gifts_that_it_is_sent_again() {
    let mut rig = Rig::new();
    let (host, viewer) = (rig.host("h"), rig.viewer("v"));
    assert!(rig.drain(host).is_empty() && rig.drain(viewer).is_empty());
    rig.stream.set_status(75, 71);
    assert_eq!((rig.drain(host), rig.drain(viewer)), (vec![75], vec![75]));
    rig.stream.renew_status(76, 72);
    assert!(rig.drain(host).is_empty() && rig.drain(viewer).is_empty());
    let (later, late) = (rig.host("later"), rig.viewer("late"));
    assert_eq!((rig.drain(later), rig.drain(late)), (vec![72], vec![76]));
}

#[test]
fn controls_reach_those_who_named_them_when_the_stream_grants_them() {
    let mut rig = Rig::new();
    let host = rig.host("h");
    let deaf = Joining {
        client_id: "deaf".into(),
        role: ClientType::Viewer,
        hears_controls: false,
    };
    let (deaf, _) = rig.stream.join(deaf);
    assert_eq!(rig.stream.control(&99, None), 1);
    assert_eq!((rig.drain(host), rig.drain(deaf)), (vec![99], vec![]));
    let told: usize = (0..=MAX_CONTROLS)
        .map(|_| rig.stream.control(&1, None))
        .sum();
    assert_eq!(told, MAX_CONTROLS, "who does not read gets no more");
    rig.stream.set_config(SessionConfig::default());
    assert_eq!(rig.stream.control(&99, None), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Publish(u8),
    Join { client: u8, host: bool },
    Leave(u8),
    Drain(u8),
    Ack { on: u8, gift: u8, word: u8 },
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..40_u8).prop_map(Step::Publish),
        2 => (0..4_u8, any::<bool>()).prop_map(|(client, host)| Step::Join { client, host }),
        1 => (0..8_u8).prop_map(Step::Leave),
        4 => (0..8_u8).prop_map(Step::Drain),
        6 => (0..8_u8, any::<u8>(), 0..4_u8)
            .prop_map(|(on, gift, word)| Step::Ack { on, gift, word }),
        2 => (0..600_u16).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: the invariants hold, each gift ends
    /// at most once, none is lost, and a host that stays gets every gift that
    /// is still open.
    #[test]
    fn any_history_leaves_every_gift_ended_once_or_deliverable(
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let mut rig = Rig::new();
        let mut connections: Vec<ConnectionId> = Vec::new();
        let mut endings: BTreeMap<String, Ending> = BTreeMap::new();
        for step in steps {
            let pick = |of: u8| connections.get(usize::from(of) % connections.len().max(1));
            match step {
                Step::Publish(count) => (0..count).for_each(|_| { rig.publish(); }),
                Step::Join { client, host } => {
                    let role = if host { ClientType::Host } else { ClientType::Viewer };
                    connections.push(rig.join(&client.to_string(), role));
                }
                Step::Leave(of) => if let Some(&id) = pick(of) {
                    rig.leave(id);
                    connections.retain(|own| *own != id);
                },
                Step::Drain(of) => if let Some(&id) = pick(of) {
                    let frames = rig.drain(id);
                    let distinct: BTreeSet<_> = frames.iter().collect();
                    prop_assert_eq!(distinct.len(), frames.len(), "twice in one moment");
                },
                Step::Ack { on, gift, word } => if let Some(&id) = pick(on) {
                    let word = match word {
                        0 | 1 => Word::Rendered,
                        2 => failed(),
                        _ => Word::Received,
                    };
                    rig.ack(id, u64::from(gift) % (rig.serial + 1), word);
                },
                Step::Pass(seconds) => rig.pass(seconds.into()),
            }
            rig.stream.verify_invariants();
            for (gift, ending) in rig.endings() {
                // Repeated acks of what is settled are the store's to ignore.
                match endings.get(&gift) {
                    None | Some(Ending::Parked) => { endings.insert(gift, ending); }
                    Some(_) => prop_assert_eq!(ending, Ending::Rendered),
                }
            }
        }
        let fresh = rig.host("fresh");
        let due: Vec<Serial> = rig.drain(fresh);
        let open: Vec<Serial> = (1..=rig.serial)
            .filter(|serial| !endings.contains_key(&serial.to_string()))
            .collect();
        prop_assert_eq!(due, open);
    }
}
