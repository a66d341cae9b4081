//! Connections that are let in and never say who they are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use hyperfocus::cli::raise_file_limit;
use hyperfocus::relay::Role;

use crate::guest::Guest;
use crate::house::{PATIENCE, Process, gift, now, skip, token, until};
use crate::http::Request;

/// How many files this process may have open.
fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    // Where there is none, that is a word.
    soft.unwrap().parse().unwrap_or(usize::MAX)
}

/// A connection that asks to be upgraded and says nothing more, whatever the answer
/// is: its status.
fn silent(address: SocketAddr, token: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    let status = String::from_utf8_lossy(&status[9..]).into_owned();
    (stream, status)
}

#[test]
fn ten_thousand_that_never_say_who_they_are_fill_no_place_of_others() {
    const CROWD: usize = 10_000;
    const PLACES: usize = 1_024;
    raise_file_limit().unwrap();
    if file_limit() < CROWD + 1_000 {
        skip("so many connections cannot be held here; raise the limit (ulimit -Hn)");
        return;
    }
    // A process of its own has files of its own: each connection is one here too.
    let folder = tempfile::tempdir().unwrap();
    let relay = Process::start(folder.path(), 0, &[]);
    let (address, viewer) = (relay.address, token(folder.path(), Role::Viewer));
    let ingest = token(folder.path(), Role::Ingest);
    let mut settled = Guest::join(address, &viewer, "v", "viewer");
    let mut give = |id: &str| {
        let request = Request::new(address, "POST", "/v1/streams/main/gifts");
        let answer = request.bearer(&ingest).json(&gift(id)).send();
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(settled.gift(), id);
    };
    let began = now();
    let mut crowd: Vec<_> = (0..PLACES).map(|_| silent(address, &viewer)).collect();
    assert!(crowd.iter().all(|(_, status)| status == "101"));
    give("full");
    crowd.extend((PLACES..CROWD).map(|_| silent(address, &viewer)));
    let took = now() - began;
    give("all");
    let waiting = crowd.iter().filter(|(_, status)| status == "101").count();
    let refused = crowd.iter().filter(|(_, status)| status == "503").count();
    assert_eq!(waiting + refused, CROWD);
    // Who has been silent for ten seconds gives its place to the next.
    let turns = 1 + took.as_secs() as usize / 10;
    assert!(waiting <= PLACES * turns, "{waiting} in {took:?}");
    drop(crowd);
    until("the places are free", || {
        Guest::knock(address, &viewer).is_ok()
    });
}
