//! A device turns out to be another one, or gets a better id.

use std::collections::HashSet;

use jiff::civil::Date;
use rusqlite::{OptionalExtension, Transaction, params};

use super::codec::{LARGEST_AMOUNT, Text};

/// Makes device `old` a part of device `new`. On the days `told`, `old` is in what follows.
pub(super) fn rename(
    transaction: &Transaction<'_>,
    old: &str,
    new: &str,
    told: HashSet<Date>,
) -> rusqlite::Result<()> {
    if old == new {
        return Ok(());
    }
    transaction
        .prepare_cached("UPDATE alert SET device = ?2 WHERE device = ?1")?
        .execute([old, new])?;
    match (key(transaction, old)?, key(transaction, new)?) {
        (None, _) => Ok(()),
        (Some(old), None) => {
            transaction
                .prepare_cached("UPDATE device SET id = ?2 WHERE key = ?1")?
                .execute(params![old, new])?;
            Ok(())
        }
        (Some(old), Some(new)) => merge(transaction, old, new, &told),
    }
}

fn merge(
    transaction: &Transaction<'_>,
    old: i64,
    new: i64,
    told: &HashSet<Date>,
) -> rusqlite::Result<()> {
    for day in told {
        transaction
            .prepare_cached("DELETE FROM usage WHERE device = ?1 AND day = ?2")?
            .execute(params![old, Text(day)])?;
    }
    // Active time becomes the larger of the two, as in the core: the minutes may be the same ones.
    // The states can't be merged here, and nobody goes on counting on those days.
    transaction
        .prepare_cached(
            "INSERT INTO usage (day, device, sent, received, sent_local, received_local,
                                active_seconds, state)
             SELECT day, ?2, sent, received, sent_local, received_local, active_seconds, state
             FROM usage WHERE device = ?1
             ON CONFLICT (day, device) DO UPDATE SET
                sent = min(sent + excluded.sent, ?3),
                received = min(received + excluded.received, ?3),
                sent_local = min(sent_local + excluded.sent_local, ?3),
                received_local = min(received_local + excluded.received_local, ?3),
                active_seconds = max(active_seconds, excluded.active_seconds),
                state = NULL",
        )?
        .execute([old, new, LARGEST_AMOUNT])?;
    transaction
        .prepare_cached("UPDATE address SET device = ?2 WHERE device = ?1")?
        .execute([old, new])?;
    transaction
        .prepare_cached(
            "UPDATE device SET first_seen = min(device.first_seen, old.first_seen),
                               last_seen = max(device.last_seen, old.last_seen)
             FROM device AS old WHERE device.key = ?2 AND old.key = ?1",
        )?
        .execute([old, new])?;
    // Its usage goes with it.
    transaction
        .prepare_cached("DELETE FROM device WHERE key = ?1")?
        .execute([old])?;
    Ok(())
}

/// Where a device is; `None` if it was never told of.
pub(super) fn key(transaction: &Transaction<'_>, device: &str) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached("SELECT key FROM device WHERE id = ?1")?
        .query_row([device], |row| row.get(0))
        .optional()
}
