//! What follows from a sample, once it is counted whose it was: rates, days, findings, alerts.

use super::*;
use crate::core::event::RuleKind;

impl Ledger {
    pub(super) fn settle_addresses(&mut self, now: &Now, elapsed: Duration) {
        if !self.busy_addresses.is_empty() {
            self.views.addresses.expire();
        }
        let addresses = &mut self.addresses;
        self.busy_addresses.retain(|address| {
            let Some(entry) = addresses.get_mut(address) else {
                return false;
            };
            let counted = std::mem::take(&mut entry.pending);
            entry
                .rates
                .update(counted.sent.bytes, counted.received.bytes, elapsed);
            entry.view.expire();
            if counted != Row::default() {
                entry.last_seen = now.wall;
                entry.is_unsaved = true;
            }
            !entry.rates.is_silent()
        });
    }

    /// Gives the alerts of devices that turned out to be others to those.
    pub(super) fn join_alerts(
        &mut self,
        now: &Now,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let mut told = Vec::new();
        for (from, to) in std::mem::take(&mut self.joined) {
            if let Some(device) = self.devices.get(&to) {
                let name = device.name();
                let today = |rule| {
                    device
                        .activity
                        .today(device.activity.scope(rule, self.scope))
                };
                let reference = device.reference(&name);
                told.extend(self.alerts.join(now, &from, &reference, today, new_id));
            }
        }
        told
    }

    pub(super) fn settle_devices(
        &mut self,
        moment: &Moment,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let mut told = Vec::new();
        if !self.busy_devices.is_empty() {
            self.views.devices.expire();
            self.views.alerts.expire();
        }
        let Self {
            devices,
            alerts,
            finished,
            undated,
            busy_devices,
            known,
            history,
            ..
        } = self;
        let now = &moment.now;
        busy_devices.retain(|id| {
            let Some(device) = devices.get_mut(id) else {
                return false;
            };
            if device.is_real() {
                device.activity.start_learning();
            }
            let settled = device
                .activity
                .settle(moment, |direction| alerts.is_surging(id, direction));
            if let Some(yesterday) = settled.finished
                && yesterday.sent + yesterday.received > 0
            {
                finished.push((id.clone(), yesterday));
            }
            for day in settled.undated {
                finished.retain(|(other, usage)| other != id || usage.day != day);
                undated.push((id.clone(), day));
                device.is_unsaved = true;
            }
            if settled.has_counted {
                device.first_seen.get_or_insert(now.wall);
                device.last_seen = Some(now.wall);
                device.is_unsaved = true;
                let (counted, rates) = (settled.counted, device.activity.rates());
                history.device(id, device.is_real(), moment.day, counted, rates);
            }
            device.view.expire();
            // Whom the owner registered is known.
            let stranger = device.mac.filter(|_| !device.is_registered());
            if let Some(mac) = device.mac.filter(|_| settled.has_counted) {
                known.see(mac, now);
            }
            let newcomer = stranger.and_then(|mac| known.newcomer(mac, now));
            let facts = device.activity.facts(moment, newcomer, device.is_muted);
            let name = device.name();
            let reference = device.reference(&name);
            let rules = device.activity.rules().list();
            let findings = rules.iter().map(|rule| facts.finding(rule));
            let transitions = alerts.step(now, &reference, findings, new_id);
            if transitions.iter().any(is_of_a_surge) {
                device.activity.keep_what_is_usual();
            }
            told.extend(transitions);
            !device.activity.is_at_rest() || alerts.open_of(id).next().is_some()
        });
        told
    }

    /// The same for groups and interfaces, of which there are few.
    pub(super) fn settle_totals(
        &mut self,
        moment: &Moment,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let mut told = Vec::new();
        let Self {
            devices,
            totals,
            alerts,
            gone,
            ..
        } = self;
        for id in gone.drain(..) {
            // It may have come back since.
            if !devices.contains_key(&id) && totals.by_id(&id).is_none() {
                told.extend(alerts.forget(&moment.now, &id, new_id));
            }
        }
        for total in totals.iter_mut() {
            let Total { id, activity, .. } = total;
            let settled = activity.settle(moment, |direction| alerts.is_surging(id, direction));
            total.is_unsaved |= settled.has_counted;
            let facts = total.activity.facts(moment, None, false);
            let reference = total.reference();
            let rules = total.activity.rules().list();
            let findings = rules.iter().map(|rule| facts.finding(rule));
            let transitions = alerts.step(&moment.now, &reference, findings, new_id);
            if transitions.iter().any(is_of_a_surge) {
                total.activity.keep_what_is_usual();
            }
            told.extend(transitions);
        }
        if !told.is_empty() {
            self.views.alerts.expire();
        }
        told
    }
}

/// After a crash, it takes what is usual to tell that a surge is over.
fn is_of_a_surge(transition: &Transition) -> bool {
    transition.alert.rule == RuleKind::Surge
}
