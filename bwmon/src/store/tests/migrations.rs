//! Databases of earlier versions are brought up to date, and everything in them goes on.

use std::time::Instant;

use super::*;
use crate::store::{History, Tier, minute_of};

/// What each version had, as it wrote it: two devices over three days, the last of which goes on.
const ROWS: [&str; 2] = [
    "UPDATE state SET at = 1772971200123456, pruned_on = '2026-03-08', lifecycle = 'x';
     INSERT INTO device VALUES
        (1, 'laptop', '02:1b:c3:00:4f:9e', '192.168.1.5 fe80::1', 1767225600000000, 1772971200123456),
        (2, 'tv', NULL, '', 1767225600000000, 1772971200123456);
     INSERT INTO usage VALUES
        ('2026-03-06', 1, 100, 200, 1, 2, 60, NULL),
        ('2026-03-07', 1, 1000, 2000, 10, 20, 60, '{}'),
        ('2026-03-07', 2, 5, 0, 0, 0, 60, '{}'),
        ('2026-03-08', 1, 12, 24, 3, 4, 60, '{\"sent\":12}'),
        ('2026-03-08', 2, 0, 0, 0, 0, 0, '{\"sent\":0}');
     INSERT INTO alert VALUES
        ('a', 'laptop', 'volume', 'firing', 1772971200123456, NULL, '{}');
     INSERT INTO counters VALUES ('br-lan', 'boot 1', x'');
     INSERT INTO address VALUES
        ('192.168.1.5', NULL, 1, zeroblob(64), 1772323200000000, 1772971200123456);",
    "UPDATE state SET ran = 3600;
     INSERT INTO outbox VALUES
        (1, 'phone', 'event 1', 'firing', 'warning', 1772971200123456, 1, '{\"id\":\"…\"}', NULL, NULL),
        (3, 'phone', 'event 3', 'firing', 'warning', 1772971200123456, 3, '{\"id\":\"…\"}',
            1772971200123456, 'answered 500');
     INSERT INTO memory VALUES ('cycle', 'laptop', '{}');",
];

/// A database as version `version` left it.
fn made_by(version: usize, path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    for (step, rows) in schema::MIGRATIONS.iter().zip(ROWS).take(version) {
        connection.execute_batch(step).unwrap();
        connection.execute_batch(rows).unwrap();
    }
    connection
        .pragma_update(None, "user_version", version as u32)
        .unwrap();
}

fn expected(version: usize) -> Loaded {
    let mut tv = usage("tv", today(), 0);
    (tv.sent_local, tv.received_local, tv.active_seconds) = (0, 0, 0);
    let first = Loaded {
        at: Some(now()),
        devices: vec![
            device("laptop"),
            DeviceRecord {
                mac: None,
                addresses: vec![],
                ..device("tv")
            },
        ],
        usage: vec![usage("laptop", today(), 12), tv],
        finished: vec![
            UsageRecord {
                state: "{}".to_owned(),
                sent_local: 10,
                received_local: 20,
                ..usage("laptop", day("2026-03-07"), 1000)
            },
            UsageRecord {
                state: "{}".to_owned(),
                received: 0,
                sent_local: 0,
                received_local: 0,
                ..usage("tv", day("2026-03-07"), 5)
            },
        ],
        alerts: vec![alert("a", "laptop", now())],
        lifecycle: Some("x".to_owned()),
        tables: vec![table("br-lan", vec![])],
        addresses: vec![AddressRecord {
            total: Row::default(),
            ..address("192.168.1.5", "laptop")
        }],
        ..Loaded::default()
    };
    match version {
        1 => first,
        _ => Loaded {
            outbox: vec![event(1)],
            failed: vec![FailedRecord {
                waited: event(3),
                at: now(),
                error: "answered 500".to_owned(),
            }],
            ran: Duration::from_secs(3600),
            memory: vec![memory("laptop", "cycle", "{}")],
            ..first
        },
    }
}

/// The machine's time zone decides where the midnights of those days were: tests run in any.
fn midnight(day: &str) -> i64 {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let query = "SELECT CAST(strftime('%s', ?1, 'utc') AS INTEGER) / 60";
    connection
        .query_row(query, [day], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn each_earlier_version_goes_on_with_all_it_had() {
    for version in 1..=ROWS.len() {
        let directory = tempfile::tempdir().unwrap();
        made_by(version, &directory.path().join("bwmon.db"));
        let (mut store, loaded) = open(directory.path());
        assert_eq!(loaded, expected(version), "version {version}");

        // The day that had begun goes on, in every tier.
        let noon = minute_of(now());
        keep(
            &mut store,
            Checkpoint {
                at: now() + Duration::from_secs(3600),
                history: vec![
                    tiers::moved("laptop", noon, 1_000_000),
                    tiers::moved("tv", noon, 7),
                ],
                ..empty()
            },
        )
        .await;
        let zone = HistorySettings::default().zone;
        let reader = History::at(directory.path().join("bwmon.db"))
            .open(&zone)
            .unwrap();
        let sent = |from: i64, to: i64| -> Vec<(String, u64)> {
            let totals = reader.totals(from, to).unwrap().into_iter();
            let named = totals.map(|(place, moved)| {
                let subject = reader.series()[place].subject.clone();
                (subject, moved.row.sent.bytes)
            });
            named.collect()
        };
        let row = |id: &str, sent: u64| (id.to_owned(), sent);
        let [first, second, third, end] =
            ["2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09"].map(midnight);
        assert_eq!(sent(first, second), [row("laptop", 100)]);
        assert_eq!(sent(second, third), [row("laptop", 1000), row("tv", 5)]);
        assert_eq!(sent(third, end), [row("laptop", 1_000_012), row("tv", 7)]);
        for tier in Tier::ALL {
            let buckets = reader.buckets(tier, Some("laptop"), third, end).unwrap();
            let sum: u64 = buckets.iter().map(|each| each.moved.row.sent.bytes).sum();
            assert_eq!(sum, 1_000_012, "{tier:?}");
            let local = buckets.iter().map(|each| each.moved.row.sent_local.bytes);
            assert_eq!(local.sum::<u64>(), 3, "{tier:?}");
        }
    }
}

#[test]
fn ten_thousand_devices_are_brought_up_to_date_in_a_moment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    made_by(2, &path);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE many (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM many WHERE n < 10009)
             INSERT INTO device SELECT n, 'device ' || n, NULL, '', 0, 1772971200123456 FROM many;
             WITH RECURSIVE days (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n < 29)
             INSERT INTO usage
             SELECT date('2026-03-08', '-' || n || ' days'), key, key, 0, 0, 0, 0, '{}'
             FROM days, device WHERE key >= 10;",
        )
        .unwrap();
    drop(connection);
    let began = Instant::now();
    let (_store, loaded) = open(directory.path());
    let took = began.elapsed();
    println!("10,000 devices with 30 days each: {took:?}");
    assert_eq!(loaded.devices.len(), 10_002);
    // Far less than what a service manager waits for, also without optimization.
    assert!(took < Duration::from_secs(20), "{took:?}");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sum: i64 = connection
        .query_row("SELECT sum(sent) FROM history_day", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sum, 30 * (10..10_010).sum::<i64>() + 1117);
}
