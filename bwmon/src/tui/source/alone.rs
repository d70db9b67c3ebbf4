//! Samples of the engine in this process: nothing listens, nothing is written, and nothing is left
//! when it ends.

use std::{
    collections::HashMap,
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
        view::{DeviceView, InterfaceView, Snapshot},
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
        let told = tell(&outlet, snapshots, &zone).await;
        // It is over when the programs are gone.
        outlet.end.cancel();
        told
    };
    let (counted, told) = tokio::join!(engine, told);
    counted?;
    match told {
        Err(Ended::NothingToCount(reason)) => anyhow::bail!(reason),
        Err(Ended::Closed) | Ok(()) => Ok(()),
    }
}

/// Why nothing more is told.
enum Ended {
    /// Nobody looks on any more.
    Closed,
    /// There is no such interface, in words.
    NothingToCount(String),
}

impl From<Closed> for Ended {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

async fn tell(
    outlet: &Outlet,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    zone: &TimeZone,
) -> Result<(), Ended> {
    let mut live = Live::default();
    let mut wanted = outlet.want.clone();
    let mut beginning = None;
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
                let News { alerts, snapshot: mut news } = live.next(&snapshot);
                match &beginning {
                    None => {
                        need_interface(&snapshot)?;
                        outlet.send(Update::Host(kernel::host_name())).await?;
                        beginning = Some(Beginning::of(&news, now));
                    }
                    Some(beginning) => beginning.make_good(&mut news, now),
                }
                for alert in alerts {
                    outlet.send(Update::Alert(alert)).await?;
                }
                outlet.send(Update::Sample(Box::new(news))).await?;
                if past_at.is_none_or(|at| now.duration_since(at) < PAST_EVERY) {
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

/// A daemon waits for an interface to come; who looks on has mistyped it.
fn need_interface(snapshot: &Snapshot) -> Result<(), Ended> {
    if snapshot.interfaces.iter().any(|one| one.attached) {
        return Ok(());
    }
    let why = match snapshot.interfaces.first() {
        Some(InterfaceView {
            name,
            note: Some(note),
            ..
        }) => format!("{name}: {note}"),
        _ => "no interface has such a name".to_owned(),
    };
    let counters = kernel::link_counters().unwrap_or_default();
    let mut names: Vec<&str> = counters.keys().map(String::as_str).collect();
    names.sort_unstable();
    Err(Ended::NothingToCount(format!(
        "{why}; there are {}",
        names.join(", ")
    )))
}

/// Smoothed rates begin at nothing, so they are too low until that is forgotten. Who has just begun to
/// count knows by how much: of a rate after the first sample exp(−t/τ) is left after the time t.
struct Beginning {
    at: Instant,
    /// Sent and received after the first sample, by id.
    first: HashMap<String, (u64, u64)>,
}

impl Beginning {
    fn of(sample: &LiveSnapshot, at: Instant) -> Self {
        let devices = sample.devices.iter();
        let first = devices.map(|device| {
            let rates = (device.sent_rate, device.received_rate);
            (device.id.clone(), rates)
        });
        Self {
            at,
            first: first.collect(),
        }
    }

    fn make_good(&self, sample: &mut LiveSnapshot, now: Instant) {
        let age = now.duration_since(self.at).as_secs_f64() / RATE_TIME_CONSTANT.as_secs_f64();
        if age <= 0.0 || age > MADE_GOOD {
            return;
        }
        let left = (-age).exp();
        let made_good =
            |rate: u64, first: u64| ((rate as f64 - first as f64 * left) / (1.0 - left)) as u64;
        for device in &mut sample.devices {
            let (sent, received) = self.first.get(&device.id).copied().unwrap_or_default();
            *device = Arc::new(DeviceView {
                sent_rate: made_good(device.sent_rate, sent),
                received_rate: made_good(device.received_rate, received),
                ..DeviceView::clone(device)
            });
        }
    }
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

    fn sample(rate: f64) -> LiveSnapshot {
        let mut device = fixture::device("a", &[]);
        device.sent_rate = rate as u64;
        LiveSnapshot {
            devices: vec![Arc::new(device)],
            ..LiveSnapshot::default()
        }
    }

    #[test]
    fn a_steady_rate_is_right_from_the_second_sample_on() {
        let at = Instant::now();
        for first in [0.0, 20_000.0, 180_000.0] {
            let beginning = Beginning::of(&sample(first), at);
            for seconds in [1_u64, 3, 10, 60] {
                let left = (-(seconds as f64) / 5.0).exp();
                let mut smoothed = sample(1e6 * (1.0 - left) + first * left);
                beginning.make_good(&mut smoothed, at + Duration::from_secs(seconds));
                let shown = smoothed.devices[0].sent_rate;
                assert!(
                    (999_000..=1_001_000).contains(&shown),
                    "{seconds} s: {shown}"
                );
            }
        }
    }

    #[test]
    fn who_names_no_interface_is_told_which_there_are() {
        let mut snapshot = fixture::household();
        assert!(need_interface(&snapshot).is_ok());
        snapshot.interfaces[0].attached = false;
        snapshot.interfaces[0].note = Some("there is no such interface yet".to_owned());
        let Err(Ended::NothingToCount(reason)) = need_interface(&snapshot) else {
            panic!("there is nothing to count");
        };
        let expected = "br-lan: there is no such interface yet; there are ";
        assert!(reason.starts_with(expected), "{reason}");
        assert!(reason.contains("lo"), "{reason}");
        snapshot.interfaces.clear();
        assert!(need_interface(&snapshot).is_err());
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
