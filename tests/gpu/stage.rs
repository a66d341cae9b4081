//! What the scripted server, which is the network tests' own, asks of its crate.

use std::time::{Duration, Instant};

/// How long anything may take before it counts as not coming. Generous: the
/// software renderer shares the machine with whoever else is on it.
pub const PATIENCE: Duration = Duration::from_secs(90);

#[expect(
    clippy::disallowed_methods,
    reason = "real processes and sockets live in real time"
)]
pub fn now() -> Instant {
    Instant::now()
}
