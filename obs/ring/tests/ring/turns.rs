//! What each side says and the other hears, in order and in one process.

use std::fs;
use std::path::Path;

use hyperfocus_ring::{
    Connection, FrameStamp, Instance, Life, Newest, Reader, ReaderWish, Report, RingError, Showing,
    Vitals, Writer, instances, now_ns,
};

use super::{Private, newest_number, publish, settings, stamp};

#[test]
fn a_frame_comes_with_its_clock_and_only_once() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    assert!(matches!(reader.newest(None), Newest::Unchanged), "none yet");
    let clock = FrameStamp {
        number: 70,
        stage_seconds: 2.5,
        drawn_ns: 123,
    };
    let mut slot = writer.frame();
    slot.as_mut_slice().fill(9);
    slot.publish(&clock);
    let seen = match reader.newest(None) {
        Newest::Frame(frame) => {
            assert_eq!(frame.pixels(), [9; 32]);
            assert_eq!(frame.stamp(), clock);
            frame.sequence()
        }
        other => panic!("{other:?}"),
    };
    assert!(matches!(reader.newest(Some(seen)), Newest::Unchanged));
}

#[test]
fn an_empty_stage_is_told_without_pixels() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    publish(&mut writer, 1);
    writer.clear(&stamp(2));
    let Newest::Empty { sequence, stamp } = reader.newest(Some(1)) else {
        panic!("not empty");
    };
    assert_eq!((sequence, stamp.number), (2, 2));
    publish(&mut writer, 3);
    assert_eq!(newest_number(&mut reader), Some(3));
}

#[test]
fn a_slot_that_is_dropped_is_not_published() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    publish(&mut writer, 1);
    for _ in 0..5 {
        writer.frame().as_mut_slice().fill(77);
        assert_eq!(newest_number(&mut reader), Some(1));
    }
    publish(&mut writer, 2);
    assert_eq!(newest_number(&mut reader), Some(2));
}

#[test]
fn a_held_frame_stays_while_the_writer_goes_on() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    publish(&mut writer, 1);
    let Newest::Frame(held) = reader.newest(None) else {
        panic!("no frame");
    };
    for number in 2..20 {
        publish(&mut writer, number);
        assert_eq!(super::number_in(held.pixels()), Some(1));
        assert!(held.is_intact());
    }
    drop(held);
    assert_eq!(newest_number(&mut reader), Some(19));
}

#[test]
fn the_wishes_of_the_reader_are_heard_while_its_heart_beats() {
    let private = Private::new();
    let writer = private.writer("main", 4, 2);
    assert_eq!(writer.wish(now_ns()), ReaderWish::default());
    let mut reader = private.reader("main");
    let report = Report {
        fps: (30_000, 1001),
        showing: Showing::OnAir,
        sources: 2,
        shown: 5,
    };
    assert!(reader.beat(1_000_000_000, &report));
    assert_eq!(
        writer.wish(1_400_000_000),
        ReaderWish {
            is_seated: true,
            is_alive: true,
            fps: Some((30_000, 1001)),
            showing: Showing::OnAir,
            sources: 2,
            shown: 5,
            beaten_ns: 1_000_000_000,
        }
    );
    // A pause of OBS: nothing is known of it, but nobody else has its seat.
    let paused = ReaderWish {
        is_seated: true,
        ..ReaderWish::default()
    };
    assert_eq!(writer.wish(1_600_000_000), paused);
    assert_eq!(writer.wish(2_500_000_000), paused);
    assert_eq!(writer.wish(2_600_000_000), ReaderWish::default());
    for fps in [(0, 0), (1, 0), (0, 1), (1, 2), (100_000, 1)] {
        reader.beat(1_000_000_000, &Report { fps, ..report });
        assert_eq!(writer.wish(1_000_000_000).fps, None, "{fps:?}");
    }
    drop(reader);
    assert_eq!(writer.wish(1_000_000_000), ReaderWish::default());
}

#[test]
fn the_seat_is_one_programs_until_it_is_left_or_silent() {
    let private = Private::new();
    let writer = private.writer("main", 4, 2);
    let now = 10_000_000_000;
    let mut first = Reader::open(&private.folder, "main", now).unwrap();
    assert!(first.beat(now, &Report::default()));
    let error = Reader::open(&private.folder, "main", now + 1_000_000_000).unwrap_err();
    assert!(
        matches!(error, RingError::Taken { pid, .. } if pid == std::process::id()),
        "{error}"
    );
    let mut second = Reader::open(&private.folder, "main", now + 1_600_000_000).unwrap();
    assert!(!first.beat(now + 1_600_000_000, &Report::default()));
    assert!(matches!(first.newest(None), Newest::Unchanged));
    drop(first);
    assert!(
        second.beat(now + 1_600_000_000, &Report::default()),
        "the first took the seat along"
    );
    drop(second);
    Reader::open(&private.folder, "main", now + 1_600_000_000).unwrap();
    drop(writer);
}

