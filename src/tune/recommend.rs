//! Which of the judged rates suits, and why.

use std::time::Duration;

use super::PROMPT;
use super::judge::Judgement;
use super::words::{a_second, number, share, span};

/// Share of the gifts by which a rate may be behind the best: so little nobody
/// notices, and a slower rate is a calmer screen.
const NEAR: f64 = 0.02;

/// Where few are answered, as in a flood, every rate is that near: so much of the best
/// share it has to be as well.
const NEAR_OF_BEST: f64 = 0.8;

/// Where not nearly all are answered, how long the others wait counts: of two rates
/// that are near the best, one of them may wait so many times as long.
const NEAR_WAIT: f64 = 1.25;

/// From this share of gifts answered there is nothing to be explained.
const NEARLY_ALL: f64 = 0.95;

/// A rate, and the reason for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// `maxGiftsPerSecond`.
    pub rate: f64,
    /// A sentence in English.
    pub reason: String,
}

/// The slowest rate that [answers](Judgement::answered) nearly as many gifts as the
/// best does, and where those are not nearly all, lets them wait hardly longer than
/// others that do. `None` without rates or without gifts that are to be drawn.
pub fn recommend(judged: &[Judgement]) -> Option<Recommendation> {
    let mut judged: Vec<_> = judged.iter().filter(|judged| judged.wanted() > 0).collect();
    judged.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let shares = judged.iter().map(|judged| judged.answered_share());
    let best = shares.reduce(f64::max)?;
    let least = (best - NEAR).max(best * NEAR_OF_BEST);
    let is_near = |judged: &&Judgement| judged.answered_share() >= least;
    let near = judged.iter().copied().filter(is_near);
    let longest = match best < NEARLY_ALL {
        true => near.map(|near| near.wait.p95).min()?.mul_f64(NEAR_WAIT),
        false => Duration::MAX,
    };
    let at = judged
        .iter()
        .position(|judged| is_near(judged) && judged.wait.p95 <= longest)?;
    Some(Recommendation {
        rate: judged[at].rate,
        reason: reason(judged[at], &judged[..at], &judged[at + 1..]),
    })
}

fn reason(chosen: &Judgement, slower: &[&Judgement], faster: &[&Judgement]) -> String {
    let answered = chosen.answered_share();
    let mut reason = format!(
        "At {}, {} of the gifts are seen within {} s and not folded with others, and 95 % wait at \
         most {}",
        a_second(chosen.rate),
        share(answered),
        number(PROMPT.as_secs_f64()),
        span(chosen.wait.p95)
    );
    if chosen.endings.refused > 0 {
        reason += &format!("; {} are refused", share(chosen.refused_share()));
    }
    reason += &match slower.last() {
        None => "; no slower rate was judged".to_owned(),
        Some(slower) => told_of_slower(slower, chosen),
    };
    if answered < NEARLY_ALL {
        reason += match faster {
            [] => ", and faster rates are worth judging as well",
            _ => {
                ", and no faster one does much better, since gifts then wait for their places or \
                 are folded all the same"
            }
        };
    }
    reason + "."
}

/// What is worse there: where as many are answered, the wait.
fn told_of_slower(slower: &Judgement, chosen: &Judgement) -> String {
    let rate = a_second(slower.rate);
    let answered = share(slower.answered_share());
    let (wait, its_wait) = (chosen.wait.p95, slower.wait.p95);
    if answered == share(chosen.answered_share()) && its_wait > wait {
        format!("; at {rate} 95 % would wait at most {}", span(its_wait))
    } else {
        format!("; at {rate} it would be {answered}")
    }
}
