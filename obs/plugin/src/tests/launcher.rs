//! Starting engines, with shell scripts in their place.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::choice::{Launch, Mode};
use crate::launcher::Launcher;

const SECOND: u64 = 1_000_000_000;
/// A machine under load starts a shell slowly.
const PATIENCE: Duration = Duration::from_secs(30);

struct Installed {
    temporary: TempDir,
}

impl Installed {
    /// An engine that is this script.
    fn new(script: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let program = temporary.path().join("an engine");
        // Renamed into place: a file that is being written cannot be run, and
        // another test's child may hold it open.
        fs::write(
            temporary.path().join("new"),
            format!("#!/bin/sh\n{script}\n"),
        )
        .unwrap();
        fs::set_permissions(
            temporary.path().join("new"),
            fs::Permissions::from_mode(0o700),
        )
        .unwrap();
        fs::rename(temporary.path().join("new"), &program).unwrap();
        let installed = Self { temporary };
        installed.configure(&format!("# by hand\nprogram = {}\n", program.display()));
        installed
    }

    fn configure(&self, text: &str) {
        fs::write(self.path().join("engine.conf"), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.temporary.path()
    }

    fn launcher(&self) -> Launcher {
        Launcher::with_folder("main", self.path())
    }
}

fn poll(what: &str, mut is_done: impl FnMut() -> bool) {
    let mut waited = Duration::ZERO;
    while !is_done() {
        assert!(waited < PATIENCE, "{what} never happened");
        std::thread::sleep(Duration::from_millis(5));
        waited += Duration::from_millis(5);
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Until the engine has said how it was started; the time by then.
fn start(launcher: &mut Launcher, launch: &Launch, log: &Path) -> u64 {
    let mut now = 0;
    poll("the engine's start", || {
        now += SECOND;
        launcher.tick(now, false, Some(launch));
        !lines(log).is_empty()
    });
    now
}

#[test]
fn an_engine_is_started_once_with_what_was_chosen_and_ended_with_its_source() {
    let engine = Installed::new(
        "here=$(dirname \"$0\")\n\
         trap 'echo ended >> \"$here/log\"; exit 0' TERM\n\
         echo \"$@\" >> \"$here/log\"\n\
         while :; do sleep 0.05; done",
    );
    let log = engine.path().join("log");
    let launch = Launch {
        mode: Mode::Run,
        config: Some(PathBuf::from("/a b.toml")),
    };
    let mut launcher = engine.launcher();
    let mut now = start(&mut launcher, &launch, &log);
    assert!(launcher.pid().is_some());
    for _ in 0..20 {
        now += SECOND;
        launcher.tick(now, false, Some(&launch));
    }
    for _ in 0..100 {
        now += SECOND;
        launcher.tick(now, true, Some(&launch));
    }
    assert_eq!(
        lines(&log),
        ["run --output obs --name main --end-with-stdin --config /a b.toml"]
    );
    drop(launcher);
    poll("its end", || lines(&log).len() == 2);
}

#[test]
fn a_demonstration_takes_no_settings() {
    let engine = Installed::new("echo \"$@\" >> \"$(dirname \"$0\")/log\"");
    let log = engine.path().join("log");
    let launch = Launch {
        mode: Mode::Demo,
        config: Some(PathBuf::from("/a b.toml")),
    };
    start(&mut engine.launcher(), &launch, &log);
    assert_eq!(
        lines(&log)[0],
        "demo --output obs --name main --end-with-stdin"
    );
}

#[test]
fn a_demonstration_that_has_been_seen_begins_again_and_again() {
    let engine = Installed::new(
        "trap 'exit 0' TERM\n\
         echo started >> \"$(dirname \"$0\")/log\"\n\
         while :; do sleep 0.05; done",
    );
    let log = engine.path().join("log");
    let launch = Launch {
        mode: Mode::Demo,
        config: None,
    };
    let mut launcher = engine.launcher();
    let mut now = 0;
    for count in 1..=9 {
        poll("a start", || {
            now += SECOND / 100;
            launcher.tick(now, false, Some(&launch));
            lines(&log).len() == count && launcher.pid().is_some()
        });
        launcher.tick(now, true, Some(&launch));
        let ended = Command::new("kill")
            .arg(launcher.pid().unwrap().to_string())
            .status();
        assert!(ended.unwrap().success());
        poll("its end", || {
            launcher.tick(now, false, None);
            launcher.pid().is_none()
        });
    }
    assert_eq!(launcher.trouble(), None);
}

#[test]
fn an_engine_whose_settings_change_is_ended_and_started_anew() {
    let engine = Installed::new(
        "here=$(dirname \"$0\")\n\
         trap 'echo ended >> \"$here/log\"; exit 0' TERM\n\
         echo \"$1\" >> \"$here/log\"\n\
         while :; do sleep 0.05; done",
    );
    let log = engine.path().join("log");
    let (run, demo) = (
        Launch::default(),
        Launch {
            mode: Mode::Demo,
            config: None,
        },
    );
    let mut launcher = engine.launcher();
    let mut now = start(&mut launcher, &run, &log);
    poll("that it runs", || {
        launcher.tick(now, true, Some(&run));
        launcher.pid().is_some()
    });
    launcher.suit(Some(&run));
    assert!(launcher.pid().is_some(), "nothing has changed");
    launcher.suit(Some(&demo));
    poll("the other's start", || {
        now += SECOND / 100;
        launcher.tick(now, false, Some(&demo));
        lines(&log).len() == 3
    });
    assert_eq!(lines(&log), ["run", "ended", "demo"]);
    // Switched off: it ends, and no other comes.
    poll("that it runs", || {
        launcher.tick(now, true, Some(&demo));
        launcher.pid().is_some()
    });
    launcher.suit(None);
    poll("its end", || {
        now += SECOND / 100;
        launcher.tick(now, false, None);
        lines(&log).len() == 4
    });
    assert!(launcher.pid().is_none());
}

#[test]
fn no_engine_is_started_where_one_runs_or_none_is_wanted() {
    let engine = Installed::new("echo started >> \"$(dirname \"$0\")/log\"");
    let mut launcher = engine.launcher();
    let launch = Launch::default();
    for second in 0..20 {
        launcher.tick(second * SECOND, true, Some(&launch));
        launcher.tick(second * SECOND, false, None);
    }
    assert!(launcher.pid().is_none());
    assert!(lines(&engine.path().join("log")).is_empty());
}

#[test]
fn an_engine_that_ends_is_started_again_later_and_later_and_not_for_ever() {
    let engine = Installed::new("echo started >> \"$(dirname \"$0\")/log\"; exit 3");
    let log = engine.path().join("log");
    let mut launcher = engine.launcher();
    let launch = Launch::default();
    let mut now = 0;
    let mut started_at = Vec::new();
    for count in 1..=5 {
        poll("a start", || {
            now += SECOND / 4;
            launcher.tick(now, false, Some(&launch));
            lines(&log).len() == count
        });
        started_at.push(now);
        poll("its end", || {
            launcher.tick(now, false, None);
            launcher.pid().is_none()
        });
    }
    // Virtual time runs on while the shell starts, so pauses are at least these.
    for (pair, least) in started_at.windows(2).zip([2, 4, 8, 16]) {
        assert!(pair[1] - pair[0] >= least * SECOND, "{started_at:?}");
    }
    for _ in 0..1000 {
        now += SECOND;
        launcher.tick(now, false, Some(&launch));
    }
    assert_eq!(lines(&log).len(), 5);
    let told = launcher.trouble().unwrap();
    assert!(told.contains("exit status: 3"), "{told}");
    assert!(told.contains("Look again"), "{told}");

    // Somebody mends it and says so.
    launcher.retry();
    poll("another start", || {
        now += SECOND / 4;
        launcher.tick(now, false, Some(&launch));
        lines(&log).len() == 6
    });
}

#[test]
fn what_an_engine_says_last_is_told() {
    let engine = Installed::new("echo first >&2; echo 'no stream to join' >&2; exit 1");
    let mut launcher = engine.launcher();
    let launch = Launch::default();
    let mut now = 0;
    poll("its last words", || {
        now += SECOND / 100;
        launcher.tick(now, false, Some(&launch));
        launcher
            .trouble()
            .is_some_and(|told| told.contains("no stream to join"))
    });
}

#[test]
fn an_engine_that_hangs_is_ended_and_another_started() {
    let engine = Installed::new(
        "trap '' TERM\n\
         echo $$ >> \"$(dirname \"$0\")/log\"\n\
         while :; do sleep 0.05; done",
    );
    let log = engine.path().join("log");
    let mut launcher = engine.launcher();
    let launch = Launch::default();
    let mut now = 0;
    poll("its start", || {
        now += SECOND / 100;
        launcher.tick(now, false, Some(&launch));
        launcher.pid().is_some() && lines(&log).len() == 1
    });
    poll("another", || {
        now += SECOND;
        launcher.tick(now, false, Some(&launch));
        launcher.pid().is_some() && lines(&log).len() == 2
    });
    let pids = lines(&log);
    let is_there = |pid: &str| Path::new("/proc").join(pid).join("exe").exists();
    poll("the first one's end", || !is_there(&pids[0]));
    // It does not listen to the gentle way out.
    let left = launcher.pid().unwrap().to_string();
    let killed = Command::new("kill").args(["-KILL", &left]).status();
    assert!(killed.unwrap().success());
}

#[test]
fn a_missing_or_wrong_configuration_is_no_program() {
    let engine = Installed::new("echo started >> \"$(dirname \"$0\")/log\"");
    for text in ["", "program=", "program=relative/path", "other=/bin/true"] {
        engine.configure(text);
        let mut launcher = engine.launcher();
        for _ in 0..20 {
            launcher.tick(0, false, Some(&Launch::default()));
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(launcher.pid().is_none(), "{text}");
    }
    fs::remove_file(engine.path().join("engine.conf")).unwrap();
    let mut launcher = engine.launcher();
    launcher.tick(0, false, Some(&Launch::default()));
    assert!(lines(&engine.path().join("log")).is_empty());
}
