//! Tests over real sockets on the loopback address, and of the command line.

#[cfg(feature = "cli")]
mod cli;
mod demo_server;
