//! Reads a stretch row by row, for those who add up what they read: it may be long, and is never in
//! memory as a whole.

use super::*;

/// A stretch of time, and how finely it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The tier that tells of it.
    pub tier: Tier,
    /// When it begins: with a bucket of that tier, or earlier than what was asked for if that is
    /// within one.
    pub from: Minute,
    /// Its end, with which the next one begins.
    pub to: Minute,
}

impl HistoryReader {
    /// How finely a stretch is told by buckets of `tier`: by them from some time on, by coarser ones
    /// before it. In the order of time, without a gap, up to `to`.
    pub fn regions(&self, tier: Tier, from: Minute, to: Minute) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        for stretch in self.finest(tier, from, to) {
            let tier = stretch.tier.max(tier);
            match regions.last_mut() {
                Some(last) if last.tier == tier => last.to = stretch.to,
                _ => regions.push(Region {
                    tier,
                    from: stretch.from,
                    to: stretch.to,
                }),
            }
        }
        regions
    }

    /// Each row that tells of a stretch by buckets of `tier` or, where those are not kept so long, of
    /// coarser ones; of one of [`Self::series`], or of all. In the order of time. What is not added
    /// up yet comes by the minute, whatever the tier is.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn scan(
        &self,
        tier: Tier,
        series: Option<usize>,
        from: Minute,
        to: Minute,
        found: &mut dyn FnMut(Bucket),
    ) -> Result<(), StoreError> {
        let keys: Vec<i64> = self
            .places
            .iter()
            .filter(|(_, place)| series == Some(**place))
            .map(|(key, _)| *key)
            .collect();
        let filter = match series {
            Some(_) => format!("AND series IN ({})", vec!["?"; keys.len()].join(", ")),
            None => String::new(),
        };
        let columns = [&SUMS[..], &PEAKS[..]].concat().join(", ");
        for stretch in self.finest(tier, from, to) {
            let table = stretch.tier.table();
            let query = format!(
                "SELECT series, {columns}, at FROM {table} WHERE at >= ? AND at < ? {filter}
                 ORDER BY at"
            );
            self.each(&query, stretch, &keys, |row| {
                found(Bucket {
                    series: self.place(row.get(0)?),
                    tier: stretch.tier,
                    start: row.get(11)?,
                    moved: moved(row, 1)?,
                });
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Of the first thing that is known, as exactly as that is told: the whole day or hour of it
    /// where nothing finer is kept.
    pub fn begins(&self) -> Option<Minute> {
        let [minute, quarter, hour, day] = self.oldest;
        let mut first = match (day, minute) {
            // Nothing is added up yet.
            (None, first) => return first,
            (Some(day), _) => day,
        };
        for (coarser, finer) in [
            (Tier::Day, hour),
            (Tier::Hour, quarter),
            (Tier::Quarter, minute),
        ] {
            match finer {
                Some(finer) if coarser.start(finer, &self.zone) <= first => {
                    first = finer.max(first)
                }
                _ => break,
            }
        }
        Some(first)
    }

    /// The time zone whose hours and days these are.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
