//! Where colour, alpha and fusion masks lie in a coded frame, and where the
//! fused pictures go on the canvas. Pixels, origin at the top left.

use super::source::VideoInfo;

/// A rectangle in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PixelRect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl PixelRect {
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// Whether it has an area and lies within `width` by `height`.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        let within = |start: u32, size: u32, limit: u32| {
            size > 0 && start.checked_add(size).is_some_and(|end| end <= limit)
        };
        within(self.x, self.width, width) && within(self.y, self.height, height)
    }

    /// The same rectangle on a plane of half the size, in chroma samples: only
    /// those samples that lie wholly inside, or the nearest one when none does.
    /// Sampling is clamped to it, so that the neighbour's colour (black around
    /// a gift, the alpha plane beside it) does not bleed over the border.
    pub fn chroma(&self) -> Self {
        let half = |start: u32, size: u32| {
            let first = start.div_ceil(2);
            let last = (start + size) / 2;
            if last > first {
                (first, last - first)
            } else {
                (start / 2, 1)
            }
        };
        let (x, width) = half(self.x, self.width);
        let (y, height) = half(self.y, self.height);
        Self::new(x, y, width, height)
    }
}

/// How a video without a description of its own packs its alpha: one half of
/// the frame is colour, the other half alpha. The catalogue says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Halves {
    /// Alpha left, colour right: what most tools make.
    #[default]
    AlphaLeft,
    AlphaRight,
    AlphaTop,
    AlphaBottom,
}

/// A description of one video, checked against its coded size.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Size of the picture as shown, in pixels.
    pub width: u32,
    pub height: u32,
    /// Premultiplied colour, in the coded frame.
    pub colour: PixelRect,
    /// Alpha as luma, in the coded frame; often at half size.
    pub alpha: PixelRect,
    pub fusion: Fusion,
}

impl Layout {
    /// The layout of a video that carries no `vapc` box.
    pub fn halves(halves: Halves, info: &VideoInfo) -> Self {
        let (w, h) = (info.width, info.height);
        let (half_w, half_h) = (w / 2, h / 2);
        let (colour, alpha) = match halves {
            Halves::AlphaLeft => (
                PixelRect::new(w - half_w, 0, half_w, h),
                PixelRect::new(0, 0, half_w, h),
            ),
            Halves::AlphaRight => (
                PixelRect::new(0, 0, half_w, h),
                PixelRect::new(w - half_w, 0, half_w, h),
            ),
            Halves::AlphaTop => (
                PixelRect::new(0, h - half_h, w, half_h),
                PixelRect::new(0, 0, w, half_h),
            ),
            Halves::AlphaBottom => (
                PixelRect::new(0, 0, w, half_h),
                PixelRect::new(0, h - half_h, w, half_h),
            ),
        };
        Self {
            width: colour.width,
            height: colour.height,
            colour,
            alpha,
            fusion: Fusion::default(),
        }
    }
}

/// Pictures that are drawn into the video: a viewer's avatar, a name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fusion {
    pub sources: Vec<FusionSource>,
    /// Sorted by frame, then by z.
    objects: Vec<FusionObject>,
}

impl Fusion {
    /// Sorts the objects, which files keep in any order.
    pub fn new(sources: Vec<FusionSource>, mut objects: Vec<FusionObject>) -> Self {
        objects.sort_by_key(|object| (object.index, object.z));
        Self { sources, objects }
    }

    /// What is drawn over the frame `index`, bottom first.
    pub fn objects(&self, index: u64) -> &[FusionObject] {
        let start = self
            .objects
            .partition_point(|object| u64::from(object.index) < index);
        let count =
            self.objects[start..].partition_point(|object| u64::from(object.index) == index);
        &self.objects[start..start + count]
    }

    /// The most objects that any one frame has.
    pub fn most_at_once(&self) -> usize {
        self.objects
            .chunk_by(|a, b| a.index == b.index)
            .map(<[_]>::len)
            .max()
            .unwrap_or(0)
    }
}

