//! The routes, and what each of them takes out of the snapshot.

use std::{net::IpAddr, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{Method, StatusCode, Uri},
    middleware,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{
    App,
    array::json_array,
    commands,
    guard::{self, MAX_BODY},
    health,
    problem::Problem,
    registered,
    status::StatusReport,
    usage_report::usage_report,
};
use crate::core::view::{AlertState, AlertView, DeviceView, Snapshot};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Every route. Further parts (metrics, live stream, dashboard) are further lines.
pub(super) fn router(app: App) -> Router {
    let app = Arc::new(app);
    Router::new()
        .route("/healthz", get(healthz))
        .route("/usage_report", get(usage_report))
        .route("/api/v1/status", get(status))
        .route("/api/v1/interfaces", get(interfaces))
        .route("/api/v1/addresses", get(addresses))
        .route("/api/v1/devices", get(devices))
        .route(
            "/api/v1/devices/{id}",
            get(device).patch(registered::change),
        )
        .route(
            "/api/v1/devices/{id}/registration",
            get(registered::show).delete(registered::forget),
        )
        .route("/api/v1/alerts", get(alerts))
        .route("/api/v1/alerts/{id}", get(alert))
        .route(
            "/api/v1/alerts/{id}/ack",
            post(commands::acknowledge).delete(commands::unacknowledge),
        )
        .route("/api/v1/mutes", get(mutes).post(commands::mute))
        .route(
            "/api/v1/mutes/{id}",
            get(commands::one_mute).delete(commands::unmute),
        )
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            guard::admit,
        ))
        .layer(middleware::map_response(guard::harden))
        .with_state(app)
}

async fn healthz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    let last = *app.heartbeat.borrow();
    health::check(last, Instant::now())
        .map(|()| "ok")
        .map_err(|reason| Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason.to_string()))
}

async fn status(State(app): State<Arc<App>>) -> Json<StatusReport> {
    let facts = &app.facts;
    Json(StatusReport {
        version: facts.version.clone(),
        host: facts.host.clone(),
        uptime_seconds: facts.started.elapsed().as_secs(),
        started_at: facts.started_at.clone(),
        status: app.snapshot().status.clone(),
        configuration: Arc::clone(&facts.configuration.borrow()),
    })
}

async fn interfaces(State(app): State<Arc<App>>) -> Response {
    json_array(app.snapshot().interfaces.clone().into_iter())
}

async fn addresses(State(app): State<Arc<App>>) -> Response {
    json_array(each(Arc::clone(&app.snapshot().addresses)))
}

async fn devices(State(app): State<Arc<App>>) -> Response {
    json_array(each(Arc::clone(&app.snapshot().devices)))
}

async fn device(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Arc<DeviceView>>, Problem> {
    let Path(id) = id?;
    find_device(&app.snapshot(), &id)
        .map(|device| Json(Arc::clone(device)))
        .ok_or_else(|| Problem::not_found(format!("there is no device {id:?}")))
}

/// Which alerts are wanted.
#[derive(Debug, Default, Deserialize)]
struct AlertQuery {
    state: Option<AlertState>,
    device: Option<String>,
    limit: Option<usize>,
}

async fn alerts(
    State(app): State<Arc<App>>,
    query: Result<Query<AlertQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(AlertQuery {
        state,
        device,
        limit,
    }) = query?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::bad_request(format!(
            "limit must be 1 to {MAX_LIMIT}, not {limit}"
        )));
    }
    let matching = each(Arc::clone(&app.snapshot().alerts))
        .filter(move |alert| state.is_none_or(|state| alert.state == state))
        .filter(move |alert| {
            device
                .as_deref()
                .is_none_or(|device| is_about(alert, device))
        })
        .take(limit);
    Ok(json_array(matching))
}

async fn alert(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Arc<AlertView>>, Problem> {
    let Path(id) = id?;
    let snapshot = app.snapshot();
    snapshot
        .alerts
        .iter()
        .find(|alert| alert.id == id)
        .map(|alert| Json(Arc::clone(alert)))
        .ok_or_else(|| Problem::not_found(format!("there is no alert {id:?}")))
}

async fn mutes(State(app): State<Arc<App>>) -> Response {
    json_array(each(Arc::clone(&app.snapshot().mutes)))
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// The items of a shared slice, without keeping the rest of the snapshot.
fn each<T: Serialize>(items: Arc<[Arc<T>]>) -> impl Iterator<Item = Arc<T>> {
    (0..items.len()).map(move |index| Arc::clone(&items[index]))
}

/// The device with this id, else the one with this address.
pub(super) fn find_device<'a>(snapshot: &'a Snapshot, text: &str) -> Option<&'a Arc<DeviceView>> {
    let devices = &snapshot.devices;
    devices
        .iter()
        .find(|device| device.id.eq_ignore_ascii_case(text))
        .or_else(|| {
            let address: IpAddr = text.parse().ok()?;
            devices
                .iter()
                .find(|device| device.addresses.contains(&address))
        })
}

fn is_about(alert: &AlertView, text: &str) -> bool {
    alert.device.id.eq_ignore_ascii_case(text)
        || text
            .parse()
            .is_ok_and(|address: IpAddr| alert.device.addresses.contains(&address))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
