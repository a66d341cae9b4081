//! Which of the judged rates suits, and why.

use super::PROMPT;
use super::judge::Judgement;
use super::words::{a_second, number, share, span};

/// Share of the gifts by which a rate may be behind the best: so little nobody
/// notices, and a slower rate is a calmer screen.
const NEAR: f64 = 0.02;

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
/// best does. `None` without rates or without gifts that are to be drawn.
pub fn recommend(judged: &[Judgement]) -> Option<Recommendation> {
    let mut judged: Vec<_> = judged.iter().filter(|judged| judged.wanted() > 0).collect();
    judged.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let shares = judged.iter().map(|judged| judged.answered_share());
    let best = shares.reduce(f64::max)?;
    let at = judged
        .iter()
        .position(|judged| judged.answered_share() >= best - NEAR)?;
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
        Some(slower) => format!(
            "; at {} it would be {}",
            a_second(slower.rate),
            share(slower.answered_share())
        ),
    };
    if answered < NEARLY_ALL {
        reason += match faster {
            [] => ", and faster rates are worth judging as well",
            _ => ", and no faster one does much better, since gifts then wait for their places",
        };
    }
    reason + "."
}