#[test]
fn a_new_size_is_a_new_ring_under_the_same_name() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    publish(&mut writer, 1);
    writer.resize(8, 8).unwrap();
    // What is mapped stays readable, and says where to go.
    assert_eq!(newest_number(&mut reader), Some(1));
    assert_eq!(reader.life(now_ns()), Life::Retired);
    publish(&mut writer, 2);
    let mut reader = private.reader("main");
    assert_eq!(reader.size(), (8, 8));
    assert_eq!(reader.life(now_ns()), Life::Live);
    assert_eq!(newest_number(&mut reader), Some(2));
    let error = Writer::create(&private.folder, &settings("main", 4, 2)).err();
    assert!(
        matches!(error, Some(RingError::Running { .. })),
        "the new file is as locked as the old: {error:?}"
    );
}

#[test]
fn a_ring_whose_file_is_removed_is_made_anew() {
    let private = Private::new();
    let file = private.folder.path().join("main.ring");
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    publish(&mut writer, 1);
    assert!(!writer.keep_in_place().unwrap(), "it is where it was");
    assert_eq!(reader.life(now_ns()), Life::Live);

    // Alone, and with its folder: what becomes of memory that is cleaned up.
    let removals: [fn(&Path); 2] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::remove_dir_all(file.parent().unwrap()).unwrap(),
    ];
    for remove in removals {
        remove(&file);
        assert!(writer.keep_in_place().unwrap());
        // Who shows the old one is led to the new.
        assert_eq!(newest_number(&mut reader), Some(1));
        assert_eq!(reader.life(now_ns()), Life::Retired);
        reader = private.reader("main");
        assert_eq!(reader.size(), (4, 2));
        assert_eq!(reader.life(now_ns()), Life::Live);
        publish(&mut writer, 1);
        assert_eq!(newest_number(&mut reader), Some(1));
        let error = Writer::create(&private.folder, &settings("main", 4, 2)).err();
        assert!(
            matches!(error, Some(RingError::Running { .. })),
            "{error:?}"
        );
        assert!(!writer.keep_in_place().unwrap(), "once is enough");
    }
}

#[test]
fn a_name_that_another_engine_took_meanwhile_is_left_to_it() {
    let private = Private::new();
    let mut first = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    fs::remove_file(private.folder.path().join("main.ring")).unwrap();
    let second = private.writer("main", 8, 8);
    let error = first.keep_in_place().err();
    assert!(
        matches!(error, Some(RingError::Running { .. })),
        "{error:?}"
    );
    // Who shows the first goes on.
    first.beat(now_ns(), &Vitals::default());
    publish(&mut first, 3);
    assert_eq!(newest_number(&mut reader), Some(3));
    assert_eq!(reader.life(now_ns()), Life::Live);
    drop(first);
    assert_eq!(private.reader("main").size(), (8, 8));
    drop(second);
}

#[test]
fn a_size_that_is_refused_changes_nothing() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let mut reader = private.reader("main");
    for (width, height) in [(0, 4), (4, 0), (16_385, 4), (4, u32::MAX)] {
        assert!(matches!(
            writer.resize(width, height),
            Err(RingError::Size { .. })
        ));
    }
    publish(&mut writer, 3);
    assert_eq!(newest_number(&mut reader), Some(3));
    assert_eq!(reader.life(now_ns()), Life::Live);
}

#[test]
fn an_orderly_end_is_told_and_removes_the_file() {
    let private = Private::new();
    let mut writer = private.writer("main", 4, 2);
    let reader = private.reader("main");
    writer.end();
    assert_eq!(reader.life(now_ns()), Life::Ended);
    // Twice is no more than once, and takes nothing from who comes next.
    let next = private.writer("main", 4, 2);
    drop(writer);
    assert_eq!(private.reader("main").life(now_ns()), Life::Live);
    drop(next);
    assert!(matches!(
        Reader::open(&private.folder, "main", now_ns()),
        Err(RingError::NotFound { .. })
    ));
    assert!(instances(&private.folder, now_ns()).unwrap().is_empty());
}

#[test]
fn onlookers_see_the_engine_without_the_seat() {
    let private = Private::new();
    let mut writer = private.writer("main", 40, 20);
    publish(&mut writer, 1);
    let now = now_ns();
    writer.beat(
        now,
        &Vitals {
            connection: Connection::Offline,
            backend_event_ns: now - 3_000_000_000,
        },
    );
    let mut reader = private.reader("main");
    reader.beat(now, &Report::default());
    let instance = Instance::find(&private.folder, "main", now).unwrap();
    assert_eq!(
        instances(&private.folder, now).unwrap(),
        std::slice::from_ref(&instance)
    );
    assert!(instance.is_running());
    assert_eq!(
        (instance.name.as_str(), instance.engine.as_str()),
        ("main", "test")
    );
    assert_eq!((instance.width, instance.height), (40, 20));
    assert_eq!(instance.connection, Connection::Offline);
    assert_eq!(instance.backend_age_ns, Some(3_000_000_000));
    assert!(instance.frame_age_ns.is_some());
    assert!(!instance.is_empty);
    assert_eq!(instance.pid, std::process::id());
    assert_eq!(instance.reader_pid, Some(std::process::id()));
    writer.clear(&stamp(2));
    assert!(
        Instance::find(&private.folder, "main", now)
            .unwrap()
            .is_empty
    );
}
