//! What all sources of one engine share: a ring has one seat for a reader, and
//! a frame needs uploading once.
//!
//! Locks: OBS's graphics come before a hub's lock, as OBS enters them before it
//! calls `video_render`. So nothing here enters the graphics while it holds the
//! hub.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hyperfocus_ring::{Report, Showing, SoundChunk};

use super::choice::Launch;
use super::feed::{Event, Feed};
use super::launcher::Launcher;
use super::obs::{Graphics, Level, log};
use super::picture::Picture;

/// The hubs that have sources. As many as there are engine names in use.
static HUBS: Mutex<Vec<Weak<Hub>>> = Mutex::new(Vec::new());

/// The end of one engine's ring, as long as any source uses it.
pub(crate) struct Hub {
    name: String,
    state: Mutex<State>,
}

struct State {
    feed: Feed,
    picture: Picture,
    launcher: Launcher,
    members: Vec<Member>,
    /// Which source gives OBS the sound.
    speaker: Option<u64>,
}

/// One source, as it was at its last tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Tells sources apart.
    pub(crate) id: u64,
    /// On air or in a preview.
    pub(crate) is_showing: bool,
    /// On air.
    pub(crate) is_active: bool,
}

/// What a source learns from its tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticked {
    pub(crate) is_live: bool,
    pub(crate) is_behind: bool,
    /// Whether this source is the one to give OBS the sound.
    pub(crate) is_speaker: bool,
}

impl Hub {
    /// The hub of the engine called `name`.
    pub(crate) fn of(name: &str) -> Arc<Self> {
        let mut hubs = HUBS.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.retain(|hub| hub.strong_count() > 0);
        if let Some(hub) = hubs
            .iter()
            .filter_map(Weak::upgrade)
            .find(|hub| hub.name == name)
        {
            return hub;
        }
        let hub = Arc::new(Self {
            name: name.to_owned(),
            state: Mutex::new(State {
                feed: Feed::new(name, None),
                picture: Picture::default(),
                launcher: Launcher::new(name),
                members: Vec::new(),
                speaker: None,
            }),
        });
        hubs.push(Arc::downgrade(&hub));
        hub
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One frame of OBS, for one of the sources.
    pub(crate) fn tick(
        &self,
        now_ns: u64,
        member: Member,
        fps: (u32, u32),
        launch: Option<&Launch>,
    ) -> Ticked {
        let mut state = self.state();
        let State {
            feed,
            launcher,
            members,
            speaker,
            ..
        } = &mut *state;
        match members.iter_mut().find(|known| known.id == member.id) {
            Some(known) => *known = member,
            None => members.push(member),
        }
        let event = feed.tick(
            now_ns,
            &Report {
                fps,
                showing: showing(members),
                sources: u32::try_from(members.len()).unwrap_or(u32::MAX),
                shown: 0,
            },
        );
        self.tell(event);
        // An engine is started for a source that is on air, not for the other
        // scenes of a collection.
        let wanted = launch.filter(|_| member.is_active);
        launcher.tick(now_ns, feed.is_live() || feed.is_taken(), wanted);
        // OBS plays the sound of sources on air only, so one of those speaks.
        let speaks = members
            .iter()
            .find(|member| Some(member.id) == *speaker && member.is_active)
            .or_else(|| members.iter().find(|member| member.is_active))
            .or_else(|| members.first());
        *speaker = speaks.map(|member| member.id);
        Ticked {
            is_live: feed.is_live(),
            is_behind: feed.is_behind(),
            is_speaker: *speaker == Some(member.id),
        }
    }

    /// Lets an engine that was given up be started again.
    pub(crate) fn retry(&self) {
        self.state().launcher.retry();
    }

    /// A source wants its engine started otherwise than before. That one does not want
    /// it at all does not end it for the others.
    pub(crate) fn suit(&self, wanted: Option<&Launch>) {
        let mut state = self.state();
        if wanted.is_some() || state.members.len() < 2 {
            state.launcher.suit(wanted);
        }
    }

    /// Why no engine runs, if one should.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.state().launcher.trouble()
    }

    /// Forgets a source.
    pub(crate) fn leave(&self, id: u64) {
        self.state().members.retain(|member| member.id != id);
    }

    fn tell(&self, event: Option<Event>) {
        let name = &self.name;
        match event {
            None => {}
            Some(Event::Found { engine, size }) => log(
                Level::Info,
                &format!("showing engine {name} ({engine}, {}x{})", size.0, size.1),
            ),
            Some(Event::Lost { why }) => {
                log(Level::Info, &format!("engine {name} is gone: {why}"));
            }
            Some(Event::Trouble(error)) => log(Level::Warning, &error),
        }
    }

    /// Uploads the newest frame.
    pub(crate) fn upload(&self, graphics: &Graphics) {
        let mut state = self.state();
        let State { feed, picture, .. } = &mut *state;
        feed.take(|pixels| picture.upload(graphics, pixels));
    }

    /// Draws the frame that was uploaded last, if it is to be seen.
    pub(crate) fn draw(&self, graphics: &Graphics) {
        let mut state = self.state();
        if state.feed.shows_picture() {
            state.picture.draw(graphics);
        }
    }

    /// The size of what is drawn: the picture's, or else what the engine says.
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        let state = self.state();
        let picture = state.picture.size();
        if state.feed.shows_picture() {
            picture
        } else {
            state.feed.size().or(picture)
        }
    }

    /// The next chunk of sound, for the source that gives it to OBS.
    pub(crate) fn sound(&self, samples: &mut Vec<f32>) -> Option<SoundChunk> {
        self.state().feed.sound(samples)
    }
}

/// Where the sources are to be seen, taken together.
fn showing(members: &[Member]) -> Showing {
    if members.iter().any(|member| member.is_active) {
        Showing::OnAir
    } else if members.iter().any(|member| member.is_showing) {
        Showing::InPreview
    } else {
        Showing::Nowhere
    }
}
