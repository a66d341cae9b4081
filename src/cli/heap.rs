//! The C library's heap, kept small.

/// Keeps glibc to two arenas.
///
/// It would give each of some thirty threads one of its own, up to eight for every
/// core, and what a thread that compiled a shader or decoded a video has let go
/// of stays in its arena for ever: 90 MB after a single video. Few threads here
/// allocate at the same time. `MALLOC_ARENA_MAX` wins where it is set. To be called
/// before there are threads.
pub(super) fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: it takes two numbers, and sets one where no other thread is yet.
        #[expect(unsafe_code, reason = "the C library has no other way to say it")]
        let was_set = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
        debug_assert_eq!(was_set, 1, "glibc knows this setting");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: libc::c_int = 2;
