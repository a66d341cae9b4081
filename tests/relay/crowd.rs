use hyperfocus::relay::Role;
use serde_json::json;

use crate::guest::Guest;
use crate::house::{House, Process, gift, token};
use crate::http::Request;

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn a_viewer_takes_no_more_than_24_kb() {
    const VIEWERS: u64 = 1_000;
    const GIFTS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let relay = Process::start(folder.path(), 0, &[]);
    let viewer = token(folder.path(), Role::Viewer);
    let ingest = token(folder.path(), Role::Ingest);
    let give = |ids: &[String]| {
        let gifts = ids.iter().map(|id| {
            let mut gift = gift(id);
            gift["sender"]["avatar"] = json!(format!("https://example.org/{}", "x".repeat(200)));
            gift
        });
        let gifts: Vec<_> = gifts.collect();
        let request = Request::new(relay.address, "POST", "/v1/streams/main/gifts");
        assert_eq!(
            request.bearer(&ingest).json(&json!(gifts)).send().status,
            201
        );
    };
    let join = |n: u64| Guest::join(relay.address, &viewer, &format!("v{n}"), "viewer");
    // What the first of each costs is not a viewer's.
    let mut first = join(VIEWERS);
    give(&["first".to_owned()]);
    assert_eq!(first.gift(), "first");
    let before = resident(relay.id());
    let mut crowd: Vec<Guest> = (0..VIEWERS).map(join).collect();
    // One by one, and then all at once.
    let ids: Vec<String> = (0..GIFTS).map(|n| n.to_string()).collect();
    for ids in ids[..GIFTS / 2].chunks(1).chain([&ids[GIFTS / 2..]]) {
        give(ids);
        for viewer in &mut crowd {
            ids.iter().for_each(|id| assert_eq!(&viewer.gift(), id));
        }
    }
    let each = (resident(relay.id()) - before) / VIEWERS;
    eprintln!("{each} bytes a viewer");
    assert!(each <= 24_000, "{each} bytes a viewer");
}

#[test]
fn a_burst_that_comes_while_the_relay_rests_reaches_every_viewer_whole() {
    let house = House::new();
    let viewer = house.token(Role::Viewer);
    let join = |n| Guest::join(house.address(), &viewer, &format!("v{n}"), "viewer");
    let mut crowd: Vec<Guest> = (0..3).map(join).collect();
    let ids: Vec<String> = (0..1_201).map(|n| n.to_string()).collect();
    house.give(&ids[0]);
    for ids in ids[1..].chunks(600) {
        let gifts: Vec<_> = ids.iter().map(|id| gift(id)).collect();
        assert_eq!(house.post(&json!(gifts)).status, 201);
    }
    for viewer in &mut crowd {
        ids.iter().for_each(|id| assert_eq!(&viewer.gift(), id));
    }
    assert_eq!(house.figure("gifts_skipped_total"), 0);
}

#[test]
fn a_relay_that_stops_while_it_rests_says_the_rest_before_goodbye() {
    let mut house = House::new();
    let mut viewer = Guest::join(house.address(), &house.token(Role::Viewer), "v", "viewer");
    house.give("first");
    assert_eq!(viewer.gift(), "first");
    house.give("second");
    house.stop();
    assert_eq!(viewer.gift(), "second");
    assert_eq!(viewer.closed(), 1012);
}
