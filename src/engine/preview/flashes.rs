//! Whether gifts flash harmfully: each by itself, at its own pace and hurried, and all
//! that the lanes allow at once. Frames are judged over black and over white, as
//! [`flash`](crate::flash) measures.

use anyhow::Result;

use super::pictures::{Performance, STEP};
use super::timeline::Timeline;
use crate::catalog::{Catalog, Lane, Recipe};
use crate::engine::Rehearsal;
use crate::flash::{Analyser, Findings};
use crate::model::{Gift, Moment, Sender};
use crate::render::StageSize;
use crate::show::LANES;
use crate::stage::Director;

/// Seconds of the fullest stage that are judged: all of it is there by the
/// second, and the shortest acts have given way to others by the last.
const FULLEST: f32 = 6.0;
/// The grounds that change most against.
const BACKDROPS: [(&str, [u8; 3]); 2] = [("black", [0; 3]), ("white", [255; 3])];

/// What was found over each backdrop.
pub struct Judgement([(&'static str, Findings); 2]);

impl Judgement {
    pub fn passes(&self) -> bool {
        self.0.iter().all(|(_, findings)| findings.passes())
    }

    pub fn line(&self, what: &str) -> String {
        let mut line = format!("{what:<16}");
        for (backdrop, found) in &self.0 {
            let (general, red) = (found.general, found.red);
            line += &format!(
                "  over {backdrop}: {:.1} general (at {:.1} s), {:.1} red;",
                general.half_flashes as f32 / 2.0,
                general.at.as_secs_f32(),
                red.half_flashes as f32 / 2.0,
            );
            let worse = if red.flickering > general.flickering {
                red
            } else {
                general
            };
            if worse.flickering >= 0.01 {
                let (x, y) = worse.flickering_place;
                line += &format!(
                    " {:.0} % of a field flickers at {:.1} s, {:.0} % across and {:.0} % down;",
                    100.0 * worse.flickering,
                    worse.flickering_at.as_secs_f32(),
                    100.0 * x,
                    100.0 * y,
                );
            }
        }
        line + if self.passes() { " passes" } else { " FAILS" }
    }
}

/// Plays a gift through.
///
/// # Errors
/// When something that it needs never comes.
pub fn judge(rehearsal: &mut Rehearsal, timeline: &Timeline) -> Result<Judgement> {
    let mut bench = Bench::new(rehearsal);
    let mut play = Performance::begin(rehearsal, timeline)?;
    let mut at = 0.0;
    while play.is_on() {
        play.rehearsal().film(true, at);
        play.step();
        at += STEP.as_secs_f32();
        bench.look(play.rehearsal())?;
    }
    bench.finish(play.rehearsal())
}

/// Plays a gift in half its time, which is what a backend or a long queue may ask for.
///
/// # Errors
/// When something that it needs never comes.
pub fn judge_hurried(rehearsal: &mut Rehearsal, recipe: &Recipe) -> Result<Judgement> {
    let mut bench = Bench::new(rehearsal);
    let mut gift = Gift::one("hurried", &*recipe.key, Sender::named("viewer", "Viewer"));
    gift.animation.duration = Some(recipe.duration / 2);
    rehearsal.begin(gift)?;
    bench.watch(rehearsal, recipe.duration.as_secs_f32())?;
    bench.finish(rehearsal)
}

/// Fills every lane with what the catalogue has for it, over and over.
///
/// # Errors
/// When something that a gift needs never comes.
pub fn judge_fullest(rehearsal: &mut Rehearsal, catalog: &Catalog) -> Result<Judgement> {
    let mut bench = Bench::new(rehearsal);
    let gifts_of = |lane| {
        catalog
            .gifts
            .keys()
            .filter(move |key| catalog.lane(key, 0.0) == lane)
    };
    // The dearest first: they would otherwise wait behind the rate.
    let mut crowd = Vec::new();
    for lane in LANES {
        let places = rehearsal.world().resource::<Director>().show.places(lane);
        // Ambient acts are short: as many again come in their place.
        let count = if lane == Lane::Ambient {
            2 * places
        } else {
            places
        };
        crowd.extend(gifts_of(lane).cycle().take(count));
    }
    let mut crowd = crowd.into_iter().enumerate().map(|(number, key)| {
        let name = format!("viewer {number}");
        Gift::one(name.clone(), key.clone(), Sender::named(name.clone(), name))
    });
    let Some(first) = crowd.next() else {
        return Ok(bench.judgement());
    };
    rehearsal.begin(first)?;
    crowd.for_each(|gift| rehearsal.offer(gift));
    bench.watch(rehearsal, FULLEST)?;
    bench.finish(rehearsal)
}

/// Two analysers before one stage.
struct Bench {
    analysers: [Analyser; 2],
}

impl Bench {
    fn new(rehearsal: &mut Rehearsal) -> Self {
        let pixels = rehearsal.world().resource::<StageSize>().pixels;
        let analyser = || Analyser::new(pixels.x as usize, pixels.y as usize);
        Self {
            analysers: [analyser(), analyser()],
        }
    }

    /// Lets the stage play for so long.
    fn watch(&mut self, rehearsal: &mut Rehearsal, seconds: f32) -> Result<()> {
        let frames = (seconds / STEP.as_secs_f32()) as u32;
        for frame in 0..frames {
            rehearsal.film(true, frame as f32 * STEP.as_secs_f32());
            rehearsal.step(STEP);
            self.look(rehearsal)?;
        }
        Ok(())
    }

    fn look(&mut self, rehearsal: &mut Rehearsal) -> Result<()> {
        for frame in rehearsal.develop()? {
            for (analyser, (_, backdrop)) in self.analysers.iter_mut().zip(BACKDROPS) {
                analyser.push(Moment::from_secs_f64(frame.at), &frame.pixels, backdrop);
            }
        }
        Ok(())
    }

    fn finish(mut self, rehearsal: &mut Rehearsal) -> Result<Judgement> {
        rehearsal.film(false, 0.0);
        for _ in 0..super::film::LAST {
            rehearsal.step(Moment::ZERO);
            self.look(rehearsal)?;
        }
        Ok(self.judgement())
    }

    fn judgement(&self) -> Judgement {
        let [black, white] = &self.analysers;
        Judgement([
            (BACKDROPS[0].0, black.findings()),
            (BACKDROPS[1].0, white.findings()),
        ])
    }
}
