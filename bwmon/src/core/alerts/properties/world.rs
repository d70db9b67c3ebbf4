//! Random traffic, thresholds, clocks and joins, through usage, rules and alerts.

use std::time::Duration;

use bwmon_common::layout::{Counter, Row};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::core::{
    policy::{Scope, Thresholds},
    rules::Facts,
    time::Monotonic,
    usage::{DayUsage, LocalDay},
};

const DEVICES: [&str; 2] = ["laptop", "phone"];

/// One sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    pub(super) millis: u64,
    pub(super) wall_step: i64,
    pub(super) traffic: [Traffic; 2],
    pub(super) thresholds: Thresholds,
    pub(super) muted: bool,
    pub(super) happening: Happening,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Traffic {
    pub(super) bytes: u64,
    pub(super) bytes_per_sec: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    Nothing,
    /// The phone turns out to be the laptop.
    Join,
    /// The phone is gone.
    Forget,
}

/// What was told, and the finding it was told at, unless a happening was the cause.
pub(super) type Told = (Transition, Option<Finding>);

/// What the loop does, with a clock of its own.
pub(super) struct World {
    pub(super) now: Now,
    day: LocalDay,
    pub(super) usage: [DayUsage; 2],
    pub(super) alerts: Alerts,
    ids: u32,
    /// Added to the monotonic clock that alerts see.
    boot: Duration,
}

impl World {
    pub(super) fn new() -> Self {
        let wall: Timestamp = "2026-03-08T20:00:00Z".parse().unwrap();
        let now = Now {
            monotonic: Monotonic(Duration::from_secs(100)),
            wall,
        };
        let day = now.day(&TimeZone::UTC);
        Self {
            now,
            day: LocalDay::new(day),
            usage: [DayUsage::on(day); 2],
            alerts: Alerts::default(),
            ids: 0,
            boot: Duration::ZERO,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            monotonic: Monotonic(self.now.monotonic.0 + self.boot),
            ..self.now
        }
    }

    pub(super) fn tick(&mut self, tick: &Tick) -> Vec<Told> {
        self.now.monotonic.0 += Duration::from_millis(tick.millis);
        self.now.wall += Duration::from_millis(tick.millis);
        self.now.wall += jiff::SignedDuration::from_secs(tick.wall_step);
        let day = self.day.follow(&self.now, &TimeZone::UTC);
        for (usage, traffic) in self.usage.iter_mut().zip(tick.traffic) {
            usage.roll(day);
            usage.record(&self.now, &row(traffic.bytes), Scope::Internet);
        }
        let now = self.now();
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            ids.to_string()
        };
        let mut told: Vec<Told> = Vec::new();
        let happened = match tick.happening {
            Happening::Nothing => Vec::new(),
            Happening::Join => {
                let phone = std::mem::replace(&mut self.usage[1], DayUsage::on(day));
                self.usage[0].merge(&phone);
                let today = facts(&self.usage[0], tick.traffic[0], tick).today();
                self.alerts
                    .join(&now, "phone", &device("laptop"), today, &mut new_id)
            }
            Happening::Forget => {
                self.usage[1] = DayUsage::on(day);
                self.alerts.forget(&now, "phone", &mut new_id)
            }
        };
        told.extend(happened.into_iter().map(|transition| (transition, None)));
        for ((id, usage), traffic) in DEVICES.into_iter().zip(&self.usage).zip(tick.traffic) {
            for rule in RuleKind::ALL {
                let finding = facts(usage, traffic, tick).finding(rule);
                let transition = self.alerts.step(&now, &device(id), &finding, &mut new_id);
                told.extend(transition.map(|transition| (transition, Some(finding))));
            }
        }
        told
    }

    /// Starts again from what was saved, after a reboot.
    pub(super) fn restart(&mut self) {
        let saved = serde_json::to_string(&self.alerts.records(&self.now())).unwrap();
        self.boot += Duration::from_secs(7);
        let mut records: Vec<AlertRecord> = serde_json::from_str(&saved).unwrap();
        // Rows of a table come in any order.
        records.reverse();
        self.alerts = Alerts::restore(records, &self.now());
    }
}

