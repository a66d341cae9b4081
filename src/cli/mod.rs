//! The command line: arguments to settings, settings to a plan, the plan to
//! the engine. One file for each subcommand.

mod args;
mod bench;
mod check;
mod demo;
#[cfg(feature = "relay")]
mod desk;
mod devices;
mod engine;
mod heap;
mod obs;
mod open_files;
mod overlay;
mod pack;
mod pages;
mod plan;
mod preview;
mod record;
mod run;
#[cfg(feature = "relay")]
mod serve;
mod show;
mod shutdown;
mod summary;
mod tune;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;

pub use bench::{BenchPlan, Figure};
#[cfg(any(feature = "relay", feature = "render"))]
pub(crate) use demo::TemporaryFolder;
pub use engine::Engine;
pub use open_files::raise_file_limit;
pub(crate) use plan::find_catalog;
pub use plan::{
    Connection, LookPlan, OutputPlan, QualityPlan, RunPlan, SheetPlan, StageSettings, Start,
};
pub use preview::{Ground, Occasion, PicturePlan, PreviewPlan};
pub use record::{FilmCodec, FilmPlan, RecordPlan};
#[cfg(feature = "render")]
pub(crate) use show::{load_catalog, show_settings};
pub use shutdown::Shutdown;
pub use summary::{
    Backend, FrameTimes, Gifts, Memory, Percentiles, QualityAccount, Recorded, Summary,
};

use args::{Arguments, Command};

/// Runs the program: parses the process's arguments, does what they say and
/// returns 0 if all went well, 1 if not, 2 for arguments that cannot be meant.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(feature = "relay")]
    let is_relay = matches!(arguments.command, Command::Serve(_));
    #[cfg(not(feature = "relay"))]
    let is_relay = false;
    if !is_relay {
        heap::keep_small();
    }
    start_log();
    let done = match arguments.command {
        Command::Run(args) => run::run(&args, arguments.config.as_deref()),
        Command::Overlay(args) => overlay::run(&args, arguments.config.as_deref()),
        Command::Demo(args) => demo::run(&args),
        #[cfg(feature = "relay")]
        Command::Serve(args) => serve::run(args, arguments.config.as_deref()),
        #[cfg(feature = "relay")]
        Command::Desk(args) => desk::run(args, arguments.config.as_deref()),
        Command::Preview(args) => preview::run(*args),
        Command::Record(args) => record::run(&args, arguments.config.as_deref()),
        Command::Tune(args) => tune::run(&args, arguments.config.as_deref()),
        Command::Check(args) => check::run(&args, arguments.config.as_deref()),
        Command::Devices => devices::run(),
        Command::Obs(command) => obs::run(&command),
        Command::Pack(args) => pack::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::BenchChild { words } => crate::bench::child::run(&words),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man { folder } => pages::manual(folder.as_deref()),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hyperfocus: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The log goes to standard error: standard output belongs to frames and
/// summaries. `HYPERFOCUS_LOG` filters it.
fn start_log() {
    /// What Bevy leaves out of a device that we asked for no more (`engine::adapter`)
    /// it warns of; the stage has no use for it.
    const USUAL: &str = "warn,hyperfocus=info,bevy_pbr::atmosphere=error,bevy_pbr::ssao=error";
    let filter = tracing_subscriber::EnvFilter::try_from_env("HYPERFOCUS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(USUAL));
    let is_for_eyes = std::io::stderr().is_terminal();
    let has_colours = is_for_eyes && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    // A second start, as in tests, leaves the first log in place.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(has_colours)
        // Whoever read the log may be gone.
        .log_internal_errors(false)
        .try_init();
}
