//! What each gift type looks and sounds like: `assets/catalog.toml`.
//!
//! A recipe is data. The stage has a handful of parts (particle templates,
//! pictures, a model, a video) and a recipe says which of them play, when, how
//! many and in which colours. Lengths are stage units: the shorter side of the
//! stage is 1,000 units, the origin is the act's own place, y points up. Times
//! are seconds on the recipe's own timeline.
//!
//! [`Catalog::load`] reads and validates; a mistake is reported with file, line
//! and, for a misspelt word, the nearest one that would be right.

#[cfg(feature = "cli")]
mod fault;
mod letters;
mod load;
mod motion;
mod shake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

pub use letters::{Letters, Shadow};
#[cfg(all(feature = "render", feature = "cli"))]
pub(crate) use load::nearest;
pub use load::{CatalogError, icon_path, sound_path, texture_path};
pub use motion::Motion;
pub use shake::Shake;

/// The key of the fallback's recipe.
pub const FALLBACK: &str = "fallback";

/// Pixels of a picture's longer side, at most. No stage is larger, and a card that has no
/// room for that many is older than the drivers this runs on.
const MAX_PICTURE_SIDE: u32 = 8192;

/// What is wrong with a picture that a graphics card may have no room for, which would
/// end all drawing.
///
/// # Errors
/// When a side is longer than 8192 pixels.
pub fn check_picture(width: u32, height: u32) -> Result<(), String> {
    if width.max(height) <= MAX_PICTURE_SIDE {
        return Ok(());
    }
    Err(format!(
        "is {width}x{height}; no side may be longer than {MAX_PICTURE_SIDE}"
    ))
}

/// Where on stage an act plays; bounds how many run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Full screen, one at a time.
    Headline,
    /// Models, videos, mid-value effects; three at a time.
    Feature,
    /// Small particle bursts, 12 to 60 at a time.
    Ambient,
}

/// The catalogue: validated, ready to be asked.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The folder that asset paths are relative to.
    pub root: PathBuf,
    pub lanes: LaneThresholds,
    /// The gifts that calm motion shows in place of all others.
    pub calm: Vec<Arc<str>>,
    pub gifts: BTreeMap<Arc<str>, Arc<Recipe>>,
    /// Their types by the types in small letters; of two that are alike so, the first.
    any_case: BTreeMap<Box<str>, Arc<str>>,
    /// Plays for gift types that are not in `gifts`.
    pub fallback: Arc<Recipe>,
}

/// A gift without a lane of its own is placed by its `totalValue`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneThresholds {
    pub feature: f64,
    pub headline: f64,
}

/// What carries the recipe; decides the gift's lane when neither the recipe
/// nor its value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Particle,
    #[serde(rename = "3d-model")]
    Model,
    Video,
}

/// How one gift type plays.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The catalogue key, "fallback" for the fallback.
    pub key: Arc<str>,
    /// What the caption calls it.
    pub name: Arc<str>,
    pub kind: Kind,
    pub lane: Option<Lane>,
    /// At ordinary load, one gift, no streak.
    pub duration: Duration,
    /// Where an open streak waits on the timeline for its climax, seconds.
    pub sustain: f32,
    /// The seconds before `sustain` that play again and again while a streak is
    /// open, with the emitters that begin in them; with 0 it stands still there.
    pub repeats: f32,
    /// When the gift looks its best, for stills; the sustain point unless said.
    pub best: f32,
    /// Particles alive at once, for the stage's budget.
    pub particles: u32,
    /// Two colours that the caption's rim and counter take, linear RGB.
    pub accents: [Color; 2],
    pub icon: Option<String>,
    pub sound: Option<String>,
    pub emitters: Vec<Emitter>,
    pub pictures: Vec<Picture>,
    pub model: Option<Model>,
    pub video: Option<Video>,
    pub letters: Option<Letters>,
    /// When the stage trembles.
    pub shakes: Vec<Shake>,
}

