//! Renames, and what is removed when it is old.

use super::*;
use crate::store::PENDING;

/// Writes `checkpoints`, and returns the usage of all days: device, day, bytes sent, whether it
/// can be counted on.
async fn check(checkpoints: Vec<Checkpoint>, expected: &[(&str, &str, i64, bool)]) -> Loaded {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    for checkpoint in checkpoints {
        keep(&mut store, checkpoint).await;
    }
    let connection = schema::open(&directory.path().join("bwmon.db")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT id, day, sent, state IS NOT NULL FROM usage JOIN device ON key = device
             ORDER BY id, day",
        )
        .unwrap();
    let found: Vec<(String, String, i64, bool)> = statement
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|(id, day, sent, on)| (id.as_str(), day.as_str(), *sent, *on))
        .collect();
    assert_eq!(found, expected);
    load(&connection, today()).unwrap()
}

fn renamed(old: &str, new: &str, usage: Vec<UsageRecord>) -> Checkpoint {
    Checkpoint {
        renamed: vec![(old.to_owned(), new.to_owned())],
        usage,
        ..empty()
    }
}

#[tokio::test]
async fn a_day_that_had_begun_too_early_is_taken_back() {
    let written = |undated: &[(&str, Date)], usage| Checkpoint {
        undated: undated
            .iter()
            .map(|(device, day)| ((*device).to_owned(), *day))
            .collect(),
        devices: vec![device("a")],
        usage,
        ..empty()
    };
    let ahead = day("2027-03-08");
    check(
        vec![
            written(&[], vec![usage("a", today(), 7)]),
            written(&[], vec![usage("a", ahead, 5)]),
            written(&[("a", ahead)], vec![usage("a", today(), 12)]),
        ],
        &[("a", "2026-03-08", 12, true)],
    )
    .await;
}

#[tokio::test]
async fn a_pending_alert_that_came_to_nothing_leaves_nothing() {
    let pending = |id: &str| AlertRow {
        state: PENDING.to_owned(),
        ..alert(id, "a", now())
    };
    let alerts = |alerts| Checkpoint { alerts, ..empty() };
    let loaded = check(
        vec![
            alerts(vec![pending("1"), pending("2")]),
            alerts(vec![pending("2"), alert("3", "a", now())]),
        ],
        &[],
    )
    .await;
    let mut left: Vec<_> = loaded.alerts.iter().map(|alert| &alert.id).collect();
    left.sort();
    assert_eq!(left, ["2", "3"]);
}

#[tokio::test]
async fn a_new_id_takes_everything_along() {
    let mut first = full();
    first.usage.push(usage("192.168.1.9", day("2026-03-07"), 5));
    let loaded = check(
        vec![
            first,
            renamed("192.168.1.9", "new", vec![usage("new", today(), 20)]),
        ],
        &[
            ("02:1b:c3:00:4f:9e", "2026-03-08", 12, true),
            ("new", "2026-03-07", 5, true),
            ("new", "2026-03-08", 20, true),
        ],
    )
    .await;
    assert_eq!(loaded.devices[1].id, "new");
    assert_eq!(loaded.alerts[0].device, "new");
    assert_eq!(loaded.addresses[1].device, "new");
}

#[tokio::test]
async fn two_devices_become_one() {
    let mut first = full();
    let yesterday = day("2026-03-07");
    let mac = "02:1b:c3:00:4f:9e";
    first.devices[1].first_seen = at("2025-12-01T00:00:00Z");
    first.usage.push(usage("192.168.1.9", yesterday, 5));
    first.usage.push(usage(mac, yesterday, 6));
    first.usage.push(usage("192.168.1.9", day("2026-03-06"), 7));
    // What the core says of today holds both devices already.
    let loaded = check(
        vec![
            first,
            renamed("192.168.1.9", mac, vec![usage(mac, today(), 25)]),
        ],
        &[
            (mac, "2026-03-06", 7, true),
            (mac, "2026-03-07", 11, false),
            (mac, "2026-03-08", 25, true),
        ],
    )
    .await;
    let [device] = &loaded.devices[..] else {
        panic!("{:?}", loaded.devices)
    };
    assert_eq!(device.first_seen, at("2025-12-01T00:00:00Z"));
    assert!(loaded.addresses.iter().all(|address| address.device == mac));
    assert!(loaded.alerts.iter().all(|alert| alert.device == mac));
}

