//! `GET /api/v1/history`: what moved over time; and the way to all that is kept of the past.
//!
//! Reading the database may take its time, so it is done on threads of its own, by few at once. The
//! loop and the other routes notice nothing of it.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use tokio::{sync::Semaphore, task, time};

use super::{
    App,
    conditional::json_unless_had,
    csv::csv_table,
    format::{Format, negotiated},
    problem::Problem,
};
use crate::{
    core::view::Snapshot,
    past::{HistoryAnswer, HistoryAsked, Past, PastError, Point, Present},
    store::{History, StoreError},
};

/// Who may read at the same time: a reader may need some megabytes, and a whole CPU.
const READERS: usize = 2;
/// How long others wait for their turn.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is kept of the past, and who reads it.
#[derive(Clone, Debug)]
pub struct Archive {
    history: History,
    zone: TimeZone,
    readers: Arc<Semaphore>,
}

impl Archive {
    /// Hours and days are those of `zone`.
    pub fn new(history: History, zone: TimeZone) -> Self {
        Self {
            history,
            zone,
            readers: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Asks the past, up to what `snapshot` knows.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        snapshot: Arc<Snapshot>,
        question: impl FnOnce(&Past) -> Result<T, PastError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = time::timeout(PATIENCE, Arc::clone(&self.readers).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(unavailable(
                "others read history already; ask again in a few seconds",
            ));
        };
        let (history, zone) = (self.history.clone(), self.zone.clone());
        let answer = task::spawn_blocking(move || {
            // Held until it is done, whether somebody still waits for it or not.
            let _turn = turn;
            let present = Present::of(&snapshot, Timestamp::now());
            let past = Past::open(&history, &zone, present)?;
            question(&past)
        });
        match answer.await {
            Ok(answer) => answer.map_err(Problem::from),
            Err(error) => Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("reading history ended badly: {error}"),
            )),
        }
    }
}

impl From<PastError> for Problem {
    fn from(error: PastError) -> Self {
        let text = error.to_string();
        match error {
            PastError::Unknown(_) => Self::not_found(text),
            PastError::Several { .. } | PastError::Time(_) | PastError::TooMany(_) => {
                Self::bad_request(text)
            }
            PastError::Store(StoreError::Database { .. }) => unavailable(&format!(
                "{text}; if it is locked all the time, the file system of the state directory has \
                 no shared memory, and history can only be read while bwmon does not run"
            )),
            PastError::Store(_) => unavailable(&text),
        }
    }
}

fn unavailable(detail: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

/// Which points are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Whose: a device by its id, address or name, `group:NAME` or `interface:NAME`; without it, all
    /// devices together.
    device: Option<String>,
    /// When it begins: RFC 3339, a local time or day, or so long ago, as `-24h`. Without it, a day
    /// before its end.
    #[param(example = "-24h")]
    from: Option<String>,
    /// When it ends, likewise; of a day, its end. Without it, now.
    #[param(example = "now")]
    to: Option<String>,
    /// How long a step is, as `5m`; the next one that there is and is not shorter. Without it, such
    /// that there are some hundred.
    #[param(example = "5m")]
    step: Option<String>,
    /// What the points are written in; else it is as the `Accept` header says.
    #[param(inline)]
    format: Option<Format>,
}

/// What moved over time, in steps without a gap.
#[utoipa::path(
    get, path = "/api/v1/history", tag = "history", params(HistoryQuery),
    responses(
        (status = 200, description = "The points.", content(
            (HistoryAnswer = "application/json"), (String = "text/csv"),
        )),
        (status = 304),
        (status = 404, description = "Nothing is known of the device, group or interface."),
        (status = 503, description = "History can't be read now; `detail` says why."),
    ),
)]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(HistoryQuery {
        device,
        from,
        to,
        step,
        format,
    }) = query?;
    let asked = HistoryAsked {
        device,
        from,
        to,
        step,
    };
    let answer = app
        .archive
        .ask(app.snapshot(), move |past| past.answer_history(&asked))
        .await?;
    let response = match Format::wanted(format, &headers) {
        Format::Json => json_unless_had(&headers, &answer)?,
        Format::Csv => csv_table::<Point, _>(answer.points.into_iter()),
    };
    Ok(negotiated(response))
}
