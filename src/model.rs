//! The nouns of the house: what a gift, a sender, a streak and an outcome are.
//!
//! Nothing here knows JSON, Bevy or a clock. Time is a [`Moment`]: the time
//! since an arbitrary start on the monotonic clock, handed in by whoever owns
//! the clock. Wall-clock time ([`WallTime`]) is for display and the wire only;
//! nothing is sorted or expired by it.

mod telemetry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use telemetry::{LaneCounts, OutcomeCounts, Spread, Telemetry, WAITING_TOLD, WaitingGift};

/// A word or a name, cloned freely: up to 23 bytes lie in the value itself,
/// which spares nearly every gift four trips to the allocator; longer ones are
/// shared.
pub type Word = smol_str::SmolStr;

/// Time since an arbitrary start, on the monotonic clock.
pub type Moment = Duration;

/// A point on the wall clock, UTC.
pub type WallTime = jiff::Timestamp;

/// The identity a backend gives one gift; at most 128 bytes.
pub type GiftId = Arc<str>;

/// What was given: "rose", "rocket". Chooses the catalogue entry.
pub type GiftType = Word;

/// Text that a viewer wrote or a secret that a streamer owns: it is drawn or
/// sent, but never reaches a log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

/// One `gift:received`, validated and cut to its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Gift {
    pub id: GiftId,
    pub gift_type: GiftType,
    /// How many this message adds, 1 to 1,000,000.
    pub quantity: u32,
    /// Value of this message in the platform's own currency; finite, >= 0.
    /// Already includes the quantity.
    pub total_value: f64,
    pub sender: Sender,
    pub animation: AnimationWish,
    /// Whether the backend counts this message into a streak.
    pub is_streak: bool,
    /// The streak's running total as the backend counts it; 0 when it does not.
    pub combo_count: u32,
    /// Place of this gift in the stream, when the backend knows it.
    pub rank: Option<u32>,
    /// When it was sent, for display; `None` when absent or unreadable.
    pub sent_at: Option<WallTime>,
}

/// Who gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub user_id: Private<Word>,
    /// Display name: control and bidi-override characters stripped, combining
    /// marks capped, at most 64 graphemes. May be empty.
    pub name: Private<Word>,
    pub avatar_url: Option<Private<Arc<str>>>,
    pub is_subscriber: bool,
    pub is_moderator: bool,
}

impl Sender {
    /// Somebody without a picture or a role.
    pub fn named(user_id: impl Into<Word>, name: impl Into<Word>) -> Self {
        Self {
            user_id: Private(user_id.into()),
            name: Private(name.into()),
            avatar_url: None,
            is_subscriber: false,
            is_moderator: false,
        }
    }

    /// What they wear for being somebody here: who looks after the stream before
    /// who pays for it.
    pub fn badge(&self) -> Option<Badge> {
        match (self.is_moderator, self.is_subscriber) {
            (true, _) => Some(Badge::Moderator),
            (false, true) => Some(Badge::Subscriber),
            (false, false) => None,
        }
    }
}

/// What a sender is to the stream, to be seen beside their face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Badge {
    Moderator,
    Subscriber,
}

/// How the backend would like a gift drawn. The catalogue decides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnimationWish {
    /// "particle", "3d-model", "video" or anything else the backend says.
    pub kind: Option<Word>,
    /// 0.1 s to 60 s; `None` means the catalogue's.
    pub duration: Option<Duration>,
    /// Kept for the vault; nothing fetches it yet.
    pub asset_url: Option<Private<Arc<str>>>,
    /// Kept for the vault; nothing fetches it yet.
    pub sound_url: Option<Private<Arc<str>>>,
}

/// One sender's run of one gift type. A show serves one stream, so the stream
/// is not part of the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreakKey {
    pub user_id: Private<Word>,
    pub gift_type: GiftType,
}

impl Gift {
    /// One of `gift_type` from `sender`: no value, no streak, no wishes.
    pub fn one(id: impl Into<GiftId>, gift_type: impl Into<GiftType>, sender: Sender) -> Self {
        Self {
            id: id.into(),
            gift_type: gift_type.into(),
            quantity: 1,
            total_value: 0.0,
            sender,
            animation: AnimationWish::default(),
            is_streak: false,
            combo_count: 0,
            rank: None,
            sent_at: None,
        }
    }

    /// The streak this gift would belong to.
    pub fn streak_key(&self) -> StreakKey {
        StreakKey {
            user_id: self.sender.user_id.clone(),
            gift_type: self.gift_type.clone(),
        }
    }
}

