//! What receivers that speak HTTP are told by their keys.

use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use super::{
    super::{
        Secret,
        choice::choose,
        error::{ConfigError, Mistake},
        secret::SecretOrigin,
        value::{Scalar, ValueError},
    },
    Alertmanager, BodyTemplate, ChannelError, HttpReceiver, Method, Shape, SigningKey, Target,
    Webhook,
    entry::{Entry, line},
    value::Value,
};
use crate::core::{trial, words};

/// A receiver that speaks HTTP, at `default` unless the owner says where.
pub(super) fn http(
    entry: &mut Entry<'_, '_, '_>,
    default: Option<&'static str>,
    shape: impl FnOnce(&mut Entry<'_, '_, '_>) -> Result<Shape, ConfigError>,
) -> Result<(Target, String), ConfigError> {
    const ALLOWED: &str = "the address that events are posted to, or url_file a file with it";
    let (key, file_key) = ("notify.url", "notify.url_file");
    let (url, name) = match (entry.secret(key, file_key)?, default) {
        (Some(url), _) => {
            let Some(host) = host(url.reveal()) else {
                let place = entry.get(key).map(|value| (key, value));
                let place = place.or(entry.get(file_key).map(|value| (file_key, value)));
                return Err(match place {
                    Some((key, value)) => entry.mistake(key, value, ChannelError::NotAUrl),
                    None => entry.missing(key, ALLOWED),
                });
            };
            (url, host)
        }
        (None, Some(default)) => {
            let kind = entry.read("notify.type", |kind| Ok(kind.text("")?.to_owned()))?;
            (Secret::new(default.to_owned()), kind.unwrap_or_default())
        }
        (None, None) => return Err(entry.missing(key, ALLOWED)),
    };
    let ca = entry.authorities()?;
    let shape = shape(entry)?;
    Ok((Target::Http(HttpReceiver { url, ca, shape }), name))
}

/// The host of an address of the web.
fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url
        .host_str()
        .filter(|_| matches!(url.scheme(), "http" | "https"))?;
    Some(host.to_owned())
}

pub(super) fn token(entry: &mut Entry<'_, '_, '_>) -> Result<Option<Secret>, ConfigError> {
    entry.secret("notify.token", "notify.token_file")
}

pub(super) fn must_token(
    entry: &mut Entry<'_, '_, '_>,
    allowed: &'static str,
) -> Result<Secret, ConfigError> {
    entry.must_secret("notify.token", "notify.token_file", allowed)
}

pub(super) const CHAT: &str = "the number of a chat such as -1001234567890, or the name of a channel such as \
    \"@alerts\"";

/// Telegram's numbers are long; people write them with and without quotes.
pub(super) fn chat(value: &Scalar) -> Result<String, ValueError> {
    match value {
        Scalar::Integer(number) => Ok(number.to_string()),
        _ => line(value, CHAT),
    }
}

pub(super) fn webhook(entry: &mut Entry<'_, '_, '_>) -> Result<Webhook, ConfigError> {
    let method = entry.read("notify.method", |method| {
        let word = method.text("\"POST\" or \"PUT\"")?;
        Ok(choose(word, &Method::ALL, Method::as_str)?)
    })?;
    Ok(Webhook {
        method: method.unwrap_or_default(),
        token: token(entry)?,
        key: signing_key(entry)?,
        headers: headers(entry)?,
        body: body(entry)?,
    })
}

fn signing_key(entry: &mut Entry<'_, '_, '_>) -> Result<Option<SigningKey>, ConfigError> {
    let (key, file_key) = ("notify.secret", "notify.secret_file");
    let Some(secret) = entry.secret(key, file_key)? else {
        return Ok(None);
    };
    if let Some(key) = SigningKey::new(secret) {
        return Ok(Some(key));
    }
    let key = if entry.get(key).is_some() {
        key
    } else {
        file_key
    };
    entry.read(key, |_| Err(ChannelError::NotAKey.into()))
}

/// What bwmon writes into a request itself.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

fn headers(entry: &mut Entry<'_, '_, '_>) -> Result<Vec<(HeaderName, Secret)>, ConfigError> {
    const KEY: &str = "notify.headers";
    let Some(value) = entry.get(KEY) else {
        return Ok(Vec::new());
    };
    let Value::Table(table) = value.get_ref() else {
        return Err(entry.mistake(KEY, value, ChannelError::NotHeaders));
    };
    let mut headers = Vec::new();
    for (name, value) in table {
        let header = HeaderName::try_from(name.get_ref().as_str())
            .ok()
            .filter(|header| !OWN_HEADERS.contains(&header.as_str()));
        let Some(header) = header else {
            let reason = ChannelError::NotAHeader(name.get_ref().clone()).into();
            let mistake = Mistake::Value { key: KEY, reason };
            return Err(entry.reader.source.mistake(name.span().start, mistake));
        };
        headers.push((
            header,
            entry
                .reader
                .read_value(KEY, value, SecretOrigin::read_line)?,
        ));
    }
    Ok(headers)
}

fn body(entry: &mut Entry<'_, '_, '_>) -> Result<Option<BodyTemplate>, ConfigError> {
    const ALLOWED: &str = "the text of a body such as '{\"text\": {{ title }}}'";
    let (key, file_key) = ("notify.template", "notify.template_file");
    entry.only_one(key, file_key)?;
    let content_type = entry.read("notify.content_type", |value| {
        let allowed = "the type of the body such as \"application/json\"";
        let text = line(value, allowed)?;
        match HeaderValue::from_str(&text) {
            Ok(_) => Ok(text),
            Err(_) => Err(ValueError::NotAllowed {
                found: value.to_string(),
                allowed: allowed.to_owned(),
            }),
        }
    })?;
    let content_type = content_type.unwrap_or_else(|| "application/json".to_owned());
    let compile = |source: String| -> Result<BodyTemplate, ValueError> {
        let template =
            BodyTemplate::new(source, content_type.clone()).map_err(ChannelError::from)?;
        // What fails with the event of a test is better known now than at the first alert.
        let sample = words::context(&trial::event("test", "2026-03-08T14:03:11+01:00", "router"));
        template.render(sample).map_err(ChannelError::from)?;
        Ok(template)
    };
    if entry.get(file_key).is_some() {
        return entry.read(file_key, |value| {
            let bytes = entry.file(value, "a file with a template")?;
            compile(String::from_utf8(bytes).map_err(|_| ChannelError::NotText)?)
        });
    }
    let template = entry.read(key, |value| compile(value.text(ALLOWED)?.to_owned()))?;
    if template.is_none() && entry.get("notify.content_type").is_some() {
        return Err(entry.missing(
            key,
            "there when content_type is, as the event itself is JSON",
        ));
    }
    Ok(template)
}

pub(super) fn alertmanager(entry: &mut Entry<'_, '_, '_>) -> Result<Alertmanager, ConfigError> {
    let generator_url = entry.read("notify.generator_url", |value| {
        let text = line(value, "an address that an alert links to")?;
        host(&text).ok_or(ChannelError::NotAUrl)?;
        Ok(text)
    })?;
    Ok(Alertmanager {
        token: token(entry)?,
        generator_url,
    })
}
