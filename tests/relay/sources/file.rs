use hyperfocus::config::{SourceKind, SourceSettings};
use hyperfocus::relay::Role;
use serde_json::json;

use super::{house_of, house_with, rule, source, until_gifts, until_source};
use crate::guest::Guest;

fn write(lines: &[serde_json::Value]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.jsonl");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn line(at: f64, id: &str) -> serde_json::Value {
    json!({ "at": at, "message": { "type": "gift:received", "payload": { "giftId": id, "giftType": "rose" } } })
}

#[test]
fn a_show_is_played_in_its_order_at_its_speed_and_then_has_ended() {
    let status =
        json!({ "at": 1, "message": { "type": "stream:status", "payload": { "isLive": true } } });
    let (_folder, path) = write(&[line(0.0, "a"), status, line(600.0, "b"), line(900.0, "c")]);
    let house = house_with(SourceKind::File {
        path,
        speed: 1000.0,
        repeats: false,
    });
    let it = until_source(&house, "it has ended", |it| it["state"] == "ended");
    assert_eq!((&it["events"], &it["ignored"]), (&json!(4), &json!(1)));
    let gifts = until_gifts(&house, 3);
    let ends: Vec<_> = gifts
        .iter()
        .map(|gift| {
            gift["giftId"]
                .as_str()
                .unwrap()
                .rsplit(':')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(ends, ["a", "b", "c"]);
}

#[test]
fn a_name_that_was_cut_in_an_emoji_is_still_somebodys_gift() {
    let (_folder, path) = write(&[line(0.0, "a")]);
    let text = std::fs::read_to_string(&path).unwrap();
    let cut = r#""sender":{"userId":"1","username":"Zoe \ud83d"},"giftType""#;
    std::fs::write(&path, text.replace(r#""giftType""#, cut)).unwrap();
    let house = house_with(SourceKind::File {
        path,
        speed: 1.0,
        repeats: false,
    });
    let gifts = until_gifts(&house, 1);
    assert_eq!(gifts[0]["sender"]["username"], "Zoe \u{fffd}");
}

#[test]
fn the_sources_own_rules_go_by_the_gifts_type_and_worth() {
    let mut three = line(0.0, "b");
    three["message"]["payload"]["quantity"] = json!(3);
    three["message"]["payload"]["totalValue"] = json!(30);
    let (_folder, path) = write(&[line(0.0, "a"), three]);
    let kind = SourceKind::File {
        path,
        speed: 1.0,
        repeats: false,
    };
    let mut worth_more = rule("Rose:30..", "crown");
    worth_more.value = Some(50.0);
    let house = house_of(SourceSettings {
        map: vec![rule("rose", "heart"), worth_more],
        ..source(kind)
    });
    let gifts = until_gifts(&house, 2);
    let played = gifts
        .iter()
        .map(|gift| (&gift["giftType"], &gift["totalValue"]));
    let played: Vec<_> = played
        .map(|(name, worth)| (name.as_str(), worth.as_f64()))
        .collect();
    assert_eq!(
        played,
        [(Some("heart"), Some(0.0)), (Some("crown"), Some(150.0))]
    );
}

#[test]
fn a_show_that_repeats_gives_new_gifts_each_time() {
    let (_folder, path) = write(&[line(0.0, "a")]);
    let house = house_with(SourceKind::File {
        path,
        speed: 1.0,
        repeats: true,
    });
    let token = house.token(Role::Host);
    let mut guest = Guest::join(house.address(), &token, "h", "host");
    assert_ne!(guest.gift(), guest.gift());
}

#[test]
fn a_file_that_cannot_be_played_says_where() {
    let (_folder, path) = write(&[line(0.0, "a"), json!({ "at": 1, "massage": {} })]);
    let house = house_with(SourceKind::File {
        path,
        speed: 1.0,
        repeats: false,
    });
    let it = until_source(&house, "it is refused", |it| it["state"] == "waiting");
    let error = it["error"].as_str().unwrap();
    assert!(
        error.contains("show.jsonl:2:") && error.contains("message"),
        "{error}"
    );
}
