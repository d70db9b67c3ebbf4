//! Takes in what other programs counted, before bwmon did or beside it.
//!
//! It works beside the daemon: all of it is one short transaction that takes the write lock at its
//! start. The tables `import` and `history_import` are written here alone, `series` is asked anew by
//! each checkpoint, and a checkpoint that finds the lock taken is written with the next one.

use std::{collections::BTreeMap, path::Path, time::Duration};

use bwmon_common::layout::Counter;
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use super::Tier;
use crate::{
    core::history::Minute,
    store::{
        codec::{Amount, Micros, Seconds},
        error::StoreError,
        schema,
    },
};

/// A file as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The format, and which part of the file. Of the same file, each part is taken once.
    pub source: String,
    /// What the file is called.
    pub file: String,
    /// Tells files apart.
    pub hash: String,
    /// What it says. Of one subject, none may overlap.
    pub buckets: Vec<ImportedBucket>,
}

/// What a subject moved in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedBucket {
    /// The id of a device or an interface.
    pub subject: String,
    /// What it is called, where it has no name yet.
    pub name: Option<String>,
    /// How long it is.
    pub tier: Tier,
    /// When it begins.
    pub start: Minute,
    /// Uploaded.
    pub sent: Counter,
    /// Downloaded.
    pub received: Counter,
    /// For how long of it the device was active, where known.
    pub active: Option<Duration>,
    /// It is a share of what moved in a longer time.
    pub is_spread: bool,
}

/// Whether to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Write,
    /// Only say what would be done.
    Try,
}

/// What became of an [`Import`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The same file was imported before, and nothing was done: when that was.
    pub before: Option<Timestamp>,
    /// By subject.
    pub subjects: BTreeMap<String, Taken>,
}

/// What was taken of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// So many buckets.
    pub taken: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Buckets that were left out, since something is known of their time already.
    pub left_out: usize,
    /// Bytes in those.
    pub bytes_left_out: u64,
    /// From the start of the first bucket that was taken to the end of the last.
    pub period: Option<(Minute, Minute)>,
}

/// Takes in what files say, all of them or nothing. Days are those of `zone`.
///
/// What bwmon counted itself always stands: of a time of which a subject has a history already,
/// nothing is taken.
///
/// # Errors
///
/// When the database is not there, is of another version, or can't be written.
pub fn import(
    database: &Path,
    zone: &TimeZone,
    now: Timestamp,
    imports: &[Import],
    mode: Mode,
) -> Result<Vec<Imported>, StoreError> {
    let fail = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy {
            path: database.to_owned(),
        },
        _ => StoreError::new(database.to_owned(), "import into", source),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(database, flags).map_err(fail)?;
    schema::check_current(&connection, database)?;
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fail)?;
    // A daemon of another version may have started since.
    schema::check_current(&transaction, database)?;
    let imported = imports
        .iter()
        .map(|import| take(&transaction, import, zone, now))
        .collect::<rusqlite::Result<Vec<_>>>()
        .map_err(fail)?;
    match mode {
        Mode::Write => transaction.commit(),
        Mode::Try => transaction.rollback(),
    }
    .map_err(fail)?;
    Ok(imported)
}

/// How long the daemon may write meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

fn take(
    transaction: &Transaction<'_>,
    import: &Import,
    zone: &TimeZone,
    now: Timestamp,
) -> rusqlite::Result<Imported> {
    let mut imported = Imported {
        before: transaction
            .prepare_cached("SELECT at FROM import WHERE hash = ?1 AND source = ?2 LIMIT 1")?
            .query_row([&import.hash, &import.source], |row| {
                Ok(row.get::<_, Micros>(0)?.0)
            })
            .optional()?,
        subjects: BTreeMap::new(),
    };
    if imported.before.is_some() {
        return Ok(imported);
    }
    let mut by_subject: BTreeMap<&str, Vec<&ImportedBucket>> = BTreeMap::new();
    for bucket in &import.buckets {
        by_subject.entry(&bucket.subject).or_default().push(bucket);
    }
    for (subject, buckets) in by_subject {
        let taken = take_subject(transaction, import, subject, &buckets, zone, now)?;
        imported.subjects.insert(subject.to_owned(), taken);
    }
    Ok(imported)
}

