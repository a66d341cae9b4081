//! Where gifts come from: against servers that speak the platforms' protocols
//! over real sockets, with messages written after their documentation.

mod file;
mod full;
mod listed;
mod platform;
mod streamerbot;
mod tikfinity;
mod tls;
mod twitch;
mod web;

use hyperfocus::config::{Rule, SourceKind, SourceSettings};
use hyperfocus::relay::Role;
use serde_json::Value;

use crate::house::{House, until};

/// A source for the stream "main", called as its kind is.
pub fn source(kind: SourceKind) -> SourceSettings {
    SourceSettings {
        name: kind.word().to_owned(),
        stream: "main".to_owned(),
        kind,
        map: Vec::new(),
    }
}

pub fn house_with(kind: SourceKind) -> House {
    house_of(source(kind))
}

pub fn house_of(source: SourceSettings) -> House {
    House::with(|options| options.sources = vec![source])
}

pub fn rule(key: &str, gift: &str) -> Rule {
    Rule::read(key, gift).unwrap()
}

/// The sources as a host sees them.
pub fn listed(house: &House) -> Vec<Value> {
    let answer = house.request(Role::Host, "GET", "/v1/sources").send();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["sources"].as_array().unwrap().clone()
}

/// The one that is configured.
pub fn the_source(house: &House) -> Value {
    let listed = listed(house);
    assert_eq!(listed.len(), 2, "HTTP and it: {listed:?}");
    listed[1].clone()
}

/// Waits for a figure of the source.
pub fn until_source(house: &House, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(what, || holds(&the_source(house)));
    the_source(house)
}

pub fn until_connected(house: &House) {
    until_source(house, "it is connected", |it| it["state"] == "connected");
}

/// The gifts of the stream "main" in the order in which they were accepted.
pub fn gifts(house: &House) -> Vec<Value> {
    let path = "/v1/streams/main/gifts?limit=1000";
    let answer = house.request(Role::Host, "GET", path).send();
    let listed = answer.json()["gifts"].clone();
    let gifts = listed.as_array().unwrap().iter();
    gifts.map(|gift| gift["gift"].clone()).collect()
}

pub fn until_gifts(house: &House, count: usize) -> Vec<Value> {
    until("the gifts are there", || gifts(house).len() >= count);
    gifts(house)
}

pub fn total_of(gifts: &[Value]) -> u64 {
    gifts
        .iter()
        .map(|gift| gift["quantity"].as_u64().unwrap())
        .sum()
}

/// Messages of a platform, and the gift that each becomes.
pub fn examples(json: &str) -> Vec<(Value, Value)> {
    let entries: Vec<Value> = serde_json::from_str(json).unwrap();
    let pair = |mut entry: Value| (entry["message"].take(), entry["gift"].take());
    entries.into_iter().map(pair).collect()
}

/// Holds what became gifts against what had to.
pub fn assert_become(gifts: &[Value], examples: &[(Value, Value)]) {
    let expected: Vec<&Value> = examples
        .iter()
        .map(|(_, gift)| gift)
        .filter(|gift| !gift.is_null())
        .collect();
    for (gift, expected) in gifts.iter().zip(&expected) {
        assert_holds(gift, expected);
    }
    assert_eq!(gifts.len(), expected.len());
}

/// Whether every field of `expected` is in `value`; numbers by their value.
fn assert_holds(value: &Value, expected: &Value) {
    match expected {
        Value::Object(fields) => {
            for (name, field) in fields {
                assert_holds(&value[name], field);
            }
        }
        Value::Number(number) => assert_eq!(value.as_f64(), number.as_f64(), "{value} {expected}"),
        other => assert_eq!(value, other),
    }
}
