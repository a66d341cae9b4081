//! Where `hyperfocus overlay --send` finds the overlay: a socket in the user's
//! runtime folder, which nobody else can open.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::bounded;

use super::State;
use super::controls::{Asker, Request, Wish};
use crate::output::OutputError;

/// How long either end waits for the other's words.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer may take: an engine that makes its pipelines does not
/// answer meanwhile.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// How often, and how long after each other, a name is asked for before it counts as
/// another overlay's: one that was told to quit has answered, and is on its way out.
const TRIES: u32 = 30;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Longest word that is read.
const WORD_LIMIT: u64 = 64;
/// Longest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 16 * 1024;
/// What an answer begins with when nothing was done.
const NOT_DONE: char = '!';

/// The folder that is the user's own while they are logged in. macOS has one for
/// temporary files.
const FOLDER_VARIABLE: &str = if cfg!(target_os = "macos") {
    "TMPDIR"
} else {
    "XDG_RUNTIME_DIR"
};

/// The socket of the overlay called `name`; `None` without a runtime folder.
fn socket_of(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty())?;
    Some(Path::new(&folder).join(format!("hyperfocus-overlay-{name}.sock")))
}

/// Tells the overlay called `name` a wish, and returns its answer.
///
/// # Errors
/// When no overlay of that name runs, or it does not answer.
pub fn send(name: &str, wish: Wish) -> Result<String, OutputError> {
    let nobody = |why: &dyn std::fmt::Display| {
        OutputError::Desktop(format!(
            "no overlay called {name} answers ({why}); is `hyperfocus overlay` running, as this \
             user?"
        ))
    };
    let path =
        socket_of(name).ok_or_else(|| nobody(&format_args!("{FOLDER_VARIABLE} is not set")))?;
    let ask = || -> io::Result<String> {
        let mut stream = UnixStream::connect(&path)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(ANSWER_PATIENCE + PATIENCE))?;
        writeln!(stream, "{}", wish.word())?;
        let mut answer = String::new();
        stream.take(ANSWER_LIMIT).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| nobody(&error))?;
    match answer.strip_prefix(NOT_DONE) {
        Some(why) => Err(OutputError::Desktop(why.trim().to_owned())),
        None if answer.is_empty() => Err(nobody(&"it has ended meanwhile")),
        None => Ok(answer),
    }
}

/// An overlay's name, which no other has until this is dropped.
pub(super) struct Name {
    path: PathBuf,
    listener: UnixListener,
}

impl Name {
    /// Takes the name, and waits a little for an overlay of that name to end. `None`
    /// where there is no place to listen for wishes: the overlay goes on without them,
    /// and the log says why.
    ///
    /// # Errors
    /// When an overlay of that name runs: every gift would be seen twice, and wishes
    /// would reach one of the two.
    pub fn take(name: &str) -> Result<Option<Self>, OutputError> {
        let Some(path) = socket_of(name) else {
            tracing::warn!("{FOLDER_VARIABLE} is not set: the overlay cannot be told anything");
            return Ok(None);
        };
        Self::take_at(name, path, TRIES)
    }

    fn take_at(name: &str, path: PathBuf, tries: u32) -> Result<Option<Self>, OutputError> {
        let is_taken = || UnixStream::connect(&path).is_ok();
        let mut left = tries;
        while left > 0 && is_taken() {
            left -= 1;
            thread::sleep(BETWEEN_TRIES);
        }
        if left == 0 && is_taken() {
            return Err(OutputError::Desktop(format!(
                "an overlay called {name} runs already; end it with `hyperfocus overlay --name \
                 {name} --send quit`, or give this one another --name"
            )));
        }
        let listener = listen(&path).inspect_err(|error| {
            tracing::warn!(
                "the overlay cannot be told anything: {}: {error}",
                path.display()
            );
        });
        Ok(listener.ok().map(|listener| Self { path, listener }))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // What is left in the runtime folder goes with the session.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The listening end, as long as the overlay runs.
pub(super) struct Controls {
    name: Arc<Name>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl Controls {
    /// Listens for the wishes of whoever calls the overlay by `name`, those who
    /// have come meanwhile first.
    pub fn open(name: Name, state: Arc<State>) -> Self {
        let name = Arc::new(name);
        let thread = {
            let (name, state) = (name.clone(), state.clone());
            thread::Builder::new()
                .name("overlay wishes".into())
                .spawn(move || serve(&name.listener, &state))
                .expect("a system that draws has a thread left for what it draws")
        };
        Self {
            name,
            state,
            thread: Some(thread),
        }
    }
}

impl Drop for Controls {
    fn drop(&mut self) {
        self.state.end();
        // The thread waits for somebody to come.
        if UnixStream::connect(&self.name.path).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // One that was killed left it behind.
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn serve(listener: &UnixListener, state: &State) {
    for stream in listener.incoming() {
        if state.is_over() {
            return;
        }
        let heard = stream.and_then(|stream| hear(stream, state));
        if let Err(error) = heard {
            tracing::debug!("somebody came and said nothing: {error}");
        }
    }
}

fn hear(mut stream: UnixStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut word = String::new();
    BufReader::new((&stream).take(WORD_LIMIT)).read_line(&mut word)?;
    let Some(wish) = Wish::parse(word.trim()) else {
        return writeln!(stream, "{NOT_DONE}the overlay does not know this word");
    };
    let (asker, answer) = bounded(1);
    let asker = Asker::Program(asker);
    if !state.ask(Request { wish, asker }) {
        return writeln!(stream, "{NOT_DONE}the overlay is busy; try again");
    }
    // Without an answer the run has ended meanwhile, or hangs.
    match answer.recv_timeout(ANSWER_PATIENCE) {
        Ok(answer) => writeln!(stream, "{answer}"),
        Err(_) => writeln!(stream, "{NOT_DONE}the overlay does not answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_left_behind_is_taken_over_and_a_live_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let take = || Name::take_at("gifts", path.clone(), 0);
        drop(UnixListener::bind(&path).unwrap());
        let live = take().unwrap().expect("there is a folder");
        let refused = take().err().expect("it is taken").to_string();
        assert!(
            refused.contains("--name gifts --send quit") && refused.contains("another --name"),
            "{refused}"
        );
        drop(live);
        assert!(!path.exists());
        assert!(take().unwrap().is_some());
    }

    #[test]
    fn the_name_of_one_that_is_ending_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let take = || Name::take_at("gifts", path.clone(), TRIES);
        let ending = take().unwrap().expect("there is a folder");
        let ends_when_asked_for = thread::spawn(move || {
            let asked = ending.listener.accept().map(drop);
            drop(ending);
            asked
        });
        assert!(take().unwrap().is_some());
        ends_when_asked_for.join().unwrap().unwrap();
    }

    #[test]
    fn without_a_place_for_its_socket_an_overlay_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone/socket");
        assert!(Name::take_at("gifts", path, 0).unwrap().is_none());
    }
}
