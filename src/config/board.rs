//! What the board shows, and where.

/// One of nine places on the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

/// The board; a part without an anchor is off.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardSettings {
    /// Off unless asked for: who gave how much goes on air only if somebody
    /// wants it there.
    pub show: bool,
    /// How far it keeps from the stage's edges, in percent of the shorter side,
    /// 0 to 20.
    pub margin: f32,
    pub live: Option<Anchor>,
    pub goal: Option<Anchor>,
    pub gifters: Option<Anchor>,
    pub recent: Option<Anchor>,
    pub connection: Option<Anchor>,
    /// Rows of the lists, 1 to 10.
    pub gifters_shown: usize,
    pub recent_shown: usize,
}

impl Default for BoardSettings {
    fn default() -> Self {
        Self {
            show: false,
            margin: 4.0,
            live: Some(Anchor::TopLeft),
            goal: Some(Anchor::Top),
            gifters: Some(Anchor::TopRight),
            // Beneath the badge: the captions are at the bottom.
            recent: Some(Anchor::TopLeft),
            // For the one who sets it up rather than for the audience.
            connection: None,
            gifters_shown: 5,
            recent_shown: 4,
        }
    }
}
