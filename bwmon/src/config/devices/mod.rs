//! `registered_devices.json`: who the devices are, and their own thresholds.
//!
//! JSON with comments and trailing commas, read by visitors, so that a mistake in what it says has a
//! place just as one in how it says it.

mod comments;
mod edit;
mod entry;
mod json;
mod members;
mod patch;
mod style;
mod write;

use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use self::{comments::OpenComment, entry::DeviceSeed, json::json_error};
pub use self::{
    edit::{Change, EditError, Entry, Whom},
    entry::ENTRY_FIELDS,
    write::{Changed, WriteError, change_file, read_entry},
};
use super::{
    error::{ConfigError, Mistake, shown},
    network::{self, SelectorError, Subject},
    source::Source,
};
use crate::core::policy::{Limits, Registration};

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// In the order of the file.
    pub(super) registered: Vec<Registration>,
    /// Of `unknown`.
    pub(super) unknown: Limits,
    /// What the owner should know.
    pub(super) warnings: Vec<String>,
}

/// Reads and checks the file.
pub(super) fn parse(source: &Source) -> Result<Devices, ConfigError> {
    let text = comments::blank(&source.text)
        .map_err(|OpenComment(offset)| source.mistake(offset, Mistake::OpenComment))?;
    if text.trim().is_empty() {
        return Err(source.mistake(0, Mistake::Empty));
    }
    let mut json = serde_json::Deserializer::from_str(&text);
    let mut devices = DevicesVisitor
        .deserialize(&mut json)
        .and_then(|devices| json.end().map(|()| devices))
        .map_err(|error| json_error(source, &text, &error))?;
    for warning in &mut devices.warnings {
        warning.insert_str(0, &format!("{}: ", shown(&source.path)));
    }
    Ok(devices)
}

/// The whole file.
struct DevicesVisitor;

impl<'de> DeserializeSeed<'de> for DevicesVisitor {
    type Value = Devices;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Devices, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DevicesVisitor {
    type Value = Devices;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as { \"192.168.1.23\": { \"name\": \"Laptop\" } }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Devices, A::Error> {
        let mut devices = Devices::default();
        let mut seen = HashMap::new();
        while let Some((key, subject)) = map.next_key_seed(SubjectSeed { seen: &mut seen })? {
            let device = DeviceSeed {
                key: &key,
                subject,
                warnings: &mut devices.warnings,
            };
            let entry = map.next_value_seed(device)?;
            match subject {
                Subject::Unknown => devices.unknown = entry.limits,
                Subject::Registered(selector) => devices.registered.push(Registration {
                    selector,
                    name: entry.name,
                    group: entry.group,
                    limits: entry.limits,
                    muted: entry.muted,
                }),
            }
        }
        Ok(devices)
    }
}

/// The key of an entry.
struct SubjectSeed<'a> {
    /// Those before, as written.
    seen: &'a mut HashMap<Subject, String>,
}

impl<'de> DeserializeSeed<'de> for SubjectSeed<'_> {
    type Value = (String, Subject);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for SubjectSeed<'_> {
    type Value = (String, Subject);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let subject =
            network::subject(key).map_err(|error| E::custom(DeviceMistake::from(error)))?;
        match self.seen.entry(subject) {
            Slot::Vacant(slot) => {
                slot.insert(key.to_owned());
                Ok((key.to_owned(), subject))
            }
            Slot::Occupied(first) if first.get() == key => {
                Err(E::custom(DeviceMistake::Twice { key }))
            }
            Slot::Occupied(first) => Err(E::custom(DeviceMistake::SameAs {
                key,
                first: first.get(),
            })),
        }
    }
}

