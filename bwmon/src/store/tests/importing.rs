//! Imports: taken once, beside what bwmon counted itself.

use jiff::tz::TimeZone;

use super::{tiers::moved, *};
use crate::{
    core::history::Minute,
    store::{
        History, HistoryReader, Import, Imported, ImportedBucket, Mode, Tier, import, minute_of,
    },
};

const SUBJECT: &str = "02:1b:c3:00:4f:9e";

fn minute(text: &str) -> Minute {
    minute_of(at(text))
}

fn bucket(subject: &str, tier: Tier, start: &str, bytes: u64) -> ImportedBucket {
    let counter = |bytes| Counter { bytes, packets: 0 };
    ImportedBucket {
        subject: subject.to_owned(),
        name: Some("Laptop".to_owned()),
        tier,
        start: minute(start),
        sent: counter(bytes),
        received: counter(2 * bytes),
        active: Some(Duration::from_secs(600)),
        is_spread: false,
    }
}

fn file(hash: &str, buckets: Vec<ImportedBucket>) -> Import {
    Import {
        source: "usage-log".to_owned(),
        file: "usage_log.txt".to_owned(),
        hash: hash.to_owned(),
        buckets,
    }
}

fn take(directory: &Path, import_: &Import, mode: Mode) -> Imported {
    let path = directory.join("bwmon.db");
    let imports = std::slice::from_ref(import_);
    import(&path, &TimeZone::UTC, now(), imports, mode)
        .unwrap()
        .remove(0)
}

fn read(directory: &Path) -> HistoryReader {
    let history = History::at(directory.join("bwmon.db"));
    history.open(&TimeZone::UTC).unwrap()
}

/// What was sent, by how it is told, from the start of a day to its end.
fn sent(reader: &HistoryReader, tier: Tier, day: &str) -> Vec<(Tier, String, u64)> {
    let from = minute(&format!("{day}T00:00Z"));
    let buckets = reader
        .buckets(tier, Some(SUBJECT), from, from + 1440)
        .unwrap();
    let sum: u64 = buckets.iter().map(|it| it.moved.row.sent.bytes).sum();
    let totals = reader.totals(from, from + 1440).unwrap();
    let totals: u64 = totals
        .iter()
        .filter(|(place, _)| reader.series()[*place].subject == SUBJECT)
        .map(|(_, moved)| moved.row.sent.bytes)
        .sum();
    assert_eq!(sum, totals, "{tier:?} {day}");
    let shown = |start| crate::store::time_of(start).strftime("%H:%M").to_string();
    buckets
        .into_iter()
        .map(|it| (it.tier, shown(it.start), it.moved.row.sent.bytes))
        .collect()
}

async fn counted(directory: &Path) {
    let (mut store, _) = open(directory);
    let start = minute("2026-03-08T10:00Z");
    let history = (0..60)
        .map(|minute| moved(SUBJECT, start + minute, 10))
        .collect();
    keep(&mut store, Checkpoint { history, ..full() }).await;
    close(store, empty()).await;
}

#[tokio::test]
async fn every_tier_tells_the_same_of_what_was_imported() {
    let directory = tempfile::tempdir().unwrap();
    counted(directory.path()).await;
    let import = file(
        "a",
        vec![
            bucket(SUBJECT, Tier::Day, "2026-03-05T00:00Z", 1000),
            bucket(SUBJECT, Tier::Hour, "2026-03-06T05:00Z", 500),
            bucket(SUBJECT, Tier::Quarter, "2026-03-06T06:15Z", 50),
            bucket(SUBJECT, Tier::Hour, "2026-03-08T05:00Z", 7),
        ],
    );
    let taken = take(directory.path(), &import, Mode::Write);
    let of = &taken.subjects[SUBJECT];
    assert_eq!((of.taken, of.bytes, of.left_out), (4, 3 * 1557, 0));
    let reader = read(directory.path());
    assert_eq!(reader.first(), Some(minute("2026-03-05T00:00Z")));
    let day = |sent| vec![(Tier::Day, "00:00".to_owned(), sent)];
    for tier in Tier::ALL {
        assert_eq!(sent(&reader, tier, "2026-03-05"), day(1000));
    }
    assert_eq!(sent(&reader, Tier::Day, "2026-03-06"), day(550));
    let expected = [
        (Tier::Hour, "05:00".to_owned(), 500),
        (Tier::Quarter, "06:15".to_owned(), 50),
    ];
    assert_eq!(sent(&reader, Tier::Minute, "2026-03-06"), expected);
    assert_eq!(sent(&reader, Tier::Day, "2026-03-08"), day(607));
    assert_eq!(sent(&reader, Tier::Hour, "2026-03-08").len(), 2);
    let active = reader
        .active(day_of("2026-03-05"), day_of("2026-03-06"))
        .unwrap();
    assert_eq!(active.values().collect::<Vec<_>>(), [&600]);
}

