//! The kinds of channels: which keys each has, and what is made of them.

use lettre::message::Mailbox;
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use super::{
    super::{
        Secret,
        choice::choose,
        error::{ConfigError, Mistake},
        value::{Scalar, ValueError},
    },
    Alertmanager, BodyTemplate, ChannelError, Email, Exec, HttpReceiver, Method, Mqtt, Security,
    Shape, SigningKey, Target, Webhook,
    entry::{Entry, line},
    routing,
    value::Value,
};
use crate::core::{trial, words};

/// A kind of channel.
pub(super) struct Kind {
    name: &'static str,
    /// What it takes besides the keys of all.
    keys: &'static [&'static str],
    /// What it takes to reach it, and what it is called unless the owner says so.
    pub(super) read: fn(&mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError>,
}

/// Keys that every kind takes.
const COMMON: [&str; 4] = ["type", "name", "timeout", "max_age"];

const KINDS: [Kind; 13] = [
    Kind {
        name: "webhook",
        keys: &[
            "url",
            "url_file",
            "ca_file",
            "token",
            "token_file",
            "secret",
            "secret_file",
            "headers",
            "method",
            "template",
            "template_file",
            "content_type",
        ],
        read: |entry| http(entry, None, |entry| Ok(Shape::Webhook(webhook(entry)?))),
    },
    Kind {
        name: "ntfy",
        keys: &["url", "url_file", "ca_file", "token", "token_file"],
        read: |entry| {
            http(entry, None, |entry| {
                Ok(Shape::Ntfy {
                    token: token(entry)?,
                })
            })
        },
    },
    Kind {
        name: "slack",
        keys: &["url", "url_file", "ca_file"],
        read: |entry| http(entry, None, |_| Ok(Shape::Slack)),
    },
    Kind {
        name: "discord",
        keys: &["url", "url_file", "ca_file"],
        read: |entry| http(entry, None, |_| Ok(Shape::Discord)),
    },
    Kind {
        name: "telegram",
        keys: &["url", "url_file", "ca_file", "token", "token_file", "chat"],
        read: |entry| {
            http(entry, Some("https://api.telegram.org"), |entry| {
                let token =
                    must_token(entry, "the token of the bot, or token_file a file with it")?;
                let chat = entry.must("notify.chat", CHAT, chat)?;
                Ok(Shape::Telegram { token, chat })
            })
        },
    },
    Kind {
        name: "teams",
        keys: &["url", "url_file", "ca_file"],
        read: |entry| http(entry, None, |_| Ok(Shape::Teams)),
    },
    Kind {
        name: "matrix",
        keys: &["url", "url_file", "ca_file", "token", "token_file", "room"],
        read: |entry| {
            http(entry, None, |entry| {
                let token = must_token(
                    entry,
                    "the access token of the account that writes, or token_file a file with it",
                )?;
                let room = entry.line(
                    "notify.room",
                    "the id of a room such as \"!abc:example.org\"",
                )?;
                Ok(Shape::Matrix { token, room })
            })
        },
    },
    Kind {
        name: "gotify",
        keys: &["url", "url_file", "ca_file", "token", "token_file"],
        read: |entry| {
            http(entry, None, |entry| {
                let token = must_token(
                    entry,
                    "the token of the application, or token_file a file with it",
                )?;
                Ok(Shape::Gotify { token })
            })
        },
    },
    Kind {
        name: "pushover",
        keys: &[
            "url",
            "url_file",
            "ca_file",
            "token",
            "token_file",
            "user",
            "user_file",
        ],
        read: |entry| {
            http(entry, Some("https://api.pushover.net"), |entry| {
                let token = must_token(
                    entry,
                    "the token of the application, or token_file a file with it",
                )?;
                let user = "the key of the user or group, or user_file a file with it";
                let user = entry.must_secret("notify.user", "notify.user_file", user)?;
                Ok(Shape::Pushover { token, user })
            })
        },
    },
    Kind {
        name: "alertmanager",
        keys: &[
            "url",
            "url_file",
            "ca_file",
            "token",
            "token_file",
            "generator_url",
        ],
        read: |entry| {
            http(entry, None, |entry| {
                Ok(Shape::Alertmanager(alertmanager(entry)?))
            })
        },
    },
    Kind {
        name: "email",
        keys: &[
            "server",
            "port",
            "security",
            "ca_file",
            "username",
            "password",
            "password_file",
            "from",
            "to",
        ],
        read: email,
    },
    Kind {
        name: "mqtt",
        keys: &[
            "url",
            "ca_file",
            "username",
            "password",
            "password_file",
            "client_id",
            "topic",
            "retain",
        ],
        read: mqtt,
    },
    Kind {
        name: "exec",
        keys: &["command"],
        read: exec,
    },
];

