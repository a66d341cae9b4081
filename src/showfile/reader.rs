//! A show file, read through once and then line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::line::{At, Line, LineError};
use super::{ShowFileError, writer};
use crate::model::{Moment, WallTime};
use crate::protocol::{ServerMessage, limits};

/// Messages of one file; what is kept of so many takes 128 MB. A longer file is
/// refused.
pub const MOST_LINES: usize = 4_000_000;
/// The longest show.
pub const LONGEST: Duration = Duration::from_secs(7 * 86_400);
/// The longest line: a message and what stands around it.
const MOST_LINE_BYTES: usize = limits::MAX_MESSAGE_BYTES + 256;

/// A show file that holds nothing but good lines.
#[derive(Debug)]
pub struct ShowFile {
    path: PathBuf,
    file: BufReader<File>,
    /// In the order of their times.
    entries: Vec<Entry>,
    next: usize,
    gifts: u64,
    warnings: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Moment,
    offset: u64,
    line: u64,
}

impl ShowFile {
    /// Reads through the file at `path`.
    ///
    /// # Errors
    /// See [`ShowFileError`]; of several mistakes the first is told.
    pub fn open(path: &Path) -> Result<Self, ShowFileError> {
        Self::scan(path, Scan::default())
    }

    /// The same for a file in which lines may have no time: each of those comes
    /// `every` after the line before it, and the warnings say how many there are.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn open_timed(path: &Path, every: Duration) -> Result<Self, ShowFileError> {
        let every = Some(every);
        Self::scan(
            path,
            Scan {
                every,
                ..Scan::default()
            },
        )
    }

    fn scan(path: &Path, mut scan: Scan) -> Result<Self, ShowFileError> {
        let unreadable = |why| ShowFileError::Read {
            path: path.to_owned(),
            why,
        };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut buffer = Vec::new();
        loop {
            let place = (scan.offset, scan.line + 1);
            let length = read_line(&mut file, &mut buffer).map_err(unreadable)?;
            if length == 0 {
                break;
            }
            scan.offset += length as u64;
            scan.line += 1;
            scan.take(&buffer, place)
                .map_err(|why| ShowFileError::Line {
                    path: path.to_owned(),
                    line: scan.line,
                    why,
                })?;
            if scan.entries.len() > MOST_LINES {
                return Err(ShowFileError::TooMany(path.to_owned()));
            }
        }
        scan.finish(path, file)
    }

    /// How many gifts there are in it.
    pub fn gifts(&self) -> u64 {
        self.gifts
    }

    /// When the last line is said.
    pub fn length(&self) -> Moment {
        self.entries.last().map_or(Moment::ZERO, |entry| entry.at)
    }

    /// When the next message was said, unless all were handed out.
    pub fn next_at(&self) -> Option<Moment> {
        self.entries.get(self.next).map(|entry| entry.at)
    }

    /// Whether every line was handed out.
    pub fn is_over(&self) -> bool {
        self.next == self.entries.len()
    }

    /// What is odd about the file though it can be played.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The next message that was said by `now`, as the backend sends it.
    ///
    /// # Errors
    /// When the file is no longer what it was.
    pub fn next_by(&mut self, now: Moment) -> Result<Option<Vec<u8>>, ShowFileError> {
        let Some(entry) = self.entries.get(self.next).filter(|entry| entry.at <= now) else {
            return Ok(None);
        };
        self.next += 1;
        self.read(*entry, |line| line.bytes.into_owned())
    }

    /// The next message whenever it is said, with its time.
    ///
    /// # Errors
    /// As for [`next_by`](Self::next_by).
    pub fn next_message(&mut self) -> Result<Option<(Moment, ServerMessage)>, ShowFileError> {
        while let Some(entry) = self.entries.get(self.next).copied() {
            self.next += 1;
            if let Some(Some(message)) = self.read(entry, |line| line.message)? {
                return Ok(Some((entry.at, message)));
            }
        }
        Ok(None)
    }

    /// What `take` has of an entry's line; `None` where the line has gone.
    fn read<T>(
        &mut self,
        entry: Entry,
        take: impl FnOnce(Line<'_>) -> T,
    ) -> Result<Option<T>, ShowFileError> {
        let unreadable = |why| ShowFileError::Read {
            path: self.path.clone(),
            why,
        };
        let here = self.file.stream_position().map_err(unreadable)?;
        if here != entry.offset {
            // Within the buffer where that is possible.
            let by = entry.offset as i64 - here as i64;
            self.file.seek_relative(by).map_err(unreadable)?;
        }
        let mut buffer = Vec::new();
        read_line(&mut self.file, &mut buffer).map_err(unreadable)?;
        let bad = |why| ShowFileError::Line {
            path: self.path.clone(),
            line: entry.line,
            why,
        };
        let text = std::str::from_utf8(&buffer).map_err(|_| bad(LineError::NotUtf8))?;
        let line = Line::read(without_mark(text)).map_err(bad)?;
        Ok(line.map(take))
    }
}

