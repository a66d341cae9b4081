use hyperfocus::protocol::{ClientType, ServerMessage, decode_server};
use hyperfocus::relay::Role;
use hyperfocus::showfile::ShowFile;
use serde_json::json;

use crate::guest::Guest;
use crate::house::{House, PATIENCE, gift, until};
use crate::http::Answer;
use crate::renderer::Renderer;

#[test]
fn a_gift_reaches_the_engines_host_and_viewer_and_is_settled() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut host = Renderer::join(&house.url(), &token, "h", ClientType::Host);
    let viewer = house.token(Role::Viewer);
    let mut viewer = Renderer::join(&house.url(), &viewer, "v", ClientType::Viewer);
    until("both are there", || {
        house.figure("hosts") == 1 && house.figure("viewers") == 1
    });
    let ids: Vec<String> = (0..100).map(|n| format!("gift-{n}")).collect();
    ids.iter().for_each(|id| house.give(id));
    host.until("gifts", |host| host.order.len() == ids.len());
    viewer.until("gifts", |viewer| viewer.order.len() == ids.len());
    assert_eq!(host.order, ids);
    assert_eq!(viewer.order, ids);
    until("they are settled", || house.listed("rendered") == ids);
    assert_eq!(house.figure("unsettled_gifts"), 0);
}

#[test]
fn the_history_is_a_show_that_can_be_recorded() {
    let house = House::new();
    for id in ["a", "b", "c"] {
        let mut gift = gift(id);
        // What a sender says of time counts for nothing.
        gift["metadata"]["timestamp"] = json!("2999-01-01T00:00:00Z");
        assert_eq!(house.post(&gift).status, 201);
    }
    let answer = house.request(Role::Host, "GET", "/v1/streams/main/history");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.jsonl");
    std::fs::write(&path, answer.send().body).unwrap();
    let mut show = ShowFile::open(&path).unwrap();
    assert_eq!((show.gifts(), show.warnings().len()), (3, 0));
    let length = show.length();
    assert!(length < PATIENCE, "{length:?}");
    let first = show.next_by(length).unwrap().expect("a gift");
    let first = decode_server(&first).unwrap();
    assert!(matches!(first, ServerMessage::Gift(gift) if &*gift.id == "a"));
}

#[test]
fn the_last_days_of_a_history_are_a_show_however_long_an_older_gift_has_waited() {
    let house = House::new();
    house.give("old");
    house.give("new");
    let long_ago = "UPDATE gifts SET accepted_at = accepted_at - 8 * 86400000 WHERE gift = 'old'";
    house.database().execute(long_ago, []).unwrap();
    let ask = |query: &str| {
        let path = format!("/v1/streams/main/history{query}");
        house.request(Role::Host, "GET", &path).send()
    };
    let folder = tempfile::tempdir().unwrap();
    let show = |query: &str| {
        let answer = ask(query);
        assert_eq!(answer.status, 200, "{answer:?}");
        let path = folder.path().join("show.jsonl");
        std::fs::write(&path, answer.body).unwrap();
        ShowFile::open(&path)
    };
    for longer in ["", "?last=9d", "?last=200000000000d"] {
        let refused = show(longer).unwrap_err().to_string();
        assert!(refused.contains("history?last=7d"), "{refused}");
    }
    for last in ["7d", "2h", "90m", "3600s", "3600"] {
        let recent = show(&format!("?last={last}")).unwrap();
        assert_eq!(recent.gifts(), 1, "{last}");
    }
    let mistakes = "soon 0 0d -2h 1.5h 2w 2H h 2h30m 9999999999999999d";
    for nonsense in mistakes.split(' ').chain([""]) {
        let answer = ask(&format!("?last={nonsense}"));
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("90m, 2h or 7d"), "{detail}");
    }
}

#[test]
fn what_nobody_has_shown_waits_for_a_host_even_through_a_restart() {
    let mut house = House::new();
    let ids: Vec<String> = (0..20).map(|n| format!("gift-{n:02}")).collect();
    let many: Vec<_> = ids.iter().map(|id| gift(id)).collect();
    let answer = house.post(&json!(many));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["results"][19]["status"], "accepted");
    house.restart();
    assert_eq!(house.listed("unacked"), ids);
    let token = house.token(Role::Host);
    let mut guest = Guest::join(house.address(), &token, "h", "host");
    let got: Vec<String> = ids.iter().map(|_| guest.gift()).collect();
    assert_eq!(got, ids);
    guest.ack(&ids[0], true, None);
    until("one is settled", || house.listed("unacked").len() == 19);
    drop(guest);
    let mut again = Guest::join(house.address(), &token, "h", "host");
    let got: Vec<String> = ids[1..].iter().map(|_| again.gift()).collect();
    assert_eq!(got, ids[1..], "at once and in order");
}

