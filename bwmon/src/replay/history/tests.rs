use bwmon_common::layout::{Counter, Row};
use jiff::tz::TimeZone;

use super::{suggest::suggest, *};
use crate::{
    core::{
        history::{Moved, Peak, interface_id},
        ledger::SavedHistory,
        policy::{Group, Limits, Registration, Selector, Setting},
    },
    store::{Checkpoint, DeviceRecord, History, Outcome as Written, Store, UsageRecord},
};

/// Monday, 2 March 2026, 00:00 in Berlin.
const START: Minute = 29_540_100;
const DAY: Minute = 24 * 60;
const LAPTOP: &str = "02:1b:c3:00:4f:9e";

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn moved(subject: &str, minute: Minute, bytes: u64, peak: u64) -> SavedHistory {
    let counter = |bytes| Counter {
        bytes,
        packets: bytes / 1000,
    };
    SavedHistory {
        subject: subject.into(),
        name: None,
        group: None,
        minute: START + minute,
        moved: Moved {
            row: Row {
                sent: counter(bytes / 10),
                received: counter(bytes - bytes / 10),
                ..Row::default()
            },
            peak: Peak {
                sent: peak / 10,
                received: peak - peak / 10,
            },
        },
    }
}

/// A database with this history, written each day.
async fn recorded(directory: &tempfile::TempDir, days: i64, history: &[SavedHistory]) {
    let date = time_of(START).to_zoned(zone()).date();
    let (mut store, _) = Store::open(directory.path(), date).unwrap();
    store.keep_history(crate::store::HistorySettings {
        zone: zone(),
        ..Default::default()
    });
    let at = |text: &str| text.parse().unwrap();
    for day in 0..days {
        let (from, to) = (START + day * DAY, START + (day + 1) * DAY);
        let of_day = |each: &&SavedHistory| (from..to).contains(&each.minute);
        store.write(Checkpoint {
            at: time_of(to),
            ran: Duration::from_secs(60 * (to - START).unsigned_abs()),
            devices: vec![DeviceRecord {
                id: LAPTOP.to_owned(),
                mac: LAPTOP.parse().ok(),
                addresses: vec!["192.168.1.23".parse().unwrap()],
                first_seen: at("2026-01-01T00:00:00Z"),
                last_seen: time_of(to),
            }],
            usage: vec![used(day, history.iter().filter(of_day))],
            history: history.iter().filter(of_day).cloned().collect(),
            ..Checkpoint::default()
        });
        assert!(matches!(store.outcome().await, Written::Durable(_)));
    }
    store.close().await.unwrap();
}

/// What the laptop used on a day; each of its minutes is an active one.
fn used<'a>(day: i64, history: impl Iterator<Item = &'a SavedHistory>) -> UsageRecord {
    let minutes = history.filter(|each| &*each.subject == LAPTOP).count();
    let start = time_of(START + day * DAY).to_zoned(zone());
    UsageRecord {
        device: LAPTOP.to_owned(),
        day: start.date(),
        state: String::new(),
        sent: 0,
        received: 0,
        sent_local: 0,
        received_local: 0,
        active_seconds: 60 * minutes as u64,
    }
}

fn open(directory: &tempfile::TempDir) -> Recording {
    let path = directory.path().join("bwmon.db");
    let reader = History::at(path).open(&zone()).unwrap();
    let start = time_of(START);
    Recording::open(reader, &zone(), start, start)
        .unwrap()
        .unwrap()
}

/// Nothing but what a test asks for.
fn quiet() -> Policy {
    limits::only(&Policy::default(), &[])
}

fn registered(limits: impl FnOnce(&mut Limits)) -> Policy {
    let mut policy = quiet();
    let mut own = Limits::default();
    limits(&mut own);
    policy.registered.push(Registration {
        selector: Selector::Address("192.168.1.23".parse().unwrap()),
        name: Some("Laptop".to_owned()),
        group: Some("kids".to_owned()),
        limits: own,
        muted: false,
    });
    policy
}

fn alerts(recording: &Recording, policy: &Policy) -> Vec<String> {
    let outcome = recording.play(policy).unwrap();
    let alerts = outcome.report.alerts.iter();
    alerts
        .map(|alert| {
            let rule = alert.rule.as_str();
            let start = alert.started_at.get(..16).unwrap();
            let basis = match alert.basis {
                Some(Basis::Peak) => "~",
                Some(Basis::Average) => "=",
                None => "",
            };
            format!("{basis}{rule} {} {} {start}", alert.device, alert.name)
        })
        .collect()
}

/// 600 MB between ten and eleven, each day.
fn evenings(days: i64) -> Vec<SavedHistory> {
    let minutes = (0..days).flat_map(|day| (600..660).map(move |minute| day * DAY + minute));
    minutes
        .map(|minute| moved(LAPTOP, minute, 10_000_000, 0))
        .collect()
}

#[tokio::test]
async fn a_volume_is_told_once_a_day_at_its_minute_whoever_old_it_is() {
    let directory = tempfile::tempdir().unwrap();
    // So many days that the first ones are kept by quarters only.
    recorded(&directory, 9, &evenings(9)).await;
    let recording = open(&directory);
    let policy = registered(|own| own.volume.value.total = Setting::At(295_000_000));
    let told = alerts(&recording, &policy);
    assert_eq!(told.len(), 9, "{told:?}");
    for (day, told) in (2..).zip(told) {
        let expected = format!("volume {LAPTOP} Laptop 2026-03-{day:02}T10:30");
        assert_eq!(told, expected);
    }
    let outcome = recording.play(&policy).unwrap();
    assert_eq!(outcome.report.read.bytes, 9 * 600_000_000);
    let tiers: Vec<Tier> = outcome.parts.iter().map(|(tier, _)| *tier).collect();
    assert_eq!(tiers, [Tier::Minute, Tier::Quarter]);
    assert_eq!(outcome.report.tallies()[0].alerts, 9);
}

