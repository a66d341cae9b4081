//! What each gift type looks and sounds like: `assets/catalog.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Where on stage an act plays; bounds how many run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
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
    pub lanes: LaneThresholds,
    pub gifts: BTreeMap<Arc<str>, Arc<Recipe>>,
    /// Plays for gift types that are not in `gifts`.
    pub fallback: Arc<Recipe>,
}

/// A gift without a lane of its own is placed by its `totalValue`.
#[derive(Debug, Clone, Copy)]
pub struct LaneThresholds {
    pub feature: f64,
    pub headline: f64,
}

/// How one gift type plays. (The full set of fields belongs to the stage; the
/// show reads `lane`, `duration` and `particles`.)
#[derive(Debug, Clone)]
pub struct Recipe {
    pub name: Arc<str>,
    pub lane: Option<Lane>,
    /// At ordinary load, one gift, no streak.
    pub duration: Duration,
    /// Particles alive at once, for the stage's budget.
    pub particles: u32,
}

impl Catalog {
    pub fn recipe(&self, gift_type: &str) -> &Arc<Recipe> {
        self.gifts.get(gift_type).unwrap_or(&self.fallback)
    }

    /// The lane for a gift of this type and value.
    pub fn lane(&self, gift_type: &str, total_value: f64) -> Lane {
        self.recipe(gift_type)
            .lane
            .unwrap_or(if total_value >= self.lanes.headline {
                Lane::Headline
            } else if total_value >= self.lanes.feature {
                Lane::Feature
            } else {
                Lane::Ambient
            })
    }
}
