//! Rules that look at more than one device, or at more than one day.

use std::collections::BTreeMap;

use super::*;
use crate::core::{
    cycle::Cycle,
    event::{Direction, RuleKind, SubjectKind},
    policy::{Directed, Group, QuotaLimit, Scope},
    schedule::{Days, Schedule, Window},
};

fn off() -> Limits {
    let mut limits = Limits::simple(Setting::Off, Setting::Off, Setting::Off);
    limits.surge.value.watch = Directed::each(Setting::Off);
    limits.new_device.value.watch = Setting::Off;
    limits
}

fn quiet(registered: Vec<Registration>) -> Policy {
    Policy {
        registered,
        defaults: off(),
        ..Policy::default()
    }
}

fn kid(address: &str) -> Registration {
    Registration {
        group: Some("kids".to_owned()),
        ..registered_as(Selector::Address(ip(address)), Limits::default())
    }
}

fn registered_as(selector: Selector, limits: Limits) -> Registration {
    Registration {
        selector,
        name: None,
        group: None,
        limits,
        muted: false,
    }
}

fn states(told: &[Transition]) -> Vec<(RuleKind, EventState)> {
    told.iter()
        .map(|transition| (transition.alert.rule, transition.state))
        .collect()
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_group_breaks_a_rule_that_none_of_its_members_does() {
    let total = Limits::simple(Setting::At(1_000), Setting::Inherit, Setting::Inherit);
    let group = Group {
        total,
        ..Group::default()
    };
    let mut policy = quiet(vec![kid("10.0.0.5"), kid("10.0.0.6")]);
    policy.groups = BTreeMap::from([("kids".to_owned(), group)]);
    let mut day = Day::new(policy.clone());
    let told = day.sample(&[
        ("10.0.0.5", download(600)),
        ("10.0.0.6", download(400)),
        ("10.0.0.7", download(9_000)),
    ]);
    assert_eq!(told, []);
    day.restart(policy.clone());
    let told = day.sample(&[("10.0.0.6", download(1))]);
    let [fired] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(fired.alert.device.id, "group:kids");
    assert_eq!(fired.alert.device.kind, SubjectKind::Group);
    assert_eq!(fired.alert.observed, 1_001);
    // Without its rules there is nothing to be over.
    policy.groups.clear();
    day.ledger.apply(policy);
    assert_eq!(
        states(&day.sample(&[])),
        [(RuleKind::Volume, EventState::Resolved)]
    );
}

#[test]
fn an_interface_is_held_to_what_it_carries() {
    let mut policy = quiet(Vec::new());
    let limits = Limits::simple(Setting::At(1_000), Setting::Inherit, Setting::Inherit);
    policy.interfaces = BTreeMap::from([("br-lan".to_owned(), limits)]);
    let mut day = Day::new(policy);
    day.ledger.carried("eth9", download(5_000));
    day.ledger.carried("br-lan", download(1_000));
    assert_eq!(day.sample(&[]), []);
    day.ledger.carried("br-lan", download(1));
    let told = day.sample(&[]);
    assert_eq!(told[0].alert.device.id, "interface:br-lan");
    assert_eq!(told[0].alert.device.kind, SubjectKind::Interface);
}

#[test]
fn each_step_of_a_quota_is_told_once_a_cycle() {
    let mut limits = Limits::default();
    limits.quota.value = QuotaLimit {
        limit: Setting::At(1_000),
        cycle: Some(Cycle::DayOfMonth(15)),
        ..QuotaLimit::default()
    };
    let entry = registered_as(Selector::Address(ip("10.0.0.5")), limits);
    let policy = quiet(vec![entry]);
    let mut day = Day::new(policy.clone());
    let mut steps = Vec::new();
    for bytes in [400, 99, 1, 300, 199, 1, 500] {
        let told = day.after(HOUR, &[("10.0.0.5", download(bytes))]);
        steps.extend(told.iter().map(|each| (each.alert.observed, each.state)));
        // What was used in the cycle is not lost with the process.
        day.restart(policy.clone());
    }
    let firing = EventState::Firing;
    assert_eq!(steps, [(500, firing), (800, firing), (1_000, firing)]);
    // The clock of the test began on the 8th.
    let mut told = Vec::new();
    for _ in 0..7 {
        told.extend(day.after(24 * HOUR, &[("10.0.0.5", download(10))]));
    }
    assert_eq!(
        states(&told),
        [(RuleKind::Quota, EventState::Resolved); 3],
        "{told:?}"
    );
    let cycle = day.device("10.0.0.5").cycle.clone().unwrap();
    assert_eq!((&*cycle.from, &*cycle.until), ("2026-03-15", "2026-04-15"));
    assert_eq!(cycle.received, 10);
    assert_eq!(cycle.quota, Some(1_000));
}

#[test]
fn free_hours_do_not_count_towards_a_quota() {
    let night = Window {
        days: Days::ALL,
        from: jiff::civil::time(23, 0, 0, 0),
        to: jiff::civil::time(7, 0, 0, 0),
    };
    let mut limits = Limits::default();
    limits.quota.value = QuotaLimit {
        limit: Setting::At(1_000),
        free: Some(Schedule(vec![night])),
        ..QuotaLimit::default()
    };
    let entry = registered_as(Selector::Address(ip("10.0.0.5")), limits);
    let mut day = Day::new(quiet(vec![entry]));
    // From 11:00 to 10:00.
    for _ in 0..24 {
        day.after(HOUR, &[("10.0.0.5", download(10))]);
    }
    let device = day.device("10.0.0.5");
    assert_eq!(device.cycle.as_ref().unwrap().received, 160);
}

#[test]
fn a_device_that_falls_silent_is_told_and_so_is_its_return() {
    let mut limits = Limits::default();
    limits.silent.value = Setting::At(2 * HOUR);
    let entry = registered_as(Selector::Address(ip("10.0.0.5")), limits);
    let mut day = Day::new(quiet(vec![entry]));
    let talks = Row {
        sent: Counter {
            bytes: 60,
            packets: 1,
        },
        ..Row::default()
    };
    day.after(HOUR, &[("10.0.0.5", talks)]);
    // What it is sent is no sign of life.
    assert_eq!(day.after(HOUR, &[("10.0.0.5", download(60))]), []);
    let told = day.after(HOUR, &[]);
    assert_eq!(states(&told), [(RuleKind::Silent, EventState::Firing)]);
    assert_eq!(told[0].alert.observed, 7_200);
    let told = day.after(SECOND, &[("10.0.0.5", talks)]);
    assert_eq!(states(&told), [(RuleKind::Silent, EventState::Resolved)]);
}

#[test]
fn a_silence_goes_on_over_restarts_and_is_saved_for_one_of_them() {
    let mut limits = Limits::default();
    limits.silent.value = Setting::At(3 * HOUR);
    let entry = registered_as(Selector::Address(ip("10.0.0.5")), limits);
    let policy = quiet(vec![entry]);
    let mut day = Day::new(policy.clone());
    assert_eq!(day.after(2 * HOUR, &[]), []);
    day.restart(policy);
    let first = day.ledger.take_changes(Occasion::Checkpoint);
    let kept = first.memory.iter().find(|memory| memory.kind == "silent");
    assert_eq!(kept.map(|memory| &memory.content), Some(&None));
    let told = day.after(HOUR, &[]);
    assert_eq!(states(&told), [(RuleKind::Silent, EventState::Firing)]);
    assert_eq!(told[0].alert.observed, 3 * 3600);
}

#[test]
fn a_mac_that_was_never_seen_is_told_once_and_only_after_a_day_of_learning() {
    let mut policy = quiet(Vec::new());
    policy.defaults.new_device.value.watch = Setting::Inherit;
    let mut day = Day::new(policy.clone());
    let mut told = Vec::new();
    day.ledger.learn(ip("10.0.0.5"), MAC);
    told.extend(day.sample(&[("10.0.0.5", download(1))]));
    told.extend(day.after(24 * HOUR, &[("10.0.0.5", download(1))]));
    assert_eq!(told, []);
    day.restart(policy.clone());
    day.ledger.learn(ip("10.0.0.6"), OTHER);
    told.extend(day.sample(&[("10.0.0.6", download(1)), ("10.0.0.5", download(1))]));
    let [fired] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(fired.alert.device.mac, Some(OTHER));
    day.restart(policy);
    assert_eq!(day.sample(&[("10.0.0.6", download(1))]), []);
    let told = day.after(HOUR, &[]);
    assert_eq!(states(&told), [(RuleKind::NewDevice, EventState::Resolved)]);
}

#[test]
fn a_surge_is_told_with_what_was_expected_and_goes_on_after_a_restart() {
    let mut policy = quiet(Vec::new());
    policy.defaults.surge.value.watch.received = Setting::At(());
    policy.defaults.surge.tuning.for_ = Some(Duration::from_secs(30));
    policy.defaults.surge.value.floor = Some(0);
    let mut day = Day::new(policy.clone());
    day.ledger.learn(ip("10.0.0.5"), MAC);
    let minute = Duration::from_secs(60);
    let usual = download(60 * 1_000);
    for _ in 0..3 * 24 * 60 {
        assert_eq!(day.after(minute, &[("10.0.0.5", usual)]), []);
    }
    day.restart(policy.clone());
    for _ in 0..30 {
        assert_eq!(day.after(minute, &[("10.0.0.5", usual)]), []);
    }
    let mut told = Vec::new();
    for _ in 0..60 {
        told.extend(day.after(SECOND, &[("10.0.0.5", download(20_000))]));
    }
    let [fired] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(fired.alert.rule, RuleKind::Surge);
    assert_eq!(fired.alert.direction, Direction::Received);
    let expected = fired.alert.expected.unwrap();
    assert!((900..1_200).contains(&expected), "{expected}");
    // Also after a crash, for which only this checkpoint was written.
    let changes = day.ledger.take_changes(Occasion::Checkpoint);
    let is_usual = |memory: &Memory| matches!(memory.content, Some(Remembered::Usual(..)));
    assert!(changes.memory.iter().any(is_usual), "{changes:?}");
    day.sample(&[("10.0.0.5", download(20_000))]);
    day.restart(policy);
    let mut told = Vec::new();
    for _ in 0..60 {
        told.extend(day.after(minute, &[("10.0.0.5", usual)]));
    }
    assert_eq!(states(&told), [(RuleKind::Surge, EventState::Resolved)]);
}

#[test]
fn what_is_usual_for_an_address_that_somebody_made_up_is_not_learnt() {
    let mut policy = quiet(Vec::new());
    policy.defaults.surge.value.watch.received = Setting::At(());
    let mut day = Day::new(policy);
    for _ in 0..2 {
        day.sample(&[("10.0.0.5", download(60)), ("10.0.0.6", download(1 << 20))]);
    }
    let changes = day.ledger.take_changes(Occasion::End);
    let learnt = |memory: &&Memory| matches!(memory.content, Some(Remembered::Usual(..)));
    let subjects: Vec<_> = changes.memory.iter().filter(learnt).collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
    assert_eq!(subjects[0].subject, "10.0.0.6");
}

#[test]
fn a_rule_looks_at_the_traffic_that_it_is_told_to() {
    let local = Row {
        sent: Counter {
            bytes: 2_000,
            packets: 2,
        },
        sent_local: Counter {
            bytes: 1_500,
            packets: 1,
        },
        ..Row::default()
    };
    for (scope, observed) in [
        (None, None),
        (Some(Scope::Internet), None),
        (Some(Scope::Local), Some(1_500)),
        (Some(Scope::All), Some(2_000)),
    ] {
        let mut policy = quiet(Vec::new());
        policy.defaults.volume.value.sent = Setting::At(1_000);
        policy.defaults.volume.tuning.scope = scope;
        let mut day = Day::new(policy);
        let told = day.sample(&[("10.0.0.5", local)]);
        let seen = told.first().map(|each| each.alert.observed);
        assert_eq!(seen, observed, "{scope:?}");
    }
}

#[test]
fn a_restart_makes_nobody_talk() {
    let mut limits = Limits::default();
    limits.silent.value = Setting::At(2 * HOUR);
    let entry = registered_as(Selector::Address(ip("10.0.0.5")), limits);
    let policy = quiet(vec![entry]);
    let mut day = Day::new(policy.clone());
    let told = day.after(3 * HOUR, &[]);
    assert_eq!(states(&told), [(RuleKind::Silent, EventState::Firing)]);
    day.restart(policy);
    for _ in 0..3 {
        assert_eq!(day.after(HOUR, &[]), []);
    }
}

#[test]
fn what_is_gone_after_a_restart_is_over() {
    let total = Limits::simple(Setting::At(1_000), Setting::Inherit, Setting::Inherit);
    let group = Group {
        total,
        ..Group::default()
    };
    let mut policy = quiet(vec![kid("10.0.0.5")]);
    policy.groups = BTreeMap::from([("kids".to_owned(), group)]);
    let mut day = Day::new(policy);
    let told = day.sample(&[("10.0.0.5", download(2_000))]);
    assert_eq!(states(&told), [(RuleKind::Volume, EventState::Firing)]);
    day.restart(quiet(Vec::new()));
    let told = day.sample(&[]);
    assert_eq!(states(&told), [(RuleKind::Volume, EventState::Resolved)]);
}

#[test]
fn a_device_that_is_not_registered_any_more_is_not_silent_for_ever() {
    let mut limits = Limits::default();
    limits.silent.value = Setting::At(2 * HOUR);
    let entry = registered_as(Selector::Address(ip("10.0.0.5")), limits);
    let mut day = Day::new(quiet(vec![entry]));
    let told = day.after(3 * HOUR, &[]);
    assert_eq!(states(&told), [(RuleKind::Silent, EventState::Firing)]);
    day.ledger.apply(quiet(Vec::new()));
    let told = day.sample(&[]);
    assert_eq!(states(&told), [(RuleKind::Silent, EventState::Resolved)]);
}

#[test]
fn what_was_learnt_of_an_address_is_kept_at_once_as_that_of_its_device() {
    let mut policy = quiet(Vec::new());
    policy.defaults.surge.value.watch.received = Setting::At(());
    let mut day = Day::new(policy);
    for _ in 0..3 {
        day.after(Duration::from_secs(60), &[("10.0.0.5", download(100_000))]);
    }
    day.ledger.take_changes(Occasion::End);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[]);
    let memory = day.ledger.take_changes(Occasion::Checkpoint).memory;
    let learnt: Vec<(&str, bool)> = memory
        .iter()
        .filter(|memory| memory.kind == "usual_received")
        .map(|memory| (&*memory.subject, memory.content.is_some()))
        .collect();
    assert_eq!(learnt, [("10.0.0.5", false), (&*MAC.to_string(), true)]);
}

