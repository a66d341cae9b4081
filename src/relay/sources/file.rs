//! A show file's gifts, when they were given, as often as the relay starts: for
//! rehearsals. Its other messages are passed over. They are gifts already, so that
//! only the source's own rules can make others of them.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep_until};

use super::entry::State;
use super::fields::Fields;
use super::given::platform_id;
use super::rules::Rules;
use super::{Failure, Inlet};
use crate::model::WallTime;
use crate::relay::store::Offer;
use crate::showfile::{ShowFile, ShowFileError};

/// Between the end of a file and its next beginning, however short it is.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Replay {
    path: PathBuf,
    speed: f64,
    repeats: bool,
}

impl Replay {
    pub fn new(path: PathBuf, speed: f64, repeats: bool) -> Self {
        Self {
            path,
            speed,
            repeats,
        }
    }

    /// Plays it; `Ok` when it is over.
    pub async fn session(&self, inlet: &Inlet) -> Result<(), Failure> {
        let started = WallTime::now().as_millisecond();
        for pass in 0_u64.. {
            let show = block_in_place(|| ShowFile::open(&self.path)).map_err(failed)?;
            inlet.entry.set(State::Connected, None);
            // Another file may begin at the same time, with gifts of the same ids.
            let run = format!("{}-{started}-{pass}", inlet.entry.name());
            self.play(inlet, show, &run).await?;
            if !self.repeats {
                break;
            }
            tokio::time::sleep(INTERVAL).await;
        }
        Ok(())
    }

    async fn play(&self, inlet: &Inlet, mut show: ShowFile, run: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        while let Some(at) = show.next_at() {
            sleep_until(begun + at.div_f64(self.speed)).await;
            let message = block_in_place(|| show.next_by(at)).map_err(failed)?;
            let Some(message) = message else { continue };
            let Some(mut message) = inlet.read(&String::from_utf8_lossy(&message)) else {
                continue;
            };
            inlet.entry.event();
            if message["type"] != "gift:received" {
                inlet.entry.ignored();
                continue;
            }
            let mut gift = message["payload"].take();
            // Another gift than the last time it was played.
            let id = format!("{run}:{}", gift["giftId"].as_str().unwrap_or_default());
            gift["giftId"] = json!(platform_id("file", &id));
            put_by_rule(&inlet.rules, &mut gift);
            match Offer::read(gift.to_string().as_bytes(), WallTime::now()) {
                Ok(offer) => inlet.offer(offer).await,
                Err(error) => inlet.entry.unreadable(&error.to_string()),
            }
        }
        Ok(())
    }
}

/// By the gift's type and its `totalValue`.
fn put_by_rule(rules: &Rules, gift: &mut Value) {
    let fields = Fields(gift);
    let worth = fields.number(&["/totalValue"]).unwrap_or(0.0);
    let quantity = fields.count(&["/quantity"]).unwrap_or(1).max(1);
    let gift_type = fields.text(&["/giftType"]).unwrap_or_default();
    let Some(rule) = rules.own_rule_for(gift_type, worth) else {
        return;
    };
    gift["giftType"] = json!(rule.gift);
    if let Some(value) = rule.value {
        gift["totalValue"] = json!(value * f64::from(quantity));
    }
}

fn failed(error: ShowFileError) -> Failure {
    Failure::lasting(error)
}
