//! Reading `catalog.toml`, and saying what is wrong with it and where.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{
    Catalog, Color, Emitter, FALLBACK, Kind, Lane, LaneThresholds, Letters, Model, Picture, Recipe,
    Shake, Template, Track, Video, Wave,
};

/// More gifts than any platform sells; the rest is refused.
const MAX_GIFTS: usize = 1_000;
/// A recipe is one picture, not a film; keeps a slip of the pen affordable.
const MAX_PARTS: usize = 64;
/// How many pictures carry one another, at most: a head, its jaw, its tongue.
const MAX_CARRIED: usize = 4;
/// What gains speed does so sevenfold in half a second, at the most.
const LEAST_DRAG: f32 = -4.0;
/// Tremors of one recipe.
const MAX_SHAKES: usize = 8;
/// What one emitter may throw at once; the templates are built for it.
const COUNT: RangeInclusive<u32> = 1..=4_096;
const SECONDS: RangeInclusive<f32> = 0.1..=60.0;
/// A catalogue of the largest size is far below this.
const MAX_BYTES: u64 = 4 << 20;

/// Why a catalogue could not be used; the last good one stays.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("cannot read the catalogue {path}: {error}")]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("the catalogue {path} is {bytes} bytes; at most {MAX_BYTES} are read")]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("{path}:{line}: {message}")]
    Mistake {
        path: PathBuf,
        line: usize,
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    calm: Vec<Spanned<String>>,
    lanes: Spanned<LaneThresholds>,
    fallback: Spanned<Entry>,
    #[serde(default)]
    gift: BTreeMap<Spanned<String>, Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: Kind,
    #[serde(default)]
    lane: Option<Lane>,
    seconds: f32,
    #[serde(default)]
    sustain: Option<f32>,
    #[serde(default)]
    repeats: f32,
    #[serde(default)]
    best: Option<f32>,
    accents: [Color; 2],
    #[serde(default)]
    icon: Option<String>,
    #[serde(default)]
    sound: Option<String>,
    #[serde(default, rename = "emitter")]
    emitters: Vec<Spanned<Emitter>>,
    #[serde(default, rename = "picture")]
    pictures: Vec<Spanned<Picture>>,
    #[serde(default)]
    model: Option<Spanned<Model>>,
    #[serde(default)]
    video: Option<Spanned<Video>>,
    #[serde(default, rename = "shake")]
    shakes: Vec<Spanned<Shake>>,
    #[serde(default)]
    letters: Option<Spanned<Letters>>,
}

impl Catalog {
    /// Reads and validates a catalogue; asset paths are relative to its folder.
    ///
    /// # Errors
    /// [`CatalogError`] names the file, the line and what would be right.
    pub fn load(path: &Path) -> Result<Self, CatalogError> {
        let unreadable = |error| CatalogError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > MAX_BYTES {
            return Err(CatalogError::TooLarge {
                path: path.to_owned(),
                bytes,
            });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, path)
    }

