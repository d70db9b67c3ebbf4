//! One entry of the registered devices.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{
    super::{
        network::Subject,
        schedule,
        value::{Scalar, ValueError},
        visitor::Read,
    },
    DeviceMistake,
};
use crate::core::policy::Limits;

/// What an entry says.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    pub(super) group: Option<String>,
    pub(super) limits: Limits,
    pub(super) muted: bool,
    /// Checked and then left alone: the rule that heeds it comes later.
    surge: Option<bool>,
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
        let mut seen = Vec::new();
        let device = self.key;
        let subject = self.subject;
        while let Some(field) = map.next_key_seed(FieldSeed {
            device,
            seen: &mut seen,
        })? {
            let value = FieldValue {
                device,
                field,
                map: &mut map,
            };
            match field {
                Field::Name => entry.name = Some(value.read(|name| name.label())?),
                Field::Group => entry.group = Some(value.read(|group| group.label())?),
                Field::BandwidthThreshold => {
                    entry.limits.volume.value.total =
                        value.read(|size| size.setting(Scalar::size))?;
                }
                Field::MaxActiveTime => {
                    entry.limits.active_time.value =
                        value.read(|time| time.setting(Scalar::duration))?;
                }
                Field::RateThreshold => {
                    entry.limits.rate.value.total =
                        value.read(|rate| rate.setting(Scalar::rate))?;
                }
                Field::Surge => entry.surge = Some(value.read(|surge| surge.flag())?),
                Field::Mute => entry.muted = value.read(|muted| mute(muted, subject))?,
                Field::Schedule => {
                    entry.limits.schedule = Some(
                        value.read(|hours| Ok(schedule::parse(hours.text(schedule::ALLOWED)?)?))?,
                    );
                }
                Field::Quota => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.warnings.extend(warning(device, field, subject));
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
    Err(ValueError::NotAllowed {
        found: value.to_string(),
        allowed: allowed.to_owned(),
    })
}

fn warning(device: &str, field: Field, subject: Subject) -> Option<String> {
    let name = field.as_str();
    match field {
        Field::Quota => Some(format!(
            "{device:?}: {name} is not supported by this version and has no effect"
        )),
        Field::Name | Field::Group if subject == Subject::Unknown => Some(format!(
            "{device:?}: {name} has no effect here, as it is for one device"
        )),
        _ => None,
    }
}

/// The key of something an entry says.
struct FieldSeed<'a> {
    device: &'a str,
    /// Those before.
    seen: &'a mut Vec<Field>,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldSeed<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Field, E> {
        let device = self.device;
        let field = Field::ALL
            .into_iter()
            .find(|field| field.as_str() == key)
            .ok_or_else(|| E::custom(DeviceMistake::UnknownField { device, field: key }))?;
        if self.seen.contains(&field) {
            return Err(E::custom(DeviceMistake::FieldTwice { device, field }));
        }
        self.seen.push(field);
        Ok(field)
    }
}

/// The value of something an entry says.
struct FieldValue<'a, A> {
    device: &'a str,
    field: Field,
    map: &'a mut A,
}

impl<'de, A: MapAccess<'de>> FieldValue<'_, A> {
    fn read<T>(self, read: impl FnOnce(&Scalar) -> Result<T, ValueError>) -> Result<T, A::Error> {
        let Self { device, field, map } = self;
        map.next_value_seed(Read(|value: Scalar| {
            read(&value).map_err(|reason| DeviceMistake::Value {
                device,
                field,
                reason,
            })
        }))
    }
}

/// What an entry may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    BandwidthThreshold,
    MaxActiveTime,
    RateThreshold,
    Group,
    Surge,
    Quota,
    Schedule,
    Mute,
}

impl Field {
    pub(super) const ALL: [Self; 9] = [
        Self::Name,
        Self::BandwidthThreshold,
        Self::MaxActiveTime,
        Self::RateThreshold,
        Self::Group,
        Self::Surge,
        Self::Quota,
        Self::Schedule,
        Self::Mute,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::BandwidthThreshold => "bandwidth_threshold",
            Self::MaxActiveTime => "max_active_time",
            Self::RateThreshold => "rate_threshold",
            Self::Group => "group",
            Self::Surge => "surge",
            Self::Quota => "quota",
            Self::Schedule => "schedule",
            Self::Mute => "mute",
        }
    }
}
