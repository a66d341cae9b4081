//! A disk that is really full: a small file system of the test's own.

use std::path::Path;
use std::process::{Command, Stdio};

use hyperfocus::relay::Role;
use serde_json::json;

use crate::guest::Guest;
use crate::house::{Process, gift, skip, token, until};
use crate::http::{Answer, Request};

/// Runs what follows with a file system of so many MiB at `$0`.
pub fn small(mib: u32) -> String {
    format!("mount -t tmpfs -o size={mib}m,mode=700 none \"$0\" && exec \"$@\"")
}

pub fn can_mount(folder: &Path) -> bool {
    let mounted = Command::new("unshare")
        .args(["-Urm", "sh", "-c", &small(2)])
        .arg(folder)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    mounted.is_ok_and(|status| status.success())
}

/// Where another process sees `path`.
pub fn seen_by(process: u32, path: &Path) -> std::path::PathBuf {
    Path::new("/proc")
        .join(process.to_string())
        .join("root")
        .join(path.strip_prefix("/").unwrap())
}

#[test]
fn a_full_disk_refuses_gifts_with_507_and_takes_them_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    if !can_mount(folder.path()) {
        skip("no file system of its own can be had here (unshare -Urm)");
        return;
    }
    let path = folder.path().to_str().unwrap();
    let relay = Process::start(
        folder.path(),
        0,
        &["unshare", "-Urm", "sh", "-c", &small(2), path],
    );
    let disk = seen_by(relay.id(), folder.path());
    let ingest = token(&disk, Role::Ingest);
    let post = |from: usize| -> Answer {
        let gifts: Vec<_> = (from..from + 100).map(|n| gift(&n.to_string())).collect();
        let request = Request::new(relay.address, "POST", "/v1/streams/main/gifts");
        request.bearer(&ingest).json(&json!(gifts)).send()
    };
    assert_eq!(post(0).status, 201);
    let host = token(&disk, Role::Host);
    let mut first = Guest::join(relay.address, &host, "first", "host");
    (0..100).for_each(|id| assert_eq!(first.gift(), id.to_string()));
    let ballast = disk.join("ballast");
    // Fails where the disk ends, having filled it.
    let _ = std::fs::write(&ballast, vec![0; 4 * 1024 * 1024]);
    let mut accepted = 100;
    let refused = loop {
        match post(accepted) {
            answer if answer.status == 201 => accepted += 100,
            answer => break answer,
        }
    };
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (507, "full"),
        "{refused:?}"
    );
    // What was shown cannot be kept yet, and nobody is kept from watching by that.
    first.ack("0", true, None);
    assert_eq!(post(accepted).status, 507, "still");
    let config = Request::new(relay.address, "GET", "/v1/streams/other/config");
    assert_eq!(config.bearer(&host).send().status, 200);
    std::fs::remove_file(&ballast).unwrap();
    until("there is room", || post(accepted).status == 201);
    accepted += 100;
    let mut guest = Guest::join(relay.address, &host, "h", "host");
    for id in 1..accepted {
        assert_eq!(
            guest.gift(),
            id.to_string(),
            "each accepted gift that was not shown, and no other"
        );
    }
}
