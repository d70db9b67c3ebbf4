//! Random traffic, rules, clocks, joins and wishes of the owner, through usage, rules and alerts.

use std::time::Duration;

use bwmon_common::layout::{Counter, Row};
use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::core::{
    cycle::Cycle,
    event::{Basis, SubjectKind},
    meter::Rates,
    policy::{Directed, Limits, Policy, Rules, Scope, Setting},
    rules::{Facts, NEW_FOR, Newcomer, Seen},
    surge::Expectation,
    usage::{CycleUsage, DayUsage, LocalDay},
};

const DEVICES: [&str; 2] = ["laptop", "phone"];
/// What is told again is told again so often.
pub(super) const REPEAT: Duration = Duration::from_secs(60);
/// The silence after what passes, unless it comes and goes.
pub(super) const COOLDOWN: Duration = Duration::from_secs(300);
const CYCLE: Cycle = Cycle::Every {
    days: 2,
    from: date(2026, 3, 7),
};

/// One sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    pub(super) millis: u64,
    pub(super) wall_step: i64,
    pub(super) traffic: [Traffic; 2],
    /// Which of [`World::rules`] apply.
    pub(super) rules: usize,
    /// Where there are hours, it is out of them.
    pub(super) is_out_of_hours: bool,
    pub(super) is_muted: bool,
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
    /// The phone is gone, and the next one is new.
    Forget,
    /// The owner mutes one device or both, one rule or all, for so many seconds or for good.
    Mute(bool, Option<RuleKind>, Option<u32>),
    Unmute,
    Acknowledge,
    Unacknowledge,
}

/// What was told, and the finding it was told at, unless a happening was the cause.
pub(super) type Told = (Transition, Option<Finding>);

/// What the loop does, with a clock of its own.
pub(super) struct World {
    pub(super) now: Now,
    day: LocalDay,
    pub(super) usage: [DayUsage; 2],
    used: [CycleUsage; 2],
    silent_for: [Duration; 2],
    /// How long the phone is known.
    known_for: Duration,
    rules: [Rules; 4],
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
        let scarce = [Some((100_000, 60, 1400)), Some((400_000, 180, 800))];
        let usual = Some((200_000, 120, 1000));
        Self {
            now,
            day: LocalDay::new(day),
            usage: [DayUsage::on(day); 2],
            used: [CycleUsage::from(CYCLE.start(day)); 2],
            silent_for: [Duration::ZERO; 2],
            known_for: Duration::ZERO,
            rules: [usual, scarce[0], scarce[1], None].map(rules),
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
        let elapsed = Duration::from_millis(tick.millis);
        self.now.monotonic.0 += elapsed;
        self.now.wall += elapsed;
        self.now.wall += SignedDuration::from_secs(tick.wall_step);
        let day = self.day.follow(&self.now, &TimeZone::UTC);
        self.known_for += elapsed;
        for (index, traffic) in tick.traffic.into_iter().enumerate() {
            let row = row(traffic.bytes);
            self.usage[index].roll(day);
            self.usage[index].record(&self.now, &row, Scope::Internet);
            self.used[index].roll(CYCLE.start(day));
            self.used[index].record(&row);
            self.silent_for[index] = match traffic.bytes {
                0 => self.silent_for[index] + elapsed,
                _ => Duration::ZERO,
            };
        }
        let happened = self.happen(day, tick);
        let mut told: Vec<Told> = happened.into_iter().map(|told| (told, None)).collect();
        for (index, id) in DEVICES.into_iter().enumerate() {
            let findings = self.findings(index, tick);
            let (now, ids) = (self.now(), &mut self.ids);
            let transitions =
                self.alerts
                    .step(&now, &device(id), findings.iter().cloned(), &mut || {
                        next_id(ids)
                    });
            told.extend(transitions.into_iter().map(|told| {
                let rule = told.alert.rule();
                let finding = findings.iter().find(|finding| finding.rule == rule);
                (told, finding.cloned())
            }));
        }
        told
    }

