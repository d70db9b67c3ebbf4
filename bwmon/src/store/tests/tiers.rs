//! History: every tier tells the same, and what goes before its time is told by a coarser one.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{
    core::{
        history::{Minute, Moved, Peak},
        ledger::SavedHistory,
    },
    store::{History, HistoryReader, Retention, Tier, history::make_room, minute_of, time_of},
};

/// 20 minutes before [`now`], as minutes of the epoch.
pub(super) const START: Minute = 1_772_971_200 / 60 - 20;

const HOUR: Minute = 60;
const DAY: Minute = 24 * HOUR;

/// `sent` bytes, and half of that received, in a minute.
pub(super) fn moved(subject: &str, minute: Minute, sent: u64) -> SavedHistory {
    let counter = |bytes| Counter { bytes, packets: 1 };
    SavedHistory {
        subject: subject.into(),
        name: Some(format!("the {subject}")),
        group: None,
        minute,
        moved: Moved {
            row: Row {
                sent: counter(sent),
                received: counter(sent / 2),
                ..Row::default()
            },
            peak: Peak { sent, received: 1 },
        },
    }
}

/// All of history as text, whichever series it is in.
pub(super) fn dump(connection: &rusqlite::Connection) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["minute", "quarter", "hour", "day"] {
        let query = format!(
            "SELECT '{table} ' || at || ' ' || subject || ' ' || coalesce(max(name), '') || ' ' ||
                sum(sent) || ' ' || sum(received) || ' ' || sum(sent_packets) || ' ' || max(peak_sent)
             FROM history_{table} JOIN series ON series.key = series GROUP BY subject, at
             ORDER BY at, subject"
        );
        let mut statement = connection.prepare(&query).unwrap();
        let found = statement.query_map([], |row| row.get(0)).unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

/// A database that is written and read, and what is in it according to a far simpler model.
struct Kept {
    directory: tempfile::TempDir,
    writer: Writer,
    settings: HistorySettings,
    /// By subject and minute.
    model: BTreeMap<(String, Minute), u64>,
    ran: Duration,
}

impl Kept {
    fn new(zone: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bwmon.db");
        let connection = schema::open(&path).unwrap();
        connection
            .pragma_update(None, "synchronous", "OFF")
            .unwrap();
        Self {
            writer: Writer::new(connection, path),
            directory,
            settings: HistorySettings {
                zone: TimeZone::get(zone).unwrap(),
                ..HistorySettings::default()
            },
            model: BTreeMap::new(),
            ran: Duration::ZERO,
        }
    }

    /// A checkpoint at the end of `now`.
    fn write(&mut self, now: Minute, history: Vec<SavedHistory>, renamed: Vec<(&str, &str)>) {
        for (old, new) in &renamed {
            let gone: Vec<_> = self
                .model
                .extract_if(.., |(subject, _), _| subject == old)
                .collect();
            for ((_, minute), sent) in gone {
                *self.model.entry(((*new).to_owned(), minute)).or_default() += sent;
            }
        }
        for each in &history {
            let place = (each.subject.to_string(), each.minute);
            *self.model.entry(place).or_default() += each.moved.row.sent.bytes;
        }
        self.ran += Duration::from_secs(60);
        let checkpoint = Checkpoint {
            at: time_of(now + 1),
            ran: self.ran,
            renamed: renamed
                .into_iter()
                .map(|(old, new)| (old.to_owned(), new.to_owned()))
                .collect(),
            history,
            ..empty()
        };
        self.writer
            .write(&backlog(checkpoint), &self.settings)
            .unwrap();
    }

    fn read(&self) -> HistoryReader {
        let path = self.directory.path().join("bwmon.db");
        History::at(path).open(&self.settings.zone).unwrap()
    }

    fn expected(&self, from: Minute, to: Minute) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for ((subject, minute), sent) in &self.model {
            if (from..to).contains(minute) {
                *sums.entry(subject.clone()).or_default() += sent;
            }
        }
        sums
    }
}

