use super::*;
use crate::model::Telemetry;
use crate::protocol::ClientType;
use crate::relay::roster::Renderer;
use crate::relay::status::goal_of;

fn kept(serials: &[Serial]) -> Vec<News> {
    let unsettled = serials.iter().map(|serial| fresh(*serial)).collect();
    let until = serials.last().copied().unwrap_or(0);
    vec![News::Kept(Kept {
        unsettled,
        until,
        ..Kept::default()
    })]
}

fn fresh(serial: Serial) -> Fresh {
    Fresh {
        serial,
        gift: serial.to_string().into(),
        message: "{}".into(),
    }
}

#[test]
fn nothing_is_heard_before_what_is_kept_and_nothing_twice() {
    let channels = Channels::default();
    let (stream, channel) = ("s".into(), channels.open("s").unwrap());
    channels.hear(&stream, vec![News::Gift(fresh(1))]);
    assert!(!channels.may_render(&stream, 1));
    assert_eq!(channel.hub().unsettled(), 0);
    channels.hear(&stream, kept(&[1, 2]));
    channels.hear(&stream, vec![News::Gift(fresh(2)), News::Gift(fresh(3))]);
    channels.hear(&stream, kept(&[9]));
    assert_eq!(channel.hub().unsettled(), 3);
    // Nobody has that one open.
    channels.hear(&"other".into(), kept(&[1]));
    assert_eq!(channels.sum().unsettled, 3);
}

#[test]
fn the_figures_say_how_many_gifts_are_parked_whenever_that_was() {
    let channels = Channels::default();
    let (stream, channel) = ("s".into(), channels.open("s").unwrap());
    let mut events = channel.events();
    let mut parked = |news| {
        channels.hear(&stream, news);
        channel.tell_figures();
        let figures: Value = serde_json::from_str(&events.try_recv().unwrap().data).unwrap();
        figures["parked"].as_i64()
    };
    let before = Kept {
        parked: 2,
        ..Kept::default()
    };
    assert_eq!(parked(vec![News::Parked(7)]), Some(0), "not open yet");
    assert_eq!(parked(vec![News::Kept(before)]), Some(2));
    assert_eq!(parked(vec![News::Parked(1)]), Some(3));
    assert_eq!(parked(vec![News::Parked(-3)]), Some(0));
    // Of what the store is still counting one was shown just now.
    assert_eq!(parked(vec![News::Parked(-1)]), Some(0));
    assert_eq!(parked(vec![News::Parked(4)]), Some(3));
}

fn status(current: u32) -> String {
    let goal = json!({ "type": "gifts", "target": 8, "current": current, "description": "" });
    json!({
        "type": "stream:status",
        "payload": { "isLive": true, "viewerCount": 9, "currentGoal": goal },
    })
    .to_string()
}

/// A host's stage says how far it has come, and how much of that waits.
fn say(channel: &Channel, id: ConnectionId, current: u32, waiting: u32) -> Option<String> {
    let mut goal = goal_of(&status(0)).unwrap();
    goal.current = current.into();
    let telemetry = Telemetry {
        goal: Some(goal),
        goal_waiting: waiting.into(),
        ..Telemetry::default()
    };
    channel.roster.told(id, Box::new(telemetry));
    channel.heed_goal().map(|(_, kept)| kept)
}

#[test]
fn whoever_joins_hears_of_a_goal_without_the_gifts_that_are_sent_again() {
    let channels = Channels::default();
    let channel = channels.open("s").unwrap();
    channels.hear(&"s".into(), kept(&[]));
    channels.hear(&"s".into(), vec![News::Status(status(0))]);
    for id in [1, 2] {
        let host = Renderer::new(id.to_string().into(), ClientType::Host, true);
        channel.roster.join(id, host);
    }
    let shown = |channel: &Channel| channel.status().unwrap()["currentGoal"]["current"].clone();
    let current = |kept: Option<String>| Some(goal_of(&kept?)?.current);
    assert_eq!(current(say(&channel, 1, 5, 5)), None, "all of it waits");
    assert_eq!(shown(&channel), 5);
    assert_eq!(current(say(&channel, 1, 6, 2)), Some(4.0));
    assert_eq!(shown(&channel), 6);
    // One that lags behind was given the same.
    assert_eq!(current(say(&channel, 2, 6, 5)), None);
    assert_eq!(shown(&channel), 6);
    assert_eq!(current(say(&channel, 1, 6, 0)), Some(6.0));
    assert_eq!(current(say(&channel, 2, 5, 0)), None);
    // Set anew, it may be less, and what was said before does not count.
    channels.hear(&"s".into(), vec![News::Status(status(1))]);
    assert_eq!(current(say(&channel, 2, 2, 0)), Some(2.0));
    assert_eq!(shown(&channel), 2);
}

