use std::path::Path;
use std::time::Duration;

use crate::sound::{MOST_CLIPS, Shelf};

const PATIENCE: Duration = Duration::from_secs(20);

fn data() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound")
}

#[test]
fn a_wanted_file_is_decoded_and_kept() {
    let mut shelf = Shelf::start().expect("a thread");
    let tone = data().join("tone-440.ogg");
    assert!(shelf.get(&tone).is_none());
    assert!(shelf.want(&tone));
    assert!(shelf.want(&tone), "asking again is free");
    assert!(shelf.wait(PATIENCE).is_empty());
    let clip = shelf.get(&tone).expect("it is there").clone();
    shelf.want(&tone);
    assert!(!shelf.is_loading());
    shelf.forget(&tone);
    assert!(shelf.get(&tone).is_none());
    shelf.want(&tone);
    shelf.wait(PATIENCE);
    let anew = shelf.get(&tone).expect("it is read anew");
    assert!(!std::sync::Arc::ptr_eq(anew, &clip));
}

#[test]
fn a_broken_file_is_reported_once_and_hinders_no_other() {
    let mut shelf = Shelf::start().expect("a thread");
    let (bad, good) = (data().join("make.sh"), data().join("tone-440.ogg"));
    shelf.want(&bad);
    shelf.want(&good);
    let errors = shelf.wait(PATIENCE);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("make.sh"));
    shelf.want(&bad);
    assert!(shelf.wait(PATIENCE).is_empty());
    assert!(shelf.get(&bad).is_none());
    assert!(shelf.get(&good).is_some());
}

#[test]
fn a_full_shelf_takes_no_more() {
    let mut shelf = Shelf::start().expect("a thread");
    for n in 0..MOST_CLIPS {
        assert!(shelf.want(Path::new(&format!("no-such-{n}.ogg"))));
    }
    assert!(!shelf.want(Path::new("one-more.ogg")));
    assert_eq!(shelf.wait(PATIENCE).len(), MOST_CLIPS);
    shelf.forget(Path::new("no-such-0.ogg"));
    assert!(shelf.want(Path::new("one-more.ogg")));
}
