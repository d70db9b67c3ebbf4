//! What readers see: the immutable snapshot that is published after each sample, in the words of
//! the HTTP interface.
//!
//! Parts that did not change since the last snapshot are shared with it.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    event::{Direction, EventDevice, RuleKind, Severity, Unit},
    history::Sample,
    mac::MacAddr,
};

/// The state after one sample.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Status of the loop, and what the owner should know.
    pub status: Status,
    /// The interfaces watched.
    pub interfaces: Vec<InterfaceView>,
    /// Every address that was seen, in order.
    pub addresses: Arc<[Arc<AddressView>]>,
    /// Every device that was seen, and every registered one.
    pub devices: Arc<[Arc<DeviceView>]>,
    /// Open alerts and the latest closed ones, newest first.
    pub alerts: Arc<[Arc<AlertView>]>,
    /// Mutes in force, in the order in which they were made.
    pub mutes: Arc<[Arc<MuteView>]>,
    /// What moved in each sample of the last ten minutes, oldest first.
    pub recent: Arc<[Arc<Sample>]>,
}

/// `GET /api/v1/status`, apart from what does not change while running.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// When the last sample was taken: RFC 3339; `None` before the first.
    pub sampled_at: Option<String>,
    /// The local day, `YYYY-MM-DD`.
    pub day: String,
    /// How polling goes.
    pub poll: PollStatus,
    /// The local networks in force.
    pub local_networks: Vec<String>,
    /// Every remote address is counted, since this machine does not route.
    pub counts_every_address: bool,
    /// How many mutes are in force.
    pub mutes: usize,
    /// How keeping goes.
    #[serde(default)]
    pub store: StoreStatus,
    /// What is degraded and what to do about it.
    pub warnings: Vec<String>,
}

/// How what is known gets into the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Whether it does.
    pub state: StoreState,
    /// Since when it does not: RFC 3339.
    pub since: Option<String>,
    /// Why it does not, and what to do about it.
    pub reason: Option<String>,
    /// Records in memory that are not in the database yet.
    pub waiting_records: usize,
    /// When what is in the database was counted last: RFC 3339; `None` before the first write of
    /// this run.
    pub written_at: Option<String>,
    /// Bytes of the database and its log, as of the last write.
    pub database_bytes: u64,
}

/// Whether what is known gets into the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// Each minute.
    #[default]
    Ok,
    /// It can't be written; everything waits in memory, and is tried again each minute.
    Waiting,
}

/// How polling goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PollStatus {
    /// Seconds between samples, as configured.
    pub interval_seconds: f64,
    /// Samples taken.
    pub samples: u64,
    /// Ticks that passed while a sample was still being worked on.
    pub missed: u64,
    /// Seconds the last sample took, from the table to the snapshot.
    pub last_seconds: f64,
    /// The longest one.
    pub max_seconds: f64,
}

/// A number for each direction, seen from the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directions {
    /// Uploaded.
    pub sent: u64,
    /// Downloaded.
    pub received: u64,
}

/// An entry of `GET /api/v1/interfaces`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InterfaceView {
    /// Its name now.
    pub name: String,
    /// Whether programs count on it now.
    pub attached: bool,
    /// `native`, `generic` or `tc`; `None` while not attached.
    pub ingress_mode: Option<String>,
    /// `tcx` or `clsact`; `None` while not attached.
    pub egress_mode: Option<String>,
    /// Why it is not attached, or not in the best mode.
    pub note: Option<String>,
    /// Counted since attach.
    pub counted_bytes: Directions,
    /// Counted since attach.
    pub counted_packets: Directions,
    /// The interface's own counters since attach.
    pub interface_bytes: Directions,
    /// The interface's own counters since attach.
    pub interface_packets: Directions,
    /// Packets counted / packets of the interface, 0 to 1.
    pub coverage: f64,
    /// Frames without a readable IP header, both directions.
    pub non_ip_bytes: u64,
    /// Addresses in no local network, both directions.
    pub outside_bytes: u64,
    /// Addresses that found no free slot, both directions.
    pub overflow_bytes: u64,
}

