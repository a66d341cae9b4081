use hyperfocus::relay::Role;
use serde_json::json;

use crate::guest::Guest;
use crate::house::{House, gift, until};
use crate::http::{Answer, Request};

/// What there is under a stream, and who may use it.
const ROUTES: [(&str, &str, &[Role]); 7] = [
    ("POST", "gifts", &[Role::Ingest]),
    ("GET", "gifts", &[Role::Host]),
    ("PUT", "status", &[Role::Ingest, Role::Host]),
    ("GET", "config", &[Role::Host]),
    ("PATCH", "config", &[Role::Host]),
    ("POST", "control", &[Role::Host]),
    ("GET", "history", &[Role::Host]),
];

fn body(method: &str, what: &str) -> serde_json::Value {
    match (method, what) {
        ("POST", "gifts") => gift("g"),
        ("PUT", _) => json!({ "isLive": true }),
        ("POST", "control") => json!({ "action": "pause" }),
        _ => json!({}),
    }
}

#[test]
fn each_role_may_do_its_own_and_nothing_else() {
    let house = House::new();
    for (method, what, allowed) in ROUTES {
        let path = format!("/v1/streams/main/{what}");
        for role in Role::ALL {
            let request = house.request(role, method, &path);
            let answer = request.json(&body(method, what)).send();
            match allowed.contains(&role) {
                true => assert!(answer.status < 300, "{role:?} {method} {what}: {answer:?}"),
                false => assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (403, "forbidden")
                ),
            }
        }
        let nobody = Request::new(house.address(), method, &path);
        let answer = nobody.json(&body(method, what)).send();
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (401, "unauthorised")
        );
        assert!(
            answer
                .head
                .to_lowercase()
                .contains("www-authenticate: bearer")
        );
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
