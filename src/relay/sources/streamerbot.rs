//! Streamer.bot's WebSocket server: gifts of Twitch, YouTube and Kick.
//!
//! <https://docs.streamer.bot/api/websocket>. Since its 0.2.5 the server says
//! `Hello` first, with a challenge when it has a password. Nothing comes that
//! was not asked for with `Subscribe`. Payloads are those of 1.0; where 0.x had
//! a field elsewhere, that place is looked at as well. For redemptions of channel
//! points no schema is published: their fields are those of the project's own
//! client, <https://github.com/Streamerbot/client>, `TwitchRewardRedemption`, which
//! are EventSub's.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use super::entry::State;
use super::fields::Fields;
use super::given::{Given, Giver, hashed, platform_id};
use super::wire::{PATIENCE, Wire};
use super::{Failure, Inlet, Session, parse, secret};
use crate::config::Secret;
use crate::net::Dialer;

/// A server that has not greeted by then is one from before 0.2.5.
const HELLO_PATIENCE: Duration = Duration::from_secs(2);

/// Messages that may come before the answer to a request; more are a server
/// that is none of Streamer.bot's.
const MAX_BEFORE_ANSWER: usize = 64;

pub(super) struct Streamerbot {
    dialer: Dialer,
    password: Option<Secret>,
}

impl Streamerbot {
    pub fn new(dialer: Dialer, password: Option<Secret>) -> Self {
        Self { dialer, password }
    }

    pub async fn session(&mut self, inlet: &Inlet) -> Session {
        let mut wire = Wire::open(&self.dialer).await?;
        self.greet(&mut wire, inlet).await?;
        inlet.entry.set(State::Connected, None);
        loop {
            let text = wire.next().await?;
            hear(inlet, &text).await;
        }
    }

    async fn greet(&self, wire: &mut Wire, inlet: &Inlet) -> Result<(), Failure> {
        let challenge = match timeout(HELLO_PATIENCE, wire.next()).await {
            Ok(hello) => challenge_of(&hello?),
            Err(_) => None,
        };
        if let (Some((salt, challenge)), Some(password)) = (&challenge, &self.password) {
            let password = secret::read(password)?.0;
            let answer = answer(&password, salt, challenge);
            let request =
                json!({"request": "Authenticate", "id": "authenticate", "authentication": answer});
            if !ask(wire, inlet, &request).await? {
                return Err(Failure::lasting(
                    "Streamer.bot refuses the password; check password_file, and the password in \
                     its WebSocket server's settings",
                ));
            }
        }
        if ask(wire, inlet, &subscription()).await? {
            return Ok(());
        }
        Err(Failure::lasting(match (challenge, &self.password) {
            (Some(_), None) => {
                "Streamer.bot asks for a password; put it into a file and name that with \
                 password_file"
            }
            _ => "Streamer.bot refuses to send its events; is it older than 0.1.8?",
        }))
    }
}

/// Salt and challenge of a `Hello`, when it has them.
fn challenge_of(hello: &str) -> Option<(String, String)> {
    let hello = parse(hello).ok()?;
    let fields = Fields(&hello);
    let part = |place| fields.text(&[place]).map(str::to_owned);
    part("/authentication/salt").zip(part("/authentication/challenge"))
}

/// <https://docs.streamer.bot/api/websocket/guide/authentication>
fn answer(password: &str, salt: &str, challenge: &str) -> String {
    let hash = |text: String| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let secret = hash(format!("{password}{salt}"));
    hash(format!("{secret}{challenge}"))
}

/// What we want to hear. Memberships and subscriptions that somebody else paid
/// for are counted where they are given, not where they arrive.
fn subscription() -> Value {
    json!({
        "request": "Subscribe",
        "id": "subscribe",
        "events": {
            "Twitch": ["Cheer", "Sub", "ReSub", "GiftSub", "GiftBomb", "RewardRedemption"],
            "YouTube": ["SuperChat", "SuperSticker", "NewSponsor", "MembershipGift"],
            // The last is what 1.0 really calls KicksGifted.
            "Kick": [
                "Subscription", "Resubscription", "GiftSubscription", "MassGiftSubscription",
                "KicksGifted", "sGifted",
            ],
        },
    })
}