#[tokio::test]
async fn days_without_anything_are_not_known() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = evenings(1);
    history.push(moved(LAPTOP, 4 * DAY, 1, 0));
    recorded(&directory, 5, &history).await;
    let policy = registered(|own| own.silent.value = Setting::At(Duration::from_secs(50 * 60)));
    let recording = open(&directory);
    assert_eq!(alerts(&recording, &policy), [""; 0]);
    let warnings = recording.play(&policy).unwrap().report.warnings;
    assert!(
        warnings[0].starts_with("places where nothing"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_rate_is_sure_by_its_average_and_possible_by_its_peak() {
    let directory = tempfile::tempdir().unwrap();
    let mut history: Vec<_> = (0..120)
        .map(|minute| moved(LAPTOP, minute, 1_000_000, 0))
        .collect();
    // 2 MB/s for a minute, then 20 s of it in another, then an instant of it.
    history[10] = moved(LAPTOP, 10, 120_000_000, 2_000_000);
    history[11] = moved(LAPTOP, 11, 120_000_000, 2_000_000);
    history[50] = moved(LAPTOP, 50, 40_000_000, 2_000_000);
    history[80] = moved(LAPTOP, 80, 4_000_000, 2_000_000);
    recorded(&directory, 1, &history).await;
    let policy = registered(|own| own.rate.value.total = Setting::At(1_500_000));
    let expected = [
        format!("=rate {LAPTOP} Laptop 2026-03-02T00:10"),
        format!("~rate {LAPTOP} Laptop 2026-03-02T00:50"),
    ];
    assert_eq!(alerts(&open(&directory), &policy), expected);
}

#[tokio::test]
async fn groups_and_interfaces_have_totals() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = evenings(2);
    let wire = history.iter().map(|each| SavedHistory {
        subject: interface_id("br-lan").into(),
        ..each.clone()
    });
    history.extend(wire.collect::<Vec<_>>());
    recorded(&directory, 2, &history).await;
    let mut policy = registered(|_| {});
    let mut total = Limits::default();
    total.volume.value.total = Setting::At(500_000_000);
    policy.interfaces.insert("br-lan".to_owned(), total.clone());
    let group = Group {
        total,
        ..Group::default()
    };
    policy.groups.insert("kids".to_owned(), group);
    let mut told = alerts(&open(&directory), &policy);
    told.sort();
    let expected = [
        "volume group:kids kids 2026-03-02T10:50",
        "volume group:kids kids 2026-03-03T10:50",
        "volume interface:br-lan br-lan 2026-03-02T10:50",
        "volume interface:br-lan br-lan 2026-03-03T10:50",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_device_that_was_known_before_is_not_new() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = evenings(3);
    let stranger = "02:00:00:00:00:99";
    history.extend((0..30).map(|minute| moved(stranger, 2 * DAY + 630 + minute, 1_000_000, 0)));
    recorded(&directory, 3, &history).await;
    let mut policy = quiet();
    policy.unknown.new_device.value.watch = Setting::At(());
    policy.unknown.new_device.value.learn = Some(Duration::ZERO);
    let told = alerts(&open(&directory), &policy);
    let expected = format!("new_device {stranger} {stranger} 2026-03-04T10:31");
    assert_eq!(told, [expected]);
}

#[tokio::test]
async fn suggestions_keep_their_promise_on_what_they_were_made_of() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = evenings(14);
    // Once there was much more, and it took longer.
    history.extend((705..855).map(|minute| moved(LAPTOP, 3 * DAY + minute, 20_000_000, 900_000)));
    recorded(&directory, 14, &history).await;
    let policy = registered(|own| own.volume.value.total = Setting::At(100_000_000));
    let recording = open(&directory);
    let proposals = suggest(&recording, &policy, 0.5).unwrap().proposals;
    let shown: Vec<String> = proposals
        .iter()
        .map(|it| {
            let (rule, written) = (it.rule.as_str(), it.written.as_deref());
            let (before, after) = (it.present_alerts, it.alerts);
            format!(
                "{} {rule} {before} {} {after}",
                it.name,
                written.unwrap_or("-")
            )
        })
        .collect();
    let expected = [
        "Laptop volume 14 800 MB 1",
        "Laptop active_time 0 1h15m 1",
        "Laptop rate 0 2 Mbit/s 1",
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        suggest(&recording, &policy, 0.5).unwrap().proposals,
        proposals
    );
    let never = suggest(&recording, &policy, 0.0).unwrap().proposals;
    assert!(never.iter().all(|it| it.alerts == 0), "{never:?}");
    assert_eq!(never[0].written.as_deref(), Some("5 GB"));
}

#[tokio::test]
async fn a_few_days_suggest_nothing() {
    let directory = tempfile::tempdir().unwrap();
    recorded(&directory, 3, &evenings(3)).await;
    let suggestions = suggest(&open(&directory), &quiet(), 0.5).unwrap();
    assert_eq!((suggestions.days, suggestions.proposals.len()), (3, 0));
}
