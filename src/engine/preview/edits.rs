//! What changes on disk while a preview runs: the catalogue and the files that
//! it names. Whatever is bad is said, and the last good one stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use bevy::prelude::*;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::catalog::{Catalog, FALLBACK, check_picture, nearest};
use crate::render::captions::CaptionDesk;
use crate::render::textures::Textures;
use crate::stage::Director;

/// How often the files' times are looked at: soon enough to feel at once.
const EVERY: Duration = Duration::from_millis(200);

/// When a file was written and how long it is; `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

/// What changed.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// The catalogue, where it was edited and is good.
    pub catalog: Option<Arc<Catalog>>,
    /// Files that are to be read again, relative to the catalogue's folder.
    pub assets: Vec<String>,
    /// All that is wrong now, each with its file and, in the catalogue, the
    /// line.
    pub faults: Vec<String>,
}

/// The thread that watches; it ends with this.
#[derive(Resource)]
pub struct Watch {
    edits: Receiver<Edit>,
    _until: Sender<()>,
}

impl Watch {
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(path: &Path, catalog: Arc<Catalog>, gifts: &[String]) -> Result<Self> {
        // One edit waits at most; the thread looks again once it is taken.
        let (sender, edits) = bounded(1);
        let (until, stop) = bounded::<()>(0);
        let mut files = Files::new(path, catalog, gifts);
        std::thread::Builder::new()
            .name("edits".into())
            .spawn(move || {
                // Nothing is ever sent; the other end's going is the word to
                // stop.
                while stop.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    if let Some(edit) = files.look()
                        && sender.send(edit).is_err()
                    {
                        return;
                    }
                }
            })
            .context("edits cannot be watched: no thread")?;
        Ok(Self {
            edits,
            _until: until,
        })
    }

    /// An edit since the last call, if there was one.
    #[cfg(feature = "desktop")]
    pub fn next(&self) -> Option<Edit> {
        self.edits.try_recv().ok()
    }

    /// The next edit, whenever it comes; `None` once that is over.
    pub fn wait(&self, is_over: impl Fn() -> bool) -> Option<Edit> {
        while !is_over() {
            match self.edits.recv_timeout(EVERY) {
                Ok(edit) => return Some(edit),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        None
    }
}

/// What is known of the files.
pub struct Files {
    path: PathBuf,
    stamp: Stamp,
    gifts: Vec<String>,
    catalog: Arc<Catalog>,
    mistake: Option<String>,
    /// Those that the catalogue no longer names as well: the stage keeps what it has
    /// read, and may be asked for it again. There is one more for each name that
    /// somebody has ever saved, and nobody saves many.
    assets: BTreeMap<String, Seen>,
}

/// A file as it was looked at last.
struct Seen {
    stamp: Stamp,
    /// Why it cannot be used.
    fault: Option<String>,
}

impl Files {
    /// As they are now; what is wrong already is said at the first look.
    ///
    /// A catalogue without one of `gifts` is not taken.
    pub fn new(path: &Path, catalog: Arc<Catalog>, gifts: &[String]) -> Self {
        Self {
            gifts: gifts.to_vec(),
            path: path.to_owned(),
            stamp: stamp(path),
            catalog,
            mistake: None,
            assets: BTreeMap::new(),
        }
    }

    /// What changed since the last look; `None` if nothing did.
    pub fn look(&mut self) -> Option<Edit> {
        let faults = self.faults();
        let mut edit = Edit::default();
        let now = stamp(&self.path);
        if now != self.stamp {
            self.stamp = now;
            match self.load() {
                Ok(catalog) => {
                    self.catalog = Arc::new(catalog);
                    self.mistake = None;
                    edit.catalog = Some(self.catalog.clone());
                }
                Err(mistake) => self.mistake = Some(mistake),
            }
        }
        for asset in self.named() {
            let file = self.catalog.root.join(&asset);
            let stamp = stamp(&file);
            let before = self.assets.get(&asset);
            if before.is_some_and(|before| before.stamp == stamp) {
                continue;
            }
            let fault = examine(&file).err();
            // At the first look the stage is about to read it anyway.
            if fault.is_none() && before.is_some() {
                edit.assets.push(asset.clone());
            }
            self.assets.insert(asset, Seen { stamp, fault });
        }
        edit.faults = self.faults();
        let is_news = edit.catalog.is_some() || !edit.assets.is_empty() || edit.faults != faults;
        is_news.then_some(edit)
    }

    fn load(&self) -> Result<Catalog, String> {
        let catalog = Catalog::load(&self.path).map_err(|error| error.to_string())?;
        let keys = || catalog.gifts.keys().map(|key| &**key).chain([FALLBACK]);
        match self
            .gifts
            .iter()
            .find(|gift| keys().all(|key| key != *gift))
        {
            None => Ok(catalog),
            Some(gone) => {
                let path = self.path.display();
                let hint = nearest(gone, keys())
                    .map_or_else(String::new, |other| format!("; is it called {other} now?"));
                Err(format!("{path}: there is no gift {gone} any more{hint}"))
            }
        }
    }

    /// The files that the catalogue names.
    fn named(&self) -> BTreeSet<String> {
        self.catalog.assets().map(|(asset, _)| asset).collect()
    }

    fn faults(&self) -> Vec<String> {
        let broken = self.named().into_iter().filter_map(|asset| {
            let fault = self.assets.get(&asset)?.fault.as_ref()?;
            Some(self.catalog.fault(&self.path, &asset, fault))
        });
        self.mistake.iter().cloned().chain(broken).collect()
    }
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Whether the file can be used, as far as can be told without the stage: what
/// was saved by half is not to take the place of what is good.
fn examine(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("png") => image::load_from_memory_with_format(&bytes, image::ImageFormat::Png)
            .map_err(|error| format!("is no good PNG: {error}"))
            .and_then(|picture| check_picture(picture.width(), picture.height())),
        // The header says how long the file is (glTF 2.0, section 4.4.2).
        Some("glb") => match bytes.get(..12) {
            Some(head)
                if head.starts_with(b"glTF") && head[8..] == (bytes.len() as u32).to_le_bytes() =>
            {
                Ok(())
            }
            _ => Err("is no whole binary glTF".to_owned()),
        },
        _ if bytes.is_empty() => Err("is empty".to_owned()),
        _ => Ok(()),
    }
}

/// Gives the stage another catalogue.
pub fn put_on_stage(world: &mut World, catalog: Arc<Catalog>) {
    let now = world.resource::<Time<Real>>().elapsed();
    world.resource_mut::<Director>().set_catalog(now, catalog);
}

/// Has the stage use what was edited; acts that play keep what they have.
pub fn apply(world: &mut World, edit: &Edit) {
    if let Some(catalog) = &edit.catalog {
        put_on_stage(world, catalog.clone());
    }
    for asset in &edit.assets {
        if asset.starts_with("icons/") {
            world.resource_mut::<CaptionDesk>().forget_icons();
            continue;
        }
        let assets = world.resource::<AssetServer>().clone();
        let texture = asset.strip_prefix("textures/");
        if let Some(stem) = texture.and_then(|file| file.strip_suffix(".png")) {
            world.resource_mut::<Textures>().reload(&assets, stem);
        } else if asset.starts_with("models/") {
            assets.reload(asset.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalogue of one gift with one texture, in a folder of its own.
    struct Studio {
        folder: tempfile::TempDir,
        saved: u64,
    }

    const RECIPE: &str = r##"
[lanes]
feature = 100
headline = 1000
[fallback]
name = "Gift"
kind = "particle"
seconds = 1
accents = ["#FFFFFF", "#FFFFFF"]
[gift.rose]
name = "Rose"
kind = "particle"
seconds = 2
accents = ["#FFFFFF", "#FF0000"]
[[gift.rose.emitter]]
texture = "petal"
"##;

    impl Studio {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("textures")).unwrap();
            let mut studio = Self { folder, saved: 0 };
            studio.save_text(RECIPE);
            studio.save_petal(4);
            studio
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Saves at a time that differs from every earlier one.
        fn touch(&mut self, path: &Path) {
            self.saved += 10;
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.saved);
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(at).unwrap();
        }

        fn save_text(&mut self, text: &str) {
            let path = self.path("catalog.toml");
            std::fs::write(&path, text).unwrap();
            self.touch(&path);
        }

        fn save_petal(&mut self, side: u32) {
            let path = self.path("textures/petal.png");
            image::RgbaImage::new(side, side).save(&path).unwrap();
            self.touch(&path);
        }

        fn files(&self) -> Files {
            let path = self.path("catalog.toml");
            let catalog = Arc::new(Catalog::load(&path).unwrap());
            let mut files = Files::new(&path, catalog, &["rose".to_owned()]);
            // The fallback's default texture is not among these.
            std::fs::copy(
                self.path("textures/petal.png"),
                self.path("textures/dot.png"),
            )
            .unwrap();
            assert!(files.look().is_none(), "nothing has changed yet");
            files
        }
    }

    #[test]
    fn a_good_edit_is_taken_and_a_bad_one_says_where_and_what_was_meant() {
        let mut studio = Studio::new();
        let mut files = studio.files();
        studio.save_text(&RECIPE.replace("texture =", "textur ="));
        let edit = files.look().expect("the mistake is news");
        assert!(edit.catalog.is_none(), "the last good one stays");
        let told = &edit.faults[0];
        assert!(told.contains("catalog.toml:16"), "{told}");
        assert!(told.contains("did you mean `texture`?"), "{told}");
        assert!(files.look().is_none(), "the same mistake is told once");

        studio.save_text(&RECIPE.replace("\"Rose\"", "\"Rosa\""));
        let edit = files.look().unwrap();
        assert!(edit.faults.is_empty());
        assert_eq!(&*edit.catalog.unwrap().recipe("rose").name, "Rosa");
    }

    #[test]
    fn the_gift_that_is_looked_at_cannot_be_edited_away() {
        let mut studio = Studio::new();
        let mut files = studio.files();
        studio.save_text(&RECIPE.replace("gift.rose", "gift.roses"));
        let edit = files.look().unwrap();
        assert!(edit.catalog.is_none());
        assert!(
            edit.faults[0].contains("no gift rose any more; is it called roses now?"),
            "{:?}",
            edit.faults
        );
    }

    #[test]
    fn a_texture_is_read_again_when_it_is_whole() {
        let mut studio = Studio::new();
        let mut files = studio.files();
        studio.save_petal(8);
        assert_eq!(files.look().unwrap().assets, ["textures/petal.png"]);

        let path = studio.path("textures/petal.png");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        studio.touch(&path);
        let edit = files.look().unwrap();
        assert!(edit.assets.is_empty(), "half a picture is not taken");
        assert!(
            edit.faults[0].contains("names textures/petal.png, which is no good PNG"),
            "{:?}",
            edit.faults
        );
        std::fs::write(&path, &whole).unwrap();
        studio.touch(&path);
        let edit = files.look().unwrap();
        assert_eq!(edit.assets, ["textures/petal.png"]);
        assert!(edit.faults.is_empty());
    }

    #[test]
    fn a_texture_that_a_card_may_have_no_room_for_is_not_taken() {
        let mut studio = Studio::new();
        let mut files = studio.files();
        let path = studio.path("textures/petal.png");
        let wide = image::RgbaImage::new(8193, 1);
        wide.save(&path).unwrap();
        studio.touch(&path);
        let edit = files.look().unwrap();
        assert!(edit.assets.is_empty());
        assert!(
            edit.faults[0].contains("which is 8193x1; no side may be longer than 8192"),
            "{:?}",
            edit.faults
        );
    }

    #[test]
    fn a_texture_that_was_edited_while_nothing_named_it_is_read_again() {
        let mut studio = Studio::new();
        let mut files = studio.files();
        let without = RECIPE.replace("\"petal\"", "\"dot\"");
        studio.save_text(&without);
        assert!(files.look().unwrap().assets.is_empty());
        studio.save_petal(8);
        assert!(files.look().is_none(), "nobody asks for it");
        studio.save_text(RECIPE);
        assert_eq!(files.look().unwrap().assets, ["textures/petal.png"]);

        // What is broken is said when it is named, and only then.
        std::fs::write(studio.path("textures/petal.png"), "half").unwrap();
        assert_eq!(files.look().unwrap().faults.len(), 1);
        studio.save_text(&without);
        assert_eq!(files.look().unwrap().faults, [""; 0]);
        studio.save_text(RECIPE);
        assert_eq!(files.look().unwrap().faults.len(), 1);
    }

    #[test]
    fn a_texture_that_is_not_there_is_told_with_the_nearest_that_is() {
        let mut studio = Studio::new();
        let mut files = studio.files();
        studio.save_text(&RECIPE.replace("\"petal\"", "\"pettal\""));
        let edit = files.look().unwrap();
        let told = &edit.faults[0];
        assert!(told.contains("catalog.toml:16: "), "{told}");
        assert!(
            told.ends_with("names textures/pettal.png, which is not there; did you mean `petal`?"),
            "{told}"
        );
    }
}