/// Asks, and reads until the answer; whether it was "ok". What happens meanwhile
/// counts: events may come before the answer to the subscription.
async fn ask(wire: &mut Wire, inlet: &Inlet, request: &Value) -> Result<bool, Failure> {
    wire.say(request).await?;
    let deadline = Instant::now() + PATIENCE;
    for _ in 0..MAX_BEFORE_ANSWER {
        // Only what it says is waited for so long: its gifts wait for the store.
        let said = timeout_at(deadline, wire.next()).await;
        let text = said.map_err(|_| Failure::passing("Streamer.bot does not answer"))??;
        let Ok(message) = parse(&text) else {
            continue;
        };
        if message["id"] == request["id"] {
            return Ok(message["status"] == "ok");
        }
        if message.get("event").is_some() {
            hear(inlet, &text).await;
        }
    }
    Err(Failure::lasting("what answers there is not Streamer.bot"))
}

async fn hear(inlet: &Inlet, text: &str) {
    let Some(message) = inlet.read(text) else {
        return;
    };
    inlet.entry.event();
    let fields = Fields(&message);
    let source = fields.text(&["/event/source"]).unwrap_or_default();
    let kind = fields.text(&["/event/type"]).unwrap_or_default();
    let given = match read(source, kind, Fields(&message["data"])) {
        Reading::Gift(event) => event,
        Reading::None => return inlet.entry.ignored(),
        Reading::Incomplete => {
            return inlet
                .entry
                .unreadable("a gift without how many or how much it is");
        }
    };
    let given = given.given(text, fields);
    inlet.give(&given).await;
}

/// What an event is to us.
enum Reading<'a> {
    Gift(Event<'a>),
    /// No gift, or one that another event stands for.
    None,
    Incomplete,
}

struct Event<'a> {
    platform: &'static str,
    kind: &'static str,
    name: Option<&'a str>,
    amount: f64,
    quantity: u32,
    value: f64,
    data: Fields<'a>,
}

fn read<'a>(source: &str, kind: &str, data: Fields<'a>) -> Reading<'a> {
    // Gifts to another channel, which is in a shared chat with ours.
    if data.flag(&["/isFromSharedChatGuest"]) {
        return Reading::None;
    }
    let one = |platform, kind, amount: f64, value: f64| {
        Some(Event {
            platform,
            kind,
            name: None,
            amount,
            quantity: 1,
            value,
            data,
        })
    };
    let many = |platform, kind, count: Option<u32>| {
        let quantity = count.filter(|count| *count > 0)?;
        let amount = f64::from(quantity);
        Some(Event {
            quantity,
            ..one(platform, kind, amount, 0.0)?
        })
    };
    let event = match (source, kind) {
        ("Twitch", "Cheer") => {
            let bits = data.number(&["/bits", "/message/bits"]);
            bits.and_then(|bits| one("twitch", "cheer", bits, bits))
        }
        ("Twitch", "Sub") => one("twitch", "sub", tier(data), 0.0),
        // It was given, and counted then.
        ("Twitch", "ReSub") if data.flag(&["/isGift"]) => return Reading::None,
        ("Twitch", "ReSub") => one("twitch", "resub", tier(data), 0.0),
        // One of a bomb, which says how many there are.
        ("Twitch", "GiftSub") if data.flag(&["/fromCommunitySubGift", "/fromSubBomb"]) => {
            return Reading::None;
        }
        ("Twitch", "GiftSub") => many("twitch", "gift_sub", Some(1)),
        ("Twitch", "GiftBomb") => many("twitch", "gift_sub", data.count(&["/total", "/gifts"])),
        ("Twitch", "RewardRedemption") => {
            let cost = data.number(&["/reward/cost"]).unwrap_or(0.0);
            one("twitch", "reward", cost, 0.0).map(|event| Event {
                name: data.text(&["/reward/title"]),
                ..event
            })
        }
        ("YouTube", "SuperChat") => {
            money(data).and_then(|sum| one("youtube", "super_chat", sum, sum))
        }
        ("YouTube", "SuperSticker") => {
            money(data).and_then(|sum| one("youtube", "super_sticker", sum, sum))
        }
        ("YouTube", "NewSponsor") => one("youtube", "membership", 1.0, 0.0),
        ("YouTube", "MembershipGift") => {
            many("youtube", "gift_membership", data.count(&["/count"]))
        }
        ("Kick", "Subscription" | "Resubscription") => one("kick", "kick_sub", 1.0, 0.0),
        ("Kick", "GiftSubscription") => many("kick", "kick_gift_sub", Some(1)),
        ("Kick", "MassGiftSubscription") => {
            let listed = data.0["recipients"]
                .as_array()
                .map(|list| list.len() as u32);
            many("kick", "kick_gift_sub", listed.or(data.count(&["/count"])))
        }
        ("Kick", "KicksGifted" | "sGifted") => {
            let kicks = data.number(&["/kicks/amount", "/amount"]);
            let event = kicks.and_then(|kicks| one("kick", "kicks", kicks, kicks));
            event.map(|event| Event {
                name: data.text(&["/kicks/name"]),
                ..event
            })
        }
        _ => return Reading::None,
    };
    event.map_or(Reading::Incomplete, Reading::Gift)
}

