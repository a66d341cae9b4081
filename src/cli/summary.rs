//! What a run came to: for people, and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::demo::Report;

/// The closing account of `run` and `demo`. Its JSON form is stable: fields
/// are added, not renamed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// From launch to the orderly close.
    pub seconds: f64,
    pub gifts: Gifts,
    pub frame_ms: FrameTimes,
    pub quality: QualityAccount,
    /// From the arrival of an act's first gift at the stage to the frame that
    /// showed it, its wait for a place included.
    pub gift_to_frame_ms: Percentiles,
    /// From launch to the first frame with a gift on it.
    pub launch_to_first_gift_ms: Option<f64>,
    pub memory_mb: Memory,
    /// Pipelines created once warm-up was over; 0 is as it should be.
    pub pipelines_after_warmup: u64,
    /// The adapter that drew, as wgpu names it.
    pub adapter: Option<String>,
    /// Files and streams that were written.
    pub outputs: Vec<String>,
    pub warnings: Vec<String>,
    /// Names of outputs that are not complete.
    pub failed: Vec<String>,
    /// What the demo's embedded backend saw; `None` for a real one.
    pub backend: Option<Backend>,
    /// What a recording came to; `None` for shows that happen now.
    pub recorded: Option<Recorded>,
}

/// A show that was drawn into videos.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recorded {
    pub frames: u64,
    /// Frames a second.
    pub fps: u32,
    /// How long it is.
    pub seconds: f64,
    /// How much longer it is than drawing it took, warming up not counted.
    pub times_real_time: f64,
    /// Whether it ends with the show.
    pub is_whole: bool,
}

/// Gift messages by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Gifts {
    /// Known only where the backend is our own.
    pub sent: Option<u64>,
    pub received: u64,
    pub played: u64,
    pub joined_streak: u64,
    pub joined_bundle: u64,
    pub refused: u64,
    pub failed: u64,
    pub dismissed: u64,
    /// Acks written to the backend, also for what can never be shown, which is in no
    /// other figure. A gift that comes again is answered again, and a reconnect repeats
    /// those that the backend may not have read.
    pub acked: u64,
    /// Received and undecided at the end; the backend sends them again.
    pub waiting: u64,
}

/// What the governor did.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct QualityAccount {
    /// Whether it chose by itself in the end.
    pub is_auto: bool,
    /// The level at the end.
    pub level: String,
    /// How often it went down.
    pub shed: u64,
    /// How often it went up.
    pub given_back: u64,
    /// Seconds with something on stage, by level.
    pub seconds: BTreeMap<String, f64>,
}

impl fmt::Display for QualityAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.level)?;
        if !self.is_auto {
            return f.write_str(", as asked for");
        }
        write!(f, "; shed {}, gave back {}", self.shed, self.given_back)?;
        for (index, (level, seconds)) in self.seconds.iter().enumerate() {
            let before = if index == 0 { "; " } else { ", " };
            write!(f, "{before}{level} {seconds:.0} s")?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct FrameTimes {
    /// What the times are of: frames with something on stage, once that was warm.
    pub frames: u64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub max: f64,
}

/// Resident set in MB (10^6 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Memory {
    pub start: f64,
    pub peak: f64,
    pub end: f64,
}

/// The other end's account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backend {
    pub acked: u64,
    pub unacked: u64,
    pub acked_twice: u64,
    pub rendered: u64,
    pub refused: BTreeMap<String, u64>,
    pub exactly_once: bool,
    pub ack_ms: Percentiles,
    pub pings: u64,
    pub pongs: u64,
    pub pong_ms: Percentiles,
}

impl From<&Report> for Backend {
    fn from(report: &Report) -> Self {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let spread = |spread: crate::demo::Spread| Percentiles {
            p50: ms(spread.p50),
            p95: ms(spread.p95),
            max: ms(spread.max),
        };
        Self {
            acked: report.acked,
            unacked: report.unacked(),
            acked_twice: report.acked_twice,
            rendered: report.rendered,
            refused: report.refused.clone(),
            exactly_once: report.is_exactly_once(),
            ack_ms: spread(report.ack_delay),
            pings: report.pings,
            pongs: report.pongs,
            pong_ms: spread(report.pong_delay),
        }
    }
}

