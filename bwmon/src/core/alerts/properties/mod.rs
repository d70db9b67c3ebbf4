//! What must hold for all input.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

mod values;
mod world;

use super::*;
use crate::core::{
    event::{Direction, EventState},
    policy::Cooldown,
    time::Monotonic,
};
use world::{COOLDOWN, Happening, REPEAT, Told, World, any_ticks, calm_ticks, jumping_ticks};

/// A case is hundreds of samples, so a few do.
const CASES: u32 = 96;

/// Otherwise the properties below could hold because nothing ever happens.
#[test]
fn the_inputs_reach_every_rule_and_every_ending() {
    let mut runner = TestRunner::deterministic();
    let (mut reached, mut damped, mut spared) = (BTreeSet::new(), 0, 0);
    for _ in 0..300 {
        let mut world = World::new();
        for tick in any_ticks().new_tree(&mut runner).unwrap().current() {
            for (transition, _) in world.tick(&tick) {
                let alert = &transition.alert;
                damped += usize::from(alert.damped.is_some());
                spared += usize::from(alert.acknowledged.is_some() || alert.muted);
                let change = match alert.ending {
                    Some(ending) => format!("{ending:?}"),
                    None => format!("{:?}", transition.state),
                };
                reached.insert((alert.rule, change));
            }
        }
    }
    let rules = |change: &str| {
        let reached = reached.iter().filter(|(_, reached)| reached == change);
        reached.map(|(rule, _)| *rule).collect::<Vec<_>>()
    };
    for change in [
        "Firing",
        "Reminder",
        "Cleared",
        "SwitchedOff",
        "OutOfHours",
        "Forgotten",
    ] {
        assert_eq!(rules(change), RuleKind::ALL, "{change}");
    }
    let of_a_period = [RuleKind::Volume, RuleKind::ActiveTime, RuleKind::Quota];
    assert_eq!(rules("DayOver"), of_a_period);
    let mut known = RuleKind::ALL.to_vec();
    known.retain(|rule| *rule != RuleKind::NewDevice);
    assert_eq!(rules("Joined"), known, "the laptop is never new");
    assert!(damped > 20 && spared > 20, "{damped} {spared}");
}

proptest! {
    // Each case writes and reads all that is saved many times.
    #![proptest_config(ProptestConfig::with_cases(CASES / 2))]

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
        prop_assert!(world.alerts.mutes().eq(restarted.alerts.mutes()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

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
                    EventState::Reminder => {
                        prop_assert!(firing.contains(&id), "reminded of what is not firing");
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
            let key = |alert: &Alert| (alert.device.id.clone(), alert.rule().index());
            let keys: BTreeSet<_> = world.alerts.open().map(key).collect();
            prop_assert_eq!(keys.len(), world.alerts.open().count(), "two open alerts of a key");
            prop_assert_eq!(world.alerts.closed().count(), ended.len().min(HISTORY));
        }
    }

    #[test]
    fn the_same_input_tells_the_same(ticks in any_ticks()) {
        let (mut one, mut other) = (World::new(), World::new());
        for tick in &ticks {
            prop_assert_eq!(one.tick(tick), other.tick(tick));
        }
    }

    #[test]
    fn a_wall_clock_that_jumps_changes_nothing_of_what_passes(ticks in jumping_ticks()) {
        let (mut jumping, mut right) = (World::new(), World::new());
        let passing = |told: Vec<Told>| -> Vec<_> {
            let told = told.into_iter().map(|(told, _)| (told.alert.rule(), told.state, told.alert.lasted));
            told.filter(|(rule, ..)| matches!(rule.kind, RuleKind::Rate | RuleKind::Surge | RuleKind::Silent))
                .collect()
        };
        for mut tick in ticks {
            let told = passing(jumping.tick(&tick));
            tick.wall_step = 0;
            prop_assert_eq!(told, passing(right.tick(&tick)));
        }
    }

    #[test]
    fn nobody_is_told_the_same_twice_within_the_repetition(ticks in any_ticks()) {
        let mut world = World::new();
        let mut told_at: BTreeMap<(String, &str), Duration> = BTreeMap::new();
        for tick in &ticks {
            for (transition, _) in world.tick(tick) {
                let (now, state) = (world.now.monotonic.0, format!("{:?}", transition.state));
                let id = transition.alert.id.clone();
                if transition.state == EventState::Reminder {
                    let before = ["Firing", "Reminder"].map(|state| told_at.get(&(id.clone(), state)));
                    let before = before.into_iter().flatten().max();
                    prop_assert!(before.is_some_and(|before| now - *before >= REPEAT));
                    prop_assert!(transition.alert.acknowledged.is_none());
                    prop_assert!(!transition.alert.muted);
                }
                let state = ["Firing", "Reminder", "Resolved"].into_iter().find(|known| **known == state);
                let before = told_at.insert((id, state.unwrap()), now);
                prop_assert!(before.is_none_or(|before| now - before >= REPEAT));
            }
        }
    }

    #[test]
    fn what_lasts_is_told_again(ticks in calm_ticks()) {
        let mut world = World::new();
        let mut told_at: BTreeMap<String, Duration> = BTreeMap::new();
        for tick in &ticks {
            let told = world.tick(tick);
            let now = world.now.monotonic.0;
            for (transition, _) in told {
                told_at.insert(transition.alert.id.clone(), now);
            }
            // Those that begin to clear, of which nobody is reminded, are left out.
            let firing = world.alerts.tracks.values().flatten();
            let firing = firing.filter(|track| track.stage() == Stage::Firing);
            for alert in firing.filter_map(open_alert) {
                prop_assert!(now - told_at[&alert.id] < REPEAT, "{alert:?}");
            }
        }
    }

    #[test]
    fn what_is_muted_does_not_begin(ticks in any_ticks()) {
        let mut world = World::new();
        for tick in &ticks {
            for (transition, _) in world.tick(tick) {
                let Alert { device, rule, .. } = &*transition.alert;
                let is_muted = world.alerts.mutes.of(&device.id).has(*rule);
                prop_assert!(!is_muted || transition.state == EventState::Resolved);
            }
        }
    }

    #[test]
    fn what_is_long_over_is_forgotten(ticks in any_ticks()) {
        let mut world = World::new();
        for tick in &ticks {
            world.tick(tick);
        }
        // The hours are over; then no silence and nothing that came and went is worth a thought,
        // at the latest when both clocks are ten days further.
        let mut tick = ticks[0];
        (tick.is_out_of_hours, tick.rules, tick.happening) = (true, 0, Happening::Nothing);
        world.tick(&tick);
        (tick.millis, tick.wall_step) = (10 * 86_400_000, 10 * 86_400);
        world.tick(&tick);
        prop_assert!(world.alerts.tracks.is_empty(), "{:?}", world.alerts.tracks);
    }
}
