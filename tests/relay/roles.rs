use std::collections::BTreeSet;

use hyperfocus::relay::Role;
use serde_json::json;

use crate::guest::Guest;
use crate::house::{House, gift, until};
use crate::http::{Answer, Request};
use crate::settings::routes;

const HOST: &[Role] = &[Role::Host];

/// Who may ask for what: methods and paths as the relay's document has them.
const RULES: [(&str, &str, &[Role]); 17] = [
    ("get", "/ws", &[Role::Host, Role::Viewer]),
    ("post", "/v1/desk/codes", HOST),
    ("get", "/v1/sources", HOST),
    ("get", "/v1/streams", HOST),
    ("post", "/v1/streams/{id}/gifts", &[Role::Ingest]),
    ("get", "/v1/streams/{id}/gifts", HOST),
    ("post", "/v1/streams/{id}/gifts/{gift}/resend", HOST),
    ("post", "/v1/streams/{id}/gifts/{gift}/dismiss", HOST),
    (
        "put",
        "/v1/streams/{id}/status",
        &[Role::Ingest, Role::Host],
    ),
    (
        "get",
        "/v1/streams/{id}/status",
        &[Role::Ingest, Role::Host],
    ),
    ("get", "/v1/streams/{id}/renderers", HOST),
    ("get", "/v1/streams/{id}/rates", HOST),
    ("get", "/v1/streams/{id}/config", HOST),
    ("patch", "/v1/streams/{id}/config", HOST),
    ("post", "/v1/streams/{id}/control", HOST),
    ("get", "/v1/streams/{id}/events", HOST),
    ("get", "/v1/streams/{id}/history", HOST),
];

