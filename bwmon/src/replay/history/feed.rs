//! How what is recorded of a subject reaches the ledger: each device under one of its addresses.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use ipnet::IpNet;
use jiff::Timestamp;

use crate::{
    core::{
        history::{OTHERS, interface_id},
        mac::MacAddr,
        policy::Policy,
    },
    store::{KnownDevice, Series},
};

/// Addresses for devices of which none is known any more (of the block for documentation, RFC 3849):
/// no entry is about them.
const NOWHERE: u128 = 0x2001_0db8_b100_0000 << 64;

/// Where a series goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Feed {
    /// To a device.
    Device(DeviceFeed),
    /// To the interface of this name.
    Interface(String),
    /// Nowhere: devices that have no history of their own.
    Others,
}

/// A device and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeviceFeed {
    /// Its id in the history.
    pub(super) id: String,
    /// What it was last called, if that is not the id.
    pub(super) name: Option<String>,
    pub(super) mac: Option<MacAddr>,
    /// Where its traffic is counted.
    pub(super) address: IpAddr,
    /// The others.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) first_seen: Option<Timestamp>,
    is_invented: bool,
}

/// Where each series goes.
pub(super) fn feeds(series: &[Series], devices: &[KnownDevice]) -> Vec<Feed> {
    let devices: HashMap<&str, &KnownDevice> =
        devices.iter().map(|device| (&*device.id, device)).collect();
    let interface = interface_id("");
    series
        .iter()
        .enumerate()
        .map(
            |(place, series)| match series.subject.strip_prefix(&interface) {
                _ if series.subject == OTHERS => Feed::Others,
                Some(name) => Feed::Interface(name.to_owned()),
                None => Feed::Device(device(
                    place,
                    series,
                    devices.get(&*series.subject).copied(),
                )),
            },
        )
        .collect()
}

fn device(place: usize, series: &Series, known: Option<&KnownDevice>) -> DeviceFeed {
    let id = &series.subject;
    let mac = id.parse().ok();
    let own = id.parse().ok();
    let in_prefix = id.parse::<IpNet>().ok().and_then(|net| net.hosts().next());
    let mut addresses = known.map_or_else(Vec::new, |known| known.addresses.clone());
    // The one that people know it by.
    addresses.sort_by_key(|address| (Some(*address) != own, !address.is_ipv4(), *address));
    let known_address = own.or_else(|| addresses.first().copied()).or(in_prefix);
    let invented = IpAddr::V6(Ipv6Addr::from_bits(NOWHERE + place as u128));
    let address = known_address.unwrap_or(invented);
    addresses.retain(|other| *other != address);
    DeviceFeed {
        id: id.clone(),
        name: series.name.clone(),
        mac: mac.or_else(|| known.and_then(|known| known.mac)),
        address,
        addresses,
        first_seen: known.map(|known| known.first_seen),
        is_invented: known_address.is_none(),
    }
}

impl DeviceFeed {
    pub(super) fn all_addresses(&self) -> Vec<IpAddr> {
        let mut all = self.addresses.clone();
        all.push(self.address);
        all
    }

    /// What people call it.
    pub(super) fn shown(&self, policy: &Policy) -> String {
        let entry = policy.registration(self.mac, &self.all_addresses());
        let given = entry.and_then(|entry| entry.name.clone());
        given
            .or_else(|| self.name.clone())
            .unwrap_or_else(|| match self.is_invented {
                true => self.id.clone(),
                false => self.address.to_string(),
            })
    }

    /// The id under which the ledger has it, and its id and name for people; `None` where those are
    /// the ledger's.
    pub(super) fn names(&self, policy: &Policy) -> Option<(String, &str, Option<&str>)> {
        let entry = policy.registration(self.mac, &self.all_addresses());
        let is_named = entry.is_some_and(|entry| entry.name.is_some());
        let is_mac = self.mac.is_some_and(|mac| self.id == mac.to_string());
        let in_ledger = match is_mac {
            true => self.id.clone(),
            false => self.address.to_string(),
        };
        let name = match (&self.name, self.is_invented) {
            _ if is_named => None,
            (Some(name), _) => Some(&**name),
            (None, true) => Some(&*self.id),
            (None, false) => None,
        };
        (name.is_some() || in_ledger != self.id).then_some((in_ledger, &*self.id, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subject: &str, known: &[&str], address: &str, mac: Option<&str>) {
        let series = Series {
            subject: subject.to_owned(),
            name: None,
            group: None,
        };
        let device = KnownDevice {
            id: subject.to_owned(),
            mac: mac.map(|mac| mac.parse().unwrap()),
            addresses: known.iter().map(|text| text.parse().unwrap()).collect(),
            first_seen: Timestamp::UNIX_EPOCH,
        };
        let Feed::Device(feed) = &feeds(&[series], &[device])[0] else {
            panic!("{subject} is no device")
        };
        assert_eq!(feed.address.to_string(), address, "{subject}");
        assert_eq!(feed.mac.map(|mac| mac.to_string()).as_deref(), mac);
        assert_eq!(feed.addresses.len(), known.len().saturating_sub(1));
    }

    #[test]
    fn a_device_is_fed_by_the_address_that_people_know() {
        const MAC: &str = "02:1b:c3:00:4f:9e";
        check(
            MAC,
            &["fe80::1", "10.0.0.9", "10.0.0.10"],
            "10.0.0.9",
            Some(MAC),
        );
        check(MAC, &["fe80::1"], "fe80::1", Some(MAC));
        check(MAC, &[], "2001:db8:b100::", Some(MAC));
        // One of several that are registered and share a MAC.
        check("10.0.0.10", &["10.0.0.10"], "10.0.0.10", Some(MAC));
        check("10.0.0.10", &[], "10.0.0.10", None);
        check("10.1.0.0/30", &[], "10.1.0.1", None);
    }

    #[test]
    fn what_is_no_device_is_known() {
        let series = ["others", "interface:br-lan"].map(|subject| Series {
            subject: subject.to_owned(),
            name: None,
            group: None,
        });
        let expected = [Feed::Others, Feed::Interface("br-lan".to_owned())];
        assert_eq!(feeds(&series, &[]), expected);
    }
}
