//! Rows, runs and what they come to.

use std::time::Duration;

use anyhow::Result;
use cpu_time::ThreadTime;

use crate::cli::Figure;

/// Runs of each figure: the median of five forgives two that were disturbed.
pub const RUNS: usize = 5;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub id: &'static str,
    pub area: &'static str,
    pub name: &'static str,
    pub unit: &'static str,
    pub limit: Limit,
}

/// What a figure must measure up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
    Below(f64),
    /// No bar: it is there to be known.
    AsFound,
}

impl Limit {
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Below(bound) => value < bound,
            Self::AsFound => value.is_finite(),
        }
    }

    fn words(self, unit: &str) -> String {
        match self {
            Self::AtMost(most) => format!("at most {most} {unit}"),
            Self::AtLeast(least) => format!("at least {least} {unit}"),
            Self::Below(bound) => format!("under {bound} {unit}"),
            Self::AsFound => "as found".to_owned(),
        }
    }
}

impl Row {
    /// The row's figure is the median of its runs.
    pub fn median(&self, runs: Vec<f64>) -> Figure {
        self.figure(median(&runs), runs, Vec::new())
    }

    /// The row's figure is the worst of its runs: for what must hold throughout.
    pub fn worst(&self, runs: Vec<f64>) -> Figure {
        let worst = match self.limit {
            Limit::AtLeast(_) | Limit::AsFound => runs.iter().copied().reduce(f64::min),
            Limit::AtMost(_) | Limit::Below(_) => runs.iter().copied().reduce(f64::max),
        };
        self.figure(worst.unwrap_or(f64::NAN), runs, Vec::new())
    }

    /// The row's figure is the ratio of the medians.
    pub fn ratio(&self, turns: Turns) -> Figure {
        let value = median(&turns.runs) / median(&turns.baseline);
        self.figure(value, turns.runs, turns.baseline)
    }

    fn figure(&self, value: f64, runs: Vec<f64>, baseline_runs: Vec<f64>) -> Figure {
        Figure {
            id: self.id.to_owned(),
            area: self.area.to_owned(),
            name: self.name.to_owned(),
            value,
            unit: self.unit.to_owned(),
            bar: self.limit.words(self.unit),
            holds: self.limit.holds(value),
            runs,
            baseline_runs,
        }
    }
}

/// What was measured in turns.
#[derive(Debug, Default)]
pub struct Turns {
    pub runs: Vec<f64>,
    pub baseline: Vec<f64>,
}

/// Measures ours and the baseline in turns, changing who begins, so that
/// neither has the quieter machine.
///
/// # Errors
/// The first that a measurement returns.
pub fn take_turns(
    mut ours: impl FnMut() -> Result<f64>,
    mut baseline: impl FnMut() -> Result<f64>,
) -> Result<Turns> {
    let mut turns = Turns::default();
    for run in 0..RUNS {
        if run % 2 == 0 {
            turns.baseline.push(baseline()?);
            turns.runs.push(ours()?);
        } else {
            turns.runs.push(ours()?);
            turns.baseline.push(baseline()?);
        }
        eprintln!(
            "  {}/{RUNS}: {:.4} against {:.4}",
            run + 1,
            turns.runs[run],
            turns.baseline[run]
        );
    }
    Ok(turns)
}

/// The middle one, or the mean of the middle two; NaN of nothing.
pub fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Mean CPU time of one of `count` calls, in microseconds: what else the
/// machine does must not count.
pub fn micros_each(count: usize, mut call: impl FnMut(usize)) -> f64 {
    let start = ThreadTime::now();
    for number in 0..count {
        call(number);
    }
    micros(start.elapsed()) / count as f64
}

pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// One line of progress.
pub fn report(figure: &Figure) {
    let holds = if figure.holds {
        "holds"
    } else {
        "DOES NOT HOLD"
    };
    eprintln!(
        "  {} = {:.3} {} ({}: {holds})",
        figure.id, figure.value, figure.unit, figure.bar
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row = Row {
        id: "a.b",
        area: "a",
        name: "b",
        unit: "x",
        limit: Limit::AtMost(2.0),
    };

    #[test]
    fn the_median_forgives_the_disturbed_runs() {
        assert_eq!(median(&[1.0, 900.0, 2.0, 3.0, 800.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_ratio_is_of_the_medians_and_meets_its_bar_or_not() {
        let figure = |runs: Vec<f64>| {
            ROW.ratio(Turns {
                runs,
                baseline: vec![2.0, 2.0, 9.0],
            })
        };
        let good = figure(vec![3.0, 100.0, 4.0]);
        assert_eq!((good.value, good.holds), (2.0, true));
        assert_eq!(good.bar, "at most 2 x");
        assert!(!figure(vec![5.0, 5.0, 5.0]).holds);
    }

    #[test]
    fn what_must_hold_throughout_is_judged_by_its_worst_run() {
        assert_eq!(ROW.worst(vec![1.0, 3.0, 2.0]).value, 3.0);
        let least = Row {
            limit: Limit::AtLeast(1.0),
            ..ROW
        };
        assert_eq!(least.worst(vec![1.0, 3.0, 0.5]).value, 0.5);
    }

    #[test]
    fn a_figure_that_is_none_never_holds() {
        assert!(!ROW.median(Vec::new()).holds);
    }

    #[test]
    fn who_begins_changes_from_run_to_run() {
        let order = std::cell::RefCell::new(String::new());
        let note = |who: char| {
            order.borrow_mut().push(who);
            Ok(1.0)
        };
        take_turns(|| note('o'), || note('b')).expect("nothing fails");
        assert_eq!(&order.borrow()[..4], "boob");
    }
}