#[tokio::test]
async fn a_rename_that_is_written_twice_is_written_once() {
    let rename = renamed("a", "b", vec![usage("b", today(), 3)]);
    let yesterday = day("2026-03-07");
    let both = vec![
        usage("a", yesterday, 1),
        usage("b", yesterday, 2),
        usage("a", today(), 1),
    ];
    check(
        vec![
            Checkpoint {
                usage: both,
                ..empty()
            },
            rename.clone(),
            rename,
        ],
        &[("b", "2026-03-07", 3, false), ("b", "2026-03-08", 3, true)],
    )
    .await;
}

#[tokio::test]
async fn added_amounts_stay_in_range() {
    let yesterday = day("2026-03-07");
    let most = i64::MAX / 2;
    let usage = vec![
        usage("a", yesterday, u64::MAX / 2),
        usage("b", yesterday, 9),
    ];
    let both = Checkpoint { usage, ..empty() };
    check(
        vec![
            both.clone(),
            renamed("a", "b", vec![]),
            both,
            renamed("a", "b", vec![]),
        ],
        &[("b", "2026-03-07", most, false)],
    )
    .await;
}

#[tokio::test]
async fn what_is_old_is_removed_at_a_change_of_day() {
    let mut first = full();
    for age in [401_i64, 399, 8, 6] {
        let day = today().checked_sub(jiff::Span::new().days(age)).unwrap();
        first
            .usage
            .push(usage("192.168.1.9", day, age.unsigned_abs()));
    }
    first.devices.push(DeviceRecord {
        last_seen: at("2024-01-01T00:00:00Z"),
        ..device("gone")
    });
    first.usage.push(usage("gone", day("2024-01-01"), 1));
    first.addresses[0].last_seen = now() - Duration::from_secs(31 * 86_400);
    let tables = first.tables.clone();
    first.at = now() - Duration::from_secs(86_400);
    let second = Checkpoint { tables, ..empty() };
    let mac = "02:1b:c3:00:4f:9e";
    let loaded = check(
        vec![first, second],
        &[
            ("02:1b:c3:00:4f:9e", "2026-03-08", 12, true),
            ("192.168.1.9", "2025-02-02", 399, false),
            ("192.168.1.9", "2026-02-28", 8, false),
            ("192.168.1.9", "2026-03-02", 6, true),
            ("192.168.1.9", "2026-03-08", 13, true),
        ],
    )
    .await;
    let ids: Vec<_> = loaded.devices.iter().map(|device| &device.id[..]).collect();
    assert_eq!(ids, [mac, "192.168.1.9"]);
    assert_eq!(loaded.addresses, [full().addresses[1].clone()]);
    assert_eq!(loaded.tables, full().tables);
}

#[tokio::test]
async fn the_latest_alerts_and_the_open_ones_are_read_again() {
    let alerts: Vec<_> = (0..10_500)
        .map(|minute| {
            let started_at = at("2026-01-01T00:00:00Z") + Duration::from_secs(60 * minute);
            let ended_at = (minute != 3).then_some(started_at);
            AlertRow {
                ended_at,
                ..alert(&minute.to_string(), "a", started_at)
            }
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = open(directory.path());
    close(store, Checkpoint { alerts, ..empty() }).await;

    let (_store, loaded) = open(directory.path());
    let ids: Vec<u32> = loaded
        .alerts
        .iter()
        .map(|alert| alert.id.parse().unwrap())
        .collect();
    assert_eq!(ids, (10_300..10_500).rev().chain([3]).collect::<Vec<_>>());
    let connection = schema::open(&directory.path().join("bwmon.db")).unwrap();
    let kept: u32 = connection
        .query_row("SELECT count(*) FROM alert", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 10_001);
}

#[tokio::test]
async fn space_goes_back_to_the_file_system() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = open(directory.path());
    let large = table("br-lan", (0..20_000).map(|slot| (slot, row(1))).collect());
    close(
        store,
        Checkpoint {
            tables: vec![large],
            ..empty()
        },
    )
    .await;
    let size = || {
        fs::metadata(directory.path().join("bwmon.db"))
            .unwrap()
            .len()
    };
    assert!(size() > 1_000_000);

    let (mut store, _) = open(directory.path());
    keep(&mut store, empty()).await;
    let tomorrow = now() + Duration::from_secs(86_400);
    close(
        store,
        Checkpoint {
            at: tomorrow,
            ..empty()
        },
    )
    .await;
    assert!(size() < 200_000, "{}", size());
}
