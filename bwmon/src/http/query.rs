//! What stands behind the `?`: nothing that a route does not know, and values that say what is
//! allowed.
//!
//! What a route knows is what its description says it does, so neither can be without the other.

use std::{collections::HashMap, fmt::Display, net::IpAddr, sync::Arc};

use axum::{
    extract::{MatchedPath, Query, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, de::Error};
use utoipa::openapi::{OpenApi, path::ParameterIn};

use super::{openapi::operations, problem::Problem};

/// What is read by programs from before this API, which may add what keeps caches away.
const IGNORES_UNKNOWN: [&str; 2] = ["/healthz", "/usage_report"];

/// The most that one page can have.
pub(super) const MAX_LIMIT: usize = 1000;

/// No list that is asked for by number is longer.
const MAX_OFFSET: usize = 1_000_000;

/// Which parameters each route knows.
#[derive(Debug)]
pub(super) struct Known(HashMap<(Method, String), Vec<String>>);

impl Known {
    pub(super) fn by(document: &OpenApi) -> Self {
        let routes = operations(document)
            .filter(|(_, path, _)| !IGNORES_UNKNOWN.contains(path))
            .map(|(method, path, operation)| {
                let names = operation.parameters.iter().flatten();
                let names = names.filter_map(|parameter| match parameter {
                    utoipa::openapi::RefOr::T(parameter)
                        if parameter.parameter_in == ParameterIn::Query =>
                    {
                        Some(parameter.name.clone())
                    }
                    _ => None,
                });
                ((method, path.to_owned()), names.collect())
            });
        Self(routes.collect())
    }

    fn check(&self, request: &Request) -> Result<(), Problem> {
        let Some(path) = request.extensions().get::<MatchedPath>() else {
            return Ok(());
        };
        let method = match request.method() {
            &Method::HEAD => Method::GET,
            method => method.clone(),
        };
        let Some(known) = self.0.get(&(method, path.as_str().to_owned())) else {
            return Ok(());
        };
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())?;
        match pairs.iter().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Problem::bad_request(unknown(name, known))),
        }
    }
}

fn unknown(name: &str, known: &[String]) -> String {
    match known {
        [] => format!("there is no parameter {name:?} here: nothing may stand behind the \"?\""),
        known => format!(
            "there is no parameter {name:?} here, but {}",
            known.join(", ")
        ),
    }
}

/// Refuses what is unknown, so that a slip of the pen is not taken for "all of them".
pub(super) async fn refuse_unknown(
    State(known): State<Arc<Known>>,
    request: Request,
    next: Next,
) -> Response {
    match known.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// How many entries, 1 to [`MAX_LIMIT`].
pub(super) fn limit<'de, D: Deserializer<'de>>(value: D) -> Result<Option<usize>, D::Error> {
    parsed(
        value,
        |text| {
            text.parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        },
        format_args!("a whole number from 1 to {MAX_LIMIT}"),
    )
}

/// How many entries before those that are wanted, up to [`MAX_OFFSET`].
pub(super) fn offset<'de, D: Deserializer<'de>>(value: D) -> Result<Option<usize>, D::Error> {
    parsed(
        value,
        |text| text.parse().ok().filter(|offset| *offset <= MAX_OFFSET),
        format_args!("a whole number from 0 to {MAX_OFFSET}"),
    )
}

/// An address.
pub(super) fn address<'de, D: Deserializer<'de>>(value: D) -> Result<Option<IpAddr>, D::Error> {
    parsed(value, |text| text.parse().ok(), "an IPv4 or IPv6 address")
}

fn parsed<'de, T, D: Deserializer<'de>>(
    value: D,
    parse: impl FnOnce(&str) -> Option<T>,
    allowed: impl Display,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(value)?;
    match parse(&text) {
        Some(value) => Ok(Some(value)),
        None => Err(D::Error::custom(format_args!(
            "must be {allowed}, not {text:?}"
        ))),
    }
}