/// A stream whose goal has come to 20, of which 5 wait for the host's stage.
fn waiting() -> (Channels, Arc<Channel>) {
    let channels = Channels::default();
    let channel = channels.open("s").unwrap();
    channels.hear(&"s".into(), kept(&[]));
    channels.hear(&"s".into(), vec![News::Status(status(0))]);
    let host = Renderer::new("h".into(), ClientType::Host, true);
    channel.roster.join(1, host);
    say(&channel, 1, 20, 5).unwrap();
    (channels, channel)
}

#[test]
fn gifts_that_wait_are_not_in_a_goal_twice_when_its_figure_is_told_back() {
    let (channels, channel) = waiting();
    channel.roster.leave(1);
    channels.hear(&"s".into(), vec![News::Status(status(20))]);
    assert_eq!(channel.status().unwrap()["currentGoal"]["current"], 20);
    let (before, after) = channel.take_note().unwrap();
    let current = |kept: &str| goal_of(kept).unwrap().current;
    assert_eq!((current(&before), current(&after)), (20.0, 15.0));
    assert_eq!(channel.take_note(), None, "it is noted");
    // One that it has not come to is somebody's own.
    channels.hear(&"s".into(), vec![News::Status(status(19))]);
    assert_eq!(channel.take_note(), None);
}

#[test]
fn a_status_that_leaves_the_goal_out_takes_nothing_off_it() {
    let (channels, channel) = waiting();
    let mut told = StreamStatus::default();
    channel.complete(&mut told, &StatusParts::default());
    assert_eq!(told.goal.as_ref().unwrap().current, 20.0);
    // Until it is kept the goal goes on, and what stages have said holds.
    say(&channel, 1, 22, 6);
    channels.hear(&"s".into(), vec![News::Status(status(20))]);
    assert_eq!(channel.status().unwrap()["currentGoal"]["current"], 22);
    let (_, after) = channel.take_note().unwrap();
    assert_eq!(goal_of(&after).unwrap().current, 16.0);
    let said = StatusParts {
        goal: true,
        ..StatusParts::default()
    };
    let mut none = StreamStatus::default();
    channel.complete(&mut none, &said);
    assert_eq!(none.goal, None, "it was said that there is none");
}

fn roses(serial: Serial, quantity: u32) -> Fresh {
    let message = json!({
        "type": "gift:received",
        "payload": {
            "giftId": serial.to_string(),
            "giftType": "rose",
            "quantity": quantity,
            "sender": { "userId": "ann", "username": "Ann" },
        },
    });
    Fresh {
        message: message.to_string(),
        ..fresh(serial)
    }
}

fn rendered(serial: Serial) -> News {
    News::Ended(Ended {
        gift: serial.to_string().into(),
        ending: Ending::Rendered,
    })
}

/// A stream whose goal is told to be there, after those gifts.
fn told_after(gifts: &[(Serial, u32)], current: u32) -> (Channels, Arc<Channel>) {
    let channels = Channels::default();
    let channel = channels.open("s").unwrap();
    channels.hear(&"s".into(), kept(&[]));
    let gifts = gifts
        .iter()
        .map(|(serial, quantity)| roses(*serial, *quantity));
    let news = gifts.map(News::Gift).chain([News::Status(status(current))]);
    channels.hear(&"s".into(), news.collect());
    (channels, channel)
}

/// How far the goal has come: with all gifts, and as it is kept if that is news.
fn goal_at(channel: &Channel) -> (Value, Option<f64>) {
    let shown = channel.status().unwrap()["currentGoal"]["current"].take();
    let kept = channel.take_note();
    (shown, kept.map(|(_, kept)| goal_of(&kept).unwrap().current))
}

#[test]
fn gifts_that_wait_when_a_goal_is_told_are_in_it() {
    let (channels, channel) = told_after(&[(1, 4), (2, 6)], 10);
    assert_eq!(goal_at(&channel), (json!(10), Some(0.0)));
    channels.hear(&"s".into(), vec![rendered(1)]);
    assert_eq!(goal_at(&channel), (json!(10), Some(4.0)));
    let host = Renderer::new("h".into(), ClientType::Host, true);
    channel.roster.join(1, host);
    say(&channel, 1, 10, 6);
    channels.hear(&"s".into(), vec![rendered(2)]);
    assert_eq!(goal_at(&channel), (json!(10), None), "the stage says it");
    say(&channel, 1, 10, 0).unwrap();
    assert_eq!(goal_at(&channel), (json!(10), None));
}

