//! Who says what applies, and what that makes of the rules.

use std::{collections::BTreeSet, time::Duration};

use jiff::civil::time;

use super::*;
use crate::core::{
    cycle::Cycle,
    event::{Direction, RuleKind, Severity},
    schedule::{Days, Schedule, Window},
    surge,
    view::ThresholdsView,
};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 5));

/// The levels that may say something, the most specific first.
const LEVELS: usize = 5;

/// A device, its group, its prefix, the unknown ones, and the defaults, with these limits.
fn policy(levels: [Limits; LEVELS]) -> Policy {
    let [device, group, prefix, unknown, defaults] = levels;
    let entry = |selector, group: Option<&str>, limits| Registration {
        selector,
        name: None,
        group: group.map(str::to_owned),
        limits,
        muted: false,
    };
    let members = Group {
        members: group,
        ..Group::default()
    };
    Policy {
        registered: vec![
            entry(
                Selector::Prefix("192.0.2.0/24".parse().unwrap()),
                None,
                prefix,
            ),
            entry(Selector::Address(ADDRESS), Some("kids"), device),
        ],
        unknown,
        defaults,
        groups: [("kids".to_owned(), members)].into(),
        ..Policy::default()
    }
}

fn rules(levels: [Limits; LEVELS]) -> Rules {
    let policy = policy(levels);
    policy.rules(policy.registration(None, &[ADDRESS]), &[ADDRESS])
}

fn rate(rate: Setting<u64>) -> Limits {
    Limits::simple(Setting::Inherit, Setting::Inherit, rate)
}

#[test]
fn the_most_specific_level_that_mentions_a_value_has_it() {
    for mentioned in 0..1_u32 << LEVELS {
        let levels: [_; LEVELS] = std::array::from_fn(|level| {
            let is_mentioned = mentioned & 1 << level != 0;
            rate(if is_mentioned {
                Setting::At(level as u64)
            } else {
                Setting::Inherit
            })
        });
        let expected = match mentioned.trailing_zeros() as usize {
            level @ ..LEVELS => level as u64,
            _ => 50_000_000 / 8,
        };
        assert_eq!(
            rules(levels).bytes_per_sec(),
            Some(expected),
            "{mentioned:05b}"
        );
    }
}

#[test]
fn off_counts_as_mentioned() {
    let [none, some] = [Limits::default, || rate(Setting::At(5))];
    let off = rate(Setting::Off);
    let levels = [off.clone(), some(), some(), some(), some()];
    assert_eq!(rules(levels).bytes_per_sec(), None);
    let levels = [none(), off, some(), some(), some()];
    assert_eq!(rules(levels).bytes_per_sec(), None);
}

#[test]
fn each_value_of_a_rule_comes_from_its_own_level() {
    let mut levels: [Limits; LEVELS] = Default::default();
    levels[0].rate.tuning.for_ = Some(Duration::from_secs(1));
    levels[1].rate.value.sent = Setting::At(2);
    levels[2].rate.tuning.severity = Some(Severity::Critical);
    levels[3].rate.tuning.scope = Some(Scope::All);
    levels[4].rate.tuning.clear_percent = Some(50);
    levels[4].rate.tuning.severity = Some(Severity::Info);
    levels[0].quota.value.limit = Setting::At(100);
    levels[1].quota.value.cycle = Some(Cycle::DayOfMonth(15));
    levels[4].quota.value.steps = Some(vec![90]);
    levels[4].quota.value.cycle = Some(Cycle::DayOfMonth(2));
    levels[3].surge.value.factor = Some(5.0);
    levels[4].new_device.value.private = Some(false);
    let rules = rules(levels);

    let rate = rules.find(RuleKind::Rate, Direction::Sent).unwrap();
    assert_eq!(rate.condition, Condition::Rate(2));
    assert_eq!(rate.timing.for_, Duration::from_secs(1));
    assert_eq!(rate.severity, Severity::Critical);
    assert_eq!(rate.scope, Some(Scope::All));
    assert_eq!(rate.clear_percent, 50);
    assert_eq!(rules.cycle, Cycle::DayOfMonth(15));
    let conditions: Vec<_> = rules.list().iter().map(|each| each.condition).collect();
    let quota = Condition::Quota {
        limit: 100,
        percent: 90,
        next_percent: None,
    };
    assert!(conditions.contains(&quota));
    assert!(conditions.contains(&Condition::Surge(surge::Settings {
        factor: 5.0,
        ..surge::Settings::default()
    })));
    assert!(conditions.contains(&Condition::NewDevice {
        learn: Duration::from_secs(86_400),
        private: false,
    }));
}

