//! `hyperfocus obs doctor`: each link of the chain from engine to OBS, and how
//! to mend the one that is broken.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use hyperfocus_ring::{Connection, Folder, Instance, Life, Showing, instances, now_ns};
use serde_json::Value;

use super::SOURCE_KIND;
use super::home::{IN_FLATPAK, ObsHome, own_plugin};
use crate::cli::RunPlan;
use crate::cli::plan::configure;
use crate::cli::stdout::print_line;

/// What is well and what is not, in the order of looking.
#[derive(Default)]
struct Findings {
    lines: Vec<String>,
    problems: usize,
}

impl Findings {
    fn well(&mut self, text: impl Into<String>) {
        self.lines.push(format!("ok       {}", text.into()));
    }

    fn note(&mut self, text: impl Into<String>) {
        self.lines.push(format!("note     {}", text.into()));
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problems += 1;
        self.lines.push(format!("problem  {}", text.into()));
    }
}

pub(super) fn run(config: Option<&Path>) -> Result<ExitCode> {
    let mut found = Findings::default();
    let own = own_plugin().ok();
    examine_settings(&mut found, config);
    for home in ObsHome::all() {
        examine_plugin(&mut found, &home, own.as_deref());
        for collection in home.collections() {
            examine_scenes(&mut found, &collection);
        }
    }
    match Folder::of_user().and_then(|folder| instances(&folder, now_ns())) {
        Ok(all) => examine_engines(&mut found, &all),
        Err(error) => found.problem(format!("engine and OBS cannot meet: {error}")),
    }
    for line in &found.lines {
        print_line(line)?;
    }
    Ok(if found.problems == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether what the source starts, if it is not told otherwise, has all it needs.
fn examine_settings(found: &mut Findings, config: Option<&Path>) {
    let plan = configure(config, &[("output.to", "obs".to_owned())])
        .and_then(|config| RunPlan::from_config(&config, None));
    match plan {
        Ok(_) => found.well("`hyperfocus run` knows its backend and its stream"),
        Err(error) => found.note(format!(
            "`hyperfocus run`, which the source starts, would end at once: {error:#}. Until then \
             choose \"A demonstration\" or a settings file in the source's settings"
        )),
    }
}

fn examine_plugin(found: &mut Findings, home: &ObsHome, own: Option<&Path>) {
    let title = home.title;
    if !home.has_run() {
        found.note(format!("{title} has not run here yet"));
    }
    let place = home.plugin();
    let Ok(installed) = fs::read(&place) else {
        found.problem(format!(
            "{title} has no plugin at {}; run `hyperfocus obs install`, then start OBS anew",
            place.display()
        ));
        return;
    };
    match own.map(fs::read) {
        Some(Ok(own)) if own != installed => found.problem(format!(
            "{title} has another plugin than this program's; run `hyperfocus obs install`, then \
             start OBS anew"
        )),
        _ => found.well(format!("{title} has the plugin")),
    }
    if home.is_flatpak {
        found.note(format!("{title}: {IN_FLATPAK}"));
        return;
    }
    match program(&home.engine_file()) {
        Some(program) if program.is_file() => {
            found.well(format!("its source starts {}", program.display()));
        }
        Some(program) => found.problem(format!(
            "its source would start {}, which is not there; run `hyperfocus obs install`",
            program.display()
        )),
        None => found.problem(
            "its source does not know which program to start; run `hyperfocus obs install`",
        ),
    }
}

/// The `program=` of the plugin's file.
fn program(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("program="))?;
    Some(line.trim())
        .filter(|it| !it.is_empty())
        .map(PathBuf::from)
}

/// What OBS last saved; it saves as it ends, and now and then before.
fn examine_scenes(found: &mut Findings, collection: &Path) {
    let text = fs::read_to_string(collection).unwrap_or_default();
    let Ok(saved) = serde_json::from_str::<Value>(&text) else {
        return;
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let sources = list(&saved["sources"]);
    let ours: Vec<_> = sources
        .iter()
        .filter(|source| source["id"] == SOURCE_KIND)
        .filter_map(|source| source["name"].as_str())
        .collect();
    let name = saved["name"].as_str().unwrap_or("a scene collection");
    if ours.is_empty() {
        found.note(format!(
            "\"{name}\" has no gifts in any scene; `hyperfocus obs add` adds them"
        ));
    }
    let is_scene = |source: &&Value| source["id"] == "scene" || source["id"] == "group";
    for scene in sources.iter().filter(is_scene) {
        let title = scene["name"].as_str().unwrap_or("?");
        for item in list(&scene["settings"]["items"]) {
            let Some(source) = item["name"].as_str().filter(|it| ours.contains(it)) else {
                continue;
            };
            let place = format!("\"{source}\" in the scene \"{title}\" of \"{name}\"");
            if item["blend_type"].as_str().is_some_and(|it| it != "normal") {
                found.problem(format!(
                    "{place} has another blending mode than Normal; right-click it in OBS and set \
                     Blending Mode > Normal"
                ));
            } else if item["blend_method"] == "srgb_off" {
                found.problem(format!(
                    "{place} blends with SRGB Off, so that glow looks thin; right-click it in OBS \
                     and set Blending Method > Default"
                ));
            } else {
                found.well(format!("{place} blends as it should"));
            }
            if item["visible"] == false {
                found.note(format!("{place} is hidden"));
            }
        }
    }
}

fn examine_engines(found: &mut Findings, all: &[Instance]) {
    if !all.iter().any(Instance::is_running) {
        found.note(
            "no engine is running; the source starts one when it is on air, or run `hyperfocus \
             run --output obs`",
        );
    }
    for engine in all {
        if let Life::Silent { for_ns } = engine.life
            && is_alive(engine.pid)
        {
            found.problem(format!(
                "engine \"{}\" (pid {}) has been silent for {:.0} s: it hangs; end it, and start \
                 it anew",
                engine.name,
                engine.pid,
                for_ns as f64 / 1e9
            ));
        }
    }
    for engine in all.iter().filter(|engine| engine.is_running()) {
        let name = format!("engine \"{}\" (pid {})", engine.name, engine.pid);
        if engine.engine != env!("CARGO_PKG_VERSION") {
            found.note(format!("{name} is version {}", engine.engine));
        }
        found.well(format!(
            "{name} draws {}x{}, {}",
            engine.width,
            engine.height,
            connection(engine)
        ));
        match (engine.reader_pid, engine.reader.showing) {
            (None, _) => found.problem(format!(
                "{name} is not read by OBS; is OBS running, with the source in a scene?"
            )),
            (Some(_), Showing::Nowhere) => found.note(format!(
                "{name} is read by OBS, and its source is not on air: gifts wait until it is"
            )),
            (Some(_), Showing::InPreview) => found.note(format!(
                "{name} is read by OBS, and its source is in a preview only: gifts wait until it \
                 is on air"
            )),
            (Some(pid), Showing::OnAir) => {
                let on_air = format!("{name} is on air in OBS (pid {pid})");
                match engine.frame_age_ns {
                    None => found.problem(format!(
                        "{on_air} and has drawn nothing yet; if that is so for longer than half a \
                         minute, its log says why"
                    )),
                    Some(_) if engine.is_empty => {
                        found.well(format!("{on_air}, and its stage is empty"));
                    }
                    Some(age) => found.well(format!(
                        "{on_air}, the last frame {:.1} s ago",
                        age as f64 / 1e9
                    )),
                }
            }
        }
    }
}

/// Whether the process is still one of ours; where that cannot be seen, it is not.
fn is_alive(pid: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm"));
    name.is_ok_and(|name| name.starts_with("hyperfocus"))
}

fn connection(engine: &Instance) -> String {
    let state = match engine.connection {
        Connection::Connecting => "connecting to its backend",
        Connection::Online => "connected to its backend",
        Connection::Offline => "without its backend: its log says why",
        Connection::Stopped => "done with its backend: its log says why",
        Connection::NotNeeded => "without need of a backend",
        _ => "starting",
    };
    match engine.backend_age_ns {
        Some(age) => format!("{state}, last event {:.0} s ago", age as f64 / 1e9),
        None => state.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenes(item: &str) -> Findings {
        let file = tempfile::NamedTempFile::new().unwrap();
        let saved = format!(
            r#"{{"name": "Show", "sources": [
                {{"id": "hyperfocus_gifts", "name": "Gifts"}},
                {{"id": "scene", "name": "Live", "settings": {{"items": [{item}]}}}}]}}"#
        );
        fs::write(file.path(), saved).unwrap();
        let mut found = Findings::default();
        examine_scenes(&mut found, file.path());
        found
    }

    #[test]
    fn a_wrong_way_of_blending_is_a_problem_that_says_where() {
        for wrong in [
            r#""blend_method": "srgb_off""#,
            r#""blend_type": "additive""#,
        ] {
            let found = scenes(&format!(r#"{{"name": "Gifts", {wrong}}}"#));
            assert_eq!(found.problems, 1, "{:?}", found.lines);
            assert!(found.lines[0].contains("\"Gifts\" in the scene \"Live\""));
        }
        let found =
            scenes(r#"{"name": "Gifts", "blend_type": "normal", "blend_method": "default"}"#);
        assert_eq!(found.problems, 0, "{:?}", found.lines);
        // Somebody else's source may blend as it likes.
        let found = scenes(r#"{"name": "Camera", "blend_type": "additive"}"#);
        assert_eq!(found.problems, 0, "{:?}", found.lines);
    }
}
