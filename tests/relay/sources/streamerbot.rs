use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyperfocus::config::{Secret, SourceKind};
use hyperfocus::model::Private;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::platform::{Caller, Platform};
use super::{assert_become, examples, house_with, until_connected, until_gifts, until_source};

fn kind(platform: &Platform, password: Option<&str>) -> SourceKind {
    SourceKind::Streamerbot {
        url: platform.url("/"),
        password: password.map(|password| Secret::Given(Private(password.to_owned()))),
    }
}

fn hello(challenge: bool) -> Value {
    let mut hello = json!({
        "timestamp": "2026-01-10T20:00:00Z", "session": "s", "request": "Hello",
        "info": { "instanceId": "i", "name": "Streamer.bot", "version": "1.0.4" },
    });
    if challenge {
        hello["authentication"] = json!({ "salt": "c2FsdA==", "challenge": "Y2hhbGxlbmdl" });
    }
    hello
}

/// Greets, and answers to the subscription.
fn greet(platform: &Platform) -> Caller {
    let mut caller = platform.accept();
    caller.say(&hello(false));
    subscribed(&mut caller);
    caller
}

fn subscribed(caller: &mut Caller) {
    let request = caller.heard();
    assert_eq!(request["request"], "Subscribe", "{request}");
    for (source, event) in [
        ("Twitch", "GiftBomb"),
        ("Twitch", "RewardRedemption"),
        ("YouTube", "SuperChat"),
        ("Kick", "KicksGifted"),
    ] {
        let events = request["events"][source].as_array().expect("a list");
        assert!(events.contains(&json!(event)), "{request}");
    }
    caller.say(&json!({ "status": "ok", "id": request["id"], "events": request["events"] }));
}

#[test]
fn each_event_of_the_three_platforms_becomes_its_gift() {
    let platform = Platform::new();
    let house = house_with(kind(&platform, None));
    let mut caller = greet(&platform);
    let examples = examples(include_str!("../../data/sources/streamerbot.json"));
    examples.iter().for_each(|(message, _)| caller.say(message));
    until_source(&house, "all are heard", |it| it["events"] == examples.len());
    let count = examples.iter().filter(|(_, gift)| !gift.is_null()).count();
    assert_become(&until_gifts(&house, count), &examples);
    let it = until_source(&house, "all are stored", |it| it["gifts"] == count);
    assert_eq!(it["ignored"], examples.len() - count, "{it}");
}

#[test]
fn what_happens_before_the_subscription_is_answered_counts() {
    let platform = Platform::new();
    let house = house_with(kind(&platform, None));
    let mut caller = platform.accept();
    caller.say(&hello(false));
    let request = caller.heard();
    let examples = examples(include_str!("../../data/sources/streamerbot.json"));
    let a_gift = examples.iter().find(|(_, gift)| !gift.is_null());
    caller.say(&a_gift.unwrap().0);
    caller.say(&json!({ "status": "ok", "id": request["id"] }));
    until_gifts(&house, 1);
}

#[test]
fn an_event_that_is_said_again_is_one_gift_even_on_a_new_connection() {
    let platform = Platform::new();
    let house = house_with(kind(&platform, None));
    let examples = examples(include_str!("../../data/sources/streamerbot.json"));
    let count = examples.iter().filter(|(_, gift)| !gift.is_null()).count();
    for round in 1..=2 {
        let mut caller = greet(&platform);
        examples.iter().for_each(|(message, _)| caller.say(message));
        let heard = round * examples.len();
        until_source(&house, "all are heard", |it| it["events"] == heard);
        drop(caller);
    }
    // What comes now comes after all that was said before.
    let mut caller = greet(&platform);
    caller.say(&json!({
        "timeStamp": "2026-01-10T21:00:00Z", "event": { "source": "Kick", "type": "Subscription" },
        "data": { "user": { "id": "9", "name": "Last" } },
    }));
    let gifts = until_gifts(&house, count + 1);
    assert_eq!(
        gifts[count]["sender"]["username"], "Last",
        "nothing came between"
    );
}

#[test]
fn a_test_trigger_that_always_has_the_same_id_is_a_gift_each_time() {
    let platform = Platform::new();
    let house = house_with(kind(&platform, None));
    let mut caller = greet(&platform);
    for n in 1..=2 {
        caller.say(&json!({
            "timeStamp": format!("2026-01-10T20:00:0{n}Z"),
            "event": { "source": "Twitch", "type": "Cheer" },
            "data": { "messageId": "test", "bits": 100, "isTest": true, "user": { "id": "1", "name": "T" } },
        }));
    }
    assert_eq!(until_gifts(&house, 2).len(), 2);
}

#[test]
fn a_password_is_proven_and_never_sent() {
    let platform = Platform::new();
    let house = house_with(kind(&platform, Some("hunter2")));
    let mut caller = platform.accept();
    caller.say(&hello(true));
    let request = caller.heard();
    assert_eq!(request["request"], "Authenticate");
    let hash = |text: String| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let expected = hash(hash("hunter2c2FsdA==".into()) + "Y2hhbGxlbmdl");
    assert_eq!(request["authentication"], json!(expected));
    assert!(!request.to_string().contains("hunter2"));
    caller.say(&json!({ "status": "ok", "id": request["id"] }));
    subscribed(&mut caller);
    until_connected(&house);
}

#[test]
fn a_wrong_password_is_said_plainly_and_asked_for_when_there_is_none() {
    for (password, told) in [
        (Some("wrong"), "refuses the password"),
        (None, "asks for a password"),
    ] {
        let platform = Platform::new();
        let house = house_with(kind(&platform, password));
        let mut caller = platform.accept();
        caller.say(&hello(true));
        let request = caller.heard();
        caller.say(&json!({ "status": "error", "id": request["id"], "error": "no" }));
        let it = until_source(&house, "it gives up for now", |it| it["state"] == "waiting");
        let error = it["error"].as_str().unwrap();
        assert!(error.contains(told) && !error.contains("wrong"), "{error}");
    }
}

#[test]
fn a_server_that_never_greets_is_an_old_one_and_is_asked_all_the_same() {
    let platform = Platform::new();
    let house = house_with(kind(&platform, None));
    let mut caller = platform.accept();
    subscribed(&mut caller);
    until_connected(&house);
}
