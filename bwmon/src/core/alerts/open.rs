//! An open alert, and the silence after one: what a track is made of.
//!
//! What comes and goes damps itself: an alert that begins again soon after the silence has one twice
//! as long after it, until it keeps calm for a while.

use std::time::Duration;

use jiff::civil::Date;

use super::{
    alert::{Alert, DeviceRef, Ending},
    history::Closed,
    lifecycle::Signal,
};
use crate::core::{
    event::Detail,
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
    /// Runs since somebody was last told of it; means nothing while it is pending.
    pub(super) told: Stopwatch,
    /// What follows it.
    pub(super) cooldown: Cooldown,
    /// It follows another one closely: the silence after it is at least so long.
    pub(super) damping: Option<Duration>,
}

/// Nobody is told of the same again for a while.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    pub(super) closed: Closed,
    pub(super) until: Until,
}

/// The end of the silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// With the day or billing cycle that begins then.
    PeriodAfter(Date),
    Time {
        end: Monotonic,
        /// How long it is in all.
        length: Duration,
        /// What begins up to then comes and goes.
        forget: Monotonic,
    },
}

/// What begins again within so many times the silence after its end comes and goes.
const FLAPPING: u32 = 4;
/// Coming and going makes no silence longer than this.
const DAMPING_MAX: Duration = Duration::from_secs(24 * 3600);

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
            acknowledged: None,
            muted: false,
            damped: None,
            description: String::new(),
        };
        Self {
            alert,
            age: Stopwatch::start(now),
            clear: None,
            told: Stopwatch::start(now),
            cooldown: finding.timing.cooldown,
            damping: None,
        }
    }

    pub(super) fn update(&mut self, now: &Now, finding: &Finding, signal: Signal, is_muted: bool) {
        let alert = &mut self.alert;
        alert.lasted = self.age.elapsed(now);
        alert.muted = is_muted;
        if signal == Signal::Over(Ending::DayOver) || alert.rule() != finding.rule {
            // The facts are the new day's already, or another rule's; what is told is about the
            // old one.
            return;
        }
        let (before, today) = (alert.today, finding.today);
        let known = if today.day > before.day {
            0
        } else {
            before.of(alert.direction)
        };
        let moved = today.of(alert.direction).saturating_sub(known);
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
        if alert.state == AlertState::Pending {
            // Receivers know an alert by what they were told when it fired.
            alert.severity = finding.severity;
        }
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
    /// The silence after an alert, of at least the length `damping`.
    pub(super) fn after(
        now: &Now,
        cooldown: Cooldown,
        damping: Option<Duration>,
        closed: Closed,
    ) -> Self {
        let until = match cooldown {
            Cooldown::Period => Until::PeriodAfter(closed.alert.period),
            Cooldown::For(length) => {
                let length = damping.map_or(length, |damping| damping.max(length));
                let end = now.monotonic.0.saturating_add(length);
                let calm = length.saturating_mul(FLAPPING);
                Until::Time {
                    end: Monotonic(end),
                    length,
                    forget: Monotonic(end.saturating_add(calm)),
                }
            }
        };
        Self { closed, until }
    }

    /// Whether nobody is to be told of this, although it is broken.
    pub(super) fn hushes(&self, now: &Now, verdict: &Verdict) -> bool {
        let told = &self.closed.alert;
        match self.until {
            Until::PeriodAfter(_) => verdict.threshold <= told.threshold,
            Until::Time { end, .. } => {
                now.monotonic < end && verdict.observed < told.level.saturating_mul(2)
            }
        }
    }

    /// How long the silence has to be after what begins now: twice as long as this one.
    pub(super) fn damping(&self) -> Option<Duration> {
        match self.until {
            Until::PeriodAfter(_) => None,
            Until::Time { length, .. } => Some(length.saturating_mul(2).min(DAMPING_MAX)),
        }
    }

    /// Whether there is nothing left to remember, in the period that `period` begins. Where that is
    /// an earlier one, the clock had been ahead, and the silence is about the earlier one now.
    pub(super) fn has_passed(&mut self, now: &Now, period: Date) -> bool {
        match &mut self.until {
            Until::PeriodAfter(told) => {
                let is_over = period > *told;
                *told = period.min(*told);
                is_over
            }
            Until::Time { forget, .. } => now.monotonic >= *forget,
        }
    }

    /// The same where only the day is known, and not which period of the subject it is in.
    pub(super) fn has_passed_by(&self, now: &Now, day: Date) -> bool {
        match (self.until, &self.closed.alert.detail) {
            (Until::PeriodAfter(_), Detail::Quota { until, .. }) => day >= *until,
            (Until::PeriodAfter(told), _) => day > told,
            (Until::Time { forget, .. }, _) => now.monotonic >= forget,
        }
    }

    /// Grows with what it hushes, among those of one rule. What is long over counts as just over:
    /// no more of it is known after a restart.
    pub(super) fn strictness(&self, now: &Now) -> impl Ord + use<> {
        let told = &self.closed.alert;
        match self.until {
            Until::PeriodAfter(period) => {
                let none = Duration::ZERO;
                (none, period, told.threshold, none)
            }
            Until::Time { end, forget, .. } => {
                let (left, remembered) = (end.since(now.monotonic), forget.since(now.monotonic));
                (left, Date::ZERO, told.level, remembered)
            }
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
