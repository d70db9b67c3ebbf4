//! The keys of the rules: one table of them serves `bwmon.toml` and the registered devices.
//!
//! They are read by visitors that know neither format, so that a mistake gets the place of the key or
//! value that the reader of the format was at.

mod keys;
mod tables;
#[cfg(test)]
mod tests;
mod written;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use self::keys::Field;
pub(super) use self::{
    keys::{KEYS, Key},
    tables::{Defaults, Groups, Interfaces},
};
use super::{
    error::hint,
    value::{Scalar, ValueError},
    visitor::{Read, Shape},
};
use crate::core::policy::Limits;

/// What the value of a key says, taken into the limits.
pub(super) struct KeyValue<'a> {
    /// Where the key is.
    pub(super) parent: Path<'a>,
    /// Which one.
    pub(super) key: &'static Key,
    /// Where its value goes.
    pub(super) limits: &'a mut Limits,
}

impl<'de> Shape<'de> for KeyValue<'_> {
    type Value = ();

    fn one<E: Error>(self, value: Scalar) -> Result<(), E> {
        FieldValue::new(&self.parent, &self.key.plain, self.limits).one(value)
    }

    fn list<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        FieldValue::new(&self.parent, &self.key.plain, self.limits).list(list)
    }

    fn table<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(table) = &self.key.table else {
            return self.one(Scalar::Other("a table"));
        };
        let limits = self.limits;
        let path = Path::In(&self.parent, self.key.plain.name);
        let own = table.own.iter().map(|field| field.name);
        let names: Vec<_> = own
            .chain(table.tuning.iter().map(|field| field.name))
            .collect();
        let mut keys = Keys::new(path, &names);
        while let Some(index) = keys.next(&mut map)? {
            if let Some(field) = table.own.get(index) {
                map.next_value_seed(Read(FieldValue::new(&path, field, limits)))?;
            } else {
                let field = &table.tuning[index - table.own.len()];
                let tuning = (table.tuned)(limits);
                map.next_value_seed(Read(FieldValue::new(&path, field, tuning)))?;
            }
        }
        Ok(())
    }
}

/// The value of a key that has no table: one, or each one of a list.
struct FieldValue<'a, T> {
    path: Path<'a>,
    field: &'a Field<T>,
    target: &'a mut T,
}

impl<'a, T> FieldValue<'a, T> {
    fn new(parent: &'a Path<'a>, field: &'a Field<T>, target: &'a mut T) -> Self {
        Self {
            path: Path::In(parent, field.name),
            field,
            target,
        }
    }

    fn read(&mut self, value: &Scalar) -> Result<(), KeyMistake<'_>> {
        (self.field.read)(self.target, value).map_err(|reason| KeyMistake::Value {
            path: self.path,
            reason,
        })
    }
}

impl<'de, T> Shape<'de> for FieldValue<'_, T> {
    type Value = ();

    fn one<E: Error>(mut self, value: Scalar) -> Result<(), E> {
        self.read(&value).map_err(E::custom)
    }

    fn list<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        if !self.field.takes_list {
            return self.one(Scalar::Other("a list"));
        }
        let mut is_empty = true;
        while let Some(()) = list.next_element_seed(Read(|value: Scalar| {
            self.read(&value).map_err(|e| e.to_string())
        }))? {
            is_empty = false;
        }
        if is_empty {
            return self.one(Scalar::Other("an empty list"));
        }
        Ok(())
    }
}

/// What messages call a table, an entry, or a key in one.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// An entry of the registered devices.
    Device(&'a str),
    /// A table of `bwmon.toml`.
    Table(&'static str),
    /// What is in one.
    In(&'a Path<'a>, &'a str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parent, name) = match *self {
            Path::Device(device) => return write!(f, "{device:?}"),
            Path::Table(name) => return f.write_str(name),
            Path::In(parent, name) => (parent, name),
        };
        let separator = match parent {
            Path::Device(_) => ": ",
            Path::Table(_) | Path::In(..) => ".",
        };
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.chars().all(is_bare) {
            write!(f, "{parent}{separator}{name}")
        } else {
            write!(f, "{parent}{separator}{name:?}")
        }
    }
}

/// Reads the keys of a table one after the other.
pub(super) struct Keys<'a> {
    path: Path<'a>,
    allowed: &'a [&'static str],
    /// Of those, the ones that were there.
    seen: Vec<usize>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(path: Path<'a>, allowed: &'a [&'static str]) -> Self {
        Self {
            path,
            allowed,
            seen: Vec::new(),
        }
    }

    /// Which of those allowed is the next key.
    pub(super) fn next<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
    ) -> Result<Option<usize>, A::Error> {
        map.next_key_seed(self)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Keys<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for &mut Keys<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        let Keys {
            path,
            allowed,
            seen,
        } = self;
        let path = *path;
        // The reader of TOML hands over a date as a table with a key like this.
        if key.starts_with("$__toml_private") {
            return Err(E::custom(KeyMistake::Date { path }));
        }
        let Some(index) = allowed.iter().position(|name| *name == key) else {
            return Err(E::custom(KeyMistake::Unknown { path, key, allowed }));
        };
        if seen.contains(&index) {
            return Err(E::custom(KeyMistake::Twice { path, key }));
        }
        seen.push(index);
        Ok(index)
    }
}

/// What is wrong with a key or its value. Becomes text on its way through the reader of the format.
#[derive(thiserror::Error)]
pub(super) enum KeyMistake<'a> {
    #[error("{path}: unknown key {key:?}; {}", hint(.key, .allowed))]
    Unknown {
        path: Path<'a>,
        key: &'a str,
        allowed: &'a [&'static str],
    },
    #[error("{path}: {key} is there twice; keep one of them")]
    Twice { path: Path<'a>, key: &'a str },
    #[error("{path}: must be text in double quotes, not a date or time")]
    Date { path: Path<'a> },
    #[error("{path}: has no meaning for several devices together; remove it here")]
    ForOne { path: Path<'a> },
    #[error("{path}: {reason}")]
    Value { path: Path<'a>, reason: ValueError },
}

impl fmt::Debug for KeyMistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
