use std::{ops::RangeInclusive, time::Duration};

use jiff::{Timestamp, civil::date};

use super::{
    lifecycle::{Move, Signal, next},
    *,
};
use crate::core::{
    event::EventState::{self, Firing, Resolved},
    rules::Verdict,
    time::Monotonic,
};

mod daily;
mod devices;
mod rate;
mod saved;

const THRESHOLD: u64 = 1000;
const LAPTOP: DeviceRef<'static> = device("laptop");

const fn device(id: &'static str) -> DeviceRef<'static> {
    DeviceRef {
        id,
        name: "Laptop",
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

/// Of day 8 + `day`, on which as much was used as is observed; `None`: the rule is off.
fn finding(rule: RuleKind, day: i8, observed: Option<u64>, threshold: u64) -> Finding {
    let verdict = observed.map(|observed| {
        let level = match observed {
            _ if observed > threshold => Level::Broken,
            _ if rule == RuleKind::Rate && observed * 5 >= threshold * 4 => Level::Within,
            _ => Level::Clear,
        };
        Verdict {
            observed,
            threshold,
            level,
        }
    });
    let sent = observed.unwrap_or(0);
    let today = Today {
        day: date(2026, 3, 8 + day),
        sent,
        received: 0,
    };
    Finding {
        rule,
        verdict,
        today,
        bytes_per_sec: observed.unwrap_or(0),
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
        self.alerts
            .step(&at(second), &LAPTOP, &finding, &mut || next_id(ids))
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
    let rows = [
        (Stage::Idle, Signal::Broken, Move::Open, Move::Open),
        (Stage::Idle, Signal::Within, Move::Stay, Move::Stay),
        (Stage::Idle, Signal::Clear, Move::Stay, Move::Stay),
        (Stage::Idle, OFF, Move::Stay, Move::Stay),
        (Stage::Pending, Signal::Broken, Move::Stay, Move::Fire),
        (Stage::Pending, Signal::Within, Move::Drop, Move::Drop),
        (Stage::Pending, Signal::Clear, Move::Drop, Move::Drop),
        (Stage::Pending, OFF, Move::Drop, Move::Drop),
        (Stage::Firing, Signal::Broken, Move::Stay, Move::Stay),
        (Stage::Firing, Signal::Within, Move::Stay, Move::Stay),
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
        alerts.step(&at(second), &device, &finding, &mut || "id".to_owned());
        assert_eq!(alerts.open().next().unwrap().device.name, known_as);
    }
}

#[test]
fn rules_are_numbered_as_tracks_are_indexed() {
    for (index, rule) in RuleKind::ALL.into_iter().enumerate() {
        assert_eq!(rule as usize, index);
    }
}