#[test]
fn without_a_word_the_built_in_rules_apply() {
    let rules = Policy::default().rules(None, &[]);
    let in_force: Vec<_> = rules
        .list()
        .iter()
        .map(|each| (each.rule.kind, each.rule.direction))
        .collect();
    let expected = [
        (RuleKind::Volume, Direction::Total),
        (RuleKind::Rate, Direction::Total),
        (RuleKind::Surge, Direction::Sent),
        (RuleKind::Surge, Direction::Received),
        (RuleKind::ActiveTime, Direction::Total),
        (RuleKind::NewDevice, Direction::Total),
    ];
    assert_eq!(in_force, expected);
    assert_eq!(rules.volume(), Some(5_000_000_000));
    assert_eq!(rules.bytes_per_sec(), Some(6_250_000));
    assert_eq!(rules.active_time(), Some(Duration::from_secs(5 * 3600)));
}

#[test]
fn several_together_inherit_nothing() {
    let mut policy = policy(std::array::from_fn(|_| rate(Setting::At(1))));
    assert_eq!(policy.group_rules("kids"), None);
    assert_eq!(policy.group_rules("guests"), None);
    assert_eq!(policy.interface_rules("br-lan"), None);
    let total = Limits::simple(Setting::At(9), Setting::Inherit, Setting::Inherit);
    policy.groups.get_mut("kids").unwrap().total = total.clone();
    policy.interfaces.insert("br-lan".to_owned(), total);
    for rules in [policy.group_rules("kids"), policy.interface_rules("br-lan")] {
        let rules = rules.unwrap();
        assert_eq!(rules.list().len(), 1);
        assert_eq!(rules.volume(), Some(9));
    }
}

fn night() -> Schedule {
    Schedule(vec![Window {
        days: Days::ALL,
        from: time(22, 0, 0, 0),
        to: time(6, 0, 0, 0),
    }])
}

/// Every rule there can be, each value another one.
fn everything(tuning: &Tuning) -> Limits {
    fn limit<T>(value: T, tuning: &Tuning) -> Limit<T> {
        Limit {
            value,
            tuning: tuning.clone(),
        }
    }
    let each = |first| Directed {
        total: Setting::At(first),
        sent: Setting::At(first + 1),
        received: Setting::At(first + 2),
    };
    Limits {
        volume: limit(each(10), tuning),
        rate: limit(each(20), tuning),
        surge: limit(
            SurgeLimit {
                watch: Directed::each(Setting::At(())),
                factor: Some(2.0),
                floor: Some(30),
                learn: Some(Duration::from_secs(31)),
            },
            tuning,
        ),
        active_time: limit(Setting::At(Duration::from_secs(40)), tuning),
        quota: limit(
            QuotaLimit {
                limit: Setting::At(50),
                direction: Some(Direction::Sent),
                cycle: Some(Cycle::FromMonthsEnd(3)),
                steps: Some(vec![10, 75, 100, 150]),
                free: Some(night()),
            },
            tuning,
        ),
        new_device: limit(
            NewDeviceLimit {
                watch: Setting::At(()),
                learn: Some(Duration::from_secs(60)),
                private: Some(false),
            },
            tuning,
        ),
        silent: limit(Setting::At(Duration::from_secs(70)), tuning),
        schedule: None,
    }
}

#[test]
fn every_value_is_in_force() {
    let rules = Rules::new(everything(&Tuning::default()));
    let in_force: Vec<_> = rules
        .list()
        .iter()
        .map(|each| (each.rule.direction, each.rule.step, each.condition))
        .collect();
    let all = |condition: fn(u64) -> Condition, first: u64| {
        let values = Direction::ALL.into_iter().zip(first..);
        values.map(move |(direction, value)| (direction, 0, condition(value)))
    };
    let surge = Condition::Surge(surge::Settings {
        factor: 2.0,
        floor: 30,
        learn: Duration::from_secs(31),
    });
    let quota = [
        (10, Some(75)),
        (75, Some(100)),
        (100, Some(150)),
        (150, None),
    ]
    .map(|(percent, next_percent)| Condition::Quota {
        limit: 50,
        percent,
        next_percent,
    });
    let mut expected: Vec<_> = all(Condition::Volume, 10)
        .chain(all(Condition::Rate, 20))
        .chain(Direction::ALL.map(|direction| (direction, 0, surge)))
        .collect();
    let seconds = Duration::from_secs;
    expected.push((Direction::Total, 0, Condition::ActiveTime(seconds(40))));
    expected.extend(
        (0..)
            .zip(quota)
            .map(|(step, quota)| (Direction::Sent, step, quota)),
    );
    let new_device = Condition::NewDevice {
        learn: seconds(60),
        private: false,
    };
    expected.push((Direction::Total, 0, new_device));
    expected.push((Direction::Total, 0, Condition::Silent(seconds(70))));
    assert_eq!(in_force, expected);
    assert_eq!(rules.cycle, Cycle::FromMonthsEnd(3));
    assert_eq!(rules.free, Some(night()));
    let view = ThresholdsView {
        bandwidth_threshold: Some(10),
        max_active_time: Some(40),
        rate_threshold: Some(20),
        quota: Some(50),
        silent_after: Some(70),
        surge: true,
    };
    assert_eq!(rules.view(), view);
    assert_eq!(Rules::default().view(), ThresholdsView::default());
}

