//! What is sent to each kind of receiver that speaks HTTP: a function of its settings and of the
//! events.

mod chat;
mod machine;
mod push;

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;

use super::{error::DeliveryError, message::Message};
use crate::{
    config::{Method, Secret, Shape},
    core::event::Event,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    /// An event is no JSON.
    #[error("it can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The owner's template fails on it.
    #[error("template: {0}")]
    Template(#[from] crate::config::TemplateError),
    /// Something can't be in a header.
    #[error("{0} can't be sent in a header")]
    Header(&'static str),
    /// The address of the receiver has no path.
    #[error("nothing can be added to the url")]
    Path,
}

/// The request that tells `shape` at `url` of events.
pub(super) fn request(
    shape: &Shape,
    url: &Url,
    events: &[Arc<Event>],
    now: Timestamp,
) -> Result<Request, DeliveryError> {
    let single = || match events {
        [event] => Ok(&**event),
        _ => Err(DeliveryError::several(events)),
    };
    let message = || Message::of(events);
    let built = match shape {
        Shape::Webhook(webhook) => machine::webhook(webhook, url, single()?, now),
        Shape::Alertmanager(manager) => machine::alertmanager(manager, url, single()?, now),
        Shape::Ntfy { token } => push::ntfy(token.as_ref(), url, &message()),
        Shape::Gotify { token } => push::gotify(token, url, &message()),
        Shape::Pushover { token, user } => push::pushover(token, user, url, &message()),
        Shape::Slack => Ok(chat::slack(url, &message())),
        Shape::Discord => Ok(chat::discord(url, &message())),
        Shape::Teams => Ok(chat::teams(url, &message())),
        Shape::Telegram { token, chat } => chat::telegram(token, chat, url, &message()),
        Shape::Matrix { token, room } => chat::matrix(token, room, url, events),
    };
    built.map_err(|error| DeliveryError::Request {
        event: events
            .first()
            .map(|event| event.id.clone())
            .unwrap_or_default(),
        reason: error.to_string(),
    })
}

impl Request {
    /// Posts JSON.
    fn json(url: Url, body: &Value) -> Self {
        Self {
            method: Method::Post,
            url,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, JSON)]),
            body: body.to_string().into_bytes(),
        }
    }

    /// With a header that shows nowhere.
    fn secret(mut self, name: HeaderName, value: &str) -> Result<Self, RequestError> {
        let mut value =
            HeaderValue::from_str(value).map_err(|_| RequestError::Header("a secret"))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// With `Authorization: Bearer`.
    fn bearer(self, token: Option<&Secret>) -> Result<Self, RequestError> {
        match token {
            Some(token) => self.secret(
                reqwest::header::AUTHORIZATION,
                &format!("Bearer {}", token.reveal()),
            ),
            None => Ok(self),
        }
    }
}

/// `url` with more segments of a path.
fn below(url: &Url, segments: &[&str]) -> Result<Url, RequestError> {
    let mut url = url.clone();
    url.path_segments_mut()
        .map_err(|()| RequestError::Path)?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}