fn totals(reader: &HistoryReader, from: Minute, to: Minute) -> BTreeMap<String, u64> {
    let totals = reader.totals(from, to).unwrap().into_iter();
    totals
        .map(|(place, moved)| (reader.series()[place].subject.clone(), moved.row.sent.bytes))
        .collect()
}

fn summed(reader: &HistoryReader, tier: Tier, from: Minute, to: Minute) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for bucket in reader.buckets(tier, None, from, to).unwrap() {
        let subject = reader.series()[bucket.series].subject.clone();
        *sums.entry(subject).or_default() += bucket.moved.row.sent.bytes;
    }
    sums
}

/// A checkpoint: how far the clock goes on before it (or back), what moved how long ago, and who
/// turns out to be whom.
type Step = (Minute, Vec<(&'static str, Minute, u64)>, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leap = prop_oneof![
        8 => 1_i64..40,
        2 => 1_i64..3 * DAY,
        1 => -2 * DAY..0,
    ];
    let moved = (select(vec!["a", "b", "c"]), 0_i64..3, 1_u64..1_000);
    vec((leap, vec(moved, 0..5), prop::bool::weighted(0.05)), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_tier_and_every_stretch_tell_the_same(
        steps in steps(),
        zone in select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]),
        // Days with 23 and with 25 hours are among those that follow.
        start in select(vec!["2026-03-28T10:00Z", "2026-10-24T20:00Z", "2026-04-04T03:00Z"]),
        stretch in (-4 * DAY..6 * DAY, 0_i64..5 * DAY),
    ) {
        let mut kept = Kept::new(zone);
        let mut now = minute_of(start.parse().unwrap());
        let begin = now;
        for (leap, history, is_renamed) in steps {
            now += leap;
            let history = history.into_iter().map(|(id, ago, sent)| moved(id, now - ago, sent));
            // One record for each subject and minute, as the core has it.
            let mut records: Vec<SavedHistory> = Vec::new();
            for record in history {
                match records.iter_mut().find(|other| (&other.subject, other.minute) == (&record.subject, record.minute)) {
                    Some(other) => other.moved.add(&record.moved),
                    None => records.push(record),
                }
            }
            let renamed = if is_renamed { vec![("c", "a")] } else { vec![] };
            kept.write(now, records, renamed);
        }
        let reader = kept.read();
        let everything = (Minute::MIN / 100, Minute::MAX / 100);
        for tier in Tier::ALL {
            let found = summed(&reader, tier, everything.0, everything.1);
            prop_assert_eq!(found, kept.expected(everything.0, everything.1), "{:?}", tier);
        }
        let (from, to) = (begin + stretch.0, begin + stretch.0 + stretch.1);
        prop_assert_eq!(totals(&reader, from, to), kept.expected(from, to), "totals");
        let by_minute = summed(&reader, Tier::Minute, from, to);
        prop_assert_eq!(by_minute, kept.expected(from, to), "minutes");
        let zone = &kept.settings.zone;
        for tier in [Tier::Quarter, Tier::Hour, Tier::Day] {
            let (from, to) = (tier.start(from, zone), tier.start(to, zone));
            prop_assert_eq!(summed(&reader, tier, from, to), kept.expected(from, to), "{:?}", tier);
        }
    }

    #[test]
    fn what_is_kept_for_less_is_told_by_what_is_kept_for_longer(
        minutes in vec((0_i64..40 * DAY, select(vec!["a", "b"])), 1..200),
        zone in select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
        cuts in vec(0_i64..40 * DAY, 0..4),
    ) {
        let mut kept = Kept::new(zone);
        kept.settings.retention = Retention {
            minute: Some(Duration::from_secs(2 * 24 * 3600)),
            quarter: Some(Duration::from_secs(9 * 24 * 3600)),
            hour: Some(Duration::from_secs(20 * 24 * 3600)),
            day: None,
        };
        let begin = minute_of(at("2026-03-20T10:00Z"));
        let mut minutes = minutes;
        minutes.sort_unstable();
        minutes.dedup();
        for (minute, subject) in minutes {
            kept.write(begin + minute, vec![moved(subject, begin + minute, 1)], vec![]);
        }
        for minute in 40 * DAY..40 * DAY + 60 {
            kept.write(begin + minute, vec![], vec![]);
        }
        let reader = kept.read();
        let (first, last) = (begin - DAY, begin + 42 * DAY);
        let all = kept.expected(first, last);
        prop_assert_eq!(&totals(&reader, first, last), &all, "whole");
        for tier in Tier::ALL {
            prop_assert_eq!(&summed(&reader, tier, first, last), &all, "{:?}", tier);
        }
        // Neighbouring stretches have nothing in common, and leave nothing out.
        let mut ends: Vec<_> = cuts.into_iter().map(|cut| begin + cut).collect();
        ends.extend([first, last]);
        ends.sort_unstable();
        let mut sums = BTreeMap::new();
        for pair in ends.windows(2) {
            for (subject, sent) in totals(&reader, pair[0], pair[1]) {
                *sums.entry(subject).or_default() += sent;
            }
        }
        prop_assert_eq!(sums, all, "in parts");
    }
}

