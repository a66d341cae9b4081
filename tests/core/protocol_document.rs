//! `docs/protocol.md` shows messages as they are sent.

use std::collections::BTreeSet;

use hyperfocus::protocol::{decode_client, decode_server, encode_client, encode_server};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/protocol.md");

/// Who reads a message, and its text.
fn examples() -> Vec<(&'static str, &'static str)> {
    let blocks = DOCUMENT.split("```json\n").collect::<Vec<_>>();
    let example = |pair: &[&'static str]| {
        let to = pair[0].lines().last().expect("a line above it");
        let (text, _) = pair[1].split_once("```").expect("it ends");
        (to, text)
    };
    blocks.windows(2).map(example).collect()
}

#[test]
fn each_message_of_the_document_is_read_whole_and_sent_as_it_stands_there() {
    let mut types = BTreeSet::new();
    for (to, text) in examples() {
        let shown: Value = serde_json::from_str(text).unwrap();
        let sent = shown["timestamp"].as_str().unwrap().parse().unwrap();
        let again = match to {
            "To the renderer:" => encode_server(&decode_server(text.as_bytes()).unwrap(), sent),
            "To the backend:" => encode_client(&decode_client(text.as_bytes()).unwrap(), sent),
            other => panic!("{other:?} does not say whom this is for: {text}"),
        };
        let again: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(again, shown, "{text}");
        types.insert(shown["type"].as_str().unwrap().to_owned());
    }
    let all = [
        "connection:ack",
        "connection:init",
        "error",
        "gift:ack",
        "gift:received",
        "heartbeat:ping",
        "heartbeat:pong",
        "stream:status",
        "x-control",
        "x-telemetry",
    ];
    assert!(types.iter().eq(all), "{types:?}");
}
