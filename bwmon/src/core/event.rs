//! What somebody is told about an alert: the body of a webhook.

use serde::{Deserialize, Serialize};

use super::mac::MacAddr;

/// The rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Bytes since local midnight.
    Volume,
    /// Bytes per second, smoothed.
    Rate,
    /// Active minutes since local midnight.
    ActiveTime,
}

impl RuleKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Volume, Self::Rate, Self::ActiveTime];

    /// As in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Rate => "rate",
            Self::ActiveTime => "active_time",
        }
    }

    /// What `observed` and `threshold` are measured in.
    pub fn unit(self) -> Unit {
        match self {
            Self::Volume => Unit::Bytes,
            Self::Rate => Unit::BytesPerSecond,
            Self::ActiveTime => Unit::Seconds,
        }
    }
}

/// What a number in an event is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Layer-2 frame bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
}

/// Which change of an alert an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// It began.
    Firing,
    /// It is over.
    Resolved,
}

/// The device an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDevice {
    /// Stable across restarts.
    pub id: String,
    /// What the owner calls it, or its address.
    pub name: String,
    /// Where known.
    pub mac: Option<MacAddr>,
    /// All its addresses.
    pub addresses: Vec<std::net::IpAddr>,
}

/// An event, as it is posted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened: RFC 3339 with offset.
    pub timestamp: String,
    /// One sentence or more for people.
    #[serde(rename = "eventDescription")]
    pub event_description: String,
    /// Always `Bandwidth`.
    pub source: String,
    /// Of this event; the same on every try to deliver it.
    pub id: String,
    /// Of the alert it belongs to.
    pub alert: String,
    /// Which change.
    pub state: EventState,
    /// Which rule.
    pub rule: RuleKind,
    /// Whose traffic.
    pub device: EventDevice,
    /// `total`: sent and received together.
    pub direction: String,
    /// What was seen, in `unit`.
    pub observed: u64,
    /// What was allowed, in `unit`.
    pub threshold: u64,
    /// What was expected, in `unit`, for rules that expect something.
    pub expected: Option<u64>,
    /// The unit of the three above.
    pub unit: Unit,
    /// Highest smoothed rate while it fired, bytes per second.
    pub peak_rate: u64,
    /// Bytes the device sent today.
    pub sent: u64,
    /// Bytes the device received today.
    pub received: u64,
    /// When the alert began: RFC 3339 with offset.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// The machine that says so.
    pub host: String,
}
