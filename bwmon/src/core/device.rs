//! One device: what it is called, what applies to it, what it does.

use std::{net::IpAddr, sync::Arc};

use bwmon_common::layout::Row;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    alerts::DeviceRef,
    event::SubjectKind,
    mac::MacAddr,
    meter::Rates,
    policy::{Directed, Policy, Rules, Scope},
    rules::Facts,
    time::rfc3339,
    usage::{CycleUsage, DayUsage},
    view::{DeviceView, TodayView},
};

/// A device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) mac: Option<MacAddr>,
    /// In order; the first IPv4 one is the one people know.
    pub(super) addresses: Vec<IpAddr>,
    name: Option<String>,
    group: Option<String>,
    registered: bool,
    muted: bool,
    rules: Rules,
    pub(super) usage: DayUsage,
    used: CycleUsage,
    /// All traffic, for people.
    rates: Rates,
    /// The part of it that stays in the local networks.
    local_rates: Rates,
    /// Counted since the last sample.
    pub(super) pending: Row,
    pub(super) first_seen: Option<Timestamp>,
    pub(super) last_seen: Option<Timestamp>,
    /// Changed since the last checkpoint.
    pub(super) is_unsaved: bool,
    /// Taken away when anything changes.
    pub(super) view: Option<Arc<DeviceView>>,
}

impl Device {
    pub(super) fn new(id: String, mac: Option<MacAddr>, usage: DayUsage) -> Self {
        Self {
            id,
            mac,
            addresses: Vec::new(),
            name: None,
            group: None,
            registered: false,
            muted: false,
            rules: Rules::default(),
            usage,
            used: CycleUsage::default(),
            rates: Rates::default(),
            local_rates: Rates::default(),
            pending: Row::default(),
            first_seen: None,
            last_seen: None,
            is_unsaved: false,
            view: None,
        }
    }

    /// What the owner says of it.
    pub(super) fn apply(&mut self, policy: &Policy) {
        let entry = policy.registration(self.mac, &self.addresses);
        self.name = entry.and_then(|entry| entry.name.clone());
        self.group = entry.and_then(|entry| entry.group.clone());
        self.registered = entry.is_some();
        self.muted = entry.is_some_and(|entry| entry.muted);
        self.rules = policy.rules(entry, &self.addresses);
        self.view = None;
    }

    /// What the owner calls it, or the address people know it by.
    pub(super) fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let known = self.addresses.iter().find(|address| address.is_ipv4());
            known
                .or(self.addresses.first())
                .map_or_else(|| self.id.clone(), ToString::to_string)
        })
    }

    pub(super) fn facts(&self, local: DateTime, scope: Scope) -> Facts<'_> {
        Facts {
            local,
            usage: &self.usage,
            used: &self.used,
            cycle: self.rules.cycle,
            rates: self.rates,
            local_rates: self.local_rates,
            surge: Directed::default(),
            silent_for: std::time::Duration::ZERO,
            newcomer: None,
            scope,
            is_muted: self.muted,
        }
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
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

    /// Takes what was counted since the last sample into the rates.
    pub(super) fn update_rates(&mut self, counted: &Row, elapsed: std::time::Duration) {
        let Row {
            sent,
            received,
            sent_local,
            received_local,
        } = counted;
        self.rates.update(sent.bytes, received.bytes, elapsed);
        self.local_rates
            .update(sent_local.bytes, received_local.bytes, elapsed);
    }

    pub(super) fn is_silent(&self) -> bool {
        self.rates.is_silent()
    }

    /// It was seen, or is about to be.
    pub(super) fn is_in_use(&self) -> bool {
        self.first_seen.is_some() || self.is_unsaved
    }

    pub(super) fn is_registered(&self) -> bool {
        self.registered
    }

    /// Takes in another device that turned out to be this one. Both must be on the same day.
    pub(super) fn merge(&mut self, other: Self) {
        self.usage.merge(&other.usage);
        self.pending = super::meter::plus(self.pending, other.pending);
        for (mine, others) in [
            (&mut self.rates, other.rates),
            (&mut self.local_rates, other.local_rates),
        ] {
            mine.sent += others.sent;
            mine.received += others.received;
        }
        self.first_seen = match (self.first_seen, other.first_seen) {
            (Some(mine), Some(others)) => Some(mine.min(others)),
            (mine, others) => mine.or(others),
        };
        self.last_seen = self.last_seen.max(other.last_seen);
        self.is_unsaved = true;
        self.view = None;
    }

    /// How readers see it.
    pub(super) fn view(
        &mut self,
        alerts: impl Iterator<Item = String>,
        zone: &TimeZone,
    ) -> Arc<DeviceView> {
        if let Some(view) = &self.view {
            return view.clone();
        }
        let view = Arc::new(DeviceView {
            id: self.id.clone(),
            name: self.name(),
            mac: self.mac,
            vendor: None,
            addresses: self.addresses.clone(),
            registered: self.registered,
            group: self.group.clone(),
            sent_rate: self.rates.sent as u64,
            received_rate: self.rates.received as u64,
            today: TodayView {
                sent: self.usage.sent,
                received: self.usage.received,
                sent_local: self.usage.sent_local,
                received_local: self.usage.received_local,
                active_seconds: self.usage.active().as_secs(),
            },
            cycle: None,
            thresholds: self.rules.view(),
            alerts: alerts.collect(),
            first_seen: self.first_seen.map(|at| rfc3339(at, zone)),
            last_seen: self.last_seen.map(|at| rfc3339(at, zone)),
        });
        self.view = Some(view.clone());
        view
    }
}
