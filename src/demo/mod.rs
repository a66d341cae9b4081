//! A backend of our own for the demo, the benchmarks and the tests: it speaks
//! the contract's server side on a loopback port, plays a scripted show and
//! keeps account of what came back.
//!
//! [`Script`] says what is sent and when, [`DemoServer`] sends it through a
//! real socket, and its [`Report`] tells whether every gift was acknowledged
//! exactly once.

mod ledger;
mod portraits;
mod script;
mod server;

pub use ledger::{Report, Spread};
pub use portraits::Portraits;
pub use script::{Beat, Line, MAX_BEATS, Script};
pub use server::{DemoServer, ServerOptions};
