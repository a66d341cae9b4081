//! The relay over real sockets on loopback: with the engine's own client, with
//! clients that do what the tests tell them to, as a process that is killed, and
//! as several on one store.

mod again;
mod cluster;
mod crash;
mod crowd;
mod desk;
mod durable;
mod events;
mod foreign;
#[path = "../foreign/nats.rs"]
mod foreign_nats;
#[path = "../foreign/viewer.rs"]
mod foreign_viewer;
mod full;
mod gifts;
mod guest;
#[cfg(target_os = "linux")]
#[path = "../foreign/hangup.rs"]
mod hangup;
mod hostile;
mod house;
mod http;
#[cfg(unix)]
mod open_files;
mod overview;
mod program;
mod renderer;
mod roles;
mod rude;
mod settings;
#[cfg(target_os = "linux")]
mod silent;
mod sources;
mod tls;
