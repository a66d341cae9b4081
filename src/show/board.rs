//! What the overlay's boards show: totals, goal, top gifters, recent gifts.
//!
//! Only deltas are added, at the moment a gift arrives and whatever becomes of
//! it afterwards: it was given.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::cue::{Delta, add_value};
use super::progress;
use crate::model::{Gift, GiftType, Goal, Moment, Private, StreamStatus, Word};

/// Senders whose totals are remembered. When one more comes, the half that gave
/// least is forgotten and would begin again at nothing: nobody near the top of
/// the board can fall off it that way.
pub const MOST_GIFTERS: usize = 10_000;

/// Places on the leaderboard that are kept in order.
pub const TOP_GIFTERS: usize = 50;

/// Gifts in the list of recent ones; the oldest leaves first.
pub const RECENT_GIFTS: usize = 50;

/// A streak that goes on is looked for among so many, the newest: beyond, it may be
/// an older one.
const GOES_ON: usize = 10;

/// How long a figure of the goal may be under way to the host and back: so long after
/// the next was reported it is still what we have said ourselves.
const THERE_AND_BACK: Duration = Duration::from_secs(5);

/// Figures of the goal that are remembered; one is reported each second. Beyond: the
/// oldest is forgotten.
const MOST_REPORTED: usize = 16;

/// One sender's place on the leaderboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Gifter {
    pub user_id: Private<Word>,
    /// As last seen.
    pub name: Private<Word>,
    pub avatar_url: Option<Private<Arc<str>>>,
    pub value: f64,
    pub gifts: u64,
}

/// One line of the list of recent gifts; a streak is one line that climbs.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentGift {
    pub user_id: Private<Word>,
    pub name: Private<Word>,
    pub avatar_url: Option<Private<Arc<str>>>,
    pub gift_type: GiftType,
    pub quantity: u64,
    pub value: f64,
    /// When it last climbed.
    pub at: Moment,
}

#[derive(Debug)]
struct Given {
    gifter: Gifter,
    is_top: bool,
}

/// The boards' state.
#[derive(Debug, Default)]
pub struct Board {
    /// Counts changes.
    revision: u64,
    gifts: u64,
    value: f64,
    status: StreamStatus,
    /// Since when the next status is what the backend says to everybody who joins.
    rejoined: Option<Moment>,
    /// How far the goal had come when that was reported, since a status last said so.
    reported: VecDeque<(Moment, f64)>,
    gifters: HashMap<Private<Word>, Given>,
    /// Dearest first; of equals, who got there first.
    top: Vec<Gifter>,
    recent: VecDeque<RecentGift>,
}

/// What gifts bring a goal on.
fn progress(goal: &Goal, delta: Delta) -> f64 {
    progress::of(&goal.kind, delta).unwrap_or(0.0)
}

impl Board {
    /// Differs when anything of the board does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Gifts given so far, each piece once.
    pub fn gifts(&self) -> u64 {
        self.gifts
    }

    /// Value given so far, in the platform's currency.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The latest `stream:status`, its goal's `current` raised by what was
    /// given since.
    pub fn status(&self) -> &StreamStatus {
        &self.status
    }

    /// The goal with local progress.
    pub fn goal(&self) -> Option<&Goal> {
        self.status.goal.as_ref()
    }

    /// Up to [`TOP_GIFTERS`], by value; senders without an id or without value
    /// are not listed.
    pub fn top_gifters(&self) -> &[Gifter] {
        &self.top
    }

    /// Up to [`RECENT_GIFTS`], newest first.
    pub fn recent(&self) -> impl Iterator<Item = &RecentGift> {
        self.recent.iter()
    }

    /// The connection was lost and is back.
    pub(super) fn rejoin(&mut self, now: Moment) {
        self.rejoined = Some(now);
    }

    /// The backend knows the goal's progress better than we do: it replaces
    /// what was added locally. But what it tells whoever joins, at once, may be as old
    /// as the goal, and a goal that was reached is not reached again; and where it only
    /// repeats what we reported, because something else of the status has changed,
    /// what was given meanwhile stays.
    pub(super) fn set_status(&mut self, now: Moment, mut status: StreamStatus) {
        let rejoined = self.rejoined.take();
        let is_repeated = rejoined.is_some_and(|at| now <= at + THERE_AND_BACK);
        let own = self.status.goal.as_ref();
        match (own, &mut status.goal) {
            (Some(own), Some(told)) if is_repeated && own.is_same(told) => {
                told.current = told.current.max(own.current);
            }
            (Some(own), Some(told)) if own.kind == told.kind && self.said(now, told.current) => {
                told.current = own.current;
            }
            _ => self.reported.clear(),
        }
        if self.status != status {
            self.revision += 1;
        }
        self.status = status;
    }

    /// The goal, as the backend is told of it, and how much of its progress is
    /// `undecided`.
    pub(super) fn report_goal(&mut self, now: Moment, undecided: Delta) -> Option<(Goal, f64)> {
        let goal = self.status.goal.clone()?;
        if self.reported.len() >= MOST_REPORTED {
            self.reported.pop_front();
        }
        self.reported.push_back((now, goal.current));
        let waiting = progress(&goal, undecided).min(goal.current);
        Some((goal, waiting))
    }