#[test]
fn minutes_are_kept_for_a_week_and_days_for_ever() {
    let mut kept = Kept::new("UTC");
    let begin = minute_of(at("2023-01-01T00:00Z"));
    for quarter in 0..3 * 366 * 4 {
        let minute = begin + quarter * 6 * HOUR;
        kept.write(minute, vec![moved("tv", minute, 1)], vec![]);
    }
    let reader = kept.read();
    let now = begin + (3 * 366 - 1) * DAY + 18 * HOUR;
    let first = |tier| {
        let buckets = reader.buckets(tier, None, 0, now + 1).unwrap();
        let of_tier = buckets.iter().find(|bucket| bucket.tier == tier).unwrap();
        (now - of_tier.start) / DAY
    };
    assert_eq!(Tier::ALL.map(first), [7, 90, 730, 3 * 366 - 1]);
}

#[test]
fn whoever_has_no_history_any_more_is_forgotten() {
    let mut kept = Kept::new("UTC");
    kept.settings.retention = Retention {
        minute: Some(Duration::from_secs(24 * 3600)),
        quarter: Some(Duration::from_secs(24 * 3600)),
        hour: Some(Duration::from_secs(2 * 24 * 3600)),
        day: Some(Duration::from_secs(5 * 24 * 3600)),
    };
    let begin = minute_of(now());
    kept.write(begin, vec![moved("visitor", begin, 1)], vec![]);
    for hour in 1..12 * 24 {
        let minute = begin + hour * HOUR;
        kept.write(minute, vec![moved("tv", minute, 1)], vec![]);
    }
    let reader = kept.read();
    let subjects: Vec<_> = reader.series().iter().map(|each| &*each.subject).collect();
    assert_eq!(subjects, ["tv"]);
}

#[test]
fn a_clock_that_is_far_ahead_costs_no_history() {
    let mut kept = Kept::new("UTC");
    let begin = minute_of(now());
    for minute in 0..30 {
        kept.write(begin + minute, vec![moved("tv", begin + minute, 1)], vec![]);
    }
    let ahead = begin + 3650 * DAY;
    for minute in 0..60 {
        kept.write(ahead + minute, vec![moved("tv", ahead + minute, 1)], vec![]);
    }
    kept.write(begin + 90, vec![], vec![]);
    let buckets = kept.read().buckets(Tier::Minute, None, begin, begin + DAY);
    assert_eq!(buckets.unwrap().len(), 30);
    // A router that was off for a year is believed after a day.
    for hour in 0..25 {
        kept.ran += Duration::from_secs(3600);
        let minute = begin + 365 * DAY + hour * HOUR;
        kept.write(minute, vec![moved("tv", minute, 1)], vec![]);
    }
    let buckets = kept.read().buckets(Tier::Minute, None, begin, begin + DAY);
    assert!(
        buckets
            .unwrap()
            .iter()
            .all(|bucket| bucket.tier > Tier::Minute)
    );
}

