//! Where on stage an act plays: positions and sizes in stage units.

use bevy::prelude::*;

use crate::catalog::{Key, Lane};
use crate::stage::Act;

/// The shorter side of the stage, in stage units.
pub const SHORT_SIDE: f32 = 1_000.0;

/// The stage's size in pixels and units.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct StageSize {
    pub pixels: UVec2,
}

impl StageSize {
    /// Width and height in stage units.
    pub fn units(&self) -> Vec2 {
        let pixels = self.pixels.as_vec2();
        pixels * (SHORT_SIDE / pixels.min_element())
    }

    /// Pixels to one stage unit.
    pub fn density(&self) -> f32 {
        self.pixels.min_element() as f32 / SHORT_SIDE
    }
}

/// How a key turns a thing: about its own upright axis, then tipped, then rolled
/// in the picture's plane.
pub fn rotation(key: &Key) -> Quat {
    Quat::from_rotation_z(key.roll.to_radians())
        * Quat::from_rotation_x(key.pitch.to_radians())
        * Quat::from_rotation_y(key.yaw.to_radians())
}

/// Where an act's own origin is and how large its units are.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    pub origin: Vec2,
    pub scale: f32,
}

impl Placement {
    /// The middle of the stage, at full size.
    pub const MIDDLE: Self = Self {
        origin: Vec2::ZERO,
        scale: 1.0,
    };

    /// How much smaller than by itself what belongs to an act is drawn.
    pub fn crowding(&self, lane: Lane) -> f32 {
        match lane {
            Lane::Ambient => (self.scale / 0.5).min(1.0),
            Lane::Feature | Lane::Headline => 1.0,
        }
    }

    /// The place of an act. A headline has the stage; features stand in its
    /// thirds, the outer ones first; ambient acts keep to the outer thirds, so
    /// that what the stream is about stays in view.
    pub fn of(act: &Act, stage: &StageSize) -> Self {
        let size = stage.units();
        let wide = size.x >= size.y;
        match act.lane {
            Lane::Headline => Self::MIDDLE,
            Lane::Feature => {
                let along = [0.3, -0.3, 0.0][act.slot % 3];
                Self {
                    origin: if wide {
                        Vec2::new(along * size.x, 0.0)
                    } else {
                        Vec2::new(0.0, along * size.y)
                    },
                    scale: 0.78,
                }
            }
            Lane::Ambient => {
                // Left and right in turn; on each side down three columns. The
                // golden ratio spreads successive places over the height
                // without their ever lining up.
                let place = act.slot / 2;
                let side = if act.slot.is_multiple_of(2) {
                    -1.0
                } else {
                    1.0
                };
                let out = [0.36, 0.435, 0.285][place % 3];
                let sway = ((act.seed >> 8) & 0xff) as f32 / 255.0 - 0.5;
                let spread = (place as f32 * 0.618_034 + 0.5 + 0.08 * sway).fract() - 0.5;
                Self {
                    origin: if wide {
                        Vec2::new(side * out * size.x, spread * 0.66 * size.y)
                    } else {
                        Vec2::new(spread * 0.66 * size.x, side * out * size.y)
                    },
                    // A crowd stands closer.
                    scale: match act.slot {
                        0..8 => 0.5,
                        8..20 => 0.4,
                        _ => 0.3,
                    },
                }
            }
        }
    }
}
