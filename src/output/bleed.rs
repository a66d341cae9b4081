//! Colour under transparency, for encoders that mix neighbours.

/// Pixels to a block's side: the transform of a video codec works on squares of
/// at least this size, and colour is stored for every second pixel only, so a
/// pixel's neighbours in its block are those that stain it.
const BLOCK: usize = 8;

/// Gives invisible pixels the mean colour of the visible ones in their block.
/// Otherwise the black beneath them darkens the edges of what is visible.
/// `pixels` is straight-alpha RGBA of the given width; alpha stays as it is.
pub(super) fn bleed(pixels: &mut [u8], width: usize) {
    let stride = width * 4;
    if stride == 0 {
        return;
    }
    for band in pixels.chunks_mut(stride * BLOCK) {
        for left in (0..stride).step_by(BLOCK * 4) {
            let right = (left + BLOCK * 4).min(stride);
            let Some(mean) = mean_colour(band, stride, left, right) else {
                continue;
            };
            for row in band.chunks_exact_mut(stride) {
                for pixel in row[left..right].chunks_exact_mut(4) {
                    if pixel[3] == 0 {
                        pixel[..3].copy_from_slice(&mean);
                    }
                }
            }
        }
    }
}

/// The mean of a block's visible pixels, weighted by their alpha; none where all
/// are visible or none is.
fn mean_colour(band: &[u8], stride: usize, left: usize, right: usize) -> Option<[u8; 3]> {
    let mut sums = [0u32; 4];
    let mut hidden = false;
    for row in band.chunks_exact(stride) {
        for pixel in row[left..right].chunks_exact(4) {
            let alpha = u32::from(pixel[3]);
            hidden |= alpha == 0;
            for channel in 0..3 {
                sums[channel] += u32::from(pixel[channel]) * alpha;
            }
            sums[3] += alpha;
        }
    }
    let weight = sums[3];
    (hidden && weight > 0).then(|| [sums[0], sums[1], sums[2]].map(|sum| (sum / weight) as u8))
}
