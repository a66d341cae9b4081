//! What one connection was told, and what it is told once it has come far enough.
//!
//! Gifts have an order, and some of what else there is to tell has its place in it: a
//! status counts the gifts that were accepted before it, and a control that names a gift
//! means nothing to whoever has yet to be sent that. So each waits at its [`Mark`] for a
//! connection that is behind. All else is told at once: a host that owes more acks than
//! it may can still be paused or cleared.

use std::collections::VecDeque;

use super::host::Host;
use super::{Joining, MAX_CONTROLS, Serial};
use crate::protocol::ClientType;

pub(super) struct Connection<F> {
    pub joining: Joining,
    pub config_seen: u64,
    pub reader: Reader,
    status_seen: u64,
    /// The status that comes next: at first the one that it found. A newer one waits
    /// behind it, or one who is always behind would never hear any.
    status: Option<(Mark, F)>,
    controls: VecDeque<(Mark, F)>,
}

/// How far a connection has read.
pub(super) enum Reader {
    /// The place in the ring that comes next.
    Viewer(u64),
    Host(Box<Host>),
    /// A newer connection of the same client has taken over.
    Displaced,
}

/// A point among the gifts; at first the one before all of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    /// The last gift before it.
    pub serial: Serial,
    /// The place in the ring that comes after it.
    pub place: u64,
}

/// The latest status. For who joins it is in two words: they differ by the gifts that
/// are not settled.
pub(super) struct Status<F> {
    /// Grows by one each time.
    pub version: u64,
    /// As it was told to whoever was here then, behind the gifts that it counts.
    pub told: F,
    pub after: Mark,
    /// With all gifts: for whoever is sent none of them again.
    pub given: F,
    /// Without those: for hosts that join, which are sent them again.
    pub settled: F,
}

impl<F: Clone> Connection<F> {
    /// Whoever joins is told the latest status before any gift.
    pub fn new(
        joining: Joining,
        config_seen: u64,
        reader: Reader,
        latest: Option<&Status<F>>,
    ) -> Self {
        let found = latest.map(|latest| match joining.role {
            ClientType::Host => &latest.settled,
            ClientType::Viewer => &latest.given,
        });
        Self {
            joining,
            config_seen,
            reader,
            status_seen: latest.map_or(0, |latest| latest.version),
            status: found.map(|found| (Mark::default(), found.clone())),
            controls: VecDeque::new(),
        }
    }

    /// Whether it will get this control.
    pub fn take_in(&mut self, control: &F, after: Mark) -> bool {
        let listens = self.joining.hears_controls && !matches!(self.reader, Reader::Displaced);
        let has_room = listens && self.controls.len() < MAX_CONTROLS;
        if has_room {
            self.controls.push_back((after, control.clone()));
        }
        has_room
    }

    /// The first control whose time has come. `next` is the gift that a host is sent next.
    pub fn next_control(&mut self, next: Option<Serial>) -> Option<F> {
        let has_come = |(after, _): &(Mark, F)| self.has_passed(*after, next);
        let index = self.controls.iter().position(has_come)?;
        self.controls.remove(index).map(|(_, control)| control)
    }

    /// The status, if its time has come.
    pub fn next_status(&mut self, latest: Option<&Status<F>>, next: Option<Serial>) -> Option<F> {
        if self.status.is_none()
            && let Some(latest) = self.unseen(latest)
        {
            self.status_seen = latest.version;
            self.status = Some((latest.after, latest.told.clone()));
        }
        let (after, _) = self.status.as_ref()?;
        match self.has_passed(*after, next) {
            true => self.status.take().map(|(_, told)| told),
            false => None,
        }
    }

    /// The place in the ring up to which a viewer is told of nothing but gifts.
    pub fn gifts_until(&self, latest: Option<&Status<F>>) -> u64 {
        let pending = self.status.as_ref().map(|(after, _)| *after);
        let status = pending.or_else(|| self.unseen(latest).map(|latest| latest.after));
        let controls = self.controls.iter().map(|(after, _)| *after);
        let places = controls.chain(status).map(|after| after.place);
        places.min().unwrap_or(u64::MAX)
    }

