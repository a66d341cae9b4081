//! The contact sheet: each gift at four moments of its life.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Rehearsal;
use crate::catalog::{Catalog, Recipe};
use crate::cli::SheetPlan;
use crate::config::Size;
use crate::model::{Gift, Sender};
use crate::output::{ContactSheet, Label};
use crate::render::caption::{Rgba, TextPainter, TextStyle};
use crate::render::captions::CaptionDesk;

const SIZE: Size = Size {
    width: 640,
    height: 360,
};
/// Stage time from one frame to the next: rough, as only four are looked at.
const STEP: Duration = Duration::from_millis(50);

/// Draws every gift and the fallback, and says what was written.
///
/// # Errors
/// When there is no graphics adapter, something that a gift needs never comes,
/// the picture cannot be written, or the end was asked for before it was whole.
pub fn sheet(plan: &SheetPlan) -> Result<String> {
    let go_on = || {
        let is_over = plan.shutdown.is_requested();
        ensure!(!is_over, "the end was asked for");
        Ok(())
    };
    go_on()?;
    let mut sheet = ContactSheet::create(&plan.path)?;
    let catalog = Arc::new(Catalog::load(&plan.catalog)?.with_motion(plan.motion));
    let mut rehearsal = Rehearsal::open(catalog.clone(), SIZE)?;
    // The sheet names them.
    rehearsal.world().resource_mut::<CaptionDesk>().is_off = true;
    let mut painter = TextPainter::new();
    for recipe in catalog.gifts.values().chain([&catalog.fallback]) {
        go_on()?;
        let frames = rehearsal.stills(&a_gift(recipe), &moments(recipe), STEP)?;
        sheet.add(&frames, &label(&mut painter, &recipe.name));
    }
    Ok(sheet.finish()?)
}

/// On its way, at its best, in full, and leaving.
fn moments(recipe: &Recipe) -> [f32; 4] {
    let (best, rest) = (recipe.best, recipe.duration.as_secs_f32() - recipe.best);
    [0.45 * best, best, best + 0.33 * rest, best + 0.66 * rest]
}

fn a_gift(recipe: &Recipe) -> Gift {
    Gift::one("sheet", &*recipe.key, Sender::named("mika", "Mika"))
}

/// A gift's name beneath its tiles.
fn label(painter: &mut TextPainter, name: &str) -> Label {
    let picture = painter.paint_line(&lettering(24.0), name).into_straight();
    Label {
        width: picture.width,
        height: picture.height,
        pixels: picture.rgba,
    }
}

/// How a sheet's dark page is written on; `size` in pixels.
pub(super) fn lettering(size: f32) -> TextStyle {
    TextStyle::new(size).bold().colour(Rgba {
        r: 226,
        g: 229,
        b: 238,
        a: 255,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Motion;
    use crate::cli::Shutdown;

    #[test]
    fn whoever_has_asked_for_the_end_waits_for_no_sheet() {
        let folder = tempfile::tempdir().unwrap();
        let plan = SheetPlan {
            path: folder.path().join("demo.png"),
            catalog: "assets/catalog.toml".into(),
            motion: Motion::Full,
            shutdown: Shutdown::default(),
        };
        plan.shutdown.request();
        let told = sheet(&plan).unwrap_err().to_string();
        assert_eq!(told, "the end was asked for");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
