//! What the host's desk sees of the streams and their renderers.

use std::sync::Arc;
use std::time::Duration;

use hyperfocus::catalog::{Catalog, LaneThresholds};
use hyperfocus::model::{Gift, Private, Sender, Telemetry, WaitingGift};
use hyperfocus::net::FromStage;
use hyperfocus::protocol::ClientType;
use hyperfocus::relay::Role;
use hyperfocus::show::ShowSettings;
use hyperfocus::tune::{Arrival, Judge};
use serde_json::{Value, json};

use crate::events::Events;
use crate::guest::Guest;
use crate::house::{House, Process, gift, token, until};
use crate::http::Request;
use crate::renderer::Renderer;

fn get(house: &House, path: &str) -> Value {
    let answer = house.request(Role::Host, "GET", path).send();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

fn renderers(house: &House) -> Vec<Value> {
    let mut listed = get(house, "/v1/streams/main/renderers");
    match listed["renderers"].take() {
        Value::Array(renderers) => renderers,
        other => panic!("not a list: {other}"),
    }
}

#[test]
fn the_streams_are_listed_with_who_is_there_and_what_is_open() {
    let house = House::new();
    assert_eq!(get(&house, "/v1/streams"), json!({ "streams": [] }));
    house.give("a");
    let token = house.token(Role::Host);
    let _host = Guest::join(house.address(), &token, "h", "host");
    let _viewer = Guest::join(house.address(), &token, "v", "viewer");
    get(&house, "/v1/streams/another/config");
    let stream = |id, hosts, viewers, unsettled| json!({ "id": id, "hosts": hosts, "viewers": viewers, "unsettled": unsettled });
    assert_eq!(
        get(&house, "/v1/streams"),
        json!({ "streams": [stream("another", 0, 0, 0), stream("main", 1, 1, 1)] })
    );
}

#[test]
fn the_latest_status_can_be_read_back_after_a_restart_too() {
    let mut house = House::new();
    let path = "/v1/streams/main/status";
    let none = house.request(Role::Host, "GET", path).send();
    assert_eq!((none.status, none.body.as_str()), (204, ""));
    let status = json!({
        "isLive": true,
        "viewerCount": 12,
        "startedAt": null,
        "currentGoal": {
            "type": "gifts", "target": 100, "current": 7.5, "description": "A hundred gifts",
        },
    });
    let put = house.request(Role::Host, "PUT", path).json(&status).send();
    assert_eq!(put.status, 204, "{put:?}");
    assert_eq!(get(&house, path), status);
    house.restart();
    assert_eq!(get(&house, path), status);
}

#[test]
fn the_newest_gifts_come_first_when_they_are_asked_for_page_by_page() {
    let house = House::new();
    for id in ["a", "b", "c"] {
        house.give(id);
    }
    let page = |query: &str| {
        let listed = get(&house, &format!("/v1/streams/main/gifts?{query}"));
        let gifts = listed["gifts"].as_array().unwrap().iter();
        let ids: Vec<_> = gifts.map(|gift| gift["giftId"].clone()).collect();
        (ids, listed["next"].clone())
    };
    let (first, next) = page("order=latest&limit=2");
    assert_eq!(first, ["c", "b"]);
    let (second, next) = page(&format!("order=latest&limit=2&after={next}"));
    assert_eq!((second, next), (vec![json!("a")], Value::Null));
    assert_eq!(page("order=oldest").0, ["a", "b", "c"]);
    let beyond_all = i64::MAX.to_string();
    assert_eq!(page(&format!("after={beyond_all}")).0, [""; 0]);
    for odd in [
        "order=random",
        "after=-1",
        "after=9223372036854775808",
        "after=18446744073709551615",
        "order=latest&after=18446744073709551616",
    ] {
        let path = format!("/v1/streams/main/gifts?{odd}");
        let answer = house.request(Role::Host, "GET", &path).send();
        let told = (answer.status, answer.problem());
        assert_eq!(told, (422, "invalid".to_owned()), "{odd}");
    }
}

#[test]
fn a_renderer_is_listed_with_what_it_said_last_of_itself() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut guest = Guest::join(house.address(), &token, "h", "host");
    let _viewer = Guest::join(house.address(), &token, "v", "viewer");
    let listed = renderers(&house);
    let ids: Vec<_> = listed.iter().map(|it| it["clientId"].clone()).collect();
    assert_eq!(ids, ["h", "v"], "hosts first");
    assert_eq!(listed[0]["clientType"], "host");
    assert_eq!(listed[0]["controls"], true);
    assert!(listed[0]["since"].as_str().unwrap().ends_with('Z'));
    assert!(listed[0]["pong"].is_null() && listed[0]["telemetry"].is_null());
    guest.say(
        "heartbeat:pong",
        &json!({ "sequence": 0, "stats": { "latency": 2.5, "memory": 340, "queueSize": 3 } }),
    );
    until("its pong", || !renderers(&house)[0]["pong"].is_null());
    let pong = json!({ "latency": 2.5, "memory": 340.0, "queueSize": 3 });
    assert_eq!(renderers(&house)[0]["pong"], pong);
    drop(guest);
    until("it is gone", || renderers(&house).len() == 1);
}