fn day_of(text: &str) -> Date {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_file_is_taken_once_and_nothing_is_taken_twice() {
    let directory = tempfile::tempdir().unwrap();
    counted(directory.path()).await;
    let days = |hash, days: &[&str]| {
        let days = days.iter().map(|day| format!("{day}T00:00Z"));
        file(
            hash,
            days.map(|day| bucket(SUBJECT, Tier::Day, &day, 1000))
                .collect(),
        )
    };
    let first = days("a", &["2026-03-04", "2026-03-05", "2026-03-08"]);
    let tried = take(directory.path(), &first, Mode::Try);
    assert_eq!(
        read(directory.path()).first(),
        Some(minute("2026-03-08T00:00Z"))
    );
    let taken = take(directory.path(), &first, Mode::Write);
    assert_eq!(tried, taken);
    // What bwmon counted itself stands.
    let of = &taken.subjects[SUBJECT];
    assert_eq!((of.taken, of.left_out), (2, 1));
    let again = take(directory.path(), &first, Mode::Write);
    assert_eq!(
        (again.before, again.subjects.len()),
        (Some(now_in_micros()), 0)
    );
    // The same days and more in another file.
    let longer = days("b", &["2026-03-04", "2026-03-05", "2026-03-06"]);
    let taken = take(directory.path(), &longer, Mode::Write);
    let of = &taken.subjects[SUBJECT];
    assert_eq!((of.taken, of.left_out), (1, 2));
    let reader = read(directory.path());
    for (day, expected) in [
        ("2026-03-04", 1000),
        ("2026-03-05", 1000),
        ("2026-03-08", 600),
    ] {
        let found: u64 = sent(&reader, Tier::Day, day)
            .iter()
            .map(|(_, _, sent)| sent)
            .sum();
        assert_eq!(found, expected, "{day}");
    }
}

fn now_in_micros() -> Timestamp {
    Timestamp::from_microsecond(now().as_microsecond()).unwrap()
}

#[tokio::test]
async fn the_daemon_goes_on_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, full()).await;
    let today = file(
        "a",
        vec![bucket(SUBJECT, Tier::Hour, "2026-03-08T05:00Z", 7)],
    );
    take(directory.path(), &today, Mode::Write);
    let start = minute("2026-03-08T10:00Z");
    let history = vec![moved(SUBJECT, start, 10), moved("new", start, 10)];
    keep(&mut store, Checkpoint { history, ..full() }).await;
    close(store, empty()).await;
    let found = sent(&read(directory.path()), Tier::Hour, "2026-03-08");
    let sent: Vec<u64> = found.into_iter().map(|(_, _, sent)| sent).collect();
    // The last is of the first checkpoint.
    assert_eq!(sent, [7, 10, 12]);
}

#[test]
fn there_has_to_be_a_database_of_this_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    let none = import(&path, &TimeZone::UTC, now(), &[], Mode::Write);
    assert!(
        matches!(none, Err(StoreError::NotWritable { .. })),
        "{none:?}"
    );
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(schema::MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let old = import(&path, &TimeZone::UTC, now(), &[], Mode::Write);
    assert!(matches!(old, Err(StoreError::TooOld { .. })), "{old:?}");
}