    /// The catalogue that the program was built with: for whoever has to know how
    /// gifts play where none is installed, and shows none of them.
    pub fn shipped() -> Arc<Self> {
        static SHIPPED: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
            let text = include_str!("../../assets/catalog.toml");
            let catalog = Catalog::parse(text, Path::new("assets/catalog.toml"));
            Arc::new(catalog.expect("a test reads it"))
        });
        SHIPPED.clone()
    }

    /// Validates a catalogue's text; `path` is for messages and the root.
    ///
    /// # Errors
    /// [`CatalogError::Mistake`] with the line and what would be right.
    pub fn parse(text: &str, path: &Path) -> Result<Self, CatalogError> {
        let mistake = |at: usize, message: String| CatalogError::Mistake {
            path: path.to_owned(),
            line: line_of(text, at),
            message,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            mistake(at, with_nearest_word(error.message()))
        })?;
        let lanes = *file.lanes.get_ref();
        if !(0.0 <= lanes.feature && lanes.feature <= lanes.headline && lanes.headline.is_finite())
        {
            return Err(mistake(
                file.lanes.span().start,
                "lanes: `feature` must be at least 0 and at most `headline`".into(),
            ));
        }
        if file.gift.len() > MAX_GIFTS {
            return Err(mistake(0, format!("at most {MAX_GIFTS} gifts are taken")));
        }
        let recipe = |key: &str, entry: Spanned<Entry>| {
            Recipe::from_entry(key, entry)
                .map(Arc::new)
                .map_err(|(at, message)| mistake(at, format!("{key}: {message}")))
        };
        let fallback = recipe(FALLBACK, file.fallback)?;
        let mut gifts: BTreeMap<Arc<str>, _> = BTreeMap::new();
        for (key, entry) in file.gift {
            let key = key.into_inner();
            gifts.insert(Arc::from(key.as_str()), recipe(&key, entry)?);
        }
        let mut any_case = BTreeMap::new();
        for key in gifts.keys() {
            let small = key.to_ascii_lowercase().into_boxed_str();
            any_case.entry(small).or_insert_with(|| Arc::clone(key));
        }
        for key in &file.calm {
            let (at, key) = (key.span().start, key.get_ref());
            if !gifts.contains_key(key.as_str()) {
                let near = nearest(key, gifts.keys().map(|key| &**key));
                let hint =
                    near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
                return Err(mistake(
                    at,
                    format!("calm: there is no gift \"{key}\"{hint}"),
                ));
            }
        }
        Ok(Self {
            root: folder_of(path).to_owned(),
            lanes,
            calm: file
                .calm
                .iter()
                .map(|key| key.get_ref().as_str().into())
                .collect(),
            gifts,
            any_case,
            fallback,
        })
    }

    /// Every file the recipes name, relative to the root, with who names it.
    pub fn assets(&self) -> impl Iterator<Item = (String, &Recipe)> {
        self.gifts
            .values()
            .chain([&self.fallback])
            .flat_map(|recipe| recipe.assets().map(move |asset| (asset, &**recipe)))
    }
}

/// Where in the text, and what is wrong there.
type Complaint = (usize, String);

impl Recipe {
    fn from_entry(key: &str, entry: Spanned<Entry>) -> Result<Self, Complaint> {
        let at = entry.span().start;
        let entry = entry.into_inner();
        let seconds = entry.seconds;
        if !SECONDS.contains(&seconds) {
            return Err((at, "`seconds` must be from 0.1 to 60".into()));
        }
        let sustain = entry.sustain.unwrap_or(seconds * 0.6);
        if !(0.0..=seconds).contains(&sustain) {
            return Err((at, format!("`sustain` must be from 0 to {seconds}")));
        }
        if !(0.0..=sustain).contains(&entry.repeats) {
            return Err((
                at,
                format!("`repeats` must be from 0 to `sustain`, {sustain}"),
            ));
        }
        if entry
            .best
            .is_some_and(|best| !(0.0..=seconds).contains(&best))
        {
            return Err((at, format!("`best` must be from 0 to {seconds}")));
        }
        for stem in [&entry.icon, &entry.sound].into_iter().flatten() {
            check_file_stem(stem).map_err(|message| (at, message))?;
        }
        if entry.emitters.len() + entry.pictures.len() > MAX_PARTS {
            return Err((at, format!("at most {MAX_PARTS} emitters and pictures")));
        }
        let is_plain =
            entry.kind == Kind::Particle && entry.model.is_none() && entry.video.is_none();
        if key == FALLBACK && !is_plain {
            let message = "it plays where a model or a video has failed, so that it can be \
                neither; give it pictures and emitters and `kind = \"particle\"`";
            return Err((at, message.into()));
        }
        match (entry.kind, &entry.model, &entry.video) {
            (Kind::Model, None, _) => return Err((at, "kind \"3d-model\" needs a `model`".into())),
            (Kind::Video, _, None) => return Err((at, "kind \"video\" needs a `video`".into())),
            // A recipe fails, and falls back, as a whole.
            (_, Some(_), Some(_)) => {
                return Err((
                    at,
                    "it has a `model` and a `video`; keep one of them".into(),
                ));
            }
            _ => {}
        }
        let mut places = Vec::with_capacity(entry.pictures.len());
        let mut pictures = Vec::with_capacity(entry.pictures.len());
        for picture in entry.pictures {
            let at = picture.span().start;
            let picture = picture.into_inner();
            check_picture(&picture).map_err(|message| (at, message))?;
            check_light(&picture).map_err(|message| (at, message))?;
            places.push(at);
            pictures.push(picture);
        }
        check_carriers(&pictures).map_err(|(index, message)| (places[index], message))?;
        let model = entry.model.map(checked_model).transpose()?;
        let video = entry.video.map(checked_video).transpose()?;
        let letters = entry.letters.map(checked_letters).transpose()?;
        let mut emitters = Vec::with_capacity(entry.emitters.len());
        for emitter in entry.emitters {
            let at = emitter.span().start;
            let emitter = emitter.into_inner();
            check_emitter(&emitter, &pictures, model.is_some()).map_err(|m| (at, m))?;
            emitters.push(emitter);
        }
        let shakes = checked_shakes(entry.shakes)?;
        let particles = emitters.iter().map(|emitter| emitter.count).sum();
        Ok(Self {
            key: key.into(),
            name: entry.name.into(),
            kind: entry.kind,
            lane: entry.lane,
            duration: Duration::from_secs_f32(seconds),
            sustain,
            repeats: entry.repeats,
            best: entry.best.unwrap_or(sustain),
            particles,
            accents: entry.accents,
            icon: entry.icon,
            sound: entry.sound,
            emitters,
            pictures,
            model,
            video,
            shakes,
            letters,
        })
    }