#[test]
fn a_parked_gift_is_sent_again_or_dismissed_when_a_host_says_so() {
    let mut house = House::new();
    for id in ["again", "never", "waits"] {
        house.give(id);
    }
    // As gifts are that nobody answered for long.
    let park = "UPDATE gifts SET state = 3, ended_at = accepted_at WHERE gift <> 'waits'";
    house.database().execute(park, []).unwrap();
    house.restart();
    let act = |role, gift: &str, what: &str| {
        let path = format!("/v1/streams/main/gifts/{gift}/{what}");
        house.request(role, "POST", &path).send()
    };
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    assert_eq!(host.gift(), "waits", "what is parked is not sent");

    let sent = act(Role::Host, "again", "resend");
    assert_eq!(sent.status, 201, "{sent:?}");
    let another = sent.json()["giftId"].as_str().unwrap().to_owned();
    assert!(another.starts_with("again:again-"), "{another}");
    assert_eq!(host.gift(), another);
    host.ack(&another, true, None);
    until("it is shown", || house.listed("rendered") == [&*another]);
    // Asked for by two at once it would be one all the same.
    let twice = act(Role::Host, "again", "resend");
    assert_eq!((twice.status, &*twice.problem()), (409, "not-parked"));

    assert_eq!(act(Role::Host, "never", "dismiss").status, 204);
    until("none is parked", || house.listed("parked").is_empty());
    assert_eq!(house.listed("failed"), ["again", "never"]);
    let listed = house.request(Role::Host, "GET", "/v1/streams/main/gifts?state=failed");
    let listed = listed.send().json();
    let errors = [0, 1].map(|nth| listed["gifts"][nth]["error"].clone());
    let expected = [
        format!("sent again as {another}"),
        "dismissed by the host".into(),
    ];
    assert_eq!(errors, expected.map(serde_json::Value::from));

    for (gift, problem) in [
        ("waits", (409, "not-parked")),
        ("unknown", (404, "no-such-gift")),
    ] {
        for what in ["resend", "dismiss"] {
            let answer = act(Role::Host, gift, what);
            assert_eq!(
                (answer.status, &*answer.problem()),
                problem,
                "{gift} {what}"
            );
        }
    }
    assert_eq!(act(Role::Ingest, "waits", "resend").status, 403);
    assert_eq!(act(Role::Viewer, "waits", "dismiss").status, 403);
}

/// As a gift is that nobody answered for long.
fn park(house: &House, gift: &str) {
    let park = "UPDATE gifts SET state = 3, ended_at = accepted_at WHERE gift = ?1";
    assert_eq!(house.database().execute(park, [gift]), Ok(1));
}

fn resend(house: &House, gift: &str) -> Answer {
    let path = format!("/v1/streams/main/gifts/{gift}/resend");
    house.request(Role::Host, "POST", &path).send()
}

#[test]
fn a_parked_gift_that_is_sent_again_twice_is_one_gift_more() {
    let house = House::new();
    house.give("killed");
    house.give("asked");
    park(&house, "killed");
    let first = resend(&house, "killed");
    assert_eq!(first.status, 201, "{first:?}");
    let another = first.json()["giftId"].as_str().unwrap().to_owned();
    until("it has ended", || house.listed("failed") == ["killed"]);
    // As when the relay was killed between the two.
    park(&house, "killed");
    let again = resend(&house, "killed");
    assert_eq!(again.status, 200, "{again:?}");
    let repeated = json!({ "giftId": another, "status": "repeated" });
    assert_eq!(again.json(), repeated);
    until("it has ended again", || {
        house.listed("failed") == ["killed"]
    });
    assert_eq!(house.listed("unacked"), ["asked", &*another]);
    // By several at once.
    park(&house, "asked");
    let answers = std::thread::scope(|scope| {
        let asking = [(); 4].map(|()| scope.spawn(|| resend(&house, "asked")));
        asking.map(|it| it.join().unwrap())
    });
    let (sent, others): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert_eq!(sent.len(), 1, "{answers:?}");
    for other in others {
        assert!(matches!(other.status, 200 | 409), "{other:?}");
    }
    until("it has ended as well", || {
        house.listed("failed") == ["killed", "asked"]
    });
    assert_eq!(house.listed("unacked").len(), 2, "one of each");
}

