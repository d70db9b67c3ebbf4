//! One week of a home of 100 devices through the surge rule: is all found that should be, and how
//! often does it cry wolf?
//!
//! The traffic is simulated ([`Week`]); rule and defaults are those of the daemon.
#![expect(
    clippy::expect_used,
    reason = "a simulation fails by panicking, with the reason"
)]

use std::time::{Duration, Instant};

use bwmon::core::{
    surge::{Expectation, Settings, Surge},
    time::{Monotonic, Now},
};
use bwmon_tests::{Anomaly, STEP, Week};
use jiff::Timestamp;

/// The Monday on which the week starts: 2026-01-19.
const MONDAY: i64 = 1_768_780_800;
const DIRECTIONS: [&str; 3] = ["sent", "received", "total"];
const HEAD: &str = "what                           device     when      way              seen     expected  times because of";
const FOR: Duration = Duration::from_secs(300);
const CLEAR_FOR: Duration = Duration::from_secs(300);
const CLEAR_RATIO: f64 = 0.8;
const COOLDOWN: Duration = Duration::from_secs(6 * 3600);

fn main() {
    let seed = std::env::args()
        .nth(1)
        .map_or(1, |seed| seed.parse().expect("a seed is a number"));
    for learning_days in [14, 2] {
        report(seed, learning_days);
    }
}

fn report(seed: u64, learning_days: u32) {
    let started = Instant::now();
    let settings = Settings::default();
    let mut week = Week::new(seed, learning_days);
    let (start, end) = (week.start(), week.end());
    let clock = Clock { start };
    let mut alerts = Vec::new();
    for (index, device) in week.devices.iter_mut().enumerate() {
        let began = clock.now(0);
        let mut watches = DIRECTIONS.map(|direction| Watch::new(index, direction, &began));
        for step in 0..end {
            let moved = device.step();
            let now = clock.now(step);
            let of_each = [moved.sent, moved.received, moved.sent + moved.received];
            for (watch, bytes) in watches.iter_mut().zip(of_each) {
                watch.step(step, &now, bytes, &settings);
            }
        }
        alerts.extend(watches.into_iter().flat_map(|watch| watch.alerts));
    }
    alerts.retain(|alert| alert.step >= start);

    println!(
        "The week after {learning_days} days of learning: {} times the usual, above {}, for {} s",
        settings.factor,
        rate(settings.floor as f64),
        FOR.as_secs(),
    );
    println!("{HEAD}");
    for anomaly in &week.anomalies {
        let mut found = alerts
            .iter()
            .filter(|alert| alert.is_of(anomaly))
            .peekable();
        if found.peek().is_none() {
            println!("{:30} MISSED", anomaly.what);
        }
        for alert in found {
            println!("{:30} {}", anomaly.what, alert.row(&week));
        }
    }
    alerts.retain(|alert| !week.anomalies.iter().any(|anomaly| alert.is_of(anomaly)));
    for alert in &alerts {
        println!("{:30} {}", "(false alert)", alert.row(&week));
    }
    let wrong = DIRECTIONS.map(|direction| {
        let count = alerts
            .iter()
            .filter(|alert| alert.direction == direction)
            .count();
        format!("{count} {direction}")
    });
    println!(
        "False alerts of {} devices: {}; {:.1} s for {} steps of each\n",
        week.devices.len(),
        wrong.join(", "),
        started.elapsed().as_secs_f64(),
        end,
    );
}

/// The wall clock of a simulation whose week starts at a step.
#[derive(Clone, Copy)]
struct Clock {
    start: u32,
}

impl Clock {
    fn now(self, step: u32) -> Now {
        let seconds = |steps: u32| i64::from(steps) * STEP.as_secs() as i64;
        let wall = MONDAY + seconds(step + 1) - seconds(self.start);
        Now {
            monotonic: Monotonic(STEP * (step + 1)),
            wall: Timestamp::from_second(wall).expect("a week of this century"),
        }
    }
}

/// An alert as it began.
struct Alert {
    device: usize,
    direction: &'static str,
    step: u32,
    at: Now,
    seen: f64,
    expectation: Expectation,
}

impl Alert {
    fn is_of(&self, anomaly: &Anomaly) -> bool {
        // What it stirs up shortly after is it, too.
        self.device == anomaly.device && (anomaly.start..anomaly.end + 6).contains(&self.step)
    }

    fn row(&self, week: &Week) -> String {
        let Expectation {
            expected, basis, ..
        } = self.expectation;
        format!(
            "{:10} {} {:8} {:>12} {:>12} {:>6.1} {basis:?}",
            week.devices[self.device].name,
            self.at.wall.strftime("%a %H:%M"),
            self.direction,
            rate(self.seen),
            rate(expected),
            self.seen / expected,
        )
    }
}

/// A rule on one device and direction, with the smallest of lifecycles.
struct Watch {
    device: usize,
    direction: &'static str,
    surge: Surge,
    /// Over the threshold without a break.
    pending: Duration,
    /// Clear without a break, while it fires.
    clear: Option<Duration>,
    quiet_until: u32,
    alerts: Vec<Alert>,
}

impl Watch {
    fn new(device: usize, direction: &'static str, now: &Now) -> Self {
        Self {
            device,
            direction,
            surge: Surge::new(now),
            pending: Duration::ZERO,
            clear: None,
            quiet_until: 0,
            alerts: Vec::new(),
        }
    }

    fn step(&mut self, step: u32, now: &Now, bytes: u64, settings: &Settings) {
        let firing = self.clear.is_some();
        let Some(expectation) = self.surge.sample(now, STEP, bytes, settings, firing) else {
            return;
        };
        let seen = self.surge.level();
        if let Some(clear) = &mut self.clear {
            *clear = if seen < CLEAR_RATIO * expectation.threshold {
                *clear + STEP
            } else {
                Duration::ZERO
            };
            if *clear >= CLEAR_FOR {
                self.clear = None;
                self.quiet_until = step + (COOLDOWN.as_secs() / STEP.as_secs()) as u32;
            }
            return;
        }
        if seen <= expectation.threshold {
            self.pending = Duration::ZERO;
            return;
        }
        self.pending += STEP;
        if self.pending > FOR {
            self.pending = Duration::ZERO;
            self.clear = Some(Duration::ZERO);
            if step >= self.quiet_until {
                self.alerts.push(Alert {
                    device: self.device,
                    direction: self.direction,
                    step,
                    at: *now,
                    seen,
                    expectation,
                });
            }
        }
    }
}

fn rate(bytes_per_sec: f64) -> String {
    format!("{:.1} Mbit/s", bytes_per_sec * 8.0 / 1e6)
}
