//! Thresholds as written down, each of which may be left to a more general entry.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::{
    cycle::Cycle,
    event::{Direction, Severity},
    schedule::Schedule,
};

/// One threshold as written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// Not mentioned: the next, more general one applies.
    #[default]
    Inherit,
    /// Switched off here.
    Off,
    /// This value.
    At(T),
}

/// All that one entry says of the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Bytes a local day.
    pub volume: Limit<Directed<Setting<u64>>>,
    /// Bytes per second.
    pub rate: Limit<Directed<Setting<u64>>>,
    /// Much more than usual.
    pub surge: Limit<SurgeLimit>,
    /// Active time a local day.
    pub active_time: Limit<Setting<Duration>>,
    /// Bytes a billing cycle.
    pub quota: Limit<QuotaLimit>,
    /// A MAC address that was never seen.
    pub new_device: Limit<NewDeviceLimit>,
    /// How long it may say nothing.
    pub silent: Limit<Setting<Duration>>,
    /// When rules apply that have no schedule of their own.
    pub schedule: Option<Schedule>,
}

/// What is said of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limit<T> {
    /// What is unusual.
    pub value: T,
    /// How it becomes an alert.
    pub tuning: Tuning,
}

/// How a rule that is broken becomes an alert. `None`: as the more general entry says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Broken for so long without a break.
    pub for_: Option<Duration>,
    /// Clear for so long without a break.
    pub clear_for: Option<Duration>,
    /// Clear below so many percent of the threshold; at most 100.
    pub clear_percent: Option<u8>,
    /// Told again so often while it lasts; zero: never.
    pub repeat: Option<Duration>,
    /// Silence after it.
    pub cooldown: Option<Duration>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Which traffic counts.
    pub scope: Option<Scope>,
    /// When it applies.
    pub schedule: Option<Schedule>,
}

/// A value for each direction, each a rule of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directed<T> {
    /// Both together.
    pub total: T,
    /// Uploads.
    pub sent: T,
    /// Downloads.
    pub received: T,
}

/// What is said of surges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SurgeLimit {
    /// In which directions they are looked for.
    pub watch: Directed<Setting<()>>,
    /// How many times the expected rate is a surge.
    pub factor: Option<f64>,
    /// Below so many bytes per second nothing is.
    pub floor: Option<u64>,
    /// How long the subject has to be known first.
    pub learn: Option<Duration>,
}

/// What is said of a quota.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuotaLimit {
    /// Bytes a cycle.
    pub limit: Setting<u64>,
    /// Which of them count.
    pub direction: Option<Direction>,
    /// From when to when.
    pub cycle: Option<Cycle>,
    /// At which percentages of the limit somebody is told, in growing order, up to [`STEPS`].
    pub steps: Option<Vec<u8>>,
    /// When bytes don't count.
    pub free: Option<Schedule>,
}

/// What is said of new devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewDeviceLimit {
    /// Whether they are told of.
    pub watch: Setting<()>,
    /// Those that come so soon after the first start ever are the ones that were there before.
    pub learn: Option<Duration>,
    /// Whether private (random) MACs are told of, too.
    pub private: Option<bool>,
}

/// Which traffic a rule or a report looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// What leaves or enters the local networks.
    #[default]
    Internet,
    /// What stays in them.
    Local,
    /// Everything. What a machine that does not route uses: it has no inside and outside.
    All,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Internet, Self::Local, Self::All];

    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Local => "local",
            Self::All => "all",
        }
    }
}

/// Most steps of a quota.
pub const STEPS: usize = 4;

impl<T: Copy> Directed<T> {
    /// The same for each.
    pub const fn each(value: T) -> Self {
        Self {
            total: value,
            sent: value,
            received: value,
        }
    }

    /// The one of a direction.
    pub fn get(&self, direction: Direction) -> T {
        match direction {
            Direction::Total => self.total,
            Direction::Sent => self.sent,
            Direction::Received => self.received,
        }
    }
}

impl<T> Setting<T> {
    /// The value, where there is one in force.
    pub fn value(self) -> Option<T> {
        match self {
            Self::At(value) => Some(value),
            Self::Off | Self::Inherit => None,
        }
    }
}

impl Limits {
    /// These, and where they are silent, `general`.
    #[must_use]
    pub fn or(self, general: &Self) -> Self {
        Self {
            volume: self.volume.or(&general.volume),
            rate: self.rate.or(&general.rate),
            surge: self.surge.or(&general.surge),
            active_time: self.active_time.or(&general.active_time),
            quota: self.quota.or(&general.quota),
            new_device: self.new_device.or(&general.new_device),
            silent: self.silent.or(&general.silent),
            schedule: self.schedule.or_else(|| general.schedule.clone()),
        }
    }
}

/// Takes from a more general value what this one leaves open.
trait Or {
    fn or(self, general: &Self) -> Self;
}

impl<T: Or> Or for Limit<T> {
    fn or(self, general: &Self) -> Self {
        Self {
            value: self.value.or(&general.value),
            tuning: self.tuning.or(&general.tuning),
        }
    }
}

impl<T: Copy> Or for Setting<T> {
    fn or(self, general: &Self) -> Self {
        match self {
            Self::Inherit => *general,
            Self::Off | Self::At(_) => self,
        }
    }
}

impl<T: Or> Or for Directed<T> {
    fn or(self, general: &Self) -> Self {
        Self {
            total: self.total.or(&general.total),
            sent: self.sent.or(&general.sent),
            received: self.received.or(&general.received),
        }
    }
}

impl Or for SurgeLimit {
    fn or(self, general: &Self) -> Self {
        Self {
            watch: self.watch.or(&general.watch),
            factor: self.factor.or(general.factor),
            floor: self.floor.or(general.floor),
            learn: self.learn.or(general.learn),
        }
    }
}

impl Or for QuotaLimit {
    fn or(self, general: &Self) -> Self {
        Self {
            limit: self.limit.or(&general.limit),
            direction: self.direction.or(general.direction),
            cycle: self.cycle.or(general.cycle),
            steps: self.steps.or_else(|| general.steps.clone()),
            free: self.free.or_else(|| general.free.clone()),
        }
    }
}

impl Or for NewDeviceLimit {
    fn or(self, general: &Self) -> Self {
        Self {
            watch: self.watch.or(&general.watch),
            learn: self.learn.or(general.learn),
            private: self.private.or(general.private),
        }
    }
}

impl Or for Tuning {
    fn or(self, general: &Self) -> Self {
        Self {
            for_: self.for_.or(general.for_),
            clear_for: self.clear_for.or(general.clear_for),
            clear_percent: self.clear_percent.or(general.clear_percent),
            repeat: self.repeat.or(general.repeat),
            cooldown: self.cooldown.or(general.cooldown),
            severity: self.severity.or(general.severity),
            scope: self.scope.or(general.scope),
            schedule: self.schedule.or_else(|| general.schedule.clone()),
        }
    }
}

#[cfg(test)]
impl Limits {
    /// What an owner of the first version could say.
    pub(crate) fn simple(
        volume: Setting<u64>,
        active_time: Setting<Duration>,
        rate: Setting<u64>,
    ) -> Self {
        let directed = |value| match value {
            Setting::Off => Directed::each(Setting::Off),
            total => Directed {
                total,
                ..Directed::default()
            },
        };
        let mut limits = Self::default();
        limits.volume.value = directed(volume);
        limits.active_time.value = active_time;
        limits.rate.value = directed(rate);
        limits
    }
}
