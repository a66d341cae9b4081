//! A Wayland desktop of its own that only exists in memory: sway without a
//! screen, looked at with grim.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Picture, skip};
use crate::stage::{PATIENCE, now, until};

/// sway refuses to run as root; this one is nobody's on every system.
const NOBODY: u32 = 65_534;

pub struct Sway {
    folder: TempDir,
    display: String,
    socket: PathBuf,
    process: Child,
}

impl Sway {
    /// A desktop with one monitor, HEADLESS-1, of this size, all of it of one
    /// grey; `None`, said aloud, where sway or grim is missing.
    pub fn start(width: u32, height: u32) -> Option<Self> {
        let sway = Self::come_up(width, height, None)?;
        let monitor = format!("{width}x{height}");
        sway.until("the monitor has no size", |sway| {
            let picture = sway.look("HEADLESS-1");
            let grey = picture.at(0.5, 0.5) == Some([128; 3]);
            grey && format!("{}x{}", picture.width, picture.height) == monitor
        });
        Some(sway)
    }

    /// A desktop in a window of this one. Its monitors, WL-1 and so on, are
    /// windows here, and one that is closed is a monitor that is unplugged.
    pub fn start_within(&self) -> Option<Self> {
        let sway = Self::come_up(0, 0, Some(self))?;
        sway.until("the monitor never came", |sway| {
            sway.look("WL-1").at(0.5, 0.5) == Some([128; 3])
        });
        Some(sway)
    }

    fn come_up(width: u32, height: u32, outer: Option<&Self>) -> Option<Self> {
        for program in ["sway", "grim"] {
            let asked = Command::new(program).arg("-h").output();
            if asked.is_err() {
                skip(&format!("{program} is not installed"));
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("config");
        let lines = format!(
            "output * bg #808080 solid_color\noutput HEADLESS-1 resolution {width}x{height}\n\
             default_border none\nseat * hide_cursor 1\nfocus_follows_mouse no\n"
        );
        fs::write(&config, lines).expect("a file");
        let mut command = Command::new("sway");
        if is_root(folder.path()) {
            for path in [folder.path(), &config] {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
            }
            command.uid(NOBODY).gid(NOBODY);
        }
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        command
            .args(["-c", "config"])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("WLR_RENDERER", "pixman")
            .env("WLR_LIBINPUT_NO_DEVICES", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        match outer {
            None => command.env("WLR_BACKENDS", "headless"),
            Some(outer) => command
                .env("WLR_BACKENDS", "wayland")
                .env("WAYLAND_DISPLAY", outer.socket()),
        };
        let process = command.spawn().expect("it is installed");
        let mut sway = Self {
            folder,
            display: String::new(),
            socket: PathBuf::new(),
            process,
        };
        sway.find_sockets();
        Some(sway)
    }

    fn find_sockets(&mut self) {
        let deadline = now() + PATIENCE;
        while self.display.is_empty() || self.socket.as_os_str().is_empty() {
            let ended = self.process.try_wait().expect("our own child");
            assert!(ended.is_none() && now() < deadline, "{}", self.log());
            for entry in fs::read_dir(self.folder.path()).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy();
                if name.starts_with("wayland-") && !name.ends_with(".lock") {
                    self.display = name.into_owned();
                } else if name.starts_with("sway-ipc.") {
                    self.socket = path.clone();
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What a program needs to find this desktop.
    pub fn variables(&self) -> [(&str, &str); 3] {
        let folder = self.folder.path().to_str().expect("text");
        [
            ("XDG_RUNTIME_DIR", folder),
            ("WAYLAND_DISPLAY", &self.display),
            ("DISPLAY", ""),
        ]
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(&self.display)
    }

    /// Has sway do something.
    pub fn tell(&self, words: &str) {
        let told = Command::new("swaymsg")
            .arg("-s")
            .arg(&self.socket)
            .arg(words)
            .output()
            .expect("it comes with sway");
        let said = String::from_utf8_lossy(&told.stdout);
        assert!(told.status.success(), "{words}: {said}\n{}", self.log());
    }

    /// What is on a monitor.
    pub fn look(&self, monitor: &str) -> Picture {
        let looked = Command::new("grim")
            .args(["-t", "ppm", "-o", monitor, "-"])
            .envs(self.variables())
            .output()
            .expect("it is installed");
        Picture::from_ppm(&looked.stdout)
    }

    pub fn until(&self, else_say: &str, is_so: impl Fn(&Self) -> bool) {
        until(|| is_so(self), || format!("{else_say}\n{}", self.log()));
    }
}

/// Whoever's files are root's is root.
fn is_root(own: &Path) -> bool {
    fs::metadata(own).expect("it has just been made").uid() == 0
}

impl Drop for Sway {
    fn drop(&mut self) {
        // It has not ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
