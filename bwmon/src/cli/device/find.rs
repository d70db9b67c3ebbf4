//! Which device is meant.

use std::net::IpAddr;

use super::super::printable::printable;
use crate::{
    config::{SelectorError, Whom},
    core::{
        mac::MacAddr,
        policy::{Registration, Selector},
        view::DeviceView,
    },
};

/// Whom a command is about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As the API knows it.
    pub(super) id: String,
    /// As the file does.
    pub(super) whom: Whom,
    /// What is known of it; `None` where it is no single device, or nobody knows it.
    pub(super) device: Option<DeviceView>,
}

/// Nobody, or more than one, is called so.
#[derive(Debug, thiserror::Error)]
pub(super) enum FindError {
    /// Nobody.
    #[error(
        "there is no device {0:?}: name one by its id, its MAC, an address or its name, several by a \
         prefix, and all others as \"unknown\""
    )]
    None(String),
    /// Several.
    #[error("several devices are called {name:?}: {}; name one by its id", .ids.join(", "))]
    Several {
        /// As written.
        name: String,
        /// All of them.
        ids: Vec<String>,
    },
    /// A device has an id that no entry can be about.
    #[error(transparent)]
    Selector(#[from] SelectorError),
}

/// One of those that a daemon knows, else what can be the key of an entry.
pub(super) fn among(devices: &[DeviceView], text: &str) -> Result<Target, FindError> {
    let address: Option<IpAddr> = text.parse().ok();
    let mac: Option<MacAddr> = text.parse().ok();
    let id = mac.map_or_else(|| text.to_lowercase(), |mac| mac.to_string());
    let by_id = devices.iter().find(|device| device.id == id);
    let by_address = || {
        let has = |device: &&DeviceView| address.is_some_and(|a| device.addresses.contains(&a));
        devices.iter().find(has)
    };
    if let Some(device) = by_id.or_else(by_address) {
        return known(device);
    }
    if let Ok(whom) = Whom::key(text) {
        return Ok(Target {
            id: text.to_owned(),
            whom,
            device: None,
        });
    }
    known(one(
        text,
        devices,
        |device| Some(&device.name),
        |d| d.id.clone(),
    )?)
}

/// What can be the key of an entry, else one of those that the file names.
pub(super) fn registered(entries: &[Registration], text: &str) -> Result<Target, FindError> {
    let key = |entry: &Registration| match entry.selector {
        Selector::Address(address) => address.to_string(),
        Selector::Mac(mac) => mac.to_string(),
        Selector::Prefix(prefix) => prefix.to_string(),
    };
    let (id, whom) = match Whom::key(text) {
        Ok(whom) => (text.to_owned(), whom),
        Err(_) => {
            let id = key(one(text, entries, |entry| entry.name.as_ref(), key)?);
            let whom = Whom::key(&id)?;
            (id, whom)
        }
    };
    Ok(Target {
        id,
        whom,
        device: None,
    })
}

fn known(device: &DeviceView) -> Result<Target, FindError> {
    Ok(Target {
        id: device.id.clone(),
        whom: Whom::device(&device.id, device.mac, &device.addresses)?,
        device: Some(device.clone()),
    })
}

/// The only one with this name; if there is none, with this one in other letters.
fn one<'a, T>(
    text: &str,
    all: &'a [T],
    name: impl Fn(&T) -> Option<&String>,
    id: impl Fn(&T) -> String,
) -> Result<&'a T, FindError> {
    let lower = text.to_lowercase();
    let called = |is: &dyn Fn(&str) -> bool| -> Vec<&'a T> {
        let is_called = |each: &&T| name(each).is_some_and(|name| is(name));
        all.iter().filter(is_called).collect()
    };
    let mut found = called(&|name| name == text);
    if found.is_empty() {
        found = called(&|name| name.to_lowercase() == lower);
    }
    match found[..] {
        [one] => Ok(one),
        [] => Err(FindError::None(text.to_owned())),
        _ => Err(FindError::Several {
            name: text.to_owned(),
            ids: found
                .into_iter()
                .map(|each| printable(&id(each)).into_owned())
                .collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{core::policy::Limits, http::fixture};

    fn household() -> Vec<DeviceView> {
        let devices = fixture::household().devices;
        let mut devices: Vec<_> = devices.iter().map(|device| (**device).clone()).collect();
        let mut second = fixture::device("192.168.1.10", &["192.168.1.10"]);
        second.name = "printer".to_owned();
        devices.push(second);
        devices
    }

    #[test]
    fn a_device_is_found_by_id_address_and_name_and_else_is_a_key() {
        for (text, expected) in [
            ("02:00:00:00:00:05", Ok("02:00:00:00:00:05")),
            ("02-00-00-00-00-05", Ok("02:00:00:00:00:05")),
            ("192.168.1.5", Ok("02:00:00:00:00:05")),
            ("FD00::5", Ok("02:00:00:00:00:05")),
            ("laptop", Ok("02:00:00:00:00:05")),
            ("Printer", Ok("192.168.1.9")),
            ("printer", Ok("192.168.1.10")),
            ("10.0.0.1", Ok("10.0.0.1")),
            ("10.0.0.0/8", Ok("10.0.0.0/8")),
            ("unknown", Ok("unknown")),
            (
                "PRINTER",
                Err(
                    "several devices are called \"PRINTER\": 192.168.1.9, 192.168.1.10; name one by its id",
                ),
            ),
            (
                "tv",
                Err(
                    "there is no device \"tv\": name one by its id, its MAC, an address or its name, \
                     several by a prefix, and all others as \"unknown\"",
                ),
            ),
        ] {
            let found = among(&household(), text);
            let found = found.map(|target| target.id).map_err(|e| e.to_string());
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
        }
    }

    #[test]
    fn without_a_daemon_the_names_are_those_of_the_file() {
        let entries = [Registration {
            selector: Selector::Mac("02:00:00:00:00:05".parse().unwrap()),
            name: Some("Laptop".to_owned()),
            group: None,
            limits: Limits::default(),
            muted: false,
        }];
        for (text, expected) in [
            ("laptop", Some("02:00:00:00:00:05")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("tv", None),
        ] {
            let found = registered(&entries, text).ok();
            assert_eq!(found.map(|target| target.id).as_deref(), expected);
        }
    }
}
