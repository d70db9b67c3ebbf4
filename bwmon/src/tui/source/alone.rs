//! Samples of the engine in this process: nothing listens, nothing is written, and nothing is left
//! when it ends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use tokio::{select, sync::watch};

use super::{Closed, Outlet, Update};
use crate::{
    config::Config,
    core::{
        history::Sample,
        meter::RATE_TIME_CONSTANT,
        time::rfc3339,
        view::{DeviceView, Snapshot},
    },
    engine, kernel,
    live::{Live, LiveSnapshot, News},
    tui::model::{Chart, Past, Span, Step, Want},
};

/// How long smoothing has something to make good for, in its time constants.
const MADE_GOOD: f64 = 7.0;
/// How often the past is told again.
const PAST_EVERY: Duration = Duration::from_secs(5);

/// Counter until that is over.
pub(super) async fn count(config: Config, outlet: Outlet) -> anyhow::Result<()> {
    let zone = config.timezone.clone();
    let (snapshot, snapshots) = watch::channel(Arc::default());
    let engine = engine::run_alone(config, snapshot, outlet.end.clone());
    let told = async {
        if let Err(Closed) = tell(&outlet, snapshots, &zone).await {
            log::debug!("nobody looks on any more");
        }
        // Not before the programs are gone.
        outlet.end.cancel();
    };
    let (counted, ()) = tokio::join!(engine, told);
    Ok(counted?)
}

async fn tell(
    outlet: &Outlet,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    zone: &TimeZone,
) -> Result<(), Closed> {
    let mut live = Live::default();
    let mut wanted = outlet.want.clone();
    let mut since = None;
    let mut past_at = None;
    loop {
        select! {
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let snapshot = Arc::clone(&snapshots.borrow_and_update());
                if snapshot.status.sampled_at.is_none() {
                    continue;
                }
                let now = Instant::now();
                if since.is_none() {
                    outlet.send(Update::Host(kernel::host_name())).await?;
                }
                let since = *since.get_or_insert(now);
                let News { alerts, snapshot } = live.next(&snapshot);
                for alert in alerts {
                    outlet.send(Update::Alert(alert)).await?;
                }
                let snapshot = made_good(snapshot, now.duration_since(since));
                outlet.send(Update::Sample(Box::new(snapshot))).await?;
                let is_due = past_at.is_some_and(|at| now.duration_since(at) >= PAST_EVERY);
                if !is_due {
                    continue;
                }
            }
            changed = wanted.changed() => changed.map_err(|_| Closed)?,
        }
        let want = wanted.borrow_and_update().clone();
        past_at = want.as_ref().map(|_| Instant::now());
        if let Some(want) = want {
            let recent = Arc::clone(&snapshots.borrow().recent);
            let past = past(&want, &recent, zone);
            outlet.send(Update::Past(want, past)).await?;
        }
    }
}

/// Smoothed rates begin at nothing, so they are too low until that is forgotten. Who has just begun
/// to count knows by how much: what was before weighs exp(−t/τ).
fn made_good(mut snapshot: LiveSnapshot, counted: Duration) -> LiveSnapshot {
    let age = counted.as_secs_f64() / RATE_TIME_CONSTANT.as_secs_f64();
    if age <= 0.0 || age > MADE_GOOD {
        return snapshot;
    }
    let factor = 1.0 / (1.0 - (-age).exp());
    let more = |rate: u64| (rate as f64 * factor).round() as u64;
    for device in &mut snapshot.devices {
        let view: &DeviceView = device;
        *device = Arc::new(DeviceView {
            sent_rate: more(view.sent_rate),
            received_rate: more(view.received_rate),
            ..view.clone()
        });
    }
    snapshot
}

fn past(want: &Want, recent: &[Arc<Sample>], zone: &TimeZone) -> Past {
    if want.span != Span::Minutes {
        let reason = "not known without a daemon that keeps history (bwmon run)";
        return Past::Failed(reason.to_owned());
    }
    let steps = recent.iter().map(|sample| {
        let mut moved = sample.moved.iter();
        let row = moved
            .find(|(id, _)| **id == *want.device)
            .map(|(_, moved)| moved.row);
        Step {
            seconds: sample.elapsed.as_secs_f64(),
            sent: row.map_or(0, |row| row.sent.bytes),
            received: row.map_or(0, |row| row.received.bytes),
        }
    });
    let (Some(first), Some(last)) = (recent.first(), recent.last()) else {
        return Past::Failed("nothing was counted yet".to_owned());
    };
    let from = first.at.saturating_sub(first.elapsed);
    Past::Known(Chart {
        from: rfc3339(from.unwrap_or(first.at), zone),
        to: rfc3339(last.at, zone),
        steps: steps.collect(),
    })
}

#[cfg(test)]
mod tests {
    use bwmon_common::layout::{Counter, Row};
    use jiff::Timestamp;

    use super::*;
    use crate::{core::history::Moved, http::fixture};

    #[test]
    fn a_steady_rate_is_right_from_the_second_sample_on() {
        for seconds in [1_u64, 3, 10, 60] {
            let smoothed = 1e6 * (1.0 - (-(seconds as f64) / 5.0).exp());
            let mut device = fixture::device("a", &[]);
            device.sent_rate = smoothed as u64;
            let snapshot = LiveSnapshot {
                devices: vec![Arc::new(device)],
                ..LiveSnapshot::default()
            };
            let shown = made_good(snapshot, Duration::from_secs(seconds)).devices[0].sent_rate;
            assert!(
                (999_000..=1_001_000).contains(&shown),
                "{seconds} s: {shown}"
            );
        }
    }

    #[test]
    fn the_past_is_what_the_samples_say() {
        let sample = |second, id: &str| {
            let row = Row {
                sent: Counter {
                    bytes: 100,
                    packets: 1,
                },
                ..Row::default()
            };
            let moved = Moved {
                row,
                ..Moved::default()
            };
            Arc::new(Sample {
                at: Timestamp::from_second(second).unwrap(),
                elapsed: Duration::from_secs(1),
                moved: vec![(id.into(), moved)],
            })
        };
        let recent = [sample(10, "a"), sample(11, "b")];
        let mut want = Want {
            device: "a".to_owned(),
            span: Span::Minutes,
        };
        let Past::Known(chart) = past(&want, &recent, &TimeZone::UTC) else {
            panic!("it is known");
        };
        assert!(
            chart.from.starts_with("1970-01-01T00:00:09"),
            "{}",
            chart.from
        );
        let sent: Vec<u64> = chart.steps.iter().map(|step| step.sent).collect();
        assert_eq!(sent, [100, 0]);
        want.span = Span::Day;
        assert!(matches!(
            past(&want, &recent, &TimeZone::UTC),
            Past::Failed(_)
        ));
        want.span = Span::Minutes;
        assert!(matches!(past(&want, &[], &TimeZone::UTC), Past::Failed(_)));
    }
}
