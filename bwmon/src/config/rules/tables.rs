//! The tables of `bwmon.toml` that hold rules.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess},
};

use super::{KEYS, KeyMistake, KeyValue, Keys, Path};
use crate::{
    config::{
        interface,
        value::{Scalar, ValueError},
        visitor::{Read, Shape},
    },
    core::policy::{Group, Limits},
};

/// The key of a group that is about all its devices together.
const TOTAL: &str = "total";

/// `[defaults]`
#[derive(Debug, Default)]
pub(in crate::config) struct Defaults(pub(in crate::config) Limits);

/// `[groups]`
#[derive(Debug, Default)]
pub(in crate::config) struct Groups(pub(in crate::config) BTreeMap<String, Group>);

/// `[interface_limits]`
#[derive(Debug, Default)]
pub(in crate::config) struct Interfaces(pub(in crate::config) BTreeMap<String, Limits>);

impl<'de> Deserialize<'de> for Defaults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = LimitsTable {
            path: Path::Table("defaults"),
            about: About::Each,
        };
        Read(table)
            .deserialize(deserializer)
            .map(|group| Self(group.members))
    }
}

impl<'de> Deserialize<'de> for Groups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = Named {
            path: Path::Table("groups"),
            check: Scalar::label,
            about: About::Members,
        };
        Read(named).deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Interfaces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = Named {
            path: Path::Table("interface_limits"),
            check: interface_name,
            about: About::Sum,
        };
        let tables = Read(named).deserialize(deserializer)?;
        let limits = tables
            .into_iter()
            .map(|(name, group)| (name, group.members));
        Ok(Self(limits.collect()))
    }
}

/// Patterns may stand for several, which have no sum.
fn interface_name(name: &Scalar) -> Result<String, ValueError> {
    const ALLOWED: &str = "the name of one interface such as \"br-lan\"";
    let text = name.text(ALLOWED)?;
    if text.contains(['*', '?']) {
        return Err(name.not(ALLOWED));
    }
    Ok(interface::check(text)?)
}

/// What a table's limits are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// Each device.
    Each,
    /// Each device of a group, and perhaps all of them together.
    Members,
    /// Several devices together.
    Sum,
}

/// A table of tables, each with a name that people gave.
struct Named<'a> {
    path: Path<'a>,
    check: fn(&Scalar) -> Result<String, ValueError>,
    about: About,
}

impl<'de> Shape<'de> for Named<'_> {
    type Value = BTreeMap<String, Group>;

    fn one<E: Error>(self, value: Scalar) -> Result<Self::Value, E> {
        Err(no_table(self.path, &value))
    }

    fn table<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut tables = BTreeMap::new();
        let name = |name: Scalar| {
            (self.check)(&name).map_err(|reason| {
                let path = self.path;
                KeyMistake::Value { path, reason }.to_string()
            })
        };
        while let Some(name) = map.next_key_seed(Read(name))? {
            let table = LimitsTable {
                path: Path::In(&self.path, &name),
                about: self.about,
            };
            let group = map.next_value_seed(Read(table))?;
            tables.insert(name, group);
        }
        Ok(tables)
    }
}

/// One table. What it says itself is in `members`, whatever it is about.
struct LimitsTable<'a> {
    path: Path<'a>,
    about: About,
}

impl<'de> Shape<'de> for LimitsTable<'_> {
    type Value = Group;

    fn one<E: Error>(self, value: Scalar) -> Result<Group, E> {
        Err(no_table(self.path, &value))
    }

    fn table<A: MapAccess<'de>>(self, mut map: A) -> Result<Group, A::Error> {
        let Self { path, about } = self;
        let mut group = Group::default();
        let mut names: Vec<_> = KEYS.iter().map(|key| key.plain.name).collect();
        if about == About::Members {
            names.push(TOTAL);
        }
        let mut keys = Keys::new(path, &names);
        while let Some(index) = keys.next(&mut map)? {
            let Some(key) = KEYS.get(index) else {
                let total = LimitsTable {
                    path: Path::In(&path, TOTAL),
                    about: About::Sum,
                };
                group.total = map.next_value_seed(Read(total))?.members;
                continue;
            };
            if about == About::Sum && key.is_for_one {
                let path = Path::In(&path, key.plain.name);
                let refuse = |_: Scalar| Err(KeyMistake::ForOne { path });
                return map.next_value_seed(Read(refuse));
            }
            let value = KeyValue {
                parent: path,
                key,
                limits: &mut group.members,
            };
            map.next_value_seed(Read(value))?;
        }
        Ok(group)
    }
}

fn no_table<E: Error>(path: Path<'_>, value: &Scalar) -> E {
    let reason = value.not(format!("a table [{path}]"));
    E::custom(KeyMistake::Value { path, reason })
}
