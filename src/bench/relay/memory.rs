//! What a viewer takes of the relay's memory, with ten thousand of them.

use anyhow::Result;

use super::super::measure::{Limit, Row};
use super::crowd::{Crowd, Manners};
use super::fan_out::payload;
use super::row;
use super::served::{Http, RelayProcess};
use crate::cli::Figure;

pub const EACH: Row = row(
    "relay.memory",
    "memory of a viewer after 100 gifts, 10,000 of them",
    "KB",
    Limit::AtMost(24.0),
);

pub const HELD: Row = row(
    "relay.held",
    "viewers held, and each of 100 gifts to all of them",
    "viewers",
    Limit::AtLeast(10_000.0),
);

const VIEWERS: usize = 10_000;

const GIFTS: usize = 100;

/// Half of them come one at a time, the others all at once.
const ONE_BY_ONE: usize = GIFTS / 2;

pub fn measure() -> Result<Vec<Figure>> {
    let relay = RelayProcess::start()?;
    let viewer = relay.token("viewer")?;
    let mut ingest = Http::connect(relay.address(), &relay.token("ingest")?)?;
    // What the first of each costs is not a viewer's.
    let before = {
        let first = Crowd::join(
            relay.address(),
            1,
            Manners::of_the_protocol(Some(viewer.clone())),
        )?;
        ingest.give(&payload(0))?;
        first.wait_for_rounds(1)?;
        relay.served.resident_bytes()?
    };
    let crowd = Crowd::join(
        relay.address(),
        VIEWERS,
        Manners::of_the_protocol(Some(viewer)),
    )?;
    for number in 1..=ONE_BY_ONE {
        ingest.give(&payload(number))?;
        crowd.wait_for_rounds(1)?;
    }
    let many: Vec<String> = (ONE_BY_ONE + 1..=GIFTS).map(payload).collect();
    ingest.give(&format!("[{}]", many.join(",")))?;
    crowd.wait_for_rounds(GIFTS - ONE_BY_ONE)?;
    let grown = relay.served.resident_bytes()? - before;
    let each = grown / VIEWERS as f64 / 1e3;
    Ok(vec![
        EACH.worst(vec![each]),
        HELD.worst(vec![crowd.size() as f64]),
    ])
}
