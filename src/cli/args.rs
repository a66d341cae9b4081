//! What the command line takes, and which settings it speaks for.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueHint};

use super::obs::ObsCommand;
use super::preview::PreviewArgs;
use super::record::RecordArgs;
use super::tune::TuneArgs;
use crate::pack::AlphaSize;

/// Turns live-stream gifts into a show.
#[derive(Debug, Parser)]
#[command(name = "hyperfocus", version, about, propagate_version = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

/// Of the commands that are configured.
#[derive(Debug, Args)]
pub(super) struct ConfigArg {
    /// Configuration file, instead of hyperfocus/config.toml in the
    /// configuration folder
    #[arg(long, value_name = "FILE", env = "HYPERFOCUS_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    pub fn path(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Join a stream and play its gifts
    #[command(after_help = AFTER_RUN)]
    Run(Box<RunArgs>),
    /// Lay the gifts of a stream over the desktop
    #[command(after_help = AFTER_OVERLAY)]
    Overlay(Box<OverlayArgs>),
    /// Play a scripted show of every gift against an embedded backend
    Demo(Box<DemoArgs>),
    /// Take gifts in over HTTP and give them to every renderer of their stream
    #[cfg(feature = "relay")]
    #[command(after_help = AFTER_SERVE)]
    Serve(ServeArgs),
    /// Print a link that signs a browser or an OBS dock in at the relay's desk
    #[cfg(feature = "relay")]
    #[command(after_help = AFTER_DESK)]
    Desk(DeskArgs),
    /// Look at single gifts while their recipes and textures are edited
    Preview(Box<PreviewArgs>),
    /// Draw a show from a file into a video, the same every time
    #[command(after_help = super::record::AFTER)]
    Record(Box<RecordArgs>),
    /// Say how long gifts would wait at each rate, and which rate suits
    #[command(after_help = super::tune::AFTER)]
    Tune(TuneArgs),
    /// Say what is wrong with configuration, catalogue and assets, and where
    Check(CheckArgs),
    /// List the sound devices that --sound-device can name
    Devices,
    /// The source "Hyperfocus gifts" in OBS Studio
    #[command(subcommand)]
    Obs(ObsCommand),
    /// Make a gift's video (VAP) from frames with alpha
    #[command(after_help = AFTER_PACK)]
    Pack(PackArgs),
    /// Measure, and print the table of figures and bars
    Bench(BenchArgs),
    /// One run of a figure that needs a process of its own
    #[command(hide = true)]
    BenchChild { words: Vec<String> },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, or write one for each subcommand into a folder
    Man {
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

const AFTER_RUN: &str = "\
Every setting can also stand in the configuration file or in a HYPERFOCUS_* \
variable; flags win. Ctrl-C and SIGTERM close the connection in good order and \
exit with 0. Outputs go together; without --headless or --output there is a \
window as well.";

#[cfg(feature = "relay")]
const AFTER_SERVE: &str = "\
The tokens lie in the data folder as host.token, viewer.token and ingest.token. A \
gift is on disk before it is accepted, and is sent until a host has shown it. What \
there is over HTTP stands in /openapi.json. Gifts come from Twitch, YouTube, Kick and \
TikTok as well, where the configuration has [[relay.source]]; docs/config.example.toml \
shows how.";

#[cfg(feature = "relay")]
const AFTER_DESK: &str = "\
A link works once, within ten minutes; whoever has opened it stays signed in. In OBS \
it goes into Docks > Custom Browser Docks. `hyperfocus serve` prints one as well.";

const AFTER_OVERLAY: &str = "\
Nothing of it can be clicked, and it takes no keys while you type. Where the desktop \
has a tray, an icon there has it all in its menu. Bind `hyperfocus overlay --send toggle` \
to a key of your desktop; on X11 Ctrl+Alt and H, M, D, Q or W do what toggle, mute, dnd, \
quality and why do. Without --size the stage is made for its \
place on the first monitor that shows it. To be the stream's host as well, and not \
just a viewer: `hyperfocus run --output overlay`.";

const AFTER_PACK: &str = "\
Frames are PNG files with transparency, all of one size, in the order of the last \
number in their names. The encoder is the program ffmpeg with libx264. In a \
catalogue the video is `file = \"gift.mp4\"` of a table [gift.TYPE.video].";

/// What is drawn and heard, alike live and recorded.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Pixels of the stage
    #[arg(long, value_name = "WxH")]
    size: Option<String>,
    /// Frames per second, 1 to 240; of a recording 10 at least
    #[arg(long, value_name = "N")]
    fps: Option<String>,
    /// How much may move: full, reduced or calm
    #[arg(long, value_name = "HOW")]
    motion: Option<String>,
    /// A catalogue of your own
    #[arg(long, value_name = "FILE", value_parser = path, value_hint = ValueHint::AnyPath)]
    pub catalog: Option<PathBuf>,
    /// No sound
    #[arg(long)]
    mute: bool,
    /// Loudness, 0 to 1
    #[arg(long, value_name = "V")]
    volume: Option<String>,
    /// How captions look: glass, neon or high-contrast
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// How much larger captions are, 0.75 to 1.6
    #[arg(long, value_name = "N")]
    text_scale: Option<String>,
    /// Language of the stage's texts and numbers, such as de or en
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Show the board: live badge, goal, top gifters, recent gifts
    #[arg(long)]
    pub board: bool,
    /// The lanes whose gifts are drawn: headline, feature, ambient or several
    #[arg(long, value_name = "LANES", value_delimiter = ',')]
    lanes: Vec<String>,
}

/// How the stage is set, alike for the real thing and the demo.
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    #[command(flatten)]
    pub show: ShowArgs,
    /// How much the picture may cost: auto, low, medium, high or ultra
    #[arg(long, value_name = "HOW")]
    quality: Option<String>,
    /// Render without a window, even where --output names one
    #[arg(long)]
    pub headless: bool,
    /// Where the stage is shown: window, overlay, obs, nut://127.0.0.1:PORT (a
    /// player on this machine) or several; may be given again
    #[arg(long, value_name = "WHERE", value_delimiter = ',')]
    output: Vec<String>,
    /// What the source in OBS calls this engine
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where the sound goes, as `hyperfocus devices` lists it, instead of the
    /// default
    #[arg(long, value_name = "NAME")]
    sound_device: Option<String>,
    /// End when standard input does: whoever started the program has gone
    #[arg(long)]
    pub end_with_stdin: bool,
    #[command(flatten)]
    overlay: OverlayPlaceArgs,
}

