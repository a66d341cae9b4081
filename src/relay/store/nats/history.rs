//! Looking back: lists of gifts, and what history forgets.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::follower::View;
use super::log::{Entry, Log};
use super::names::{ALL_ENDED, Kind, Names, kind};
use super::wire::{End, EndState};
use crate::model::{GiftId, WallTime};
use crate::relay::hub::Serial;
use crate::relay::store::{Listed, Order, Page, State, StoreError};

/// Messages that are read at once.
const PAGE: usize = 1_000;

/// Messages of the log, of whatever stream, that are looked through first for the
/// newest gifts of one.
const WINDOW: Serial = 4_000;

/// Requests to NATS at once.
const AT_ONCE: usize = 64;

/// Gifts of a stream, in the page's order.
pub(super) async fn list(
    log: &Log,
    names: &Names,
    view: &View,
    page: Page,
) -> Result<Vec<Listed>, StoreError> {
    match page.state {
        None => any(log, names, view, page).await,
        Some(State::Unacked) => {
            let serials = view.open_in(page);
            listed(log, names, serials, Some(State::Unacked)).await
        }
        Some(State::Parked) => {
            let filter = names.every_parked();
            marked(log, names, filter, page, EndState::Parked).await
        }
        Some(State::Rendered) => {
            let filter = names.every_ended();
            marked(log, names, filter, page, EndState::Rendered).await
        }
        Some(State::Failed) => {
            let filter = names.every_ended();
            marked(log, names, filter, page, EndState::Failed).await
        }
    }
}

/// The gift of this id, with how it ended.
pub(super) async fn find(
    log: &Log,
    names: &Names,
    gift: &GiftId,
) -> Result<Option<Listed>, StoreError> {
    match log.last(&names.gift(gift)).await? {
        Some(gift) => judged(log, names, gift).await,
        None => Ok(None),
    }
}

async fn any(log: &Log, names: &Names, view: &View, page: Page) -> Result<Vec<Listed>, StoreError> {
    let gifts = match page.order {
        Order::Oldest => {
            let gifts = log.page(names.every_gift(), page.after + 1, page.limit);
            gifts.await?
        }
        Order::Latest => latest(log, names, page).await?,
    };
    let gifts = stream::iter(gifts);
    let listed = gifts.map(|gift| async move {
        match view.is_open(gift.serial) {
            true => Ok(entry(gift, State::Unacked, None)),
            false => judged(log, names, gift).await,
        }
    });
    let listed: Vec<Option<Listed>> = listed.buffered(AT_ONCE).try_collect().await?;
    Ok(listed.into_iter().flatten().collect())
}

/// The newest gifts before the page's beginning. The log is read forwards only,
/// and others' messages lie between: so it is read in windows, each further back
/// and twice as wide as the one before.
async fn latest(log: &Log, names: &Names, page: Page) -> Result<Vec<Entry>, StoreError> {
    let mut end = match page.after {
        0 => log.last_serial().await? + 1,
        before => before,
    };
    let mut width = WINDOW;
    let mut found = Vec::new();
    while end > 1 && found.len() < page.limit {
        let from = end.saturating_sub(width).max(1);
        let mut window = between(log, names, from, end).await?;
        window.reverse();
        found.append(&mut window);
        (end, width) = (from, width.saturating_mul(2));
    }
    found.truncate(page.limit);
    Ok(found)
}

/// The gifts from one serial on and before another.
async fn between(
    log: &Log,
    names: &Names,
    from: Serial,
    end: Serial,
) -> Result<Vec<Entry>, StoreError> {
    let (mut from, mut found) = (from, Vec::new());
    while from < end {
        let gifts = log.page(names.every_gift(), from, PAGE).await?;
        let is_all = gifts.len() < PAGE;
        found.extend(gifts.into_iter().take_while(|gift| gift.serial < end));
        match found.last() {
            Some(last) if !is_all => from = last.serial + 1,
            _ => break,
        }
    }
    Ok(found)
}

/// A gift with how it ended.
async fn judged(log: &Log, names: &Names, gift: Entry) -> Result<Option<Listed>, StoreError> {
    let Some(Kind::Gift(id)) = kind(&gift.subject) else {
        return Ok(None);
    };
    let mut end = log.last(&names.ended(&id)).await?;
    if end.is_none() {
        end = log.last(&names.parked(&id)).await?;
    }
    let end: Option<End> = end.and_then(|it| serde_json::from_slice(&it.payload).ok());
    let state = end.as_ref().map_or(State::Unacked, |end| match end.state {
        EndState::Rendered => State::Rendered,
        EndState::Failed => State::Failed,
        EndState::Parked => State::Parked,
    });
    Ok(entry(gift, state, end.and_then(|end| end.reason)))
}

fn entry(gift: Entry, state: State, reason: Option<String>) -> Option<Listed> {
    let Kind::Gift(id) = kind(&gift.subject)? else {
        return None;
    };
    Some(Listed {
        serial: gift.serial,
        gift: id.into(),
        state,
        accepted_at: gift.taken_at,
        reason,
        message: gift.text(),
    })
}

