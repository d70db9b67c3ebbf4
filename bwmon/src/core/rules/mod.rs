//! Is what a subject does unusual? Compares the facts of one sample with one rule.
//!
//! No memory: whether it has been unusual for long enough, and who was told, is for
//! [`alerts`](super::alerts).

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::{
    cycle::Cycle,
    event::{Detail, Direction, RuleKind, Severity},
    forecast,
    meter::Rates,
    policy::{Condition, Directed, InForce, Rule, Scope, Timing},
    surge::Expectation,
    usage::{CycleUsage, DayUsage},
};

/// A device is new for so long after it was first seen.
pub const NEW_FOR: Duration = Duration::from_secs(3600);

/// What is known of one subject at one sample.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The local time.
    pub local: DateTime,
    /// What it used today.
    pub usage: &'a DayUsage,
    /// What it used in its billing cycle.
    pub used: &'a CycleUsage,
    /// How that cycle goes.
    pub cycle: Cycle,
    /// Smoothed rates of all its traffic.
    pub rates: Rates,
    /// Smoothed rates of its local traffic, which is part of that.
    pub local_rates: Rates,
    /// What it does and what is usual for it, in each direction that has a surge rule.
    pub surge: Directed<Option<Seen>>,
    /// For how long it has sent nothing.
    pub silent_for: Duration,
    /// What there is to say of a device that was first seen not long ago.
    pub newcomer: Option<Newcomer>,
    /// Which traffic counts for rules that don't say so themselves.
    pub scope: Scope,
    /// The owner wants no alerts about it: no rule applies.
    pub is_muted: bool,
}

/// A rate next to what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Seen now. Not rounded: a series may be of a few bytes a day.
    pub bytes_per_sec: f64,
    /// Usual; `None` while that is not known.
    pub expectation: Option<Expectation>,
}

/// A device whose MAC was never seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// How long ago it was first seen.
    pub seen_for: Duration,
    /// For how long bwmon had watched by then.
    pub watched_for: Duration,
    /// Its MAC is a private one.
    pub is_private: bool,
}

/// What one rule says of one subject at one sample, and what an alert would tell besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// How long things must last.
    pub timing: Timing,
    /// What the rule says.
    pub judgement: Judgement,
    /// The first day of what it adds up: of the billing cycle for a quota, else today.
    pub period: Date,
    /// What the subject used today, in the scope of the rule.
    pub today: Today,
    /// Its smoothed rate, in the direction and scope of the rule.
    pub bytes_per_sec: u64,
    /// What else there is to tell.
    pub detail: Detail,
}

/// Whether a rule applies, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It applies.
    Judged(Verdict),
    /// It does not apply at this hour.
    OutOfHours,
    /// It does not apply to this subject.
    Off,
}

/// How an observation compares with its threshold, all in the unit of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was seen.
    pub observed: u64,
    /// What is allowed.
    pub threshold: u64,
    /// What was expected, for a rule that expects something.
    pub expected: Option<u64>,
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

