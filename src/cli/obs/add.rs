//! `hyperfocus obs add`: the source, in a scene, as large as the canvas.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use hyperfocus_ring::{Folder, Instance, RingError, instances, now_ns};
use serde_json::{Value, json};

use super::home::{ObsHome, WebSocketSettings};
use super::websocket::ObsSocket;
use super::{AddArgs, SOURCE_KIND};
use crate::cli::stdout::print_line;
use crate::config::nearest;
use crate::model::Private;

/// What the source is called unless a source of that name is there already.
const SOURCE: &str = "Hyperfocus gifts";
/// Names tried for a further source.
const MOST_SOURCES: u32 = 99;

pub(super) fn run(args: &AddArgs) -> Result<ExitCode> {
    if let Some(name) = &args.name
        && let Err(error @ RingError::Name { .. }) =
            Folder::of_user().and_then(|folder| Instance::find(&folder, name, now_ns()))
    {
        bail!(error);
    }
    let settings = settings(ObsHome::all().iter().filter_map(ObsHome::websocket));
    if let (None, Some(settings)) = (args.port, &settings) {
        ensure!(
            settings.is_on,
            "OBS's WebSocket server is off; switch on Tools > WebSocket Server Settings > Enable \
             WebSocket server"
        );
    }
    let port = args
        .port
        .or(settings.as_ref().map(|settings| settings.port));
    let port = port.context(
        "OBS's settings were not found; start OBS once, or give --port and --password-file",
    )?;
    let password = match &args.password_file {
        Some(file) => Some(read_password(file)?),
        None => settings.and_then(|settings| settings.password).map(Private),
    };
    let mut obs = ObsSocket::connect(port, password.as_ref())?;
    let scene = scene(&mut obs, args.scene.as_deref())?;
    ensure!(
        texts(&obs.call("GetInputKindList", &json!({}))?["inputKinds"])
            .any(|kind| kind == SOURCE_KIND),
        "OBS has not loaded the plugin; run `hyperfocus obs install`, then start OBS anew"
    );
    let source = add(&mut obs, &scene, args.name.as_deref())?;
    print_line(format_args!("added \"{source}\" to the scene \"{scene}\""))?;
    if let Some(remark) = remark_on_size(&mut obs, args.name.as_deref()) {
        print_line(remark)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Of several OBSs the first whose WebSocket server is on is meant.
fn settings(all: impl Iterator<Item = WebSocketSettings>) -> Option<WebSocketSettings> {
    let mut all: Vec<_> = all.collect();
    let is_on = all.iter().position(|settings| settings.is_on);
    (!all.is_empty()).then(|| all.swap_remove(is_on.unwrap_or(0)))
}

fn read_password(file: &Path) -> Result<Private<String>> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the password file {}", file.display()))?;
    Ok(Private(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The scene that was named, or the one on air.
fn scene(obs: &mut ObsSocket, wanted: Option<&str>) -> Result<String> {
    let list = obs.call("GetSceneList", &json!({}))?;
    let Some(wanted) = wanted else {
        let current = list["currentProgramSceneName"].as_str();
        return current
            .map(str::to_owned)
            .context("OBS has no scene on air; name one with --scene");
    };
    let scenes = list["scenes"].as_array().map_or(&[][..], Vec::as_slice);
    let names = || {
        scenes
            .iter()
            .filter_map(|scene| scene["sceneName"].as_str())
    };
    if names().any(|name| name == wanted) {
        return Ok(wanted.to_owned());
    }
    match nearest(wanted, names()) {
        Some(near) => bail!("OBS has no scene \"{wanted}\"; did you mean \"{near}\"?"),
        None => {
            let names: Vec<_> = names().collect();
            bail!("OBS has no scene \"{wanted}\"; it has {}", names.join(", "))
        }
    }
}

fn add(obs: &mut ObsSocket, scene: &str, engine: Option<&str>) -> Result<String> {
    let inputs = obs.call("GetInputList", &json!({}))?;
    let taken: Vec<_> = inputs["inputs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|input| input["inputName"].as_str())
        .collect();
    let names = (1..=MOST_SOURCES).map(|number| match number {
        1 => SOURCE.to_owned(),
        number => format!("{SOURCE} {number}"),
    });
    let mut free = names.filter(|name| !taken.contains(&name.as_str()));
    let source = free
        .next()
        .context("OBS has ninety-nine of these sources already")?;
    let item = obs.call(
        "CreateInput",
        &json!({
            "sceneName": scene,
            "inputName": source,
            "inputKind": SOURCE_KIND,
            "inputSettings": { "instance": engine.unwrap_or_default() },
            "sceneItemEnabled": true,
        }),
    )?;
    let canvas = obs.call("GetVideoSettings", &json!({}))?;
    obs.call(
        "SetSceneItemTransform",
        &json!({
            "sceneName": scene,
            "sceneItemId": item["sceneItemId"],
            // Whatever size the engine has, now and later.
            "sceneItemTransform": {
                "positionX": 0.0,
                "positionY": 0.0,
                "boundsType": "OBS_BOUNDS_SCALE_INNER",
                "boundsWidth": canvas["baseWidth"],
                "boundsHeight": canvas["baseHeight"],
                "boundsAlignment": 0,
            },
        }),
    )?;
    Ok(source)
}

/// An engine that draws another size than the canvas is scaled, which costs
/// sharpness.
fn remark_on_size(obs: &mut ObsSocket, engine: Option<&str>) -> Option<String> {
    let folder = Folder::of_user().ok()?;
    let canvas = obs.call("GetVideoSettings", &json!({})).ok()?;
    let (width, height) = (&canvas["baseWidth"], &canvas["baseHeight"]);
    let all = instances(&folder, now_ns()).ok()?;
    let shown = all
        .iter()
        .find(|instance| instance.is_running() && engine.is_none_or(|name| name == instance.name));
    match shown {
        None => Some(
            "no engine is running yet: the source starts one when it is on air, or start \
             `hyperfocus demo --output obs` yourself"
                .to_owned(),
        ),
        Some(instance) if *width != instance.width || *height != instance.height => Some(format!(
            "the engine draws {}x{} and the canvas is {width}x{height}: start it with --size \
             {width}x{height} to be sharp",
            instance.width, instance.height
        )),
        Some(_) => None,
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obs_that_is_off_does_not_stand_before_one_that_is_on() {
        let at = |port, is_on| WebSocketSettings {
            is_on,
            port,
            password: None,
        };
        let port = |all: &[WebSocketSettings]| Some(settings(all.iter().cloned())?.port);
        assert_eq!(port(&[at(1, false), at(2, true), at(3, true)]), Some(2));
        assert_eq!(port(&[at(1, false), at(2, false)]), Some(1));
        assert_eq!(port(&[]), None);
    }
}
