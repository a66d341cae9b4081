//! The latest `stream:status`, and how far its goal has come since somebody told it.

use super::hub::Since;
use super::roster::Reached;
use super::socket::Frame;
use super::wire::StatusParts;
use crate::model::{Goal, StreamStatus, WallTime};
use crate::protocol::{ServerMessage, decode_server, encode_server};

/// The latest status of a stream, as messages.
pub(super) struct LatestStatus {
    /// With every gift that came: as viewers and the desk hear it.
    given: String,
    /// As hosts that join hear it: without the gifts that wait, since these are sent
    /// again to them.
    settled: String,
    /// As the store has it: `settled`, once that is noted.
    kept: String,
    /// How far the goal had come where somebody left it as it was; that is on its way
    /// through the store.
    lent: Option<f64>,
}

/// Which of a goal's figures is another now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moved {
    pub given: bool,
    pub settled: bool,
}

impl LatestStatus {
    /// Somebody has told it, with all gifts before it. Those that wait bring its goal on
    /// so far.
    pub fn new(told: String, waiting: f64) -> Self {
        let settled =
            goal_of(&told).and_then(|goal| with_goal_at(&told, (goal.current - waiting).max(0.0)));
        Self {
            given: told.clone(),
            settled: settled.unwrap_or_else(|| told.clone()),
            kept: told,
            lent: None,
        }
    }

    /// What somebody has told after this, where its goal is as far as this one's: that
    /// is our own word come back, and the gifts that wait are in it.
    pub fn repeated(&self, told: &str) -> Option<Self> {
        let (goal, given) = (goal_of(told)?, self.goal()?);
        let is_ours = goal.current == given.current || Some(goal.current) == self.lent;
        if goal.kind != given.kind || !is_ours {
            return None;
        }
        let at = |current| with_goal_at(told, current).unwrap_or_else(|| told.to_owned());
        Some(Self {
            given: at(given.current),
            settled: at(goal_of(&self.settled)?.current),
            kept: told.to_owned(),
            lent: None,
        })
    }

    /// What a status leaves out stays as it was.
    pub fn complete(&mut self, told: &mut StreamStatus, says: &StatusParts) {
        let was = status_in(&self.given).unwrap_or_default();
        if !says.started_at {
            told.started_at = was.started_at;
        }
        self.lent = None;
        if !says.goal {
            self.lent = was.goal.as_ref().map(|goal| goal.current);
            told.goal = was.goal;
        }
    }

    /// Stages say how far the goal has come.
    pub fn advance(&mut self, reached: Reached) -> Moved {
        let move_to = |message: &mut String, current| {
            let moved = with_goal_at(message, current);
            moved.map(|moved| *message = moved).is_some()
        };
        Moved {
            given: move_to(&mut self.given, reached.given),
            settled: move_to(&mut self.settled, reached.settled),
        }
    }

    /// No stage says it: the gifts that came and ended since have brought it on.
    pub fn count(&mut self, since: Since) -> Option<Moved> {
        let given = self.goal()?.current + since.given;
        let settled = goal_of(&self.settled)?.current + since.settled;
        // Gifts that were not subtracted, since there is no goal below 0, do not count.
        let settled = settled.min(given);
        Some(self.advance(Reached { given, settled }))
    }

    /// What is to be noted in the store, and in place of what; nothing where that is
    /// there.
    pub fn take_note(&mut self) -> Option<(String, String)> {
        if self.kept == self.settled {
            return None;
        }
        let before = std::mem::replace(&mut self.kept, self.settled.clone());
        Some((before, self.settled.clone()))
    }

    /// The message with every gift that came.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Its goal, with every gift that came.
    pub fn goal(&self) -> Option<Goal> {
        goal_of(&self.given)
    }

    /// With every gift that came, and without those that wait.
    pub fn frames(&self) -> (Frame, Frame) {
        (Frame::text(&self.given), Frame::text(&self.settled))
    }
}

fn status_in(message: &str) -> Option<StreamStatus> {
    match decode_server(message.as_bytes()) {
        Ok(ServerMessage::Status(status)) => Some(status),
        _ => None,
    }
}

pub(super) fn goal_of(message: &str) -> Option<Goal> {
    status_in(message)?.goal
}

/// The same `stream:status` with its goal there, if it is not already.
fn with_goal_at(message: &str, current: f64) -> Option<String> {
    let mut status = status_in(message)?;
    let goal = status.goal.as_mut()?;
    if goal.current == current {
        return None;
    }
    goal.current = current;
    Some(encode_server(
        &ServerMessage::Status(status),
        WallTime::now(),
    ))
}