fn take_subject(
    transaction: &Transaction<'_>,
    import: &Import,
    subject: &str,
    buckets: &[&ImportedBucket],
    zone: &TimeZone,
    now: Timestamp,
) -> rusqlite::Result<Taken> {
    let name = buckets.iter().find_map(|bucket| bucket.name.as_deref());
    let series = series(transaction, subject, name)?;
    transaction
        .prepare_cached(
            "INSERT INTO import (at, source, file, hash, series, first, until)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)",
        )?
        .execute(params![
            Micros(now),
            import.source,
            import.file,
            import.hash,
            series
        ])?;
    let key = transaction.last_insert_rowid();
    let mut taken = Taken::default();
    for bucket in buckets {
        let bytes = bucket.sent.bytes.saturating_add(bucket.received.bytes);
        let until = bucket.tier.next(bucket.start, zone);
        if is_known(transaction, subject, bucket, until, zone)? {
            taken.left_out += 1;
            taken.bytes_left_out = taken.bytes_left_out.saturating_add(bytes);
            continue;
        }
        transaction
            .prepare_cached(
                "INSERT INTO history_import
                    (at, series, tier, until, sent, received, sent_packets, received_packets,
                     active_seconds, is_spread, import)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                bucket.start,
                series,
                bucket.tier as i64,
                until,
                Amount(bucket.sent.bytes),
                Amount(bucket.received.bytes),
                Amount(bucket.sent.packets),
                Amount(bucket.received.packets),
                bucket.active.map(Seconds),
                bucket.is_spread,
                key,
            ])?;
        taken.taken += 1;
        taken.bytes = taken.bytes.saturating_add(bytes);
        let (first, last) = taken.period.unwrap_or((bucket.start, until));
        taken.period = Some((first.min(bucket.start), last.max(until)));
    }
    match taken.period {
        Some((first, until)) => transaction
            .prepare_cached("UPDATE import SET first = ?2, until = ?3 WHERE key = ?1")?
            .execute([key, first, until])?,
        // It is to be tried again, should the owner make room for it.
        None => transaction.execute("DELETE FROM import WHERE key = ?1", [key])?,
    };
    Ok(taken)
}

/// Where the history of a subject goes. What bwmon calls it stays.
fn series(
    transaction: &Transaction<'_>,
    subject: &str,
    name: Option<&str>,
) -> rusqlite::Result<i64> {
    let key: Option<i64> = transaction
        .prepare_cached("SELECT min(key) FROM series WHERE subject = ?1")?
        .query_row([subject], |row| row.get(0))?;
    match key {
        Some(key) => {
            transaction
                .prepare_cached("UPDATE series SET name = ?2 WHERE subject = ?1 AND name IS NULL")?
                .execute(params![subject, name])?;
            Ok(key)
        }
        None => {
            transaction
                .prepare_cached("INSERT INTO series (subject, name) VALUES (?1, ?2)")?
                .execute(params![subject, name])?;
            Ok(transaction.last_insert_rowid())
        }
    }
}

/// Whether anything is known of a subject in the time of a bucket. Where its hours are not kept any
/// more, that is a matter of days.
fn is_known(
    transaction: &Transaction<'_>,
    subject: &str,
    bucket: &ImportedBucket,
    until: Minute,
    zone: &TimeZone,
) -> rusqlite::Result<bool> {
    let start = bucket.start;
    let any = |table: &str, condition: &str, from: Minute, to: Minute| -> rusqlite::Result<bool> {
        transaction
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {table}
                 WHERE {condition} AND series IN (SELECT key FROM series WHERE subject = ?3))"
            ))?
            .query_row(params![from, to, subject], |row| row.get(0))
    };
    const STARTS: &str = "at >= ?1 AND at < ?2";
    if any("history_import", "until > ?1 AND at < ?2", start, until)? {
        return Ok(true);
    }
    for tier in [Tier::Minute, Tier::Quarter, Tier::Hour] {
        if any(tier.table(), STARTS, tier.start(start, zone), until)? {
            return Ok(true);
        }
    }
    let (day, next) = (Tier::Day.start(start, zone), Tier::Day.next(start, zone));
    Ok(any(Tier::Day.table(), STARTS, day, until)? && !any(Tier::Hour.table(), STARTS, day, next)?)
}
