//! The core, driven by a recording instead of the kernel: the one place here that knows the ledger.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use bwmon_common::layout::Row;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::report::FoundAlert;
use crate::core::{
    event::EventState,
    ledger::{Arrival, Ledger, Occasion, Remembered, Saved},
    mac::MacAddr,
    policy::{Policy, Scope},
    time::{Monotonic, Now},
    view::AlertState,
};

/// A ledger, and what it told.
pub(super) struct Player {
    ledger: Ledger,
    zone: TimeZone,
    now: Now,
    ids: u64,
    day: Date,
    /// What began before is not looked for.
    from: Option<Timestamp>,
    alerts: Vec<FoundAlert>,
    /// Those that are firing, by id: which one, and since when.
    firing: HashMap<String, (usize, Monotonic)>,
}

impl Player {
    pub(super) fn new(policy: Policy, zone: TimeZone, start: Timestamp) -> Self {
        let now = Now {
            monotonic: Monotonic::default(),
            wall: start,
        };
        let ledger = Ledger::new(policy, Scope::Internet, zone.clone(), &now);
        Self {
            day: ledger.today(),
            ledger,
            zone,
            now,
            ids: 0,
            from: None,
            alerts: Vec::new(),
            firing: HashMap::new(),
        }
    }

    /// Only tells of what begins from then on.
    pub(super) fn tell_from(&mut self, from: Timestamp) {
        self.from = Some(from);
    }

    /// Takes in which MACs were seen before the first sample, and for how long there was anybody to
    /// see them.
    pub(super) fn know(
        &mut self,
        macs: impl IntoIterator<Item = (MacAddr, Timestamp)>,
        watched: Duration,
    ) {
        let seen = macs.into_iter().map(|(mac, at)| {
            let arrival = Arrival {
                at,
                watched_for: 0,
                in_a_crowd: false,
            };
            (mac.to_string(), Remembered::Seen(arrival))
        });
        let watched = (String::new(), Remembered::Watched(watched.as_secs()));
        let saved = Saved {
            memory: seen.chain([watched]).collect(),
            ..Saved::default()
        };
        self.ledger.restore(saved, &self.now);
    }

    /// Takes in what an interface carried, before the sample that it is part of.
    pub(super) fn carried(&mut self, interface: &str, row: Row) {
        self.ledger.carried(interface, row);
    }

    /// Takes in that an address has this MAC.
    pub(super) fn learn(&mut self, address: IpAddr, mac: MacAddr) {
        self.ledger.learn(address, mac);
    }

    /// Takes in what was counted in the time `elapsed` up to `at`.
    pub(super) fn sample(
        &mut self,
        at: Timestamp,
        elapsed: Duration,
        counted: impl IntoIterator<Item = (IpAddr, Row)>,
    ) {
        self.now = Now {
            monotonic: Monotonic(self.now.monotonic.0 + elapsed),
            wall: at,
        };
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            ids.to_string()
        };
        let told = self.ledger.sample(&self.now, elapsed, counted, &mut new_id);
        if self.ledger.today() != self.day {
            self.day = self.ledger.today();
            // Nobody writes it down here, and it grows until it is taken.
            drop(self.ledger.take_changes(Occasion::Checkpoint));
        }
        for transition in told {
            let alert = &*transition.alert;
            let known = self.firing.get(&alert.id).map(|(index, _)| *index);
            if known.is_none() && self.from.is_some_and(|from| alert.started_at < from) {
                continue;
            }
            let index = known.unwrap_or_else(|| {
                self.alerts.push(FoundAlert::new(alert));
                self.alerts.len() - 1
            });
            if let Some(found) = self.alerts.get_mut(index) {
                found.update(alert, &self.zone);
            }
            match transition.state {
                EventState::Firing => {
                    let since = self.now.monotonic.0.saturating_sub(alert.lasted);
                    self.firing
                        .insert(alert.id.clone(), (index, Monotonic(since)));
                }
                EventState::Reminder => {}
                EventState::Resolved => {
                    self.firing.remove(&alert.id);
                }
            }
        }
    }

    /// How much time was played.
    pub(super) fn played(&self) -> Duration {
        self.now.monotonic.0
    }

    /// How many devices there were.
    pub(super) fn device_count(&mut self) -> usize {
        let devices = self.ledger.device_views();
        let seen = devices.iter().filter(|device| device.first_seen.is_some());
        seen.count()
    }

    /// All alerts that somebody would have been told of, in the order in which they were.
    pub(super) fn finish(mut self) -> Vec<FoundAlert> {
        for view in self.ledger.alert_views().iter() {
            let Some((index, since)) = self.firing.get(&view.id) else {
                continue;
            };
            if view.state == AlertState::Firing
                && let Some(found) = self.alerts.get_mut(*index)
            {
                found.see(view.observed, view.peak_rate);
                found.duration_seconds = self.now.monotonic.since(*since).as_secs();
            }
        }
        self.alerts
    }
}
