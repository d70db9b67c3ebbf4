//! `GET /api/v1/stream`: every sample as it is taken, and alerts at once, as server-sent events.
//!
//! Who reads too slowly misses samples, never learns of them late: an event is made when the last one
//! has been sent. It is made piece by piece, so that a stream costs no more than one piece.

use std::{collections::VecDeque, future::pending, io, iter, mem, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{App, array::Array, problem::Problem};
use crate::{
    config::Secret,
    core::view::Snapshot,
    live::{Live, LiveSnapshot, News},
};

/// Streams at a time, so that they leave connections for others.
pub(super) const MOST: usize = 16;

/// Silence after which a comment is sent, so that nobody in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Places for streams.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    places: Arc<Semaphore>,
    /// No stream outlives it.
    shutdown: CancellationToken,
    pub(super) keep_alive: Duration,
}

impl Streams {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST)),
            shutdown,
            keep_alive: KEEP_ALIVE,
        }
    }
}

/// Server-sent events: `snapshot` with each sample, and `alert` at once when one fires, ends, is
/// taken care of or muted.
///
/// The data of an event is one line of JSON: of `alert`, an alert as `alerts` has it; of `snapshot`,
/// the members `at`, `full`, `status`, `interfaces`, `channels`, `alerts`, `mutes`, `gone` and
/// `devices`. The first has all devices (`full`), those that follow have the ones that changed, and
/// in `gone` the ids of those that are no more. `alerts` (the open ones) and `mutes` are `null`
/// while they are what they were. Who reads slowly misses samples; each event is of the newest. The
/// stream ends when bwmon does, or when another token is needed.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "service",
    responses(
        (status = 200, content_type = "text/event-stream", body = String, description = "The events."),
        (status = 503, description = "There are 16 streams already."),
    ),
)]
pub(super) async fn stream(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&app.streams.places).try_acquire_owned() else {
        let detail = format!("there are {MOST} streams already; close one, or ask for the lists");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    };
    let mut snapshots = app.snapshot.clone();
    // The first event is of what is there already.
    snapshots.mark_changed();
    let follower = Follower {
        snapshots,
        shown: app.token.borrow().clone(),
        token: app.token.clone(),
        shutdown: app.streams.shutdown.clone(),
        keep_alive: app.streams.keep_alive,
        live: Live::default(),
        pieces: Pieces::default(),
        _place: place,
    };
    let body = stream::unfold(follower, async |mut follower| {
        let piece = follower.piece().await?;
        Some((piece, follower))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // Some proxies hold an answer back until it is whole.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, Body::from_stream(body)).into_response())
}

/// One who reads a stream.
struct Follower {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    token: watch::Receiver<Option<Secret>>,
    /// The token that let it in.
    shown: Option<Secret>,
    shutdown: CancellationToken,
    keep_alive: Duration,
    live: Live,
    pieces: Pieces,
    _place: OwnedSemaphorePermit,
}

/// What is left of the events that are being sent.
type Piece = io::Result<Bytes>;
type Pieces = VecDeque<Box<dyn Iterator<Item = Piece> + Send>>;

impl Follower {
    /// The next piece; `None` at the end.
    async fn piece(&mut self) -> Option<Piece> {
        loop {
            while let Some(event) = self.pieces.front_mut() {
                match event.next() {
                    Some(piece) => return Some(piece),
                    None => drop(self.pieces.pop_front()),
                }
            }
            let shown = self.shown.as_ref();
            let told = select! {
                () = self.shutdown.cancelled() => return None,
                () = replaced(&mut self.token, shown) => return None,
                told = timeout(self.keep_alive, self.snapshots.changed()) => told,
            };
            match told {
                Ok(Ok(())) => {
                    let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
                    self.pieces = events(self.live.next(&snapshot));
                }
                // The loop has ended.
                Ok(Err(_)) => return None,
                Err(_) => return Some(Ok(Bytes::from_static(b":\n\n"))),
            }
        }
    }
}

/// Waits until the token is another one.
async fn replaced(token: &mut watch::Receiver<Option<Secret>>, shown: Option<&Secret>) {
    if token
        .wait_for(|token| token.as_ref() != shown)
        .await
        .is_err()
    {
        // There will be no other.
        pending::<()>().await;
    }
}

fn events(news: News) -> Pieces {
    let News { alerts, snapshot } = news;
    let mut pieces = Pieces::new();
    for alert in alerts {
        pieces.push_back(Box::new(iter::once(event("alert", &alert))));
    }
    pieces.push_back(snapshot_event(snapshot));
    pieces
}

fn event<T: Serialize>(name: &str, data: &T) -> Piece {
    let data = serde_json::to_string(data)?;
    Ok(format!("event: {name}\ndata: {data}\n\n").into())
}

/// All but the devices is short.
fn snapshot_event(mut snapshot: LiveSnapshot) -> Box<dyn Iterator<Item = Piece> + Send> {
    let devices = mem::take(&mut snapshot.devices).into_iter();
    let head = match serde_json::to_string(&snapshot) {
        Ok(head) => head,
        Err(error) => return Box::new(iter::once(Err(error.into()))),
    };
    // What is left out comes last.
    let Some(head) = head.strip_suffix("[]}") else {
        let error = io::Error::other("the devices are not the last member of a snapshot");
        return Box::new(iter::once(Err(error)));
    };
    let head = Bytes::from(format!("event: snapshot\ndata: {head}"));
    Box::new(
        iter::once(Ok(head))
            .chain(Array::of(devices).map(|piece| piece.map(Bytes::from)))
            .chain(iter::once(Ok(Bytes::from_static(b"}\n\n")))),
    )
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
