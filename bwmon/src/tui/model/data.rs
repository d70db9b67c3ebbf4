//! What is known of the devices: the latest of each, and their last minute.

use std::{collections::HashMap, sync::Arc};

use super::super::minute::Minute;
use crate::{
    core::view::{AlertState, AlertView, DeviceView, InterfaceView, Status},
    live::LiveSnapshot,
};

/// Samples so many times further apart than they should be leave a gap, as do ones that are so many
/// seconds apart.
const LATE: f64 = 3.0;

/// What is known.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Data {
    /// When the last sample was taken: RFC 3339.
    pub(in crate::tui) at: Option<String>,
    /// The same, in seconds of the Unix epoch.
    pub(in crate::tui) second: i64,
    pub(in crate::tui) status: Status,
    pub(in crate::tui) interfaces: Vec<InterfaceView>,
    /// Open ones, newest first.
    pub(in crate::tui) alerts: Vec<Arc<AlertView>>,
    /// In the order of their ids.
    pub(in crate::tui) devices: Vec<Device>,
    /// Of all devices together.
    pub(in crate::tui) sent: Total,
    /// Of all devices together.
    pub(in crate::tui) received: Total,
}

/// A device.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Device {
    pub(in crate::tui) view: Arc<DeviceView>,
    /// Both directions.
    pub(in crate::tui) minute: Minute,
    pub(in crate::tui) mark: Mark,
}

/// How many open alerts there are about a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tui) struct Mark {
    /// Of which nobody takes care yet.
    pub(in crate::tui) firing: usize,
    /// Of which somebody does, or that are muted.
    pub(in crate::tui) known: usize,
    /// That may become some.
    pub(in crate::tui) pending: usize,
}

/// One direction of all devices together.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Total {
    /// Bytes per second.
    pub(in crate::tui) rate: u64,
    pub(in crate::tui) minute: Minute,
}

impl Data {
    /// A sample came.
    pub(super) fn apply(&mut self, sample: LiveSnapshot) {
        let LiveSnapshot {
            at,
            full,
            status,
            interfaces,
            alerts,
            gone,
            devices,
            channels: _,
            mutes: _,
        } = sample;
        if full {
            self.replace(devices);
        } else {
            self.change(&gone, devices);
        }
        if let Some(alerts) = alerts {
            self.alerts = alerts;
        }
        self.interfaces = interfaces;
        let since = self.follow(at.as_deref(), status.poll.interval_seconds);
        self.at = at;
        self.status = status;
        self.mark();
        self.remember(since);
    }

    /// Something happened to an alert.
    pub(super) fn alert(&mut self, alert: Arc<AlertView>) {
        let known = self.alerts.iter_mut().find(|known| known.id == alert.id);
        match known {
            Some(known) => *known = alert,
            None => self.alerts.insert(0, alert),
        }
        self.alerts
            .retain(|alert| alert.state != AlertState::Resolved);
        self.mark();
    }

    /// The device of that id.
    pub(in crate::tui) fn device(&self, id: &str) -> Option<&Device> {
        let place = self.place(id).ok()?;
        self.devices.get(place)
    }

    /// How many alerts are firing now.
    pub(in crate::tui) fn firing(&self) -> usize {
        let is_firing = |alert: &&Arc<AlertView>| alert.state == AlertState::Firing;
        self.alerts.iter().filter(is_firing).count()
    }

    /// How many devices move something now.
    pub(in crate::tui) fn active(&self) -> usize {
        let is_active = |device: &&Device| device.rate() > 0;
        self.devices.iter().filter(is_active).count()
    }

    /// Bytes of today that count for the threshold: what crossed to the internet, where the machine
    /// routes.
    pub(in crate::tui) fn counted_today(&self, device: &DeviceView) -> u64 {
        let today = &device.today;
        let all = today.sent.saturating_add(today.received);
        match self.status.counts_every_address {
            true => all,
            false => all.saturating_sub(today.sent_local.saturating_add(today.received_local)),
        }
    }

    /// These are all there are. Who was there before keeps the last minute.
    fn replace(&mut self, devices: Vec<Arc<DeviceView>>) {
        let before = std::mem::take(&mut self.devices);
        let mut minutes: HashMap<String, Minute> = before
            .into_iter()
            .map(|device| (device.view.id.clone(), device.minute))
            .collect();
        self.devices = devices
            .into_iter()
            .map(|view| Device {
                minute: minutes.remove(&view.id).unwrap_or_default(),
                mark: Mark::default(),
                view,
            })
            .collect();
        // They come in this order, but what is searched here is to be sure of it.
        self.devices
            .sort_by(|one, other| one.view.id.cmp(&other.view.id));
        self.devices
            .dedup_by(|one, other| one.view.id == other.view.id);
    }

    fn change(&mut self, gone: &[String], devices: Vec<Arc<DeviceView>>) {
        for id in gone {
            if let Ok(place) = self.place(id) {
                self.devices.remove(place);
            }
        }
        for view in devices {
            match self.place(&view.id) {
                Ok(place) => {
                    if let Some(device) = self.devices.get_mut(place) {
                        device.view = view;
                    }
                }
                Err(place) => self.devices.insert(
                    place,
                    Device {
                        view,
                        minute: Minute::default(),
                        mark: Mark::default(),
                    },
                ),
            }
        }
    }

    fn place(&self, id: &str) -> Result<usize, usize> {
        self.devices
            .binary_search_by(|device| device.view.id.as_str().cmp(id))
    }

    /// Takes over the time of a sample. Returns the second after which its rates hold.
    fn follow(&mut self, at: Option<&str>, interval: f64) -> i64 {
        let at: Option<jiff::Timestamp> = at.and_then(|at| at.parse().ok());
        let Some(at) = at else {
            return self.second;
        };
        let before = self.second;
        self.second = at.as_second();
        let passed = self.second.saturating_sub(before);
        if passed as f64 > (interval * LATE).max(LATE) {
            self.second.saturating_sub(interval.clamp(1.0, 60.0) as i64)
        } else {
            before
        }
    }

    /// Takes down the rates.
    fn remember(&mut self, since: i64) {
        let (mut sent, mut received) = (0_u64, 0_u64);
        for device in &mut self.devices {
            sent = sent.saturating_add(device.view.sent_rate);
            received = received.saturating_add(device.view.received_rate);
            let rate = device.rate();
            device.minute.push(since, self.second, rate);
        }
        for (total, rate) in [(&mut self.sent, sent), (&mut self.received, received)] {
            total.rate = rate;
            total.minute.push(since, self.second, rate);
        }
    }

    fn mark(&mut self) {
        let mut marks: HashMap<&str, Mark> = HashMap::new();
        for alert in &self.alerts {
            let mark = marks.entry(alert.device.id.as_str()).or_default();
            let is_known = alert.acknowledged_at.is_some() || alert.muted;
            match alert.state {
                AlertState::Firing if is_known => mark.known += 1,
                AlertState::Firing => mark.firing += 1,
                AlertState::Pending => mark.pending += 1,
                AlertState::Resolved => {}
            }
        }
        for device in &mut self.devices {
            device.mark = marks.get(&*device.view.id).copied().unwrap_or_default();
        }
    }
}

impl Device {
    /// Bytes per second, both directions.
    pub(in crate::tui) fn rate(&self) -> u64 {
        let (sent, received) = (self.view.sent_rate, self.view.received_rate);
        sent.saturating_add(received)
    }

    /// Bytes today, both directions.
    pub(in crate::tui) fn today(&self) -> u64 {
        let today = &self.view.today;
        today.sent.saturating_add(today.received)
    }
}