/// One particle emitter of a recipe.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Emitter {
    pub template: Template,
    /// File in `textures/`, without ".png".
    pub texture: String,
    pub on: Trigger,
    /// Seconds after the trigger.
    pub at: f32,
    /// Seconds over which the particles are spread; 0 is one burst.
    pub span: f32,
    /// Particles in all, at ordinary intensity, 1 to 4,096.
    pub count: u32,
    /// Moves with the picture of this id, with the model's node of this name,
    /// or stays at the act's place.
    pub follow: Option<String>,
    /// Under or over the gift's pictures; the template's own place unless said.
    pub layer: Option<Layer>,
    /// Centre of the place where particles are born.
    pub offset: [f32; 3],
    /// Half size of the box they are born in.
    pub extent: [f32; 3],
    /// Radius of a disc around the centre, added to the box.
    pub radius: f32,
    /// 0 fills the disc, 1 uses its rim only.
    pub rim: f32,
    /// Direction and speed that all share, units per second.
    pub aim: [f32; 3],
    /// Speed away from the centre in a random direction, least and most.
    pub burst: [f32; 2],
    /// Speed at right angles to the way out, anticlockwise: what turns a burst
    /// into a whirl.
    pub swirl: f32,
    /// 0 bursts in a plane, 1 in a ball.
    pub depth: f32,
    /// Random share of speed on each axis, units per second.
    pub jitter: [f32; 3],
    /// Units per second squared.
    pub gravity: [f32; 3],
    /// Share of speed lost per second, 0 for none; below 0 speed is gained, as
    /// by what falls inwards. At least -4.
    pub drag: f32,
    /// Amplitude of a slow wandering, units per second squared.
    pub wander: f32,
    /// Seconds, least and most.
    pub life: [f32; 2],
    /// Size at birth, at its largest and at death.
    pub size: [f32; 3],
    /// Least and most of a random factor on the size.
    pub vary: [f32; 2],
    /// Degrees per second, least and most.
    pub spin: [f32; 2],
    /// Degrees at which it is born, least and most. Unless said: any way round
    /// when it spins, upright when it does not.
    pub roll: Option<[f32; 2]>,
    /// Turns per second with which a flat thing tumbles; catches light.
    pub tumble: f32,
    /// How many things a `flip` sheet shows, each in 64 / `kinds` poses; each
    /// particle is one of them.
    pub kinds: u32,
    /// How brightly a `flip` particle flashes once a turn; 0 is matt.
    pub glint: f32,
    /// Heights at which particles bounce, least and most; each has its own, as
    /// on a floor seen from above.
    pub floor: Option<[f32; 2]>,
    /// Share of its speed that a particle keeps when it bounces, 0 to 1.
    pub bounce: f32,
    /// One to four colours over life; each particle is tinted along the way.
    pub colors: Vec<Color>,
    /// Share of its life after which a particle fades, 0 to below 1; the
    /// template's own unless said.
    pub fade: Option<f32>,
    /// Each particle takes one of the colours and keeps it.
    pub pick: bool,
    /// Least opacity share; each particle's own is random between this and 1.
    pub shade: f32,
    /// Brightness over white: above 1 it blooms.
    pub glow: f32,
    pub opacity: f32,
}

impl Default for Emitter {
    fn default() -> Self {
        Self {
            template: Template::Glow,
            texture: "dot".into(),
            on: Trigger::Start,
            at: 0.0,
            span: 0.0,
            count: 50,
            follow: None,
            layer: None,
            offset: [0.0; 3],
            extent: [0.0; 3],
            radius: 0.0,
            rim: 0.0,
            aim: [0.0; 3],
            burst: [0.0; 2],
            swirl: 0.0,
            depth: 0.0,
            jitter: [0.0; 3],
            gravity: [0.0; 3],
            drag: 0.0,
            wander: 0.0,
            life: [0.8, 1.4],
            size: [10.0, 20.0, 0.0],
            vary: [0.6, 1.3],
            spin: [0.0; 2],
            roll: None,
            tumble: 0.0,
            kinds: 1,
            glint: 0.0,
            floor: None,
            bounce: 0.45,
            colors: vec![Color::WHITE],
            fade: None,
            pick: false,
            shade: 1.0,
            glow: 1.0,
            opacity: 1.0,
        }
    }
}

