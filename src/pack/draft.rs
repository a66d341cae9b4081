//! Files that appear whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A path beside the one that is promised, given that name once it is complete
/// and removed otherwise.
#[derive(Debug)]
pub struct Draft {
    temporary: PathBuf,
    published: bool,
}

impl Draft {
    /// A draft for `path`, told from other drafts for it by `stage`. No file is
    /// created yet.
    ///
    /// # Errors
    /// When `path` is a folder or names no file, or its folder cannot be made.
    pub fn of(path: &Path, stage: &str) -> io::Result<Self> {
        let name = path
            .file_name()
            .filter(|_| !path.is_dir())
            .ok_or_else(|| io::Error::other("it names no file; give a file name to write to"))?;
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder)?;
        }
        Ok(Self {
            temporary: path.with_file_name(format!(".{}.{stage}", name.to_string_lossy())),
            published: false,
        })
    }

    /// Where the contents go until they are complete.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives the contents the promised name, in place of what had it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn publish(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.temporary, path)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // It may never have been created, and nobody is left to tell.
            let _ = fs::remove_file(&self.temporary);
        }
    }
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
        draft.publish(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(Draft::of(folder.path(), "part").is_err());
    }
}
