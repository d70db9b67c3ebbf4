//! What is known of one alert, and the changes of it that somebody is told.

use std::{net::IpAddr, sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::core::{
    event::{Detail, Direction, EventDevice, EventState, RuleKind, Severity, SubjectKind},
    mac::MacAddr,
    message,
    policy::Rule,
    rules::Today,
    view::AlertState,
};

/// One rule being broken by one device, from pending to resolved.
///
/// It is saved as it is. What has a default was not there in the first version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id, the same for all its events.
    pub id: String,
    /// Which rule.
    pub rule: RuleKind,
    /// Of a rule that looks at one direction, which.
    #[serde(default)]
    pub direction: Direction,
    /// Of a quota, which step.
    #[serde(default)]
    pub step: u8,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// Whose traffic, as known at its latest change.
    pub device: EventDevice,
    /// Where it is in its life.
    pub state: AlertState,
    /// The latest value in the unit of the rule; for a finished day, the last one of that day.
    pub observed: u64,
    /// The latest threshold that was broken, in the same unit.
    pub threshold: u64,
    /// The latest expectation, in the same unit, of a rule that expects something.
    pub expected: Option<u64>,
    /// What else there is to tell.
    #[serde(default)]
    pub detail: Detail,
    /// The first day of the day or billing cycle that it is about.
    #[serde(default)]
    pub period: Date,
    /// The most that was observed when somebody was told; zero while pending.
    pub level: u64,
    /// What the device used on the day of the latest value.
    pub today: Today,
    /// Highest smoothed rate since it began.
    pub peak_bytes_per_sec: u64,
    /// Bytes in scope since it began, in its direction.
    pub moved_bytes: u64,
    /// How long it lasts, by the monotonic clock; time in which bwmon did not run is left out.
    pub lasted: Duration,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub ending: Option<Ending>,
    /// Somebody takes care of it: no more reminders.
    #[serde(default)]
    pub acknowledged: Option<Acknowledged>,
    /// The owner does not want to hear of it: no more reminders.
    #[serde(default)]
    pub muted: bool,
    /// It comes and goes. So nobody is told of the same for so long after its end, unless it is
    /// twice as bad.
    #[serde(default)]
    pub damped: Option<Duration>,
    /// The sentence of its latest event; empty while pending.
    pub description: String,
}

/// Who takes care of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Since when.
    pub at: Timestamp,
    /// Who says so, safe to show.
    pub by: Option<String>,
}

/// Why an alert ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Not over the threshold any more.
    Cleared,
    /// The day or billing cycle is over that it was about.
    DayOver,
    /// The rule was switched off for the device, or all of them.
    SwitchedOff,
    /// The hours in which the rule applies are over.
    OutOfHours,
    /// The device is not known any more.
    Forgotten,
    /// The device turned out to be another one, which has the same alert already.
    Joined,
}

/// A change of an alert that somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which change.
    pub state: EventState,
    /// Of the event that tells it.
    pub event_id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The alert right after it.
    pub alert: Arc<Alert>,
}

/// What an alert keeps of a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceRef<'a> {
    /// Stable across restarts.
    pub id: &'a str,
    /// What the owner calls it, or its address. Untrusted.
    pub name: &'a str,
    /// A device, or several together.
    pub kind: SubjectKind,
    /// The group it is in.
    pub group: Option<&'a str>,
    /// Where known.
    pub mac: Option<MacAddr>,
    /// All its addresses.
    pub addresses: &'a [IpAddr],
}

impl Alert {
    /// Which rule is broken.
    pub fn rule(&self) -> Rule {
        Rule {
            kind: self.rule,
            direction: self.direction,
            step: self.step,
        }
    }
}

impl DeviceRef<'_> {
    /// A copy to keep, with a name that is safe to show.
    pub(super) fn to_event(self) -> EventDevice {
        let name = match message::printable(self.name) {
            name if name.is_empty() => self.id.to_owned(),
            name => name,
        };
        let Self {
            id,
            kind,
            group,
            mac,
            addresses,
            ..
        } = self;
        EventDevice {
            id: id.to_owned(),
            name,
            kind,
            group: group.map(message::printable),
            mac,
            addresses: addresses.to_vec(),
        }
    }
}
