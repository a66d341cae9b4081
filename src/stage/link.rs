//! The stage's end of the network: drained once a frame, in one place.

use std::collections::VecDeque;

use bevy::prelude::*;
use tracing::info;

use super::director::Director;
use super::metrics::Metrics;
use crate::model::{Moment, Outcome};
use crate::net::{FromStage, Link};
use crate::session::{ConnectionState, ToStage};

/// The link to the network thread; without one the stage plays what its host
/// tests.
#[derive(Resource, Default)]
pub struct StageLink {
    link: Option<Link>,
    /// Outcomes the channel had no room for. The show's bound on undecided
    /// gifts is the bound here too: each has one outcome.
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

    /// Says what became of a gift; its ack goes out.
    pub(super) fn report(&mut self, outcome: Outcome) {
        if self.link.is_some() {
            self.unsent.push_back(outcome);
        }
    }

    /// Hands over what is to be told, as far as there is room.
    fn flush(&mut self) {
        let Some(link) = &self.link else { return };
        while let Some(outcome) = self.unsent.pop_front() {
            if let Err(FromStage::Outcome(outcome)) = link.send(FromStage::Outcome(outcome)) {
                self.unsent.push_front(outcome);
                break;
            }
        }
    }

    /// Whether everything reported has been handed over.
    pub fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Whether the network thread has given up for good.
    pub fn is_finished(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_finished)
    }

    /// Gives the link back, for an orderly end.
    pub fn take(&mut self) -> Option<Link> {
        self.flush();
        self.link.take()
    }
}

pub(super) fn receive(
    time: Res<Time<Real>>,
    mut link: ResMut<StageLink>,
    mut director: ResMut<Director>,
    mut metrics: ResMut<Metrics>,
    mut connected: ResMut<Connected>,
    mut last_event: ResMut<LastEvent>,
) {
    let now = time.elapsed();
    if let Some(link) = &link.link {
        for message in link.drain() {
            if !matches!(message, ToStage::Config(_) | ToStage::Connection(_)) {
                last_event.0 = Some(now);
            }
            match message {
                ToStage::Gift(gift) => {
                    metrics.received += 1;
                    director.show.offer(now, *gift);
                }
                ToStage::Config(config) => {
                    info!(
                        "the backend grants {} gifts a second",
                        config.max_gifts_per_second
                    );
                    director.show.set_rate(now, config.max_gifts_per_second);
                }
                ToStage::Status(status) => director.show.set_status(now, status),
                ToStage::Control(control) => director.show.control(now, control),
                ToStage::Connection(state) => connected.0 = Some(state),
            }
        }
    }
    link.flush();
}
