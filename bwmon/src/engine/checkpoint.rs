//! Between the ledger's words and the store's.

use jiff::Timestamp;

use super::watch::SavedTable;
use crate::{
    core::{
        alerts::AlertRecord,
        ledger::{Changes, Ledger, Memory, Remembered, Saved, SavedAddress, SavedDevice},
        time::Now,
        usage::DayUsage,
        view::AlertState,
    },
    store::{
        AddressRecord, AlertRow, Checkpoint, DeviceRecord, Loaded, MemoryRecord, PENDING,
        TableRecord, UsageRecord,
    },
};

/// What is to be written: the ledger's changes, its alerts, and the tables as they were read at the
/// same moment. `tables` is `None` when tables are not pinned: then nobody comes back to them, nor
/// to what each address counted in them.
pub(super) fn checkpoint(
    changes: Changes,
    alerts: &[AlertRecord],
    tables: Option<Vec<SavedTable>>,
    at: Timestamp,
) -> Checkpoint {
    let is_pinned = tables.is_some();
    let addresses = changes
        .addresses
        .into_iter()
        .filter(|_| is_pinned)
        .map(|saved| AddressRecord {
            address: saved.address,
            mac: saved.mac,
            device: saved.device,
            total: saved.total,
            first_seen: saved.first_seen,
            last_seen: saved.last_seen,
        });
    let devices = changes.devices.into_iter().map(|saved| DeviceRecord {
        id: saved.id,
        mac: saved.mac,
        addresses: saved.addresses,
        first_seen: saved.first_seen,
        last_seen: saved.last_seen,
    });
    let tables = tables
        .unwrap_or_default()
        .into_iter()
        .map(|table| TableRecord {
            interface: table.interface,
            identity: table.identity,
            rows: table.rows,
        });
    Checkpoint {
        at,
        renamed: changes.renamed,
        devices: devices.collect(),
        undated: changes.undated,
        usage: changes.usage.into_iter().filter_map(usage_record).collect(),
        alerts: alerts.iter().filter_map(alert_row).collect(),
        tables: tables.collect(),
        addresses: addresses.collect(),
        memory: changes
            .memory
            .into_iter()
            .filter_map(memory_record)
            .collect(),
        history: changes.history,
        ..Checkpoint::default()
    }
}

/// Puts an earlier run's state into a new ledger and returns its tables.
pub(super) fn restore(ledger: &mut Ledger, loaded: Loaded, now: &Now) -> Vec<SavedTable> {
    let tables: Vec<SavedTable> = loaded
        .tables
        .into_iter()
        .map(|table| SavedTable {
            interface: table.interface,
            identity: table.identity,
            rows: table.rows,
        })
        .collect();
    let devices = loaded.devices.into_iter().map(|record| SavedDevice {
        id: record.id,
        mac: record.mac,
        addresses: record.addresses,
        first_seen: record.first_seen,
        last_seen: record.last_seen,
    });
    let days = |records: Vec<UsageRecord>| -> Vec<(String, DayUsage)> {
        let records = records.into_iter();
        records
            .filter_map(|record| Some((record.device, read("usage", &record.state)?)))
            .collect()
    };
    let (usage, finished) = (days(loaded.usage), days(loaded.finished));
    let addresses = loaded.addresses.into_iter().map(|record| SavedAddress {
        address: record.address,
        mac: record.mac,
        device: record.device,
        total: record.total,
        first_seen: record.first_seen,
        last_seen: record.last_seen,
    });
    let alerts = loaded
        .alerts
        .iter()
        .filter_map(|row| read::<AlertRecord>("alert", &row.body));
    let memory = loaded.memory.into_iter().filter_map(|record| {
        let content = read::<Remembered>("memory", record.state.as_deref()?)?;
        Some((record.subject, content))
    });
    let keeps_addresses = !tables.is_empty();
    let saved = Saved {
        devices: devices.collect(),
        usage,
        finished,
        addresses: addresses.filter(|_| keeps_addresses).collect(),
        alerts: alerts.collect(),
        memory: memory.collect(),
        at: loaded.at,
    };
    ledger.restore(saved, now);
    tables
}

fn usage_record((device, usage): (String, DayUsage)) -> Option<UsageRecord> {
    Some(UsageRecord {
        device,
        day: usage.day,
        state: write("usage", &usage)?,
        sent: usage.sent,
        received: usage.received,
        sent_local: usage.sent_local,
        received_local: usage.received_local,
        active_seconds: usage.active().as_secs(),
    })
}

fn memory_record(memory: Memory) -> Option<MemoryRecord> {
    let state = match &memory.content {
        Some(content) => Some(write("memory", content)?),
        None => None,
    };
    Some(MemoryRecord {
        subject: memory.subject,
        kind: memory.kind.to_owned(),
        state,
    })
}

fn alert_row(record: &AlertRecord) -> Option<AlertRow> {
    let alert = &record.alert;
    Some(AlertRow {
        id: alert.id.clone(),
        device: alert.device.id.clone(),
        rule: alert.rule.as_str().to_owned(),
        state: match alert.state {
            AlertState::Pending => PENDING,
            AlertState::Firing => "firing",
            AlertState::Resolved => "resolved",
        }
        .to_owned(),
        started_at: alert.started_at,
        ended_at: alert.ended_at,
        body: write("alert", record)?,
    })
}

fn write(what: &str, value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value)
        .inspect_err(|error| log::error!("cannot keep {what}: {error}"))
        .ok()
}

pub(super) fn read<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| log::error!("cannot read the {what} of an earlier run: {error}"))
        .ok()
}
