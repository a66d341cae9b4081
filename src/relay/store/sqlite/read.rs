//! What is read: a stream as it was left, and lists of its gifts.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};

use crate::model::SessionConfig;
use crate::relay::hub::Serial;
use crate::relay::store::{Fresh, Kept, Listed, Order, Page, State, StreamId};

/// What is kept of a stream and matters still.
pub(super) fn load(transaction: &Transaction, stream: &StreamId) -> rusqlite::Result<Kept> {
    let mut kept = transaction
        .prepare_cached("SELECT rate, ping_ms, features, status FROM streams WHERE id = ?1")?
        .query_row([&**stream], |row| {
            let rate: Option<f64> = row.get(0)?;
            let ping_ms: Option<u64> = row.get(1)?;
            let features: Option<String> = row.get(2)?;
            let features = features.and_then(|text| serde_json::from_str(&text).ok());
            let features: Vec<String> = features.unwrap_or_default();
            Ok(Kept {
                config: rate.zip(ping_ms).map(|(rate, ping_ms)| SessionConfig {
                    ping_interval: Duration::from_millis(ping_ms),
                    max_gifts_per_second: rate,
                    features: features.into_iter().map(Into::into).collect(),
                }),
                status: row.get(3)?,
                ..Kept::default()
            })
        })
        .optional()?
        .unwrap_or_default();
    kept.unsettled = transaction
        .prepare_cached(
            "SELECT serial, gift, message FROM gifts WHERE stream = ?1 AND state = 0
             ORDER BY serial",
        )?
        .query_map([&**stream], |row| {
            Ok(Fresh {
                serial: row.get(0)?,
                gift: row.get::<_, String>(1)?.into(),
                message: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    kept.until = transaction
        .prepare_cached("SELECT coalesce(max(serial), 0) FROM gifts")?
        .query_row([], |row| row.get(0))?;
    Ok(kept)
}

/// A page of a stream's gifts, read beside the writer.
pub(super) fn list(path: &Path, stream: &StreamId, page: Page) -> rusqlite::Result<Vec<Listed>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let states = match page.state {
        Some(state) => format!("state = {}", state as i64),
        None => "TRUE".to_owned(),
    };
    let (range, order, after) = match (page.order, page.after) {
        (Order::Oldest, after) => (">", "ASC", after),
        // The greatest that SQLite's integers hold.
        (Order::Latest, 0) => ("<=", "DESC", i64::MAX as Serial),
        (Order::Latest, after) => ("<", "DESC", after),
    };
    let mut statement = connection.prepare(&format!(
        "SELECT serial, gift, state, accepted_at, reason, message FROM gifts
         WHERE stream = ?1 AND serial {range} ?2 AND {states} ORDER BY serial {order} LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![&**stream, after, page.limit], |row| {
        Ok(Listed {
            serial: row.get(0)?,
            gift: row.get::<_, String>(1)?.into(),
            state: match row.get(2)? {
                0_i64 => State::Unacked,
                1 => State::Rendered,
                2 => State::Failed,
                _ => State::Parked,
            },
            accepted_at: row.get(3)?,
            reason: row.get(4)?,
            message: row.get(5)?,
        })
    })?;
    rows.collect()
}
