//! Files that appear whole or not at all; what is not whole and too dear to lose has
//! a name that says so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is not complete, for whoever has to end without its owners.
static DRAFTS: Mutex<Vec<Unpublished>> = Mutex::new(Vec::new());

/// How many incomplete files are kept beside a whole one.
const MOST_CUT: u32 = 9;

/// A path beside the one that is promised, given that name once it is complete, and
/// otherwise removed, or set aside where its contents come but once.
#[derive(Debug)]
pub struct Draft {
    to_come: Unpublished,
    published: bool,
}

#[derive(Debug, Clone)]
struct Unpublished {
    path: PathBuf,
    temporary: PathBuf,
    comes_once: bool,
}

/// Why there can be no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("it names no file; give a file name to write to")]
    NoFile,
    #[error(transparent)]
    Folder(#[from] io::Error),
}

impl Draft {
    /// A draft of `path`, told from other drafts of it by `stage`. Its folder is
    /// made where it is absent; no file is created yet.
    ///
    /// # Errors
    /// When `path` is a folder or names no file, or its folder cannot be made.
    pub fn of(path: &Path, stage: &str) -> Result<Self, DraftError> {
        Self::begin(path, stage, false)
    }

    /// As [`of`](Self::of), of contents that cannot be made again: what there is of
    /// them when the program ends without completing them is set aside.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_what_comes_once(path: &Path, stage: &str) -> Result<Self, DraftError> {
        Self::begin(path, stage, true)
    }

    fn begin(path: &Path, stage: &str, comes_once: bool) -> Result<Self, DraftError> {
        let name = path.file_name().filter(|_| !path.is_dir());
        let name = name.ok_or(DraftError::NoFile)?.to_string_lossy();
        let parent = path.parent();
        if let Some(folder) = parent.filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let temporary = path.with_file_name(format!(".{name}.{stage}"));
        let to_come = Unpublished {
            path: path.to_owned(),
            temporary,
            comes_once,
        };
        drafts().push(to_come.clone());
        Ok(Self {
            to_come,
            published: false,
        })
    }

    /// What is promised.
    pub fn path(&self) -> &Path {
        &self.to_come.path
    }

    /// Where the contents go until they are complete.
    pub fn temporary(&self) -> &Path {
        &self.to_come.temporary
    }

    /// Has contents that are not complete, such as those that a run left that was
    /// killed, stay under a name beside the promised one that says so, in place of
    /// nothing else. `None` where there are none.
    ///
    /// # Errors
    /// When no such name is free, or the file system refuses.
    pub fn set_aside(&self) -> io::Result<Option<PathBuf>> {
        self.to_come.set_aside()
    }

    /// Gives the contents the promised name, in place of what had it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn publish(mut self) -> io::Result<()> {
        fs::rename(self.temporary(), self.path())?;
        self.published = true;
        Ok(())
    }
}

impl Unpublished {
    fn set_aside(&self) -> io::Result<Option<PathBuf>> {
        if fs::metadata(&self.temporary).map_or(0, |there| there.len()) == 0 {
            return Ok(None);
        }
        let mut names = (1..=MOST_CUT).map(|number| cut_name(&self.path, number));
        let Some(name) = names.find(|name| name.symlink_metadata().is_err()) else {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!(
                    "{MOST_CUT} files that were cut are kept beside it, the first is {}; move \
                     them elsewhere",
                    cut_name(&self.path, 1).display()
                ),
            ));
        };
        fs::rename(&self.temporary, &name)?;
        Ok(Some(name))
    }

    /// Nobody completes it any more, and nobody is left to tell.
    fn give_up(&self) {
        let is_kept = self.comes_once && !matches!(self.set_aside(), Ok(None));
        if !is_kept {
            // It may never have been created.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            self.to_come.give_up();
        }
        let mut drafts = drafts();
        let own = |one: &Unpublished| one.temporary == self.to_come.temporary;
        if let Some(index) = drafts.iter().position(own) {
            drafts.swap_remove(index);
        }
    }
}

/// `show.webm`, cut: `show.cut.webm`, `show.cut-2.webm` and so on.
fn cut_name(path: &Path, number: u32) -> PathBuf {
    let cut = match number {
        1 => "cut".to_owned(),
        _ => format!("cut-{number}"),
    };
    path.with_extension(match path.extension() {
        Some(ending) => format!("{cut}.{}", ending.to_string_lossy()),
        None => cut,
    })
}

/// Gives all drafts up. As long as what it returns is held there can be no other.
#[must_use]
pub fn give_up_all() -> impl Sized {
    let drafts = drafts();
    drafts.iter().for_each(Unpublished::give_up);
    drafts
}

fn drafts() -> MutexGuard<'static, Vec<Unpublished>> {
    // A panic elsewhere leaves the list whole.
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_has_its_name_when_it_is_published_and_leaves_nothing_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/gift.mp4");
        let draft = Draft::of(&path, "part").unwrap();
        fs::write(draft.temporary(), "half").unwrap();
        drop(draft);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0);
        let draft = Draft::of(&path, "part").unwrap();
        fs::write(draft.temporary(), "whole").unwrap();
        assert!(!path.exists());
        draft.publish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        let refused = Draft::of(folder.path(), "part").unwrap_err();
        assert!(matches!(refused, DraftError::NoFile), "{refused}");
    }

    #[test]
    fn what_is_not_whole_is_set_aside_over_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a show.cut.webm"), "older").unwrap();
        let draft = Draft::of(&at("a show.webm"), "part").unwrap();
        assert_eq!(draft.set_aside().unwrap(), None, "there is nothing");
        fs::write(draft.temporary(), "").unwrap();
        assert_eq!(draft.set_aside().unwrap(), None, "nor is there here");
        for number in 2..=MOST_CUT {
            fs::write(draft.temporary(), "half").unwrap();
            let name = at(&format!("a show.cut-{number}.webm"));
            assert_eq!(draft.set_aside().unwrap(), Some(name));
        }
        fs::write(draft.temporary(), "half").unwrap();
        let refused = draft.set_aside().unwrap_err();
        assert!(
            refused.to_string().contains("a show.cut.webm;"),
            "{refused}"
        );
        drop(draft);
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!(read("a show.cut.webm"), "older");
        assert_eq!(read("a show.cut-2.webm"), "half");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names(), MOST_CUT as usize);
        // What comes but once stays where it is, for somebody to find a name for it.
        let draft = Draft::of_what_comes_once(&at("a show.webm"), "part").unwrap();
        fs::write(draft.temporary(), "half").unwrap();
        drop(draft);
        assert_eq!(names(), MOST_CUT as usize + 1);
    }

    #[test]
    fn what_comes_but_once_is_set_aside_when_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.webm");
        let draft = Draft::of_what_comes_once(&path, "part").unwrap();
        fs::write(draft.temporary(), "").unwrap();
        drop(draft);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let draft = Draft::of_what_comes_once(&path, "part").unwrap();
        fs::write(draft.temporary(), "half").unwrap();
        draft.to_come.give_up();
        drop(draft);
        let cut = fs::read_to_string(folder.path().join("show.cut.webm")).unwrap();
        assert_eq!(cut, "half");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
