//! Captions: who gave what, painted on the CPU into RGBA images.
//!
//! Every caption is one image on one textured quad. That keeps text out of the
//! frame (painting happens on a thread, see [`painter`]), allows real outlines
//! and shadows, and needs no font atlas that would grow all evening with
//! Chinese names and emoji.
//!
//! - [`text`] lays a line out (shaping, bidi, fallback between the system's
//!   fonts) and paints it; nothing ever shows an empty box.
//! - [`avatar`], [`card`], [`counter`], [`mod@board`] and [`panel`] are the designs.
//! - [`theme`] is how they look.
//! - [`painter`] is the thread that the stage talks to.
//!
//! Lengths are in pixels. The designs are drawn for a stage 1080 pixels high
//! and take a `scale` for others: 1/3 for 360 lines, 2 for 2160.
//!
//! Nothing in here knows Bevy.

pub mod avatar;
mod badge;
pub mod board;
pub mod card;
pub mod colour;
pub mod counter;
mod glyphs;
mod mask;
pub mod painter;
pub mod panel;
pub mod picture;
mod surface;
pub mod text;
pub mod theme;

#[cfg(test)]
mod tests;

pub use avatar::AvatarSpec;
pub use board::{BoardKind, BoardSpec};
pub use card::{CardSize, CardSpec, CardTitle};
pub use colour::{Accent, Rgba};
pub use counter::CounterSpec;
pub use painter::{CaptionKind, CaptionPainter, CaptionRequest, NameSpec};
pub use panel::PanelSpec;
pub use picture::{Body, Picture, PixelBuffer};
pub use text::{TextPainter, TextStyle, without_emoji};
pub use theme::Theme;
