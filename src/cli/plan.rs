//! A run with every question answered: what the engine is handed.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Shutdown;
use crate::catalog::Motion;
use crate::config::{
    BoardSettings, CaptionSettings, Config, ConfigFile, Folders, LiveOutput, OnAirSettings,
    OverlaySettings, Role, ShowSettings, Size, SoundSettings,
};
use crate::governor::Wish;
use crate::model::Private;
use crate::protocol::ClientType;

/// Longest token in bytes; signed ones come to a few thousand. A longer file
/// is refused, as it is probably not the token's.
const TOKEN_LIMIT: usize = 8 * 1024;

/// Everything a run needs; nothing in it is read from anywhere later.
#[derive(Debug, Clone)]
pub struct RunPlan {
    pub connection: Connection,
    pub stage: StageSettings,
    pub look: LookPlan,
    pub show: ShowSettings,
    pub on_air: OnAirSettings,
    pub sound: SoundSettings,
    /// Besides the window; may be empty.
    pub outputs: Vec<OutputPlan>,
    /// Gifts play even when no live output would show them.
    pub play_unseen: bool,
    /// An existing file.
    pub catalog: PathBuf,
    /// Where identities and caches are kept; may not exist yet.
    pub state_dir: PathBuf,
    /// `None` runs until it is told to end.
    pub time_limit: Option<Duration>,
    pub shutdown: Shutdown,
}

/// Whom to join, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `ws://` or `wss://`.
    pub url: String,
    pub stream_id: Arc<str>,
    /// For `Authorization: Bearer`; one line of visible ASCII.
    pub token: Option<Private<String>>,
    /// PEM file of authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    pub role: ClientType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageSettings {
    pub size: Size,
    pub fps: u32,
    pub quality: QualityPlan,
    /// Headless when false, which counts as a live output.
    pub window: bool,
}

/// How much the picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QualityPlan {
    pub wish: Wish,
    pub start: Start,
}

/// Where [`Wish::Auto`] begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With everything: there is no time to measure, or nothing to remember it.
    Full,
    /// Where this machine was measured to, measured now if it never was.
    Measured,
    /// The same, measured now in any case.
    MeasuredAnew,
}

/// What is written on the stage, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LookPlan {
    /// `None` is the environment's.
    pub language: Option<String>,
    pub captions: CaptionSettings,
    pub board: BoardSettings,
    /// Time from the stage's start until the board appears.
    pub board_begins: Duration,
}

impl LookPlan {
    pub fn of(config: &Config) -> Self {
        Self {
            language: config.language.clone(),
            captions: config.captions,
            board: config.board.clone(),
            board_begins: Duration::ZERO,
        }
    }
}

/// A sink of frames besides the window. Folders of files exist already.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputPlan {
    /// The last frame that had something in it.
    Png(PathBuf),
    /// A file for each frame, into this existing folder.
    PngSequence(PathBuf),
    /// The source in OBS, by what it calls this engine.
    Obs {
        name: String,
        /// Whether gifts play for a preview that only the streamer sees.
        in_preview: bool,
    },
    /// Over the desktop.
    Overlay {
        settings: OverlaySettings,
        /// What `hyperfocus overlay --send` calls it.
        name: String,
        /// Whether the stage is made for its place there, whatever size the
        /// plan has.
        sets_size: bool,
    },
    /// Players on this machine, at a loopback address.
    Nut(SocketAddr),
    /// RGBA, straight alpha, on standard output.
    Raw,
    /// What the backend says, as a show file that is not there yet.
    Show(PathBuf),
    Webm {
        path: PathBuf,
        /// Whether the run fails without an encoder, or warns and goes on.
        required: bool,
    },
}

/// Each gift at a few moments of its life, side by side, in one PNG.
#[derive(Debug, Clone)]
pub struct SheetPlan {
    pub path: PathBuf,
    pub catalog: PathBuf,
    pub motion: Motion,
    /// Once it is requested nothing more is drawn.
    pub shutdown: Shutdown,
}

