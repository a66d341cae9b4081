//! How many connections the system lets a relay hold.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use hyperfocus::relay::Role;

use crate::guest::Guest;
use crate::house::{Process, figure, token, until};

#[test]
fn a_low_limit_of_open_files_is_raised_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let few = "ulimit -Sn 64; exec \"$0\" \"$@\"";
    let relay = Process::start(folder.path(), 0, &["sh", "-c", few]);
    let viewer = token(folder.path(), Role::Viewer);
    let join = |n: usize| Guest::join(relay.address, &viewer, &format!("v{n}"), "viewer");
    let crowd: Vec<Guest> = (0..100).map(join).collect();
    assert_eq!(figure(relay.address, "viewers"), crowd.len() as u64);
    assert_eq!(figure(relay.address, "accept_failures_total"), 0);
}

#[test]
fn connections_beyond_the_limit_wait_and_it_is_said_once_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let few = format!("ulimit -n 96; exec \"$0\" \"$@\" 2> '{}'", log.display());
    let data = folder.path().join("relay");
    let relay = Process::start(&data, 0, &["sh", "-c", &few]);
    let connect = |_| TcpStream::connect(relay.address).unwrap();
    let crowd: Vec<TcpStream> = (0..150).map(connect).collect();
    let said = || fs::read_to_string(&log).unwrap();
    until("it is said", || said().contains("ulimit -n"));
    // It tries again, and says nothing more of it.
    std::thread::sleep(Duration::from_millis(350));
    drop(crowd);
    assert!(figure(relay.address, "accept_failures_total") > 1);
    assert_eq!(said().matches("ulimit -n").count(), 1, "{}", said());
}
