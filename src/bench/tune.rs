//! What judging an hour of gifts takes.

use std::hint::black_box;

use anyhow::Result;
use cpu_time::ThreadTime;

use super::Area;
use super::measure::{Limit, RUNS, Row};
use crate::catalog::Catalog;
use crate::cli::Figure;
use crate::tune::{Crowd, Judge, Rates};

pub const AREA: Area = Area {
    rows: &[HOUR],
    measure,
};

const HOUR: Row = Row {
    id: "tune.hour",
    area: "tune",
    name: "judge an hour of 4,700 gifts at thirteen rates",
    unit: "s",
    limit: Limit::Below(1.0),
};

/// The rates that `hyperfocus tune` judges unless it is told others.
const RATES: &str = "2..60";

fn measure() -> Result<Vec<Figure>> {
    let crowd = Crowd::default().arrivals(&Catalog::shipped())?;
    let rates: Rates = RATES.parse()?;
    let judge = Judge::shipped();
    let mut runs = Vec::new();
    for run in 1..=RUNS {
        let start = ThreadTime::now();
        for rate in rates.as_slice() {
            black_box(judge.judge(&crowd, *rate));
        }
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("  {run}/{RUNS}: {} gifts in {seconds:.3} s", crowd.len());
        runs.push(seconds);
    }
    Ok(vec![HOUR.median(runs)])
}
