//! What each subject did on each day of a recording, as thresholds see it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Detail, Recording, time_of};
use crate::{
    core::{
        policy::Scope,
        usage::{ACTIVE_BYTES, LINGER_MINUTES},
    },
    store::{Bucket, StoreError, Tier},
};

/// Bytes of a bucket in a scope.
pub(super) fn bytes(bucket: &Bucket, scope: Scope) -> u64 {
    let row = &bucket.moved.row;
    let all = row.sent.bytes.saturating_add(row.received.bytes);
    let local = row
        .sent_local
        .bytes
        .saturating_add(row.received_local.bytes);
    match scope {
        Scope::All => all,
        Scope::Local => local,
        Scope::Internet => all.saturating_sub(local),
    }
}

/// The highest rate of a bucket in a scope, bytes per second: at least its average. Which part of
/// the highest was in the scope is not known, and taken to be as of the whole.
fn peak(bucket: &Bucket, scope: Scope, seconds: u64) -> u64 {
    let peak = bucket.moved.peak;
    let peak = peak.sent.saturating_add(peak.received);
    let (part, all) = (bytes(bucket, scope), bytes(bucket, Scope::All).max(1));
    let share = u128::from(peak) * u128::from(part) / u128::from(all);
    let average = part / seconds.max(1);
    u64::try_from(share).unwrap_or(u64::MAX).max(average)
}

/// A day of one subject, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DayValues {
    /// Bytes, by scope.
    pub(super) bytes: [u64; 3],
    /// Bytes per second.
    pub(super) peak: [u64; 3],
    /// Seconds; `None` where only longer buckets are kept, and nobody wrote it down.
    pub(super) active: Option<u64>,
}

/// Who adds up to what: by place of the series, to which subjects it belongs.
pub(super) type Belongs = Vec<Vec<usize>>;

/// Each subject's days, from its first one on. Days of which only a longer period's total is known
/// are left out.
pub(super) fn days(
    recording: &Recording,
    belongs: &Belongs,
    subjects: usize,
) -> Result<Vec<BTreeMap<i64, DayValues>>, StoreError> {
    let spread = recording.reader.spread()?;
    let mut days = vec![BTreeMap::new(); subjects];
    for (from, to) in recording.stretches(recording.from) {
        let buckets = recording.buckets(from, to, Detail::All)?;
        let today = day(recording, from, &buckets, belongs, &spread);
        let unknown: HashSet<usize> = buckets
            .iter()
            .filter(|bucket| spread.contains(&(bucket.series, bucket.start)))
            .flat_map(|bucket| &belongs[bucket.series])
            .copied()
            .collect();
        for (subject, known) in days.iter_mut().enumerate() {
            let values = today.get(&subject);
            // Once it was seen, a day without it is one on which it did nothing.
            let has_begun = !known.is_empty() || values.is_some();
            if has_begun && !unknown.contains(&subject) {
                let idle = DayValues {
                    active: Some(0),
                    ..DayValues::default()
                };
                known.insert(from, values.copied().unwrap_or(idle));
            }
        }
    }
    Ok(days)
}

fn day(
    recording: &Recording,
    from: i64,
    buckets: &[Bucket],
    belongs: &Belongs,
    spread: &HashSet<(usize, i64)>,
) -> HashMap<usize, DayValues> {
    let date = time_of(from).to_zoned(recording.zone.clone()).date();
    let mut values: HashMap<usize, DayValues> = HashMap::new();
    // Those that belong together were fast at the same time, as far as anybody knows.
    let mut rates: HashMap<(usize, Tier, i64), [u64; 3]> = HashMap::new();
    let mut minutes: HashMap<usize, Vec<i64>> = HashMap::new();
    let mut coarse: HashSet<usize> = HashSet::new();
    for bucket in buckets {
        if spread.contains(&(bucket.series, bucket.start)) {
            continue;
        }
        let length = bucket.tier.next(bucket.start, &recording.zone) - bucket.start;
        let seconds = 60 * length.unsigned_abs();
        for subject in &belongs[bucket.series] {
            let day = values.entry(*subject).or_default();
            let key = (*subject, bucket.tier, bucket.start);
            let rates = rates.entry(key).or_default();
            for (scope, (sum, rate)) in Scope::ALL
                .into_iter()
                .zip(day.bytes.iter_mut().zip(rates.iter_mut()))
            {
                *sum = sum.saturating_add(bytes(bucket, scope));
                *rate = rate.saturating_add(peak(bucket, scope, seconds));
            }
        }
        match bucket.tier {
            Tier::Minute if bytes(bucket, Scope::Internet) >= ACTIVE_BYTES => {
                minutes.entry(bucket.series).or_default().push(bucket.start);
            }
            Tier::Minute => {}
            Tier::Quarter | Tier::Hour | Tier::Day => {
                coarse.insert(bucket.series);
            }
        }
    }
    for ((subject, _, _), rates) in rates {
        let day = values.entry(subject).or_default();
        for (most, rate) in day.peak.iter_mut().zip(rates) {
            *most = rate.max(*most);
        }
    }
    for (place, belongs) in belongs.iter().enumerate() {
        let counted = minutes
            .get(&place)
            .map_or(0, |minutes| 60 * active(minutes));
        let noted = recording.active.get(&(place, date)).copied();
        let known = match coarse.contains(&place) {
            true => noted.map(|noted| noted.max(counted)),
            false => Some(noted.unwrap_or(0).max(counted)),
        };
        for subject in belongs {
            if let Some(day) = values.get_mut(subject) {
                day.active = day.active.max(known);
            }
        }
    }
    values
}

/// Active minutes with the gaps that count as such, of those that were, in order.
fn active(minutes: &[i64]) -> u64 {
    let gaps = minutes
        .windows(2)
        .map(|pair| (pair[1] - pair[0] - 1).unsigned_abs());
    let bridged: u64 = gaps.filter(|gap| *gap <= u64::from(LINGER_MINUTES)).sum();
    minutes.len() as u64 + bridged
}
