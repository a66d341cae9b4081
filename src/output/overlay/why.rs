//! The answer to "why is nothing showing?".

use std::time::Duration;

use crate::show::Show;
use crate::stage::ConnectionState;

/// What the show does not know of itself.
pub(super) struct Circumstances<'a> {
    pub is_hidden: bool,
    pub is_covered: bool,
    pub monitors: usize,
    pub is_warm: bool,
    pub connection: Option<&'a ConnectionState>,
    pub since_last_event: Option<Duration>,
}

impl Circumstances<'_> {
    /// Every reason, the nearest first, a line each.
    pub fn explain(&self, show: &Show) -> String {
        let mut reasons = Vec::new();
        let mut because = |holds: bool, reason: &str| {
            if holds {
                reasons.push(reason.to_owned());
            }
        };
        because(self.is_hidden, "the overlay is hidden: send show");
        because(
            self.is_covered,
            "the window in use is full-screen, and goes first (overlay.full_screen_first)",
        );
        because(
            self.monitors == 0,
            "none of the chosen monitors is there (overlay.monitor)",
        );
        because(!self.is_warm, "the engine is still getting ready");
        because(show.is_paused(), "the show is paused by its host");
        because(
            show.is_quiet(),
            "do not disturb: gifts are collected, send dnd to see them",
        );
        match self.connection {
            None | Some(ConnectionState::Connecting) => {
                because(true, "the backend is being connected to");
            }
            Some(ConnectionState::Online) => {}
            Some(ConnectionState::Offline { problem, .. }) => {
                because(true, &format!("there is no connection: {problem}"));
            }
            Some(ConnectionState::Stopped(problem)) => {
                let why = problem.as_ref().map(ToString::to_string);
                let why = why.unwrap_or_else(|| "it was ended".into());
                because(true, &format!("the session is over: {why}"));
            }
        }
        let is_playing = show.on_stage().next().is_some();
        let held = show.held_gifts() as u64;
        let others_wait = show.waiting() > show.held().count();
        if reasons.is_empty() && is_playing {
            reasons.push("something is showing".into());
        } else if reasons.is_empty() && others_wait {
            reasons.push("a gift waits for its turn".into());
        } else if reasons.is_empty() && held == 0 {
            reasons.push(match self.since_last_event {
                Some(since) => format!(
                    "all is well: the backend last said something {} s ago",
                    since.as_secs()
                ),
                None => "all is well: no gift has come yet".into(),
            });
        }
        if held > 0 {
            let are_held = counted(held, "gift is", "gifts are");
            reasons.push(format!("{are_held} held back by the host"));
        }
        let came = counted(show.offered(), "gift came", "gifts came");
        let wait = counted(show.undecided() as u64, "waits", "wait");
        let undrawn = counted(show.outcomes().dismissed, "was", "were");
        reasons.push(format!("{came}, {wait}, {undrawn} not to be drawn"));
        reasons.join("\n")
    }
}

/// A number, and what is said of one or of several.
fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::catalog::Catalog;
    use crate::model::{Control, Gift, Moment, Sender};
    use crate::show::ShowSettings;

    const CATALOG: &str = include_str!("../../../tests/data/show.toml");

    /// What is said where nothing outside the show keeps gifts from showing.
    fn why(show: &Show) -> Vec<String> {
        let online = ConnectionState::Online;
        let circumstances = Circumstances {
            is_hidden: false,
            is_covered: false,
            monitors: 1,
            is_warm: true,
            connection: Some(&online),
            since_last_event: Some(Duration::from_secs(7)),
        };
        let said = circumstances.explain(show);
        said.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_the_host_holds_is_said_and_nothing_is_well_while_a_gift_waits() {
        let catalog = Catalog::parse(CATALOG, Path::new("assets/catalog.toml")).unwrap();
        let mut show = Show::new(ShowSettings::default(), Arc::new(catalog));
        let now = Moment::ZERO;
        assert_eq!(
            why(&show),
            [
                "all is well: the backend last said something 7 s ago",
                "0 gifts came, 0 wait, 0 were not to be drawn",
            ]
        );
        show.offer(now, Gift::one("first", "rose", Sender::named("ann", "Ann")));
        let waits = "a gift waits for its turn";
        let of_one = "1 gift came, 1 waits, 0 were not to be drawn";
        assert_eq!(why(&show), [waits, of_one]);
        show.control(now, Control::Hold("first".into()));
        assert_eq!(why(&show), ["1 gift is held back by the host", of_one]);
        for id in ["second", "third"] {
            show.offer(now, Gift::one(id, "rose", Sender::named("bob", "Bob")));
        }
        show.control(now, Control::Hold("third".into()));
        show.control(now, Control::Dismiss("first".into()));
        assert_eq!(
            why(&show),
            [
                "2 gifts are held back by the host",
                "3 gifts came, 2 wait, 1 was not to be drawn",
            ]
        );
    }
}
