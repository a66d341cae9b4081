//! The engine that a source starts, and ends.

use std::fs;
use std::path::Path;

use hyperfocus_ring::{Instance, now_ns};
use serde_json::json;

use super::harness::{Home, Item, Picture, Scene, until};
use super::producer::{CARD, as_engine, column};

#[test]
fn an_engine_is_started_for_a_source_on_air_and_ends_with_it() {
    let Some(home) = Home::new() else { return };
    home.install_engine(&as_engine(&home));
    let started = home.path().join("started");
    let mut obs = home.start(&[Scene::new("Empty", []), with_engine()]);
    // A source that is not on air starts nothing, though it is looked at.
    let _ = obs.try_look("Gifts");
    assert!(!started.exists());
    obs.switch_to("Main");
    obs.wait_for("Gifts", "the engine was started", is_card);
    let pid = only_start(&started);
    let rings = obs.home().rings();
    assert_eq!(Instance::find(&rings, "main", now_ns()).unwrap().pid, pid);
    // Off air it goes on, and it is not started twice.
    obs.switch_to("Empty");
    obs.switch_to("Main");
    assert!(is_running(pid));

    obs.call("RemoveInput", &json!({ "inputName": "Gifts" }));
    until("the engine ends with its source", || {
        (!is_running(pid)).then_some(())
    });
    assert_eq!(only_start(&started), pid);
}

#[test]
fn an_engine_ends_with_the_obs_that_started_it() {
    let Some(home) = Home::new() else { return };
    home.install_engine(&as_engine(&home));
    let started = home.path().join("started");
    let mut obs = home.start(&[with_engine()]);
    obs.wait_for("Gifts", "the engine was started", is_card);
    let pid = only_start(&started);
    let (status, _home) = obs.quit();
    assert!(status.success(), "{status}");
    until("the engine ends with OBS", || {
        (!is_running(pid)).then_some(())
    });
}

fn with_engine() -> Scene {
    let source = Item {
        starts_engine: true,
        ..Item::showing("Gifts")
    };
    Scene::new("Main", [source])
}

fn is_card(picture: &Picture) -> bool {
    let (x, y) = column(0, picture.size());
    picture.at(x, y) == CARD[0]
}

/// The process of the one line in the list of starts.
fn only_start(started: &Path) -> u32 {
    let text = until("the start is noted", || {
        fs::read_to_string(started)
            .ok()
            .filter(|text| text.ends_with('\n'))
    });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "{text}");
    let (pid, arguments) = lines[0].split_once(' ').unwrap();
    assert_eq!(arguments, "run --output obs --name main --end-with-stdin");
    pid.parse().unwrap()
}

fn is_running(pid: u32) -> bool {
    // A zombie has no command line.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}
