//! Events that wait for channels, and those that were given up.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::{
    codec::{Amount, Micros, Seconds},
    records::{FailedRecord, Fate, OutboxRecord, Settled},
};

/// Of the events that a channel gave up, the latest are kept.
const FAILED_OF_A_CHANNEL: u32 = 100;
/// Of all, the latest are shown.
const FAILED_SHOWN: u32 = 100;
const COLUMNS: &str = "seq, channel, event, state, severity, at, ran, body";

/// Puts events in.
pub(super) fn add(transaction: &Transaction<'_>, events: &[OutboxRecord]) -> rusqlite::Result<()> {
    for event in events {
        let OutboxRecord {
            seq,
            channel,
            event,
            state,
            severity,
            at,
            ran,
            body,
        } = event;
        transaction
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO outbox ({COLUMNS})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            ))?
            .execute(params![
                Amount(*seq),
                channel,
                event,
                state,
                severity,
                Micros(*at),
                Seconds(*ran),
                &**body,
            ])?;
    }
    Ok(())
}

/// Takes events out, or marks them as given up.
pub(super) fn settle(transaction: &Transaction<'_>, settled: &[Settled]) -> rusqlite::Result<()> {
    for Settled { seq, fate } in settled {
        let seq = Amount(*seq);
        match fate {
            Fate::Gone => {
                transaction
                    .prepare_cached("DELETE FROM outbox WHERE seq = ?1")?
                    .execute([seq])?;
            }
            Fate::Failed { at, error } => {
                transaction
                    .prepare_cached("UPDATE outbox SET failed_at = ?2, error = ?3 WHERE seq = ?1")?
                    .execute(params![seq, Micros(*at), error])?;
            }
        }
    }
    let is_failure = |settled: &Settled| settled.fate != Fate::Gone;
    if settled.iter().any(is_failure) {
        transaction
            .prepare_cached(
                "DELETE FROM outbox WHERE seq IN (
                    SELECT seq FROM (
                        SELECT seq, row_number() OVER (PARTITION BY channel ORDER BY seq DESC) AS place
                        FROM outbox WHERE failed_at IS NOT NULL)
                    WHERE place > ?1)",
            )?
            .execute([FAILED_OF_A_CHANNEL])?;
    }
    Ok(())
}

/// Forgets what was given up before `before`.
pub(super) fn prune(transaction: &Transaction<'_>, before: Timestamp) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM outbox WHERE failed_at < ?1", [Micros(before)])?;
    Ok(())
}

/// What waits, in order.
pub(super) fn waiting(connection: &Connection) -> rusqlite::Result<Vec<OutboxRecord>> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE failed_at IS NULL ORDER BY seq"
    ))?;
    let waiting = statement.query_map([], read)?;
    waiting.collect()
}

/// The latest that were given up, newest first.
pub(super) fn failed(connection: &Connection) -> rusqlite::Result<Vec<FailedRecord>> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS}, failed_at, error FROM outbox WHERE failed_at IS NOT NULL
         ORDER BY seq DESC LIMIT ?1"
    ))?;
    let failed = statement.query_map([FAILED_SHOWN], |row| {
        Ok(FailedRecord {
            waited: read(row)?,
            at: row.get::<_, Micros>(8)?.0,
            error: row.get(9)?,
        })
    })?;
    failed.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<OutboxRecord> {
    Ok(OutboxRecord {
        seq: row.get::<_, Amount>(0)?.0,
        channel: row.get(1)?,
        event: row.get(2)?,
        state: row.get(3)?,
        severity: row.get(4)?,
        at: row.get::<_, Micros>(5)?.0,
        ran: row.get::<_, Seconds>(6)?.0,
        body: row.get(7)?,
    })
}
