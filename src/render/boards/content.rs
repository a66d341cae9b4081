//! What the parts say: pure, from the show's board and the connection.

use std::sync::Arc;
use std::time::Duration;

use super::settings::{BoardSettings, Part};
use crate::locale::{Text, Words};
use crate::model::{GiftType, Moment, Private, StreamStatus};
use crate::render::caption::Picture;
use crate::render::caption::board::{BoardKind, GifterRow, MAX_ROWS, RecentRow, Signal};
use crate::render::caption::counter::quantity;
use crate::show::Board;
use crate::stage::ConnectionState;

/// What is known of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Contact<'a> {
    pub state: Option<&'a ConnectionState>,
    /// When the backend last said something of the stream.
    pub last_event: Option<Moment>,
    pub now: Moment,
}

/// What is not the board's to know.
pub trait Album {
    /// What a gift type is called, and its icon.
    fn gift(&mut self, of: &GiftType) -> (Arc<str>, Option<Picture>);
    /// Somebody's picture, once it is here.
    fn face(&mut self, url: Option<&Private<Arc<str>>>) -> Option<Picture>;
}

/// What a part says; `None` while there is nothing to say.
pub fn content(
    part: Part,
    board: &Board,
    contact: &Contact<'_>,
    words: &Words,
    settings: &BoardSettings,
    album: &mut dyn Album,
) -> Option<BoardKind> {
    settings.anchor(part)?;
    match part {
        Part::Live => live(board.status(), words),
        Part::Goal => goal(board, words),
        Part::Gifters => gifters(board, words, settings.gifters_rows, album),
        Part::Recent => recent(board, words, settings.recent_rows, album),
        Part::Link => Some(link(contact, words).0),
        Part::Fill => board.goal().map(|_| BoardKind::Fill),
        Part::Spark => board.goal().map(|_| BoardKind::Spark),
    }
}

fn live(status: &StreamStatus, words: &Words) -> Option<BoardKind> {
    // Before the first status nothing is known.
    if *status == StreamStatus::default() {
        return None;
    }
    let badge = if status.is_live {
        Text::Live
    } else {
        Text::Offline
    };
    Some(BoardKind::Live {
        is_live: status.is_live,
        badge: words.say(badge).into(),
        viewers: words.number(status.viewer_count).into(),
        noun: words.count(Text::Viewers, status.viewer_count).into(),
    })
}

/// How much of the goal there is, 0 to 1; a goal of nothing is reached.
pub fn progress(current: f64, target: f64) -> f32 {
    if target > 0.0 {
        ((current / target).clamp(0.0, 1.0)) as f32
    } else {
        1.0
    }
}

fn goal(board: &Board, words: &Words) -> Option<BoardKind> {
    let goal = board.goal()?;
    let title = match goal.description.trim() {
        "" => words.say(Text::Goal).into(),
        _ => goal.description.clone(),
    };
    let is_reached = progress(goal.current, goal.target) >= 1.0;
    Some(BoardKind::Goal {
        title,
        current: words.amount(goal.current).into(),
        target: words.amount(goal.target).into(),
        reached: is_reached.then(|| words.say(Text::GoalReached).into()),
    })
}

fn gifters(board: &Board, words: &Words, rows: usize, album: &mut dyn Album) -> Option<BoardKind> {
    let rows: Vec<_> = board
        .top_gifters()
        .iter()
        .take(rows.min(MAX_ROWS))
        .map(|gifter| GifterRow {
            name: named(&gifter.name.0, words),
            face: album.face(gifter.avatar_url.as_ref()),
            total: words.amount(gifter.value).into(),
        })
        .collect();
    (!rows.is_empty()).then(|| BoardKind::Gifters {
        title: words.say(Text::Gifters).into(),
        rows,
    })
}

fn recent(board: &Board, words: &Words, rows: usize, album: &mut dyn Album) -> Option<BoardKind> {
    let rows: Vec<_> = board
        .recent()
        .take(rows.min(MAX_ROWS))
        .map(|given| {
            let (title, icon) = album.gift(&given.gift_type);
            RecentRow {
                name: named(&given.name.0, words),
                gift: title,
                // Where an icon is, there is no room for a face.
                face: match icon {
                    None => album.face(given.avatar_url.as_ref()),
                    Some(_) => None,
                },
                icon,
                quantity: match given.quantity {
                    0 | 1 => "".into(),
                    many => quantity(words, many).into(),
                },
            }
        })
        .collect();
    (!rows.is_empty()).then(|| BoardKind::Recent {
        title: words.say(Text::Recent).into(),
        rows,
    })
}