#[test]
fn every_tuning_is_in_force() {
    let tuning = Tuning {
        for_: Some(Duration::from_secs(1)),
        clear_for: Some(Duration::from_secs(2)),
        clear_percent: Some(70),
        repeat: Some(Duration::from_secs(3)),
        cooldown: Some(Duration::from_secs(4)),
        severity: Some(Severity::Critical),
        scope: Some(Scope::Local),
        schedule: Some(night()),
    };
    for each in Rules::new(everything(&tuning)).list() {
        let cooldown = match each.rule.kind {
            RuleKind::Volume | RuleKind::ActiveTime | RuleKind::Quota => Cooldown::Period,
            _ => Cooldown::For(Duration::from_secs(4)),
        };
        let timing = Timing {
            for_: Duration::from_secs(1),
            clear_for: Duration::from_secs(2),
            repeat: Some(Duration::from_secs(3)),
            cooldown,
        };
        assert_eq!(each.timing, timing, "{each:?}");
        assert_eq!(each.clear_percent, 70, "{each:?}");
        assert_eq!(each.severity, Severity::Critical, "{each:?}");
        assert_eq!(each.scope, Some(Scope::Local), "{each:?}");
        assert_eq!(each.schedule, Some(night()), "{each:?}");
    }
}

#[test]
fn without_tuning_each_kind_has_its_own() {
    let rules = Rules::new(everything(&Tuning::default()));
    let check = |kind, expected: (u64, u64, u8, u64, Cooldown, Severity)| {
        let each = rules.list().iter().find(|each| each.rule.kind == kind);
        let each = each.unwrap();
        let Timing {
            for_,
            clear_for,
            repeat,
            cooldown,
        } = each.timing;
        let found = (
            for_.as_secs(),
            clear_for.as_secs(),
            each.clear_percent,
            repeat.unwrap_or_default().as_secs(),
            cooldown,
            each.severity,
        );
        assert_eq!(found, expected, "{kind:?}");
        assert_eq!((each.scope, &each.schedule), (None, &None), "{kind:?}");
    };
    let minutes = |minutes: u64| Cooldown::For(Duration::from_secs(60 * minutes));
    let four_hours = 4 * 3600;
    let period = Cooldown::Period;
    let (info, warning) = (Severity::Info, Severity::Warning);
    check(RuleKind::Volume, (0, 0, 100, 0, period, warning));
    check(RuleKind::ActiveTime, (0, 0, 100, 0, period, warning));
    check(RuleKind::Quota, (0, 0, 100, 0, period, info));
    check(
        RuleKind::Rate,
        (10, 30, 80, four_hours, minutes(5), warning),
    );
    check(
        RuleKind::Surge,
        (300, 300, 80, four_hours, minutes(360), warning),
    );
    check(RuleKind::NewDevice, (0, 0, 100, 0, minutes(0), info));
    check(
        RuleKind::Silent,
        (0, 0, 80, four_hours, minutes(5), warning),
    );
}

#[test]
fn a_higher_step_of_a_quota_is_worse() {
    let rules = Rules::new(everything(&Tuning::default()));
    let severities: Vec<_> = rules
        .list()
        .iter()
        .filter(|each| each.rule.kind == RuleKind::Quota)
        .map(|each| each.severity)
        .collect();
    let expected = [
        Severity::Info,
        Severity::Warning,
        Severity::Critical,
        Severity::Critical,
    ];
    assert_eq!(severities, expected);
}

#[test]
fn a_repeat_of_zero_is_never() {
    let tuning = Tuning {
        repeat: Some(Duration::ZERO),
        ..Tuning::default()
    };
    let rules = Rules::new(everything(&tuning));
    assert!(rules.list().iter().all(|each| each.timing.repeat.is_none()));
}

#[test]
fn the_schedule_of_all_rules_is_for_those_without_their_own() {
    let always = Schedule(vec![Window {
        days: Days::ALL,
        from: time(0, 0, 0, 0),
        to: time(0, 0, 0, 0),
    }]);
    let mut limits = everything(&Tuning::default());
    limits.schedule = Some(night());
    limits.rate.tuning.schedule = Some(always.clone());
    for each in Rules::new(limits).list() {
        let expected = match each.rule.kind {
            RuleKind::Rate => &always,
            _ => &night(),
        };
        assert_eq!(each.schedule.as_ref(), Some(expected), "{each:?}");
    }
}

#[test]
fn each_rule_has_its_own_place() {
    let rules = Rules::new(everything(&Tuning::default()));
    let places: BTreeSet<_> = rules.list().iter().map(|each| each.rule.index()).collect();
    assert_eq!(rules.list().len(), Rule::COUNT);
    assert_eq!(places, (0..Rule::COUNT).collect());
}
