//! Which rates to judge, as people write them.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// Rates that can be judged, acts a second: beyond them a renderer takes the
/// nearest.
pub const RATES: RangeInclusive<f64> = 0.01..=1000.0;

/// Rates of one table; more nobody tells apart.
pub const MOST_RATES: usize = 24;

/// Steps of a decade between a range's ends, and the coarser ones for a wide one.
const STEPS: [&[f64]; 2] = [&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0], &[1.0, 2.0, 5.0]];

/// Rates in rising order, each once: from "2..60" its ends and the round numbers
/// between them, or those of a list such as "5,10,30".
#[derive(Debug, Clone, PartialEq)]
pub struct Rates(Vec<f64>);

/// What cannot be read as rates; says what can.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum RatesError {
    #[error("{0:?} is not a rate: give numbers from 0.01 to 1000, as in 2..60 or 5,10,30")]
    NoRate(String),
    #[error("{0} runs backwards; did you mean {1}?")]
    Backwards(String, String),
    #[error("at most {MOST_RATES} rates are judged, not {0}; leave some away")]
    TooMany(usize),
}

impl Rates {
    /// At least one.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    fn between(low: f64, high: f64) -> Self {
        let ranges = STEPS.map(|steps| {
            let round =
                (-2..=2).flat_map(|power| steps.iter().map(move |step| decimal(*step, power)));
            let between = round.filter(|rate| low < *rate && *rate < high);
            let mut rates: Vec<_> = [low].into_iter().chain(between).chain([high]).collect();
            rates.dedup();
            rates
        });
        let [fine, coarse] = ranges;
        Self(if fine.len() > MOST_RATES {
            coarse
        } else {
            fine
        })
    }
}

/// `step` times ten to the `power`, as near as if it were written out.
fn decimal(step: f64, power: i32) -> f64 {
    let ten = 10_f64.powi(power.abs());
    if power < 0 { step / ten } else { step * ten }
}

impl FromStr for Rates {
    type Err = RatesError;

    fn from_str(text: &str) -> Result<Self, RatesError> {
        let rate = |text: &str| {
            let rate = text.trim().parse().ok();
            rate.filter(|rate| RATES.contains(rate))
                .ok_or_else(|| RatesError::NoRate(text.to_owned()))
        };
        if let Some((low, high)) = text.split_once("..") {
            let high = high.strip_prefix('=').unwrap_or(high);
            let ends = (rate(low)?, rate(high)?);
            return match ends {
                (from, to) if from > to => Err(RatesError::Backwards(
                    text.to_owned(),
                    format!("{high}..{low}"),
                )),
                (from, to) => Ok(Self::between(from, to)),
            };
        }
        let mut rates: Vec<_> = text.split(',').map(rate).collect::<Result<_, _>>()?;
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        if rates.len() > MOST_RATES {
            return Err(RatesError::TooMany(rates.len()));
        }
        Ok(Self(rates))
    }
}
