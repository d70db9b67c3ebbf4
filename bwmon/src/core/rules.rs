//! Is what a device does unusual? Compares the facts of one sample with its thresholds.
//!
//! No memory: whether it has been unusual for long enough, and who was told, is for
//! [`alerts`](super::alerts).

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    event::RuleKind,
    policy::{Scope, Thresholds},
    usage::DayUsage,
};

/// What is known of one device at one sample.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What it used today.
    pub usage: &'a DayUsage,
    /// Smoothed upload in scope.
    pub sent_bytes_per_sec: f64,
    /// Smoothed download in scope.
    pub received_bytes_per_sec: f64,
    /// In force for it.
    pub thresholds: Thresholds,
    /// Which traffic counts.
    pub scope: Scope,
    /// The owner wants no alerts about it: no rule applies.
    pub muted: bool,
}

/// What one rule says of one device at one sample, and what an alert would tell besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: RuleKind,
    /// `None` when the rule is off for the device.
    pub verdict: Option<Verdict>,
    /// What the device used today.
    pub today: Today,
    /// Its smoothed rate, both directions together.
    pub bytes_per_sec: u64,
}

/// How an observation compares with its threshold, both in the unit of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was seen.
    pub observed: u64,
    /// What is allowed.
    pub threshold: u64,
    /// How they compare.
    pub level: Level,
}

/// Where an observation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Over the threshold.
    Broken,
    /// Between the level at which an alert ends and the threshold: neither starts nor ends one.
    Within,
    /// At a level at which an alert ends.
    Clear,
}

/// Bytes in scope on a local day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Today {
    /// The local day.
    pub day: Date,
    /// Uploaded.
    pub sent: u64,
    /// Downloaded.
    pub received: u64,
}

/// How long things must last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Broken without a break, until somebody is told.
    pub for_: Duration,
    /// Clear without a break, until it is over.
    pub clear_for: Duration,
    /// Silence after it.
    pub cooldown: Cooldown,
}

/// For how long nobody is told of the same rule and device again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooldown {
    /// So long, unless it is at least twice as bad as when somebody was told.
    For(Duration),
    /// Until the local day is over, unless a raised threshold is passed as well. With this, a new
    /// day also ends the alert.
    Day,
}

/// The timing of each rule.
pub const fn timing(rule: RuleKind) -> Timing {
    const ONCE_A_DAY: Timing = Timing {
        for_: Duration::ZERO,
        clear_for: Duration::ZERO,
        cooldown: Cooldown::Day,
    };
    match rule {
        RuleKind::Volume | RuleKind::ActiveTime => ONCE_A_DAY,
        RuleKind::Rate => Timing {
            for_: Duration::from_secs(10),
            clear_for: Duration::from_secs(30),
            cooldown: Cooldown::For(Duration::from_secs(300)),
        },
    }
}

impl Facts<'_> {
    /// What `rule` makes of them.
    pub fn finding(&self, rule: RuleKind) -> Finding {
        let bytes_per_sec = self.bytes_per_sec();
        let verdict = self.threshold(rule).map(|threshold| match rule {
            RuleKind::Volume => accumulated(self.today().total(), threshold),
            RuleKind::ActiveTime => accumulated(self.usage.active().as_secs(), threshold),
            RuleKind::Rate => rate(bytes_per_sec, threshold),
        });
        Finding {
            rule,
            verdict,
            today: self.today(),
            bytes_per_sec,
        }
    }

    /// What the device used today, in scope.
    pub fn today(&self) -> Today {
        Today {
            day: self.usage.day,
            sent: self.usage.sent_in(self.scope),
            received: self.usage.received_in(self.scope),
        }
    }

    fn threshold(&self, rule: RuleKind) -> Option<u64> {
        if self.muted {
            return None;
        }
        match rule {
            RuleKind::Volume => self.thresholds.bandwidth,
            RuleKind::ActiveTime => self.thresholds.active_time.map(|time| time.as_secs()),
            RuleKind::Rate => self.thresholds.bytes_per_sec,
        }
    }

    /// Whole bytes, so that what an alert says is what was compared. The conversion saturates, and
    /// takes what is no number for zero.
    fn bytes_per_sec(&self) -> u64 {
        (self.sent_bytes_per_sec + self.received_bytes_per_sec) as u64
    }
}

impl Today {
    /// Both directions.
    pub fn total(&self) -> u64 {
        self.sent.saturating_add(self.received)
    }
}

/// What grows all day is clear as soon as it is not over: on a new day or under a raised threshold.
fn accumulated(observed: u64, threshold: u64) -> Verdict {
    let level = if observed > threshold {
        Level::Broken
    } else {
        Level::Clear
    };
    Verdict {
        observed,
        threshold,
        level,
    }
}

/// A rate is clear below 80 % of its threshold, so that one around the threshold is one alert. Zero
/// is always clear: an alert on a threshold of zero would never end.
fn rate(observed: u64, threshold: u64) -> Verdict {
    let level = if observed > threshold {
        Level::Broken
    } else if observed == 0 || u128::from(observed) * 5 < u128::from(threshold) * 4 {
        Level::Clear
    } else {
        Level::Within
    };
    Verdict {
        observed,
        threshold,
        level,
    }
}

#[cfg(test)]
mod tests;
