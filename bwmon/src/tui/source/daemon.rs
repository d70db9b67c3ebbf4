//! Samples of a daemon, by `GET /api/v1/stream`, and the past by `GET /api/v1/history`.

use std::{convert::Infallible, future::pending, time::Duration};

use tokio::{
    select,
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Closed, Outlet, Update,
    events::{Event, EventError, Events},
};
use crate::{
    chain::chain,
    cli::{Client, ClientError, Following},
    http::StatusReport,
    live::LiveSnapshot,
    past::HistoryAnswer,
    tui::model::{Past, Span, Want},
};

const STREAM: &str = "/api/v1/stream";
const HISTORY: &str = "/api/v1/history";
const STATUS: &str = "/api/v1/status";

/// Between two tries; the first comes sooner.
const RETRY: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// Silence after which a connection is dead: more than two of the stream's comments are missing.
const DEAD: Duration = Duration::from_secs(40);
/// A sample is missed when it is so many times as late as samples are apart, and so late at least.
const LATE: f64 = 3.0;
const LEAST_LATE: Duration = Duration::from_secs(3);
/// How often the past is asked for again.
const PAST_EVERY: Duration = Duration::from_secs(60);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error("bwmon has ended")]
    Ended,
    #[error("bwmon is silent")]
    Dead,
    #[error("nobody looks on")]
    Closed,
}

impl From<Closed> for Broken {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// Brings them until that is over.
pub(super) async fn follow(client: Client, outlet: Outlet) -> anyhow::Result<()> {
    let end = outlet.end.clone();
    select! {
        () = end.cancelled() => {}
        _ = samples(&client, &outlet) => {}
        _ = past(&client, &outlet, outlet.want.clone()) => {}
    }
    Ok(())
}

async fn samples(client: &Client, outlet: &Outlet) -> Result<Infallible, Closed> {
    loop {
        let mut has_come = false;
        let broken = match stream(client, outlet, &mut has_come).await {
            Err(Broken::Closed) => return Err(Closed),
            Err(broken) => broken,
            Ok(never) => match never {},
        };
        log::debug!("the stream broke: {broken}");
        outlet
            .send(Update::Lost(chain(&broken).to_string()))
            .await?;
        sleep(if has_come { FIRST_RETRY } else { RETRY }).await;
    }
}

/// One connection.
async fn stream(
    client: &Client,
    outlet: &Outlet,
    has_come: &mut bool,
) -> Result<Infallible, Broken> {
    // It may be another machine by now.
    let status: StatusReport = client.get(STATUS, &[]).await?;
    outlet.send(Update::Host(status.host)).await?;
    let mut stream = client.follow(STREAM).await?;
    let mut events = Events::default();
    let mut patience = LEAST_LATE;
    loop {
        let piece = match timeout(patience, stream.piece()).await {
            Ok(piece) => piece?.ok_or(Broken::Ended)?,
            Err(_) => {
                let reason = format!("bwmon takes no samples, or {} is slow", client.endpoint());
                outlet.send(Update::Lost(reason)).await?;
                let piece = timeout(DEAD, stream.piece()).await;
                piece.map_err(|_| Broken::Dead)??.ok_or(Broken::Ended)?
            }
        };
        for event in events.feed(piece.as_ref())? {
            if let Some(update) = read(&stream, &event)? {
                if let Update::Sample(sample) = &update {
                    patience = late(sample);
                    *has_come = true;
                }
                outlet.send(update).await?;
            }
        }
    }
}

fn read(stream: &Following, event: &Event) -> Result<Option<Update>, ClientError> {
    Ok(match event.name.as_str() {
        "snapshot" => Some(Update::Sample(stream.read(&event.data)?)),
        "alert" => Some(Update::Alert(stream.read(&event.data)?)),
        // Of a newer bwmon.
        _ => None,
    })
}

/// When the sample after this one is late.
fn late(sample: &LiveSnapshot) -> Duration {
    let interval = sample.status.poll.interval_seconds;
    Duration::try_from_secs_f64(interval * LATE)
        .unwrap_or(LEAST_LATE)
        .clamp(LEAST_LATE, DEAD)
}

/// Tells what is wanted of the past.
async fn past(
    client: &Client,
    outlet: &Outlet,
    mut wanted: watch::Receiver<Option<Want>>,
) -> Result<Infallible, Closed> {
    loop {
        let want = wanted.borrow_and_update().clone();
        let answered = async {
            let Some(want) = want else {
                return pending().await;
            };
            loop {
                let past = ask(client, &want).await;
                outlet.send(Update::Past(want.clone(), past)).await?;
                sleep(PAST_EVERY).await;
            }
        };
        select! {
            changed = wanted.changed() => changed.map_err(|_| Closed)?,
            closed = answered => return closed,
        }
    }
}

async fn ask(client: &Client, want: &Want) -> Past {
    let from = match want.span {
        Span::Minutes => "-10m",
        Span::Day => "-24h",
        Span::Week => "-7d",
        Span::Month => "-30d",
    };
    let mut query = vec![("device", want.device.as_str()), ("from", from)];
    if want.span == Span::Minutes {
        // Sample by sample.
        query.push(("step", "1s"));
    }
    match client.get::<HistoryAnswer>(HISTORY, &query).await {
        Ok(answer) => Past::Known(answer.into()),
        Err(error) => Past::Failed(chain(&error).to_string()),
    }
}
