//! RGBA to the planes of a coded frame.

use super::layout::{Layout, Rect};

/// ITU-R BT.601: the weights of red and blue in luma.
const RED: f32 = 0.299;
const BLUE: f32 = 0.114;
const GREEN: f32 = 1.0 - RED - BLUE;

/// Limited range: black, and how far white and full chroma are from their zeros.
const BLACK: u8 = 16;
const LUMA_SPAN: f32 = 219.0;
const CHROMA_SPAN: f32 = 224.0;
const NEUTRAL: u8 = 128;

/// Makes coded frames, one after the other in the same buffers.
#[derive(Debug)]
pub struct Packer {
    layout: Layout,
    /// I420: Y, then Cb, then Cr, rows tight.
    coded: Vec<u8>,
    premultiplied: Vec<[u8; 3]>,
    alpha: Vec<u8>,
}

impl Packer {
    pub fn new(layout: Layout) -> Self {
        let luma = layout.width as usize * layout.height as usize;
        // What is neither picture is black, and stays so.
        let mut coded = vec![BLACK; luma];
        coded.resize(luma + luma / 2, NEUTRAL);
        Self {
            layout,
            coded,
            premultiplied: Vec::new(),
            alpha: Vec::new(),
        }
    }

    /// The coded frame of a picture: straight-alpha RGBA of the layout's size,
    /// rows tight. Comes as 4:2:0 planes (Y, Cb, Cr) without gaps, in limited
    /// range BT.601, chroma lying on the left of its two columns.
    pub fn pack(&mut self, rgba: &[u8]) -> &[u8] {
        let Rect { width, height, .. } = self.layout.colour;
        assert_eq!(rgba.len(), width as usize * height as usize * 4);
        self.premultiplied.clear();
        let pixels = rgba.chunks_exact(4);
        self.premultiplied
            .extend(pixels.map(|p| premultiply([p[0], p[1], p[2], p[3]])));
        shrink_alpha(rgba, self.layout.colour, self.layout.alpha, &mut self.alpha);
        self.paint_colour();
        self.paint_alpha();
        &self.coded
    }

    fn paint_colour(&mut self) {
        let rect = self.layout.colour;
        let reach = rect.continued(self.layout.width, self.layout.height);
        let stride = self.layout.width as usize;
        let (luma, chroma) = self
            .coded
            .split_at_mut(stride * self.layout.height as usize);
        let (blue, red) = chroma.split_at_mut(chroma.len() / 2);
        let row_at = |y: u32| {
            let start = clamped(y, rect.y, rect.height) * rect.width as usize;
            &self.premultiplied[start..start + rect.width as usize]
        };
        for y in reach.y..reach.y + reach.height {
            let row = row_at(y);
            let out = &mut luma[y as usize * stride..][..stride];
            for x in reach.x..reach.x + reach.width {
                let pixel = row[clamped(x, rect.x, rect.width)];
                out[x as usize] = luma_of(pixel.map(f32::from));
            }
        }
        for y in (reach.y..reach.y + reach.height).step_by(2) {
            let rows = [row_at(y), row_at(y + 1)];
            let line = y as usize / 2 * (stride / 2);
            for x in (reach.x..reach.x + reach.width).step_by(2) {
                let mut sum = [0_u16; 3];
                // A sample lies on the left column: it has half of that and a
                // quarter of each neighbour.
                for (x, weight) in [(x.saturating_sub(1), 1), (x, 2), (x + 1, 1)] {
                    let column = clamped(x, rect.x, rect.width);
                    for row in rows {
                        for (sum, value) in sum.iter_mut().zip(row[column]) {
                            *sum += weight * u16::from(value);
                        }
                    }
                }
                let [cb, cr] = chroma_of(sum.map(|sum| f32::from(sum) / 8.0));
                let at = line + x as usize / 2;
                (blue[at], red[at]) = (cb, cr);
            }
        }
    }

    /// Luma only: beside it chroma is neutral from the start.
    fn paint_alpha(&mut self) {
        let rect = self.layout.alpha;
        let reach = rect.continued(self.layout.width, self.layout.height);
        let stride = self.layout.width as usize;
        for y in reach.y..reach.y + reach.height {
            let row = &self.alpha[clamped(y, rect.y, rect.height) * rect.width as usize..]
                [..rect.width as usize];
            let out = &mut self.coded[y as usize * stride..][..stride];
            for x in reach.x..reach.x + reach.width {
                let alpha = row[clamped(x, rect.x, rect.width)];
                out[x as usize] = luma_of([f32::from(alpha); 3]);
            }
        }
    }
}