/// 1 to 3; Prime counts as the first. "1000" is what Twitch itself calls it.
fn tier(data: Fields<'_>) -> f64 {
    let tier = data.number(&["/sub_tier", "/subTier"]).unwrap_or(1.0);
    match tier >= 1000.0 {
        true => (tier / 1000.0).floor(),
        false => tier.max(1.0),
    }
}

/// In the currency's own unit.
fn money(data: Fields<'_>) -> Option<f64> {
    let micros = data.number(&["/microAmount"]).map(|micros| micros / 1e6);
    micros.or_else(|| data.number(&["/decimalAmount"]))
}

impl<'a> Event<'a> {
    fn given(&self, text: &str, message: Fields<'a>) -> Given<'a> {
        let data = self.data;
        // A test trigger may say the same id each time.
        let own_id = data
            .id(&["/messageId", "/message/msgId", "/eventId", "/id"])
            .filter(|_| !data.flag(&["/isTest", "/message/isTest"]));
        let id = match own_id {
            Some(id) => platform_id(&format!("streamerbot:{}", self.platform), &id),
            // Its timestamp makes it differ from every other.
            None => format!("streamerbot:{}:{}", self.platform, hashed(text)),
        };
        Given {
            id,
            kind: self.kind,
            name: self.name,
            amount: self.amount,
            quantity: self.quantity,
            value: self.value,
            combo: None,
            giver: giver(self.platform, data),
            sent_at: message.text(&["/timeStamp"]),
        }
    }
}

fn giver<'a>(platform: &str, data: Fields<'a>) -> Giver<'a> {
    if data.flag(&["/anonymous", "/isAnonymous", "/message/isAnonymous"]) {
        return Giver::default();
    }
    let id = data.id(&["/user/id", "/message/userId", "/userId", "/user_id"]);
    let role = data.number(&["/user/role", "/message/role", "/role"]);
    Giver {
        id: id.map_or(String::new(), |id| platform_id(platform, &id)),
        name: data
            .text(&[
                "/user/name",
                "/user/login",
                "/message/displayName",
                "/displayName",
                "/userName",
                "/user",
                "/user_name",
                "/user_login",
            ])
            .unwrap_or_default(),
        avatar: data.text(&["/user/profileImageUrl", "/user/profilePicture"]),
        is_subscriber: data.flag(&[
            "/user/subscribed",
            "/user/isSubscribed",
            "/user/isSponsor",
            "/message/subscriber",
        ]),
        // Roles are 0 unknown, 1 viewer, 2 VIP, 3 moderator, 4 broadcaster.
        is_moderator: role == Some(3.0) || data.flag(&["/user/isModerator"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_challenge_is_the_documented_one() {
        // base64(sha256(base64(sha256("secretsalt")) + "challenge")), by other means.
        let expected = "39cfhx7et2iyoMZvoQ6o3OPLNSKgtMmy48GQ7jnvsdE=";
        assert_eq!(answer("secret", "salt", "challenge"), expected);
    }
}