/// What a stage might say.
fn telemetry(sender: &str) -> Telemetry {
    Telemetry {
        fps: 60.0,
        waiting: 1,
        first_waiting: vec![WaitingGift {
            gift: "g".into(),
            gift_type: "rose".into(),
            sender: Private(sender.into()),
            people: 1,
            quantity: 3,
            is_held: true,
            waited: Duration::from_millis(1_500),
        }],
        volume: 0.5,
        ..Telemetry::default()
    }
}

#[test]
fn what_a_host_says_of_its_stage_reaches_the_desk_and_stays_there() {
    let house = House::new();
    let mut events = Events::of(&house);
    let token = house.token(Role::Host);
    let mut host = Renderer::join(&house.url(), &token, "h", ClientType::Host);
    host.until("asked", |host| host.link.telemetry_wanted() > 0);
    let say = |host: &Renderer, sender: &str| {
        let said = FromStage::Telemetry(Box::new(telemetry(sender)));
        host.link.send(said).expect("there is room");
    };
    // A renderer is no more to be trusted than the viewers that it quotes.
    say(&host, "Ada\u{202e}\u{0}");
    let told = events.next("telemetry");
    assert_eq!(
        (&told["clientId"], &told["clientType"]),
        (&json!("h"), &json!("host"))
    );
    assert_eq!((&told["fps"], &told["volume"]), (&json!(60), &json!(0.5)));
    let waiting = json!([{
        "giftId": "g", "giftType": "rose", "sender": "Ada", "people": 1, "quantity": 3,
        "held": true, "waited": 1.5,
    }]);
    assert_eq!(told["waiting"], json!({ "count": 1, "gifts": waiting }));
    let kept = renderers(&house)[0]["telemetry"].clone();
    assert_eq!(kept["waiting"], told["waiting"]);
    assert!(kept["at"].as_str().unwrap().ends_with('Z'));
    assert!(kept["clientId"].is_null());
    say(&host, "Bea");
    assert_eq!(
        events.next("telemetry")["waiting"]["gifts"][0]["sender"],
        "Bea"
    );
    drop(host);
    until("it is gone with its host", || renderers(&house).is_empty());
}

#[test]
fn viewers_are_not_asked_and_not_listened_to() {
    let house = House::new();
    let token = house.token(Role::Viewer);
    let mut viewer = Guest::knock(house.address(), &token).unwrap();
    viewer.init("v", "viewer");
    let ack = viewer.next_of("connection:ack");
    let features = ack["config"]["features"].as_array().unwrap();
    assert!(features.contains(&json!("x-control")), "{ack}");
    assert!(!features.contains(&json!("x-telemetry")), "{ack}");
    viewer.say("x-telemetry", &json!({ "fps": 60 }));
    viewer.say("heartbeat:pong", &json!({ "sequence": 0 }));
    until("it was read", || !renderers(&house)[0]["pong"].is_null());
    assert!(renderers(&house)[0]["telemetry"].is_null());
    // A host that has not been asked either.
    let patch = house.request(Role::Host, "PATCH", "/v1/streams/main/config");
    let patch = patch.json(&json!({ "features": ["x-control"] })).send();
    assert_eq!(patch.status, 200);
    let host = house.token(Role::Host);
    let host = Renderer::join(&house.url(), &host, "h", ClientType::Host);
    until("it is there", || house.figure("hosts") == 1);
    assert_eq!(host.link.telemetry_wanted(), 0);
}

