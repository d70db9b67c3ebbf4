//! What readers see: the immutable snapshot that is published after each sample, in the words of
//! the HTTP interface.
//!
//! Parts that did not change since the last snapshot are shared with it.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    cycle::Cycle,
    durations::Durations,
    event::{Direction, EventDevice, RuleKind, Severity, Unit},
    history::Sample,
    mac::MacAddr,
    names::NameSource,
    policy::Scope,
    schema::IpAddress,
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
    /// Every device that was seen, and every registered one, in the order of their ids.
    pub devices: Arc<[Arc<DeviceView>]>,
    /// Open alerts and the latest closed ones, newest first.
    pub alerts: Arc<[Arc<AlertView>]>,
    /// Mutes in force, in the order in which they were made.
    pub mutes: Arc<[Arc<MuteView>]>,
    /// What each channel did, in the order of the configuration.
    pub channels: Vec<ChannelView>,
    /// What moved in each sample of the last ten minutes, oldest first.
    pub recent: Arc<[Arc<Sample>]>,
    /// Groups and interfaces that have rules as a whole.
    pub totals: Vec<TotalView>,
    /// How the owner's bill is counted.
    pub cycle: Cycle,
    /// Which of these changed, and which did not.
    pub versions: Versions,
}

/// A number for each part of a snapshot. It changes whenever the part does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Of the interfaces.
    pub interfaces: u64,
    /// Of the addresses.
    pub addresses: u64,
    /// Of the devices.
    pub devices: u64,
    /// Of the alerts.
    pub alerts: u64,
    /// Of the mutes.
    pub mutes: u64,
    /// Of the last ten minutes.
    pub recent: u64,
}

/// `GET /api/v1/status`, apart from what does not change while running.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// When the last sample was taken: RFC 3339; `None` before the first.
    #[schema(format = DateTime)]
    pub sampled_at: Option<String>,
    /// The local day, `YYYY-MM-DD`.
    #[schema(format = Date)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// Whether it does.
    pub state: StoreState,
    /// Since when it does not: RFC 3339.
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// Why it does not, and what to do about it.
    pub reason: Option<String>,
    /// Records in memory that are not in the database yet.
    pub waiting_records: usize,
    /// When what is in the database was counted last: RFC 3339; `None` before the first write of
    /// this run.
    #[schema(format = DateTime)]
    pub written_at: Option<String>,
    /// Bytes of the database and its log, as of the last write.
    pub database_bytes: u64,
}

/// Whether what is known gets into the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// Each minute.
    #[default]
    Ok,
    /// It can't be written; everything waits in memory, and is tried again each minute.
    Waiting,
}

/// How polling goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
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
    /// How many took how long.
    #[serde(skip)]
    pub durations: Durations,
}

/// A number for each direction, seen from the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Directions {
    /// Uploaded.
    pub sent: u64,
    /// Downloaded.
    pub received: u64,
}

impl Directions {
    /// Both together.
    pub fn total(self) -> u64 {
        self.sent.saturating_add(self.received)
    }
}

/// An entry of `GET /api/v1/interfaces`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
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
    /// Why this may not be all that passed, and what to do about it; `None` where it is.
    #[serde(default)]
    pub hint: Option<String>,
}

/// An entry of `GET /api/v1/addresses`. Totals include the local part and only grow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AddressView {
    /// The address.
    #[schema(value_type = IpAddress)]
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
    #[schema(format = DateTime)]
    pub first_seen: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub last_seen: String,
}

/// An entry of `GET /api/v1/devices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Stable across restarts: its MAC, else its address.
    pub id: String,
    /// What the owner calls it, else what others do, else its address.
    pub name: String,
    /// Who gave it its name.
    #[serde(default)]
    pub name_source: NameSource,
    /// Where known.
    pub mac: Option<MacAddr>,
    /// The device made its MAC up (it is locally administered), as phones do for privacy.
    #[serde(default)]
    pub private_mac: bool,
    /// Who built it, as its MAC tells.
    pub vendor: Option<String>,
    /// All its addresses.
    #[schema(value_type = Vec<IpAddress>)]
    pub addresses: Vec<IpAddr>,
    /// An entry of the registered devices is about it.
    pub registered: bool,
    /// That entry says that nobody is to hear of it.
    #[serde(default)]
    pub muted: bool,
    /// The group the owner put it in.
    pub group: Option<String>,
    /// Bytes per second, smoothed.
    pub sent_rate: u64,
    /// Bytes per second, smoothed.
    pub received_rate: u64,
    /// The part of `sent_rate` that stays in the local networks.
    #[serde(default)]
    pub sent_local_rate: u64,
    /// The part of `received_rate` that stays in the local networks.
    #[serde(default)]
    pub received_local_rate: u64,
    /// Since bwmon started; only growing.
    #[serde(default)]
    pub since_start: MovedView,
    /// Since local midnight.
    pub today: TodayView,
    /// Since the billing day; `None` without a quota.
    pub cycle: Option<CycleView>,
    /// In force for it.
    pub thresholds: ThresholdsView,
    /// Ids of its open alerts.
    pub alerts: Vec<String>,
    /// RFC 3339; `None` for a registered device that was never seen.
    #[schema(format = DateTime)]
    pub first_seen: Option<String>,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub last_seen: Option<String>,
}

