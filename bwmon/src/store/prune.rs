//! Removes what is too old, once a day.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rusqlite::{Connection, Transaction, params};

use super::{
    codec::{Micros, Seconds, Text},
    outbox,
};

/// Days of usage, and of devices that were not seen.
const USAGE_DAYS: i64 = 400;
/// Days of usage that may be counted on: more than a clock is ever corrected by.
const STATE_DAYS: i64 = 7;
/// Days of addresses that were not seen.
const ADDRESS_DAYS: i64 = 30;
/// Days of events that were given up.
const FAILED_DAYS: i64 = 30;
/// The latest closed alerts.
const CLOSED_ALERTS: u32 = 10_000;
/// By how much a clock may be ahead of the one before without a doubt.
const LEAP: SignedDuration = SignedDuration::from_hours(24);
/// Pages given back to the file system at a time.
const PAGES: u32 = 1000;

/// Removes what is too old at `at`, unless that was done on the same day (UTC) already; says
/// whether it did.
pub(super) fn if_due(transaction: &Transaction<'_>, at: Timestamp) -> rusqlite::Result<bool> {
    let due = transaction
        .prepare_cached("UPDATE state SET pruned_on = ?1 WHERE pruned_on IS NOT ?1")?
        .execute([Text(day(at))])?;
    if due == 0 {
        return Ok(false);
    }
    let usage = before(at, USAGE_DAYS);
    transaction.execute("DELETE FROM usage WHERE day < ?1", [Text(day(usage))])?;
    transaction.execute(
        "UPDATE usage SET state = NULL WHERE day < ?1 AND state IS NOT NULL",
        [Text(day(before(at, STATE_DAYS)))],
    )?;
    transaction.execute(
        "DELETE FROM alert WHERE id IN (
            SELECT id FROM alert WHERE ended_at IS NOT NULL
            ORDER BY ended_at DESC LIMIT -1 OFFSET ?1)",
        [CLOSED_ALERTS],
    )?;
    transaction.execute(
        "DELETE FROM address WHERE last_seen < ?1",
        [Micros(before(at, ADDRESS_DAYS))],
    )?;
    transaction.execute(
        "DELETE FROM device WHERE last_seen < ?1
            AND NOT EXISTS (SELECT 1 FROM usage WHERE usage.device = device.key)
            AND NOT EXISTS (SELECT 1 FROM address WHERE address.device = device.key)",
        params![Micros(usage)],
    )?;
    outbox::prune(transaction, before(at, FAILED_DAYS))?;
    Ok(true)
}

/// The time, if it is known well enough to tell what is old: a clock that is far ahead must not
/// cost any history. A leap by more than [`LEAP`] is believed after bwmon has run for so long.
pub(super) fn trusted(
    transaction: &Transaction<'_>,
    at: Timestamp,
    ran: Duration,
) -> rusqlite::Result<Option<Timestamp>> {
    let (known_at, known_ran) = transaction
        .prepare_cached("SELECT trusted_at, trusted_ran FROM state")?
        .query_row([], |row| {
            let at = row.get::<_, Option<Micros>>(0)?.map(|at| at.0);
            Ok((at, row.get::<_, Seconds>(1)?.0))
        })?;
    let has_leapt = known_at.is_some_and(|known| at.duration_since(known) > LEAP);
    let has_lasted = ran.saturating_sub(known_ran) >= LEAP.unsigned_abs();
    if has_leapt && !has_lasted {
        return Ok(None);
    }
    transaction
        .prepare_cached("UPDATE state SET trusted_at = ?1, trusted_ran = ?2")?
        .execute(params![Micros(at), Seconds(ran)])?;
    Ok(Some(at))
}

/// Gives free pages back to the file system, but not all at once.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    // It frees a page with each row it returns.
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::MIN)
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