#[test]
fn a_host_that_did_not_name_telemetry_is_not_listened_to() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut host = Guest::join_naming(house.address(), &token, "h", "host", &["x-control"]);
    host.say("x-telemetry", &json!({ "fps": 60 }));
    host.say("heartbeat:pong", &json!({ "sequence": 0 }));
    until("it was read", || !renderers(&house)[0]["pong"].is_null());
    assert!(renderers(&house)[0]["telemetry"].is_null());
}

#[test]
fn what_telemetry_must_not_be_is_refused_and_the_host_stays() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    host.say(
        "x-telemetry",
        &json!({ "waiting": { "gifts": [{ "giftId": 7 }] } }),
    );
    assert_eq!(host.error(), "MALFORMED");
    host.say("x-telemetry", &json!({ "fps": 1 }));
    until("it is kept", || {
        renderers(&house)[0]["telemetry"]["fps"] == 1
    });
}

#[test]
fn every_second_the_desk_hears_what_came_in_and_went_out() {
    let house = House::new();
    let mut events = Events::of(&house);
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    for id in ["a", "b", "c"] {
        house.give(id);
        assert_eq!(host.gift(), id);
    }
    host.ack("a", true, None);
    let (mut came, mut went) = (0, 0);
    while (came, went) != (3, 1) {
        let figures = events.next("figures");
        assert!(figures["at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(
            (&figures["viewers"], &figures["parked"]),
            (&json!(0), &json!(0))
        );
        came += figures["in"].as_u64().unwrap();
        went += figures["out"].as_u64().unwrap();
        assert!(came <= 3 && went <= 1, "{figures}");
    }
    let last = events.next("figures");
    assert_eq!((&last["in"], &last["out"]), (&json!(0), &json!(0)));
    assert_eq!((&last["unsettled"], &last["hosts"]), (&json!(2), &json!(1)));
}

#[test]
fn the_desk_hears_how_many_gifts_are_parked_from_before_the_relay_began_too() {
    let mut house = House::new();
    house.give("parked");
    house.give("open");
    let park = "UPDATE gifts SET state = 3, ended_at = accepted_at WHERE gift = 'parked'";
    house.database().execute(park, []).unwrap();
    house.restart();
    let mut events = Events::of(&house);
    let mut parked = || events.next("figures")["parked"].clone();
    assert_eq!(parked(), 1);
    assert_eq!(house.listed("parked"), ["parked"]);
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(host.gift(), "open");
    host.ack("parked", true, None);
    // The figures of that second may have been told already.
    assert!((0..10).any(|_| parked() == 0), "late, and still the truth");
    assert_eq!(house.listed("parked"), [""; 0]);
}

#[test]
fn rates_are_judged_over_what_was_given_as_tune_judges_them() {
    let house = House::new();
    let path = "/v1/streams/main/rates";
    let nothing = get(&house, path);
    assert_eq!(
        (&nothing["gifts"], &nothing["seconds"]),
        (&json!(0), &json!(600.0))
    );
    assert_eq!(nothing["recommended"], Value::Null);
    // Two hundred people at once: the slower, the longer they wait.
    let gift = |n: usize| {
        let (id, user) = (format!("g{n}"), format!("user {n}"));
        json!({ "giftId": id, "giftType": "rose", "sender": { "userId": user, "username": user } })
    };
    let gifts: Vec<_> = (0..200).map(gift).collect();
    assert_eq!(house.post(&gifts.into()).status, 201);
    let judged = get(&house, &format!("{path}?rates=30,2,10"));
    assert_eq!(
        (&judged["gifts"], &judged["seconds"]),
        (&json!(200), &json!(600.0))
    );

    let arrival = |n: usize| Arrival {
        at: Duration::ZERO,
        gift: Gift::one(
            format!("g{n}"),
            "rose",
            Sender::named(format!("user {n}"), format!("user {n}")),
        ),
    };
    let arrivals: Vec<_> = (0..200).map(arrival).collect();
    let told = judged["rates"].as_array().unwrap();
    for (told, rate) in told.iter().zip([2.0, 10.0, 30.0]) {
        let expected = Judge::shipped().judge(&arrivals, rate);
        assert_eq!(told["rate"], rate);
        let wait = |name: &str| told[name].as_f64().unwrap();
        let seconds = |wait: Duration| wait.as_secs_f64();
        assert!(
            (wait("waitP95") - seconds(expected.wait.p95)).abs() < 0.1,
            "{told}"
        );
        assert!(
            (wait("waitMax") - seconds(expected.wait.max)).abs() < 0.1,
            "{told}"
        );
        assert_eq!(told["foldedShare"], expected.folded_share());
        assert_eq!(told["refusedShare"], expected.refused_share());
        assert!((0.0..=1.0).contains(&wait("coverage")));
    }
    let p95 = |at: usize| told[at]["waitP95"].as_f64().unwrap();
    assert!(p95(0) > p95(1) && p95(1) > p95(2), "{judged}");
    assert!(judged["recommended"]["rate"].is_number());
    assert!(judged["recommended"]["reason"].is_string());

    for odd in ["rates=fast", "rates=0", "rates="] {
        let answer = house
            .request(Role::Host, "GET", &format!("{path}?{odd}"))
            .send();
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid"),
            "{odd}"
        );
    }
}

