//! The C library's heap, kept small.

/// Keeps glibc to two arenas, and has it give large blocks back.
///
/// Left alone, it gives each of some thirty threads an arena of its own, up to eight
/// for every core, and what a thread that compiled a shader or decoded a video has
/// let go of stays in its arena for ever: 90 MB after a single video. Few threads of a
/// stage allocate at the same time; a relay's all do, and would wait for each other.
///
/// It also takes large blocks from the arenas once one as large was freed: the frames
/// of videos leave holes there, in the one and the other, that come to 15 MB.
///
/// glibc's own variables win where they are set. To be called before there are threads.
pub(super) fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (variable, setting, value) in SETTINGS {
        if std::env::var_os(variable).is_some() {
            continue;
        }
        // SAFETY: it takes two numbers, and sets one where no other thread is yet.
        #[expect(unsafe_code, reason = "the C library has no other way to say it")]
        let was_set = unsafe { libc::mallopt(setting, value) };
        debug_assert_eq!(was_set, 1, "glibc knows {variable}");
    }
}

/// The variable that wins where it is set, the setting, and how it is set.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SETTINGS: [(&str, libc::c_int, libc::c_int); 2] = [
    ("MALLOC_ARENA_MAX", libc::M_ARENA_MAX, 2),
    // Bytes; less than the luma of a video of 720 lines.
    ("MALLOC_MMAP_THRESHOLD_", libc::M_MMAP_THRESHOLD, 256 * 1024),
];
