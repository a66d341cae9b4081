//! Themes: how cards, counters and boards look.
//!
//! Each is a design of its own, not one recoloured: *glass* is a dark
//! translucent pill lit from above, *neon* a tube of light around near black,
//! *high contrast* black, white and yellow with nothing soft in it. All of them
//! are made for any ground: bodies are nearly opaque, and what lies outside a
//! body has an outline of the opposite brightness.

use super::board::Signal;
use super::colour::{Accent, Rgba};
use super::mask::Fill;
use super::surface::{Halo, Surface};
use super::text::{Shadow, TextStyle};

/// How captions and boards look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    #[default]
    Glass,
    Neon,
    /// For those who need it to read, and for streams over anything. Contrast
    /// is at least 14 everywhere (WCAG 2.2 asks for 7).
    HighContrast,
}

/// High contrast's one colour; 15.6 on black.
const YELLOW: Rgba = Rgba::hex(0xFF_E1_00);

/// The boards' own colours: no gift's.
pub const BOARD_ACCENT: Accent = Accent {
    primary: Rgba::hex(0x7C_6C_F0),
    secondary: Rgba::hex(0x6F_D3_FF),
};

/// What a counter's three layers are coloured with.
pub(super) struct CounterInks {
    pub fill: Fill,
    pub outline: Rgba,
    /// The outermost layer: a glow, or in high contrast a second outline.
    pub around: Rgba,
}

/// How a goal's bar is coloured.
pub(super) struct BarInks {
    pub track: Rgba,
    pub track_rim: Rgba,
    pub from: Rgba,
    pub to: Rgba,
    /// The upper half is lit.
    pub gloss: bool,
}

/// A badge: a filled capsule with letters on it.
pub(super) struct BadgeInks {
    pub fill: Rgba,
    pub text: Rgba,
    pub dot: Rgba,
    /// Light around it.
    pub glow: Rgba,
}

fn no_halo() -> Halo {
    Halo {
        reach_px: 0.0,
        colour: Rgba::BLACK.with_alpha(0.0),
    }
}

/// How hot a combo is: 0 for one, 0.5 for ten, 1 from a hundred on.
pub fn heat(count: u64) -> f32 {
    ((count.max(1) as f32).log10() / 2.0).clamp(0.0, 1.0)
}

/// From a gift's own colour to gold and on to embers as a combo climbs, by way
/// of cream: straight from blue to gold would be grey half way. High contrast
/// does without, as it would cost contrast.
fn warmed(own: Rgba, heat: f32) -> Rgba {
    let cream = Rgba::hex(0xFF_EC_C2);
    let gold = Rgba::hex(0xFF_C2_3D);
    let ember = Rgba::hex(0xFF_5A_1F);
    // The first steps keep most of the gift's own colour.
    let t = heat.powf(1.25) * 3.0;
    if t < 0.75 {
        own.mix(cream, t / 0.75)
    } else if t < 1.5 {
        cream.mix(gold, (t - 0.75) / 0.75)
    } else {
        gold.mix(ember, (t - 1.5) / 1.5)
    }
}

impl Theme {
    /// A card's body, of `height` pixels.
    pub(super) fn card(self, accent: &Accent, height: f32, width: f32, mirrored: bool) -> Surface {
        let s = height / 112.0;
        let Accent { primary, secondary } = *accent;
        match self {
            Self::Glass => {
                // Accents of any brightness tint the same dark body.
                let tint = primary.at_most(0.18);
                let ink = Rgba::hex(0x14_13_1C);
                Surface {
                    radius: height / 2.0,
                    top: ink.mix(tint, 0.20).mix(Rgba::WHITE, 0.05).with_alpha(0.95),
                    bottom: ink.mix(tint, 0.07).mix(Rgba::BLACK, 0.25).with_alpha(0.97),
                    wash: primary.at_most(0.30).with_alpha(0.60),
                    wash_reach: (width * 0.72).min(height * 4.2),
                    rim_px: (2.5 * s).max(1.0),
                    rim: (
                        primary.at_least(0.25).with_alpha(0.98),
                        secondary.at_least(0.35).with_alpha(0.50),
                    ),
                    lit: true,
                    inner: no_halo(),
                    keyline: (0.0, Rgba::BLACK),
                    glow: Halo {
                        reach_px: (16.0 * s).max(3.0),
                        colour: primary.at_least(0.12).with_alpha(0.34),
                    },
                    shadow: Halo {
                        reach_px: (20.0 * s).max(4.0),
                        colour: Rgba::BLACK.with_alpha(0.50),
                    },
                    shadow_dy: (5.0 * s).max(1.0),
                    mirrored,
                }
            }
            Self::Neon => neon(accent, s, height * 0.24, mirrored),
            Self::HighContrast => high_contrast(s, height * 0.14, mirrored),
        }
    }