#[test]
fn rates_are_judged_by_the_configuration_that_the_relay_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let thresholds = "[show]\nfeature_from = 1.0\nheadline_from = 5.0\n";
    std::fs::write(&config, thresholds).unwrap();
    let config = format!("HYPERFOCUS_CONFIG={}", config.display());
    let data = folder.path().join("relay");
    let relay = Process::start(&data, 0, &["env", &config]);
    let gift = |n: usize| {
        let (id, user) = (format!("g{n}"), format!("user {n}"));
        json!({
            "giftId": id, "giftType": "no-such-gift", "totalValue": 10,
            "sender": { "userId": user, "username": user },
        })
    };
    let gifts: Vec<_> = (0..10).map(gift).collect();
    let post = Request::new(relay.address, "POST", "/v1/streams/main/gifts");
    let post = post.bearer(&token(&data, Role::Ingest)).json(&json!(gifts));
    assert_eq!(post.send().status, 201);
    let ask = Request::new(relay.address, "GET", "/v1/streams/main/rates?rates=30");
    let judged = ask.bearer(&token(&data, Role::Host)).send().json();
    let told = judged["rates"][0]["waitMax"].as_f64().unwrap();

    let arrival = |n: usize| {
        let sender = Sender::named(format!("user {n}"), format!("user {n}"));
        let gift = Gift::one(format!("g{n}"), "no-such-gift", sender);
        Arrival {
            at: Duration::ZERO,
            gift: Gift {
                total_value: 10.0,
                ..gift
            },
        }
    };
    let arrivals: Vec<_> = (0..10).map(arrival).collect();
    let mut catalog = (*Catalog::shipped()).clone();
    catalog.lanes = LaneThresholds {
        feature: 1.0,
        headline: 5.0,
    };
    let waits = |judge: Judge| judge.judge(&arrivals, 30.0).wait.max.as_secs_f64();
    let configured = waits(Judge::new(ShowSettings::default(), Arc::new(catalog)));
    assert!((told - configured).abs() < 0.1, "{told} {configured}");
    assert!(
        told > waits(Judge::shipped()) + 1.0,
        "one at a time has the stage"
    );
}

