//! The relay over real sockets on loopback: with the engine's own client, with
//! clients that do what the tests tell them to, and as a process that is
//! killed.

mod crash;
mod crowd;
mod durable;
mod foreign;
#[path = "../foreign/viewer.rs"]
mod foreign_viewer;
mod full;
mod gifts;
mod guest;
mod hostile;
mod house;
mod http;
mod program;
mod renderer;
mod roles;
mod settings;
