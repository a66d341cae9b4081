//! Passwords and tokens of other programs, read anew for each connection so
//! that a new one counts at once.

use std::fs::File;
use std::io::Read as _;

use super::Failure;
use crate::config::Secret;
use crate::model::Private;

/// Longest secret in bytes; signed tokens come to a few thousand.
const MAX_BYTES: u64 = 8 * 1024;

/// # Errors
/// When the file cannot be read, others can read it, or it holds nothing.
pub(super) fn read(secret: &Secret) -> Result<Private<String>, Failure> {
    let path = match secret {
        Secret::Given(secret) => return Ok(Private(secret.0.trim().to_owned())),
        Secret::File(path) => path,
    };
    let shown = path.display();
    let failed =
        |why: &dyn std::fmt::Display| Failure::lasting(format!("cannot read {shown}: {why}"));
    let file = File::open(path).map_err(|error| failed(&error))?;
    if is_exposed(&file) {
        let why = format!("others can read {shown}; run chmod 600 on it");
        return Err(Failure::lasting(why));
    }
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| failed(&error))?;
    let secret = text.trim();
    if secret.is_empty() || text.len() as u64 > MAX_BYTES {
        return Err(failed(&"it has to hold the secret and nothing else"));
    }
    Ok(Private(secret.to_owned()))
}

#[cfg(unix)]
fn is_exposed(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata();
    metadata.is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// A user's own folder is the user's own there.
#[cfg(not(unix))]
fn is_exposed(_: &File) -> bool {
    false
}
