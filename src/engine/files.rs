//! Where the catalogue's files are read: in the thread that asks for them.
//!
//! Bevy's own reader lets threads of another library wait for the disk. Those stay for
//! ever once they are there, and each of them wakes twice a second.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bevy::asset::io::{
    AssetReader, AssetReaderError, AssetSourceBuilder, AssetSourceId, PathStream, Reader, VecReader,
};
use bevy::prelude::*;

/// The files below a folder.
struct Files(PathBuf);

/// Has the app read its assets below `root`; Bevy's plugins must not be there yet.
pub(super) fn install(app: &mut App, root: &Path) {
    let root = root.to_owned();
    let reader = AssetSourceBuilder::new(move || Box::new(Files(root.clone())));
    app.register_asset_source(AssetSourceId::Default, reader);
}

impl AssetReader for Files {
    async fn read<'a>(&'a self, path: &'a Path) -> Result<impl Reader + 'a, AssetReaderError> {
        let path = self.0.join(path);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(VecReader::new(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(AssetReaderError::NotFound(path))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Nothing has settings of its own beside it.
    async fn read_meta<'a>(&'a self, path: &'a Path) -> Result<impl Reader + 'a, AssetReaderError> {
        Err::<VecReader, _>(AssetReaderError::NotFound(path.to_owned()))
    }

    /// Files are asked for by name.
    async fn read_directory<'a>(
        &'a self,
        path: &'a Path,
    ) -> Result<Box<PathStream>, AssetReaderError> {
        Err(AssetReaderError::NotFound(path.to_owned()))
    }

    async fn is_directory<'a>(&'a self, path: &'a Path) -> Result<bool, AssetReaderError> {
        Ok(self.0.join(path).is_dir())
    }
}

#[cfg(test)]
mod tests {
    use bevy::tasks::block_on;

    use super::*;

    #[test]
    fn a_file_is_read_whole_and_one_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.png"), "picture").unwrap();
        let files = Files(folder.path().to_owned());
        let read = |name: &'static str| {
            block_on(async {
                let mut bytes = Vec::new();
                let mut reader = files.read(Path::new(name)).await?;
                reader.read_to_end(&mut bytes).await?;
                Ok::<_, AssetReaderError>(bytes)
            })
        };
        assert_eq!(read("a.png").unwrap(), b"picture");
        assert!(matches!(read("b.png"), Err(AssetReaderError::NotFound(_))));
    }
}
