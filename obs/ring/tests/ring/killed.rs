//! Either side killed at whatever it was doing.

use hyperfocus_ring::{
    HEARTBEAT_LIMIT_NS, Instance, Life, Reader, RingError, Writer, instances, now_ns,
};

use super::child::Other;
use super::{Private, newest_number, publish, settings};

/// Longer than any heartbeat may be late.
const LATER_NS: u64 = 2_000_000_000;

#[test]
fn a_killed_writer_leaves_a_whole_frame_and_its_name() {
    let private = Private::new();
    for _ in 0..8 {
        let other = Other::start("writer", &private.folder);
        let mut reader = private.reader("main");
        let before = newest_number(&mut reader).expect("a frame was published");
        let error = Writer::create(&private.folder, &settings("main", 2, 2)).err();
        assert!(
            matches!(&error, Some(RingError::Running { name, pid })
                if name == "main" && *pid == other.pid()),
            "{error:?}"
        );
        other.kill();

        let after = newest_number(&mut reader).expect("the last frame is still there");
        assert!(after >= before);
        let later = now_ns() + LATER_NS;
        assert!(
            matches!(reader.life(later), Life::Silent { for_ns } if for_ns > HEARTBEAT_LIMIT_NS)
        );
        let gone = Instance::find(&private.folder, "main", later).unwrap();
        assert!(!gone.is_running());
    }
    // The next one gets the name at once, heartbeat or not.
    let mut writer = private.writer("main", 32, 32);
    publish(&mut writer, 7);
    assert_eq!(newest_number(&mut private.reader("main")), Some(7));
}

#[test]
fn what_a_killed_writer_left_is_swept_by_any_other() {
    let private = Private::new();
    Other::start("idle writer", &private.folder).kill();
    assert_eq!(instances(&private.folder, now_ns()).unwrap().len(), 1);
    let _other_name = private.writer("second", 2, 2);
    let names: Vec<_> = instances(&private.folder, now_ns())
        .unwrap()
        .into_iter()
        .map(|instance| instance.name)
        .collect();
    assert_eq!(names, ["second"]);
}

#[test]
fn a_killed_reader_stops_nobody_and_gives_up_its_seat() {
    let private = Private::new();
    let mut writer = private.writer("main", 64, 16);
    let mut number = 0;
    for _ in 0..8 {
        let other = Other::start("reader", &private.folder);
        for _ in 0..5_000 {
            number += 1;
            publish(&mut writer, number);
        }
        // Its heart may be late on a busy machine, but beats.
        while Instance::find(&private.folder, "main", now_ns())
            .unwrap()
            .reader_pid
            != Some(other.pid())
        {
            std::thread::yield_now();
        }
        let pid = other.pid();
        let error = Reader::open(&private.folder, "main", now_ns()).err();
        assert!(
            matches!(error, Some(RingError::Taken { pid: by, .. }) if by == pid),
            "{error:?}"
        );
        other.kill();

        for _ in 0..10 {
            number += 1;
            publish(&mut writer, number);
        }
        let mut next = Reader::open(&private.folder, "main", now_ns() + LATER_NS).unwrap();
        assert_eq!(newest_number(&mut next), Some(number));
        for _ in 0..10 {
            number += 1;
            publish(&mut writer, number);
            assert_eq!(newest_number(&mut next), Some(number));
        }
        assert!(!writer.wish(now_ns() + 2 * LATER_NS).is_alive);
    }
}
