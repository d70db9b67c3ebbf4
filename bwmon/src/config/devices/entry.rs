//! One entry of the registered devices.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::super::{
    network::Subject,
    rules::{KEYS, Key, KeyMistake, KeyValue, Keys, Path},
    value::{Scalar, ValueError},
    visitor::Read,
};
use crate::core::policy::Limits;

/// What an entry says.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    pub(super) group: Option<String>,
    pub(super) limits: Limits,
    pub(super) muted: bool,
}

/// The value of an entry.
pub(super) struct DeviceSeed<'a> {
    /// As written.
    pub(super) key: &'a str,
    /// Whom the entry is about.
    pub(super) subject: Subject,
    /// Where to put what the owner should know.
    pub(super) warnings: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for DeviceSeed<'_> {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DeviceSeed<'_> {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an object such as {{ \"name\": \"Laptop\" }} for {:?}",
            self.key
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut entry = Entry::default();
        let path = Path::Device(self.key);
        let subject = self.subject;
        let fields: Vec<_> = Field::all().collect();
        let names: Vec<_> = fields.iter().map(|field| field.as_str()).collect();
        let mut keys = Keys::new(path, &names);
        while let Some(index) = keys.next(&mut map)? {
            let field = fields[index];
            let value = FieldValue {
                path: Path::In(&path, field.as_str()),
                map: &mut map,
            };
            match field {
                Field::Name => entry.name = Some(value.read(Scalar::label)?),
                Field::Group => entry.group = Some(value.read(Scalar::label)?),
                Field::Mute => entry.muted = value.read(|muted| mute(muted, subject))?,
                Field::Rule(key) => {
                    let limits = &mut entry.limits;
                    map.next_value_seed(Read(KeyValue {
                        parent: path,
                        key,
                        limits,
                    }))?;
                }
            }
            self.warnings.extend(warning(self.key, field, subject));
        }
        Ok(entry)
    }
}

fn mute(value: &Scalar, subject: Subject) -> Result<bool, ValueError> {
    let allowed = match (value, subject) {
        (Scalar::Bool(true), Subject::Unknown) => {
            "false, as \"unknown\" is no single device; write \"off\" for its thresholds instead"
        }
        (Scalar::Bool(muted), _) => return Ok(*muted),
        (Scalar::Text(_), _) => "true or false, as this version can't mute for a time",
        _ => "true or false",
    };
    Err(value.not(allowed))
}

fn warning(device: &str, field: Field, subject: Subject) -> Option<String> {
    let is_for_one = matches!(field, Field::Name | Field::Group);
    (is_for_one && subject == Subject::Unknown).then(|| {
        let name = field.as_str();
        format!("{device:?}: {name} has no effect here, as it is for one device")
    })
}

/// The value of something an entry says.
struct FieldValue<'a, A> {
    path: Path<'a>,
    map: &'a mut A,
}

impl<'de, A: MapAccess<'de>> FieldValue<'_, A> {
    fn read<T>(self, read: impl FnOnce(&Scalar) -> Result<T, ValueError>) -> Result<T, A::Error> {
        let Self { path, map } = self;
        map.next_value_seed(Read(|value: Scalar| {
            read(&value).map_err(|reason| KeyMistake::Value { path, reason })
        }))
    }
}

/// What an entry may say, in the order in which it is written.
pub const ENTRY_FIELDS: [&str; 3 + KEYS.len()] = {
    let mut names = ["name", "group", "mute", "", "", "", "", "", "", "", ""];
    let mut index = 0;
    while index < KEYS.len() {
        names[3 + index] = KEYS[index].plain.name;
        index += 1;
    }
    names
};

/// Where in an entry a field belongs.
pub(super) fn place(name: &str) -> usize {
    let before = ENTRY_FIELDS.iter().take_while(|each| **each != name);
    before.count()
}

/// Whether a device has this from its own entry only, and from no prefix once it has one.
pub(super) fn is_not_inherited(name: &str) -> bool {
    Field::all().any(|field| field.as_str() == name && !matches!(field, Field::Rule(_)))
}

/// What an entry may say.
#[derive(Clone, Copy)]
enum Field {
    Name,
    Group,
    Mute,
    Rule(&'static Key),
}

impl Field {
    fn all() -> impl Iterator<Item = Self> {
        [Self::Name, Self::Group, Self::Mute]
            .into_iter()
            .chain(KEYS.iter().map(Self::Rule))
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Group => "group",
            Self::Mute => "mute",
            Self::Rule(key) => key.plain.name,
        }
    }
}
