//! `hyperfocus serve`: the relay, from arguments to its end.

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Shutdown;
use super::args::ServeArgs;
use super::pages::print;
use crate::config::Folders;
use crate::relay::{Relay, RelayOptions, Role};

const DAY: u64 = 24 * 60 * 60;

pub(super) fn run(args: ServeArgs) -> Result<ExitCode> {
    let shutdown = Shutdown::default();
    shutdown
        .listen_to_signals()
        .context("cannot listen to signals")?;
    let data_dir = args
        .data_dir
        .unwrap_or_else(|| Folders::of_this_machine().state.join("relay"));
    make_private(&data_dir)?;
    let relay = Relay::start(RelayOptions {
        address: args.listen,
        data_dir: data_dir.clone(),
        max_store_mib: args.store_limit,
        start_clean: args.start_clean,
        history: Duration::from_secs(args.history_days * DAY),
        hosts: args.allow_host,
        origins: args.allow_origin,
    })?;
    print(greeting(&relay, &data_dir).as_bytes())?;

    let (ask, asked) = mpsc::channel();
    shutdown.on_request(move || {
        let _ = ask.send(());
    });
    // It ends as well when nobody is left who could ask.
    let _ = asked.recv();
    drop(relay);
    Ok(ExitCode::SUCCESS)
}

/// The lines to paste. The token goes to curl through a pipe: what stands on a command
/// line everybody on the machine can read.
fn greeting(relay: &Relay, data_dir: &Path) -> String {
    let token = |role| relay.tokens().path(role).display().to_string();
    let mut said = String::new();
    if let Some(aside) = relay.put_aside() {
        said += &format!(
            "The database was damaged. It was put aside as {}, and an empty one made.\n",
            aside.display()
        );
    }
    said += &format!(
        "Relay on http://{address}, gifts in {folder}

Show the gifts of a stream called main:
  hyperfocus run --url {url} --stream main --token-file '{host}'

Send it one:
  sed 's/^/Authorization: Bearer /' '{ingest}' | curl -H @- \\
    -H 'Content-Type: application/json' http://{address}/v1/streams/main/gifts \\
    -d '{{\"giftId\":\"'$(date +%s)'\",\"giftType\":\"rose\",\"sender\":{{\"userId\":\"ada\",\"username\":\"Ada\"}}}}'
",
        address = relay.address(),
        folder = data_dir.display(),
        url = relay.url(),
        host = token(Role::Host),
        ingest = token(Role::Ingest),
    );
    said
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
