//! Reads history, beside the one who writes it.
//!
//! A reader sees the database as it was when it was opened. What moved since the last checkpoint is
//! not in it: [`HistoryReader::until`] says where memory goes on.

mod scan;

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use bwmon_common::layout::{Counter, Row};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, ErrorCode, params_from_iter, types::Value};

use super::{
    Tier, imported,
    keep::oldest,
    write::{PEAKS, SUMS},
};
use crate::{
    core::history::{Minute, Moved, Peak},
    store::{
        codec::{Amount, Micros},
        error::StoreError,
        schema,
    },
};

pub use scan::Region;

/// Where history can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    path: PathBuf,
}

/// A subject that has a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The id of a device, group or interface, as in [`SavedHistory`](crate::core::ledger::SavedHistory).
    pub subject: String,
    /// What it was last called, if that is not the id.
    pub name: Option<String>,
    /// The group it was last in.
    pub group: Option<String>,
}

/// What a subject moved in a minute, or a longer stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its index in [`HistoryReader::series`].
    pub series: usize,
    /// How long it is.
    pub tier: Tier,
    /// When it begins.
    pub start: Minute,
    /// What moved in it.
    pub moved: Moved,
}

/// The database at one moment.
#[derive(Debug)]
pub struct HistoryReader {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) zone: TimeZone,
    until: Option<Timestamp>,
    rolled: Minute,
    oldest: [Option<Minute>; 4],
    imported: Option<Minute>,
    series: Vec<Series>,
    /// By key.
    places: HashMap<i64, usize>,
}

/// A stretch of time that one tier answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    tier: Tier,
    from: Minute,
    to: Minute,
}

impl History {
    /// In the database at `path`.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it; hours and days are those of `zone`.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is of another version.
    pub fn open(&self, zone: &TimeZone) -> Result<HistoryReader, StoreError> {
        HistoryReader::new(self.connect()?, self.path.clone(), zone.clone())
            .map_err(|source| StoreError::reading(self.path.clone(), source))
    }

    /// Copies the whole database to an empty file, as it is at this moment.
    pub(in crate::store) fn copy_to(&self, to: &Path) -> Result<(), StoreError> {
        use std::os::unix::ffi::OsStrExt;
        let connection = self.connect()?;
        let name = std::str::from_utf8(to.as_os_str().as_bytes()).map_err(|_| {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8");
            StoreError::Backup {
                path: to.to_owned(),
                source,
            }
        })?;
        connection
            .execute("VACUUM INTO ?1", [name])
            .map_err(|source| match source.sqlite_error_code() {
                // It is the copy that has no room, or no place.
                Some(ErrorCode::DiskFull | ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
                    StoreError::Backup {
                        path: to.to_owned(),
                        source: io::Error::other(source),
                    }
                }
                _ => StoreError::reading(self.path.clone(), source),
            })?;
        Ok(())
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        schema::open_to_read(&self.path)
    }
}

impl HistoryReader {
    fn new(connection: Connection, path: PathBuf, zone: TimeZone) -> rusqlite::Result<Self> {
        // All that follows is about the same moment.
        connection.execute_batch("BEGIN")?;
        let (until, rolled) = connection.query_row("SELECT at, rolled FROM state", [], |row| {
            let until = row.get::<_, Option<Micros>>(0)?.map(|at| at.0);
            Ok((until, row.get::<_, Option<Minute>>(1)?))
        })?;
        let mut first = [None; 4];
        for (first, tier) in first.iter_mut().zip(Tier::ALL) {
            *first = oldest(&connection, tier)?;
        }
        let imported = imported::first(&connection)?;
        let mut reader = Self {
            connection,
            path,
            zone,
            until,
            rolled: rolled.unwrap_or(Minute::MIN),
            oldest: first,
            imported,
            series: Vec::new(),
            places: HashMap::new(),
        };
        reader.read_series()?;
        Ok(reader)
    }

