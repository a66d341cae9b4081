//! Twitch's EventSub over WebSocket.
//!
//! <https://dev.twitch.tv/docs/eventsub/handling-websocket-events/>. The server
//! welcomes with a session, for which subscriptions are made over Helix within
//! ten seconds. Then it speaks at least as often as the welcome says; we never
//! do. When it wants us elsewhere it says where, and the subscriptions move
//! along, provided that we come before we leave. Messages may come twice.
//!
//! The payloads are read by hand and not through a crate of their types: five
//! of them, a few fields each, by the same reader as the other platforms'. One
//! that has a field more, or a value that is new, stays a gift.

mod helix;

use std::collections::{HashSet, VecDeque};
use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::warn;

use super::entry::State;
use super::fields::Fields;
use super::given::{Given, Giver, hashed, platform_id};
use super::wire::{PATIENCE, Wire};
use super::{Failure, Inlet, Session, parse};
use crate::net::Dialer;
use crate::protocol::clean_text;
use crate::protocol::limits::MAX_ERROR_GRAPHEMES;

pub(super) use helix::Helix;
use helix::{Lacking, WANTED};

/// Ids of messages that are remembered; Twitch sends one again within minutes.
const MAX_RECENT: usize = 1_024;

/// Allowed beyond the silence that the welcome announces.
const GRACE: Duration = Duration::from_secs(2);

/// The silence of a welcome that announces none.
const DEFAULT_SILENCE: f64 = 10.0;

/// The longest silence that Twitch grants.
const LONGEST_SILENCE: f64 = 600.0;

/// How long an old connection is read after a new one has taken over.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long Twitch keeps the old connection for us to move.
const MOVING: Duration = Duration::from_secs(30);

/// Between two attempts to move.
const MOVE_AGAIN: Duration = Duration::from_secs(1);

/// Until Helix is asked again for what it did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(5);

pub(super) struct Twitch {
    dialer: Dialer,
    helix: Helix,
    recent: Recent,
}

/// What a message asks of us.
enum Next {
    Nothing,
    /// To come to this address.
    Move(String),
}

/// Something that goes on while messages are heard.
type Meanwhile<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

impl Twitch {
    pub fn new(dialer: Dialer, helix: Helix) -> Self {
        Self {
            dialer,
            helix,
            recent: Recent::default(),
        }
    }

    pub async fn session(&mut self, inlet: &Inlet) -> Session {
        let Self {
            dialer,
            helix,
            recent,
        } = self;
        let (mut wire, mut session) = join(dialer).await?;
        let lacking = helix.subscribe(&session, &WANTED).await?;
        let mut lacking = lacking.some_is_sent()?;
        say(inlet, &lacking);
        let mut moving: Option<Meanwhile<'_, (Wire, String)>> = None;
        let mut asking = ask_again(helix, &session, &lacking);
        loop {
            tokio::select! {
                biased;
                moved = done(&mut moving) => match moved {
                    Ok((new, its_session)) => {
                        session = its_session;
                        asking = ask_again(helix, &session, &lacking);
                        let mut old = std::mem::replace(&mut wire, new);
                        old.leave().await;
                        let until = Instant::now() + FAREWELL;
                        while let Ok(Ok(text)) = timeout_at(until, old.next()).await {
                            hear(inlet, recent, &text).await?;
                        }
                    }
                    // The old one lasts a little longer, and then all
                    // begins anew.
                    Err(failure) => warn!(
                        source = inlet.entry.name(),
                        "cannot move as Twitch asks: {}", failure.text
                    ),
                },
                answered = done(&mut asking) => {
                    lacking.renew(answered?);
                    // That it is still not answered is known.
                    if lacking.unanswered.is_empty() {
                        say(inlet, &lacking);
                    }
                    asking = ask_again(helix, &session, &lacking);
                }
                text = wire.next() => match text {
                    Ok(text) => {
                        if let Next::Move(url) = hear(inlet, recent, &text).await? {
                            let dialer = dialer.elsewhere(&url);
                            moving = Some(Box::pin(async move {
                                arrive(&dialer.map_err(Failure::lasting)?).await
                            }));
                        }
                    }
                    // It left before we had arrived.
                    Err(failure) => match moving.take() {
                        Some(moving) => (wire, session) = moving.await?,
                        None => return Err(failure),
                    },
                },
            }
        }
    }
}

