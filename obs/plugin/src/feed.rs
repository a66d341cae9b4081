//! The reader's life: opening a ring, noticing that its engine is gone, and
//! finding it again.

use hyperfocus_ring::{Folder, Life, Newest, Reader, Report, RingError, SoundChunk, SoundReader};

/// How often a ring that is not there is looked for. Opening is a few system
/// calls on a memory-backed file system, tens of microseconds.
pub(crate) const RETRY_NS: u64 = 250_000_000;

/// What is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Nothing: no engine, or nothing on its stage.
    Nothing,
    /// The frame that was uploaded last.
    Picture,
}

/// Where frames and sound come from: at most one ring at a time, of one name.
pub(crate) struct Feed {
    name: String,
    folder: Option<Folder>,
    open: Option<Open>,
    next_try_ns: u64,
    seen: Seen,
    /// The engine is there, and another program shows it.
    is_taken: bool,
    trouble: Option<String>,
}

/// A ring whose engine lives.
struct Open {
    reader: Reader,
    sound: Option<SoundReader>,
    /// The newest frame that was taken.
    sequence: Option<u64>,
}

/// A frame to upload.
pub(crate) struct Pixels<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: u32,
    pub(crate) size: (u32, u32),
}

/// What a tick of the feed found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// An engine was found.
    Found { engine: String, size: (u32, u32) },
    /// It is gone.
    Lost { why: &'static str },
    /// Something other than absence keeps us from it; said once.
    Trouble(String),
}

impl Feed {
    /// Looks for rings of `name` in `folder`, or in the user's own.
    pub(crate) fn new(name: &str, folder: Option<Folder>) -> Self {
        Self {
            name: name.to_owned(),
            folder,
            open: None,
            next_try_ns: 0,
            seen: Seen::Nothing,
            is_taken: false,
            trouble: None,
        }
    }

    /// Beats, notices what became of the engine, and looks for it when there is
    /// none. To be called for each frame of OBS.
    pub(crate) fn tick(&mut self, now_ns: u64, report: &Report) -> Option<Event> {
        let lost = self.beat(now_ns, report);
        if self.open.is_some() || now_ns < self.next_try_ns {
            return lost;
        }
        self.next_try_ns = now_ns + RETRY_NS;
        match self.look(now_ns, report) {
            Ok(Some(event)) => {
                self.trouble = None;
                Some(event)
            }
            // There is no engine, which is nobody's fault.
            Ok(None) | Err(RingError::NotFound { .. }) => lost,
            Err(error) => lost.or_else(|| self.complain(&error)),
        }
    }

    /// Beats the open ring, if its engine lives; else closes it.
    fn beat(&mut self, now_ns: u64, report: &Report) -> Option<Event> {
        let open = self.open.as_mut()?;
        let report = Report {
            shown: open.sequence.unwrap_or(0),
            ..*report
        };
        let why = match open.reader.life(now_ns) {
            Life::Live if open.reader.beat(now_ns, &report) => return None,
            // The next ring is there already: what is shown stays until its
            // first frame comes.
            Life::Retired => {
                self.open = None;
                self.next_try_ns = 0;
                return None;
            }
            Life::Live => "another program shows it now",
            Life::Ended => "it ended",
            Life::Silent { .. } => "it is silent",
        };
        self.is_taken = open.reader.life(now_ns) == Life::Live;
        self.open = None;
        self.seen = Seen::Nothing;
        self.next_try_ns = now_ns + RETRY_NS;
        Some(Event::Lost { why })
    }

    fn look(&mut self, now_ns: u64, report: &Report) -> Result<Option<Event>, RingError> {
        if self.folder.is_none() {
            self.folder = Some(Folder::of_user()?);
        }
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        let found = Reader::open(folder, &self.name, now_ns);
        self.is_taken = matches!(found, Err(RingError::Taken { .. }));
        let mut reader = match found {
            Ok(reader) if reader.life(now_ns) == Life::Live => reader,
            other => {
                // A new ring that is not there after all: the old one is gone.
                self.seen = Seen::Nothing;
                return other.map(|_silent| None);
            }
        };
        reader.beat(now_ns, report);
        let event = Event::Found {
            engine: reader.engine(),
            size: reader.size(),
        };
        self.open = Some(Open {
            sound: reader.take_sound(),
            reader,
            sequence: None,
        });
        Ok(Some(event))
    }

    fn complain(&mut self, error: &RingError) -> Option<Event> {
        let said = error.to_string();
        if self.trouble.as_ref() == Some(&said) {
            return None;
        }
        self.trouble = Some(said.clone());
        Some(Event::Trouble(said))
    }

    /// Whether an engine is there and lives.
    pub(crate) fn is_live(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the engine is there, and another program shows it.
    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken
    }

    /// The size of the engine's frames.
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        self.open.as_ref().map(|open| open.reader.size())
    }

    /// Whether there is a frame that was not taken.
    pub(crate) fn is_behind(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.sequence.unwrap_or(0) != open.reader.sequence())
    }

    /// Whether the frame that was uploaded last is to be seen.
    pub(crate) fn shows_picture(&self) -> bool {
        self.seen == Seen::Picture
    }

    /// Takes the newest frame, if it is a new one, through `upload`, which says
    /// whether it could be used.
    pub(crate) fn take(&mut self, upload: impl FnOnce(&Pixels<'_>) -> bool) {
        let Some(open) = &mut self.open else {
            return;
        };
        let (size, stride) = (open.reader.size(), open.reader.stride());
        match open.reader.newest(open.sequence) {
            Newest::Unchanged => {}
            Newest::Empty { sequence, .. } => {
                open.sequence = Some(sequence);
                self.seen = Seen::Nothing;
            }
            Newest::Frame(frame) => {
                let is_uploaded = upload(&Pixels {
                    bytes: frame.pixels(),
                    stride,
                    size,
                });
                let is_good = is_uploaded && frame.is_intact();
                open.sequence = Some(frame.sequence());
                self.seen = if is_good {
                    Seen::Picture
                } else {
                    Seen::Nothing
                };
            }
        }
    }

    /// The next chunk of sound.
    pub(crate) fn sound(&mut self, samples: &mut Vec<f32>) -> Option<SoundChunk> {
        self.open.as_mut()?.sound.as_mut()?.read(samples)
    }
}
