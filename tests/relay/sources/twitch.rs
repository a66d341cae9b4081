use std::path::Path;

use hyperfocus::config::{Secret, SourceKind};
use hyperfocus::model::Private;
use serde_json::{Value, json};

use super::platform::{Caller, Platform};
use super::web::Helix;
use super::{
    assert_become, examples, gifts, house_with, listed, until_connected, until_gifts, until_source,
};

const TOKEN: &str = "5ecr3t-t0ken";

fn kind(platform: &Platform, helix: &Helix) -> SourceKind {
    SourceKind::Twitch {
        url: platform.url("/ws"),
        api: helix.url(),
        client_id: "client".to_owned(),
        token: Secret::Given(Private(TOKEN.to_owned())),
        channel: None,
    }
}

fn message(id: &str, kind: &str, payload: Value) -> Value {
    json!({
        "metadata": { "message_id": id, "message_type": kind, "message_timestamp": "2026-01-10T20:00:00.123456789Z" },
        "payload": payload,
    })
}

fn welcome(session: &str, silence: u64) -> Value {
    let session = json!({
        "id": session, "status": "connected", "connected_at": "2026-01-10T20:00:00Z",
        "keepalive_timeout_seconds": silence, "reconnect_url": null, "recovery_url": null,
    });
    message(
        &format!("welcome-{session}"),
        "session_welcome",
        json!({ "session": session }),
    )
}

fn cheer(id: &str, bits: u32) -> Value {
    let mut cheer = message(
        id,
        "notification",
        json!({
            "subscription": { "id": "s", "status": "enabled", "type": "channel.bits.use", "version": "1" },
            "event": { "user_id": "1", "user_login": "ada", "user_name": "Ada", "bits": bits, "type": "cheer" },
        }),
    );
    cheer["metadata"]["subscription_type"] = json!("channel.bits.use");
    cheer
}

fn join(platform: &Platform, session: &str) -> Caller {
    let mut caller = platform.accept();
    caller.say(&welcome(session, 60));
    caller
}

#[test]
fn it_subscribes_for_the_tokens_own_channel_and_each_event_becomes_its_gift() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "session-1");
    let who = helix.asked();
    assert_eq!(who.line, "GET /helix/users");
    let mut kinds = Vec::new();
    for _ in 0..5 {
        let asked = helix.asked();
        assert_eq!(asked.line, "POST /helix/eventsub/subscriptions");
        assert_eq!(asked.token, format!("Bearer {TOKEN}"));
        assert!(
            asked.headers.contains("client-id: client"),
            "{}",
            asked.headers
        );
        assert_eq!(
            asked.body["condition"],
            json!({ "broadcaster_user_id": "1337" })
        );
        let transport = json!({ "method": "websocket", "session_id": "session-1" });
        assert_eq!(asked.body["transport"], transport);
        kinds.push(asked.body["type"].as_str().unwrap().to_owned());
    }
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "channel.bits.use",
            "channel.channel_points_custom_reward_redemption.add",
            "channel.subscribe",
            "channel.subscription.gift",
            "channel.subscription.message",
        ]
    );
    until_connected(&house);
    let examples = examples(include_str!("../../data/sources/twitch.json"));
    examples.iter().for_each(|(message, _)| caller.say(message));
    let count = examples.iter().filter(|(_, gift)| !gift.is_null()).count();
    assert_become(&until_gifts(&house, count), &examples);
    until_source(&house, "all are heard", |it| it["events"] == examples.len());
}

#[test]
fn a_message_that_comes_twice_is_one_gift() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "a");
    for id in ["1", "1", "2", "1", "2"] {
        caller.say(&cheer(id, 100));
    }
    let it = until_source(&house, "all are heard", |it| it["events"] == 5);
    assert_eq!(it["ignored"], 3);
    assert_eq!(until_gifts(&house, 2).len(), 2);
}

