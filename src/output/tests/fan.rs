use std::fs::File;
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{names, plain};
use crate::output::{Finished, OutputError, Outputs, PngSink, RawSink, SequenceSink, Sink};
use crate::render::present::Frame;

type Seen = Arc<Mutex<Vec<f64>>>;

/// Notes what it is shown, and waits for a permit before it returns.
struct Note {
    seen: Seen,
    permits: Option<Receiver<()>>,
}

impl Sink for Note {
    fn name(&self) -> String {
        "notes".to_owned()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        if let Some(permits) = &self.permits {
            permits.recv().expect("the test gives permits");
        }
        self.seen.lock().unwrap().push(frame.at);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        Ok(Finished {
            written: vec!["notes".to_owned()],
            warnings: Vec::new(),
        })
    }
}

fn note() -> (Box<Note>, Seen) {
    let seen = Seen::default();
    let note = Note {
        seen: seen.clone(),
        permits: None,
    };
    (Box::new(note), seen)
}

fn send(sender: &Sender<Frame>, frames: usize) {
    for frame in 0..frames {
        sender.send(plain(4, 4, [9; 4], frame as f64)).unwrap();
    }
}

#[test]
fn every_sink_gets_every_frame_and_finishing_takes_what_was_sent() {
    let (sender, receiver) = bounded(4);
    let ((one, seen_by_one), (two, seen_by_two)) = (note(), note());
    let outputs = Outputs::spawn(receiver, vec![one, two]);
    send(&sender, 50);
    // The readback may keep its end of the channel.
    let report = outputs.finish();
    let all: Vec<_> = (0..50).map(f64::from).collect();
    assert_eq!(*seen_by_one.lock().unwrap(), all);
    assert_eq!(*seen_by_two.lock().unwrap(), all);
    assert_eq!(report.frames, 50);
    assert_eq!(report.written, ["notes", "notes"]);
    assert!(report.warnings.is_empty() && report.failed.is_empty());
    drop(sender);
}

#[test]
fn idle_means_that_every_sent_frame_is_done_with() {
    let (sender, receiver) = bounded(4);
    let (permit, permits) = bounded(0);
    let seen = Seen::default();
    let sink = Box::new(Note {
        seen: seen.clone(),
        permits: Some(permits),
    });
    let outputs = Outputs::spawn(receiver, vec![sink]);
    assert!(outputs.is_idle());
    send(&sender, 3);
    for done in 0..3 {
        assert!(!outputs.is_idle(), "after {done} frames");
        permit.send(()).unwrap();
    }
    while !outputs.is_idle() {
        std::thread::yield_now();
    }
    assert_eq!(seen.lock().unwrap().len(), 3);
    assert_eq!(outputs.frames(), 3);
}

#[test]
#[cfg(target_os = "linux")]
fn a_sink_that_fails_is_closed_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames");
    let (sender, receiver) = bounded(4);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let outputs = Outputs::spawn(
        receiver,
        vec![
            Box::new(RawSink::new("full.rgba", full).unwrap()),
            Box::new(SequenceSink::create(&path).unwrap()),
        ],
    );
    assert_eq!(outputs.open(), 2);
    send(&sender, 5);
    while !outputs.is_idle() {
        std::thread::yield_now();
    }
    assert_eq!(outputs.open(), 1);
    let report = outputs.finish();
    assert_eq!(report.failed, ["full.rgba"]);
    assert_eq!(report.written.len(), 1);
    assert_eq!(names(&path).len(), 5);
}

#[test]
fn a_reader_that_leaves_counts_as_written_and_not_as_failed() {
    let (sender, receiver) = bounded(4);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let sink = RawSink::new("the pipe", writer).unwrap();
    let outputs = Outputs::spawn(receiver, vec![Box::new(sink)]);
    send(&sender, 3);
    while !outputs.is_idle() {
        std::thread::yield_now();
    }
    assert_eq!(outputs.open(), 0);
    let report = outputs.finish();
    assert_eq!(report.written, ["the pipe: 0 frames"]);
    assert!(report.failed.is_empty());
}

#[test]
fn a_readback_that_ends_by_itself_is_an_orderly_end_too() {
    let (sender, receiver) = bounded(4);
    let (sink, seen) = note();
    let outputs = Outputs::spawn(receiver, vec![sink]);
    send(&sender, 2);
    drop(sender);
    let report = outputs.finish();
    assert_eq!(report.written, ["notes"]);
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[test]
fn outputs_that_are_dropped_leave_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.png");
    let (sender, receiver) = bounded(4);
    let outputs = Outputs::spawn(receiver, vec![Box::new(PngSink::create(&path).unwrap())]);
    send(&sender, 2);
    drop(outputs);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn outputs_that_are_dropped_after_their_stage_leave_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shot.png");
    let (sender, receiver) = bounded(4);
    let outputs = Outputs::spawn(receiver, vec![Box::new(PngSink::create(&path).unwrap())]);
    send(&sender, 2);
    drop(sender);
    // As in a run that fails: the stage is gone before anybody says why.
    while !outputs.is_idle() {
        std::thread::yield_now();
    }
    drop(outputs);
    assert!(names(folder.path()).is_empty());
}
