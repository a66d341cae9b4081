//! What the relay costs: each as a process of its own, with its crowd in this
//! one, beside what does no more than it must.

mod build;
mod crowd;
mod fan_out;
mod intake;
mod kills;
mod memory;
mod served;

pub use fan_out::bare_run;

use super::Area;
use super::measure::{Limit, Row};

/// Dearest last.
pub const AREAS: [Area; 5] = [FAN_OUT, INTAKE, MEMORY, KILLS, BUILD];

const FAN_OUT: Area = Area {
    rows: &[
        fan_out::BARE,
        fan_out::BARE_APART,
        fan_out::NODE,
        fan_out::NODE_APART,
        fan_out::NODE_IN_BURSTS,
        fan_out::NATS,
    ],
    measure: fan_out::measure,
};

const INTAKE: Area = Area {
    rows: &[intake::ACCEPTED, intake::IN_ARRAYS, intake::LATENCY],
    measure: intake::measure,
};

const MEMORY: Area = Area {
    rows: &[memory::EACH, memory::HELD],
    measure: memory::measure,
};

const KILLS: Area = Area {
    rows: &[kills::LOST, kills::TWICE],
    measure: kills::measure,
};

const BUILD: Area = Area {
    rows: &[build::BUILD],
    measure: build::measure,
};

const fn row(id: &'static str, name: &'static str, unit: &'static str, limit: Limit) -> Row {
    Row {
        id,
        area: "relay",
        name,
        unit,
        limit,
    }
}
