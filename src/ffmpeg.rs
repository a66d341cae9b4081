//! The external program that encodes video: its name, and what it complains of.

use std::io::Read;
use std::process::ChildStderr;

/// The program, as it is called on PATH.
pub const PROGRAM: &str = "ffmpeg";

/// How much of what it complains about is kept: its last lines name the reason.
const WORDS: usize = 2_000;

/// Whether what it says means that a file is not whole. Of a disk that is full when
/// a file is closed some versions only speak, and end as if all were well.
pub fn is_cut_off(words: &str) -> bool {
    const SIGNS: [&str; 5] = [
        "No space left",
        "quota exceeded",
        "Input/output error",
        "Error writing",
        "Error closing",
    ];
    SIGNS.iter().any(|sign| words.contains(sign))
}

/// Reads to the end, so that the program never waits for a reader, and keeps
/// the end.
pub fn last_words(mut complaints: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = complaints.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..count]);
        let surplus = kept.len().saturating_sub(WORDS);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}