/// What a fused picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FusionKind {
    Image,
    /// Text in this colour (sRGB), the font bold or not.
    Text {
        colour: [u8; 3],
        bold: bool,
    },
}

/// How an image fills its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Stretched over it.
    FitXy,
    /// Keeps its shape, covers the box, the rest cut off evenly.
    CenterFull,
}

/// One picture to be fused in.
#[derive(Debug, Clone, PartialEq)]
pub struct FusionSource {
    /// The placeholder that names it, such as `[avatar]`.
    pub tag: Box<str>,
    pub kind: FusionKind,
    pub fit: Fit,
    /// Size of its box in pixels, above 0. Objects stretch the box.
    pub width: u32,
    pub height: u32,
}

/// Of a text box's height, what a line of text takes at first; it shrinks from
/// there until it fits the width.
pub const TEXT_HEIGHT: f32 = 0.8;

impl FusionSource {
    /// Where a picture of `width` by `height` lies in this source's box, as the
    /// map from a place in the box to a place in the picture (both 0 to 1):
    /// `picture = box * scale + offset`. Outside 0 to 1 there is nothing.
    pub fn placement(&self, width: f32, height: f32) -> Placement {
        let (box_w, box_h) = (self.width as f32, self.height as f32);
        let (w, h) = (width.max(1.0), height.max(1.0));
        let factor = match (&self.kind, self.fit) {
            (FusionKind::Text { .. }, _) => (TEXT_HEIGHT * box_h / h).min(box_w / w),
            (FusionKind::Image, Fit::CenterFull) => (box_w / w).max(box_h / h),
            (FusionKind::Image, Fit::FitXy) => return Placement::WHOLE,
        };
        let scale = [box_w / (w * factor), box_h / (h * factor)];
        Placement {
            scale,
            offset: scale.map(|s| 0.5 - 0.5 * s),
        }
    }
}

/// See [`FusionSource::placement`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    pub scale: [f32; 2],
    pub offset: [f32; 2],
}

impl Placement {
    /// The picture fills the box.
    pub const WHOLE: Self = Self {
        scale: [1.0, 1.0],
        offset: [0.0, 0.0],
    };
}

/// One fused picture on one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FusionObject {
    /// The frame it is drawn on.
    pub index: u32,
    /// Rising means nearer to the viewer.
    pub z: i32,
    /// Index into [`Fusion::sources`].
    pub source: usize,
    /// Its place on the canvas; may reach beyond it.
    pub frame: CanvasRect,
    /// Its mask in the coded frame, as the red channel there.
    pub mask: PixelRect,
    /// The mask is stored so that it must be turned by 90 degrees clockwise.
    pub mask_turned: bool,
}

/// A rectangle on the canvas, which may reach beyond it on any side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanvasRect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

/// The part of a [`CanvasRect`] that is on the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clipped {
    /// On the canvas, in pixels.
    pub rect: PixelRect,
    /// The same part within the original rectangle, 0 to 1:
    /// `[left, top, width, height]`.
    pub part: [f32; 4],
}

impl CanvasRect {
    /// `None` when nothing of it is on a canvas of `width` by `height`.
    pub fn clip(&self, width: u32, height: u32) -> Option<Clipped> {
        let cut = |start: i32, size: u32, limit: u32| {
            let first = i64::from(start).max(0);
            let last = (i64::from(start) + i64::from(size)).min(i64::from(limit));
            let length = u32::try_from(last - first).ok().filter(|&l| l > 0)?;
            let offset = (first - i64::from(start)) as f32 / size as f32;
            Some((first as u32, length, offset, length as f32 / size as f32))
        };
        let (x, w, left, part_w) = cut(self.x, self.width, width)?;
        let (y, h, top, part_h) = cut(self.y, self.height, height)?;
        Some(Clipped {
            rect: PixelRect::new(x, y, w, h),
            part: [left, top, part_w, part_h],
        })
    }
}
