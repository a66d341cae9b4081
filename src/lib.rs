pub mod catalog;
pub mod model;
pub mod protocol;
pub mod show;