impl RunPlan {
    /// Answers what the configuration leaves open, and finds out now what
    /// would otherwise fail in the middle of a show.
    ///
    /// # Errors
    /// No address or stream, an unusable token file, a missing catalogue, no
    /// display, an output whose folder cannot be made.
    pub fn from_config(config: &Config, time_limit: Option<Duration>) -> Result<Self> {
        let url = config.url.clone().context(
            "no backend to join: give --url wss://..., or url in the configuration file",
        )?;
        let stream = config
            .stream
            .as_deref()
            .context("no stream to join: give --stream ID, or stream in the configuration file")?;
        let token = config.token_file.as_deref().map(read_token).transpose()?;
        ensure!(
            !wants_window(config) || has_display(),
            "there is no display to open a window on (neither WAYLAND_DISPLAY nor DISPLAY is \
             set); add --headless"
        );
        Ok(Self {
            connection: Connection {
                url,
                stream_id: stream.into(),
                token,
                ca_file: config.ca_file.clone(),
                role: match config.role {
                    Role::Host => ClientType::Host,
                    Role::Viewer => ClientType::Viewer,
                },
            },
            stage: StageSettings {
                size: config.size,
                fps: config.fps,
                quality: QualityPlan {
                    wish: config.quality,
                    start: Start::Measured,
                },
                window: wants_window(config),
            },
            look: LookPlan::of(config),
            show: config.show.clone(),
            on_air: config.on_air.clone(),
            sound: config.sound.clone(),
            outputs: outputs(config)?,
            play_unseen: config.play_unseen,
            catalog: find_catalog(config.catalog.as_deref())?,
            state_dir: config.state_dir.clone(),
            time_limit,
            shutdown: Shutdown::default(),
        })
    }
}

/// The configuration of this machine and command line; warnings are printed.
pub(super) fn configure(chosen: Option<&Path>, flags: &[(&'static str, String)]) -> Result<Config> {
    let folders = Folders::of_this_machine();
    let file = ConfigFile::find(chosen, &folders)?;
    let (config, warnings) = Config::resolve(file.as_ref(), environment(), flags, &folders)?;
    for warning in warnings {
        eprintln!("hyperfocus: warning: {warning}");
    }
    Ok(config)
}

/// The process's variables; one that is not Unicode is none of ours.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

pub(super) fn wants_window(config: &Config) -> bool {
    !config.headless && config.output.to.contains(&LiveOutput::Window)
}

/// The live outputs besides the window.
pub(super) fn live_outputs(config: &Config) -> Vec<OutputPlan> {
    let output = &config.output;
    let plan = |to: &LiveOutput| match to {
        LiveOutput::Window => None,
        LiveOutput::Overlay => Some(OutputPlan::Overlay {
            settings: config.overlay.clone(),
            name: output.name.clone(),
            sets_size: false,
        }),
        LiveOutput::Obs => Some(OutputPlan::Obs {
            name: output.name.clone(),
            in_preview: false,
        }),
        LiveOutput::Nut(address) => Some(OutputPlan::Nut(*address)),
    };
    output.to.iter().filter_map(plan).collect()
}

fn outputs(config: &Config) -> Result<Vec<OutputPlan>> {
    let output = &config.output;
    let mut plans = live_outputs(config);
    if let Some(path) = &output.png {
        make_room_for(path)?;
        plans.push(OutputPlan::Png(path.clone()));
    }
    if let Some(folder) = &output.png_sequence {
        make_folder(folder)?;
        plans.push(OutputPlan::PngSequence(folder.clone()));
    }
    if output.raw {
        plans.push(OutputPlan::Raw);
    }
    if let Some(path) = &output.webm {
        make_room_for(path)?;
        check_webm(path)?;
        plans.push(OutputPlan::Webm {
            path: path.clone(),
            required: true,
        });
    }
    Ok(plans)
}

/// Whether a WebM is called one.
pub(super) fn check_webm(path: &Path) -> Result<()> {
    ensure!(
        path.extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("webm")),
        "{} would hold WebM: name it .webm; `hyperfocus record` writes other kinds",
        path.display()
    );
    Ok(())
}

/// Makes the folder that a file is to be written into.
pub(super) fn make_room_for(file: &Path) -> Result<()> {
    ensure!(
        !file.is_dir(),
        "{} is a folder; name a file to write",
        file.display()
    );
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => make_folder(folder),
        _ => Ok(()),
    }
}

pub(super) fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Whether a window could be opened. Elsewhere than on Unix desktops there
/// always is a display.
pub(super) fn has_display() -> bool {
    let unix_desktop = cfg!(all(unix, not(target_os = "macos")));
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !unix_desktop
        || ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
            .into_iter()
            .any(named)
}

