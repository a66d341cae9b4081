//! Pixels to cells, cells to changes.

use std::sync::LazyLock;

/// Linear light for each 8-bit sRGB value (IEC 61966-2-1).
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|encoded| {
        let encoded = encoded as f32 / 255.0;
        if encoded <= 0.04045 {
            encoded / 12.92
        } else {
            ((encoded + 0.055) / 1.055).powf(2.4)
        }
    })
});

/// Mean linear light.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Light {
    rgb: [f32; 3],
}

/// What a cell looks like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Relative luminance (WCAG 2.2), 0 to 1.
    pub luminance: f32,
    /// max(0, R-G-B).
    pub redness: f32,
    /// R/(R+G+B) is 0.8 or more.
    pub is_saturated: bool,
}

impl From<Light> for Cell {
    fn from(Light { rgb: [r, g, b] }: Light) -> Self {
        Self {
            luminance: 0.2126 * r + 0.7152 * g + 0.0722 * b,
            redness: (r - g - b).max(0.0),
            is_saturated: r > 0.0 && r >= 0.8 * (r + g + b),
        }
    }
}

/// Averages a picture over a backdrop into columns by rows of cells.
pub(super) fn average_into(
    cells: &mut Vec<Cell>,
    rgba: &[u8],
    backdrop: [u8; 3],
    width: usize,
    (columns, rows): (usize, usize),
) {
    cells.clear();
    let linear = &*LINEAR;
    let height = rgba.len() / 4 / width;
    let column_ends: Vec<usize> = (1..=columns)
        .map(|column| column * width / columns)
        .collect();
    let mut sums = vec![[0.0f32; 3]; columns];
    let mut top = 0;
    for row in 0..rows {
        let bottom = (row + 1) * height / rows;
        sums.fill([0.0; 3]);
        for line in rgba[top * width * 4..bottom * width * 4].chunks_exact(width * 4) {
            let mut left = 0;
            for (sum, end) in sums.iter_mut().zip(&column_ends) {
                for pixel in line[left * 4..end * 4].chunks_exact(4) {
                    let alpha = u32::from(pixel[3]);
                    for channel in 0..3 {
                        let over = u32::from(pixel[channel]) * alpha
                            + u32::from(backdrop[channel]) * (255 - alpha);
                        sum[channel] += linear[((over + 127) / 255) as usize];
                    }
                }
                left = *end;
            }
        }
        let mut left = 0;
        for (sum, end) in sums.iter().zip(&column_ends) {
            let pixels = ((end - left) * (bottom - top)) as f32;
            cells.push(
                Light {
                    rgb: sum.map(|sum| sum / pixels),
                }
                .into(),
            );
            left = *end;
        }
        top = bottom;
    }
}

/// Which way a cell changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// A value's way from one turning point to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turning {
    low: f32,
    high: f32,
    last: Option<Way>,
    pub is_saturated: bool,
}

impl Turning {
    pub fn begin(&mut self, value: f32) {
        (self.low, self.high) = (value, value);
    }

    /// A change, when the value has gone `step` from its last turning point the
    /// other way than before, and `counts` says so of the two values. On its way
    /// on it takes the turning point with it.
    pub fn step(
        &mut self,
        value: f32,
        step: f32,
        counts: impl Fn(f32, f32) -> bool,
    ) -> Option<Way> {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        if value - self.low >= step && self.last != Some(Way::Up) && counts(self.low, value) {
            self.last = Some(Way::Up);
            self.high = value;
            self.low = value;
            return Some(Way::Up);
        }
        if self.high - value >= step && self.last != Some(Way::Down) && counts(self.high, value) {
            self.last = Some(Way::Down);
            self.high = value;
            self.low = value;
            return Some(Way::Down);
        }
        None
    }
}
