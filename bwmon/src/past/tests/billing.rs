//! Percentiles and billing cycles.

use super::*;

#[tokio::test]
async fn percentiles_are_of_steps_with_and_without_traffic() {
    let mut kept = Kept::new("UTC");
    let start = at("2026-03-01T00:00:00Z");
    let mut history = Vec::new();
    // 100 steps of five minutes: the TV is at work in ten of them, more in each.
    for step in 0..100_u64 {
        let at = start + Duration::from_secs(step * 300 + 60);
        history.push(moved("lap", at, 300, 0));
        if step % 10 == 0 {
            history.push(moved("tv", at, 30_000 * (1 + step / 10), 0));
        }
    }
    let end = start + Duration::from_secs(100 * 300);
    kept.write(end, history).await;
    let past = kept.past(Present::default());
    let report = ask(
        &past,
        ReportAsked {
            p95: true,
            ..ReportAsked::default()
        },
    );
    assert_eq!(report.p95_step_seconds, Some(300));
    let rates: Vec<_> = report
        .rows
        .iter()
        .map(|row| (row.id.as_str(), row.p95_sent_rate, row.p95_received_rate))
        .collect();
    // The sixth largest of ten, over 300 s.
    assert_eq!(
        rates,
        [("tv", Some(500), Some(1_000)), ("lap", Some(1), Some(2))]
    );
    assert_eq!(report.sum.p95_sent_rate, Some(501));
    let without = ask(&past, ReportAsked::default());
    assert_eq!(without.rows[0].p95_sent_rate, None);
}

#[tokio::test]
async fn a_billing_cycle_has_its_quota_and_what_it_will_end_with() {
    let mut kept = Kept::new("UTC");
    let mut day = at("2026-02-01T00:00:00Z");
    for _ in 0..50 {
        let noon = day + Duration::from_secs(12 * 3600);
        let records = vec![moved("tv", noon, 1_000, 0), moved("lap", noon, 100, 0)];
        kept.write(noon + Duration::from_secs(60), records).await;
        day += Duration::from_secs(24 * 3600);
    }
    let mut tv = fixture::device("tv", &[]);
    // A third of it was in free hours.
    tv.cycle = Some(CycleView {
        from: "2026-03-01".to_owned(),
        until: "2026-04-01".to_owned(),
        sent: 22 * 1_000 * 2 / 3,
        received: 22 * 2_000 * 2 / 3,
        quota: Some(60_000),
        ..CycleView::default()
    });
    let past = kept.past(Present {
        now: Some(at("2026-03-23T00:00:00Z")),
        devices: devices(vec![tv]),
        ..Present::default()
    });
    let asked = ReportAsked {
        period: Some(Period::Cycle),
        ..ReportAsked::default()
    };
    let report = ask(&past, asked);
    assert_eq!(report.from, "2026-03-01T00:00:00+00:00");
    let cycle = |row: &Row| row.cycle.clone().unwrap();
    let tv = cycle(&report.rows[0]);
    assert_eq!((tv.used, tv.quota), (43_999, Some(60_000)));
    let forecast = tv.forecast.unwrap();
    assert_eq!(forecast.method, Method::Weekday);
    assert_eq!(forecast.bytes, 43_999 + 9 * 2_000);
    let lap = cycle(&report.rows[1]);
    assert_eq!((lap.used, lap.quota), (22 * 300, None));
    assert_eq!(lap.forecast.unwrap().bytes, 6_600 + 9 * 300);
    assert_eq!(cycle(&report.sum).used, report.sum.total);
    // A cycle that is over has no forecast.
    let before = ReportAsked {
        period: Some(Period::Cycle),
        from: Some("2026-02-10".to_owned()),
        ..ReportAsked::default()
    };
    assert!(
        ask(&past, before)
            .rows
            .iter()
            .all(|row| row.cycle.is_none())
    );
}

#[tokio::test]
async fn nothing_is_known_of_an_empty_database() {
    let mut kept = Kept::new("UTC");
    kept.write(at("2026-03-01T00:00:00Z"), Vec::new()).await;
    let past = kept.past(Present::default());
    let answer = past.answer_history(&HistoryAsked::default()).unwrap();
    assert_eq!(answer.points, []);
    let asked = ReportAsked {
        p95: true,
        period: Some(Period::Cycle),
        ..ReportAsked::default()
    };
    let report = ask(&past, asked);
    assert_eq!((report.count, report.sum.total), (0, 0));
    assert_eq!(time_of(DAY).as_second(), 86_400);
}
