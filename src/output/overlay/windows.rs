//! What Windows needs of the overlay's windows.
//!
//! Not tried: no machine with Windows was at hand. Compiled everywhere, since
//! nothing in it is Windows' own. Transparency also needs a DirectX 12 swapchain
//! that belongs to a visual; the engine asks for one where it opens the GPU.

use bevy::window::{CompositeAlphaMode, Window};

use super::place::Units;

/// The desktop counts in pixels across all monitors, whatever their scales, once
/// a program says that it knows of scales; the window system says so for us.
pub(super) const UNITS: Units = Units::Pixels;

pub(super) fn fit(window: Window) -> Window {
    Window {
        composite_alpha_mode: CompositeAlphaMode::PreMultiplied,
        skip_taskbar: true,
        ..window
    }
}
