//! Repairs text that was cut in the middle of an emoji.
//!
//! JavaScript counts UTF-16 units, so `name.slice(0, 20)` may end in half a
//! surrogate pair, and `JSON.stringify` writes it as a lone `\ud83d`. That is
//! no Unicode text, and serde_json refuses it, but it is still somebody's
//! gift. The half becomes U+FFFD, as it would in a browser.

/// The message with every lone surrogate escape replaced, byte for byte in
/// place; `None` when it has none.
pub(crate) fn repair(json: &str) -> Option<String> {
    let mut repaired = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        at += found;
        at = match unit(json, at) {
            Some(0xd800..=0xdbff) if matches!(unit(json, at + 6), Some(0xdc00..=0xdfff)) => at + 12,
            Some(0xd800..=0xdfff) => {
                repaired.push_str(&json[copied..at]);
                repaired.push_str("\\ufffd");
                copied = at + 6;
                copied
            }
            // Any other escape: step over the backslash and what it escapes.
            _ => at + 2,
        };
        if at >= json.len() {
            break;
        }
    }
    if copied == 0 {
        return None;
    }
    repaired.push_str(&json[copied..]);
    Some(repaired)
}

/// The UTF-16 unit that is escaped at `at`, if one is.
fn unit(json: &str, at: usize) -> Option<u16> {
    let hex = json.get(at..at + 6)?.strip_prefix("\\u")?;
    // `from_str_radix` would also take a sign.
    hex.bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(())?;
    u16::from_str_radix(hex, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::repair;

    #[test]
    fn only_lone_halves_are_replaced() {
        for (json, repaired) in [
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (r#""\uDC00\uD83D""#, Some(r#""\ufffd\ufffd""#)),
            (r#""\ud83d\ud83c\udf39""#, Some(r#""\ufffd\ud83c\udf39""#)),
            (r#""\ud83c\udf39""#, None),
            (r#""\\ud83d""#, None),
            (r#""\\\ud83d""#, Some(r#""\\\ufffd""#)),
            (r#""\u+83d""#, None),
            (r"\ud8", None),
            (r"\é\", None),
        ] {
            assert_eq!(repair(json).as_deref(), repaired, "{json}");
        }
    }
}