/// What comes of it, once; never where there is nothing.
async fn done<T>(it: &mut Option<Meanwhile<'_, T>>) -> Result<T, Failure> {
    let Some(going_on) = it else {
        return pending().await;
    };
    let outcome = going_on.await;
    *it = None;
    outcome
}

/// The source is connected; what it will not hear is said.
fn say(inlet: &Inlet, lacking: &Lacking) {
    let lacks = lacking.said();
    if let Some(lacks) = &lacks {
        warn!(source = inlet.entry.name(), "{lacks}");
    }
    inlet.entry.set(State::Connected, lacks);
}

/// Asks after a while for what was not answered, if there is any.
fn ask_again<'a>(
    helix: &'a Helix,
    session: &str,
    lacking: &Lacking,
) -> Option<Meanwhile<'a, Lacking>> {
    let (session, topics) = (session.to_owned(), lacking.unanswered.clone());
    if topics.is_empty() {
        return None;
    }
    Some(Box::pin(async move {
        sleep(ASK_AGAIN).await;
        helix.subscribe(&session, &topics).await
    }))
}

/// Joins for as long as Twitch waits for us to move.
async fn arrive(dialer: &Dialer) -> Result<(Wire, String), Failure> {
    let until = Instant::now() + MOVING;
    loop {
        match join(dialer).await {
            Err(failure) if !failure.is_lasting && Instant::now() < until => {
                sleep(MOVE_AGAIN).await;
            }
            joined => return joined,
        }
    }
}

/// Connects, and reads the welcome: the session's id.
async fn join(dialer: &Dialer) -> Result<(Wire, String), Failure> {
    let mut wire = Wire::open(dialer).await?;
    let text = timeout(PATIENCE, wire.next()).await;
    let text = text.unwrap_or_else(|_| Err(Failure::passing("Twitch does not welcome us")))?;
    let welcome = parse(&text).unwrap_or_default();
    let fields = Fields(&welcome);
    let session = fields.text(&["/payload/session/id"]);
    let is_welcome = welcome["metadata"]["message_type"] == "session_welcome";
    let Some(session) = session.filter(|_| is_welcome) else {
        return Err(Failure::lasting("what answers there is not EventSub"));
    };
    let silence = fields.number(&["/payload/session/keepalive_timeout_seconds"]);
    let silence = silence.unwrap_or(DEFAULT_SILENCE).min(LONGEST_SILENCE);
    wire.listen(Duration::from_secs_f64(silence) + GRACE);
    Ok((wire, session.to_owned()))
}

/// # Errors
/// When Twitch will send nothing more for this token.
async fn hear(inlet: &Inlet, recent: &mut Recent, text: &str) -> Result<Next, Failure> {
    let Some(message) = inlet.read(text) else {
        return Ok(Next::Nothing);
    };
    let fields = Fields(&message);
    let kind = fields.text(&["/metadata/message_type"]).unwrap_or_default();
    match kind {
        "notification" => {
            inlet.entry.event();
            let id = fields.text(&["/metadata/message_id"]);
            let id = id.map_or_else(|| hashed(text), str::to_owned);
            if recent.is_repeat(&id) {
                inlet.entry.ignored();
                return Ok(Next::Nothing);
            }
            match read(fields, &id) {
                Ok(Some(given)) => inlet.give(&given).await,
                Ok(None) => inlet.entry.ignored(),
                Err(why) => inlet.entry.unreadable(why),
            }
        }
        "session_reconnect" => {
            if let Some(url) = fields.text(&["/payload/session/reconnect_url"]) {
                return Ok(Next::Move(url.to_owned()));
            }
            inlet
                .entry
                .unreadable("a session_reconnect without its address");
        }
        "revocation" => revoked(inlet, fields)?,
        "session_keepalive" | "session_welcome" => {}
        _ => inlet.entry.unreadable("it is of no type that EventSub has"),
    }
    Ok(Next::Nothing)
}

