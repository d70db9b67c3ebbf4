//! What devices are called, and which addresses somebody may be asked about.

use super::*;
use crate::core::names::{NameFact, NameSource, Vendors, Whose};

/// Addresses that wait to be asked about; those that come when there are so many are found again
/// by [`Ledger::to_ask_again`].
const MOST_UNASKED: usize = 4096;
/// How long after its last byte a device is still asked about.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Addresses of one device that are asked about.
const ASKED_OF_ONE: usize = 8;

impl Ledger {
    /// Takes in what a source says of names.
    pub fn call(&mut self, facts: impl IntoIterator<Item = NameFact>) {
        for fact in facts {
            let whose = fact.whose;
            if !self.names.learn(fact) {
                continue;
            }
            match whose {
                Whose::Address(address) => self.rename_owner(address),
                Whose::Mac(mac) => {
                    self.rename(&mac.to_string());
                    // Registered addresses of one MAC may each be a device.
                    for address in self.identity.addresses(mac) {
                        self.rename_owner(address);
                    }
                }
            }
        }
    }

    /// Forgets all that a source says: it is not asked any more.
    pub fn forget_source(&mut self, source: NameSource) {
        self.names.forget_source(source);
        self.rename_all();
    }

    /// Takes in who tells vendors, if anybody is to.
    pub fn set_vendors(&mut self, vendors: Option<Vendors>) {
        self.names.set_vendors(vendors);
        self.rename_all();
    }

    /// Addresses with a new owner that nobody better has a name for, and whether they had another
    /// one before, so that what was answered of them is to be forgotten.
    pub fn take_unasked(&mut self) -> Vec<(IpAddr, bool)> {
        let mut unasked = std::mem::take(&mut self.unasked);
        unasked.retain(|(address, _)| {
            let owner = self.listed.get(address);
            owner.is_some_and(|id| self.devices.get(id).is_some_and(is_to_be_asked))
        });
        unasked
    }

    /// Addresses of devices in use that nobody better than an answer has a name for.
    pub fn to_ask_again(&self, now: Timestamp) -> impl Iterator<Item = IpAddr> {
        let is_in_use = move |device: &&Device| {
            let seen = device.last_seen;
            seen.is_some_and(|seen| now.duration_since(seen) <= ASKED_FOR)
        };
        let devices = self.devices.values();
        devices
            .filter(is_in_use)
            .filter(|device| is_to_be_asked(device))
            .flat_map(|device| device.addresses.iter().copied().take(ASKED_OF_ONE))
    }

    /// An address went from one MAC to another.
    pub(super) fn change_hands(&mut self, address: IpAddr) {
        if self.names.forget_answers(address) {
            self.rename_owner(address);
        }
        self.want_name(address, true);
    }

    /// Somebody may be asked about this address.
    pub(super) fn want_name(&mut self, address: IpAddr, is_anew: bool) {
        if self.unasked.len() < MOST_UNASKED {
            self.unasked.push((address, is_anew));
        }
    }

    fn rename_all(&mut self) {
        let ids: Vec<String> = self.devices.keys().cloned().collect();
        for id in ids {
            self.rename(&id);
        }
    }

    fn rename_owner(&mut self, address: IpAddr) {
        if let Some(id) = self.listed.get(&address).cloned() {
            self.rename(&id);
        }
    }

    fn rename(&mut self, id: &str) {
        let Some(device) = self.devices.get_mut(id) else {
            return;
        };
        if device.call(&self.names) {
            self.views.devices.expire();
        }
    }
}

/// Whether an answer would be its name.
fn is_to_be_asked(device: &Device) -> bool {
    device.name_source() >= NameSource::Mdns
}
