//! What survives a restart: usage, devices, alerts, what is still to be told of them, and a
//! checkpoint of the raw counters, in one SQLite database in the state directory.
//!
//! History and checkpoint are written in one transaction. After a crash, the next start counts the
//! difference between the kernel's counters and the checkpoint, so that no byte is lost, and none
//! is counted twice.
//!
//! An event is in the outbox in the same transaction as the alert it tells of, and that transaction
//! is synced: not even a power cut makes bwmon forget what a receiver was told.
//!
//! One thread owns the database; the loop hands it a [`Checkpoint`] a minute and never waits for
//! it. Nothing here knows what a rule or a rate is: what the core wants back is opaque text.

mod backlog;
mod backup;
mod codec;
mod desk;
mod directory;
mod error;
mod handle;
mod history;
mod holder;
mod load;
mod opening;
mod origin;
mod outbox;
mod prune;
mod records;
mod rename;
mod schema;
mod write;

#[cfg(test)]
mod tests;

pub use backup::{Existing, backup};
pub use directory::DATABASE;
pub use error::StoreError;
pub use handle::{Durable, Outcome, Store};
pub use history::{
    Bucket, History, HistoryReader, HistorySettings, Import, Imported, ImportedBucket, KnownDevice,
    Mode, Region, Retention, Series, Taken, Tier, import, minute_of, time_of,
};
pub use holder::holder;
pub use records::{
    AddressRecord, AlertRow, Checkpoint, DeviceRecord, FailedRecord, Fate, Loaded, MemoryRecord,
    OutboxRecord, Outlives, PENDING, Settled, TableRecord, UsageRecord,
};
