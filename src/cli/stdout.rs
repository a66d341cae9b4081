//! What commands print, whether or not somebody reads it to its end.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;

/// Prints a line, as [`print`] does.
pub(crate) fn print_line(line: impl Display) -> Result<()> {
    print(format!("{line}\n").as_bytes()).map(drop)
}

/// Prints; a reader that has had enough (`| head`) is no error.
pub(super) fn print(text: &[u8]) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
