//! Which device an address belongs to: all addresses of one MAC are one device, an address without
//! a known MAC is one of its own, or that of the registered prefix that it is routed to.
//!
//! Where the owner registered several addresses that share a MAC (a repeater, a server with two
//! names), each of those is a device of its own.
//!
//! What was learned stays until somebody says otherwise: a neighbour entry that fails or is removed
//! says that nobody asked for a while, not that the address is another's.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use super::{
    mac::MacAddr,
    policy::{Policy, Selector},
};

/// Most addresses whose MAC is remembered: whoever fills the neighbour table with inventions gets
/// no further.
const MAX_ADDRESSES: usize = 1 << 16;
/// Most addresses of one MAC. Whoever makes up new ones by the hour has the oldest forgotten.
const MAX_PER_MAC: usize = 256;
/// An address must have been silent for so long before it makes room for another one of its MAC:
/// what uses more of them at a time is no single device, and each further one is for itself.
const CROWDED_IDLE: SignedDuration = SignedDuration::from_mins(60);

/// In place of an interface's index, where nobody knows which.
const SOME_LINK: u32 = 0;

/// What is known of who has which address.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    holders: HashMap<IpAddr, Holder>,
    addresses: HashMap<MacAddr, BTreeSet<IpAddr>>,
    registered: HashSet<IpAddr>,
    /// The registered prefixes, the longest first, and whether they have a name.
    prefixes: Vec<(IpNet, bool)>,
    /// The networks in which every device is a neighbour; `None`: all of them.
    on_link: Option<Vec<IpNet>>,
}

/// A neighbour entry: who says to have an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The address.
    pub address: IpAddr,
    /// Whose it is.
    pub mac: MacAddr,
    /// The index of the interface that it is reached through.
    pub link: u32,
    /// It is known to be there now, and not only from before.
    pub is_confirmed: bool,
}

impl Heard {
    /// Of an address whose MAC is known for sure, through whatever interface.
    pub fn somewhere(address: IpAddr, mac: MacAddr) -> Self {
        Self {
            address,
            mac,
            link: SOME_LINK,
            is_confirmed: true,
        }
    }
}

/// Who has an address.
#[derive(Clone, Copy, Debug)]
struct Holder {
    mac: MacAddr,
    link: u32,
    /// When that was learned.
    since: Timestamp,
    /// Who had it before, on another interface: the kernel remembers that entry for a while.
    previous: Option<(MacAddr, u32)>,
    /// Devices on several interfaces have it, as a link-local address may be: nobody can tell whose
    /// traffic it is.
    is_shared: bool,
}

/// What came of a neighbour entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Learned {
    /// Addresses that may belong to another device now.
    pub(super) changed: Vec<IpAddr>,
    /// An address that made room.
    pub(super) forgotten: Option<IpAddr>,
}

impl Learned {
    fn changed(address: IpAddr) -> Self {
        Self {
            changed: vec![address],
            forgotten: None,
        }
    }
}

impl Identity {
    /// The id of the device that an address belongs to; `None` for what no device can have.
    pub(super) fn device(&self, address: IpAddr) -> Option<String> {
        if address.is_multicast() || address.is_unspecified() || is_broadcast(address) {
            return None;
        }
        Some(match self.holders.get(&address) {
            Some(holder) if holder.is_shared || self.stands_alone(address, holder.mac) => {
                address.to_string()
            }
            Some(holder) => holder.mac.to_string(),
            None => match self.routed_to(address) {
                Some(prefix) => prefix.to_string(),
                None => address.to_string(),
            },
        })
    }