#[test]
fn a_parked_gift_that_a_full_store_cannot_send_again_stays_parked_until_there_is_room() {
    let house = House::with(|options| options.max_store_mib = Some(1));
    // Too large to go where there is a little room left over.
    let url = format!("https://example.com/{}", "x".repeat(2_000));
    let mut large = gift("large");
    large["sender"]["avatar"] = json!(url);
    large["animation"] = json!({ "assetUrl": url, "soundUrl": url });
    assert_eq!(house.post(&large).status, 201);
    park(&house, "large");
    let database = house.database();
    let ballast = "CREATE TABLE ballast AS SELECT zeroblob(2 * 1024 * 1024) AS weight";
    database.execute_batch(ballast).unwrap();
    let refused = resend(&house, "large");
    assert_eq!(
        (refused.status, &*refused.problem()),
        (507, "full"),
        "{refused:?}"
    );
    database.execute_batch("DROP TABLE ballast").unwrap();
    // Whatever had been noted meanwhile would be kept together with this.
    house.give("later");
    assert_eq!(house.listed("parked"), ["large"]);
    assert_eq!(house.listed("unacked"), ["later"]);
    assert_eq!(resend(&house, "large").status, 201);
    until("it is sent again", || house.listed("failed") == ["large"]);
    assert_eq!(house.listed("unacked").len(), 2);
}

#[test]
fn a_gift_is_accepted_once_however_often_it_is_sent() {
    let house = House::new();
    let ask = |body| {
        let answer = house.post(&body);
        (answer.status, answer)
    };
    assert_eq!(ask(gift("a")).0, 201);
    let (status, again) = ask(gift("a"));
    assert_eq!((status, &again.json()["status"]), (200, &json!("repeated")));
    let mut other = gift("a");
    other["giftType"] = json!("lion");
    let (status, refused) = ask(other.clone());
    assert_eq!((status, refused.problem().as_str()), (409, "conflict"));
    let (status, mixed) = ask(json!([gift("b"), other]));
    assert_eq!(status, 409);
    let results = mixed.json()["results"].clone();
    assert_eq!(results[0], json!({ "giftId": "b", "status": "accepted" }));
    assert_eq!(results[1], json!({ "giftId": "a", "status": "conflict" }));
    let mut update = gift("a");
    update["metadata"] = json!({ "isStreak": true, "comboCount": 7 });
    let (status, updated) = ask(update);
    assert_eq!((status, &updated.json()["giftId"]), (201, &json!("a:7")));
    assert_eq!(house.listed("unacked"), ["a", "b", "a:7"]);
    assert_eq!(house.figure("gifts_conflicting_total"), 2);
}

#[test]
fn a_gift_in_pieces_or_to_a_name_in_escapes_is_the_same_gift() {
    let house = House::new();
    house.give("a");
    let ask = |path: &str| house.request(Role::Ingest, "POST", path);
    for size in [1, 100] {
        let sent = ask("/v1/streams/main/gifts").json_in_chunks(&gift("a"), size);
        let answer = sent.send();
        assert_eq!(answer.json()["status"], "repeated", "{answer:?}");
    }
    let answer = ask("/v1/streams/ma%69n/gifts").json(&gift("a")).send();
    assert_eq!(answer.json()["status"], "repeated", "{answer:?}");
    let refused = ask("/v1/streams/%00/gifts").json(&gift("a")).send();
    assert_eq!((refused.status, refused.problem()), (422, "invalid".into()));
}

#[test]
fn one_hosts_word_settles_and_a_failure_needs_every_hosts() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut a = Guest::join(house.address(), &token, "a", "host");
    let mut b = Guest::join(house.address(), &token, "b", "host");
    for id in ["shown", "lost"] {
        house.give(id);
        assert_eq!((a.gift(), b.gift()), (id.to_owned(), id.to_owned()));
    }
    a.ack("shown", false, Some("no picture"));
    b.ack("shown", true, None);
    a.ack("lost", false, Some("no picture"));
    until("one is shown", || house.listed("rendered") == ["shown"]);
    assert_eq!(house.listed("unacked"), ["lost"]);
    b.ack("lost", false, Some("no picture"));
    until("one is lost", || house.listed("failed") == ["lost"]);
}

