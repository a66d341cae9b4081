//! What a show is played by, as the configuration has it: catalogue and tunables.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::catalog::Catalog;
use crate::config;
use crate::show::ShowSettings;

/// The catalogue at `path`, [as configured](configured).
///
/// # Errors
/// When the catalogue is unusable, or the thresholds cross.
pub(crate) fn load_catalog(path: &Path, settings: &config::ShowSettings) -> Result<Catalog> {
    configured(Catalog::load(path)?, settings)
}

/// The same for a stage, which a texture without room on the graphics card would end.
///
/// # Errors
/// As [`load_catalog`], and when a texture or an icon is too large.
#[cfg(feature = "render")]
pub(crate) fn load_stage_catalog(path: &Path, settings: &config::ShowSettings) -> Result<Catalog> {
    let catalog = load_catalog(path, settings)?;
    match super::check::too_large(path, &catalog) {
        Some(fault) => anyhow::bail!(fault),
        None => Ok(catalog),
    }
}

/// A catalogue with the lane thresholds that the settings put in place of its own,
/// and with as much movement as they let through.
///
/// # Errors
/// When the thresholds cross.
pub(super) fn configured(mut catalog: Catalog, settings: &config::ShowSettings) -> Result<Catalog> {
    let lanes = &mut catalog.lanes;
    lanes.feature = settings.feature_from.unwrap_or(lanes.feature);
    lanes.headline = settings.headline_from.unwrap_or(lanes.headline);
    ensure!(
        lanes.feature <= lanes.headline,
        "gifts would play in the feature lane from a value of {} and in the headline lane from \
         {} already; set feature_from and headline_from so that the first is not above the second",
        lanes.feature,
        lanes.headline
    );
    Ok(catalog.with_motion(settings.motion))
}

/// The show's tunables as a plan has them.
pub(crate) fn show_settings(
    show: &config::ShowSettings,
    on_air: &config::OnAirSettings,
    play_unseen: bool,
) -> ShowSettings {
    ShowSettings {
        silence: show.streak_silence,
        counting: show.counting,
        play_unseen,
        on_air: on_air.policy.clone(),
        lanes: show.lanes.clone(),
        blocked: on_air.blocked.clone(),
        ..ShowSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::{Lane, Motion};
    use crate::show::Counting;

    #[test]
    fn a_hosts_thresholds_take_the_place_of_the_catalogues() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
        let settings = |feature_from, headline_from| config::ShowSettings {
            motion: Motion::Full,
            streak_silence: Duration::from_secs(3),
            counting: Counting::Auto,
            feature_from,
            headline_from,
            lanes: Vec::new(),
        };
        let catalog = load_catalog(&path, &settings(Some(5.0), Some(9.0))).unwrap();
        let lane = |value| catalog.lane("no-such-gift", value);
        assert_eq!(
            [lane(4.0), lane(5.0), lane(9.0)],
            [Lane::Ambient, Lane::Feature, Lane::Headline]
        );
        let crossed = load_catalog(&path, &settings(Some(5_000.0), None)).unwrap_err();
        assert!(crossed.to_string().contains("feature_from"), "{crossed}");
    }
}
