//! What goes wrong outside the program: the show goes on where it can, and the
//! message says what to do.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::program::{Program, Ran, folder};
use crate::server::{Server, gift};

const SIZE: &str = "192x108";
/// Loaders that find no driver here.
const NO_DRIVER: [(&str, &str); 2] = [
    ("VK_ICD_FILENAMES", "/dev/null"),
    ("VK_DRIVER_FILES", "/dev/null"),
];

fn assets() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets"))
}

/// A copy of the catalogue and what it names, to be damaged.
fn copy_of_assets() -> TempDir {
    let home = folder();
    fs::copy(
        assets().join("catalog.toml"),
        home.path().join("catalog.toml"),
    )
    .unwrap();
    for part in ["icons", "models", "sounds", "textures", "video"] {
        fs::create_dir(home.path().join(part)).unwrap();
        for entry in fs::read_dir(assets().join(part)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), home.path().join(part).join(entry.file_name())).unwrap();
        }
    }
    home
}

/// Leaves the first half of a file.
fn cut_in_half(path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
}

fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "run",
        "--headless",
        "--size",
        SIZE,
        "--url",
        url,
        "--stream",
        "s",
    ];
    arguments.extend(more);
    arguments
}

/// Plays each gift type once with the assets in `home`; every ack must say that
/// it was rendered. Ends once `words` are all in the log.
fn plays_all_the_same(home: &Path, gifts: &[&str], words: &[&str]) -> Ran {
    let server = Server::new();
    let url = server.url();
    let program = Program::start(&arguments(&url, &["--catalog", "catalog.toml"]), home, &[]);
    let mut peer = server.accept_session();
    for gift_type in gifts {
        let mut gift = gift(gift_type);
        gift.gift_type = (*gift_type).into();
        peer.send(&hyperfocus::protocol::ServerMessage::Gift(gift));
        let ack = peer.gift_ack();
        assert_eq!(&*ack.gift_id, *gift_type);
        assert!(
            ack.rendered,
            "{gift_type}: {:?}\n{}",
            ack.error,
            program.log()
        );
    }
    for word in words {
        program.says(word);
    }
    let watch = std::thread::spawn(move || peer.closed());
    let ran = program.end_by("TERM");
    assert_eq!(watch.join().expect("a close frame"), Some(1000));
    ran.ended_with(0);
    ran
}

#[test]
fn gifts_whose_files_are_missing_play_as_the_fallback() {
    let home = copy_of_assets();
    for file in [
        "models/rocket.glb",
        "video/crown.mp4",
        "textures/petals.png",
        "icons/rose.png",
        "sounds/rose.ogg",
    ] {
        fs::remove_file(home.path().join(file)).unwrap();
    }
    let words = [
        "rocket.glb",
        "crown.mp4",
        "petals.png",
        "rose.png",
        "rose.ogg",
        "Rocket plays as the fallback",
        "Crown plays as the fallback",
    ];
    let ran = plays_all_the_same(home.path(), &["rose", "rocket", "crown"], &words);
    // There is no sound device either, which is worth one line and no more.
    assert_eq!(ran.err.matches("no sound:").count(), 1, "{}", ran.err);
    ran.said("the show goes on silently");
}

#[test]
fn gifts_whose_files_are_damaged_play_as_far_as_they_go() {
    let home = copy_of_assets();
    fs::write(home.path().join("models/rocket.glb"), "this is no model").unwrap();
    fs::write(
        home.path().join("textures/heart.png"),
        "nor is this a picture",
    )
    .unwrap();
    cut_in_half(&home.path().join("textures/petals.png"));
    cut_in_half(&home.path().join("video/crown.mp4"));
    let words = [
        "rocket.glb",
        "crown.mp4",
        "petals.png",
        "Rocket plays as the fallback",
    ];
    let ran = plays_all_the_same(home.path(), &["rose", "rocket", "crown"], &words);
    // Nothing waits for a model that cannot be had.
    assert!(!ran.err.contains("warming up was cut short"), "{}", ran.err);
}

