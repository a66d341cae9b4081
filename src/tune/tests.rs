mod crowds;
mod judging;
mod recordings;
mod reports;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::catalog::Catalog;
use crate::model::Sender;
use crate::show::ShowSettings;

/// rose, heart: ambient, 3 s, sustained at 1.8 s. rocket: feature, 5 s. universe:
/// headline, 6 s. Everything else falls back to 2 s and is placed by value.
const CATALOG: &str = include_str!("../../tests/data/show.toml");

fn judge() -> Judge {
    judge_by(ShowSettings::default())
}

fn judge_by(settings: ShowSettings) -> Judge {
    let catalog = Catalog::parse(CATALOG, Path::new("assets/catalog.toml")).unwrap();
    Judge::new(settings, Arc::new(catalog))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn given(at: Moment, user: &str, gift_type: &str) -> Arrival {
    let gift = Gift::one(user, gift_type, Sender::named(user, user));
    Arrival { at, gift }
}

/// `count` people give one each at once.
fn at_once(count: usize, gift_type: &str) -> Vec<Arrival> {
    (0..count)
        .map(|who| given(Duration::ZERO, &format!("user-{who}"), gift_type))
        .collect()
}

/// A message of Ada's streak of roses.
fn streak(at: u64, combo_count: u32) -> Arrival {
    let mut arrival = given(ms(at), "ada", "rose");
    arrival.gift.is_streak = true;
    arrival.gift.combo_count = combo_count;
    arrival
}
