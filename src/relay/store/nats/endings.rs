//! How gifts ended, on its way into the log.
//!
//! A host's word that a gift was rendered is written down as it is. That it
//! failed or was parked is this relay's judgement on its own hosts, so the other
//! relays are asked first: while one of them has a host that may still render
//! the gift, nothing is written, and this relay asks again later. The rule that
//! a gift fails when *every* connected host says so holds across relays thus
//! without any of them knowing the others. A relay that does not answer in time
//! has no say: at worst a gift is noted as failed and shown all the same.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_nats::StatusCode;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use super::Shared;
use super::log::Refusal;
use super::names::Names;
use super::wire::End;
use crate::model::GiftId;
use crate::relay::hub::{Ended, Ending, Serial};
use crate::relay::lock::lock;
use crate::relay::store::{StoreError, StreamId};

/// Endings that wait while NATS is away. Beyond: the oldest are forgotten, and
/// those gifts are sent again by whoever opens the stream next.
const MAX_UNSAVED: usize = 200_000;

/// Endings that are written at once.
const BATCH: usize = 512;

/// Requests to NATS at once.
const AT_ONCE: usize = 64;

/// How long the other relays may take to object.
const OBJECTING: Duration = Duration::from_millis(500);

/// When a gift is asked about again that a host elsewhere may render.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Before another try, when NATS did not take them.
const RETRY: Duration = Duration::from_millis(500);

/// How long the feed may be behind what was written.
const BEHIND: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
struct Unsaved {
    stream: StreamId,
    gift: GiftId,
    ending: Ending,
    /// Milliseconds since the Unix epoch.
    at: i64,
    not_before: Instant,
}

impl Unsaved {
    /// Whether another relay may know better.
    fn is_in_doubt(&self) -> bool {
        match self.ending {
            Ending::Rendered => false,
            Ending::Failed(_) | Ending::Parked => true,
        }
    }
}

/// Endings that are not in the log yet.
pub(super) struct Endings {
    queue: Mutex<VecDeque<Unsaved>>,
    more: Notify,
    /// Nothing is left that could be written now.
    is_idle: watch::Sender<bool>,
}

impl Default for Endings {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            more: Notify::new(),
            is_idle: watch::Sender::new(true),
        }
    }
}

impl Endings {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Unsaved>> {
        lock(&self.queue)
    }

    pub fn add(&self, stream: &StreamId, ended: Vec<Ended>, at: i64) {
        let now = Instant::now();
        let mut queue = self.queue();
        queue.extend(ended.into_iter().map(|ended| Unsaved {
            stream: stream.clone(),
            gift: ended.gift,
            ending: ended.ending,
            at,
            not_before: now,
        }));
        let surplus = queue.len().saturating_sub(MAX_UNSAVED);
        queue.drain(..surplus);
        self.is_idle.send_replace(false);
        drop(queue);
        self.more.notify_one();
    }

    /// Those whose time has come, and when to look again if there are none.
    fn take(&self) -> (Vec<Unsaved>, Instant) {
        let now = Instant::now();
        let mut queue = self.queue();
        let mut due = Vec::new();
        // One round at most: what waits goes to the back.
        for _ in 0..queue.len() {
            let Some(first) = queue.pop_front() else {
                break;
            };
            match first.not_before <= now && due.len() < BATCH {
                true => due.push(first),
                false => queue.push_back(first),
            }
            if due.len() == BATCH {
                break;
            }
        }
        let next = queue.iter().map(|it| it.not_before).min();
        if due.is_empty() {
            self.is_idle.send_replace(true);
        }
        (due, next.unwrap_or(now + ASK_AGAIN))
    }

    /// For another try, before all others.
    fn put_back(&self, unsaved: Vec<Unsaved>, wait: Duration) {
        let not_before = Instant::now() + wait;
        let mut queue = self.queue();
        for mut ending in unsaved.into_iter().rev() {
            ending.not_before = not_before;
            queue.push_front(ending);
        }
    }

    /// Resolves when nothing is left that could be written now.
    pub async fn idle(&self) {
        let mut is_idle = self.is_idle.subscribe();
        // It is there as long as we are.
        let _ = is_idle.wait_for(|is_idle| *is_idle).await;
    }
}

