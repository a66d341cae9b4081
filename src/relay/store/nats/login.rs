//! How the relay finds NATS and says who it is. Secrets come from a file: what
//! stands on a command line or in an address everybody on the machine can read.

use std::fs;
use std::path::{Path, PathBuf};

use async_nats::{ConnectOptions, ServerAddr};

use crate::model::Private;
use crate::relay::store::StoreError;
use crate::relay::tokens::is_exposed;

/// Where NATS is and how gifts are kept there.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// `nats://HOST:PORT`, or `tls://` where it must be encrypted; several with
    /// commas between them.
    pub servers: String,
    /// A file with credentials; none are needed when absent.
    pub credentials: Option<PathBuf>,
    /// Certificates in PEM that are trusted besides the system's.
    pub authorities: Option<PathBuf>,
    /// How many servers keep each gift.
    pub replicas: usize,
}

/// What a file of credentials holds.
#[derive(Debug, PartialEq)]
enum Login {
    /// A `.creds` file: a user's JWT and the seed of its key.
    Signed(Private<String>),
    /// The seed of an nkey.
    Key(Private<String>),
    Password(String, Private<String>),
    Token(Private<String>),
}

impl Login {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let private = |text: &str| Private(text.to_owned());
        if text.contains("BEGIN NATS USER JWT") {
            return Some(Self::Signed(private(text)));
        }
        let is_line = !text.is_empty() && !text.chars().any(char::is_whitespace);
        if !is_line {
            return None;
        }
        // A user's seed, in base32.
        let is_seed = text.len() == 58
            && text.starts_with("SU")
            && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
        if is_seed {
            return Some(Self::Key(private(text)));
        }
        Some(match text.split_once(':') {
            Some((user, password)) => Self::Password(user.to_owned(), private(password)),
            None => Self::Token(private(text)),
        })
    }
}

/// The addresses, without a word on who we are.
///
/// # Errors
/// When one is no address, or holds a secret.
pub(super) fn servers(list: &str) -> Result<Vec<ServerAddr>, StoreError> {
    let foreign = |reason: &str| StoreError::Foreign {
        // What is wrong with it may be the secret in it.
        server: "that address".into(),
        reason: reason.into(),
    };
    let servers = list.split(',').map(|one| {
        let server: ServerAddr = one
            .trim()
            .parse()
            .map_err(|_| foreign("write nats://HOST:PORT or tls://HOST:PORT"))?;
        if server.username().is_some() || server.password().is_some() {
            return Err(foreign(
                "it holds a user or a password, which everybody on this machine can read there; \
                 put user:password into a file and name that with --store-credentials",
            ));
        }
        if server.is_websocket() || server.host().is_empty() {
            return Err(foreign("write nats://HOST:PORT or tls://HOST:PORT"));
        }
        Ok(server)
    });
    servers.collect()
}

/// # Errors
/// When a file cannot be used.
pub(super) fn options(nats: &NatsOptions) -> Result<ConnectOptions, StoreError> {
    let mut options = ConnectOptions::new();
    if let Some(path) = &nats.authorities {
        options = options.add_root_certificates(path.clone());
    }
    let Some(path) = &nats.credentials else {
        return Ok(options);
    };
    let refused = |reason: String| StoreError::Credentials {
        path: path.clone(),
        reason,
    };
    let login = login(path).map_err(refused)?;
    Ok(match login {
        Login::Signed(signed) => options
            .credentials(&signed.0)
            .map_err(|_| refused("cannot be read as NATS credentials".into()))?,
        Login::Key(seed) => options.nkey(seed.0),
        Login::Password(user, password) => options.user_and_password(user, password.0),
        Login::Token(token) => options.token(token.0),
    })
}

fn login(path: &Path) -> Result<Login, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    if is_exposed(path).map_err(|error| error.to_string())? {
        return Err("others can read it; run chmod 600 on it".into());
    }
    let wanted = "holds no credentials; it is a .creds file, or one line with user:password, a \
                  token or an nkey's seed";
    Login::read(&text).ok_or_else(|| wanted.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_credentials_is_told_apart() {
        let private = |text: &str| Private(text.to_owned());
        let seed = format!("SU{}", "A".repeat(56));
        let creds = "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n";
        for (text, login) in [
            (
                "ada:s:3cret\n",
                Login::Password("ada".into(), private("s:3cret")),
            ),
            ("t0ken\n", Login::Token(private("t0ken"))),
            (&seed, Login::Key(private(&seed))),
            (creds, Login::Signed(private(creds.trim()))),
        ] {
            assert_eq!(Login::read(text), Some(login));
        }
        for text in ["", "\n", "two words", "two\nlines"] {
            assert_eq!(Login::read(text), None);
        }
    }

    #[test]
    fn an_address_with_a_secret_is_refused_and_not_repeated() {
        for address in ["nats://ada:hunter2@localhost", "nats://hunter2@localhost"] {
            let said = servers(address).unwrap_err().to_string();
            assert!(said.contains("--store-credentials"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        for address in ["http://hunter2", "nats://", "ws://localhost"] {
            let said = servers(address).unwrap_err().to_string();
            assert!(said.contains("nats://HOST:PORT") && !said.contains("hunter2"));
        }
        let two = servers("nats://a:4222, tls://b").unwrap();
        assert_eq!(two.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn credentials_that_others_can_read_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nats");
        fs::write(&path, "hunter2").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let said = login(&path).unwrap_err();
        assert!(said.contains("chmod 600"), "{said}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let login = login(&path).unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
