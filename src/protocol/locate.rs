//! Finds the JSON path of a byte offset, for error texts.
//!
//! serde_json says where it stopped as line and column, and quotes the value
//! it stopped at. The value may be a viewer's name, so both are turned into
//! something that can be logged: the path in the contract's own field names,
//! and only what had been expected.

use std::borrow::Cow;
use std::fmt::Write;

/// The only keys that an error text repeats.
const KNOWN_KEYS: [&str; 85] = [
    "action",
    "ambient",
    "animation",
    "assetUrl",
    "avatar",
    "capabilities",
    "clientId",
    "clientType",
    "code",
    "comboCount",
    "config",
    "count",
    "current",
    "currentGoal",
    "description",
    "details",
    "dismissed",
    "doNotDisturb",
    "duration",
    "error",
    "failed",
    "feature",
    "features",
    "fps",
    "frameTime",
    "giftId",
    "giftType",
    "gifts",
    "headline",
    "held",
    "isLive",
    "isModerator",
    "isStreak",
    "isSubscriber",
    "joinedBundle",
    "joinedStreak",
    "lanes",
    "latency",
    "level",
    "maxGiftsPerSecond",
    "memory",
    "message",
    "metadata",
    "muted",
    "on",
    "outcomes",
    "p50",
    "p95",
    "paused",
    "payload",
    "people",
    "pingInterval",
    "played",
    "quantity",
    "queueSize",
    "rank",
    "receivedAt",
    "refused",
    "rendered",
    "retryAfter",
    "retryable",
    "sender",
    "sequence",
    "serverTime",
    "sessionId",
    "soundUrl",
    "startedAt",
    "stats",
    "streak",
    "streamId",
    "target",
    "timestamp",
    "totalValue",
    "type",
    "userId",
    "username",
    "version",
    "viewerCount",
    "volume",
    "waitTime",
    "waited",
    "waiting",
    "x-ack-interim",
    "x-control",
    "x-telemetry",
];

enum Container<'a> {
    Object {
        key: Option<&'a str>,
        expects_key: bool,
    },
    Array {
        index: usize,
    },
}

/// The path of the value that was being read when `offset` bytes were consumed.
///
/// A bracket or comma that was consumed last is what the reader stumbled over,
/// not yet part of the structure: `[` where a number was expected is an error
/// of the number's path, and so is `}` where its value is missing.
pub(super) fn path_at(text: &str, offset: usize) -> String {
    let bytes = text.as_bytes();
    let end = offset.min(bytes.len());
    let mut stack: Vec<Container> = Vec::new();
    let mut at = 0;
    while at + 1 < end {
        match bytes[at] {
            b'"' => {
                let close = closing_quote(bytes, at + 1);
                if let Some(Container::Object { key, expects_key }) = stack.last_mut()
                    && *expects_key
                {
                    *key = text.get(at + 1..close);
                    *expects_key = false;
                }
                at = close;
            }
            b'{' => stack.push(Container::Object {
                key: None,
                expects_key: true,
            }),
            b'[' => stack.push(Container::Array { index: 0 }),
            b'}' | b']' => {
                stack.pop();
            }
            b',' => match stack.last_mut() {
                Some(Container::Object { key, expects_key }) => (*key, *expects_key) = (None, true),
                Some(Container::Array { index }) => *index += 1,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    render(&stack)
}

/// The index of the quote that ends the string whose content starts at `from`.
fn closing_quote(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn render(stack: &[Container]) -> String {
    let mut path = String::new();
    for container in stack {
        match container {
            Container::Object { key: None, .. } => {}
            Container::Object { key: Some(key), .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(if KNOWN_KEYS.contains(key) { key } else { "*" });
            }
            Container::Array { index } => {
                write!(path, "[{index}]").expect("writing to a String cannot fail");
            }
        }
    }
    if path.is_empty() {
        path.push('$');
    }
    path
}

/// How many bytes of `text` serde_json had consumed.
pub(super) fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text
        .split_inclusive('\n')
        .take(lines_before)
        .map(str::len)
        .sum();
    (line_start + error.column()).min(text.len())
}

/// serde_json's complaint without the value that it complains about.
pub(super) fn reason_of(error: &serde_json::Error) -> Cow<'static, str> {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(what, _)| what);
    if !error.is_data() {
        // Syntax errors are fixed sentences.
        return Cow::Owned(text.to_owned());
    }
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => Cow::Owned(format!("expected {expected}")),
        None if text.starts_with("duplicate field") => {
            Cow::Borrowed("the key is there twice; send it once")
        }
        None => Cow::Borrowed("the value is of the wrong type"),
    }
}

#[cfg(test)]
mod tests {
    use super::path_at;

    #[test]
    fn the_path_follows_the_bytes_read_so_far() {
        let text = r#"{"payload":{"sender":{"username":"a\"{[,","x":1},"features":[1,[2,3]]}}"#;
        for (until, path) in [
            ("", "$"),
            (r#""a\"{[,""#, "payload.sender.username"),
            (r#""x":1"#, "payload.sender.*"),
            ("[1", "payload.features[0]"),
            ("[2,3", "payload.features[1][1]"),
            ("]]}", "payload.features"),
        ] {
            let offset = text.find(until).unwrap() + until.len();
            assert_eq!(path_at(text, offset), path, "{until}");
        }
        assert_eq!(path_at(text, usize::MAX), "payload");
    }
}
