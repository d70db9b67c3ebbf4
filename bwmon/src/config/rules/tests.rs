//! Both formats say the same, and every key reaches its place.

use std::{path::Path as FilePath, time::Duration};

use jiff::civil::{date, time};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    config::{devices, file, source::Source},
    core::{
        cycle::Cycle,
        event::{Direction, Severity},
        policy::{
            Directed, Limit, NewDeviceLimit, Policy, QuotaLimit, Scope, Setting, SurgeLimit, Tuning,
        },
        schedule::{Days, Schedule, Window},
    },
};

fn source(text: String) -> Source {
    Source::new(FilePath::new("f"), text.into_bytes()).unwrap()
}

fn from_toml(text: String) -> Policy {
    let parsed = file::parse(&source(text.clone()));
    parsed
        .map(|parsed| parsed.config.policy)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn from_json(keys: &Value) -> Limits {
    let text = json!({ "unknown": keys }).to_string();
    let devices = devices::parse(&source(text.clone()));
    devices
        .map(|devices| devices.unknown)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A value as in TOML, on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(keys) => {
            let keys = keys
                .iter()
                .map(|(key, value)| format!("{key} = {}", toml(value)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => {
            let list = list.iter().map(toml).collect::<Vec<_>>();
            format!("[{}]", list.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// What both formats make of the keys.
fn read(keys: &Value) -> Limits {
    let limits = from_json(keys);
    let defaults = from_toml(format!("defaults = {}", toml(keys))).defaults;
    assert_eq!(limits, defaults, "{keys}");
    limits
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn hours(days: Days, from: i8, to: i8) -> Schedule {
    let (from, to) = (time(from, 0, 0, 0), time(to, 0, 0, 0));
    Schedule(vec![Window { days, from, to }])
}

#[test]
fn every_key_reaches_its_place() {
    let keys = json!({
        "bandwidth_threshold": {
            "total": "5 GB", "sent": "1 GB", "received": "off",
            "repeat": "4h", "severity": "info", "scope": "all", "schedule": "22:00-06:00",
        },
        "max_active_time": {
            "limit": "90min", "repeat": "off", "severity": "critical", "schedule": "22:00-06:00",
        },
        "rate_threshold": {
            "total": "off", "sent": 1000, "received": "8 Mbit/s",
            "for": "1min", "clear_for": "2min", "clear_percent": 50, "repeat": "1h",
            "cooldown": "10min", "severity": "warning", "scope": "local", "schedule": "22:00-06:00",
        },
        "surge": {
            "total": false, "sent": true, "received": true,
            "factor": 2.5, "floor": "80 Mbit/s", "learn": "7d",
            "for": "1min", "clear_for": "2min", "clear_percent": 50, "repeat": "1h",
            "cooldown": "10min", "severity": "warning", "scope": "local", "schedule": "22:00-06:00",
        },
        "quota": {
            "limit": "500 GB", "direction": "received", "cycle": "30 days from 2026-01-05",
            "steps": [10, 90], "free": ["02:00-08:00"],
            "repeat": "1d", "severity": "info", "scope": "internet", "schedule": "22:00-06:00",
        },
        "new_device": {
            "enabled": false, "learn": "0s", "private": false,
            "severity": "critical", "schedule": "22:00-06:00",
        },
        "silent": {
            "after": "2h", "clear_for": "2min", "repeat": "1h", "cooldown": "10min",
            "severity": "critical", "schedule": "22:00-06:00",
        },
        "schedule": ["22:00-06:00"],
    });
    let night = || Some(hours(Days::ALL, 22, 6));
    let passing = Tuning {
        for_: seconds(60),
        clear_for: seconds(120),
        clear_percent: Some(50),
        repeat: seconds(3600),
        cooldown: seconds(600),
        severity: Some(Severity::Warning),
        scope: Some(Scope::Local),
        schedule: night(),
    };
    let tuning = |severity| Tuning {
        severity: Some(severity),
        schedule: night(),
        ..Tuning::default()
    };
    let expected = Limits {
        volume: Limit {
            value: Directed {
                total: Setting::At(5_000_000_000),
                sent: Setting::At(1_000_000_000),
                received: Setting::Off,
            },
            tuning: Tuning {
                repeat: seconds(4 * 3600),
                scope: Some(Scope::All),
                ..tuning(Severity::Info)
            },
        },
        active_time: Limit {
            value: Setting::At(Duration::from_secs(5400)),
            tuning: Tuning {
                repeat: seconds(0),
                ..tuning(Severity::Critical)
            },
        },
        rate: Limit {
            value: Directed {
                total: Setting::Off,
                sent: Setting::At(1000),
                received: Setting::At(1_000_000),
            },
            tuning: passing.clone(),
        },
        surge: Limit {
            value: SurgeLimit {
                watch: Directed {
                    total: Setting::Off,
                    sent: Setting::At(()),
                    received: Setting::At(()),
                },
                factor: Some(2.5),
                floor: Some(10_000_000),
                learn: seconds(7 * 86_400),
            },
            tuning: passing,
        },
        quota: Limit {
            value: QuotaLimit {
                limit: Setting::At(500_000_000_000),
                direction: Some(Direction::Received),
                cycle: Some(Cycle::Every {
                    days: 30,
                    from: date(2026, 1, 5),
                }),
                steps: Some(vec![10, 90]),
                free: Some(hours(Days::ALL, 2, 8)),
            },
            tuning: Tuning {
                repeat: seconds(86_400),
                scope: Some(Scope::Internet),
                ..tuning(Severity::Info)
            },
        },
        new_device: Limit {
            value: NewDeviceLimit {
                watch: Setting::Off,
                learn: seconds(0),
                private: Some(false),
            },
            tuning: tuning(Severity::Critical),
        },
        silent: Limit {
            value: Setting::At(Duration::from_secs(7200)),
            tuning: Tuning {
                clear_for: seconds(120),
                repeat: seconds(3600),
                cooldown: seconds(600),
                ..tuning(Severity::Critical)
            },
        },
        schedule: night(),
    };
    assert_eq!(read(&keys), expected);
}

#[test]
fn a_single_value_says_the_same_as_a_table() {
    let check = |short: Value, long: Value| assert_eq!(read(&short), read(&long), "{short}");
    check(
        json!({ "bandwidth_threshold": 5 }),
        json!({ "bandwidth_threshold": { "total": 5 } }),
    );
    let off = json!({ "total": "off", "sent": "off", "received": "off" });
    check(
        json!({ "rate_threshold": "off" }),
        json!({ "rate_threshold": off }),
    );
    check(
        json!({ "surge": false }),
        json!({ "surge": { "total": false, "sent": false, "received": false } }),
    );
    check(
        json!({ "surge": true }),
        json!({ "surge": { "sent": true, "received": true } }),
    );
    check(
        json!({ "quota": "1 GB" }),
        json!({ "quota": { "limit": "1 GB" } }),
    );
    check(
        json!({ "quota": "off" }),
        json!({ "quota": { "limit": "off" } }),
    );
    check(
        json!({ "max_active_time": "off" }),
        json!({ "max_active_time": { "limit": "off" } }),
    );
    check(
        json!({ "silent": "2h" }),
        json!({ "silent": { "after": "2h" } }),
    );
    check(
        json!({ "new_device": true }),
        json!({ "new_device": { "enabled": true } }),
    );
    check(
        json!({ "schedule": "Mon; Tue" }),
        json!({ "schedule": ["Mon", "Tue"] }),
    );
    check(
        json!({ "quota": { "steps": 80 } }),
        json!({ "quota": { "steps": [80] } }),
    );
}

#[test]
fn a_cycle_is_told_in_three_ways() {
    let check = |written: Value, expected: Cycle| {
        let limits = read(&json!({ "quota": { "cycle": written } }));
        assert_eq!(limits.quota.value.cycle, Some(expected), "{written}");
    };
    check(json!(15), Cycle::DayOfMonth(15));
    check(json!("15"), Cycle::DayOfMonth(15));
    check(json!(-3), Cycle::FromMonthsEnd(3));
    let every = |days| Cycle::Every {
        days,
        from: date(2026, 1, 5),
    };
    check(json!(" 1 day from  2026-01-05 "), every(1));
    check(json!("366 days from 2026-01-05"), every(366));
}

#[test]
fn free_hours_of_a_more_general_entry_can_be_taken_back() {
    let limits = read(&json!({ "quota": { "free": "off" } }));
    assert_eq!(limits.quota.value.free, Some(Schedule::default()));
}

#[test]
fn groups_and_interfaces_have_the_same_keys() {
    let keys = json!({ "quota": { "limit": "5 GB", "cycle": -1 }, "silent": "2h" });
    let keys = (read(&keys), toml(&keys));
    let policy = from_toml(format!(
        "groups.\"living room\" = {0}\ngroups.kids.total = {0}\ninterface_limits.br-lan = {0}",
        keys.1
    ));
    assert_eq!(policy.groups["living room"].members, keys.0);
    assert_eq!(policy.groups["living room"].total, Limits::default());
    assert_eq!(policy.groups["kids"].members, Limits::default());
    assert_eq!(policy.groups["kids"].total, keys.0);
    assert_eq!(policy.interfaces["br-lan"], keys.0);
}

const DOCUMENTATION: &str = include_str!("../../../../docs/configuration.md");

/// What is between ```` ```language ```` and ```` ``` ````.
fn examples(documentation: &'static str, language: &str) -> Vec<&'static str> {
    let blocks = documentation.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix(language))
        .collect()
}

#[test]
fn the_documented_examples_are_read() {
    let tables = examples(DOCUMENTATION, "toml\n");
    assert!(tables.len() >= 5);
    for text in tables {
        if !text.contains("[[notify]]") {
            from_toml(text.to_owned());
        }
    }
    let (_, devices) = DOCUMENTATION
        .split_once("## `registered_devices.json`")
        .unwrap();
    let entries = examples(devices, "json\n");
    assert!(entries.len() >= 2);
    for text in entries {
        devices::parse(&source(text.to_owned())).unwrap();
    }
}

#[test]
fn every_key_is_documented() {
    for key in &KEYS {
        let (own, tuning) = match &key.table {
            Some(table) => (table.own, table.tuning),
            None => Default::default(),
        };
        let own = own.iter().map(|field| field.name);
        let names = own.chain(tuning.iter().map(|field| field.name));
        for name in names.chain([key.plain.name]) {
            assert!(DOCUMENTATION.contains(&format!("`{name}`")), "{name}");
        }
    }
}

/// Some value that a key of a table may have.
fn any_value(key: &str, field: &str) -> BoxedStrategy<Value> {
    let number = || (0..=i64::MAX).prop_map(Value::from).boxed();
    let duration = |from: u64, to: u64| {
        let whole = (from..=to).prop_map(Value::from);
        let text = (from..=to).prop_map(|seconds| json!(format!("{seconds}s")));
        prop_oneof![whole, text].boxed()
    };
    let or_off = |value: BoxedStrategy<Value>| prop_oneof![value, Just(json!("off"))].boxed();
    let words = |words: &'static [&str]| prop::sample::select(words).prop_map(Value::from).boxed();
    const DAY: u64 = 86_400;
    match (key, field) {
        ("surge", "total" | "sent" | "received") | (_, "enabled" | "private") => {
            any::<bool>().prop_map(Value::from).boxed()
        }
        ("max_active_time", "limit") => or_off(duration(0, 30 * DAY)),
        ("quota", "limit") => or_off((1..=i64::MAX).prop_map(Value::from).boxed()),
        (_, "total" | "sent" | "received") => or_off(number()),
        (_, "floor") => number(),
        (_, "factor") => (11..=10_000)
            .prop_map(|tenths| json!(f64::from(tenths) / 10.0))
            .boxed(),
        (_, "learn") => duration(0, 28 * DAY),
        (_, "for" | "clear_for") => duration(0, DAY),
        (_, "cooldown") => duration(0, 30 * DAY),
        (_, "repeat" | "after") => or_off(duration(60, 30 * DAY)),
        (_, "clear_percent") => (1..=100).prop_map(Value::from).boxed(),
        (_, "severity") => words(&["info", "warning", "critical"]),
        (_, "scope") => words(&["internet", "local", "all"]),
        (_, "direction") => words(&["total", "sent", "received"]),
        (_, "cycle") => prop_oneof![
            (1..=31).prop_map(Value::from),
            (-28..=-1).prop_map(Value::from),
            Just(json!("30 days from 2026-01-05")),
        ]
        .boxed(),
        (_, "steps") => prop::collection::btree_set(1..=255_u8, 1..=4)
            .prop_map(|steps| json!(steps))
            .boxed(),
        (_, "schedule" | "free") => prop_oneof![
            Just(json!("Mon-Fri 08:00-18:00; Sat,Sun")),
            Just(json!(["22:00-06:00", "Sun"])),
        ]
        .boxed(),
        _ => panic!("a key without an example: {key}.{field}"),
    }
}

/// Some keys, each with some of its table's. Empty tables are left out, as they say nothing.
fn any_keys() -> impl Strategy<Value = Value> {
    let keys: Vec<_> = KEYS
        .iter()
        .map(|key| {
            let name = key.plain.name;
            let Some(table) = &key.table else {
                return prop::option::of(any_value(name, name)).boxed();
            };
            let own = table.own.iter().map(|field| field.name);
            let tuning = table.tuning.iter().map(|field| field.name);
            let fields: Vec<_> = own
                .chain(tuning)
                .map(|field| (Just(field), prop::option::of(any_value(name, field))))
                .collect();
            fields.prop_map(object).boxed()
        })
        .zip(KEYS.iter().map(|key| Just(key.plain.name)))
        .map(|(value, name)| (name, value))
        .collect();
    keys.prop_map(|keys| object(keys).unwrap_or_else(|| json!({})))
}

fn object(keys: Vec<(&'static str, Option<Value>)>) -> Option<Value> {
    let keys: Map<String, Value> = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
    (!keys.is_empty()).then_some(Value::Object(keys))
}

proptest! {
    #[test]
    fn both_formats_say_the_same(keys in any_keys()) {
        let limits = read(&keys);
        prop_assert_eq!(limits == Limits::default(), keys == json!({}));
    }
}
