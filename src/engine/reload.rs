//! The catalogue, read again when its file changes. A bad edit keeps the last
//! good one and says where the mistake is.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::catalog::Catalog;
use crate::cli::{RunPlan, load_catalog};
use crate::config::ShowSettings;
use crate::stage::{Director, StageSet};

/// How often the file's time is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Catalogues that were read since the last frame; the thread waits for the
/// stage to take one before it offers the next.
#[derive(Resource)]
struct Fresh(Receiver<Arc<Catalog>>);

/// Ends the thread when it is dropped.
#[derive(Resource)]
struct Watch {
    _until: Sender<()>,
}

pub(super) fn install(app: &mut App, plan: &RunPlan) {
    let (sender, receiver) = bounded(1);
    let (until, stop) = bounded(0);
    let (path, settings) = (plan.catalog.clone(), plan.show.clone());
    let thread = std::thread::Builder::new().name("catalogue".into());
    if let Err(error) = thread.spawn(move || watch(&path, &settings, &sender, &stop)) {
        warn!("the catalogue is not read again while this runs: no thread ({error})");
        return;
    }
    app.insert_resource(Fresh(receiver))
        .insert_resource(Watch { _until: until })
        .add_systems(Update, take.in_set(StageSet::Receive));
}

fn watch(path: &Path, settings: &ShowSettings, fresh: &Sender<Arc<Catalog>>, stop: &Receiver<()>) {
    let mut known = modified(path);
    // Nothing is ever sent; the other end's going is the word to stop.
    while stop.recv_timeout(EVERY) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
        let now = modified(path);
        if now == known || now.is_none() {
            continue;
        }
        known = now;
        match load_catalog(path, settings) {
            Ok(catalog) => {
                info!("the catalogue was read again");
                if fresh.send(Arc::new(catalog)).is_err() {
                    return;
                }
            }
            Err(error) => warn!("the catalogue stays as it was: {error:#}"),
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

fn take(time: Res<Time<Real>>, fresh: Res<Fresh>, mut director: ResMut<Director>) {
    if let Ok(catalog) = fresh.0.try_recv() {
        director.set_catalog(time.elapsed(), catalog);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Motion;
    use crate::show::Counting;

    #[test]
    fn an_edit_is_read_and_a_bad_one_keeps_the_last_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.toml");
        let shipped = include_str!("../../assets/catalog.toml");
        std::fs::write(&path, shipped).unwrap();
        let (sender, fresh) = bounded(1);
        let (until, stop) = bounded(0);
        let watched = path.clone();
        let settings = ShowSettings {
            motion: Motion::Full,
            streak_silence: Duration::from_secs(3),
            counting: Counting::Auto,
            feature_from: None,
            headline_from: None,
            lanes: Vec::new(),
        };
        let thread = std::thread::spawn(move || watch(&watched, &settings, &sender, &stop));

        let later = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        let edit = |text: &str, at| {
            std::fs::write(&path, text).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(at).unwrap();
        };
        edit("this is no catalogue", later(10));
        let nothing = fresh.recv_timeout(EVERY * 2);
        assert!(nothing.is_err(), "a bad edit must not be taken");
        edit(&shipped.replace("\"Rose\"", "\"Rosa\""), later(20));
        let catalog = fresh.recv_timeout(EVERY * 5).expect("a good edit is taken");
        assert_eq!(&*catalog.recipe("rose").name, "Rosa");
        drop(until);
        thread.join().unwrap();
    }
}