    /// Every file this recipe names, relative to the catalogue's folder.
    pub fn assets(&self) -> impl Iterator<Item = String> + '_ {
        let textures = self.emitters.iter().map(|emitter| &emitter.texture);
        textures
            .chain(self.pictures.iter().map(|picture| &picture.texture))
            .chain(self.letters.iter().flat_map(Letters::textures))
            .map(|stem| texture_path(stem))
            .chain(self.icon.iter().map(|stem| icon_path(stem)))
            .chain(
                self.model
                    .iter()
                    .map(|model| format!("models/{}", model.file)),
            )
            .chain(
                self.video
                    .iter()
                    .map(|video| format!("video/{}", video.file)),
            )
            .chain(self.sound.iter().map(|stem| sound_path(stem)))
    }
}

/// Path of a texture relative to the catalogue's folder.
pub fn texture_path(stem: &str) -> String {
    format!("textures/{stem}.png")
}

/// Path of a caption's icon relative to the catalogue's folder.
pub fn icon_path(stem: &str) -> String {
    format!("icons/{stem}.png")
}

/// Path of a sound relative to the catalogue's folder.
pub fn sound_path(stem: &str) -> String {
    format!("sounds/{stem}.ogg")
}

fn checked_model(model: Spanned<Model>) -> Result<Model, Complaint> {
    let at = model.span().start;
    let model = model.into_inner();
    check_file_stem(&model.file)
        .and_then(|()| check_track(&model.track))
        .and_then(|()| positive("size", model.size))
        .map_err(|message| (at, message))?;
    Ok(model)
}

fn checked_video(video: Spanned<Video>) -> Result<Video, Complaint> {
    let at = video.span().start;
    let video = video.into_inner();
    check_file_stem(&video.file)
        .and_then(|()| positive("size", video.size))
        .map_err(|message| (at, message))?;
    Ok(video)
}

fn checked_shakes(shakes: Vec<Spanned<Shake>>) -> Result<Vec<Shake>, Complaint> {
    if let Some(first) = shakes.get(MAX_SHAKES) {
        return Err((
            first.span().start,
            format!("at most {MAX_SHAKES} times does a gift `shake`"),
        ));
    }
    let within = |value: f32, most: f32| value > 0.0 && value <= most;
    shakes
        .into_iter()
        .map(|shake| {
            let at = shake.span().start;
            let shake = shake.into_inner();
            if !(shake.at.is_finite() && shake.at >= 0.0) {
                return Err((at, "`at` must be 0 or more".into()));
            }
            for (name, value, most) in [
                ("seconds", shake.seconds, Shake::LONGEST),
                ("strength", shake.strength, Shake::STRONGEST),
            ] {
                if !within(value, most) {
                    return Err((at, format!("`{name}` must be above 0 and at most {most}")));
                }
            }
            Ok(shake)
        })
        .collect()
}

