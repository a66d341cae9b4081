//! The `clientId`: a UUID that stays the same from run to run, one per role
//! and per program running at once.
//!
//! A backend lets the newest connection with a `clientId` win, so two programs
//! on one machine must never share one: each id lives in a file that is locked
//! while it is in use. The lock goes with the process, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use crate::protocol::ClientType;

/// Programs of one role that may run at once from one state directory; past
/// them something starts renderers in a loop.
const MAX_INSTANCES: usize = 64;

/// A `clientId` that is ours until this is dropped.
#[derive(Debug)]
pub struct Identity {
    id: Arc<str>,
    _lock: File,
}

/// Why no `clientId` could be claimed.
#[derive(Debug, Error)]
pub enum IdentityError {
    #[error("cannot keep the client id in {}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{MAX_INSTANCES} renderers already run from {}; stop some", .0.display())]
    Crowded(PathBuf),
}

impl Identity {
    /// Claims the first id under `state_dir` that no running program holds, or
    /// makes a new one.
    ///
    /// # Errors
    /// When the directory cannot be written, or too many programs run from it.
    pub fn claim(state_dir: &Path, role: ClientType) -> Result<Self, IdentityError> {
        let folder = state_dir.join("clients");
        let failed = |path: &Path| {
            let path = path.to_owned();
            |error| IdentityError::Io { path, error }
        };
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        for instance in 0..MAX_INSTANCES {
            let path = folder.join(format!("{}-{instance}", role_name(role)));
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.open(&path).map_err(failed(&path))?;
            match file.try_lock() {
                Ok(()) => {
                    let (id, lock) = read_or_make(file).map_err(failed(&path))?;
                    return Ok(Self { id, _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
            }
        }
        Err(IdentityError::Crowded(folder))
    }

    pub fn id(&self) -> &Arc<str> {
        &self.id
    }
}

/// A `clientId` for this run only, for when none can be kept.
pub fn ephemeral_id() -> Arc<str> {
    Uuid::new_v4().to_string().into()
}

/// Where programs keep what should survive a restart: `$XDG_STATE_HOME`, or
/// `~/.local/state`, with our name. `None` when neither is known.
pub fn state_dir() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("hyperfocus"))
}

fn role_name(role: ClientType) -> &'static str {
    match role {
        ClientType::Host => "host",
        ClientType::Viewer => "viewer",
    }
}

/// The id in the file; a file that holds none, or not one of ours, gets a new
/// one.
fn read_or_make(mut file: File) -> io::Result<(Arc<str>, File)> {
    let mut kept = Vec::new();
    (&mut file).take(128).read_to_end(&mut kept)?;
    let kept = std::str::from_utf8(&kept)
        .ok()
        .and_then(|text| Uuid::try_parse(text.trim()).ok());
    if let Some(id) = kept {
        return Ok((id.to_string().into(), file));
    }
    let id = Uuid::new_v4().to_string();
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{id}")?;
    Ok((id.into(), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_a_restart_and_is_never_shared() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Identity::claim(dir.path(), ClientType::Host).expect("first");
        let second = Identity::claim(dir.path(), ClientType::Host).expect("second");
        let viewer = Identity::claim(dir.path(), ClientType::Viewer).expect("viewer");
        assert_ne!(first.id(), second.id());
        assert_ne!(first.id(), viewer.id());
        let kept = first.id().clone();
        drop(first);
        let again = Identity::claim(dir.path(), ClientType::Host).expect("again");
        assert_eq!(*again.id(), kept);
    }

    #[test]
    fn a_spoilt_file_gets_a_new_id() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("clients")).expect("a folder");
        fs::write(dir.path().join("clients/host-0"), [0xFF; 4000]).expect("a file");
        let made = Identity::claim(dir.path(), ClientType::Host).expect("made");
        let id = made.id().clone();
        drop(made);
        let kept = Identity::claim(dir.path(), ClientType::Host).expect("kept");
        assert_eq!(*kept.id(), id);
        assert!(Uuid::try_parse(&id).is_ok());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        fs::write(&file, "").expect("a file");
        let message = Identity::claim(&file, ClientType::Host)
            .expect_err("a file is no directory")
            .to_string();
        assert!(message.contains("file"), "{message}");
    }
}
