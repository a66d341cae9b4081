pub mod catalog;
pub mod config;
pub mod model;
pub mod protocol;
#[cfg(feature = "render")]
pub mod render {
    pub mod video;
}
pub mod show;
