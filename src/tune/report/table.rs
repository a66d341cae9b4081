//! The report as text for a terminal.

use std::fmt;

use super::Report;
use crate::tune::judge::Judgement;
use crate::tune::words::{count, rate, share, span};

/// What stands over the columns; the page's table has the same.
pub(super) const COLUMNS: [&str; 9] = [
    "rate",
    "answered",
    "wait p50",
    "p95",
    "max",
    "p95 in busiest minute",
    "folded",
    "refused",
    "screen covered",
];

/// The cells of a rate.
pub(super) fn cells(judged: &Judgement) -> [String; 9] {
    [
        rate(judged.rate),
        share(judged.answered_share()),
        span(judged.wait.p50),
        span(judged.wait.p95),
        span(judged.wait.max),
        span(judged.busiest_wait.p95),
        share(judged.folded_share()),
        share(judged.refused_share()),
        share(judged.coverage),
    ]
}

impl Report {
    /// What was judged, in a sentence.
    pub(super) fn summary(&self) -> String {
        let gifts = match self.gifts {
            1 => "1 gift".to_owned(),
            gifts => format!("{} gifts", count(gifts)),
        };
        let busiest = self.busiest.map_or_else(String::new, |(from, gifts)| {
            let (from, gifts) = (span(from), count(gifts));
            format!("; the busiest minute begins after {from} and has {gifts}")
        });
        let dismissed = self.judged.iter().map(|judged| judged.endings.dismissed);
        let dismissed = match dismissed.max().unwrap_or(0) {
            0 => String::new(),
            dismissed => format!(
                "; {} are not drawn as the settings have it, and shares are of the others",
                count(dismissed as usize)
            ),
        };
        format!("{gifts} in {}{busiest}{dismissed}", span(self.length))
    }
}

/// A table with the recommended rate marked, and the reason for it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}.\n", self.source, self.summary())?;
        let rows: Vec<_> = self.judged.iter().map(cells).collect();
        let widths: Vec<_> = (0..COLUMNS.len())
            .map(|column| {
                let cells = rows.iter().map(|row| row[column].chars().count());
                cells.max().unwrap_or(0).max(COLUMNS[column].len())
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, mark: &str, cells: &[&str]| {
            write!(f, "{mark:1}")?;
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)
        };
        line(f, "", &COLUMNS)?;
        for (index, row) in rows.iter().enumerate() {
            let mark = if self.chosen() == Some(index) {
                ">"
            } else {
                ""
            };
            line(f, mark, &row.each_ref().map(String::as_str))?;
        }
        if let Some(advice) = &self.advice {
            let rate = rate(advice.rate);
            writeln!(f, "\nmaxGiftsPerSecond {rate}: {}", advice.reason)?;
        }
        Ok(())
    }
}
