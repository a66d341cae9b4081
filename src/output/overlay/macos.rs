//! What macOS needs of the overlay's windows.
//!
//! Not tried: no Mac was at hand. Compiled everywhere, since nothing in it is
//! macOS's own. The program keeps its icon in the Dock, and stays below windows
//! that are full-screen in a space of their own.

use bevy::window::{CompositeAlphaMode, Window};

use super::place::Units;

/// The desktop counts in points, and each monitor has its own pixels to a point.
pub(super) const UNITS: Units = Units::Points;

pub(super) fn fit(window: Window) -> Window {
    Window {
        // Metal's layers know only whether they are opaque; what is not, the
        // system takes for premultiplied, whatever wgpu calls it.
        composite_alpha_mode: CompositeAlphaMode::PostMultiplied,
        has_shadow: false,
        ..window
    }
}
