//! Values as the readers of TOML and JSON hand them over.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use toml::Spanned;

use super::value::Scalar;

/// What a value is read as, whichever of the three forms it has.
pub(super) trait Shape<'de>: Sized {
    type Value;

    fn one<E: Error>(self, value: Scalar) -> Result<Self::Value, E>;

    fn list<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        self.one(Scalar::Other("a list"))
    }

    fn table<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        self.one(Scalar::Other("a table"))
    }
}

/// A function reads a value that is neither list nor table. Its error gets the place of the value.
impl<'de, T, R: fmt::Display, F: FnOnce(Scalar) -> Result<T, R>> Shape<'de> for F {
    type Value = T;

    fn one<E: Error>(self, value: Scalar) -> Result<T, E> {
        self(value).map_err(E::custom)
    }
}

/// Reads a value.
pub(super) struct Read<S>(pub(super) S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for Read<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for Read<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<S::Value, E> {
        self.0.one(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<S::Value, E> {
        self.0.one(Scalar::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<S::Value, E> {
        self.0.one(Scalar::Integer(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<S::Value, E> {
        self.0.one(Scalar::Integer(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<S::Value, E> {
        let value = value.try_into().unwrap_or(i128::MAX);
        self.0.one(Scalar::Integer(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<S::Value, E> {
        self.0.one(Scalar::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<S::Value, E> {
        self.0.one(Scalar::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<S::Value, E> {
        self.0.one(Scalar::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S::Value, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S::Value, A::Error> {
        self.0.table(map)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Read(Ok::<_, fmt::Error>).deserialize(deserializer)
    }
}

/// A value of `bwmon.toml` that may be a list.
#[derive(Clone, Debug)]
pub(super) enum Item {
    One(Scalar),
    List(Vec<Spanned<Scalar>>),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Read(ItemShape).deserialize(deserializer)
    }
}

struct ItemShape;

impl<'de> Shape<'de> for ItemShape {
    type Value = Item;

    fn one<E: Error>(self, value: Scalar) -> Result<Item, E> {
        Ok(Item::One(value))
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Item::List(items))
    }
}
