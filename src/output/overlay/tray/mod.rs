//! The overlay on the desktop's session bus: an icon with a menu where the
//! desktop has a tray (StatusNotifierItem), and notifications.
//!
//! A thread of its own waits for the bus and for the stage. The stage leaves
//! how things stand in a cell that holds only the latest and never waits; a
//! click in the menu becomes a [`Request`] like a word of `--send`. Without a
//! bus the overlay goes on without, and the log says so once.

mod icon;
mod menu;
mod notice;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bevy::prelude::*;
use ksni::TrayMethods;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::State;
use super::controls::{Asker, Request, Wish};
use crate::governor::Wish as Quality;
use crate::locale::Words;
use crate::render::QualityWish;
use crate::stage::{Director, StageSet};
use menu::Item;
use notice::Notices;

/// Notices that wait for the desktop; beyond these only the log has them.
const MOST_NOTICES: usize = 4;
/// How long a desktop may take to show one; the menu waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// How things stand, as the menu shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    pub is_hidden: bool,
    pub is_muted: bool,
    pub is_quiet: bool,
    pub quality: Quality,
}

/// The stage's end of the thread.
pub(super) struct Line {
    /// `None` once the overlay is over.
    standing: watch::Sender<Option<Standing>>,
    notices: mpsc::Sender<String>,
}

/// The thread's end.
pub(super) struct FarEnd {
    standing: watch::Receiver<Option<Standing>>,
    notices: mpsc::Receiver<String>,
}

impl Line {
    pub fn new() -> (Self, FarEnd) {
        let (standing, heard) = watch::channel(Some(Standing::default()));
        let (notices, to_show) = mpsc::channel(MOST_NOTICES);
        let near = Self { standing, notices };
        let far = FarEnd {
            standing: heard,
            notices: to_show,
        };
        (near, far)
    }

    /// Tells the user something on the desktop, where it shows such things; the
    /// log has it in any case.
    pub fn notify(&self, text: String) {
        // Whoever presses a key faster than the desktop tells has read the last.
        let _ = self.notices.try_send(text);
    }

    fn show(&self, standing: Standing) {
        self.standing.send_if_modified(|shown| {
            let is_news = shown.is_some_and(|shown| shown != standing);
            if is_news {
                *shown = Some(standing);
            }
            is_news
        });
    }

    fn end(&self) {
        self.standing.send_replace(None);
    }
}

/// What the menu follows.
#[derive(Resource)]
struct Followed {
    state: Arc<State>,
    line: Arc<Line>,
}

/// Brings the menu in line with the stage.
fn follow(followed: Res<Followed>, director: Res<Director>, quality: Res<QualityWish>) {
    followed.line.show(Standing {
        is_hidden: followed.state.is_hidden(),
        is_muted: director.show.is_muted(),
        is_quiet: director.show.is_quiet(),
        quality: quality.0,
    });
}

/// The thread, as long as the overlay runs.
pub(super) struct Tray {
    state: Arc<State>,
    line: Arc<Line>,
    thread: Option<JoinHandle<()>>,
}

impl Tray {
    /// `words` are those of the menu; without them there is no icon.
    pub fn open(state: Arc<State>, line: Arc<Line>, far: FarEnd, words: Option<Words>) -> Self {
        let thread = {
            let state = state.clone();
            thread::Builder::new()
                .name("overlay tray".into())
                .spawn(move || run(state, far, words))
                .expect("a system that draws has a thread left for what it draws")
        };
        Self {
            state,
            line,
            thread: Some(thread),
        }
    }

    /// Makes the app tell it how things stand.
    pub fn install(&self, app: &mut App) {
        app.insert_resource(Followed {
            state: self.state.clone(),
            line: self.line.clone(),
        })
        .add_systems(Update, follow.in_set(StageSet::Report));
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        self.line.end();
        if let Some(thread) = self.thread.take() {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
    }
}

/// The bus sees an icon go with the connection that had it, so that the end
/// waits for nothing there.
fn run(state: Arc<State>, far: FarEnd, words: Option<Words>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!("no tray icon and no notifications: {error}");
            return;
        }
    };
    let mut end = far.standing.clone();
    runtime.block_on(async {
        tokio::select! {
            _ = end.wait_for(Option::is_none) => {}
            () = serve(state, far, words) => {}
        }
    });
    runtime.shutdown_background();
}

async fn serve(state: Arc<State>, mut far: FarEnd, words: Option<Words>) {
    let standing = far.standing.borrow_and_update().unwrap_or_default();
    let icon = match words {
        Some(words) => show_icon(state, standing, words).await,
        None => None,
    };
    let mut notices = Notices::default();
    loop {
        tokio::select! {
            changed = far.standing.changed() => {
                let now = *far.standing.borrow_and_update();
                let (Ok(()), Some(standing)) = (changed, now) else { return };
                if let Some(icon) = &icon {
                    icon.update(|item| item.standing = standing).await;
                }
            }
            Some(text) = far.notices.recv() => {
                match timeout(PATIENCE, notices.show(&text)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::debug!("the desktop shows no notification: {error}");
                    }
                    Err(_) => tracing::debug!("the desktop does not answer"),
                }
            }
        }
    }
}

async fn show_icon(
    state: Arc<State>,
    standing: Standing,
    words: Words,
) -> Option<ksni::Handle<Item>> {
    let ask = move |wish: Wish| {
        // Beyond the bound it is as if nobody had clicked.
        state.ask(Request {
            wish,
            asker: Asker::Menu,
        });
    };
    let item = Item::new(standing, words, ask);
    // A tray may come later than the overlay, as at the session's start.
    match item.assume_sni_available(true).spawn().await {
        Ok(icon) => Some(icon),
        Err(error) => {
            tracing::info!(
                "no tray icon ({error}); keys and `hyperfocus overlay --send` do the same"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told_and_nothing_after_the_end() {
        let (line, mut far) = Line::new();
        line.show(Standing::default());
        assert!(!far.standing.has_changed().unwrap());
        let muted = Standing {
            is_muted: true,
            ..Standing::default()
        };
        line.show(muted);
        assert_eq!(*far.standing.borrow_and_update(), Some(muted));
        line.end();
        line.show(Standing::default());
        assert_eq!(*far.standing.borrow_and_update(), None);
    }

    #[test]
    fn notices_beyond_the_bound_are_dropped_and_hold_nobody_up() {
        let (line, mut far) = Line::new();
        for number in 0..2 * MOST_NOTICES {
            line.notify(number.to_string());
        }
        let kept = std::iter::from_fn(|| far.notices.try_recv().ok()).count();
        assert_eq!(kept, MOST_NOTICES);
    }
}
