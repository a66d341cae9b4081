//! The ECS side of the show: what comes in is offered, what the show cues
//! becomes an [`Act`], what was drawn is reported.
//!
//! The frame can be read on one screen: [`StageSet`] is chained here, once, and
//! systems elsewhere only join it. Nothing here draws; `render` and `sound`
//! attach to acts by observers.

mod act;
mod card;
mod director;
mod link;
mod metrics;
mod telemetry;
#[cfg(test)]
mod tests;

use bevy::prelude::*;

pub use act::{Act, AssetFailed, Climaxed, FellBack, Grew, Shrank, Swelled, gift_title};
pub use card::CardFailure;
pub use director::{Director, Muted, Paused, Volume};
pub use link::{Connected, LastEvent, StageLink};
// Who shows the connection need not know the session.
pub use crate::session::ConnectionState;
pub use metrics::Metrics;
pub use telemetry::Reports;

/// The order of a frame.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub enum StageSet {
    /// What the last frame showed is reported.
    Report,
    /// The link is drained.
    Receive,
    /// The acts' clocks move on; the ones that are over go.
    Advance,
    /// The show is polled; acts start, grow and climax.
    Direct,
    /// What shows an act follows it.
    Animate,
}

/// Needs [`Director`] and [`StageLink`] in the world.
pub struct StagePlugin;

impl Plugin for StagePlugin {
    fn build(&self, app: &mut App) {
        app.configure_sets(
            Update,
            (
                StageSet::Report,
                StageSet::Receive,
                StageSet::Advance,
                StageSet::Direct,
                StageSet::Animate,
            )
                .chain(),
        )
        // Nobody is told of what was not drawn, nor does anything join it.
        .configure_sets(
            Update,
            (StageSet::Report, StageSet::Direct).run_if(card::draws),
        )
        .init_resource::<CardFailure>()
        .init_resource::<Metrics>()
        .init_resource::<Muted>()
        .init_resource::<Paused>()
        .init_resource::<Volume>()
        .init_resource::<Connected>()
        .init_resource::<LastEvent>()
        .init_resource::<Reports>()
        .add_observer(director::replace_failed)
        .add_systems(
            Update,
            (
                director::report_presented.in_set(StageSet::Report),
                link::receive.in_set(StageSet::Receive),
                director::advance.in_set(StageSet::Advance),
                (director::direct, director::swell, telemetry::tell)
                    .chain()
                    .in_set(StageSet::Direct),
            ),
        );
    }
}
