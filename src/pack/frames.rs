//! The pictures to pack: found, put in order, and read one at a time.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use png::{BitDepth, ColorType, DecodingError, Limits, Reader, Transformations};

use super::layout::MAX_SIDE;

/// The most frames of one video: ten minutes at 60 a second, which is also the
/// most that players read descriptions of.
pub const MAX_FRAMES: usize = 36_000;

/// Memory that reading one picture may take: the largest, at 16 bits a channel,
/// and as much again for the decoder.
const MAX_BYTES: usize = 2 * 8 * MAX_SIDE as usize * MAX_SIDE as usize;

/// Gaps that are named; of more the number is told.
const GAPS_TOLD: usize = 4;

/// What is wrong with the pictures. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("there is no folder {}; give a folder of PNG files, or a pattern such as frames/%05d.png", .0.display())]
    NoFolder(PathBuf),
    #[error("{}: cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("{} has no frames in it: no file is named {wanted}", folder.display())]
    None { folder: PathBuf, wanted: String },
    #[error(
        "{0} is no pattern: the file's name needs one number, such as %05d, and its folder none"
    )]
    Pattern(String),
    #[error("{}: its name has no number, so its place is not known; take it out of the folder, or give a pattern such as frames/%05d.png", .0.display())]
    Unnumbered(PathBuf),
    #[error("{} and {} belong to two sequences; give a pattern such as frames/%05d.png", .0.display(), .1.display())]
    TwoSequences(PathBuf, PathBuf),
    #[error("{} and {} are both frame {number}", first.display(), second.display())]
    Twice {
        first: PathBuf,
        second: PathBuf,
        number: u64,
    },
    #[error("{} has {count} frames, more than {MAX_FRAMES}", folder.display())]
    TooMany { folder: PathBuf, count: usize },
    #[error("{}: not a PNG ({why})", path.display())]
    NotPng { path: PathBuf, why: DecodingError },
    #[error("{}: {}x{} pixels, where {} has {}x{}; all frames must be of one size", path.display(), size.0, size.1, first.display(), expected.0, expected.1)]
    OtherSize {
        path: PathBuf,
        size: (u32, u32),
        first: PathBuf,
        expected: (u32, u32),
    },
    #[error("{}: {}x{} pixels, more than {MAX_SIDE} to a side; scale the frames down", path.display(), size.0, size.1)]
    TooLarge { path: PathBuf, size: (u32, u32) },
}

/// The pictures of one video, in order; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    pub frames: Vec<PathBuf>,
    /// What looks like a mistake and can be packed nonetheless.
    pub warnings: Vec<String>,
}

/// One picture.
#[derive(Debug)]
pub struct Picture {
    /// Straight alpha, rows tight.
    pub rgba: Vec<u8>,
    /// Whether the file has transparency at all.
    pub has_alpha: bool,
}

/// A file's name around its last number.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    before: String,
    number: u64,
    after: String,
}

impl Name {
    fn of(name: &str) -> Option<Self> {
        let end = name.rfind(|letter: char| letter.is_ascii_digit())? + 1;
        let start = name[..end]
            .rfind(|letter: char| !letter.is_ascii_digit())
            .map_or(0, |last| {
                last + name[last..].chars().next().map_or(1, char::len_utf8)
            });
        Some(Self {
            before: name[..start].to_owned(),
            number: name[start..end].parse().ok()?,
            after: name[end..].to_owned(),
        })
    }
}

/// Digits of the largest number that a frame can have.
const MAX_DIGITS: usize = 20;

/// A file's name with one `%d` or `%0Nd` in it, as printf has them.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    before: String,
    /// Numbers with fewer digits are filled up with zeros.
    digits: usize,
    after: String,
}

impl Pattern {
    fn of(name: &str) -> Option<Self> {
        let (before, rest) = name.split_once('%')?;
        let (width, after) = rest.split_once('d')?;
        let digits = match width {
            "" => 1,
            width => width.strip_prefix('0')?.parse().ok()?,
        };
        (!after.contains('%') && (1..=MAX_DIGITS).contains(&digits)).then(|| Self {
            before: before.to_owned(),
            digits,
            after: after.to_owned(),
        })
    }

    /// The number of a file so named.
    fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let number: u64 = digits.parse().ok()?;
        (digits == format!("{number:0width$}", width = self.digits)).then_some(number)
    }
}

