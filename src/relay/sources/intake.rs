//! From a source into the store, by the same door as gifts that come over HTTP,
//! and however long that takes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::entry::Entry;
use crate::model::WallTime;
use crate::relay::channel::Channel;
use crate::relay::limits::MAX_GIFTS;
use crate::relay::server::{Core, stopped};
use crate::relay::store::{Admission, Offer};

/// Between two attempts to store what the store did not take.
const PAUSE: Duration = Duration::from_secs(1);

/// Stores what comes until nobody is left who could send any.
pub(super) async fn run(
    core: &Core,
    channel: &Arc<Channel>,
    entry: &Entry,
    mut held: Receiver<Offer>,
) {
    let mut batch = Vec::new();
    while held.recv_many(&mut batch, MAX_GIFTS).await > 0 {
        if !store(core, channel, entry, &batch).await {
            let lost = batch.len() + held.len();
            error!(
                source = entry.name(),
                "{lost} gifts were not kept: the relay stopped"
            );
            return;
        }
        batch.clear();
    }
}

/// Stores a batch; false when the relay stopped before that could be done.
async fn store(core: &Core, channel: &Channel, entry: &Entry, batch: &[Offer]) -> bool {
    let mut stopping = core.stopping.clone();
    loop {
        let accepting = core
            .store
            .accept(&channel.id, batch.to_vec(), WallTime::now());
        let why = match accepting.await {
            Ok(admissions) => {
                note(core, entry, &admissions);
                if entry.hold_up(None) {
                    info!(source = entry.name(), "the store takes its gifts again");
                }
                return true;
            }
            Err(why) => why,
        };
        if entry.hold_up(Some(why.to_string())) {
            warn!(
                source = entry.name(),
                "{why}; its gifts wait, and then it is not read"
            );
        }
        if *stopping.borrow() {
            return false;
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            // One last attempt.
            () = stopped(&mut stopping) => {}
        }
    }
}

fn note(core: &Core, entry: &Entry, admissions: &[Admission]) {
    let mut new = 0;
    for admission in admissions {
        match admission {
            Admission::Accepted(_) => {
                core.figures.accepted();
                new += 1;
            }
            Admission::Repeated(_) => core.figures.repeated(),
            // The platform said the same event again in other words.
            Admission::Conflict(_) => core.figures.conflict(),
        }
    }
    entry.accepted(new);
}
