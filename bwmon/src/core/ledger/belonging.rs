//! Which device lists which address, and what happens when that changes.

use ipnet::IpNet;

use super::*;
use crate::core::identity::is_link_local;

impl Ledger {
    /// Takes in that an address has this MAC, for sure and wherever it is.
    pub fn learn(&mut self, address: IpAddr, mac: MacAddr) {
        self.hear(&Heard::somewhere(address, mac));
    }

    /// Whether a neighbour entry says that an address has gone to another MAC. What was counted until
    /// now is the old one's: it is to be sampled before this is taken in.
    pub fn moves(&self, heard: &Heard) -> bool {
        self.identity.moves(heard)
    }

    /// Takes in a neighbour entry. What is counted from now on is that device's.
    pub fn hear(&mut self, heard: &Heard) {
        let before = self.identity.mac(heard.address);
        let addresses = &self.addresses;
        let last_seen = |address| addresses.get(&address).map(|entry| entry.last_seen);
        let learned = self.identity.learn(heard, self.sampled_at, last_seen);
        let Learned { changed, forgotten } = learned;
        if let Some(address) = forgotten {
            self.names.forget_answers(address);
            self.addresses.remove(&address);
            self.unlist(address);
            self.views.addresses.expire();
        }
        if !changed.is_empty() && before.is_some() {
            self.change_hands(heard.address);
        }
        self.place_changed(&changed);
        if changed.is_empty() {
            if self.identity.is_full() {
                // With those that were never counted: there can't be so many devices.
                let addresses = &self.addresses;
                let gone = self
                    .identity
                    .retain(|address, _| addresses.contains_key(&address));
                for address in gone {
                    self.unlist(address);
                }
            }
        } else if self.identity.is_registered(heard.address) {
            self.add_registered();
        }
    }

    /// Takes in all neighbour entries there are.
    pub fn hear_all(&mut self, all: &[Heard]) {
        // Before anything is made of the first of them.
        let mut holders = HashMap::new();
        for heard in all.iter().filter(|heard| is_link_local(heard.address)) {
            let (mac, link) = *holders
                .entry(heard.address)
                .or_insert((heard.mac, heard.link));
            if mac != heard.mac && link != heard.link {
                self.identity.share(heard, self.sampled_at);
                self.place_changed(&[heard.address]);
            }
        }
        for heard in all {
            self.hear(heard);
        }
    }

    /// Takes in the networks in which every device is a neighbour, so that its MAC will be known;
    /// `None`: nobody knows. Addresses elsewhere can be a registered prefix's, from the next time
    /// that they are seen: what has counted was before.
    pub fn set_on_link(&mut self, networks: Option<Vec<IpNet>>) {
        if self.identity.set_on_link(networks) {
            self.network = self.network.wrapping_add(1);
        }
    }

    fn place_changed(&mut self, changed: &[IpAddr]) {
        for address in changed {
            let has_past = |device: &Device| device.prefix.is_none() && device.is_in_use();
            match self.addresses.get_mut(address) {
                Some(entry) => {
                    entry.view.expire();
                    self.views.addresses.expire();
                    self.place(*address);
                }
                None if self.devices.get(&address.to_string()).is_some_and(has_past) => {
                    // Of an earlier run.
                    if let Some(id) = self.identity.device(*address) {
                        self.add_address(id, *address);
                        self.leave(&address.to_string(), *address);
                    }
                }
                // Not counted yet, but known to be a device's.
                None => self.own(*address),
            }
        }
    }

    /// Puts every address with the device it belongs to.
    pub(super) fn place_all(&mut self) {
        let counted: Vec<IpAddr> = self.addresses.keys().copied().collect();
        for address in counted {
            self.place(address);
        }
        let listed: Vec<IpAddr> = self.listed.keys().copied().collect();
        for address in listed {
            self.own(address);
        }
    }

    /// Puts an address with the device it belongs to.
    pub(super) fn place(&mut self, address: IpAddr) {
        let Some(entry) = self.addresses.get_mut(&address) else {
            return;
        };
        entry.placed = self.network;
        let wanted = self.identity.device(address);
        if entry.device == wanted {
            return;
        }
        let before = std::mem::replace(&mut entry.device, wanted.clone());
        entry.view.expire();
        entry.is_unsaved = true;
        self.views.addresses.expire();
        if let Some(id) = wanted {
            self.add_address(id, address);
        }
        if let Some(before) = before {
            self.leave(&before, address);
        }
    }

    fn add_address(&mut self, id: String, address: IpAddr) {
        let mac = self.identity.mac(address);
        let today = self.today;
        let device = self.devices.entry(id.clone()).or_insert_with(|| {
            let mut device = Device::new(id.clone(), mac, today);
            device.apply(&self.policy);
            device
        });
        device.mac = device.mac.or(mac);
        device.is_unsaved = true;
        self.busy_devices.insert(id);
        self.own(address);
        for other in mac
            .map(|mac| self.identity.addresses(mac))
            .unwrap_or_default()
        {
            self.own(other);
        }
        if self.identity.is_registered(address) {
            self.add_registered();
        }
    }

    /// Lists an address with the device it belongs to, if there is one, and with no other.
    pub(super) fn own(&mut self, address: IpAddr) {
        let owner = self
            .identity
            .device(address)
            .filter(|id| self.devices.contains_key(id));
        match owner {
            Some(id) => self.list(address, &id),
            None => self.unlist(address),
        }
    }