impl Sequence {
    /// The PNG files of the folder `frames`, or the files that the pattern `frames`
    /// stands for, by the last number in their names.
    ///
    /// # Errors
    /// When there are none, or their order cannot be told.
    pub fn find(frames: &Path) -> Result<Self, FrameError> {
        let (folder, numbered) = if frames.is_dir() {
            (frames, in_folder(frames)?)
        } else if frames.to_string_lossy().contains('%') {
            by_pattern(frames)?
        } else {
            return Err(FrameError::NoFolder(frames.to_owned()));
        };
        Self::in_order(folder, numbered)
    }

    fn in_order(folder: &Path, mut numbered: Vec<(u64, PathBuf)>) -> Result<Self, FrameError> {
        numbered.sort();
        if numbered.len() > MAX_FRAMES {
            return Err(FrameError::TooMany {
                folder: folder.to_owned(),
                count: numbered.len(),
            });
        }
        let mut gaps = Vec::new();
        for pair in numbered.windows(2) {
            let ((before, first), (after, second)) = (&pair[0], &pair[1]);
            if before == after {
                return Err(FrameError::Twice {
                    first: first.clone(),
                    second: second.clone(),
                    number: *before,
                });
            }
            match (before + 1, after - 1) {
                (first, last) if first > last => {}
                (first, last) if first == last => gaps.push(first.to_string()),
                (first, last) => gaps.push(format!("{first} to {last}")),
            }
        }
        let warnings = (!gaps.is_empty()).then(|| gap_warning(folder, &gaps));
        Ok(Self {
            frames: numbered.into_iter().map(|(_, path)| path).collect(),
            warnings: warnings.into_iter().collect(),
        })
    }

    /// Width and height of the frames in pixels, from their headers alone, so
    /// that a frame of another size is known before any is encoded.
    ///
    /// # Errors
    /// When one is no PNG, too large, or of another size than the first.
    pub fn size(&self) -> Result<(u32, u32), FrameError> {
        let mut expected = None;
        for path in &self.frames {
            let size = open(path)?.info().size();
            if *expected.get_or_insert(size) != size {
                return Err(self.other_size(path, size, expected.unwrap_or(size)));
            }
        }
        Ok(expected.unwrap_or_default())
    }

    /// Reads one of the frames, which must have the given size.
    ///
    /// # Errors
    /// As for [`Self::size`], for a file that has changed since.
    pub fn read(&self, path: &Path, expected: (u32, u32)) -> Result<Picture, FrameError> {
        let not_png = |why| FrameError::NotPng {
            path: path.to_owned(),
            why,
        };
        let mut reader = open(path)?;
        let size = reader.info().size();
        if size != expected {
            return Err(self.other_size(path, size, expected));
        }
        let mut samples = vec![0; reader.output_buffer_size().unwrap_or_default()];
        reader.next_frame(&mut samples).map_err(not_png)?;
        let (kind, depth) = reader.output_color_type();
        Ok(Picture {
            rgba: rgba(kind, &in_8_bits(depth, samples)),
            has_alpha: matches!(kind, ColorType::GrayscaleAlpha | ColorType::Rgba),
        })
    }

    fn other_size(&self, path: &Path, size: (u32, u32), expected: (u32, u32)) -> FrameError {
        FrameError::OtherSize {
            path: path.to_owned(),
            size,
            first: self.frames[0].clone(),
            expected,
        }
    }
}

fn gap_warning(folder: &Path, gaps: &[String]) -> String {
    let mut told = gaps[..gaps.len().min(GAPS_TOLD)].join(", ");
    if gaps.len() > GAPS_TOLD {
        told += &format!(" and {} more stretches", gaps.len() - GAPS_TOLD);
    }
    format!(
        "{}: frames are missing: {told}; those after them come that much earlier",
        folder.display()
    )
}

