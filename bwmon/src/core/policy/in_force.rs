//! The rules in force for a device, a group or an interface: nothing is left open any more.

use std::{sync::Arc, time::Duration};

use super::{
    built_in::BuiltIn,
    limits::{
        Directed, Limit, Limits, NewDeviceLimit, QuotaLimit, STEPS, Scope, Setting, SurgeLimit,
        Tuning,
    },
};
use crate::core::{
    cycle::Cycle,
    event::{Direction, RuleKind, Severity},
    schedule::Schedule,
    surge,
    view::ThresholdsView,
};

/// What may be used in a billing cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaRule {
    /// Bytes.
    pub limit: u64,
    /// Which of them.
    pub direction: Direction,
    /// Of which traffic; `None`: that which all rules look at.
    pub scope: Option<Scope>,
}

/// Which rule: of each there is at most one alert at a time for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// What it looks for.
    pub kind: RuleKind,
    /// Whose bytes it looks at.
    pub direction: Direction,
    /// Of a quota, which of its steps; else zero.
    pub step: u8,
}

/// A rule, and all that it takes to judge by it.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// Which one.
    pub rule: Rule,
    /// What is unusual.
    pub condition: Condition,
    /// Clear below so many percent of the threshold.
    pub clear_percent: u8,
    /// How long things must last.
    pub timing: Timing,
    /// How bad it is.
    pub severity: Severity,
    /// Which traffic counts; `None`: what the machine's place in the network suggests.
    pub scope: Option<Scope>,
    /// When it applies; `None`: always.
    pub schedule: Option<Schedule>,
}

/// What is unusual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// More than so many bytes a local day.
    Volume(u64),
    /// More than so many bytes per second.
    Rate(u64),
    /// Much more than usual.
    Surge(surge::Settings),
    /// Active for longer a local day.
    ActiveTime(Duration),
    /// So many percent of so many bytes a billing cycle.
    Quota {
        /// The limit.
        limit: u64,
        /// Of it.
        percent: u8,
        /// What the next step is, where there is one: then it is that one's turn.
        next_percent: Option<u8>,
    },
    /// A MAC address that was never seen.
    NewDevice {
        /// Those that come so soon after the first start ever were there before.
        learn: Duration,
        /// Whether private MACs are told of.
        private: bool,
    },
    /// Nothing was sent for so long.
    Silent(Duration),
}

/// How long things must last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Broken without a break, until somebody is told.
    pub for_: Duration,
    /// Clear without a break, until it is over.
    pub clear_for: Duration,
    /// Told again so often while it lasts; `None`: never.
    pub repeat: Option<Duration>,
    /// Silence after it.
    pub cooldown: Cooldown,
}

/// For how long nobody is told of the same rule and device again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooldown {
    /// So long, unless it is at least twice as bad as when somebody was told.
    For(Duration),
    /// Until the day or billing cycle is over, unless a raised threshold is passed as well. With
    /// this, the end of that period also ends the alert.
    Period,
}

/// The rules of one subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    list: Arc<[InForce]>,
    /// How its quota is counted, whether there is one or not.
    pub cycle: Cycle,
    /// When bytes don't count for it.
    pub free: Option<Schedule>,
}

impl Rule {
    /// How many there can be.
    pub const COUNT: usize = 3 * 3 + 1 + STEPS + 1 + 1;

    /// Its place among all of them, below [`Self::COUNT`].
    pub fn index(self) -> usize {
        let step = usize::from(self.step).min(STEPS - 1);
        let direction = self.direction as usize;
        match self.kind {
            RuleKind::Volume => direction,
            RuleKind::Rate => 3 + direction,
            RuleKind::Surge => 6 + direction,
            RuleKind::ActiveTime => 9,
            RuleKind::Quota => 10 + step,
            RuleKind::NewDevice => 10 + STEPS,
            RuleKind::Silent => 11 + STEPS,
        }
    }
}

