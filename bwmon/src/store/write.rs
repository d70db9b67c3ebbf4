//! Writes checkpoints.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig, params};

use super::{
    backlog::Backlog,
    codec::{Addresses, Amount, Micros, Rows, Seconds, Text, Total},
    error::StoreError,
    history::{self, HistorySettings, minute_of},
    outbox, prune,
    records::{
        AddressRecord, AlertRow, Checkpoint, DeviceRecord, MemoryRecord, Outlives, PENDING,
        TableRecord, UsageRecord,
    },
    rename::{key, rename},
};

/// The one who writes the database.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    path: PathBuf,
    /// It was said that history goes before its time.
    is_tight: bool,
}

impl Writer {
    /// Writes through `connection`, to the database at `path`.
    pub(super) fn new(connection: Connection, path: PathBuf) -> Self {
        Self {
            connection,
            path,
            is_tight: false,
        }
    }

    /// Writes all of `backlog`, as a whole or not at all.
    pub(super) fn write(
        &mut self,
        backlog: &Backlog,
        settings: &HistorySettings,
    ) -> Result<(), StoreError> {
        let fail = |source| StoreError::new(self.path.clone(), "write", source);
        let written = match write(&mut self.connection, backlog, settings).map_err(fail) {
            // The log may be large, and most of what is in it has its place in the database, so
            // to copy it there makes room.
            Err(StoreError::Full { .. }) if empty_log(&self.connection).is_ok() => {
                write(&mut self.connection, backlog, settings).map_err(fail)?
            }
            result => result?,
        };
        if written.has_cut && !self.is_tight {
            log::warn!(
                "the database {} has reached its size, so the oldest of the finest history goes before its time; raise history.max_size",
                self.path.display()
            );
        }
        self.is_tight |= written.has_cut;
        if written.has_pruned
            && let Err(error) = prune::give_back(&self.connection)
        {
            log::debug!("cannot give free pages back to the file system: {error}");
        }
        Ok(())
    }

    /// Closes a damaged database as it is: what is in the log may be what can be rescued.
    pub(super) fn abandon(self) {
        let kept = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let closed = self.connection.set_db_config(kept, true);
        if let Err(error) = closed.and_then(|_| self.connection.close().map_err(|(_, error)| error))
        {
            log::debug!("cannot close the damaged database: {error}");
        }
    }

    /// Moves what is in the log to the database, and closes it.
    pub(super) fn close(self) -> Result<(), StoreError> {
        let Self {
            connection, path, ..
        } = self;
        empty_log(&connection)
            .and_then(|()| connection.close().map_err(|(_, source)| source))
            .map_err(|source| StoreError::new(path, "close", source))
    }
}

fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// What a write did besides.
struct Written {
    /// Old rows were removed, as each day.
    has_pruned: bool,
    /// History was removed that was not too old.
    has_cut: bool,
}

