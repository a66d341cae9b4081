//! One secret for each role, in files that only their owner can read.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;

use super::secret;
use crate::model::Private;

/// Random bytes in a token: as many as nobody can guess.
const TOKEN_BYTES: usize = 32;

/// Shortest token that somebody may choose instead of ours.
const MIN_CHOSEN: usize = 16;

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Join as host, control, configure, look at everything.
    Host,
    /// Join as viewer.
    Viewer,
    /// Send gifts and the stream's status in.
    Ingest,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Host, Self::Viewer, Self::Ingest];

    /// The file's name, and what messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Viewer => "viewer",
            Self::Ingest => "ingest",
        }
    }
}

/// Why there are no tokens.
#[derive(Debug, Error)]
pub enum TokenError {
    #[error("cannot keep tokens in {}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("others can read {}; run chmod 600 on it, or delete it and start again", .0.display())]
    Exposed(PathBuf),
    #[error(
        "{} holds no token of {MIN_CHOSEN} or more printable characters; delete it and start \
         again", .0.display()
    )]
    Weak(PathBuf),
}

/// The tokens of a relay, in the order of [`Role::ALL`].
#[derive(Debug, Clone)]
pub struct Tokens {
    folder: PathBuf,
    secrets: [Private<String>; 3],
}

impl Tokens {
    /// Reads `host.token`, `viewer.token` and `ingest.token`, and makes those
    /// that are not there.
    ///
    /// # Errors
    /// When a file cannot be read or made, others can read it, or it holds no
    /// token.
    pub fn load_or_make(folder: &Path) -> Result<Self, TokenError> {
        let [host, viewer, ingest] = Role::ALL.map(|role| one(&path(folder, role)));
        Ok(Self {
            folder: folder.to_owned(),
            secrets: [host?, viewer?, ingest?],
        })
    }

    /// The token of a role, where a relay has made it; `None` where there is none.
    ///
    /// # Errors
    /// When the file cannot be read, others can read it, or it holds no token.
    pub fn read(folder: &Path, role: Role) -> Result<Option<Private<String>>, TokenError> {
        read(&path(folder, role))
    }

    pub fn path(&self, role: Role) -> PathBuf {
        path(&self.folder, role)
    }

    pub fn secret(&self, role: Role) -> &Private<String> {
        &self.secrets[role as usize]
    }

    /// Whose token this is. The time it takes tells nothing but the length.
    pub(super) fn role_of(&self, given: &[u8]) -> Option<Role> {
        let mut found = Role::ALL.len() as u8;
        for (index, secret) in (0_u8..).zip(&self.secrets) {
            let is_it: Choice = secret.0.as_bytes().ct_eq(given);
            found.conditional_assign(&index, is_it);
        }
        Role::ALL.get(usize::from(found)).copied()
    }
}

fn path(folder: &Path, role: Role) -> PathBuf {
    folder.join(format!("{}.token", role.name()))
}

fn one(path: &Path) -> Result<Private<String>, TokenError> {
    match read(path)? {
        Some(token) => Ok(token),
        None => make(path).map_err(|error| failed(path, error)),
    }
}

fn read(path: &Path) -> Result<Option<Private<String>>, TokenError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error)),
    };
    if is_exposed(path).map_err(|error| failed(path, error))? {
        return Err(TokenError::Exposed(path.to_owned()));
    }
    let token = text.trim();
    let is_token = token.len() >= MIN_CHOSEN && token.bytes().all(|b| b.is_ascii_graphic());
    match is_token {
        true => Ok(Some(Private(token.to_owned()))),
        false => Err(TokenError::Weak(path.to_owned())),
    }
}

fn failed(path: &Path, error: io::Error) -> TokenError {
    TokenError::Io {
        path: path.to_owned(),
        error,
    }
}

fn make(path: &Path) -> io::Result<Private<String>> {
    let token = secret::random::<TOKEN_BYTES>()?;
    let mut file = secret::for_its_owner().create_new(true).open(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    Ok(Private(token))
}

#[cfg(unix)]
pub(super) fn is_exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// A user's own folder is the user's own there.
#[cfg(not(unix))]
pub(super) fn is_exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_once_differ_and_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::load_or_make(folder.path()).unwrap();
        let again = Tokens::load_or_make(folder.path()).unwrap();
        for role in Role::ALL {
            let secret = &tokens.secret(role).0;
            assert_eq!(secret, &again.secret(role).0);
            assert_eq!(tokens.role_of(secret.as_bytes()), Some(role));
        }
        assert_eq!(tokens.role_of(b""), None);
        let almost = &tokens.secret(Role::Host).0;
        assert_eq!(tokens.role_of(&almost.as_bytes()[1..]), None);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_them_and_a_token_that_others_can_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::load_or_make(folder.path()).unwrap();
        let path = tokens.path(Role::Host);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Tokens::load_or_make(folder.path()).unwrap_err();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }

    #[test]
    fn who_only_reads_a_token_makes_none() {
        let folder = tempfile::tempdir().unwrap();
        let read = || Tokens::read(folder.path(), Role::Host).unwrap();
        assert_eq!(read().map(|it| it.0), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let tokens = Tokens::load_or_make(folder.path()).unwrap();
        assert_eq!(
            read().map(|it| it.0).as_ref(),
            Some(&tokens.secret(Role::Host).0)
        );
    }

    #[test]
    fn a_token_that_could_be_guessed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::load_or_make(folder.path()).unwrap();
        fs::write(tokens.path(Role::Ingest), "secret\n").unwrap();
        let refused = Tokens::load_or_make(folder.path()).unwrap_err();
        assert!(matches!(refused, TokenError::Weak(_)), "{refused}");
    }
}
