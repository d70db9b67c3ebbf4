//! What one file says of names, whatever its format.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use crate::core::{
    mac::MacAddr,
    names::{Called, MOST_NAMES, Name, Whose},
};

/// Names, and whose they are.
pub(super) type Names = HashMap<Whose, Called>;

/// What one file says. Of somebody who is mentioned several times, the last mention counts.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The names.
    pub(super) names: Names,
    /// How many found no room.
    pub(super) left_out: usize,
}

/// One line of a DHCP server's memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lease<'a> {
    /// What was given.
    pub(super) address: Option<IpAddr>,
    /// To whom, where that is told.
    pub(super) mac: Option<MacAddr>,
    /// What it called itself.
    pub(super) host: &'a str,
}

impl Collected {
    /// Somebody is called so. Nothing that can't be a device's has a name.
    pub(super) fn add(&mut self, whose: Whose, host: &str) {
        if let Some(name) = Name::of_host(host) {
            self.insert(whose, Called { name, mac: None });
        }
    }

    /// Both the MAC and the address of a lease are called so; the address only for as long as it is
    /// that MAC's.
    pub(super) fn lease(&mut self, lease: &Lease<'_>) {
        let Some(name) = Name::of_host(lease.host) else {
            return;
        };
        let Lease { address, mac, .. } = *lease;
        if let Some(address) = address {
            let name = name.clone();
            self.insert(Whose::Address(address), Called { name, mac });
        }
        if let Some(mac) = mac {
            self.insert(Whose::Mac(mac), Called { name, mac: None });
        }
    }

    fn insert(&mut self, whose: Whose, called: Called) {
        let can_be_a_device = match whose {
            Whose::Mac(mac) => mac.is_station(),
            Whose::Address(address) => {
                !(address.is_loopback() || address.is_multicast() || address.is_unspecified())
                    && address != IpAddr::V4(Ipv4Addr::BROADCAST)
            }
        };
        if !can_be_a_device {
            return;
        }
        if self.names.len() >= MOST_NAMES && !self.names.contains_key(&whose) {
            self.left_out += 1;
            return;
        }
        self.names.insert(whose, called);
    }
}

/// A MAC in any of the forms that files have: pairs or single digits between colons or dashes, or
/// twelve digits.
pub(super) fn mac(text: &str) -> Option<MacAddr> {
    let mut octets = [0; 6];
    if text.len() == 12 {
        for (octet, pair) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
            *octet = hex(std::str::from_utf8(pair).ok()?)?;
        }
        return Some(MacAddr(octets));
    }
    let mut parts = text.split([':', '-']);
    for octet in &mut octets {
        *octet = parts.next().and_then(hex)?;
    }
    parts.next().is_none().then_some(MacAddr(octets))
}

fn hex(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let digits = Some(digits).filter(|_| is_hex && digits.len() <= 2)?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What was collected, a line each, in order.
    pub(in super::super) fn shown(collected: &Collected) -> String {
        let mut names: Vec<_> = collected.names.iter().collect();
        names.sort_by_key(|(whose, _)| **whose);
        let line = |(whose, called): (&Whose, &Called)| {
            let whose = match whose {
                Whose::Mac(mac) => mac.to_string(),
                Whose::Address(address) => address.to_string(),
            };
            match called.mac {
                Some(mac) => format!("{whose} ({mac}) {}\n", called.name),
                None => format!("{whose} {}\n", called.name),
            }
        };
        names.into_iter().map(line).collect()
    }

    #[test]
    fn macs_are_read_in_every_form() {
        let check = |text: &str, expected: Option<[u8; 6]>| {
            assert_eq!(mac(text).map(|mac| mac.0), expected, "{text}");
        };
        let expected = Some([0x3c, 0x22, 0xfb, 0, 0x11, 2]);
        check("3c:22:fb:00:11:02", expected);
        check("3C-22-FB-00-11-02", expected);
        check("3c:22:fb:0:11:2", expected);
        check("3c22fb001102", expected);
        for text in [
            "",
            "3c",
            "3c:22:fb:00:11",
            "3c:22:fb:00:11:02:03",
            "+c:22:fb:00:11:02",
        ] {
            check(text, None);
        }
        check("3c:22:fb:00:11:é", None);
        check("éééééé", None);
    }

    #[test]
    fn what_is_no_device_has_no_name() {
        let mut collected = Collected::default();
        for address in [
            "127.0.0.1",
            "::1",
            "ff02::1",
            "224.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
        ] {
            collected.add(Whose::Address(address.parse().unwrap()), "name");
        }
        collected.add(Whose::Mac(MacAddr([1, 0, 0, 0, 0, 1])), "group");
        assert_eq!(shown(&collected), "");
    }

    #[test]
    fn names_are_bounded_and_it_is_counted_what_found_no_room() {
        let mut collected = Collected::default();
        for number in 1..=MOST_NAMES as u32 + 7 {
            let address = IpAddr::from(Ipv4Addr::from(number));
            collected.add(Whose::Address(address), "a");
        }
        assert_eq!((collected.names.len(), collected.left_out), (MOST_NAMES, 7));
    }
}