#[test]
fn a_gift_waits_only_at_a_host_that_named_interim_acks() {
    let house = House::new();
    let token = house.token(Role::Host);
    let refuse = |id: &str, extensions: &[&str]| {
        let mut host = Guest::join_naming(house.address(), &token, "h", "host", extensions);
        house.give(id);
        assert_eq!(host.gift(), id);
        host.ack(id, false, None);
        host
    };
    let plain = refuse("lost", &["x-control"]);
    until("it is lost", || house.listed("failed") == ["lost"]);
    drop(plain);
    let mut ours = refuse("waits", &["x-ack-interim"]);
    house.give("later");
    assert_eq!(ours.gift(), "later");
    ours.ack("later", true, None);
    until("it is shown", || house.listed("rendered") == ["later"]);
    assert_eq!(house.listed("unacked"), ["waits"]);
    // What was granted once is understood: an ack may be on its way meanwhile.
    let less = house.request(Role::Host, "PATCH", "/v1/streams/main/config");
    let less = less.json(&json!({ "features": ["x-control"] })).send();
    assert_eq!(less.status, 200, "{less:?}");
    ours.next_of("connection:ack");
    for id in ["held", "last"] {
        house.give(id);
        assert_eq!(ours.gift(), id);
        ours.ack(id, id == "last", None);
    }
    until("the last is shown", || {
        house.listed("rendered") == ["later", "last"]
    });
    assert_eq!(house.listed("unacked"), ["waits", "held"]);
}

#[test]
fn a_gift_that_one_host_failed_waits_for_the_other_while_the_relay_is_away() {
    let mut house = House::new();
    let token = house.token(Role::Host);
    house.give("g");
    for round in 0..10 {
        let mut hosts =
            ["a", "b"].map(|client| Guest::join(house.address(), &token, client, "host"));
        for host in &mut hosts {
            assert_eq!(host.gift(), "g", "in round {round}");
        }
        let [a, _b] = &mut hosts;
        a.ack("g", false, Some("no picture"));
        let next = round.to_string();
        house.give(&next);
        assert_eq!(a.gift(), next);
        a.ack(&next, true, None);
        until("its acks are read", || {
            house.listed("rendered").contains(&next)
        });
        // Whichever host's connection is the first to end.
        house.restart();
        assert_eq!(house.listed("unacked"), ["g"]);
    }
}

#[test]
fn a_gift_that_one_host_failed_waits_for_the_other_that_is_back_in_a_moment() {
    let mut house = House::new();
    let token = house.token(Role::Host);
    let join = |house: &House, client| Guest::join(house.address(), &token, client, "host");
    // It has none of these; whether its word was read shows in a gift that it has.
    let fails = |house: &House, host: &mut Guest, shown: &str| {
        host.ack("g", false, Some("DISMISSED"));
        house.give(shown);
        assert_eq!(host.gift(), shown);
        host.ack(shown, true, None);
        until("its acks are read", || {
            house.listed("rendered").contains(&shown.to_owned())
        });
        assert_eq!(house.listed("unacked"), ["g"], "{shown}");
    };
    let (mut a, mut b) = (join(&house, "a"), join(&house, "b"));
    house.give("g");
    assert_eq!((a.gift(), b.gift()), ("g".into(), "g".into()));
    drop(b);
    until("b has gone", || house.figure("hosts") == 1);
    fails(&house, &mut a, "first");
    assert_eq!(join(&house, "b").gift(), "g");
    // The relay starts anew, and a is the first that is back.
    house.restart();
    let mut a = join(&house, "a");
    assert_eq!(a.gift(), "g");
    fails(&house, &mut a, "second");
    let mut b = join(&house, "b");
    assert_eq!(b.gift(), "g");
    b.ack("g", true, None);
    until("it is shown", || {
        house.listed("rendered") == ["g", "first", "second"]
    });
}

#[test]
fn a_host_that_shows_a_gift_after_all_is_believed() {
    let house = House::new();
    let token = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &token, "h", "host");
    house.give("g");
    assert_eq!(host.gift(), "g");
    host.ack("g", false, Some("no picture"));
    until("it is lost", || house.listed("failed") == ["g"]);
    host.ack("g", true, None);
    until("it is shown", || house.listed("rendered") == ["g"]);
    assert_eq!(house.listed("failed"), [""; 0]);
}

#[test]
fn a_viewers_ack_settles_nothing() {
    let house = House::new();
    let token = house.token(Role::Viewer);
    let mut viewer = Guest::join(house.address(), &token, "v", "viewer");
    house.give("a");
    assert_eq!(viewer.gift(), "a");
    viewer.ack("a", true, None);
    house.give("b");
    assert_eq!(viewer.gift(), "b", "its ack has been read by then");
    assert_eq!(house.listed("unacked"), ["a", "b"]);
}

