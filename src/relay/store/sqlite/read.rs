//! What is read: a stream as it was left, and lists of its gifts.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, Transaction, params};

use crate::model::{GiftId, SessionConfig};
use crate::relay::hub::Serial;
use crate::relay::store::{Fresh, Kept, Listed, Order, Page, State, StreamId};

/// The gifts of a stream that nobody has settled.
const UNSETTLED: &str = "SELECT serial, gift, message FROM gifts WHERE stream = ?1 AND state = 0
     ORDER BY serial";

/// How many of its gifts are parked.
const PARKED: &str = "SELECT count(*) FROM gifts WHERE stream = ?1 AND state = 3";

/// How many gifts of all streams nobody has settled: one stream after the other, each
/// found by the index right behind the last.
const ALL_UNSETTLED: &str = "
    WITH RECURSIVE each (id) AS (
        SELECT min(stream) FROM gifts
        UNION ALL
        SELECT (SELECT min(stream) FROM gifts WHERE stream > id) FROM each
        WHERE id IS NOT NULL
    )
    SELECT coalesce(sum((SELECT count(*) FROM gifts WHERE stream = id AND state = 0)), 0)
    FROM each";

/// Counts the unsettled gifts of all streams, beside the writer.
pub(super) fn unsettled(path: &Path) -> rusqlite::Result<u64> {
    reader(path)?.query_row(ALL_UNSETTLED, [], |row| row.get(0))
}

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
        .prepare_cached(UNSETTLED)?
        .query_map([&**stream], |row| {
            Ok(Fresh {
                serial: row.get(0)?,
                gift: row.get::<_, String>(1)?.into(),
                message: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    kept.parked = transaction
        .prepare_cached(PARKED)?
        .query_row([&**stream], |row| row.get(0))?;
    kept.until = transaction
        .prepare_cached("SELECT coalesce(max(serial), 0) FROM gifts")?
        .query_row([], |row| row.get(0))?;
    Ok(kept)
}

/// A page of a stream's gifts, read beside the writer.
pub(super) fn list(path: &Path, stream: &StreamId, page: Page) -> rusqlite::Result<Vec<Listed>> {
    let connection = reader(path)?;
    let (query, after) = query(page);
    let mut statement = connection.prepare(&query)?;
    let rows = statement.query_map(params![&**stream, after, page.limit], listed)?;
    rows.collect()
}

/// One of a stream's gifts, read beside the writer.
pub(super) fn find(
    path: &Path,
    stream: &StreamId,
    gift: &GiftId,
) -> rusqlite::Result<Option<Listed>> {
    let query = format!("SELECT {LISTED} FROM gifts WHERE stream = ?1 AND gift = ?2");
    reader(path)?
        .query_row(&query, [&**stream, &**gift], listed)
        .optional()
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// What is read of a gift that is listed.
const LISTED: &str = "serial, gift, state, accepted_at, reason, message";

fn listed(row: &Row) -> rusqlite::Result<Listed> {
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
}

/// The query for a page: of a stream, beyond a serial, so many. The serial as well.
fn query(page: Page) -> (String, Serial) {
    let (range, order, after) = match (page.order, page.after) {
        (Order::Oldest, after) => (">", "ASC", after),
        // The greatest that SQLite's integers hold.
        (Order::Latest, 0) => ("<=", "DESC", i64::MAX as Serial),
        (Order::Latest, after) => ("<", "DESC", after),
    };
    let of_state = |columns, state: State| {
        let state = state as i64;
        format!(
            "SELECT {columns} FROM gifts WHERE stream = ?1 AND state = {state}
             AND serial {range} ?2 ORDER BY serial {order} LIMIT ?3"
        )
    };
    let query = match page.state {
        Some(state) => of_state(LISTED, state),
        // The index has each state's in order: of those that come first in each, those
        // that come first at all.
        None => {
            let each = STATES.map(|state| format!("SELECT * FROM ({})", of_state("serial", state)));
            let each = each.join(" UNION ALL ");
            format!(
                "SELECT {LISTED} FROM gifts WHERE serial IN
                 (SELECT serial FROM ({each}) ORDER BY serial {order} LIMIT ?3)
                 ORDER BY serial {order}"
            )
        }
    };
    (query, after)
}

const STATES: [State; 4] = [
    State::Unacked,
    State::Rendered,
    State::Failed,
    State::Parked,
];

#[cfg(test)]
mod tests {
    use rusqlite::params_from_iter;

    use super::*;
    use crate::relay::store::sqlite::{Opened, SqliteOptions};

    fn open(folder: &Path) -> Opened {
        let options = SqliteOptions {
            folder: folder.to_owned(),
            max_mib: None,
            start_clean: false,
        };
        Opened::open(&options).unwrap()
    }

    /// How SQLite goes about a query, a step a line.
    fn plan(connection: &Connection, query: &str) -> String {
        let explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}"));
        let mut explained = explained.unwrap();
        // What they are changes nothing.
        let values = vec![1; explained.parameter_count()];
        let steps = explained.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
        let steps: rusqlite::Result<Vec<String>> = steps.unwrap().collect();
        steps.unwrap().join("\n")
    }

    #[test]
    fn whatever_is_read_of_a_stream_is_found_by_an_index_and_already_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(folder.path());
        let mut queries = vec![UNSETTLED.to_owned(), PARKED.to_owned()];
        for state in STATES {
            for order in [Order::Oldest, Order::Latest] {
                for after in [0, 7] {
                    let page = Page {
                        state: Some(state),
                        order,
                        after,
                        limit: 3,
                    };
                    queries.push(query(page).0);
                }
            }
        }
        for query in queries {
            let plan = plan(&opened.connection, &query);
            assert!(
                is_by_state(&plan) && !plan.contains("B-TREE"),
                "{query}\n{plan}"
            );
            assert_eq!(plan.lines().count(), 1, "{query}\n{plan}");
        }
    }

    /// Whether a step of a plan goes straight to the gifts of one state.
    fn is_by_state(step: &str) -> bool {
        step.contains(" INDEX by_state (stream=? AND state=?")
    }

    #[test]
    fn no_more_is_read_of_all_streams_or_states_than_what_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(folder.path());
        for order in [Order::Oldest, Order::Latest] {
            let page = Page {
                state: None,
                order,
                after: 7,
                limit: 3,
            };
            let plan = plan(&opened.connection, &query(page).0);
            assert_eq!(plan.lines().filter(|step| is_by_state(step)).count(), 4);
            let scans = plan.lines().filter(|step| step.contains("SCAN"));
            // Of what was found by then.
            assert!(
                scans.into_iter().all(|step| !step.contains("SCAN gifts")),
                "{plan}"
            );
        }
        let plan = plan(&opened.connection, ALL_UNSETTLED);
        assert!(plan.lines().any(is_by_state), "{plan}");
        assert!(!plan.contains("SCAN gifts"), "{plan}");
    }
}
