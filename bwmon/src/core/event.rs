//! What somebody is told about an alert: the body of a webhook, and the words it is made of.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::surge::Basis;
use super::{mac::MacAddr, schema::IpAddress};

/// The rule that is broken.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Bytes since local midnight.
    Volume,
    /// Bytes per second, smoothed.
    Rate,
    /// Much more than usual.
    Surge,
    /// Active minutes since local midnight.
    ActiveTime,
    /// Bytes since the billing cycle began.
    Quota,
    /// A MAC address that was never seen.
    NewDevice,
    /// Nothing was sent for a while.
    Silent,
}

impl RuleKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Volume,
        Self::Rate,
        Self::Surge,
        Self::ActiveTime,
        Self::Quota,
        Self::NewDevice,
        Self::Silent,
    ];

    /// As in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Rate => "rate",
            Self::Surge => "surge",
            Self::ActiveTime => "active_time",
            Self::Quota => "quota",
            Self::NewDevice => "new_device",
            Self::Silent => "silent",
        }
    }

    /// What `observed` and `threshold` are measured in.
    pub fn unit(self) -> Unit {
        match self {
            Self::Volume | Self::Quota => Unit::Bytes,
            Self::Rate | Self::Surge => Unit::BytesPerSecond,
            Self::ActiveTime | Self::NewDevice | Self::Silent => Unit::Seconds,
        }
    }
}

/// What a number in an event is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Layer-2 frame bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
}

/// Whose bytes a rule looks at, seen from the device.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both together.
    #[default]
    Total,
    /// Uploads.
    Sent,
    /// Downloads.
    Received,
}

impl Direction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Total, Self::Sent, Self::Received];

    /// As in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}

/// How bad it is; what is worse is greater.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a look.
    #[default]
    Warning,
    /// Worth being woken for.
    Critical,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// As in events and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A device.
    #[default]
    Device,
    /// All devices of a group together.
    Group,
    /// All that an interface carries.
    Interface,
}

/// Which change of an alert an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// It began.
    Firing,
    /// It still lasts.
    Reminder,
    /// It is over.
    Resolved,
}

/// The device an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventDevice {
    /// Stable across restarts.
    pub id: String,
    /// What the owner calls it, or its address.
    pub name: String,
    /// A device, or several together.
    #[serde(default)]
    pub kind: SubjectKind,
    /// The group it is in.
    #[serde(default)]
    pub group: Option<String>,
    /// Where known.
    pub mac: Option<MacAddr>,
    /// All its addresses.
    #[schema(value_type = Vec<IpAddress>)]
    pub addresses: Vec<std::net::IpAddr>,
}

/// What a rule has to tell besides the numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// How the expected rate came about.
    Surge {
        /// For how long the subject has been watched, in seconds.
        learned: u64,
        /// What is usual at that time.
        basis: Basis,
    },
    /// How much of a quota is used.
    Quota {
        /// Of the limit, what was reached.
        percent: u8,
        /// Bytes a cycle.
        limit: u64,
        /// The first day of the cycle.
        from: Date,
        /// The first day of the next one.
        until: Date,
        /// Bytes that the cycle will end with, if it goes on like this.
        forecast: Option<u64>,
    },
    /// What is known of a device that was never seen.
    NewDevice {
        /// It made up its MAC address, as phones do for each network.
        is_private: bool,
    },
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
    /// How bad it is.
    pub severity: Severity,
    /// Whose traffic.
    pub device: EventDevice,
    /// Which of it.
    pub direction: Direction,
    /// What was seen, in `unit`.
    pub observed: u64,
    /// What was allowed, in `unit`.
    pub threshold: u64,
    /// What was expected, in `unit`, for rules that expect something.
    pub expected: Option<u64>,
    /// The unit of the three above.
    pub unit: Unit,
    /// What else there is to tell.
    pub detail: Detail,
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
