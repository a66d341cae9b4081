//! What the user wants of the overlay, which takes neither clicks nor keys of
//! its own: wishes come from `hyperfocus overlay --send`, over a socket in the
//! user's runtime folder, and on X11 from keys taken from the whole desktop.
//!
//! They concern this program alone. A viewer controls nobody's show.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bevy::prelude::*;
use crossbeam_channel::{Sender, bounded};

use super::{Overlay, State, why};
use crate::model::Control;
use crate::output::OutputError;
use crate::render::{QualityWish, Warmup};
use crate::stage::{Connected, Director, LastEvent};

/// How long either end waits for the other's words.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer may take: an engine that makes its pipelines does not
/// answer meanwhile.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Longest word that is read.
const WORD_LIMIT: u64 = 64;
/// Longest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 16 * 1024;

/// Something that the overlay is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Show it if it is hidden, and the other way round.
    Toggle,
    Show,
    Hide,
    Mute,
    /// Collect gifts, then play one recap.
    DoNotDisturb,
    /// The next quality.
    Quality,
    /// Why is nothing showing?
    Why,
}

impl Wish {
    pub const WORDS: [(&'static str, Self); 7] = [
        ("toggle", Self::Toggle),
        ("show", Self::Show),
        ("hide", Self::Hide),
        ("mute", Self::Mute),
        ("dnd", Self::DoNotDisturb),
        ("quality", Self::Quality),
        ("why", Self::Why),
    ];

    pub fn parse(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(name, _)| *name == word);
        found.map(|(_, wish)| *wish)
    }

    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, wish)| *wish == self);
        found.map_or("", |(name, _)| name)
    }
}

/// A wish, and who waits for an answer to it.
pub(super) struct Request {
    pub wish: Wish,
    /// `None` for a key: the answer goes to the desktop's notifications.
    pub asker: Option<Sender<String>>,
}

/// The socket of the overlay called `name`; `None` without a runtime folder.
fn socket_of(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty())?;
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
    let path = socket_of(name).ok_or_else(|| nobody(&"XDG_RUNTIME_DIR is not set"))?;
    let ask = || -> io::Result<String> {
        let mut stream = UnixStream::connect(&path)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(ANSWER_PATIENCE + PATIENCE))?;
        writeln!(stream, "{}", wish.word())?;
        let mut answer = String::new();
        stream.take(ANSWER_LIMIT).read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().map_err(|error| nobody(&error))
}

/// The listening end, as long as the overlay runs.
pub(super) struct Controls {
    path: PathBuf,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl Controls {
    /// Listens for wishes; without a place to do so the overlay goes on without,
    /// and the log says why.
    pub fn open(name: &str, state: Arc<State>) -> Option<Self> {
        let Some(path) = socket_of(name) else {
            tracing::warn!("XDG_RUNTIME_DIR is not set: the overlay cannot be told anything");
            return None;
        };
        let listener = match listen(&path) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(
                    "the overlay cannot be told anything: {}: {error}",
                    path.display()
                );
                return None;
            }
        };
        let thread = {
            let state = state.clone();
            thread::Builder::new()
                .name("overlay wishes".into())
                .spawn(move || serve(&listener, &state))
                .expect("a system that draws has a thread left for what it draws")
        };
        Some(Self {
            path,
            state,
            thread: Some(thread),
        })
    }
}

impl Drop for Controls {
    fn drop(&mut self) {
        self.state.end();
        // The thread waits for somebody to come.
        if UnixStream::connect(&self.path).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
        // What is left in the runtime folder goes with the session.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        return Err(io::Error::other(
            "another overlay has this name; give this one another --name",
        ));
    }
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
        return writeln!(stream, "the overlay does not know this word");
    };
    let (asker, answer) = bounded(1);
    let asker = Some(asker);
    if !state.ask(Request { wish, asker }) {
        return writeln!(stream, "the overlay is busy; try again");
    }
    // Without an answer the run has ended meanwhile, or hangs.
    match answer.recv_timeout(ANSWER_PATIENCE) {
        Ok(answer) => writeln!(stream, "{answer}"),
        Err(_) => writeln!(stream, "the overlay does not answer"),
    }
}

/// Does what was wished since the last frame.
pub(super) fn obey(
    time: Res<Time<Real>>,
    overlay: Res<Overlay>,
    mut director: ResMut<Director>,
    mut quality: ResMut<QualityWish>,
    (connected, last, warmup): (Res<Connected>, Res<LastEvent>, Res<Warmup>),
) {
    let now = time.elapsed();
    let state = &overlay.state;
    for request in overlay.wishes.try_iter() {
        let show = &mut director.show;
        let hide = |hidden| {
            state.set_hidden(hidden);
            if hidden { "hidden" } else { "shown" }
        };
        let answer = match request.wish {
            Wish::Toggle => hide(!state.is_hidden()).to_owned(),
            Wish::Show => hide(false).to_owned(),
            Wish::Hide => hide(true).to_owned(),
            Wish::Mute => {
                let muted = !show.is_muted();
                show.control(now, Control::Mute(muted));
                (if muted { "muted" } else { "not muted" }).to_owned()
            }
            Wish::DoNotDisturb => {
                let quiet = !show.is_quiet();
                show.control(now, Control::DoNotDisturb(quiet));
                let said = if quiet {
                    "do not disturb: gifts are collected"
                } else {
                    "gifts play again"
                };
                said.to_owned()
            }
            Wish::Quality => {
                let (word, next) = quality.0.next();
                quality.0 = next;
                format!("quality: {word}")
            }
            Wish::Why => {
                let circumstances = why::Circumstances {
                    is_hidden: state.is_hidden(),
                    is_covered: state.is_covered(),
                    monitors: state.monitors(),
                    is_warm: warmup.is_done(),
                    connection: connected.0.as_ref(),
                    since_last_event: last.0.map(|at| now.saturating_sub(at)),
                };
                circumstances.explain(show)
            }
        };
        answer_to(request.asker, answer);
    }
}

fn answer_to(asker: Option<Sender<String>>, answer: String) {
    tracing::info!("overlay: {}", answer.replace('\n', "; "));
    match asker {
        // Whoever has left does not want to know.
        Some(asker) => drop(asker.try_send(answer)),
        None => why::notify(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_its_wishs() {
        for (word, wish) in Wish::WORDS {
            assert_eq!(Wish::parse(word), Some(wish));
            assert_eq!(wish.word(), word);
        }
        assert_eq!(Wish::parse("explode"), None);
    }

    #[test]
    fn a_socket_that_was_left_behind_is_taken_over_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        let live = listen(&path).unwrap();
        let refused = listen(&path).unwrap_err().to_string();
        assert!(refused.contains("--name"), "{refused}");
        drop(live);
    }
}
