//! `demo` and `run` from launch to the orderly end: the real program, a real
//! socket, whatever draws here.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use hyperfocus::catalog::Catalog;
use hyperfocus::model::{Control, Telemetry};
use hyperfocus::protocol::{ClientMessage, ServerMessage};

use crate::foreign_server::{Foreign, TOKEN};
use crate::program::{PROMPT, Program, Ran, folder, summary};
use crate::server::{Peer, Server};
use crate::stage::PATIENCE;

/// Small enough for a software renderer on a busy machine.
const WIDTH: u32 = 192;
const HEIGHT: u32 = 108;
const SIZE: &str = "192x108";

#[test]
fn the_demo_plays_every_gift_and_ends_by_itself() {
    let home = folder();
    let arguments = [
        "demo",
        "--headless",
        "--seconds",
        "30",
        "--size",
        "320x180",
        "--json",
        "--out",
        "shown",
    ];
    // Half a minute of show, and then some thousand frames for the sheet.
    let ran = Program::start(&arguments, home.path(), &[]).wait_for(4 * PATIENCE);
    ran.ended_with(0);
    let out = String::from_utf8(ran.out).expect("text");
    assert_eq!(
        out.trim().lines().count(),
        1,
        "one object and no more: {out}"
    );
    let account = summary(&out);
    let number = |path: &str| {
        let value = account.pointer(path).and_then(serde_json::Value::as_u64);
        value.unwrap_or_else(|| panic!("no number at {path}: {account}"))
    };

    // Every gift is somewhere, and the two ends agree.
    let (sent, received, acked) = (
        number("/gifts/sent"),
        number("/gifts/received"),
        number("/gifts/acked"),
    );
    assert!(sent >= 60, "{account}");
    assert_eq!(sent, received, "{account}");
    assert_eq!(acked + number("/gifts/waiting"), received, "{account}");
    let decided: u64 = [
        "played",
        "joined_streak",
        "joined_bundle",
        "refused",
        "failed",
        "dismissed",
    ]
    .iter()
    .map(|ending| number(&format!("/gifts/{ending}")))
    .sum();
    assert_eq!(decided, acked, "{account}");
    assert_eq!(number("/gifts/failed"), 0, "{account}");
    assert_eq!(number("/backend/acked"), acked, "{account}");
    assert_eq!(number("/backend/acked_twice"), 0, "{account}");
    if number("/gifts/waiting") == 0 {
        assert_eq!(account["backend"]["exactly_once"], true, "{account}");
    }
    // The last ping may still be on its way when the time is up.
    let (pings, pongs) = (number("/backend/pings"), number("/backend/pongs"));
    assert!(pongs > 0 && pings - pongs <= 1, "{account}");
    assert_eq!(number("/pipelines_after_warmup"), 0, "{account}");

    // A strip for each gift and the fallback.
    let written = account["outputs"].to_string();
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
    let gifts = Catalog::load(&catalog).expect("a catalogue").gifts.len();
    let strips = format!("demo.png: {} strips", gifts + 1);
    assert!(written.contains(&strips), "{account}");
    let sheet = image::open(home.path().join("shown/demo.png")).expect("a PNG");
    assert!(sheet.width() > 320 && sheet.height() > 180, "{account}");
    assert_eq!(
        has_ffmpeg(),
        home.path().join("shown/demo.webm").is_file(),
        "{account}"
    );
}