/// What an entry must not say. Becomes text on its way through the reader of JSON.
#[derive(Debug, thiserror::Error)]
enum DeviceMistake<'a> {
    #[error(transparent)]
    Key(#[from] SelectorError),
    #[error("{key:?} is there twice; make one entry of the two")]
    Twice { key: &'a str },
    #[error("{key:?} is the same as {first:?} before; make one entry of the two")]
    SameAs { key: &'a str, first: &'a str },
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use proptest::prelude::*;

    use super::*;
    use crate::core::policy::{Selector, Setting};

    /// As owners have it.
    const EXAMPLE: &str = r#"{
  "unknown": {
    "bandwidth_threshold": 100000000,  # 100MB
    "max_active_time": 10800  # 3 hours
  },
  "192.123.4.5": {
    "name": "Laptop",
    "bandwidth_threshold": 500000000,  # 500MB
    "max_active_time": 18000  # 5 hours
  },
  "192.123.4.6": {
    "name": "Cellphone",
    "bandwidth_threshold": 100000000,  # 100MB
    "max_active_time": 10800  # 3 hours
  },
  "192.123.4.7": {
    "name": "Smart TV",
    "bandwidth_threshold": 2000000000,  # 2GB
    "max_active_time": 14400  # 4 hours
  }
}
"#;

    fn read(text: &str) -> Devices {
        let source = Source::new(Path::new("devices.json"), text.into()).unwrap();
        parse(&source).unwrap_or_else(|error| panic!("{error}"))
    }

    fn limits(bandwidth: u64, seconds: u64) -> Limits {
        Limits::simple(
            Setting::At(bandwidth),
            Setting::At(Duration::from_secs(seconds)),
            Setting::Inherit,
        )
    }

    fn built_in() -> Limits {
        Limits::simple(
            Setting::At(5_000_000_000),
            Setting::At(Duration::from_secs(5 * 3600)),
            Setting::At(6_250_000),
        )
    }

    #[test]
    fn the_file_that_owners_have_is_read_unchanged() {
        let devices = read(EXAMPLE);
        let entry = |last: u8, name: &str, limits| Registration {
            selector: Selector::Address([192, 123, 4, last].into()),
            name: Some(name.to_owned()),
            group: None,
            limits,
            muted: false,
        };
        assert_eq!(devices.unknown, limits(100_000_000, 10_800));
        assert_eq!(
            devices.registered,
            [
                entry(5, "Laptop", limits(500_000_000, 18_000)),
                entry(6, "Cellphone", limits(100_000_000, 10_800)),
                entry(7, "Smart TV", limits(2_000_000_000, 14_400)),
            ],
        );
        assert!(devices.warnings.is_empty());
    }

    #[test]
    fn every_field_and_every_key_is_read() {
        let devices = read(
            r#"{
                "fd00::1": {
                    "name": "Server", "group": "lab", "surge": true, "mute": true,
                    "bandwidth_threshold": "off", "max_active_time": "1h30m",
                    "rate_threshold": "20 Mbit/s",
                },
                "02-1B-C3-00-4F-9E": {}, // a MAC address
                "192.123.4.0/28": { "bandwidth_threshold": 1e9 }, /* a network */
            }"#,
        );
        let selectors: Vec<_> = devices
            .registered
            .iter()
            .map(|entry| entry.selector)
            .collect();
        assert_eq!(
            selectors,
            [
                Selector::Address("fd00::1".parse().unwrap()),
                Selector::Mac("02:1b:c3:00:4f:9e".parse().unwrap()),
                Selector::Prefix("192.123.4.0/28".parse().unwrap()),
            ],
        );
        let server = &devices.registered[0];
        assert_eq!(server.name.as_deref(), Some("Server"));
        assert_eq!(server.group.as_deref(), Some("lab"));
        assert!(server.muted);
        let mut expected = Limits::simple(
            Setting::Off,
            Setting::At(Duration::from_secs(5400)),
            Setting::At(2_500_000),
        );
        expected.surge.value.watch.sent = Setting::At(());
        expected.surge.value.watch.received = Setting::At(());
        assert_eq!(server.limits, expected);
        assert_eq!(
            devices.registered[2].limits.volume.value.total,
            Setting::At(1_000_000_000)
        );
    }

    #[test]
    fn what_has_no_effect_is_warned_of() {
        let devices = read(
            r#"{
                "unknown": { "name": "Others" },
                "192.123.4.5": { "name": "Laptop", "quota": "1 GB" }
            }"#,
        );
        let expected =
            ["devices.json: \"unknown\": name has no effect here, as it is for one device"];
        assert_eq!(devices.warnings, expected);
    }

    #[test]
    fn the_shipped_file_registers_nobody_until_it_is_edited() {
        const SHIPPED: &str = include_str!("../../../../config/registered_devices.json");
        let devices = read(SHIPPED);
        assert!(devices.registered.is_empty());
        assert_eq!(devices.unknown, Limits::default());
        // An entry is commented out at the start of its line.
        let uncommented = SHIPPED.lines().map(|line| match line.strip_prefix('#') {
            Some(entry) if entry.starts_with("  \"") => entry,
            _ => line,
        });
        let devices = read(&uncommented.collect::<Vec<_>>().join("\n"));
        assert_eq!(devices.registered.len(), 4);
        assert_eq!(devices.unknown, built_in());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text: String) {
            for bytes in [bytes, text.into_bytes()] {
                if let Ok(source) = Source::new(Path::new("f"), bytes) {
                    parse(&source).ok();
                }
            }
        }

        #[test]
        fn no_change_of_a_file_panics(
            at in 0..EXAMPLE.len(),
            removed in 0..20_usize,
            inserted in "[]\\[{}\",:#/*0-9a-z\\\\ \n-]{0,4}|\\PC",
        ) {
            let end = (at + removed).min(EXAMPLE.len());
            let text = format!("{}{inserted}{}", &EXAMPLE[..at], &EXAMPLE[end..]);
            let source = Source::new(Path::new("f"), text.into()).unwrap();
            if let Err(error) = parse(&source) {
                let text = error.to_string();
                prop_assert!(text.starts_with("f:"), "{}", text);
                prop_assert!(!text.contains(char::is_control), "{}", text);
            }
        }

        #[test]
        fn every_name_is_read_back(name in "[^\\p{Cc}]{1,64}") {
            prop_assume!(!name.trim().is_empty());
            let text = serde_json::json!({ "192.123.4.5": { "name": name } }).to_string();
            let devices = read(&text);
            prop_assert_eq!(devices.registered[0].name.as_deref(), Some(name.as_str()));
        }
    }
}
