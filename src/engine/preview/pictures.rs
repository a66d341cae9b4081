//! A preview without a window: stills, sheets and what a gift costs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use image::RgbImage;

use super::edits::{self, Watch};
use super::sheet::Sheet;
use super::timeline::Timeline;
use super::{cost, film, flashes, ground};
use crate::catalog::{Catalog, FALLBACK, Motion, Recipe};
use crate::cli::{Ground, PicturePlan, PreviewPlan, print_line};
use crate::engine::Rehearsal;
use crate::output::SequenceSink;
use crate::render::captions::CaptionDesk;
use crate::render::present::Frame;
use crate::stage::Director;

/// Stage time from one frame to the next: the rate that a machine without a
/// graphics card is to keep up with.
pub(super) const STEP: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// Seconds after a streak's growth or end at which it is worth a look.
const AFTER: f32 = 0.4;

/// Draws and measures what the plan asks for, gift by gift, and with a watch
/// again after every edit; says on standard output what was written.
pub(super) fn draw(plan: &PreviewPlan, pictures: &PicturePlan) -> Result<()> {
    let whole = Arc::new(Catalog::load(&plan.catalog)?);
    let grounds = if plan.grounds.is_empty() {
        &[Ground::Checker]
    } else {
        &plan.grounds[..]
    };
    let grounds: Vec<(&Ground, RgbImage)> = grounds
        .iter()
        .map(|ground| Ok((ground, ground::paint(ground, plan.size)?)))
        .collect::<Result<_>>()?;
    let watch = pictures
        .watch
        .then(|| Watch::start(&plan.catalog, whole.clone(), &plan.gifts))
        .transpose()?;
    if let Some(folder) = &pictures.png_sequence {
        // Whatever is there by then is this run's, and may be drawn again.
        SequenceSink::create(folder)?;
    }
    let mut rehearsal = Rehearsal::open(shown(&whole, plan), plan.size)?;
    rehearsal.world().resource_mut::<CaptionDesk>().is_off = !plan.captions;
    std::fs::create_dir_all(&pictures.folder)
        .with_context(|| format!("cannot make the folder {}", pictures.folder.display()))?;
    let drawn = draw_all(plan, pictures, &grounds, &mut rehearsal);
    let Some(watch) = watch else {
        return drawn;
    };
    tell(drawn);
    eprintln!("hyperfocus: watching {}", plan.catalog.display());
    while let Some(mut edit) = watch.wait(|| pictures.shutdown.is_requested()) {
        for fault in &edit.faults {
            eprintln!("hyperfocus: {fault}");
        }
        edit.catalog = edit.catalog.map(|whole| shown(&whole, plan));
        edits::apply(rehearsal.world(), &edit);
        if edit.catalog.is_some() || !edit.assets.is_empty() {
            tell(draw_all(plan, pictures, &grounds, &mut rehearsal));
        }
    }
    Ok(())
}

/// Who watches has the next edit to mend it.
fn tell(drawn: Result<()>) {
    if let Err(error) = drawn {
        eprintln!("hyperfocus: {error:#}");
    }
}

/// What the plan shows of the catalogue: a stage for few gifts is warm sooner.
fn shown(whole: &Catalog, plan: &PreviewPlan) -> Arc<Catalog> {
    let mut catalog = whole.clone().with_motion(plan.motion);
    catalog
        .gifts
        .retain(|key, _| plan.gifts.iter().any(|gift| **gift == **key));
    Arc::new(catalog)
}

