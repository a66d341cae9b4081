//! How far a recording is, on standard error: one line that is written over
//! where a terminal shows it, a line now and then where it is kept.

use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Letters of the bar.
const BAR: usize = 24;
/// From one telling to the next, on a terminal and elsewhere.
const OFTEN: Duration = Duration::from_millis(200);
const SELDOM: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    is_terminal: bool,
    told: Duration,
    is_open: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            told: Duration::ZERO,
            is_open: false,
        }
    }

    /// Tells that `done` of about `total` is recorded after `took`, if it is time
    /// to.
    pub(super) fn tell(&mut self, done: Duration, total: Duration, took: Duration) {
        let pause = if self.is_terminal { OFTEN } else { SELDOM };
        if took < self.told + pause {
            return;
        }
        self.told = took;
        let line = line(done, total, took);
        // A reader that has left misses nothing that matters.
        let _ = if self.is_terminal {
            self.is_open = true;
            write!(std::io::stderr(), "\r\x1b[K{line}")
        } else {
            writeln!(std::io::stderr(), "{line}")
        };
    }

    /// Leaves the line clean for what follows.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(done: Duration, total: Duration, took: Duration) -> String {
    let total = total.max(done).as_secs_f64().max(1e-3);
    let done = done.as_secs_f64();
    let speed = done / took.as_secs_f64().max(1e-3);
    let full = (done / total * BAR as f64) as usize;
    let left = match (total - done) / speed.max(1e-6) {
        left if left < 90.0 => format!("{left:.0} s"),
        left if left < 5_400.0 => format!("{:.0} min", left / 60.0),
        left => format!("{:.1} h", left / 3_600.0),
    };
    format!(
        "recording [{}{}] {done:.1} of about {total:.0} s, {speed:.2} x real time, {left} left",
        "#".repeat(full.min(BAR)),
        "-".repeat(BAR - full.min(BAR)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_from_the_speed() {
        let seconds = Duration::from_secs;
        assert_eq!(
            line(seconds(10), seconds(40), seconds(5)),
            "recording [######------------------] 10.0 of about 40 s, 2.00 x real time, 15 s left"
        );
        assert!(line(seconds(1), seconds(600), seconds(1)).ends_with("10 min left"));
        // A show that goes on for longer than was thought.
        let late = line(seconds(50), seconds(40), seconds(50));
        assert!(
            late.contains("[########################]") && late.ends_with(" 0 s left"),
            "{late}"
        );
    }
}
