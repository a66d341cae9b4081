//! The program as a process: started in a folder of its own, watched through
//! its log, ended by signals, and never outliving its test.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::offscreen::alone;
use crate::stage::{PATIENCE, now, until};

/// How soon the program is gone after a signal. The promise is 3 s on a machine
/// of its own; the rest is for one that is shared.
pub const PROMPT: Duration = Duration::from_secs(10);

/// A folder with nothing of this machine's settings in it.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub struct Program {
    child: Child,
    out: Option<JoinHandle<Vec<u8>>>,
    err: Option<JoinHandle<()>>,
    log: Arc<Mutex<String>>,
    _alone: MutexGuard<'static, ()>,
}

/// How a program ended.
pub struct Ran {
    pub status: ExitStatus,
    pub out: Vec<u8>,
    pub err: String,
    /// From the last signal to the end, or from the call to wait.
    pub took: Duration,
}

impl Program {
    pub fn start(arguments: &[&str], home: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_into(arguments, home, variables, Stdio::piped())
    }

    /// Starts it in `home`, its standard output going to `out`.
    pub fn start_into(
        arguments: &[&str],
        home: &Path,
        variables: &[(&str, &str)],
        out: Stdio,
    ) -> Self {
        let alone = alone();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hyperfocus"));
        let settings = std::env::vars_os().map(|(name, _)| name).filter(|name| {
            let name = name.to_string_lossy();
            name.starts_with("HYPERFOCUS_") || name.starts_with("XDG_")
        });
        for name in settings {
            command.env_remove(name);
        }
        let mut child = command
            .args(arguments)
            .current_dir(home)
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .env("NO_COLOR", "1")
            // The words that tests look for are English.
            .env("LC_ALL", "C.UTF-8")
            // A machine with loudspeakers has none for a test.
            .env("ALSA_CONFIG_PATH", "/dev/null")
            // Nor does a desktop's own tray get an icon of one.
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let log = Arc::<Mutex<String>>::default();
        let err = child.stderr.take().map(|mut pipe| {
            let log = log.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..read]);
                    log.lock().expect("readers do not panic").push_str(&text);
                }
            })
        });
        let out = child.stdout.take().map(|mut pipe| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                // What was read before an error is what there is to look at.
                let _ = pipe.read_to_end(&mut bytes);
                bytes
            })
        });
        Self {
            child,
            out,
            err,
            log,
            _alone: alone,
        }
    }

    #[cfg(feature = "desktop")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("readers do not panic").clone()
    }

    /// Waits until the log says `words`.
    pub fn says(&self, words: &str) {
        self.comes_to(&format!("{words:?} is not in the log"), || {
            self.log().contains(words)
        });
    }

    pub fn comes_to(&self, else_say: &str, is_so: impl FnMut() -> bool) {
        until(is_so, || format!("{else_say}\n{}", self.log()));
    }

    /// Sends a signal by name and waits for the end.
    pub fn end_by(self, signal: &str) -> Ran {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill failed");
        self.wait()
    }

    /// Waits for the end.
    pub fn wait(self) -> Ran {
        self.wait_for(PATIENCE)
    }

    /// Waits for the end of something long.
    pub fn wait_for(mut self, patience: Duration) -> Ran {
        let began = now();
        let status = self.status(began + patience);
        let took = began.elapsed();
        let out = self
            .out
            .take()
            .map(|reader| reader.join().expect("a reader"));
        if let Some(reader) = self.err.take() {
            reader.join().expect("a reader");
        }
        Ran {
            status,
            out: out.unwrap_or_default(),
            err: self.log(),
            took,
        }
    }

    fn status(&mut self, deadline: Instant) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            assert!(now() < deadline, "it does not end\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let ended = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            eprintln!("the program's end: {ended:?}, and its log:\n{log}");
        }
    }
}

impl Ran {
    /// It ended by itself, with `code`, and in words rather than in a panic.
    #[track_caller]
    pub fn ended_with(&self, code: i32) {
        assert_eq!(self.status.code(), Some(code), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    #[track_caller]
    pub fn said(&self, words: &str) {
        assert!(
            self.err.contains(words),
            "{words:?} is not in\n{}",
            self.err
        );
    }
}

/// The JSON object that the last line of `text` is.
pub fn summary(text: &str) -> serde_json::Value {
    let line = text
        .lines()
        .rfind(|line| line.starts_with('{'))
        .unwrap_or_else(|| panic!("no JSON in\n{text}"));
    serde_json::from_str(line).expect("a JSON object")
}