/// `stream:status`; the latest one wins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamStatus {
    pub is_live: bool,
    pub viewer_count: u64,
    pub started_at: Option<WallTime>,
    pub goal: Option<Goal>,
}

/// What the stream is collecting for.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// "viewers", "gifts", "revenue" or anything else the backend says.
    pub kind: Arc<str>,
    pub target: f64,
    pub current: f64,
    /// Cleaned and cut like a name, at most 120 graphemes.
    pub description: Arc<str>,
}

impl Goal {
    /// Whether the other is this goal too, however far it has come.
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.target == other.target
            && self.description == other.description
    }
}

/// What `connection:ack` grants for the session; a later one replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionConfig {
    /// 1 s to 120 s; 30 s unless the backend says otherwise.
    pub ping_interval: Duration,
    /// Gift animations that may start per second; finite, > 0, 30 by default.
    pub max_gifts_per_second: f64,
    /// At most 32 names.
    pub features: Vec<Arc<str>>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(30),
            max_gifts_per_second: 30.0,
            features: Vec::new(),
        }
    }
}

/// Where one offered gift message ended. Every gift reaches exactly one.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub gift: GiftId,
    /// Which message under that id, when a platform reuses ids for a streak's
    /// updates: the message's own `comboCount`.
    pub combo_count: u32,
    /// The message's own quantity, the third part of its identity.
    pub quantity: u32,
    pub verdict: Verdict,
}

impl Outcome {
    /// How `gift` ended.
    pub fn of(gift: &Gift, verdict: Verdict) -> Self {
        Self {
            gift: gift.id.clone(),
            combo_count: gift.combo_count,
            quantity: gift.quantity,
            verdict,
        }
    }
}

/// How a gift ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It had an act of its own, seen on a presented frame.
    Played,
    /// It grew an act that its streak had, or was waiting with.
    JoinedStreak,
    /// It was folded with others under load, or into a do-not-disturb recap.
    JoinedBundle,
    /// It was refused at a bound; the reason goes out as the ack's error.
    Refused(RefusalReason),
    /// Its asset failed, and so did the fallback.
    Failed(Arc<str>),
    /// The host skipped or cleared it.
    Dismissed,
}

/// Why a gift was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// A queue was full and this gift was the cheapest.
    Overloaded,
    /// The gift itself is not one: quantity of 0 or less.
    Invalid,
}

impl Verdict {
    /// What `gift:ack` says in `rendered`.
    pub fn is_rendered(&self) -> bool {
        matches!(self, Self::Played | Self::JoinedStreak | Self::JoinedBundle)
    }

    /// What `gift:ack` says in `error`.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Played | Self::JoinedStreak | Self::JoinedBundle => None,
            Self::Refused(RefusalReason::Overloaded) => Some("OVERLOADED"),
            Self::Refused(RefusalReason::Invalid) => Some("INVALID"),
            Self::Failed(reason) => Some(reason),
            Self::Dismissed => Some("DISMISSED"),
        }
    }
}

/// What a host may tell a running show, by key, dock or `x-control`.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    Pause,
    Resume,
    /// Ends the acts on stage, the dearest lane first that has any.
    Skip,
    /// Dismisses what a waiting gift is part of; it never plays.
    Dismiss(GiftId),
    /// Ends every act and dismisses everything waiting.
    Clear,
    /// Keeps a waiting gift from starting until it is released.
    Hold(GiftId),
    Release(GiftId),
    Mute(bool),
    /// 0.0 (silent) to 1.0.
    Volume(f32),
    /// Plays the last gift that started once more; counts nowhere.
    Replay,
    /// Plays once more what a gift was part of, if that was one of the last 100
    /// acts; counts nowhere.
    ReplayOf(GiftId),
    /// Plays a gift type; counts nowhere and is not acked.
    Test {
        gift_type: GiftType,
        quantity: u32,
    },
    /// Plays a streak of so many messages, a third of a second apart; counts
    /// nowhere and is not acked.
    TestStreak {
        gift_type: GiftType,
        messages: u32,
    },
    /// On: collect quietly. Off: play one recap.
    DoNotDisturb(bool),
}

impl Control {
    /// The gift that it is about.
    pub fn gift(&self) -> Option<&GiftId> {
        match self {
            Self::Dismiss(gift) | Self::Hold(gift) | Self::Release(gift) | Self::ReplayOf(gift) => {
                Some(gift)
            }
            _ => None,
        }
    }
}
