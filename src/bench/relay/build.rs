//! How long the relay takes to build from nothing, without Bevy.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::super::measure::{Limit, Row};
use super::row;
use crate::cli::{Figure, TemporaryFolder};

pub const BUILD: Row = row(
    "relay.build",
    "the relay built from nothing, without Bevy, by two jobs",
    "s",
    Limit::Below(240.0),
);

/// Once: it takes minutes. Crates have been fetched by whoever built this program.
pub fn measure() -> Result<Vec<Figure>> {
    let cargo = std::env::var_os("CARGO").context("only `make bench` has a cargo to build with")?;
    // `cargo run` says where it found us.
    let sources = std::env::var_os("CARGO_MANIFEST_DIR").context("the sources are not at hand")?;
    let folder = TemporaryFolder::new("bench-build")?;
    let start = Instant::now();
    let built = Command::new(cargo)
        .args(["build", "--locked", "--offline", "--quiet", "--jobs=2"])
        .args([
            "--no-default-features",
            "--features=relay",
            "--bin=hyperfocus",
        ])
        .arg("--target-dir")
        .arg(folder.path())
        .current_dir(Path::new(&sources))
        .stdin(Stdio::null())
        .status()
        .context("cannot run cargo")?;
    let took = start.elapsed().as_secs_f64();
    ensure!(built.success(), "the relay did not build");
    Ok(vec![BUILD.worst(vec![took])])
}
