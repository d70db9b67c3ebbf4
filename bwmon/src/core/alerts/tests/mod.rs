use std::{ops::RangeInclusive, time::Duration};

use jiff::{Timestamp, civil::date};

use super::{
    lifecycle::{Move, Signal, next},
    *,
};
use crate::core::{
    event::{
        Detail, Direction,
        EventState::{self, Firing, Reminder, Resolved},
        Severity, SubjectKind,
    },
    policy::{Cooldown, Timing},
    rules::Verdict,
    time::Monotonic,
};

mod acknowledged;
mod daily;
mod devices;
mod flapping;
mod muted;
mod rate;
mod reminders;
mod saved;
mod scopes;

const THRESHOLD: u64 = 1000;
const LAPTOP: DeviceRef<'static> = device("laptop");

const fn device(id: &'static str) -> DeviceRef<'static> {
    DeviceRef {
        id,
        name: "Laptop",
        kind: SubjectKind::Device,
        group: None,
        mac: None,
        addresses: &[],
    }
}

fn at(second: u64) -> Now {
    let wall = Timestamp::from_second(1_772_928_000 + second as i64).unwrap();
    Now {
        monotonic: Monotonic(Duration::from_secs(second)),
        wall,
    }
}

const PASSING: Timing = Timing {
    for_: Duration::from_secs(10),
    clear_for: Duration::from_secs(30),
    repeat: None,
    cooldown: Cooldown::For(Duration::from_secs(300)),
};

const ONCE: Timing = Timing {
    for_: Duration::ZERO,
    clear_for: Duration::ZERO,
    repeat: None,
    cooldown: Cooldown::Period,
};

/// Of day 8 + `day`, on which as much was used as is observed; `None`: the rule is off.
fn finding(rule: RuleKind, day: i8, observed: Option<u64>, threshold: u64) -> Finding {
    let passes = matches!(rule, RuleKind::Rate | RuleKind::Surge);
    let judgement = observed.map_or(Judgement::Off, |observed| {
        let level = match observed {
            _ if observed > threshold => Level::Broken,
            _ if passes && observed * 5 >= threshold * 4 => Level::Within,
            _ => Level::Clear,
        };
        Judgement::Judged(Verdict {
            observed,
            threshold,
            expected: None,
            level,
        })
    });
    let day = date(2026, 3, 8 + day);
    Finding {
        rule: Rule {
            kind: rule,
            direction: Direction::Total,
            step: 0,
        },
        severity: Severity::Warning,
        timing: if passes { PASSING } else { ONCE },
        judgement,
        period: day,
        today: Today {
            day,
            sent: observed.unwrap_or(0),
            received: 0,
        },
        bytes_per_sec: observed.unwrap_or(0),
        detail: Detail::None,
    }
}

/// A rate that is told of again each minute while it lasts.
fn repeated(observed: u64) -> Finding {
    let timing = Timing {
        repeat: Some(Duration::from_secs(60)),
        ..PASSING
    };
    Finding {
        timing,
        ..finding(RuleKind::Rate, 0, Some(observed), THRESHOLD)
    }
}

/// The alerts of one rule, stepped by hand.
struct Bench {
    alerts: Alerts,
    rule: RuleKind,
    ids: u32,
}

impl Bench {
    fn new(rule: RuleKind) -> Self {
        Self {
            alerts: Alerts::default(),
            rule,
            ids: 0,
        }
    }

    fn step(&mut self, second: u64, finding: Finding) -> Option<Transition> {
        let ids = &mut self.ids;
        let mut told = self
            .alerts
            .step(&at(second), &LAPTOP, [finding], &mut || next_id(ids));
        assert!(told.len() <= 1, "{told:?}");
        told.pop()
    }

    /// What is told from second to second, with this rate in each of them.
    fn run(
        &mut self,
        seconds: RangeInclusive<u64>,
        finding: impl Fn(u64) -> Finding,
    ) -> Vec<(u64, EventState)> {
        let told = |second| Some((second, self.step(second, finding(second))?.state));
        seconds.filter_map(told).collect()
    }

    /// Told on `day` at these values.
    fn on(&mut self, day: i8, observed: Option<u64>, threshold: u64) -> Option<EventState> {
        let second = u64::from(day.unsigned_abs()) * 86_400 + 60 * u64::from(self.ids);
        let transition = self.step(second, finding(self.rule, day, observed, threshold));
        transition.map(|transition| transition.state)
    }
}

fn next_id(ids: &mut u32) -> String {
    *ids += 1;
    ids.to_string()
}

#[test]
fn the_table_has_these_moves() {
    const OFF: Signal = Signal::Over(Ending::SwitchedOff);
    let (over, cleared) = (
        Move::Resolve(Ending::SwitchedOff),
        Move::Resolve(Ending::Cleared),
    );
    let remind = Move::Remind;
    let rows = [
        (Stage::Idle, Signal::Broken, Move::Open, Move::Open),
        (Stage::Idle, Signal::Within, Move::Stay, Move::Stay),
        (Stage::Idle, Signal::Clear, Move::Stay, Move::Stay),
        (Stage::Idle, OFF, Move::Stay, Move::Stay),
        (Stage::Pending, Signal::Broken, Move::Stay, Move::Fire),
        (Stage::Pending, Signal::Within, Move::Drop, Move::Drop),
        (Stage::Pending, Signal::Clear, Move::Drop, Move::Drop),
        (Stage::Pending, OFF, Move::Drop, Move::Drop),
        (Stage::Firing, Signal::Broken, Move::Stay, remind),
        (Stage::Firing, Signal::Within, Move::Stay, remind),
        (Stage::Firing, Signal::Clear, Move::Subside, Move::Subside),
        (Stage::Firing, OFF, over, over),
        (
            Stage::Clearing,
            Signal::Broken,
            Move::Relapse,
            Move::Relapse,
        ),
        (
            Stage::Clearing,
            Signal::Within,
            Move::Relapse,
            Move::Relapse,
        ),
        (Stage::Clearing, Signal::Clear, Move::Stay, cleared),
        (Stage::Clearing, OFF, over, over),
    ];
    for (stage, signal, waiting, waited) in rows {
        assert_eq!(next(stage, signal, false), waiting, "{stage:?} {signal:?}");
        assert_eq!(next(stage, signal, true), waited, "{stage:?} {signal:?}");
    }
}

#[test]
fn an_alert_tells_of_the_device_as_it_is_by_then_with_a_name_that_is_safe() {
    let mut alerts = Alerts::default();
    for (second, name, known_as) in [
        (0, "La\u{202e}ptop", "Laptop"),
        (5, "Renamed", "Laptop"),
        (10, "\u{1b}", "laptop"),
        (15, "Once more", "laptop"),
    ] {
        let finding = finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
        let device = DeviceRef { name, ..LAPTOP };
        alerts.step(&at(second), &device, [finding], &mut || "id".to_owned());
        assert_eq!(alerts.open().next().unwrap().device.name, known_as);
    }
}

#[test]
fn mutes_are_indexed_as_rules_are_numbered() {
    for (index, rule) in RuleKind::ALL.into_iter().enumerate() {
        assert_eq!(rule as usize, index);
    }
}