#[test]
fn what_was_used_in_a_cycle_outlives_a_holiday() {
    let mut policy = quiet(Vec::new());
    policy.defaults.quota.value = QuotaLimit {
        limit: Setting::At(1_000),
        cycle: Some(Cycle::DayOfMonth(1)),
        ..QuotaLimit::default()
    };
    let mut day = Day::new(policy);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(400))]);
    for _ in 0..10 {
        day.after(24 * HOUR, &[("10.0.0.6", download(1))]);
    }
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(50))]);
    let device = day.device(&MAC.to_string());
    assert_eq!(device.cycle.as_ref().unwrap().received, 450);
}

#[test]
fn a_join_moves_no_bytes_that_the_rule_does_not_look_at() {
    let mut policy = quiet(Vec::new());
    let local = Row {
        received: Counter {
            bytes: 5_000,
            packets: 1,
        },
        received_local: Counter {
            bytes: 5_000,
            packets: 1,
        },
        ..Row::default()
    };
    policy.defaults.volume.value.total = Setting::At(5_500);
    policy.defaults.volume.tuning.scope = Some(Scope::All);
    let mut day = Day::new(policy);
    day.sample(&[("10.0.0.5", local)]);
    let told = day.sample(&[("10.0.0.5", download(1_000))]);
    assert_eq!(states(&told), [(RuleKind::Volume, EventState::Firing)]);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[]);
    let alert = day.ledger.alerts.open().next().unwrap();
    assert_eq!(alert.moved_bytes, 0);
}
