//! What players on this machine read: the real program serves, FFmpeg reads.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::program::{Program, folder, summary};
use crate::skip::skip;

const SIZE: (u32, u32) = (320, 180);
const FRAME: usize = (SIZE.0 * SIZE.1 * 4) as usize;

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

fn ffmpeg(input: &str, seconds: &str) -> Option<Child> {
    let child = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "nut", "-i", input, "-t", seconds])
        .args(["-fps_mode", "passthrough"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .ok();
    if child.is_none() {
        skip("ffmpeg is not installed; `make setup` does it on Debian");
    }
    child
}

/// Frames with something on them, of those that a player gets in some seconds.
fn pictures(player: Child) -> usize {
    let read = player.wait_with_output().expect("it ends");
    assert!(read.status.success());
    assert_eq!(read.stdout.len() % FRAME, 0, "whole frames");
    let frames = read.stdout.chunks(FRAME);
    frames
        .filter(|frame| frame.chunks(4).any(|pixel| pixel[3] > 0))
        .count()
}

#[test]
fn players_come_and_go_and_gifts_wait_for_the_first() {
    let home = folder();
    let port = free_port();
    let output = format!("nut://127.0.0.1:{port}");
    let input = format!("tcp://127.0.0.1:{port}");
    let arguments = [
        "demo",
        "--output",
        &output,
        "--size",
        "320x180",
        "--seconds",
        "60",
        "--no-sheet",
        "--json",
        "--mute",
    ];
    let program = Program::start(&arguments, home.path(), &[]);
    program.says("the stage is warm");
    for words in ["Media Source", &input, "Apply alpha in linear space"] {
        program.says(words);
    }
    // Long enough for gifts to come, and nobody looks.
    std::thread::sleep(Duration::from_secs(3));
    let Some(first) = ffmpeg(&input, "4") else {
        return;
    };
    let second = ffmpeg(&input, "4").expect("there was one");
    assert!(pictures(first) > 5);
    assert!(pictures(second) > 5);
    program.says("a player has left");
    let again = ffmpeg(&input, "3").expect("there was one");
    assert!(pictures(again) > 5);

    let ran = program.end_by("TERM");
    ran.ended_with(0);
    let account = summary(&String::from_utf8(ran.out).expect("text"));
    let outputs = account["outputs"].to_string();
    assert!(outputs.contains(&format!("{output}: ")), "{outputs}");
    // All that waited for the first player waited for it.
    let slowest = account["gift_to_frame_ms"]["max"].as_f64();
    assert!(slowest > Some(2_000.0), "{account}");
    assert_eq!(account["pipelines_after_warmup"], 0, "{account}");
}

#[test]
fn a_taken_port_is_said_before_the_show() {
    let home = folder();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = taken.local_addr().expect("an address");
    let output = format!("--output=nut://{address}");
    let ran = Program::start(&["demo", &output, "--no-sheet"], home.path(), &[]).wait();
    ran.ended_with(1);
    ran.said("choose another");
}
