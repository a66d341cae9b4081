//! Gift videos from frames with alpha: the other way round of
//! `render::video`.
//!
//! A VAP file is an ordinary H.264 video in MP4 whose frame holds two pictures:
//! colour, premultiplied in gamma-encoded values, and alpha as luma. A
//! top-level box `vapc` says where each lies.
//!
//! | file | what it does |
//! |---|---|
//! | `frames` | finds the pictures, in order, and reads one at a time |
//! | [`layout`] | where colour and alpha go in the coded frame |
//! | [`pixels`] | RGBA to the planes of a coded frame |
//! | `encoder` | the external program that makes H.264 of them |
//! | [`mp4`] | the box, and the offsets that move with it |
//!
//! Pixels become Y'CbCr here and not in the encoder, which would compute chroma
//! across the border of colour and alpha. One frame is held at a time.

mod encoder;
mod frames;
pub mod layout;
pub mod mp4;
pub mod pixels;

pub use encoder::{DEFAULT_QUALITY, Encoder, EncoderError, Encoding};
pub use frames::{FrameError, MAX_FRAMES, Picture, Sequence};
pub use layout::{AlphaSize, Layout, MAX_SIDE, TooLarge};
pub use pixels::Packer;