/// Says what will not come any more, and why.
///
/// # Errors
/// When it is the token's end: the next session reads its file anew.
fn revoked(inlet: &Inlet, fields: Fields<'_>) -> Result<(), Failure> {
    let what = fields.text(&["/payload/subscription/type"]).unwrap_or("?");
    let status = fields
        .text(&["/payload/subscription/status"])
        .unwrap_or("?");
    let why = match status {
        "authorization_revoked" => {
            "the token was revoked, or its owner has a new password; put a new one into its file"
        }
        "user_removed" => "the broadcaster's account is gone",
        "version_removed" => "Twitch has done away with it; update hyperfocus",
        other => other,
    };
    let text = format!("Twitch sends no more {what}: {why}");
    let text = clean_text(&text, MAX_ERROR_GRAPHEMES).into_owned();
    if status == "authorization_revoked" {
        return Err(Failure::lasting(text));
    }
    warn!(source = inlet.entry.name(), "{text}");
    inlet.entry.set(State::Connected, Some(text));
    Ok(())
}

/// <https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/>
fn read<'a>(message: Fields<'a>, id: &str) -> Result<Option<Given<'a>>, &'static str> {
    const WITHOUT: &str = "a gift without how many or how much it is";
    let kind = message.text(&["/payload/subscription/type", "/metadata/subscription_type"]);
    let event = Fields(&message.0["payload"]["event"]);
    let given = |kind, name, amount: f64, quantity: u32, value: f64| Given {
        id: platform_id("twitch", id),
        kind,
        name,
        amount,
        quantity,
        value,
        combo: None,
        giver: giver(event),
        sent_at: message.text(&["/metadata/message_timestamp"]),
    };
    let tier = event
        .number(&["/tier"])
        .map_or(1.0, |tier| (tier / 1000.0).floor());
    Ok(Some(match kind.unwrap_or_default() {
        "channel.bits.use" | "channel.cheer" => {
            let bits = event.number(&["/bits"]).ok_or(WITHOUT)?;
            given("cheer", None, bits, 1, bits)
        }
        // Somebody else's gift, which is counted as that.
        "channel.subscribe" if event.flag(&["/is_gift"]) => return Ok(None),
        "channel.subscribe" => given("sub", None, tier, 1, 0.0),
        "channel.subscription.message" => given("resub", None, tier, 1, 0.0),
        "channel.subscription.gift" => {
            let total = event.count(&["/total"]).filter(|total| *total > 0);
            let total = total.ok_or(WITHOUT)?;
            given("gift_sub", None, f64::from(total), total, 0.0)
        }
        "channel.channel_points_custom_reward_redemption.add" => {
            let cost = event.number(&["/reward/cost"]).unwrap_or(0.0);
            given("reward", event.text(&["/reward/title"]), cost, 1, 0.0)
        }
        _ => return Ok(None),
    }))
}

fn giver<'a>(event: Fields<'a>) -> Giver<'a> {
    if event.flag(&["/is_anonymous"]) {
        return Giver::default();
    }
    let id = event.id(&["/user_id"]);
    Giver {
        id: id.map_or(String::new(), |id| platform_id("twitch", &id)),
        name: event
            .text(&["/user_name", "/user_login"])
            .unwrap_or_default(),
        ..Giver::default()
    }
}

/// The ids of the latest messages.
#[derive(Default)]
struct Recent {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Recent {
    /// Whether this id was there before; it is from now on.
    fn is_repeat(&mut self, id: &str) -> bool {
        if !self.known.insert(id.to_owned()) {
            return true;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > MAX_RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_ids_are_remembered_and_no_more() {
        let mut recent = Recent::default();
        let repeats = |recent: &mut Recent, n: usize| recent.is_repeat(&n.to_string());
        assert!((0..=MAX_RECENT).all(|n| !repeats(&mut recent, n)));
        assert!(repeats(&mut recent, MAX_RECENT) && repeats(&mut recent, 1));
        assert!(!repeats(&mut recent, 0), "forgotten");
        assert_eq!(
            (recent.known.len(), recent.order.len()),
            (MAX_RECENT, MAX_RECENT)
        );
    }
}