/// Where on the desktop an overlay lies.
#[derive(Debug, Args)]
#[command(next_help_heading = "Overlay")]
struct OverlayPlaceArgs {
    /// Where the overlay is: main, all or a monitor's name, such as DP-1
    #[arg(long, value_name = "NAME")]
    monitor: Option<String>,
    /// The part of it: full, right-third or lower-band
    #[arg(long, value_name = "WHERE")]
    place: Option<String>,
    /// Of that part, how much: 0.25 to 1
    #[arg(long, value_name = "N")]
    scale: Option<String>,
    /// How opaque the gifts are: 0.1 to 1
    #[arg(long, value_name = "N")]
    opacity: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct OverlayArgs {
    /// Tell the overlay that runs: toggle, show, hide, mute, dnd, quality (the
    /// next) or which, why (is nothing showing?) or quit
    #[arg(long, value_name = "WORD", value_parser = OVERLAY_WORDS)]
    pub send: Option<String>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// What an overlay can be told.
pub(super) const OVERLAY_WORDS: [&str; 13] = [
    "toggle", "show", "hide", "mute", "dnd", "quality", "auto", "low", "medium", "high", "ultra",
    "why", "quit",
];

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub file: ConfigArg,
    /// The backend's WebSocket, ws:// or wss://
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The stream to join
    #[arg(long, value_name = "ID")]
    stream: Option<String>,
    /// A file that holds the token and nothing else
    #[arg(long, value_name = "FILE", value_parser = path, value_hint = ValueHint::AnyPath)]
    token_file: Option<PathBuf>,
    /// PEM file with certificates to trust besides the system's
    #[arg(long, value_name = "FILE", value_parser = path, value_hint = ValueHint::AnyPath)]
    ca_file: Option<PathBuf>,
    /// As what to join: host (its acks count) or viewer; an overlay is a viewer
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// End by itself after so many seconds
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Print the closing summary as one JSON object (with --raw, on standard
    /// error)
    #[arg(long)]
    pub json: bool,
    /// Measure anew where --quality auto begins on this machine
    #[arg(long)]
    pub measure_quality: bool,
    /// Let gifts play although no output would show them
    #[arg(long)]
    play_unseen: bool,
    /// Keep the last frame that had something in it
    #[arg(long, value_name = "FILE", value_parser = path, value_hint = ValueHint::AnyPath)]
    png: Option<PathBuf>,
    /// Write every frame as a PNG
    #[arg(long, value_name = "DIR", value_parser = path, value_hint = ValueHint::AnyPath)]
    png_sequence: Option<PathBuf>,
    /// Write raw RGBA with straight alpha to standard output
    #[arg(long)]
    raw: bool,
    /// Record WebM (VP9) with alpha
    #[arg(long, value_name = "FILE", value_parser = path, value_hint = ValueHint::AnyPath)]
    webm: Option<PathBuf>,
    /// Keep what the backend says, with its times, for `hyperfocus record`: a new
    /// file of at most 1 GiB, with viewers' names in it and readable by you alone
    #[arg(long, value_name = "FILE")]
    pub keep_show: Option<PathBuf>,
    #[command(flatten)]
    pub stage: StageArgs,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Length of the show
    #[arg(long, value_name = "N", value_parser = seconds, default_value = "30")]
    pub seconds: f64,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Only the show: draw no demo.png after it
    #[arg(long)]
    pub no_sheet: bool,
    /// Where demo.png and demo.webm go
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub out: PathBuf,
    /// Port of the embedded backend; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    #[command(flatten)]
    pub stage: StageArgs,
}

#[cfg(feature = "relay")]
#[derive(Debug, Args)]
pub(super) struct RelayFolder {
    /// Where gifts and tokens are kept, instead of hyperfocus/relay in the state
    /// folder
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[cfg(feature = "relay")]
impl RelayFolder {
    /// `state` is the folder in which programs of this user keep theirs.
    pub fn path(self, state: &Path) -> PathBuf {
        self.data_dir.unwrap_or_else(|| state.join("relay"))
    }
}

#[cfg(feature = "relay")]
#[derive(Debug, Args)]
pub(super) struct DeskArgs {
    #[command(flatten)]
    pub file: ConfigArg,
    #[command(flatten)]
    pub folder: RelayFolder,
}

#[cfg(feature = "relay")]
fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    let read = text.parse();
    read.map_err(|_| "write address and port in numbers, as in 127.0.0.1:7788".to_owned())
}

/// As it stands in `Host`, without a port.
#[cfg(feature = "relay")]
fn host_name(text: &str) -> Result<String, String> {
    let address = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_name = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            !text.is_empty() && text.chars().all(is_part)
        }
    };
    match is_name {
        true => Ok(text.to_owned()),
        false => Err("write the name alone, as in relay.example".to_owned()),
    }
}

