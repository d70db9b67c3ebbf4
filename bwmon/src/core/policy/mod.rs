//! What the owner wants: names and thresholds, for each device, for groups, for the unknown ones,
//! for all.

use std::{collections::BTreeMap, net::IpAddr, sync::LazyLock};

use ipnet::IpNet;

use super::{cycle::Cycle, mac::MacAddr};

mod built_in;
mod in_force;
mod limits;
#[cfg(test)]
mod tests;

pub use in_force::{Condition, Cooldown, InForce, QuotaRule, Rule, Rules, Timing};
pub use limits::{
    Directed, Limit, Limits, NewDeviceLimit, QuotaLimit, STEPS, Scope, Setting, SurgeLimit, Tuning,
};

/// Asked for once per device and reload.
static BUILT_IN: LazyLock<Limits> = LazyLock::new(Limits::built_in);

/// What an entry of the registered devices is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The device that has this address.
    Address(IpAddr),
    /// The device with this MAC.
    Mac(MacAddr),
    /// Every device with an address in this prefix.
    Prefix(IpNet),
}

/// An entry of the registered devices.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Whom it is about.
    pub selector: Selector,
    /// What the owner calls it.
    pub name: Option<String>,
    /// The group it is in.
    pub group: Option<String>,
    /// Its own thresholds.
    pub limits: Limits,
    /// No alerts for it.
    pub muted: bool,
}

/// What the owner says of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// For each device in it.
    pub members: Limits,
    /// For all of them together. Nothing is inherited: a sum has no default.
    pub total: Limits,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The entries, in the order of the file.
    pub registered: Vec<Registration>,
    /// For devices that no entry is about.
    pub unknown: Limits,
    /// For every device.
    pub defaults: Limits,
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// For all that an interface carries, by its name. Nothing is inherited.
    pub interfaces: BTreeMap<String, Limits>,
}

impl Policy {
    /// The entry about a device, the most specific first: by MAC, by address, by the longest prefix.
    pub fn registration(
        &self,
        mac: Option<MacAddr>,
        addresses: &[IpAddr],
    ) -> Option<&Registration> {
        self.registered
            .iter()
            .filter_map(|entry| Some((specificity(entry.selector, mac, addresses)?, entry)))
            // The first of several equals wins, so compare in reverse.
            .rev()
            .max_by_key(|(specificity, _)| *specificity)
            .map(|(_, entry)| entry)
    }

    /// The entry of a prefix, where it has a name.
    pub fn named_prefix(&self, prefix: IpNet) -> Option<&Registration> {
        self.registered.iter().find(|entry| {
            let is_it = |wanted: IpNet| wanted.trunc() == prefix;
            matches!(entry.selector, Selector::Prefix(wanted) if is_it(wanted))
                && entry.name.is_some()
        })
    }

    /// The rules of a device with this entry. Each value is that of the first that mentions it:
    /// device, group, prefix, unknown, defaults, built in.
    pub fn rules(&self, entry: Option<&Registration>, addresses: &[IpAddr]) -> Rules {
        let own = entry.map(|entry| entry.limits.clone()).unwrap_or_default();
        let group = entry.and_then(|entry| entry.group.as_deref());
        let prefix = self.registration_by_prefix(addresses);
        self.inherited(own, group, prefix.map(|entry| &entry.limits))
    }

    /// The rules of a device of a group that has no word of its own.
    pub fn member_rules(&self, group: &str) -> Rules {
        self.inherited(Limits::default(), Some(group), None)
    }

    fn inherited(&self, own: Limits, group: Option<&str>, prefix: Option<&Limits>) -> Rules {
        let group = group.and_then(|name| self.groups.get(name));
        let group = group.map(|group| &group.members);
        let limits = [group, prefix, Some(&self.unknown), Some(&self.defaults)]
            .into_iter()
            .flatten()
            .fold(own, Limits::or);
        Rules::new(limits.or(&BUILT_IN))
    }

    /// The rules of a group as a whole; `None` where there are none.
    pub fn group_rules(&self, name: &str) -> Option<Rules> {
        let rules = Rules::new(self.groups.get(name)?.total.clone());
        (!rules.list().is_empty()).then_some(rules)
    }

    /// The rules of an interface as a whole; `None` where there are none.
    pub fn interface_rules(&self, name: &str) -> Option<Rules> {
        let rules = Rules::new(self.interfaces.get(name)?.clone());
        (!rules.list().is_empty()).then_some(rules)
    }

    /// How the owner's bill is counted: as that of the first interface with a quota, which is the line;
    /// else of the first group, else of any device with one; else by the calendar month.
    pub fn billing_cycle(&self) -> Cycle {
        let interfaces = self
            .interfaces
            .keys()
            .map(|name| self.interface_rules(name));
        let groups = self.groups.keys().map(|name| self.group_rules(name));
        let unknown = std::iter::once_with(|| Some(self.rules(None, &[])));
        let entries = self.registered.iter();
        let entries = entries.map(|entry| Some(self.rules(Some(entry), &[])));
        let mut rules = interfaces
            .chain(groups)
            .chain(unknown)
            .chain(entries)
            .flatten();
        let with_quota = rules.find(|rules| rules.quota().is_some());
        with_quota.map_or_else(Cycle::default, |rules| rules.cycle)
    }

    /// The addresses that are registered.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.registered
            .iter()
            .filter_map(|entry| match entry.selector {
                Selector::Address(address) => Some(address),
                Selector::Mac(_) | Selector::Prefix(_) => None,
            })
    }

    fn registration_by_prefix(&self, addresses: &[IpAddr]) -> Option<&Registration> {
        self.registered
            .iter()
            .filter(|entry| matches!(entry.selector, Selector::Prefix(_)))
            .filter_map(|entry| Some((specificity(entry.selector, None, addresses)?, entry)))
            .rev()
            .max_by_key(|(specificity, _)| *specificity)
            .map(|(_, entry)| entry)
    }
}

/// How closely a selector points at a device; `None` if it does not.
fn specificity(selector: Selector, mac: Option<MacAddr>, addresses: &[IpAddr]) -> Option<u16> {
    match selector {
        Selector::Mac(wanted) => (mac == Some(wanted)).then_some(u16::MAX),
        Selector::Address(wanted) => addresses.contains(&wanted).then_some(u16::MAX - 1),
        Selector::Prefix(prefix) => addresses
            .iter()
            .any(|address| prefix.contains(address))
            .then_some(u16::from(prefix.prefix_len())),
    }
}
