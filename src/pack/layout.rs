//! Where colour and alpha lie in the coded frame.

/// The longest side of a coded frame, in pixels: what every GPU takes as a
/// texture, and what the engine plays.
pub const MAX_SIDE: u32 = 4096;

/// Codecs work on squares of this size. A coded frame of whole ones needs no
/// cropping, which some players forget.
pub const MACROBLOCK: u32 = 16;

/// Pixels that each picture is continued by beyond its border, by its outermost
/// ones: the deblocking filter reaches 3, and a player's own filter 1 or 2.
pub const CONTINUED: u32 = 8;

/// How large alpha is stored, against colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlphaSize {
    /// Pixel by pixel: edges stay as they are.
    #[default]
    Full,
    /// Half the width and height, as the first VAP tools did: a smaller video
    /// with softer edges.
    Half,
}

/// A rectangle in whole pixels, origin at the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    /// This rectangle and what continues it, within a frame of the given size;
    /// it begins and ends on whole chroma samples, where the frame does.
    pub fn continued(self, width: u32, height: u32) -> Self {
        let span = |start: u32, size: u32, limit: u32| {
            let first = start.saturating_sub(CONTINUED).next_multiple_of(2);
            let end = (start + size + CONTINUED).min(limit) & !1;
            (first, end - first)
        };
        let (x, width) = span(self.x, self.width, width);
        let (y, height) = span(self.y, self.height, height);
        Self {
            x,
            y,
            width,
            height,
        }
    }
}

/// No coded frame that players take has room for the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "frames of {width}x{height} and their alpha do not fit a video of \
     {MAX_SIDE}x{MAX_SIDE}; scale them down{}", smaller_alpha(.alpha)
)]
pub struct TooLarge {
    pub width: u32,
    pub height: u32,
    pub alpha: AlphaSize,
}

fn smaller_alpha(alpha: &AlphaSize) -> &'static str {
    match alpha {
        AlphaSize::Full => ", or try --scale-alpha 0.5",
        AlphaSize::Half => "",
    }
}

/// What a coded frame looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The coded frame, in whole macroblocks.
    pub width: u32,
    pub height: u32,
    /// Premultiplied colour, at the size of the source.
    pub colour: Rect,
    pub alpha: Rect,
}