/// The effect templates. Each is one set of pipelines, made at warm-up; all
/// that a recipe can vary are properties and textures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// Additive, soft, turning: light.
    Glow,
    /// Additive, stretched along its flight: sparks.
    Spark,
    /// Opaque matter that tumbles and catches light: petals, paper, coins. The
    /// texture is a sheet of 2x2 poses, one of which each particle takes.
    Matter,
    /// Opaque matter with a thickness or a bend, which a squeezed picture would
    /// belie: coins, banknotes, petals, hearts. The texture is a sheet of 8x8
    /// poses, one turn, played at `tumble`; it falls faster edge on than flat.
    Flip,
    /// Blended, growing, slowly turning: smoke. The texture is a sheet of 4x4
    /// that plays once.
    Smoke,
    /// A band of light behind a moving emitter.
    Ribbon,
}

impl Template {
    pub const ALL: [Self; 6] = [
        Self::Glow,
        Self::Spark,
        Self::Matter,
        Self::Flip,
        Self::Smoke,
        Self::Ribbon,
    ];
}

/// Where an emitter lies among the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    Under,
    Over,
}

/// What sets an emitter off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The act appears.
    Start,
    /// The streak grew while the act is on stage.
    Grow,
    /// A combo milestone was crossed.
    Combo,
    /// The streak ended and the timeline goes on from `sustain`: the finale,
    /// scaled by its total.
    Climax,
}

/// A still picture that moves: the hero of a particle gift, a shock ring.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// What emitters may follow.
    #[serde(default)]
    pub id: Option<String>,
    /// The picture that carries this one: its track is then measured from that
    /// one's place, and it moves, turns, scales and fades with it.
    #[serde(default)]
    pub with: Option<String>,
    /// File in `textures/`, without ".png".
    pub texture: String,
    /// Height in stage units at scale 1.
    pub size: f32,
    #[serde(default)]
    pub additive: bool,
    /// Share of its opacity with which light covers what is behind it, 0 to 1:
    /// with none it cannot be seen over white.
    #[serde(default)]
    pub body: f32,
    /// Over the model and matter instead of under them.
    #[serde(default)]
    pub front: bool,
    #[serde(default = "white")]
    pub color: Color,
    /// Brightness over white: above 1 it blooms.
    #[serde(default = "one")]
    pub glow: f32,
    #[serde(default)]
    pub on: Option<Trigger>,
    /// The point that the track places and about which it turns and scales, in
    /// shares of its sides from the middle: [-0.5, 0] is its left edge.
    #[serde(default)]
    pub pivot: [f32; 2],
    /// Degrees a second in its own plane, anticlockwise; goes on while the
    /// timeline is held.
    #[serde(default)]
    pub turn: f32,
    #[serde(default)]
    pub wave: Option<Wave>,
    pub track: Track,
}

/// A wave that runs through a picture: a tail that beats, a mane in the wind.
/// It goes on while the timeline is held.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// Where the picture is held, in shares of its sides from the middle.
    #[serde(default)]
    pub hold: [f32; 2],
    /// How far it is moved a whole side away from there, in shares of its
    /// sides; the square of the distance less, nearer by.
    pub sway: [f32; 2],
    /// Waves from there to a whole side away.
    pub waves: f32,
    /// Waves a second.
    pub hertz: f32,
}

/// A model and how it moves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// File in `models/`, with its ending.
    pub file: String,
    /// Name of the animation to play, if it has one.
    #[serde(default)]
    pub clip: Option<String>,
    /// Stage units for one unit of the model.
    pub size: f32,
    pub track: Track,
}

/// A video with alpha beside colour.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Video {
    /// File in `video/`, with its ending.
    pub file: String,
    /// Height in stage units.
    pub size: f32,
    #[serde(default)]
    pub offset: [f32; 2],
    /// Where alpha is, for files without a `vapc` box.
    #[serde(default)]
    pub halves: Option<Halves>,
    /// Fusion tag that takes the sender's avatar.
    #[serde(default)]
    pub avatar: Option<String>,
    /// Fusion tag that takes the sender's name.
    #[serde(default)]
    pub name: Option<String>,
}

/// Which half of a frame holds alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Halves {
    AlphaLeft,
    AlphaRight,
    AlphaTop,
    AlphaBottom,
}

/// Keys over the recipe's timeline, in rising order of `at`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Track(pub Vec<Key>);

