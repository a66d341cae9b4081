//! `hyperfocus devices`: where the sound can go.

use std::process::ExitCode;

use anyhow::{Context, Result};

use super::Engine;
use super::stdout::print;
use crate::config::SoundDevice;

pub(super) fn run() -> Result<ExitCode> {
    let devices = (Engine::of_this_build()?.devices)().context("cannot list the sound devices")?;
    if devices.is_empty() {
        eprintln!("this machine has no sound device; the show plays silently");
        return Ok(ExitCode::SUCCESS);
    }
    print(table(&devices).as_bytes())
}

/// A line each: a star at the default, the name, and the id where that says
/// more.
fn table(devices: &[SoundDevice]) -> String {
    let width = devices.iter().map(|d| d.name.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut table = String::new();
    for SoundDevice {
        id,
        name,
        is_default,
    } in devices
    {
        let star = if *is_default { '*' } else { ' ' };
        let line = if id == name {
            format!("{star} {name}")
        } else {
            format!("{star} {name:width$}  {id}")
        };
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_a_star_and_ids_stand_in_line() {
        let device = |id: &str, name: &str, is_default| SoundDevice {
            id: id.to_owned(),
            name: name.to_owned(),
            is_default,
        };
        let devices = [
            device("default", "default", true),
            device("hw:0", "USB Headphones", false),
            device("hw:1", "HDMI", false),
        ];
        assert_eq!(
            table(&devices),
            "* default\n  USB Headphones  hw:0\n  HDMI            hw:1\n"
        );
    }
}
