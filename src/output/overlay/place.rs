//! Where on a monitor the overlay lies.

use crate::config::{Monitors, OverlaySettings, Place};

/// Pixels of a stage that follows its monitor; a larger one is drawn smaller
/// and scaled up by the desktop, so that a gift costs the same everywhere.
const MOST_PIXELS: f64 = 1920.0 * 1080.0;
/// Shortest side of a stage that follows its monitor.
const LEAST_SIDE: u32 = 16;

/// A monitor of a desktop that counts in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Monitor {
    pub name: String,
    pub rect: Rect,
    /// Whether the desktop calls it its main one.
    pub is_main: bool,
}

/// The monitors that are to show the overlay. Where none is called the main one
/// that is the first.
pub(super) fn chosen<'a>(
    monitors: &'a [Monitor],
    wanted: &Monitors,
) -> impl Iterator<Item = &'a Monitor> {
    let main = monitors.iter().position(|monitor| monitor.is_main);
    let all = monitors.iter().enumerate();
    all.filter(move |(place, monitor)| match wanted {
        Monitors::Main => *place == main.unwrap_or(0),
        Monitors::All => true,
        Monitors::Named(name) => *name == monitor.name,
    })
    .map(|(_, monitor)| monitor)
}

/// What a desktop of several monitors counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Units {
    /// Pixels of the monitors, whatever their scales.
    Pixels,
    /// Points, of which each monitor has its own pixels.
    Points,
}

/// In the desktop's units, from its or a monitor's top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    /// The part of a monitor that the settings give to the overlay.
    pub fn of(settings: &OverlaySettings, monitor: Self) -> Self {
        let third = |side: u32| side.div_ceil(3);
        let room = match settings.place {
            Place::Full => monitor,
            Place::RightThird => Self {
                x: monitor.x + (monitor.width - third(monitor.width)) as i32,
                width: third(monitor.width),
                ..monitor
            },
            Place::LowerBand => Self {
                y: monitor.y + (monitor.height - third(monitor.height)) as i32,
                height: third(monitor.height),
                ..monitor
            },
        };
        let scaled = |side: u32| (side as f32 * settings.scale).round() as u32;
        room.around(
            (scaled(room.width), scaled(room.height)),
            align(settings.place),
        )
    }

    /// The part of it that a stage of `stage` pixels fills without being
    /// stretched.
    pub fn fitting(self, stage: (u32, u32), place: Place) -> Self {
        let across = f64::from(self.width) / f64::from(stage.0);
        let down = f64::from(self.height) / f64::from(stage.1);
        let factor = across.min(down);
        let size = |side: u32| (f64::from(side) * factor).round() as u32;
        self.around((size(stage.0), size(stage.1)), align(place))
    }

    /// The same as the window system wants it of a window that it takes for one
    /// on a monitor with `scale` pixels to the unit; in truth the monitor has
    /// `own_scale`. The two are the same once the window is there.
    pub fn in_units(self, units: Units, own_scale: f64, scale: f64) -> Self {
        let factor = match units {
            Units::Pixels => 1.0,
            Units::Points => scale / own_scale,
        };
        let place = |at: i32| (f64::from(at) * factor).round() as i32;
        let size = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        Self {
            x: place(self.x),
            y: place(self.y),
            width: size(self.width),
            height: size(self.height),
        }
    }

    /// A stage for it, on a monitor with `density` pixels to the unit.
    pub fn stage_size(self, density: f64) -> (u32, u32) {
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        let factor = density.min((MOST_PIXELS / (width * height)).sqrt());
        let side = |side: f64| ((side * factor).round() as u32).max(LEAST_SIDE);
        (side(width), side(height))
    }

    /// Something smaller in it; `align` says where, 0 to 1 across and down.
    fn around(self, (width, height): (u32, u32), align: (f32, f32)) -> Self {
        let (width, height) = (width.clamp(1, self.width), height.clamp(1, self.height));
        let left = |room: u32, size: u32, align: f32| ((room - size) as f32 * align) as i32;
        Self {
            x: self.x + left(self.width, width, align.0),
            y: self.y + left(self.height, height, align.1),
            width,
            height,
        }
    }
}

