//! `hyperfocus completions` and `hyperfocus man`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::args::Arguments;
use super::plan::make_folder;
use super::stdout::print;

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
