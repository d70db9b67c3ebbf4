//! One device: what it is called, what applies to it, what it does.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    activity::Activity,
    alerts::DeviceRef,
    event::SubjectKind,
    mac::MacAddr,
    names::{Name, NameSource, Names, name_by_vendor},
    policy::{Policy, Rules},
    shown::Shown,
    time::rfc3339,
    usage::DayUsage,
    view::DeviceView,
};

/// A device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) mac: Option<MacAddr>,
    /// In order; the first IPv4 one is the one people know.
    pub(super) addresses: Vec<IpAddr>,
    /// The registered prefix that it is, which lists none of its addresses: there may be thousands.
    pub(super) prefix: Option<IpNet>,
    /// What the owner calls it.
    name: Option<String>,
    /// What others call it.
    found: Option<(NameSource, Name)>,
    vendor: Option<&'static str>,
    group: Option<String>,
    registered: bool,
    pub(super) is_muted: bool,
    pub(super) activity: Activity,
    pub(super) first_seen: Option<Timestamp>,
    pub(super) last_seen: Option<Timestamp>,
    /// Changed since the last checkpoint.
    pub(super) is_unsaved: bool,
    /// Taken away when anything changes.
    pub(super) view: Shown<DeviceView>,
}

impl Device {
    pub(super) fn new(id: String, mac: Option<MacAddr>, day: Date) -> Self {
        Self {
            prefix: id.parse().ok(),
            id,
            mac,
            addresses: Vec::new(),
            name: None,
            found: None,
            vendor: None,
            group: None,
            registered: false,
            is_muted: false,
            activity: Activity::on(day),
            first_seen: None,
            last_seen: None,
            is_unsaved: false,
            view: Shown::default(),
        }
    }

    /// What the owner says of it.
    pub(super) fn apply(&mut self, policy: &Policy) {
        let entry = match self.prefix {
            Some(prefix) => policy.named_prefix(prefix),
            None => policy.registration(self.mac, &self.addresses),
        };
        self.name = entry.and_then(|entry| entry.name.clone());
        self.group = entry.and_then(|entry| entry.group.clone());
        self.registered = entry.is_some();
        self.is_muted = entry.is_some_and(|entry| entry.muted);
        // What had nothing but an address, and has it no more, does nothing that could be unusual.
        let is_nobody = entry.is_none() && self.mac.is_none() && self.addresses.is_empty();
        self.activity.hold_to(match is_nobody {
            true => Rules::default(),
            false => policy.rules(entry, &self.addresses),
        });
        self.view.expire();
    }

    /// Takes in what others call it. Returns whether its name is another one now.
    pub(super) fn call(&mut self, names: &Names) -> bool {
        let before = self.called();
        let best = names.best(self.mac, &self.addresses);
        self.found = best.map(|(source, name)| (source, name.clone()));
        self.vendor = self.mac.and_then(|mac| names.vendor(mac));
        let is_new = self.called() != before;
        if is_new {
            self.view.expire();
        }
        is_new
    }

    /// What the owner calls it, else others, else the address people know it by.
    pub(super) fn name(&self) -> String {
        self.called().1
    }

    /// Who gave it its name.
    pub(super) fn name_source(&self) -> NameSource {
        self.called().0
    }

    fn called(&self) -> (NameSource, String) {
        if let Some(name) = &self.name {
            return (NameSource::Registered, name.clone());
        }
        if let Some((source, name)) = &self.found {
            return (*source, name.to_string());
        }
        if let (Some(vendor), Some(mac)) = (self.vendor, self.mac) {
            return (NameSource::Vendor, name_by_vendor(vendor, mac));
        }
        let known = self.addresses.iter().find(|address| address.is_ipv4());
        let address = known.or(self.addresses.first());
        let name = address.map_or_else(|| self.id.clone(), ToString::to_string);
        (NameSource::Address, name)
    }

    /// The group the owner put it in.
    pub(super) fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// What an alert keeps of it. `name` is [`Self::name`].
    pub(super) fn reference<'a>(&'a self, name: &'a str) -> DeviceRef<'a> {
        DeviceRef {
            id: &self.id,
            name,
            kind: SubjectKind::Device,
            group: self.group.as_deref(),
            mac: self.mac,
            addresses: &self.addresses,
        }
    }

    /// It was seen, or is about to be.
    pub(super) fn is_in_use(&self) -> bool {
        self.first_seen.is_some() || self.is_unsaved
    }

    /// There is more to it than an address that some packet had.
    pub(super) fn is_real(&self) -> bool {
        self.registered || self.mac.is_some() || !self.activity.usage.active().is_zero()
    }

    pub(super) fn is_registered(&self) -> bool {
        self.registered
    }

    /// Takes in another device that turned out to be this one. Returns the day that one of them had
    /// not ended yet.
    pub(super) fn merge(&mut self, other: Self) -> Option<DayUsage> {
        let ended = self.activity.merge(other.activity);
        self.first_seen = match (self.first_seen, other.first_seen) {
            (Some(mine), Some(others)) => Some(mine.min(others)),
            (mine, others) => mine.or(others),
        };
        self.last_seen = self.last_seen.max(other.last_seen);
        self.is_unsaved = true;
        self.view.expire();
        ended
    }

    /// How readers see it.
    pub(super) fn view(
        &mut self,
        alerts: impl Iterator<Item = String>,
        zone: &TimeZone,
    ) -> Arc<DeviceView> {
        let mut shown = std::mem::take(&mut self.view);
        let view = shown.now(|| self.view_now(alerts, zone));
        self.view = shown;
        view
    }

    fn view_now(&self, alerts: impl Iterator<Item = String>, zone: &TimeZone) -> DeviceView {
        let (rates, local) = (self.activity.rates(), self.activity.local_rates());
        let rules = self.activity.rules();
        let (name_source, name) = self.called();
        DeviceView {
            id: self.id.clone(),
            name,
            name_source,
            mac: self.mac,
            private_mac: self.mac.is_some_and(MacAddr::is_private),
            vendor: self.vendor.map(str::to_owned),
            addresses: self.addresses.clone(),
            registered: self.registered,
            muted: self.is_muted,
            group: self.group.clone(),
            sent_rate: rates.sent as u64,
            received_rate: rates.received as u64,
            // Rounded apart, so it may be more by one.
            sent_local_rate: (local.sent as u64).min(rates.sent as u64),
            received_local_rate: (local.received as u64).min(rates.received as u64),
            since_start: self.activity.since_start_view(),
            today: self.activity.today_view(),
            cycle: rules.quota().map(|_| self.activity.cycle_view()),
            thresholds: rules.view(),
            alerts: alerts.collect(),
            first_seen: self.first_seen.map(|at| rfc3339(at, zone)),
            last_seen: self.last_seen.map(|at| rfc3339(at, zone)),
        }
    }
}