/// To which edge of its room something smaller keeps.
fn align(place: Place) -> (f32, f32) {
    match place {
        Place::Full => (0.5, 0.5),
        Place::RightThird => (1.0, 0.5),
        Place::LowerBand => (0.5, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONITOR: Rect = Rect {
        x: 100,
        y: 0,
        width: 1920,
        height: 1080,
    };

    fn settings(place: Place, scale: f32) -> OverlaySettings {
        OverlaySettings {
            place,
            scale,
            ..OverlaySettings::default()
        }
    }

    fn rect(x: i32, y: i32, width: u32, height: u32) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn monitors_are_chosen_by_what_the_desktop_calls_them() {
        let monitor = |name: &str, is_main| Monitor {
            name: name.into(),
            rect: MONITOR,
            is_main,
        };
        let monitors = [monitor("a", false), monitor("b", true), monitor("c", false)];
        let names = |monitors: &[Monitor], wanted| {
            let chosen = chosen(monitors, &wanted).map(|one| one.name.clone());
            chosen.collect::<String>()
        };
        assert_eq!(names(&monitors, Monitors::Main), "b");
        assert_eq!(names(&monitors[..1], Monitors::Main), "a");
        assert_eq!(names(&monitors, Monitors::All), "abc");
        assert_eq!(names(&monitors, Monitors::Named("c".into())), "c");
        assert_eq!(names(&monitors, Monitors::Named("d".into())), "");
        assert_eq!(names(&[], Monitors::Main), "");
    }

    #[test]
    fn each_place_is_a_part_of_the_monitor() {
        let of = |place| Rect::of(&settings(place, 1.0), MONITOR);
        assert_eq!(of(Place::Full), MONITOR);
        assert_eq!(of(Place::RightThird), rect(1380, 0, 640, 1080));
        assert_eq!(of(Place::LowerBand), rect(100, 720, 1920, 360));
    }

    #[test]
    fn what_is_smaller_keeps_to_the_edge_of_its_place() {
        let of = |place| Rect::of(&settings(place, 0.5), MONITOR);
        assert_eq!(of(Place::Full), rect(580, 270, 960, 540));
        assert_eq!(of(Place::RightThird), rect(1700, 270, 320, 540));
        assert_eq!(of(Place::LowerBand), rect(580, 900, 960, 180));
    }

    #[test]
    fn a_stage_of_another_shape_is_not_stretched() {
        let fitted = MONITOR.fitting((500, 500), Place::Full);
        assert_eq!(fitted, rect(520, 0, 1080, 1080));
        let fitted = MONITOR.fitting((500, 500), Place::RightThird);
        assert_eq!(fitted, rect(940, 0, 1080, 1080));
        assert_eq!(MONITOR.fitting((960, 540), Place::Full), MONITOR);
    }

    #[test]
    fn a_place_is_the_same_points_on_any_monitor() {
        // The second monitor, with two pixels to the point, right of one with one:
        // it begins at point 1920.
        let second = rect(3840, 0, 2560, 1440);
        assert_eq!(second.in_units(Units::Pixels, 2.0, 1.0), second);
        // A new window is on the first.
        let new = second.in_units(Units::Points, 2.0, 1.0);
        assert_eq!(new, rect(1920, 0, 1280, 720));
        assert_eq!(second.in_units(Units::Points, 2.0, 2.0), second);
        let left = rect(-1920, -100, 1920, 1080);
        let there = left.in_units(Units::Points, 1.0, 2.0);
        assert_eq!(there, rect(-3840, -200, 3840, 2160));
    }

    #[test]
    fn a_stage_has_its_monitors_pixels_as_far_as_they_are_worth_it() {
        assert_eq!(rect(0, 0, 800, 450).stage_size(1.0), (800, 450));
        assert_eq!(rect(0, 0, 800, 450).stage_size(2.0), (1600, 900));
        assert_eq!(MONITOR.stage_size(2.0), (1920, 1080));
        assert_eq!(rect(0, 0, 3, 3).stage_size(1.0), (16, 16));
    }
}
