//! What each subject moved: every sample of the last ten minutes, and sums by minute until they are
//! written down.
//!
//! It only adds up. Which minutes make an hour or a day, and how long they are kept, is the store's
//! affair.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use bwmon_common::layout::Row;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    meter::{Rates, plus},
    time::{Monotonic, Now},
    usage::PATIENCE,
};

/// How long single samples are remembered.
pub const RECENT: Duration = Duration::from_secs(600);
/// Most entries of all samples together: some 80 bytes each. The oldest samples go first.
const MOST_ENTRIES: usize = 50_000;
/// Devices of a day that get a history of their own though nothing vouches for them: no MAC, no
/// entry, no active minute. The rest is [`OTHERS`]: whoever invents addresses gets no further.
const STRANGERS_A_DAY: usize = 256;
/// The subject under which all those devices are kept that have no history of their own.
pub const OTHERS: &str = "others";

/// Whole minutes since the epoch.
pub type Minute = i64;

/// What a subject moved in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes and packets; the local parts are contained in the totals.
    pub row: Row,
    /// Highest smoothed rates in it.
    pub peak: Peak,
}

/// Highest smoothed rates, bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    /// Uploading.
    pub sent: u64,
    /// Downloading.
    pub received: u64,
}

impl Moved {
    /// Takes in what the same subject moved at another time.
    pub fn add(&mut self, other: &Self) {
        self.row = plus(self.row, other.row);
        self.peak.sent = self.peak.sent.max(other.peak.sent);
        self.peak.received = self.peak.received.max(other.peak.received);
    }

    /// Nothing at all.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// All that moved in one sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was taken; all of it was counted since the sample before.
    pub at: Timestamp,
    /// Time since the sample before.
    pub elapsed: Duration,
    /// The id of each subject that moved something, once, and what.
    pub moved: Vec<(Arc<str>, Moved)>,
}

/// The history that is in memory.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Not yet written down.
    pending: BTreeMap<(Minute, Arc<str>), Moved>,
    samples: VecDeque<(Monotonic, Arc<Sample>)>,
    entries: usize,
    /// Of the sample that is being taken.
    current: Vec<(Arc<str>, Moved)>,
    ids: HashSet<Arc<str>>,
    interfaces: HashMap<String, Rates>,
    strangers: HashSet<Arc<str>>,
    strangers_on: Date,
    floor: Option<Floor>,
}

/// The time of the last checkpoint of an earlier run. A clock that is behind it does not know the
/// time yet.
#[derive(Clone, Copy, Debug)]
struct Floor {
    at: Timestamp,
    since: Monotonic,
}

impl History {
    /// Goes on from an earlier run, whose last checkpoint was `at`.
    pub(super) fn resume(&mut self, at: Timestamp, now: &Now) {
        self.floor = Some(Floor {
            at,
            since: now.monotonic,
        });
    }

    /// A device moved `row` since the last sample. `day` is the local one.
    pub(super) fn device(&mut self, id: &str, is_known: bool, day: Date, row: Row, rates: Rates) {
        let id = self.id(id);
        let id = match is_known || self.is_among_strangers(&id, day) {
            true => id,
            false => self.id(OTHERS),
        };
        self.move_now(id, row, rates);
    }

    /// An interface carried `row` since the last sample, perhaps nothing.
    pub(super) fn interface(&mut self, name: &str, row: Row, elapsed: Duration) {
        let rates = self.interfaces.entry(name.to_owned()).or_default();
        rates.update(row.sent.bytes, row.received.bytes, elapsed);
        let rates = *rates;
        if row != Row::default() {
            let id = self.id(&interface_id(name));
            self.move_now(id, row, rates);
        } else if rates.is_silent() {
            self.interfaces.remove(name);
        }
    }

    /// The sample is complete.
    pub(super) fn end_sample(&mut self, now: &Now, elapsed: Duration) {
        let minute = self.minute(now);
        let moved = std::mem::take(&mut self.current);
        for (id, moved) in &moved {
            self.pending
                .entry((minute, Arc::clone(id)))
                .or_default()
                .add(moved);
        }
        self.entries += moved.len();
        let sample = Sample {
            at: now.wall,
            elapsed,
            moved,
        };
        self.samples.push_back((now.monotonic, Arc::new(sample)));
        let is_old = |at: Monotonic| now.monotonic.since(at) >= RECENT;
        while let Some((at, _)) = self.samples.front()
            && (is_old(*at) || (self.entries > MOST_ENTRIES && self.samples.len() > 1))
        {
            let gone = self.samples.pop_front();
            self.entries -= gone.map_or(0, |(_, sample)| sample.moved.len());
        }
        if self.ids.len() > 2 * self.entries + STRANGERS_A_DAY {
            self.ids.retain(|id| Arc::strong_count(id) > 1);
        }
    }