/// One moment of a track. Between two keys each value runs with the later
/// key's easing.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Key {
    pub at: f32,
    pub x: f32,
    pub y: f32,
    pub z: f32,
    pub scale: f32,
    /// Stretch along y against x: squash is below 1.
    pub stretch: f32,
    /// Degrees about the axis towards the viewer, anticlockwise.
    pub roll: f32,
    /// Degrees about the upright axis.
    pub yaw: f32,
    /// Degrees about the axis to the right.
    pub pitch: f32,
    pub alpha: f32,
    /// Share of the picture that is there, 0 to 1, from its left edge: a line
    /// that is drawn.
    pub reveal: f32,
    pub ease: Ease,
}

impl Default for Key {
    fn default() -> Self {
        Self {
            at: 0.0,
            x: 0.0,
            y: 0.0,
            z: 0.0,
            scale: 1.0,
            stretch: 1.0,
            roll: 0.0,
            yaw: 0.0,
            pitch: 0.0,
            alpha: 1.0,
            reveal: 1.0,
            ease: Ease::InOut,
        }
    }
}

/// Easing curves, named as in animation: anticipation goes back before it goes,
/// overshoot beyond before it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ease {
    Linear,
    In,
    Out,
    #[default]
    InOut,
    /// Goes back first.
    Anticipate,
    /// Goes too far, comes back.
    Overshoot,
    /// Stays at the earlier key until the later one.
    Hold,
    /// Passes through the keys without stopping at them, along a curve that the
    /// neighbouring keys shape: a flight in several keys.
    Smooth,
}

/// A colour as the catalogue writes it, "#RRGGBB", held as linear light.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color(pub [f32; 3]);

impl Color {
    pub const WHITE: Self = Self([1.0; 3]);

    /// Channels as sRGB bytes.
    pub fn to_srgb8(self) -> [u8; 3] {
        self.0
            .map(|c| (Self::encode_srgb(c).clamp(0.0, 1.0) * 255.0).round() as u8)
    }

    /// Linear light from an sRGB-encoded value (IEC 61966-2-1).
    pub fn decode_srgb(encoded: f32) -> f32 {
        if encoded <= 0.04045 {
            encoded / 12.92
        } else {
            ((encoded + 0.055) / 1.055).powf(2.4)
        }
    }

    /// The sRGB encoding of linear light (IEC 61966-2-1).
    pub fn encode_srgb(linear: f32) -> f32 {
        if linear <= 0.003_130_8 {
            linear * 12.92
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        }
    }
}

fn white() -> Color {
    Color::WHITE
}

fn one() -> f32 {
    1.0
}

impl Recipe {
    /// The picture that carries this one.
    pub fn carrier(&self, picture: &Picture) -> Option<&Picture> {
        let with = picture.with.as_deref()?;
        self.pictures
            .iter()
            .find(|other| other.id.as_deref() == Some(with))
    }

    /// Whether anything of it is brighter than white, so that it blooms.
    pub fn shines(&self) -> bool {
        self.model.is_some()
            || self.emitters.iter().any(|emitter| emitter.glow > 1.0)
            || self.pictures.iter().any(|picture| picture.glow > 1.0)
            || self.letters.iter().any(|letters| letters.glow > 1.0)
    }
}

impl Catalog {
    /// The gift's recipe, or that of a type that differs from its own only in large and
    /// small letters of ASCII, or the fallback.
    pub fn recipe(&self, gift_type: &str) -> &Arc<Recipe> {
        let in_any_case = || {
            let key = self.any_case.get(&*gift_type.to_ascii_lowercase())?;
            self.gifts.get(key)
        };
        let exact = self.gifts.get(gift_type);
        exact.or_else(in_any_case).unwrap_or(&self.fallback)
    }

    /// Whether a recipe has an emitter of this template.
    pub fn names(&self, template: Template) -> bool {
        let recipes = self.gifts.values().chain([&self.fallback]);
        let mut emitters = recipes.flat_map(|recipe| &recipe.emitters);
        emitters.any(|emitter| emitter.template == template)
    }

