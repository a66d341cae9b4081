//! VAP's own description of a file: the `vapc` box.
//!
//! The format is what Tencent's VAP tool writes, version 2. A description is
//! checked here once; what comes out is a [`Layout`] that the stage may trust.

mod wire;

use super::layout::{
    CanvasRect, Fit, Fusion, FusionKind, FusionObject, FusionSource, Layout, PixelRect,
};
use super::source::{MAX_CODED_SIDE, VideoInfo};

/// The type of the box.
pub const BOX_TYPE: [u8; 4] = *b"vapc";

/// The largest description we read. Ten seconds with four pictures take 36 kB;
/// beyond this it is no description but an attack, and refused.
pub const MAX_BYTES: u64 = 4 << 20;

/// The most pictures one video may fuse in.
pub const MAX_SOURCES: usize = 32;

/// The most pictures on one frame: each is a draw call.
pub const MAX_OBJECTS_PER_FRAME: usize = 16;

/// The most frames a description may speak of: ten minutes at 60 a second.
pub const MAX_FRAMES: i64 = 36_000;

/// What is wrong with a description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VapcError {
    #[error("its vapc box holds no readable description ({0})")]
    Json(String),
    #[error("its vapc box is of version {0}, not 2")]
    Version(i64),
    #[error("vapc says the video is {0}x{1}, but it is {2}x{3}")]
    CodedSize(i64, i64, u32, u32),
    #[error("vapc's {what} {value} is out of range")]
    OutOfRange { what: &'static str, value: i64 },
    #[error("vapc's {what} {rect:?} is outside the {width}x{height} video")]
    Outside {
        what: &'static str,
        rect: [i64; 4],
        width: u32,
        height: u32,
    },
    #[error("vapc has {count} {what}, more than {max}")]
    TooMany {
        what: &'static str,
        count: usize,
        max: usize,
    },
    #[error("vapc's frame {frame} uses the source {source_id:?}, which is not in src")]
    UnknownSource { frame: i64, source_id: String },
    #[error("vapc's source {0:?} is of the unknown type {1:?}")]
    UnknownKind(String, String),
}

/// Reads a description and checks it against the video it came with.
///
/// # Errors
/// See [`VapcError`].
pub fn parse(json: &[u8], info: &VideoInfo) -> Result<Layout, VapcError> {
    let vapc: wire::Vapc =
        serde_json::from_slice(json).map_err(|error| VapcError::Json(error.to_string()))?;
    let head = &vapc.info;
    if head.v != 2 {
        return Err(VapcError::Version(head.v));
    }
    if (head.video_w, head.video_h) != (i64::from(info.width), i64::from(info.height)) {
        return Err(VapcError::CodedSize(
            head.video_w,
            head.video_h,
            info.width,
            info.height,
        ));
    }
    let layout = Layout {
        width: side("w", head.w)?,
        height: side("h", head.h)?,
        colour: rect_inside("rgbFrame", head.rgb_frame, info)?,
        alpha: rect_inside("aFrame", head.a_frame, info)?,
        fusion: Fusion::default(),
    };
    if head.is_vapx == 0 {
        return Ok(layout);
    }
    Ok(Layout {
        fusion: fusion(&vapc, info)?,
        ..layout
    })
}

fn fusion(vapc: &wire::Vapc, info: &VideoInfo) -> Result<Fusion, VapcError> {
    at_most("sources", vapc.src.len(), MAX_SOURCES)?;
    at_most("frames", vapc.frame.len(), MAX_FRAMES as usize)?;
    let sources = vapc.src.iter().map(source).collect::<Result<Vec<_>, _>>()?;
    let mut objects = Vec::new();
    for frame in &vapc.frame {
        let index = in_range("frame index", frame.i, 0, MAX_FRAMES)?;
        at_most("objects on a frame", frame.obj.len(), MAX_OBJECTS_PER_FRAME)?;
        for obj in &frame.obj {
            let source = vapc
                .src
                .iter()
                .position(|src| src.src_id == obj.src_id)
                .ok_or_else(|| VapcError::UnknownSource {
                    frame: frame.i,
                    source_id: obj.src_id.chars().take(32).collect(),
                })?;
            objects.extend(object(obj, index as u32, source, info)?);
        }
    }
    let fusion = Fusion::new(sources, objects);
    // The same frame may be listed twice.
    at_most(
        "objects on a frame",
        fusion.most_at_once(),
        MAX_OBJECTS_PER_FRAME,
    )?;
    Ok(fusion)
}