    /// A board's body at `s` times its designed size.
    pub(super) fn panel(self, s: f32, radius: f32, mirrored: bool) -> Surface {
        match self {
            Self::Glass => Surface {
                radius,
                top: Rgba::hex(0x25_24_33).with_alpha(0.94),
                bottom: Rgba::hex(0x13_12_1B).with_alpha(0.96),
                wash: BOARD_ACCENT.primary.with_alpha(0.10),
                wash_reach: 420.0 * s,
                rim_px: (1.5 * s).max(1.0),
                rim: (
                    Rgba::hex(0xA9_A0_FF).with_alpha(0.50),
                    Rgba::WHITE.with_alpha(0.16),
                ),
                lit: true,
                inner: no_halo(),
                keyline: (0.0, Rgba::BLACK),
                glow: no_halo(),
                shadow: Halo {
                    reach_px: (22.0 * s).max(3.0),
                    colour: Rgba::BLACK.with_alpha(0.42),
                },
                shadow_dy: (5.0 * s).max(1.0),
                mirrored,
            },
            Self::Neon => neon(&BOARD_ACCENT, s * 0.7, radius * 0.62, mirrored),
            Self::HighContrast => high_contrast(s * 0.8, radius * 0.36, mirrored),
        }
    }

    /// The loudest words: who.
    pub(super) fn title(self, px: f32, accent: &Accent) -> TextStyle {
        let style = TextStyle::new(px).bold();
        match self {
            Self::Glass => style.shadow(depth(px)),
            Self::Neon => TextStyle {
                fill: Fill::Vertical([
                    Rgba::WHITE,
                    Rgba::WHITE,
                    accent.secondary.at_least(0.72).mix(Rgba::WHITE, 0.35),
                ]),
                ..style.shadow(light(px, accent))
            },
            Self::HighContrast => style,
        }
    }

    /// Words that only connect others.
    pub(super) fn quiet(self, px: f32) -> TextStyle {
        let style = TextStyle::new(px);
        match self {
            Self::Glass => style.colour(Rgba::hex(0xC9_CB_D8)).shadow(depth(px)),
            Self::Neon => style.colour(Rgba::hex(0xB9_BC_D6)),
            Self::HighContrast => style.bold(),
        }
    }

    /// What was given, and totals: in colour.
    pub(super) fn strong(self, px: f32, accent: &Accent) -> TextStyle {
        let style = TextStyle::new(px).bold();
        match self {
            Self::Glass => style
                .colour(accent.secondary.at_least(0.50))
                .shadow(depth(px)),
            Self::Neon => style
                .colour(accent.secondary.at_least(0.56))
                .shadow(light(px, accent)),
            Self::HighContrast => style.colour(YELLOW),
        }
    }

    /// Numbers beside coloured words.
    pub(super) fn number(self, px: f32) -> TextStyle {
        let style = TextStyle::new(px).bold();
        match self {
            Self::Glass | Self::Neon => style.shadow(depth(px)),
            Self::HighContrast => style.colour(YELLOW),
        }
    }

