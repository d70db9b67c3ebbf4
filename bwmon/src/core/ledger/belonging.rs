//! Which device lists which address, and what happens when that changes.

use super::*;

impl Ledger {
    /// Puts an address with the device it belongs to.
    pub(super) fn place(&mut self, address: IpAddr) {
        let Some(entry) = self.addresses.get_mut(&address) else {
            return;
        };
        let wanted = self.identity.device(address);
        if entry.device == wanted {
            return;
        }
        let before = std::mem::replace(&mut entry.device, wanted.clone());
        entry.view = None;
        entry.is_unsaved = true;
        self.views.addresses = None;
        if let Some(id) = wanted {
            self.add_address(id, address);
        }
        if let Some(before) = before {
            self.remove_address(&before, address);
        }
    }

    fn add_address(&mut self, id: String, address: IpAddr) {
        let mac = self.identity.mac(address);
        let today = self.today;
        let device = self
            .devices
            .entry(id.clone())
            .or_insert_with(|| Device::new(id.clone(), mac, today));
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
        if let Err(place) = device.addresses.binary_search(&address) {
            device.addresses.insert(place, address);
        }
        device.apply(&self.policy);
        self.listed.insert(address, id.to_owned());
        self.views.devices = None;
    }

    pub(super) fn unlist(&mut self, address: IpAddr) {
        let owner = self.listed.remove(&address);
        if let Some(device) = owner.and_then(|id| self.devices.get_mut(&id)) {
            device.addresses.retain(|other| *other != address);
            device.apply(&self.policy);
            self.views.devices = None;
        }
    }

    /// Takes an address from the device it belonged to. If that was nothing but the address, it and
    /// the device that has it now are one.
    fn remove_address(&mut self, id: &str, address: IpAddr) {
        let Some(device) = self.devices.get_mut(id) else {
            return;
        };
        device.is_unsaved = true;
        let new = self
            .addresses
            .get(&address)
            .and_then(|entry| entry.device.clone());
        let Some(new) = new.filter(|_| device.addresses.is_empty() && id == address.to_string())
        else {
            return;
        };
        if let Some(old) = self.devices.remove(id)
            && let Some(device) = self.devices.get_mut(&new)
        {
            device.merge(old, self.today);
            self.busy_devices.insert(new.clone());
            self.joined.push((id.to_owned(), new.clone()));
            self.forgotten.extend(Memory::forget_device(id));
            self.history.rename(id, &new);
            self.rename_days(id, &new);
            self.renamed.push((id.to_owned(), new));
        }
    }

    /// Days that ended, and are not written down yet, go to another device.
    fn rename_days(&mut self, old: &str, new: &str) {
        let is_of_old = |(id, _): &mut (String, DayUsage)| id == old;
        let ended: Vec<_> = self.finished.extract_if(.., is_of_old).collect();
        for (_, usage) in ended {
            let known = self.finished.iter_mut();
            let mut known = known.filter(|(id, known)| id == new && known.day == usage.day);
            match known.next() {
                Some((_, known)) => known.merge(&usage),
                None => self.finished.push((new.to_owned(), usage)),
            }
        }
        for (id, _) in &mut self.undated {
            if id == old {
                new.clone_into(id);
            }
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
                // It may be one that should talk, and never does.
                self.busy_devices.insert(id.clone());
                self.devices.insert(id, device);
                self.views.devices = None;
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
            self.addresses.remove(&address);
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
        self.views.addresses = None;
    }
}
