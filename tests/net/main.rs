//! The network layer over real sockets on loopback, against servers that do
//! what the tests tell them to.

mod failures;
mod flood;
mod foreign;
mod hostile;
mod reconnect;
mod server;
mod sessions;
mod shutdown;
mod stage;
mod tls;