    /// The two colours of the ring around a face.
    pub(super) fn ring(self, accent: &Accent) -> Accent {
        match self {
            Self::Glass | Self::Neon => *accent,
            Self::HighContrast => Accent {
                primary: Rgba::WHITE,
                secondary: Rgba::WHITE,
            },
        }
    }

    /// Whether icons lie on light of their own and throw a shadow.
    pub(super) fn is_soft(self) -> bool {
        self != Self::HighContrast
    }

    pub(super) fn counter(self, accent: &Accent, heat: f32) -> CounterInks {
        let primary = warmed(accent.primary, heat);
        let secondary = warmed(accent.secondary, heat);
        match self {
            Self::Glass => {
                let bright = secondary.at_least(0.60);
                // A white gift would have no gradient without a little shade at
                // the foot.
                let deep = primary.at_least(0.30 - 0.08 * heat).at_most(0.66);
                CounterInks {
                    fill: Fill::Vertical([Rgba::WHITE, bright.mix(Rgba::WHITE, 0.25), deep]),
                    outline: primary.at_most(0.03).mix(Rgba::hex(0x0E_0A_14), 0.55),
                    around: primary.at_least(0.10).with_alpha(0.75 + 0.2 * heat),
                }
            }
            Self::Neon => CounterInks {
                fill: Fill::Vertical([
                    Rgba::WHITE,
                    Rgba::WHITE,
                    secondary.at_least(0.62).mix(Rgba::WHITE, 0.2),
                ]),
                // Dark enough to hold over white, coloured enough for a tube.
                outline: primary.at_least(0.05).at_most(0.11),
                around: primary.at_least(0.16).with_alpha(0.95),
            },
            Self::HighContrast => CounterInks {
                fill: Fill::Solid(YELLOW),
                outline: Rgba::BLACK,
                around: Rgba::WHITE,
            },
        }
    }

    pub(super) fn bar(self) -> BarInks {
        let Accent { primary, secondary } = BOARD_ACCENT;
        match self {
            Self::Glass => BarInks {
                track: Rgba::WHITE.with_alpha(0.13),
                track_rim: Rgba::BLACK.with_alpha(0.35),
                from: primary,
                to: secondary,
                gloss: true,
            },
            Self::Neon => BarInks {
                track: primary.at_most(0.03).with_alpha(0.9),
                track_rim: primary.with_alpha(0.65),
                from: Rgba::hex(0xB9_5C_FF),
                to: Rgba::hex(0x8A_F1_FF),
                gloss: true,
            },
            Self::HighContrast => BarInks {
                track: Rgba::BLACK,
                track_rim: Rgba::WHITE,
                from: YELLOW,
                to: YELLOW,
                gloss: false,
            },
        }
    }

    /// The badge that says whether the stream is live.
    pub(super) fn badge(self, live: bool) -> BadgeInks {
        let quiet = Rgba::hex(0x4B_4C_5C);
        match (self, live) {
            (Self::HighContrast, true) => BadgeInks {
                fill: Rgba::WHITE,
                text: Rgba::BLACK,
                dot: Rgba::hex(0xC8_00_00),
                glow: Rgba::WHITE.with_alpha(0.0),
            },
            (Self::HighContrast, false) => BadgeInks {
                fill: Rgba::BLACK,
                text: Rgba::WHITE,
                dot: Rgba::WHITE,
                glow: Rgba::WHITE.with_alpha(0.0),
            },
            (Self::Neon, true) => BadgeInks {
                fill: Rgba::hex(0xE0_0B_52),
                text: Rgba::WHITE,
                dot: Rgba::WHITE,
                glow: Rgba::hex(0xFF_2E_6E).with_alpha(0.80),
            },
            (Self::Glass, true) => BadgeInks {
                fill: Rgba::hex(0xE1_1D_48),
                text: Rgba::WHITE,
                dot: Rgba::WHITE,
                glow: Rgba::hex(0xFF_2E_5E).with_alpha(0.25),
            },
            (_, false) => BadgeInks {
                fill: quiet,
                text: Rgba::hex(0xE2_E3_EC),
                dot: Rgba::hex(0xA9_AB_BA),
                glow: quiet.with_alpha(0.0),
            },
        }
    }

