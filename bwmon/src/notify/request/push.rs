//! Receivers that put a line on somebody's phone.

use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::json;

use super::{Request, RequestError, below};
use crate::{
    config::{Method, Secret},
    core::event::{EventState, Severity},
    notify::{
        escape::{Markup, header},
        message::Message,
    },
};

/// <https://docs.ntfy.sh/publish/>: text; title, priority and tags are headers. What is longer
/// becomes an attachment.
pub(super) fn ntfy(
    token: Option<&Secret>,
    url: &Url,
    message: &Message,
) -> Result<Request, RequestError> {
    const MOST: usize = 4000;
    let title = HeaderValue::from_str(&header(&message.title))
        .map_err(|_| RequestError::Header("the title"))?;
    let (priority, tags) = match (message.state, message.severity) {
        (EventState::Resolved, _) => ("2", "white_check_mark"),
        (_, Severity::Info) => ("3", "information_source"),
        (_, Severity::Warning) => ("4", "warning"),
        (_, Severity::Critical) => ("5", "rotating_light"),
    };
    let request = Request {
        method: Method::Post,
        url: url.clone(),
        headers: HeaderMap::from_iter([
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            ),
            (HeaderName::from_static("title"), title),
            (
                HeaderName::from_static("priority"),
                HeaderValue::from_static(priority),
            ),
            (
                HeaderName::from_static("tags"),
                HeaderValue::from_static(tags),
            ),
        ]),
        body: message.body(Markup::Plain, MOST).into_bytes(),
    };
    request.bearer(token)
}

/// <https://gotify.net/docs/pushmsg>: 0 is quiet, from 4 on there is a sound, from 8 on it pops up.
pub(super) fn gotify(
    token: &Secret,
    url: &Url,
    message: &Message,
) -> Result<Request, RequestError> {
    const MOST: usize = 16 << 10;
    let priority = match (message.state, message.severity) {
        (EventState::Resolved, _) => 2,
        (_, Severity::Info) => 3,
        (_, Severity::Warning) => 5,
        (_, Severity::Critical) => 8,
    };
    let body = json!({
        "title": message.title,
        "message": message.body(Markup::Plain, MOST),
        "priority": priority,
        "extras": { "client::display": { "contentType": "text/plain" } },
    });
    Request::json(below(url, &["message"])?, &body)
        .secret(HeaderName::from_static("x-gotify-key"), token.reveal())
}

/// <https://pushover.net/api>: a form. Priority 2 would ring until somebody says stop, so 1 is the
/// most.
pub(super) fn pushover(
    token: &Secret,
    user: &Secret,
    url: &Url,
    message: &Message,
) -> Result<Request, RequestError> {
    const MOST: usize = 1024;
    let priority = match (message.state, message.severity) {
        (EventState::Resolved, _) | (_, Severity::Info) => "-1",
        (_, Severity::Warning) => "0",
        (_, Severity::Critical) => "1",
    };
    let url = below(url, &["1", "messages.json"])?;
    // A form is written as a query is.
    let mut form = url.clone();
    form.set_query(None);
    form.query_pairs_mut()
        .append_pair("token", token.reveal())
        .append_pair("user", user.reveal())
        .append_pair("title", &message.title)
        .append_pair("message", &message.body(Markup::Plain, MOST))
        .append_pair("priority", priority);
    Ok(Request {
        method: Method::Post,
        headers: HeaderMap::from_iter([(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        )]),
        body: form.query().unwrap_or_default().as_bytes().to_vec(),
        url,
    })
}
