//! Whether anybody sees the stage.

use bevy::prelude::*;

use crate::stage::{Director, StageSet};

/// Asks a live output whether it can be seen.
pub(super) type Sees = Box<dyn Fn() -> bool + Send + Sync>;

/// The live outputs of a run.
#[derive(Resource)]
pub(super) struct Audience {
    /// Whether the window can be seen, if there is one.
    pub window: Option<bool>,
    others: Vec<Sees>,
}

/// Makes gifts wait while none of the live outputs can be seen.
pub(super) fn install(app: &mut App, has_window: bool, others: Vec<Sees>) {
    app.insert_resource(Audience {
        window: has_window.then_some(true),
        others,
    })
    .add_systems(Update, follow.in_set(StageSet::Report));
}

/// An output that nobody sees is no live output: what is shown in it alone would
/// be acknowledged as seen.
fn follow(
    time: Res<Time<Real>>,
    audience: Res<Audience>,
    mut director: ResMut<Director>,
    mut was_seen: Local<Option<bool>>,
) {
    let is_seen = audience.window == Some(true) || audience.others.iter().any(|sees| sees());
    let before = was_seen.replace(is_seen);
    if before == Some(is_seen) {
        return;
    }
    if !is_seen {
        tracing::info!("nobody sees the stage: gifts wait until somebody does");
    } else if before.is_some() {
        tracing::info!("the stage is seen again");
    }
    director.show.set_live_output(time.elapsed(), is_seen);
}