fn named(name: &str, words: &Words) -> Private<Arc<str>> {
    Private(match name.trim() {
        "" => words.say(Text::Someone).into(),
        _ => name.into(),
    })
}

/// The connection in words, and when time alone changes them: every ten
/// seconds within the first minute, then every minute, then every hour.
pub fn link(contact: &Contact<'_>, words: &Words) -> (BoardKind, Option<Moment>) {
    let (signal, text) = match contact.state {
        Some(ConnectionState::Online) => (Signal::Good, Text::LinkOnline),
        Some(ConnectionState::Connecting) => (Signal::Waiting, Text::LinkConnecting),
        Some(ConnectionState::Offline { .. }) => (Signal::Waiting, Text::LinkLost),
        Some(ConnectionState::Stopped(_)) => (Signal::Bad, Text::LinkEnded),
        None => (Signal::Bad, Text::LinkNone),
    };
    let mut next = None;
    let told = match (text, contact.last_event) {
        (Text::LinkOnline, Some(last)) => {
            let (told, count, lasts) = ago(contact.now.saturating_sub(last));
            next = Some(last + lasts);
            words.since(told, text, count)
        }
        (Text::LinkOnline, None) => words.since(Text::NoEvent, text, 0),
        _ => words.say(text),
    };
    let kind = BoardKind::Link {
        signal,
        words: told.into(),
    };
    (kind, next)
}