    /// The MAC of an address.
    pub(super) fn mac(&self, address: IpAddr) -> Option<MacAddr> {
        let holder = self.holders.get(&address)?;
        (!holder.is_shared).then_some(holder.mac)
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

    /// Whether an address that has a MAC would get another one.
    pub(super) fn moves(&self, heard: &Heard) -> bool {
        self.mac(heard.address)
            .is_some_and(|known| known != heard.mac)
            && self.is_news(heard)
    }

    /// Takes in a neighbour entry. `last_seen` says when an address was last seen, if ever.
    pub(super) fn learn(
        &mut self,
        heard: &Heard,
        now: Timestamp,
        last_seen: impl Fn(IpAddr) -> Option<Timestamp>,
    ) -> Learned {
        let Heard {
            address, mac, link, ..
        } = *heard;
        if let Some(holder) = self.holders.get_mut(&address)
            && holder.mac == mac
        {
            holder.link = link;
        }
        let before = self.holders.get(&address).copied();
        if !self.is_news(heard) || (before.is_none() && self.is_full()) {
            return Learned::default();
        }
        let elsewhere = before.filter(|holder| holder.link != link && holder.link != SOME_LINK);
        if elsewhere.is_some() && is_link_local(address) {
            self.share(heard, now);
            return Learned::changed(address);
        }
        let forgotten = match self.make_room(mac, now, &last_seen) {
            Ok(forgotten) => forgotten,
            Err(Crowded) if before.is_some() => {
                self.forget(address);
                return Learned::changed(address);
            }
            Err(Crowded) => return Learned::default(),
        };
        self.forget(address);
        let previous = elsewhere.map(|holder| (holder.mac, holder.link));
        let holder = Holder {
            mac,
            link,
            since: now,
            previous,
            is_shared: false,
        };
        self.holders.insert(address, holder);
        self.addresses.entry(mac).or_default().insert(address);
        let mut changed = vec![address];
        if self.is_registered(address) {
            // Whether registered addresses of a MAC stand alone depends on how many there are.
            changed = self.addresses(mac);
            changed.extend(before.map_or_else(Vec::new, |holder| self.addresses(holder.mac)));
        }
        Learned { changed, forgotten }
    }

    /// Takes in that devices on several interfaces have an address, this one among them.
    pub(super) fn share(&mut self, heard: &Heard, now: Timestamp) {
        self.forget(heard.address);
        if self.is_full() {
            return;
        }
        let holder = Holder {
            mac: heard.mac,
            link: heard.link,
            since: now,
            previous: None,
            is_shared: true,
        };
        self.holders.insert(heard.address, holder);
    }

    /// Whether nothing more can be learned.
    pub(super) fn is_full(&self) -> bool {
        self.holders.len() >= MAX_ADDRESSES
    }

    /// Forgets the MACs of all addresses but the registered ones and those that `keep` names, which
    /// is told since when each is known. Returns the forgotten ones.
    pub(super) fn retain(&mut self, keep: impl Fn(IpAddr, Timestamp) -> bool) -> Vec<IpAddr> {
        let gone: Vec<IpAddr> = self
            .holders
            .iter()
            .filter(|(address, _)| !self.is_registered(**address))
            .filter(|(address, holder)| !keep(**address, holder.since))
            .map(|(address, _)| *address)
            .collect();
        for address in &gone {
            self.forget(*address);
        }
        gone
    }

    /// Forgets the MAC of an address.
    pub(super) fn forget(&mut self, address: IpAddr) {
        let Some(Holder { mac, .. }) = self.holders.remove(&address) else {
            return;
        };
        if let Some(addresses) = self.addresses.get_mut(&mac) {
            addresses.remove(&address);
            if addresses.is_empty() {
                self.addresses.remove(&mac);
            }
        }
    }

    /// Takes in which addresses and prefixes are registered.
    pub(super) fn register(&mut self, policy: &Policy) {
        self.registered = policy.addresses().collect();
        self.prefixes = policy
            .registered
            .iter()
            .filter_map(|entry| match entry.selector {
                Selector::Prefix(prefix) => Some((prefix.trunc(), entry.name.is_some())),
                Selector::Address(_) | Selector::Mac(_) => None,
            })
            // That stands for everything, and everything is no device.
            .filter(|(prefix, _)| prefix.prefix_len() > 0)
            .collect();
        self.prefixes
            .sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.prefix_len()));
    }

    /// Takes in the networks in which every device is a neighbour; `None`: all of them, as far as
    /// anybody knows. Says whether that is another answer than before.
    pub(super) fn set_on_link(&mut self, networks: Option<Vec<IpNet>>) -> bool {
        let is_changed = self.on_link != networks;
        self.on_link = networks;
        is_changed
    }

    /// The registered prefix that an address without a MAC is the device of. The longest prefix
    /// decides; without a name it stands for each address by itself, as it does among neighbours.
    fn routed_to(&self, address: IpAddr) -> Option<IpNet> {
        let on_link = self.on_link.as_ref()?;
        let is_neighbour = is_link_local(address)
            || self.is_registered(address)
            || on_link.iter().any(|network| network.contains(&address));
        let mut prefixes = self.prefixes.iter();
        let (prefix, has_name) = prefixes.find(|(prefix, _)| prefix.contains(&address))?;
        (*has_name && !is_neighbour).then_some(*prefix)
    }

    /// Whether a neighbour entry says anything new.
    fn is_news(&self, heard: &Heard) -> bool {
        let Heard {
            mac,
            link,
            is_confirmed,
            ..
        } = *heard;
        let Some(holder) = self.holders.get(&heard.address) else {
            return mac.is_station();
        };
        // The kernel keeps an entry of the interface that the address moved from.
        let is_stale = !is_confirmed && holder.previous == Some((mac, link));
        mac.is_station() && holder.mac != mac && !holder.is_shared && !is_stale
    }

    /// Makes room for one more address of a MAC, where there is none.
    fn make_room(
        &mut self,
        mac: MacAddr,
        now: Timestamp,
        last_seen: impl Fn(IpAddr) -> Option<Timestamp>,
    ) -> Result<Option<IpAddr>, Crowded> {
        let Some(addresses) = self.addresses.get(&mac) else {
            return Ok(None);
        };
        if addresses.len() < MAX_PER_MAC {
            return Ok(None);
        }
        let in_use = |address: &IpAddr| {
            let learned = self.holders.get(address).map(|holder| holder.since);
            learned.max(last_seen(*address))
        };
        let (used, oldest) = addresses
            .iter()
            .filter(|address| !self.is_registered(**address))
            .map(|address| (in_use(address), *address))
            .min()
            .ok_or(Crowded)?;
        if used.is_some_and(|used| now.duration_since(used) <= CROWDED_IDLE) {
            return Err(Crowded);
        }
        self.forget(oldest);
        Ok(Some(oldest))
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

/// All addresses of a MAC are in use.
struct Crowded;

/// Whether an address means something on its own interface only, so that each may have another
/// device of that address.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

#[cfg(test)]
mod tests;
