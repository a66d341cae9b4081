//! Who is connected to a stream, and what each said last of itself: what the
//! host's desk shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::hub::ConnectionId;
use super::limits::MAX_LISTED;
use super::lock::lock;
use crate::model::{Goal, Telemetry, WallTime};
use crate::protocol::{ClientMessage, ClientType, Pong, encode_client};

/// A connection, as the desk sees it.
#[derive(Debug)]
pub(super) struct Renderer {
    client_id: Arc<str>,
    role: ClientType,
    since: WallTime,
    hears_controls: bool,
    pong: Option<Pong>,
    /// The payload of `x-telemetry`, and when it came. Hosts are few, so that
    /// keeping a message of each takes no room.
    telemetry: Option<Value>,
    /// The goal by its telemetry, and how much of it is of gifts that wait.
    goal: Option<(Goal, f64)>,
}

/// How far a goal has come by what stages say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reached {
    /// With every gift that came.
    pub given: f64,
    /// Without those that are sent again to whoever joins.
    pub settled: f64,
}

impl Renderer {
    pub fn new(client_id: Arc<str>, role: ClientType, hears_controls: bool) -> Self {
        Self {
            client_id,
            role,
            since: WallTime::now(),
            hears_controls,
            pong: None,
            telemetry: None,
            goal: None,
        }
    }

    fn is_host(&self) -> bool {
        self.role == ClientType::Host
    }

    fn json(&self) -> Value {
        json!({
            "clientId": &*self.client_id,
            "clientType": role_name(self.role),
            "since": format!("{:.3}", self.since),
            "controls": self.hears_controls,
            "pong": self.pong.as_ref().map(pong_json),
            "telemetry": self.telemetry,
        })
    }
}

/// The connections of a stream, as many as there are seats in the house.
#[derive(Debug, Default)]
pub(super) struct Roster(Mutex<BTreeMap<ConnectionId, Renderer>>);

impl Roster {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Renderer>> {
        lock(&self.0)
    }

    pub fn join(&self, id: ConnectionId, renderer: Renderer) {
        self.lock().insert(id, renderer);
    }

    pub fn leave(&self, id: ConnectionId) {
        self.lock().remove(&id);
    }

    pub fn ponged(&self, id: ConnectionId, pong: Pong) {
        if let Some(renderer) = self.lock().get_mut(&id) {
            renderer.pong = Some(pong);
        }
    }

    /// Keeps what a renderer says of itself; as an event tells it.
    pub fn told(&self, id: ConnectionId, telemetry: Box<Telemetry>) -> Value {
        let now = WallTime::now();
        let goal = telemetry.goal.clone();
        let goal = goal.map(|goal| (goal, telemetry.goal_waiting));
        let mut payload = payload_of(telemetry, now);
        // It may stand for long: whoever looks at it wants to know since when.
        payload["at"] = format!("{now:.3}").into();
        if let Some(renderer) = self.lock().get_mut(&id) {
            renderer.telemetry = Some(payload.clone());
            renderer.goal = goal;
            payload["clientId"] = (*renderer.client_id).into();
            payload["clientType"] = role_name(renderer.role).into();
        }
        payload
    }

    /// How far a goal has come. One stage may lag behind another, and was given the
    /// same gifts: of several the one that is furthest counts.
    pub fn reached(&self, goal: &Goal) -> Option<Reached> {
        let renderers = self.lock();
        let told = renderers.values().filter_map(|it| it.goal.as_ref());
        let told = told.filter(|(told, _)| told.is_same(goal));
        told.map(|(told, waiting)| Reached {
            given: told.current,
            settled: (told.current - waiting).max(0.0),
        })
        .reduce(|one, other| Reached {
            given: one.given.max(other.given),
            settled: one.settled.max(other.settled),
        })
    }

    /// What the stages said of the goal is over: it was set anew.
    pub fn forget_goals(&self) {
        for renderer in self.lock().values_mut() {
            renderer.goal = None;
        }
    }

    /// Hosts first, then in the order in which they came; as many as are listed
    /// of anything.
    pub fn listed(&self) -> Vec<Value> {
        let renderers = self.lock();
        let hosts = renderers.values().filter(|renderer| renderer.is_host());
        let viewers = renderers.values().filter(|renderer| !renderer.is_host());
        let listed = hosts.chain(viewers).take(MAX_LISTED);
        listed.map(Renderer::json).collect()
    }
}

pub(super) fn role_name(role: ClientType) -> &'static str {
    match role {
        ClientType::Host => "host",
        ClientType::Viewer => "viewer",
    }
}

/// `heartbeat:pong`'s `stats`.
pub(super) fn pong_json(pong: &Pong) -> Value {
    json!({
        "latency": pong.latency_ms,
        "memory": pong.memory_mb,
        "queueSize": pong.queue_size,
    })
}

fn payload_of(telemetry: Box<Telemetry>, now: WallTime) -> Value {
    let text = encode_client(&ClientMessage::Telemetry(telemetry), now);
    let mut message: Value = serde_json::from_str(&text).unwrap_or_default();
    message["payload"].take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_listed_before_viewers_and_each_until_it_leaves() {
        let roster = Roster::default();
        let renderer = |name: &str, role| Renderer::new(name.into(), role, false);
        roster.join(1, renderer("v", ClientType::Viewer));
        roster.join(2, renderer("h", ClientType::Host));
        let ids = || -> Vec<Value> {
            let listed = roster.listed().into_iter();
            listed.map(|mut it| it["clientId"].take()).collect()
        };
        assert_eq!(ids(), ["h", "v"]);
        let told = roster.told(2, Box::default());
        assert_eq!(
            (&told["clientId"], &told["clientType"]),
            (&json!("h"), &json!("host"))
        );
        assert_eq!(roster.listed()[0]["telemetry"]["volume"], 0);
        roster.leave(2);
        assert_eq!(ids(), ["v"]);
        roster.told(2, Box::default());
        assert!(roster.listed()[0]["telemetry"].is_null());
    }

    #[test]
    fn a_crowd_is_not_listed_to_its_end() {
        let roster = Roster::default();
        for id in 0..2 * MAX_LISTED as u64 {
            let viewer = Renderer::new("v".into(), ClientType::Viewer, false);
            roster.join(id, viewer);
        }
        let host = Renderer::new("h".into(), ClientType::Host, true);
        roster.join(u64::MAX, host);
        let listed = roster.listed();
        assert_eq!(listed.len(), MAX_LISTED);
        assert_eq!(listed[0]["clientType"], "host");
    }
}
