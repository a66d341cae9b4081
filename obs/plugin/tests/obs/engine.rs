//! The real engine in a real OBS, as a streamer meets it: installed, added to a
//! scene, playing, killed, back.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use hyperfocus_ring::{Instance, now_ns};
use serde_json::json;
use tempfile::TempDir;

use super::harness::{Home, Item, Picture, Scene, until};

const SOURCE: &str = "Hyperfocus gifts";

#[test]
fn a_streamer_installs_adds_and_sees_gifts() {
    let Some(home) = Home::new() else { return };
    let tool = Tool::of(&home);
    tool.says(&["obs", "install", "--remove"], true, "removed");
    tool.says(&["obs", "doctor"], false, "hyperfocus obs install");
    tool.says(&["obs", "install"], true, "Start OBS anew");

    let mut obs = home.start(&[Scene::new("Break", []), Scene::new("Live", [])]);
    tool.says(
        &["obs", "add", "--scene", "Lvie"],
        false,
        "did you mean \"Live\"?",
    );
    tool.says(&["obs", "add", "--scene", "Live"], true, "added");
    obs.call(
        "SetInputSettings",
        &json!({ "inputName": SOURCE, "inputSettings": { "mode": "demo" } }),
    );
    // It goes on air: the source starts the engine, and gifts come.
    obs.switch_to("Live");
    obs.wait_for("Live", "a gift plays", has_a_gift);
    let rings = obs.home().rings();
    let engine = Instance::find(&rings, "main", now_ns()).unwrap();
    tool.says(&["obs", "doctor"], true, "is on air in OBS");

    let killed = Command::new("kill")
        .args(["-KILL", &engine.pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    obs.wait_for("Live", "a dead engine's gifts are gone", is_nothing);
    obs.wait_for("Live", "another engine plays", has_a_gift);
    let again = Instance::find(&rings, "main", now_ns()).unwrap();
    assert_ne!(again.pid, engine.pid);

    // A gift's place is the whole canvas, whatever size the engine draws.
    let item = obs.call("GetSceneItemList", &json!({ "sceneName": "Live" }));
    let transform = &item["sceneItems"][0]["sceneItemTransform"];
    assert_eq!(transform["boundsWidth"], 320.0, "{transform}");

    // OBS itself is not asked to quit: after an input was made by request it
    // now and then crashes in its own windows.
    obs.call("RemoveInput", &json!({ "inputName": SOURCE }));
    until("the engine ends with its source", || {
        fs::read(format!("/proc/{}/cmdline", again.pid))
            .map_or(true, |line| line.is_empty())
            .then_some(())
    });
}

#[test]
fn why_an_engine_does_not_start_is_told_and_it_starts_once_it_can() {
    let Some(home) = Home::new() else { return };
    home.install_engine(&program());
    let source = Item {
        starts_engine: true,
        ..Item::showing(SOURCE)
    };
    let mut obs = home.start(&[Scene::new("Live", [source])]);
    // Nobody has said which stream.
    until("OBS's log says why", || {
        let log = obs.log();
        let is_told = log.contains("engine main says: ") && log.contains("--url");
        is_told.then_some(())
    });
    obs.call(
        "SetInputSettings",
        &json!({ "inputName": SOURCE, "inputSettings": { "mode": "demo" } }),
    );
    obs.wait_for("Live", "a gift plays", has_a_gift);
    let engine = Instance::find(&obs.home().rings(), "main", now_ns()).unwrap();

    // An OBS that dies without a word leaves no engine behind.
    let killed = Command::new("kill")
        .args(["-KILL", &obs.pid().to_string()])
        .status();
    assert!(killed.unwrap().success());
    until("the engine ends", || {
        fs::read(format!("/proc/{}/cmdline", engine.pid))
            .map_or(true, |line| line.is_empty())
            .then_some(())
    });
}

/// The engine, as cargo built it.
pub(super) fn program() -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    let program = folder.ancestors().nth(2).unwrap().join("hyperfocus");
    assert!(
        program.is_file(),
        "{} is not built; run `cargo build` first",
        program.display()
    );
    program
}

/// The program, run by hand beside this OBS.
struct Tool {
    /// The program and the plugin as a package holds them, side by side. What
    /// lies beside the built program may be a plugin of an earlier build.
    package: TempDir,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Tool {
    fn of(home: &Home) -> Self {
        let built = program();
        let folder = built.parent().unwrap();
        let package = TempDir::new_in(folder).unwrap();
        let plugin = "libhyperfocus_obs.so";
        for (from, name) in [
            (built.clone(), "hyperfocus"),
            (folder.join("deps").join(plugin), plugin),
        ] {
            fs::hard_link(from, package.path().join(name)).unwrap();
        }
        Self {
            package,
            environment: home.environment(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(self.package.path().join("hyperfocus"))
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap()
    }

    /// Runs it, and finds `words` in what it says.
    fn says(&self, arguments: &[&str], is_well: bool, words: &str) {
        let ran = self.run(arguments);
        let said = [ran.stdout, ran.stderr].map(|text| String::from_utf8(text).unwrap());
        let said = said.concat();
        assert_eq!(ran.status.success(), is_well, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

pub(super) fn has_a_gift(picture: &Picture) -> bool {
    // A twentieth of the canvas: more than any spark.
    let (width, height) = picture.size();
    coloured(picture) > (width * height / 20) as usize
}

pub(super) fn is_nothing(picture: &Picture) -> bool {
    coloured(picture) == 0
}

/// Pixels that something was drawn on.
pub(super) fn coloured(picture: &Picture) -> usize {
    let (width, height) = picture.size();
    let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    all.filter(|&(x, y)| picture.at(x, y) != [0; 4]).count()
}