impl Summary {
    /// One line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers, strings and lists always have a JSON form")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gifts = &self.gifts;
        let mut line = |name: &str, text: String| writeln!(f, "{name:<14} {text}");
        let sent = gifts
            .sent
            .map_or(String::new(), |sent| format!("{sent} sent, "));
        line(
            "gifts",
            format!(
                "{sent}{} received, {} played, {} joined a streak, {} joined a bundle",
                gifts.received, gifts.played, gifts.joined_streak, gifts.joined_bundle
            ),
        )?;
        line(
            "",
            format!(
                "{} refused, {} failed, {} dismissed, {} still waiting; {} acks sent",
                gifts.refused, gifts.failed, gifts.dismissed, gifts.waiting, gifts.acked
            ),
        )?;
        let frame = &self.frame_ms;
        line(
            "frame time",
            format!(
                "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms over {} frames",
                frame.p50, frame.p95, frame.p99, frame.frames
            ),
        )?;
        if !self.quality.level.is_empty() {
            line("quality", self.quality.to_string())?;
        }
        line("gift to frame", self.gift_to_frame_ms.to_string())?;
        if let Some(first) = self.launch_to_first_gift_ms {
            line("first gift", format!("{first:.0} ms after launch"))?;
        }
        let memory = &self.memory_mb;
        line(
            "memory",
            format!(
                "{:.0} MB at start, {:.0} MB at most, {:.0} MB at the end",
                memory.start, memory.peak, memory.end
            ),
        )?;
        line(
            "pipelines",
            format!("{} created after warm-up", self.pipelines_after_warmup),
        )?;
        if let Some(adapter) = &self.adapter {
            line("drawn by", adapter.clone())?;
        }
        if let Some(backend) = &self.backend {
            line("backend", backend.to_string())?;
            line(
                "pings",
                format!(
                    "{} of {}, {}",
                    backend.pongs, backend.pings, backend.pong_ms
                ),
            )?;
        }
        if let Some(recorded) = &self.recorded {
            line(
                "recorded",
                format!(
                    "{:.1} s: {} frames at {} a second, {:.2} times as fast as real time{}",
                    recorded.seconds,
                    recorded.frames,
                    recorded.fps,
                    recorded.times_real_time,
                    if recorded.is_whole {
                        ""
                    } else {
                        "; the show goes on"
                    }
                ),
            )?;
        }
        line("time", format!("{:.1} s", self.seconds))?;
        for output in &self.outputs {
            line("written", output.clone())?;
        }
        for warning in &self.warnings {
            line("warning", warning.clone())?;
        }
        Ok(())
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.1} ms, p95 {:.1} ms, at most {:.1} ms",
            self.p50, self.p95, self.max
        )
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} acked ({} rendered)", self.acked, self.rendered)?;
        for (reason, count) in &self.refused {
            write!(f, ", {count} {reason}")?;
        }
        match (self.exactly_once, self.acked_twice) {
            (true, _) => f.write_str(", each exactly once"),
            (false, 0) => write!(f, ", {} without an ack", self.unacked),
            (false, twice) => write!(f, ", {} without an ack, {twice} TWICE", self.unacked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let report = Report {
            sent: 5,
            acked: 5,
            rendered: 4,
            refused: BTreeMap::from([("OVERLOADED".to_owned(), 1)]),
            ..Report::default()
        };
        Summary {
            gifts: Gifts {
                sent: Some(5),
                received: 5,
                played: 4,
                refused: 1,
                acked: 5,
                ..Gifts::default()
            },
            outputs: vec!["out/demo.png".to_owned()],
            backend: Some(Backend::from(&report)),
            ..Summary::default()
        }
    }

    #[test]
    fn people_read_every_part() {
        let text = summary().to_string();
        for part in [
            "gifts          5 sent, 5 received, 4 played",
            "5 acked (4 rendered), 1 OVERLOADED, each exactly once",
            "written        out/demo.png",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn programs_read_one_json_object_on_one_line() {
        let json = summary().to_json();
        assert!(!json.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["gifts"]["received"], 5);
        assert_eq!(value["backend"]["exactly_once"], true);
        assert_eq!(value["frame_ms"]["p99"], 0.0);
    }

    #[test]
    fn an_ack_too_many_is_shouted() {
        let report = Report {
            sent: 2,
            acked: 2,
            acked_twice: 1,
            ..Report::default()
        };
        assert!(Backend::from(&report).to_string().ends_with("1 TWICE"));
    }
}
