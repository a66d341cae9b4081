//! The kinds of field that the JSON has, and what each forgives.
//!
//! Strings are borrowed from the message. An absent field and `null` are the
//! same, and so is `""` for strings; any other wrong type is an error.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::limits;
use crate::model::WallTime;

/// A string; `None` for `null`, `""` and absent.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// To be sent as it is, `""` included: the contract types the field
    /// `string`, so `null` might upset a strict peer.
    pub(super) fn of(text: &'a str) -> Self {
        Self(Some(Cow::Borrowed(text)))
    }

    pub(super) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text((!text.is_empty()).then_some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(
                    (!text.is_empty()).then(|| Cow::Owned(text.to_owned())),
                ))
            }

            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// A timestamp, unread. No gift is lost for its timestamp: anything that is
/// not a string is simply unreadable.
#[derive(Debug, Default, Clone)]
pub(super) struct Stamp<'a>(Option<Cow<'a, str>>);

impl Stamp<'_> {
    /// RFC 3339 with any offset, up to nanoseconds; no zone means UTC.
    pub(super) fn read(&self) -> Option<WallTime> {
        let text = self.0.as_deref()?.trim();
        if text.len() > limits::MAX_TIMESTAMP_BYTES {
            return None;
        }
        text.parse::<WallTime>().ok().or_else(|| {
            let zoneless: jiff::civil::DateTime = text.parse().ok()?;
            jiff::tz::Offset::UTC.to_timestamp(zoneless).ok()
        })
    }
}

impl From<WallTime> for Stamp<'_> {
    /// UTC milliseconds with Z, rounded down.
    fn from(time: WallTime) -> Self {
        Self(Some(Cow::Owned(format!("{time:.3}"))))
    }
}

