//! What changed from one snapshot to the next, for those who look on: the live stream of the API and
//! the terminal view, which both show a network of a thousand devices and care for the few that move.
//!
//! It compares and writes nothing: who sends or draws is elsewhere.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::core::view::{
    AlertState, AlertView, ChannelView, DeviceView, InterfaceView, MuteView, Snapshot, Status,
};

/// One event `snapshot` of `GET /api/v1/stream`: how things are now, as far as it is not known yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LiveSnapshot {
    /// When the sample was taken: RFC 3339; `None` before the first.
    pub at: Option<String>,
    /// Whether this is the first one, which has all devices. Forget what came before.
    pub full: bool,
    /// Status of the loop, and what the owner should know.
    pub status: Status,
    /// All interfaces.
    pub interfaces: Vec<InterfaceView>,
    /// What each channel did.
    pub channels: Vec<ChannelView>,
    /// All open alerts, newest first; `None`: as before.
    pub alerts: Option<Vec<Arc<AlertView>>>,
    /// All mutes in force; `None`: as before.
    pub mutes: Option<Vec<Arc<MuteView>>>,
    /// Ids of devices that are no more.
    pub gone: Vec<String>,
    /// Devices that are new or changed, in the order of their ids. The last member: it is the only
    /// one that may be long.
    pub devices: Vec<Arc<DeviceView>>,
}

/// What is new in a snapshot.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Alerts that begin to fire, end, or are taken care of or muted, oldest first.
    pub alerts: Vec<Arc<AlertView>>,
    /// The rest.
    pub snapshot: LiveSnapshot,
}

/// One who looks on, by what was seen last.
#[derive(Debug, Default)]
pub struct Live(Option<Arc<Snapshot>>);

impl Live {
    /// What is new since the last time; the first time, everything but what happened to alerts.
    pub fn next(&mut self, now: &Arc<Snapshot>) -> News {
        let before = self.0.replace(Arc::clone(now));
        let before = before.as_deref();
        let mut snapshot = LiveSnapshot {
            at: now.status.sampled_at.clone(),
            full: before.is_none(),
            status: now.status.clone(),
            interfaces: now.interfaces.clone(),
            channels: now.channels.clone(),
            ..LiveSnapshot::default()
        };
        let known = before.map_or(&[][..], |before| &before.devices);
        (snapshot.devices, snapshot.gone) = changes(known, &now.devices);
        let is_new =
            |same: fn(&Snapshot, &Snapshot) -> bool| before.is_none_or(|before| !same(before, now));
        if is_new(|before, now| Arc::ptr_eq(&before.alerts, &now.alerts)) {
            let open = |alert: &&Arc<AlertView>| alert.state != AlertState::Resolved;
            snapshot.alerts = Some(now.alerts.iter().filter(open).cloned().collect());
        }
        if is_new(|before, now| Arc::ptr_eq(&before.mutes, &now.mutes)) {
            snapshot.mutes = Some(now.mutes.to_vec());
        }
        News {
            alerts: before.map_or_else(Vec::new, |before| happened(before, now)),
            snapshot,
        }
    }
}

/// Both lists are in the order of ids, and share what did not change.
fn changes(
    before: &[Arc<DeviceView>],
    now: &[Arc<DeviceView>],
) -> (Vec<Arc<DeviceView>>, Vec<String>) {
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    let mut before = before.iter().peekable();
    for device in now {
        while let Some(old) = before.next_if(|old| old.id < device.id) {
            gone.push(old.id.clone());
        }
        let same = before.next_if(|old| old.id == device.id);
        if same.is_none_or(|same| !Arc::ptr_eq(same, device)) {
            changed.push(Arc::clone(device));
        }
    }
    gone.extend(before.map(|old| old.id.clone()));
    (changed, gone)
}

