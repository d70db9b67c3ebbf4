//! A week of a home of 100 devices through the whole core, with the rules that the daemon has when
//! its owner says nothing: is all found that should be, and how often does it cry wolf?
//!
//! The traffic is simulated ([`Week`]). Prints the tables of `docs/alerts.md`.
#![expect(
    clippy::expect_used,
    reason = "a simulation fails by panicking, with the reason"
)]

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use bwmon::core::{
    alerts::Transition,
    event::{Direction, EventState, RuleKind},
    human,
    ledger::Ledger,
    mac::MacAddr,
    policy::{Policy, Registration, Scope, Selector},
    time::{Monotonic, Now},
};
use bwmon_common::layout::{Counter, Row};
use bwmon_tests::{Anomaly, Moved, STEP, Week};
use jiff::{Timestamp, tz::TimeZone};

/// 2026-01-05, a Monday.
const FIRST_DAY: i64 = 1_767_571_200;
/// The two seeds that the rule was made with, and two that it was not.
const SEEDS: [u64; 4] = [1, 2, 11, 12];
const LEARNING_DAYS: [u32; 2] = [14, 2];

fn main() {
    let seeds: Vec<u64> = std::env::args()
        .skip(1)
        .map(|seed| seed.parse().expect("a seed is a number"))
        .collect();
    let seeds = if seeds.is_empty() { &SEEDS[..] } else { &seeds };
    let mut weeks = Vec::new();
    for learning_days in LEARNING_DAYS {
        for seed in seeds {
            weeks.push(Judged::new(*seed, learning_days));
        }
    }
    for week in weeks.iter().filter(|week| week.seed == seeds[0]) {
        week.print_anomalies();
    }
    println!(
        "| days known before | seed | found of 4 | false surges | over a fixed threshold | time |"
    );
    println!("|---|---|---|---|---|---|");
    for week in &weeks {
        week.print_row();
    }
}

/// What the core made of a week.
struct Judged {
    seed: u64,
    learning_days: u32,
    /// Each anomaly, and what was told of it.
    anomalies: Vec<(Anomaly, Option<Told>)>,
    false_surges: usize,
    /// By rules that have a threshold, which was passed: true, wanted or not.
    others: BTreeMap<&'static str, usize>,
    took: Duration,
}

/// An alert as it began.
struct Told {
    device: usize,
    rule: RuleKind,
    direction: Direction,
    step: u32,
    observed: u64,
    expected: Option<u64>,
}

impl Judged {
    fn new(seed: u64, learning_days: u32) -> Self {
        let started = Instant::now();
        let mut week = Week::new(seed, learning_days);
        let (start, end) = (week.start(), week.end());
        let mut ledger = home(&week);
        let mut told = Vec::new();
        let mut ids = 0_u64;
        let mut new_id = || {
            ids += 1;
            ids.to_string()
        };
        for step in 0..end {
            let moved: Vec<(IpAddr, Row)> = week
                .devices
                .iter_mut()
                .enumerate()
                .map(|(index, device)| (address(index), row(device.step())))
                .filter(|(_, row)| *row != Row::default())
                .collect();
            let transitions = ledger.sample(&now(step), STEP, moved, &mut new_id);
            let is_fired = |each: &&Transition| each.state == EventState::Firing;
            told.extend(
                transitions
                    .iter()
                    .filter(is_fired)
                    .map(|each| Told::new(each, step)),
            );
        }
        told.retain(|told| told.step >= start);
        let (surges, others): (Vec<_>, Vec<_>) = told
            .into_iter()
            .partition(|told| told.rule == RuleKind::Surge);
        let mut by_rule = BTreeMap::new();
        for told in others {
            *by_rule.entry(told.rule.as_str()).or_default() += 1;
        }
        let mut false_surges = 0;
        let mut found: Vec<Option<Told>> = week.anomalies.iter().map(|_| None).collect();
        for told in surges {
            match week.anomalies.iter().position(|each| told.is_of(each)) {
                Some(anomaly) => {
                    found[anomaly].get_or_insert(told);
                }
                None => false_surges += 1,
            }
        }
        Self {
            seed,
            learning_days,
            anomalies: week.anomalies.into_iter().zip(found).collect(),
            false_surges,
            others: by_rule,
            took: started.elapsed(),
        }
    }

    fn print_anomalies(&self) {
        let Self {
            seed,
            learning_days,
            ..
        } = self;
        println!("seed {seed}, {learning_days} days known before:\n");
        println!("| what | began | told after | seen | usual | times |");
        println!("|---|---|---|---|---|---|");
        for (anomaly, told) in &self.anomalies {
            let began = now(anomaly.start).wall.strftime("%a %H:%M");
            let what = anomaly.what;
            let Some(told) = told else {
                println!("| {what} | {began} | **missed** | | | |");
                continue;
            };
            let after = STEP * (told.step - anomaly.start);
            let expected = told.expected.unwrap_or(0);
            println!(
                "| {what} | {began} | {} | {} {} | {} | {:.1} |",
                human::duration(after),
                human::bits_per_sec(told.observed),
                told.direction.as_str(),
                human::bits_per_sec(expected),
                told.observed as f64 / (expected.max(1)) as f64,
            );
        }
        println!();
    }

    fn print_row(&self) {
        let found = self.anomalies.iter().filter(|(_, told)| told.is_some());
        let others: Vec<String> = self
            .others
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        println!(
            "| {} | {} | {} | {} | {} | {:.1} s |",
            self.learning_days,
            self.seed,
            found.count(),
            self.false_surges,
            others.join(", "),
            self.took.as_secs_f64(),
        );
    }
}

impl Told {
    fn new(transition: &Transition, step: u32) -> Self {
        let alert = &transition.alert;
        let device = alert
            .device
            .addresses
            .first()
            .map_or(0, |address| index(*address));
        Self {
            device,
            rule: alert.rule,
            direction: alert.direction,
            step,
            observed: alert.observed,
            expected: alert.expected,
        }
    }

    fn is_of(&self, anomaly: &Anomaly) -> bool {
        // What it stirs up shortly after is it, too.
        self.device == anomaly.device && (anomaly.start..anomaly.end + 6).contains(&self.step)
    }
}

/// The core of a router that knows the devices by name and nothing else.
fn home(week: &Week) -> Ledger {
    let entry = |(index, device): (usize, &bwmon_tests::Device)| Registration {
        selector: Selector::Address(address(index)),
        name: Some(device.name.clone()),
        group: None,
        limits: Default::default(),
        muted: false,
    };
    let policy = Policy {
        registered: week.devices.iter().enumerate().map(entry).collect(),
        ..Policy::default()
    };
    let mut ledger = Ledger::new(policy, Scope::Internet, TimeZone::UTC, &now(0));
    for number in 0..week.devices.len() {
        let mac = MacAddr([0, 0, 0, 0, 0, number as u8]);
        ledger.learn(address(number), mac);
    }
    ledger
}

fn address(index: usize) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, index as u8).into()
}

fn index(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(address) => address.octets()[3].into(),
        IpAddr::V6(_) => 0,
    }
}

fn row(moved: Moved) -> Row {
    let counter = |bytes: u64| Counter {
        bytes,
        packets: bytes.div_ceil(1500),
    };
    Row {
        sent: counter(moved.sent),
        received: counter(moved.received),
        ..Row::default()
    }
}

fn now(step: u32) -> Now {
    let since = (step + 1) * STEP.as_secs() as u32;
    Now {
        monotonic: Monotonic(Duration::from_secs(since.into())),
        wall: Timestamp::from_second(FIRST_DAY + i64::from(since)).expect("a week of this century"),
    }
}