impl Rules {
    pub(super) fn new(limits: Limits) -> Self {
        let Limits {
            volume,
            rate,
            surge,
            active_time,
            quota,
            new_device,
            silent,
            schedule,
        } = limits;
        let cycle = quota.value.cycle.unwrap_or_default();
        let free = quota.value.free.clone();
        let list = directed(&volume, RuleKind::Volume, Condition::Volume)
            .chain(directed(&rate, RuleKind::Rate, Condition::Rate))
            .chain(surges(&surge))
            .chain(one(
                &active_time,
                RuleKind::ActiveTime,
                Condition::ActiveTime,
            ))
            .chain(quota_steps(&quota))
            .chain(new_devices(&new_device))
            .chain(one(&silent, RuleKind::Silent, Condition::Silent))
            .map(|mut rule| {
                rule.schedule = rule.schedule.or_else(|| schedule.clone());
                rule
            })
            .collect();
        Self { list, cycle, free }
    }

    /// All of them.
    pub fn list(&self) -> &[InForce] {
        &self.list
    }

    /// The one that a rule of this kind and direction is judged by.
    pub fn find(&self, kind: RuleKind, direction: Direction) -> Option<&InForce> {
        self.list
            .iter()
            .find(|each| each.rule.kind == kind && each.rule.direction == direction)
    }

    /// Bytes a local day that are allowed in all; `None`: as many as it likes.
    pub fn volume(&self) -> Option<u64> {
        match self.find(RuleKind::Volume, Direction::Total)?.condition {
            Condition::Volume(threshold) => Some(threshold),
            _ => None,
        }
    }

    /// Bytes per second that are allowed in all.
    pub fn bytes_per_sec(&self) -> Option<u64> {
        match self.find(RuleKind::Rate, Direction::Total)?.condition {
            Condition::Rate(threshold) => Some(threshold),
            _ => None,
        }
    }

    /// Active time a local day that is allowed.
    pub fn active_time(&self) -> Option<Duration> {
        match self.find(RuleKind::ActiveTime, Direction::Total)?.condition {
            Condition::ActiveTime(threshold) => Some(threshold),
            _ => None,
        }
    }

    /// Bytes a billing cycle that are allowed, in whatever direction they are counted.
    pub fn quota(&self) -> Option<u64> {
        self.quota_rule().map(|quota| quota.limit)
    }

    /// How those are counted.
    pub fn quota_rule(&self) -> Option<QuotaRule> {
        self.list.iter().find_map(|each| match each.condition {
            Condition::Quota { limit, .. } => Some(QuotaRule {
                limit,
                direction: each.rule.direction,
                scope: each.scope,
            }),
            _ => None,
        })
    }

    /// How long it may say nothing.
    pub fn silent_after(&self) -> Option<Duration> {
        match self.find(RuleKind::Silent, Direction::Total)?.condition {
            Condition::Silent(threshold) => Some(threshold),
            _ => None,
        }
    }

    /// All that readers see of them.
    pub fn view(&self) -> ThresholdsView {
        ThresholdsView {
            bandwidth_threshold: self.volume(),
            max_active_time: self.active_time().map(|time| time.as_secs()),
            rate_threshold: self.bytes_per_sec(),
            quota: self.quota(),
            silent_after: self.silent_after().map(|time| time.as_secs()),
            surge: self.has(RuleKind::Surge),
        }
    }

    /// Whether there is one of a kind.
    pub fn has(&self, kind: RuleKind) -> bool {
        self.list.iter().any(|each| each.rule.kind == kind)
    }
}

impl InForce {
    fn new(rule: Rule, condition: Condition, tuning: &Tuning) -> Self {
        let BuiltIn {
            for_,
            clear_for,
            clear_percent,
            repeat,
            cooldown,
            severity,
        } = BuiltIn::of(rule);
        let repeat = tuning.repeat.unwrap_or(repeat);
        let cooldown = match cooldown {
            Cooldown::For(time) => Cooldown::For(tuning.cooldown.unwrap_or(time)),
            Cooldown::Period => Cooldown::Period,
        };
        Self {
            rule,
            condition,
            clear_percent: tuning.clear_percent.unwrap_or(clear_percent).min(100),
            timing: Timing {
                for_: tuning.for_.unwrap_or(for_),
                clear_for: tuning.clear_for.unwrap_or(clear_for),
                repeat: (!repeat.is_zero()).then_some(repeat),
                cooldown,
            },
            severity: tuning.severity.unwrap_or(severity),
            scope: tuning.scope,
            schedule: tuning.schedule.clone(),
        }
    }
}

