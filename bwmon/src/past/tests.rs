//! Questions to a database as the daemon writes it, and to memory beside it.

mod billing;

use std::time::Duration;

use bwmon_common::layout::{Counter, Row as Counters};
use jiff::{SignedDuration, civil::date};
use tempfile::TempDir;

use super::*;
use crate::{
    core::{
        history::Peak,
        ledger::SavedHistory,
        view::{CycleView, DeviceView},
    },
    http::fixture,
    store::{Checkpoint, HistorySettings, Store, time_of},
};

const HOUR: Minute = 60;
const DAY: Minute = 24 * HOUR;

/// A database that is made of checkpoints.
struct Kept {
    directory: TempDir,
    store: Option<Store>,
    zone: TimeZone,
    ran: Duration,
}

impl Kept {
    fn new(zone: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let (mut store, _) = Store::open(directory.path(), date(2026, 3, 8)).unwrap();
        store.keep_history(HistorySettings {
            zone: zone.clone(),
            ..HistorySettings::default()
        });
        Self {
            directory,
            store: Some(store),
            zone,
            ran: Duration::ZERO,
        }
    }

    /// One checkpoint, a day's work after the last one, at `at` with all of this.
    async fn write(&mut self, at: Timestamp, history: Vec<SavedHistory>) {
        // Without that, nobody would believe that it is another day.
        self.ran += Duration::from_secs(24 * 3600);
        let store = self.store.as_mut().unwrap();
        store.write(Checkpoint {
            at,
            history,
            ran: self.ran,
            ..Checkpoint::default()
        });
        match store.outcome().await {
            crate::store::Outcome::Durable(_) => {}
            crate::store::Outcome::Failed(error) => panic!("{error}"),
        }
    }

    fn history(&self) -> History {
        self.store.as_ref().unwrap().history()
    }

