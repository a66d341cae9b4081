//! The clips of the show, decoded by a thread so that no frame waits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::clip::{Clip, ClipError};

/// Sounds kept: more than a catalogue names. When full, further files are
/// refused, which plays their gifts silently.
pub const MOST_CLIPS: usize = 256;

type Loaded = (PathBuf, Result<Arc<Clip>, ClipError>);

/// Clips by file. Ask early with [`want`](Self::want), play with
/// [`get`](Self::get); what is not there yet, or is broken, is silence.
pub struct Shelf {
    clips: HashMap<PathBuf, State>,
    wanted: Sender<PathBuf>,
    loaded: Receiver<Loaded>,
}

/// Where a file is on its way.
enum State {
    Loading,
    Ready(Arc<Clip>),
    /// Its error has been reported; it is not tried again until forgotten.
    Broken,
}

impl Shelf {
    /// Starts the thread that decodes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        // A file is asked for once while it is on the shelf, so neither
        // channel can fill up before the shelf does.
        let (wanted, asked) = bounded::<PathBuf>(MOST_CLIPS);
        let (finished, loaded) = bounded(MOST_CLIPS);
        thread::Builder::new().name("clips".into()).spawn(move || {
            for path in asked {
                let clip = Clip::load(&path);
                if finished.send((path, clip)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self {
            clips: HashMap::new(),
            wanted,
            loaded,
        })
    }

    /// Has a file decoded soon, unless it is here or on its way. False when
    /// [`MOST_CLIPS`] are kept.
    pub fn want(&mut self, path: &Path) -> bool {
        if self.clips.contains_key(path) {
            return true;
        }
        if self.clips.len() >= MOST_CLIPS || self.wanted.try_send(path.into()).is_err() {
            return false;
        }
        self.clips.insert(path.into(), State::Loading);
        true
    }

    /// A clip that is ready to play.
    pub fn get(&self, path: &Path) -> Option<&Arc<Clip>> {
        match self.clips.get(path)? {
            State::Ready(clip) => Some(clip),
            State::Loading | State::Broken => None,
        }
    }

    /// Lets a file go, so that it is read anew when it is wanted again.
    pub fn forget(&mut self, path: &Path) {
        self.clips.remove(path);
    }

    /// Lets the files go that could not be used, so that each is read anew
    /// when it is wanted again.
    pub fn forget_broken(&mut self) {
        self.clips
            .retain(|_, state| !matches!(state, State::Broken));
    }

    /// Takes in what has been decoded, without waiting; yields each file's
    /// error once.
    pub fn poll(&mut self) -> Vec<ClipError> {
        let mut errors = Vec::new();
        while let Ok(loaded) = self.loaded.try_recv() {
            errors.extend(self.put(loaded));
        }
        errors
    }

    /// Waits until everything wanted is decoded, each file no longer than
    /// `patience`: for warm-up and for recordings. Yields errors as
    /// [`poll`](Self::poll) does.
    pub fn wait(&mut self, patience: Duration) -> Vec<ClipError> {
        let mut errors = self.poll();
        while self.is_loading() {
            match self.loaded.recv_timeout(patience) {
                Ok(loaded) => errors.extend(self.put(loaded)),
                Err(_) => break,
            }
        }
        errors
    }

    /// Files that are here or on their way.
    #[cfg(test)]
    pub fn files(&self) -> usize {
        self.clips.len()
    }

    /// Whether anything wanted is still being decoded.
    pub fn is_loading(&self) -> bool {
        self.clips
            .values()
            .any(|state| matches!(state, State::Loading))
    }

    fn put(&mut self, (path, clip): Loaded) -> Option<ClipError> {
        // Forgotten meanwhile.
        let state = self.clips.get_mut(&path)?;
        match clip {
            Ok(clip) => {
                *state = State::Ready(clip);
                None
            }
            Err(error) => {
                *state = State::Broken;
                Some(error)
            }
        }
    }
}
