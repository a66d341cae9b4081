//! The painter's thread.

use std::time::Duration;

use super::super::painter::{CaptionSettings, MAX_BACKLOG, NotTaken};
use super::super::*;
use super::cards::{card, sender};
use super::{name, with_painter};
use crate::locale::Words;

fn counter_request(ticket: u64, count: u64) -> CaptionRequest {
    CaptionRequest {
        ticket,
        kind: CaptionKind::Counter(CounterSpec {
            count,
            accent: Accent::from_one(Rgba::hex(0xFF69B4)),
            theme: Theme::Glass,
            size_px: 24.0,
        }),
    }
}

/// A painter, and a channel that says when it has painted something.
fn spawn() -> (CaptionPainter, crossbeam_channel::Receiver<()>) {
    let (woken, wake) = crossbeam_channel::unbounded();
    let painter = CaptionPainter::spawn(CaptionSettings::default(), move || {
        // The receiver is gone when the test is over.
        let _ = woken.send(());
    })
    .expect("the system has threads");
    (painter, wake)
}

/// Waits for images until none is pending.
fn drain_all(
    painter: &mut CaptionPainter,
    wake: &crossbeam_channel::Receiver<()>,
) -> Vec<(u64, PixelBuffer)> {
    let mut images = Vec::new();
    while painter.pending() > 0 {
        images.extend(painter.drain());
        if painter.pending() > 0 {
            wake.recv_timeout(Duration::from_secs(60))
                .expect("an image within a minute");
        }
    }
    images
}

#[test]
fn the_thread_paints_what_is_asked_in_order() {
    let (mut painter, wake) = spawn();
    let kinds = [
        CaptionKind::Card(Box::new(card(CardSize::Compact, sender("Zoë", None)))),
        CaptionKind::Avatar(AvatarSpec {
            name: name("Zoë"),
            picture: None,
            side: 64,
            square: true,
        }),
        CaptionKind::Panel(PanelSpec {
            title: "Help".into(),
            lines: vec![("H".into(), "this".into())],
            scale: 0.5,
        }),
    ];
    for (ticket, kind) in kinds.into_iter().enumerate() {
        let ticket = ticket as u64;
        painter
            .request(CaptionRequest { ticket, kind })
            .expect("there is room");
    }
    let tickets: Vec<u64> = drain_all(&mut painter, &wake)
        .iter()
        .map(|(ticket, _)| *ticket)
        .collect();
    assert_eq!(tickets, [0, 1, 2]);
}

#[test]
fn a_climbing_counter_is_painted_at_its_newest() {
    let (mut painter, wake) = spawn();
    for count in 1..=5000 {
        painter
            .request(counter_request(7, count))
            .expect("counters replace each other");
    }
    let images = drain_all(&mut painter, &wake);
    assert!(
        images.len() < 100,
        "{} paintings for one counter",
        images.len()
    );
    let last = images.last().expect("at least one");
    let expected = with_painter(|text| {
        let CaptionKind::Counter(spec) = counter_request(7, 5000).kind else {
            unreachable!("it is a counter");
        };
        let mut cache = counter::DigitCache::default();
        counter::paint(text, &mut cache, &Words::english(), &spec)
    });
    assert_eq!(last.1, expected);
}

#[test]
fn a_full_backlog_refuses_and_recovers() {
    let (mut painter, wake) = spawn();
    let mut refused = 0;
    // Nobody drains, so at most the bounds can be taken.
    for ticket in 0..(MAX_BACKLOG as u64 + 200) {
        match painter.request(counter_request(ticket, 1)) {
            Ok(()) => {}
            Err(problem) => {
                assert_eq!(problem, NotTaken::Full);
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    let images = drain_all(&mut painter, &wake);
    assert_eq!(images.len() + refused, MAX_BACKLOG + 200);
    painter
        .request(counter_request(1, 2))
        .expect("there is room again");
}

#[test]
fn a_cancelled_ticket_is_not_painted() {
    let (mut painter, wake) = spawn();
    for ticket in 0..100 {
        painter
            .request(counter_request(ticket, 1))
            .expect("there is room");
    }
    painter.cancel(99);
    let images = drain_all(&mut painter, &wake);
    assert_eq!(images.len(), 99);
    assert!(images.iter().all(|(ticket, _)| *ticket != 99));
}

#[test]
fn dropping_the_painter_ends_its_thread() {
    let (mut painter, wake) = spawn();
    for ticket in 0..200 {
        painter
            .request(counter_request(ticket, 1))
            .expect("there is room");
    }
    drop(painter);
    // The thread owned the other end; it is gone once this disconnects.
    while wake.recv().is_ok() {}
}
