//! Reads what was imported, beside what bwmon counted.

use std::collections::{HashMap, HashSet};

use bwmon_common::layout::{Counter, Row};
use jiff::civil::Date;

use super::{Bucket, HistoryReader, Tier};
use crate::{
    core::{
        history::{Minute, Moved},
        mac::MacAddr,
    },
    store::{
        codec::{Addresses, Amount, Micros, Text},
        error::StoreError,
    },
};

/// A device as bwmon knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Its id.
    pub id: String,
    /// Its MAC, where known.
    pub mac: Option<MacAddr>,
    /// Its addresses, as of now.
    pub addresses: Vec<std::net::IpAddr>,
    /// When it was first seen.
    pub first_seen: jiff::Timestamp,
}

const COLUMNS: &str = "series, tier, at, sent, received, sent_packets, received_packets";

impl HistoryReader {
    /// All devices that bwmon knows, by id.
    pub fn devices(&self) -> Result<Vec<KnownDevice>, StoreError> {
        let query = "SELECT id, mac, addresses, first_seen FROM device ORDER BY id";
        let mut devices = Vec::new();
        self.rows(query, &[], |row| {
            devices.push(KnownDevice {
                id: row.get(0)?,
                mac: row.get::<_, Option<Text<MacAddr>>>(1)?.map(|mac| mac.0),
                addresses: row.get::<_, Addresses>(2)?.0,
                first_seen: row.get::<_, Micros>(3)?.0,
            });
            Ok(())
        })?;
        Ok(devices)
    }

    /// For how many seconds subjects were active on the days from `from` on and before `to`, as far
    /// as that was written down: by the place of the subject in [`HistoryReader::series`].
    pub fn active(&self, from: Date, to: Date) -> Result<HashMap<(usize, Date), u64>, StoreError> {
        let mut active = HashMap::new();
        let places = self.series().iter().enumerate();
        let places: HashMap<&str, usize> = places
            .map(|(place, series)| (&*series.subject, place))
            .collect();
        let days = [from.to_string(), to.to_string()];
        self.rows(
            "SELECT device.id, day, active_seconds FROM usage
             JOIN device ON device.key = usage.device WHERE day >= ?1 AND day < ?2",
            &[&days[0], &days[1]],
            |row| {
                let id: String = row.get(0)?;
                if let Some(place) = places.get(&*id) {
                    let day = row.get::<_, Text<Date>>(1)?.0;
                    active.insert((*place, day), row.get::<_, Amount>(2)?.0);
                }
                Ok(())
            },
        )?;
        let query = "SELECT series, at, active_seconds FROM history_import
                     WHERE active_seconds IS NOT NULL";
        self.rows(query, &[], |row| {
            let zoned = super::time_of(row.get(1)?).to_zoned(self.zone.clone());
            let day = zoned.date();
            if (from..to).contains(&day) {
                let seconds = active.entry((self.place(row.get(0)?), day)).or_default();
                *seconds = row.get::<_, Amount>(2)?.0.max(*seconds);
            }
            Ok(())
        })?;
        Ok(active)
    }

    /// Starts of buckets that are a share of what was counted over a longer time, and whose.
    pub fn spread(&self) -> Result<HashSet<(usize, Minute)>, StoreError> {
        let mut spread = HashSet::new();
        let query = "SELECT series, at FROM history_import WHERE is_spread = 1";
        self.rows(query, &[], |row| {
            spread.insert((self.place(row.get(0)?), row.get(1)?));
            Ok(())
        })?;
        Ok(spread)
    }

    /// Adds imported amounts to sums.
    pub(super) fn add_imported_totals(
        &self,
        from: Minute,
        to: Minute,
        totals: &mut HashMap<usize, Moved>,
    ) -> Result<(), StoreError> {
        self.imported(from, to, None, |series, _, _, moved| {
            totals.entry(series).or_default().add(&moved);
        })
    }

    /// Adds imported amounts to buckets of `tier`, in the order of time: what is longer stays so.
    pub(super) fn add_imported_buckets(
        &self,
        tier: Tier,
        subject: Option<&str>,
        from: Minute,
        to: Minute,
        buckets: &mut Vec<Bucket>,
    ) -> Result<(), StoreError> {
        let mut places: Option<HashMap<(Tier, Minute, usize), usize>> = None;
        self.imported(from, to, subject, |series, own, at, moved| {
            let tier = own.max(tier);
            let start = match tier == own {
                true => at,
                false => tier.start(at, &self.zone),
            };
            let places = places.get_or_insert_with(|| {
                let known = buckets.iter().enumerate();
                known
                    .map(|(place, it)| ((it.tier, it.start, it.series), place))
                    .collect()
            });
            match places.get(&(tier, start, series)) {
                Some(place) => buckets[*place].moved.add(&moved),
                None => {
                    places.insert((tier, start, series), buckets.len());
                    buckets.push(Bucket {
                        series,
                        tier,
                        start,
                        moved,
                    });
                }
            }
        })?;
        if places.is_some() {
            buckets.sort_by_key(|bucket| bucket.start);
        }
        Ok(())
    }

    fn imported(
        &self,
        from: Minute,
        to: Minute,
        subject: Option<&str>,
        mut found: impl FnMut(usize, Tier, Minute, Moved),
    ) -> Result<(), StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM history_import WHERE at >= ?1 AND at < ?2
             AND (?3 IS NULL OR series IN (SELECT key FROM series WHERE subject = ?3))
             ORDER BY at, series"
        );
        self.rows(&query, &[&from, &to, &subject], |row| {
            let amount = |column| -> rusqlite::Result<u64> { Ok(row.get::<_, Amount>(column)?.0) };
            let counter = |bytes, packets| -> rusqlite::Result<Counter> {
                Ok(Counter {
                    bytes: amount(bytes)?,
                    packets: amount(packets)?,
                })
            };
            let moved = Moved {
                row: Row {
                    sent: counter(3, 5)?,
                    received: counter(4, 6)?,
                    ..Row::default()
                },
                ..Moved::default()
            };
            let tier = match row.get(1)? {
                0 => Tier::Minute,
                1 => Tier::Quarter,
                2 => Tier::Hour,
                _ => Tier::Day,
            };
            found(self.place(row.get(0)?), tier, row.get(2)?, moved);
            Ok(())
        })
    }

    fn rows(
        &self,
        query: &str,
        parameters: &[&dyn rusqlite::ToSql],
        mut found: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let mut read = || {
            let mut statement = self.connection.prepare_cached(query)?;
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                found(row)?;
            }
            Ok(())
        };
        read().map_err(|source| StoreError::new(self.path.clone(), "read", source))
    }
}

/// When the first thing was imported that is still there.
pub(super) fn first(connection: &rusqlite::Connection) -> rusqlite::Result<Option<Minute>> {
    connection.query_row("SELECT min(at) FROM history_import", [], |row| row.get(0))
}
