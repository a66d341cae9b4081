use hyperfocus::config::SourceKind;
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::platform::{Caller, Platform};
use super::{
    assert_become, examples, gifts, house_of, house_with, rule, source, total_of, until_connected,
    until_gifts, until_source,
};
use crate::cluster::on;
use crate::foreign_nats::Nats;
use crate::house::House;

fn kind(platform: &Platform) -> SourceKind {
    SourceKind::Tikfinity {
        url: platform.url("/"),
    }
}

/// Roses of Ada's: the running total, and whether the streak is over.
fn roses(group: &str, total: u32, is_over: bool) -> Value {
    json!({ "event": "gift", "data": {
        "giftId": 5655, "giftName": "Rose", "giftType": 1, "diamondCount": 1,
        "repeatCount": total, "repeatEnd": is_over, "groupId": group,
        "userId": "42", "uniqueId": "ada", "nickname": "Ada", "msgId": format!("{group}-{total}-{is_over}"),
    }})
}

/// A gift after which everything before it has been dealt with.
fn last(caller: &mut Caller) {
    caller.say(&json!({ "event": "gift", "data": {
        "giftId": 1, "giftName": "Last", "giftType": 2, "repeatCount": 1, "userId": "1", "msgId": "last",
    }}));
}

#[test]
fn each_event_becomes_its_gift() {
    let platform = Platform::new();
    let house = house_with(kind(&platform));
    let mut caller = platform.accept();
    let examples = examples(include_str!("../../data/sources/tikfinity.json"));
    examples.iter().for_each(|(message, _)| caller.say(message));
    until_source(&house, "all are heard", |it| it["events"] == examples.len());
    let count = examples.iter().filter(|(_, gift)| !gift.is_null()).count();
    let gifts = until_gifts(&house, count);
    assert_become(&gifts, &examples);
    assert_eq!(gifts[1]["metadata"]["isStreak"], true);
    assert_eq!(gifts[1]["metadata"]["comboCount"], 4);
}