    /// A device turned out to be another one: so is what it moved.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        if !self.ids.contains(old) {
            return;
        }
        let new = self.id(new);
        let moved: Vec<_> = self
            .pending
            .extract_if(.., |(_, id), _| **id == *old)
            .collect();
        for ((minute, _), moved) in moved {
            self.pending
                .entry((minute, Arc::clone(&new)))
                .or_default()
                .add(&moved);
        }
        rename_in(&mut self.current, old, &new);
        for (_, sample) in &mut self.samples {
            if sample.moved.iter().any(|(id, _)| **id == *old) {
                let sample = Arc::make_mut(sample);
                let before = sample.moved.len();
                rename_in(&mut sample.moved, old, &new);
                self.entries -= before - sample.moved.len();
            }
        }
    }

    /// What moved since the last call, by minute and subject.
    pub(super) fn take(&mut self) -> Vec<(Minute, Arc<str>, Moved)> {
        std::mem::take(&mut self.pending)
            .into_iter()
            .map(|((minute, id), moved)| (minute, id, moved))
            .collect()
    }

    /// The samples of the last [`RECENT`] minutes, oldest first; fewer where very much moves.
    pub(super) fn recent(&self) -> Arc<[Arc<Sample>]> {
        self.samples
            .iter()
            .map(|(_, sample)| Arc::clone(sample))
            .collect()
    }

    fn move_now(&mut self, id: Arc<str>, row: Row, rates: Rates) {
        let moved = Moved {
            row,
            peak: Peak {
                sent: rates.sent as u64,
                received: rates.received as u64,
            },
        };
        // Only what is shared comes more than once in a sample.
        let known = match &*id {
            OTHERS => self.current.iter_mut().find(|(other, _)| *other == id),
            _ => None,
        };
        match known {
            Some((_, sum)) => sum.add(&moved),
            None => self.current.push((id, moved)),
        }
    }

    /// The minute that is dated by: the wall clock's, unless that is behind the last checkpoint of an
    /// earlier run, as after a boot without a battery. After [`PATIENCE`] it is believed.
    fn minute(&mut self, now: &Now) -> Minute {
        if let Some(Floor { at, since }) = self.floor {
            if now.wall < at && now.monotonic.since(since) < PATIENCE {
                return at.as_second().div_euclid(60);
            }
            self.floor = None;
        }
        now.minute()
    }

    fn is_among_strangers(&mut self, id: &Arc<str>, day: Date) -> bool {
        if day != self.strangers_on {
            self.strangers.clear();
            self.strangers_on = day;
        }
        if !self.strangers.contains(id) {
            if self.strangers.len() >= STRANGERS_A_DAY {
                return false;
            }
            self.strangers.insert(Arc::clone(id));
        }
        true
    }

    fn id(&mut self, id: &str) -> Arc<str> {
        if let Some(known) = self.ids.get(id) {
            return Arc::clone(known);
        }
        let id: Arc<str> = Arc::from(id);
        self.ids.insert(Arc::clone(&id));
        id
    }
}

/// The subject that all is kept under that an interface carries.
pub fn interface_id(name: &str) -> String {
    format!("interface:{name}")
}

fn rename_in(moved: &mut Vec<(Arc<str>, Moved)>, old: &str, new: &Arc<str>) {
    let Some(place) = moved.iter().position(|(id, _)| **id == *old) else {
        return;
    };
    let (_, what) = moved.swap_remove(place);
    match moved.iter_mut().find(|(id, _)| id == new) {
        Some((_, sum)) => sum.add(&what),
        None => moved.push((Arc::clone(new), what)),
    }
}

#[cfg(test)]
mod tests {
    use bwmon_common::layout::Counter;
    use jiff::civil::date;

    use super::*;

