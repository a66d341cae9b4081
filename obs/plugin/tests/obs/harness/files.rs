//! OBS's configuration, written before it starts: its first-run questions are
//! answered, and the scenes are there.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Small: a software rasteriser cannot hold 1080p.
pub(crate) const CANVAS: (u32, u32) = (320, 180);
const FPS: u32 = 30;
/// Of the colour source at the bottom of each scene: 128, 128, 128, opaque.
const GREY: u32 = 0xff80_8080;

/// A scene: grey or nothing, and over it these.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) is_over_grey: bool,
    pub(crate) items: Vec<Item>,
}

/// A source in a scene: ours, or OBS's own Media Source.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The source's name; sources of one name are one source.
    pub(crate) source: &'static str,
    /// The engine's; empty for the first one running.
    pub(crate) instance: &'static str,
    pub(crate) starts_engine: bool,
    /// Whether the blending method is "SRGB Off".
    pub(crate) is_srgb_off: bool,
    /// The port on this machine that a Media Source reads.
    pub(crate) reads: Option<u16>,
}

impl Scene {
    pub(crate) fn new(name: &'static str, items: impl Into<Vec<Item>>) -> Self {
        Self {
            name,
            is_over_grey: false,
            items: items.into(),
        }
    }

    pub(crate) fn over_grey(self) -> Self {
        Self {
            is_over_grey: true,
            ..self
        }
    }
}

impl Item {
    /// A source that shows whatever runs and starts nothing.
    pub(crate) fn showing(source: &'static str) -> Self {
        Self {
            source,
            instance: "",
            starts_engine: false,
            is_srgb_off: false,
            reads: None,
        }
    }

    /// A Media Source with the settings that the engine prints.
    pub(crate) fn reading(source: &'static str, port: u16) -> Self {
        Self {
            reads: Some(port),
            ..Self::showing(source)
        }
    }

    /// Which kind of source it is, and its settings.
    fn kind(&self) -> (&'static str, Value) {
        match self.reads {
            None => (
                "hyperfocus_gifts",
                json!({ "instance": self.instance, "start_engine": self.starts_engine }),
            ),
            Some(port) => (
                "ffmpeg_source",
                json!({
                    "is_local_file": false, "restart_on_activate": false, "buffering_mb": 0,
                    "input": format!("tcp://127.0.0.1:{port}"), "input_format": "nut",
                    "reconnect_delay_sec": 1, "clear_on_media_end": true,
                    "close_when_inactive": false, "linear_alpha": true,
                }),
            ),
        }
    }
}

pub(super) fn write(home: &Path, scenes: &[Scene], canvas: (u32, u32), port: u16, password: &str) {
    let config = home.join(".config/obs-studio");
    let profile = config.join("basic/profiles/Test");
    let collections = config.join("basic/scenes");
    fs::create_dir_all(&profile).unwrap();
    fs::create_dir_all(&collections).unwrap();
    let global = format!(
        "[General]\nFirstRun=true\nEnableAutoUpdates=false\nLastVersion=486539266\n\
         [Basic]\nProfile=Test\nProfileDir=Test\nSceneCollection=Test\nSceneCollectionFile=Test\n\
         [BasicWindow]\nPreviewEnabled=false\nSysTrayEnabled=false\nWarnBeforeStoppingRecord=false\n\
         [OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={port}\n\
         AlertsEnabled=false\nAuthRequired=true\nServerPassword={password}\n"
    );
    let basic = format!(
        "[General]\nName=Test\n\
         [Video]\nBaseCX={0}\nBaseCY={1}\nOutputCX={0}\nOutputCY={1}\n\
         FPSType=2\nFPSNum={FPS}\nFPSDen=1\n\
         [Audio]\nSampleRate=48000\nChannelSetup=Stereo\n\
         [Output]\nMode=Simple\n\
         [SimpleOutput]\nFilePath={2}\nRecFormat=mkv\nRecQuality=Stream\nStreamEncoder=x264\n\
         Preset=ultrafast\nABitrate=320\n",
        canvas.0,
        canvas.1,
        home.display()
    );
    fs::write(config.join("global.ini"), global).unwrap();
    fs::write(profile.join("basic.ini"), basic).unwrap();
    let collection = serde_json::to_string_pretty(&collection(scenes, canvas)).unwrap();
    fs::write(collections.join("Test.json"), collection).unwrap();
}

fn collection(scenes: &[Scene], canvas: (u32, u32)) -> Value {
    let mut sources = vec![json!({
        "id": "color_source", "versioned_id": "color_source_v3", "name": "Grey",
        "settings": { "color": GREY, "width": canvas.0, "height": canvas.1 },
    })];
    for item in scenes.iter().flat_map(|scene| &scene.items) {
        if sources.iter().any(|source| source["name"] == item.source) {
            continue;
        }
        let (kind, settings) = item.kind();
        sources.push(json!({
            "id": kind, "versioned_id": kind, "name": item.source, "settings": settings,
            "mixers": 255, "volume": 1.0,
            // OBS 29 now and then crashes or hangs when it is closed with
            // inputs in its mixer's dock, its own ffmpeg_source among them.
            "private_settings": { "mixer_hidden": true },
        }));
    }
    for scene in scenes {
        let grey = scene.is_over_grey.then_some(("Grey", false));
        let ours = scene.items.iter().map(|it| (it.source, it.is_srgb_off));
        let items: Vec<Value> = grey
            .into_iter()
            .chain(ours)
            .enumerate()
            .map(|(index, (source, is_srgb_off))| item(index + 1, source, is_srgb_off))
            .collect();
        sources.push(json!({
            "id": "scene", "versioned_id": "scene", "name": scene.name,
            "settings": { "id_counter": items.len(), "items": items, "custom_size": false },
        }));
    }
    let order: Vec<Value> = scenes.iter().map(|it| json!({ "name": it.name })).collect();
    json!({
        "name": "Test",
        "current_scene": scenes[0].name,
        "current_program_scene": scenes[0].name,
        "scene_order": order,
        "sources": sources,
        "groups": [],
        "current_transition": "Cut",
        "transition_duration": 100,
        "transitions": [],
        "quick_transitions": [],
        "preview_locked": false,
        "saved_projectors": [],
        "modules": {},
    })
}

fn item(id: usize, source: &str, is_srgb_off: bool) -> Value {
    json!({
        "id": id, "name": source, "visible": true, "locked": false, "rot": 0.0,
        "pos": { "x": 0.0, "y": 0.0 }, "scale": { "x": 1.0, "y": 1.0 }, "align": 5,
        "bounds_type": 0, "bounds_align": 0, "bounds": { "x": 0.0, "y": 0.0 },
        "crop_left": 0, "crop_top": 0, "crop_right": 0, "crop_bottom": 0,
        "scale_filter": "disable", "blend_type": "normal",
        "blend_method": if is_srgb_off { "srgb_off" } else { "default" },
        "group_item_backup": false, "private_settings": {},
    })
}