#[test]
fn a_database_that_is_too_large_loses_the_oldest_of_the_finest() {
    let mut kept = Kept::new("UTC");
    let begin = minute_of(now());
    let write = |kept: &mut Kept, minute: Minute| {
        let history = (0..10).map(|device| moved(&device.to_string(), begin + minute, 1));
        kept.write(begin + minute, history.collect(), vec![]);
    };
    for minute in 0..DAY {
        write(&mut kept, minute);
    }
    let size = |kept: &Kept| {
        let pragma = |name: &str| -> u64 {
            let number = kept
                .writer
                .connection
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
            number.unwrap() as u64
        };
        4096 * (pragma("page_count") - pragma("freelist_count"))
    };
    let before = size(&kept);
    kept.settings.max_size = before / 2;
    write(&mut kept, DAY);
    assert!(size(&kept) <= before / 2, "{} of {before}", size(&kept));
    let reader = kept.read();
    let end = begin + 4 * DAY;
    assert_eq!(totals(&reader, 0, end), kept.expected(0, end));
    let minutes = reader.buckets(Tier::Minute, Some("3"), begin + DAY - 60, end);
    assert_eq!(minutes.unwrap().len(), 61, "the last hour stays");
    // Nothing is left to go but what is never too much.
    kept.settings.max_size = 0;
    write(&mut kept, DAY + 1);
    let transaction = kept.writer.connection.transaction().unwrap();
    let rounds = (0..100).take_while(|_| make_room(&transaction, &kept.settings, None).unwrap());
    assert!(rounds.count() < 100, "it comes to an end");
    transaction.commit().unwrap();
    let reader = kept.read();
    assert_eq!(totals(&reader, 0, end), kept.expected(0, end));
    assert!(
        reader
            .buckets(Tier::Minute, Some("3"), begin + DAY - 30, end)
            .unwrap()
            .len()
            > 30
    );
}

#[test]
fn a_device_that_turns_out_to_be_another_brings_its_history() {
    let mut kept = Kept::new("UTC");
    kept.write(
        START,
        vec![moved("10.0.0.5", START, 5), moved("tv", START, 7)],
        vec![],
    );
    kept.write(START + 1, vec![], vec![("10.0.0.5", "tv")]);
    let reader = kept.read();
    assert_eq!(
        totals(&reader, START, START + 1),
        BTreeMap::from([("tv".to_owned(), 12)])
    );
    let buckets = reader
        .buckets(Tier::Minute, Some("tv"), START, START + 1)
        .unwrap();
    assert_eq!(buckets.len(), 1);
    assert_eq!(buckets[0].moved.peak.sent, 7);
    let names: Vec<_> = reader
        .series()
        .iter()
        .map(|series| series.name.as_deref())
        .collect();
    assert_eq!(names.len(), 1);
}

#[tokio::test]
async fn what_waits_for_very_long_is_told_more_coarsely_and_is_all_there() {
    let mut waiting = Backlog::default();
    let start = minute_of(now());
    for minute in 0..DAY {
        let history = (0..20).map(|device| moved(&device.to_string(), start + minute, 1));
        waiting.push(Checkpoint {
            history: history.collect(),
            ..empty()
        });
        assert!(waiting.steps()[0].history.len() <= 20_000);
    }
    let sent = |backlog: &Backlog| -> u64 {
        let history = backlog.steps().iter().flat_map(|step| &step.history);
        history.map(|each| each.moved.row.sent.bytes).sum()
    };
    assert_eq!(sent(&waiting), 20 * 1440);
    let latest = waiting.steps()[0].history.iter().map(|each| each.minute);
    assert!(latest.max().unwrap() > start + DAY - 60);

    // Very many, for days: all of the latest day, since any other would be made up.
    for day in 0..4 {
        let history = (0..15_000).map(|device| moved(&device.to_string(), start + day * DAY, 1));
        waiting.push(Checkpoint {
            history: history.collect(),
            ..empty()
        });
    }
    assert_eq!(waiting.steps()[0].history.len(), 15_000);
    assert_eq!(sent(&waiting), 20 * 1440 + 4 * 15_000);
    let minutes = waiting.steps()[0].history.iter().map(|each| each.minute);
    assert!(minutes.min().unwrap() >= start + 2 * DAY);
}