    fn happen(&mut self, day: Date, tick: &Tick) -> Vec<Transition> {
        let now = self.now();
        let mut ids = self.ids;
        let mut new_id = || next_id(&mut ids);
        let firing = self.alerts.open();
        let firing = firing.filter(|alert| alert.state == AlertState::Firing);
        let firing: Vec<String> = firing.map(|alert| alert.id.clone()).collect();
        let told = match tick.happening {
            Happening::Nothing => Vec::new(),
            Happening::Join => {
                let phone = std::mem::replace(&mut self.usage[1], DayUsage::on(day));
                self.usage[0].merge(&phone);
                let start = self.used[1].start;
                let phone = std::mem::replace(&mut self.used[1], CycleUsage::from(start));
                self.used[0].merge(&phone);
                let today = self.facts(0, tick).today(Scope::Internet);
                let laptop = device("laptop");
                self.alerts
                    .join(&now, "phone", &laptop, |_| today, &mut new_id)
            }
            Happening::Forget => {
                self.usage[1] = DayUsage::on(day);
                self.used[1] = CycleUsage::from(self.used[1].start);
                self.known_for = Duration::ZERO;
                self.alerts.forget(&now, "phone", &mut new_id)
            }
            Happening::Mute(is_phone, rule, seconds) => {
                let until =
                    seconds.map(|seconds| now.wall + SignedDuration::from_secs(seconds.into()));
                let mute = Mute {
                    id: new_id(),
                    subject: is_phone.then(|| "phone".to_owned()),
                    rule,
                    until,
                    reason: None,
                    created_at: now.wall,
                };
                self.alerts.mute(&now, mute).unwrap();
                Vec::new()
            }
            Happening::Unmute => {
                let ids: Vec<String> = self.alerts.mutes().map(|mute| mute.id.clone()).collect();
                for id in ids {
                    self.alerts.unmute(&id).unwrap();
                }
                Vec::new()
            }
            Happening::Acknowledge => {
                for id in firing {
                    self.alerts.acknowledge(&id, &now, Some("Ann")).unwrap();
                }
                Vec::new()
            }
            Happening::Unacknowledge => {
                for id in firing {
                    self.alerts.unacknowledge(&id).unwrap();
                }
                Vec::new()
            }
        };
        self.ids = ids;
        told
    }

    fn findings(&self, device: usize, tick: &Tick) -> Vec<Finding> {
        let facts = self.facts(device, tick);
        let rules = self.rules[tick.rules].list().iter();
        rules
            .map(|rule| {
                let mut finding = facts.finding(rule);
                if tick.is_out_of_hours {
                    finding.judgement = Judgement::OutOfHours;
                }
                finding
            })
            .collect()
    }

    fn facts(&self, device: usize, tick: &Tick) -> Facts<'_> {
        let Traffic { bytes_per_sec, .. } = tick.traffic[device];
        let expectation = Expectation {
            expected: 600.0,
            threshold: 1800.0,
            learned: Duration::from_secs(86_400),
            basis: Basis::HourOfDay,
        };
        Facts {
            local: self.now.local(&TimeZone::UTC),
            usage: &self.usage[device],
            used: &self.used[device],
            cycle: CYCLE,
            rates: Rates {
                sent: bytes_per_sec / 4.0,
                received: bytes_per_sec * 0.75,
            },
            local_rates: Rates::default(),
            surge: Directed::each(Some(Seen {
                bytes_per_sec,
                expectation: Some(expectation),
            })),
            silent_for: self.silent_for[device],
            newcomer: Some(Newcomer {
                seen_for: if device == 0 { NEW_FOR } else { self.known_for },
                watched_for: Duration::MAX,
                is_private: false,
            }),
            scope: Scope::Internet,
            is_muted: tick.is_muted,
        }
    }

    /// Starts again from what was saved, after a reboot.
    pub(super) fn restart(&mut self) {
        let saved = serde_json::to_string(&self.alerts.records(&self.now())).unwrap();
        let mutes = serde_json::to_string(&self.alerts.mutes().collect::<Vec<_>>()).unwrap();
        self.boot += Duration::from_secs(7);
        let mut records: Vec<AlertRecord> = serde_json::from_str(&saved).unwrap();
        // Rows of a table come in any order.
        records.reverse();
        let mutes: Vec<Mute> = serde_json::from_str(&mutes).unwrap();
        self.alerts = Alerts::restore(records, &self.now());
        self.alerts.restore_mutes(mutes);
    }
}