fn has_ffmpeg() -> bool {
    let asked = Command::new("ffmpeg")
        .arg("-version")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

#[test]
fn a_backend_in_another_language_sees_a_whole_session() {
    let Some(mut server) = Foreign::start(60) else {
        return;
    };
    let home = folder();
    std::fs::write(home.path().join("token"), format!("{TOKEN}\n")).expect("a file");
    let url = server.url.clone();
    let arguments = [
        "run",
        "--headless",
        "--play-unseen",
        "--json",
        "--size",
        SIZE,
        "--url",
        &url,
        "--stream",
        "s",
        "--token-file",
        "token",
    ];
    let program = Program::start(&arguments, home.path(), &[]);
    let seen = server.account();
    let ran = program.end_by("TERM");
    assert_eq!(seen["ok"], true, "{seen}\n{}", ran.err);
    assert_eq!(seen["connections"], 2, "{seen}");
    ran.ended_with(0);
    assert!(!ran.err.contains(TOKEN), "{}", ran.err);
    let account = summary(&String::from_utf8_lossy(&ran.out));
    assert_eq!(account["gifts"]["failed"], 0, "{account}");
    assert_eq!(account["pipelines_after_warmup"], 0, "{account}");
}

#[test]
fn a_show_that_is_ended_in_the_middle_leaves_whole_outputs() {
    let home = folder();
    let server = Server::new();
    let url = server.url();
    let arguments = [
        "run",
        "--headless",
        "--json",
        "--size",
        SIZE,
        "--url",
        &url,
        "--stream",
        "s",
        "--raw",
        "--png",
        "last.png",
        "--png-sequence",
        "frames",
    ];
    let program = Program::start(&arguments, home.path(), &[]);
    let mut peer = server.accept_session();
    peer.gift("a-rose");
    let ack = peer.gift_ack();
    assert_eq!((&*ack.gift_id, ack.rendered), ("a-rose", true));

    // A gift is acked with its first frame, in which a rose may not be seen yet.
    let mut looked_at = 0;
    program.comes_to("nothing is seen in the frames", || {
        let path = home.path().join(format!("frames/{looked_at:06}.png"));
        let Ok(picture) = image::open(path) else {
            return false;
        };
        looked_at += 1;
        picture.into_rgba8().pixels().any(|pixel| pixel[3] > 0)
    });

    // The rose has just opened; the close frame comes before the end.
    let watch = std::thread::spawn(move || peer.closed());
    let ran = program.end_by("TERM");
    assert_eq!(watch.join().expect("a close frame"), Some(1000));
    ran.ended_with(0);
    assert!(ran.took < PROMPT, "{:?}", ran.took);

    // With --raw the account is on standard error; the frames are whole.
    let account = summary(&ran.err);
    let frame = (WIDTH * HEIGHT * 4) as usize;
    assert_eq!(ran.out.len() % frame, 0);
    let frames = ran.out.len() / frame;
    assert!(frames > 0, "{account}");
    let written = account["outputs"].to_string();
    assert!(
        written.contains(&format!("standard output: {frames} frames")),
        "{account}"
    );
    let pictures = std::fs::read_dir(home.path().join("frames")).expect("a folder");
    assert_eq!(pictures.count(), frames);
    let last = image::open(home.path().join("last.png"))
        .expect("a PNG")
        .into_rgba8();
    assert_eq!(last.dimensions(), (WIDTH, HEIGHT));
    assert!(last.pixels().any(|pixel| pixel[3] > 0), "something to see");
    // The pipe and the files hold the same frames.
    let first = image::open(home.path().join("frames/000000.png")).expect("a PNG");
    assert_eq!(first.into_rgba8().as_raw(), &ran.out[..frame]);
}

fn run_without_outputs(url: &str) -> (tempfile::TempDir, Program) {
    let home = folder();
    let arguments = [
        "run",
        "--headless",
        "--size",
        SIZE,
        "--url",
        url,
        "--stream",
        "s",
    ];
    let program = Program::start(&arguments, home.path(), &[]);
    (home, program)
}

fn ends_promptly(ran: &Ran) {
    ran.ended_with(0);
    assert!(ran.took < PROMPT, "{:?}\n{}", ran.took, ran.err);
}

#[test]
fn ctrl_c_ends_a_run_whose_backend_does_not_answer() {
    let server = Server::new();
    let (_home, program) = run_without_outputs(&server.url());
    let _taken_and_ignored = server.accept_tcp();
    ends_promptly(&program.end_by("INT"));
}

#[test]
fn ctrl_c_ends_a_run_whose_backend_refuses_connections() {
    let url = Server::new().url();
    let (_home, program) = run_without_outputs(&url);
    program.says("is the backend running");
    ends_promptly(&program.end_by("INT"));
}

#[test]
fn ctrl_c_ends_an_idle_run_that_sleeps() {
    let server = Server::new();
    let (_home, program) = run_without_outputs(&server.url());
    let mut peer = server.accept_session();
    program.says("the stage is warm");
    let watch = std::thread::spawn(move || peer.closed());
    ends_promptly(&program.end_by("INT"));
    assert_eq!(watch.join().expect("a close frame"), Some(1000));
}

#[test]
fn a_run_whose_session_is_over_ends_though_a_gift_is_held_and_says_what_it_kept() {
    let server = Server::new();
    let url = server.url();
    let home = folder();
    let arguments = [
        "run",
        "--headless",
        "--keep-show",
        "kept.jsonl",
        "--size",
        SIZE,
        "--url",
        &url,
        "--stream",
        "s",
    ];
    let program = Program::start(&arguments, home.path(), &[]);
    let mut peer = server.accept_session_with(&["x-control", "x-telemetry"]);
    program.says("the stage is warm");
    // A control overtakes gifts, so each step waits for the one before.
    let until = |peer: &mut Peer<TcpStream>, is_so: fn(&Telemetry) -> bool| {
        loop {
            if let ClientMessage::Telemetry(told) = peer.next()
                && is_so(&told)
            {
                return;
            }
        }
    };
    peer.send(&ServerMessage::Control(Control::Pause));
    until(&mut peer, |told| told.is_paused);
    peer.gift("held");
    until(&mut peer, |told| told.waiting == 1);
    peer.send(&ServerMessage::Control(Control::Hold("held".into())));
    peer.send(&ServerMessage::Control(Control::Resume));
    until(&mut peer, |told| !told.is_paused && told.waiting == 1);
    peer.close(1008, "the token is revoked");
    let ran = program.wait();
    ran.ended_with(1);
    ran.said("kept.jsonl: ");
}
