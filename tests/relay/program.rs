use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use hyperfocus::relay::{Relay, RelayError, StoreError};

use crate::house::{Process, command, options, program};

fn serve(home: &Path, arguments: &[&str]) -> Output {
    let mut command = program(home);
    command.arg("serve").args(arguments).output().unwrap()
}

#[test]
fn a_program_of_a_test_sees_nothing_of_this_machines_settings() {
    let home = tempfile::tempdir().unwrap();
    let output = command("env", home.path()).output().unwrap();
    let seen = String::from_utf8_lossy(&output.stdout);
    let own = format!("HOME={}", home.path().display());
    assert!(seen.lines().any(|line| line == own), "{seen}");
    // `make test` has two of them at least.
    let settings = ["HYPERFOCUS_", "XDG_"];
    let is_setting = |line: &&str| settings.iter().any(|begin| line.starts_with(begin));
    assert_eq!(seen.lines().find(is_setting), None);
}

#[test]
fn it_prints_the_lines_to_paste_and_ends_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut child = program(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = vec![0; 4096];
    let read = child.stdout.as_mut().unwrap().read(&mut said).unwrap();
    let said = String::from_utf8(said[..read].to_vec()).unwrap();
    // As supervisors do that tell both a process and its group: two are one request.
    let id = child.id();
    let both = format!("kill -TERM {id}; kill -INT {id}");
    let term = Command::new("sh").args(["-c", &both]).status();
    assert!(term.is_ok());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(said.starts_with("Relay on http://127.0.0.1:"), "{said}");
    for role in ["host", "ingest"] {
        let path = data.join(format!("{role}.token"));
        assert!(said.contains(path.to_str().unwrap()), "{said}");
    }
    let token = std::fs::read_to_string(data.join("host.token")).unwrap();
    assert!(!said.contains(token.trim()), "no secret on the screen");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&data).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_nohup_starts_outlives_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    // Whatever started these tests.
    let hears = Process::start(folder.path(), 0, &["env", "--default-signal=HUP"]);
    assert!(!crate::hangup::is_ignored_by(hears.id()));
    drop(hears);
    // It listens to signals before it says where it is.
    let outlives = Process::start(folder.path(), 0, &["nohup"]);
    assert!(crate::hangup::is_ignored_by(outlives.id()));
}

#[test]
fn what_cannot_be_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let running = Process::start(folder.path(), 0, &[]);
    let serve = |arguments: &[&str]| serve(folder.path(), arguments);
    let same_folder = serve(&["--listen", "127.0.0.1:0", "--data-dir", data]);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = elsewhere.path().to_str().unwrap();
    let address = running.address.to_string();
    let same_port = serve(&["--listen", &address, "--data-dir", other]);
    let everybody = serve(&["--listen", "0.0.0.0:0", "--data-dir", other]);
    let config = elsewhere.path().join("twitch.toml");
    std::fs::write(
        &config,
        "[[relay.source]]\nkind = 'twitch'\nclient_id = 'c'\n",
    )
    .unwrap();
    let config = config.to_str().unwrap();
    let no_secret = serve(&["--listen", "127.0.0.1:0", "--config", config]);
    for (output, said) in [
        (
            no_secret,
            "twitch.toml:1: a source of kind \"twitch\" needs a token",
        ),
        (same_folder, "name another --data-dir"),
        (same_port, "choose another --listen"),
        (everybody, "not a loopback address"),
    ] {
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_damaged_database_stops_the_start_and_not_for_good() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("relay.sqlite"), "rubbish, all of it").unwrap();
    let refused = Relay::start(options(folder.path())).unwrap_err();
    assert!(
        matches!(refused, RelayError::Store(StoreError::Damaged { .. })),
        "{refused}"
    );
    let mut told = options(folder.path());
    told.start_clean = true;
    let relay = Relay::start(told).unwrap();
    let aside = relay.put_aside().expect("it was put aside");
    assert_eq!(std::fs::read(aside).unwrap(), b"rubbish, all of it");
}
