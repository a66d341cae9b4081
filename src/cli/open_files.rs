//! How many files and sockets the process may have open at once.

use std::io;

/// As many as Linux grants anybody (`fs.nr_open`). macOS refuses whoever asks for
/// no limit at all.
#[cfg(unix)]
const MOST: libc::rlim_t = 1 << 20;

/// Raises the limit as far as the system allows.
///
/// Sessions begin with 1,024 open files, no more than `select` can watch, and a
/// higher bound up to which programs that do without it may go. Each connection is
/// one.
///
/// # Errors
/// When the system refuses; the limit is what it was.
#[cfg(unix)]
pub fn raise_file_limit() -> io::Result<()> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: it writes to what it is given, which is ours.
    #[expect(unsafe_code, reason = "the C library has no other way to say it")]
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if got != 0 {
        return Err(io::Error::last_os_error());
    }
    let wanted = limit.rlim_max.min(MOST);
    if limit.rlim_cur >= wanted {
        return Ok(());
    }
    limit.rlim_cur = wanted;
    // SAFETY: it only reads what it is given.
    #[expect(unsafe_code, reason = "the C library has no other way to say it")]
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    match set {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sockets are not counted there.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn raise_file_limit() -> io::Result<()> {
    Ok(())
}
