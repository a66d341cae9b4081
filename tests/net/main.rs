//! Tests over real sockets on the loopback address, and of the command line.

mod demo_server;
