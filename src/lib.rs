pub mod catalog;
pub mod model;
pub mod protocol;
pub mod show;
#[cfg(feature = "render")]
pub mod sound;
