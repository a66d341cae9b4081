//! A store that takes nothing for a while: nothing is lost.

use hyperfocus::relay::Role;
use serde_json::{Value, json};

use super::platform::Platform;
use crate::full::{can_mount, seen_by, small};
use crate::guest::Guest;
use crate::house::{Process, skip, token, until};
use crate::http::Request;

/// More than may wait in the relay, and with [`PADDING`] more than sockets hold.
const GIFTS: usize = 4_000;
/// Bytes beside each gift.
const PADDING: usize = 8 * 1024;
/// Those that may wait, and those of the batch that the store does not take.
const MOST_HELD: u64 = 1_024 + 1_000 + 1;

#[test]
fn gifts_wait_while_the_disk_is_full_and_all_come_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    if !can_mount(folder.path()) {
        skip("no file system of its own can be had here (unshare -Urm)");
        return;
    }
    let platform = Platform::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let config = elsewhere.path().join("config.toml");
    let source = format!(
        "[[relay.source]]\nkind = 'tikfinity'\nurl = '{}'\n",
        platform.url("/")
    );
    std::fs::write(&config, source).unwrap();
    let config = format!("HYPERFOCUS_CONFIG={}", config.display());
    let path = folder.path().to_str().unwrap();
    let before = [
        "env",
        &config,
        "unshare",
        "-Urm",
        "sh",
        "-c",
        &small(16),
        path,
    ];
    let relay = Process::start(folder.path(), 0, &before);
    let disk = seen_by(relay.id(), folder.path());
    let host = token(&disk, Role::Host);
    let it = || -> Value {
        let request = Request::new(relay.address, "GET", "/v1/sources").bearer(&host);
        request.send().json()["sources"][1].clone()
    };
    let mut caller = platform.accept();
    let ballast = disk.join("ballast");
    // Fails where the disk ends, having filled it.
    let _ = std::fs::write(&ballast, vec![0; 32 * 1024 * 1024]);
    // It writes until nobody reads any more.
    let padding = "x".repeat(PADDING);
    let speaking = std::thread::spawn(move || {
        for n in 0..GIFTS {
            caller.say(&json!({ "event": "gift", "data": {
                "giftId": 1, "giftName": "Rose", "giftType": 2, "repeatCount": 1,
                "userId": "1", "nickname": "Ada", "msgId": n.to_string(), "describe": padding,
            }}));
        }
        caller
    });
    until("it is held up", || {
        it()["error"]
            .as_str()
            .is_some_and(|error| error.contains("full"))
    });
    until("it is read no more", || {
        it()["events"].as_u64() > Some(1_024)
    });
    assert!(it()["events"].as_u64() <= Some(MOST_HELD), "{}", it());
    assert!(!speaking.is_finished(), "who speaks waits");
    std::fs::remove_file(&ballast).unwrap();
    until("all are stored", || it()["gifts"] == GIFTS);
    assert_eq!(it()["error"], Value::Null);
    let _caller = speaking.join().unwrap();
    let mut guest = Guest::join(relay.address, &host, "h", "host");
    for n in 0..GIFTS {
        assert_eq!(guest.gift(), format!("tikfinity:{n}"), "each, and in order");
    }
}