    fn past(&self, present: Present) -> Past {
        assert!(self.directory.path().exists());
        Past::open(&self.history(), &self.zone, present).unwrap()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn row(sent: u64, local: u64) -> Counters {
    let counter = |bytes| Counter {
        bytes,
        packets: bytes / 100,
    };
    Counters {
        sent: counter(sent),
        received: counter(2 * sent),
        sent_local: counter(local),
        received_local: counter(0),
    }
}

/// `sent` bytes, twice as many received, `local` of those sent local.
fn moved(subject: &str, at: Timestamp, sent: u64, local: u64) -> SavedHistory {
    SavedHistory {
        subject: subject.into(),
        name: None,
        group: None,
        minute: minute_of(at),
        moved: Moved {
            row: row(sent, local),
            peak: Peak {
                sent: sent / 10,
                received: sent / 5,
            },
        },
    }
}

fn called(name: &str, group: Option<&str>, record: SavedHistory) -> SavedHistory {
    SavedHistory {
        name: Some(name.to_owned()),
        group: group.map(str::to_owned),
        ..record
    }
}

fn sample(at: Timestamp, moved: &[(&str, u64)]) -> Arc<Sample> {
    let moved = moved.iter().map(|(id, sent)| {
        let what = Moved {
            row: row(*sent, 0),
            peak: Peak {
                sent: *sent,
                received: 1,
            },
        };
        (Arc::from(*id), what)
    });
    Arc::new(Sample {
        at,
        elapsed: Duration::from_secs(1),
        moved: moved.collect(),
    })
}

fn devices(devices: Vec<DeviceView>) -> Arc<[Arc<DeviceView>]> {
    devices.into_iter().map(Arc::new).collect()
}

/// A morning: a laptop and a TV of the group "Kids", a phone, and the interface that carried them.
async fn morning() -> Kept {
    let mut kept = Kept::new("Europe/Berlin");
    let mut history = Vec::new();
    for minute in 0..30 {
        let at = at("2026-03-08T07:00:00Z") + Duration::from_secs(60 * minute);
        history.push(called("Laptop", Some("Kids"), moved("lap", at, 1_000, 100)));
        history.push(moved("interface:br-lan", at, 1_010, 100));
        if minute < 10 {
            history.push(called("TV", Some("Kids"), moved("tv", at, 6_000, 0)));
        }
        if minute == 20 {
            history.push(moved("phone", at, 500, 500));
        }
    }
    kept.write(at("2026-03-08T07:30:00Z"), history).await;
    kept
}

fn ask(past: &Past, asked: ReportAsked) -> Report {
    past.answer_report(&asked).unwrap()
}

fn told(report: &Report) -> Vec<String> {
    let rows = report.rows.iter().chain(&report.rest).chain([&report.sum]);
    rows.map(|row| {
        let Row {
            id,
            name,
            total,
            share,
            ..
        } = row;
        format!("{id} {name} {total} {share}")
    })
    .collect()
}

fn sums(answer: &HistoryAnswer) -> (u64, u64, u64) {
    answer.points.iter().fold((0, 0, 0), |sum, point| {
        let Amounts {
            sent,
            received,
            sent_local,
            ..
        } = point.amounts;
        (sum.0 + sent, sum.1 + received, sum.2 + sent_local)
    })
}

#[tokio::test]
async fn those_come_first_who_moved_most_and_names_are_those_of_now() {
    let kept = morning().await;
    let mut tv = fixture::device("tv", &["192.168.1.9"]);
    tv.name = "Big TV".to_owned();
    tv.group = Some("Living".to_owned());
    let past = kept.past(Present {
        devices: devices(vec![tv]),
        ..Present::default()
    });
    let report = ask(&past, ReportAsked::default());
    insta::assert_debug_snapshot!(told(&report), @r#"
    [
        "tv Big TV 180000 0.6716",
        "lap Laptop 87000 0.3246",
        "phone phone 1000 0.0037",
        "sum sum 268000 1",
    ]
    "#);
    assert_eq!(report.from, "2026-03-08T00:00:00+01:00");
    assert_eq!(report.to, "2026-03-08T08:30:00+01:00");
    assert_eq!(report.rows[0].amounts.peak_sent_rate, Some(600));
    assert_eq!(report.sum.amounts.peak_sent_rate, None);
    assert_eq!(report.sum.amounts.sent_packets, 905);
}

#[tokio::test]
async fn a_report_may_be_of_groups_interfaces_hours_and_days() {
    let past = morning().await;
    let past = past.past(Present::default());
    let by = |by| {
        ask(
            &past,
            ReportAsked {
                by,
                ..ReportAsked::default()
            },
        )
    };
    insta::assert_debug_snapshot!(told(&by(By::Group)), @r#"
    [
        "group:Kids Kids 267000 0.9963",
        "group: (no group) 1000 0.0037",
        "sum sum 268000 1",
    ]
    "#);
    insta::assert_debug_snapshot!(told(&by(By::Interface)), @r#"
    [
        "interface:br-lan br-lan 87900 1",
        "sum sum 87900 1",
    ]
    "#);
    insta::assert_debug_snapshot!(told(&by(By::Hour)), @r#"
    [
        "2026-03-08T08:00:00+01:00 2026-03-08 08:00 268000 1",
        "sum sum 268000 1",
    ]
    "#);
    insta::assert_debug_snapshot!(told(&by(By::Day)), @r#"
    [
        "2026-03-08T00:00:00+01:00 2026-03-08 268000 1",
        "sum sum 268000 1",
    ]
    "#);
}

#[tokio::test]
async fn the_top_ones_are_followed_by_all_others_as_one() {
    let kept = morning().await;
    let past = kept.past(Present::default());
    let asked = ReportAsked {
        top: Some(1),
        scope: Some(Scope::All),
        ..ReportAsked::default()
    };
    insta::assert_debug_snapshot!(told(&ask(&past, asked)), @r#"
    [
        "tv TV 180000 0.663",
        "rest 2 more 91500 0.337",
        "sum sum 271500 1",
    ]
    "#);
    let local = ReportAsked {
        scope: Some(Scope::Local),
        ..ReportAsked::default()
    };
    insta::assert_debug_snapshot!(told(&ask(&past, local)), @r#"
    [
        "lap Laptop 3000 0.8571",
        "phone phone 500 0.1429",
        "tv TV 0 0",
        "sum sum 3500 1",
    ]
    "#);
}

#[tokio::test]
async fn points_go_on_from_the_database_into_memory() {
    let kept = morning().await;
    let until = at("2026-03-08T07:30:00Z");
    let second = |second| until + SignedDuration::from_secs(second);
    let past = kept.past(Present {
        now: Some(second(90)),
        recent: [
            // In the database already.
            sample(second(-1), &[("lap", 1_000_000)]),
            sample(
                second(1),
                &[("lap", 1), ("new", 5), ("interface:br-lan", 6)],
            ),
            sample(second(61), &[("lap", 2)]),
        ]
        .into(),
        ..Present::default()
    });
    let answer = |device: Option<&str>, step: &str| {
        past.answer_history(&HistoryAsked {
            device: device.map(str::to_owned),
            step: Some(step.to_owned()),
            ..HistoryAsked::default()
        })
        .unwrap()
    };
    let laptop = answer(Some("lap"), "1m");
    assert_eq!(laptop.from, "2026-03-08T08:00:00+01:00");
    assert_eq!(laptop.to, "2026-03-08T08:31:30+01:00");
    assert_eq!(laptop.points.len(), 32);
    assert_eq!(laptop.points[30].amounts.sent, 1);
    assert_eq!(laptop.points[30].amounts.peak_sent_rate, Some(1));
    assert_eq!(laptop.points[31].amounts.sent, 2);
    assert_eq!(
        (laptop.points[30].seconds, laptop.points[31].seconds),
        (60.0, 30.0)
    );
    assert_eq!(sums(&laptop), (30_003, 60_006, 3_000));
    assert_eq!(laptop.name.as_deref(), Some("Laptop"));

    let all = answer(None, "1h");
    assert_eq!(all.points.len(), 1);
    assert_eq!(sums(&all), (30_003 + 60_000 + 500 + 5, 2 * 90_508, 3_500));
    assert_eq!(all.points[0].amounts.peak_sent_rate, None);
    assert_eq!(sums(&answer(Some("group:Kids"), "5m")).0, 90_003);
    assert_eq!(
        sums(&answer(Some("Interface:BR-lan"), "5m")).0,
        30 * 1_010 + 6
    );
    assert_eq!(sums(&answer(Some("NEW"), "5m")).0, 5);
    assert_eq!(sums(&answer(Some("laptop"), "5m")).0, 30_003);

    // What is in memory is told by the second, and what is before it by the minute.
    let seconds = answer(Some("lap"), "1s");
    assert_eq!(sums(&seconds), (30_003, 60_006, 3_000));
    let last: Vec<_> = seconds.points[30..]
        .iter()
        .map(|point| (point.at.as_str(), point.seconds, point.amounts.sent))
        .collect();
    assert_eq!(
        last,
        [
            ("2026-03-08T08:30:00.000+01:00", 1.0, 1),
            ("2026-03-08T08:31:00.000+01:00", 1.0, 2)
        ]
    );
}

#[tokio::test]
async fn whoever_is_asked_for_must_be_known_and_be_one() {
    let kept = morning().await;
    let mut twin = fixture::device("aa", &["192.168.1.7"]);
    twin.name = "Laptop".to_owned();
    let past = kept.past(Present {
        devices: devices(vec![twin]),
        ..Present::default()
    });
    let ask = |device: &str| {
        past.answer_history(&HistoryAsked {
            device: Some(device.to_owned()),
            ..HistoryAsked::default()
        })
    };
    for unknown in [
        "",
        "nobody",
        "group:",
        "group:kids",
        "interface:wlan0",
        "10.0.0.1",
    ] {
        let error = ask(unknown).unwrap_err();
        assert!(matches!(error, PastError::Unknown(_)), "{unknown}: {error}");
    }
    let error = ask("laptop").unwrap_err().to_string();
    assert!(error.ends_with("ask by id: lap, aa"), "{error}");
    // By its address, and with nothing to tell.
    assert_eq!(sums(&ask("192.168.1.7").unwrap()), (0, 0, 0));
}

#[tokio::test]
async fn too_long_an_answer_is_refused_and_says_what_to_do() {
    let mut kept = Kept::new("UTC");
    kept.write(
        at("2026-01-01T00:01:00Z"),
        vec![moved("tv", at("2026-01-01T00:00:00Z"), 1, 0)],
    )
    .await;
    let past = kept.past(Present {
        now: Some(at("2026-03-01T00:00:00Z")),
        ..Present::default()
    });
    let ask = |step: &str| {
        past.answer_history(&HistoryAsked {
            from: Some("2026-01-01".to_owned()),
            step: Some(step.to_owned()),
            ..HistoryAsked::default()
        })
    };
    let error = ask("1m").unwrap_err().to_string();
    assert_eq!(
        error,
        "that would be more than 10000 points; ask for a shorter time, or for longer steps"
    );
    assert_eq!(ask("15m").unwrap().points.len(), 59 * 96);
    let asked = ReportAsked {
        from: Some("-3000d".to_owned()),
        by: By::Hour,
        ..ReportAsked::default()
    };
    assert_eq!(past.answer_report(&asked).unwrap().rows.len(), 59 * 24);
}

#[tokio::test]
async fn what_is_kept_for_less_comes_as_coarse_as_it_is_kept() {
    let mut kept = Kept::new("Europe/Berlin");
    let start = at("2026-01-01T00:00:00Z");
    let mut day = start;
    // A year, so that minutes and quarters of its beginning are gone.
    for number in 0..365_u64 {
        let noon = day + Duration::from_secs(11 * 3600);
        kept.write(
            noon + Duration::from_secs(60),
            vec![moved("tv", noon, number + 1, 0)],
        )
        .await;
        day += Duration::from_secs(24 * 3600);
    }
    let now = at("2026-12-31T12:00:00Z");
    let past = kept.past(Present {
        now: Some(now),
        ..Present::default()
    });
    let history = |step: &str, from: &str| {
        past.answer_history(&HistoryAsked {
            device: Some("tv".to_owned()),
            from: Some(from.to_owned()),
            step: Some(step.to_owned()),
            ..HistoryAsked::default()
        })
        .unwrap()
    };
    let expected = 365 * 366 / 2;
    for (step, from) in [
        ("1h", "-365d"),
        ("1d", "-400d"),
        ("7d", "-365d"),
        ("15m", "-95d"),
    ] {
        let answer = history(step, from);
        let lengths: std::collections::BTreeSet<u64> = answer
            .points
            .iter()
            .map(|point| point.seconds as u64)
            .collect();
        let all = sums(&answer).0;
        match step {
            "15m" => {
                assert!(all < expected);
                assert!(
                    lengths.contains(&900) && lengths.contains(&3_600),
                    "{lengths:?}"
                );
            }
            "1h" => {
                assert_eq!(all, expected);
                assert!(lengths.iter().all(|length| *length <= 3_600), "{lengths:?}");
            }
            "1d" => {
                assert_eq!(all, expected);
                // Days on which clocks change are 23 and 25 hours long.
                assert!(
                    [82_800, 86_400, 90_000]
                        .iter()
                        .all(|day| lengths.contains(day))
                );
            }
            _ => assert_eq!(all, expected),
        }
    }
    // By the month, by days.
    let month = |from: &str| {
        let asked = ReportAsked {
            period: Some(Period::Month),
            from: Some(from.to_owned()),
            ..ReportAsked::default()
        };
        ask(&past, asked).sum.amounts.sent
    };
    assert_eq!(month("2026-01-15"), (1..=31).sum::<u64>());
    assert_eq!(month("2026-02-28"), (32..=59).sum::<u64>());
    assert_eq!(month("now"), (335..=365).sum::<u64>());
}
