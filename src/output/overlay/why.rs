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
        if reasons.is_empty() && is_playing {
            reasons.push("something is showing".into());
        } else if reasons.is_empty() {
            reasons.push(match self.since_last_event {
                Some(since) => format!(
                    "all is well: the backend last said something {} s ago",
                    since.as_secs()
                ),
                None => "all is well: no gift has come yet".into(),
            });
        }
        reasons.push(format!(
            "{} gifts came, {} wait, {} were not to be drawn",
            show.offered(),
            show.undecided(),
            show.outcomes().dismissed
        ));
        reasons.join("\n")
    }
}
