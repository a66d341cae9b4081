//! The reader's life, over a real ring and in virtual time.

use hyperfocus_ring::{
    Connection, Folder, FrameStamp, Reader, Report, Settings, Vitals, Writer, now_ns,
};
use tempfile::TempDir;

use crate::feed::{Event, Feed, RETRY_NS};

/// A frame of OBS at 60 a second.
const FRAME_NS: u64 = 16_666_667;

struct Stage {
    folder: Folder,
    feed: Feed,
    now_ns: u64,
    _temporary: TempDir,
}

impl Stage {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::at(temporary.path().join("rings")).unwrap();
        Self {
            feed: Feed::new("main", Some(folder.clone())),
            folder,
            now_ns: now_ns(),
            _temporary: temporary,
        }
    }

    fn writer(&self) -> Writer {
        Writer::create(
            &self.folder,
            &Settings {
                name: "main",
                engine: "test",
                width: 2,
                height: 2,
            },
        )
        .unwrap()
    }

    /// One tick a frame later; the engine beats if it is there.
    fn tick(&mut self, writer: Option<&mut Writer>) -> Option<Event> {
        self.now_ns += FRAME_NS;
        if let Some(writer) = writer {
            writer.beat(
                self.now_ns,
                &Vitals {
                    connection: Connection::Online,
                    backend_event_ns: 0,
                },
            );
        }
        self.feed.tick(self.now_ns, &Report::default())
    }

    /// Ticks until `is_done`; how many nanoseconds it took.
    fn until(&mut self, mut writer: Option<&mut Writer>, is_done: impl Fn(&Feed) -> bool) -> u64 {
        let start = self.now_ns;
        while !is_done(&self.feed) {
            self.tick(writer.as_deref_mut());
            assert!(self.now_ns - start < 3_000_000_000, "it never happens");
        }
        self.now_ns - start
    }

    fn take(&mut self) -> Option<u8> {
        let mut taken = None;
        self.feed.take(|pixels| {
            taken = Some(pixels.bytes[0]);
            true
        });
        taken
    }
}

fn publish(writer: &mut Writer, value: u8) {
    let mut slot = writer.frame();
    slot.as_mut_slice().fill(value);
    slot.publish(&FrameStamp::default());
}

#[test]
fn an_engine_that_comes_is_found_within_a_second() {
    let mut stage = Stage::new();
    assert_eq!(stage.tick(None), None, "no engine is no trouble");
    for _ in 0..10 {
        stage.tick(None);
    }
    let mut writer = stage.writer();
    let took = stage.until(Some(&mut writer), Feed::is_live);
    assert!(took <= RETRY_NS + FRAME_NS, "{took}");
    assert!(!stage.feed.shows_picture());
    publish(&mut writer, 7);
    assert!(stage.feed.is_behind());
    assert_eq!(stage.take(), Some(7));
    assert!(stage.feed.shows_picture());
    assert!(!stage.feed.is_behind());
    assert_eq!(stage.take(), None, "nothing is uploaded twice");
    assert!(stage.feed.shows_picture());
}

#[test]
fn a_silent_engine_is_blank_within_a_second_and_back_as_fast() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    stage.until(Some(&mut writer), Feed::is_live);
    publish(&mut writer, 7);
    stage.take();
    let took = stage.until(None, |feed| !feed.shows_picture());
    assert!(took < 600_000_000, "{took}");
    // It was only suspended.
    stage.until(Some(&mut writer), Feed::is_live);
    assert!(stage.feed.is_behind(), "its last frame counts again");
    assert_eq!(stage.take(), Some(7));
}

#[test]
fn an_engine_that_ends_is_blank_at_once_and_its_successor_found() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    stage.until(Some(&mut writer), Feed::is_live);
    publish(&mut writer, 7);
    stage.take();
    drop(writer);
    assert_eq!(stage.tick(None), Some(Event::Lost { why: "it ended" }));
    assert!(!stage.feed.shows_picture());
    let mut writer = stage.writer();
    let took = stage.until(Some(&mut writer), Feed::is_live);
    assert!(took <= RETRY_NS + FRAME_NS, "{took}");
    assert!(!stage.feed.is_behind(), "nothing was published yet");
}

#[test]
fn through_a_new_size_the_old_picture_stays_until_the_first_new_one() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    stage.until(Some(&mut writer), Feed::is_live);
    publish(&mut writer, 7);
    stage.take();
    writer.resize(4, 4).unwrap();
    stage.tick(Some(&mut writer));
    assert!(stage.feed.is_live());
    assert_eq!(stage.feed.size(), Some((4, 4)));
    assert!(stage.feed.shows_picture());
    assert_eq!(stage.take(), None);
    publish(&mut writer, 8);
    assert_eq!(stage.take(), Some(8));
}

#[test]
fn an_empty_stage_shows_nothing() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    stage.until(Some(&mut writer), Feed::is_live);
    publish(&mut writer, 7);
    stage.take();
    writer.clear(&FrameStamp::default());
    assert!(stage.feed.is_behind());
    assert_eq!(stage.take(), None);
    assert!(!stage.feed.shows_picture());
    assert!(!stage.feed.is_behind());
}

#[test]
fn a_frame_that_could_not_be_uploaded_is_not_shown() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    stage.until(Some(&mut writer), Feed::is_live);
    publish(&mut writer, 7);
    stage.feed.take(|_| false);
    assert!(!stage.feed.shows_picture());
}

#[test]
fn a_ring_that_another_program_shows_is_said_once() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    let mut other = Reader::open(&stage.folder, "main", stage.now_ns).unwrap();
    let mut said = Vec::new();
    for _ in 0..60 {
        other.beat(stage.now_ns, &Report::default());
        said.extend(stage.tick(Some(&mut writer)));
    }
    assert!(
        matches!(&said[..], [Event::Trouble(line)] if line.contains("another program")),
        "{said:?}"
    );
    assert!(stage.feed.is_taken(), "no reason to start another engine");
    drop(other);
    stage.until(Some(&mut writer), Feed::is_live);
    assert!(!stage.feed.is_taken());
}

#[test]
fn the_engine_hears_what_was_shown_last() {
    let mut stage = Stage::new();
    let mut writer = stage.writer();
    stage.until(Some(&mut writer), Feed::is_live);
    publish(&mut writer, 1);
    publish(&mut writer, 2);
    stage.take();
    stage.tick(Some(&mut writer));
    let wish = writer.wish(stage.now_ns);
    assert!(wish.is_alive);
    assert_eq!(wish.shown, 2);
}