    /// Gold, silver and bronze for the first three places, then quiet.
    pub(super) fn place(self, place: usize) -> Rgba {
        match (self, place) {
            (Self::HighContrast, 0) => YELLOW,
            (Self::HighContrast, _) => Rgba::WHITE,
            (_, 0) => Rgba::hex(0xFF_CF_4D),
            (_, 1) => Rgba::hex(0xD6_DC_EA),
            (_, 2) => Rgba::hex(0xE9_A0_6B),
            _ => Rgba::hex(0x98_9A_AD),
        }
    }

    /// The dot before the connection's words.
    pub(super) fn signal(self, signal: Signal) -> Rgba {
        match (self, signal) {
            (Self::HighContrast, Signal::Good) => Rgba::WHITE,
            (Self::HighContrast, _) => YELLOW,
            (_, Signal::Good) => Rgba::hex(0x3D_DC_84),
            (_, Signal::Waiting) => Rgba::hex(0xFF_B0_20),
            (_, Signal::Bad) => Rgba::hex(0xFF_5A_5F),
        }
    }

    /// A line between rows.
    pub(super) fn hairline(self) -> Rgba {
        match self {
            Self::Glass => Rgba::WHITE.with_alpha(0.09),
            Self::Neon => BOARD_ACCENT.primary.with_alpha(0.35),
            Self::HighContrast => Rgba::WHITE,
        }
    }
}

/// The shadow of letters on a body.
fn depth(px: f32) -> Shadow {
    Shadow {
        blur_px: px * 0.12,
        dx: 0.0,
        dy: (px * 0.035).max(0.5),
        colour: Rgba::BLACK.with_alpha(0.6),
    }
}

/// The light that neon letters throw.
fn light(px: f32, accent: &Accent) -> Shadow {
    Shadow {
        blur_px: px * 0.42,
        dx: 0.0,
        dy: 0.0,
        colour: accent.primary.at_least(0.14).with_alpha(0.95),
    }
}

fn neon(accent: &Accent, s: f32, radius: f32, mirrored: bool) -> Surface {
    let Accent { primary, secondary } = *accent;
    let tube = |colour: Rgba| colour.at_least(0.38).mix(Rgba::WHITE, 0.30);
    Surface {
        radius,
        top: Rgba::hex(0x0A_08_12).with_alpha(0.93),
        bottom: Rgba::hex(0x06_05_0B).with_alpha(0.95),
        wash: primary.with_alpha(0.0),
        wash_reach: 1.0,
        rim_px: (3.0 * s).max(1.0),
        rim: (tube(primary), tube(secondary)),
        lit: false,
        inner: Halo {
            reach_px: (26.0 * s).max(3.0),
            colour: primary.at_least(0.12).with_alpha(0.46),
        },
        keyline: (0.0, Rgba::BLACK),
        glow: Halo {
            reach_px: (26.0 * s).max(3.0),
            colour: primary.at_least(0.12).with_alpha(0.80),
        },
        shadow: Halo {
            reach_px: (16.0 * s).max(3.0),
            colour: Rgba::hex(0x06_05_0B).with_alpha(0.70),
        },
        shadow_dy: 0.0,
        mirrored,
    }
}

fn high_contrast(s: f32, radius: f32, mirrored: bool) -> Surface {
    Surface {
        radius,
        top: Rgba::BLACK,
        bottom: Rgba::BLACK,
        wash: Rgba::BLACK,
        wash_reach: 1.0,
        rim_px: (4.0 * s).max(1.0),
        rim: (Rgba::WHITE, Rgba::WHITE),
        lit: false,
        inner: no_halo(),
        // The white rim would vanish over white.
        keyline: ((3.5 * s).max(1.0), Rgba::BLACK),
        glow: no_halo(),
        shadow: no_halo(),
        shadow_dy: 0.0,
        mirrored,
    }
}
