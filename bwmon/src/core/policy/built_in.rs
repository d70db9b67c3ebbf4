//! What applies when the owner says nothing.

use std::time::Duration;

use super::{
    in_force::{Cooldown, Rule},
    limits::{Directed, Limit, Limits, NewDeviceLimit, Setting, SurgeLimit, Tuning},
};
use crate::core::event::{RuleKind, Severity};

/// How a rule becomes an alert when the owner says nothing.
pub(super) struct BuiltIn {
    pub(super) for_: Duration,
    pub(super) clear_for: Duration,
    pub(super) clear_percent: u8,
    pub(super) repeat: Duration,
    pub(super) cooldown: Cooldown,
    pub(super) severity: Severity,
}

impl BuiltIn {
    pub(super) fn of(rule: Rule) -> Self {
        const fn minutes(minutes: u64) -> Duration {
            Duration::from_secs(60 * minutes)
        }
        /// What grows for a whole period is told once in it.
        const ONCE: BuiltIn = BuiltIn {
            for_: Duration::ZERO,
            clear_for: Duration::ZERO,
            clear_percent: 100,
            repeat: Duration::ZERO,
            cooldown: Cooldown::Period,
            severity: Severity::Warning,
        };
        /// What comes and goes.
        const PASSING: BuiltIn = BuiltIn {
            for_: Duration::from_secs(10),
            clear_for: Duration::from_secs(30),
            clear_percent: 80,
            repeat: minutes(4 * 60),
            cooldown: Cooldown::For(minutes(5)),
            severity: Severity::Warning,
        };
        match rule.kind {
            RuleKind::Volume | RuleKind::ActiveTime => ONCE,
            RuleKind::Rate => PASSING,
            // A download at full speed is over soon, and no reason to look up from anything.
            RuleKind::Surge => Self {
                for_: minutes(5),
                clear_for: minutes(5),
                cooldown: Cooldown::For(minutes(6 * 60)),
                ..PASSING
            },
            RuleKind::Quota => ONCE,
            RuleKind::NewDevice => Self {
                repeat: Duration::ZERO,
                cooldown: Cooldown::For(Duration::ZERO),
                severity: Severity::Info,
                ..ONCE
            },
            RuleKind::Silent => Self {
                for_: Duration::ZERO,
                clear_for: Duration::ZERO,
                ..PASSING
            },
        }
    }
}

impl Limits {
    /// What applies when the owner says nothing at all.
    pub fn built_in() -> Self {
        let total = |value| Directed {
            total: Setting::At(value),
            sent: Setting::Off,
            received: Setting::Off,
        };
        let value = |value| Limit {
            value,
            tuning: Tuning::default(),
        };
        Self {
            volume: value(total(5_000_000_000)),
            rate: value(total(50_000_000 / 8)),
            surge: Limit {
                value: SurgeLimit {
                    // An upload is lost among the downloads of the sum.
                    watch: Directed {
                        total: Setting::Off,
                        sent: Setting::At(()),
                        received: Setting::At(()),
                    },
                    ..SurgeLimit::default()
                },
                tuning: Tuning::default(),
            },
            active_time: Limit {
                value: Setting::At(Duration::from_secs(5 * 3600)),
                tuning: Tuning::default(),
            },
            new_device: Limit {
                value: NewDeviceLimit {
                    watch: Setting::At(()),
                    ..NewDeviceLimit::default()
                },
                tuning: Tuning::default(),
            },
            ..Self::default()
        }
    }
}