fn write(
    connection: &mut Connection,
    backlog: &Backlog,
    settings: &HistorySettings,
) -> rusqlite::Result<Written> {
    // It can't be changed within a transaction.
    let synchronous = match backlog.outlives() {
        Outlives::PowerCut => "FULL",
        Outlives::Crash => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Immediate: to start with a read would need one more lock, which can be refused.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in backlog.steps() {
        apply(&transaction, step, settings)?;
    }
    outbox::settle(&transaction, backlog.settled())?;
    let mut written = Written {
        has_pruned: false,
        has_cut: false,
    };
    if let Some(last) = backlog.steps().last() {
        let now = prune::trusted(&transaction, last.at, last.ran)?;
        if let Some(now) = now {
            written.has_pruned = prune::if_due(&transaction, now)?;
            if written.has_pruned {
                history::forget_series(&transaction, settings)?;
            }
        }
        written.has_cut = history::make_room(&transaction, settings, now.map(minute_of))?;
    }
    transaction.commit()?;
    Ok(written)
}

fn apply(
    transaction: &Transaction<'_>,
    checkpoint: &Checkpoint,
    settings: &HistorySettings,
) -> rusqlite::Result<()> {
    let Checkpoint {
        at,
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
        ran,
        outlives: _,
        memory,
        history: moved,
    } = checkpoint;
    for (old, new) in renamed {
        let told = usage
            .iter()
            .filter(|usage| usage.device == *new)
            .map(|usage| usage.day);
        rename(transaction, old, new, told.collect())?;
        history::rename(transaction, old, new)?;
    }
    for device in devices {
        write_device(transaction, device)?;
    }
    for (device, day) in undated {
        transaction
            .prepare_cached(
                "DELETE FROM usage
                 WHERE day = ?2 AND device = (SELECT key FROM device WHERE id = ?1)",
            )?
            .execute(params![device, Text(day)])?;
    }
    for usage in usage {
        write_usage(transaction, usage, *at)?;
    }
    transaction
        .prepare_cached("DELETE FROM alert WHERE state = ?1")?
        .execute([PENDING])?;
    for alert in alerts {
        write_alert(transaction, alert)?;
    }
    write_tables(transaction, tables)?;
    for address in addresses {
        write_address(transaction, address)?;
    }
    outbox::add(transaction, events)?;
    outbox::settle(transaction, settled)?;
    for thing in memory {
        write_memory(transaction, thing)?;
    }
    history::add(transaction, moved, &settings.zone, minute_of(*at))?;
    transaction
        .prepare_cached("UPDATE state SET at = ?1, lifecycle = coalesce(?2, lifecycle), ran = ?3")?
        .execute(params![Micros(*at), lifecycle, Seconds(*ran)])?;
    Ok(())
}

fn write_device(transaction: &Transaction<'_>, device: &DeviceRecord) -> rusqlite::Result<()> {
    let DeviceRecord {
        id,
        mac,
        addresses,
        first_seen,
        last_seen,
    } = device;
    transaction
        .prepare_cached(
            "INSERT INTO device (id, mac, addresses, first_seen, last_seen)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET
                mac = excluded.mac, addresses = excluded.addresses,
                first_seen = excluded.first_seen, last_seen = excluded.last_seen",
        )?
        .execute(params![
            id,
            mac.map(Text),
            Addresses(addresses.clone()),
            Micros(*first_seen),
            Micros(*last_seen),
        ])?;
    Ok(())
}

fn write_usage(
    transaction: &Transaction<'_>,
    usage: &UsageRecord,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let UsageRecord {
        device, day, state, ..
    } = usage;
    let device = key_or_new(transaction, device, at)?;
    transaction
        .prepare_cached(
            "INSERT INTO usage (day, device, sent, received, sent_local, received_local,
                                active_seconds, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (day, device) DO UPDATE SET
                sent = excluded.sent, received = excluded.received,
                sent_local = excluded.sent_local, received_local = excluded.received_local,
                active_seconds = excluded.active_seconds, state = excluded.state",
        )?
        .execute(params![
            Text(day),
            device,
            Amount(usage.sent),
            Amount(usage.received),
            Amount(usage.sent_local),
            Amount(usage.received_local),
            Amount(usage.active_seconds),
            state,
        ])?;
    Ok(())
}

fn write_alert(transaction: &Transaction<'_>, alert: &AlertRow) -> rusqlite::Result<()> {
    let AlertRow {
        id,
        device,
        rule,
        state,
        started_at,
        ended_at,
        body,
    } = alert;
    transaction
        .prepare_cached(
            "INSERT INTO alert (id, device, rule, state, started_at, ended_at, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET
                device = excluded.device, rule = excluded.rule, state = excluded.state,
                started_at = excluded.started_at, ended_at = excluded.ended_at,
                body = excluded.body
             -- What is the same is not written again.
             WHERE (device, rule, state, started_at, ended_at, body) IS NOT
                (excluded.device, excluded.rule, excluded.state, excluded.started_at,
                 excluded.ended_at, excluded.body)",
        )?
        .execute(params![
            id,
            device,
            rule,
            state,
            Micros(*started_at),
            ended_at.map(Micros),
            body,
        ])?;
    Ok(())
}

fn write_tables(transaction: &Transaction<'_>, tables: &[TableRecord]) -> rusqlite::Result<()> {
    let interfaces: Vec<String> = {
        let mut statement = transaction.prepare_cached("SELECT interface FROM counters")?;
        statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?
    };
    for gone in interfaces {
        if !tables.iter().any(|table| table.interface == gone) {
            transaction
                .prepare_cached("DELETE FROM counters WHERE interface = ?1")?
                .execute([gone])?;
        }
    }
    for TableRecord {
        interface,
        identity,
        rows,
    } in tables
    {
        // What is the same is not written again: flash wears out, and most nights are quiet.
        transaction
            .prepare_cached(
                "INSERT INTO counters (interface, identity, rows) VALUES (?1, ?2, ?3)
                 ON CONFLICT (interface) DO UPDATE SET
                    identity = excluded.identity, rows = excluded.rows
                 WHERE identity <> excluded.identity OR rows <> excluded.rows",
            )?
            .execute(params![interface, identity, Rows::pack(rows)])?;
    }
    Ok(())
}

fn write_address(transaction: &Transaction<'_>, address: &AddressRecord) -> rusqlite::Result<()> {
    let AddressRecord {
        address,
        mac,
        device,
        total,
        first_seen,
        last_seen,
    } = address;
    let device = key_or_new(transaction, device, *last_seen)?;
    transaction
        .prepare_cached(
            "INSERT INTO address (address, mac, device, total, first_seen, last_seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (address) DO UPDATE SET
                mac = excluded.mac, device = excluded.device, total = excluded.total,
                first_seen = excluded.first_seen, last_seen = excluded.last_seen",
        )?
        .execute(params![
            Text(address),
            mac.map(Text),
            device,
            Total(*total),
            Micros(*first_seen),
            Micros(*last_seen),
        ])?;
    Ok(())
}

fn write_memory(transaction: &Transaction<'_>, thing: &MemoryRecord) -> rusqlite::Result<()> {
    let MemoryRecord {
        subject,
        kind,
        state,
    } = thing;
    let Some(state) = state else {
        transaction
            .prepare_cached("DELETE FROM memory WHERE subject = ?1 AND kind = ?2")?
            .execute([subject, kind])?;
        return Ok(());
    };
    transaction
        .prepare_cached(
            "INSERT INTO memory (subject, kind, state) VALUES (?1, ?2, ?3)
             ON CONFLICT (subject, kind) DO UPDATE SET state = excluded.state
             WHERE state <> excluded.state",
        )?
        .execute([subject, kind, state])?;
    Ok(())
}

/// The key of a device, which is made up where it was never told of: a checkpoint that can't be
/// written would hold up all that follow.
fn key_or_new(transaction: &Transaction<'_>, device: &str, at: Timestamp) -> rusqlite::Result<i64> {
    if let Some(key) = key(transaction, device)? {
        return Ok(key);
    }
    transaction
        .prepare_cached(
            "INSERT INTO device (id, addresses, first_seen, last_seen) VALUES (?1, '', ?2, ?2)",
        )?
        .execute(params![device, Micros(at)])?;
    Ok(transaction.last_insert_rowid())
}
