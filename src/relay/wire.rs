//! The shapes of what HTTP brings in besides the protocol's own payloads.

use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::model::SessionConfig;
use crate::protocol::limits::{
    MAX_LABEL_BYTES, MAX_NAMES_IN_LIST, PING_INTERVAL_RANGE, RATE_RANGE,
};

/// `PATCH config`: what is absent stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConfigPatch {
    pub max_gifts_per_second: Option<f64>,
    /// Milliseconds.
    pub ping_interval: Option<f64>,
    pub features: Option<Vec<String>>,
}

impl ConfigPatch {
    /// # Errors
    /// What is out of range, in words.
    pub fn apply(&self, config: &mut SessionConfig) -> Result<(), String> {
        if let Some(rate) = self.max_gifts_per_second {
            let (slowest, fastest) = RATE_RANGE;
            if !(slowest..=fastest).contains(&rate) {
                return Err(format!("maxGiftsPerSecond is {slowest} to {fastest}"));
            }
            config.max_gifts_per_second = rate;
        }
        if let Some(millis) = self.ping_interval {
            let (shortest, longest) = PING_INTERVAL_RANGE;
            let (shortest, longest) = (shortest.as_millis(), longest.as_millis());
            if !(shortest as f64..=longest as f64).contains(&millis) {
                return Err(format!(
                    "pingInterval is {shortest} to {longest} milliseconds"
                ));
            }
            config.ping_interval = Duration::from_millis(millis as u64);
        }
        if let Some(features) = &self.features {
            let is_name = |name: &String| {
                (1..=MAX_LABEL_BYTES).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_graphic())
            };
            if features.len() > MAX_NAMES_IN_LIST || !features.iter().all(is_name) {
                return Err(format!(
                    "features are at most {MAX_NAMES_IN_LIST} names of 1 to {MAX_LABEL_BYTES} \
                     printable characters"
                ));
            }
            config.features = features
                .iter()
                .map(|name| Arc::from(name.as_str()))
                .collect();
        }
        Ok(())
    }
}

/// Which parts `PUT status` speaks of, if only to say that there is none; the others
/// stay as they are.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StatusParts {
    #[serde(default, rename = "startedAt", deserialize_with = "is_there")]
    pub started_at: bool,
    #[serde(default, rename = "currentGoal", deserialize_with = "is_there")]
    pub goal: bool,
}

impl StatusParts {
    /// Of a body that was read as a status.
    ///
    /// # Errors
    /// When it is no JSON object after all.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        // A byte order mark was passed over.
        let json = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

/// `GET gifts?...`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GiftsQuery {
    pub state: Option<String>,
    pub order: Option<String>,
    /// The `serial` of the last gift of the page before.
    #[serde(default)]
    pub after: u64,
    pub limit: Option<usize>,
}

/// `GET history?...`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// How far back; as far as there is any, when absent.
    last: Option<String>,
}

impl HistoryQuery {
    /// # Errors
    /// What `last` must be, in words.
    pub fn span(&self) -> Result<Option<Duration>, String> {
        let last = self.last.as_deref().map(|last| {
            let refused = "last is a whole number of s, m, h or d, such as 90m, 2h or 7d";
            span(last).ok_or_else(|| refused.to_owned())
        });
        last.transpose()
    }
}

/// A whole number of seconds, minutes, hours or days.
fn span(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let unit: u64 = match &text[number.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (seconds > 0).then_some(Duration::from_secs(seconds))
}

/// `GET rates?...`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RatesQuery {
    /// As `hyperfocus tune` takes them.
    pub rates: Option<String>,
}
