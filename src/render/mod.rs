//! Pictures: what an act looks like.

pub mod video;
