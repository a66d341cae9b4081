//! The log's messages that are not the protocol's own. Another relay, maybe of
//! another version, reads them: fields may be added.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::SessionConfig;
use crate::relay::hub::{Ending, Serial};
use crate::relay::store::is_hosts_word;

/// The end of a gift, or that it was parked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct End {
    /// The gift's.
    pub serial: Serial,
    pub state: EndState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// It takes the place of a failure, which had ended the gift already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instead: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EndState {
    Rendered,
    Failed,
    Parked,
}

impl End {
    pub fn new(serial: Serial, ending: &Ending, at: i64) -> Self {
        let (state, reason) = match ending {
            Ending::Rendered => (EndState::Rendered, None),
            Ending::Failed(reason) => (EndState::Failed, Some(reason.to_string())),
            Ending::Parked => (EndState::Parked, None),
        };
        Self {
            serial,
            state,
            reason,
            at,
            instead: false,
        }
    }

    /// Whether hosts could not show it.
    pub fn is_hosts_failure(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        self.state == EndState::Failed && is_hosts_word(reason)
    }

    pub fn ending(self) -> Ending {
        match self.state {
            EndState::Rendered => Ending::Rendered,
            EndState::Failed => Ending::Failed(self.reason.unwrap_or_default().into()),
            EndState::Parked => Ending::Parked,
        }
    }
}

/// What a stream grants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    max_gifts_per_second: f64,
    /// Milliseconds.
    ping_interval: u64,
    features: Vec<String>,
}

impl From<&SessionConfig> for Config {
    fn from(config: &SessionConfig) -> Self {
        Self {
            max_gifts_per_second: config.max_gifts_per_second,
            ping_interval: config.ping_interval.as_millis() as u64,
            features: config.features.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<Config> for SessionConfig {
    fn from(config: Config) -> Self {
        Self {
            max_gifts_per_second: config.max_gifts_per_second,
            ping_interval: Duration::from_millis(config.ping_interval),
            features: config.features.into_iter().map(Into::into).collect(),
        }
    }
}