#[test]
fn moving_as_twitch_asks_loses_nothing_and_subscribes_to_nothing_again() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut old = join(&platform, "a");
    old.say(&cheer("before", 100));
    until_gifts(&house, 1);
    (0..6).for_each(|_| drop(helix.asked()));
    let session = json!({
        "id": "a", "status": "reconnecting", "keepalive_timeout_seconds": null,
        "reconnect_url": platform.url("/moved?id=1"), "connected_at": "2026-01-10T20:00:00Z",
    });
    old.say(&message(
        "go",
        "session_reconnect",
        json!({ "session": session }),
    ));
    let mut new = platform.accept();
    assert_eq!(new.path, "/moved?id=1");
    // It is not welcome yet, and what comes over the old connection counts.
    old.say(&cheer("between", 200));
    until_gifts(&house, 2);
    new.say(&welcome("a", 60));
    // Twitch may say it over both.
    new.say(&cheer("between", 200));
    new.say(&cheer("after", 300));
    let gifts = until_gifts(&house, 3);
    let value = |gift: &Value| gift["totalValue"].as_f64().unwrap();
    assert_eq!(
        gifts.iter().map(value).collect::<Vec<_>>(),
        [100.0, 200.0, 300.0]
    );
    old.gone();
    assert_eq!(helix.rest(), 0, "the subscriptions have moved along");
}

#[test]
fn it_moves_to_no_other_host() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let elsewhere = Platform::new();
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "a");
    let url = elsewhere.url("/").replace("127.0.0.1", "localhost");
    let session = json!({ "id": "a", "status": "reconnecting", "reconnect_url": url });
    caller.say(&message(
        "go",
        "session_reconnect",
        json!({ "session": session }),
    ));
    caller.say(&cheer("1", 100));
    until_gifts(&house, 1);
    drop(caller);
    // It begins anew where it was told to.
    let _again = join(&platform, "b");
    until_connected(&house);
    assert!(elsewhere.is_alone());
}

#[test]
fn silence_beyond_the_keepalive_begins_anew() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut caller = platform.accept();
    caller.say(&welcome("a", 1));
    caller.say(&message("k", "session_keepalive", json!({})));
    (0..6).for_each(|_| drop(helix.asked()));
    // Nothing comes, and after a while it is here again.
    let mut again = platform.accept();
    again.say(&welcome("b", 60));
    (0..6).for_each(|_| drop(helix.asked()));
    again.say(&cheer("1", 100));
    until_gifts(&house, 1);
}

#[test]
fn a_token_that_was_revoked_ends_the_session_and_it_is_said_what_to_do() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "a");
    until_connected(&house);
    caller.say(&revocation("authorization_revoked"));
    let it = until_source(&house, "it gives up for now", |it| it["state"] == "waiting");
    let error = it["error"].as_str().unwrap();
    assert!(
        error.contains("channel.bits.use") && error.contains("put a new one into its file"),
        "{error}"
    );
    caller.gone();
}

#[test]
fn what_twitch_has_done_away_with_is_said_and_the_rest_is_heard() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "a");
    caller.say(&revocation("version_removed"));
    let it = until_source(&house, "it is said", |it| it["error"].is_string());
    assert_eq!(it["state"], "connected");
    assert!(it["error"].as_str().unwrap().contains("update"), "{it}");
    caller.say(&cheer("1", 100));
    until_gifts(&house, 1);
}

fn revocation(status: &str) -> Value {
    let subscription =
        json!({ "id": "s", "status": status, "type": "channel.bits.use", "version": "1" });
    let payload = json!({ "subscription": subscription });
    message("r", "revocation", payload)
}

#[test]
fn a_token_that_is_refused_is_said_plainly_and_never_repeated() {
    let (platform, helix) = (Platform::new(), Helix::new());
    helix.answer(|asked| {
        let message = format!("Invalid OAuth token {}", asked.token);
        (
            401,
            json!({ "error": "Unauthorized", "status": 401, "message": message }),
        )
    });
    let house = house_with(kind(&platform, &helix));
    let _caller = join(&platform, "a");
    let it = until_source(&house, "it gives up for now", |it| it["state"] == "waiting");
    assert!(
        it["error"].as_str().unwrap().contains("refuses the token"),
        "{it}"
    );
    assert!(!format!("{:?}", listed(&house)).contains(TOKEN));
}