/// An entry of `GET /api/v1/addresses`. Totals include the local part and only grow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddressView {
    /// The address.
    pub address: IpAddr,
    /// Of its neighbour entry.
    pub mac: Option<MacAddr>,
    /// The id of the device it belongs to.
    pub device: String,
    /// Layer-2 bytes.
    pub sent_bytes: u64,
    /// Frames on the wire.
    pub sent_packets: u64,
    /// Layer-2 bytes.
    pub received_bytes: u64,
    /// Frames on the wire.
    pub received_packets: u64,
    /// The part that stayed in the local networks.
    pub sent_local_bytes: u64,
    /// The part that stayed in the local networks.
    pub sent_local_packets: u64,
    /// The part that stayed in the local networks.
    pub received_local_bytes: u64,
    /// The part that stayed in the local networks.
    pub received_local_packets: u64,
    /// Bytes per second, smoothed.
    pub sent_rate: u64,
    /// Bytes per second, smoothed.
    pub received_rate: u64,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// An entry of `GET /api/v1/devices`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceView {
    /// Stable across restarts: its MAC, else its address.
    pub id: String,
    /// What the owner calls it, or its address.
    pub name: String,
    /// Where known.
    pub mac: Option<MacAddr>,
    /// Where known.
    pub vendor: Option<String>,
    /// All its addresses.
    pub addresses: Vec<IpAddr>,
    /// An entry of the registered devices is about it.
    pub registered: bool,
    /// The group the owner put it in.
    pub group: Option<String>,
    /// Bytes per second, smoothed.
    pub sent_rate: u64,
    /// Bytes per second, smoothed.
    pub received_rate: u64,
    /// Since local midnight.
    pub today: TodayView,
    /// Since the billing day; `None` without a quota.
    pub cycle: Option<CycleView>,
    /// In force for it.
    pub thresholds: ThresholdsView,
    /// Ids of its open alerts.
    pub alerts: Vec<String>,
    /// RFC 3339; `None` for a registered device that was never seen.
    pub first_seen: Option<String>,
    /// RFC 3339.
    pub last_seen: Option<String>,
}

/// Usage in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodayView {
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that stayed in the local networks.
    pub received_local: u64,
    /// Active minutes, in seconds.
    pub active_seconds: u64,
}

/// Usage in a billing cycle, without what passed in free hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleView {
    /// Its first day: `YYYY-MM-DD`.
    pub from: String,
    /// The first day of the next one.
    pub until: String,
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that stayed in the local networks.
    pub received_local: u64,
    /// Bytes that are allowed in it.
    pub quota: Option<u64>,
}

/// Thresholds, `None` where the rule is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdsView {
    /// Bytes a day.
    pub bandwidth_threshold: Option<u64>,
    /// Seconds a day.
    pub max_active_time: Option<u64>,
    /// Bytes per second.
    pub rate_threshold: Option<u64>,
    /// Bytes a billing cycle.
    #[serde(default)]
    pub quota: Option<u64>,
    /// Seconds without a byte sent.
    #[serde(default)]
    pub silent_after: Option<u64>,
    /// Whether sudden increases are looked for.
    #[serde(default)]
    pub surge: bool,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Broken, but not yet for long enough.
    Pending,
    /// Somebody was told.
    Firing,
    /// Over.
    Resolved,
}

/// An entry of `GET /api/v1/alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertView {
    /// Its id.
    pub id: String,
    /// Where it is in its life.
    pub state: AlertState,
    /// Which rule.
    pub rule: RuleKind,
    /// Whose traffic.
    pub device: EventDevice,
    /// How bad it is.
    pub severity: Severity,
    /// Whose bytes.
    pub direction: Direction,
    /// What was expected, in `unit`, for rules that expect something.
    pub expected: Option<u64>,
    /// The latest value, in `unit`; when resolved, the last one.
    pub observed: u64,
    /// What was allowed, in `unit`.
    pub threshold: u64,
    /// The unit of both.
    pub unit: Unit,
    /// Highest smoothed rate while it fired, bytes per second.
    pub peak_rate: u64,
    /// The sentence of its latest event.
    pub description: String,
    /// RFC 3339: since when somebody takes care of it, so that there are no more reminders.
    pub acknowledged_at: Option<String>,
    /// Who does, where they said so.
    pub acknowledged_by: Option<String>,
    /// It is muted, so that there are no reminders.
    pub muted: bool,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; `None` while it lasts.
    pub ended_at: Option<String>,
}

/// An entry of `GET /api/v1/mutes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MuteView {
    /// Its id.
    pub id: String,
    /// The id of the device, group or interface; `None`: all of them.
    pub device: Option<String>,
    /// Which rule; `None`: all of them.
    pub rule: Option<RuleKind>,
    /// RFC 3339; `None`: until it is taken back.
    pub until: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

/// The number of open alerts of each rule is derived from these.
impl Snapshot {
    /// Alerts that are firing now.
    pub fn firing(&self) -> impl Iterator<Item = &Arc<AlertView>> {
        self.alerts
            .iter()
            .filter(|alert| alert.state == AlertState::Firing)
    }
}
