//! Keeping a show while it plays: what comes in goes into a show file as well.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

use crate::net::Keep;
use crate::showfile::{MOST_BYTES, Writer};

/// The thread that writes, for as long as the network thread lives.
pub(super) struct Keeper {
    path: PathBuf,
    missed: Arc<AtomicU64>,
    thread: JoinHandle<(Writer, io::Result<()>)>,
}

impl Keeper {
    /// Opens a new file, and a way into it for the network thread.
    ///
    /// # Errors
    /// When there is a file already, or none can be made.
    pub(super) fn open(path: &Path) -> Result<(Self, Keep)> {
        let mut writer = Writer::create(path).map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::AlreadyExists => "; name another, a kept show is never replaced",
                _ => "",
            };
            anyhow::anyhow!(
                "cannot keep the show in {}: {error}{remedy}",
                path.display()
            )
        })?;
        let (keep, kept) = Keep::channel();
        let missed = keep.missed();
        let thread = std::thread::Builder::new()
            .name("keep-show".into())
            .spawn(move || {
                for (at, message) in kept {
                    if let Err(error) = writer.keep(at, &message) {
                        return (writer, Err(error));
                    }
                }
                (writer, Ok(()))
            })
            .context("cannot start the thread that keeps the show")?;
        let path = path.to_owned();
        let keeper = Self {
            path,
            missed,
            thread,
        };
        Ok((keeper, keep))
    }

    /// What was kept, and what is wrong with it, once the network thread has
    /// ended.
    pub(super) fn close(self) -> (String, Vec<String>) {
        let shown = self.path.display();
        let Ok((writer, ended)) = self.thread.join() else {
            return (shown.to_string(), vec![format!("{shown} is not complete")]);
        };
        let mut warnings = Vec::new();
        if let Err(error) = ended {
            warnings.push(format!("{shown} is kept only in part: {error}"));
        }
        if writer.is_full() {
            warnings.push(format!(
                "{shown} is as large as it may be ({} MiB); what came later is not in it",
                MOST_BYTES >> 20
            ));
        }
        let missed = self.missed.load(Ordering::Relaxed);
        if missed > 0 && warnings.is_empty() {
            warnings.push(format!(
                "{shown}: {missed} messages came faster than the disk took them"
            ));
        }
        (format!("{shown}: {} messages", writer.lines()), warnings)
    }
}