/// The catalogue that was asked for, or the one that comes with the program.
pub(crate) fn find_catalog(chosen: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = chosen {
        ensure!(
            path.is_file(),
            "there is no catalogue at {}",
            path.display()
        );
        return Ok(path.to_owned());
    }
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let places = [
        beside.map(|folder| folder.join("assets")),
        beside.map(|folder| folder.join("../share/hyperfocus/assets")),
        Some(PathBuf::from("assets")),
        // A program that was built here and is run from elsewhere.
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")),
    ];
    let candidates = places
        .into_iter()
        .flatten()
        .map(|folder| folder.join("catalog.toml"));
    candidates
        .clone()
        .find(|path| path.is_file())
        .with_context(|| {
            let tried: Vec<_> = candidates.map(|path| path.display().to_string()).collect();
            format!(
                "no catalogue found; give --catalog FILE (looked for {})",
                tried.join(", ")
            )
        })
}

/// Reads a token file: one line, its newline trimmed. A file that others can
/// read is a warning.
pub(super) fn read_token(path: &Path) -> Result<Private<String>> {
    let shown = path.display();
    let mut file =
        std::fs::File::open(path).with_context(|| format!("cannot read the token file {shown}"))?;
    let metadata = file
        .metadata()
        .with_context(|| format!("cannot read the token file {shown}"))?;
    ensure!(metadata.is_file(), "the token file {shown} is not a file");
    if is_open_to_others(&metadata) {
        eprintln!(
            "hyperfocus: warning: others can read the token file {shown}; run: chmod 600 {shown}"
        );
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(TOKEN_LIMIT as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read the token file {shown}"))?;
    if bytes.len() > TOKEN_LIMIT {
        bail!("the token file {shown} is longer than any token (8 KiB)");
    }
    let token = bytes.trim_ascii();
    ensure!(!token.is_empty(), "the token file {shown} is empty");
    match std::str::from_utf8(token) {
        Ok(token) if token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Private(token.into())),
        _ => bail!("the token file {shown} must hold the token alone, on one line without blanks"),
    }
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_of(content: &[u8]) -> Result<Private<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, content).unwrap();
        read_token(&path)
    }

    #[test]
    fn a_token_is_read_without_its_newline() {
        assert_eq!(
            token_of(b"  s3cret.token \r\n").unwrap(),
            Private("s3cret.token".into())
        );
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_and_not_repeated() {
        let long = vec![b'x'; TOKEN_LIMIT + 1];
        for (content, reason) in [
            (&b"\n"[..], "is empty"),
            (b"two words", "on one line without blanks"),
            (b"line\nline", "on one line without blanks"),
            (b"\xff\xfe", "on one line without blanks"),
            (&long, "longer than any token"),
        ] {
            let told = token_of(content).unwrap_err().to_string();
            assert!(told.contains(reason) && !told.contains("words"), "{told}");
        }
    }

    #[test]
    fn a_folder_or_nothing_is_no_token_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_token(folder.path()).is_err());
        assert!(read_token(&folder.path().join("none")).is_err());
    }

    fn config() -> Config {
        Config {
            url: Some("ws://localhost/ws".to_owned()),
            stream: Some("s".to_owned()),
            headless: true,
            catalog: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")),
            ..Config::with_defaults(&Folders::of_this_machine())
        }
    }

    #[test]
    fn a_plan_needs_an_address_and_a_stream_and_says_how_to_give_them() {
        for (config, flag) in [
            (
                Config {
                    url: None,
                    ..config()
                },
                "--url",
            ),
            (
                Config {
                    stream: None,
                    ..config()
                },
                "--stream",
            ),
        ] {
            let told = RunPlan::from_config(&config, None).unwrap_err().to_string();
            assert!(told.contains(flag), "{told}");
        }
    }

    #[test]
    fn outputs_go_together_and_their_folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config();
        config.output.png = Some(folder.path().join("a/last.png"));
        config.output.png_sequence = Some(folder.path().join("b/frames"));
        config.output.webm = Some(folder.path().join("c/show.webm"));
        config.output.raw = true;
        let plan = RunPlan::from_config(&config, None).unwrap();
        assert_eq!(plan.outputs.len(), 4);
        for made in ["a", "b/frames", "c"] {
            assert!(folder.path().join(made).is_dir(), "{made}");
        }
        assert!(!plan.stage.window);
    }

    #[test]
    fn a_folder_is_no_file_to_write_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config();
        config.output.webm = Some(folder.path().to_owned());
        let told = RunPlan::from_config(&config, None).unwrap_err().to_string();
        assert!(told.contains("is a folder; name a file"), "{told}");
    }

    #[test]
    fn a_catalogue_that_is_not_there_is_named() {
        let told = find_catalog(Some(Path::new("nowhere.toml")))
            .unwrap_err()
            .to_string();
        assert_eq!(told, "there is no catalogue at nowhere.toml");
    }
}