/// What takes no token. The desk's session is the cookie's and the code's.
const OPEN: [(&str, &str); 9] = [
    ("get", "/desk"),
    ("get", "/desk/desk.js"),
    ("get", "/desk/desk.css"),
    ("post", "/desk/session"),
    ("delete", "/desk/session"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
];

fn body(method: &str, path: &str) -> serde_json::Value {
    match (method, path.rsplit('/').next()) {
        ("post", Some("gifts")) => gift("g"),
        ("put", _) => json!({ "isLive": true }),
        ("post", Some("control")) => json!({ "action": "pause" }),
        _ => json!({}),
    }
}

#[test]
fn there_is_a_rule_for_every_route_and_the_relays_document_has_the_same() {
    let ruled = RULES.iter().map(|(method, path, _)| (*method, *path));
    let ruled: BTreeSet<_> = ruled.chain(OPEN).collect();
    let routes = routes();
    let there = routes.iter().map(|(method, path)| (*method, &**path));
    assert_eq!(ruled, there.collect::<BTreeSet<_>>());
    let house = House::new();
    let document = Request::new(house.address(), "GET", "/openapi.json").send();
    let document = document.json();
    for (method, path, allowed) in RULES {
        let ways = document["paths"][path][method]["security"].as_array();
        let ways = ways.unwrap_or_else(|| panic!("no security: {method} {path}"));
        for role in Role::ALL {
            let is_promised = ways.iter().any(|way| way[role.name()].is_array());
            assert_eq!(
                is_promised,
                allowed.contains(&role),
                "{role:?} {method} {path}"
            );
        }
    }
}

#[test]
fn each_role_may_do_its_own_and_nothing_else() {
    for (method, path, allowed) in RULES {
        // One for each, since only so many guesses of one address are let pass.
        let house = House::new();
        if path.contains("{gift}") {
            house.give("parked");
            let park = "UPDATE gifts SET state = 3, ended_at = accepted_at";
            house.database().execute(park, []).unwrap();
        }
        let body = body(method, path);
        let path = path.replace("{id}", "main").replace("{gift}", "parked");
        let method = method.to_uppercase();
        for role in Role::ALL {
            let ask = || house.request(role, &method, &path).json(&body);
            let status = ask().status();
            match (allowed.contains(&role), &*path) {
                // No WebSocket is asked for.
                (true, "/ws") => assert_eq!(status, 426, "{role:?}"),
                (true, _) => assert!(status < 300, "{role:?} {method} {path}: {status}"),
                (false, _) => {
                    assert_eq!(status, 403, "{role:?} {method} {path}");
                    assert_eq!(ask().send().problem(), "forbidden");
                }
            }
        }
        let nobody = || Request::new(house.address(), &method, &path).json(&body);
        assert_eq!(nobody().status(), 401, "{method} {path}");
        let answer = nobody().send();
        assert_eq!(answer.problem(), "unauthorised");
        let head = answer.head.to_lowercase();
        assert!(head.contains("www-authenticate: bearer"), "{head}");
    }
}

#[test]
fn who_guesses_tokens_is_told_to_wait() {
    let house = House::new();
    let guess = || {
        let request = Request::new(house.address(), "GET", "/v1/streams/main/config");
        request.bearer("guess").send()
    };
    let answers: Vec<_> = (0..40).map(|_| guess()).collect();
    let limited = answers.iter().find(|answer| answer.status == 429);
    let limited = limited.expect("40 guesses are too many");
    assert_eq!(limited.problem(), "rate-limited");
    assert!(limited.head.to_lowercase().contains("retry-after: "));
    // Whoever has one is not kept out by it.
    house.give("a");
}

#[test]
fn a_websocket_needs_a_token_of_its_own_role() {
    let house = House::new();
    let address = house.address();
    let knock = |token: &str| Guest::knock(address, token).err();
    assert_eq!(knock("wrong"), Some(401));
    assert_eq!(knock(&house.token(Role::Ingest)), Some(403));
    let mut guest = Guest::knock(address, &house.token(Role::Viewer))
        .ok()
        .unwrap();
    guest.init("v", "host");
    assert_eq!(guest.error(), "FORBIDDEN");
    assert_eq!(guest.closed(), 1008);
    // A host may look on.
    Guest::join(address, &house.token(Role::Host), "h", "viewer");
}

#[test]
fn a_viewer_can_neither_control_nor_give() {
    let house = House::new();
    let address = house.address();
    let mut host = Guest::join(address, &house.token(Role::Host), "h", "host");
    for (kind, payload) in [
        ("x-control", json!({ "action": "clear" })),
        ("gift:received", gift("forged")),
        ("connection:ack", json!({})),
    ] {
        let mut viewer = Guest::join(address, &house.token(Role::Viewer), "v", "viewer");
        viewer.say(kind, &payload);
        assert_eq!(viewer.error(), "FORBIDDEN", "{kind}");
    }
    house.give("real");
    assert_eq!(host.gift(), "real", "and nothing before it");
}

#[test]
fn a_viewer_that_takes_a_hosts_name_does_not_put_it_out() {
    let house = House::new();
    let address = house.address();
    let mut host = Guest::join(address, &house.token(Role::Host), "same", "host");
    let mut viewer = Guest::join(address, &house.token(Role::Viewer), "same", "viewer");
    house.give("a");
    assert_eq!((host.gift().as_str(), viewer.gift().as_str()), ("a", "a"));
    host.ack("a", true, None);
    until("its word counts", || house.listed("rendered") == ["a"]);
    assert_eq!((house.figure("hosts"), house.figure("viewers")), (1, 1));
}

#[test]
fn a_page_from_elsewhere_does_not_get_in_even_with_the_token() {
    let house = House::new();
    let token = house.token(Role::Host);
    let ask = |path: &str, name: &str, value: &str| {
        let request = Request::new(house.address(), "GET", path).bearer(&token);
        let answer = request.header(name, value).send();
        (answer.status, answer.problem())
    };
    for path in ["/ws", "/v1/streams/main/config", "/metrics", "/nothing"] {
        let foreign = ask(path, "Origin", "https://evil.example");
        assert_eq!(foreign, (403, "foreign-origin".to_owned()), "{path}");
        let rebound = ask(path, "Host", "evil.example");
        assert_eq!(rebound, (421, "wrong-host".to_owned()), "{path}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_address_that_it_listens_on_is_a_name_of_the_relay() {
    let house = House::with(|options| options.address = "127.0.0.2:0".parse().unwrap());
    house.give("a");
    assert_eq!(house.listed("unacked"), ["a"]);
}

#[test]
fn whoever_asks_through_a_proxy_that_keeps_the_host_to_itself_is_told_what_to_do() {
    let house = House::new();
    let request = house.request(Role::Host, "POST", "/v1/streams/main/control");
    let answer = request.header("Origin", "https://relay.example").send();
    assert_eq!(answer.problem(), "foreign-origin");
    let told = answer.json()["detail"].to_string();
    assert!(
        told.contains("Host header") && told.contains("--allow-host"),
        "{told}"
    );
}

#[test]
fn names_and_origins_that_are_allowed_get_in() {
    let house = House::with(|options| {
        options.hosts = vec!["relay.example".into()];
        options.origins = vec!["https://dock.example".into()];
    });
    let request = house.request(Role::Host, "GET", "/v1/streams/main/config");
    let request = request.header("Host", "relay.example");
    let answer = request.header("Origin", "https://dock.example").send();
    assert_eq!(answer.status, 200, "{answer:?}");
    let says = |answer: &Answer, line: &str| answer.head.to_ascii_lowercase().contains(line);
    assert!(says(
        &answer,
        "access-control-allow-origin: https://dock.example\r\n"
    ));
    assert!(says(&answer, "vary: origin\r\n"));

    // A browser asks before it sends a token, which it cannot do without one.
    let ask = |origin: &str| {
        Request::new(house.address(), "OPTIONS", "/v1/streams/main/gifts")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization")
            .send()
    };
    let may = ask("https://dock.example");
    assert_eq!(may.status, 204, "{may:?}");
    for line in [
        "access-control-allow-origin: https://dock.example\r\n",
        "access-control-allow-headers: authorization, content-type\r\n",
        "access-control-allow-methods: get, post, put, patch, delete\r\n",
    ] {
        assert!(says(&may, line), "{line}: {may:?}");
    }
    assert!(!says(&may, "allow-credentials"), "{may:?}");
    let own = format!("http://{}", house.address());
    for (origin, status) in [("https://evil.example", 403), (&own, 405)] {
        let answer = ask(origin);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!says(&answer, "access-control"), "{answer:?}");
    }
}