/// Writes endings until it is aborted.
pub(super) async fn write(shared: Arc<Shared>) {
    loop {
        let (due, next) = shared.endings.take();
        if due.is_empty() {
            let _ = timeout_at(next, shared.endings.more.notified()).await;
            continue;
        }
        if let Err(problem) = settle(&shared, due).await {
            debug!(%problem, "endings wait");
            sleep(RETRY).await;
        }
    }
}

async fn settle(shared: &Shared, due: Vec<Unsaved>) -> Result<(), StoreError> {
    let looked_up = stream::iter(due).map(|ending| async move {
        let serial = serial_of(shared, &ending).await;
        (ending, serial)
    });
    let looked_up: Vec<_> = looked_up.buffered(AT_ONCE).collect().await;
    let (mut known, mut back, mut problem) = (Vec::new(), Vec::new(), None);
    for (ending, serial) in looked_up {
        match serial {
            Ok(Some(serial)) => known.push((ending, serial)),
            Ok(None) => {}
            Err(error) => {
                back.push(ending);
                problem = Some(error);
            }
        }
    }
    let (in_doubt, certain): (Vec<_>, Vec<_>) = known
        .into_iter()
        .partition(|(ending, _)| ending.is_in_doubt());
    // A host's word waits for nobody's objection.
    problem = write_down(shared, certain, &mut back).await.or(problem);
    match objections(shared, &in_doubt).await {
        Ok(objected) => {
            // A host may have come here since it was judged.
            let is_held = |(ending, serial): &(Unsaved, Serial)| {
                objected.contains(&(ending.stream.clone(), *serial))
                    || shared.feed.may_render(&ending.stream, *serial)
            };
            let (held, clear): (Vec<_>, Vec<_>) = in_doubt.into_iter().partition(is_held);
            let held = held.into_iter().map(|(ending, _)| ending).collect();
            shared.endings.put_back(held, ASK_AGAIN);
            problem = write_down(shared, clear, &mut back).await.or(problem);
        }
        Err(error) => {
            back.extend(in_doubt.into_iter().map(|(ending, _)| ending));
            problem = Some(error);
        }
    }
    shared.endings.put_back(back, Duration::ZERO);
    problem.map_or(Ok(()), Err)
}

/// The gift's; none when there is nothing to be noted of it.
async fn serial_of(shared: &Shared, ending: &Unsaved) -> Result<Option<Serial>, StoreError> {
    let view = shared.view(&ending.stream);
    if let Some(serial) = view.as_ref().and_then(|it| it.serial_of(&ending.gift)) {
        return Ok(Some(serial));
    }
    let names = Names::of(&ending.stream);
    if view.is_some() && ending.is_in_doubt() {
        // It has ended meanwhile, by another relay's word; or it is parked, and a host
        // has it dismissed.
        let is_parked_again = ending.ending == Ending::Parked;
        let ended = names.ended(&ending.gift);
        if is_parked_again || shared.log.last(&ended).await?.is_some() {
            return Ok(None);
        }
    }
    let gift = shared.log.last(&names.gift(&ending.gift)).await?;
    Ok(gift.map(|entry| entry.serial))
}

/// Which of those that are in doubt may still be rendered elsewhere.
async fn objections(
    shared: &Shared,
    endings: &[(Unsaved, Serial)],
) -> Result<HashSet<(StreamId, Serial)>, StoreError> {
    let mut in_doubt: HashMap<StreamId, Vec<Serial>> = HashMap::new();
    for (ending, serial) in endings {
        in_doubt
            .entry(ending.stream.clone())
            .or_default()
            .push(*serial);
    }
    let asked = in_doubt.into_iter().map(|(stream, serials)| async move {
        let objected = ask(shared, &stream, &serials).await?;
        Ok::<_, StoreError>(
            objected
                .into_iter()
                .map(move |serial| (stream.clone(), serial)),
        )
    });
    let objected = futures_util::future::try_join_all(asked).await?;
    Ok(objected.into_iter().flatten().collect())
}

/// Asks all other relays; the answers are the serials that each objects to.
async fn ask(
    shared: &Shared,
    stream: &StreamId,
    serials: &[Serial],
) -> Result<Vec<Serial>, StoreError> {
    let away = |error: &dyn std::error::Error| StoreError::Away(error.to_string());
    let client = &shared.log.client;
    let inbox = client.new_inbox();
    let mut answers = client
        .subscribe(inbox.clone())
        .await
        .map_err(|error| away(&error))?;
    let question = serde_json::json!(serials).to_string();
    client
        .publish_with_reply(Names::of(stream).ask(), inbox, question.into())
        .await
        .map_err(|error| away(&error))?;
    let until = Instant::now() + OBJECTING;
    let mut objected = Vec::new();
    while let Ok(Some(answer)) = timeout_at(until, answers.next()).await {
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            break;
        }
        let serials: Result<Vec<Serial>, _> = serde_json::from_slice(&answer.payload);
        objected.extend(serials.unwrap_or_default());
    }
    match shared.log.is_connected() {
        true => Ok(objected),
        false => Err(StoreError::Away("not connected".into())),
    }
}