/// As browsers send it (RFC 6454): scheme, host and perhaps a port.
#[cfg(feature = "relay")]
fn origin(text: &str) -> Result<String, String> {
    let schemes = ["https://", "http://"];
    let authority = schemes.iter().find_map(|it| text.strip_prefix(it));
    match authority.filter(|it| !it.is_empty() && !it.contains(['/', ' ', '@', '?', '#'])) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write scheme and host, as in https://dock.example".to_owned()),
    }
}

#[cfg(feature = "relay")]
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub file: ConfigArg,
    /// Address and port, a loopback one unless there is a certificate; port 0 takes
    /// a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7788", value_parser = address)]
    pub listen: std::net::SocketAddr,
    /// PEM file with the relay's certificate, and those between it and an authority
    /// that others trust: speak TLS only. Read again when it changes, and at SIGHUP,
    /// under nohup as well
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub folder: RelayFolder,
    /// Size at which the database takes no more gifts; the disk's when left away
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1_000_000),
          conflicts_with = "store")]
    pub store_limit: Option<u64>,
    /// Keep gifts in NATS JetStream instead of a database, together with other relays:
    /// nats://HOST:PORT, or tls:// where it must be encrypted; several with commas
    #[arg(
        long,
        value_name = "URL",
        env = "HYPERFOCUS_STORE",
        hide_env_values = true
    )]
    pub store: Option<String>,
    /// A file that only you can read, with what NATS asks for: a .creds file, or one line
    /// with user:password, a token or an nkey's seed
    #[arg(
        long,
        value_name = "FILE",
        env = "HYPERFOCUS_STORE_CREDENTIALS",
        requires = "store"
    )]
    pub store_credentials: Option<PathBuf>,
    /// Certificates (PEM) to trust besides the system's when NATS speaks TLS
    #[arg(long, value_name = "FILE", requires = "store")]
    pub store_ca: Option<PathBuf>,
    /// How many NATS servers keep each gift
    #[arg(long, value_name = "N", default_value_t = 1, requires = "store",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=5))]
    pub store_replicas: usize,
    /// How long a gift is kept after it was shown or failed
    #[arg(long, value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub history_days: u64,
    /// Put a damaged database aside and begin with an empty one
    #[arg(long, conflicts_with = "store")]
    pub start_clean: bool,
    /// A name besides localhost by which the relay may be called, as a proxy
    /// before it does; may be given again
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub allow_host: Vec<String>,
    /// An origin, such as https://dock.example, whose pages may ask the relay over
    /// HTTP, with a token of theirs; may be given again
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub allow_origin: Vec<String>,
    /// Connections of one address at once; 500 when left away, and any number from
    /// this machine, as from a proxy on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub max_per_address: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub file: ConfigArg,
    /// The catalogue to check, instead of the configured one
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct PackArgs {
    /// A folder of numbered PNG files, or a pattern such as frames/%05d.png
    #[arg(value_name = "FRAMES")]
    pub frames: PathBuf,
    /// The video to write, an .mp4
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Frames per second, 1 to 240
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=240))]
    pub fps: u32,
    /// How much is given up for a smaller file: 1 (hardly anything) to 51, as x264's crf
    #[arg(long, value_name = "N", default_value_t = crate::pack::DEFAULT_QUALITY,
          value_parser = clap::value_parser!(u8).range(1..=51))]
    pub quality: u8,
    /// A sound file, which becomes the video's sound as AAC
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// Size of the stored alpha: 1 keeps edges exact, 0.5 makes a smaller video
    #[arg(long, value_name = "0.5|1", default_value = "1", value_parser = alpha_size)]
    pub scale_alpha: AlphaSize,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Only figures whose id or area begins so, such as gifts or stage.idle
    #[arg(value_name = "NAME")]
    pub only: Vec<String>,
    /// Print the figures as one JSON list instead of a table
    #[arg(long)]
    pub json: bool,
    /// Where the raw figures go
    #[arg(long, value_name = "FILE", default_value = "out/bench.json")]
    pub out: PathBuf,
}

