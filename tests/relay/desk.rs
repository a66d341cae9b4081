//! The host's desk: signing in, and what a cookie is good for.

use hyperfocus::relay::Role;
use serde_json::{Value, json};

use crate::events::{EVENTS, Events};
use crate::guest::Guest;
use crate::house::{House, Process, gift, program};
use crate::http::{Answer, Request};

const CONFIG: &str = "/v1/streams/main/config";

fn code(house: &House) -> String {
    let answer = house.request(Role::Host, "POST", "/v1/desk/codes").send();
    assert_eq!(answer.status, 201, "{answer:?}");
    let code = answer.json()["code"].as_str().unwrap().to_owned();
    let url = format!("http://{}/desk#{code}", house.address());
    assert_eq!(answer.json()["url"], url);
    assert_eq!(answer.json()["expiresIn"], 600);
    code
}

fn redeem(house: &House, code: &str) -> Answer {
    Request::new(house.address(), "POST", "/desk/session")
        .header("Origin", &format!("http://{}", house.address()))
        .json(&json!({ "code": code }))
        .send()
}

/// The `Set-Cookie` of an answer.
fn set_cookie(answer: &Answer) -> &str {
    let lines = answer.head.lines();
    let mut lines = lines.filter_map(|line| line.split_once(": "));
    let found = lines.find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    found.unwrap_or_else(|| panic!("no cookie: {answer:?}")).1
}

/// Signs a browser in: the cookie that it keeps.
fn sign_in(house: &House) -> String {
    let answer = redeem(house, &code(house));
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = set_cookie(&answer);
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

/// What the page's own script sends.
fn from_page(house: &House, cookie: &str, method: &str, path: &str) -> Request {
    let request = Request::new(house.address(), method, path).header("Cookie", cookie);
    match method {
        "GET" => request.header("Sec-Fetch-Site", "same-origin"),
        _ => request.header("Origin", &format!("http://{}", house.address())),
    }
}

#[test]
fn a_link_signs_in_once_and_the_page_may_do_what_a_host_may() {
    let house = House::new();
    let code = code(&house);
    let answer = redeem(&house, &code);
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = set_cookie(&answer).split(';').next().unwrap().to_owned();
    assert_eq!(from_page(&house, &cookie, "GET", CONFIG).send().status, 200);
    let patch = from_page(&house, &cookie, "PATCH", CONFIG);
    assert_eq!(
        patch.json(&json!({ "maxGiftsPerSecond": 5 })).send().status,
        200
    );
    let status = from_page(&house, &cookie, "PUT", "/v1/streams/main/status");
    assert_eq!(status.json(&json!({ "isLive": true })).send().status, 204);

    let again = redeem(&house, &code);
    assert_eq!(
        (again.status, again.problem().as_str()),
        (401, "wrong-code")
    );
    assert!(!again.head.to_lowercase().contains("set-cookie"));
    let wrong = redeem(&house, "");
    assert_eq!(
        (wrong.status, wrong.problem().as_str()),
        (401, "wrong-code")
    );
    let odd = Request::new(house.address(), "POST", "/desk/session");
    let odd = odd.json(&json!({ "password": "please" })).send();
    assert_eq!((odd.status, odd.problem().as_str()), (422, "invalid"));
}

#[test]
fn who_guesses_codes_is_told_to_wait() {
    let house = House::new();
    let guesses: Vec<_> = (0..40).map(|_| redeem(&house, "guess")).collect();
    let limited = guesses.iter().find(|answer| answer.status == 429);
    assert_eq!(limited.expect("40 are too many").problem(), "rate-limited");
}

#[test]
fn who_is_not_signed_in_may_send_a_code_and_no_more() {
    let house = House::new();
    let code = code(&house);
    for length in [1_024, 4_000] {
        let long = redeem(&house, &"x".repeat(length));
        assert_eq!((long.status, long.problem().as_str()), (413, "too-large"));
    }
    // It was no guess, and the code is as good as before.
    assert_eq!(redeem(&house, &code).status, 204);
}

#[test]
fn only_the_hosts_token_makes_links_and_no_cookie_does() {
    let house = House::new();
    for role in [Role::Viewer, Role::Ingest] {
        let answer = house.request(role, "POST", "/v1/desk/codes").send();
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (403, "forbidden")
        );
    }
    let cookie = sign_in(&house);
    let answer = from_page(&house, &cookie, "POST", "/v1/desk/codes").send();
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (401, "unauthorised")
    );
}