    /// Lists an address with this device.
    pub(super) fn list(&mut self, address: IpAddr, id: &str) {
        if self.listed.get(&address).is_some_and(|owner| owner == id) {
            return;
        }
        self.unlist(address);
        let Some(device) = self.devices.get_mut(id) else {
            return;
        };
        if device.prefix.is_some() {
            return;
        }
        if let Err(place) = device.addresses.binary_search(&address) {
            device.addresses.insert(place, address);
        }
        device.apply(&self.policy);
        device.call(&self.names);
        device.is_unsaved |= device.first_seen.is_some();
        self.listed.insert(address, id.to_owned());
        self.views.devices.expire();
        self.want_name(address, false);
    }

    pub(super) fn unlist(&mut self, address: IpAddr) {
        let owner = self.listed.remove(&address);
        if let Some(device) = owner.and_then(|id| self.devices.get_mut(&id)) {
            device.addresses.retain(|other| *other != address);
            device.is_unsaved |= device.first_seen.is_some();
            // What is left without any may be about to become a part of another.
            if device.mac.is_some() || !device.addresses.is_empty() {
                device.apply(&self.policy);
            }
            device.call(&self.names);
            device.view.expire();
            self.views.devices.expire();
        }
    }

    /// An address is not this device's any more. What that used stays with it, unless it was nothing
    /// but the address, whose MAC is known now: then it and the device of that MAC are one.
    fn leave(&mut self, id: &str, address: IpAddr) {
        let Some(device) = self.devices.get_mut(id) else {
            return;
        };
        device.is_unsaved = true;
        self.busy_devices.insert(id.to_owned());
        let new = self
            .identity
            .device(address)
            .filter(|_| self.identity.mac(address).is_some())
            .filter(|new| new != id && self.devices.contains_key(new));
        let is_address = id == address.to_string();
        let Some(device) = self.devices.get_mut(id) else {
            return;
        };
        let Some(new) = new.filter(|_| is_address && device.addresses.is_empty()) else {
            device.apply(&self.policy);
            return;
        };
        if let Some(old) = self.devices.remove(id)
            && let Some(device) = self.devices.get_mut(&new)
        {
            let ended = device.merge(old);
            self.busy_devices.insert(new.clone());
            self.joined.push((id.to_owned(), new.clone()));
            self.forgotten.extend(Memory::forget_device(id));
            self.history.rename(id, &new);
            self.rename_days(id, &new);
            if let Some(ended) = ended {
                self.finish(&new, ended);
            }
            self.renamed.push((id.to_owned(), new));
        }
    }

    /// Days that ended, and are not written down yet, go to another device.
    fn rename_days(&mut self, old: &str, new: &str) {
        let is_of_old = |(id, _): &mut (String, DayUsage)| id == old;
        let ended: Vec<_> = self.finished.extract_if(.., is_of_old).collect();
        for (_, usage) in ended {
            self.finish(new, usage);
        }
        for (id, _) in &mut self.undated {
            if id == old {
                new.clone_into(id);
            }
        }
    }

    /// A day of a device ended, or a part of it that another device was.
    fn finish(&mut self, id: &str, usage: DayUsage) {
        let known = self.finished.iter_mut();
        let mut known = known.filter(|(other, known)| other == id && known.day == usage.day);
        match known.next() {
            Some((_, known)) => known.merge(&usage),
            None => self.finished.push((id.to_owned(), usage)),
        }
    }

    /// Shows registered devices that were never seen, under the id they would have.
    pub(super) fn add_registered(&mut self) {
        let (mut waiting, mut shown) = (BTreeSet::new(), Vec::new());
        for entry in &self.policy.registered {
            let (id, mac, address) = match entry.selector {
                Selector::Address(address) => {
                    let Some(id) = self.identity.device(address) else {
                        continue;
                    };
                    (id, self.identity.mac(address), Some(address))
                }
                Selector::Mac(mac) => (mac.to_string(), Some(mac), None),
                Selector::Prefix(_) => continue,
            };
            waiting.insert(id.clone());
            if !self.devices.contains_key(&id) {
                let mut device = Device::new(id.clone(), mac, self.today);
                device.apply(&self.policy);
                device.call(&self.names);
                // It may be one that should talk, and never does.
                self.busy_devices.insert(id.clone());
                self.devices.insert(id, device);
                self.views.devices.expire();
                shown.extend(address);
            }
        }
        for address in shown {
            self.own(address);
        }
        let Self {
            devices,
            listed,
            gone,
            ..
        } = self;
        devices.retain(|id, device| {
            let stays = device.is_in_use() || waiting.contains(id);
            if !stays {
                listed.retain(|_, owner| owner != id);
                gone.push(id.clone());
            }
            stays
        });
    }

    /// Forgets addresses and devices that were not seen for a long time.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        let is_old = |seen: Timestamp| now.duration_since(seen) > FORGET_AFTER;
        let old: Vec<IpAddr> = self
            .addresses
            .iter()
            .filter(|(_, entry)| is_old(entry.last_seen))
            .filter(|(address, _)| !self.identity.is_registered(**address))
            .map(|(address, _)| *address)
            .collect();
        for address in old {
            self.identity.forget(address);
            self.names.forget_answers(address);
            self.addresses.remove(&address);
            self.unlist(address);
        }
        // Those that never counted, too.
        let addresses = &self.addresses;
        let stays = |address, since| addresses.contains_key(&address) || !is_old(since);
        for address in self.identity.retain(stays) {
            self.unlist(address);
        }
        let Self {
            alerts,
            devices,
            forgotten,
            today,
            ..
        } = self;
        devices.retain(|id, device| {
            let stays = device.is_registered()
                || !device.addresses.is_empty()
                || !device.last_seen.is_some_and(is_old)
                || device.activity.has_used_quota(*today)
                || alerts.open_of(id).next().is_some();
            if !stays {
                forgotten.extend(Memory::forget_device(id));
            }
            stays
        });
        self.views.addresses.expire();
    }
}
