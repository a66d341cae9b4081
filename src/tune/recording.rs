//! The gifts of a show file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Arrival, MOST_GIFTS};
use crate::protocol::ServerMessage;
use crate::showfile::{ShowFile, ShowFileError};

/// The gifts of a recording, in the order of their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    pub arrivals: Vec<Arrival>,
    /// What was left out or taken to be so; of a rate it judges nothing wrongly.
    pub warnings: Vec<String>,
}

/// Why a recording cannot be judged. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error(transparent)]
    File(#[from] ShowFileError),
    #[error(
        "{} holds no gifts; keep some with `hyperfocus run --keep-show`, or take a relay's history",
        .0.display()
    )]
    NoGifts(PathBuf),
    #[error(
        "{} holds {gifts} gifts, and {most} are judged at once; take a part of it, such as its \
         last lines: tail -n {most}",
        .path.display()
    )]
    TooMany {
        path: PathBuf,
        gifts: u64,
        most: usize,
    },
}

impl Recording {
    /// Reads a show file with at most [`MOST_GIFTS`] gifts; a line without a time
    /// comes `untimed` after the one before it. A gift that a backend sent again
    /// counts once, as it does live.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn read(path: &Path, untimed: Duration) -> Result<Self, RecordingError> {
        Self::read_at_most(MOST_GIFTS, path, untimed)
    }

    pub(super) fn read_at_most(
        most: usize,
        path: &Path,
        untimed: Duration,
    ) -> Result<Self, RecordingError> {
        let mut file = ShowFile::open_timed(path, untimed)?;
        match file.gifts() {
            0 => return Err(RecordingError::NoGifts(path.to_owned())),
            gifts if gifts > most as u64 => {
                let path = path.to_owned();
                return Err(RecordingError::TooMany { path, gifts, most });
            }
            _ => {}
        }
        let mut recording = Self {
            arrivals: Vec::with_capacity(file.gifts() as usize),
            warnings: file.warnings().to_vec(),
        };
        let mut seen = HashSet::new();
        let (mut repeats, mut controls) = (0_u64, 0_u64);
        while let Some((at, message)) = file.next_message()? {
            match message {
                ServerMessage::Gift(gift) => {
                    if seen.insert((gift.id.clone(), gift.combo_count, gift.quantity)) {
                        recording.arrivals.push(Arrival { at, gift });
                    } else {
                        repeats += 1;
                    }
                }
                ServerMessage::Control(_) => controls += 1,
                _ => {}
            }
        }
        let mut passed_over = |count: u64, what: &str| {
            if count > 0 {
                let path = path.display();
                recording.warnings.push(format!("{path}: {count} {what}"));
            }
        };
        passed_over(repeats, "gifts were sent again and count once");
        passed_over(
            controls,
            "controls of the host were passed over: nobody pauses or skips here",
        );
        Ok(recording)
    }
}
