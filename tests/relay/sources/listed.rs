use std::io::{BufRead, BufReader};

use hyperfocus::config::SourceKind;
use hyperfocus::relay::{Relay, Role};
use serde_json::{Value, json};

use super::platform::Platform;
use super::{listed, source};
use crate::house::{House, options, until};

#[test]
fn http_is_a_source_as_well_and_only_hosts_see_them() {
    let house = House::new();
    let http = listed(&house)[0].clone();
    assert_eq!(
        (&http["kind"], &http["state"]),
        (&json!("http"), &json!("connected"))
    );
    assert_eq!(http["lastEventAt"], Value::Null);
    house.give("a");
    assert_eq!(house.post(&crate::house::gift("a")).status, 200);
    let http = listed(&house)[0].clone();
    assert_eq!((&http["events"], &http["gifts"]), (&json!(2), &json!(1)));
    let when = http["lastEventAt"].as_str().unwrap();
    assert!(when.ends_with('Z') && when.contains('T'), "{when}");
    for role in [Role::Ingest, Role::Viewer] {
        let answer = house.request(role, "GET", "/v1/sources").send();
        assert_eq!(answer.status, 403);
    }
    let nobody = crate::http::Request::new(house.address(), "GET", "/v1/sources");
    assert_eq!(nobody.send().status, 401);
}

#[test]
fn readers_of_events_hear_how_a_source_is() {
    let platform = Platform::new();
    let url = platform.url("/");
    let house = House::with(|options| {
        let elsewhere = SourceKind::Tikfinity { url: url.clone() };
        options.sources = vec![source(elsewhere)];
    });
    let events = house.request(Role::Host, "GET", "/v1/streams/main/events");
    let mut lines = BufReader::new(events.open().unwrap()).lines();
    let mut caller = platform.accept();
    caller.say(&json!({ "event": "like", "data": {} }));
    let heard = loop {
        let line = lines.next().expect("more").expect("a line");
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        let data: Value = serde_json::from_str(data).unwrap();
        if data["name"] == "tikfinity" && data["events"] == 1 {
            break data;
        }
    };
    assert_eq!(
        (&heard["state"], &heard["stream"]),
        (&json!("connected"), &json!("main"))
    );
}

#[test]
fn a_source_that_cannot_ever_work_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = options(folder.path());
    wrong.sources = vec![source(SourceKind::Tikfinity {
        url: "ws://:1/".to_owned(),
    })];
    let refused = Relay::start(wrong).unwrap_err().to_string();
    assert!(refused.contains("tikfinity"), "{refused}");
}

#[test]
fn sources_bring_gifts_to_their_own_streams() {
    let platforms = [Platform::new(), Platform::new()];
    let house = House::with(|options| {
        let sources = platforms.iter().enumerate().map(|(n, platform)| {
            let mut one = source(SourceKind::Tikfinity {
                url: platform.url("/"),
            });
            (one.name, one.stream) = (format!("tik-{n}"), format!("stream-{n}"));
            one
        });
        options.sources = sources.collect();
    });
    for platform in &platforms {
        let mut caller = platform.accept();
        caller.say(&json!({ "event": "subscribe", "data": { "userId": "1", "msgId": "same" } }));
        // It stays for the test.
        std::mem::forget(caller);
    }
    for n in 0..2 {
        let path = format!("/v1/streams/stream-{n}/gifts");
        until("its gift is there", || {
            let answer = house.request(Role::Host, "GET", &path).send().json();
            answer["gifts"].as_array().unwrap().len() == 1
        });
    }
    until("they are counted as those over HTTP are", || {
        house.figure("gifts_accepted_total") == 2
    });
}
