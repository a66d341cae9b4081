use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::GiftId;

/// One random thing that can happen to a session.
#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Connected(bool),
    Fail(u16),
    Ack(bool),
    Gift { id: u8, quantity: u32, combo: u32 },
    Ping(u64),
    Pong(bool),
    Error { retryable: bool, after: Option<u16> },
    Control { pick: u8, id: u8 },
    Status,
    Garbage(Vec<u8>),
    Binary,
    Violation,
    Close(Option<u16>),
    Outcome { pick: u8, rendered: bool },
    BlockSocket(bool),
    FillStage(bool),
    Shutdown,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u64..40_000).prop_map(Step::Pass),
        6 => any::<bool>().prop_map(Step::Connected),
        1 => prop_oneof![Just(400_u16), Just(404), Just(503), Just(0)].prop_map(Step::Fail),
        6 => any::<bool>().prop_map(Step::Ack),
        20 => (0_u8..12, 1_u32..3, 0_u32..3)
            .prop_map(|(id, quantity, combo)| Step::Gift { id, quantity, combo }),
        3 => any::<u64>().prop_map(Step::Ping),
        6 => any::<bool>().prop_map(Step::Pong),
        1 => (any::<bool>(), proptest::option::of(any::<u16>()))
            .prop_map(|(retryable, after)| Step::Error { retryable, after }),
        2 => (0_u8..6, 0_u8..12).prop_map(|(pick, id)| Step::Control { pick, id }),
        1 => Just(Step::Status),
        2 => proptest::collection::vec(any::<u8>(), 0..64).prop_map(Step::Garbage),
        1 => Just(Step::Binary),
        1 => Just(Step::Violation),
        2 => proptest::option::of(prop_oneof![Just(1000_u16), Just(1002), Just(1013), any::<u16>()])
            .prop_map(Step::Close),
        12 => (any::<u8>(), any::<bool>()).prop_map(|(pick, rendered)| Step::Outcome { pick, rendered }),
        2 => any::<bool>().prop_map(Step::BlockSocket),
        2 => any::<bool>().prop_map(Step::FillStage),
        1 => proptest::bool::weighted(0.02).prop_filter_map("rare", |shut| shut.then_some(Step::Shutdown)),
    ]
}

/// What the tests count for one identity on one connection.
#[derive(Debug, Default)]
struct Account {
    arrivals: usize,
    drawn: usize,
    decided: bool,
}

fn key_of(gift: &Gift) -> (String, u32, u32) {
    (gift.id.to_string(), gift.quantity, gift.combo_count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: the invariants hold after every
    /// step, no identity is drawn twice, no gift is acked before it is
    /// decided, on one connection no more often than it arrived, and everything
    /// decided is acked in the end.
    #[test]
    fn any_history_leads_to_a_defined_state(steps in proptest::collection::vec(step(), 1..160)) {
        let mut rig = Rig::new();
        let mut accounts: BTreeMap<(String, u32, u32), Account> = Default::default();
        let mut on_stage: Vec<Gift> = Vec::new();
        let mut seen_by_stage = 0;
        for step in steps {
            apply(&mut rig, step, &mut accounts, &mut on_stage);
            while let Some(message) = rig.stage.get(seen_by_stage) {
                seen_by_stage += 1;
                if let ToStage::Gift(gift) = message {
                    let account = accounts.get_mut(&key_of(gift)).expect("it arrived");
                    account.drawn += 1;
                    prop_assert_eq!(account.drawn, 1, "drawn twice: {:?}", gift.id);
                    on_stage.push((**gift).clone());
                }
            }
            prop_assert!(rig.session.undecided() <= accounts.len());
        }
        check_acks(&mut rig, &accounts)?;
    }

    /// Bytes of every kind, well-formed prefixes among them.
    #[test]
    fn any_bytes_leave_the_session_standing(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20),
        cut in 0_usize..400,
    ) {
        let mut rig = Rig::live();
        for bytes in &messages {
            rig.input(Input::Text(bytes));
        }
        let whole = encode_server(&ServerMessage::Gift(gift("cut", 1, 0)), wall(SECOND));
        let end = whole.floor_char_boundary(cut.min(whole.len()));
        rig.input(Input::Text(&whole.as_bytes()[..end]));
        rig.gift("after");
        prop_assert!(rig.drawn().contains(&"after".to_owned()));
        prop_assert!(rig.errors().len() <= 1);
    }
}