fn in_folder(folder: &Path) -> Result<Vec<(u64, PathBuf)>, FrameError> {
    let mut pictures = names(folder)?;
    pictures.retain(|(name, _)| name.to_ascii_lowercase().ends_with(".png"));
    // Alone it needs no number.
    if let [(_, path)] = &pictures[..] {
        return Ok(vec![(0, path.clone())]);
    }
    let mut first: Option<(Name, PathBuf)> = None;
    let mut numbered = Vec::new();
    for (file, path) in pictures {
        let Some(name) = Name::of(&file[..file.len() - ".png".len()]) else {
            return Err(FrameError::Unnumbered(path));
        };
        numbered.push((name.number, path.clone()));
        match &first {
            Some((like, other)) if (&like.before, &like.after) != (&name.before, &name.after) => {
                return Err(FrameError::TwoSequences(other.clone(), path));
            }
            Some(_) => {}
            None => first = Some((name, path)),
        }
    }
    if numbered.is_empty() {
        return Err(FrameError::None {
            folder: folder.to_owned(),
            wanted: "*.png".to_owned(),
        });
    }
    Ok(numbered)
}

fn by_pattern(frames: &Path) -> Result<(&Path, Vec<(u64, PathBuf)>), FrameError> {
    let no_pattern = || FrameError::Pattern(frames.display().to_string());
    let file = frames.file_name().and_then(|name| name.to_str());
    let pattern = file.and_then(Pattern::of).ok_or_else(no_pattern)?;
    let folder = match frames.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(FrameError::NoFolder(folder.to_owned()));
    }
    let found: Vec<_> = names(folder)?
        .into_iter()
        .filter_map(|(name, path)| Some((pattern.number(&name)?, path)))
        .collect();
    if found.is_empty() {
        return Err(FrameError::None {
            folder: folder.to_owned(),
            wanted: file.unwrap_or_default().to_owned(),
        });
    }
    Ok((folder, found))
}

/// The files of a folder in the order of their names; those whose names are no
/// text are left out.
fn names(folder: &Path) -> Result<Vec<(String, PathBuf)>, FrameError> {
    let unreadable = |why| FrameError::Unreadable {
        path: folder.to_owned(),
        why,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push((name, entry.path()));
        }
    }
    names.sort();
    Ok(names)
}

/// Samples of 16 bits, the high byte first, to the nearest of 8.
fn in_8_bits(depth: BitDepth, samples: Vec<u8>) -> Vec<u8> {
    if depth != BitDepth::Sixteen {
        return samples;
    }
    let nearest = |deep: &[u8; 2]| ((u32::from(u16::from_be_bytes(*deep)) + 128) / 257) as u8;
    let (deep, _) = samples.as_chunks();
    deep.iter().map(nearest).collect()
}

/// Palettes are expanded by the decoder.
fn rgba(kind: ColorType, samples: &[u8]) -> Vec<u8> {
    let of = |pixel: &[u8]| match *pixel {
        [grey] => [grey, grey, grey, u8::MAX],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, u8::MAX],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    };
    samples.chunks_exact(kind.samples()).flat_map(of).collect()
}

