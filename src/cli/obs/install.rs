//! `hyperfocus obs install`: the plugin, and which program its source starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use super::InstallArgs;
use super::home::{IN_FLATPAK, ObsHome, own_plugin};
use crate::cli::plan::make_room_for;
use crate::cli::stdout::print_line;

pub(super) fn run(args: &InstallArgs) -> Result<ExitCode> {
    let homes = ObsHome::all();
    ensure!(
        !homes.is_empty(),
        "this user has no home folder to install into: HOME is not set"
    );
    if args.remove {
        return remove(&homes);
    }
    let plugin = plugin(args.plugin.as_deref())?;
    let program = std::env::current_exe().context("cannot find this program")?;
    for home in &homes {
        let place = home.plugin();
        replace(&place, |new| fs::copy(&plugin, new).map(|_| ()))?;
        let line = format!("program={}\n", program.display());
        replace(&home.engine_file(), |new| fs::write(new, &line))?;
        let title = home.title;
        print_line(format_args!(
            "{title}: the plugin is at {}",
            place.display()
        ))?;
        if home.is_flatpak {
            print_line(format_args!("{title}: {IN_FLATPAK}"))?;
        }
    }
    print_line(
        "Start OBS anew, then run `hyperfocus obs add`, or choose \"Hyperfocus gifts\" under \
         Sources > +",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// By what OBS enters a plugin, as it stands in every one's table of symbols.
const ENTRY: &[u8] = b"obs_module_load";

fn plugin(chosen: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = chosen {
        ensure!(path.is_file(), "there is no plugin at {}", path.display());
        let library = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            library.windows(ENTRY.len()).any(|it| it == ENTRY),
            "{} is no plugin that OBS could load",
            path.display()
        );
        return Ok(path.to_owned());
    }
    own_plugin().or_else(|tried| {
        let tried: Vec<_> = tried
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        bail!(
            "the plugin is not beside this program (looked for {}); build it with `cargo build -p \
             hyperfocus-obs`, or name it with --plugin FILE",
            tried.join(", ")
        )
    })
}

/// Puts a file in place whole: OBS may be running with the old one.
fn replace(place: &Path, write: impl Fn(&Path) -> std::io::Result<()>) -> Result<()> {
    make_room_for(place)?;
    let new = place.with_extension("new");
    write(&new)
        .and_then(|()| fs::rename(&new, place))
        .with_context(|| format!("cannot write {}", place.display()))
}

fn remove(homes: &[ObsHome]) -> Result<ExitCode> {
    for home in homes {
        let folder = home.folder();
        let title = home.title;
        match fs::remove_dir_all(&folder) {
            Ok(()) => print_line(format_args!("{title}: removed {}", folder.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                print_line(format_args!("{title}: the plugin is not installed"))?;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
