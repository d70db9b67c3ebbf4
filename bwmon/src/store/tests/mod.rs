//! What the tests of the store share.

mod backup;
mod durability;
mod history;
mod importing;
mod merging;
mod migrations;
mod opening;
mod outbox;
mod tiers;

use std::{fs, path::Path, time::Duration};

use bwmon_common::layout::{Counter, Row};
use jiff::{Timestamp, civil::Date};
use tokio::time::timeout;

use super::{
    AddressRecord, AlertRow, Checkpoint, DeviceRecord, FailedRecord, Fate, HistorySettings, Loaded,
    MemoryRecord, OutboxRecord, Outcome, Outlives, Settled, Store, StoreError, TableRecord,
    UsageRecord, backlog::Backlog, load::load, schema, write::Writer,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn today() -> Date {
    day("2026-03-08")
}

fn now() -> Timestamp {
    at("2026-03-08T12:00:00.123456Z")
}

fn row(seed: u64) -> Row {
    let counter = |offset| Counter {
        bytes: seed * 100 + offset,
        packets: u64::MAX - offset,
    };
    Row {
        sent: counter(1),
        received: counter(2),
        sent_local: counter(3),
        received_local: counter(4),
    }
}

fn device(id: &str) -> DeviceRecord {
    DeviceRecord {
        id: id.to_owned(),
        mac: Some("02:1b:c3:00:4f:9e".parse().unwrap()),
        addresses: vec!["192.168.1.5".parse().unwrap(), "fe80::1".parse().unwrap()],
        first_seen: at("2026-01-01T00:00:00Z"),
        last_seen: now(),
    }
}

fn usage(device: &str, day: Date, sent: u64) -> UsageRecord {
    UsageRecord {
        device: device.to_owned(),
        day,
        state: format!(r#"{{"sent":{sent}}}"#),
        sent,
        received: sent.saturating_mul(2),
        sent_local: 3,
        received_local: 4,
        active_seconds: 60,
    }
}

fn alert(id: &str, device: &str, started_at: Timestamp) -> AlertRow {
    AlertRow {
        id: id.to_owned(),
        device: device.to_owned(),
        rule: "volume".to_owned(),
        state: "firing".to_owned(),
        started_at,
        ended_at: None,
        body: "{}".to_owned(),
    }
}

fn table(interface: &str, rows: Vec<(u32, Row)>) -> TableRecord {
    TableRecord {
        interface: interface.to_owned(),
        identity: "boot 1".to_owned(),
        rows,
    }
}

fn address(text: &str, device: &str) -> AddressRecord {
    AddressRecord {
        address: text.parse().unwrap(),
        mac: None,
        device: device.to_owned(),
        total: row(7),
        first_seen: at("2026-03-01T00:00:00Z"),
        last_seen: now(),
    }
}

fn event(seq: u64) -> OutboxRecord {
    OutboxRecord {
        seq,
        channel: "phone".to_owned(),
        event: format!("event {seq}"),
        state: "firing".to_owned(),
        severity: "warning".to_owned(),
        at: now(),
        ran: Duration::from_secs(seq),
        body: r#"{"id":"…"}"#.into(),
    }
}

fn gone(seq: u64) -> Settled {
    Settled {
        seq,
        fate: Fate::Gone,
    }
}

fn given_up(seq: u64) -> Settled {
    let fate = Fate::Failed {
        at: now(),
        error: "answered 500".to_owned(),
    };
    Settled { seq, fate }
}

fn memory(subject: &str, kind: &str, state: impl Into<Option<&'static str>>) -> MemoryRecord {
    MemoryRecord {
        subject: subject.to_owned(),
        kind: kind.to_owned(),
        state: state.into().map(str::to_owned),
    }
}

/// Everything there is to keep.
fn full() -> Checkpoint {
    Checkpoint {
        outlives: Outlives::Crash,
        undated: Vec::new(),
        at: now(),
        renamed: Vec::new(),
        devices: vec![
            device("02:1b:c3:00:4f:9e"),
            DeviceRecord {
                mac: None,
                addresses: vec![],
                ..device("192.168.1.9")
            },
        ],
        usage: vec![
            usage("02:1b:c3:00:4f:9e", today(), 12),
            usage("192.168.1.9", today(), 13),
        ],
        alerts: vec![
            alert("b", "192.168.1.9", now()),
            AlertRow {
                ended_at: Some(now()),
                state: "resolved".to_owned(),
                ..alert("a", "02:1b:c3:00:4f:9e", at("2026-03-07T00:00:00Z"))
            },
        ],
        lifecycle: Some(r#"{"open":["b"]}"#.to_owned()),
        tables: vec![
            table("br-lan", vec![(0, row(1)), (1_000_000, row(2))]),
            table("wlan0", vec![]),
        ],
        addresses: vec![
            address("192.168.1.5", "02:1b:c3:00:4f:9e"),
            address("fd00::9", "192.168.1.9"),
        ],
        events: vec![event(1), event(2), event(3), event(4)],
        settled: vec![gone(2), given_up(3)],
        ran: Duration::from_secs(3600),
        memory: vec![
            memory("02:1b:c3:00:4f:9e", "cycle", "{}"),
            memory("02:1b:c3:00:4f:9e", "profile", "[1]"),
        ],
        history: vec![tiers::moved("02:1b:c3:00:4f:9e", tiers::START, 12)],
    }
}

/// What [`full`] looks like when it is read again.
fn full_loaded() -> Loaded {
    let Checkpoint {
        at,
        renamed: _,
        outlives: _,
        undated: _,
        devices,
        usage,
        alerts,
        lifecycle,
        tables,
        addresses,
        events: _,
        settled: _,
        ran,
        memory,
        history: _,
    } = full();
    Loaded {
        at: Some(at),
        devices,
        usage,
        finished: vec![],
        alerts,
        lifecycle,
        tables,
        addresses,
        outbox: vec![event(1), event(4)],
        failed: vec![FailedRecord {
            waited: event(3),
            at: now(),
            error: "answered 500".to_owned(),
        }],
        ran,
        memory,
        warnings: vec![],
    }
}

fn empty() -> Checkpoint {
    Checkpoint {
        at: now(),
        ..Checkpoint::default()
    }
}

fn open(directory: &Path) -> (Store, Loaded) {
    Store::open(directory, today()).unwrap()
}

async fn close(mut store: Store, last: Checkpoint) {
    store.write(last);
    store.close().await.unwrap();
}

fn backlog(checkpoint: Checkpoint) -> Backlog {
    let mut backlog = Backlog::default();
    backlog.push(checkpoint);
    backlog
}

/// Writes, and waits until that is durable.
async fn keep(store: &mut Store, checkpoint: Checkpoint) {
    store.write(checkpoint);
    match outcome(store).await {
        Outcome::Durable(_) => {}
        Outcome::Failed(error) => panic!("{error}"),
    }
}

async fn outcome(store: &mut Store) -> Outcome {
    timeout(Duration::from_secs(30), store.outcome())
        .await
        .unwrap()
}

/// What a process that is killed now would leave.
fn left_behind(directory: &Path, day: Date) -> Loaded {
    let copy = tempfile::tempdir().unwrap();
    for file in ["bwmon.db", "bwmon.db-wal"] {
        fs::copy(directory.join(file), copy.path().join(file)).unwrap();
    }
    load(&schema::open(&copy.path().join("bwmon.db")).unwrap(), day).unwrap()
}
