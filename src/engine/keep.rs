//! Keeping a show while it plays: what comes in goes into a show file as well.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

use crate::net::Keep;
use crate::output::OutputReport;
use crate::showfile::{MOST_BYTES, Writer};

/// The thread that writes, for as long as the network thread lives.
pub(super) struct Keeper {
    file: Kept,
    missed: Arc<AtomicU64>,
    thread: JoinHandle<(Writer, io::Result<()>)>,
}

/// The file. What was kept of a run that did not begin goes with it, so that the
/// next can keep its own.
struct Kept {
    path: PathBuf,
    stays: bool,
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
                        tracing::warn!(%error, "the show is not kept any further");
                        let cut = writer.cut();
                        return (writer, cut.and(Err(error)));
                    }
                }
                (writer, Ok(()))
            })
            .context("cannot start the thread that keeps the show")?;
        let file = Kept {
            path: path.to_owned(),
            stays: false,
        };
        let keeper = Self {
            file,
            missed,
            thread,
        };
        Ok((keeper, keep))
    }

    /// The show begins: what is kept of it stays.
    pub(super) fn begin(&mut self) {
        self.file.stays = true;
    }

    /// What was kept, and what is wrong with it, once the network thread has
    /// ended.
    pub(super) fn close(self) -> OutputReport {
        let shown = self.file.path.display();
        let mut report = OutputReport::default();
        let Ok((writer, ended)) = self.thread.join() else {
            report.warnings.push(format!("{shown} is not complete"));
            report.failed.push(shown.to_string());
            return report;
        };
        let warnings = &mut report.warnings;
        if let Err(error) = ended {
            report.failed.push(shown.to_string());
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
        let kept = format!("{shown}: {} messages", writer.lines());
        report.written.push(kept);
        report
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.stays {
            // Nobody is left to tell.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_of_a_run_that_did_not_begin_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.jsonl");
        let (keeper, keep) = Keeper::open(&path).unwrap();
        assert!(path.exists());
        drop((keeper, keep));
        assert!(!path.exists());

        let (mut keeper, keep) = Keeper::open(&path).unwrap();
        keeper.begin();
        drop(keep);
        keeper.close();
        assert!(path.exists());
    }
}
