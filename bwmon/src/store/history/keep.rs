//! How long history is kept, and what goes first when it gets too large.

use std::time::Duration;

use jiff::tz::TimeZone;
use rusqlite::{Connection, Transaction};

use super::{Tier, write::rolled};
use crate::core::history::Minute;

/// Minutes of a tier that go at a time at most: a clock that was wrong is not to cost a long write.
const AT_ONCE: Minute = 24 * 60;
/// What stays of a tier however large the database is.
const LEAST: [(Tier, Minute); 3] = [
    (Tier::Minute, 60),
    (Tier::Quarter, 24 * 60),
    (Tier::Hour, 31 * 24 * 60),
];
/// Parts of a tier that go at a time until the size is right.
const PARTS: Minute = 16;
/// Such parts that go in one write.
const STEPS: usize = 64;

/// How history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistorySettings {
    /// Whose hours and days.
    pub zone: TimeZone,
    /// For how long.
    pub retention: Retention,
    /// Bytes of the database beyond which the oldest of the finest goes. Days stay all the same.
    pub max_size: u64,
}

/// For how long each tier is kept; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Minutes.
    pub minute: Option<Duration>,
    /// Quarters of an hour.
    pub quarter: Option<Duration>,
    /// Hours.
    pub hour: Option<Duration>,
    /// Days.
    pub day: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 3600));
        Self {
            minute: days(7),
            quarter: days(90),
            hour: days(2 * 365),
            day: None,
        }
    }
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            retention: Retention::default(),
            max_size: 256 * 1000 * 1000,
        }
    }
}

impl Retention {
    fn of(&self, tier: Tier) -> Option<Duration> {
        match tier {
            Tier::Minute => self.minute,
            Tier::Quarter => self.quarter,
            Tier::Hour => self.hour,
            Tier::Day => self.day,
        }
    }
}

/// Removes what is too old at `now`, then what is too much. Says whether some went that was not too
/// old. `None`: the time is not known well enough to say what is old.
pub(in crate::store) fn make_room(
    transaction: &Transaction<'_>,
    settings: &HistorySettings,
    now: Option<Minute>,
) -> rusqlite::Result<bool> {
    let HistorySettings {
        zone,
        retention,
        max_size,
    } = settings;
    for tier in Tier::ALL {
        let (Some(keep), Some(now)) = (retention.of(tier), now) else {
            continue;
        };
        let keep = Minute::try_from(keep.as_secs() / 60).unwrap_or(Minute::MAX);
        cut(transaction, tier, now.saturating_sub(keep), AT_ONCE, zone)?;
    }
    let mut has_cut = false;
    for _ in 0..STEPS {
        if size(transaction)? <= *max_size || !cut_oldest(transaction, zone)? {
            break;
        }
        has_cut = true;
    }
    Ok(has_cut)
}

/// Forgets subjects of which nothing is kept any more. To be called now and then: it looks at all
/// there is.
pub(in crate::store) fn forget_series(
    transaction: &Transaction<'_>,
    settings: &HistorySettings,
) -> rusqlite::Result<()> {
    // What is kept for ever has a series for ever.
    if settings.retention.day.is_none() {
        return Ok(());
    }
    let kept = Tier::ALL.map(|tier| format!("SELECT series FROM {}", tier.table()));
    let kept = kept.join(" UNION ");
    transaction.execute(&format!("DELETE FROM series WHERE key NOT IN ({kept})"), [])?;
    Ok(())
}

/// Removes a part of the finest tier that has more than what stays in any case. Says whether there
/// was one.
fn cut_oldest(transaction: &Transaction<'_>, zone: &TimeZone) -> rusqlite::Result<bool> {
    let Some(rolled) = rolled(transaction)? else {
        return Ok(false);
    };
    for (tier, least) in LEAST {
        let Some(oldest) = oldest(transaction, tier)? else {
            continue;
        };
        let most = rolled - least;
        if oldest >= most {
            continue;
        }
        let part = ((most - oldest) / PARTS).max(tier.coarser().map_or(0, nominal));
        if cut(
            transaction,
            tier,
            most.min(oldest + part),
            Minute::MAX,
            zone,
        )? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what a tier has before `before`, but at most so many minutes of it: whole hours of
/// quarters, and so on, so that the coarser tier can take over where it ends. What is not yet added
/// up stays. Says whether anything went.
fn cut(
    transaction: &Transaction<'_>,
    tier: Tier,
    before: Minute,
    at_once: Minute,
    zone: &TimeZone,
) -> rusqlite::Result<bool> {
    let (Some(oldest), Some(rolled)) = (oldest(transaction, tier)?, rolled(transaction)?) else {
        return Ok(false);
    };
    let before = before.min(rolled).min(oldest.saturating_add(at_once));
    let before = tier
        .coarser()
        .map_or(before, |tier| tier.start(before, zone));
    if before <= oldest {
        return Ok(false);
    }
    let table = tier.table();
    let gone = transaction
        .prepare_cached(&format!("DELETE FROM {table} WHERE at < ?1"))?
        .execute([before])?;
    Ok(gone > 0)
}

/// Minutes that a bucket of a tier has, usually.
fn nominal(tier: Tier) -> Minute {
    match tier {
        Tier::Minute => 1,
        Tier::Quarter => 15,
        Tier::Hour => 60,
        Tier::Day => 24 * 60,
    }
}

/// The oldest row of a tier.
pub(super) fn oldest(connection: &Connection, tier: Tier) -> rusqlite::Result<Option<Minute>> {
    let table = tier.table();
    connection
        .prepare_cached(&format!("SELECT min(at) FROM {table}"))?
        .query_row([], |row| row.get(0))
}

/// Bytes of the database that are in use.
fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| -> rusqlite::Result<u64> {
        let number: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
        Ok(number.unsigned_abs())
    };
    let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
    Ok(pages * number("page_size")?)
}