fn check_picture(picture: &Picture) -> Result<(), String> {
    check_file_stem(&picture.texture)?;
    check_track(&picture.track)?;
    positive("size", picture.size)?;
    not_negative("glow", picture.glow)?;
    if let Some(Wave {
        hold,
        sway,
        waves,
        hertz,
    }) = picture.wave
    {
        let values = [hold[0], hold[1], sway[0], sway[1], waves, hertz];
        if !values.iter().all(|value| value.abs() <= 20.0) {
            return Err("the values of `wave` must be from -20 to 20".into());
        }
    }
    Ok(())
}

/// Every carrier exists, and none is carried by itself in the end.
fn check_carriers(pictures: &[Picture]) -> Result<(), (usize, String)> {
    let ids = || pictures.iter().filter_map(|picture| picture.id.as_deref());
    let carrier = |picture: &Picture| {
        let with = picture.with.as_deref()?;
        pictures
            .iter()
            .find(|picture| picture.id.as_deref() == Some(with))
    };
    for (index, picture) in pictures.iter().enumerate() {
        if let Some(with) = picture.with.as_deref()
            && carrier(picture).is_none()
        {
            let hint = nearest(with, ids()).map_or_else(
                || "give a picture that `id`".to_owned(),
                |word| format!("did you mean \"{word}\"?"),
            );
            return Err((index, format!("no picture called \"{with}\"; {hint}")));
        }
        let chain = std::iter::successors(Some(picture), |picture| carrier(picture));
        if chain.take(MAX_CARRIED + 2).count() > MAX_CARRIED + 1 {
            return Err((
                index,
                format!("`with` goes round in a circle, or deeper than {MAX_CARRIED}"),
            ));
        }
    }
    Ok(())
}

fn checked_letters(letters: Spanned<Letters>) -> Result<Letters, Complaint> {
    let at = letters.span().start;
    let letters = letters.into_inner();
    let check = || {
        check_file_stem(&letters.texture)?;
        for (name, value) in [
            ("size", letters.size),
            ("pitch", letters.pitch),
            ("height", letters.height),
            ("width", letters.width),
        ] {
            positive(name, value)?;
        }
        for (name, value) in [
            ("at", letters.at),
            ("span", letters.span),
            ("leave", letters.leave),
            ("from", letters.from),
            ("glow", letters.glow),
        ] {
            not_negative(name, value)?;
        }
        if !(1..=4).contains(&letters.colors.len()) {
            return Err("`colors` takes one to four colours".into());
        }
        if let Some(shadow) = &letters.shadow {
            check_file_stem(&shadow.texture)?;
            positive("shadow.size", shadow.size)?;
            if !(0.0..=1.0).contains(&shadow.alpha) {
                return Err("`shadow.alpha` must be from 0 to 1".into());
            }
        }
        Ok(())
    };
    check().map_err(|message: String| (at, message))?;
    Ok(letters)
}

