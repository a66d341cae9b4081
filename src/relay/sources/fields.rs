//! A look into JSON whose shape is a platform's to change: fields that moved
//! between versions are looked for in each of their places, and a number may
//! come as text.

use std::borrow::Cow;

use serde_json::Value;

use crate::protocol::limits::MAX_QUANTITY;

/// An object of a platform's. Places are JSON pointers (RFC 6901), the likeliest
/// first.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    fn first<T>(self, places: &[&str], read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let mut values = places.iter().filter_map(|place| self.0.pointer(place));
        values.find_map(read)
    }

    /// Text that is not empty.
    pub fn text(self, places: &[&str]) -> Option<&'a str> {
        self.first(places, |value| {
            value.as_str().filter(|text| !text.is_empty())
        })
    }

    /// Text, or a number as text.
    pub fn id(self, places: &[&str]) -> Option<Cow<'a, str>> {
        self.first(places, |value| match value {
            Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text.as_str())),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        })
    }

    /// 0 or more, and finite.
    pub fn number(self, places: &[&str]) -> Option<f64> {
        self.first(places, |value| {
            let number = match value {
                Value::String(text) => text.trim().parse().ok(),
                value => value.as_f64(),
            };
            number.filter(|number: &f64| number.is_finite() && *number >= 0.0)
        })
    }

    /// A whole number, at most as many as one gift can be.
    pub fn count(self, places: &[&str]) -> Option<u32> {
        let number = self.number(places)?;
        Some(number.min(f64::from(MAX_QUANTITY)) as u32)
    }

    /// Whether it says true, or 1.
    pub fn flag(self, places: &[&str]) -> bool {
        let said = self.first(places, |value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => Some(number.as_f64() == Some(1.0)),
            _ => None,
        });
        said.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_found_in_any_of_its_places_and_as_text_or_number() {
        let value =
            json!({"a": "", "b": {"c": "12"}, "d": 7, "e": -1, "f": true, "g": 1, "h": 1e300});
        let fields = Fields(&value);
        assert_eq!(fields.text(&["/a", "/b/c"]), Some("12"));
        assert_eq!(fields.id(&["/x", "/d"]).as_deref(), Some("7"));
        assert_eq!(fields.count(&["/b/c"]), Some(12));
        assert_eq!(fields.count(&["/e"]), None);
        assert_eq!(fields.count(&["/h"]), Some(MAX_QUANTITY));
        assert_eq!(
            [
                fields.flag(&["/f"]),
                fields.flag(&["/g"]),
                fields.flag(&["/d"])
            ],
            [true, true, false]
        );
    }
}
