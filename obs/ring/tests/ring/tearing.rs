//! A million hand-overs, every byte looked at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hyperfocus_ring::{Newest, Reader, Report, now_ns};

use super::child::Other;
use super::{Private, number_in, publish};

/// Half a million each between threads and between processes.
const FRAMES: u64 = 500_000;

pub(super) struct Tally {
    pub(super) frames: u64,
    pub(super) torn: u64,
}

/// Takes `count` different frames as they come, each looked at twice with the
/// processor given up in between now and then, so that a fast writer has every
/// chance to be in the way.
pub(super) fn read(reader: &mut Reader, count: u64) -> Tally {
    let mut tally = Tally { frames: 0, torn: 0 };
    let (mut seen, mut last) = (None, 0);
    while tally.frames < count {
        match reader.newest(seen) {
            Newest::Frame(frame) => {
                let first = number_in(frame.pixels());
                if tally.frames.is_multiple_of(64) {
                    thread::yield_now();
                }
                let second = number_in(frame.pixels());
                let is_whole =
                    first == Some(frame.stamp().number) && second == first && frame.is_intact();
                tally.torn += u64::from(!is_whole);
                tally.frames += 1;
                assert!(frame.sequence() > last, "time ran backwards");
                last = frame.sequence();
                seen = Some(last);
            }
            // Spinning would keep the writer from a processor on a small machine.
            _ => thread::yield_now(),
        }
        if tally.frames.is_multiple_of(1024) {
            reader.beat(now_ns(), &Report::default());
        }
    }
    tally
}

/// Lets a reader that shares the writer's processor run now and then.
fn give_way(number: u64) {
    if number.is_multiple_of(16) {
        thread::yield_now();
    }
}

#[test]
fn no_frame_is_torn_between_threads() {
    let private = Private::new();
    let mut writer = private.writer("main", 16, 8);
    let mut reader = private.reader("main");
    let is_done = AtomicBool::new(false);
    let tally = thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let tally = read(&mut reader, FRAMES);
            is_done.store(true, Ordering::Relaxed);
            tally
        });
        let mut number = 0;
        while !is_done.load(Ordering::Relaxed) && !reading.is_finished() {
            number += 1;
            publish(&mut writer, number);
            give_way(number);
        }
        reading.join().unwrap()
    });
    assert_eq!((tally.frames, tally.torn), (FRAMES, 0));
}

#[test]
fn no_frame_is_torn_between_processes() {
    let private = Private::new();
    let mut writer = private.writer("main", 16, 8);
    let other = Other::start(&format!("read {FRAMES}"), &private.folder);
    let is_done = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let said = other.finish();
            is_done.store(true, Ordering::Relaxed);
            said
        });
        let mut number = 0;
        while !is_done.load(Ordering::Relaxed) && !waiting.is_finished() {
            number += 1;
            publish(&mut writer, number);
            give_way(number);
        }
        waiting.join().unwrap()
    });
    assert_eq!(said, [FRAMES, 0]);
}