/// Longest run that `--seconds` asks for: a year.
const MAX_SECONDS: f64 = 366.0 * 86_400.0;

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= MAX_SECONDS => Ok(seconds),
        _ => Err("give a number of seconds above 0, at most a year (31622400)".to_owned()),
    }
}

fn alpha_size(text: &str) -> Result<AlphaSize, String> {
    match text.parse() {
        Ok(1.0) => Ok(AlphaSize::Full),
        Ok(0.5) => Ok(AlphaSize::Half),
        _ => Err("give 0.5 or 1".to_owned()),
    }
}

/// Settings that the command line gave: key and value.
pub(super) type Given = Vec<(&'static str, String)>;

pub(super) fn give(given: &mut Given, key: &'static str, value: Option<&String>) {
    given.extend(value.map(|value| (key, value.clone())));
}

/// A path that becomes a setting: those are text.
pub(super) fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(text.into())
}

pub(super) fn give_path(given: &mut Given, key: &'static str, value: Option<&PathBuf>) {
    given.extend(value.map(|path| (key, path.to_string_lossy().into_owned())));
}

pub(super) fn give_switch(given: &mut Given, key: &'static str, on: bool) {
    given.extend(on.then(|| (key, "true".to_owned())));
}

impl ShowArgs {
    pub fn given(&self) -> Given {
        let mut given = Vec::new();
        give(&mut given, "size", self.size.as_ref());
        give(&mut given, "fps", self.fps.as_ref());
        give(&mut given, "show.motion", self.motion.as_ref());
        give_path(&mut given, "catalog", self.catalog.as_ref());
        give_switch(&mut given, "sound.muted", self.mute);
        give(&mut given, "sound.volume", self.volume.as_ref());
        give(&mut given, "captions.theme", self.theme.as_ref());
        give(&mut given, "captions.text_scale", self.text_scale.as_ref());
        give(&mut given, "language", self.language.as_ref());
        give_switch(&mut given, "board.show", self.board);
        let lanes = (!self.lanes.is_empty()).then(|| self.lanes.join(","));
        give(&mut given, "show.lanes", lanes.as_ref());
        given
    }
}

