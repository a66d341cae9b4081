//! Real sockets, and FFmpeg as the player: what OBS's Media Source reads with.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{painted, plain};
use crate::ffmpeg::PROGRAM;
use crate::output::{MAX_READERS, NutFeed, OutputError};
use crate::render::present::Frame;

const SIZE: (u32, u32) = (64, 36);
const FRAME: usize = (SIZE.0 * SIZE.1 * 4) as usize;
/// What a reader gets before anything new: enough for FFmpeg to begin with.
const BEFORE: usize = 21;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn sink() -> NutFeed {
    NutFeed::open(ANY, SIZE, || ()).unwrap()
}

include!("../../../tests/foreign/skip.rs");

fn has_ffmpeg() -> bool {
    let has = Command::new(PROGRAM)
        .arg("-version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has {
        skip("ffmpeg is absent; install it to test NUT");
    }
    has
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

/// Starts FFmpeg on the sink's address.
fn player(sink: &NutFeed, arguments: &[&str]) -> Child {
    let input = format!("tcp://{}", sink.address());
    let child = Command::new(PROGRAM)
        .args(["-v", "error", "-f", "nut", "-i", &input])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    until("the player has come", || sink.readers()() > 0);
    child
}

/// Half transparent, a colour of its own in every pixel.
fn card(at: f64, shade: u8) -> Frame {
    painted(SIZE.0, SIZE.1, at, |x, y| {
        [x as u8 * 4, y as u8 * 7, shade, (x + y) as u8]
    })
}

#[test]
fn a_player_gets_every_pixel_and_the_stages_times() {
    if !has_ffmpeg() {
        return;
    }
    let sink = sink();
    let child = player(
        &sink,
        &["-map", "0:v", "-c", "copy", "-f", "nut", "-copyts", "-"],
    );
    // After what it begins with, so that none of these is passed over.
    thread::sleep(Duration::from_millis(500));
    let cards = [(10.0, 20), (10.04, 120), (12.5, 220)].map(|(at, shade)| card(at, shade));
    for card in &cards {
        sink.show(card);
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(sink.close().rsplit(": ").next(), Some("24 frames"));
    let copied = child.wait_with_output().unwrap();
    assert!(copied.status.success());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copied.nut");
    std::fs::write(&path, copied.stdout).unwrap();

    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0", "-show_entries"])
        .arg("stream=codec_name,width,height,pix_fmt:packet=pts_time")
        .arg(&path)
        .output()
        .unwrap();
    let probed = String::from_utf8(probed.stdout).unwrap();
    let times: Vec<f64> = probed
        .lines()
        .filter_map(|line| line.trim_end_matches(',').parse().ok())
        .collect();
    assert!(probed.contains("rawvideo,64,36,rgba"), "{probed}");
    let [.., a, b, c] = times[..] else {
        panic!("{probed}")
    };
    assert!((b - a - 0.04).abs() < 1e-6 && (c - a - 2.5).abs() < 1e-6);
    assert!(times.is_sorted(), "{times:?}");

    let decoded = Command::new(PROGRAM)
        .args(["-v", "error", "-i"])
        .arg(&path)
        .args(["-fps_mode", "passthrough"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "-"])
        .output()
        .unwrap();
    let frames: Vec<&[u8]> = decoded.stdout.chunks(FRAME).collect();
    let last = &frames[frames.len() - cards.len()..];
    for (got, sent) in last.iter().zip(&cards) {
        assert_eq!(*got, &sent.pixels[..]);
    }
    assert!(
        frames[..frames.len() - cards.len()]
            .iter()
            .all(|f| f.iter().all(|&b| b == 0))
    );
}

/// Reads until `bytes` have come.
fn read(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).unwrap();
    read
}

/// Connects, and reads what every reader begins with.
fn reader(sink: &NutFeed) -> TcpStream {
    let before = sink.readers()();
    let mut stream = TcpStream::connect(sink.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    read(&mut stream, BEFORE * FRAME);
    until("it is counted", || sink.readers()() > before);
    stream
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn readers_come_and_go_and_are_counted() {
    let woken = Arc::new(AtomicUsize::new(0));
    let count = woken.clone();
    let wake = move || {
        count.fetch_add(1, Ordering::SeqCst);
    };
    let sink = NutFeed::open(ANY, SIZE, wake).unwrap();
    let readers = sink.readers();
    assert_eq!(readers(), 0);
    let mut first = reader(&sink);
    // It leaves while nothing is sent, and that is noticed.
    let second = reader(&sink);
    drop(second);
    until("it has left", || readers() == 1);
    until("the stage hears of it", || {
        // Each came, and began; one left.
        woken.load(Ordering::SeqCst) == 5
    });

    // Another one begins with the picture there is.
    sink.show(&plain(SIZE.0, SIZE.1, [1, 2, 3, 4], 1.0));
    read(&mut first, FRAME);
    let mut late = TcpStream::connect(sink.address()).unwrap();
    let begins = read(&mut late, FRAME);
    assert!(contains(&begins, &[1, 2, 3, 4, 1, 2, 3, 4]));
    sink.close();
    let mut rest = Vec::new();
    late.read_to_end(&mut rest).unwrap();
    assert_eq!(readers(), 0);
}

#[test]
fn a_reader_that_does_not_read_holds_up_nobody() {
    let size = (640, 360);
    let bytes = size.0 as usize * size.1 as usize * 4;
    let sink = NutFeed::open(ANY, size, || ()).unwrap();
    // Its buffers are full after a few of these frames.
    let stalled = TcpStream::connect(sink.address()).unwrap();
    until("it has come", || sink.readers()() == 1);
    let held = Arc::new(vec![7; bytes]);
    let frame = |at| Frame {
        pixels: held.clone(),
        width: size.0,
        height: size.1,
        index: 0,
        at,
    };
    let begun = super::super::nut::now();
    for number in 0..2_000 {
        sink.show(&frame(f64::from(number) / 1e3));
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    // The newest, the stalled reader's, and what this test holds: no queue.
    assert!(Arc::strong_count(&held) <= 3 + 1);

    assert!(!sink.is_seen()(), "nobody looks");

    // The others get theirs.
    let mut brisk = TcpStream::connect(sink.address()).unwrap();
    let got = read(&mut brisk, bytes);
    assert!(contains(&got, &[7; 64]));
    // The end does not wait for it either.
    sink.close();
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop(stalled);
}

#[test]
fn a_reader_that_stops_reading_looks_away_until_it_reads_again() {
    let sink = sink();
    let looks = sink.is_seen();
    assert!(!looks());
    let mut reader = reader(&sink);
    until("it has begun", &looks);
    let mut number = 0;
    until("its buffers are full, and it waits", || {
        for _ in 0..100 {
            number += 1;
            let shade = [number as u8, 0, 0, 255];
            sink.show(&plain(SIZE.0, SIZE.1, shade, f64::from(number) / 1e3));
        }
        !looks()
    });
    until("it looks again", || {
        read(&mut reader, FRAME);
        looks()
    });
}

#[test]
fn one_reader_too_many_is_turned_away() {
    let sink = sink();
    let mut readers: Vec<_> = (0..MAX_READERS).map(|_| reader(&sink)).collect();
    let mut refused = TcpStream::connect(sink.address()).unwrap();
    let mut got = Vec::new();
    let _ = refused.read_to_end(&mut got);
    assert!(got.is_empty());
    readers.pop();
    until("there is room again", || sink.readers()() < MAX_READERS);
    reader(&sink);
}

#[test]
fn a_taken_port_and_another_machines_address_are_explained() {
    let taken = TcpListener::bind(ANY).unwrap();
    let address = taken.local_addr().unwrap();
    let error = NutFeed::open(address, SIZE, || ()).map(drop).unwrap_err();
    assert!(matches!(error, OutputError::Listen { .. }));
    assert!(error.to_string().contains("choose another"), "{error}");

    let everyone = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9_000));
    let error = NutFeed::open(everyone, SIZE, || ()).map(drop).unwrap_err();
    assert!(
        error.to_string().contains("nut://127.0.0.1:9000"),
        "{error}"
    );
}