fn draw_all(
    plan: &PreviewPlan,
    pictures: &PicturePlan,
    grounds: &[(&Ground, RgbImage)],
    rehearsal: &mut Rehearsal,
) -> Result<()> {
    let catalog = rehearsal.world().resource::<Director>().catalog.clone();
    if pictures.cost {
        cost::print_head(plan.size)?;
    }
    let mut harmful: Vec<&str> = Vec::new();
    for gift in &plan.gifts {
        ensure!(!pictures.shutdown.is_requested(), "ended by request");
        let recipe = catalog.recipe(gift);
        let mut work = Work {
            name: file_name(gift, plan),
            timeline: Timeline::of(recipe, gift, &plan.occasion),
            rehearsal: &mut *rehearsal,
            grounds,
            folder: &pictures.folder,
        };
        if pictures.cost {
            cost::measure(gift, work.rehearsal, &work.timeline)?;
        }
        if pictures.flashes {
            let judgement = flashes::judge(work.rehearsal, &work.timeline)?;
            print_line(judgement.line(gift))?;
            let mut passes = judgement.passes();
            // Streaks keep their own pace.
            if plan.occasion.growth == 0 {
                let hurried = flashes::judge_hurried(work.rehearsal, recipe)?;
                print_line(hurried.line(&format!("{gift} (hurried)")))?;
                passes &= hurried.passes();
            }
            harmful.extend((!passes).then_some(gift.as_str()));
        }
        if let Some(tiles) = pictures.sheet {
            work.sheet(recipe, tiles)?;
        }
        let is_film = pictures.webm.is_some() || pictures.png_sequence.is_some();
        if is_film {
            // Without a ground a film is transparent.
            let ground = grounds.first().filter(|_| !plan.grounds.is_empty());
            let ground = ground.map(|(_, ground)| ground);
            film::record(pictures, ground, work.rehearsal, &work.timeline)?;
        }
        if !pictures.moments.is_empty() {
            work.stills(&pictures.moments)?;
        } else if pictures.sheet.is_none() && !pictures.cost && !pictures.flashes && !is_film {
            let is_streak = work.timeline.origin > 0.0;
            work.stills(&[if is_streak { AFTER } else { recipe.best }])?;
        }
    }
    if pictures.flashes && plan.gifts.len() > 1 {
        let judgement = flashes::judge_fullest(rehearsal, &catalog)?;
        print_line(judgement.line("(fullest stage)"))?;
        harmful.extend((!judgement.passes()).then_some("the fullest stage"));
    }
    ensure!(
        harmful.is_empty(),
        "more than three flashes within a second over a quarter of a field of view: {}; dim or \
         slow what changes there",
        harmful.join(", ")
    );
    Ok(())
}

/// What a gift's files begin with: its name and the occasion.
fn file_name(gift: &str, plan: &PreviewPlan) -> String {
    let occasion = &plan.occasion;
    // A gift may be called anything; its file is within the folder.
    let mut name = gift.replace(['/', '\\', ':'], "-");
    if name.starts_with('.') {
        name.insert(0, '-');
    }
    for (count, word) in [(occasion.growth, "streak"), (occasion.combo, "combo")] {
        if count > 0 {
            name += &format!("-{word}{count}");
        }
    }
    if occasion.finale {
        name += "-climax";
    }
    match plan.motion {
        Motion::Full => {}
        Motion::Reduced => name += "-reduced",
        Motion::Calm => name += "-calm",
    }
    if occasion.quantity > 1 {
        name += &format!("-x{}", occasion.quantity);
    }
    name
}

/// Plays a gift once, from moment to moment.
pub(super) struct Performance<'a> {
    rehearsal: &'a mut Rehearsal,
    timeline: &'a Timeline,
    said: usize,
}

impl<'a> Performance<'a> {
    pub fn begin(rehearsal: &'a mut Rehearsal, timeline: &'a Timeline) -> Result<Self> {
        let (_, first) = &timeline.messages[0];
        rehearsal.begin(first.clone())?;
        Ok(Self {
            rehearsal,
            timeline,
            said: 1,
        })
    }

    /// Draws the next frame; what is due is said before it.
    pub fn step(&mut self) {
        self.say_what_is_due();
        self.rehearsal.step(STEP);
    }

    pub fn say_what_is_due(&mut self) {
        let now = self.rehearsal.act().map_or(0.0, |act| act.elapsed);
        while let Some((at, gift)) = self.timeline.messages.get(self.said)
            && *at <= now
        {
            self.rehearsal.offer(gift.clone());
            self.said += 1;
        }
    }