#[test]
fn a_host_that_does_not_ack_is_told_and_gets_the_rest_as_it_does() {
    /// As many as a host may owe.
    const WINDOW: usize = 50_000;
    const MORE: usize = 20;
    let house = House::new();
    let ids: Vec<String> = (0..WINDOW + MORE).map(|n| n.to_string()).collect();
    for some in ids.chunks(1_000) {
        let gifts: Vec<_> = some.iter().map(|id| gift(id)).collect();
        assert_eq!(house.post(&json!(gifts)).status, 201);
    }
    let join = |client| Guest::join(house.address(), &house.token(Role::Host), client, "host");
    let mut other = join("other");
    ids[..WINDOW]
        .iter()
        .for_each(|id| assert_eq!(&other.gift(), id));
    let mut host = join("h");
    for id in &ids[..WINDOW] {
        assert_eq!(&host.gift(), id);
    }
    assert_eq!(host.error(), "SLOW_HOST", "and nothing follows by itself");
    // Its word is not the last, and yet it has room again.
    for id in &ids[..MORE] {
        host.ack(id, false, Some("no picture"));
    }
    let mut rest = Vec::new();
    while rest.len() < MORE {
        let (kind, told) = host.next();
        match kind.as_str() {
            "gift:received" => rest.push(told["giftId"].as_str().unwrap().to_owned()),
            // It owes as many again.
            _ => assert_eq!(told["code"], "SLOW_HOST", "{kind}"),
        }
    }
    assert_eq!(rest, ids[WINDOW..]);
    for id in &ids[..MORE] {
        other.ack(id, false, Some("no picture"));
    }
    until("its acks count", || house.listed("failed") == ids[..MORE]);
}

#[test]
fn gifts_that_cannot_be_meant_are_refused_and_say_where() {
    let house = House::new();
    let mut nothing = gift("n");
    nothing["quantity"] = json!(0);
    let mut wrong = gift("w");
    wrong["sender"]["isSubscriber"] = json!("yes");
    for (body, place) in [
        (json!({ "giftType": "rose" }), "payload.giftId"),
        (nothing, "quantity"),
        (wrong.clone(), "sender.isSubscriber"),
        (json!([gift("x"), wrong]), "sender.isSubscriber"),
        (json!("rose"), "expected"),
    ] {
        let answer = house.post(&body);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains(place), "{detail}");
    }
    assert!(house.listed("unacked").is_empty(), "all or none");
    let ask = |kind, body: &str| {
        let request = house.request(Role::Ingest, "POST", "/v1/streams/main/gifts");
        request.body(kind, body).send().status
    };
    assert_eq!(ask("application/json", "[1,"), 400);
    assert_eq!(ask("application/json", "{"), 422);
    assert_eq!(ask("text/plain", "{}"), 415);
    assert_eq!(ask("application/json", &"x".repeat(70_000)), 413);
    assert_eq!(ask("application/json", &"x".repeat(3_000_000)), 413);
    let many: Vec<_> = (0..1001).map(|n| gift(&n.to_string())).collect();
    assert_eq!(house.post(&json!(many)).status, 413);
    assert_eq!(house.figure("ready"), 1);
}

#[test]
fn a_gift_of_the_future_is_a_gift_and_a_name_is_made_safe() {
    let house = House::new();
    let mut late = gift("late");
    late["metadata"]["timestamp"] = json!("2999-01-01T00:00:00Z");
    late["sender"]["username"] = json!("Ada\u{202e}evil\u{0000}");
    late["sender"]["avatar"] = json!("javascript:alert(1)");
    assert_eq!(house.post(&late).status, 201);
    let token = house.token(Role::Host);
    let mut guest = Guest::join(house.address(), &token, "h", "host");
    let got = guest.next_of("gift:received");
    let sent_at = got["metadata"]["timestamp"].as_str().unwrap();
    assert!(sent_at.starts_with("2999-01-01"), "{got}");
    assert_eq!(got["sender"]["username"], "Adaevil");
    assert_eq!(got["sender"]["avatar"], "");
}

#[test]
fn a_full_store_refuses_with_507_and_says_that_it_is_not_ready() {
    let house = House::with(|options| options.max_store_mib = Some(1));
    let mut round = 0;
    let refused = loop {
        let gifts: Vec<_> = (0..500).map(|n| gift(&format!("{round}-{n}"))).collect();
        let answer = house.post(&json!(gifts));
        if answer.status != 201 {
            break answer;
        }
        round += 1;
    };
    assert_eq!((refused.status, refused.problem().as_str()), (507, "full"));
    assert!(refused.head.to_lowercase().contains("retry-after"));
    assert_eq!(house.figure("ready"), 0);
    let ready = crate::http::Request::new(house.address(), "GET", "/readyz").send();
    assert_eq!(ready.status, 503);
    assert_eq!(house.figure("gifts_accepted_total"), round * 500);
}
