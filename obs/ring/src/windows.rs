//! Files, mappings and the clock on Windows. Written from the documentation
//! and type-checked; **not tried**. In doubt is above all whether a file can be
//! renamed over one that is mapped, which is how a ring changes its size.
#![expect(
    unsafe_code,
    reason = "mapping memory and reading the clock are system calls"
)]

use std::ffi::c_void;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::OnceLock;

use super::error::FolderFault;

const PAGE_READONLY: u32 = 0x02;
const PAGE_READWRITE: u32 = 0x04;
const FILE_MAP_WRITE: u32 = 0x02;
const FILE_MAP_READ: u32 = 0x04;
const FILE_SHARE_ALL: u32 = 0x07;
/// Kept in memory as long as there is enough of it.
const FILE_ATTRIBUTE_TEMPORARY: u32 = 0x100;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn CreateFileMappingW(
        file: *mut c_void,
        security: *const c_void,
        protection: u32,
        size_high: u32,
        size_low: u32,
        name: *const u16,
    ) -> *mut c_void;
    fn MapViewOfFile(
        mapping: *mut c_void,
        access: u32,
        offset_high: u32,
        offset_low: u32,
        bytes: usize,
    ) -> *mut c_void;
    fn UnmapViewOfFile(address: *const c_void) -> i32;
    fn CloseHandle(handle: *mut c_void) -> i32;
    fn QueryPerformanceCounter(count: *mut i64) -> i32;
    fn QueryPerformanceFrequency(frequency: *mut i64) -> i32;
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
        let (protection, view) = match access {
            Access::Read => (PAGE_READONLY, FILE_MAP_READ),
            Access::ReadWrite => (PAGE_READWRITE, FILE_MAP_READ | FILE_MAP_WRITE),
        };
        // SAFETY: the handle is open for as long as `file` is; no name, no
        // security attributes and the file's own size are asked for.
        let mapping = unsafe {
            CreateFileMappingW(
                file.as_raw_handle().cast(),
                std::ptr::null(),
                protection,
                0,
                0,
                std::ptr::null(),
            )
        };
        if mapping.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just made. The view keeps the mapping alive,
        // so the handle can be closed whether or not there is a view.
        let address = unsafe {
            let address = MapViewOfFile(mapping, view, 0, 0, bytes);
            CloseHandle(mapping);
            address
        };
        NonNull::new(address.cast::<u8>())
            .map(|address| Self { address })
            .ok_or_else(io::Error::last_os_error)
    }

    /// It begins on a page.
    pub(crate) fn first_byte(&self) -> NonNull<u8> {
        self.address
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the address is a view's, and whatever points into it borrows
        // `self`. Failing would leave it mapped, no worse.
        unsafe {
            UnmapViewOfFile(self.address.as_ptr().cast());
        }
    }
}

/// Monotonic time in nanoseconds, the same in every process and in OBS:
/// `os_gettime_ns` reads this counter.
pub fn now_ns() -> u64 {
    static FREQUENCY: OnceLock<u64> = OnceLock::new();
    let frequency = *FREQUENCY.get_or_init(|| {
        let mut frequency = 0;
        // SAFETY: an i64 that lives through the call, which cannot fail.
        unsafe { QueryPerformanceFrequency(&raw mut frequency) };
        frequency.max(1).cast_unsigned()
    });
    let mut count = 0_i64;
    // SAFETY: an i64 that lives through the call, which cannot fail.
    unsafe { QueryPerformanceCounter(&raw mut count) };
    let nanoseconds = u128::from(count.cast_unsigned()) * 1_000_000_000 / u128::from(frequency);
    // 584 years of uptime.
    nanoseconds as u64
}

/// Where this user's rings are: below the user's own folder for temporary
/// files, which the system keeps from others.
pub(crate) fn user_folder() -> PathBuf {
    std::env::temp_dir().join("hyperfocus-rings")
}

/// Makes the folder if there is none.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Whether only this user can put files there: inherited from the folder above.
pub(crate) fn check_private_folder(path: &Path) -> io::Result<Result<(), FolderFault>> {
    let is_folder = fs::symlink_metadata(path)?.is_dir();
    Ok(if is_folder {
        Ok(())
    } else {
        Err(FolderFault::NotAFolder)
    })
}

/// Options for a file of the folder.
pub(crate) fn file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .share_mode(FILE_SHARE_ALL)
        .attributes(FILE_ATTRIBUTE_TEMPORARY);
    options
}