/// All rules, with these thresholds; `None`: none of them.
fn rules(thresholds: Option<(u64, u64, u64)>) -> Rules {
    let Some((bytes, seconds, bytes_per_sec)) = thresholds else {
        return Rules::default();
    };
    let repeat = Some(REPEAT);
    let mut limits = Limits::default();
    limits.volume.value.total = Setting::At(bytes);
    limits.volume.value.sent = Setting::At(bytes / 2);
    limits.volume.tuning.repeat = repeat;
    limits.rate.value.total = Setting::At(bytes_per_sec);
    limits.rate.value.received = Setting::At(bytes_per_sec);
    limits.rate.tuning.repeat = repeat;
    limits.surge.tuning.repeat = repeat;
    limits.surge.tuning.clear_for = Some(Duration::from_secs(20));
    limits.surge.tuning.cooldown = Some(COOLDOWN);
    limits.active_time.value = Setting::At(Duration::from_secs(seconds));
    limits.active_time.tuning.repeat = repeat;
    limits.quota.value.limit = Setting::At(2 * bytes);
    limits.quota.value.cycle = Some(CYCLE);
    limits.quota.tuning.repeat = repeat;
    limits.new_device.tuning.repeat = repeat;
    limits.silent.value = Setting::At(Duration::from_secs(30));
    limits.silent.tuning.repeat = repeat;
    limits.silent.tuning.cooldown = Some(COOLDOWN);
    let policy = Policy {
        defaults: limits,
        ..Policy::default()
    };
    policy.rules(None, &[])
}

fn next_id(ids: &mut u32) -> String {
    *ids += 1;
    ids.to_string()
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

fn device(id: &'static str) -> DeviceRef<'static> {
    DeviceRef {
        id,
        name: id,
        kind: SubjectKind::Device,
        group: None,
        mac: None,
        addresses: &[],
    }
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let rates = [
        0.0, 700.0, 790.0, 850.0, 1000.0, 1001.0, 1300.0, 2100.0, 3100.0, 7000.0,
    ];
    (
        prop_oneof![2 => Just(0), 2 => 0..5000_u64, 1 => Just(70_000)],
        proptest::sample::select(rates.to_vec()),
    )
        .prop_map(|(bytes, bytes_per_sec)| Traffic {
            bytes,
            bytes_per_sec,
        })
}

/// Ticks in runs of equal ones, since only what lasts makes an alert.
fn ticks(
    wall_steps: impl Strategy<Value = i64>,
    happenings: impl Strategy<Value = Happening>,
) -> impl Strategy<Value = Vec<Tick>> {
    let tick = (
        prop_oneof![20 => 200..4000_u64, 2 => Just(70_000), 1 => Just(7_200_000)],
        wall_steps,
        [traffic(), traffic()],
        prop_oneof![8 => Just(0), 4 => 1..4_usize],
        proptest::bool::weighted(0.04),
        proptest::bool::weighted(0.04),
        happenings,
    );
    let tick = tick.prop_map(
        |(millis, wall_step, traffic, rules, is_out_of_hours, is_muted, happening)| Tick {
            millis,
            wall_step,
            traffic,
            rules,
            is_out_of_hours,
            is_muted,
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

fn wishes() -> impl Strategy<Value = Happening> {
    let rule = proptest::sample::select(RuleKind::ALL.to_vec());
    let mute = (
        any::<bool>(),
        proptest::option::of(rule),
        proptest::option::of(1..600_u32),
    );
    prop_oneof![
        2 => mute.prop_map(|(is_phone, rule, until)| Happening::Mute(is_phone, rule, until)),
        1 => Just(Happening::Unmute),
        1 => Just(Happening::Acknowledge),
        1 => Just(Happening::Unacknowledge),
    ]
}

pub(super) fn any_ticks() -> impl Strategy<Value = Vec<Tick>> {
    let wall_steps = prop_oneof![15 => Just(0), 1 => -100_000..100_000_i64];
    let happenings = prop_oneof![
        12 => Just(Happening::Nothing),
        2 => Just(Happening::Join),
        1 => Just(Happening::Forget),
        3 => wishes(),
    ];
    ticks(wall_steps, happenings)
}

pub(super) fn calm_ticks() -> impl Strategy<Value = Vec<Tick>> {
    ticks(Just(0), Just(Happening::Nothing))
}

/// Clocks as they come, and nothing else that depends on them.
pub(super) fn jumping_ticks() -> impl Strategy<Value = Vec<Tick>> {
    let wall_steps = prop_oneof![2 => Just(0), 1 => -10_000_000..10_000_000_i64];
    ticks(wall_steps, Just(Happening::Nothing))
}
