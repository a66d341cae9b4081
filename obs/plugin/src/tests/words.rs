use hyperfocus_ring::{Connection, Instance, Life, ReaderWish, RingError};

use crate::words;

fn instance() -> Instance {
    Instance {
        name: "main".into(),
        pid: 1,
        engine: "0.1.0".into(),
        width: 1920,
        height: 1080,
        life: Life::Live,
        connection: Connection::Online,
        backend_age_ns: Some(2_500_000_000),
        frame_age_ns: Some(33_000_000),
        is_empty: false,
        reader_pid: None,
        reader: ReaderWish::default(),
    }
}

#[test]
fn an_engine_is_told_in_a_sentence_or_two() {
    assert_eq!(
        words::connection("main", &Ok(instance()), None),
        "Engine main (0.1.0, 1920x1080): online, last heard of 2 s ago. \
         Its newest frame is 33 ms old."
    );
    let empty = Instance {
        is_empty: true,
        connection: Connection::NotNeeded,
        backend_age_ns: None,
        ..instance()
    };
    assert_eq!(
        words::connection("main", &Ok(empty), None),
        "Engine main (0.1.0, 1920x1080): it plays a show of its own, without a backend. \
         Its stage is empty."
    );
}

#[test]
fn an_engine_that_is_not_there_is_told_with_what_happens_next() {
    let missing = RingError::NotFound { name: "x".into() };
    assert!(
        words::connection("x", &Err(missing), None).starts_with("No engine named x is running.")
    );
    let silent = Instance {
        life: Life::Silent {
            for_ns: 240_000_000_000,
        },
        ..instance()
    };
    assert_eq!(
        words::connection("main", &Ok(silent), None),
        "Engine main has been silent for 4 min; nothing is shown until it is back."
    );
}

#[test]
fn an_engine_that_another_program_shows_is_told() {
    let elsewhere = Instance {
        reader_pid: Some(1),
        ..instance()
    };
    assert_eq!(
        words::connection("main", &Ok(elsewhere), None),
        "Engine main is being shown by another program (pid 1)."
    );
    let here = Instance {
        reader_pid: Some(std::process::id()),
        ..instance()
    };
    let told = words::connection("main", &Ok(here), None);
    assert!(told.contains("online"), "{told}");
}

#[test]
fn an_engine_that_cannot_be_started_is_told_with_why() {
    let missing = RingError::NotFound { name: "x".into() };
    let trouble = Some("it ended with exit status: 1 (\"no stream to join\")");
    let told = words::connection("x", &Err(missing), trouble);
    assert!(told.contains("no stream to join"), "{told}");
    // What once failed is no news of one that runs.
    let told = words::connection("main", &Ok(instance()), trouble);
    assert!(!told.contains("no stream to join"), "{told}");
}