#[test]
fn an_unreadable_catalogue_is_refused_with_its_line() {
    let home = folder();
    let text = fs::read_to_string(assets().join("catalog.toml")).unwrap();
    let broken = text.replacen("seconds = ", "seconds 5 ", 1);
    let line = broken
        .lines()
        .position(|line| line.starts_with("seconds 5"))
        .unwrap()
        + 1;
    fs::write(home.path().join("catalog.toml"), broken).unwrap();
    fs::write(home.path().join("config.toml"), "fpss = 30\n").unwrap();
    let more = ["--catalog", "catalog.toml", "--config", "config.toml"];
    let ran = Program::start(&arguments("ws://127.0.0.1:9/ws", &more), home.path(), &[]).wait();
    ran.ended_with(1);
    ran.said(&format!("catalog.toml:{line}"));
    // The misspelt key did not keep it from getting this far.
    ran.said("config.toml:1: unknown key fpss is ignored; did you mean fps?");
}

#[test]
fn a_machine_without_a_graphics_adapter_is_told_what_to_install() {
    let home = folder();
    let url = Server::new().url();
    let ran = Program::start(&arguments(&url, &[]), home.path(), &NO_DRIVER).wait();
    ran.ended_with(1);
    ran.said("no graphics adapter was found: install a Vulkan driver");
}

#[test]
fn a_refused_token_ends_the_run_and_is_explained() {
    let home = folder();
    fs::write(home.path().join("token"), "wr0ng-s3cret\n").unwrap();
    let server = Server::new();
    let url = server.url();
    let more = ["--token-file", "token"];
    let program = Program::start(&arguments(&url, &more), home.path(), &[]);
    server.answer_http("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    let ran = program.wait();
    ran.ended_with(1);
    ran.said("token");
    ran.said("401");
    assert!(!ran.err.contains("wr0ng"), "{}", ran.err);
}

#[test]
fn an_output_that_cannot_be_made_is_known_before_the_show() {
    let home = folder();
    fs::write(home.path().join("file"), "").unwrap();
    let url = Server::new().url();
    let ran = Program::start(
        &arguments(&url, &["--png", "file/out.png"]),
        home.path(),
        &[],
    )
    .wait();
    ran.ended_with(1);
    ran.said("cannot make the folder file");
}

#[test]
fn gifts_wait_once_the_last_output_has_failed() {
    let home = folder();
    let server = Server::new();
    let url = server.url();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let more = arguments(&url, &["--json", "--raw"]);
    let program = Program::start_into(&more, home.path(), &[], Stdio::from(full));
    let mut peer = server.accept_session();
    program.says("standard output cannot be written");
    program.says("gifts wait until somebody does");
    peer.gift("unseen");
    assert_eq!(peer.ping(1).queue_size, 1);
    let watch = std::thread::spawn(move || peer.closed());
    let ran = program.end_by("TERM");
    assert_eq!(watch.join().expect("a close frame"), Some(1000));
    ran.ended_with(1);
    let account = crate::program::summary(&ran.err);
    assert_eq!(account["gifts"]["played"], 0, "{account}");
    assert_eq!(account["gifts"]["acked"], 0, "{account}");
}

#[test]
fn outputs_that_fail_on_the_way_are_named_and_the_show_goes_on() {
    let home = folder();
    let server = Server::new();
    let url = server.url();
    let more = [
        "--json",
        "--raw",
        "--png-sequence",
        "frames",
        "--png",
        "kept/last.png",
    ];
    let full = File::options().write(true).open("/dev/full").unwrap();
    let program = Program::start_into(&arguments(&url, &more), home.path(), &[], Stdio::from(full));
    let mut peer = server.accept_session();
    peer.gift("first");
    assert!(peer.gift_ack().rendered);
    program.says("standard output cannot be written");
    program.says("free some space or write elsewhere");
    // They go at once: into one that was being emptied the next picture might come.
    for folder in ["frames", "kept"] {
        let path = home.path().join(folder);
        fs::rename(&path, path.with_extension("gone")).unwrap();
    }
    peer.gift("second");
    assert!(peer.gift_ack().rendered);
    program.says("its folder is gone");
    let watch = std::thread::spawn(move || peer.closed());
    let ran = program.end_by("TERM");
    assert_eq!(watch.join().expect("a close frame"), Some(1000));
    ran.ended_with(1);
    // The account names each of them.
    let account = crate::program::summary(&ran.err);
    assert_eq!(account["outputs"], serde_json::json!([]), "{account}");
    let warnings = account["warnings"].to_string();
    for output in ["standard output", "frames", "kept/last.png"] {
        assert!(warnings.contains(output), "{output}: {account}");
    }
}
