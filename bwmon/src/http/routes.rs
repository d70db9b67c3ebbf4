//! The routes, and what is asked of each before its handler is.
//!
//! A route is a handler with `#[utoipa::path]` and its name in a line of [`routes`]: that line serves
//! and describes it. The annotation has what is its own: parameters, the answer, `(status = 304)` if
//! it has a tag, and the errors that the handler itself returns, which are problems unless they have
//! a body. What a client writes has `deny_unknown_fields`. What every route has in common is added
//! by [`openapi::complete`].

use std::{sync::Arc, time::Instant};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    middleware,
    response::Response,
};
use utoipa::{OpenApi, openapi::OpenApi as Api};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App, alerts,
    array::json_array,
    commands,
    conditional::{json_unless_had, unless_had},
    dashboard, devices,
    format::Format,
    guard::{self, MAX_BODY},
    health, history, metrics,
    openapi::{self, Document},
    problem::Problem,
    query, registered, report,
    status::StatusReport,
    stream, usage_report,
};
use crate::core::view::InterfaceView;

/// Every route.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::Base::openapi())
        .routes(routes!(dashboard::dashboard))
        .routes(routes!(dashboard::asset))
        .routes(routes!(healthz))
        .routes(routes!(usage_report::usage_report))
        .routes(routes!(metrics::metrics))
        .routes(routes!(openapi::openapi_json))
        .routes(routes!(stream::stream))
        .routes(routes!(status))
        .routes(routes!(interfaces))
        .routes(routes!(devices::addresses))
        .routes(routes!(devices::devices))
        .routes(routes!(devices::device, registered::change))
        .routes(routes!(registered::show, registered::forget))
        .routes(routes!(history::history))
        .routes(routes!(report::report))
        .routes(routes!(alerts::alerts))
        .routes(routes!(alerts::alert))
        .routes(routes!(commands::acknowledge, commands::unacknowledge))
        .routes(routes!(alerts::mutes, commands::mute))
        .routes(routes!(alerts::one_mute, commands::unmute))
}

/// The routes and their description.
fn described(version: &str) -> (Router<Arc<App>>, Api) {
    let (router, mut api) = routes().split_for_parts();
    openapi::complete(&mut api, version);
    (router, api)
}

/// What serves `app`.
///
/// # Errors
///
/// When the description can't be written as JSON.
pub(super) fn router(app: App) -> serde_json::Result<Router> {
    let (router, api) = described(&app.facts.version);
    let app = Arc::new(app);
    let known = Arc::new(query::Known::by(&api));
    let document = Arc::new(Document::of(&api)?);
    Ok(router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(document))
        .layer(middleware::from_fn_with_state(known, query::refuse_unknown))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            guard::admit,
        ))
        .layer(middleware::map_response(guard::harden))
        .with_state(app))
}

/// Whether bwmon is alive: `ok` while the last sample is less than five intervals old. For
/// everybody, without a token.
#[utoipa::path(
    get, path = "/healthz", tag = "service",
    responses(
        (status = 200, body = String, description = "It is.", example = "ok"),
        (status = 503, description = "It is not; `detail` says why."),
    ),
)]
async fn healthz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    let last = *app.heartbeat.borrow();
    health::check(last, Instant::now())
        .map(|()| "ok")
        .map_err(|reason| Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason.to_string()))
}

/// The process, its configuration, and how sampling goes.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "service",
    responses((status = 200, body = StatusReport, description = "The status."), (status = 304)),
)]
async fn status(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let facts = &app.facts;
    let report = StatusReport {
        version: facts.version.clone(),
        host: facts.host.clone(),
        uptime_seconds: facts.started.elapsed().as_secs(),
        started_at: facts.started_at.clone(),
        can_change: app.can_change(),
        status: app.snapshot().status.clone(),
        configuration: Arc::clone(&facts.configuration.borrow()),
    };
    json_unless_had(&headers, &report)
}

/// What bwmon and the interfaces themselves counted, since the programs were attached.
#[utoipa::path(
    get, path = "/api/v1/interfaces", tag = "service",
    responses(
        (status = 200, body = Vec<InterfaceView>, description = "The interfaces."),
        (status = 304),
    ),
)]
async fn interfaces(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let snapshot = app.snapshot();
    let tag = app.tag(snapshot.versions.interfaces, Format::Json);
    unless_had(&headers, &tag, || {
        json_array(snapshot.interfaces.clone().into_iter())
    })
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
