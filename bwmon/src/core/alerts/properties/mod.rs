//! What must hold for all input.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

mod world;

use super::*;
use crate::core::{event::EventState, policy::Thresholds, time::Monotonic};
use world::{Happening, World, any_ticks, calm_ticks};

/// Otherwise the properties below could hold because nothing ever happens.
#[test]
fn the_inputs_reach_every_rule_and_every_ending() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..200 {
        let mut world = World::new();
        for tick in any_ticks().new_tree(&mut runner).unwrap().current() {
            for (transition, _) in world.tick(&tick) {
                let ending = transition.alert.ending.map(|ending| format!("{ending:?}"));
                reached.insert((transition.alert.rule, ending));
            }
        }
    }
    // Each rule: fired and five endings, apart from a rate, for which no day is over.
    assert_eq!(reached.len(), 3 * 6 - 1, "{reached:?}");
}

proptest! {
    #[test]
    fn what_is_told_is_what_is_firing(ticks in any_ticks()) {
        let mut world = World::new();
        let (mut firing, mut ended) = (BTreeSet::new(), BTreeSet::new());
        let mut events = BTreeSet::new();
        for tick in &ticks {
            for (transition, _) in world.tick(tick) {
                let id = transition.alert.id.clone();
                prop_assert!(events.insert(transition.event_id), "an event id came twice");
                match transition.state {
                    EventState::Firing => {
                        prop_assert!(!ended.contains(&id), "{id} fired after its end");
                        prop_assert!(firing.insert(id), "fired twice");
                    }
                    EventState::Resolved => {
                        prop_assert!(firing.remove(&id), "resolved what was not firing");
                        ended.insert(id);
                    }
                }
            }
            let open = |state| world.alerts.open().filter(move |alert| alert.state == state);
            let listed: BTreeSet<_> = open(AlertState::Firing).map(|alert| alert.id.clone()).collect();
            prop_assert_eq!(&listed, &firing);
            let key = |alert: &Alert| (alert.device.id.clone(), alert.rule);
            let keys: BTreeSet<_> = world.alerts.open().map(key).collect();
            prop_assert_eq!(keys.len(), world.alerts.open().count(), "two open alerts of a key");
            prop_assert_eq!(world.alerts.closed().count(), ended.len().min(HISTORY));
        }
    }

    #[test]
    fn a_restart_at_any_sample_changes_nothing(ticks in any_ticks(), every in 1..40_usize) {
        let (mut world, mut restarted) = (World::new(), World::new());
        for (index, tick) in ticks.iter().enumerate() {
            if index % every == 0 {
                restarted.restart();
            }
            prop_assert_eq!(world.tick(tick), restarted.tick(tick));
        }
        let (now, then) = (world.now(), restarted.now());
        prop_assert_eq!(world.alerts.records(&now), restarted.alerts.records(&then));
    }

    #[test]
    fn the_same_input_tells_the_same(ticks in any_ticks()) {
        let (mut one, mut other) = (World::new(), World::new());
        for tick in &ticks {
            prop_assert_eq!(one.tick(tick), other.tick(tick));
        }
    }

    #[test]
    fn nothing_fires_that_does_not_exceed_its_threshold(ticks in any_ticks(), capped in any::<bool>()) {
        let mut world = World::new();
        for mut tick in ticks {
            if capped {
                // At the threshold, but not over it.
                let Thresholds { bandwidth, active_time, bytes_per_sec } = &mut tick.thresholds;
                *bandwidth = Some(world.usage.iter().map(|usage| usage.sent + usage.received).sum());
                *bandwidth = bandwidth.map(|bytes| bytes + tick.traffic[0].bytes + tick.traffic[1].bytes);
                *active_time = Some(Duration::from_secs(86_400));
                *bytes_per_sec = Some(7000);
            }
            for (transition, finding) in world.tick(&tick) {
                let verdict = finding.and_then(|finding| finding.verdict);
                if transition.state == EventState::Firing {
                    prop_assert!(!capped);
                    prop_assert!(verdict.is_some_and(|verdict| verdict.observed > verdict.threshold));
                    prop_assert!(transition.alert.observed > transition.alert.threshold);
                }
            }
        }
    }

    #[test]
    fn a_rate_fires_only_after_ten_seconds_over_without_a_break(ticks in any_ticks()) {
        let mut world = World::new();
        let mut over_since: [Option<Monotonic>; 2] = [None; 2];
        for tick in &ticks {
            let told = world.tick(tick);
            if matches!(tick.happening, Happening::Join) {
                // What the phone did was the laptop's doing.
                over_since = [over_since.into_iter().flatten().min(), None];
            }
            let limit = tick.thresholds.bytes_per_sec.filter(|_| !tick.muted);
            for (since, traffic) in over_since.iter_mut().zip(tick.traffic) {
                let over = limit.is_some_and(|limit| traffic.bytes_per_sec > limit as f64);
                *since = over.then(|| since.unwrap_or(world.now.monotonic));
            }
            for (transition, _) in told {
                if (transition.alert.rule, transition.state) == (RuleKind::Rate, EventState::Firing) {
                    let index = usize::from(transition.alert.device.id == "phone");
                    let since = over_since[index].map(|since| world.now.monotonic.since(since));
                    prop_assert!(since >= Some(Duration::from_secs(10)), "{since:?}");
                }
            }
        }
    }

    #[test]
    fn a_cooldown_is_broken_only_by_what_is_worse(ticks in calm_ticks()) {
        let mut world = World::new();
        let mut before: BTreeMap<(String, RuleKind), (Duration, Arc<Alert>)> = BTreeMap::new();
        for tick in &ticks {
            for (transition, _) in world.tick(tick) {
                let alert = transition.alert;
                let (key, now) = ((alert.device.id.clone(), alert.rule), world.now.monotonic.0);
                if transition.state == EventState::Resolved {
                    before.insert(key, (now, alert));
                    continue;
                }
                let Some((ended, told)) = before.get(&key) else { continue };
                if alert.rule == RuleKind::Rate {
                    let quiet = now - *ended < Duration::from_secs(300);
                    prop_assert!(!quiet || alert.observed >= 2 * told.level, "{told:?} {alert:?}");
                } else if alert.today.day == told.today.day {
                    prop_assert!(alert.threshold > told.threshold, "{told:?} {alert:?}");
                }
            }
        }
    }

    #[test]
    fn an_alert_ends_with_its_length_its_bytes_and_its_peak(ticks in calm_ticks()) {
        let mut world = World::new();
        let mut open: BTreeMap<String, (Duration, u64, u64)> = BTreeMap::new();
        for tick in &ticks {
            let told = world.tick(tick);
            let now = world.now.monotonic.0;
            let ended = told.iter().filter(|(told, _)| told.state == EventState::Resolved);
            let ended: Vec<Alert> = ended.map(|(told, _)| Alert::clone(&told.alert)).collect();
            for alert in ended.iter().chain(world.alerts.open()) {
                let traffic = tick.traffic[usize::from(alert.device.id == "phone")];
                let rate = traffic.bytes_per_sec as u64;
                let first = !open.contains_key(&alert.id);
                let (began, bytes, peak) = open.entry(alert.id.clone()).or_insert((now, 0, rate));
                if !first && alert.ending != Some(Ending::DayOver) {
                    *bytes += traffic.bytes;
                    *peak = rate.max(*peak);
                }
                prop_assert_eq!(alert.lasted, now - *began);
                prop_assert_eq!((alert.moved_bytes, alert.peak_bytes_per_sec), (*bytes, *peak));
            }
        }
    }
}