fn happened(before: &Snapshot, now: &Snapshot) -> Vec<Arc<AlertView>> {
    if Arc::ptr_eq(&before.alerts, &now.alerts) {
        return Vec::new();
    }
    let known = before.alerts.iter().map(|alert| (&*alert.id, &**alert));
    let known: HashMap<&str, &AlertView> = known.collect();
    let is_news = |alert: &&Arc<AlertView>| match known.get(&*alert.id) {
        Some(known) => {
            (known.state, &known.acknowledged_at, known.muted)
                != (alert.state, &alert.acknowledged_at, alert.muted)
        }
        None => true,
    };
    now.alerts
        .iter()
        .rev()
        .filter(|alert| alert.state != AlertState::Pending)
        .filter(is_news)
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        core::event::RuleKind,
        http::fixture::{alert, device, household, mute},
    };

    fn snapshot(devices: &[(u8, u64)]) -> Snapshot {
        let devices = devices.iter().map(|(id, rate)| {
            let mut device = device(&format!("{id:03}"), &["192.168.1.5"]);
            device.sent_rate = *rate;
            Arc::new(device)
        });
        Snapshot {
            devices: devices.collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_first_has_everything_and_no_alert_that_happened_before() {
        let news = Live::default().next(&Arc::new(household()));
        assert!(news.alerts.is_empty());
        let LiveSnapshot {
            full,
            devices,
            alerts,
            mutes,
            ..
        } = news.snapshot;
        assert!(full);
        assert_eq!(devices.len(), 3);
        let open: Vec<String> = alerts
            .unwrap()
            .iter()
            .map(|alert| alert.id.clone())
            .collect();
        assert_eq!(open, ["a2", "a1"]);
        assert_eq!(mutes.unwrap().len(), 1);
    }

    #[test]
    fn what_is_shared_with_the_last_one_is_not_told_again() {
        let mut live = Live::default();
        let first = household();
        live.next(&Arc::new(first.clone()));
        let news = live.next(&Arc::new(first.clone()));
        assert!(!news.snapshot.full);
        assert!(news.snapshot.devices.is_empty() && news.snapshot.gone.is_empty());
        assert!(news.snapshot.alerts.is_none() && news.snapshot.mutes.is_none());

        let mut second = first.clone();
        second.mutes = [mute("m1"), mute("m2")].map(Arc::new).into();
        let news = live.next(&Arc::new(second));
        assert_eq!(news.snapshot.mutes.unwrap().len(), 2);
        assert!(news.snapshot.alerts.is_none());
    }

    #[test]
    fn alerts_are_told_when_they_fire_end_or_are_taken_care_of() {
        let mut live = Live::default();
        let mut happened = |alerts: Vec<AlertView>| -> Vec<String> {
            let snapshot = Snapshot {
                alerts: alerts.into_iter().map(Arc::new).collect(),
                ..Snapshot::default()
            };
            let news = live.next(&Arc::new(snapshot));
            news.alerts.iter().map(|alert| alert.id.clone()).collect()
        };
        let a1 = |state| alert("a1", state, RuleKind::Volume);
        let a2 = |state| alert("a2", state, RuleKind::Rate);
        assert!(happened(Vec::new()).is_empty());
        assert!(happened(vec![a1(AlertState::Pending)]).is_empty());
        assert_eq!(happened(vec![a1(AlertState::Firing)]), ["a1"]);
        let mut more = a1(AlertState::Firing);
        more.observed += 1;
        assert!(happened(vec![more.clone()]).is_empty());
        more.acknowledged_at = Some("2026-03-08T14:05:00+01:00".to_owned());
        assert_eq!(happened(vec![more.clone()]), ["a1"]);
        more.muted = true;
        assert_eq!(happened(vec![more]), ["a1"]);
        let both = vec![a2(AlertState::Firing), a1(AlertState::Resolved)];
        assert_eq!(happened(both), ["a1", "a2"], "oldest first");
        assert!(happened(vec![a2(AlertState::Firing)]).is_empty());
    }

    proptest! {
        #[test]
        fn who_follows_knows_what_is(
            worlds in prop::collection::vec(
                prop::collection::btree_map(0_u8..20, 0_u64..3, 0..12),
                1..8,
            ),
        ) {
            let mut live = Live::default();
            let mut known: std::collections::BTreeMap<String, u64> = Default::default();
            let mut last: Vec<Arc<DeviceView>> = Vec::new();
            for world in worlds {
                let mut now = snapshot(&world.iter().map(|(id, rate)| (*id, *rate)).collect::<Vec<_>>());
                // As the ledger does: what did not change is shared.
                now.devices = now
                    .devices
                    .iter()
                    .map(|device| {
                        let same = last.iter().find(|old| {
                            old.id == device.id && old.sent_rate == device.sent_rate
                        });
                        Arc::clone(same.unwrap_or(device))
                    })
                    .collect();
                last = now.devices.to_vec();
                let news = live.next(&Arc::new(now.clone())).snapshot;
                for id in &news.gone {
                    prop_assert!(known.remove(id).is_some());
                }
                for device in &news.devices {
                    let before = known.insert(device.id.clone(), device.sent_rate);
                    prop_assert_ne!(before, Some(device.sent_rate));
                }
                let expected = now.devices.iter().map(|device| (device.id.clone(), device.sent_rate));
                prop_assert_eq!(&known, &expected.collect());
            }
        }
    }
}
