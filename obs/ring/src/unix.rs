//! Files, mappings and the clock on Linux (tried) and macOS (not tried).
#![expect(
    unsafe_code,
    reason = "mapping memory and reading the clock are system calls"
)]

use std::ffi::{c_int, c_long, c_void};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use super::error::FolderFault;

const PROT_READ: c_int = 1;
const PROT_WRITE: c_int = 2;
const MAP_SHARED: c_int = 1;
#[cfg(target_os = "linux")]
const O_NOFOLLOW: c_int = if cfg!(any(target_arch = "arm", target_arch = "aarch64")) {
    0o100_000
} else {
    0o400_000
};
#[cfg(target_os = "macos")]
const O_NOFOLLOW: c_int = 0x100;

// The values above and the types below are those of 64-bit systems.
#[cfg(not(all(
    target_pointer_width = "64",
    any(target_os = "linux", target_os = "macos")
)))]
compile_error!("the ring knows 64-bit Linux, macOS and Windows");

#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

unsafe extern "C" {
    fn mmap(
        address: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: i64,
    ) -> *mut c_void;
    fn munmap(address: *mut c_void, length: usize) -> c_int;
    fn geteuid() -> u32;
    fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
}

/// What a mapping is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// A part of a file in memory, shared with everyone else who maps it.
pub(crate) struct Mapping {
    address: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping is an address range of the process, not of a thread; what
// may be done in it at the same time is `memory.rs`'s to say.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes`, which the file must have. It may be closed
    /// afterwards.
    pub(crate) fn map(file: &File, bytes: usize, access: Access) -> io::Result<Self> {
        let protection = match access {
            Access::Read => PROT_READ,
            Access::ReadWrite => PROT_READ | PROT_WRITE,
        };
        // SAFETY: a new mapping at an address of the system's choice takes
        // nothing from anyone. The descriptor is open for as long as `file` is.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                protection,
                MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        // MAP_FAILED is -1, which no page begins at.
        if address.addr() == usize::MAX {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(address.cast::<u8>())
            .map(|address| Self { address, bytes })
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    /// It begins on a page.
    pub(crate) fn first_byte(&self) -> NonNull<u8> {
        self.address
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the one that was mapped, and whatever points
        // into it borrows `self`. Failing would leave it mapped, no worse.
        unsafe {
            munmap(self.address.as_ptr().cast(), self.bytes);
        }
    }
}

/// Monotonic time in nanoseconds, the same in every process and in OBS:
/// `os_gettime_ns` reads this clock.
pub fn now_ns() -> u64 {
    // CLOCK_MONOTONIC; on macOS CLOCK_UPTIME_RAW, which is what OBS reads there.
    const CLOCK: c_int = if cfg!(target_os = "macos") { 8 } else { 1 };
    let mut time = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: `time` is a timespec that lives through the call.
    let status = unsafe { clock_gettime(CLOCK, &raw mut time) };
    debug_assert_eq!(status, 0, "the clock exists on every supported system");
    time.seconds.cast_unsigned() * 1_000_000_000 + time.nanoseconds.cast_unsigned()
}

/// Where this user's rings are: memory, not a disk.
pub(crate) fn user_folder() -> PathBuf {
    if cfg!(target_os = "macos") {
        // Private to the user already, though on a disk: macOS has no
        // memory-backed file system of its own. The pages stay in memory as
        // long as there is enough.
        return std::env::temp_dir().join("hyperfocus-rings");
    }
    PathBuf::from(format!("/dev/shm/hyperfocus-{}", user()))
}

fn user() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { geteuid() }
}

/// Makes the folder if there is none.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Whether only this user can put files there.
pub(crate) fn check_private_folder(path: &Path) -> io::Result<Result<(), FolderFault>> {
    // Not following links: a link is someone's say where the folder is.
    let about = fs::symlink_metadata(path)?;
    let fault = if !about.is_dir() {
        Err(FolderFault::NotAFolder)
    } else if about.uid() != user() {
        Err(FolderFault::OwnedBy { uid: about.uid() })
    } else if about.mode() & 0o022 != 0 {
        Err(FolderFault::WritableByOthers {
            mode: about.mode() & 0o777,
        })
    } else {
        Ok(())
    };
    Ok(fault)
}

/// Options for a file of the folder: private, and never through a link.
pub(crate) fn file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(O_NOFOLLOW);
    options
}
