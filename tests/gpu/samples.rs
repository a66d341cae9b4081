//! Real gift videos made by others. They are not part of this repository; a
//! test that needs them says so loudly where they are absent and passes, even where
//! nothing may be skipped: every path they exercise is also covered by files of our own.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The file `name` among the VAP samples.
pub fn vap(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SAMPLES_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples"),
        PathBuf::from,
    );
    // A worktree may lie one folder deeper than a clone.
    let deeper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples");
    let found = [root, deeper]
        .map(|root| root.join("vap").join(name))
        .into_iter()
        .find(|path| path.exists());
    if found.is_none() {
        // What `eprintln!` says of a test that passes nobody gets to read.
        let _ = writeln!(
            std::io::stderr(),
            "NOT TESTED: the sample {name} is absent; set SAMPLES_DIR to the folder that holds vap/"
        );
    }
    found
}
