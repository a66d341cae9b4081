//! What the user sees of a source's settings.

use std::ffi::CStr;

use hyperfocus_ring::{Folder, Instance, instances, now_ns};

use super::choice::{CONFIG, INSTANCE, MODE, START_ENGINE};
use super::ffi::Clicked;
use super::obs::Properties;
use super::source::Source;
use super::words;

const CONNECTION: &CStr = c"connection";
const REFRESH: &CStr = c"refresh";

/// The list of settings, filled with what is so now.
pub(crate) fn build(source: &Source, refresh: Clicked) -> Option<Properties> {
    let properties = Properties::create()?;
    properties.add_list(INSTANCE, c"Engine");
    properties.add_bool(
        START_ENGINE,
        c"Start the engine when the source goes on air",
    );
    properties.add_list(MODE, c"The engine plays");
    let modes = [
        ("The gifts of the stream", "run"),
        ("A demonstration", "demo"),
    ];
    properties.fill_list(
        MODE,
        &modes.map(|(shown, value)| (shown.to_owned(), value.to_owned())),
    );
    properties.add_file(
        CONFIG,
        c"The engine's settings file",
        c"Settings (*.toml);;All files (*)",
    );
    properties.add_words(CONNECTION, c"Connection");
    properties.add_button(REFRESH, c"Look again", refresh);
    update(source, &properties);
    Some(properties)
}

/// Brings list and words up to date.
pub(crate) fn update(source: &Source, properties: &Properties) {
    let now_ns = now_ns();
    let chosen = source.choice().instance;
    let folder = Folder::of_user();
    let running: Vec<Instance> = folder
        .as_ref()
        .ok()
        .and_then(|folder| instances(folder, now_ns).ok())
        .unwrap_or_default()
        .into_iter()
        .filter(Instance::is_running)
        .collect();
    let mut entries = vec![("The first one running".to_owned(), String::new())];
    entries.extend(
        running
            .iter()
            .map(|instance| (words::entry(instance), instance.name.clone())),
    );
    // What was chosen stays in the list when it is not there.
    if let Some(chosen) = chosen
        && running.iter().all(|instance| instance.name != chosen)
    {
        entries.push((format!("{chosen} (not running)"), chosen));
    }
    properties.fill_list(INSTANCE, &entries);
    let name = source.engine();
    let found = folder.and_then(|folder| Instance::find(&folder, &name, now_ns));
    let trouble = source.trouble();
    properties.say(
        CONNECTION,
        &words::connection(&name, &found, trouble.as_deref()),
    );
}