#[test]
fn a_cookie_alone_says_nothing() {
    let house = House::with(|options| options.origins = vec!["http://dock.example".into()]);
    let cookie = sign_in(&house);
    let ask = |method: &str, headers: &[(&str, &str)]| {
        let request = Request::new(house.address(), method, CONFIG).header("Cookie", &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        let answer = match method {
            "GET" => request.send(),
            _ => request.json(&json!({ "maxGiftsPerSecond": 1 })).send(),
        };
        (answer.status, answer.problem())
    };
    let unauthorised = (401, "unauthorised".to_owned());
    assert_eq!(ask("GET", &[]), unauthorised);
    assert_eq!(ask("PATCH", &[]), unauthorised);
    // A page on another port of this machine is of the same site.
    assert_eq!(ask("GET", &[("Sec-Fetch-Site", "same-site")]), unauthorised);
    assert_eq!(
        ask("PATCH", &[("Sec-Fetch-Site", "same-origin")]),
        unauthorised
    );
    // An origin that is let in brings its own token.
    assert_eq!(
        ask("PATCH", &[("Origin", "http://dock.example")]),
        unauthorised
    );
    let foreign = (403, "foreign-origin".to_owned());
    for origin in ["http://127.0.0.1:1", "https://evil.example", "null"] {
        assert_eq!(ask("PATCH", &[("Origin", origin)]), foreign, "{origin}");
        assert_eq!(ask("GET", &[("Origin", origin)]), foreign, "{origin}");
    }
}

#[test]
fn a_cookie_neither_gives_gifts_nor_opens_a_websocket() {
    let house = House::new();
    let cookie = sign_in(&house);
    let give = from_page(&house, &cookie, "POST", "/v1/streams/main/gifts");
    let answer = give.json(&gift("forged")).send();
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (403, "forbidden")
    );
    let mut socket = Guest::request(house.address());
    let headers = socket.headers_mut();
    headers.insert("Cookie", cookie.parse().unwrap());
    let origin = format!("http://{}", house.address());
    headers.insert("Origin", origin.parse().unwrap());
    headers.insert("Sec-Fetch-Site", "same-origin".parse().unwrap());
    assert_eq!(Guest::upgrade(house.address(), socket).err(), Some(401));
}

#[test]
fn a_dock_stays_signed_in_when_the_relay_starts_anew_and_links_do_not() {
    let mut house = House::new();
    let cookie = sign_in(&house);
    let unused = code(&house);
    house.restart();
    assert_eq!(from_page(&house, &cookie, "GET", CONFIG).send().status, 200);
    assert_eq!(redeem(&house, &unused).status, 401);
}

#[test]
fn another_relay_of_this_machine_signs_nobody_out() {
    let (first, second) = (House::new(), House::new());
    // A browser keeps cookies of one name and host apart by nothing, ports included.
    let jar = [sign_in(&first), sign_in(&second)];
    let names = jar
        .each_ref()
        .map(|cookie| cookie.split_once('=').unwrap().0);
    assert_ne!(names[0], names[1]);
    for house in [&first, &second] {
        let answer = from_page(house, &jar.join("; "), "GET", CONFIG).send();
        assert_eq!(answer.status, 200);
    }
    // Who signed in before names had a port stays signed in.
    let value = jar[0].split_once('=').unwrap().1;
    let old = format!("hyperfocus-desk={value}");
    assert_eq!(from_page(&first, &old, "GET", CONFIG).send().status, 200);
    assert_eq!(from_page(&second, &old, "GET", CONFIG).send().status, 401);
}

#[test]
fn signing_out_ends_the_session_for_good_and_no_other() {
    let mut house = House::new();
    let (mine, other) = (sign_in(&house), sign_in(&house));
    let foreign = Request::new(house.address(), "DELETE", "/desk/session");
    assert_eq!(foreign.header("Cookie", &mine).send().status, 401);
    let out = from_page(&house, &mine, "DELETE", "/desk/session").send();
    assert_eq!(out.status, 204);
    let name = mine.split_once('=').unwrap().0;
    assert!(set_cookie(&out).starts_with(&format!("{name}=;")));
    assert!(set_cookie(&out).contains("Max-Age=0"));
    for _ in 0..2 {
        assert_eq!(from_page(&house, &mine, "GET", CONFIG).send().status, 401);
        assert_eq!(from_page(&house, &other, "GET", CONFIG).send().status, 200);
        house.restart();
    }
}