    fn unseen<'a>(&self, latest: Option<&'a Status<F>>) -> Option<&'a Status<F>> {
        latest.filter(|latest| self.status_seen < latest.version)
    }

    fn has_passed(&self, mark: Mark, next: Option<Serial>) -> bool {
        match &self.reader {
            Reader::Viewer(place) => *place >= mark.place,
            Reader::Host(_) => next.is_none_or(|next| next > mark.serial),
            Reader::Displaced => false,
        }
    }

    #[cfg(test)]
    pub fn verify_invariants(&self) {
        assert!(self.controls.len() <= MAX_CONTROLS);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Rig, id};
    use super::super::{ConnectionId, HOST_WINDOW, Next, RING, Word};
    use super::*;

    /// What is no gift.
    const STATUS: Serial = 1_000_001;
    const NEWER: Serial = 1_000_002;
    const PAUSE: Serial = 1_000_003;
    const SKIP: Serial = 1_000_004;

    /// A viewer that has yet to hear of a gift, and of the status behind it.
    fn owed() -> (Rig, ConnectionId) {
        let mut rig = Rig::new();
        let viewer = rig.viewer("v");
        assert!(rig.drain(viewer).is_empty());
        rig.publish();
        rig.stream.set_status(STATUS, STATUS);
        (rig, viewer)
    }

    #[test]
    fn a_status_comes_after_the_gifts_that_were_accepted_before_it() {
        let mut rig = Rig::new();
        let (host, viewer) = (rig.host("h"), rig.viewer("v"));
        assert!(rig.drain(host).is_empty() && rig.drain(viewer).is_empty());
        rig.publish();
        rig.stream.set_status(STATUS, STATUS);
        rig.publish();
        assert_eq!(rig.drain(host), [1, STATUS, 2]);
        assert_eq!(rig.drain(viewer), [1, STATUS, 2]);
    }

    #[test]
    fn a_status_is_told_where_it_was_set_however_far_the_goal_has_come_since() {
        let (mut rig, viewer) = owed();
        rig.publish();
        rig.stream.renew_status(NEWER, NEWER);
        assert_eq!(rig.drain(viewer), [1, STATUS, 2]);
        let late = rig.viewer("late");
        assert_eq!(rig.drain(late), [NEWER]);
    }

    #[test]
    fn who_joins_is_told_the_status_that_it_found_before_any_gift() {
        let mut rig = Rig::new();
        rig.publish();
        rig.stream.set_status(STATUS, STATUS);
        let (host, viewer) = (rig.host("h"), rig.viewer("v"));
        rig.publish();
        rig.stream.renew_status(NEWER, NEWER);
        assert_eq!(rig.drain(host), [STATUS, 1, 2]);
        assert_eq!(rig.drain(viewer), [STATUS, 2]);
    }

    #[test]
    fn who_is_always_behind_hears_a_status_now_and_then() {
        let mut rig = Rig::new();
        let viewer = rig.viewer("v");
        assert!(rig.drain(viewer).is_empty());
        let mut heard = Vec::new();
        for _ in 0..10 {
            // Two gifts for each one that it takes.
            rig.publish();
            rig.publish();
            rig.stream.set_status(STATUS, STATUS);
            if let Next::Frame(frame) = rig.stream.next(viewer, rig.now) {
                heard.push(frame);
            }
        }
        assert_eq!(heard, [1, 2, STATUS, 3, 4, 5, 6, 7, 8, STATUS]);
    }

    #[test]
    fn a_viewer_that_skips_skips_to_the_status_too() {
        let (mut rig, viewer) = owed();
        for _ in 0..RING {
            rig.publish();
        }
        assert_eq!(rig.drain(viewer), [rig.serial, STATUS]);
    }

    #[test]
    fn what_is_carried_to_a_viewer_ends_where_a_status_comes() {
        let (mut rig, viewer) = owed();
        rig.publish();
        let mut carried = Vec::new();
        let is_all = rig
            .stream
            .gifts_for_viewer(viewer, 9, |it| carried.push(it));
        assert_eq!((is_all, carried), (false, vec![1]));
        assert_eq!(rig.drain(viewer), [STATUS, 2]);
    }

    #[test]
    fn a_control_that_names_a_gift_comes_after_it_and_others_at_once() {
        let mut rig = Rig::new();
        let (host, viewer) = (rig.host("h"), rig.viewer("v"));
        for _ in 0..3 {
            rig.publish();
        }
        rig.stream.control(&SKIP, Some(&id(2)));
        rig.stream.control(&PAUSE, None);
        assert_eq!(rig.drain(host), [PAUSE, 1, 2, SKIP, 3]);
        assert_eq!(rig.drain(viewer), [PAUSE, 1, 2, 3, SKIP]);
        // It has that one, and nobody knows the other.
        rig.publish();
        rig.stream.control(&SKIP, Some(&id(2)));
        rig.stream.control(&SKIP, Some(&"unknown".into()));
        assert_eq!(rig.drain(host), [SKIP, SKIP, 4]);
    }

    #[test]
    fn a_host_that_owes_all_it_may_is_still_controlled() {
        let mut rig = Rig::new();
        let host = rig.host("h");
        for _ in 0..HOST_WINDOW + 2 {
            rig.publish();
        }
        assert_eq!(rig.drain(host).len(), HOST_WINDOW);
        let next = HOST_WINDOW as Serial + 1;
        rig.stream.control(&SKIP, Some(&id(next)));
        rig.stream.control(&SKIP, Some(&id(7)));
        rig.stream.control(&PAUSE, None);
        rig.stream.set_status(STATUS, STATUS);
        assert_eq!(rig.drain(host), [SKIP, PAUSE], "of a gift that it has");
        rig.ack(host, 1, Word::Rendered);
        assert_eq!(rig.drain(host), [next, SKIP]);
        rig.ack(host, 2, Word::Rendered);
        assert_eq!(rig.drain(host), [next + 1, STATUS]);
    }
}