impl Serialize for Stamp<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Stamp<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StampVisitor;
        impl<'de> Visitor<'de> for StampVisitor {
            type Value = Stamp<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a timestamp")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Stamp<'de>, E> {
                Ok(Stamp(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Stamp<'de>, E> {
                Ok(Stamp(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_unit<E>(self) -> Result<Stamp<'de>, E> {
                Ok(Stamp(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Stamp<'de>, E> {
                Ok(Stamp(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Stamp<'de>, E> {
                Ok(Stamp(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Stamp<'de>, E> {
                Ok(Stamp(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Stamp<'de>, E> {
                Ok(Stamp(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stamp<'de>, A::Error> {
                IgnoredAny.visit_map(map).map(|_| Stamp(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Stamp<'de>, A::Error> {
                IgnoredAny.visit_seq(seq).map(|_| Stamp(None))
            }
        }
        deserializer.deserialize_any(StampVisitor)
    }
}

/// Up to here (2^53) every whole number has a float of its own.
const MAX_EXACT_WHOLE: f64 = 9_007_199_254_740_992.0;

/// A finite number; JSON makes no difference between 3 and 3.0.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Number(pub(super) Option<f64>);

impl Number {
    /// JSON has no NaN and no infinity; they go out as 0.
    pub(super) fn of(value: f64) -> Self {
        Self(Some(if value.is_finite() { value } else { 0.0 }))
    }

    /// The number if it is above 0.
    pub(super) fn positive(self) -> Option<f64> {
        self.0.filter(|number| *number > 0.0)
    }

    /// Floored; 0 for absent or negative, the largest for beyond.
    pub(super) fn count(self) -> u64 {
        // A float cast saturates.
        self.0.unwrap_or(0.0).floor() as u64
    }

    /// As [`count`](Self::count), in 32 bits.
    pub(super) fn count32(self) -> u32 {
        self.0.unwrap_or(0.0).floor() as u32
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            None => serializer.serialize_none(),
            Some(number) if number.fract() == 0.0 && number.abs() <= MAX_EXACT_WHOLE => {
                serializer.serialize_i64(number as i64)
            }
            Some(number) => serializer.serialize_f64(number),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Number, E> {
                if number.is_finite() {
                    Ok(Number(Some(number)))
                } else {
                    Err(E::invalid_value(
                        Unexpected::Float(number),
                        &"a finite number",
                    ))
                }
            }

            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A ping's sequence number, echoed unchanged: whole and without rounding.
#[derive(Debug, Default, Clone, Copy, Serialize)]
#[serde(transparent)]
pub(super) struct Sequence(pub(super) u64);

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SequenceVisitor;
        impl Visitor<'_> for SequenceVisitor {
            type Value = Sequence;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a whole number, 0 or more")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Sequence, E> {
                Ok(Sequence(number))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Sequence, E> {
                if number.fract() == 0.0 && (0.0..=MAX_EXACT_WHOLE).contains(&number) {
                    Ok(Sequence(number as u64))
                } else {
                    Err(E::invalid_value(Unexpected::Float(number), &self))
                }
            }

            fn visit_unit<E>(self) -> Result<Sequence, E> {
                Ok(Sequence(0))
            }
        }
        deserializer.deserialize_any(SequenceVisitor)
    }
}

/// A boolean; absent mostly means false.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Flag(pub(super) Option<bool>);

impl Flag {
    pub(super) fn is_set(self) -> bool {
        self.0.unwrap_or(false)
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// Names of capabilities or features: the first
/// [`MAX_NAMES_IN_LIST`](limits::MAX_NAMES_IN_LIST).
#[derive(Debug, Default)]
pub(super) struct Names<'a>(pub(super) Vec<Text<'a>>);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an array of strings")
            }

            fn visit_unit<E>(self) -> Result<Names<'de>, E> {
                Ok(Names(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names<'de>, A::Error> {
                let mut names = Vec::new();
                while names.len() < limits::MAX_NAMES_IN_LIST {
                    match seq.next_element::<Text>()? {
                        Some(Text(None)) => {}
                        Some(name) => names.push(name),
                        None => return Ok(Names(names)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Names(names))
            }
        }
        deserializer.deserialize_any(NamesVisitor)
    }
}

/// A list of objects: the first `MOST` of them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct List<T, const MOST: usize>(pub(super) Vec<T>);

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Field<'de> + Default, const MOST: usize> Field<'de> for List<T, MOST> {
    fn read<D: Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(ListInto(self))
    }
}

struct ListInto<'l, T, const MOST: usize>(&'l mut List<T, MOST>);

impl<'de, T: Field<'de> + Default, const MOST: usize> Visitor<'de> for ListInto<'_, T, MOST> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let items = &mut self.0.0;
        while items.len() < MOST {
            let mut item = T::default();
            match seq.next_element_seed(ReadInto(&mut item))? {
                Some(()) => items.push(item),
                None => return Ok(()),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// What is read into the place that it has in its object, so that an object of
/// objects is not moved about while it comes together.
pub(super) trait Field<'de> {
    fn read<D: Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error>;
}

macro_rules! fields_that_are_moved {
    ($($Field:ty),*) => {$(
        impl<'de> Field<'de> for $Field {
            fn read<D: Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
                *self = Deserialize::deserialize(from)?;
                Ok(())
            }
        }
    )*};
}

fields_that_are_moved!(Text<'de>, Stamp<'de>, Names<'de>, Number, Sequence, Flag);

/// Reads into a field.
pub(super) struct ReadInto<'f, F>(pub(super) &'f mut F);

impl<'de, F: Field<'de>> DeserializeSeed<'de> for ReadInto<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.0.read(from)
    }
}

/// An object of the contract. What it does not say, and all of it when it is
/// `null`, stays as it was.
pub(super) trait Members<'de> {
    type Member: Copy;

    /// The member of that name.
    fn member(name: &str) -> Option<Self::Member>;

    /// Its number, below 32, and its name.
    fn number_and_name(member: Self::Member) -> (u32, &'static str);

    fn read_member<A: MapAccess<'de>>(
        &mut self,
        member: Self::Member,
        map: &mut A,
    ) -> Result<(), A::Error>;
}

/// Reads an object, or nothing. serde would also take an array with the fields
/// in order; that is not this protocol.
pub(super) fn read_object<'de, D: Deserializer<'de>>(
    object: &mut impl Members<'de>,
    from: D,
) -> Result<(), D::Error> {
    from.deserialize_any(MembersOf(object))
}

struct MembersOf<'o, O>(&'o mut O);

impl<'de, O: Members<'de>> Visitor<'de> for MembersOf<'_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0_u32;
        while let Some(member) = map.next_key_seed(NameOf::<O>(PhantomData))? {
            let Some(member) = member else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let (number, name) = O::number_and_name(member);
            if seen & (1 << number) != 0 {
                return Err(serde::de::Error::duplicate_field(name));
            }
            seen |= 1 << number;
            self.0.read_member(member, &mut map)?;
        }
        Ok(())
    }
}

/// Reads a member's name; `None` for one that the contract does not have.
struct NameOf<O>(PhantomData<O>);

impl<'de, O: Members<'de>> DeserializeSeed<'de> for NameOf<O> {
    type Value = Option<O::Member>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<'de, O: Members<'de>> Visitor<'de> for NameOf<O> {
    type Value = Option<O::Member>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(O::member(name))
    }
}

/// An object whose absence says something.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Object<T>(pub(super) Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Members<'de> + Default> Field<'de> for Object<T> {
    fn read<D: Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
        struct ObjectVisitor<'o, T>(&'o mut Option<T>);
        impl<'de, T: Members<'de> + Default> Visitor<'de> for ObjectVisitor<'_, T> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<(), E> {
                *self.0 = None;
                Ok(())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
                MembersOf(self.0.insert(T::default())).visit_map(map)
            }
        }
        from.deserialize_any(ObjectVisitor(&mut self.0))
    }
}