    /// The lane for a gift of this type and value.
    pub fn lane(&self, gift_type: &str, total_value: f64) -> Lane {
        let recipe = self.recipe(gift_type);
        recipe.lane.unwrap_or_else(|| {
            if total_value >= self.lanes.headline {
                Lane::Headline
            } else if total_value >= self.lanes.feature || recipe.kind != Kind::Particle {
                Lane::Feature
            } else {
                Lane::Ambient
            }
        })
    }
}

impl Ease {
    /// The eased share of the way, for `t` from 0 to 1.
    pub fn apply(self, t: f32) -> f32 {
        // The constant that gives "back" easings a tenth of overshoot
        // (Penner, "Motion, Tweening, and Easing", 2002).
        const BACK: f32 = 1.70158;
        match self {
            // A track shapes a smooth way itself; between two keys alone it is even.
            Self::Linear | Self::Smooth => t,
            Self::In => t * t * t,
            Self::Out => 1.0 - (1.0 - t).powi(3),
            Self::InOut => t * t * (3.0 - 2.0 * t),
            Self::Anticipate => t * t * ((BACK + 1.0) * t - BACK),
            Self::Overshoot => {
                let u = t - 1.0;
                1.0 + u * u * ((BACK + 1.0) * u + BACK)
            }
            Self::Hold => {
                if t < 1.0 {
                    0.0
                } else {
                    1.0
                }
            }
        }
    }
}

impl Track {
    /// The track's value at `at` seconds; the ends are held.
    pub fn at(&self, at: f32) -> Key {
        self.at_with_ends(at, |end| end)
    }

    /// The same, with its first key and its last as `moved` makes them.
    pub fn at_with_ends(&self, at: f32, moved: impl Fn(Key) -> Key) -> Key {
        let keys = &self.0;
        let key = |index: usize| {
            let key = *keys.get(index)?;
            let is_end = index == 0 || index + 1 == keys.len();
            Some(if is_end { moved(key) } else { key })
        };
        let next = keys.partition_point(|key| key.at <= at);
        let (before, a) = (
            next.checked_sub(2).and_then(key),
            next.checked_sub(1).and_then(key),
        );
        let (b, after) = (key(next), key(next + 1));
        let (a, b) = match (a, b) {
            (Some(a), Some(b)) => (a, b),
            (end, other) => return end.or(other).unwrap_or_default(),
        };
        let t = b.ease.apply((at - a.at) / (b.at - a.at));
        let mix = |value: fn(&Key) -> f32| {
            let (from, to) = (value(&a), value(&b));
            if b.ease != Ease::Smooth {
                return from + (to - from) * t;
            }
            let span = b.at - a.at;
            let secant = (to - from) / span;
            let leaving = before.map_or(secant, |k| {
                slope(
                    (from - value(&k)) / (a.at - k.at),
                    a.at - k.at,
                    secant,
                    span,
                )
            });
            let arriving = after.map_or(secant, |k| {
                slope(secant, span, (value(&k) - to) / (k.at - b.at), k.at - b.at)
            });
            hermite(from, leaving * span, to, arriving * span, t)
        };
        Key {
            at,
            x: mix(|key| key.x),
            y: mix(|key| key.y),
            z: mix(|key| key.z),
            scale: mix(|key| key.scale),
            stretch: mix(|key| key.stretch),
            roll: mix(|key| key.roll),
            yaw: mix(|key| key.yaw),
            pitch: mix(|key| key.pitch),
            alpha: mix(|key| key.alpha).clamp(0.0, 1.0),
            reveal: mix(|key| key.reveal).clamp(0.0, 1.0),
            ease: b.ease,
        }
    }
}

/// The slope at a key between a stretch of slope `before` and one of slope
/// `after`: that of the parabola through the three keys, which uneven times do
/// not make swing.
fn slope(before: f32, before_span: f32, after: f32, after_span: f32) -> f32 {
    (before * after_span + after * before_span) / (before_span + after_span)
}

/// The cubic from `from` to `to` with these slopes at its ends, at `t` from 0 to
/// 1 (Hermite).
fn hermite(from: f32, leaving: f32, to: f32, arriving: f32, t: f32) -> f32 {
    let u = 1.0 - t;
    u * u * (1.0 + 2.0 * t) * from + t * u * u * leaving + t * t * (1.0 + 2.0 * u) * to
        - t * t * u * arriving
}
