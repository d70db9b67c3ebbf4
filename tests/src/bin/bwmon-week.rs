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

/// 2026-01-05, a Monday.
const FIRST_DAY: i64 = 1_767_571_200;
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
    let mut alerts = Vec::new();
    for (index, device) in week.devices.iter_mut().enumerate() {
        let mut watches =
            ["sent", "received", "total"].map(|direction| Watch::new(index, direction));
        for step in 0..end {
            let moved = device.step();
            let now = now(step);
            let [sent, received, total] = &mut watches;
            sent.step(step, &now, moved.sent, &settings);
            received.step(step, &now, moved.received, &settings);
            total.step(step, &now, moved.sent + moved.received, &settings);
        }
        alerts.extend(watches.into_iter().flat_map(|watch| watch.alerts));
    }
    alerts.retain(|alert| alert.step >= start);

    println!(
        "after {learning_days} days of learning, with factor {}, floor {}",
        settings.factor,
        rate(settings.floor as f64)
    );
    for anomaly in &week.anomalies {
        let name = &week.devices[anomaly.device].name;
        print!("  {:30} {name:10} {}  ", anomaly.what, date(anomaly.start));
        let found: Vec<_> = alerts.iter().filter(|alert| alert.is_of(anomaly)).collect();
        if found.is_empty() {
            print!("MISSED");
        }
        for alert in found {
            let late = (alert.step - anomaly.start) * STEP.as_secs() as u32;
            print!("{} after {late} s; ", alert.text());
        }
        println!();
    }
    alerts.retain(|alert| !week.anomalies.iter().any(|anomaly| alert.is_of(anomaly)));
    for direction in ["sent", "received", "total"] {
        let wrong: Vec<_> = alerts
            .iter()
            .filter(|alert| alert.direction == direction)
            .collect();
        println!("  false alerts, {direction}: {}", wrong.len());
        for alert in wrong {
            println!(
                "    {:10} {} {}",
                week.devices[alert.device].name,
                date(alert.step),
                alert.text()
            );
        }
    }
    println!(
        "  {} device steps in {:.1} s",
        u64::from(end) * week.devices.len() as u64,
        started.elapsed().as_secs_f64()
    );
}

/// An alert as it began.
struct Alert {
    device: usize,
    direction: &'static str,
    step: u32,
    seen: f64,
    expectation: Expectation,
}

impl Alert {
    fn is_of(&self, anomaly: &Anomaly) -> bool {
        // What it stirs up shortly after is it, too.
        self.device == anomaly.device && (anomaly.start..anomaly.end + 6).contains(&self.step)
    }

    fn text(&self) -> String {
        let Expectation {
            expected, basis, ..
        } = self.expectation;
        format!(
            "{}: {} instead of {} ({:.1} times, {basis:?})",
            self.direction,
            rate(self.seen),
            rate(expected),
            self.seen / expected
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
    fn new(device: usize, direction: &'static str) -> Self {
        Self {
            device,
            direction,
            surge: Surge::new(&now(0)),
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
                    seen,
                    expectation,
                });
            }
        }
    }
}

fn now(step: u32) -> Now {
    let since = (step + 1) * STEP.as_secs() as u32;
    Now {
        monotonic: Monotonic(Duration::from_secs(since.into())),
        wall: Timestamp::from_second(FIRST_DAY + i64::from(since)).expect("a week of this century"),
    }
}

fn date(step: u32) -> String {
    now(step).wall.strftime("%a %H:%M").to_string()
}

fn rate(bytes_per_sec: f64) -> String {
    format!("{:.1} Mbit/s", bytes_per_sec * 8.0 / 1e6)
}
