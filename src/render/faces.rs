//! Senders' pictures on stage: asked for when an act or the board first wants one,
//! and kept until others need the room. Until one has come, and where none can be
//! had, its sender wears initials.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;

use super::caption::Picture;
use super::patience::Patience;
use crate::model::{Moment, Private};
use crate::stage::StageSet;
use crate::vault::{Arrived, Asked, Vault, host_of};

/// Pictures that are known of: more than can be on their way at once. 25 MB when each
/// is as large as it may be; platforms' are about a third of that. The one that was
/// not wanted for longest goes, and would be fetched again.
const MAX_KEPT: usize = 96;

/// Until a picture that could not be had is asked for again.
const AGAIN: Duration = Duration::from_secs(300);

pub struct FacePlugin;

impl Plugin for FacePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Faces>()
            .add_systems(Update, arrive.in_set(StageSet::Animate));
    }
}

/// The pictures, and who fetches them.
#[derive(Resource, Default)]
pub struct Faces {
    /// Absent when nobody may be asked: everybody wears initials.
    vault: Option<Vault>,
    kept: HashMap<Arc<str>, Kept>,
    /// Counts up, to tell what was wanted later.
    wants: u64,
    /// Whether any came with this frame.
    has_news: bool,
    has_told: bool,
}

struct Kept {
    state: State,
    wanted: u64,
}

enum State {
    Coming,
    Here(Picture),
    Gone { since: Moment },
}

/// What stands for a sender.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Worn {
    Initials,
    /// Initials until a picture comes, very soon as a rule.
    Coming,
    Picture(Picture),
}

impl Worn {
    pub fn picture(self) -> Option<Picture> {
        match self {
            Self::Picture(picture) => Some(picture),
            Self::Initials | Self::Coming => None,
        }
    }
}

impl Faces {
    pub fn new(vault: Vault) -> Self {
        Self {
            vault: Some(vault),
            ..Self::default()
        }
    }

    /// For who has said already that nothing can be fetched.
    pub fn none_to_be_had() -> Self {
        Self {
            has_told: true,
            ..Self::default()
        }
    }

    /// What somebody wears now; what is not known yet is asked for.
    pub(super) fn of(&mut self, now: Moment, url: Option<&Private<Arc<str>>>) -> Worn {
        let Some(url) = url else {
            return Worn::Initials;
        };
        let Some(vault) = &mut self.vault else {
            self.tell_where(host_of(&url.0));
            return Worn::Initials;
        };
        self.wants += 1;
        if let Some(kept) = self.kept.get_mut(&url.0) {
            kept.wanted = self.wants;
            match &kept.state {
                State::Coming => return Worn::Coming,
                State::Here(picture) => return Worn::Picture(picture.clone()),
                State::Gone { since } if now < *since + AGAIN => return Worn::Initials,
                State::Gone { .. } => {}
            }
        }
        match vault.ask(url) {
            Asked::Coming => {
                let (state, wanted) = (State::Coming, self.wants);
                self.kept.insert(url.0.clone(), Kept { state, wanted });
                self.make_room();
                Worn::Coming
            }
            Asked::Foreign(host) => {
                self.tell_where(Some(host));
                Worn::Initials
            }
            // One too many is asked for again with its next gift.
            Asked::Never | Asked::Full => Worn::Initials,
        }
    }

    /// Says, once, where pictures would be.
    fn tell_where(&mut self, host: Option<String>) {
        let Some(host) = host.filter(|_| !self.has_told) else {
            return;
        };
        self.has_told = true;
        info!(
            "senders have pictures at {host}, which on_air.avatars_from does not name: they wear \
             initials (said once, whatever other places there are)"
        );
    }

    fn make_room(&mut self) {
        let is_here = |kept: &Kept| !matches!(kept.state, State::Coming);
        while self.kept.len() > MAX_KEPT {
            let kept = self.kept.iter().filter(|(_, kept)| is_here(kept));
            let oldest = kept.min_by_key(|(_, kept)| kept.wanted);
            let Some(oldest) = oldest.map(|(url, _)| url.clone()) else {
                return;
            };
            self.kept.remove(&oldest);
        }
    }

    /// Whether any picture came with this frame.
    pub(super) fn have_news(&self) -> bool {
        self.has_news
    }

    fn arrived(&mut self, now: Moment, Arrived { url, face }: Arrived) {
        let Some(kept) = self.kept.get_mut(&url.0) else {
            return;
        };
        let picture = face.and_then(|face| {
            let picture = Picture::from_straight(face.side, face.side, &face.rgba);
            picture
                .inspect_err(|error| error!("a face is odd: {error}"))
                .ok()
        });
        kept.state = match picture {
            Some(picture) => {
                self.has_news = true;
                State::Here(picture)
            }
            None => State::Gone { since: now },
        };
    }
}

/// Takes in what has come.
pub(super) fn arrive(time: Res<Time<Real>>, patience: Res<Patience>, mut faces: ResMut<Faces>) {
    faces.has_news = false;
    let Some(vault) = &mut faces.vault else {
        return;
    };
    let arrived = match patience.is_some() {
        true => vault.finish(patience.0),
        false => vault.take(),
    };
    for one in arrived {
        faces.arrived(time.elapsed(), one);
    }
}