fn apply(
    rig: &mut Rig,
    step: Step,
    accounts: &mut BTreeMap<(String, u32, u32), Account>,
    on_stage: &mut Vec<Gift>,
) {
    match step {
        Step::Pass(ms) => rig.pass(Duration::from_millis(ms)),
        Step::Connected(subprotocol) => rig.input(Input::Connected { subprotocol }),
        Step::Fail(0) => rig.input(Input::ConnectFailed(ConnectFailure::Subprotocol)),
        Step::Fail(status) => rig.input(Input::ConnectFailed(ConnectFailure::Http {
            status,
            retry_after: None,
        })),
        Step::Ack(interim) => rig.ack(if interim {
            &["x-ack-interim", "x-control"]
        } else {
            &[]
        }),
        Step::Gift {
            id,
            quantity,
            combo,
        } => {
            let gift = gift(&id.to_string(), quantity, combo);
            if rig.session.is_open() {
                accounts.entry(key_of(&gift)).or_default().arrivals += 1;
            }
            rig.server(&ServerMessage::Gift(gift));
        }
        Step::Ping(sequence) => rig.server(&ping(sequence)),
        Step::Pong(ours) => match rig.pings.last().copied() {
            Some(payload) if ours => rig.input(Input::Pong(&payload)),
            _ => rig.input(Input::Pong(b"unsolicited")),
        },
        Step::Error { retryable, after } => {
            let after = after.map(|ms| Duration::from_millis(ms.into()));
            rig.server(&peer_error("RATE_LIMIT", retryable, after));
        }
        Step::Control { pick, id } => {
            let id: GiftId = id.to_string().into();
            let control = match pick {
                0 => Control::Pause,
                1 => Control::Resume,
                2 => Control::Hold(id),
                3 => Control::Release(id),
                4 => Control::Dismiss(id),
                _ => Control::Skip,
            };
            rig.server(&ServerMessage::Control(control));
        }
        Step::Status => rig.server(&ServerMessage::Status(StreamStatus::default())),
        Step::Garbage(bytes) => rig.input(Input::Text(&bytes)),
        Step::Binary => rig.input(Input::Binary),
        Step::Violation => rig.input(Input::Violation(Violation::BadFrames)),
        Step::Close(code) => rig.input(Input::Closed {
            code,
            reason: "bye",
        }),
        Step::Outcome { pick, rendered } => {
            if on_stage.is_empty() {
                return;
            }
            let gift = on_stage.swap_remove(usize::from(pick) % on_stage.len());
            accounts
                .get_mut(&key_of(&gift))
                .expect("it arrived")
                .decided = true;
            let verdict = match rendered {
                true => Verdict::Played,
                false => Verdict::Dismissed,
            };
            rig.outcome(&gift.id, gift.quantity, gift.combo_count, verdict);
        }
        Step::BlockSocket(blocked) => {
            rig.socket_blocked = blocked;
            rig.settle();
        }
        Step::FillStage(full) => {
            rig.stage_full = full;
            rig.settle();
        }
        Step::Shutdown => rig.input(Input::Shutdown),
    }
}

/// Brings the session back to a healthy connection, if it still wants one, and
/// holds the acks against what was decided.
fn check_acks(
    rig: &mut Rig,
    accounts: &BTreeMap<(String, u32, u32), Account>,
) -> Result<(), TestCaseError> {
    rig.socket_blocked = false;
    rig.break_connection();
    rig.pass(Duration::from_secs(400));
    if rig.session.is_stopped() {
        return Ok(());
    }
    // The last attempt is still waiting for an answer, or due.
    while !matches!(rig.session.phase, Phase::Connecting { .. }) {
        rig.pass(SECOND);
    }
    rig.input(Input::Connected { subprotocol: true });
    rig.ack(&[]);
    rig.pass(2 * SECOND);
    let mut acked: BTreeMap<String, usize> = Default::default();
    for message in &rig.sent {
        if let ClientMessage::GiftAck(ack) = message
            && (ack.rendered || ack.error.is_some())
        {
            *acked.entry(ack.gift_id.to_string()).or_default() += 1;
        }
    }
    for id in accounts.keys().map(|(id, ..)| id) {
        let decided = accounts
            .iter()
            .filter(|((other, ..), account)| other == id && account.decided)
            .count();
        let acks = acked.get(id).copied().unwrap_or_default();
        prop_assert!(acks >= decided, "{id}: {acks} acks for {decided} decided");
        prop_assert!(decided > 0 || acks == 0, "{id} was acked undecided");
    }
    check_each_connection(rig, accounts)?;
    // With every ack proven read, and nothing new, nothing goes out twice.
    rig.pong();
    rig.pass(2 * SECOND);
    if rig.session.unconfirmed_acks() > 0 {
        rig.pong();
    }
    prop_assert_eq!(rig.session.unconfirmed_acks(), 0);
    Ok(())
}

/// On one connection an id is acked no more often than it ever arrived:
/// without a duplicate nothing is acked twice.
fn check_each_connection(
    rig: &Rig,
    accounts: &BTreeMap<(String, u32, u32), Account>,
) -> Result<(), TestCaseError> {
    let is_init = |message: &ClientMessage| matches!(message, ClientMessage::Init(_));
    for connection in rig.sent.split(is_init) {
        let mut acked: BTreeMap<&str, usize> = BTreeMap::new();
        for message in connection {
            if let ClientMessage::GiftAck(ack) = message
                && (ack.rendered || ack.error.is_some())
            {
                *acked.entry(&ack.gift_id).or_default() += 1;
            }
        }
        for (id, acks) in acked {
            let arrivals: usize = accounts
                .iter()
                .filter(|((other, ..), _)| other == id)
                .map(|(_, account)| account.arrivals)
                .sum();
            prop_assert!(
                acks <= arrivals,
                "{id}: {acks} acks for {arrivals} arrivals"
            );
        }
    }
    Ok(())
}
