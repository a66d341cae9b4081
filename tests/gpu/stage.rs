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

/// Looks again and again until `is_so`: what programs do to the world around them
/// has no other way to be told.
pub fn until(mut is_so: impl FnMut() -> bool, else_say: impl Fn() -> String) {
    let deadline = now() + PATIENCE;
    while !is_so() {
        assert!(now() < deadline, "{}", else_say());
        std::thread::sleep(Duration::from_millis(5));
    }
}
