//! Reads what an earlier run left.

use jiff::civil::Date;
use rusqlite::Connection;

use super::{
    codec::{Addresses, Amount, Micros, Rows, Seconds, Text, Total},
    outbox,
    records::{
        AddressRecord, AlertRow, DeviceRecord, Loaded, MemoryRecord, TableRecord, UsageRecord,
    },
};

/// Closed alerts that are shown.
const ALERTS: u32 = 200;

/// All of it, with the usage of `day`, or of the latest day where that is later: then the clock does
/// not know the time yet, as after a boot without a battery.
pub(super) fn load(connection: &Connection, day: Date) -> rusqlite::Result<Loaded> {
    let (at, lifecycle, ran) =
        connection.query_row("SELECT at, lifecycle, ran FROM state", [], |row| {
            let at = row.get::<_, Option<Micros>>(0)?.map(|at| at.0);
            Ok((at, row.get(1)?, row.get::<_, Seconds>(2)?.0))
        })?;
    Ok(Loaded {
        at,
        devices: devices(connection)?,
        usage: usage(connection, day, "=")?,
        finished: usage(connection, day, "<")?,
        alerts: alerts(connection)?,
        lifecycle,
        tables: tables(connection)?,
        addresses: addresses(connection)?,
        outbox: outbox::waiting(connection)?,
        failed: outbox::failed(connection)?,
        ran,
        memory: memory(connection)?,
        warnings: Vec::new(),
    })
}

fn devices(connection: &Connection) -> rusqlite::Result<Vec<DeviceRecord>> {
    let mut statement = connection
        .prepare("SELECT id, mac, addresses, first_seen, last_seen FROM device ORDER BY key")?;
    let devices = statement.query_map([], |row| {
        Ok(DeviceRecord {
            id: row.get(0)?,
            mac: row.get::<_, Option<Text<_>>>(1)?.map(|mac| mac.0),
            addresses: row.get::<_, Addresses>(2)?.0,
            first_seen: row.get::<_, Micros>(3)?.0,
            last_seen: row.get::<_, Micros>(4)?.0,
        })
    })?;
    devices.collect()
}

/// The day to go on with.
const LATEST: &str = "max(?1, (SELECT coalesce(max(day), ?1) FROM usage))";

/// Usage of days that compare to [`LATEST`] like this.
fn usage(connection: &Connection, day: Date, compared: &str) -> rusqlite::Result<Vec<UsageRecord>> {
    let mut statement = connection.prepare(&format!(
        "SELECT device.id, day, state, sent, received, sent_local, received_local, active_seconds
         FROM usage JOIN device ON device.key = usage.device
         WHERE day {compared} {LATEST} AND state IS NOT NULL ORDER BY day, device.key"
    ))?;
    let usage = statement.query_map([Text(day)], |row| {
        Ok(UsageRecord {
            device: row.get(0)?,
            day: row.get::<_, Text<_>>(1)?.0,
            state: row.get(2)?,
            sent: row.get::<_, Amount>(3)?.0,
            received: row.get::<_, Amount>(4)?.0,
            sent_local: row.get::<_, Amount>(5)?.0,
            received_local: row.get::<_, Amount>(6)?.0,
            active_seconds: row.get::<_, Amount>(7)?.0,
        })
    })?;
    usage.collect()
}

fn alerts(connection: &Connection) -> rusqlite::Result<Vec<AlertRow>> {
    let mut statement = connection.prepare(
        "SELECT id, device, rule, state, started_at, ended_at, body FROM alert
         WHERE ended_at IS NULL
            OR id IN (SELECT id FROM alert ORDER BY started_at DESC LIMIT ?1)
         ORDER BY started_at DESC, id",
    )?;
    let alerts = statement.query_map([ALERTS], |row| {
        Ok(AlertRow {
            id: row.get(0)?,
            device: row.get(1)?,
            rule: row.get(2)?,
            state: row.get(3)?,
            started_at: row.get::<_, Micros>(4)?.0,
            ended_at: row.get::<_, Option<Micros>>(5)?.map(|at| at.0),
            body: row.get(6)?,
        })
    })?;
    alerts.collect()
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<TableRecord>> {
    let mut statement =
        connection.prepare("SELECT interface, identity, rows FROM counters ORDER BY interface")?;
    let tables = statement.query_map([], |row| {
        Ok(TableRecord {
            interface: row.get(0)?,
            identity: row.get(1)?,
            rows: row.get::<_, Rows>(2)?.0,
        })
    })?;
    tables.collect()
}

fn addresses(connection: &Connection) -> rusqlite::Result<Vec<AddressRecord>> {
    let mut statement = connection.prepare(
        "SELECT address, address.mac, device.id, total, address.first_seen, address.last_seen
         FROM address JOIN device ON device.key = address.device
         ORDER BY address.first_seen, address",
    )?;
    let addresses = statement.query_map([], |row| {
        Ok(AddressRecord {
            address: row.get::<_, Text<_>>(0)?.0,
            mac: row.get::<_, Option<Text<_>>>(1)?.map(|mac| mac.0),
            device: row.get(2)?,
            total: row.get::<_, Total>(3)?.0,
            first_seen: row.get::<_, Micros>(4)?.0,
            last_seen: row.get::<_, Micros>(5)?.0,
        })
    })?;
    addresses.collect()
}

fn memory(connection: &Connection) -> rusqlite::Result<Vec<MemoryRecord>> {
    let mut statement =
        connection.prepare("SELECT subject, kind, state FROM memory ORDER BY kind, subject")?;
    let memory = statement.query_map([], |row| {
        Ok(MemoryRecord {
            subject: row.get(0)?,
            kind: row.get(1)?,
            state: row.get(2)?,
        })
    })?;
    memory.collect()
}
