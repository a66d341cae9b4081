//! Whose folder it is, and what may stand in it.

use std::fs;

use hyperfocus_ring::{Folder, Reader, RingError, Writer, instances, now_ns};

use super::{Private, settings};

#[test]
fn names_that_are_no_names_are_refused() {
    let private = Private::new();
    let long = "x".repeat(49);
    for name in [
        "", ".", "..", ".main", "a/b", "../main", "a b", "ä", "a\0", &long,
    ] {
        let made = Writer::create(&private.folder, &settings(name, 2, 2)).err();
        assert!(matches!(made, Some(RingError::Name { .. })), "{name:?}");
        let opened = Reader::open(&private.folder, name, now_ns()).err();
        assert!(matches!(opened, Some(RingError::Name { .. })), "{name:?}");
    }
    for name in ["main", "Main-2", "a.b_c", &"x".repeat(48)] {
        drop(private.writer(name, 2, 2));
    }
}

#[test]
fn other_files_are_left_alone_and_left_out() {
    let private = Private::new();
    let path = private.folder.path();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    fs::create_dir(path.join("folder.ring")).unwrap();
    let _writer = private.writer("main", 2, 2);
    assert!(path.join("notes.txt").exists());
    assert_eq!(instances(&private.folder, now_ns()).unwrap().len(), 1);
}

#[test]
fn memory_that_does_not_exist_is_an_error_and_not_a_signal() {
    let private = Private::new();
    // 3 GiB would fit many a machine, so this only must not crash; what was
    // begun is removed either way.
    if let Err(error) = Writer::create(&private.folder, &settings("main", 16_384, 64)) {
        assert!(matches!(error, RingError::Io { .. }), "{error}");
    }
    assert!(instances(&private.folder, now_ns()).unwrap().is_empty());
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use hyperfocus_ring::{Folder, FolderFault, Reader, RingError, now_ns};

    use super::Private;

    #[test]
    fn the_folder_and_its_files_are_private() {
        let private = Private::new();
        let _writer = private.writer("main", 2, 2);
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(private.folder.path()), 0o700);
        for entry in fs::read_dir(private.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let private = Private::new();
        let path = private.folder.path();
        for mode in [0o770, 0o702, 0o777] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let error = Folder::at(path).unwrap_err();
            assert!(
                matches!(
                    error,
                    RingError::Folder { fault: FolderFault::WritableByOthers { mode: found }, .. }
                        if found == mode
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn a_folder_of_someone_else_or_a_link_is_refused() {
        let private = Private::new();
        let link = private.folder.path().join("link");
        symlink(private.folder.path(), &link).unwrap();
        assert!(matches!(
            Folder::at(&link),
            Err(RingError::Folder {
                fault: FolderFault::NotAFolder,
                ..
            })
        ));
        // Only root can give a folder away, so only root can try this.
        let given = private.folder.path().join("given");
        fs::create_dir(&given).unwrap();
        fs::set_permissions(&given, Permissions::from_mode(0o700)).unwrap();
        if std::os::unix::fs::chown(&given, Some(65_534), None).is_ok() {
            assert!(matches!(
                Folder::at(&given),
                Err(RingError::Folder {
                    fault: FolderFault::OwnedBy { uid: 65_534 },
                    ..
                })
            ));
        }
    }

    #[test]
    fn a_ring_is_not_opened_through_a_link() {
        let private = Private::new();
        let _writer = private.writer("main", 2, 2);
        let path = private.folder.path();
        symlink(path.join("main.ring"), path.join("other.ring")).unwrap();
        let error = Reader::open(&private.folder, "other", now_ns()).unwrap_err();
        assert!(matches!(error, RingError::Io { .. }), "{error}");
    }
}

#[test]
fn the_folder_is_found_again_by_who_comes_later() {
    let private = Private::new();
    let again = Folder::at(private.folder.path()).unwrap();
    let _writer = private.writer("main", 2, 2);
    assert!(Reader::open(&again, "main", now_ns()).is_ok());
}