fn open(path: &Path) -> Result<Reader<BufReader<File>>, FrameError> {
    let unreadable = |why| FrameError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    // A folder opens like a file, and fails only here.
    file.read(&mut [0]).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let mut decoder = png::Decoder::new_with_limits(file, Limits { bytes: MAX_BYTES });
    decoder.set_transformations(Transformations::EXPAND);
    let reader = decoder.read_info().map_err(|why| FrameError::NotPng {
        path: path.to_owned(),
        why,
    })?;
    let size = reader.info().size();
    if size.0.max(size.1) > MAX_SIDE {
        return Err(FrameError::TooLarge {
            path: path.to_owned(),
            size,
        });
    }
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    fn found(path: &Path) -> Result<Vec<String>, String> {
        let sequence = Sequence::find(path).map_err(|error| error.to_string())?;
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        Ok(sequence.frames.into_iter().map(name).collect())
    }

    #[test]
    fn frames_come_in_the_order_of_their_last_number() {
        let all = folder(&["v2_10.png", "v2_9.png", "v2_100.PNG", "notes.txt"]);
        assert_eq!(
            found(all.path()).unwrap(),
            ["v2_9.png", "v2_10.png", "v2_100.PNG"]
        );
        let alone = folder(&["still.png"]);
        assert_eq!(found(alone.path()).unwrap(), ["still.png"]);
    }

    #[test]
    fn a_pattern_picks_one_sequence() {
        let both = folder(&["a01.png", "a02.png", "b01.png", "a3.png", "a100.png"]);
        assert_eq!(
            found(&both.path().join("a%02d.png")).unwrap(),
            ["a01.png", "a02.png", "a100.png"]
        );
        assert_eq!(
            found(&both.path().join("a%d.png")).unwrap(),
            ["a3.png", "a100.png"]
        );
        for bad in ["a%5d.png", "a%x.png", "a%d%d.png", "%", "%00d", "%0100000d"] {
            let error = found(&both.path().join(bad)).unwrap_err();
            assert!(error.contains("is no pattern"), "{error}");
        }
        let error = found(&both.path().join("c%d.png")).unwrap_err();
        assert!(error.contains("no file is named c%d.png"), "{error}");
    }

    #[test]
    fn an_order_that_cannot_be_told_is_an_error_that_names_files() {
        for (names, told) in [
            (&["a1.png", "b2.png"][..], "a1.png and"),
            (&["a1.png", "a01.png"], "are both frame 1"),
            (
                &["a1.png", "cover.png"],
                "cover.png: its name has no number",
            ),
            (&["notes.txt"], "no file is named *.png"),
        ] {
            let error = found(folder(names).path()).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        let error = found(Path::new("nowhere")).unwrap_err();
        assert!(error.contains("there is no folder nowhere"), "{error}");
    }

    #[test]
    fn gaps_are_warned_of() {
        let gaps = folder(&["1.png", "2.png", "4.png", "8.png"]);
        let warnings = Sequence::find(gaps.path()).unwrap().warnings;
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("missing: 3, 5 to 7;"), "{warnings:?}");
        let whole = folder(&["7.png", "8.png"]);
        assert!(Sequence::find(whole.path()).unwrap().warnings.is_empty());
    }

    #[test]
    fn names_are_taken_apart_at_their_last_number() {
        let name = |text| Name::of(text).map(|name| (name.before, name.number, name.after));
        let parts = |a: &str, n, b: &str| Some((a.to_owned(), n, b.to_owned()));
        assert_eq!(name("shot2_0010"), parts("shot2_", 10, ""));
        assert_eq!(name("7"), parts("", 7, ""));
        assert_eq!(name("é12é"), parts("é", 12, "é"));
        assert_eq!(name("cover"), None);
        assert_eq!(name("99999999999999999999999"), None);
    }

    #[test]
    fn files_that_are_no_frames_are_told_by_name() {
        let folder = folder(&["1.png"]);
        let write = |name: &str, width, height| {
            let picture = image::RgbaImage::new(width, height);
            picture.save(folder.path().join(name)).unwrap();
        };
        let told = || {
            let sequence = Sequence::find(folder.path()).unwrap();
            sequence.size().map_err(|error| error.to_string())
        };
        assert!(told().unwrap_err().contains("1.png: not a PNG"));
        write("1.png", 6, 4);
        write("2.png", 6, 4);
        assert_eq!(told(), Ok((6, 4)));
        write("3.png", 6, 5);
        let error = told().unwrap_err();
        assert!(error.contains("3.png: 6x5 pixels, where"), "{error}");
        assert!(error.contains("1.png has 6x4"), "{error}");
        write("3.png", MAX_SIDE + 1, 1);
        assert!(told().unwrap_err().contains("more than 4096"));
        fs::remove_file(folder.path().join("3.png")).unwrap();
        fs::create_dir(folder.path().join("3.png")).unwrap();
        assert!(told().unwrap_err().contains("3.png: cannot be read"));
    }

    #[test]
    fn a_frame_is_read_as_rgba_whatever_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let grey = image::ImageBuffer::from_pixel(2, 1, image::Luma([77_u8]));
        grey.save(folder.path().join("1.png")).unwrap();
        let deep = image::ImageBuffer::from_pixel(2, 1, image::Rgba([65535, 0, 257, 32896_u16]));
        deep.save(folder.path().join("2.png")).unwrap();
        let sequence = Sequence::find(folder.path()).unwrap();
        let read = |at: usize| sequence.read(&sequence.frames[at], (2, 1)).unwrap();
        assert_eq!(read(0).rgba, [77, 77, 77, 255].repeat(2));
        assert!(!read(0).has_alpha);
        assert_eq!(read(1).rgba, [255, 0, 1, 128].repeat(2));
        assert!(read(1).has_alpha);
        assert!(sequence.read(&sequence.frames[0], (1, 1)).is_err());
    }
}