impl Facts<'_> {
    /// What `rule` makes of them.
    pub fn finding(&self, rule: &InForce) -> Finding {
        let scope = rule.scope.unwrap_or(self.scope);
        let direction = rule.rule.direction;
        let bytes_per_sec = self.bytes_per_sec(scope, direction);
        let is_in_hours = rule
            .schedule
            .as_ref()
            .is_none_or(|schedule| schedule.contains(self.local));
        let judgement = if self.is_muted {
            Judgement::Off
        } else if !is_in_hours {
            Judgement::OutOfHours
        } else {
            self.judge(rule, scope, bytes_per_sec)
                .map_or(Judgement::Off, Judgement::Judged)
        };
        let period = match rule.rule.kind {
            RuleKind::Quota => self.used.start,
            _ => self.usage.day,
        };
        Finding {
            rule: rule.rule,
            severity: rule.severity,
            timing: rule.timing,
            judgement,
            period,
            today: self.today(scope),
            bytes_per_sec,
            detail: self.detail(rule, scope),
        }
    }

    /// What the subject used today.
    pub fn today(&self, scope: Scope) -> Today {
        Today {
            day: self.usage.day,
            sent: self.usage.sent_in(scope),
            received: self.usage.received_in(scope),
        }
    }

    fn judge(&self, rule: &InForce, scope: Scope, bytes_per_sec: u64) -> Option<Verdict> {
        let direction = rule.rule.direction;
        Some(match rule.condition {
            Condition::Volume(threshold) => {
                let today = self.today(scope);
                accumulated(today.of(direction), threshold)
            }
            Condition::Rate(threshold) => passing(bytes_per_sec, threshold, rule.clear_percent),
            Condition::Surge(_) => {
                let seen = self.surge.get(direction)?;
                match &seen.expectation {
                    Some(expectation) => surge(seen.bytes_per_sec, expectation, rule.clear_percent),
                    // While it is not known what is usual, nothing begins, and nothing ends.
                    None => Verdict {
                        observed: seen.bytes_per_sec.round() as u64,
                        threshold: u64::MAX,
                        expected: None,
                        level: Level::Within,
                    },
                }
            }
            Condition::ActiveTime(threshold) => {
                accumulated(self.usage.active().as_secs(), threshold.as_secs())
            }
            Condition::Quota {
                limit,
                percent,
                next_percent,
            } => {
                let used = self.used.of(direction, scope);
                let threshold = share(limit, percent);
                let is_next_ones = next_percent.is_some_and(|next| used >= share(limit, next));
                let level = match used >= threshold {
                    true if is_next_ones => Level::Within,
                    true => Level::Broken,
                    false => Level::Clear,
                };
                Verdict {
                    observed: used,
                    threshold,
                    expected: None,
                    level,
                }
            }
            Condition::NewDevice { learn, private } => {
                let newcomer = self.newcomer?;
                let is_told = newcomer.watched_for >= learn && (private || !newcomer.is_private);
                let level = if is_told && newcomer.seen_for < NEW_FOR {
                    Level::Broken
                } else {
                    Level::Clear
                };
                Verdict {
                    observed: newcomer.seen_for.as_secs(),
                    threshold: NEW_FOR.as_secs(),
                    expected: None,
                    level,
                }
            }
            Condition::Silent(after) => {
                let level = if self.silent_for >= after {
                    Level::Broken
                } else {
                    Level::Clear
                };
                Verdict {
                    observed: self.silent_for.as_secs(),
                    threshold: after.as_secs(),
                    expected: None,
                    level,
                }
            }
        })
    }

    fn detail(&self, rule: &InForce, scope: Scope) -> Detail {
        match rule.condition {
            Condition::Surge(_) => {
                let seen = self.surge.get(rule.rule.direction);
                match seen.and_then(|seen| seen.expectation) {
                    Some(expectation) => Detail::Surge {
                        learned: expectation.learned.as_secs(),
                        basis: expectation.basis,
                    },
                    None => Detail::None,
                }
            }
            Condition::Quota { limit, percent, .. } => {
                let used = self.used.of(rule.rule.direction, scope);
                let (from, until) = (self.used.start, self.cycle.end(self.used.start));
                Detail::Quota {
                    percent,
                    limit,
                    from,
                    until,
                    forecast: forecast::linear(used, self.local, from, until),
                }
            }
            Condition::NewDevice { .. } => match self.newcomer {
                Some(Newcomer { is_private, .. }) => Detail::NewDevice { is_private },
                None => Detail::None,
            },
            Condition::Volume(_)
            | Condition::Rate(_)
            | Condition::ActiveTime(_)
            | Condition::Silent(_) => Detail::None,
        }
    }

    /// Whole bytes, so that what an alert says is what was compared.
    fn bytes_per_sec(&self, scope: Scope, direction: Direction) -> u64 {
        let in_scope = |all: f64, local: f64| match scope {
            Scope::All => all,
            Scope::Local => local,
            // A reading of the table is not one instant, so the local part may be ahead.
            Scope::Internet => (all - local).max(0.0),
        };
        let sent = in_scope(self.rates.sent, self.local_rates.sent);
        let received = in_scope(self.rates.received, self.local_rates.received);
        let rate = match direction {
            Direction::Total => sent + received,
            Direction::Sent => sent,
            Direction::Received => received,
        };
        // The conversion saturates, and takes what is no number for zero.
        rate as u64
    }
}

impl Today {
    /// Both directions.
    pub fn total(&self) -> u64 {
        self.sent.saturating_add(self.received)
    }

    /// Those of a direction.
    pub fn of(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Total => self.total(),
            Direction::Sent => self.sent,
            Direction::Received => self.received,
        }
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
        expected: None,
        level,
    }
}

/// A rate is clear below a part of its threshold, so that one around the threshold is one alert.
/// Zero is always clear: an alert on a threshold of zero would never end.
fn passing(observed: u64, threshold: u64, clear_percent: u8) -> Verdict {
    let clear_below = u128::from(threshold) * u128::from(clear_percent);
    let level = if observed > threshold {
        Level::Broken
    } else if observed == 0 || u128::from(observed) * 100 < clear_below {
        Level::Clear
    } else {
        Level::Within
    };
    Verdict {
        observed,
        threshold,
        expected: None,
        level,
    }
}

/// The same for a rate that has a threshold of its own making. What is told is rounded.
fn surge(seen: f64, expectation: &Expectation, clear_percent: u8) -> Verdict {
    let threshold = expectation.threshold;
    let level = if seen > threshold {
        Level::Broken
    } else if seen <= 0.0 || seen < threshold * f64::from(clear_percent) / 100.0 {
        Level::Clear
    } else {
        Level::Within
    };
    Verdict {
        observed: seen.round() as u64,
        threshold: threshold.round() as u64,
        expected: Some(expectation.expected.round() as u64),
        level,
    }
}

/// So many percent of a limit.
fn share(limit: u64, percent: u8) -> u64 {
    let share = u128::from(limit) * u128::from(percent) / 100;
    u64::try_from(share).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
