//! Where OBS keeps its things on this machine: it may be there more than once.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file of the plugin that is beside this program.
pub(super) const PLUGIN_FILE: &str = if cfg!(windows) {
    "hyperfocus_obs.dll"
} else if cfg!(target_os = "macos") {
    "libhyperfocus_obs.dylib"
} else {
    "libhyperfocus_obs.so"
};

/// What an OBS in a sandbox needs, and cannot do.
pub(super) const IN_FLATPAK: &str = "it can only reach the engine with: flatpak override --user \
     --device=shm com.obsproject.Studio; start the engine yourself with `hyperfocus run --output \
     obs`, since from within the sandbox the source cannot";

/// How Flatpak calls OBS.
const FLATPAK: &str = "com.obsproject.Studio";
/// Where obs-websocket listens unless it is told otherwise.
const WEBSOCKET_PORT: u16 = 4455;

/// One OBS of this user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObsHome {
    /// How to call it, for people.
    pub(super) title: &'static str,
    /// Its configuration.
    pub(super) config: PathBuf,
    /// Where its plugins for one user are.
    plugins: PathBuf,
    pub(super) is_flatpak: bool,
}

/// What obs-websocket's settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebSocketSettings {
    pub(super) is_on: bool,
    pub(super) port: u16,
    pub(super) password: Option<String>,
}

impl ObsHome {
    /// Every OBS that has run here; where none has, the ordinary one, which may
    /// be installed later.
    pub(super) fn all() -> Vec<Self> {
        let mut homes = Self::candidates(&|name| std::env::var_os(name).map(PathBuf::from));
        if homes.iter().any(Self::has_run) {
            homes.retain(Self::has_run);
        } else {
            homes.truncate(1);
        }
        homes
    }

    /// Where OBS may be, the ordinary place first.
    fn candidates(variable: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<Self> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        if cfg!(windows) {
            // Not tried.
            let (Some(config), Some(data)) = (absolute("APPDATA"), absolute("ProgramData")) else {
                return Vec::new();
            };
            return vec![Self::ordinary(
                config.join("obs-studio"),
                data.join("obs-studio/plugins"),
            )];
        }
        let Some(home) = absolute("HOME") else {
            return Vec::new();
        };
        if cfg!(target_os = "macos") {
            // Not tried.
            let config = home.join("Library/Application Support/obs-studio");
            return vec![Self::ordinary(config.clone(), config.join("plugins"))];
        }
        let config = absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let config = config.join("obs-studio");
        let sandbox = home
            .join(".var/app")
            .join(FLATPAK)
            .join("config/obs-studio");
        vec![
            Self::ordinary(config.clone(), config.join("plugins")),
            Self {
                title: "OBS (Flatpak)",
                plugins: sandbox.join("plugins"),
                config: sandbox,
                is_flatpak: true,
            },
        ]
    }

    fn ordinary(config: PathBuf, plugins: PathBuf) -> Self {
        Self {
            title: "OBS",
            config,
            plugins,
            is_flatpak: false,
        }
    }

    pub(super) fn has_run(&self) -> bool {
        self.config.is_dir()
    }

    /// The folder that is all of the plugin's.
    pub(super) fn folder(&self) -> PathBuf {
        self.plugins.join(if cfg!(target_os = "macos") {
            "hyperfocus.plugin"
        } else {
            "hyperfocus"
        })
    }

    /// Where the plugin itself belongs.
    pub(super) fn plugin(&self) -> PathBuf {
        self.folder().join(if cfg!(windows) {
            "bin/64bit/hyperfocus.dll"
        } else if cfg!(target_os = "macos") {
            "Contents/MacOS/hyperfocus"
        } else {
            "bin/64bit/hyperfocus.so"
        })
    }

    /// Which program the source starts.
    pub(super) fn engine_file(&self) -> PathBuf {
        self.folder().join(if cfg!(target_os = "macos") {
            "Contents/Resources/engine.conf"
        } else {
            "data/engine.conf"
        })
    }

