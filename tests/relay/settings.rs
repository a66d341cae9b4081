use std::io::{BufRead, BufReader};

use hyperfocus::model::Control;
use hyperfocus::protocol::ClientType;
use hyperfocus::relay::Role;
use hyperfocus::session::ToStage;
use serde_json::{Value, json};

use crate::events::{EVENTS, Events};
use crate::guest::Guest;
use crate::house::{House, until};
use crate::http::{Answer, Request};
use crate::renderer::Renderer;

fn patch(house: &House, body: &Value) -> Answer {
    let request = house.request(Role::Host, "PATCH", "/v1/streams/main/config");
    request.json(body).send()
}

#[test]
fn a_new_rate_reaches_running_renderers_at_once_and_survives_a_restart() {
    let mut house = House::new();
    let token = house.token(Role::Host);
    let mut host = Renderer::join(&house.url(), &token, "h", ClientType::Host);
    let rate = |wanted: f64| {
        move |host: &Renderer| {
            let last = host.told.iter().rev().find_map(|told| match told {
                ToStage::Config(config) => Some(config.max_gifts_per_second),
                _ => None,
            });
            last == Some(wanted)
        }
    };
    host.until("first settings", rate(30.0));
    let answer = patch(&house, &json!({ "maxGiftsPerSecond": 7.5 }));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["pingInterval"], 30_000);
    host.until("new rate", rate(7.5));
    house.restart();
    let again = house
        .request(Role::Host, "GET", "/v1/streams/main/config")
        .send();
    assert_eq!(again.json()["maxGiftsPerSecond"], 7.5);
}

#[test]
fn settings_out_of_range_change_nothing() {
    let house = House::new();
    for body in [
        json!({ "maxGiftsPerSecond": 0 }),
        json!({ "maxGiftsPerSecond": 7, "pingInterval": 10 }),
        json!({ "features": ["a\nb"] }),
        json!({ "maxGifts": 7 }),
    ] {
        let answer = patch(&house, &body);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
    }
    let config = house
        .request(Role::Host, "GET", "/v1/streams/main/config")
        .send();
    assert_eq!(config.json()["maxGiftsPerSecond"], 30.0);
}

#[test]
fn the_latest_status_is_told_now_and_to_who_comes_later() {
    let mut house = House::new();
    let viewer = house.token(Role::Viewer);
    let put = |house: &House, viewers: u64| {
        let request = house.request(Role::Ingest, "PUT", "/v1/streams/main/status");
        let status = json!({ "isLive": true, "viewerCount": viewers });
        assert_eq!(request.json(&status).send().status, 204);
    };
    let mut early = Guest::join(house.address(), &viewer, "early", "viewer");
    put(&house, 1);
    assert_eq!(early.next_of("stream:status")["viewerCount"], 1.0);
    put(&house, 2);
    assert_eq!(early.next_of("stream:status")["viewerCount"], 2.0);
    house.restart();
    let mut late = Guest::join(house.address(), &viewer, "late", "viewer");
    assert_eq!(late.next_of("stream:status")["viewerCount"], 2.0);
}

#[test]
fn a_control_reaches_the_renderers() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut host = Renderer::join(&house.url(), &token, "h", ClientType::Host);
    until("it is there", || house.figure("hosts") == 1);
    let control = |body: &Value| {
        let request = house.request(Role::Host, "POST", "/v1/streams/main/control");
        request.json(body).send()
    };
    let answer = control(&json!({ "action": "volume", "level": 0.5 }));
    assert_eq!(answer.json(), json!({ "renderers": 1 }));
    host.until("control", |host| {
        host.told.contains(&ToStage::Control(Control::Volume(0.5)))
    });
    for unknown in [json!({ "action": "explode" }), json!({ "action": "hold" })] {
        assert_eq!(control(&unknown).status, 422);
    }
}

#[test]
fn proxies_are_asked_to_pass_each_event_on_at_once() {
    let house = House::new();
    let stream = house.request(Role::Host, "GET", EVENTS).open().unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let asks = |line: &String| line.eq_ignore_ascii_case("x-accel-buffering: no");
    assert!(head.iter().any(asks), "{head:?}");
}

#[test]
fn events_tell_what_happens() {
    let house = House::new();
    let mut events = Events::of(&house);
    let mut next = |name: &str| events.next(name);
    let token = house.token(Role::Host);
    let mut guest = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(
        next("joined"),
        json!({ "clientId": "h", "clientType": "host" })
    );
    house.give("a");
    assert_eq!(next("gift")["payload"]["giftId"], "a");
    assert_eq!(guest.gift(), "a");
    guest.ack("a", true, None);
    let ended = json!({ "giftId": "a", "state": "rendered", "error": null });
    assert_eq!(next("ended"), ended);
    drop(guest);
    assert_eq!(next("left")["clientId"], "h");
}

/// What the router answers, by its source, since it cannot be asked: methods and
/// paths.
pub fn routes() -> Vec<(&'static str, String)> {
    let source = include_str!("../../src/relay/front.rs");
    let (_, source) = source.split_once("\nfn router(").expect("it begins");
    let (source, _) = source.split_once("\n}\n").expect("it ends");
    let routers: Vec<&str> = source.split("Router::new()").collect();
    let [_, of_a_stream, others] = routers[..] else {
        panic!("there are not two routers: {source}");
    };
    let mut routes = Vec::new();
    for (prefix, router) in [("/v1/streams/{id}", of_a_stream), ("", others)] {
        for route in router.split(".route(\"").skip(1) {
            let (path, answers) = route.split_once('"').expect("a path");
            for method in ["get", "post", "put", "patch", "delete"] {
                let is_begun_by = |begin: char| answers.contains(&format!("{begin}{method}("));
                if is_begun_by(' ') || is_begun_by('.') {
                    routes.push((method, format!("{prefix}{path}")));
                }
            }
        }
    }
    routes
}

#[test]
fn every_path_of_the_relay_is_in_its_document_and_the_other_way_round() {
    let house = House::new();
    let document = Request::new(house.address(), "GET", "/openapi.json").send();
    let document = document.json();
    let routes = routes();
    assert!(routes.len() > 20, "not read as it should be: {routes:?}");
    for (method, path) in routes {
        assert!(
            document["paths"][&path][method].is_object(),
            "{method} {path}"
        );
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if method == "parameters" {
                continue;
            }
            let path = path.replace("{id}", "main").replace("{gift}", "rose");
            let answer = Request::new(house.address(), &method.to_uppercase(), &path).send();
            // Known, and closed to whoever has no token.
            let expected = match &*path {
                "/desk/session" => match &**method {
                    "post" => [415, 429],
                    _ => [401, 429],
                },
                "/desk" | "/desk/desk.js" | "/desk/desk.css" => [200, 501],
                path if path.starts_with("/v1") || path == "/ws" => [401, 429],
                _ => [200, 200],
            };
            assert!(
                expected.contains(&answer.status),
                "{method} {path}: {answer:?}"
            );
        }
    }
    let nowhere = Request::new(house.address(), "GET", "/v1/streams/main/nothing").send();
    assert_eq!(
        (nowhere.status, nowhere.problem().as_str()),
        (404, "not-found")
    );
    let wrong = Request::new(house.address(), "DELETE", "/healthz").send();
    assert_eq!(
        (wrong.status, wrong.problem().as_str()),
        (405, "wrong-method")
    );
}
