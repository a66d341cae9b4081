//! A Python that has the library `websockets`.

use std::process::{Command, Stdio};

include!("skip.rs");

/// `HYPERFOCUS_TEST_PYTHON`, or `python3`; `None`, said aloud, where neither has
/// the library.
pub fn python() -> Option<String> {
    let named = std::env::var("HYPERFOCUS_TEST_PYTHON");
    let python = named.clone().unwrap_or_else(|_| "python3".to_owned());
    let asked = Command::new(&python)
        .args(["-c", "import websockets.asyncio.server"])
        .stderr(Stdio::null())
        .status();
    let has_it = asked.is_ok_and(|status| status.success());
    assert!(
        has_it || named.is_err(),
        "{python} has no websockets; run make setup"
    );
    if !has_it {
        skip(
            "no Python with the package `websockets` (13 or newer); `make test` brings one, or \
             name it in HYPERFOCUS_TEST_PYTHON",
        );
    }
    has_it.then_some(python)
}
