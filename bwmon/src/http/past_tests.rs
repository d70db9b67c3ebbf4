//! The past, over HTTP: what is answered when, and in what form.

use std::time::Duration;

use bwmon_common::layout::{Counter, Row};
use jiff::{Timestamp, tz::TimeZone};

use super::*;
use crate::{
    core::{
        history::{Moved, Peak},
        ledger::SavedHistory,
    },
    http::Archive,
    store::{Checkpoint, Outcome, Store, minute_of},
};

/// A household, and what its laptop and its TV moved in the last hour.
async fn household_with_a_past() -> (tempfile::TempDir, World) {
    let directory = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    let zone = TimeZone::UTC;
    let today = now.to_zoned(zone.clone()).date();
    let (mut store, _) = Store::open(directory.path(), today).unwrap();
    let record = |subject: &str, bytes| SavedHistory {
        subject: subject.into(),
        name: Some("=evil".to_owned()),
        group: None,
        minute: minute_of(now) - 30,
        moved: Moved {
            row: Row {
                sent: Counter { bytes, packets: 1 },
                ..Row::default()
            },
            peak: Peak::default(),
        },
    };
    store.write(Checkpoint {
        at: now - Duration::from_secs(60),
        history: vec![record("02:00:00:00:00:05", 100), record("tv", 300)],
        ..Checkpoint::default()
    });
    let outcome = store.outcome().await;
    assert!(matches!(outcome, Outcome::Durable(_)), "{outcome:?}");
    let mut world = household();
    world.archive = Archive::new(store.history(), zone);
    store.close().await.unwrap();
    (directory, world)
}

#[tokio::test]
async fn the_past_is_told_in_both_forms() {
    let (_directory, world) = household_with_a_past().await;
    let history = get(&world, "/api/v1/history?device=192.168.1.5&step=1h").await;
    assert_eq!(history.status, 200, "{}", history.text);
    let history = history.json();
    assert_eq!(history["device"], "02:00:00:00:00:05");
    assert_eq!(history["name"], "Laptop");
    let points = history["points"].as_array().unwrap();
    let sent: u64 = points
        .iter()
        .map(|point| point["sent"].as_u64().unwrap())
        .sum();
    assert_eq!(sent, 100);

    let report = get(&world, "/api/v1/report?from=-2h&top=1").await.json();
    assert_eq!(report["rows"][0]["id"], "tv");
    assert_eq!(report["rest"]["sent"], 100);
    assert_eq!(report["sum"]["sent"], 400);
    assert_eq!(report["count"], 2);
    let page = get(&world, "/api/v1/report?from=-2h&limit=1&offset=1")
        .await
        .json();
    assert_eq!(page["rows"][0]["name"], "Laptop");
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    assert_eq!(page["sum"]["sent"], 400);

    let table = get(&world, "/api/v1/report?from=-2h&format=csv").await;
    assert_eq!(
        table.headers[header::CONTENT_TYPE],
        "text/csv; charset=utf-8; header=present"
    );
    let lines: Vec<&str> = table.text.lines().collect();
    assert!(
        lines[0].starts_with("id,name,group,sent,received,"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("tv,'=evil,,300,0,"), "{}", lines[1]);
    assert!(lines[3].starts_with("sum,sum,,400,"), "{}", lines[3]);
    let request = Request::get("/api/v1/history?step=1h")
        .header(header::HOST, "localhost:4000")
        .header(header::ACCEPT, "text/csv");
    let table = ask(&world, request.body(Body::empty()).unwrap()).await;
    assert!(
        table.text.starts_with("at,seconds,sent,received,"),
        "{}",
        table.text
    );
}

#[tokio::test]
async fn what_cannot_be_answered_is_said_so() {
    let (_directory, world) = household_with_a_past().await;
    for (path, status, detail) in [
        (
            "history?device=nobody",
            404,
            "there is no device, group or interface \"nobody\"",
        ),
        ("history?from=soon", 400, "\"soon\" is no time"),
        (
            "history?from=-1h&to=-2h",
            400,
            "it must end after it begins",
        ),
        ("history?step=soon", 400, "\"soon\" is no step"),
        ("history?steps=1h", 400, "there is no parameter \"steps\""),
        ("report?period=day&to=now", 400, "a period ends by itself"),
        ("report?top=0", 400, "a whole number from 1 to 1000"),
    ] {
        let answer = get(&world, &format!("/api/v1/{path}")).await;
        check_detail(&answer, status, detail);
    }
}

#[tokio::test]
async fn a_past_that_cannot_be_read_is_unavailable() {
    let answer = get(&household(), "/api/v1/report").await;
    check_detail(&answer, 503, "cannot read history from /nonexistent");
}

fn check_detail(answer: &Answer, status: u16, part: &str) {
    let detail = answer.json()["detail"].as_str().map(str::to_owned);
    check_problem(
        answer,
        status,
        StatusCode::from_u16(status)
            .unwrap()
            .canonical_reason()
            .unwrap(),
        detail.as_deref().unwrap(),
    );
    assert!(
        answer.text.contains(&part.replace('"', "\\\"")),
        "{}",
        answer.text
    );
}