/// How long ago, in words' steps, and until which age that is right.
fn ago(age: Duration) -> (Text, u64, Duration) {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 3_600;
    let seconds = age.as_secs();
    let (text, step) = match seconds {
        0..10 => return (Text::JustNow, 0, Duration::from_secs(10)),
        10..MINUTE => (Text::SecondsAgo, 10),
        MINUTE..HOUR => (Text::MinutesAgo, MINUTE),
        _ => (Text::HoursAgo, HOUR),
    };
    let steps = seconds / step;
    let shown = if step == 10 { steps * 10 } else { steps };
    (text, shown, Duration::from_secs((steps + 1) * step))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Catalog;
    use crate::model::{Gift, Goal, Sender};
    use crate::show::{Show, ShowSettings};

    fn show() -> Show {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
        let catalog = Catalog::load(&path).expect("the shipped catalogue is good");
        Show::new(ShowSettings::default(), Arc::new(catalog))
    }

    fn gift(user: usize, name: &str, quantity: u32, value: f64) -> Gift {
        let sender = Sender::named(format!("u{user}"), name);
        Gift {
            quantity,
            total_value: value,
            ..Gift::one(format!("g{user}"), "rose", sender)
        }
    }

    fn status(current: f64) -> StreamStatus {
        StreamStatus {
            is_live: true,
            viewer_count: 12_483,
            started_at: None,
            goal: Some(Goal {
                kind: "gifts".into(),
                target: 500.0,
                current,
                description: "a new chair".into(),
            }),
        }
    }

    struct Roses;

    impl Album for Roses {
        fn gift(&mut self, _: &GiftType) -> (Arc<str>, Option<Picture>) {
            ("Rose".into(), None)
        }

        fn face(&mut self, _: Option<&Private<Arc<str>>>) -> Option<Picture> {
            None
        }
    }

    fn say(part: Part, show: &Show, words: &Words) -> Option<BoardKind> {
        let contact = Contact {
            state: None,
            last_event: None,
            now: Moment::ZERO,
        };
        let settings = BoardSettings {
            link: Some(super::super::settings::Anchor::TOP),
            ..BoardSettings::default()
        };
        content(part, show.board(), &contact, words, &settings, &mut Roses)
    }

    #[test]
    fn a_part_with_nothing_to_say_is_not_there() {
        let show = show();
        for part in [
            Part::Live,
            Part::Goal,
            Part::Gifters,
            Part::Recent,
            Part::Fill,
        ] {
            assert_eq!(say(part, &show, &Words::english()), None, "{part:?}");
        }
        assert!(say(Part::Link, &show, &Words::english()).is_some());
    }

    #[test]
    fn a_part_that_is_switched_off_says_nothing() {
        let mut show = show();
        show.set_status(Moment::ZERO, status(1.0));
        let contact = Contact {
            state: None,
            last_event: None,
            now: Moment::ZERO,
        };
        let settings = BoardSettings {
            goal: None,
            ..BoardSettings::default()
        };
        let words = Words::english();
        let say = |part| content(part, show.board(), &contact, &words, &settings, &mut Roses);
        assert_eq!(
            [say(Part::Goal), say(Part::Fill), say(Part::Link)],
            [None, None, None]
        );
        assert!(say(Part::Live).is_some());
    }

    #[test]
    fn numbers_and_words_are_the_languages() {
        let mut show = show();
        show.set_status(Moment::ZERO, status(340.0));
        let german = Words::of("de").0;
        assert_eq!(
            say(Part::Live, &show, &german),
            Some(BoardKind::Live {
                is_live: true,
                badge: "LIVE".into(),
                viewers: "12.483".into(),
                noun: "schauen zu".into(),
            })
        );
        assert_eq!(
            say(Part::Goal, &show, &german),
            Some(BoardKind::Goal {
                title: "a new chair".into(),
                current: "340".into(),
                target: "500".into(),
                reached: None,
            })
        );
        show.set_status(Moment::ZERO, status(500.0));
        let Some(BoardKind::Goal { reached, .. }) = say(Part::Goal, &show, &german) else {
            panic!("there is a goal");
        };
        assert_eq!(reached.as_deref(), Some("Ziel erreicht"));
    }

    #[test]
    fn somebody_without_a_name_is_someone() {
        let mut show = show();
        show.offer(Moment::ZERO, gift(1, "  ", 12, 5.0));
        let Some(BoardKind::Recent { rows, .. }) = say(Part::Recent, &show, &Words::english())
        else {
            panic!("a gift came");
        };
        assert_eq!((&*rows[0].name.0, &*rows[0].quantity), ("Someone", "×12"));
    }

    #[test]
    fn names_do_not_reach_the_log() {
        let mut show = show();
        show.offer(Moment::ZERO, gift(1, "Secretive", 1, 5.0));
        for part in [Part::Gifters, Part::Recent] {
            let told = format!("{:?}", say(part, &show, &Words::english()));
            assert!(!told.contains("Secretive"), "{told}");
        }
    }

    #[test]
    fn time_is_told_in_steps_that_grow() {
        let online = ConnectionState::Online;
        let told = |age: u64| {
            let contact = Contact {
                state: Some(&online),
                last_event: Some(Moment::from_secs(100)),
                now: Moment::from_secs(100 + age),
            };
            let (kind, next) = link(&contact, &Words::english());
            let BoardKind::Link { words, .. } = kind else {
                panic!("it is the connection");
            };
            (words.to_string(), next.expect("it changes").as_secs() - 100)
        };
        for (age, words, until) in [
            (0, "connected, last event just now", 10),
            (9, "connected, last event just now", 10),
            (10, "connected, last event 10 s ago", 20),
            (47, "connected, last event 40 s ago", 50),
            (60, "connected, last event 1 min ago", 120),
            (3_599, "connected, last event 59 min ago", 3_600),
            (7_300, "connected, last event 2 h ago", 10_800),
        ] {
            assert_eq!(told(age), (words.to_owned(), until), "after {age} s");
        }
    }

    #[test]
    fn a_connection_that_is_gone_says_so_and_does_not_tick() {
        for (state, words) in [
            (None, "not connected"),
            (Some(ConnectionState::Connecting), "connecting"),
            (Some(ConnectionState::Stopped(None)), "connection ended"),
        ] {
            let contact = Contact {
                state: state.as_ref(),
                last_event: Some(Moment::ZERO),
                now: Moment::from_secs(5),
            };
            let (kind, next) = link(&contact, &Words::english());
            let BoardKind::Link { words: told, .. } = kind else {
                panic!("it is the connection");
            };
            assert_eq!((&*told, next), (words, None));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn lists_are_bounded_whatever_is_asked_and_given(
            people in 0usize..200,
            top in any::<usize>(),
            newest in any::<usize>(),
        ) {
            let mut show = show();
            for user in 0..people {
                show.offer(Moment::ZERO, gift(user, "x", 1, user as f64 + 1.0));
            }
            let contact = Contact { state: None, last_event: None, now: Moment::ZERO };
            let settings = BoardSettings { gifters_rows: top, recent_rows: newest, ..BoardSettings::default() };
            let words = Words::english();
            for (part, asked) in [(Part::Gifters, top), (Part::Recent, newest)] {
                let kind = content(part, show.board(), &contact, &words, &settings, &mut Roses);
                let rows = match kind {
                    Some(BoardKind::Gifters { rows, .. }) => rows.len(),
                    Some(BoardKind::Recent { rows, .. }) => rows.len(),
                    _ => 0,
                };
                prop_assert_eq!(rows, people.min(asked).min(MAX_ROWS));
            }
        }
    }
}
