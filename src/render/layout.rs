//! Where on stage an act plays: positions and sizes in stage units.

use bevy::prelude::*;

use crate::catalog::Lane;
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

/// Where an act's own origin is and how large its units are.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    pub origin: Vec2,
    pub scale: f32,
}

impl Placement {
    /// The place of an act. A headline has the stage; features stand in its
    /// thirds, the outer ones first; ambient acts keep to the outer thirds, so
    /// that what the stream is about stays in view.
    pub fn of(act: &Act, stage: &StageSize) -> Self {
        let size = stage.units();
        let wide = size.x >= size.y;
        match act.lane {
            Lane::Headline => Self {
                origin: Vec2::ZERO,
                scale: 1.0,
            },
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
                // The golden ratio spreads successive slots evenly over the
                // height without their ever lining up.
                let spread = (act.slot as f32 * 0.618_034 + 0.5).fract() - 0.5;
                let side = if act.slot.is_multiple_of(2) {
                    -1.0
                } else {
                    1.0
                };
                let sway = ((act.seed >> 8) & 0xff) as f32 / 255.0 - 0.5;
                Self {
                    origin: if wide {
                        Vec2::new(
                            side * (0.355 + 0.05 * sway) * size.x,
                            spread * 0.62 * size.y,
                        )
                    } else {
                        Vec2::new(spread * 0.6 * size.x, side * (0.34 + 0.06 * sway) * size.y)
                    },
                    scale: 0.5,
                }
            }
        }
    }
}