    /// The frame at this second of the gift's time on stage; `None` when it is
    /// over by then.
    fn frame_at(&mut self, at: f32) -> Result<Option<Frame>> {
        // Half a step may be missing to it.
        let nearly = at - STEP.as_secs_f32() / 2.0;
        while self.rehearsal.act().is_some_and(|act| act.elapsed < nearly) {
            self.step();
        }
        if self.rehearsal.act().is_none() {
            return Ok(None);
        }
        Ok(Some(self.rehearsal.frame(at)?))
    }

    /// Whether the gift is on stage and has something new to show.
    pub fn is_on(&mut self) -> bool {
        let end = self.timeline.end;
        self.rehearsal
            .act()
            .is_some_and(|act| act.elapsed <= end + STEP.as_secs_f32())
    }

    pub fn rehearsal(&mut self) -> &mut Rehearsal {
        self.rehearsal
    }
}

/// One gift's pictures.
struct Work<'a> {
    name: String,
    rehearsal: &'a mut Rehearsal,
    timeline: Timeline,
    grounds: &'a [(&'a Ground, RgbImage)],
    folder: &'a Path,
}

impl Work<'_> {
    /// Calls `take` with each moment and its frame, in order of time.
    fn play(
        &mut self,
        moments: &[f32],
        mut take: impl FnMut(f32, Option<&Frame>) -> Result<()>,
    ) -> Result<()> {
        if moments.is_empty() {
            return Ok(());
        }
        let mut moments = moments.to_vec();
        moments.sort_by(f32::total_cmp);
        let mut play = Performance::begin(self.rehearsal, &self.timeline)?;
        for at in moments {
            let frame = play.frame_at(self.timeline.origin + at)?;
            take(at, frame.as_ref())?;
        }
        Ok(())
    }

    fn stills(&mut self, moments: &[f32]) -> Result<()> {
        let (name, grounds, folder) = (self.name.clone(), self.grounds, self.folder);
        let decimals = decimals(moments);
        self.play(moments, |at, frame| {
            let Some(frame) = frame else {
                eprintln!("hyperfocus: {name} is over before second {at}");
                return Ok(());
            };
            for (ground, picture) in grounds {
                let file = format!("{name}-{at:.decimals$}s-{}.png", ground.name());
                save(&ground::lay(frame, picture), &folder.join(file))?;
            }
            Ok(())
        })
    }

    fn sheet(&mut self, recipe: &Recipe, tiles: u32) -> Result<()> {
        let moments: Vec<f32> = self.timeline.moments(tiles).collect();
        let mut sheet = Sheet::new(self.grounds.len(), moments.len());
        let grounds = self.grounds;
        self.play(&moments, |at, frame| {
            let pictures = grounds.iter().map(|(_, ground)| match frame {
                Some(frame) => ground::lay(frame, ground),
                None => ground.clone(),
            });
            sheet.add(at, pictures);
            Ok(())
        })?;
        let title = if &*recipe.key == FALLBACK {
            self.name.clone()
        } else {
            format!("{} ({})", recipe.name, self.name)
        };
        let path = self.folder.join(format!("{}-sheet.png", self.name));
        save(&sheet.paint(&title), &path)
    }
}

/// How many decimals tell the moments from each other, two at least: each has a
/// file of its own. Nothing on a stage is faster than a nanosecond.
fn decimals(moments: &[f32]) -> usize {
    const MOST: usize = 9;
    let tells_apart = |&decimals: &usize| {
        let names: HashSet<_> = moments
            .iter()
            .map(|at| format!("{at:.decimals$}"))
            .collect();
        let all: HashSet<_> = moments.iter().map(|at| at.to_bits()).collect();
        names.len() == all.len()
    };
    (2..MOST).find(tells_apart).unwrap_or(MOST)
}

/// Writes a picture and says so.
fn save(picture: &RgbImage, path: &PathBuf) -> Result<()> {
    picture
        .save(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    print_line(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_has_a_file_of_its_own() {
        assert_eq!(decimals(&[1.0]), 2);
        assert_eq!(decimals(&[1.0 / 3.0, 2.0 / 3.0]), 2);
        assert_eq!(decimals(&[0.401, 0.404, 0.401]), 3);
        assert_eq!(decimals(&[0.25, 0.250_001]), 6);
    }
}