fn source(src: &wire::Src) -> Result<FusionSource, VapcError> {
    let kind = match src.src_type.as_str() {
        "img" => FusionKind::Image,
        "txt" => FusionKind::Text {
            colour: src
                .color
                .as_deref()
                .and_then(hex_colour)
                .unwrap_or([255; 3]),
            bold: src.style.as_deref() == Some("b"),
        },
        other => {
            let short = |text: &str| text.chars().take(32).collect();
            return Err(VapcError::UnknownKind(short(&src.src_id), short(other)));
        }
    };
    Ok(FusionSource {
        tag: src.src_tag.as_str().into(),
        kind,
        fit: match src.fit_type.as_deref() {
            Some("centerFull") => Fit::CenterFull,
            _ => Fit::FitXy,
        },
        width: side("source width", src.w)?,
        height: side("source height", src.h)?,
    })
}

/// `None` for an object without an area: tools write those where a picture has
/// shrunk away.
fn object(
    obj: &wire::Obj,
    index: u32,
    source: usize,
    info: &VideoInfo,
) -> Result<Option<FusionObject>, VapcError> {
    let [x, y, width, height] = obj.frame;
    if width <= 0 || height <= 0 || obj.m_frame[2] <= 0 || obj.m_frame[3] <= 0 {
        return Ok(None);
    }
    let far = i64::from(MAX_CODED_SIDE);
    let frame = CanvasRect {
        x: in_range("object x", x, -far, far)? as i32,
        y: in_range("object y", y, -far, far)? as i32,
        width: side("object width", width)?,
        height: side("object height", height)?,
    };
    Ok(Some(FusionObject {
        index,
        z: in_range("z", obj.z, i64::from(i32::MIN), i64::from(i32::MAX))? as i32,
        source,
        frame,
        mask: rect_inside("mFrame", obj.m_frame, info)?,
        mask_turned: match obj.mt {
            0 => false,
            90 => true,
            value => return Err(VapcError::OutOfRange { what: "mt", value }),
        },
    }))
}

fn rect_inside(
    what: &'static str,
    rect: [i64; 4],
    info: &VideoInfo,
) -> Result<PixelRect, VapcError> {
    let outside = || VapcError::Outside {
        what,
        rect,
        width: info.width,
        height: info.height,
    };
    let [x, y, width, height] = rect.map(|value| u32::try_from(value).ok());
    let (Some(x), Some(y), Some(width), Some(height)) = (x, y, width, height) else {
        return Err(outside());
    };
    let rect = PixelRect::new(x, y, width, height);
    rect.fits(info.width, info.height)
        .then_some(rect)
        .ok_or_else(outside)
}

fn side(what: &'static str, value: i64) -> Result<u32, VapcError> {
    in_range(what, value, 1, i64::from(MAX_CODED_SIDE)).map(|value| value as u32)
}

fn in_range(what: &'static str, value: i64, min: i64, max: i64) -> Result<i64, VapcError> {
    (min..=max)
        .contains(&value)
        .then_some(value)
        .ok_or(VapcError::OutOfRange { what, value })
}

fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), VapcError> {
    if count > max {
        return Err(VapcError::TooMany { what, count, max });
    }
    Ok(())
}

/// `#RRGGBB`, or `#AARRGGBB` with its alpha left out.
fn hex_colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#')?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    matches!(digits.len(), 6 | 8).then(|| {
        let [_, r, g, b] = value.to_be_bytes();
        [r, g, b]
    })
}
