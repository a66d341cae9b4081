//! `hyperfocus obs`: puts the source into OBS, adds it to a scene, and says
//! what is wrong with it.

mod add;
mod doctor;
mod home;
mod install;
mod websocket;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::args::ConfigArg;

/// What OBS calls the kind of source that the plugin registers.
const SOURCE_KIND: &str = "hyperfocus_gifts";

#[derive(Debug, Subcommand)]
pub enum ObsCommand {
    /// Put the plugin in place for this user
    Install(InstallArgs),
    /// Add the source to a scene of a running OBS
    Add(AddArgs),
    /// Say what is wrong between the engine and OBS, and how to mend it
    Doctor(DoctorArgs),
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    file: ConfigArg,
}

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The plugin's file, instead of the one that comes with this program
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// Take the plugin away again
    #[arg(long, conflicts_with = "plugin")]
    remove: bool,
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// The scene; the one on air if none is named
    #[arg(long, value_name = "NAME")]
    scene: Option<String>,
    /// The engine that the source shows; the first one running if none is named
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Port of obs-websocket on this machine; OBS's own settings say it
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// A file that holds obs-websocket's password and nothing else; OBS's own
    /// settings say it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(command: &ObsCommand) -> Result<ExitCode> {
    match command {
        ObsCommand::Install(args) => install::run(args),
        ObsCommand::Add(args) => add::run(args),
        ObsCommand::Doctor(args) => doctor::run(args.file.path()),
    }
}
