//! What the system knows of a process and hangups.

/// Whether a hangup would do nothing to a process.
pub fn is_ignored_by(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The first of the signals.
    u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap() & 1 == 1
}
