//! The catalogue, read again when its file changes. A bad edit keeps the last
//! good one and says where the mistake is.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::catalog::Catalog;
use crate::cli::{RunPlan, load_stage_catalog};
use crate::config::ShowSettings;
use crate::render::Textures;
use crate::render::captions::CaptionDesk;
use crate::render::models::ModelFiles;
use crate::stage::{Director, StageSet};

/// How often the file's time is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// The catalogue that was read last, if the stage has not taken it yet.
#[derive(Resource, Clone, Default)]
struct Fresh(Arc<Mutex<Option<Arc<Catalog>>>>);

impl Fresh {
    fn put(&self, catalog: Arc<Catalog>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(catalog);
    }

    fn take(&self) -> Option<Arc<Catalog>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Ends the thread when it is dropped.
#[derive(Resource)]
struct Watch {
    _until: Sender<()>,
}

/// `known` is what [`modified`] said before the catalogue was read; `wake` is called when
/// there is another to be taken.
pub(super) fn install(
    app: &mut App,
    plan: &RunPlan,
    known: Option<SystemTime>,
    wake: impl Fn() + Send + 'static,
) {
    let fresh = Fresh::default();
    let (until, stop) = bounded(0);
    let offer = {
        let fresh = fresh.clone();
        move |catalog| {
            fresh.put(catalog);
            wake();
        }
    };
    let (path, settings) = (plan.catalog.clone(), plan.show.clone());
    let thread = std::thread::Builder::new().name("catalogue".into());
    if let Err(error) = thread.spawn(move || watch(&path, known, &settings, offer, &stop)) {
        warn!("the catalogue is not read again while this runs: no thread ({error})");
        return;
    }
    app.insert_resource(fresh)
        .insert_resource(Watch { _until: until })
        // A gift that comes with it is placed by it.
        .add_systems(Update, take.before(StageSet::Receive));
}

fn watch(
    path: &Path,
    mut known: Option<SystemTime>,
    settings: &ShowSettings,
    offer: impl Fn(Arc<Catalog>),
    stop: &Receiver<()>,
) {
    // Nothing is ever sent; the other end's going is the word to stop.
    while stop.recv_timeout(EVERY) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
        let now = modified(path);
        if now == known || now.is_none() {
            continue;
        }
        known = now;
        match load_stage_catalog(path, settings) {
            Ok(catalog) => {
                info!("the catalogue was read again");
                offer(Arc::new(catalog));
            }
            Err(error) => warn!("the catalogue stays as it was: {error:#}"),
        }
    }
}

/// When the file was written last.
pub(super) fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

fn take(
    time: Res<Time<Real>>,
    fresh: Res<Fresh>,
    assets: Res<AssetServer>,
    mut director: ResMut<Director>,
    mut textures: ResMut<Textures>,
    mut models: ResMut<ModelFiles>,
    mut captions: ResMut<CaptionDesk>,
) {
    let Some(catalog) = fresh.take() else {
        return;
    };
    director.set_catalog(time.elapsed(), catalog);
    // What was missing may have come with it.
    textures.forget_failed(&assets);
    models.forget_failed(&assets);
    captions.forget_icons();
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;
    use crate::catalog::Motion;
    use crate::show::Counting;

    #[test]
    fn an_edit_is_read_and_a_bad_one_keeps_the_last_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.toml");
        let shipped = include_str!("../../assets/catalog.toml");
        std::fs::write(&path, shipped).unwrap();
        let (sender, fresh) = unbounded();
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
        let offer = move |catalog| sender.send(catalog).expect("the test listens");
        let thread = {
            let known = modified(&watched);
            std::thread::spawn(move || watch(&watched, known, &settings, offer, &stop))
        };

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

    #[test]
    fn of_two_edits_on_a_sleeping_stage_the_later_is_taken() {
        let fresh = Fresh::default();
        let shipped = Catalog::shipped();
        let later = Arc::new(Catalog::clone(&shipped));
        fresh.put(shipped);
        fresh.put(later.clone());
        assert!(Arc::ptr_eq(&fresh.take().unwrap(), &later));
        assert!(fresh.take().is_none());
    }
}
