//! `kill -9` leaves the page cache: what a loss of power would take is seen in
//! the system calls only.

use std::fs;
use std::process::{Command, Stdio};

use hyperfocus::relay::Role;

use crate::house::{Process, gift, skip, token, until};
use crate::http::Request;

fn can_trace() -> bool {
    let traced = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    traced.is_ok_and(|status| status.success())
}

#[test]
fn no_gift_is_accepted_before_the_disk_has_it() {
    if !can_trace() {
        skip("no strace that may trace; install it to see what reaches the disk");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let calls = "trace=fsync,fdatasync,write,writev,sendto,sendmsg,read,recvfrom";
    let file = trace.to_str().unwrap();
    let strace = ["strace", "-f", "-y", "-s", "64", "-e", calls, "-o", file];
    let relay = Process::start(folder.path(), 0, &strace);
    let ingest = token(folder.path(), Role::Ingest);
    for id in ["one", "two", "three"] {
        let request = Request::new(relay.address, "POST", "/v1/streams/main/gifts");
        let answer = request.bearer(&ingest).json(&gift(id)).send();
        assert_eq!(answer.status, 201);
    }
    until("the trace is written", || {
        let text = fs::read_to_string(&trace).unwrap();
        text.matches("HTTP/1.1 201").count() == 3
    });
    end_traced(&relay);
    let text = fs::read_to_string(&trace).unwrap();
    let (mut asked, mut synced, mut accepted) = (false, false, 0);
    for line in text.lines() {
        let is_sync = line.contains("fdatasync") || line.contains("fsync");
        if line.contains("POST /v1/streams") {
            (asked, synced) = (true, false);
        } else if asked && is_sync && line.ends_with("= 0") {
            synced = true;
        } else if line.contains("HTTP/1.1 201") {
            assert!(asked && synced, "accepted before a sync:\n{text}");
            accepted += 1;
            asked = false;
        }
    }
    assert_eq!(accepted, 3, "{text}");
}

/// A tracer that is killed leaves what it traced running, so that one is ended
/// first.
fn end_traced(tracer: &Process) {
    let children = format!("/proc/{0}/task/{0}/children", tracer.id());
    for child in fs::read_to_string(children).unwrap().split_whitespace() {
        let ended = Command::new("kill").args(["-TERM", child]).status();
        assert!(ended.unwrap().success());
    }
}
