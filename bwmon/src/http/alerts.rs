//! `GET /api/v1/alerts`, `alerts/{id}` and `mutes`.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, Uri},
    response::Response,
};
use serde::Deserialize;

use super::{
    App,
    array::json_array,
    conditional::{json_unless_had, unless_had},
    format::Format,
    page::{Page, paged},
    problem::Problem,
    query,
};
use crate::core::view::{AlertState, AlertView, MuteView};

const DEFAULT_LIMIT: usize = 100;

/// Which alerts are wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<AlertState>,
    /// Only those about the device with this id or address, or about `group:NAME` or
    /// `interface:NAME`.
    device: Option<String>,
    /// How many on a page.
    #[serde(default, deserialize_with = "query::limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// Only those that follow the one with this id.
    after: Option<String>,
}

/// Open alerts and the latest 200 that are over; first the open ones, each group newest first.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "alerts", params(AlertQuery),
    responses(
        (status = 200, body = Vec<AlertView>, description = "The alerts."),
        (status = 304),
        (status = 404, description = "There is no alert with the id of `after` any more: begin anew."),
    ),
)]
pub(super) async fn alerts(
    State(app): State<Arc<App>>,
    query: Result<Query<AlertQuery>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(AlertQuery {
        state,
        device,
        limit,
        after,
    }) = query?;
    let snapshot = app.snapshot();
    let start = match after {
        None => 0,
        Some(after) => {
            let mut alerts = snapshot.alerts.iter();
            let position = alerts.position(|alert| alert.id == after);
            position.ok_or_else(|| {
                Problem::not_found(format!(
                    "there is no alert {after:?} to go on after: ask again without `after`"
                ))
            })? + 1
        }
    };
    let tag = app.tag(snapshot.versions.alerts, Format::Json);
    Ok(unless_had(&headers, &tag, || {
        let is_wanted = |alert: &AlertView| {
            state.is_none_or(|state| alert.state == state)
                && device.as_deref().is_none_or(|text| is_about(alert, text))
        };
        let wanted = |from: usize| {
            snapshot.alerts[from..]
                .iter()
                .filter(|alert| is_wanted(alert))
        };
        let total = wanted(0).count();
        let rest: Arc<[Arc<AlertView>]> = wanted(start).cloned().collect();
        let page = Page::of(&rest, |_| true, limit.or(Some(DEFAULT_LIMIT)));
        let next = page.last_of_more().map(|last| last.id.clone());
        paged(json_array(page.into_items()), &uri, total, next.as_deref())
    }))
}

/// One alert.
#[utoipa::path(
    get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, body = AlertView, description = "The alert."),
        (status = 304),
        (status = 404, description = "There is no such alert."),
    ),
)]
pub(super) async fn alert(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let snapshot = app.snapshot();
    let mut alerts = snapshot.alerts.iter();
    let alert = alerts
        .find(|alert| alert.id == id)
        .ok_or_else(|| Problem::not_found(format!("there is no alert {id:?}")))?;
    json_unless_had(&headers, alert)
}

/// All mutes that are in force, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/mutes", tag = "alerts",
    responses((status = 200, body = Vec<MuteView>, description = "The mutes."), (status = 304)),
)]
pub(super) async fn mutes(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let snapshot = app.snapshot();
    let tag = app.tag(snapshot.versions.mutes, Format::Json);
    unless_had(&headers, &tag, || {
        json_array(Page::of(&snapshot.mutes, |_| true, None).into_items())
    })
}

/// One of those that are in force, for those who follow `Location`.
#[utoipa::path(
    get, path = "/api/v1/mutes/{id}", tag = "alerts", params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, body = MuteView, description = "The mute."),
        (status = 304),
        (status = 404, description = "There is no such mute, or it is over."),
    ),
)]
pub(super) async fn one_mute(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let snapshot = app.snapshot();
    let mut mutes = snapshot.mutes.iter();
    let mute = mutes
        .find(|mute| mute.id == id)
        .ok_or_else(|| Problem::not_found(format!("there is no mute {id:?}")))?;
    json_unless_had(&headers, mute)
}

fn is_about(alert: &AlertView, text: &str) -> bool {
    alert.device.id.eq_ignore_ascii_case(text)
        || text
            .parse()
            .is_ok_and(|address: IpAddr| alert.device.addresses.contains(&address))
}