    /// Whether this is the figure that we reported last, or did until just now. On its
    /// way it may have been rounded.
    fn said(&self, now: Moment, current: f64) -> bool {
        let next = self.reported.iter().skip(1).map(|(at, _)| *at);
        let until = next.chain([now]);
        let mut reported = self.reported.iter().zip(until);
        reported.any(|((_, own), until)| {
            (own - current).abs() <= own * 1e-9 && now <= until + THERE_AND_BACK
        })
    }

    pub(super) fn add(&mut self, now: Moment, gift: &Gift, delta: Delta) {
        if delta.quantity == 0 && delta.value == 0.0 {
            return;
        }
        self.revision += 1;
        self.gifts = self.gifts.saturating_add(delta.quantity);
        self.value = add_value(self.value, delta.value);
        if let Some(goal) = &mut self.status.goal {
            goal.current = add_value(goal.current, progress(goal, delta));
        }
        self.add_recent(now, gift, delta);
        if !gift.sender.user_id.0.is_empty() {
            self.add_to_gifter(gift, delta);
        }
    }

    fn add_recent(&mut self, now: Moment, gift: &Gift, delta: Delta) {
        let sender = &gift.sender;
        let (has_id, has_name) = (!sender.user_id.0.is_empty(), !sender.name.0.is_empty());
        let is_same = |line: &RecentGift| {
            line.gift_type == gift.gift_type
                && line.user_id == sender.user_id
                && (has_id || (has_name && line.name == sender.name))
        };
        // Others may have given meanwhile: one that goes on is the newest again.
        let among = match gift.combo_count {
            2.. => GOES_ON,
            _ => usize::from(gift.is_streak),
        };
        let known = self.recent.iter().take(among).position(is_same);
        if let Some(mut line) = known.and_then(|at| self.recent.remove(at)) {
            line.quantity = line.quantity.saturating_add(delta.quantity);
            line.value = add_value(line.value, delta.value);
            line.at = now;
            self.recent.push_front(line);
            return;
        }
        self.recent.truncate(RECENT_GIFTS - 1);
        self.recent.push_front(RecentGift {
            user_id: gift.sender.user_id.clone(),
            name: gift.sender.name.clone(),
            avatar_url: gift.sender.avatar_url.clone(),
            gift_type: gift.gift_type.clone(),
            quantity: delta.quantity,
            value: delta.value,
            at: now,
        });
    }

    fn add_to_gifter(&mut self, gift: &Gift, delta: Delta) {
        let sender = &gift.sender;
        let full = self.gifters.len() >= MOST_GIFTERS;
        if full && !self.gifters.contains_key(&sender.user_id) {
            self.forget_lesser_half();
        }
        let given = self.gifters.entry(sender.user_id.clone());
        let given = given.or_insert_with(|| Given {
            gifter: Gifter {
                user_id: sender.user_id.clone(),
                name: sender.name.clone(),
                avatar_url: None,
                value: 0.0,
                gifts: 0,
            },
            is_top: false,
        });
        let gifter = &mut given.gifter;
        gifter.value = add_value(gifter.value, delta.value);
        gifter.gifts = gifter.gifts.saturating_add(delta.quantity);
        gifter.name.clone_from(&sender.name);
        gifter.avatar_url.clone_from(&sender.avatar_url);

        let full = self.top.len() >= TOP_GIFTERS;
        let enters = gifter.value > 0.0
            && (!full
                || self
                    .top
                    .last()
                    .is_some_and(|last| gifter.value > last.value));
        if given.is_top {
            let old = self
                .top
                .iter()
                .position(|top| top.user_id == sender.user_id);
            self.top.remove(old.expect("is_top says that it is listed"));
        } else if !enters {
            return;
        }
        given.is_top = true;
        let gifter = gifter.clone();
        let place = self.top.partition_point(|top| top.value >= gifter.value);
        self.top.insert(place, gifter);
        if self.top.len() > TOP_GIFTERS
            && let Some(fallen) = self.top.pop()
            && let Some(given) = self.gifters.get_mut(&fallen.user_id)
        {
            given.is_top = false;
        }
    }

    fn forget_lesser_half(&mut self) {
        let mut values: Vec<f64> = self
            .gifters
            .values()
            .map(|given| given.gifter.value)
            .collect();
        let half = values.len() / 2;
        let (_, median, _) = values.select_nth_unstable_by(half, f64::total_cmp);
        let median = *median;
        // Where everybody gave the same, the median would keep them all.
        let mut surplus = half;
        self.gifters.retain(|_, given| {
            let keep = given.is_top || given.gifter.value > median || surplus == 0;
            if !keep {
                surplus -= 1;
            }
            keep
        });
    }

    pub(super) fn verify(&self) -> Result<(), String> {
        let listed = self.gifters.values().filter(|given| given.is_top).count();
        if listed != self.top.len() || listed > TOP_GIFTERS {
            return Err(format!(
                "{listed} of {} top gifters are known",
                self.top.len()
            ));
        }
        if self.gifters.len() > MOST_GIFTERS || self.recent.len() > RECENT_GIFTS {
            return Err("a board outgrew its bound".into());
        }
        if !self.top.is_sorted_by(|a, b| a.value >= b.value) {
            return Err("the leaderboard is out of order".into());
        }
        Ok(())
    }
}
