//! What is kept, in the words of the rest of bwmon.
//!
//! Amounts of bytes are those of layer 2; the local parts are contained in the totals.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bwmon_common::layout::Row;
use jiff::{Timestamp, civil::Date};

use crate::core::{ledger::SavedHistory, mac::MacAddr};

/// All that changed since the checkpoint before. It is written as a whole or not at all.
///
/// Its records are absolute: to write one twice is to write it once. Only `history` adds up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// When the sample was taken that it describes.
    pub at: Timestamp,
    /// Devices that turned out to be another one or got a better id: the old id and the new one.
    ///
    /// These go first, so the records below bear the new id. Where one of them is about the new
    /// device and a day, it stands for both, and the old device's row of that day is deleted;
    /// other days of the old device are added to those of the new one.
    pub renamed: Vec<(String, String)>,
    /// Those that changed.
    pub devices: Vec<DeviceRecord>,
    /// Devices and days whose usage is forgotten, as the clock had been wrong. They go before
    /// `usage`.
    pub undated: Vec<(String, Date)>,
    /// Those that changed.
    pub usage: Vec<UsageRecord>,
    /// Those that changed, and all that are [`PENDING`]: others of those came to nothing.
    pub alerts: Vec<AlertRow>,
    /// The state machine of the alerts; `None` where it did not change.
    pub lifecycle: Option<String>,
    /// The raw counters, all of them: tables that are not here are forgotten.
    pub tables: Vec<TableRecord>,
    /// Those that changed.
    pub addresses: Vec<AddressRecord>,
    /// What is to be told from now on, so that it comes with the alert it is about.
    pub events: Vec<OutboxRecord>,
    /// What became of events, of these or of earlier ones.
    pub settled: Vec<Settled>,
    /// How long bwmon has run, in this run and all before it.
    pub ran: Duration,
    /// What it has to outlive, besides a crash of bwmon.
    pub outlives: Outlives,
    /// Those that changed.
    pub memory: Vec<MemoryRecord>,
    /// What moved since the checkpoint before, one record for each subject and minute.
    pub history: Vec<SavedHistory>,
}

impl Checkpoint {
    /// How many records there are in it.
    pub(super) fn len(&self) -> usize {
        let Self {
            at: _,
            renamed,
            devices,
            undated,
            usage,
            alerts,
            lifecycle,
            tables,
            addresses,
            events,
            settled,
            ran: _,
            outlives: _,
            memory,
            history,
        } = self;
        let changes = [
            renamed.len(),
            devices.len(),
            undated.len(),
            usage.len(),
            alerts.len(),
        ];
        let others = [tables.len(), addresses.len(), events.len(), settled.len()];
        let rest = [
            memory.len(),
            history.len(),
            usize::from(lifecycle.is_some()),
        ];
        changes.into_iter().chain(others).chain(rest).sum()
    }
}

/// What something written outlives. The greater costs flash a write at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlives {
    /// The process.
    #[default]
    Crash,
    /// The machine.
    PowerCut,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Stable across restarts.
    pub id: String,
    /// Where known.
    pub mac: Option<MacAddr>,
    /// All its addresses.
    pub addresses: Vec<IpAddr>,
    /// Kept to the microsecond, like all times here.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// What a device used on a local day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// The id of the device. One that was never told of is made up as it is here.
    pub device: String,
    /// The local day.
    pub day: Date,
    /// What the core needs to go on counting on that day, in a form of its own. Forgotten after
    /// a week.
    pub state: String,
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that came from the local networks.
    pub received_local: u64,
    /// Active minutes, in seconds.
    pub active_seconds: u64,
}

/// The state of an alert of which nobody knows yet.
pub const PENDING: &str = "pending";

/// An alert, open or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// The id of the device.
    pub device: String,
    /// The rule, as in events.
    pub rule: String,
    /// Where it is in its life, as in the HTTP interface.
    pub state: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it lasts.
    pub ended_at: Option<Timestamp>,
    /// The alert itself, in a form of the core's own.
    pub body: String,
}

/// The raw counters of an interface, as they were at the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRecord {
    /// The interface.
    pub interface: String,
    /// Tells these tables from others of the same interface, such as those after a reboot.
    pub identity: String,
    /// Slots that are not zero, summed over the CPUs.
    pub rows: Vec<(u32, Row)>,
}

/// An address and what it sent and received since it was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRecord {
    /// The address.
    pub address: IpAddr,
    /// Of its neighbour entry, where known.
    pub mac: Option<MacAddr>,
    /// The id of the device it belongs to.
    pub device: String,
    /// Only growing.
    pub total: Row,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// An event that waits for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Its place: a channel is told in this order.
    pub seq: u64,
    /// The name of the channel.
    pub channel: String,
    /// The id of the event.
    pub event: String,
    /// Which change of an alert it tells of, as in events.
    pub state: String,
    /// How bad it is, as in events.
    pub severity: String,
    /// When it happened.
    pub at: Timestamp,
    /// The [`Checkpoint::ran`] of that moment, to the second: what its age is measured from, since
    /// no clock that is set can make it old.
    pub ran: Duration,
    /// The event itself, as JSON.
    pub body: Arc<str>,
}

/// An event that waits no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its place.
    pub seq: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing that is to be kept.
    Gone,
    /// It was given up, which is kept for a while: the latest 100 of a channel, for 30 days.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        error: String,
    },
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRecord {
    /// As it waited.
    pub waited: OutboxRecord,
    /// When it was given up.
    pub at: Timestamp,
    /// Why.
    pub error: String,
}

/// Something that the core wants back, in a form of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRecord {
    /// What it is about: the id of a device, or something else that has a name.
    pub subject: String,
    /// What sort of thing it is.
    pub kind: String,
    /// The thing; `None` to forget it. Never `None` in [`Loaded`].
    pub state: Option<String>,
}

/// What an earlier run left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The `at` of the last checkpoint. A clock that is behind it is not right (yet).
    pub at: Option<Timestamp>,
    /// All of them.
    pub devices: Vec<DeviceRecord>,
    /// Of the day asked for, or the latest.
    pub usage: Vec<UsageRecord>,
    /// Of the days before that which may go on, should the clock turn out to be ahead; oldest first.
    pub finished: Vec<UsageRecord>,
    /// The latest 200 and every open one, newest first.
    pub alerts: Vec<AlertRow>,
    /// As last written.
    pub lifecycle: Option<String>,
    /// As of the last checkpoint.
    pub tables: Vec<TableRecord>,
    /// Those seen in the last 30 days.
    pub addresses: Vec<AddressRecord>,
    /// What still waits for channels, in order.
    pub outbox: Vec<OutboxRecord>,
    /// The latest 100 that were given up, newest first.
    pub failed: Vec<FailedRecord>,
    /// As of the last checkpoint.
    pub ran: Duration,
    /// All of it.
    pub memory: Vec<MemoryRecord>,
    /// What the owner should know.
    pub warnings: Vec<String>,
}