fn check_emitter(emitter: &Emitter, pictures: &[Picture], model: bool) -> Result<(), String> {
    check_file_stem(&emitter.texture)?;
    if !COUNT.contains(&emitter.count) {
        return Err(format!(
            "`count` must be from {} to {}",
            COUNT.start(),
            COUNT.end()
        ));
    }
    if !(1..=4).contains(&emitter.colors.len()) {
        return Err("`colors` takes one to four colours".into());
    }
    let pairs = [
        ("life", emitter.life),
        ("vary", emitter.vary),
        ("burst", emitter.burst),
        ("spin", emitter.spin),
        ("roll", emitter.roll.unwrap_or_default()),
        ("floor", emitter.floor.unwrap_or_default()),
    ];
    for (name, [least, most]) in pairs {
        if !(least <= most && most.is_finite() && least.is_finite()) {
            return Err(format!(
                "`{name}` is [least, most]; {least} is above {most}"
            ));
        }
    }
    positive("life", emitter.life[0])?;
    for (name, value) in [
        ("at", emitter.at),
        ("span", emitter.span),
        ("radius", emitter.radius),
        ("glow", emitter.glow),
        ("opacity", emitter.opacity),
        ("glint", emitter.glint),
    ] {
        not_negative(name, value)?;
    }
    if emitter.fade.is_some_and(|fade| !(0.0..1.0).contains(&fade)) {
        return Err("`fade` must be from 0 to below 1".into());
    }
    if !(emitter.drag.is_finite() && emitter.drag >= LEAST_DRAG) {
        return Err(format!("`drag` must be {LEAST_DRAG} or more"));
    }
    if ![1, 2, 4, 8].contains(&emitter.kinds) {
        return Err("`kinds` must be 1, 2, 4 or 8: a `flip` sheet has 64 poses".into());
    }
    if !(0.0..=1.0).contains(&emitter.bounce) {
        return Err("`bounce` must be from 0 to 1".into());
    }
    if let Some(follow) = &emitter.follow {
        let ids: Vec<&str> = pictures.iter().filter_map(|p| p.id.as_deref()).collect();
        if !model && !ids.contains(&follow.as_str()) {
            let hint = nearest(follow, ids.iter().copied()).map_or_else(
                || "give a picture an `id`, or the gift a `model`".to_owned(),
                |word| format!("did you mean \"{word}\"?"),
            );
            return Err(format!("nothing called \"{follow}\" to follow; {hint}"));
        }
    }
    if emitter.template == Template::Ribbon && emitter.follow.is_none() {
        return Err("a ribbon needs something to `follow`: it is what the movement leaves".into());
    }
    Ok(())
}

fn check_light(picture: &Picture) -> Result<(), String> {
    if !(0.0..=1.0).contains(&picture.body) {
        return Err("`body` must be from 0 to 1".into());
    }
    if picture.body > 0.0 && !picture.additive {
        return Err("`body` is for pictures that are `additive`; the others cover anyway".into());
    }
    if !picture.pivot.iter().all(|part| part.is_finite()) {
        return Err("`pivot` is [across, up] from the middle".into());
    }
    Ok(())
}

fn check_track(track: &Track) -> Result<(), String> {
    if track.0.is_empty() {
        return Err("`track` needs at least one key".into());
    }
    if !track.0.is_sorted_by(|a, b| a.at < b.at) {
        return Err("the keys of `track` must be in rising order of `at`".into());
    }
    Ok(())
}

/// Names stay inside the asset folders.
fn check_file_stem(name: &str) -> Result<(), String> {
    let path = Path::new(name);
    let plain = path
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if name.is_empty() || !plain {
        return Err(format!(
            "\"{name}\" must be a file name inside the asset folder, without \"..\" or a leading /"
        ));
    }
    Ok(())
}

fn positive(name: &str, value: f32) -> Result<(), String> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(format!("`{name}` must be above 0"))
    }
}

fn not_negative(name: &str, value: f32) -> Result<(), String> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(format!("`{name}` must be 0 or more"))
    }
}

/// The folder of a file; a bare name lies in the present one.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let end = at.min(text.len());
    1 + text.as_bytes()[..end]
        .iter()
        .filter(|&&b| b == b'\n')
        .count()
}

/// serde says "unknown field `colour`, expected one of `colors`, ..."; a person
/// wants to know which of the thirty it was.
fn with_nearest_word(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown ") else {
        return message.to_owned();
    };
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let Some(wrong) = quoted.next() else {
        return message.to_owned();
    };
    match nearest(wrong, quoted) {
        Some(word) => format!("{message}; did you mean `{word}`?"),
        None => message.to_owned(),
    }
}

/// The nearest of `words`, if any is near enough to be meant.
pub(crate) fn nearest<'a>(wrong: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::jaro_winkler(wrong, word), word))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = text
            .strip_prefix('#')
            .filter(|hex| hex.len() == 6)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .ok_or_else(|| {
                D::Error::custom(format!(
                    "\"{text}\" is not a colour; write it as \"#FF69B4\""
                ))
            })?;
        let channel = |shift: u32| ((value >> shift) & 0xff) as f32 / 255.0;
        Ok(Self(
            [channel(16), channel(8), channel(0)].map(Self::decode_srgb),
        ))
    }
}