fn directed(
    limit: &Limit<Directed<Setting<u64>>>,
    kind: RuleKind,
    condition: impl Fn(u64) -> Condition,
) -> impl Iterator<Item = InForce> {
    Direction::ALL.into_iter().filter_map(move |direction| {
        let value = limit.value.get(direction).value()?;
        let rule = Rule {
            kind,
            direction,
            step: 0,
        };
        Some(InForce::new(rule, condition(value), &limit.tuning))
    })
}

fn one<T: Copy>(
    limit: &Limit<Setting<T>>,
    kind: RuleKind,
    condition: impl Fn(T) -> Condition,
) -> impl Iterator<Item = InForce> {
    let rule = Rule {
        kind,
        direction: Direction::Total,
        step: 0,
    };
    let value = limit.value.value();
    value
        .map(|value| InForce::new(rule, condition(value), &limit.tuning))
        .into_iter()
}

fn surges(limit: &Limit<SurgeLimit>) -> impl Iterator<Item = InForce> {
    let SurgeLimit {
        watch,
        factor,
        floor,
        learn,
    } = limit.value;
    let built_in = surge::Settings::default();
    let settings = surge::Settings {
        factor: factor.unwrap_or(built_in.factor),
        floor: floor.unwrap_or(built_in.floor),
        learn: learn.unwrap_or(built_in.learn),
    };
    Direction::ALL.into_iter().filter_map(move |direction| {
        watch.get(direction).value()?;
        let rule = Rule {
            kind: RuleKind::Surge,
            direction,
            step: 0,
        };
        Some(InForce::new(
            rule,
            Condition::Surge(settings),
            &limit.tuning,
        ))
    })
}

fn quota_steps(limit: &Limit<QuotaLimit>) -> impl Iterator<Item = InForce> {
    const BUILT_IN: [u8; 3] = [50, 80, 100];
    let QuotaLimit {
        limit: bytes,
        direction,
        steps,
        ..
    } = &limit.value;
    let direction = direction.unwrap_or_default();
    let steps: Vec<u8> = match steps {
        Some(steps) => steps.iter().copied().take(STEPS).collect(),
        None => BUILT_IN.to_vec(),
    };
    let tuning = &limit.tuning;
    let bytes = bytes.value();
    (0..steps.len()).filter_map(move |step| {
        let rule = Rule {
            kind: RuleKind::Quota,
            direction,
            step: step as u8,
        };
        let percent = steps[step];
        let condition = Condition::Quota {
            limit: bytes?,
            percent,
            next_percent: steps.get(step + 1).copied(),
        };
        let mut in_force = InForce::new(rule, condition, tuning);
        if tuning.severity.is_none() {
            in_force.severity = match percent {
                100.. => Severity::Critical,
                75.. => Severity::Warning,
                _ => Severity::Info,
            };
        }
        Some(in_force)
    })
}

fn new_devices(limit: &Limit<NewDeviceLimit>) -> impl Iterator<Item = InForce> {
    const LEARN: Duration = Duration::from_secs(24 * 3600);
    let NewDeviceLimit {
        watch,
        learn,
        private,
    } = limit.value;
    let rule = Rule {
        kind: RuleKind::NewDevice,
        direction: Direction::Total,
        step: 0,
    };
    let condition = Condition::NewDevice {
        learn: learn.unwrap_or(LEARN),
        private: private.unwrap_or(true),
    };
    watch
        .value()
        .map(|()| InForce::new(rule, condition, &limit.tuning))
        .into_iter()
}
