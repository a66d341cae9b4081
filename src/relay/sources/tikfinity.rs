//! TikFinity's event API: gifts of TikTok.
//!
//! <https://tikfinity.zerody.one>, "Event API": `{"event": "gift", "data": ...}`,
//! unasked. A gift that can be sent many times over (`giftType` 1) is announced
//! with the running total of its streak in `repeatCount`, and once more with
//! `repeatEnd` when the streak is over, whether the total grew or not. `groupId`
//! names the streak, `giftId` the kind of gift, and `diamondCount` is what one
//! piece is worth.

use std::time::Duration;

use serde_json::Value;

use super::entry::State;
use super::fields::Fields;
use super::given::{Combo, Given, Giver, hashed, platform_id};
use super::streaks::{Identity, Recalled, Streaks};
use super::wire::Wire;
use super::{Failure, Inlet, Session};
use crate::model::WallTime;
use crate::net::Dialer;
use crate::relay::limits::MAX_LISTED;
use crate::relay::store::{Order, Page};

/// What the ids of its gifts begin with.
const PLATFORM: &str = "tikfinity";

/// How far back streaks are recalled: longer than one goes on while the relay is
/// away.
const LOOK_BACK: Duration = Duration::from_secs(60 * 60);

pub(super) struct Tikfinity {
    dialer: Dialer,
    /// Outlive the connection, so that a streak goes on where it was.
    streaks: Streaks,
}

impl Tikfinity {
    pub fn new(dialer: Dialer) -> Self {
        Self {
            dialer,
            streaks: Streaks::default(),
        }
    }

    /// Learns from the store how far streaks had come when the relay stopped.
    ///
    /// # Errors
    /// When the store cannot be read now.
    pub async fn recall(&mut self, inlet: &Inlet) -> Result<(), Failure> {
        let now = WallTime::now().as_millisecond();
        let since = now - LOOK_BACK.as_millis() as i64;
        let mut recalled = Recalled::default();
        let mut after = 0;
        loop {
            let page = Page {
                state: None,
                order: Order::Latest,
                after,
                limit: MAX_LISTED,
            };
            let listed = inlet.core.store.list(&inlet.channel.id, page).await;
            let listed = listed.map_err(Failure::passing)?;
            for gift in &listed {
                if let Some((key, total)) = streak_of(&gift.gift) {
                    recalled.note(key, total);
                }
            }
            match listed.last() {
                Some(last) if last.accepted_at >= since && !recalled.is_full() => {
                    after = last.serial;
                }
                _ => break,
            }
        }
        self.streaks.go_on_from(&recalled);
        Ok(())
    }

    pub async fn session(&mut self, inlet: &Inlet) -> Session {
        let mut wire = Wire::open(&self.dialer).await?;
        inlet.entry.set(State::Connected, None);
        loop {
            let text = wire.next().await?;
            let Some(message) = inlet.read(&text) else {
                continue;
            };
            inlet.entry.event();
            match self.hear(&message, &text) {
                Ok(Some(given)) => inlet.give(&given).await,
                Ok(None) => inlet.entry.ignored(),
                Err(why) => inlet.entry.unreadable(why),
            }
        }
    }

    /// The gift in a message, unless it says nothing new.
    fn hear<'a>(
        &mut self,
        message: &'a Value,
        text: &str,
    ) -> Result<Option<Given<'a>>, &'static str> {
        let data = Fields(&message["data"]);
        match message["event"].as_str() {
            Some("gift") => self.gift(data, text),
            Some("subscribe") => Ok(Some(subscription(data, text))),
            Some(_) => Ok(None),
            None => Err("it names no event"),
        }
    }

    fn gift<'a>(
        &mut self,
        data: Fields<'a>,
        text: &str,
    ) -> Result<Option<Given<'a>>, &'static str> {
        let gift = data.id(&["/giftId", "/gift/gift_id"]);
        let gift = gift.ok_or("a gift without its giftId")?;
        let total = data.count(&["/repeatCount", "/gift/repeat_count"]);
        let total = total.ok_or("a gift without its repeatCount")?.max(1);
        let diamonds = data.number(&["/diamondCount"]).unwrap_or(0.0);
        let given = |id, pieces: u32, combo| Given {
            id,
            kind: "gift",
            name: data.text(&["/giftName"]),
            amount: diamonds,
            quantity: pieces,
            value: diamonds * f64::from(pieces),
            combo,
            giver: giver(data),
            sent_at: None,
        };
        if data.number(&["/giftType"]).is_some_and(|kind| kind != 1.0) {
            return Ok(Some(given(message_id(data, text), total, None)));
        }
        let user = data
            .id(&["/userId", "/user/userId", "/uniqueId"])
            .unwrap_or_default();
        let group = data.id(&["/groupId"]).filter(|group| *group != "0");
        let key = hashed(&format!(
            "{user} {gift} {}",
            group.as_deref().unwrap_or_default()
        ));
        let identity = match group {
            Some(_) => Identity::Own,
            None => Identity::Shared,
        };
        let is_over = data.flag(&["/repeatEnd"]);
        let pieces = self.streaks.advance(&key, identity, total, is_over);
        let id = match identity {
            Identity::Own => streak_id(&key, total),
            Identity::Shared => message_id(data, text),
        };
        let combo = Combo { total, is_over };
        Ok((pieces > 0).then(|| given(id, pieces, Some(combo))))
    }
}

fn message_id(data: Fields<'_>, text: &str) -> String {
    match data.id(&["/msgId"]) {
        Some(id) => platform_id(PLATFORM, &id),
        None => format!("{PLATFORM}:{}", hashed(text)),
    }
}

/// A streak that has come to `total`.
fn streak_id(key: &str, total: u32) -> String {
    format!("{PLATFORM}:{key}:{total}")
}

/// The streak and the total of a [`streak_id`].
fn streak_of(id: &str) -> Option<(&str, u32)> {
    let (platform, rest) = id.split_once(':')?;
    let (key, total) = rest.rsplit_once(':')?;
    (platform == PLATFORM).then_some((key, total.parse().ok()?))
}

fn subscription<'a>(data: Fields<'a>, text: &str) -> Given<'a> {
    Given {
        id: message_id(data, text),
        kind: "sub",
        name: None,
        amount: 1.0,
        quantity: 1,
        value: 0.0,
        combo: None,
        giver: giver(data),
        sent_at: None,
    }
}

fn giver<'a>(data: Fields<'a>) -> Giver<'a> {
    let id = data.id(&["/userId", "/user/userId", "/uniqueId", "/user/uniqueId"]);
    let name = data.text(&["/nickname", "/user/nickname", "/uniqueId", "/user/uniqueId"]);
    Giver {
        id: id.map_or(String::new(), |id| platform_id("tiktok", &id)),
        name: name.unwrap_or_default(),
        avatar: data.text(&["/profilePictureUrl", "/user/profilePictureUrl"]),
        is_subscriber: data.flag(&["/isSubscriber", "/user/isSubscriber"]),
        is_moderator: data.flag(&["/isModerator", "/user/isModerator"]),
    }
}