impl StageArgs {
    pub fn given(&self) -> Given {
        let mut given = self.show.given();
        give(&mut given, "quality", self.quality.as_ref());
        give_switch(&mut given, "headless", self.headless);
        let output = (!self.output.is_empty()).then(|| self.output.join(","));
        give(&mut given, "output.to", output.as_ref());
        give(&mut given, "output.name", self.name.as_ref());
        give(&mut given, "sound.device", self.sound_device.as_ref());
        let overlay = &self.overlay;
        give(&mut given, "overlay.monitor", overlay.monitor.as_ref());
        give(&mut given, "overlay.place", overlay.place.as_ref());
        give(&mut given, "overlay.scale", overlay.scale.as_ref());
        give(&mut given, "overlay.opacity", overlay.opacity.as_ref());
        given
    }
}

impl OverlayArgs {
    /// What the overlay is besides: a viewer, and no window.
    pub fn given(&self) -> Given {
        let mut given = self.run.given();
        match given.iter_mut().find(|given| given.0 == "output.to") {
            Some((_, to)) => to.push_str(",overlay"),
            None => given.push(("output.to", "overlay".to_owned())),
        }
        if given.iter().all(|given| given.0 != "role") {
            given.push(("role", "viewer".to_owned()));
        }
        given
    }

    /// Whether the stage is to be made for its place on the desktop.
    pub fn follows_monitor(&self) -> bool {
        self.run.stage.show.size.is_none()
    }
}

impl RunArgs {
    pub fn given(&self) -> Given {
        let mut given = self.stage.given();
        give(&mut given, "url", self.url.as_ref());
        give(&mut given, "stream", self.stream.as_ref());
        give_path(&mut given, "token_file", self.token_file.as_ref());
        give_path(&mut given, "ca_file", self.ca_file.as_ref());
        give(&mut given, "role", self.role.as_ref());
        give_switch(&mut given, "play_unseen", self.play_unseen);
        give_path(&mut given, "output.png", self.png.as_ref());
        give_path(
            &mut given,
            "output.png_sequence",
            self.png_sequence.as_ref(),
        );
        give_switch(&mut given, "output.raw", self.raw);
        give_path(&mut given, "output.webm", self.webm.as_ref());
        given
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[cfg(feature = "relay")]
    #[test]
    fn addresses_names_and_origins_are_what_they_are_called() {
        for fine in ["127.0.0.1:0", "[::1]:7788"] {
            assert!(address(fine).is_ok(), "{fine}");
        }
        for other in ["7801", "localhost:7805", "127.0.0.1"] {
            assert!(address(other).unwrap_err().contains("127.0.0.1:7788"));
        }
        for fine in ["relay.example", "RELAY", "[::1]", "10.0.0.7"] {
            assert!(host_name(fine).is_ok(), "{fine}");
        }
        for other in [
            "",
            "https://relay.example",
            "relay.example:7788",
            "a/b",
            "a b",
        ] {
            assert!(host_name(other).is_err(), "{other}");
        }
        for fine in ["https://dock.example", "http://localhost:3000"] {
            assert!(origin(fine).is_ok(), "{fine}");
        }
        for other in [
            "foo",
            "https://",
            "https://dock.example/",
            "ftp://dock.example",
        ] {
            assert!(origin(other).is_err(), "{other}");
        }
    }

    #[test]
    fn no_variable_of_an_option_is_taken_for_a_misspelt_setting() {
        fn variables(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().filter_map(clap::Arg::get_env);
            let own = own.map(|name| name.to_string_lossy().into_owned());
            own.chain(command.get_subcommands().flat_map(variables))
                .collect()
        }
        for name in variables(&Arguments::command()) {
            assert!(
                crate::config::NOT_SETTINGS.contains(&&*name),
                "{name} would be said to be ignored"
            );
        }
    }

    #[test]
    fn flags_become_settings() {
        let line = "hyperfocus run --url ws://h --size 10x10 --raw --mute --theme neon \
                    --text-scale 1.2 --language de --board --webm a.webm --output obs --output window";
        let Command::Run(args) = Arguments::parse_from(line.split(' ')).command else {
            panic!("not a run");
        };
        let expected = [
            ("size", "10x10"),
            ("sound.muted", "true"),
            ("captions.theme", "neon"),
            ("captions.text_scale", "1.2"),
            ("language", "de"),
            ("board.show", "true"),
            ("output.to", "obs,window"),
            ("url", "ws://h"),
            ("output.raw", "true"),
            ("output.webm", "a.webm"),
        ];
        assert_eq!(
            args.given(),
            expected.map(|(key, value)| (key, value.to_owned()))
        );
    }

    #[test]
    fn no_show_lasts_nothing_or_for_ever() {
        for bad in ["0", "-1", "nan", "inf", "1e999", "soon"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
    }
}
