//! Receivers that are programs: they get the event itself, one at a time.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::json;

use super::{JSON, Request, RequestError, below};
use crate::{
    config::{Alertmanager, Webhook},
    core::{
        event::{Detail, Event, EventState},
        message::NAME_CHARS,
        trial, words,
    },
    notify::{escape::defused, sign::signature},
};

/// Most characters of a text that Alertmanager passes on to people.
const TEXT_CHARS: usize = 500;
/// How long Alertmanager keeps an alert that it hears no more of. The end of an alert is told, so
/// this is only for a bwmon that is gone.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The end of a test is not told.
const KEPT_TEST: SignedDuration = SignedDuration::from_mins(5);

/// The event as JSON, or what the owner's template makes of it.
pub(super) fn webhook(
    webhook: &Webhook,
    url: &Url,
    event: &Event,
    now: Timestamp,
) -> Result<Request, RequestError> {
    let (content_type, body) = match &webhook.body {
        Some(template) => {
            let content_type = HeaderValue::from_str(template.content_type())
                .map_err(|_| RequestError::Header("content_type"))?;
            (content_type, template.render(words::context(event))?)
        }
        None => (JSON, serde_json::to_vec(event)?),
    };
    let id = HeaderValue::from_str(&event.id).map_err(|_| RequestError::Header("the id"))?;
    let timestamp = now.as_second();
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, content_type),
        (HeaderName::from_static("webhook-id"), id),
        (
            HeaderName::from_static("webhook-timestamp"),
            HeaderValue::from(timestamp),
        ),
    ]);
    if let Some(key) = &webhook.key {
        let signature = HeaderValue::from_str(&signature(key, &event.id, timestamp, &body))
            .map_err(|_| RequestError::Header("the signature"))?;
        headers.insert(HeaderName::from_static("webhook-signature"), signature);
    }
    let mut request = Request {
        method: webhook.method,
        url: url.clone(),
        headers,
        body,
    };
    request = request.bearer(webhook.token.as_ref())?;
    for (name, value) in &webhook.headers {
        request = request.secret(name.clone(), value.reveal())?;
    }
    Ok(request)
}

/// Version 2 of the API.
pub(super) fn alertmanager(
    manager: &Alertmanager,
    url: &Url,
    event: &Event,
    now: Timestamp,
) -> Result<Request, RequestError> {
    let url = match url.path() {
        "" | "/" => below(url, &["api", "v2", "alerts"])?,
        _ => url.clone(),
    };
    let ends_at = match (event.state, &event.ended_at) {
        (EventState::Resolved, Some(ended_at)) => ended_at.clone(),
        (EventState::Resolved, None) => now.to_string(),
        _ if trial::is_trial(event) => until(now, KEPT_TEST),
        // There are no reminders of it, which would keep it.
        _ => match event.detail {
            Detail::Quota { until: day, .. } => until(now, KEPT.max(time_to(now, day) + KEPT)),
            _ => until(now, KEPT),
        },
    };
    let mut annotations = json!({
        "summary": defused(&words::title(event), TEXT_CHARS),
        "description": defused(&event.event_description, TEXT_CHARS),
        "device": event.device.id,
        "name": defused(&event.device.name, NAME_CHARS),
    });
    if let Some(group) = &event.device.group {
        annotations["group"] = defused(group, NAME_CHARS).into();
    }
    let mut alert = json!({
        // It knows an alert by its labels alone, so these are what never changes while it lasts: not
        // the name, nor the device, which may get another id.
        "labels": {
            "alertname": format!("bwmon_{}", event.rule.as_str()),
            "alert": event.alert,
            "rule": event.rule.as_str(),
            "direction": event.direction.as_str(),
            "severity": event.severity.as_str(),
            "instance": event.host,
        },
        "annotations": annotations,
        "startsAt": event.started_at,
        "endsAt": ends_at,
    });
    if let Some(link) = &manager.generator_url {
        alert["generatorURL"] = link.as_str().into();
    }
    Request::json(url, &json!([alert])).bearer(manager.token.as_ref())
}

/// From `now` to the begin of a day, somewhere in the world.
fn time_to(now: Timestamp, day: Date) -> SignedDuration {
    let begin = day.to_zoned(TimeZone::UTC);
    begin.map_or(SignedDuration::ZERO, |begin| {
        begin.timestamp().duration_since(now)
    })
}

fn until(now: Timestamp, kept: SignedDuration) -> String {
    now.checked_add(kept).unwrap_or(now).to_string()
}
