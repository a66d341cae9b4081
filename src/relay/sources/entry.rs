//! How a source is, for the desk.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tracing::warn;

use crate::model::WallTime;
use crate::relay::lock::lock;

/// In place of a stream's name for what may bring gifts for any of them.
pub(super) const EVERY_STREAM: &str = "*";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Connecting,
    /// Its gifts would come in.
    Connected,
    /// Between two attempts; `error` says why.
    Waiting,
    /// A file was played to its end.
    Ended,
}

/// One source: what it is called, and how it is.
pub(super) struct Entry {
    name: String,
    kind: &'static str,
    stream: Arc<str>,
    report: Mutex<Report>,
}

struct Report {
    state: State,
    since: WallTime,
    last_event: Option<WallTime>,
    events: u64,
    gifts: u64,
    ignored: u64,
    error: Option<String>,
    /// Why the store takes nothing of it.
    held_up: Option<String>,
    /// The last failure that was said.
    said: String,
    has_said_unreadable: bool,
    /// Since the desk was last told.
    has_changed: bool,
}

impl Entry {
    pub fn new(name: &str, kind: &'static str, stream: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            stream: stream.into(),
            report: Mutex::new(Report {
                state: State::Connecting,
                since: WallTime::now(),
                last_event: None,
                events: 0,
                gifts: 0,
                ignored: 0,
                error: None,
                held_up: None,
                said: String::new(),
                has_said_unreadable: false,
                has_changed: true,
            }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Whether its gifts may go to this stream.
    pub fn is_of(&self, stream: &str) -> bool {
        &*self.stream == EVERY_STREAM || &*self.stream == stream
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        let mut report = lock(&self.report);
        report.has_changed = true;
        report
    }

    pub fn set(&self, state: State, error: Option<String>) {
        let mut report = self.report();
        if report.state != state {
            report.since = WallTime::now();
        }
        // While it tries again the desk still says why it has to.
        if state != State::Connecting {
            report.error = error;
        }
        report.state = state;
    }

    /// Whether this failure differs from the last one that was said.
    pub fn is_news(&self, failure: &str) -> bool {
        let mut report = self.report();
        let is_news = report.said != failure;
        failure.clone_into(&mut report.said);
        is_news
    }

    /// Something came.
    pub fn event(&self) {
        let mut report = self.report();
        report.events += 1;
        report.last_event = Some(WallTime::now());
    }

    /// Something came that is no gift.
    pub fn ignored(&self) {
        self.report().ignored += 1;
    }

    /// Something came that cannot be read; `why` repeats nothing of it.
    pub fn unreadable(&self, why: &str) {
        let mut report = self.report();
        report.ignored += 1;
        if !std::mem::replace(&mut report.has_said_unreadable, true) {
            let source = &*self.name;
            warn!(
                source,
                "a message cannot be read: {why}; any more are only counted"
            );
        }
    }

    /// The store has taken these.
    pub fn accepted(&self, gifts: usize) {
        self.report().gifts += gifts as u64;
    }

    /// The store takes nothing, or takes gifts again; whether that is news.
    pub fn hold_up(&self, why: Option<String>) -> bool {
        let mut report = self.report();
        let is_news = report.held_up.is_some() != why.is_some();
        report.held_up = why;
        is_news
    }

    pub fn take_changed(&self) -> bool {
        let mut report = lock(&self.report);
        std::mem::take(&mut report.has_changed)
    }

    /// An entry of `GET /v1/sources`.
    pub fn listed(&self) -> Value {
        let report = lock(&self.report);
        let state = match report.state {
            State::Connecting => "connecting",
            State::Connected => "connected",
            State::Waiting => "waiting",
            State::Ended => "ended",
        };
        json!({
            "name": self.name,
            "kind": self.kind,
            "stream": &*self.stream,
            "state": state,
            "since": report.since.to_string(),
            "lastEventAt": report.last_event.map(|time| time.to_string()),
            "events": report.events,
            "gifts": report.gifts,
            "ignored": report.ignored,
            "error": report.held_up.as_ref().or(report.error.as_ref()),
        })
    }
}
