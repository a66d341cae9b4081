//! Settings of the overlay on the desktop.

/// Where the overlay lies, and how it behaves there.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlaySettings {
    pub monitors: Monitors,
    pub place: Place,
    /// Of its place that the stage fills, 0.25 to 1.
    pub scale: f32,
    /// 0.1 to 1 (as the gifts are).
    pub opacity: f32,
    /// Hides, and lets gifts wait, while the window in use fills its monitor.
    pub yields_to_full_screen: bool,
    /// Takes Ctrl+Alt and a letter from the whole desktop, where it may.
    pub has_keys: bool,
    /// Has an icon in the desktop's tray, where there is one.
    pub has_tray: bool,
}

/// The monitors that show the overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Monitors {
    /// The one that the desktop calls its main one, or names first.
    Main,
    All,
    /// As the desktop calls it, such as "DP-1".
    Named(String),
}

/// The part of a monitor that is the overlay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Full,
    RightThird,
    /// The lower third, over its whole width.
    LowerBand,
}

impl Default for OverlaySettings {
    fn default() -> Self {
        Self {
            monitors: Monitors::Main,
            place: Place::Full,
            scale: 1.0,
            opacity: 1.0,
            yields_to_full_screen: true,
            has_keys: true,
            has_tray: true,
        }
    }
}