#[test]
fn a_name_that_was_cut_in_an_emoji_is_still_somebodys_gift() {
    let platform = Platform::new();
    let house = house_with(kind(&platform));
    let mut caller = platform.accept();
    let whole = roses("7", 1, true).to_string();
    caller.raw(&whole.replace(r#""nickname":"Ada""#, r#""nickname":"Ada \ud83d""#));
    let gifts = until_gifts(&house, 1);
    assert_eq!(gifts[0]["sender"]["username"], "Ada \u{fffd}");
}

#[test]
fn the_last_pieces_of_a_streak_end_it() {
    let platform = Platform::new();
    let house = house_with(kind(&platform));
    let mut caller = platform.accept();
    for (total, is_over) in [(2, false), (5, true)] {
        caller.say(&json!({ "event": "gift", "data": {
            "giftId": 5655, "giftName": "Rose", "giftType": 1, "repeatCount": total,
            "repeatEnd": is_over, "groupId": "7", "userId": "1", "msgId": format!("m{total}"),
        }}));
    }
    let gifts = until_gifts(&house, 2);
    let said = |gift: &Value| {
        (
            gift["quantity"].clone(),
            gift["metadata"]["isStreak"].clone(),
        )
    };
    assert_eq!(said(&gifts[0]), (json!(2), json!(true)));
    assert_eq!(said(&gifts[1]), (json!(3), json!(false)));
}

#[test]
fn five_roses_are_five_with_messages_lost_and_repeated_and_the_end_said_twice() {
    let ways: [&[(u32, bool)]; 5] = [
        &[
            (1, false),
            (2, false),
            (3, false),
            (4, false),
            (5, false),
            (5, true),
        ],
        &[(2, false), (5, true)],
        &[(5, true)],
        &[
            (1, false),
            (1, false),
            (3, false),
            (3, false),
            (5, false),
            (5, true),
            (5, true),
        ],
        &[(4, false), (2, false), (5, false), (3, false), (5, true)],
    ];
    let platform = Platform::new();
    let house = house_with(kind(&platform));
    let mut caller = platform.accept();
    for (group, way) in ways.iter().enumerate() {
        for &(total, is_over) in *way {
            caller.say(&roses(&format!("17680752{group}"), total, is_over));
        }
    }
    last(&mut caller);
    let accepted = |gifts: &[Value]| gifts.last().is_some_and(|gift| gift["giftType"] == "Last");
    crate::house::until("the last is there", || accepted(&gifts(&house)));
    let gifts = gifts(&house);
    let roses = &gifts[..gifts.len() - 1];
    assert_eq!(total_of(roses), 5 * ways.len() as u64);
    let value: f64 = roses
        .iter()
        .map(|gift| gift["totalValue"].as_f64().unwrap())
        .sum();
    assert_eq!(value, 25.0);
}

#[test]
fn a_streak_goes_on_over_a_reconnect_and_over_a_restart_of_the_relay() {
    let platform = Platform::new();
    goes_on(house_with(kind(&platform)), &platform);
}

#[test]
fn a_streak_goes_on_over_a_restart_of_a_relay_that_keeps_its_gifts_in_nats() {
    let Some(nats) = Nats::start() else {
        return;
    };
    let platform = Platform::new();
    let house = House::with(|options| {
        options.nats = Some(on(&nats));
        options.sources = vec![source(kind(&platform))];
    });
    goes_on(house, &platform);
}

/// Five roses, with a reconnect and a restart between them.
fn goes_on(mut house: House, platform: &Platform) {
    let mut caller = platform.accept();
    caller.say(&roses("g", 1, false));
    caller.say(&roses("g", 2, false));
    until_gifts(&house, 2);
    drop(caller);
    let mut caller = platform.accept();
    caller.say(&roses("g", 2, false));
    caller.say(&roses("g", 4, false));
    until_gifts(&house, 3);
    drop(caller);
    house.restart();
    let mut caller = platform.accept();
    caller.say(&roses("g", 4, false));
    caller.say(&roses("g", 5, false));
    caller.say(&roses("g", 5, true));
    last(&mut caller);
    let gifts = until_gifts(&house, 5);
    assert_eq!(total_of(&gifts[..4]), 5, "{gifts:?}");
}

#[test]
fn what_was_said_while_the_store_was_locked_is_kept_though_the_relay_stops() {
    const GIFTS: u64 = 20;
    let platform = Platform::new();
    let mut house = house_with(kind(&platform));
    let mut caller = platform.accept();
    until_connected(&house);
    let locked = house.database();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 1..=GIFTS {
        caller.say(&roses(&n.to_string(), 1, true));
    }
    let it = until_source(&house, "the gifts wait", |it| {
        it["events"] == GIFTS && it["error"].is_string()
    });
    assert_eq!(it["gifts"], 0, "{it}");
    // The source is the first to go, and only then can they be stored.
    let unlocking = std::thread::spawn(move || {
        caller.gone();
        locked.execute_batch("ROLLBACK").unwrap();
    });
    house.stop();
    unlocking.join().unwrap();
    let count = "SELECT count(*) FROM gifts";
    let kept = house.database().query_row(count, [], |row| row.get(0));
    assert_eq!(kept, Ok(GIFTS));
}

#[test]
fn a_rule_decides_which_gift_it_is_and_what_it_is_worth() {
    let platform = Platform::new();
    let mut source = source(kind(&platform));
    let mut worth = rule("rose", "crown");
    worth.value = Some(7.0);
    source.map = vec![worth, rule("gift:1000..", "lion")];
    let house = house_of(source);
    let mut caller = platform.accept();
    caller.say(&roses("g", 3, true));
    caller.say(&json!({ "event": "gift", "data": {
        "giftId": 2, "giftName": "Yacht", "giftType": 2, "repeatCount": 1, "diamondCount": 9888,
        "userId": "1", "msgId": "1",
    }}));
    let gifts = until_gifts(&house, 2);
    assert_eq!(
        (&gifts[0]["giftType"], gifts[0]["totalValue"].as_f64()),
        (&json!("crown"), Some(21.0))
    );
    assert_eq!(gifts[1]["giftType"], "lion");
}

#[test]
fn rubbish_is_counted_and_the_next_gift_is_a_gift() {
    let platform = Platform::new();
    let house = house_with(kind(&platform));
    let mut caller = platform.accept();
    let deep = "[".repeat(10_000);
    let rubbish = ["", "{", "null", "[]", "\"Ada\"", "{\"event\":7}", &deep];
    rubbish.iter().for_each(|text| caller.raw(text));
    caller
        .socket
        .send(Message::Binary(Bytes::from_static(b"\xff\xfe")))
        .unwrap();
    for data in [
        json!(null),
        json!({ "giftId": 1 }),
        json!({ "repeatCount": 1 }),
        json!({ "giftId": {}, "repeatCount": -1 }),
    ] {
        caller.say(&json!({ "event": "gift", "data": data }));
    }
    caller.say(&json!({ "event": "gift", "data": {
        "giftId": 1, "giftType": 1, "groupId": "x".repeat(100_000), "giftName": "N".repeat(5_000),
        "userId": "u".repeat(5_000), "nickname": "\u{202e}Ada", "repeatCount": 1e300, "diamondCount": 1e308,
    }}));
    last(&mut caller);
    let gifts = until_gifts(&house, 2);
    assert_eq!(gifts[0]["quantity"], 1_000_000, "cut to what a gift can be");
    assert_eq!(gifts[0]["sender"]["username"], "Ada");
    let it = until_source(&house, "all are counted", |it| {
        it["ignored"] == rubbish.len() + 4
    });
    assert_eq!(it["state"], "connected");
}

#[test]
fn a_message_too_large_ends_the_connection_and_not_the_relay() {
    let platform = Platform::new();
    let house = house_with(kind(&platform));
    let mut caller = platform.accept();
    until_connected(&house);
    // The source may hang up while this is being written.
    let _ = caller
        .socket
        .send(Message::text("x".repeat(3 * 1024 * 1024)));
    let it = until_source(&house, "it is refused", |it| it["state"] == "waiting");
    assert!(it["error"].as_str().unwrap().contains("2 MiB"), "{it}");
    house.give("still");
}

#[test]
fn who_is_not_there_yet_is_waited_for() {
    // A port that is ours, though nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let url = format!("ws://127.0.0.1:{port}/");
    let house = house_with(SourceKind::Tikfinity { url });
    let it = until_source(&house, "it fails", |it| it["state"] == "waiting");
    assert!(it["error"].as_str().unwrap().contains("refused"), "{it}");
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build().unwrap();
    let listener = runtime.block_on(async { socket.listen(1).unwrap().into_std().unwrap() });
    let stream = super::platform::accept(&listener);
    let _socket = tokio_tungstenite::tungstenite::accept(stream).unwrap();
    let it = until_source(&house, "it is connected", |it| it["state"] == "connected");
    assert_eq!(it["error"], Value::Null);
}
