//! Values as the readers of TOML and JSON hand them over.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use toml::Spanned;

use super::value::Scalar;

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Read(Ok::<_, fmt::Error>).deserialize(deserializer)
    }
}

/// Reads a value by a function, so that its error gets the place of the value.
pub(super) struct Read<F>(pub(super) F);

impl<F> Read<F> {
    fn read<T, R: fmt::Display, E: Error>(self, value: Scalar) -> Result<T, E>
    where
        F: FnOnce(Scalar) -> Result<T, R>,
    {
        (self.0)(value).map_err(E::custom)
    }
}

impl<'de, T, R: fmt::Display, F: FnOnce(Scalar) -> Result<T, R>> DeserializeSeed<'de> for Read<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, R: fmt::Display, F: FnOnce(Scalar) -> Result<T, R>> Visitor<'de> for Read<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        self.read(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.read(Scalar::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.read(Scalar::Integer(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<T, E> {
        self.read(Scalar::Integer(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<T, E> {
        self.read(Scalar::Integer(value.try_into().unwrap_or(i128::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        self.read(Scalar::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        self.read(Scalar::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        self.read(Scalar::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        self.read(Scalar::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        self.read(Scalar::Other("a table"))
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
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Item, E> {
        Ok(Item::One(Scalar::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Item, E> {
        Ok(Item::One(Scalar::Integer(value.into())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Item, E> {
        Ok(Item::One(Scalar::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Item, E> {
        Ok(Item::One(Scalar::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Item::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Item, A::Error> {
        Ok(Item::One(Scalar::Other("a table")))
    }
}
