//! `hyperfocus demo`: a whole evening in half a minute, against a backend of
//! our own, through the ordinary client path.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use super::args::DemoArgs;
use super::plan::{find_catalog, has_display, live_outputs, make_folder, wants_window};
use super::stdout::print;
use super::{
    Backend, Connection, Engine, LookPlan, OutputPlan, QualityPlan, RunPlan, SheetPlan, Shutdown,
    StageSettings, Start, Summary,
};
use crate::catalog::Catalog;
use crate::config::{Anchor, Config, Folders};
use crate::demo::{DemoServer, Portraits, Script, ServerOptions};
use crate::model::Private;
use crate::protocol::ClientType;

/// A stage that a software rasteriser keeps up with.
const SIZE: &str = "960x540";

pub(super) fn run(args: &DemoArgs) -> Result<ExitCode> {
    let engine = Engine::of_this_build()?;
    // An identity of its own: a demo never takes that of a running show.
    let state = TemporaryFolder::new("demo")?;
    let config = demo_config(args)?;
    let catalog_path = find_catalog(args.stage.show.catalog.as_deref())?;
    let catalog = Catalog::load(&catalog_path)?;
    // Elsewhere it is seen by itself, and files would take its time from it.
    let mut outputs = live_outputs(&config);
    for output in &mut outputs {
        if let OutputPlan::Obs { in_preview, .. } = output {
            // Nobody paid, and it is what a source is placed by.
            *in_preview = true;
        }
    }
    let writes_files = outputs.is_empty();
    if writes_files {
        make_folder(&args.out)?;
        outputs.push(OutputPlan::Webm {
            path: args.out.join("demo.webm"),
            required: false,
        });
    }
    let length = Duration::from_secs_f64(args.seconds);
    let token = Private(uuid::Uuid::new_v4().to_string());
    let mut script = Script::show(&catalog, length);
    let mut on_air = config.on_air.clone();
    let portraits = open_portraits(&catalog.root);
    if let Some(portraits) = &portraits {
        let origin = portraits.origin();
        on_air.avatars_from = vec![origin.parse().context("the demo's own pictures")?];
        script = script.with_portraits_at(&origin);
    }
    let server = start_server(args.port, script, token.clone())?;

    let plan = RunPlan {
        connection: Connection {
            url: server.url(),
            stream_id: "demo".into(),
            token: Some(token),
            ca_file: None,
            role: ClientType::Host,
        },
        stage: StageSettings {
            size: config.size,
            fps: config.fps,
            quality: QualityPlan {
                wish: config.quality,
                start: Start::Full,
            },
            window: wants_window(&config) && has_display(),
        },
        look: demo_look(&config, args.stage.show.board, length),
        show: config.show,
        on_air,
        sound: config.sound,
        outputs,
        play_unseen: false,
        catalog: catalog_path,
        state_dir: state.path().to_owned(),
        time_limit: Some(length),
        shutdown: Shutdown::default(),
    };
    plan.shutdown
        .listen_to_signals()
        .context("cannot listen to signals")?;
    if args.stage.end_with_stdin {
        plan.shutdown.listen_to_stdin()?;
    }

    let sheet = SheetPlan {
        path: args.out.join("demo.png"),
        catalog: plan.catalog.clone(),
        motion: plan.show.motion,
        shutdown: plan.shutdown.clone(),
    };
    let mut summary = (engine.run)(plan)?;
    let report = server.stop();
    if writes_files && !args.no_sheet {
        draw(engine, &sheet, &mut summary);
    }
    summary.gifts.sent = Some(report.sent);
    summary.backend = Some(Backend::from(&report));
    let text = match args.json {
        true => format!("{}\n", summary.to_json()),
        false => summary.to_string(),
    };
    print(text.as_bytes())?;
    // Gifts still waiting at the end are rightly unacked; a second ack for one
    // is never right.
    let honest = report.acked_twice == 0 && report.acked_unknown == 0;
    Ok(if honest && summary.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Every gift in one picture. The show is over, and its account is worth having
/// without one.
fn draw(engine: Engine, sheet: &SheetPlan, summary: &mut Summary) {
    let path = sheet.path.display();
    if !sheet.shutdown.is_requested() {
        eprintln!("drawing {path}");
    }
    match (engine.sheet)(sheet) {
        Ok(written) => summary.outputs.push(written),
        Err(error) => summary
            .warnings
            .push(format!("{path} was not drawn: {error:#}")),
    }
}

/// The demo shows the engine, not somebody's settings: flags only.
fn demo_config(args: &DemoArgs) -> Result<Config> {
    let mut flags = vec![("size", SIZE.to_owned())];
    flags.extend(args.stage.given());
    let (config, _) = Config::resolve(None, [], &flags, &Folders::of_this_machine())?;
    Ok(config)
}

/// How far into the show the board appears: each gift has been seen by itself,
/// and streak, combo and flood are still to come.
const BOARD_FROM: f64 = 0.54;

/// The demo shows the board as well: all of it, in the second half of the show
/// or, asked for, from the beginning.
fn demo_look(config: &Config, from_the_start: bool, length: Duration) -> LookPlan {
    let mut look = LookPlan::of(config);
    look.board.show = true;
    look.board.connection = Some(Anchor::TopLeft);
    if !from_the_start {
        look.board_begins = length.mul_f64(BOARD_FROM);
    }
    look
}

/// Where the senders' pictures are, if this catalogue comes with them.
fn open_portraits(root: &Path) -> Option<Portraits> {
    let folder = root.join("faces");
    if !folder.is_dir() {
        return None;
    }
    Portraits::start(&folder)
        .inspect_err(|error| eprintln!("hyperfocus: senders wear initials: {error}"))
        .ok()
}

fn start_server(port: u16, script: Script, token: Private<String>) -> Result<DemoServer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = ServerOptions {
        address,
        token: Some(token),
        ..ServerOptions::default()
    };
    DemoServer::start(script, options).with_context(|| match port {
        0 => "cannot listen on the loopback address".to_owned(),
        _ => format!(
            "cannot listen on {address}; another program may have the port: \
                      choose another --port, or leave it away"
        ),
    })
}

/// A folder that goes with its owner.
pub(crate) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub fn new(purpose: &str) -> Result<Self> {
        let name = format!("hyperfocus-{purpose}-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        make_folder(&folder)?;
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What is left in the temporary folder is the system's to clear.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_explained() {
        let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = start_server(port, Script::default(), Private("t".into())).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("choose another --port"), "{told}");
        assert!(told.contains("in use"), "{told}");
    }

    #[test]
    fn the_state_folder_goes_with_the_demo() {
        let state = TemporaryFolder::new("demo").unwrap();
        let path = state.path().to_owned();
        assert!(path.is_dir());
        drop(state);
        assert!(!path.exists());
    }
}
