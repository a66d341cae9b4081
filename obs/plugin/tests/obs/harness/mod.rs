//! An OBS of the test's own: private home, display, port and rings.

mod display;
mod files;
mod picture;
mod websocket;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use hyperfocus_ring::{Folder, now_ns};
use serde_json::{Value, json};
use tempfile::TempDir;

use display::Display;
pub(crate) use files::{CANVAS, Item, Scene};
pub(crate) use picture::Picture;
pub(crate) use websocket::Volume;
use websocket::WebSocket;

include!("../../../../../tests/foreign/skip.rs");

/// A machine under load takes its time. Nothing waits that long that does not
/// fail in the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// One OBS at a time: each draws with all processors there are.
static TURN: Mutex<()> = Mutex::new(());

/// A running OBS. It is killed when dropped; [`Obs::quit`] ends it in order.
pub(crate) struct Obs {
    websocket: WebSocket,
    process: Process,
    home: Home,
    _display: Display,
    _turn: MutexGuard<'static, ()>,
}

/// The folders of an OBS that is not started yet.
pub(crate) struct Home {
    temporary: TempDir,
    turn: Option<MutexGuard<'static, ()>>,
}

impl Home {
    /// `None`, with a loud line, where there is no OBS to test in.
    pub(crate) fn new() -> Option<Self> {
        for program in ["obs", "Xvfb"] {
            if !is_installed(program) {
                skip(&format!(
                    "{program} is not installed; `make setup` does it on Debian"
                ));
                return None;
            }
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // In memory: the rings are in it.
        let temporary = tempfile::Builder::new()
            .prefix("hyperfocus-obs-")
            .tempdir_in("/dev/shm")
            .unwrap();
        let home = Self {
            temporary,
            turn: Some(turn),
        };
        home.install_plugin();
        Some(home)
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// The rings of this OBS, and of the engines that are told so.
    pub(crate) fn rings(&self) -> Folder {
        Folder::at(self.path().join("rings")).unwrap()
    }

    fn plugin(&self) -> PathBuf {
        self.path().join(".config/obs-studio/plugins/hyperfocus")
    }

    /// The library that cargo built along with this test.
    fn install_plugin(&self) {
        let here = std::env::current_exe().unwrap();
        let built = here.with_file_name("libhyperfocus_obs.so");
        let folder = self.plugin().join("bin/64bit");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(self.plugin().join("data")).unwrap();
        fs::copy(&built, folder.join("hyperfocus.so"))
            .unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    }

    /// Makes `program` the engine that the plugin starts.
    pub(crate) fn install_engine(&self, program: &Path) {
        let line = format!("program={}\n", program.display());
        fs::write(self.plugin().join("data/engine.conf"), line).unwrap();
    }

    /// Starts OBS with these scenes, the first of which is on air.
    pub(crate) fn start(self, scenes: &[Scene]) -> Obs {
        self.start_sized(scenes, CANVAS)
    }

    /// The same with a canvas of another size.
    pub(crate) fn start_sized(mut self, scenes: &[Scene], canvas: (u32, u32)) -> Obs {
        let turn = self.turn.take().unwrap();
        let display = Display::start();
        let (port, password) = (free_port(), random_password());
        files::write(self.path(), scenes, canvas, port, &password);
        let log = fs::File::create(self.path().join("obs.log")).unwrap();
        let mut process = Process::start(
            "obs",
            Command::new("obs")
                .args(["--multi", "--disable-updater", "--minimize-to-tray"])
                .env_clear()
                .envs(self.environment())
                .env("DISPLAY", display.name())
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log),
        );
        let websocket = until("OBS answers", || {
            assert!(
                process.poll().is_none(),
                "OBS ended early:\n{}",
                fs::read_to_string(self.path().join("obs.log")).unwrap_or_default()
            );
            WebSocket::connect(port, &password)
        });
        let mut obs = Obs {
            websocket,
            process,
            home: self,
            _display: display,
            _turn: turn,
        };
        // It answers before its scenes are loaded.
        until("the scenes are there", || {
            let list = obs.try_call("GetSceneList", &json!({})).ok()?;
            let count = list["scenes"].as_array()?.len();
            (count >= scenes.len() && list["currentProgramSceneName"] == scenes[0].name)
                .then_some(())
        });
        obs
    }

    /// What OBS and engines need of the environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let runtime = self.path().join("run");
        if !runtime.exists() {
            DirBuilder::new().mode(0o700).create(&runtime).unwrap();
        }
        vec![
            ("PATH", std::env::var_os("PATH").unwrap_or_default().into()),
            ("HOME", self.path().to_owned()),
            ("XDG_CONFIG_HOME", self.path().join(".config")),
            ("XDG_CACHE_HOME", self.path().join(".cache")),
            ("XDG_DATA_HOME", self.path().join(".local/share")),
            ("XDG_RUNTIME_DIR", runtime),
            ("HYPERFOCUS_RING_DIR", self.path().join("rings")),
            ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
            ("QT_QPA_PLATFORM", "xcb".into()),
            ("LANG", "C.UTF-8".into()),
        ]
    }
}

