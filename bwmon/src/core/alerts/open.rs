//! An open alert, and the silence after one: what a track is made of.

use std::time::Duration;

use jiff::civil::Date;

use super::{
    alert::{Alert, DeviceRef, Ending},
    history::Closed,
    lifecycle::Signal,
};
use crate::core::{
    policy::Cooldown,
    rules::{Finding, Judgement, Level, Today, Verdict},
    time::{Monotonic, Now},
    view::AlertState,
};

/// An alert that is pending, firing or clearing.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) alert: Alert,
    pub(super) age: Stopwatch,
    /// Runs while it is clearing.
    pub(super) clear: Option<Stopwatch>,
    /// What follows it.
    pub(super) cooldown: Cooldown,
}

/// Nobody is told of the same again for a while.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    pub(super) closed: Closed,
    pub(super) until: Until,
}

/// The end of the silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Until {
    DayAfter(Date),
    Time(Monotonic),
}

/// Measures time that goes on after a restart, in which the monotonic clock may begin anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    pub(super) carried: Duration,
    pub(super) since: Monotonic,
}

impl Open {
    pub(super) fn new(now: &Now, device: &DeviceRef<'_>, finding: &Finding, id: String) -> Self {
        let (observed, threshold, expected) = match finding.judgement {
            Judgement::Judged(verdict) => (verdict.observed, verdict.threshold, verdict.expected),
            Judgement::OutOfHours | Judgement::Off => (0, 0, None),
        };
        let alert = Alert {
            id,
            rule: finding.rule.kind,
            direction: finding.rule.direction,
            step: finding.rule.step,
            severity: finding.severity,
            device: device.to_event(),
            state: AlertState::Pending,
            observed,
            threshold,
            expected,
            detail: finding.detail.clone(),
            period: finding.period,
            level: 0,
            today: finding.today,
            peak_bytes_per_sec: finding.bytes_per_sec,
            moved_bytes: 0,
            lasted: Duration::ZERO,
            started_at: now.wall,
            ended_at: None,
            ending: None,
            description: String::new(),
        };
        Self {
            alert,
            age: Stopwatch::start(now),
            clear: None,
            cooldown: finding.timing.cooldown,
        }
    }

    pub(super) fn update(&mut self, now: &Now, finding: &Finding, signal: Signal) {
        let alert = &mut self.alert;
        alert.lasted = self.age.elapsed(now);
        if signal == Signal::Over(Ending::DayOver) {
            // The facts are the new day's already; what is told is about the old one.
            return;
        }
        let (before, today) = (alert.today, finding.today);
        let known = if today.day > before.day {
            0
        } else {
            before.total()
        };
        let moved = today.total().saturating_sub(known);
        alert.moved_bytes = alert.moved_bytes.saturating_add(moved);
        alert.today = today;
        alert.peak_bytes_per_sec = alert.peak_bytes_per_sec.max(finding.bytes_per_sec);
        if let Judgement::Judged(verdict) = finding.judgement {
            alert.observed = verdict.observed;
            alert.detail = finding.detail.clone();
            if verdict.level == Level::Broken {
                alert.threshold = verdict.threshold;
                alert.expected = verdict.expected;
            }
        }
        alert.period = finding.period;
        alert.severity = finding.severity;
        self.cooldown = finding.timing.cooldown;
    }

    /// Goes on as an alert of `device`, whose usage now includes another device's.
    pub(super) fn join(&mut self, device: &DeviceRef<'_>, today: Today) {
        self.alert.device = device.to_event();
        // What the other one used before did not move during the alert.
        if today.day <= self.alert.today.day {
            self.alert.today = today;
        }
    }

    /// The day or billing cycle that it is about has ended.
    pub(super) fn period_over(&self, period: Date) -> bool {
        self.cooldown == Cooldown::Period && period > self.alert.period
    }
}

impl Quiet {
    /// Whether nobody is to be told of this, although it is broken.
    pub(super) fn hushes(&self, verdict: &Verdict) -> bool {
        let told = &self.closed.alert;
        match self.until {
            Until::DayAfter(_) => verdict.threshold <= told.threshold,
            Until::Time(_) => verdict.observed < told.level.saturating_mul(2),
        }
    }

    /// Grows with what it hushes, among those of one rule.
    pub(super) fn strictness(&self) -> (Until, u64) {
        let told = &self.closed.alert;
        match self.until {
            Until::DayAfter(_) => (self.until, told.threshold),
            Until::Time(_) => (self.until, told.level),
        }
    }
}

impl Stopwatch {
    pub(super) fn start(now: &Now) -> Self {
        Self::resume(now, Duration::ZERO)
    }

    pub(super) fn resume(now: &Now, carried: Duration) -> Self {
        Self {
            carried,
            since: now.monotonic,
        }
    }

    pub(super) fn elapsed(&self, now: &Now) -> Duration {
        self.carried.saturating_add(now.monotonic.since(self.since))
    }
}