#[test]
fn a_goal_is_as_far_as_a_hosts_stage_says_for_whoever_comes_next() {
    let mut house = House::new();
    let goal = |current: u32| json!({ "type": "gifts", "target": 6, "current": current, "description": "Cake" });
    let put = |house: &House, current| {
        let status = json!({ "isLive": true, "viewerCount": 9, "currentGoal": goal(current) });
        let request = house.request(Role::Ingest, "PUT", "/v1/streams/main/status");
        assert_eq!(request.json(&status).send().status, 204);
    };
    let kept = |house: &House| {
        let status = get(house, "/v1/streams/main/status");
        (
            status["currentGoal"]["current"].clone(),
            status["viewerCount"].clone(),
        )
    };
    put(&house, 0);
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(host.next_of("stream:status")["currentGoal"], goal(0));
    host.say("x-telemetry", &json!({ "goal": goal(5) }));
    until("the goal has come on", || {
        kept(&house) == (json!(5), json!(9))
    });
    // The stage has its own count, and another goal's is none of this one.
    let mut other = goal(1);
    other["description"] = "Song".into();
    host.say("x-telemetry", &json!({ "goal": other }));
    host.say("x-telemetry", &json!({ "goal": goal(6) }));
    until("all was heard", || kept(&house).0 == json!(6));
    let mut second = Guest::join(house.address(), &token, "second", "host");
    assert_eq!(second.next_of("stream:status")["currentGoal"], goal(6));
    house.restart();
    assert_eq!(kept(&house), (json!(6), json!(9)), "it is kept");
    // The host's own word counts at once.
    put(&house, 0);
    assert_eq!(kept(&house).0, json!(0));
}

/// A goal of 100 gifts that has come so far.
fn goal(current: u32) -> Value {
    json!({ "type": "gifts", "target": 100, "current": current, "description": "Cake" })
}

const STATUS: &str = "/v1/streams/main/status";

fn put_status(house: &House, role: Role, status: &Value) {
    let request = house.request(role, "PUT", STATUS).json(status).send();
    assert_eq!(request.status, 204, "{request:?}");
}

/// A house whose goal has come to 20, of which 5 wait; the host says no more.
fn house_with_a_goal() -> (House, Guest) {
    let house = House::new();
    put_status(
        &house,
        Role::Host,
        &json!({ "isLive": true, "startedAt": "2026-01-01T00:00:00.000Z", "currentGoal": goal(0) }),
    );
    let mut host = Guest::join(house.address(), &house.token(Role::Host), "h", "host");
    assert_eq!(host.next_of("stream:status")["currentGoal"], goal(0));
    host.say(
        "x-telemetry",
        &json!({ "goal": goal(20), "goalWaiting": 5 }),
    );
    until("it has come on", || {
        get(&house, STATUS)["currentGoal"] == goal(20)
    });
    (house, host)
}

/// The goal that somebody hears of who comes now.
fn goal_heard(house: &House, client: &str, role: &str) -> Value {
    let mut guest = Guest::join(house.address(), &house.token(Role::Host), client, role);
    guest.next_of("stream:status")["currentGoal"].take()
}

#[test]
fn only_hosts_hear_of_a_goal_without_the_gifts_that_they_are_sent_again() {
    let (house, _host) = house_with_a_goal();
    assert_eq!(goal_heard(&house, "late", "viewer"), goal(20));
    assert_eq!(goal_heard(&house, "second", "host"), goal(15));
}

#[test]
fn gifts_that_wait_count_once_though_the_status_is_put_back_while_nobody_shows_them() {
    let (mut house, host) = house_with_a_goal();
    drop(host);
    until("it is gone", || house.figure("hosts") == 0);
    let mut status = get(&house, STATUS);
    status["isLive"] = json!(false);
    put_status(&house, Role::Host, &status);
    assert_eq!(get(&house, STATUS)["currentGoal"], goal(20));
    assert_eq!(goal_heard(&house, "late", "viewer"), goal(20));
    assert_eq!(goal_heard(&house, "h", "host"), goal(15));
    house.restart();
    assert_eq!(goal_heard(&house, "h", "host"), goal(15), "it is kept");
}

