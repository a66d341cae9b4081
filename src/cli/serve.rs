//! `hyperfocus serve`: the relay, from arguments to its end.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tracing::warn;

use super::args::ServeArgs;
use super::desk::data_dir_option;
use super::hangup;
use super::open_files::raise_file_limit;
use super::plan::configure;
use super::shutdown::{SecondSignal, leave};
use super::stdout::print;
use super::tune;
use crate::config::{Config, ConfigError, Folders, SourceSettings};
use crate::relay::{NatsOptions, Relay, RelayOptions, Role, TlsFiles};
use crate::tune::Judge;

const DAY: u64 = 24 * 60 * 60;

pub(super) fn run(args: ServeArgs) -> Result<ExitCode> {
    let speaks_tls = args.tls_cert.is_some();
    // With a certificate a hangup ends nothing, so that one may always be sent.
    let hears_hangups = speaks_tls || !hangup::is_ignored();
    let asked = listen_to_signals(hears_hangups).context("cannot listen to signals")?;
    let config = configure(args.file.path(), &[])?;
    if !config.lacking.is_empty() {
        return Err(ConfigError::Invalid {
            faults: config.lacking,
            // They have been told.
            warnings: Vec::new(),
        }
        .into());
    }
    if let Err(error) = raise_file_limit() {
        warn!(%error, "the limit of open files cannot be raised");
    }
    let judge = judge(&config);
    let data_dir = args.folder.path(&config.state_dir);
    let again = data_dir_option(&data_dir, &Folders::of_this_machine().state);
    make_private(&data_dir)?;
    let (credentials, authorities) = (args.store_credentials, args.store_ca);
    let nats = args.store.map(|servers| NatsOptions {
        servers,
        credentials,
        authorities,
        replicas: args.store_replicas,
    });
    let place = match &nats {
        Some(nats) => nats.servers.clone(),
        None => data_dir.display().to_string(),
    };
    let is_shared = nats.is_some();
    let tls = args.tls_cert.zip(args.tls_key);
    let relay = Relay::start(RelayOptions {
        address: args.listen,
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
        data_dir,
        nats,
        max_store_mib: args.store_limit,
        start_clean: args.start_clean,
        history: Duration::from_secs(args.history_days * DAY),
        hosts: args.allow_host,
        origins: args.allow_origin,
        max_per_address: args.max_per_address.map(|most| most as usize),
        sources: config.sources.clone(),
        ca_file: config.ca_file,
        judge,
    })?;
    let said = greeting(&relay, &place, &again)? + &sources(&config.sources, is_shared);
    print(said.as_bytes())?;

    // Without a certificate a hangup means what it means to every program: the end,
    // unless it is ignored.
    while let Ok(Asked::Hangup) = asked.recv()
        && speaks_tls
    {
        relay.renew_certificate();
    }
    drop(relay);
    Ok(ExitCode::SUCCESS)
}

/// By what other rates are judged. A catalogue that cannot be read is no reason to
/// take no gifts.
fn judge(config: &Config) -> Judge {
    match tune::catalog(config) {
        Ok((catalog, _)) => tune::judge(config, catalog),
        Err(error) => {
            warn!("rates are judged by the catalogue that the program carries: {error:#}");
            Judge::shipped()
        }
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Hangup,
    Stop,
}

/// Passes signals on, hangups if it `hears_hangups`. A second one that asks for the
/// end does not wait for good order.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever sends signals has no other clock"
)]
fn listen_to_signals(hears_hangups: bool) -> io::Result<mpsc::Receiver<Asked>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let mut signals = {
        let _ours = runtime.enter();
        Signals::new(hears_hangups)?
    };
    let (tell, asked) = mpsc::channel();
    let listen = move || {
        runtime.block_on(async {
            let mut stops = SecondSignal::default();
            loop {
                let signal = signals.next().await;
                if signal == Asked::Stop && stops.is_second(Instant::now()) {
                    leave();
                }
                // Nobody listens any more once it is over.
                let _ = tell.send(signal);
            }
        });
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(listen)?;
    Ok(asked)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new(hears_hangups: bool) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = hears_hangups.then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup.transpose()?,
        })
    }

    async fn next(&mut self) -> Asked {
        let Self {
            interrupt,
            terminate,
            hangup,
        } = self;
        tokio::select! {
            _ = interrupt.recv() => Asked::Stop,
            _ = terminate.recv() => Asked::Stop,
            Some(()) = async { hangup.as_mut()?.recv().await } => Asked::Hangup,
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    fn new(_: bool) -> io::Result<Self> {
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
            close: tokio::signal::windows::ctrl_close()?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.close.recv() => Asked::Stop,
        }
    }
}

/// The lines to paste, and where gifts are kept. The token goes to curl through a
/// pipe: what stands on a command line everybody on the machine can read.
fn greeting(relay: &Relay, place: &str, again: &str) -> Result<String> {
    let token = |role| relay.tokens().path(role).display().to_string();
    let mut said = String::new();
    if let Some(aside) = relay.put_aside() {
        said += &format!(
            "The database was damaged. It was put aside as {}, and an empty one made.\n",
            aside.display()
        );
    }
    said += &format!(
        "Relay on {web}, gifts in {place}

Show the gifts of a stream called main, in a window:
  hyperfocus run --url {url} --stream main --token-file '{host}'

Or in OBS, whose source \"Hyperfocus gifts\" does the same with these lines in
{config}:
  url = \"{url}\"
  stream = \"main\"
  token_file = '{host}'

Send it one:
  sed 's/^/Authorization: Bearer /' '{ingest}' | curl -H @- \\
    -H 'Content-Type: application/json' {web}/v1/streams/main/gifts \\
    -d '{{\"giftId\":\"'$(date +%s)'\",\"giftType\":\"rose\",\"sender\":{{\"userId\":\"ada\",\"username\":\"Ada\"}}}}'
",
        web = relay.web_address(),
        url = relay.url(),
        config = config_file(),
        host = token(Role::Host),
        ingest = token(Role::Ingest),
    );
    said += &match Relay::lacks_desk() {
        Some(what_to_do) => format!("\nThere is no desk: {what_to_do}.\n"),
        None => format!(
            "
See and steer it all at the desk, in a browser or as a dock in OBS. This link works
once, within ten minutes; `hyperfocus desk{again}` prints another:
  {}
",
            relay
                .desk_link()
                .context("cannot make a link to the desk")?
        ),
    };
    Ok(said)
}

/// Where OBS's source has the engine look for settings.
fn config_file() -> String {
    let folder = Folders::of_this_machine().config;
    let file = folder.map(|folder| folder.join("config.toml").display().to_string());
    file.unwrap_or_else(|| "the configuration file".to_owned())
}

/// Where else gifts come from, as the configuration says.
fn sources(sources: &[SourceSettings], is_shared: bool) -> String {
    let line = |source: &SourceSettings| format!("  {} for {}\n", source.name, source.stream);
    let lines: String = sources.iter().map(line).collect();
    match lines.is_empty() {
        true => lines,
        false if is_shared => format!(
            "\nGifts also come from:\n{lines}Name each source at one of the relays only: two that \
             fetch the same gifts may count them twice.\n"
        ),
        false => format!("\nGifts also come from:\n{lines}"),
    }
}

/// A folder that only its owner can look into.
fn make_private(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("cannot make {}", folder.display()))
}
