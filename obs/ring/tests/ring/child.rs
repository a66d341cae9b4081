//! Other processes: this test binary again, told by its environment what to be.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use hyperfocus_ring::{Folder, Newest, Reader, Report, Vitals, Writer, now_ns};

use super::{number_in, publish, settings};

const ROLE: &str = "HYPERFOCUS_TEST_ROLE";
/// What a child says once it is at work.
const READY: &str = "child: ready";

/// A child that is killed, and reaped, when the test is done with it.
pub(super) struct Other {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Other {
    /// Starts this binary as `role` and waits until it is at work.
    pub(super) fn start(role: &str, folder: &Folder) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::role", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env("HYPERFOCUS_RING_DIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(READY) {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "{role} ended early");
        }
        Self { child, said }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, at whatever it is doing.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its orderly end; the numbers it said last.
    pub(super) fn finish(mut self) -> Vec<u64> {
        let mut last = Vec::new();
        let mut line = String::new();
        while self.said.read_line(&mut line).unwrap() > 0 {
            if let Some(numbers) = line.trim().strip_prefix("child: said ") {
                last = numbers.split(' ').map(|n| n.parse().unwrap()).collect();
            }
            line.clear();
        }
        assert!(self.child.wait().unwrap().success(), "the child failed");
        last
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "a child of other tests"]
fn role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let folder = Folder::of_user().unwrap();
    match role.as_str() {
        "writer" => write_forever(&folder),
        "reader" => read_forever(&folder),
        "idle writer" => idle(&folder),
        role => match role.strip_prefix("read ") {
            Some(count) => read_many(&folder, count.parse().unwrap()),
            None => panic!("{role} is no role"),
        },
    }
}

fn write_forever(folder: &Folder) {
    let mut writer = Writer::create(folder, &settings("main", 64, 16)).unwrap();
    publish(&mut writer, 1);
    println!("{READY}");
    for number in 2.. {
        writer.beat(now_ns(), &Vitals::default());
        publish(&mut writer, number);
    }
}

fn idle(folder: &Folder) {
    let _writer = Writer::create(folder, &settings("main", 64, 16)).unwrap();
    println!("{READY}");
    loop {
        std::thread::park();
    }
}

fn read_forever(folder: &Folder) {
    let mut reader = Reader::open(folder, "main", now_ns()).unwrap();
    println!("{READY}");
    loop {
        reader.beat(now_ns(), &Report::default());
        if let Newest::Frame(frame) = reader.newest(None) {
            assert!(number_in(frame.pixels()).is_some());
        }
    }
}

/// Reads until it has had `count` frames, and says how many were torn.
fn read_many(folder: &Folder, count: u64) {
    let mut reader = Reader::open(folder, "main", now_ns()).unwrap();
    println!("{READY}");
    let tally = super::tearing::read(&mut reader, count);
    println!("child: said {} {}", tally.frames, tally.torn);
}