    const DAY: Date = date(2026, 3, 8);
    const START: i64 = 1_772_928_000;
    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: i64) -> Now {
        Now {
            monotonic: Monotonic(Duration::from_secs(second.unsigned_abs())),
            wall: Timestamp::from_second(START + second).unwrap(),
        }
    }

    fn sent(bytes: u64) -> Row {
        Row {
            sent: Counter { bytes, packets: 1 },
            ..Row::default()
        }
    }

    fn rates(sent: f64) -> Rates {
        Rates {
            sent,
            received: 0.0,
        }
    }

    fn taken(history: &mut History) -> Vec<(Minute, String, u64, u64)> {
        let moved = history.take().into_iter();
        moved
            .map(|(minute, id, moved)| {
                let Moved { row, peak } = moved;
                (
                    minute - START / 60,
                    id.to_string(),
                    row.sent.bytes,
                    peak.sent,
                )
            })
            .collect()
    }

    fn sample(history: &mut History, second: i64, moved: &[(&str, u64)]) {
        for (id, bytes) in moved {
            history.device(id, true, DAY, sent(*bytes), rates(*bytes as f64));
        }
        history.end_sample(&at(second), SECOND);
    }

    #[test]
    fn samples_of_a_minute_add_up_and_the_highest_rate_stays() {
        let mut history = History::default();
        sample(&mut history, 58, &[("tv", 10), ("phone", 1)]);
        sample(&mut history, 59, &[("tv", 30)]);
        sample(&mut history, 60, &[("tv", 20)]);
        assert_eq!(
            taken(&mut history),
            [
                (0, "phone".to_owned(), 1, 1),
                (0, "tv".to_owned(), 40, 30),
                (1, "tv".to_owned(), 20, 20),
            ]
        );
        assert_eq!(taken(&mut history), []);
        assert_eq!(history.recent().len(), 3, "they are still remembered");
    }

    #[test]
    fn samples_are_remembered_for_ten_minutes() {
        let mut history = History::default();
        for second in 0..1_000 {
            sample(&mut history, second, &[("tv", 1)]);
        }
        let recent = history.recent();
        assert_eq!(recent.len(), 600);
        assert_eq!(recent[0].at, at(400).wall);
        assert_eq!(history.entries, 600);
    }

    #[test]
    fn samples_of_very_many_devices_are_remembered_for_less() {
        let mut history = History::default();
        let ids: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let moved: Vec<(&str, u64)> = ids.iter().map(|id| (id.as_str(), 1)).collect();
        for second in 0..100 {
            sample(&mut history, second, &moved);
        }
        assert_eq!(history.recent().len(), MOST_ENTRIES / 1_000);
        assert_eq!(history.entries, MOST_ENTRIES);
    }

    #[test]
    fn strangers_beyond_a_number_are_kept_together() {
        let mut history = History::default();
        for number in 0..1_000 {
            let id = number.to_string();
            history.device(&id, false, DAY, sent(1), rates(0.0));
        }
        history.device("tv", true, DAY, sent(1), rates(0.0));
        history.end_sample(&at(0), SECOND);
        let taken = taken(&mut history);
        assert_eq!(taken.len(), STRANGERS_A_DAY + 2);
        let others = taken.iter().find(|(_, id, ..)| id == OTHERS).unwrap();
        assert_eq!(others.2, 1_000 - STRANGERS_A_DAY as u64);
        // On the next day there is room again.
        history.device("999", false, date(2026, 3, 9), sent(1), rates(0.0));
        history.end_sample(&at(1), SECOND);
        assert_eq!(history.take()[0].1.as_ref(), "999");
    }

    #[test]
    fn what_an_address_moved_goes_with_it_to_its_device() {
        let mut history = History::default();
        sample(&mut history, 0, &[("10.0.0.5", 1), ("tv", 10)]);
        sample(&mut history, 1, &[("10.0.0.5", 2)]);
        history.rename("10.0.0.5", "tv");
        assert_eq!(taken(&mut history), [(0, "tv".to_owned(), 13, 10)]);
        let recent = history.recent();
        let all: Vec<_> = recent.iter().flat_map(|sample| &sample.moved).collect();
        assert!(all.iter().all(|(id, _)| &**id == "tv"), "{all:?}");
        assert_eq!(all.len(), 2);
        assert_eq!(history.entries, 2);
    }

    #[test]
    fn a_clock_that_does_not_know_the_time_yet_is_not_believed_for_an_hour() {
        let mut history = History::default();
        history.resume(at(600).wall, &at(0));
        sample(&mut history, 0, &[("tv", 1)]);
        sample(&mut history, 660, &[("tv", 1)]);
        let minutes: Vec<_> = taken(&mut history)
            .iter()
            .map(|(minute, ..)| *minute)
            .collect();
        assert_eq!(minutes, [10, 11]);

        history.resume(at(100_000).wall, &at(0));
        sample(&mut history, 3_599, &[("tv", 1)]);
        sample(&mut history, 3_600, &[("tv", 1)]);
        let minutes: Vec<_> = taken(&mut history)
            .iter()
            .map(|(minute, ..)| *minute)
            .collect();
        assert_eq!(minutes, [60, 1_666]);
    }

    #[test]
    fn an_interface_is_a_subject_with_rates_of_its_own() {
        let mut history = History::default();
        history.interface("lan0", sent(5_000), SECOND);
        history.end_sample(&at(0), SECOND);
        let taken = taken(&mut history);
        let (_, id, bytes, peak) = &taken[0];
        assert_eq!((id.as_str(), *bytes), ("interface:lan0", 5_000));
        assert!((1..5_000).contains(peak), "smoothed: {peak}");
        for second in 1..100 {
            history.interface("lan0", Row::default(), SECOND);
            history.end_sample(&at(second), SECOND);
        }
        assert!(history.interfaces.is_empty());
    }
}