/// The kind that an entry says it is.
pub(super) fn of(entry: &Entry<'_, '_, '_>) -> Result<&'static Kind, ConfigError> {
    const ALLOWED: &str = "\"webhook\", \"ntfy\", \"slack\", \"discord\", \"telegram\", \"teams\", \
        \"matrix\", \"gotify\", \"pushover\", \"alertmanager\", \"email\", \"mqtt\" or \"exec\"";
    let kinds: Vec<&Kind> = KINDS.iter().collect();
    entry.must("notify.type", ALLOWED, |kind| {
        Ok(choose(kind.text(ALLOWED)?, &kinds, |kind| kind.name)?)
    })
}

impl Kind {
    /// Refuses keys that this kind does not have.
    pub(super) fn check_keys(&self, entry: &Entry<'_, '_, '_>) -> Result<(), ConfigError> {
        let allowed: Vec<&str> = [&COMMON, self.keys, &routing::KEYS].concat();
        let unknown = entry
            .table
            .keys()
            .filter(|key| !allowed.contains(&key.get_ref().as_str()))
            .min_by_key(|key| key.span().start);
        let Some(key) = unknown else { return Ok(()) };
        let mistake = Mistake::UnknownKey {
            key: key.get_ref().clone(),
            allowed: allowed.into_iter().map(str::to_owned).collect(),
        };
        Err(entry.reader.source.mistake(key.span().start, mistake))
    }
}

/// A receiver that speaks HTTP, at `default` unless the owner says where.
fn http(
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

fn token(entry: &mut Entry<'_, '_, '_>) -> Result<Option<Secret>, ConfigError> {
    entry.secret("notify.token", "notify.token_file")
}

fn must_token(entry: &mut Entry<'_, '_, '_>, allowed: &'static str) -> Result<Secret, ConfigError> {
    entry.must_secret("notify.token", "notify.token_file", allowed)
}

const CHAT: &str = "the number of a chat such as -1001234567890, or the name of a channel such as \
    \"@alerts\"";

/// Telegram's numbers are long; people write them with and without quotes.
fn chat(value: &Scalar) -> Result<String, ValueError> {
    match value {
        Scalar::Integer(number) => Ok(number.to_string()),
        _ => line(value, CHAT),
    }
}

fn webhook(entry: &mut Entry<'_, '_, '_>) -> Result<Webhook, ConfigError> {
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
        headers.push((header, entry.reader.read_value(KEY, value)?));
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

fn alertmanager(entry: &mut Entry<'_, '_, '_>) -> Result<Alertmanager, ConfigError> {
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

fn email(entry: &mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError> {
    let server = entry.must("notify.server", SERVER, |value| host_name(value, SERVER))?;
    let security = entry.read("notify.security", |value| {
        let word = value.text("\"starttls\", \"tls\" or \"none\"")?;
        Ok(choose(word, &Security::ALL, Security::as_str)?)
    })?;
    let security = security.unwrap_or_default();
    let port = entry.read("notify.port", |port| {
        port.integer_within(1..=65_535, "a port from 1 to 65535")
    })?;
    let port = port.and_then(|port| u16::try_from(port).ok());
    let login = entry.login()?;
    if login.is_some() && security == Security::None {
        entry.read("notify.username", |_| {
            Err::<(), _>(ChannelError::Unprotected.into())
        })?;
    }
    let from = entry.must("notify.from", "the address that mail comes from", mailbox)?;
    let Some(to) = entry.list("notify.to", mailbox)? else {
        return Err(entry.missing(
            "notify.to",
            "the address that mail goes to, or a list of them",
        ));
    };
    let email = Email {
        port: port.unwrap_or(security.port()),
        ca: entry.authorities()?,
        server: server.clone(),
        security,
        login,
        from,
        to,
    };
    Ok((Target::Email(email), server))
}

const SERVER: &str = "the name or address of a mail server such as \"smtp.example.org\"";

/// A name or an address of the network.
fn host_name(value: &Scalar, allowed: &str) -> Result<String, ValueError> {
    let text = line(value, allowed)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if text.chars().all(is_plain) {
        return Ok(text);
    }
    let (found, allowed) = (value.to_string(), allowed.to_owned());
    Err(ValueError::NotAllowed { found, allowed })
}

fn mailbox(value: &Scalar) -> Result<Mailbox, ValueError> {
    let text = line(value, "an address for mail such as \"name@example.org\"")?;
    Ok(text.parse().map_err(|_| ChannelError::NotAMailbox(text))?)
}

fn mqtt(entry: &mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError> {
    const BROKER: &str = "the address of the broker such as \"mqtts://example.org:8883\"";
    let (host, port, tls) =
        entry.must("notify.url", BROKER, |url| Ok(broker(&line(url, BROKER)?)?))?;
    let login = entry.login()?;
    if login.is_some() && !tls && !is_loopback(&host) {
        entry.read("notify.username", |_| {
            Err::<(), _>(ChannelError::Unprotected.into())
        })?;
    }
    let client_id = entry.read("notify.client_id", Scalar::label)?;
    let topic = entry.must("notify.topic", "where events are published", |topic| {
        let text = line(topic, "text such as \"bwmon/events\"")?;
        // As MQTT 3.1.1, 4.7 has it.
        if text.contains(['+', '#']) || text.len() > usize::from(u16::MAX) {
            return Err(ChannelError::NotATopic.into());
        }
        Ok(text)
    })?;
    let retain = entry.read("notify.retain", Scalar::flag)?;
    let mqtt = Mqtt {
        host: host.clone(),
        port,
        tls,
        ca: entry.authorities()?,
        login,
        client_id,
        topic,
        retain: retain.unwrap_or_default(),
    };
    Ok((Target::Mqtt(mqtt), host))
}

/// Host, port, and whether by TLS.
fn broker(url: &str) -> Result<(String, u16, bool), ChannelError> {
    let url = Url::parse(url).map_err(|_| ChannelError::NotABroker)?;
    let (tls, port) = match url.scheme() {
        "mqtt" => (false, 1883),
        "mqtts" => (true, 8883),
        _ => return Err(ChannelError::NotABroker),
    };
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none();
    let host = url.host_str().filter(|host| is_bare && !host.is_empty());
    let host = host.ok_or(ChannelError::NotABroker)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    Ok((host, url.port().unwrap_or(port), tls))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn exec(entry: &mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError> {
    const KEY: &str = "notify.command";
    const ALLOWED: &str = "a list of an absolute path and arguments such as \
        [\"/usr/local/bin/tell\", \"--loud\"]";
    let command = entry.list(KEY, |word| match word.text(ALLOWED)? {
        text if text.contains('\0') => Err(ValueError::NotAllowed {
            found: word.to_string(),
            allowed: ALLOWED.to_owned(),
        }),
        text => Ok(text.to_owned()),
    })?;
    let command = command.ok_or_else(|| entry.missing(KEY, ALLOWED))?;
    let program = command.first().map(String::as_str).unwrap_or_default();
    if let (false, Some(value)) = (program.starts_with('/'), entry.get(KEY)) {
        let reason = ChannelError::NotAbsolute(program.to_owned());
        return Err(entry.mistake(KEY, value, reason));
    }
    let name = program.rsplit('/').next().unwrap_or(program).to_owned();
    Ok((Target::Exec(Exec { command }), name))
}
