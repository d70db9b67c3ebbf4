//! What the owner wants: names and thresholds, for each device, for the unknown ones, for all.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;

use super::mac::MacAddr;

/// One threshold as written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// Not mentioned: the next, more general one applies.
    #[default]
    Inherit,
    /// Switched off here.
    Off,
    /// This value.
    At(T),
}

/// The thresholds of one entry, each of which may be left to a more general entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes a local day, sent and received together.
    pub bandwidth: Setting<u64>,
    /// Active time a local day.
    pub active_time: Setting<Duration>,
    /// Bytes per second, sent and received together.
    pub rate: Setting<u64>,
}

/// The thresholds in force for a device; `None` where the rule is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// Bytes a local day, sent and received together.
    pub bandwidth: Option<u64>,
    /// Active time a local day.
    pub active_time: Option<Duration>,
    /// Bytes per second, sent and received together.
    pub bytes_per_sec: Option<u64>,
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Which traffic a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// What leaves or enters the local networks.
    #[default]
    Internet,
    /// Everything. What a machine that does not route uses: it has no inside and outside.
    All,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The entries, in the order of the file.
    pub registered: Vec<Registration>,
    /// For devices that no entry is about.
    pub unknown: Limits,
    /// For every device.
    pub defaults: Limits,
}

impl Limits {
    /// What applies when the owner says nothing at all.
    pub const BUILT_IN: Self = Self {
        bandwidth: Setting::At(5_000_000_000),
        active_time: Setting::At(Duration::from_secs(5 * 3600)),
        rate: Setting::At(50_000_000 / 8),
    };

    /// These, and where they are silent, `general`.
    pub fn or(self, general: Self) -> Self {
        fn pick<T>(own: Setting<T>, general: Setting<T>) -> Setting<T> {
            match own {
                Setting::Inherit => general,
                Setting::Off | Setting::At(_) => own,
            }
        }
        Self {
            bandwidth: pick(self.bandwidth, general.bandwidth),
            active_time: pick(self.active_time, general.active_time),
            rate: pick(self.rate, general.rate),
        }
    }
}

impl From<Limits> for Thresholds {
    fn from(limits: Limits) -> Self {
        fn value<T>(setting: Setting<T>) -> Option<T> {
            match setting {
                Setting::At(value) => Some(value),
                Setting::Off | Setting::Inherit => None,
            }
        }
        Self {
            bandwidth: value(limits.bandwidth),
            active_time: value(limits.active_time),
            bytes_per_sec: value(limits.rate),
        }
    }
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

    /// The thresholds of a device with this entry: device, then prefix, then unknown, then defaults.
    pub fn thresholds(&self, entry: Option<&Registration>, addresses: &[IpAddr]) -> Thresholds {
        let own = entry.map_or(Limits::default(), |entry| entry.limits);
        let prefix = self
            .registration_by_prefix(addresses)
            .map_or(Limits::default(), |entry| entry.limits);
        own.or(prefix)
            .or(self.unknown)
            .or(self.defaults)
            .or(Limits::BUILT_IN)
            .into()
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