#[test]
fn what_the_token_may_not_hear_is_named_and_the_rest_is_heard() {
    let (platform, helix) = (Platform::new(), Helix::new());
    helix.answer(|asked| match asked.body["type"].as_str() {
        None => (200, json!({ "data": [{ "id": "1337" }] })),
        Some("channel.bits.use") => (202, json!({})),
        Some("channel.subscribe") => (409, json!({ "message": "subscription already exists" })),
        Some(_) => (
            403,
            json!({ "message": "subscription missing proper authorization" }),
        ),
    });
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "a");
    let it = until_source(&house, "it is connected", |it| it["state"] == "connected");
    let error = it["error"].as_str().unwrap();
    assert!(error.contains("channel:read:redemptions"), "{error}");
    assert!(!error.contains("bits:read"), "{error}");
    caller.say(&cheer("1", 100));
    until_gifts(&house, 1);
}

#[test]
fn what_helix_does_not_answer_is_asked_again_while_the_rest_is_heard() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let mut troubles = 1;
    helix.answer(move |asked| match asked.body["type"].as_str() {
        None => (200, json!({ "data": [{ "id": "1337" }] })),
        Some("channel.subscribe") if troubles > 0 => {
            troubles -= 1;
            (503, json!({ "message": "try again" }))
        }
        Some(_) => (202, json!({})),
    });
    let house = house_with(kind(&platform, &helix));
    let mut caller = join(&platform, "a");
    let it = until_source(&house, "it is connected", |it| it["state"] == "connected");
    let error = it["error"].as_str().unwrap();
    assert!(
        error.contains("503") && error.contains("channel.subscribe cannot be heard yet"),
        "{error}"
    );
    caller.say(&cheer("1", 100));
    until_gifts(&house, 1);
    let it = until_source(&house, "it has all", |it| it["error"].is_null());
    assert_eq!(it["state"], "connected");
    let mut asked: Vec<Value> = (0..8).map(|_| helix.asked().body["type"].clone()).collect();
    asked.retain(|kind| kind == "channel.subscribe");
    assert_eq!((asked.len(), helix.rest()), (2, 0));
    caller.say(&cheer("2", 100));
    until_gifts(&house, 2);
}

#[test]
fn moving_is_tried_again_where_it_fails_at_first() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let house = house_with(kind(&platform, &helix));
    let mut old = join(&platform, "a");
    until_connected(&house);
    let session =
        json!({ "id": "a", "status": "reconnecting", "reconnect_url": platform.url("/moved") });
    old.say(&message(
        "go",
        "session_reconnect",
        json!({ "session": session }),
    ));
    // Nobody answers it.
    drop(platform.accept());
    let mut new = platform.accept();
    assert_eq!(new.path, "/moved");
    old.say(&cheer("between", 100));
    until_gifts(&house, 1);
    new.say(&welcome("a", 60));
    new.say(&cheer("after", 100));
    until_gifts(&house, 2);
    old.gone();
}

#[test]
fn a_token_in_a_file_that_others_can_read_is_refused() {
    let (platform, helix) = (Platform::new(), Helix::new());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
    let mut with_file = kind(&platform, &helix);
    if let SourceKind::Twitch { token, .. } = &mut with_file {
        *token = Secret::File(path.clone());
    }
    set_mode(&path, 0o644);
    let house = house_with(with_file);
    let _caller = join(&platform, "a");
    let it = until_source(&house, "it is refused", |it| it["state"] == "waiting");
    assert!(it["error"].as_str().unwrap().contains("chmod 600"), "{it}");
    assert!(gifts(&house).is_empty());
    assert_eq!(helix.rest(), 0, "the token went nowhere");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
