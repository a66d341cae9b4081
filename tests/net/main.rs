//! The network layer over real sockets on loopback, against servers that do
//! what the tests tell them to, and the command line.

#[cfg(feature = "cli")]
mod cli;
mod demo_server;
mod failures;
mod flood;
mod foreign;
#[path = "../foreign/mod.rs"]
mod foreign_server;
#[cfg(all(target_os = "linux", feature = "cli"))]
#[path = "../foreign/hangup.rs"]
mod hangup;
mod hostile;
#[cfg(feature = "cli")]
mod pack;
#[cfg(feature = "cli")]
#[path = "../pack/mod.rs"]
mod pack_frames;
mod reconnect;
mod server;
mod sessions;
mod shutdown;
mod stage;
mod tls;
#[cfg(feature = "cli")]
mod tune;
mod whole_session;
