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
    let calls = "trace=fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg,read,recvfrom";
    let file = trace.to_str().unwrap();
    let strace = ["strace", "-f", "-y", "-s", "64", "-e", calls, "-o", file];
    let mut relay = Process::start(folder.path(), 0, &strace);
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
    end_traced(&mut relay);
    let text = fs::read_to_string(&trace).unwrap();
    match accepted_durably(&text) {
        Ok(accepted) => assert_eq!(accepted, 3, "{text}"),
        Err(line) => panic!("accepted before the disk had it: {line}\n{text}"),
    }
}

/// How many gifts were accepted after what was written for them had been synced;
/// the first answer that came too early otherwise. One gift at a time.
///
/// Of each gift it wants to see, in this order: its bytes written to the
/// database's log, a sync of that log begun after the last of these writes and
/// returned with 0, and only then the answer.
fn accepted_durably(trace: &str) -> Result<usize, String> {
    #[derive(Clone, Copy, PartialEq)]
    enum Step {
        Idle,
        Asked,
        Written,
        /// By this process, if it has not returned.
        Syncing,
        Synced,
    }
    let (mut step, mut syncing, mut accepted) = (Step::Idle, "", 0);
    for line in trace.lines() {
        let process = line.split_whitespace().next().unwrap_or_default();
        let is_log = line.contains("relay.sqlite-wal>");
        let is_sync = line.contains("fdatasync") || line.contains("fsync");
        if line.contains("POST /v1/streams") {
            step = Step::Asked;
        } else if step != Step::Idle && is_log && line.contains("pwrite64(") {
            step = Step::Written;
        } else if step == Step::Written && is_log && is_sync {
            (step, syncing) = (Step::Syncing, process);
        }
        if step == Step::Syncing && is_sync && process == syncing && line.ends_with("= 0") {
            step = Step::Synced;
        }
        if line.contains("HTTP/1.1 201") {
            if step != Step::Synced {
                return Err(line.to_owned());
            }
            accepted += 1;
            step = Step::Idle;
        }
    }
    Ok(accepted)
}

#[test]
fn an_answer_that_comes_too_early_would_be_seen() {
    let asked = "1 read(9<socket:[1]>, \"POST /v1/streams/main/gifts\"..., 999) = 99\n";
    let written = "2 pwrite64(5</d/relay.sqlite-wal>, \"x\", 1, 0) = 1\n";
    let begun = "2 fdatasync(5</d/relay.sqlite-wal> <unfinished ...>\n";
    let done = "2 <... fdatasync resumed>) = 0\n";
    let failed = "2 <... fdatasync resumed>) = -1 EIO (Input/output error)\n";
    let elsewhere = "2 fdatasync(6</d/other>) = 0\n";
    let answered = "1 writev(9<socket:[1]>, [\"HTTP/1.1 201 Created\"...], 1) = 9\n";
    let judge = |lines: &[&str]| accepted_durably(&lines.concat());
    assert_eq!(judge(&[asked, written, begun, done, answered]), Ok(1));
    for early in [
        &[asked, answered][..],
        &[asked, written, answered],
        &[asked, written, begun, answered, done],
        &[asked, written, begun, failed, answered],
        &[asked, written, elsewhere, answered],
        &[asked, written, begun, done, written, answered],
        &[asked, written, begun, done, answered, asked, answered],
    ] {
        assert!(judge(early).is_err(), "{early:?}");
    }
}

/// A tracer that is killed leaves what it traced running, and may take a signal
/// for it along; so that one is ended first, and to its end.
fn end_traced(tracer: &mut Process) {
    let children = format!("/proc/{0}/task/{0}/children", tracer.id());
    for child in fs::read_to_string(children).unwrap().split_whitespace() {
        let ended = Command::new("kill").args(["-TERM", child]).status();
        assert!(ended.unwrap().success());
    }
    until("the traced relay is over", || !tracer.is_running());
}