/// What has been learnt so far.
#[derive(Default)]
struct Scan {
    entries: Vec<Entry>,
    offset: u64,
    line: u64,
    gifts: u64,
    first: Option<WallTime>,
    /// The dates against the first, in nanoseconds, and the least and the most of them.
    walls: Vec<i64>,
    span: (i128, i128),
    has_moments: bool,
    passed_over: u64,
    /// How long after the line before it a line comes that has no time.
    every: Option<Duration>,
    last: Option<At>,
    untimed: u64,
}

impl Scan {
    fn take(&mut self, line: &[u8], (offset, number): (u64, u64)) -> Result<(), LineError> {
        if line.len() > MOST_LINE_BYTES {
            return Err(LineError::TooLong(MOST_LINE_BYTES));
        }
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
        let Some(read) = Line::read(without_mark(text))? else {
            return Ok(());
        };
        let Some(message) = read.message else {
            self.passed_over += 1;
            return Ok(());
        };
        let mut entry = Entry {
            at: Moment::ZERO,
            offset,
            line: number,
        };
        let at = read.at.or_else(|| self.follow());
        self.last = at;
        match at.ok_or(LineError::NoTime)? {
            At::Moment(at) => {
                if self.first.is_some() {
                    return Err(LineError::Mixed {
                        this: "seconds",
                        before: "dates",
                    });
                }
                if at > LONGEST {
                    return Err(LineError::TooFar);
                }
                self.has_moments = true;
                entry.at = at;
            }
            At::Wall(at) => {
                if self.has_moments {
                    return Err(LineError::Mixed {
                        this: "a date",
                        before: "seconds",
                    });
                }
                let first = *self.first.get_or_insert(at);
                let since = at.as_nanosecond() - first.as_nanosecond();
                let (earliest, latest) = self.span;
                let (earliest, latest) = (earliest.min(since), latest.max(since));
                if (latest - earliest).unsigned_abs() > LONGEST.as_nanos() {
                    return Err(LineError::TooFar);
                }
                self.span = (earliest, latest);
                self.walls.push(since as i64);
            }
        }
        self.gifts += u64::from(matches!(message, ServerMessage::Gift(_)));
        self.entries.push(entry);
        Ok(())
    }

    /// When a line comes that has no time, if it may have none.
    fn follow(&mut self) -> Option<At> {
        let every = self.every?;
        self.untimed += 1;
        Some(match self.last {
            None => At::Moment(Moment::ZERO),
            Some(At::Moment(at)) => At::Moment(at + every),
            Some(At::Wall(at)) => At::Wall(at.checked_add(every).unwrap_or(at)),
        })
    }

    fn finish(mut self, path: &Path, mut file: BufReader<File>) -> Result<ShowFile, ShowFileError> {
        if self.entries.is_empty() {
            return Err(ShowFileError::Empty(path.to_owned()));
        }
        let begin = self.walls.iter().copied().min().unwrap_or(0);
        for (entry, at) in self.entries.iter_mut().zip(&self.walls) {
            entry.at = Duration::from_nanos((at - begin) as u64);
        }
        let mut warnings = Vec::new();
        let pairs = self.entries.windows(2);
        let back = pairs
            .filter_map(|pair| (pair[1].at < pair[0].at).then_some(pair[1].line))
            .next();
        if let Some(line) = back {
            warnings.push(format!(
                "{}:{line}: it is earlier than the line before; lines are played in the order of \
                 their times",
                path.display()
            ));
            self.entries.sort_by_key(|entry| entry.at);
        }
        if self.untimed > 0 {
            warnings.push(format!(
                "{}: {} lines have no time; each was taken to come {} s after the line before",
                path.display(),
                self.untimed,
                self.every.unwrap_or_default().as_secs_f64()
            ));
        }
        if self.passed_over > 0 {
            warnings.push(format!(
                "{}: {} heartbeats, errors and answers were passed over",
                path.display(),
                self.passed_over
            ));
        }
        file.seek(SeekFrom::Start(0))
            .map_err(|why| ShowFileError::Read {
                path: path.to_owned(),
                why,
            })?;
        Ok(ShowFile {
            path: path.to_owned(),
            file,
            entries: self.entries,
            next: 0,
            gifts: self.gifts,
            warnings,
        })
    }
}

/// Reads a line into `buffer`, at most a little more than may be in one; how
/// many bytes were passed in the file.
fn read_line(file: &mut BufReader<File>, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.clear();
    let most = MOST_LINE_BYTES as u64 + 2;
    file.by_ref().take(most).read_until(b'\n', buffer)
}

/// RFC 8259 lets a reader pass over a byte order mark.
fn without_mark(text: &str) -> &str {
    text.strip_prefix(writer::BYTE_ORDER_MARK).unwrap_or(text)
}
