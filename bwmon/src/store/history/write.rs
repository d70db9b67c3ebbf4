//! Adds what moved to the tiers.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    super::codec::{Amount, LARGEST_AMOUNT},
    Tier,
};
use crate::core::{
    history::{Minute, Moved},
    ledger::SavedHistory,
};

/// Adds what moved since the last checkpoint, and adds up the minutes that are over by `now`.
pub(in crate::store) fn add(
    transaction: &Transaction<'_>,
    history: &[SavedHistory],
    zone: &TimeZone,
    now: Minute,
) -> rusqlite::Result<()> {
    let rolled = rolled(transaction)?;
    let mut late = Sums::default();
    for each in history {
        let series = series(transaction, each)?;
        upsert(transaction, Tier::Minute, each.minute, series, &each.moved)?;
        if rolled.is_some_and(|rolled| each.minute < rolled) {
            // Its quarter was added up already: the clock was set back.
            late.add(each.minute, series, &each.moved, zone);
        }
    }
    late.write(transaction)?;
    roll(transaction, rolled, zone, now)
}

/// What moved under one id is another's.
pub(in crate::store) fn rename(
    transaction: &Transaction<'_>,
    old: &str,
    new: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE series SET subject = ?2 WHERE subject = ?1")?
        .execute([old, new])?;
    Ok(())
}

/// Up to when minutes are added up; `None` before the first time.
pub(super) fn rolled(connection: &rusqlite::Connection) -> rusqlite::Result<Option<Minute>> {
    connection
        .prepare_cached("SELECT rolled FROM state")?
        .query_row([], |row| row.get(0))
}

/// Where the history of a subject goes. There may be several, of devices that turned out to be one.
fn series(transaction: &Transaction<'_>, of: &SavedHistory) -> rusqlite::Result<i64> {
    let SavedHistory {
        subject,
        name,
        group,
        ..
    } = of;
    let key: Option<i64> = transaction
        .prepare_cached("SELECT min(key) FROM series WHERE subject = ?1")?
        .query_row([&**subject], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(key) = key else {
        transaction
            .prepare_cached("INSERT INTO series (subject, name, grp) VALUES (?1, ?2, ?3)")?
            .execute(params![&**subject, name, group])?;
        return Ok(transaction.last_insert_rowid());
    };
    transaction
        .prepare_cached(
            "UPDATE series SET name = coalesce(?2, name), grp = ?3
             WHERE subject = ?1 AND (name, grp) IS NOT (coalesce(?2, name), ?3)",
        )?
        .execute(params![&**subject, name, group])?;
    Ok(key)
}

fn roll(
    transaction: &Transaction<'_>,
    rolled: Option<Minute>,
    zone: &TimeZone,
    now: Minute,
) -> rusqlite::Result<()> {
    let target = Tier::Quarter.start(now, zone);
    if rolled.is_some_and(|rolled| rolled >= target) {
        return Ok(());
    }
    let mut sums = Sums::default();
    {
        let mut statement = transaction.prepare_cached(
            "SELECT at, series, sent, received, sent_local, received_local,
                    sent_packets, received_packets, sent_local_packets, received_local_packets,
                    peak_sent, peak_received
             FROM history_minute WHERE at >= ?1 AND at < ?2",
        )?;
        let mut rows = statement.query([rolled.unwrap_or(Minute::MIN), target])?;
        while let Some(row) = rows.next()? {
            sums.add(row.get(0)?, row.get(1)?, &super::read::moved(row, 2)?, zone);
        }
    }
    sums.write(transaction)?;
    transaction
        .prepare_cached("UPDATE state SET rolled = ?1")?
        .execute([target])?;
    Ok(())
}

/// Sums of the tiers above the minutes: by tier, start and series.
#[derive(Default)]
struct Sums {
    sums: HashMap<(Tier, Minute, i64), Moved>,
    /// Asking the time zone takes its time.
    starts: HashMap<Minute, [(Tier, Minute); 3]>,
}

impl Sums {
    fn add(&mut self, minute: Minute, series: i64, moved: &Moved, zone: &TimeZone) {
        let quarter = Tier::Quarter.start(minute, zone);
        let starts = self.starts.entry(quarter).or_insert_with(|| {
            [Tier::Quarter, Tier::Hour, Tier::Day].map(|tier| (tier, tier.start(quarter, zone)))
        });
        for (tier, start) in *starts {
            self.sums
                .entry((tier, start, series))
                .or_default()
                .add(moved);
        }
    }

    /// In the order of the tables: neighbours are in the same page.
    fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut sums: Vec<_> = self.sums.into_iter().collect();
        sums.sort_unstable_by_key(|(place, _)| *place);
        for ((tier, start, series), moved) in sums {
            upsert(transaction, tier, start, series, &moved)?;
        }
        Ok(())
    }
}

/// Adds to what a tier has of a series from `at` on.
fn upsert(
    transaction: &Transaction<'_>,
    tier: Tier,
    at: Minute,
    series: i64,
    moved: &Moved,
) -> rusqlite::Result<()> {
    let Moved { row, peak } = moved;
    let sum = |name: &str| format!("{name} = min({name} + excluded.{name}, {LARGEST_AMOUNT})");
    let most = |name: &str| format!("{name} = max({name}, excluded.{name})");
    let table = tier.table();
    let set: Vec<String> = SUMS.map(sum).into_iter().chain(PEAKS.map(most)).collect();
    let columns = [&SUMS[..], &PEAKS[..]].concat().join(", ");
    let set = set.join(", ");
    transaction
        .prepare_cached(&format!(
            "INSERT INTO {table} (at, series, {columns})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (at, series) DO UPDATE SET {set}"
        ))?
        .execute(params![
            at,
            series,
            Amount(row.sent.bytes),
            Amount(row.received.bytes),
            Amount(row.sent_local.bytes),
            Amount(row.received_local.bytes),
            Amount(row.sent.packets),
            Amount(row.received.packets),
            Amount(row.sent_local.packets),
            Amount(row.received_local.packets),
            Amount(peak.sent),
            Amount(peak.received),
        ])?;
    Ok(())
}

/// Columns that add up, in the order of [`super::read::moved`].
pub(super) const SUMS: [&str; 8] = [
    "sent",
    "received",
    "sent_local",
    "received_local",
    "sent_packets",
    "received_packets",
    "sent_local_packets",
    "received_local_packets",
];

/// Columns of which the highest stays, after those.
pub(super) const PEAKS: [&str; 2] = ["peak_sent", "peak_received"];
