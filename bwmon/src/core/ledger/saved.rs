//! Takes in what an earlier run left.

use super::{memory::activity_of, *};
use crate::core::event::RuleKind;

impl Ledger {
    /// Goes on from where an earlier run was. To be called once, before the first sample.
    pub fn restore(&mut self, saved: Saved, now: &Now) {
        let Saved {
            devices,
            usage,
            finished,
            addresses,
            alerts,
            memory,
            at,
        } = saved;
        if let Some(at) = at {
            self.history.resume(at, now);
        }
        // Registered devices that wait to be seen; they come back at the end.
        self.devices.clear();
        self.listed.clear();
        for saved in devices {
            if let Some(mac) = saved.mac {
                for address in &saved.addresses {
                    let heard = Heard::somewhere(*address, mac);
                    // In use for as long as the device was: nobody knows it better any more.
                    self.identity.learn(&heard, saved.last_seen, |_| None);
                }
            }
            let mut device = Device::new(saved.id.clone(), saved.mac, self.today);
            device.first_seen = Some(saved.first_seen);
            device.last_seen = Some(saved.last_seen);
            device.apply(&self.policy);
            self.busy_devices.insert(saved.id.clone());
            self.devices.insert(saved.id.clone(), device);
            for address in saved.addresses {
                self.list(address, &saved.id);
            }
        }
        for saved in addresses {
            if let Some(mac) = saved.mac {
                let heard = Heard::somewhere(saved.address, mac);
                self.identity.learn(&heard, saved.last_seen, |_| None);
                if self.identity.mac(saved.address) != Some(mac) {
                    // It made room for another one of that MAC.
                    continue;
                }
            }
            self.addresses.insert(
                saved.address,
                AddressEntry {
                    device: Some(saved.device).filter(|id| self.devices.contains_key(id)),
                    total: saved.total,
                    pending: Row::default(),
                    rates: Rates::default(),
                    first_seen: saved.first_seen,
                    last_seen: saved.last_seen,
                    is_unsaved: false,
                    placed: self.network,
                    view: Shown::default(),
                },
            );
            self.place(saved.address);
        }
        // A machine that does not know the time yet goes on with the day it was.
        let latest = usage.iter().map(|(_, usage)| usage.day).max();
        self.today = latest.map_or(self.today, |latest| latest.max(self.today));
        // Whoever did nothing on that day has not begun an earlier one, either.
        for device in self.devices.values_mut() {
            device.activity.usage = DayUsage::on(self.today);
        }
        for (id, usage) in usage {
            if let Some(device) = self.devices.get_mut(&id) {
                device.activity.usage = usage;
            }
        }
        for (id, usage) in finished {
            if let Some(device) = self.devices.get_mut(&id) {
                device.activity.had_finished(usage);
            }
        }
        self.day = LocalDay::new(self.today);
        self.alerts = Alerts::restore(alerts, now);
        let policy = std::mem::take(&mut self.policy);
        self.apply(policy);
        // Only what is held to a rule goes on learning what is usual.
        for (subject, content) in memory {
            self.recall(&subject, content, now);
        }
        self.resume_alerts();
    }

    /// Has open alerts go on with the facts that they are about, and end where there is nobody left
    /// that they could be about.
    fn resume_alerts(&mut self) {
        let Self {
            devices,
            totals,
            alerts,
            gone,
            ..
        } = self;
        for alert in alerts.open() {
            let id = &alert.device.id;
            match activity_of(devices, totals, id) {
                // Nobody heard it say anything.
                Some(activity) if alert.rule == RuleKind::Silent => {
                    activity.resume_silence(Duration::from_secs(alert.observed));
                }
                Some(_) => {}
                None => gone.push(id.clone()),
            }
        }
    }

    /// Every alert as it is to be kept.
    pub fn alert_records(&self, now: &Now) -> Vec<AlertRecord> {
        self.alerts.records(now)
    }
}
