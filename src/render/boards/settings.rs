//! Which parts the board has, and where.

use std::time::Duration;

/// A part of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Whether the stream is live, and how many watch.
    Live,
    Goal,
    Gifters,
    Recent,
    /// The connection, in words.
    Link,
    /// The goal's filled bar and its spark: images that go with it.
    Fill,
    Spark,
}

impl Part {
    /// Those that have a place of their own, in the order in which they take
    /// it.
    pub const PLACED: [Self; 5] = [
        Self::Live,
        Self::Gifters,
        Self::Recent,
        Self::Goal,
        Self::Link,
    ];
}

/// One of nine places on the stage: -1, 0 or 1 along each axis, y pointing up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Anchor {
    pub x: i8,
    pub y: i8,
}

impl Anchor {
    pub const TOP_LEFT: Self = Self { x: -1, y: 1 };
    pub const TOP: Self = Self { x: 0, y: 1 };
    pub const TOP_RIGHT: Self = Self { x: 1, y: 1 };
    pub const LEFT: Self = Self { x: -1, y: 0 };
    pub const CENTER: Self = Self { x: 0, y: 0 };
    pub const RIGHT: Self = Self { x: 1, y: 0 };
    pub const BOTTOM_LEFT: Self = Self { x: -1, y: -1 };
    pub const BOTTOM: Self = Self { x: 0, y: -1 };
    pub const BOTTOM_RIGHT: Self = Self { x: 1, y: -1 };
}

/// What the board shows. Nothing, unless it is switched on: a stream's goal and
/// the names of those who gave go on air only if somebody wants them there.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardSettings {
    pub visible: bool,
    /// Time from the stage's start until it appears.
    pub begins: Duration,
    /// How far it keeps from the stage's edges, as a share of the shorter side,
    /// 0 to 0.2.
    pub margin: f32,
    pub live: Option<Anchor>,
    pub goal: Option<Anchor>,
    pub gifters: Option<Anchor>,
    pub recent: Option<Anchor>,
    /// Off even on a board that is on: it is for the one who sets it up.
    pub link: Option<Anchor>,
    /// Rows of the lists, 1 to [`MAX_ROWS`](crate::render::caption::board::MAX_ROWS).
    pub gifters_rows: usize,
    pub recent_rows: usize,
}

impl Default for BoardSettings {
    fn default() -> Self {
        Self {
            visible: false,
            begins: Duration::ZERO,
            margin: 0.04,
            live: Some(Anchor::TOP_LEFT),
            goal: Some(Anchor::TOP),
            gifters: Some(Anchor::TOP_RIGHT),
            // Beneath the badge: the captions are at the bottom.
            recent: Some(Anchor::TOP_LEFT),
            link: None,
            gifters_rows: 5,
            recent_rows: 4,
        }
    }
}

impl BoardSettings {
    /// Where a part is; `None` for one that is switched off.
    pub fn anchor(&self, part: Part) -> Option<Anchor> {
        match part {
            Part::Live => self.live,
            Part::Goal | Part::Fill | Part::Spark => self.goal,
            Part::Gifters => self.gifters,
            Part::Recent => self.recent,
            Part::Link => self.link,
        }
    }
}
