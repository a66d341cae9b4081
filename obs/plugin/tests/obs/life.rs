//! Engines and sources that come and go.

use hyperfocus_ring::{Instance, Showing, now_ns};
use serde_json::json;

use super::harness::{CANVAS, Home, Item, Obs, Picture, Scene, until};
use super::producer::{CARD, Producer, column};

const SECOND_NS: u64 = 1_000_000_000;

fn one_scene() -> [Scene; 1] {
    [Scene::new("Main", [Item::showing("Gifts")])]
}

fn is_card(picture: &Picture) -> bool {
    let (x, y) = column(0, picture.size());
    picture.at(x, y) == CARD[0]
}

fn is_blank(picture: &Picture) -> bool {
    picture.only_colour() == Some([0; 4])
}

/// The latest after `start_ns` that a look was begun and did not show what was
/// waited for. Looks that take long on a busy machine do not count against us.
fn last_miss_ns(obs: &mut Obs, start_ns: u64, is_so: fn(&Picture) -> bool) -> u64 {
    let mut last_miss = 0;
    until("the picture changes", || {
        let begun = now_ns();
        if is_so(&obs.look("Gifts")) {
            return Some(());
        }
        last_miss = begun.saturating_sub(start_ns);
        None
    });
    last_miss
}

#[test]
fn a_killed_engine_is_blank_within_a_second_and_its_successor_shown() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("card");
    let mut obs = home.start(&one_scene());
    for _ in 0..3 {
        obs.wait_for("Gifts", "the card is seen", is_card);
        // In the middle of whichever frame it is at.
        producer.tell("numbers");
        let killed_ns = now_ns();
        producer.kill();
        let last = last_miss_ns(&mut obs, killed_ns, is_blank);
        println!("blank {} ms after kill -9", last / 1_000_000);
        assert!(last < SECOND_NS, "still seen after {last} ns");

        producer = Producer::start(obs.home(), "main");
        producer.tell("card");
        let back_ns = now_ns();
        let last = last_miss_ns(&mut obs, back_ns, is_card);
        println!("back {} ms after the restart", last / 1_000_000);
        assert!(last < SECOND_NS, "not seen after {last} ns");
    }
    // An orderly end, a stage that is empty, and one that is not any more.
    producer.tell("end");
    obs.wait_for("Gifts", "it ended", is_blank);
    let mut producer = Producer::start(obs.home(), "another");
    producer.tell("card");
    obs.wait_for("Gifts", "the first one running has another name", is_card);
    producer.tell("empty");
    obs.wait_for("Gifts", "the stage is empty", is_blank);
    producer.tell("card");
    obs.wait_for("Gifts", "the stage is not empty", is_card);
}

#[test]
fn a_new_size_is_followed() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("card");
    let mut obs = home.start(&one_scene());
    obs.wait_for("Gifts", "the card is seen", is_card);
    for (width, height) in [(640, 360), (64, 100), (1024, 16), CANVAS] {
        producer.tell(&format!("size {width} {height}"));
        producer.tell("card");
        let picture = obs.wait_for("Gifts", "the size is followed", |picture| {
            picture.size() == (width, height) && is_card(picture)
        });
        // Alpha shows where each column lies; colours are tested elsewhere.
        for (index, card) in CARD.into_iter().enumerate() {
            let (x, y) = column(index, picture.size());
            assert_eq!(picture.at(x, y)[3], card[3], "{width}x{height}");
        }
    }
}

#[test]
fn sources_come_and_go() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("card");
    let mut obs = home.start(&one_scene());
    obs.wait_for("Gifts", "the card is seen", is_card);
    let rings = obs.home().rings();
    let look = || Instance::find(&rings, "main", now_ns()).unwrap();
    until("the engine hears of its source", || {
        let instance = look();
        let reader = instance.reader;
        (reader.fps == Some((30, 1)) && reader.showing == Showing::OnAir && reader.sources == 1)
            .then_some(instance.reader_pid)
    });
    assert_eq!(look().reader_pid, Some(obs.pid()));

    // Added, with the properties that a user sees, and removed again.
    for round in 0..3 {
        let name = format!("More {round}");
        obs.call(
            "CreateInput",
            &json!({
                "sceneName": "Main", "inputName": name, "inputKind": "hyperfocus_gifts",
                "inputSettings": { "instance": "main", "start_engine": false },
            }),
        );
        obs.wait_for(&name, "the new source shows the card", is_card);
        until("two sources are told", || {
            (look().reader.sources == 2).then_some(())
        });
        let list = obs.call(
            "GetInputPropertiesListPropertyItems",
            &json!({ "inputName": name, "propertyName": "instance" }),
        );
        let items = list["propertyItems"].as_array().unwrap();
        assert_eq!(items[0]["itemValue"], "");
        assert_eq!(items[1]["itemValue"], "main", "{list}");
        obs.call(
            "PressInputPropertiesButton",
            &json!({ "inputName": name, "propertyName": "refresh" }),
        );
        obs.call("RemoveInput", &json!({ "inputName": name }));
        until("one source is left", || {
            (look().reader.sources == 1).then_some(())
        });
    }
    obs.call("RemoveInput", &json!({ "inputName": "Gifts" }));
    until("the seat is free", || {
        look().reader_pid.is_none().then_some(())
    });
    obs.call(
        "CreateInput",
        &json!({
            "sceneName": "Main", "inputName": "Gifts", "inputKind": "hyperfocus_gifts",
            "inputSettings": { "start_engine": false },
        }),
    );
    obs.wait_for("Gifts", "it is back", is_card);
}

#[test]
fn either_program_may_end_first() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("card");
    let mut obs = home.start(&one_scene());
    obs.wait_for("Gifts", "the card is seen", is_card);
    let (status, home) = obs.quit();
    assert!(status.success(), "{status}");
    let rings = home.rings();
    until("the seat is free", || {
        let instance = Instance::find(&rings, "main", now_ns()).unwrap();
        instance.reader_pid.is_none().then_some(())
    });
    // The engine did not notice, and serves the next OBS.
    producer.tell("card");
    let mut obs = home.start(&one_scene());
    obs.wait_for("Gifts", "the next OBS shows it", is_card);
    producer.kill();
    obs.wait_for("Gifts", "the engine is gone", is_blank);
    let (status, _home) = obs.quit();
    assert!(status.success(), "{status}");
}