/// What a device moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedView {
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that stayed in the local networks.
    pub received_local: u64,
}

impl MovedView {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            received: self.received.saturating_add(other.received),
            sent_local: self.sent_local.saturating_add(other.sent_local),
            received_local: self.received_local.saturating_add(other.received_local),
        }
    }
}

/// What a channel did since bwmon started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// Events that arrived.
    pub delivered: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Events that got too old, or can't be put into a request.
    pub given_up: u64,
    /// Events that there was no room for.
    pub shed: u64,
    /// Events that are still to be delivered.
    pub waiting: usize,
}

/// Usage in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CycleView {
    /// Its first day: `YYYY-MM-DD`.
    #[schema(format = Date)]
    pub from: String,
    /// The first day of the next one.
    #[schema(format = Date)]
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
    /// Which of its bytes count for the quota.
    pub direction: Direction,
    /// Which traffic counts for the quota; `None`: internet traffic, or all on a machine that does
    /// not route.
    pub scope: Option<Scope>,
}

/// All devices of a group together, or all that an interface carries, where there are rules for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalView {
    /// `group:NAME` or `interface:NAME`.
    pub id: String,
    /// Since the billing day; `None` without a quota.
    pub cycle: Option<CycleView>,
}

/// Thresholds, `None` where the rule is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
    #[schema(format = DateTime)]
    pub acknowledged_at: Option<String>,
    /// Who does, where they said so.
    pub acknowledged_by: Option<String>,
    /// It is muted, so that there are no reminders.
    pub muted: bool,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// RFC 3339; `None` while it lasts.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
}

/// An entry of `GET /api/v1/mutes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MuteView {
    /// Its id.
    pub id: String,
    /// The id of the device, group or interface; `None`: all of them.
    pub device: Option<String>,
    /// Which rule; `None`: all of them.
    pub rule: Option<RuleKind>,
    /// RFC 3339; `None`: until it is taken back.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// The number of open alerts of each rule is derived from these.
impl Snapshot {
    /// This one, with the versions of its parts counted on from those of the one `before` it. What
    /// it shares with that is the same.
    pub fn following(mut self, before: &Self) -> Self {
        let next = |version: u64, same: bool| version + u64::from(!same);
        let Versions {
            interfaces,
            addresses,
            devices,
            alerts,
            mutes,
            recent,
        } = before.versions;
        self.versions = Versions {
            interfaces: next(interfaces, self.interfaces == before.interfaces),
            addresses: next(addresses, Arc::ptr_eq(&self.addresses, &before.addresses)),
            devices: next(devices, Arc::ptr_eq(&self.devices, &before.devices)),
            alerts: next(alerts, Arc::ptr_eq(&self.alerts, &before.alerts)),
            mutes: next(mutes, Arc::ptr_eq(&self.mutes, &before.mutes)),
            recent: next(recent, is_same_queue(&self.recent, &before.recent)),
        };
        self
    }

    /// Alerts that are firing now.
    pub fn firing(&self) -> impl Iterator<Item = &Arc<AlertView>> {
        self.alerts
            .iter()
            .filter(|alert| alert.state == AlertState::Firing)
    }
}

/// Whether a list that only grows at its end and shrinks at its start did neither.
fn is_same_queue<T>(queue: &[Arc<T>], before: &[Arc<T>]) -> bool {
    let is_same = |end: Option<&Arc<T>>, before: Option<&Arc<T>>| match (end, before) {
        (Some(end), Some(before)) => Arc::ptr_eq(end, before),
        (None, None) => true,
        _ => false,
    };
    queue.len() == before.len()
        && is_same(queue.first(), before.first())
        && is_same(queue.last(), before.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_changes_with_its_part_and_with_nothing_else() {
        let first = Snapshot::default();
        let same = first.clone().following(&first);
        assert_eq!(same.versions, first.versions);

        let devices: Arc<[Arc<DeviceView>]> = [].into();
        let mut changed = first.clone();
        changed.devices = devices;
        let changed = changed.following(&same);
        let expected = Versions {
            devices: 1,
            ..Versions::default()
        };
        assert_eq!(changed.versions, expected);
        let interface = InterfaceView {
            name: "br-lan".to_owned(),
            ..InterfaceView::default()
        };
        let mut grown = changed.clone();
        grown.interfaces.push(interface);
        let grown = grown.following(&changed);
        assert_eq!((grown.versions.devices, grown.versions.interfaces), (1, 1));
        let again = grown.clone().following(&grown);
        assert_eq!(again.versions, grown.versions);

        let sample = || {
            Arc::new(Sample {
                at: jiff::Timestamp::UNIX_EPOCH,
                elapsed: std::time::Duration::ZERO,
                moved: Vec::new(),
            })
        };
        let mut moved = again.clone();
        moved.recent = [sample(), sample()].into();
        let moved = moved.following(&again);
        let mut later = moved.clone();
        later.recent = [Arc::clone(&moved.recent[1]), sample()].into();
        let later = later.following(&moved);
        let mut silent = later.clone();
        silent.recent = later.recent.iter().cloned().collect();
        let silent = silent.following(&later);
        let versions = [moved, later, silent].map(|snapshot| snapshot.versions.recent);
        assert_eq!(versions, [1, 2, 2]);
    }
}
