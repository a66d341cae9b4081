//! What somebody gave on some platform, on its way to being a gift.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::json;

use super::rules::Rules;
use crate::model::WallTime;
use crate::protocol::limits::{MAX_LABEL_BYTES, MAX_URL_BYTES};
use crate::protocol::{DecodeError, clean_label};
use crate::relay::store::Offer;

/// Longest id of a platform that becomes part of a gift's as it is; ids have
/// 128 bytes in all.
const MAX_PLAIN: usize = 96;

/// What of a giver's name is handed on: more than its 64 graphemes can have.
/// With names of any length a gift could be too large to be read.
const MAX_NAME_BYTES: usize = 8 * 1024;

/// Who gave; empty when the platform does not say, or the giver is anonymous.
#[derive(Debug, Default)]
pub(super) struct Giver<'a> {
    pub id: String,
    pub name: &'a str,
    pub avatar: Option<&'a str>,
    pub is_subscriber: bool,
    pub is_moderator: bool,
}

/// One event of a platform that is a gift.
#[derive(Debug)]
pub(super) struct Given<'a> {
    /// The gift's id; the same for the same event, however often it is said.
    pub id: String,
    /// What kind of event it is, as rules name it.
    pub kind: &'static str,
    /// What the platform itself calls the gift.
    pub name: Option<&'a str>,
    /// What ranges of rules are about, such as the bits of a cheer.
    pub amount: f64,
    /// Pieces, 1 or more.
    pub quantity: u32,
    /// Of all pieces together, in the platform's own currency.
    pub value: f64,
    /// Where its streak stands, when it belongs to one.
    pub combo: Option<Combo>,
    pub giver: Giver<'a>,
    /// RFC 3339.
    pub sent_at: Option<&'a str>,
}

/// Where a streak stands after a gift.
#[derive(Debug, Clone, Copy)]
pub struct Combo {
    /// All its pieces so far.
    pub total: u32,
    /// Whether these were the last.
    pub is_over: bool,
}

impl<'a> Given<'a> {
    /// The gift that the rules make of it, read as if it had come over HTTP.
    ///
    /// # Errors
    /// When no gift can be made of it.
    pub fn offer(&self, rules: &Rules, now: WallTime) -> Result<Offer, DecodeError> {
        let rule = rules.rule_for(self.kind, self.name, self.amount);
        let gift_type = match rule {
            Some(rule) => &rule.gift,
            None => self.own_type(),
        };
        let own_value = rule.and_then(|rule| rule.value);
        let value = own_value.map_or(self.value, |value| value * f64::from(self.quantity));
        let giver = &self.giver;
        let gift = json!({
            "giftId": self.id,
            "giftType": gift_type,
            "quantity": self.quantity,
            "totalValue": value,
            "sender": {
                "userId": giver.id,
                "username": cut(giver.name, MAX_NAME_BYTES),
                "avatar": giver.avatar.filter(|url| url.len() <= MAX_URL_BYTES),
                "isSubscriber": giver.is_subscriber,
                "isModerator": giver.is_moderator,
            },
            "metadata": {
                "isStreak": self.combo.is_some_and(|combo| !combo.is_over),
                "comboCount": self.combo.map_or(0, |combo| combo.total),
                "timestamp": self.sent_at,
            },
        });
        Offer::read(gift.to_string().as_bytes(), now)
    }

    /// What the platform calls it; one that has a name without anything to be read in
    /// it is called by its kind.
    fn own_type(&self) -> &'a str {
        let name = self.name.map(|name| cut(name, MAX_LABEL_BYTES));
        name.filter(|name| !clean_label(name).is_empty())
            .unwrap_or(self.kind)
    }
}

/// At most so many bytes of a text, and whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// An id of ours from the id that a platform gave to an event or a person. Text that cannot
/// be part of an id, or is too long, counts by its hash.
pub(super) fn platform_id(platform: &str, id: &str) -> String {
    let is_plain = id.len() <= MAX_PLAIN && id.bytes().all(|byte| byte.is_ascii_graphic());
    match is_plain {
        true => format!("{platform}:{id}"),
        false => format!("{platform}:{}", hashed(id)),
    }
}

/// 22 characters that stand for `text`: half of its SHA-256, which nobody makes
/// meet by accident.
pub(super) fn hashed(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gift_without_a_name_to_be_read_is_called_by_its_kind() {
        let given = |name| Given {
            id: "a".to_owned(),
            kind: "gift",
            name,
            amount: 1.0,
            quantity: 1,
            value: 1.0,
            combo: None,
            giver: Giver::default(),
            sent_at: None,
        };
        for (name, called) in [
            (Some("Rose"), "Rose"),
            (Some("  "), "gift"),
            (Some("\u{202e}\u{0}"), "gift"),
            (None, "gift"),
        ] {
            let given = given(name);
            assert_eq!(given.own_type(), called, "{name:?}");
            assert!(
                given
                    .offer(&Rules::new(Vec::new()), WallTime::UNIX_EPOCH)
                    .is_ok()
            );
        }
    }
}
