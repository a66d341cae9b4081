//! `hyperfocus completions` and `hyperfocus man`.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::args::Arguments;
use super::plan::make_folder;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "hyperfocus", &mut text);
    print(&text)
}

/// One page on standard output, or all of them into `folder`.
pub(super) fn manual(folder: Option<&Path>) -> Result<ExitCode> {
    let Some(folder) = folder else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
        return print(&text);
    };
    make_folder(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
        .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a line, as [`print`] does.
pub(crate) fn print_line(line: impl Display) -> Result<()> {
    print(format!("{line}\n").as_bytes()).map(drop)
}

/// Prints; a reader that has had enough (`| head`) is no error.
pub(super) fn print(text: &[u8]) -> Result<ExitCode> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
