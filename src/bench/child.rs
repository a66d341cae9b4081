//! The part that runs in a process of its own: `hyperfocus bench-child NAME`.
//!
//! A child measures one run and answers with one line of JSON.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "render")]
use super::{particles, stage};
use super::{process, socket};

/// The subcommand that starts a child; not for people.
pub const SUBCOMMAND: &str = "bench-child";

/// Longest that one run may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Measures what a parent asked for.
///
/// # Errors
/// Whatever goes wrong with the measurement.
pub fn run(words: &[String]) -> Result<ExitCode> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["socket", way] => answer(&socket::one_run(way.parse()?)?),
        #[cfg(feature = "relay")]
        ["relay-bare", viewers] => {
            super::relay::bare_run(viewers.parse()?)?;
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "render")]
        ["idle"] => answer(&stage::idle_run(None)?),
        #[cfg(feature = "render")]
        ["idle", ring] => answer(&stage::idle_run(Some(ring))?),
        #[cfg(feature = "render")]
        ["gift-to-frame"] => answer(&stage::gift_to_frame_run()?),
        #[cfg(feature = "render")]
        ["flood", way] => answer(&stage::flood_run(way.parse()?)?),
        #[cfg(feature = "render")]
        ["particles", "ours"] => answer(&particles::our_run()?),
        #[cfg(feature = "render")]
        ["particles", "bare"] => answer(&particles::bare_run()?),
        _ => bail!("{words:?} is nothing that can be measured"),
    }
}

fn answer(value: &impl Serialize) -> Result<ExitCode> {
    println!("{}", serde_json::to_string(value)?);
    Ok(ExitCode::SUCCESS)
}

/// How a child is started.
pub fn command(words: &[&str]) -> Result<Command> {
    let mut command = Command::new(process::this_program()?);
    command.arg(SUBCOMMAND).args(words);
    Ok(command)
}

/// Has a child measure something.
///
/// # Errors
/// See [`process::ask`].
pub fn ask<T: DeserializeOwned>(words: &[&str]) -> Result<T> {
    process::ask(command(words)?, PATIENCE)
}

/// As [`ask`], on one core.
///
/// # Errors
/// See [`process::ask`].
pub fn ask_on_one_core<T: DeserializeOwned>(words: &[&str]) -> Result<T> {
    process::ask(process::on_one_core(&command(words)?), PATIENCE)
}
