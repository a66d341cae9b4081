//! What a relay's history says when its clock was set back, and of gifts that were
//! sent again; and a relay that starts where nothing can be written.

use hyperfocus::relay::{Relay, Role};
use serde_json::{Value, json};

use crate::house::{House, options, until};
use crate::http::Answer;

fn ask(house: &House, path: &str) -> Answer {
    let answer = house.request(Role::Host, "GET", path).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The gifts of the last hours' history, in its order.
fn history(house: &House) -> Vec<String> {
    let lines = ask(house, "/v1/streams/main/history?last=2h").body;
    let id = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["message"]["payload"]["giftId"]
            .as_str()
            .unwrap()
            .into()
    };
    lines.lines().map(id).collect()
}

#[test]
fn after_the_clock_was_set_back_a_history_goes_on_and_rates_are_judged_by_what_came_since() {
    let house = House::new();
    let gift = |id: String| json!({ "giftId": id, "giftType": "rose", "sender": { "userId": "ada", "username": "Ada" } });
    // More than a page of them.
    let early: Vec<_> = (0..1200).map(|n| gift(format!("early-{n}"))).collect();
    for some in early.chunks(600) {
        assert_eq!(house.post(&json!(some)).status, 201);
    }
    let an_hour_later = "UPDATE gifts SET accepted_at = accepted_at + 3600000";
    house.database().execute(an_hour_later, []).unwrap();
    assert_eq!(
        history(&house).len(),
        1200,
        "the clock was set back just now"
    );
    house.give("late");
    let all = history(&house);
    assert_eq!((all.len(), all.last().unwrap().as_str()), (1201, "late"));
    let judged = ask(&house, "/v1/streams/main/rates").json();
    assert_eq!(judged["gifts"], 1, "{judged}");
    let share = &judged["rates"][0]["answeredShare"];
    assert!(share.is_number(), "{judged}");
}

#[test]
fn a_gift_that_was_sent_again_is_in_the_history_once_and_judged_once() {
    let house = House::new();
    house.give("parked");
    let park = "UPDATE gifts SET state = 3, ended_at = accepted_at";
    assert_eq!(house.database().execute(park, []), Ok(1));
    let resend = "/v1/streams/main/gifts/parked/resend";
    let sent = house.request(Role::Host, "POST", resend).send();
    assert_eq!(sent.status, 201, "{sent:?}");
    let another = sent.json()["giftId"].as_str().unwrap().to_owned();
    until("the first has ended", || {
        house.listed("failed") == ["parked"]
    });
    assert_eq!(history(&house), [another]);
    let judged = ask(&house, "/v1/streams/main/rates").json();
    assert_eq!(judged["gifts"], 1, "{judged}");
}

#[test]
fn a_relay_starts_though_it_cannot_write_down_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    // As on a full disk, on which the first start has left all else.
    std::fs::create_dir(folder.path().join("relay.address")).unwrap();
    Relay::start(options(folder.path())).unwrap();
}
