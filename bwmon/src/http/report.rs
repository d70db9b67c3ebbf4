//! `GET /api/v1/report`: who moved how much.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;

use super::{
    App,
    conditional::json_unless_had,
    csv::csv_table,
    format::{Format, negotiated},
    problem::Problem,
    query,
};
use crate::{
    core::policy::Scope,
    past::{By, Period, Report, ReportAsked, Row},
};

/// Rows of a page if nobody says how many.
const USUAL_ROWS: usize = query::MAX_LIMIT;

/// What is to be reported.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// When it begins: RFC 3339, a local time or day, or so long ago, as `-24h`. With `period`, a time
    /// within it. Without it, the last midnight.
    #[param(example = "-24h")]
    from: Option<String>,
    /// When it ends, likewise; of a day, its end. Without it, now. Not with `period`.
    #[param(example = "now")]
    to: Option<String>,
    /// A day, week (from Monday on), month or billing cycle, as far as it has come.
    #[param(inline)]
    period: Option<Period>,
    /// What a row is about.
    #[param(inline, default = "device")]
    by: Option<By>,
    /// Which traffic decides on the order and is in `total`. Without it, internet traffic; all on a
    /// machine that does not route.
    #[param(inline)]
    scope: Option<Scope>,
    /// After so many rows, all others are one.
    #[serde(default, deserialize_with = "query::limit")]
    #[param(minimum = 1, maximum = 1000)]
    top: Option<usize>,
    /// Whether 95th percentiles are wanted. It takes longer with them.
    p95: Option<bool>,
    /// How many rows on a page.
    #[serde(default, deserialize_with = "query::limit")]
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<usize>,
    /// How many rows come before this page.
    #[serde(default, deserialize_with = "query::offset")]
    #[param(minimum = 0, maximum = 1_000_000, default = 0)]
    offset: Option<usize>,
    /// What the rows are written in; else it is as the `Accept` header says.
    #[param(inline)]
    format: Option<Format>,
}

/// Who moved how much in a stretch of time, those first who moved most; or how much moved in each of
/// its hours or days.
#[utoipa::path(
    get, path = "/api/v1/report", tag = "history", params(ReportQuery),
    responses(
        (status = 200, description = "The report.", content(
            (Report = "application/json"), (String = "text/csv"),
        )),
        (status = 304),
        (status = 503, description = "History can't be read now; `detail` says why."),
    ),
)]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    query: Result<Query<ReportQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(ReportQuery {
        from,
        to,
        period,
        by,
        scope,
        top,
        p95,
        limit,
        offset,
        format,
    }) = query?;
    let asked = ReportAsked {
        from,
        to,
        period,
        by: by.unwrap_or_default(),
        scope,
        top,
        p95: p95.unwrap_or_default(),
    };
    let mut report = app
        .archive
        .ask(app.snapshot(), move |past| past.answer_report(&asked))
        .await?;
    let page = report.rows.into_iter().skip(offset.unwrap_or_default());
    report.rows = page.take(limit.unwrap_or(USUAL_ROWS)).collect();
    let response = match Format::wanted(format, &headers) {
        Format::Json => json_unless_had(&headers, &report)?,
        Format::Csv => {
            let Report {
                rows, rest, sum, ..
            } = report;
            csv_table::<Row, _>(rows.into_iter().chain(rest).chain([sum]))
        }
    };
    Ok(negotiated(response))
}
