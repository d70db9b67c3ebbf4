//! Which device an address belongs to: all addresses of one MAC are one device, an address without
//! a known MAC is one of its own.
//!
//! Where the owner registered several addresses that share a MAC (a repeater, a server with two
//! names), each of those is a device of its own.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use super::{mac::MacAddr, policy::Policy};

/// Most addresses whose MAC is remembered: whoever fills the neighbour table with inventions gets
/// no further.
const MAX_ADDRESSES: usize = 1 << 16;
/// Most addresses of one MAC: what claims more is no device.
const MAX_PER_MAC: usize = 256;

/// What is known of who has which address.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    macs: HashMap<IpAddr, MacAddr>,
    addresses: HashMap<MacAddr, BTreeSet<IpAddr>>,
    registered: HashSet<IpAddr>,
}

impl Identity {
    /// The id of the device that an address belongs to; `None` for what no device can have.
    pub(super) fn device(&self, address: IpAddr) -> Option<String> {
        if address.is_multicast() || address.is_unspecified() || is_broadcast(address) {
            return None;
        }
        Some(match self.macs.get(&address) {
            Some(mac) if !self.stands_alone(address, *mac) => mac.to_string(),
            _ => address.to_string(),
        })
    }

    /// The MAC of an address.
    pub(super) fn mac(&self, address: IpAddr) -> Option<MacAddr> {
        self.macs.get(&address).copied()
    }

    /// The addresses of a MAC.
    pub(super) fn addresses(&self, mac: MacAddr) -> Vec<IpAddr> {
        self.addresses
            .get(&mac)
            .map_or_else(Vec::new, |addresses| addresses.iter().copied().collect())
    }

    /// Whether the owner named this address.
    pub(super) fn is_registered(&self, address: IpAddr) -> bool {
        self.registered.contains(&address)
    }

    /// Takes in a neighbour entry. Returns the addresses that may belong to another device now.
    pub(super) fn learn(&mut self, address: IpAddr, mac: MacAddr) -> Vec<IpAddr> {
        let known = self.mac(address);
        let is_full = known.is_none() && self.is_full();
        let is_crowded = self
            .addresses
            .get(&mac)
            .is_some_and(|addresses| addresses.len() >= MAX_PER_MAC);
        if known == Some(mac) || !mac.is_station() || is_full || is_crowded {
            return Vec::new();
        }
        self.forget(address);
        self.macs.insert(address, mac);
        self.addresses.entry(mac).or_default().insert(address);
        if !self.is_registered(address) {
            return vec![address];
        }
        // Whether registered addresses of a MAC stand alone depends on how many there are.
        let mut changed = self.addresses(mac);
        changed.extend(known.map(|known| self.addresses(known)).unwrap_or_default());
        changed
    }

    /// Whether nothing more can be learned.
    pub(super) fn is_full(&self) -> bool {
        self.macs.len() >= MAX_ADDRESSES
    }

    /// Forgets the MACs of all addresses but these and the registered ones.
    pub(super) fn retain(&mut self, keep: impl Fn(IpAddr) -> bool) {
        let gone: Vec<IpAddr> = self
            .macs
            .keys()
            .copied()
            .filter(|address| !self.is_registered(*address) && !keep(*address))
            .collect();
        for address in gone {
            self.forget(address);
        }
    }

    /// Forgets the MAC of an address.
    pub(super) fn forget(&mut self, address: IpAddr) {
        let Some(mac) = self.macs.remove(&address) else {
            return;
        };
        if let Some(addresses) = self.addresses.get_mut(&mac) {
            addresses.remove(&address);
            if addresses.is_empty() {
                self.addresses.remove(&mac);
            }
        }
    }

    /// Takes in which addresses are registered.
    pub(super) fn register(&mut self, policy: &Policy) {
        self.registered = policy.addresses().collect();
    }

    fn stands_alone(&self, address: IpAddr, mac: MacAddr) -> bool {
        self.registered.contains(&address)
            && self.addresses.get(&mac).is_some_and(|addresses| {
                addresses
                    .iter()
                    .filter(|address| self.registered.contains(address))
                    .count()
                    > 1
            })
    }
}

fn is_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::{Limits, Registration, Selector};

    const MAC: MacAddr = MacAddr([0, 1, 2, 3, 4, 5]);
    const OTHER: MacAddr = MacAddr([0, 1, 2, 3, 4, 6]);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn registered(addresses: &[&str]) -> Policy {
        let entry = |address: &&str| Registration {
            selector: Selector::Address(ip(address)),
            name: None,
            group: None,
            limits: Limits::default(),
            muted: false,
        };
        Policy {
            registered: addresses.iter().map(entry).collect(),
            ..Policy::default()
        }
    }

    #[test]
    fn addresses_of_one_mac_are_one_device() {
        let mut identity = Identity::default();
        identity.learn(ip("10.0.0.5"), MAC);
        identity.learn(ip("fe80::5"), MAC);
        assert_eq!(
            identity.device(ip("10.0.0.5")),
            identity.device(ip("fe80::5"))
        );
        assert_eq!(identity.device(ip("10.0.0.5")), Some(MAC.to_string()));
    }

    #[test]
    fn an_address_without_a_mac_is_a_device() {
        assert_eq!(
            Identity::default().device(ip("10.0.0.5")),
            Some("10.0.0.5".to_owned())
        );
    }

    #[test]
    fn one_registered_address_does_not_split_its_mac() {
        let mut identity = Identity::default();
        identity.register(&registered(&["10.0.0.5"]));
        identity.learn(ip("10.0.0.5"), MAC);
        identity.learn(ip("fe80::5"), MAC);
        assert_eq!(identity.device(ip("10.0.0.5")), Some(MAC.to_string()));
    }

    #[test]
    fn two_registered_addresses_of_one_mac_are_two_devices() {
        let mut identity = Identity::default();
        identity.register(&registered(&["10.0.0.5", "10.0.0.6"]));
        identity.learn(ip("10.0.0.5"), MAC);
        let changed = identity.learn(ip("10.0.0.6"), MAC);
        assert!(
            changed.contains(&ip("10.0.0.5")),
            "the first one must be looked at again"
        );
        assert_eq!(identity.device(ip("10.0.0.5")), Some("10.0.0.5".to_owned()));
        assert_eq!(identity.device(ip("10.0.0.6")), Some("10.0.0.6".to_owned()));
    }

    #[test]
    fn an_address_that_moves_takes_its_new_mac() {
        let mut identity = Identity::default();
        identity.learn(ip("10.0.0.5"), MAC);
        identity.learn(ip("10.0.0.5"), OTHER);
        assert_eq!(identity.device(ip("10.0.0.5")), Some(OTHER.to_string()));
        assert!(!identity.addresses.contains_key(&MAC));
    }

    #[test]
    fn a_group_is_no_device() {
        for group in ["224.0.0.251", "ff02::1", "255.255.255.255", "0.0.0.0", "::"] {
            assert_eq!(Identity::default().device(ip(group)), None, "{group}");
        }
    }
}
