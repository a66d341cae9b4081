//! A source's settings.

use std::ffi::CStr;
use std::path::PathBuf;

use super::obs::Data;

pub(crate) const INSTANCE: &CStr = c"instance";
pub(crate) const START_ENGINE: &CStr = c"start_engine";
pub(crate) const MODE: &CStr = c"mode";
pub(crate) const CONFIG: &CStr = c"config";

/// What an engine is called that nobody named.
pub(crate) const DEFAULT_INSTANCE: &str = "main";

/// What a started engine shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// The gifts of the stream.
    #[default]
    Run,
    /// A scripted show of all gifts, to place the source by.
    Demo,
}

impl Mode {
    /// The program's command.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Demo => "demo",
        }
    }

    fn from_command(command: &str) -> Self {
        match command {
            "demo" => Self::Demo,
            _ => Self::Run,
        }
    }
}

/// How an engine is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Launch {
    pub(crate) mode: Mode,
    /// Its configuration; its own choice when `None`.
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Choice {
    /// The engine's name; `None` for the first one running.
    pub(crate) instance: Option<String>,
    /// How to start it when it does not run; `None` for not at all.
    pub(crate) launch: Option<Launch>,
}

impl Choice {
    pub(crate) fn read(data: &Data) -> Self {
        let not_empty = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            instance: not_empty(data.string(INSTANCE)),
            launch: data.bool(START_ENGINE).then(|| Launch {
                mode: Mode::from_command(&data.string(MODE)),
                config: not_empty(data.string(CONFIG)).map(PathBuf::from),
            }),
        }
    }

    pub(crate) fn set_defaults(data: &Data) {
        data.set_default_string(INSTANCE, c"");
        data.set_default_bool(START_ENGINE, true);
        data.set_default_string(MODE, c"run");
        data.set_default_string(CONFIG, c"");
    }
}