/// The index of the pixel nearest to `at` among `size` that begin at `start`.
fn clamped(at: u32, start: u32, size: u32) -> usize {
    at.saturating_sub(start).min(size - 1) as usize
}

/// Colour times alpha in encoded values, rounded: black where nothing is seen,
/// whatever colour lies hidden there, and never beyond alpha, which players
/// would take for a glow.
pub fn premultiply([r, g, b, alpha]: [u8; 4]) -> [u8; 3] {
    [r, g, b].map(|value| ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8)
}

/// R'G'B' (0 to 255) to Y' in limited range.
fn luma_of([r, g, b]: [f32; 3]) -> u8 {
    let luma = RED * r + GREEN * g + BLUE * b;
    (f32::from(BLACK) + luma * (LUMA_SPAN / 255.0)).round() as u8
}

/// R'G'B' (0 to 255) to Cb and Cr in limited range.
fn chroma_of([r, g, b]: [f32; 3]) -> [u8; 2] {
    let luma = RED * r + GREEN * g + BLUE * b;
    [(b, BLUE), (r, RED)].map(|(value, weight)| {
        let difference = (value - luma) / (2.0 * (1.0 - weight));
        (f32::from(NEUTRAL) + difference * (CHROMA_SPAN / 255.0)).round() as u8
    })
}

/// Alpha at the size of its rectangle: each pixel the mean of what it covers.
fn shrink_alpha(rgba: &[u8], from: Rect, to: Rect, out: &mut Vec<u8>) {
    out.clear();
    if (from.width, from.height) == (to.width, to.height) {
        out.extend(rgba.chunks_exact(4).map(|pixel| pixel[3]));
        return;
    }
    for y in 0..to.height {
        for x in 0..to.width {
            let (mut sum, mut area) = (0.0, 0.0);
            for (row, tall) in covered(y, from.height, to.height) {
                for (column, wide) in covered(x, from.width, to.width) {
                    let at = (row * from.width + column) as usize * 4 + 3;
                    sum += f32::from(rgba[at]) * tall * wide;
                    area += tall * wide;
                }
            }
            out.push((sum / area).round() as u8);
        }
    }
}

