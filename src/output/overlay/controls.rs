//! What the user wants of the overlay, which takes neither clicks nor keys of
//! its own: wishes come from `hyperfocus overlay --send`, from the tray's menu, and
//! on X11 from keys taken from the whole desktop.
//!
//! They concern this program alone. A viewer controls nobody's show.

use bevy::prelude::*;
use crossbeam_channel::Sender;

use super::{Overlay, why};
use crate::governor::{Level, Wish as Quality};
use crate::model::Control;
use crate::render::{QualityWish, Warmup};
use crate::stage::{Connected, Director, LastEvent};

/// Something that the overlay is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Show it if it is hidden, and the other way round.
    Toggle,
    Show,
    Hide,
    Mute,
    /// Collect gifts, then play one recap.
    DoNotDisturb,
    /// The next quality.
    Quality,
    QualityOf(Quality),
    /// Why is nothing showing?
    Why,
    /// The end of the program.
    Quit,
}

impl Wish {
    pub const WORDS: [(&'static str, Self); 13] = [
        ("toggle", Self::Toggle),
        ("show", Self::Show),
        ("hide", Self::Hide),
        ("mute", Self::Mute),
        ("dnd", Self::DoNotDisturb),
        ("quality", Self::Quality),
        ("auto", Self::QualityOf(Quality::Auto)),
        ("low", Self::QualityOf(Quality::Fixed(Level::LOW))),
        ("medium", Self::QualityOf(Quality::Fixed(Level::MEDIUM))),
        ("high", Self::QualityOf(Quality::Fixed(Level::HIGH))),
        ("ultra", Self::QualityOf(Quality::Fixed(Level::ULTRA))),
        ("why", Self::Why),
        ("quit", Self::Quit),
    ];

    pub fn parse(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(name, _)| *name == word);
        found.map(|(_, wish)| *wish)
    }

    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, wish)| *wish == self);
        found.map_or("", |(name, _)| name)
    }
}

/// A wish, and who waits for an answer to it.
pub(super) struct Request {
    pub wish: Wish,
    pub asker: Asker,
}

/// Who waits for an answer, and where.
#[cfg_attr(
    target_os = "macos",
    expect(dead_code, reason = "it has neither keys nor a menu there yet")
)]
pub(super) enum Asker {
    /// Another program, at the socket.
    Program(Sender<String>),
    /// Whoever pressed a key: nothing but a notification can tell them.
    Key,
    /// Whoever clicked in the tray's menu. Its marks tell them, except why.
    Menu,
}

/// Does what was wished since the last frame.
pub(super) fn obey(
    time: Res<Time<Real>>,
    overlay: Res<Overlay>,
    mut director: ResMut<Director>,
    mut quality: ResMut<QualityWish>,
    (connected, last, warmup): (Res<Connected>, Res<LastEvent>, Res<Warmup>),
) {
    let now = time.elapsed();
    let state = &overlay.state;
    for request in overlay.wishes.try_iter() {
        let show = &mut director.show;
        let hide = |hidden| {
            state.set_hidden(hidden);
            if hidden { "hidden" } else { "shown" }
        };
        let answer = match request.wish {
            Wish::Toggle => hide(!state.is_hidden()).to_owned(),
            Wish::Show => hide(false).to_owned(),
            Wish::Hide => hide(true).to_owned(),
            Wish::Mute => {
                let muted = !show.is_muted();
                show.control(now, Control::Mute(muted));
                (if muted { "muted" } else { "not muted" }).to_owned()
            }
            Wish::DoNotDisturb => {
                let quiet = !show.is_quiet();
                show.control(now, Control::DoNotDisturb(quiet));
                let said = if quiet {
                    "do not disturb: gifts are collected"
                } else {
                    "gifts play again"
                };
                said.to_owned()
            }
            Wish::Quality => {
                let (word, next) = quality.0.next();
                quality.0 = next;
                format!("quality: {word}")
            }
            Wish::QualityOf(wished) => {
                quality.0 = wished;
                format!("quality: {}", request.wish.word())
            }
            Wish::Quit => {
                (state.hooks.quit)();
                "the overlay ends".to_owned()
            }
            Wish::Why => {
                let circumstances = why::Circumstances {
                    is_hidden: state.is_hidden(),
                    is_covered: state.is_covered(),
                    monitors: state.monitors(),
                    is_warm: warmup.is_done(),
                    connection: connected.0.as_ref(),
                    since_last_event: last.0.map(|at| now.saturating_sub(at)),
                };
                circumstances.explain(show)
            }
        };
        tracing::info!("overlay: {}", answer.replace('\n', "; "));
        match (request.asker, request.wish) {
            // Whoever has left does not want to know.
            (Asker::Program(asker), _) => drop(asker.try_send(answer)),
            (Asker::Key, _) | (Asker::Menu, Wish::Why) => (state.notify)(answer),
            (Asker::Menu, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_its_wishs() {
        for (word, wish) in Wish::WORDS {
            assert_eq!(Wish::parse(word), Some(wish));
            assert_eq!(wish.word(), word);
        }
        assert_eq!(Wish::parse("explode"), None);
    }
}
