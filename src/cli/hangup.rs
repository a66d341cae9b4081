//! Hangups: what a program is sent when its terminal goes away.

/// Whether whoever started the program wants it to outlive its terminal. `nohup`
/// and the like say so by leaving it a hangup that is ignored.
#[cfg(unix)]
pub(super) fn is_ignored() -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action it only writes the present one, to what is ours.
    #[expect(unsafe_code, reason = "the C library has no other way to say it")]
    let asked = unsafe { libc::sigaction(libc::SIGHUP, std::ptr::null(), now.as_mut_ptr()) };
    if asked != 0 {
        return false;
    }
    // SAFETY: it was written, since the call has succeeded.
    #[expect(unsafe_code, reason = "the C library has no other way to say it")]
    let now = unsafe { now.assume_init() };
    now.sa_sigaction == libc::SIG_IGN
}

/// Ignores hangups from now on.
#[cfg(unix)]
pub(super) fn ignore() {
    // SAFETY: the signal is one that can be ignored, and no code of ours runs at it.
    #[expect(unsafe_code, reason = "the C library has no other way to say it")]
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN)
    };
}

/// There are none.
#[cfg(not(unix))]
pub(super) fn is_ignored() -> bool {
    false
}

#[cfg(not(unix))]
pub(super) fn ignore() {}
