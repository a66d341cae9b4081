#[cfg(all(feature = "render", feature = "cli"))]
pub mod bench;
pub mod catalog;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
#[cfg(feature = "net")]
pub mod demo;
#[cfg(all(feature = "render", feature = "cli"))]
pub mod engine;
pub mod model;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "render")]
pub mod output;
pub mod protocol;
#[cfg(feature = "render")]
pub mod render;
pub mod session;
pub mod show;
#[cfg(feature = "render")]
pub mod sound;
#[cfg(feature = "stage")]
pub mod stage;
