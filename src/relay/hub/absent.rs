//! Hosts that were here a moment ago. One that starts anew or loses its line for a
//! second is not to lose gifts by that: its say lasts a little longer than its
//! connection.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Serial;
use crate::model::Moment;

/// How long a host that went still has a say.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// Hosts that are remembered; a stream has a handful. Beyond: the first that went has
/// no say any more.
pub(super) const MAX_ABSENT: usize = 64;

#[derive(Default)]
pub(super) struct Absent {
    /// Until when each has a say, in the order in which they went.
    gone: VecDeque<(Arc<str>, Moment)>,
    earlier: Option<Earlier>,
}

/// Hosts of the time before the stream was opened. Nobody knows whether there were any,
/// so only gifts of that time wait for them: those that come now are judged by who is
/// here, and a stream that only ever had one host never waits for its word on these.
struct Earlier {
    /// The last gift of that time.
    last: Serial,
    /// Absent until somebody has said what time it is.
    until: Option<Moment>,
}

impl Absent {
    pub fn has_gone(&mut self, client: Arc<str>, now: Moment) {
        self.is_back(&client);
        if self.gone.len() == MAX_ABSENT {
            self.gone.pop_front();
        }
        self.gone.push_back((client, now + GRACE));
    }

    pub fn is_back(&mut self, client: &Arc<str>) {
        self.gone.retain(|(own, _)| own != client);
    }

    /// There are gifts up to this serial that hosts may have seen before.
    pub fn opened_with(&mut self, last: Serial) {
        self.earlier = Some(Earlier { last, until: None });
    }

    /// Returns whether somebody has no say any more.
    pub fn pass(&mut self, now: Moment) -> bool {
        let before = self.gone.len();
        self.gone.retain(|(_, until)| *until > now);
        let earlier = self.earlier.as_mut();
        let is_over = earlier.is_some_and(|it| *it.until.get_or_insert(now + GRACE) <= now);
        if is_over {
            self.earlier = None;
        }
        is_over || self.gone.len() < before
    }

    /// Whether one of them may come back and render a gift.
    pub fn may_render(&self, serial: Serial, failed_by: &HashSet<Arc<str>>) -> bool {
        let is_of_before = |it: &Earlier| serial <= it.last;
        self.earlier.as_ref().is_some_and(is_of_before)
            || self
                .gone
                .iter()
                .any(|(client, _)| !failed_by.contains(client))
    }

    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }

    /// Whether one that is back would have another to wait for.
    pub fn are_several(&self) -> bool {
        self.gone.len() > 1
    }

    #[cfg(test)]
    pub fn verify_invariants(&self, is_here: impl Fn(&Arc<str>) -> bool) {
        assert!(self.gone.len() <= MAX_ABSENT);
        assert!(self.gone.iter().all(|(client, _)| !is_here(client)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Rig, ended, failed, id};
    use super::super::{Ending, Word};
    use super::*;

    const SECONDS: u64 = GRACE.as_secs();

    fn no() -> Ending {
        Ending::Failed("no".into())
    }

    #[test]
    fn a_host_that_is_back_in_a_moment_gets_what_the_others_could_not_render() {
        let mut rig = Rig::new();
        let (a, b) = (rig.host("a"), rig.host("b"));
        let shown = rig.publish();
        assert_eq!((rig.drain(a), rig.drain(b)), (vec![shown], vec![shown]));
        rig.ack(a, shown, failed());
        rig.leave(b);
        let lost = rig.publish();
        assert_eq!(rig.drain(a), [lost]);
        rig.ack(a, lost, failed());
        rig.pass(SECONDS - 1);
        assert_eq!(rig.endings(), [], "b may still come");
        assert!(rig.stream.may_render(shown));
        let b = rig.host("b");
        rig.pass(SECONDS);
        assert_eq!(rig.drain(b), [shown, lost]);
        rig.ack(b, shown, Word::Rendered);
        assert_eq!(rig.endings(), ended(shown, Ending::Rendered));
        rig.ack(b, lost, failed());
        assert_eq!(rig.endings(), ended(lost, no()));
    }

    #[test]
    fn a_host_that_failed_a_gift_before_it_went_is_not_waited_for() {
        let mut rig = Rig::new();
        let (a, b) = (rig.host("a"), rig.host("b"));
        let gift = rig.publish();
        rig.ack(b, gift, failed());
        rig.leave(b);
        rig.ack(a, gift, failed());
        assert_eq!(rig.endings(), ended(gift, no()));
    }

    #[test]
    fn a_gift_is_not_parked_while_a_host_may_come_back() {
        let mut rig = Rig::new();
        let (a, b) = (rig.host("a"), rig.host("b"));
        let gift = rig.publish();
        rig.drain(a);
        for _ in 0..1_880 {
            rig.pass(1);
            rig.drain(a);
        }
        rig.leave(b);
        for _ in 0..SECONDS - 1 {
            rig.pass(1);
            rig.drain(a);
        }
        assert_eq!(rig.endings(), [], "a was sent it often enough by now");
        rig.pass(1);
        assert_eq!(rig.endings(), ended(gift, Ending::Parked));
    }

    #[test]
    fn a_gift_of_before_the_relay_started_waits_for_hosts_of_before_and_a_new_one_does_not() {
        let mut rig = Rig::new();
        for serial in 1..=2 {
            rig.stream.restore(serial, id(serial), serial);
        }
        rig.stream.restored_until(2);
        rig.serial = 2;
        rig.pass(0);
        let a = rig.host("a");
        let new = rig.publish();
        assert_eq!(rig.drain(a), [1, 2, new]);
        for serial in [new, 1, 2] {
            rig.ack(a, serial, failed());
        }
        assert_eq!(rig.endings(), ended(new, no()));
        let b = rig.host("b");
        assert_eq!(rig.drain(b), [1, 2]);
        rig.ack(b, 1, Word::Rendered);
        assert_eq!(rig.endings(), ended(1, Ending::Rendered));
        rig.leave(b);
        rig.ack(a, 2, failed());
        rig.pass(SECONDS);
        assert_eq!(rig.endings(), ended(2, no()));
    }

    #[test]
    fn a_stream_whose_hosts_have_all_gone_just_now_is_not_as_good_as_a_new_one() {
        let mut rig = Rig::new();
        let (a, b) = (rig.host("a"), rig.host("b"));
        rig.leave(a);
        assert!(!rig.stream.is_idle());
        rig.leave(b);
        assert!(!rig.stream.is_idle(), "a would have to wait for b");
        rig.pass(SECONDS);
        assert!(rig.stream.is_idle());
    }

    #[test]
    fn as_many_are_remembered_as_there_is_room_for() {
        let mut rig = Rig::new();
        let a = rig.host("a");
        let gift = rig.publish();
        let first = rig.host("first");
        rig.ack(a, gift, failed());
        rig.leave(first);
        for nth in 1..=MAX_ABSENT {
            assert_eq!(rig.endings(), [], "the first may come");
            let next = rig.host(&nth.to_string());
            rig.ack(next, gift, failed());
            rig.leave(next);
        }
        assert_eq!(rig.endings(), ended(gift, no()));
    }
}
