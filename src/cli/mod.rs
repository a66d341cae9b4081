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
mod hangup;
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
mod stdout;
mod summary;
mod tune;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
pub(crate) use show::{load_stage_catalog, show_settings};
pub use shutdown::Shutdown;
#[cfg(feature = "render")]
pub(crate) use stdout::print_line;
pub use summary::{
    Backend, FrameTimes, Gifts, Memory, Percentiles, QualityAccount, Recorded, Summary,
};

use args::{Arguments, Command};

/// Runs the program: parses the process's arguments, does what they say and ends it
/// with 0 if all went well, 1 if not, 2 for arguments that cannot be meant.
pub fn main() -> ! {
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
        Command::Run(args) => run::run(&args),
        Command::Overlay(args) => overlay::run(&args),
        Command::Demo(args) => demo::run(&args),
        #[cfg(feature = "relay")]
        Command::Serve(args) => serve::run(args),
        #[cfg(feature = "relay")]
        Command::Desk(args) => desk::run(args),
        Command::Preview(args) => preview::run(*args),
        Command::Record(args) => record::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Devices => devices::run(),
        Command::Obs(command) => obs::run(&command),
        Command::Pack(args) => pack::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::BenchChild { words } => crate::bench::child::run(&words),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man { folder } => pages::manual(folder.as_deref()),
    };
    let code = done.unwrap_or_else(|error| {
        eprintln!("hyperfocus: {error:#}");
        ExitCode::FAILURE
    });
    shutdown::end(i32::from(code != ExitCode::SUCCESS))
}

/// The log goes to standard error: standard output belongs to frames and
/// summaries. `HYPERFOCUS_LOG` filters it.
fn start_log() {
    const LOG: &str = "HYPERFOCUS_LOG";
    /// What Bevy leaves out of a device that we asked for no more (`engine::adapter`)
    /// it warns of; the stage has no use for it.
    const USUAL: &str = "warn,hyperfocus=info,bevy_pbr::atmosphere=error,bevy_pbr::ssao=error";
    let filter = EnvFilter::try_from_env(LOG).unwrap_or_else(|error| {
        if std::env::var_os(LOG).is_some() {
            eprintln!("hyperfocus: warning: {LOG}: {error}; the usual is logged");
        }
        EnvFilter::new(USUAL)
    });
    let is_for_eyes = std::io::stderr().is_terminal();
    let has_colours = is_for_eyes && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    // A second start, as in tests, leaves the first log in place.
    let _ = log(filter, has_colours, std::io::stderr).try_init();
}

fn log<W>(filter: EnvFilter, has_colours: bool, to: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(to)
        .with_ansi(has_colours)
        // Whoever read the log may be gone.
        .log_internal_errors(false);
    log.finish().with(filter_fn(keeps_secrets))
}

/// Whatever is asked for: at `trace` the WebSocket library logs the upgrade
/// request, token and all.
fn keeps_secrets(record: &Metadata) -> bool {
    *record.level() <= Level::DEBUG || !record.target().starts_with("tungstenite")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;
    use tracing::{debug, trace};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_the_websocket_library_says_of_tokens_is_in_no_log() {
        for wish in ["trace", "tungstenite::handshake=trace"] {
            let written = Written::default();
            let to = written.clone();
            with_default(log(EnvFilter::new(wish), false, move || to.clone()), || {
                trace!(target: "tungstenite::handshake::client", "Bearer secret");
                debug!(target: "tungstenite::handshake::client", "Client handshake done.");
            });
            let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            assert!(log.contains("done") && !log.contains("secret"), "{log}");
        }
    }
}