    /// Several series of one subject are one.
    fn read_series(&mut self) -> rusqlite::Result<()> {
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut statement = self
            .connection
            .prepare("SELECT key, subject, name, grp FROM series ORDER BY key")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let subject: String = row.get(1)?;
            let place = match known.get(&subject) {
                Some(place) => *place,
                None => {
                    known.insert(subject.clone(), self.series.len());
                    self.series.push(Series {
                        subject,
                        name: row.get(2)?,
                        group: row.get(3)?,
                    });
                    self.series.len() - 1
                }
            };
            self.places.insert(row.get(0)?, place);
        }
        Ok(())
    }

    /// The time of the checkpoint that this is; `None` where there was none. What moved after that
    /// is in memory only.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// All that have a history.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The first minute that anything is known of.
    pub fn first(&self) -> Option<Minute> {
        self.counted().into_iter().chain(self.imported).min()
    }

    /// The first minute that bwmon itself counted anything in.
    pub fn counted(&self) -> Option<Minute> {
        self.oldest.iter().flatten().min().copied()
    }

    /// What each subject moved from `from` on and before `to`, summed up. What the tiers don't
    /// tell apart any more goes with where its hour or day begins: so neighbouring stretches have
    /// nothing in common, and leave nothing out.
    pub fn totals(&self, from: Minute, to: Minute) -> Result<Vec<(usize, Moved)>, StoreError> {
        let mut totals: HashMap<usize, Moved> = HashMap::new();
        let sums = SUMS.map(|name| format!("sum({name})"));
        let peaks = PEAKS.map(|name| format!("max({name})"));
        let columns = [&sums[..], &peaks[..]].concat().join(", ");
        for stretch in self.coarsest(from, to) {
            let table = stretch.tier.table();
            let query = format!(
                "SELECT series, {columns} FROM {table} WHERE at >= ? AND at < ? GROUP BY series"
            );
            self.each(&query, stretch, &[], |row| {
                let series = self.place(row.get(0)?);
                totals.entry(series).or_default().add(&moved(row, 1)?);
                Ok(())
            })?;
        }
        self.add_imported_totals(from, to, &mut totals)?;
        let mut totals: Vec<_> = totals.into_iter().collect();
        totals.sort_unstable_by_key(|(series, _)| *series);
        Ok(totals)
    }

    /// What each subject, or `subject` alone, moved from `from` on and before `to`, in buckets of
    /// `tier`; of coarser ones where that is not kept so long. In the order of time.
    pub fn buckets(
        &self,
        tier: Tier,
        subject: Option<&str>,
        from: Minute,
        to: Minute,
    ) -> Result<Vec<Bucket>, StoreError> {
        let wanted: Option<Vec<i64>> = subject.map(|subject| {
            let places = self.places.iter();
            places
                .filter(|(_, place)| self.series[**place].subject == subject)
                .map(|(key, _)| *key)
                .collect()
        });
        let keys = wanted.as_deref().unwrap_or_default();
        let filter = match &wanted {
            Some(keys) => format!("AND series IN ({})", vec!["?"; keys.len()].join(", ")),
            None => String::new(),
        };
        let columns = [&SUMS[..], &PEAKS[..]].concat().join(", ");
        let mut buckets: Vec<Bucket> = Vec::new();
        // What belongs to the same bucket comes from two series or from several minutes.
        let mut open: HashMap<(Minute, usize), usize> = HashMap::new();
        for stretch in self.finest(tier, from, to) {
            let table = stretch.tier.table();
            let query = format!(
                "SELECT series, {columns}, at FROM {table} WHERE at >= ? AND at < ? {filter}
                 ORDER BY at"
            );
            let tier = stretch.tier.max(match stretch.from >= self.rolled {
                true => tier,
                false => stretch.tier,
            });
            self.each(&query, stretch, keys, |row| {
                let series = self.place(row.get(0)?);
                let start = match tier == stretch.tier {
                    true => row.get(11)?,
                    false => tier.start(row.get(11)?, &self.zone),
                };
                let moved = moved(row, 1)?;
                match open.get(&(start, series)) {
                    Some(place) => buckets[*place].moved.add(&moved),
                    None => {
                        open.insert((start, series), buckets.len());
                        buckets.push(Bucket {
                            series,
                            tier,
                            start,
                            moved,
                        });
                    }
                }
                Ok(())
            })?;
        }
        self.add_imported_buckets(tier, subject, from, to, &mut buckets)?;
        Ok(buckets)
    }

    /// The tiers that tell most by fewest rows.
    fn coarsest(&self, from: Minute, to: Minute) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        self.cover(Tier::Day, from, to.min(self.rolled), &mut stretches);
        stretches.extend(self.not_yet_rolled(from, to));
        stretches
    }

    /// Covers a stretch by whole buckets of a tier, and by finer ones what is left at both ends.
    fn cover(&self, tier: Tier, from: Minute, to: Minute, into: &mut Vec<Stretch>) {
        if from >= to {
            return;
        }
        let floor = |minute| tier.start(minute, &self.zone);
        // Before that, nothing finer is kept.
        let begin = tier.finer().map_or(Minute::MIN, |finer| self.begin(finer));
        let Some(finer) = tier.finer().filter(|_| begin < to) else {
            let (from, to) = match tier {
                Tier::Minute => (from, to),
                _ => (floor(from), floor_end(tier, to, self.rolled, &self.zone)),
            };
            into.push(Stretch { tier, from, to });
            return;
        };
        if from < begin {
            into.push(Stretch {
                tier,
                from: floor(from),
                to: begin,
            });
            self.cover(tier, begin, to, into);
            return;
        }
        let first = match floor(from) == from {
            true => from,
            false => tier.next(from, &self.zone),
        };
        let last = floor(to);
        if first >= last {
            self.cover(finer, from, to, into);
            return;
        }
        self.cover(finer, from, first, into);
        into.push(Stretch {
            tier,
            from: first,
            to: last,
        });
        self.cover(finer, last, to, into);
    }

    /// A tier as far back as it goes, and coarser ones before that.
    fn finest(&self, tier: Tier, from: Minute, to: Minute) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut to_be_covered = to.min(self.rolled);
        let mut tiers = Tier::ALL.into_iter().filter(|each| *each >= tier);
        while let Some(tier) = tiers.next()
            && from < to_be_covered
        {
            let begin = self.begin(tier).min(to_be_covered).max(from);
            let from = tier.start(begin, &self.zone);
            if from < to_be_covered {
                let to = to_be_covered;
                stretches.push(Stretch { tier, from, to });
            }
            to_be_covered = begin;
        }
        stretches.reverse();
        stretches.extend(self.not_yet_rolled(from, to));
        stretches
    }

    fn not_yet_rolled(&self, from: Minute, to: Minute) -> Option<Stretch> {
        let from = from.max(self.rolled);
        (from < to).then_some(Stretch {
            tier: Tier::Minute,
            from,
            to,
        })
    }

    /// From when on a tier has all there is.
    fn begin(&self, tier: Tier) -> Minute {
        let Some(coarser) = tier.coarser() else {
            return Minute::MIN;
        };
        let begin = match self.oldest[tier as usize] {
            Some(oldest) => coarser.start(oldest, &self.zone),
            None => Minute::MAX,
        };
        // Before the first thing that is known, any tier has all there is.
        match self.counted() {
            Some(first) if begin > first => begin,
            _ => Minute::MIN,
        }
    }

    pub(super) fn place(&self, key: i64) -> usize {
        // Keys are of the same moment as rows; a row without is damage that the check at start finds.
        self.places.get(&key).copied().unwrap_or_default()
    }

    fn each(
        &self,
        query: &str,
        stretch: Stretch,
        keys: &[i64],
        mut found: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let parameters = [stretch.from, stretch.to];
        let parameters = parameters
            .iter()
            .chain(keys)
            .map(|number| Value::from(*number));
        let mut read = || {
            let mut statement = self.connection.prepare_cached(query)?;
            let mut rows = statement.query(params_from_iter(parameters.clone()))?;
            while let Some(row) = rows.next()? {
                found(row)?;
            }
            Ok(())
        };
        read().map_err(|source| StoreError::new(self.path.clone(), "read", source))
    }
}

/// Where a bucket that is not told apart any more ends up: what is left of it belongs to what begins
/// later, unless time ends there.
fn floor_end(tier: Tier, to: Minute, rolled: Minute, zone: &TimeZone) -> Minute {
    match to >= rolled {
        true => to,
        false => tier.start(to, zone),
    }
}

/// What moved, from column `first` on.
pub(super) fn moved(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Moved> {
    let amount =
        |place: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, Amount>(first + place)?.0) };
    let counter = |bytes, packets| -> rusqlite::Result<Counter> {
        Ok(Counter {
            bytes: amount(bytes)?,
            packets: amount(packets)?,
        })
    };
    Ok(Moved {
        row: Row {
            sent: counter(0, 4)?,
            received: counter(1, 5)?,
            sent_local: counter(2, 6)?,
            received_local: counter(3, 7)?,
        },
        peak: Peak {
            sent: amount(8)?,
            received: amount(9)?,
        },
    })
}