#[test]
fn a_goal_that_is_begun_anew_is_never_below_nothing() {
    let (channels, channel) = told_after(&[(1, 4), (2, 6)], 3);
    assert_eq!(goal_at(&channel), (json!(3), Some(0.0)));
    channels.hear(&"s".into(), vec![rendered(1), rendered(2)]);
    assert_eq!(goal_at(&channel), (json!(3), Some(3.0)));
}

#[test]
fn gifts_bring_a_goal_on_where_no_stage_says_how_far() {
    let (channels, channel) = told_after(&[], 1);
    let hear = |news| channels.hear(&"s".into(), vec![news]);
    hear(News::Gift(roses(1, 2)));
    hear(rendered(1));
    hear(News::Gift(roses(2, 3)));
    let mut told = StreamStatus::default();
    channel.complete(&mut told, &StatusParts::default());
    assert_eq!(told.goal.unwrap().current, 6.0);
    hear(News::Gift(roses(3, 1)));
    hear(News::Status(status(6)));
    assert_eq!(goal_at(&channel), (json!(7), Some(3.0)));
    let host = Renderer::new("h".into(), ClientType::Host, true);
    channel.roster.join(1, host);
    say(&channel, 1, 7, 4);
    hear(News::Gift(roses(4, 5)));
    assert_eq!(goal_at(&channel), (json!(7), None), "the stage says it");
    channel.roster.leave(1);
    assert_eq!(goal_at(&channel), (json!(12), None));
}

#[test]
fn a_kept_goal_has_the_gifts_in_it_that_came_before_it() {
    let opened = |status_at| {
        let channels = Channels::default();
        let channel = channels.open("s").unwrap();
        let kept = Kept {
            unsettled: vec![roses(1, 2), roses(3, 5)],
            status: Some(status(4)),
            status_at,
            until: 3,
            ..Kept::default()
        };
        channels.hear(&"s".into(), vec![News::Kept(kept)]);
        goal_at(&channel)
    };
    assert_eq!(opened(2), (json!(9), Some(2.0)));
    assert_eq!(opened(0), (json!(11), None), "as this relay notes it");
}

#[test]
fn a_stream_is_closed_when_nobody_uses_it_and_its_count_stays() {
    let channels = Channels::default();
    let closed = Mutex::new(Vec::new());
    let close = |which| {
        channels.close_unused(which, |stream| {
            closed.lock().unwrap().push(stream.to_string());
        });
        std::mem::take(&mut *closed.lock().unwrap())
    };
    let close_twice = |which| close(which).len() + close(which).len();
    let channel = channels.open("s").unwrap();
    channels.hear(&"s".into(), kept(&[1]));
    let joining = Joining {
        client_id: "h".into(),
        role: ClientType::Host,
        hears_controls: false,
    };
    let (id, _, _) = channel.join(joining);
    channel
        .hub()
        .acked(id, &"1".into(), crate::relay::hub::Word::Rendered);
    assert_eq!(close_twice(Unused::All), 0, "it is in use");
    channel.leave(id, Moment::ZERO);
    let events = channel.events();
    drop(channel);
    assert_eq!(close_twice(Unused::All), 0, "it is read");
    drop(events);
    channels.open("s");
    assert_eq!(close(Unused::All).len(), 0, "it was asked for just now");
    assert_eq!(close(Unused::All), ["s"]);
    assert_eq!(channels.sum().streams, 0);
    assert_eq!(channels.sum().tally.rendered, 1);
}

#[test]
fn names_alone_go_first_and_what_a_stream_holds_keeps_it() {
    let channels = Channels::default();
    let settings = News::Kept(Kept {
        config: Some(default_config()),
        ..Kept::default()
    });
    let status = News::Status("{}".into());
    for (name, news) in [
        ("name", kept(&[])),
        ("gift", kept(&[1])),
        ("settings", vec![settings]),
        ("status", kept(&[]).into_iter().chain([status]).collect()),
    ] {
        channels.open(name).unwrap();
        channels.hear(&name.into(), news);
    }
    for _ in 0..2 {
        channels.close_unused(Unused::Names, |stream| assert_eq!(&**stream, "name"));
    }
    assert_eq!(channels.sum().streams, 3);
}
