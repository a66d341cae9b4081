pub mod catalog;
pub mod model;
#[cfg(feature = "net")]
pub mod net;
pub mod protocol;
pub mod session;
pub mod show;
