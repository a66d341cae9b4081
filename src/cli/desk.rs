//! `hyperfocus desk`: asks the running relay for another link to its desk.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::args::DeskArgs;
use super::plan::configure;
use super::stdout::print;
use crate::model::Private;
use crate::net::Dialer;
use crate::relay::{Role, Tokens, whereabouts_of};

/// A relay on this machine answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// What to do where the relay knows another token than its folder has.
const ANEW: &str = "stop the relay and start it again";

/// What an answer may take; a link is some hundred bytes.
const MAX_ANSWER: u64 = 64 * 1024;

pub(super) fn run(args: DeskArgs) -> Result<ExitCode> {
    let config = configure(args.file.path(), &[])?;
    let folder = args.folder.path(&config.state_dir);
    let relay = whereabouts_of(&folder)?;
    let token = Tokens::read(&folder, Role::Host)?.with_context(|| {
        format!(
            "{} holds no host.token; {ANEW}, which makes one",
            folder.display()
        )
    })?;
    // Who dials knows these by their WebSockets' names.
    let url = relay.url.replacen("http", "ws", 1);
    let mut dialer = Dialer::new(&url, config.ca_file.as_deref())?;
    dialer.known = Some(relay.address);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime
        .block_on(async { timeout(PATIENCE, ask(&dialer, &token)).await })
        .unwrap_or_else(|_| bail!("it took longer than {} s", PATIENCE.as_secs()))
        .with_context(|| format!("the relay at {} does not answer", relay.url))?;
    print(format!("{}\n", link(&answer)?).as_bytes())
}

/// The option with which a command finds `folder`, wherever and with whatever settings
/// it is run. `state` is where it looks without any.
pub(super) fn data_dir_option(folder: &Path, state: &Path) -> String {
    if *folder == state.join("relay") {
        return String::new();
    }
    let whole = std::path::absolute(folder);
    let folder = whole.as_deref().unwrap_or(folder).display();
    format!(" --data-dir '{folder}'")
}

/// The token goes through a connection of our own, and to no command line.
async fn ask(dialer: &Dialer, token: &Private<String>) -> Result<String> {
    let host = dialer
        .endpoint
        .uri()
        .authority()
        .map_or("", |it| it.as_str());
    let request = format!(
        "POST /v1/desk/codes HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        token.0
    );
    let mut stream = dialer.secure().await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).await?;
    Ok(answer)
}

fn link(answer: &str) -> Result<String> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or("no");
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    match body["url"].as_str() {
        Some(url) if status == "201" => Ok(url.to_owned()),
        _ if status == "401" => bail!(
            "the relay does not know host.token: the file has changed since it started; {ANEW}"
        ),
        _ => bail!(
            "the relay gives no link (status {status}): {}",
            body["detail"].as_str().unwrap_or("it does not say why")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_the_usual_one_is_named_whole() {
        let state = Path::new("/state");
        let again = |folder: &str| data_dir_option(Path::new(folder), state);
        assert_eq!(again("/state/relay"), "");
        assert_eq!(again("/x/relay"), " --data-dir '/x/relay'");
        let here = std::env::current_dir().unwrap();
        let whole = format!(" --data-dir '{}'", here.join("data").display());
        assert_eq!(again("data"), whole);
    }

    #[test]
    fn the_link_is_read_out_of_an_answer_and_a_refusal_says_why() {
        let made = "HTTP/1.1 201 Created\r\na: b\r\n\r\n{\"url\":\"http://x/desk#1\"}";
        assert_eq!(link(made).unwrap(), "http://x/desk#1");
        let refused = "HTTP/1.1 429 Too Many\r\n\r\n{\"detail\":\"wait\"}";
        let said = link(refused).unwrap_err().to_string();
        assert!(said.contains("429") && said.contains("wait"), "{said}");
        let unknown = "HTTP/1.1 401 Unauthorized\r\n\r\n{\"detail\":\"no\"}";
        let said = link(unknown).unwrap_err().to_string();
        assert!(said.contains("start it again"), "{said}");
        assert!(link("").is_err() && link("rubbish").is_err());
    }
}