impl Obs {
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// A request of obs-websocket's.
    pub(crate) fn try_call(&mut self, request: &str, data: &Value) -> Result<Value, String> {
        self.websocket.call(request, data)
    }

    pub(crate) fn call(&mut self, request: &str, data: &Value) -> Value {
        self.try_call(request, data)
            .unwrap_or_else(|error| panic!("{request} {data}: {error}\n{}", self.log()))
    }

    /// What a source or scene looks like now, before it is put over anything.
    pub(crate) fn look(&mut self, name: &str) -> Picture {
        self.try_look(name)
            .unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.log()))
    }

    pub(crate) fn try_look(&mut self, name: &str) -> Result<Picture, String> {
        let data =
            json!({ "sourceName": name, "imageFormat": "png", "imageCompressionQuality": 100 });
        let answer = self.try_call("GetSourceScreenshot", &data)?;
        Picture::from_data_url(answer["imageData"].as_str().unwrap_or_default())
    }

    /// Waits until a source or scene looks as asked for.
    pub(crate) fn wait_for(
        &mut self,
        name: &str,
        what: &str,
        is_so: impl Fn(&Picture) -> bool,
    ) -> Picture {
        let mut last = Err(String::new());
        within_patience(|| {
            // A source of no size has no screenshot, which is an answer too.
            last = self.try_look(name);
            last.clone().ok().filter(&is_so)
        })
        .unwrap_or_else(|| panic!("waited in vain: {what}: {last:?}\n{}", self.log()))
    }

    pub(crate) fn switch_to(&mut self, scene: &str) {
        self.call("SetCurrentProgramScene", &json!({ "sceneName": scene }));
    }

    /// The loudest peaks of each input in the next meters, as amplitudes.
    pub(crate) fn volumes(&mut self) -> Vec<Volume> {
        self.websocket.volumes()
    }

    /// Everything OBS said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("obs.log")).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends OBS as closing its window does; its folders are left for another.
    /// Not for an OBS in which inputs were made by request: those are in the
    /// mixer, with which OBS 29 does not always end well.
    pub(crate) fn quit(mut self) -> (ExitStatus, Home) {
        self.process.interrupt();
        let status = until("OBS ends", || self.process.poll());
        let Self { home, _turn, .. } = self;
        (
            status,
            Home {
                turn: Some(_turn),
                ..home
            },
        )
    }
}

/// A child that does not outlive its test.
pub(crate) struct Process {
    name: String,
    child: Child,
}

impl Process {
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
        }
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn poll(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// SIGINT.
    fn interrupt(&self) {
        let status = Command::new("kill")
            .args(["-INT", &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// SIGKILL; returns once it is dead.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, answer: impl FnMut() -> Option<T>) -> T {
    within_patience(answer).unwrap_or_else(|| panic!("waited in vain: {what}"))
}

fn within_patience<T>(mut answer: impl FnMut() -> Option<T>) -> Option<T> {
    let start = now_ns();
    loop {
        let answered = answer();
        if answered.is_some() || now_ns() - start > PATIENCE.as_nanos() as u64 {
            return answered;
        }
        sleep(PAUSE);
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(OsStr::new(program)).is_file())
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn random_password() -> String {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