/// Gifts by what was noted of them: every note after the page's beginning is
/// read, since a gift is noted after it came, and in no order.
async fn marked(
    log: &Log,
    names: &Names,
    filter: String,
    page: Page,
    state: EndState,
) -> Result<Vec<Listed>, StoreError> {
    let mut page = page;
    let mut found = Vec::new();
    // A parked gift may have been rendered later: then there is room for more.
    loop {
        let first = first_marked(log, &filter, page, state).await?;
        let full = first.len() == page.limit;
        let last = first.last().copied();
        found.extend(listed(log, names, first, page.state).await?);
        match (full && found.len() < page.limit, last) {
            (true, Some(last)) => page.after = last,
            _ => break,
        }
    }
    found.truncate(page.limit);
    Ok(found)
}

/// The serials next to the page's beginning, in its order, that were noted so.
async fn first_marked(
    log: &Log,
    filter: &str,
    page: Page,
    state: EndState,
) -> Result<Vec<Serial>, StoreError> {
    let mut first = BTreeSet::new();
    // A gift is noted after it came, so that older ones may be noted anywhere.
    let mut from = match page.order {
        Order::Oldest => page.after + 1,
        Order::Latest => 1,
    };
    loop {
        let notes = log.page(filter.to_owned(), from, PAGE).await?;
        for note in &notes {
            let Ok(end) = serde_json::from_slice::<End>(&note.payload) else {
                continue;
            };
            if end.state == state && page.is_beyond(end.serial) {
                first.insert(end.serial);
                if first.len() > page.limit {
                    match page.order {
                        Order::Oldest => first.pop_last(),
                        Order::Latest => first.pop_first(),
                    };
                }
            }
        }
        match notes.last() {
            Some(last) if notes.len() == PAGE => from = last.serial + 1,
            _ => break,
        }
    }
    Ok(match page.order {
        Order::Oldest => first.into_iter().collect(),
        Order::Latest => first.into_iter().rev().collect(),
    })
}

/// How many gifts are parked, by what the log says up to a serial.
pub(super) async fn parked(log: &Log, names: &Names, until: Serial) -> Result<i64, StoreError> {
    let (mut from, mut parked) = (1, 0);
    loop {
        let mut notes = log.page(names.every_parked(), from, PAGE).await?;
        let is_full = notes.len() == PAGE;
        let last = notes.last().map(|last| last.serial);
        notes.retain(|note| note.serial <= until);
        let counted = stream::iter(notes).map(|note| async move {
            let Some(Kind::Parked(gift)) = kind(&note.subject) else {
                return Ok(0);
            };
            let ended = log.last(&names.ended(&gift)).await?;
            let has_ended = ended.is_some_and(|ended| ended.serial <= until);
            Ok::<_, StoreError>(i64::from(!has_ended))
        });
        let counted = counted.buffer_unordered(AT_ONCE);
        let counted = counted.try_fold(0_i64, |sum, one| async move { Ok(sum + one) });
        parked += counted.await?;
        match last {
            Some(last) if is_full && last < until => from = last + 1,
            _ => return Ok(parked),
        }
    }
}

/// Gifts by their serials; those that are in another state by now are left out.
async fn listed(
    log: &Log,
    names: &Names,
    serials: Vec<Serial>,
    state: Option<State>,
) -> Result<Vec<Listed>, StoreError> {
    let gifts = stream::iter(serials).map(|serial| async move {
        match log.at(serial).await? {
            Some(gift) => judged(log, names, gift).await,
            None => Ok(None),
        }
    });
    let gifts: Vec<Option<Listed>> = gifts.buffered(AT_ONCE).try_collect().await?;
    let gifts = gifts.into_iter().flatten();
    let is_asked_for = |it: &Listed| state.is_none_or(|state| it.state == state);
    Ok(gifts.filter(is_asked_for).collect())
}

/// Deletes some of what ended before a time: the gift first and its ending last,
/// so that none comes back that has ended. Endings come in the order of their
/// time, give or take the relays' clocks; a page without an old one ends it.
pub(super) async fn forget_before(log: &Log, time: WallTime) -> Result<u64, StoreError> {
    let endings = log.page(ALL_ENDED.into(), 1, PAGE).await?;
    let old = endings.into_iter().filter_map(|note| {
        let end: End = serde_json::from_slice(&note.payload).ok()?;
        (end.at < time.as_millisecond()).then_some((note, end.serial))
    });
    let deleted = stream::iter(old).map(|(note, gift)| async move {
        log.delete(gift).await?;
        // From the right: a stream may be called so.
        if let Some((stream, gift)) = note.subject.rsplit_once(".ended.")
            && let Some(parked) = log.last(&format!("{stream}.parked.{gift}")).await?
        {
            log.delete(parked.serial).await?;
        }
        log.delete(note.serial).await
    });
    let deleted = deleted.buffer_unordered(AT_ONCE);
    deleted
        .try_fold(0, |count, ()| async move { Ok(count + 1) })
        .await
}
