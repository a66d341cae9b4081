//! The stage's end of the network: drained once a frame, in one place.

use std::collections::VecDeque;

use bevy::prelude::*;
use tracing::info;

use super::director::Director;
use crate::model::{Moment, Outcome, Telemetry};
use crate::net::{FROM_STAGE_CAPACITY, FromStage, Link, TO_STAGE_CAPACITY};
use crate::session::{ConnectionState, ToStage};

/// What one frame takes in at most: what the link holds when it is full. The
/// network thread refills it meanwhile, and in a flood a frame that went on
/// until it is empty would not end.
const MOST_A_FRAME: usize = TO_STAGE_CAPACITY;

/// While this many outcomes wait for room nothing is taken in; the session
/// holds what comes, and refuses at its own bound.
const MOST_UNSENT: usize = FROM_STAGE_CAPACITY;

/// The link to the network thread; without one the stage plays what its host
/// tests.
#[derive(Resource, Default)]
pub struct StageLink {
    pub(super) link: Option<Link>,
    /// Outcomes the channel had no room for yet. At most [`MOST_UNSENT`] and
    /// what the show can decide at once, which is its bound on undecided gifts.
    unsent: VecDeque<Outcome>,
}

/// The connection as the network thread last described it.
#[derive(Resource, Default, Debug, PartialEq)]
pub struct Connected(pub Option<ConnectionState>);

/// When the backend last said something about the stream: a gift, its status, a
/// control. Heartbeats do not count.
#[derive(Resource, Default, Debug, PartialEq)]
pub struct LastEvent(pub Option<Moment>);

impl StageLink {
    pub fn new(link: Link) -> Self {
        Self {
            link: Some(link),
            unsent: VecDeque::new(),
        }
    }

    /// Notes what became of a gift, to be handed over by [`Self::flush`].
    pub(super) fn report(&mut self, outcome: Outcome) {
        if self.link.is_some() {
            self.unsent.push_back(outcome);
        }
    }

    /// Hands over what is to be told, as far as there is room; its acks go out.
    /// A network thread that has given up for good has nobody left to tell.
    pub(super) fn flush(&mut self) {
        let Some(link) = &self.link else { return };
        while let Some(outcome) = self.unsent.pop_front() {
            if let Err(FromStage::Outcome(outcome)) = link.send(FromStage::Outcome(outcome)) {
                if link.is_finished() {
                    self.unsent.clear();
                } else {
                    self.unsent.push_front(outcome);
                }
                return;
            }
        }
    }

    /// See [`Link::telemetry_wanted`].
    pub(super) fn telemetry_wanted(&self) -> u64 {
        self.link.as_ref().map_or(0, Link::telemetry_wanted)
    }

    /// Tells how the stage is doing; false when outcomes have yet to find room.
    pub(super) fn tell(&self, telemetry: Box<Telemetry>) -> bool {
        let link = self.link.as_ref().filter(|_| self.unsent.is_empty());
        link.is_some_and(|link| link.send(FromStage::Telemetry(telemetry)).is_ok())
    }

    /// Whether everything reported has been handed over.
    pub fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Gives the link back, for an orderly end. What has found no room by now
    /// is not acked, and a backend sends such gifts again.
    pub fn take(&mut self) -> Option<Link> {
        self.flush();
        self.unsent.clear();
        self.link.take()
    }
}

pub(super) fn receive(
    time: Res<Time<Real>>,
    link: Res<StageLink>,
    mut director: ResMut<Director>,
    mut connected: ResMut<Connected>,
    mut last_event: ResMut<LastEvent>,
) {
    if link.unsent.len() >= MOST_UNSENT {
        return;
    }
    let Some(link) = &link.link else { return };
    let now = time.elapsed();
    for message in link.drain().take(MOST_A_FRAME) {
        if !matches!(message, ToStage::Config(_) | ToStage::Connection(_)) {
            last_event.0 = Some(now);
        }
        match message {
            ToStage::Gift(gift) => director.show.offer(now, *gift),
            ToStage::Config(config) => {
                info!(
                    "the backend grants {} gifts a second",
                    config.max_gifts_per_second
                );
                director.show.set_rate(now, config.max_gifts_per_second);
            }
            ToStage::Status(status) => director.show.set_status(now, status),
            ToStage::Control(control) => director.show.control(now, control),
            ToStage::Connection(state) => {
                if state == ConnectionState::Online {
                    director.show.rejoin(now);
                }
                connected.0 = Some(state);
            }
        }
    }
}