    /// The scene collections.
    pub(super) fn collections(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.config.join("basic/scenes"));
        let mut files: Vec<_> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        files.sort();
        files
    }

    /// How obs-websocket is set; `None` when OBS has not said.
    pub(super) fn websocket(&self) -> Option<WebSocketSettings> {
        let newer = self.config.join("plugin_config/obs-websocket/config.json");
        if let Ok(text) = fs::read_to_string(newer) {
            return WebSocketSettings::from_json(&text);
        }
        ["user.ini", "global.ini"].iter().find_map(|name| {
            let text = fs::read_to_string(self.config.join(name)).ok()?;
            WebSocketSettings::from_ini(&text)
        })
    }
}

impl WebSocketSettings {
    /// As obs-websocket 5.5 and newer keep them.
    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let password = value["server_password"].as_str().map(str::to_owned);
        Some(Self {
            is_on: value["server_enabled"].as_bool().unwrap_or(false),
            port: value["server_port"]
                .as_u64()
                .and_then(|port| port.try_into().ok())
                .unwrap_or(WEBSOCKET_PORT),
            password: password.filter(|_| value["auth_required"].as_bool().unwrap_or(true)),
        })
    }

    /// As older ones did, in a section of OBS's own settings.
    fn from_ini(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().map(str::trim);
        lines.find(|line| *line == "[OBSWebSocket]")?;
        let mut settings = Self {
            is_on: false,
            port: WEBSOCKET_PORT,
            password: None,
        };
        let mut needs_password = true;
        let section = lines.take_while(|line| !line.starts_with('['));
        for (key, value) in section.filter_map(|line| line.split_once('=')) {
            match key {
                "ServerEnabled" => settings.is_on = value == "true",
                "ServerPort" => settings.port = value.parse().unwrap_or(WEBSOCKET_PORT),
                "AuthRequired" => needs_password = value == "true",
                "ServerPassword" => settings.password = Some(value.to_owned()),
                _ => {}
            }
        }
        settings.password = settings.password.filter(|_| needs_password);
        Some(settings)
    }
}

/// The plugin that comes with this program.
pub(super) fn own_plugin() -> Result<PathBuf, Vec<PathBuf>> {
    let program = std::env::current_exe().unwrap_or_default();
    let beside = program.parent().unwrap_or(Path::new(""));
    let places: Vec<_> = [".", "../lib/hyperfocus"]
        .iter()
        .map(|place| beside.join(place).join(PLUGIN_FILE))
        .collect();
    match places.iter().find(|path| path.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_websocket_is_found_in_old_settings_and_new() {
        let expected = WebSocketSettings {
            is_on: true,
            port: 4460,
            password: Some("open sesame".to_owned()),
        };
        let old = "\u{feff}[General]\nFirstRun=true\n[OBSWebSocket]\nServerEnabled=true\n\
                   ServerPort=4460\nAuthRequired=true\nServerPassword=open sesame\n[Audio]\n\
                   ServerPort=1\n";
        assert_eq!(WebSocketSettings::from_ini(old), Some(expected.clone()));
        let new = r#"{"server_enabled":true,"server_port":4460,"auth_required":true,
                      "server_password":"open sesame"}"#;
        assert_eq!(WebSocketSettings::from_json(new), Some(expected));
        assert_eq!(WebSocketSettings::from_ini("[General]\n"), None);
        assert_eq!(WebSocketSettings::from_json("{"), None);
    }

    #[test]
    fn without_authentication_a_password_is_none() {
        let open = "[OBSWebSocket]\nServerEnabled=true\nAuthRequired=false\nServerPassword=x\n";
        let settings = WebSocketSettings::from_ini(open).unwrap();
        assert_eq!((settings.password, settings.port), (None, WEBSOCKET_PORT));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn obs_is_looked_for_where_debian_and_flatpak_put_it() {
        let variable = |name: &str| (name == "HOME").then(|| PathBuf::from("/ada"));
        let plugins: Vec<_> = ObsHome::candidates(&variable)
            .iter()
            .map(ObsHome::plugin)
            .collect();
        let end = "plugins/hyperfocus/bin/64bit/hyperfocus.so";
        let ordinary = Path::new("/ada/.config/obs-studio").join(end);
        let sandbox = "/ada/.var/app/com.obsproject.Studio/config/obs-studio";
        assert_eq!(plugins, [ordinary, Path::new(sandbox).join(end)]);
    }
}