fn row(bytes: u64) -> Row {
    let local = Counter {
        bytes: 10,
        packets: 1,
    };
    Row {
        sent: Counter {
            bytes: bytes / 3 + 10,
            packets: 1,
        },
        sent_local: local,
        received: Counter {
            bytes: bytes - bytes / 3,
            packets: 1,
        },
        ..Row::default()
    }
}

pub(super) fn facts<'a>(usage: &'a DayUsage, traffic: Traffic, tick: &Tick) -> Facts<'a> {
    Facts {
        usage,
        sent_bytes_per_sec: traffic.bytes_per_sec / 4.0,
        received_bytes_per_sec: traffic.bytes_per_sec * 0.75,
        thresholds: tick.thresholds,
        scope: Scope::Internet,
        muted: tick.muted,
    }
}

pub(super) fn device(id: &str) -> DeviceRef<'_> {
    DeviceRef {
        id,
        name: id,
        mac: None,
        addresses: &[],
    }
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let rates = [
        0.0, 400.0, 799.0, 801.0, 1000.0, 1001.0, 1500.0, 3100.0, 7000.0,
    ];
    (
        prop_oneof![Just(0), 0..5000_u64, Just(70_000)],
        proptest::sample::select(rates.to_vec()),
    )
        .prop_map(|(bytes, bytes_per_sec)| Traffic {
            bytes,
            bytes_per_sec,
        })
}

fn thresholds() -> impl Strategy<Value = Thresholds> {
    let usual = (Some(200_000), Some(120), Some(1000));
    let other = [
        (Some(400_000), Some(180), Some(800)),
        (Some(100_000), Some(60), Some(1400)),
        (None, None, None),
    ];
    prop_oneof![8 => Just(usual), 4 => proptest::sample::select(other.to_vec())].prop_map(
        |(bandwidth, seconds, bytes_per_sec)| Thresholds {
            bandwidth,
            active_time: seconds.map(Duration::from_secs),
            bytes_per_sec,
        },
    )
}

/// Ticks in runs of equal ones, since only what lasts makes an alert.
fn ticks(
    wall_steps: impl Strategy<Value = i64>,
    happenings: impl Strategy<Value = Happening>,
) -> impl Strategy<Value = Vec<Tick>> {
    let millis = prop_oneof![20 => 200..4000_u64, 2 => Just(70_000), 1 => Just(7_200_000)];
    let muted = proptest::bool::weighted(0.04);
    let tick = (
        millis,
        wall_steps,
        [traffic(), traffic()],
        thresholds(),
        muted,
        happenings,
    );
    let tick = tick.prop_map(
        |(millis, wall_step, traffic, thresholds, muted, happening)| Tick {
            millis,
            wall_step,
            traffic,
            thresholds,
            muted,
            happening,
        },
    );
    proptest::collection::vec((tick, 1..25_usize), 1..30).prop_map(|runs| {
        let run = |(tick, length): (Tick, usize)| {
            let rest = Tick {
                wall_step: 0,
                happening: Happening::Nothing,
                ..tick
            };
            std::iter::once(tick).chain(std::iter::repeat_n(rest, length - 1))
        };
        runs.into_iter().flat_map(run).collect()
    })
}

pub(super) fn any_ticks() -> impl Strategy<Value = Vec<Tick>> {
    let wall_steps = prop_oneof![15 => Just(0), 1 => -100_000..100_000_i64];
    let happenings = prop_oneof![
        12 => Just(Happening::Nothing),
        2 => Just(Happening::Join),
        1 => Just(Happening::Forget)
    ];
    ticks(wall_steps, happenings)
}

pub(super) fn calm_ticks() -> impl Strategy<Value = Vec<Tick>> {
    ticks(Just(0), Just(Happening::Nothing))
}