/// Which of `from` pixels the pixel `at` of `to` covers, and how much of each.
fn covered(at: u32, from: u32, to: u32) -> impl Iterator<Item = (u32, f32)> {
    let scale = from as f32 / to as f32;
    let (start, end) = (at as f32 * scale, (at + 1) as f32 * scale);
    let last = (end.ceil() as u32).min(from);
    (start as u32..last).map(move |pixel| {
        let share = end.min((pixel + 1) as f32) - start.max(pixel as f32);
        (pixel, share.max(0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::super::layout::AlphaSize;
    use super::*;

    fn packed(width: u32, height: u32, alpha: AlphaSize, rgba: &[u8]) -> (Layout, Vec<u8>) {
        let layout = Layout::plan(width, height, alpha).unwrap();
        let coded = Packer::new(layout).pack(rgba).to_vec();
        (layout, coded)
    }

    /// Y, Cb and Cr at a pixel of the coded frame.
    fn at(layout: &Layout, coded: &[u8], x: u32, y: u32) -> [u8; 3] {
        let (width, height) = (layout.width as usize, layout.height as usize);
        let chroma = width * height + (y as usize / 2) * (width / 2) + x as usize / 2;
        let (x, y) = (x as usize, y as usize);
        [
            coded[y * width + x],
            coded[chroma],
            coded[chroma + width * height / 4],
        ]
    }

    #[test]
    fn colour_is_multiplied_in_encoded_values_and_never_exceeds_alpha() {
        assert_eq!(premultiply([255, 128, 0, 128]), [128, 64, 0]);
        assert_eq!(premultiply([200, 100, 50, 255]), [200, 100, 50]);
        for colour in 0..=255 {
            assert_eq!(premultiply([colour; 4]), {
                let product = f32::from(colour) * f32::from(colour) / 255.0;
                [product.round() as u8; 3]
            });
            assert_eq!(premultiply([colour, 9, 255, 0]), [0, 0, 0]);
            let [r, g, b] = premultiply([255, colour, 254, colour]);
            assert!(r <= colour && g <= colour && b <= colour);
        }
    }

    #[test]
    fn the_corners_of_the_cube_are_what_the_standard_says() {
        let corner = |rgb: [f32; 3]| {
            let [cb, cr] = chroma_of(rgb);
            [luma_of(rgb), cb, cr]
        };
        assert_eq!(corner([0.0; 3]), [16, 128, 128]);
        assert_eq!(corner([255.0; 3]), [235, 128, 128]);
        assert_eq!(corner([255.0, 0.0, 0.0]), [81, 90, 240]);
        assert_eq!(corner([0.0, 255.0, 0.0]), [145, 54, 34]);
        assert_eq!(corner([0.0, 0.0, 255.0]), [41, 240, 110]);
    }

    #[test]
    fn a_picture_lies_in_its_rectangles_and_is_black_where_nothing_is_seen() {
        let mut rgba = [255, 255, 255, 0].repeat(16 * 16);
        for y in 0..16 {
            for x in 8..16 {
                rgba[(y * 16 + x) * 4..][..4].copy_from_slice(&[255, 0, 0, 255]);
            }
        }
        let (layout, coded) = packed(16, 16, AlphaSize::Full, &rgba);
        assert_eq!((layout.width, layout.height), (48, 16));
        assert_eq!(coded.len(), 48 * 16 * 3 / 2);
        assert_eq!(at(&layout, &coded, 2, 3), [16, 128, 128], "hidden white");
        assert_eq!(at(&layout, &coded, 12, 3), [81, 90, 240], "red");
        assert_eq!(at(&layout, &coded, 20, 3), [81, 90, 240], "red goes on");
        assert_eq!(at(&layout, &coded, 26, 3), [16, 128, 128], "no alpha");
        assert_eq!(at(&layout, &coded, 34, 3), [16, 128, 128]);
        assert_eq!(at(&layout, &coded, 44, 3), [235, 128, 128], "all alpha");
    }

    #[test]
    fn chroma_lies_on_the_left_column() {
        let mut rgba = [0, 0, 0, 255].repeat(16 * 16);
        for row in rgba.chunks_exact_mut(16 * 4) {
            row[4 * 4..5 * 4].copy_from_slice(&[255, 0, 0, 255]);
        }
        let (layout, coded) = packed(16, 16, AlphaSize::Full, &rgba);
        let red = |x| at(&layout, &coded, x, 0)[2];
        assert_eq!([red(2), red(4), red(6)], [128, 184, 128]);
    }

    #[test]
    fn alpha_at_half_size_is_the_mean_of_what_it_covers() {
        let alphas = [0, 255, 10, 20, 100, 100, 30, 40, 7];
        let rgba: Vec<u8> = alphas.iter().flat_map(|&a| [0, 0, 0, a]).collect();
        let rect = |width, height| Rect {
            x: 0,
            y: 0,
            width,
            height,
        };
        let mut out = Vec::new();
        shrink_alpha(&rgba[..8 * 4], rect(4, 2), rect(2, 1), &mut out);
        assert_eq!(out, [114, 25]);
        shrink_alpha(&rgba, rect(3, 3), rect(2, 2), &mut out);
        // The middle row and column go half to either side.
        assert_eq!(out.len(), 4);
        let first = (0.0 + 127.5 + 10.0 + 25.0) / 2.25;
        assert_eq!(out[0], f32::round(first) as u8);
    }

    #[test]
    fn the_next_frame_leaves_nothing_of_the_one_before() {
        let layout = Layout::plan(5, 7, AlphaSize::Half).unwrap();
        let mut packer = Packer::new(layout);
        packer.pack(&[255; 5 * 7 * 4]);
        let second = packer.pack(&[0; 5 * 7 * 4]).to_vec();
        assert_eq!(second, Packer::new(layout).pack(&[0; 5 * 7 * 4]));
        assert!(
            second[..layout.width as usize]
                .iter()
                .all(|&luma| luma == 16)
        );
    }
}