/// Writes endings; those that it could not write go to `back`. Returns why.
async fn write_down(
    shared: &Shared,
    clear: Vec<(Unsaved, Serial)>,
    back: &mut Vec<Unsaved>,
) -> Option<StoreError> {
    let mut sent = Vec::with_capacity(clear.len());
    let mut problem = None;
    for (ending, serial) in clear {
        let names = Names::of(&ending.stream);
        let subject = match ending.ending {
            Ending::Parked => names.parked(&ending.gift),
            Ending::Rendered | Ending::Failed(_) => names.ended(&ending.gift),
        };
        let end = End::new(serial, &ending.ending, ending.at);
        let payload = serde_json::to_vec(&end).unwrap_or_default();
        match shared.log.send(subject, payload, Some(0)).await {
            Ok(waiting) => sent.push((ending, waiting)),
            Err(error) => {
                back.push(ending);
                problem = Some(error);
            }
        }
    }
    let mut last: HashMap<StreamId, Serial> = HashMap::new();
    let mut late = Vec::new();
    for (ending, waiting) in sent {
        match waiting.kept().await {
            Ok(serial) => drop(last.insert(ending.stream, serial)),
            Err(Refusal::Taken) if ending.ending == Ending::Rendered => late.push(ending),
            // The first word that came is final.
            Err(Refusal::Taken) => {}
            Err(Refusal::Store(error)) => {
                back.push(ending);
                problem = Some(error);
            }
        }
    }
    let replaced = stream::iter(late).map(|ending| async move {
        let replaced = replace_failure(shared, &ending).await;
        (ending, replaced)
    });
    let replaced: Vec<_> = replaced.buffered(AT_ONCE).collect().await;
    for (ending, replaced) in replaced {
        match replaced {
            Ok(Some(serial)) => drop(last.insert(ending.stream, serial)),
            Ok(None) => {}
            Err(error) => {
                back.push(ending);
                problem = Some(error);
            }
        }
    }
    for (stream, serial) in last {
        shared.reach(&stream, serial, BEHIND).await;
    }
    problem
}

/// Writes that a gift was rendered in place of hosts' word that it could not be. None
/// where another word stands: that one is final.
async fn replace_failure(shared: &Shared, late: &Unsaved) -> Result<Option<Serial>, StoreError> {
    let subject = Names::of(&late.stream).ended(&late.gift);
    let Some(entry) = shared.log.last(&subject).await? else {
        return Ok(None);
    };
    let said: Option<End> = serde_json::from_slice(&entry.payload).ok();
    let Some(said) = said.filter(End::is_hosts_failure) else {
        return Ok(None);
    };
    let end = End {
        instead: true,
        ..End::new(said.serial, &late.ending, late.at)
    };
    let payload = serde_json::to_vec(&end).unwrap_or_default();
    let sent = shared
        .log
        .send(subject, payload, Some(entry.serial))
        .await?;
    match sent.kept().await {
        Ok(serial) => Ok(Some(serial)),
        // Somebody else has said so in this moment.
        Err(Refusal::Taken) => Ok(None),
        Err(Refusal::Store(error)) => Err(error),
    }
}

/// Answers the other relays' questions until it is aborted.
pub(super) async fn answer(shared: Arc<Shared>, mut questions: async_nats::Subscriber) {
    while let Some(question) = questions.next().await {
        let Some(reply) = question.reply else {
            continue;
        };
        let Some(stream) = super::names::stream_of(&question.subject) else {
            continue;
        };
        let serials: Result<Vec<Serial>, _> = serde_json::from_slice(&question.payload);
        let Ok(mut serials) = serials else { continue };
        let stream = stream.into();
        serials.retain(|serial| shared.feed.may_render(&stream, *serial));
        if !serials.is_empty() {
            let objection = serde_json::json!(serials).to_string();
            // Who asked asks again.
            let _ = shared.log.client.publish(reply, objection.into()).await;
        }
    }
}