impl Layout {
    /// Puts alpha to the right of colour or below it, whichever makes the
    /// frame's longer side shorter: decoders have limits on sides. Between the
    /// two lie at least twice [`CONTINUED`] pixels, and alpha begins on a
    /// macroblock, so that neither a block nor a chroma sample has part of both.
    ///
    /// # Errors
    /// [`TooLarge`], for an empty picture as well.
    pub fn plan(width: u32, height: u32, alpha: AlphaSize) -> Result<Self, TooLarge> {
        let too_large = TooLarge {
            width,
            height,
            alpha,
        };
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(too_large);
        }
        let (alpha_width, alpha_height) = match alpha {
            AlphaSize::Full => (width, height),
            AlphaSize::Half => (width.div_ceil(2), height.div_ceil(2)),
        };
        let beyond = |side: u32| (side + 2 * CONTINUED).next_multiple_of(MACROBLOCK);
        [(beyond(width), 0), (0, beyond(height))]
            .map(|(x, y)| Self {
                width: width.max(x + alpha_width).next_multiple_of(MACROBLOCK),
                height: height.max(y + alpha_height).next_multiple_of(MACROBLOCK),
                colour: Rect {
                    x: 0,
                    y: 0,
                    width,
                    height,
                },
                alpha: Rect {
                    x,
                    y,
                    width: alpha_width,
                    height: alpha_height,
                },
            })
            .into_iter()
            .min_by_key(Self::longer_side)
            .filter(|plan| plan.longer_side() <= MAX_SIDE)
            .ok_or(too_large)
    }

    fn longer_side(&self) -> u32 {
        self.width.max(self.height)
    }

    /// What the `vapc` box says of it: VAP's version 2, nothing fused in.
    pub fn describe(&self, frames: usize, fps: u32) -> String {
        let rect = |r: Rect| [r.x, r.y, r.width, r.height];
        serde_json::json!({
            "info": {
                "v": 2,
                "f": frames,
                "w": self.colour.width,
                "h": self.colour.height,
                "videoW": self.width,
                "videoH": self.height,
                "orien": 0,
                "fps": fps,
                "isVapx": 0,
                "aFrame": rect(self.alpha),
                "rgbFrame": rect(self.colour),
            }
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: AlphaSize = AlphaSize::Full;
    const HALF: AlphaSize = AlphaSize::Half;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn alpha_goes_where_the_longer_side_stays_shorter() {
        let portrait = Layout::plan(750, 1334, FULL).unwrap();
        assert_eq!(portrait.alpha, rect(768, 0, 750, 1334));
        assert_eq!((portrait.width, portrait.height), (1520, 1344));
        let landscape = Layout::plan(640, 360, FULL).unwrap();
        assert_eq!(landscape.alpha, rect(0, 384, 640, 360));
        assert_eq!((landscape.width, landscape.height), (640, 752));
        let square = Layout::plan(64, 64, HALF).unwrap();
        assert_eq!(square.alpha, rect(80, 0, 32, 32));
    }

    #[test]
    fn every_layout_is_of_whole_blocks_that_belong_to_one_picture() {
        for (width, height) in [(1, 1), (2, 3), (15, 17), (16, 16), (101, 33), (1080, 1920)] {
            for alpha in [FULL, HALF] {
                let plan = Layout::plan(width, height, alpha).unwrap();
                assert_eq!((plan.width % 16, plan.height % 16), (0, 0));
                assert_eq!((plan.alpha.x % 16, plan.alpha.y % 16), (0, 0));
                assert_eq!(plan.colour, rect(0, 0, width, height));
                assert!(plan.alpha.x + plan.alpha.width <= plan.width);
                assert!(plan.alpha.y + plan.alpha.height <= plan.height);
                let [a, b] =
                    [plan.colour, plan.alpha].map(|r| r.continued(plan.width, plan.height));
                let apart = b.x >= a.x + a.width || b.y >= a.y + a.height;
                assert!(apart, "{width}x{height}: {a:?} and {b:?}");
                for side in [a.x, a.y, a.width, a.height, b.x, b.y, b.width, b.height] {
                    assert_eq!(side % 2, 0);
                }
                assert!(a.width >= width && a.height >= height);
            }
        }
    }

    #[test]
    fn what_fits_no_video_is_refused_with_a_way_out() {
        assert!(Layout::plan(4096, 2032, FULL).is_ok());
        let error = Layout::plan(4096, 2100, FULL).unwrap_err();
        assert!(error.to_string().contains("--scale-alpha 0.5"), "{error}");
        assert!(Layout::plan(4096, 2100, HALF).is_ok());
        let error = Layout::plan(4096, 4096, HALF).unwrap_err();
        assert!(!error.to_string().contains("--scale-alpha"), "{error}");
        for (width, height) in [(0, 5), (5, 0), (u32::MAX, u32::MAX)] {
            assert!(Layout::plan(width, height, FULL).is_err());
        }
    }

    #[test]
    fn the_description_is_what_players_look_for() {
        let plan = Layout::plan(101, 60, HALF).unwrap();
        let read: serde_json::Value = serde_json::from_str(&plan.describe(7, 24)).unwrap();
        let expected = serde_json::json!({"info": {
            "v": 2, "f": 7, "w": 101, "h": 60, "videoW": 112, "videoH": 112, "orien": 0,
            "fps": 24, "isVapx": 0, "aFrame": [0, 80, 51, 30], "rgbFrame": [0, 0, 101, 60],
        }});
        assert_eq!(read, expected);
    }
}
