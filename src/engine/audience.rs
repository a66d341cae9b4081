//! Whether anybody sees the stage where only OBS or players on this machine
//! would.

use bevy::prelude::*;

use crate::output::{NutFeed, ObsFeed};
use crate::stage::{Director, StageSet};

type Sees = Box<dyn Fn() -> bool + Send + Sync>;

#[derive(Resource)]
struct Audience(Vec<Sees>);

/// Makes gifts wait while nobody looks, if anybody is to look at all.
pub(super) fn install(app: &mut App, obs: Option<&ObsFeed>, players: &[NutFeed]) {
    let obs = obs.map(|obs| Box::new(obs.is_showing()) as Sees);
    let players = players.iter().map(|feed| {
        let readers = feed.readers();
        Box::new(move || readers() > 0) as Sees
    });
    let all: Vec<_> = obs.into_iter().chain(players).collect();
    if !all.is_empty() {
        app.insert_resource(Audience(all))
            .add_systems(Update, follow.in_set(StageSet::Report));
    }
}

/// An output that nobody sees is no live output: what is shown in it alone would
/// be acknowledged as seen.
fn follow(
    time: Res<Time<Real>>,
    audience: Res<Audience>,
    mut director: ResMut<Director>,
    mut was_seen: Local<Option<bool>>,
) {
    let is_seen = audience.0.iter().any(|sees| sees());
    if was_seen.replace(is_seen) != Some(is_seen) {
        director.show.set_live_output(time.elapsed(), is_seen);
    }
}