#[test]
fn whoever_counts_viewers_leaves_the_goal_and_the_time_as_they_are() {
    let (house, mut host) = house_with_a_goal();
    put_status(
        &house,
        Role::Ingest,
        &json!({ "isLive": true, "viewerCount": 9 }),
    );
    let heard = host.next_of("stream:status");
    assert_eq!(
        (&heard["viewerCount"], &heard["currentGoal"]),
        (&json!(9), &goal(20))
    );
    let kept = get(&house, STATUS);
    assert_eq!(kept["startedAt"], "2026-01-01T00:00:00.000Z");
    assert_eq!(goal_heard(&house, "second", "host"), goal(15));
    put_status(
        &house,
        Role::Ingest,
        &json!({ "isLive": true, "startedAt": null, "currentGoal": null }),
    );
    let gone = json!({ "isLive": true, "viewerCount": 0, "startedAt": null, "currentGoal": null });
    assert_eq!(get(&house, STATUS), gone);
}

/// Gifts of these ids.
fn give(house: &House, ids: std::ops::Range<u32>) {
    let gifts: Vec<Value> = ids.map(|id| gift(&id.to_string())).collect();
    assert_eq!(house.post(&json!(gifts)).status, 201);
}

#[test]
fn gifts_that_waited_before_a_goal_was_told_count_once() {
    let mut house = House::new();
    give(&house, 0..10);
    let told = json!({ "isLive": true, "currentGoal": goal(10) });
    put_status(&house, Role::Ingest, &told);
    assert_eq!(goal_heard(&house, "late", "viewer"), goal(10));
    assert_eq!(get(&house, STATUS)["currentGoal"], goal(10));
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(host.next_of("stream:status")["currentGoal"], goal(0));
    for _ in 0..4 {
        let gift = host.gift();
        host.ack(&gift, true, None);
    }
    until("some are settled", || house.listed("rendered").len() == 4);
    assert_eq!(goal_heard(&house, "second", "host"), goal(4));
    house.restart();
    assert_eq!(get(&house, STATUS)["currentGoal"], goal(10));
    let mut host = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(host.next_of("stream:status")["currentGoal"], goal(4));
    for _ in 0..6 {
        let gift = host.gift();
        host.ack(&gift, true, None);
    }
    host.say("x-telemetry", &json!({ "goal": goal(10) }));
    until("it is heard", || {
        goal_heard(&house, "third", "host") == goal(10)
    });
    assert_eq!(get(&house, STATUS)["currentGoal"], goal(10));
}

#[test]
fn whoever_counts_viewers_takes_no_gifts_off_a_goal_that_no_host_reports() {
    let mut house = House::new();
    let told = json!({ "isLive": true, "currentGoal": goal(0) });
    put_status(&house, Role::Ingest, &told);
    let token = house.token(Role::Host);
    let mut viewer = Guest::join(house.address(), &token, "v", "viewer");
    let mut host = Guest::join_naming(house.address(), &token, "h", "host", &["x-control"]);
    for guest in [&mut viewer, &mut host] {
        assert_eq!(guest.next_of("stream:status")["currentGoal"], goal(0));
    }
    give(&house, 0..10);
    for _ in 0..10 {
        viewer.gift();
        let gift = host.gift();
        host.ack(&gift, true, None);
    }
    until("all are settled", || house.figure("unsettled_gifts") == 0);
    let counted = json!({ "isLive": true, "viewerCount": 7 });
    put_status(&house, Role::Ingest, &counted);
    for guest in [&mut viewer, &mut host] {
        let heard = guest.next_of("stream:status");
        assert_eq!(
            (&heard["viewerCount"], &heard["currentGoal"]),
            (&json!(7), &goal(10))
        );
    }
    drop((viewer, host));
    house.restart();
    assert_eq!(get(&house, STATUS)["currentGoal"], goal(10));
    assert_eq!(goal_heard(&house, "second", "host"), goal(10));
}

#[test]
fn gifts_that_wait_are_counted_though_nobody_has_opened_their_stream() {
    let mut house = House::new();
    house.give("a");
    house.give("b");
    assert_eq!(house.figure("unsettled_gifts"), 2);
    house.restart();
    assert_eq!(house.figure("streams"), 0);
    assert_eq!(house.figure("unsettled_gifts"), 2);
}