#[test]
fn who_signs_out_reads_no_more_events_and_others_do() {
    let house = House::new();
    let (mine, other) = (sign_in(&house), sign_in(&house));
    let [my_events, others] =
        [&mine, &other].map(|cookie| Events::by(from_page(&house, cookie, "GET", EVENTS)));
    let out = from_page(&house, &mine, "DELETE", "/desk/session").send();
    assert_eq!(out.status, 204);
    assert!(my_events.ends_within(3));
    assert!(!others.ends_within(3));
}

#[test]
fn a_cookie_for_another_machine_goes_over_tls_alone() {
    let house = House::with(|options| options.hosts = vec!["relay.example".into()]);
    // As behind a proxy that speaks TLS: a page that is read has no origin.
    for (host, is_secure) in [("relay.example", true), ("localhost", false)] {
        let out = Request::new(house.address(), "DELETE", "/desk/session");
        let out = out
            .header("Host", host)
            .header("Origin", &format!("http://{host}"))
            .send();
        assert_eq!(out.status, 204, "{out:?}");
        assert_eq!(set_cookie(&out).contains("; Secure"), is_secure, "{host}");
    }
}

#[test]
fn the_page_is_there_or_says_how_to_build_it_and_lets_nothing_else_in() {
    let house = House::new();
    for (path, kind) in [
        ("/desk", "text/html"),
        ("/desk/desk.js", "text/javascript"),
        ("/desk/desk.css", "text/css"),
    ] {
        let answer = Request::new(house.address(), "GET", path).send();
        match cfg!(desk) {
            true => assert!(
                answer.status == 200 && answer.head.contains(kind),
                "{answer:?}"
            ),
            false => assert!(
                answer.status == 501 && answer.body.contains("make desk"),
                "{answer:?}"
            ),
        }
        let head = answer.head.to_lowercase();
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; \
             connect-src 'self'; img-src 'self' data:; ",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(header), "{path}: {head}");
        }
        assert!(head.contains("frame-ancestors 'none'"), "{head}");
    }
}

#[test]
fn the_program_prints_another_link_while_its_relay_runs() {
    let folder = tempfile::tempdir().unwrap();
    let desk = || {
        let mut command = program(folder.path());
        command.args(["desk", "--data-dir"]).arg(folder.path());
        command.output().unwrap()
    };
    let no_relay = |output: std::process::Output| {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("no relay runs"), "{said}");
        assert!(said.contains("hyperfocus serve"), "{said}");
        assert_eq!(output.status.code(), Some(1));
    };
    no_relay(desk());
    let mut relay = Process::start(folder.path(), 0, &[]);
    let printed = desk();
    assert!(printed.status.success(), "{printed:?}");
    let link = String::from_utf8(printed.stdout).unwrap();
    let (address, code) = link.trim().split_once("/desk#").unwrap();
    assert_eq!(address, format!("http://{}", relay.address));
    let answer = Request::new(relay.address, "POST", "/desk/session")
        .json(&json!({ "code": code }))
        .send();
    assert_eq!(answer.status, 204, "{answer:?}");
    // It leaves its address behind, where anybody may listen by then.
    relay.kill();
    assert!(folder.path().join("relay.address").exists());
    no_relay(desk());
}

#[test]
fn a_page_behind_tls_keeps_its_cookie_to_tls() {
    let house = House::with(|options| options.hosts = vec!["relay.example".into()]);
    let answer = Request::new(house.address(), "POST", "/desk/session")
        .header("Host", "relay.example")
        .header("Origin", "https://relay.example")
        .json(&json!({ "code": code(&house) }))
        .send();
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(set_cookie(&answer).ends_with("; Secure"));
    let body: Value = json!({ "maxGiftsPerSecond": 5 });
    let patch = Request::new(house.address(), "PATCH", CONFIG)
        .header("Host", "relay.example")
        .header("Origin", "https://relay.example")
        .header("Cookie", set_cookie(&answer).split(';').next().unwrap());
    assert_eq!(patch.json(&body).send().status, 200);
}
